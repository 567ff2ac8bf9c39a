//! Pointers of other kinds than the default one: the same locks, barriers, and upgrades.

use gc_core::meta::{TypeMeta, UnitPtrMeta};
use gc_core::shared::{Arena, AtomicGc, Mutex, RwLock};
use gc_core::{
    Collect, Gc, GcBuilder, GcSliceBuilder, GcThin, GcThinSlice, GcWeak, HeapOptions, Rootable,
};

use crate::{Way, arena, begin, in_each_way, verify};

struct Locked;

impl TypeMeta for Locked {
    type TypeMetadata = u8;
    const TYPE_METADATA: &'static u8 = &7;
}

type Thin<'gc, T> = GcThin<'gc, T, u8, UnitPtrMeta>;
type Number<'gc> = Option<Gc<'gc, u64>>;

/// Locks behind thin pointers.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
struct Locks<'gc> {
    mutex: Thin<'gc, Mutex<Number<'gc>>>,
    lock: Thin<'gc, RwLock<Number<'gc>>>,
    slots: GcThinSlice<'gc, Mutex<Number<'gc>>, u8>,
}

impl<'gc> Locks<'gc> {
    fn new(mc: &gc_core::shared::Mutation<'gc>, of: impl Fn(u64) -> Number<'gc>) -> Locks<'gc> {
        let mutex = mc.build(GcBuilder::new_with_type_meta::<Locked>(), Mutex::new(of(1)));
        let lock = mc.build(
            GcBuilder::new_with_type_meta::<Locked>(),
            RwLock::new(of(2)),
        );
        let slots = GcSliceBuilder::new_with_type_meta::<Locked>(600);
        let slots = mc.build(slots, (3..).map(|number| Mutex::new(of(number))));
        Locks {
            mutex: Gc::as_thin(mutex),
            lock: Gc::as_thin(lock),
            slots: Gc::as_thin(slots),
        }
    }
}

/// Moves all pointers from old locks into new ones, at some moment of a cycle.
fn moved(way: Way, delay: usize) {
    type Root<'gc> = (Locks<'gc>, AtomicGc<'gc, Locks<'gc>>);
    let heap: Arena<Rootable![Root<'_>]> = arena(way.options(), |mc| {
        (Locks::new(mc, |n| Some(mc.allocate(n))), AtomicGc::null())
    });
    let here = heap.attach();
    begin(&here);
    (0..delay).for_each(|_| here.collect_debt());
    here.mutate(|mc, (old, root)| {
        let new = Locks::new(mc, |_| None);
        *new.mutex.lock(mc) = mc.write(old.mutex).try_lock().unwrap().take();
        *mc.write(new.lock).try_write().unwrap() = old.lock.lock_write(mc).take();
        for index in 0..600 {
            let number = mc.write_at(old.slots, index).lock().take();
            *mc.write_at(new.slots, index).lock() = number;
        }
        root.store(mc, Some(mc.allocate(new)));
    });
    (0..delay).for_each(|_| here.collect_debt());
    for _ in 0..2 {
        here.mutate(|mc, (old, root)| {
            let new = root.load().unwrap();
            assert!(old.mutex.lock(mc).is_none() && old.lock.read().is_none());
            assert_eq!(new.mutex.lock(mc).as_deref(), Some(&1));
            assert_eq!(new.lock.read().as_deref(), Some(&2));
            for index in 0..600 {
                let number = mc.write_at(new.slots, index).lock().unwrap();
                assert_eq!(*number, 3 + index as u64);
            }
            assert_eq!(*Gc::type_metadata(new.slots), 7);
        });
        here.finish_cycle();
        verify(&here);
    }
    assert_eq!(heap.metrics().total_gc_count(), 602 + 2 * 3 + 1);
}

#[test]
fn thin_locks_have_the_barrier() {
    in_each_way(|way| (0..way.size(4, 12)).for_each(|delay| moved(way, delay)));
}

#[test]
fn thin_weak_pointers_are_upgraded() {
    type Weak<'gc> = GcWeak<
        'gc,
        [u64],
        gc_core::gc::GcKind<gc_core::gc::Thin<[u64]>, (), gc_core::gc_slice::SlicePtrMeta>,
    >;
    type Root<'gc> = (GcThinSlice<'gc, u64>, Weak<'gc>, Weak<'gc>);
    let heap: Arena<Rootable![Root<'_>]> = arena(HeapOptions::default(), |mc| {
        let [kept, lost] =
            [[1, 2], [3, 4]].map(|items| Gc::as_thin(mc.build(GcSliceBuilder::new(2), items)));
        (kept, Gc::downgrade(kept), Gc::downgrade(lost))
    });
    let here = heap.attach();
    here.mutate(|mc, (_, _, lost)| assert_eq!(*mc.upgrade(*lost).unwrap(), [3, 4]));
    here.finish_cycle();
    here.mutate(|mc, (strong, kept, lost)| {
        let found: GcThinSlice<'_, u64> = mc.upgrade(*kept).unwrap();
        assert!(Gc::ptr_eq(found, *strong) && *found == [1, 2]);
        assert!(mc.upgrade(*lost).is_none());
    });
}
