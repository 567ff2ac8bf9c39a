//! What objects of all kinds own is known, and forgotten when they are dropped.

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::CString;
use std::path::PathBuf;
use std::rc::Rc;

use gc_core::arena::rootless_mutate;
use gc_core::collect::{DynCollect, OwnedBytes};
use gc_core::lock::OnceLock;
use gc_core::{
    Arena, Collect, DynamicRootSet, Gc, GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder,
    GcWeak, HeapOptions, Lock, Mode, RefLock, Rootable, Static, Zeal, collections, unsize,
};
use gc_tests::seed::{config, repeat};
use proptest::prelude::*;

use crate::counting::now;
use crate::{KIB, MIB, ways};

/// Bytes that objects and the root own, as the ledger says after a safepoint.
fn owned<R>(arena: &mut Arena<R>) -> usize
where
    R: for<'a> Rootable<'a>,
    for<'a> gc_core::arena::Root<'a, R>: Collect<'a>,
{
    arena.collect_debt();
    arena.metrics().statistics().owned_bytes
}

/// Whether it is what was expected, but for what the ledger leaves out.
#[track_caller]
fn assert_about(owned: usize, expected: usize) {
    assert!(
        (expected - expected / 1024..=expected).contains(&owned),
        "{owned} bytes, not {expected}"
    );
}

/// What the collector counts for a value is what the allocator counts, if that is told.
#[test]
fn owners_tell_their_capacity() {
    #[track_caller]
    fn check<'gc, T: Collect<'gc>>(make: impl FnOnce() -> T, margin: usize) {
        let before = now();
        // So that memory which nobody looks at is there nevertheless.
        let value = std::hint::black_box(make());
        let counted = usize::try_from(now() - before).unwrap();
        let told = OwnedBytes::of(&value);
        assert!(
            counted > 0 && told.abs_diff(counted) * 100 <= counted * margin,
            "{told}, not {counted}"
        );
    }
    let text = |length: usize| "x".repeat(length);
    check(|| vec![7_u32; 1000], 0);
    check(|| text(1000), 0);
    check(|| CString::new(text(1000)).unwrap(), 0);
    check(|| PathBuf::from(text(1000)).into_os_string(), 0);
    check(|| PathBuf::from(text(1000)), 0);
    check(|| (0..100_u64).collect::<VecDeque<_>>(), 0);
    check(|| (0..100_u64).collect::<BinaryHeap<_>>(), 0);
    check(|| (0..100_u64).collect::<LinkedList<_>>(), 0);
    check(|| Box::new([7_u8; 300]), 0);
    check(|| vec![7_u8; 300].into_boxed_slice(), 0);
    check(|| text(300).into_boxed_str(), 0);
    check(|| vec![1_u8; 300].into_iter(), 0);
    // Groups of control bytes, and padding.
    check(|| (0..1000_u64).collect::<HashSet<_>>(), 1);
    check(
        || {
            (0..1000_u64)
                .map(|key| (key, key))
                .collect::<HashMap<_, _>>()
        },
        1,
    );
    check(
        || {
            (0..1000_u64)
                .map(|key| (key, key))
                .collect::<BTreeMap<_, _>>()
        },
        35,
    );
    // What a few elements own counts as well.
    check(|| vec![text(100), text(200)], 0);
    check(|| Box::new((text(100), [text(50), text(60)])), 0);
    check(|| Some(Ok::<_, String>(vec![vec![text(10)]])), 0);
    check(|| RefLock::new(OnceLock::from(text(100))), 0);
    check(|| std::borrow::Cow::<'static, str>::Owned(text(100)), 0);
    check(|| std::pin::Pin::new(Box::new(text(100))), 0);
}

#[test]
fn what_is_shared_counts_if_there_is_one_owner() {
    let text = Rc::new("x".repeat(1000));
    let alone = OwnedBytes::of(&text);
    assert_eq!(alone, 1000 + size_of::<String>());
    let other = Rc::clone(&text);
    assert_eq!((OwnedBytes::of(&text), OwnedBytes::of(&other)), (0, 0));
    assert_eq!(OwnedBytes::of(&Rc::downgrade(&text)), 0);
    drop(other);
    assert_eq!(OwnedBytes::of(&text), alone);
}

/// However much there is, no more than some values are looked at.
#[test]
fn the_answer_is_cheap_for_every_shape() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Chain(#[collect(recursive)] Option<Box<Chain>>, Counted);

    thread_local!(static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });
    struct Counted(Box<u8>);

    // SAFETY: there are no pointers.
    unsafe impl<'gc> Collect<'gc> for Counted {
        const NEEDS_TRACE: bool = false;

        fn owned_bytes(&self, owned: &mut OwnedBytes) {
            ASKED.set(ASKED.get() + 1);
            owned.add_field(&self.0);
        }
    }

    let asked = |ask: &dyn Fn() -> usize| {
        ASKED.set(0);
        (ask(), ASKED.get())
    };
    let counted = || Counted(Box::new(7));
    let long: Vec<_> = (0..10_000).map(|_| counted()).collect();
    let (bytes, count) = asked(&|| OwnedBytes::of(&long));
    assert!(
        (40..100).contains(&count) && bytes == 10_000 * size_of::<Counted>() + count,
        "{count}"
    );
    let nested: Vec<Vec<_>> = (0..100)
        .map(|_| (0..100).map(|_| counted()).collect())
        .collect();
    assert!(asked(&|| OwnedBytes::of(&nested)).1 < 100);
    let boxed: Box<[Counted]> = (0..10_000).map(|_| counted()).collect();
    assert!(asked(&|| OwnedBytes::of(&boxed)).1 < 100);
    let mut chain = Chain(None, counted());
    for _ in 0..1000 {
        chain = Chain(Some(Box::new(chain)), counted());
    }
    assert!(asked(&|| OwnedBytes::of(&chain)).1 < 100);
    // What lies in the value itself is all looked at.
    let array: [Counted; 1000] = std::array::from_fn(|_| counted());
    assert_eq!(asked(&|| OwnedBytes::of(&array)), (1000, 1000));
}

