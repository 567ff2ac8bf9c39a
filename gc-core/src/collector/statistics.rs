//! What the collector tells of itself.

use core::time::Duration;

/// What the collector of an arena has done so far.
///
/// Times and the number of collections change when a cycle ends, except `longest_collection` and
/// `concurrent_time`, which change during one.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable};
///
/// let mut arena = Arena::<Rootable![Gc<'_, [u64; 4]>]>::new(|mc| Gc::new(mc, [0; 4]));
/// arena.mutate(|mc, _| (0..100).for_each(|_| _ = Gc::new(mc, [1_u64; 4])));
/// arena.finish_cycle();
/// let statistics = arena.metrics().statistics();
/// assert_eq!((statistics.live_bytes, statistics.allocated_bytes), (32, 101 * 32));
/// assert!(statistics.longest_collection <= statistics.collection_time);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Collections completed. One that was abandoned is not counted.
    pub collections: u64,
    /// Time that the program's thread spent in them: in whole collections, or in steps of them at
    /// safepoints. What write barriers do is not in it.
    pub collection_time: Duration,
    /// The longest of these: of whole collections, or of steps.
    pub longest_collection: Duration,
    /// Time that other threads spent in collections concurrently with the program, added up over the threads.
    pub concurrent_time: Duration,
    /// Time by the clock from the beginning of collections until all that could be reached was marked,
    /// the program's own time in between included.
    pub mark_time: Duration,
    /// Time by the clock from then on until all the rest was freed, dropping values included.
    pub sweep_time: Duration,
    /// Bytes of objects allocated ever; large objects count as whole blocks.
    pub allocated_bytes: u64,
    /// Bytes of objects that survived the last collection, large ones as whole blocks. What was allocated
    /// while it ran is not counted, nor is what only weak pointers lead to.
    pub live_bytes: usize,
    /// Bytes that their values own outside of the heap, as far as [`Collect::owned_bytes`](crate::Collect::owned_bytes)
    /// tells; what these have grown by while the collection ran is not counted.
    pub live_owned_bytes: usize,
    /// Bytes that the values of all objects own outside of the heap, and the root does: those of objects that are not
    /// dropped yet. Objects that were written count as they were at the last safepoint.
    pub owned_bytes: usize,
    /// Objects whose pointers had to be found anew while a collection marked, by the program's thread, because they
    /// were written in a way of which that was not done before: [large ones](crate::lock#enums) behind a guard, for
    /// instance, and those of shared arenas. It counts enums and the like, not values that own memory outside of the
    /// heap.
    pub retagged_late: u64,
    /// Finalizers that have run. This and the next two change at any time.
    pub finalizers_run: u64,
    /// Finalizers that have panicked.
    pub finalizers_panicked: u64,
    /// Finalizers that are enqueued and have not run.
    pub finalizers_waiting: usize,
    /// Bytes of blocks that the heap owns now.
    pub heap_bytes: usize,
    /// Bytes of blocks that it has owned at most.
    pub peak_heap_bytes: usize,
    /// Objects that are [pinned](crate::arenas::pinning) now.
    pub pinned_objects: usize,
    /// How often: guards and raw pins.
    pub pins: usize,
}
