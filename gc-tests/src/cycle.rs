//! Cycles of an arena with one mutator, which tests begin and look at.

use gc_core::arena::{CollectionPhase, Root};
use gc_core::{Arena, Collect, Rootable};

/// The number of cycles completed.
pub fn collections<R>(arena: &Arena<R>) -> u64
where
    R: for<'a> Rootable<'a>,
{
    arena.metrics().statistics().collections
}

/// Whether a cycle is in progress.
pub fn in_cycle<R>(arena: &Arena<R>) -> bool
where
    R: for<'a> Rootable<'a>,
{
    arena.collection_phase() != CollectionPhase::Sleeping
}

/// Makes a cycle due and calls a safepoint, at which it begins, if none is in progress. It may have come to its end
/// there.
pub fn begin<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    let before = collections(arena);
    arena.metrics().adjust_debt(1e15);
    arena.collect_debt();
    // The debt has done what it was for, and should not make what follows hurry.
    arena.metrics().adjust_debt(f64::NAN);
    assert!(
        in_cycle(arena) || collections(arena) > before,
        "no cycle began"
    );
}

/// Lets the cycle in progress come to its end at safepoints, if there is one.
pub fn run_out<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    let before = collections(arena);
    let mut left = 100_000;
    while in_cycle(arena) && collections(arena) == before {
        arena.collect_debt();
        std::thread::yield_now();
        // No test depends on how many steps it takes.
        left -= 1;
        if left == 0 {
            arena.finish_cycle();
        }
    }
}