#[derive(Collect)]
#[collect(require_static, owned_bytes = Texture::bytes)]
struct Texture(Box<usize>);

impl Texture {
    fn bytes(&self) -> usize {
        *self.0
    }
}

#[derive(Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    Nothing,
    Text(String),
    Pair(
        #[collect(require_static)] Vec<u8>,
        Vec<Lock<Option<Gc<'gc, u8>>>>,
    ),
}

/// Objects made in each way that there is, and kept in a vector; each owns 1000 bytes, or what it returns.
#[test]
fn objects_are_counted_however_they_are_made() {
    type Objects<'gc> = RefLock<collections::Vec<'gc, Gc<'gc, ()>>>;
    type Root<'gc> = (Gc<'gc, Objects<'gc>>, DynamicRootSet<'gc>);
    trait Named<'gc>: DynCollect<'gc> {}
    impl<'gc> Named<'gc> for String {}
    gc_core::collect::dyn_collect!(<'a> dyn Named<'gc> + 'a);

    let text = || "x".repeat(1000);
    for options in ways() {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
            (Gc::new(mc, RefLock::default()), DynamicRootSet::new(mc))
        })
        .unwrap();
        let before = owned(&mut arena);
        let mut expected = 0;
        let mut handles = Vec::new();
        macro_rules! make {
            ($bytes:expr, |$mc:ident, $set:ident| $object:expr) => {
                arena.mutate(|$mc, &(objects, $set)| {
                    let object = Gc::erase($object);
                    objects.borrow_mut($mc).push($mc, object);
                });
                expected += $bytes;
                assert_about(owned(&mut arena) - before, expected);
            };
        }
        make!(1000, |mc, _set| Gc::new(mc, text()));
        make!(1000, |mc, _set| Gc::new(mc, (text(), Static(text()))));
        make!(0, |mc, _set| Gc::new(mc, Value::Nothing));
        make!(1000, |mc, _set| Gc::new(mc, Value::Text(text())));
        make!(80, |mc, _set| {
            let pointers = (0..10).map(|_| Lock::new(Some(Gc::new(mc, 7)))).collect();
            Gc::new(mc, Value::Pair(vec![0; 1000], pointers))
        });
        make!(1000, |mc, _set| Gc::new(mc, Texture(Box::new(1000))));
        make!(3000, |mc, _set| Gc::slice_from_iter(
            mc,
            (0..3).map(|_| text())
        ));
        make!(1000, |mc, _set| GcBuilder::new().write(mc, text()));
        make!(2000, |mc, _set| GcSliceBuilder::new(2)
            .write_slice_with(mc, |_| text()));
        make!(3000, |mc, _set| GcSliceWithHeaderBuilder::new(2)
            .write_header(text())
            .write_slice_with(mc, |_| text()));
        make!(1000, |mc, _set| {
            let object = Gc::new(mc, text());
            unsize!(object => dyn Named<'_>)
        });
        make!(1000 + size_of::<String>(), |mc, _set| {
            let named: Box<dyn Named<'_>> = Box::new(text());
            Gc::new(mc, named)
        });
        make!(1000, |mc, set| {
            let object = Gc::new(mc, text());
            handles.push(set.stash::<Rootable![String]>(mc, object));
            object
        });
        // Collections have their elements in the heap, and what these own is theirs.
        make!(3000, |mc, _set| {
            let mut vec = collections::Vec::new();
            (0..3).for_each(|_| vec.push(mc, text()));
            Gc::new(mc, vec)
        });
        make!(3000, |mc, _set| {
            let mut map = collections::HashMap::new();
            (0..3).for_each(|key| _ = map.insert(mc, key, text()));
            Gc::new(mc, map)
        });
        make!(2000, |mc, _set| {
            let mut queue = collections::VecDeque::new();
            (0..3).for_each(|_| queue.push_back(mc, text()));
            drop(queue.pop_front(mc));
            Gc::new(mc, queue)
        });
        arena.finish_cycle();
        assert_about(owned(&mut arena) - before, expected);
        // What was grown afterwards.
        arena.mutate(|mc, (objects, _)| {
            objects.borrow_mut(mc).clear(mc);
        });
        arena.finish_cycle();
        // The target of a dynamic root is kept.
        assert_about(owned(&mut arena) - before, 1000);
        handles.clear();
        arena.finish_cycle();
        assert_eq!(owned(&mut arena), before);
    }
}

