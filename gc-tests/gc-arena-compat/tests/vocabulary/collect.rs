//! `Collect` for the types of the standard library.

use std::alloc::Layout;
use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::cmp::{Ordering, Reverse};
use std::collections::{
    BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque, hash_map,
};
use std::convert::Infallible;
use std::error::Error;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::marker::{PhantomData, PhantomPinned};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize, ParseIntError, Saturating, Wrapping};
use std::ops::{
    Bound, ControlFlow, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive,
};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::{self, Rc};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64};
use std::sync::{self, Arc, Mutex, RwLock, mpsc};
use std::task::{Poll, Waker};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant, SystemTime};

use gc_arena::arena::rootless_mutate;
use gc_arena::{Arena, Collect, Gc, GcWeak, Lock, Rootable};

use crate::pointers_of;

type G<'gc> = Gc<'gc, u64>;
type W<'gc> = GcWeak<'gc, u64>;

fn is_leaf<'gc, T: Collect<'gc> + ?Sized>() -> bool {
    !T::NEEDS_TRACE
}

macro_rules! assert_leaves {
    ($($type:ty),* $(,)?) => {$(
        assert!(is_leaf::<$type>(), "{}", stringify!($type));
    )*};
}

#[test]
fn types_without_pointers() {
    rootless_mutate(|mc| leaves(Gc::new(mc, 1)));
}

