//! The collections of `gc_core::collections` beside their twins of `std`, whatever a heap is doing meanwhile.

mod elements;
mod limits;
mod panics;
mod random;
mod shapes;
mod shared;

use gc_core::arena::Root;
use gc_core::{Arena, Collect, Rootable};

/// Makes a cycle due and calls a safepoint, at which it begins, if none is in progress.
fn begin<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    arena.metrics().adjust_debt(1e15);
    arena.collect_debt();
    arena.metrics().adjust_debt(f64::NAN);
}
