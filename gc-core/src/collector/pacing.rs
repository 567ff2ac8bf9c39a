//! How a program sets the collector's pace.

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
/// five are zero, collections stop the world, whatever the mode.
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

    /// As often as by default, and each collection stops the world.
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

    /// Whether all collections stop the world.
    pub(crate) fn stops_the_world(&self) -> bool {
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
