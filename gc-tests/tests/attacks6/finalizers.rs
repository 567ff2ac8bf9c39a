//! Finalizers that run when their arena is dropped.

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, FinalizerMode, Gc, HeapOptions, Lock, Mode, RefLock, Rootable};

type List = Arena<Rootable![RefLock<std::vec::Vec<Gc<'_, u64>>>]>;

/// An arena in which a cycle that is made in many steps has begun.
fn in_steps() -> List {
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .step(std::time::Duration::from_nanos(1))
        .floor(1 << 30);
    let mut arena = List::with_options(options, |mc| {
        RefLock::new((0..100_000).map(|i| Gc::new(mc, i)).collect())
    })
    .unwrap();
    arena.metrics().adjust_debt(1e15);
    arena.collect_debt();
    arena.metrics().adjust_debt(f64::NAN);
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    arena
}

/// A write that is told no arena finds the one that it is in, also in a finalizer that runs while that arena is
/// dropped: no marker of it reads what is written, and cycles of other arenas go on.
#[test]
fn barriers_find_an_arena_that_is_dropped() {
    let mut other = in_steps();
    let options = HeapOptions::default().finalize_at_drop(true);
    type Slot<'gc> = Gc<'gc, Lock<Option<Gc<'gc, u64>>>>;
    let arena = Arena::<Rootable![Slot<'_>]>::with_options(options, |mc| {
        let slot = Gc::new(mc, Lock::new(Some(Gc::new(mc, 7))));
        _ = mc.finalize_with(slot, |slot, _| assert_eq!(*slot.take().unwrap(), 7));
        slot
    })
    .unwrap();
    let before = other.metrics().statistics().collections;
    drop(arena);
    other.collect_debt();
    assert_eq!(other.collection_phase(), CollectionPhase::Marking);
    assert_eq!(other.metrics().statistics().collections, before);
}

/// What was enqueued was found to be dead, and stays so for short weak pointers, also if the cycle is given up before it
/// has marked what was enqueued.
#[test]
fn what_is_enqueued_was_found_dead_also_if_the_cycle_is_given_up() {
    const DEAD: u64 = 5_000;
    for steps in 0..40 {
        let options = HeapOptions::default()
            .mode(Mode::Incremental)
            .step(std::time::Duration::from_nanos(1))
            .finalizers(FinalizerMode::Manual)
            .floor(1 << 30);
        let mut arena = Arena::<Rootable![Gc<'_, Lock<u64>>]>::with_options(options, |mc| {
            for i in 0..DEAD {
                let object = Gc::new(mc, (i, Gc::new(mc, !i)));
                _ = mc.finalize_with(object, |object, mc| {
                    assert_eq!(*object.1, !object.0);
                    assert!(mc.was_found_dead(object), "{}", object.0);
                    let weak = Gc::downgrade(object);
                    assert!(weak.upgrade(mc).is_none(), "{}", object.0);
                });
            }
            Gc::new(mc, Lock::new(0))
        })
        .unwrap();
        arena.metrics().adjust_debt(1e15);
        arena.collect_debt();
        arena.metrics().adjust_debt(f64::NAN);
        while arena.metrics().statistics().finalizers_waiting == 0 {
            arena.collect_debt();
        }
        for _ in 0..steps {
            arena.collect_debt();
        }
        arena.mutate(|mc, root| mc.forward_barrier(None, Gc::erase(*root)));
        arena.run_finalizers(DEAD as usize / 2);
        arena.finish_cycle();
        arena.run_finalizers(DEAD as usize);
        let statistics = arena.metrics().statistics();
        assert_eq!(
            (statistics.finalizers_run, statistics.finalizers_panicked),
            (DEAD, 0)
        );
    }
}
