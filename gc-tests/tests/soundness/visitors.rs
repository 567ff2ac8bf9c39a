//! Visitors of the user's, which change the value while they visit it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gc_core::arena::rootless_mutate;
use gc_core::barrier::field;
use gc_core::collect::Trace;
use gc_core::{
    Collect, DynamicRoot, DynamicRootSet, Gc, GcRefLock, GcWeak, Lock, Mutation, RefLock, Rootable,
};

/// A visitor that notes where pointers lead, and calls a function at each.
struct Noting<F> {
    seen: Vec<usize>,
    meddle: F,
}

impl<F: FnMut()> Noting<F> {
    fn new(meddle: F) -> Noting<F> {
        Noting {
            seen: Vec::new(),
            meddle,
        }
    }
}

impl<'gc, F: FnMut()> Trace<'gc> for Noting<F> {
    fn trace_gc(&mut self, gc: Gc<'gc, ()>) {
        self.seen.push(Gc::as_ptr(gc).addr());
        (self.meddle)();
    }

    fn trace_gc_weak(&mut self, gc: GcWeak<'gc, ()>) {
        self.seen.push(gc.as_ptr().addr());
        (self.meddle)();
    }
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Either<'gc> {
    Pointers(Gc<'gc, u64>, GcWeak<'gc, u64>),
    Numbers(usize, usize),
}

fn pointers<'gc>(mc: &Mutation<'gc>) -> (Either<'gc>, [usize; 2]) {
    let (strong, weak) = (Gc::new(mc, 1), Gc::downgrade(Gc::new(mc, 2)));
    let addresses = [Gc::as_ptr(strong).addr(), weak.as_ptr().addr()];
    (Either::Pointers(strong, weak), addresses)
}

/// If the visitor were shown the cell itself, the second number would pass for a pointer.
#[test]
fn one_that_writes_to_the_lock_sees_what_was_there() {
    rootless_mutate(|mc| {
        let (value, addresses) = pointers(mc);
        let lock = Gc::new(mc, Lock::new(value));
        let mut noting = Noting::new(|| lock.set(mc, Either::Numbers(0x1110, 0x2220)));
        lock.as_ref().trace(&mut noting);
        assert_eq!(noting.seen, addresses);
        assert!(matches!(lock.get(), Either::Numbers(0x1110, 0x2220)));
    });
}

#[test]
fn one_that_writes_to_locks_inside_of_others_sees_no_mixture() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Locks<'gc> {
        pair: [Lock<Either<'gc>>; 2],
    }
    rootless_mutate(|mc| {
        let (value, addresses) = pointers(mc);
        let pair = [Lock::new(value), Lock::new(value)];
        let locks = Gc::new(mc, Some(Locks { pair }));
        let mut noting = Noting::new(|| {
            let pair = field!(Gc::write(mc, locks).as_write().unwrap(), Locks, pair);
            for index in 0..2 {
                pair[index].unlock().set(Either::Numbers(0x1110, 0x2220));
            }
        });
        locks.as_ref().trace(&mut noting);
        // The second lock had numbers when it was its turn.
        assert_eq!(noting.seen, addresses);
    });
}

#[test]
fn one_that_writes_to_a_ref_lock_panics() {
    rootless_mutate(|mc| {
        let (value, addresses) = pointers(mc);
        let lock: GcRefLock<Either> = Gc::new(mc, RefLock::new(value));
        let mut noting = Noting::new(|| *lock.borrow_mut(mc) = Either::Numbers(0x1110, 0x2220));
        let visit = AssertUnwindSafe(|| lock.as_ref().trace(&mut noting));
        assert!(catch_unwind(visit).is_err());
        assert_eq!(noting.seen, addresses[..1]);
        assert!(matches!(&*lock.borrow(), Either::Pointers(..)));
    });
}

#[test]
fn one_that_drops_the_handles_of_a_set_and_clones_others() {
    type Handle = DynamicRoot<Rootable![u64]>;
    rootless_mutate(|mc| {
        let set = DynamicRootSet::new(mc);
        let stash = |number| set.stash::<Rootable![u64]>(mc, Gc::new(mc, number));
        let mut handles: Vec<Handle> = (0..100).map(stash).collect();
        let mut noting = Noting::new(|| {
            handles.drain(50..);
            handles.extend_from_within(..10);
        });
        set.trace(&mut noting);
        assert_eq!(noting.seen.len(), 1);
        let numbers = handles.iter().map(|handle| *set.fetch(handle));
        assert!(numbers.eq((0..50).chain(0..10)));
    });
}