fn leaves<'gc>(_: G<'gc>) {
    assert_leaves!(
        (), bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64,
        str, String, CStr, CString, OsStr, OsString, Path, PathBuf, TypeId, NonZeroU32,
        NonZeroUsize, AtomicBool, AtomicU64, AtomicPtr<u8>, Layout, Ordering, Infallible,
        RangeFull, Waker, PhantomPinned, Duration, Instant, SystemTime, IpAddr, Ipv4Addr,
        SocketAddr, ThreadId, JoinHandle<u8>, ParseIntError, std::io::Error, std::fs::File,
        hash_map::RandomState, std::hash::BuildHasherDefault<hash_map::DefaultHasher>,
        Cell<u8>, RefCell<String>, UnsafeCell<u8>, OnceCell<u8>, MaybeUninit<u8>, Mutex<u8>,
        Mutex<[u8]>, RwLock<u8>, sync::OnceLock<u8>, mpsc::Sender<u8>, mpsc::Receiver<u8>,
        dyn Any, dyn Any + Send, dyn Error, Box<dyn Error + Send + Sync>, &'static str,
        &'static [RefCell<u8>], *const u8, *mut u8, NonNull<u8>, PhantomData<Gc<'gc, u8>>,
        PhantomData<str>, fn(), fn(u8) -> String, unsafe extern "C" fn(u8, u16),
        fn(u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8) -> u8,
        Option<u8>, Result<u8, String>, Vec<u8>, Box<str>, Rc<str>, Arc<[u8]>, rc::Weak<u8>,
        HashMap<u8, String>, BTreeMap<u8, u8>, [u8; 5], [Gc<'gc, u8>; 0], (u8, String),
        Cow<'static, str>, Range<usize>, Poll<u8>, Reverse<u8>, Wrapping<u8>, Pin<Box<u8>>,
        std::slice::Iter<'static, u8>, std::str::Chars<'static>, std::vec::IntoIter<u8>,
        std::iter::Peekable<std::str::CharIndices<'static>>, std::iter::Once<u8>,
        std::iter::Rev<std::iter::Enumerate<std::slice::Iter<'static, String>>>,
        std::iter::Zip<Range<u8>, std::iter::Map<std::str::Lines<'static>, fn(&str) -> usize>>,
        std::collections::btree_map::IntoIter<u8, u8>, std::iter::Empty<Gc<'gc, u8>>,
    );
    // A function on values of the arena is code all the same.
    fn of_a_brand<'gc>(_: Gc<'gc, u8>) -> bool {
        is_leaf::<fn(Gc<'gc, u8>) -> bool>()
    }
    assert!(rootless_mutate(|mc| of_a_brand(Gc::new(mc, 1))));
}

/// Wraps two pointers in each type that holds values.
#[test]
fn every_type_visits_what_it_holds() {
    rootless_mutate(|mc| {
        let gc: G<'_> = Gc::new(mc, 1);
        let weak: W<'_> = Gc::downgrade(gc);
        let strong = |value: &dyn Fn() -> (usize, usize), count| assert_eq!(value(), (count, 0));
        macro_rules! assert_holds {
            ($($value:expr => $count:expr;)*) => {$(
                let value = $value;
                strong(&|| pointers_of(&value), $count);
            )*};
        }
        assert_holds! {
            gc => 1;
            Some(gc) => 1;
            None::<G<'_>> => 0;
            Ok::<_, u8>(gc) => 1;
            Err::<u8, _>(gc) => 1;
            [gc, gc] => 2;
            vec![gc, gc] => 2;
            vec![gc, gc].into_iter() => 2;
            [gc, gc].into_iter() => 2;
            VecDeque::from([gc, gc]) => 2;
            LinkedList::from([gc, gc]) => 2;
            BTreeSet::from([gc]) => 1;
            HashSet::from([gc]) => 1;
            BinaryHeap::from([gc, gc]) => 2;
            BTreeMap::from([(gc, gc)]) => 2;
            HashMap::from([(gc, gc)]) => 2;
            Box::new(gc) => 1;
            vec![gc, gc].into_boxed_slice() => 2;
            Rc::new(gc) => 1;
            Rc::<[G<'_>]>::from([gc, gc]) => 2;
            Arc::new(gc) => 1;
            Cow::<[G<'static>]>::Borrowed(&[]) => 0;
            ControlFlow::<_, u8>::Break(gc) => 1;
            ControlFlow::<u8, _>::Continue(gc) => 1;
            Poll::Ready(gc) => 1;
            Poll::<G<'_>>::Pending => 0;
            Bound::Included(gc) => 1;
            Bound::Excluded(gc) => 1;
            Bound::<G<'_>>::Unbounded => 0;
            Reverse(gc) => 1;
            Wrapping(gc) => 1;
            Saturating(gc) => 1;
            AssertUnwindSafe(gc) => 1;
            ManuallyDrop::new(gc) => 1;
            Pin::new(Box::new(gc)) => 1;
            Pin::new(gc) => 1;
            Range { start: gc, end: gc } => 2;
            RangeInclusive::new(gc, gc) => 2;
            RangeFrom { start: gc } => 1;
            RangeTo { end: gc } => 1;
            RangeToInclusive { end: gc } => 1;
            Lock::new(gc) => 1;
            (gc, 1, gc) => 2;
            (gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc) => 16;
            (
                gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc,
                gc, 1u8, gc, 2u16, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc, gc,
            ) => 30;
        }
        assert_eq!(pointers_of(&(weak, Some(weak), gc)), (1, 2));
        let shared = Rc::new(gc);
        assert_eq!(pointers_of(&Rc::downgrade(&shared)), (1, 0));
        let alone = Rc::downgrade(&Rc::new(gc));
        assert_eq!(pointers_of(&alone), (0, 0));
        let shared = Arc::new(gc);
        assert_eq!(pointers_of(&Arc::downgrade(&shared)), (1, 0));
    });
}

/// Where the type says where its pointers are, the collector knows it without asking the value.
#[test]
fn wrappers_have_precise_tags() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Many<'gc> {
        reverse: Reverse<G<'gc>>,
        number: u64,
        range: Range<W<'gc>>,
        pinned: Pin<G<'gc>>,
        poll: Poll<G<'gc>>,
        manual: ManuallyDrop<(u64, G<'gc>)>,
    }
    let mut arena = Arena::<Rootable![Gc<'_, Many<'_>>]>::new(|mc| {
        let gc = Gc::new(mc, 1);
        let weak = Gc::downgrade(gc);
        Gc::new(
            mc,
            Many {
                reverse: Reverse(gc),
                number: 5,
                range: weak..weak,
                pinned: Pin::new(gc),
                poll: Poll::Ready(gc),
                manual: ManuallyDrop::new((1, gc)),
            },
        )
    });
    let (base, mut expected) = arena.mutate(|_, root| {
        let address = |place: *const ()| place.addr();
        let many = &**root;
        let expected = vec![
            (address((&raw const many.reverse).cast()), false),
            (address((&raw const many.range.start).cast()), true),
            (address((&raw const many.range.end).cast()), true),
            (address((&raw const many.pinned).cast()), false),
            (address((&raw const many.manual.1).cast()), false),
            match &many.poll {
                Poll::Ready(gc) => (address(std::ptr::from_ref(gc).cast()), false),
                Poll::Pending => unreachable!(),
            },
        ];
        assert_eq!(many.number, 5);
        (Gc::as_ptr(*root).addr(), expected)
    });
    expected.sort_unstable();
    assert_eq!(arena.tagged_words(base), expected);
}

/// A value that only a weak pointer of `std` leads to: the object that kept it is dead, and not dropped yet.
#[test]
fn what_a_weak_pointer_of_std_leads_to_is_there() {
    type Value<'gc> = Rc<Gc<'gc, u64>>;
    type Root<'gc> = (Option<Gc<'gc, Value<'gc>>>, Gc<'gc, rc::Weak<Gc<'gc, u64>>>);
    gc_tests::way::in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            let value = Rc::new(Gc::new(mc, 5));
            let weak = Gc::new(mc, Rc::downgrade(&value));
            (Some(Gc::new(mc, value)), weak)
        })
        .unwrap();
        arena.mutate_root(|_, root| root.0 = None);
        let mut seen = 0;
        for round in 0..100_u64 {
            arena.mutate(|mc, root| {
                if let Some(value) = root.1.upgrade() {
                    assert_eq!(**value, 5);
                    seen += 1;
                }
                (0..500).for_each(|_| _ = Gc::new(mc, [round; 8]));
            });
            arena.collect_debt();
        }
        arena.finish_cycle();
        arena.finish_cycle();
        assert!(seen > 0 && arena.mutate(|_, root| root.1.upgrade().is_none()));
    });
}
