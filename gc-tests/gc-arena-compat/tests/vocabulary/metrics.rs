//! Figures and pace.

use gc_arena::metrics::{Metrics, Pacing};
use gc_arena::{Arena, Gc, HeapOptions, Mode, Rootable};

type Objects = Rootable![Vec<Gc<'_, [u64; 8]>>];

fn incremental() -> Arena<Objects> {
    let options = HeapOptions::default().mode(Mode::Incremental);
    Arena::with_options(options, |_| Vec::new()).unwrap()
}

#[test]
fn figures() {
    let arena = Arena::<Rootable![Gc<'_, u64>]>::new(|mc| Gc::new(mc, 1));
    let metrics: Metrics = arena.metrics().clone();
    assert_eq!(
        (metrics.total_gc_count(), metrics.allocation_debt()),
        (1, 0.0)
    );
    arena.mutate(|mc, _| mc.metrics().adjust_debt(1e9));
    assert!(metrics.allocation_debt() > 0.0);
    metrics.adjust_debt(-1e9);
    assert_eq!(metrics.allocation_debt(), 0.0);
    drop(arena);
    assert_eq!(metrics.total_gc_count(), 0);
}

#[test]
fn debt_is_paid_by_collecting() {
    let mut arena = incremental();
    arena.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::new(mc, [0; 8])));
    arena.metrics().adjust_debt(1e12);
    while arena.metrics().allocation_debt() > 0.0 {
        arena.collect_debt();
    }
    assert_eq!(arena.metrics().total_gc_count(), 0);
}

/// Pacing that leaves the collector no work to weigh stops the program for a whole collection.
#[test]
fn stop_the_world() {
    for (pacing, cycles) in [(Pacing::STOP_THE_WORLD, 1), (Pacing::DEFAULT, 0)] {
        let mut arena = incremental();
        arena.mutate_root(|mc, root| {
            root.extend((0..200_000).map(|number| Gc::new(mc, [number; 8])));
        });
        arena.metrics().set_pacing(pacing);
        arena.metrics().adjust_debt(1e9);
        arena.collect_debt();
        assert_eq!(arena.metrics().statistics().collections, cycles);
    }
}

/// Less work for an object is more speed: fewer safepoints until a collection ends.
#[test]
fn work_factors() {
    let safepoints = |factor: f64| {
        let mut arena = incremental();
        arena.mutate_root(|mc, root| {
            root.extend((0..200_000).map(|number| Gc::new(mc, [number; 8])));
        });
        arena.metrics().set_pacing(Pacing {
            mark_factor: factor * Pacing::DEFAULT.mark_factor,
            trace_factor: factor * Pacing::DEFAULT.trace_factor,
            keep_factor: factor * Pacing::DEFAULT.keep_factor,
            drop_factor: factor * Pacing::DEFAULT.drop_factor,
            free_factor: factor * Pacing::DEFAULT.free_factor,
            min_sleep: 64 << 20,
            ..Pacing::default()
        });
        arena.metrics().adjust_debt(1e9);
        let mut count = 0;
        while arena.metrics().statistics().collections == 0 {
            arena.mutate(|mc, _| (0..16).for_each(|_| _ = Gc::new(mc, [0_u64; 512])));
            arena.collect_debt();
            count += 1;
        }
        count
    };
    let (fast, slow) = (safepoints(0.01), safepoints(8.0));
    assert!(
        fast < slow,
        "{fast} safepoints, and {slow} at the slower pace"
    );
}
