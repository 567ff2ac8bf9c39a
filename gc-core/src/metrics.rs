//! What an arena tells about its collector, and how its pace is set.

use core::cell::Cell;
use core::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::context::Context;

/// How much work the collector does for how much allocation.
///
/// A collection is due when the bytes allocated since the last one exceed `sleep_factor` times the
/// bytes that survived it (or, if those are less than 256 MiB, times the geometric mean of both),
/// and at least `min_sleep`. An arena begins with what its [`HeapOptions`](crate::HeapOptions) say.
///
/// The other factors say how much *work*, in bytes of debt paid, each step of an incremental
/// collection counts for a byte of object: the smaller, the faster it gets done. A stop-the-world
/// collection is one step, so for it they have no effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pacing {
    /// How long the collector sleeps, as a multiple of the bytes that survived.
    pub sleep_factor: f64,
    /// How long it sleeps at least, in bytes.
    pub min_sleep: usize,
    /// Work for marking.
    pub mark_factor: f64,
    /// Work for scanning.
    pub trace_factor: f64,
    /// Work for keeping an object in the sweep.
    pub keep_factor: f64,
    /// Work for dropping a value.
    pub drop_factor: f64,
    /// Work for freeing an object.
    pub free_factor: f64,
}

impl Pacing {
    /// Collect when a large heap has doubled, and at least 8 MiB were allocated.
    pub const DEFAULT: Pacing = Pacing {
        sleep_factor: 1.0,
        min_sleep: 8 << 20,
        mark_factor: 0.1,
        trace_factor: 0.4,
        keep_factor: 0.05,
        drop_factor: 0.2,
        free_factor: 0.3,
    };

    /// A whole collection as soon as one is due: no step counts as work.
    pub const STOP_THE_WORLD: Pacing = Pacing {
        mark_factor: 0.0,
        trace_factor: 0.0,
        keep_factor: 0.0,
        drop_factor: 0.0,
        free_factor: 0.0,
        ..Pacing::DEFAULT
    };
}

impl Default for Pacing {
    fn default() -> Pacing {
        Pacing::DEFAULT
    }
}

/// What the collector of an arena has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Collections completed.
    pub collections: u64,
    /// Time spent in them.
    pub collection_time: Duration,
    /// The longest of them.
    pub longest_collection: Duration,
    /// Time spent marking, as a part of `collection_time`.
    pub mark_time: Duration,
    /// Time spent sweeping, dropping values included, as a part of `collection_time`.
    pub sweep_time: Duration,
    /// Bytes of objects allocated ever.
    pub allocated_bytes: u64,
    /// Bytes of objects that survived the last collection.
    pub live_bytes: usize,
    /// Bytes of blocks that the heap owns now.
    pub heap_bytes: usize,
    /// Bytes of blocks that it has owned at most.
    pub peak_heap_bytes: usize,
}

/// The part of the statistics that collections write.
#[derive(Default)]
pub(crate) struct StatisticsCell(Cell<Statistics>);

impl StatisticsCell {
    /// Counts a cycle that began at `start`, had marked at `marked`, and ends now.
    pub(crate) fn note_cycle(&self, start: Instant, marked: Instant, live_bytes: usize) {
        let end = Instant::now();
        let mut statistics = self.0.get();
        statistics.collections += 1;
        statistics.collection_time += end - start;
        statistics.longest_collection = statistics.longest_collection.max(end - start);
        statistics.mark_time += marked - start;
        statistics.sweep_time += end - marked;
        statistics.live_bytes = live_bytes;
        self.0.set(statistics);
    }
}

/// A handle to the figures and the pace of an arena's collector.
///
/// It can be cloned and kept, also beyond the arena's life; an arena that is gone has no objects.
#[derive(Clone)]
pub struct Metrics(pub(crate) Rc<Context>);

impl Metrics {
    /// A value that identifies the arena, for logging.
    pub fn arena_id(&self) -> impl fmt::Debug + Copy + Eq + use<> {
        Rc::as_ptr(&self.0).addr()
    }

    /// Sets the pace. It takes effect at once.
    pub fn set_pacing(&self, pacing: Pacing) {
        self.0.pacer.set_pacing(pacing);
    }

    /// The number of objects that are allocated and not freed. Takes constant time.
    pub fn total_gc_count(&self) -> usize {
        self.0.heap.objects() as usize
    }

    /// By how many bytes of allocation a collection is overdue; zero if it is not due yet.
    pub fn allocation_debt(&self) -> f64 {
        self.0.debt()
    }

    /// Adds to the allocation debt, in bytes, until the next collection.
    ///
    /// Use it to account for memory outside of the heap that objects own; a negative amount puts
    /// the next collection off. Where the sum is not a number, adjustments so far are forgotten.
    pub fn adjust_debt(&self, bytes: f64) {
        self.0.pacer.adjust(bytes);
    }

    /// All figures. Takes constant time.
    pub fn statistics(&self) -> Statistics {
        let (heap_bytes, peak_heap_bytes) = self.0.heap.owned_and_peak();
        Statistics {
            allocated_bytes: self.0.heap.allocated_bytes(),
            heap_bytes,
            peak_heap_bytes,
            ..self.0.statistics.0.get()
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("arena_id", &self.arena_id())
            .field("total_gc_count", &self.total_gc_count())
            .field("allocation_debt", &self.allocation_debt())
            .field("statistics", &self.statistics())
            .finish()
    }
}
