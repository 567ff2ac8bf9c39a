//! Soundness: programs without `unsafe` that would break the heap if the surface had a hole.
//!
//! Each is an attack that looks plausible. What must not even compile is in `tests/ui/surface`; misuse that is refused
//! with an error is in `bad_input`.
#![deny(unsafe_code)]

mod abandoned;
mod any;
mod by_hand;
mod cells;
mod destructors;
mod finalizers;
mod leaked;
mod open_locks;
mod overflow;
mod panics;
mod reuse;
mod roots;
mod shapes;
mod shared_memory;
mod visitors;

use gc_core::arena::Root;
use gc_core::{Arena, Collect, Rootable};
use gc_tests::cycle::{begin, collections, in_cycle};
use gc_tests::way::checked;

/// Lets the cycle in progress come to its end at safepoints, if there is one, and they suffice.
fn run_out<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    let before = collections(arena);
    // A zealous heap begins the next one at once. And where threads get no processor, a cycle may take long: no
    // test depends on its end.
    let mut left = 100;
    while left > 0 && in_cycle(arena) && collections(arena) == before {
        arena.collect_debt();
        std::thread::yield_now();
        left -= 1;
    }
}
