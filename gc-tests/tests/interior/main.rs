//! Pointers into objects: slices, strings, offset slices and interior references, wherever in the object they point.

mod alive;
mod cells;
mod lengths;
mod random;
mod shared;

use gc_core::arena::Root;
use gc_core::{Arena, Collect, Rootable};

/// The number of objects that are left after a full collection, of a heap that has nothing wrong with it.
fn count<R>(arena: &mut Arena<R>) -> usize
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    arena.finish_cycle();
    arena.verify().unwrap();
    arena.allocations().len()
}
