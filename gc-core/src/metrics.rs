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
///
/// ```
/// use gc_core::metrics::Pacing;
/// use gc_core::{Arena, Gc, Rootable};
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// // While a program starts, memory is cheap and time is dear.
/// let startup = Pacing { min_sleep: 1 << 30, ..Pacing::DEFAULT };
/// arena.metrics().set_pacing(startup);
/// arena.mutate(|mc, _| (0..10_000).for_each(|_| _ = Gc::new(mc, [0_u64; 200])));
/// assert_eq!(arena.metrics().allocation_debt(), 0.0);
/// // From now on as usual: so much is more than it has between two collections.
/// arena.metrics().set_pacing(Pacing::DEFAULT);
/// assert!(arena.metrics().allocation_debt() > 0.0);
/// ```
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
    ///
    /// ```
    /// use gc_core::metrics::Pacing;
    ///
    /// let twice_as_eager = Pacing { sleep_factor: 0.5, ..Pacing::DEFAULT };
    /// assert_eq!(twice_as_eager.sleep_factor * 2.0, Pacing::default().sleep_factor);
    /// ```
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
    ///
    /// ```
    /// use gc_core::metrics::Pacing;
    /// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable};
    ///
    /// let options = HeapOptions::default().mode(Mode::Incremental);
    /// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::with_options(options, |mc| Gc::new(mc, 5))?;
    /// arena.metrics().set_pacing(Pacing::STOP_THE_WORLD);
    /// arena.metrics().adjust_debt(1e9);
    /// arena.collect_debt();
    /// assert_eq!(arena.metrics().statistics().collections, 1);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
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
    /// Bytes that their values own outside of the heap, as far as [`Collect::owned_bytes`](crate::Collect::owned_bytes)
    /// tells; what these have grown by while the collection ran is not counted.
    pub live_owned_bytes: usize,
    /// Bytes that the values of all objects own outside of the heap, and the root does: those of objects that are not
    /// dropped yet. Objects that were written count as they were at the last safepoint.
    pub owned_bytes: usize,
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
///
/// ```
/// use gc_core::{Arena, Gc, Rootable};
///
/// let arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 5));
/// let metrics = arena.metrics().clone();
/// assert_eq!(metrics.total_gc_count(), 1);
/// drop(arena);
/// assert_eq!(metrics.total_gc_count(), 0);
/// ```
#[derive(Clone)]
pub struct Metrics(pub(crate) Rc<Context>);

impl Metrics {
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
    pub fn arena_id(&self) -> impl fmt::Debug + Copy + Eq + use<> {
        Rc::as_ptr(&self.0).addr()
    }

    /// Sets the pace. It takes effect at once.
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
        self.0.collector().pace(|pacer| pacer.set_pacing(pacing));
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
        self.0.objects() as usize
    }

    /// By how many bytes of allocation the beginning of a collection is overdue; zero if it is not due yet.
    ///
    /// With debt, the next [`Arena::collect_debt`](crate::Arena::collect_debt) begins a collection. What values own outside
    /// of the heap counts as well ([`Collect::owned_bytes`](crate::Collect::owned_bytes)); of what was written since the last
    /// safepoint, the next one tells.
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
        self.0.debt()
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
        self.0.collector().pace(|pacer| pacer.adjust(bytes));
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
        let (heap_bytes, peak_heap_bytes) = self.0.heap().owned_and_peak();
        let (pinned_objects, pins) = self.0.heap().pins().counts();
        Statistics {
            allocated_bytes: self.0.allocated().bytes,
            owned_bytes: self.0.heap().owned_elsewhere(self.0.allocated()) as usize,
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
