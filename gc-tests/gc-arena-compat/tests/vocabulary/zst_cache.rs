//! One pointer for all values of size zero.

use std::cell::Cell;
use std::convert::Infallible;
use std::marker::PhantomData;

use gc_arena::arena::rootless_mutate;
use gc_arena::zst_cache::{Alignment, ValidAlignment, ZstCache};
use gc_arena::{Arena, Collect, Gc, Mutation, Rootable};

#[derive(Default)]
#[repr(align(32))]
struct Aligned32;

fn is_valid<const ALIGN: usize>() -> usize
where
    Alignment<ALIGN>: ValidAlignment,
{
    ALIGN
}

#[test]
fn values_share_a_pointer() {
    assert_eq!((is_valid::<1>(), is_valid::<{ 1 << 29 }>()), (1, 1 << 29));
    rootless_mutate(|mc| {
        let cache = ZstCache::<16>::new(mc);
        assert_eq!(Gc::as_ptr(cache.cached_ptr()).addr() % 16, 0);
        let unit = cache.alloc(mc, ());
        let empty: Gc<'_, [u64; 0]> = cache.alloc_static(mc, []);
        assert!(cache.is_cached(unit) && cache.is_cached(empty));
        assert!(Gc::ptr_eq(Gc::erase(unit), cache.cached_ptr()));
        assert!(
            cache
                .alloc_zst::<()>()
                .is_some_and(|gc| cache.is_cached(gc))
        );
        assert!(cache.alloc_zst::<u8>().is_none() && cache.alloc_zst::<Aligned32>().is_none());
        assert!(
            cache
                .alloc_default::<[u64; 0]>()
                .is_some_and(|gc| cache.is_cached(gc))
        );
        assert!(cache.alloc_default::<Aligned32>().is_none());
        assert!(!cache.is_cached(cache.alloc(mc, 1)));
        assert!(!cache.is_cached(cache.alloc_static(mc, Aligned32)));
        let copy = cache;
        assert!(copy.is_cached(unit));
    });
}

/// A context as machines have it, with methods for values of any type. Whoever has one cannot get at a value
/// of a type that has none, or whose values are not for everybody.
#[derive(Clone, Copy)]
struct Context<'gc> {
    mc: &'gc Mutation<'gc>,
    cache: ZstCache<'gc, 16>,
}

impl<'gc> Context<'gc> {
    fn shared<T: 'gc>(self) -> Option<Gc<'gc, T>> {
        self.cache.alloc_zst()
    }

    fn alloc<T: Collect<'gc>>(self, value: T) -> Gc<'gc, T> {
        self.cache.alloc(self.mc, value)
    }

    fn alloc_static<T: 'static>(self, value: T) -> Gc<'gc, T> {
        self.cache.alloc_static(self.mc, value)
    }
}

struct Right<'a>(PhantomData<&'a ()>);

#[test]
fn nothing_is_made_up() {
    let arena = Arena::<Rootable![(ZstCache<'_, 16>,)]>::new(|mc| (ZstCache::new(mc),));
    arena.mutate(|mc, &(cache,)| {
        let context = Context { mc, cache };
        assert!(context.shared::<Infallible>().is_none());
        assert!(context.shared::<Right<'_>>().is_none());
        assert!(context.shared::<Gc<'_, ()>>().is_none());
        assert!(context.shared::<()>().is_some());
        assert!(cache.is_cached(context.alloc(())));
        assert!(cache.is_cached(context.alloc_static(Right(PhantomData))));
    });
}

/// A destructor runs when the value dies, and not before.
#[test]
fn a_value_with_a_destructor_is_an_object() {
    thread_local!(static DROPPED: Cell<u32> = const { Cell::new(0) });
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            DROPPED.set(DROPPED.get() + 1);
        }
    }
    type Root<'gc> = (ZstCache<'gc, 8>, Option<Gc<'gc, Noisy>>);
    let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
        let cache = ZstCache::new(mc);
        (cache, Some(cache.alloc_static(mc, Noisy)))
    });
    arena.finish_cycle();
    assert_eq!(DROPPED.get(), 0);
    arena.mutate_root(|_, root| {
        assert!(!root.0.is_cached(root.1.unwrap()));
        root.1 = None;
    });
    arena.finish_cycle();
    assert_eq!(DROPPED.get(), 1);
}
