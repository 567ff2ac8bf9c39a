//! The same as [`cycles`](crate::cycles) in a shared arena, in which one thread is attached: a `trace` that panics at each place where a
//! cycle calls it.

use std::cell::Cell;

use gc_core::arena::CollectionPhase;
use gc_core::barrier::field;
use gc_core::collect::Trace;
use gc_core::shared::{Arena, AtomicGc, Attached, Mutation, Mutex, MutexGuard};
use gc_core::{Collect, Gc, GcWeak, Rootable};
use gc_tests::way::{Way, in_each_way};

use crate::cycles::{Id, Step, assert_thrown, burn, calm, for_each_trace, step};

struct Bomb<'gc> {
    id: Id,
    number: Gc<'gc, u64>,
    next: Mutex<Option<Gc<'gc, Bomb<'gc>>>>,
}

// SAFETY: the pointers are visited in place, unless `trace` does not return.
unsafe impl<'gc> Collect<'gc> for Bomb<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.number);
        cc.trace(&self.next);
        burn(self.id);
    }
}

impl<'gc> Bomb<'gc> {
    fn new(mc: &Mutation<'gc>, id: Id) -> Gc<'gc, Bomb<'gc>> {
        let (number, next) = (mc.allocate(id as u64), Mutex::new(None));
        mc.allocate(Bomb { id, number, next })
    }
}

/// The link of an object, behind its barrier.
fn next<'gc>(
    mc: &Mutation<'gc>,
    bomb: Gc<'gc, Bomb<'gc>>,
) -> MutexGuard<'gc, Option<Gc<'gc, Bomb<'gc>>>> {
    field!(mc.write(bomb), Bomb, next).lock()
}

/// Looks at the objects from here on. How many there are.
fn check<'gc>(mc: &Mutation<'gc>, bomb: Gc<'gc, Bomb<'gc>>) -> usize {
    assert_eq!(*bomb.number, bomb.id as u64);
    2 + next(mc, bomb).map_or(0, |next| check(mc, next))
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    kept: [Gc<'gc, Bomb<'gc>>; 2],
    /// Of which a guard is leaked.
    locked: Gc<'gc, Mutex<Option<Gc<'gc, Bomb<'gc>>>>>,
    upgraded: AtomicGc<'gc, GcWeak<'gc, Bomb<'gc>>>,
}

type R = Rootable![Root<'_>];

fn heap(way: Way) -> Arena<R> {
    let _calm = calm();
    let heap = Arena::<R>::with_options(
        way.options()
            .finalizers(gc_core::FinalizerMode::AfterCollection),
        |mc| {
            let upgraded = Gc::downgrade(Bomb::new(mc, Id::Upgraded));
            _ = mc.finalize_with(Bomb::new(mc, Id::Finalized), |bomb, mc| {
                let _calm = calm();
                assert_eq!(check(mc, bomb), 2);
            });
            Root {
                kept: [(); 2].map(|()| Bomb::new(mc, Id::Kept)),
                locked: mc.allocate(Mutex::new(Some(Bomb::new(mc, Id::Resurrected)))),
                upgraded: mc.allocate(upgraded).into(),
            }
        },
    );
    let heap = heap.unwrap();
    heap.attach()
        .mutate(|mc, root| core::mem::forget(root.locked.lock(mc)));
    heap
}

fn begin(here: &Attached<'_, R>) {
    here.arena().metrics().adjust_debt(1e15);
    step(Step::Begin, || here.collect_debt());
    here.arena().metrics().adjust_debt(f64::NAN);
}

fn with_cycles(way: Way) {
    let heap = heap(way);
    let here = heap.attach();
    let linked = Cell::new(false);
    for _ in 0..2 {
        begin(&here);
        here.mutate(|mc, root| {
            if !linked.get()
                && let Some(bomb) = root.upgraded.load().and_then(|weak| mc.upgrade(*weak))
            {
                step(Step::Write, || {
                    *next(mc, root.kept[0]) = Some(bomb);
                    linked.set(true);
                });
            }
            step(Step::Write, || _ = mc.write(root.kept[1]));
            step(Step::Write, || _ = mc.write(root.locked));
        });
        for _ in 0..100 {
            if heap.collection_phase() == CollectionPhase::Sleeping {
                break;
            }
            step(Step::RunOut, || here.collect_debt());
            std::thread::yield_now();
        }
    }
    step(Step::Finish, || here.finish_cycle());
    step(Step::Verify, || here.verify().unwrap());

    let _calm = calm();
    here.mutate(|mc, root| root.upgraded.store(mc, None));
    for round in 0..3 {
        here.finish_cycle();
        let count = here.mutate(|mc, root| {
            let kept = root.kept.map(|bomb| check(mc, bomb));
            kept.iter().sum::<usize>()
        });
        let links = usize::from(linked.get());
        assert_eq!(count, 4 + 2 * links);
        here.verify().unwrap();
        // With what is in the lock.
        if round == 2 {
            assert_eq!(heap.metrics().total_gc_count(), count + 3);
        }
    }
}

/// Wherever it happens.
#[test]
fn traces_panic_once_each() {
    in_each_way(|way| for_each_trace(|| with_cycles(way)));
    assert_thrown(&[
        (Step::Begin, Id::Kept),
        (Step::RunOut, Id::Kept),
        // It is found only by scanning again what was written.
        (Step::RunOut, Id::Upgraded),
        // Behind a guard that was leaked.
        (Step::RunOut, Id::Resurrected),
        // Finalizers see it, and nobody else.
        (Step::RunOut, Id::Finalized),
        (Step::Finish, Id::Kept),
        (Step::Verify, Id::Kept),
    ]);
}
