//! The shapes, in gc-core.

use super::{Account, Program};
use gc_core as gc;

#[path = "graphs.rs"]
pub mod graphs;
#[path = "large.rs"]
pub mod large;
#[path = "owners/mod.rs"]
pub mod owners;
#[path = "trees.rs"]
pub mod trees;

/// An array in the heap.
pub type Array<'gc, T> = gc::Gc<'gc, [T]>;

/// Puts `items` into the heap.
pub fn array<'gc, T: gc::Collect<'gc> + 'gc>(
    mc: &gc::Mutation<'gc>,
    items: Vec<T>,
) -> Array<'gc, T> {
    gc::Gc::slice_from_iter(mc, items)
}

/// An item of `array`, to be written.
fn write_at<'gc, 'a, T: gc::Collect<'gc> + 'gc>(
    mc: &'a gc::Mutation<'gc>,
    array: Array<'gc, T>,
    index: usize,
) -> &'a gc::barrier::Write<T> {
    gc::Gc::write_at(mc, array, index)
}

/// What a heap can be asked for.
pub type Options = gc::HeapOptions;

/// A heap with `options`, whose root `f` makes.
///
/// # Panics
///
/// If the options mean nothing, or the system has no addresses for the heap.
fn arena<R, F>(options: Options, f: F) -> gc::Arena<R>
where
    R: for<'a> gc::Rootable<'a>,
    for<'a> gc::arena::Root<'a, R>: gc::Collect<'a> + Sized,
    F: for<'gc> FnOnce(&'gc gc::Mutation<'gc>) -> gc::arena::Root<'gc, R>,
{
    match gc::Arena::with_options(options, f) {
        Ok(arena) => arena,
        Err(error) => panic!("no heap: {error}"),
    }
}

/// What gc-core says of a heap.
pub fn account(metrics: &gc::metrics::Metrics) -> Account {
    let statistics = metrics.statistics();
    Account {
        collections: Some(statistics.collections),
        mark_time: Some(statistics.mark_time),
        sweep_time: Some(statistics.sweep_time),
        allocated: Some(statistics.allocated_bytes),
        live: Some(statistics.live_bytes as u64),
        heap: Some(statistics.heap_bytes as u64),
        peak_heap: Some(statistics.peak_heap_bytes as u64),
        is_in_cycle: None,
    }
}