#[test]
fn the_root_counts() {
    let mut arena = Arena::<Rootable![Vec<u8>]>::new(|_| vec![0; 1000]);
    arena.finish_cycle();
    assert_eq!(arena.metrics().statistics().owned_bytes, 1000);
    arena.mutate_root(|_, root| *root = Vec::new());
    arena.finish_cycle();
    assert_eq!(arena.metrics().statistics().owned_bytes, 0);
    let mut arena = arena.map_root::<Rootable![String]>(|_, _| "x".repeat(500));
    arena.finish_cycle();
    let statistics = arena.metrics().statistics();
    assert_eq!(
        (statistics.owned_bytes, statistics.live_owned_bytes),
        (500, 500)
    );
}

/// A finalizer keeps its object, and what that owns; a weak pointer keeps neither.
#[test]
fn what_is_kept_by_finalizers_counts_and_shells_do_not() {
    type Place<'gc> = RefLock<Option<Gc<'gc, Kept<'gc>>>>;

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Kept<'gc> {
        text: String,
        place: Gc<'gc, Place<'gc>>,
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Root<'gc> {
        place: Gc<'gc, Place<'gc>>,
        weak: Vec<GcWeak<'gc, String>>,
    }

    for options in ways() {
        let options = options.finalizers(gc_core::FinalizerMode::Manual);
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Root {
            place: Gc::new(mc, RefLock::new(None)),
            weak: Vec::with_capacity(4),
        })
        .unwrap();
        arena.mutate_root(|mc, root| {
            let (text, place) = ("x".repeat(1000), root.place);
            let object = Gc::new(mc, Kept { text, place });
            root.weak.push(Gc::downgrade(Gc::new(mc, "x".repeat(2000))));
            _ = mc.finalize_with(object, |object, mc| {
                assert_eq!(object.text.len(), 1000);
                *object.place.borrow_mut(mc) = Some(object);
            });
        });
        let vector = size_of::<GcWeak<'_, String>>() * 4;
        arena.finish_cycle();
        assert_about(owned(&mut arena), 1000 + vector);
        assert_eq!(arena.run_finalizers(1), 1);
        for _ in 0..2 {
            arena.finish_cycle();
            assert_about(owned(&mut arena), 1000 + vector);
        }
        arena.mutate(|mc, root| *root.place.borrow_mut(mc) = None);
        arena.finish_cycle();
        assert_about(owned(&mut arena), vector);
    }
}

