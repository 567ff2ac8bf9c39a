//! [`Metrics`]: what a shared arena tells about its collector.

use core::fmt;

use crate::collector::Collector;
use crate::mutator::metrics::{Pacing, Statistics, statistics};
use crate::sync::Arc;

/// A handle to the figures and the pace of a shared arena's collector, for any thread.
///
/// It can be cloned and kept, also beyond the arena's life; an arena that is gone has no objects. What
/// threads have allocated lately, in the blocks that they are at, is counted when they are done with
/// those, when they detach, and whenever they are stopped.
///
/// ```
/// use gc_core::Rootable;
/// use gc_core::shared::Arena;
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// let metrics = arena.metrics();
/// let watch = std::thread::spawn({
///     let metrics = metrics.clone();
///     // A thread that is not attached may ask as well.
///     move || metrics.statistics().heap_bytes
/// });
/// assert!(watch.join().unwrap() <= metrics.statistics().peak_heap_bytes);
/// drop(arena);
/// assert_eq!(metrics.total_gc_count(), 0);
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Collector>);

impl Metrics {
    pub(super) fn new(collector: &Arc<Collector>) -> Metrics {
        Metrics(Arc::clone(collector))
    }

    /// Sets the pace. It takes effect immediately. Takes a lock for a moment.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::metrics::Pacing;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// // While a program is loaded nothing dies: let no cycle begin.
    /// arena.metrics().set_pacing(Pacing { min_sleep: usize::MAX, ..Pacing::DEFAULT });
    /// here.mutate(|mc, _| _ = mc.allocate_slice(std::iter::repeat_n(0_u8, 20 << 20)));
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// arena.metrics().set_pacing(Pacing::DEFAULT);
    /// assert!(arena.metrics().allocation_debt() > 0.0);
    /// ```
    pub fn set_pacing(&self, pacing: Pacing) {
        self.0.pace(|pacer| pacer.set_pacing(pacing));
    }

    /// The number of objects that are allocated and not freed. Takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// let root = here.mutate(|mc, _| {
    ///     _ = mc.allocate(1);
    ///     mc.root::<Rootable![u64]>(mc.allocate(2))
    /// });
    /// here.finish_cycle();
    /// assert_eq!(arena.metrics().total_gc_count(), 1);
    /// drop(root);
    /// ```
    pub fn total_gc_count(&self) -> usize {
        self.0.heap.objects() as usize
    }

    /// By how many bytes of allocation a collection is overdue; zero if it is not due yet. Takes a lock for a
    /// moment.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// arena.metrics().adjust_debt(1e9);
    /// assert!(arena.metrics().allocation_debt() > 0.0);
    /// ```
    pub fn allocation_debt(&self) -> f64 {
        self.0.pacer.lock().debt(self.0.heap.allocated())
    }

    /// Adds to the allocation debt, as [`crate::mutator::metrics::Metrics::adjust_debt`]. Takes a lock for a moment.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// here.mutate(|mc, _| _ = mc.allocate([0_u8; 100_000]));
    /// // The object stands for a texture in other memory, which the collector cannot see.
    /// arena.metrics().adjust_debt(4e9);
    /// here.collect_debt();
    /// # while arena.metrics().statistics().collections == 0 { here.collect_debt() }
    /// assert_eq!(arena.metrics().statistics().collections, 1);
    /// ```
    pub fn adjust_debt(&self, bytes: f64) {
        self.0.pace(|pacer| pacer.adjust(bytes));
    }

    /// All figures. Takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// here.mutate(|mc, _| _ = mc.allocate([0_u8; 1000]));
    /// drop(here); // What the thread has allocated is counted when it detaches.
    /// let statistics = arena.metrics().statistics();
    /// assert!(statistics.allocated_bytes >= 1000);
    /// assert!(statistics.heap_bytes <= statistics.peak_heap_bytes);
    /// ```
    pub fn statistics(&self) -> Statistics {
        statistics(&self.0, self.0.heap.allocated())
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
