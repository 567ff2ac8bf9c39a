//! Soundness: programs without `unsafe` that would break the heap if the surface had a hole.
//!
//! Each is an attack that looks plausible. What must not even compile is in `tests/ui/surface`.
#![deny(unsafe_code)]

mod abandoned;
mod cells;
mod destructors;
mod finalizers;
mod leaked;
mod overflow;
mod panics;
mod reuse;
mod roots;
mod shapes;
mod visitors;

use gc_core::arena::{CollectionPhase, Root};
use gc_core::{Arena, Collect, HeapOptions, Rootable, Zeal};

/// All checks, and no collection that was not asked for.
fn checked() -> HeapOptions {
    HeapOptions::default().zeal(Zeal {
        collect: false,
        ..Zeal::ALL
    })
}

/// Makes a cycle due and calls a safepoint, at which it begins, if none is in progress.
fn begin<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    arena.metrics().adjust_debt(1e15);
    arena.collect_debt();
    // The debt has done what it was for, and should not make what follows hurry.
    arena.metrics().adjust_debt(f64::NAN);
}

/// Lets the cycle in progress come to its end at safepoints, if there is one, and they suffice.
fn run_out<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    let collections = |arena: &Arena<R>| arena.metrics().statistics().collections;
    let before = collections(arena);
    // A zealous heap begins the next one at once. And where threads get no processor, a cycle may take long: no
    // test depends on its end.
    let mut left = 100;
    while left > 0
        && arena.collection_phase() != CollectionPhase::Sleeping
        && collections(arena) == before
    {
        arena.collect_debt();
        std::thread::yield_now();
        left -= 1;
    }
}