/// Memory that a `Static` owns is unknown, and so is that of types with a destructor and no answer.
#[test]
fn what_is_unknown_counts_nothing() {
    struct Unknown(#[allow(dead_code, reason = "it is owned")] Vec<u8>);
    gc_core::static_collect!(Unknown);
    rootless_mutate(|mc| {
        Gc::new(mc, Static(vec![0_u8; 1000]));
        Gc::new(mc, Unknown(vec![0; 1000]));
        assert_eq!(mc.metrics().statistics().owned_bytes, 0);
    });
}

#[derive(Clone, Debug)]
enum Operation {
    Make(usize),
    Resize(usize, usize),
    Replace(usize, usize),
    Drop(usize),
    Safepoint,
    Cycle,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let size = || 0..20 * KIB;
    let operation = prop_oneof![
        4 => size().prop_map(Operation::Make),
        4 => (any::<usize>(), size()).prop_map(|(which, bytes)| Operation::Resize(which, bytes)),
        2 => (any::<usize>(), size()).prop_map(|(which, bytes)| Operation::Replace(which, bytes)),
        3 => any::<usize>().prop_map(Operation::Drop),
        4 => Just(Operation::Safepoint),
        1 => Just(Operation::Cycle),
    ];
    prop::collection::vec(operation, 1..120)
}

proptest! {
    #![proptest_config(config(40))]

    /// After each safepoint the ledger has what the objects own that were not collected; after a collection, what
    /// those own that can be reached.
    #[test]
    fn the_ledger_is_what_objects_own(_repeat in repeat(), operations in operations(), way in 0_usize..3) {
        #[derive(Collect)]
        #[collect(no_drop)]
        struct Content<'gc> {
            bytes: RefLock<Vec<u8>>,
            other: Lock<Option<Gc<'gc, u8>>>,
        }
        type Object<'gc> = Gc<'gc, Content<'gc>>;
        // So that it is not a part of the sum.
        type Objects<'gc> = Gc<'gc, RefLock<collections::Vec<'gc, Object<'gc>>>>;

        let options = ways()[way].floor(64 * KIB).square_root_growth(0);
        let mut arena = Arena::<Rootable![Objects<'_>]>::with_options(options, |mc| {
            Gc::new(mc, RefLock::default())
        })
        .unwrap();
        let alive = |arena: &Arena<Rootable![Objects<'_>]>| {
            arena.mutate(|_, objects| {
                objects.borrow().iter().map(|object| OwnedBytes::of(&**object)).sum::<usize>()
            })
        };
        for operation in operations {
            arena.mutate(|mc, objects| {
                let count = objects.borrow().len();
                let object = |which: usize| objects.borrow()[which % count];
                let cell = |object| gc_core::barrier::unlock!(Gc::write(mc, object), Content, bytes);
                match operation {
                    Operation::Make(bytes) => {
                        let object = Gc::new(mc, Content { bytes: RefLock::new(vec![1; bytes]), other: Lock::new(None) });
                        objects.borrow_mut(mc).push(mc, object);
                    }
                    Operation::Resize(which, bytes) if count > 0 => {
                        let mut vec = cell(object(which)).borrow_mut();
                        vec.resize(bytes, 1);
                        vec.shrink_to_fit();
                    }
                    Operation::Replace(which, bytes) if count > 0 => {
                        cell(object(which)).replace(vec![1; bytes]);
                    }
                    Operation::Drop(which) if count > 0 => {
                        _ = objects.borrow_mut(mc).swap_remove(mc, which % count);
                    }
                    _ => {}
                }
            });
            match operation {
                Operation::Safepoint => {
                    let owned = owned(&mut arena);
                    prop_assert!(owned + owned / 1000 + 1000 >= alive(&arena));
                }
                Operation::Cycle => {
                    arena.finish_cycle();
                    let (owned, alive) = (owned(&mut arena), alive(&arena));
                    prop_assert!(owned <= alive && alive - owned <= alive / 1024, "{owned}, not {alive}");
                }
                _ => {}
            }
        }
    }
}

/// A cycle that is given up changes nothing of what is known.
#[test]
fn an_abandoned_cycle_changes_nothing() {
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .zeal(Zeal::NONE);
    type Root<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, RefLock<String>>>>>;
    let mut arena =
        Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Gc::new(mc, RefLock::default()))
            .unwrap();
    arena.mutate(|mc, root| {
        let strings = (0..100)
            .map(|_| Gc::new(mc, RefLock::new("x".repeat(1000))))
            .collect();
        *root.borrow_mut(mc) = strings;
    });
    let before = owned(&mut arena);
    assert_about(before, 100 * 1000 + 100 * 8);
    for _ in 0..5 {
        arena.metrics().adjust_debt(1e9);
        arena.collect_debt();
        // A write of which nobody says where it goes.
        arena.mutate(|mc, root| mc.forward_barrier(None, Gc::erase(root.borrow()[0])));
        arena.collect_debt();
        assert_eq!(owned(&mut arena), before);
    }
}

/// A program may decide by the debt alone whether it has to come to a safepoint.
#[test]
fn what_was_written_is_debt_before_a_safepoint_has_measured_it() {
    type Root<'gc> = Option<Gc<'gc, RefLock<Vec<u8>>>>;
    for options in ways() {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| None).unwrap();
        let mut safepoints = 0;
        let mut most = 0;
        for _ in 0..2000 {
            arena.mutate_root(|mc, root| {
                for _ in 0..10 {
                    let grown = Gc::new(mc, RefLock::new(Vec::new()));
                    grown.borrow_mut(mc).reserve_exact(4 * KIB);
                    *root = Some(grown);
                }
            });
            if arena.metrics().allocation_debt() > 0.0 {
                arena.collect_debt();
                safepoints += 1;
            }
            let statistics = arena.metrics().statistics();
            // How much such objects own is not known before.
            if statistics.collections > 0 {
                most = most.max(statistics.owned_bytes);
            }
        }
        let statistics = arena.metrics().statistics();
        // 78 MiB were allocated, by objects that take next to nothing in the heap.
        assert!(statistics.collections >= 5, "{}", statistics.collections);
        // A quarter of the floor, and twice that if the program goes on meanwhile.
        assert!(most < 3 * MIB, "{} KiB", most / KIB);
        assert!(safepoints >= statistics.collections);
    }
}
