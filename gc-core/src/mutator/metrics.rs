//! [`Metrics`]: what an arena tells about its collector, and how its pace is set.

use core::{fmt, ptr};

pub use crate::collector::pacing::Pacing;
pub use crate::collector::statistics::Statistics;
use crate::mutator::figures::{Figures, OneThread, Source};

/// A handle to the figures and the pace of an arena's collector.
///
/// It can be cloned and kept, also beyond the arena's life; an arena that is gone has no objects. That of a shared arena,
/// [`shared::Metrics`](crate::shared::Metrics), is for any thread. What its threads have allocated lately, in the blocks that
/// they are at, is counted when they are done with those, when they detach, and whenever they are stopped.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable};
///
/// let arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 5));
/// let metrics = arena.metrics().clone();
/// assert_eq!(metrics.total_gc_count(), 1);
/// drop(arena);
/// assert_eq!(metrics.total_gc_count(), 0);
///
/// let arena = gc_core::shared::Arena::<Rootable![()]>::new(|_| ());
/// let metrics = arena.metrics();
/// let watch = std::thread::spawn({
///     let metrics = metrics.clone();
///     // A thread that is not attached may ask as well.
///     move || metrics.statistics().heap_bytes
/// });
/// assert!(watch.join().unwrap() <= metrics.statistics().peak_heap_bytes);
/// ```
#[derive(Clone)]
pub struct Metrics<S: Source = OneThread>(pub(crate) S);

impl<S: Source> Metrics<S> {
    /// A value that identifies the arena, for logging.
    ///
    /// An arena that is made when this one is gone, and its metrics, may have the same.
    ///
    /// ```
    /// use gc_core::{Arena, Rootable};
    ///
    /// let [one, other] = [(); 2].map(|()| Arena::<Rootable![()]>::new(|_| ()));
    /// assert_eq!(one.metrics().arena_id(), one.mutate(|mc, _| mc.metrics().arena_id()));
    /// assert_ne!(one.metrics().arena_id(), other.metrics().arena_id());
    /// ```
    pub fn arena_id(&self) -> impl fmt::Debug + Copy + Eq + use<S> {
        ptr::from_ref(self.0.figures().collector).addr()
    }

    /// Sets the pace. It takes effect immediately. Takes a lock for a moment, as do the debt and the statistics.
    ///
    /// ```
    /// use gc_core::metrics::Pacing;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.metrics().set_pacing(Pacing { min_sleep: 64 << 10, ..Pacing::STOP_THE_WORLD });
    /// for _ in 0..3 {
    ///     arena.mutate(|mc, _| (0..100).for_each(|_| _ = Gc::new(mc, [0_u64; 100])));
    ///     arena.collect_debt(); // 80 kB are more than the 64 KiB that are to be between two collections.
    /// }
    /// assert!(arena.metrics().statistics().collections >= 3);
    /// ```
    pub fn set_pacing(&self, pacing: Pacing) {
        self.0
            .figures()
            .collector
            .pace(|pacer| pacer.set_pacing(pacing));
    }

    /// The number of objects that are allocated and not freed. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Vec<Gc<'_, u32>>]>::new(|mc| {
    ///     (0..10).map(|number| Gc::new(mc, number)).collect()
    /// });
    /// arena.mutate_root(|_, root| root.truncate(4));
    /// assert_eq!(arena.metrics().total_gc_count(), 10);
    /// arena.finish_cycle();
    /// assert_eq!(arena.metrics().total_gc_count(), 4);
    /// ```
    pub fn total_gc_count(&self) -> usize {
        self.0.figures().objects as usize
    }

    /// By how many bytes of allocation the beginning of a collection is overdue; zero if it is not due yet.
    ///
    /// With debt, the next [`Arena::collect_debt`](crate::Arena::collect_debt) begins a collection. What values own outside
    /// of the heap counts as well ([`Collect::owned_bytes`](crate::Collect::owned_bytes)); what values own
    /// that were written since the last safepoint is estimated, by what others have grown by.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().floor(64 << 10);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// arena.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::new(mc, [0_u64; 16])));
    /// assert_eq!(arena.metrics().allocation_debt(), (1000 * 128 - (64 << 10)) as f64);
    /// arena.finish_cycle();
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn allocation_debt(&self) -> f64 {
        let figures = self.0.figures();
        figures
            .collector
            .pacer
            .lock()
            .debt(figures.probably_allocated)
    }

    /// Adds to the allocation debt, in bytes, until the end of the next collection.
    ///
    /// Use it to account for memory outside of the heap that objects own and cannot tell
    /// ([`Collect::owned_bytes`](crate::Collect::owned_bytes)); what they tell counts without it, and must not be added
    /// here again. A negative amount puts the next collection off. Where the sum is not a number, adjustments so far are forgotten.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, HeapOptions, Mode, Rootable};
    ///
    /// /// A handle to memory that is somewhere else, here only its size.
    /// #[derive(Collect)]
    /// #[collect(require_static)]
    /// struct Texture(usize);
    ///
    /// let options = HeapOptions::default().mode(Mode::StopTheWorld);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// for _ in 0..10 {
    ///     arena.mutate(|mc, _| {
    ///         let texture = Gc::new(mc, Texture(4 << 20));
    ///         mc.metrics().adjust_debt(texture.0 as f64);
    ///     });
    ///     arena.collect_debt();
    /// }
    /// // The objects alone are 160 bytes.
    /// assert!(arena.metrics().statistics().collections >= 2);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn adjust_debt(&self, bytes: f64) {
        self.0.figures().collector.pace(|pacer| pacer.adjust(bytes));
    }

    /// All figures. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![()]>::new(|_| ());
    /// let before = arena.metrics().statistics();
    /// arena.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::new(mc, [0_u64; 100])));
    /// arena.finish_cycle();
    /// let after = arena.metrics().statistics();
    /// assert_eq!(after.allocated_bytes - before.allocated_bytes, 800_000);
    /// assert_eq!((after.collections - before.collections, after.live_bytes), (1, 0));
    /// ```
    pub fn statistics(&self) -> Statistics {
        let Figures {
            collector,
            allocated,
            ..
        } = self.0.figures();
        let heap = &collector.heap;
        let (heap_bytes, peak_heap_bytes) = heap.owned_and_peak();
        let (pinned_objects, pins) = heap.pins().counts();
        Statistics {
            allocated_bytes: allocated.bytes,
            owned_bytes: heap.elsewhere(allocated).owned as usize,
            heap_bytes,
            peak_heap_bytes,
            finalizers_waiting: collector.finalizers.waiting(),
            pinned_objects,
            pins,
            retagged_late: collector.work.retagged_late(),
            ..*collector.statistics.lock()
        }
    }
}

impl<S: Source> fmt::Debug for Metrics<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("arena_id", &self.arena_id())
            .field("total_gc_count", &self.total_gc_count())
            .field("allocation_debt", &self.allocation_debt())
            .field("statistics", &self.statistics())
            .finish()
    }
}
