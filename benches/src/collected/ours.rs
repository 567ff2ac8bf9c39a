//! The shapes, in gc-core.

use super::Account;
use gc_core as gc;

#[path = "graphs.rs"]
pub mod graphs;
#[path = "trees.rs"]
pub mod trees;

/// An array in the heap.
pub type Array<'gc, T> = gc::Gc<'gc, [T]>;

/// Puts `items` into the heap.
pub fn array<'gc, T: gc::Collect<'gc> + 'gc>(
    mc: &gc::Mutation<'gc>,
    items: Vec<T>,
) -> Array<'gc, T> {
    gc::Gc::new_slice(mc, items)
}

/// What gc-core says of a heap.
pub fn account(metrics: &gc::metrics::Metrics) -> Account {
    let statistics = metrics.statistics();
    Account {
        collections: statistics.collections,
        mark_time: Some(statistics.mark_time),
        sweep_time: Some(statistics.sweep_time),
        allocated: Some(statistics.allocated_bytes),
        live: Some(statistics.live_bytes as u64),
        heap: Some(statistics.heap_bytes as u64),
        peak_heap: Some(statistics.peak_heap_bytes as u64),
    }
}
