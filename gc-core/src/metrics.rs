//! What an arena tells about its collector, and how its pace is set.

use core::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::context::Context;

/// How much is allocated between two collections.
///
/// A collection should be over when so many bytes were allocated since the last one as `sleep_factor`
/// times the bytes that survived it (or, if those are less than
/// [`HeapOptions::square_root_growth`](crate::HeapOptions::square_root_growth) says, times the geometric
/// mean of both), and at least `min_sleep`; or earlier, where a limit is near. One that stops the program
/// begins then; one during which the program goes on begins earlier, by what will probably be
/// allocated meanwhile. An arena begins with what its [`HeapOptions`](crate::HeapOptions) say.
///
/// | field | [`StopTheWorld`](crate::Mode::StopTheWorld) | [`Incremental`](crate::Mode::Incremental) | [`Concurrent`](crate::Mode::Concurrent) |
/// | --- | --- | --- | --- |
/// | `sleep_factor`, `min_sleep` | when a collection begins | when it should end | when it should end |
/// | all others | no effect | how fast it is, in comparison with what is allocated | the same, where the program helps |
///
/// The others are the work of a collection in proportion to allocation: half of it, and it is twice as fast.
/// What counts is the larger of what is done with an object that survives (`mark_factor`, `trace_factor` and
/// `keep_factor` added up) and with one that does not (`drop_factor` and `free_factor`), in comparison with
/// [`Pacing::DEFAULT`]. No step is longer for it than [`HeapOptions::step`](crate::HeapOptions::step). If all
/// five are zero, collections are done at once, with the program stopped, whatever the mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pacing {
    /// How much is allocated until the end of the next collection, as a multiple of the bytes that
    /// survived: a hundredth of [`HeapOptions::growth`](crate::HeapOptions::growth).
    pub sleep_factor: f64,
    /// How much at least, in bytes: [`HeapOptions::floor`](crate::HeapOptions::floor).
    pub min_sleep: usize,
    /// Work for finding that an object can be reached.
    pub mark_factor: f64,
    /// Work for following its pointers.
    pub trace_factor: f64,
    /// Work for keeping it in the sweep.
    pub keep_factor: f64,
    /// Work for dropping its value, if it cannot.
    pub drop_factor: f64,
    /// Work for freeing it.
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

    /// As often as by default, and each collection at once, with the program stopped.
    pub const STOP_THE_WORLD: Pacing = Pacing {
        mark_factor: 0.0,
        trace_factor: 0.0,
        keep_factor: 0.0,
        drop_factor: 0.0,
        free_factor: 0.0,
        ..Pacing::DEFAULT
    };

    /// The work that is done with an object, whatever becomes of it.
    fn work(&self) -> f64 {
        let survives = self.mark_factor + self.trace_factor + self.keep_factor;
        survives.max(self.drop_factor + self.free_factor).max(0.0)
    }

    /// Whether collections are to be done at once.
    pub(crate) fn is_at_once(&self) -> bool {
        let factors = [
            self.mark_factor,
            self.trace_factor,
            self.keep_factor,
            self.drop_factor,
            self.free_factor,
        ];
        factors.iter().all(|factor| *factor == 0.0)
    }

    /// How fast a collection is, in comparison with the default.
    pub(crate) fn speed(&self) -> f64 {
        const SLOWEST: f64 = 1.0 / 16.0;
        const FASTEST: f64 = 1024.0;
        (Pacing::DEFAULT.work() / self.work()).clamp(SLOWEST, FASTEST)
    }
}

impl Default for Pacing {
    fn default() -> Pacing {
        Pacing::DEFAULT
    }
}

/// What the collector of an arena has done so far.
///
/// Times and the number of collections change when a cycle ends, except `longest_collection` and
/// `concurrent_time`, which change during one.
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
    /// Time that other threads spent in collections beside the program, added up over the threads.
    pub concurrent_time: Duration,
    /// Time by the clock from the beginning of collections until all that could be reached was marked,
    /// the program's own time in between included.
    pub mark_time: Duration,
    /// Time by the clock from then on until all the rest was freed, dropping values included.
    pub sweep_time: Duration,
    /// Bytes of objects allocated ever; large objects count as whole blocks.
    pub allocated_bytes: u64,
    /// Bytes of objects that survived the last collection, large ones as whole blocks. What was allocated
    /// while it ran is not counted.
    pub live_bytes: usize,
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
    /// Objects that are [pinned](crate::pinning) now.
    pub pinned_objects: usize,
    /// How often: guards and raw pins.
    pub pins: usize,
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
        self.0.collector().pace(|pacer| pacer.set_pacing(pacing));
    }

    /// The number of objects that are allocated and not freed. Takes constant time.
    pub fn total_gc_count(&self) -> usize {
        self.0.objects() as usize
    }

    /// By how many bytes of allocation the beginning of a collection is overdue; zero if it is not due yet.
    pub fn allocation_debt(&self) -> f64 {
        self.0.debt()
    }

    /// Adds to the allocation debt, in bytes, until the end of the next collection.
    ///
    /// Use it to account for memory outside of the heap that objects own; a negative amount puts
    /// the next collection off. Where the sum is not a number, adjustments so far are forgotten.
    pub fn adjust_debt(&self, bytes: f64) {
        self.0.collector().pace(|pacer| pacer.adjust(bytes));
    }

    /// All figures. Takes constant time.
    pub fn statistics(&self) -> Statistics {
        let (heap_bytes, peak_heap_bytes) = self.0.heap().owned_and_peak();
        let (pinned_objects, pins) = self.0.heap().pins().counts();
        Statistics {
            allocated_bytes: self.0.allocated_bytes(),
            heap_bytes,
            peak_heap_bytes,
            finalizers_waiting: self.0.collector().finalizers.waiting(),
            pinned_objects,
            pins,
            ..*self.0.collector().statistics.lock()
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
