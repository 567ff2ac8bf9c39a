//! [`Metrics`]: what a shared arena tells about its collector.

use core::fmt;

use crate::collector::Collector;
use crate::metrics::{Pacing, Statistics};
use crate::sync::Arc;

/// A handle to the figures and the pace of a shared arena's collector, for any thread.
///
/// It can be cloned and kept, also beyond the arena's life; an arena that is gone has no objects. What
/// threads have allocated lately, in the blocks that they are at, is counted when they are done with
/// those, when they detach, and whenever they are stopped.
#[derive(Clone)]
pub struct Metrics(Arc<Collector>);

impl Metrics {
    pub(super) fn new(collector: &Arc<Collector>) -> Metrics {
        Metrics(Arc::clone(collector))
    }

    /// Sets the pace. It takes effect at once.
    pub fn set_pacing(&self, pacing: Pacing) {
        self.0.pace(|pacer| pacer.set_pacing(pacing));
    }

    /// The number of objects that are allocated and not freed.
    pub fn total_gc_count(&self) -> usize {
        self.0.heap.objects() as usize
    }

    /// By how many bytes of allocation a collection is overdue; zero if it is not due yet.
    pub fn allocation_debt(&self) -> f64 {
        self.0.pacer.lock().debt(self.0.heap.allocated_bytes())
    }

    /// Adds to the allocation debt, as [`crate::metrics::Metrics::adjust_debt`].
    pub fn adjust_debt(&self, bytes: f64) {
        self.0.pace(|pacer| pacer.adjust(bytes));
    }

    /// All figures. Takes constant time.
    pub fn statistics(&self) -> Statistics {
        let (heap_bytes, peak_heap_bytes) = self.0.heap.owned_and_peak();
        let (pinned_objects, pins) = self.0.heap.pins().counts();
        Statistics {
            allocated_bytes: self.0.heap.allocated_bytes(),
            heap_bytes,
            peak_heap_bytes,
            finalizers_waiting: self.0.finalizers.waiting(),
            pinned_objects,
            pins,
            ..*self.0.statistics.lock()
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("total_gc_count", &self.total_gc_count())
            .field("allocation_debt", &self.allocation_debt())
            .field("statistics", &self.statistics())
            .finish()
    }
}
