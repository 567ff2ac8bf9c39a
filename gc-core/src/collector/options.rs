//! [`HeapOptions`]: the choices that a program has for a heap.

use core::time::Duration;

use crate::heap::block::BLOCK;
use crate::heap::error::HeapError;

/// Checks of a heap by itself. All are off by default.
///
/// They are for tests, and for finding bugs in `unsafe` code around a heap. Each makes collections several times
/// slower.
///
/// ```
/// use gc_core::{Arena, Gc, HeapOptions, Rootable, Zeal};
///
/// // In the tests of `unsafe` code around a heap.
/// let zeal = Zeal { collect: true, verify: true, ..Zeal::NONE };
/// let options = HeapOptions::default().zeal(zeal);
/// let mut arena = Arena::<Rootable![()]>::with_options(options, |mc| _ = Gc::new(mc, 5))?;
/// while arena.metrics().total_gc_count() > 0 {
///     arena.collect_debt(); // Nothing is due, and yet it collects.
/// }
/// assert!(arena.metrics().statistics().collections > 0);
/// # Ok::<(), gc_core::HeapError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zeal {
    /// Collect at every safepoint ([`Arena::collect_debt`](crate::Arena::collect_debt)), whether or not memory was
    /// allocated. If a cycle is in progress, continue it.
    pub collect: bool,
    /// Verify the heap after each cycle, as [`Arena::verify`](crate::Arena::verify) does, and
    /// panic if something is wrong; and overwrite the memory of dead objects, which exposes reads through dangling
    /// pointers.
    pub verify: bool,
    /// Mark a second time with a naive marker, which shares no code with the first. Panic if it finds an object that
    /// the first has missed or, if the program was stopped, any difference.
    pub naive_mark: bool,
}

impl Zeal {
    /// No checks.
    ///
    /// ```
    /// use gc_core::{HeapOptions, Zeal};
    ///
    /// // For a measurement, whatever GC_ZEAL says.
    /// let options = HeapOptions::default().zeal(Zeal::NONE);
    /// assert_eq!(Zeal::NONE, Zeal::default());
    /// # let _ = options;
    /// ```
    pub const NONE: Zeal = Zeal {
        collect: false,
        verify: false,
        naive_mark: false,
    };
    /// All checks.
    ///
    /// ```
    /// use gc_core::Zeal;
    ///
    /// assert_eq!(Zeal::parse("all"), Ok(Zeal::ALL));
    /// assert!(Zeal::ALL.collect && Zeal::ALL.verify && Zeal::ALL.naive_mark);
    /// ```
    pub const ALL: Zeal = Zeal {
        collect: true,
        verify: true,
        naive_mark: true,
    };

    /// Reads a list of names, separated by commas: `collect`, `verify`, `naive`, or `all`.
    ///
    /// ```
    /// use gc_core::Zeal;
    ///
    /// let zeal = Zeal::parse("verify, naive").unwrap();
    /// assert_eq!(zeal, Zeal { collect: false, verify: true, naive_mark: true });
    /// assert_eq!(Zeal::parse(""), Ok(Zeal::NONE));
    /// assert_eq!(Zeal::parse("verify,quickly"), Err("quickly"));
    /// ```
    ///
    /// # Errors
    ///
    /// The first unknown name.
    pub fn parse(names: &str) -> Result<Zeal, &str> {
        let mut zeal = Zeal::NONE;
        for name in names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match name {
                "collect" => zeal.collect = true,
                "verify" => zeal.verify = true,
                "naive" => zeal.naive_mark = true,
                "all" => zeal = Zeal::ALL,
                unknown => return Err(unknown),
            }
        }
        Ok(zeal)
    }

    /// The zeal that the environment variable `GC_ZEAL` names; see [`Zeal::parse`].
    pub(crate) fn from_env() -> Zeal {
        let Some(names) = std::env::var_os("GC_ZEAL") else {
            return Zeal::NONE;
        };
        let names = names.to_string_lossy();
        Zeal::parse(&names).unwrap_or_else(|name| {
            panic!("GC_ZEAL names `{name}`: use `collect`, `verify`, `naive` or `all`, separated by commas")
        })
    }
}

/// How a heap is collected.
///
/// Whatever the mode, [`Arena::finish_cycle`](crate::Arena::finish_cycle) stops the program for a whole
/// collection, and so does a collection that begins near the limit of the heap or after an allocation
/// has failed. `docs/tuning.md` in the repository helps to choose.
///
/// ```
/// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable};
///
/// for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
///     let options = HeapOptions::default().mode(mode);
///     let mut arena = Arena::<Rootable![Gc<'_, u32>]>::with_options(options, |mc| Gc::new(mc, 1))?;
///     arena.mutate_root(|mc, root| *root = Gc::new(mc, 2));
///     // Whatever the mode, this frees all that is dead.
///     arena.finish_cycle();
///     assert_eq!(arena.metrics().total_gc_count(), 1);
/// }
/// assert_eq!(Mode::default(), Mode::Concurrent);
/// # Ok::<(), gc_core::HeapError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The program is stopped for a whole collection. The least work in all, and the least memory;
    /// pauses are as long as there is to mark and to sweep. Other threads help, see
    /// [`HeapOptions::markers`].
    StopTheWorld,
    /// A collection is cut into steps, which the program's own thread takes at its safepoints
    /// ([`Arena::collect_debt`](crate::Arena::collect_debt)), each no longer than
    /// [`HeapOptions::step`]. For hosts without threads, and for programs that choose when to collect.
    Incremental,
    /// Other threads mark and sweep while the program runs. Safepoints take their part of what
    /// only the program's thread can do (values with a `trace` or a `Drop` of their own), and help
    /// where the program allocates faster than can be collected; in steps as well. Heaps that are smaller
    /// than [`HeapOptions::concurrent_from`] are collected with the program stopped.
    #[default]
    Concurrent,
}

/// When finalizers run that were enqueued by a collection.
///
/// ```
/// use gc_core::{Arena, FinalizerMode, Gc, HeapOptions, Rootable};
///
/// let waiting_after_a_cycle = |mode| {
///     let options = HeapOptions::default().finalizers(mode);
///     let mut arena = Arena::<Rootable![()]>::with_options(options, |mc| {
///         _ = mc.finalize_with(Gc::new(mc, 1), |_, _| ());
///     })?;
///     arena.finish_cycle();
///     let waiting = arena.metrics().statistics().finalizers_waiting;
///     arena.run_finalizers(waiting);
///     Ok(waiting)
/// };
/// assert_eq!(waiting_after_a_cycle(FinalizerMode::AfterCollection)?, 0);
/// assert_eq!(waiting_after_a_cycle(FinalizerMode::Manual)?, 1);
/// // Threads are for arenas that threads share.
/// assert!(waiting_after_a_cycle(FinalizerMode::Thread).is_err());
/// # Ok::<(), gc_core::HeapError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinalizerMode {
    /// At safepoints, on their thread: for [`HeapOptions::finalizer_step`] at each, or for as long as it takes to run
    /// them all before the next collection begins.
    #[default]
    AfterCollection,
    /// When the program calls `run_finalizers`, and not before. What waits takes memory until then.
    Manual,
    /// As soon as they are enqueued, on a thread for that: of [shared arenas](crate::shared) only, where all
    /// values can be used on any thread. Other arenas are refused. Dropping the arena waits for the
    /// finalizer that runs, and a safepoint waits for those that are enqueued where memory is short.
    Thread,
}

/// How a heap is set up. Every option has a default that suits most programs.
///
/// ```
/// use gc_core::{Arena, Gc, HeapOptions, Rootable};
///
/// let options = HeapOptions::default().limit(64 << 20).growth(50);
/// let arena = Arena::<Rootable![Gc<'_, u64>]>::with_options(options, |mc| Gc::new(mc, 7))?;
/// assert_eq!(arena.mutate(|_, root| **root), 7);
/// # Ok::<(), gc_core::HeapError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapOptions {
    pub(crate) reserve: Option<usize>,
    pub(crate) limit: usize,
    pub(crate) growth: u32,
    pub(crate) floor: usize,
    pub(crate) square_root: usize,
    pub(crate) soft_limit: usize,
    pub(crate) minimum_share: u32,
    pub(crate) keep_spare: usize,
    pub(crate) mode: Mode,
    pub(crate) concurrent_from: usize,
    pub(crate) markers: usize,
    pub(crate) step: Duration,
    pub(crate) patience: Duration,
    pub(crate) soft_idle: u32,
    pub(crate) finalizer_mode: FinalizerMode,
    pub(crate) finalizer_step: Duration,
    pub(crate) finalize_at_drop: bool,
    pub(crate) null_dead_fields: bool,
    pub(crate) zeal: Zeal,
}

impl Default for HeapOptions {
    /// The shared address space, no limits, a growth of 100 per cent (by the square root below 256 MiB), a
    /// floor of 8 MiB, concurrent collection from 10 MiB on, steps of 30 µs, and the checks that
    /// `GC_ZEAL` names.
    fn default() -> HeapOptions {
        HeapOptions {
            reserve: None,
            limit: usize::MAX,
            growth: 100,
            floor: 8 << 20,
            square_root: 256 << 20,
            soft_limit: usize::MAX,
            minimum_share: 2,
            keep_spare: usize::MAX,
            mode: Mode::default(),
            concurrent_from: 10 << 20,
            markers: 0,
            step: Duration::from_micros(30),
            patience: Duration::from_secs(1),
            soft_idle: 8,
            finalizer_mode: FinalizerMode::default(),
            finalizer_step: Duration::from_micros(200),
            finalize_at_drop: false,
            null_dead_fields: false,
            zeal: Zeal::from_env(),
        }
    }
}

impl HeapOptions {
    /// Gives the heap an address space of its own, of this many bytes (rounded up to 4 MiB).
    ///
    /// Without it the heap lives in the space that all heaps of the process share, of 64 GiB. Where the process
    /// may not have so many addresses (`ulimit -v`), that is the largest half, quarter and so on, down to 16 MiB,
    /// that leaves at least half of its size to the rest of the process.
    ///
    /// Reserved addresses cost no memory. Metadata take an eighth more of them. At most 64 TiB.
    ///
    /// With no bytes, or more than that, the options are refused. If the system refuses these addresses, making the
    /// arena fails with [`HeapError::ReserveRefused`]; no smaller space is tried.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().reserve(1 << 20);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let refused = arena.mutate(|mc, _| Gc::try_slice_from_iter(mc, 0..2_u32 << 20).map(drop));
    /// assert!(matches!(refused, Err(HeapError::AddressSpaceExhausted { reserved: 0x40_0000, .. })));
    /// # Ok::<(), HeapError>(())
    /// ```
    #[must_use]
    pub fn reserve(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            reserve: Some(bytes),
            ..self
        }
    }

    /// The most bytes that the heap may own, counted in blocks of 32 KiB and without their
    /// metadata, which is 1/16 more. By default there is no limit. At least one block.
    ///
    /// Beyond the limit, allocations fail. Near it, the heap is collected more often: when half of the free memory
    /// below it was allocated. Where a concurrent cycle might not end in time, the collection stops the world.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(1 << 20);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let allocate = |arena: &Arena<Rootable![()]>| {
    ///     arena.mutate(|mc, _| Gc::try_new(mc, [0_u8; 600_000]).map(drop))
    /// };
    /// allocate(&arena)?;
    /// assert!(matches!(allocate(&arena), Err(HeapError::LimitReached { .. })));
    /// arena.finish_cycle();
    /// assert!(allocate(&arena).is_ok());
    /// # Ok::<(), HeapError>(())
    /// ```
    #[must_use]
    pub fn limit(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            limit: bytes,
            ..self
        }
    }

    /// How much the heap may grow until the end of the next collection, in per cent of what survived the last one; 100
    /// by default. More means fewer collections and more memory.
    ///
    /// A heap of which less survived than [`HeapOptions::square_root_growth`] says, 256 MiB by
    /// default, grows by more: by that percentage of the geometric mean of both. With 100 per cent,
    /// 1 MiB grows by 16 MiB, 64 MiB by 128 MiB, and 1 GiB by 1 GiB.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable};
    ///
    /// // In proportion to survivors, however few there are.
    /// let options = HeapOptions::default().growth(50).floor(0).square_root_growth(0);
    /// let kilobyte = [0_u8; 1024];
    /// let mut arena = Arena::<Rootable![Vec<Gc<'_, [u8; 1024]>>]>::with_options(options, |mc| {
    ///     (0..1000).map(|_| Gc::new(mc, kilobyte)).collect()
    /// })?;
    /// arena.finish_cycle();
    /// arena.mutate(|mc, _| (0..500).for_each(|_| _ = Gc::new(mc, kilobyte)));
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// arena.mutate(|mc, _| Gc::new(mc, kilobyte)[0]);
    /// assert_eq!(arena.metrics().allocation_debt(), 1024.0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn growth(self, percent: u32) -> HeapOptions {
        HeapOptions {
            growth: percent,
            ..self
        }
    }

    /// The least number of bytes that are allocated between two collections, unless a limit is near; 8 MiB by
    /// default. Of what values own outside of the heap it is a sixteenth, half a MiB by default
    /// ([`Collect::owned_bytes`](crate::Collect::owned_bytes)).
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable};
    ///
    /// // A compiler pass that never allocates so much is never collected.
    /// let options = HeapOptions::default().floor(256 << 20);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| (0..100_000).for_each(|_| _ = Gc::new(mc, [0_u64; 20])));
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn floor(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            floor: bytes,
            ..self
        }
    }

    /// Up to this many bytes of survivors, a heap grows by the square root of them, and not in
    /// proportion: by [`HeapOptions::growth`] per cent of `sqrt(survivors * bytes)`. 256 MiB by default;
    /// zero turns it off.
    ///
    /// This is the rule of Kirisame, Shenoy and Panchekha ("Optimal Heap Limits for Reducing Browser Memory
    /// Use", OOPSLA 2022), `live + k * sqrt(live)`, with `k = growth / 100 * sqrt(bytes)`. It holds at all
    /// sizes if `bytes` is more than ever survives; the percentage then sets `k`.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable};
    ///
    /// // A heap of 1 MiB grows by the square root of 1 MiB times 4 MiB.
    /// let options = HeapOptions::default().floor(0).square_root_growth(4 << 20);
    /// let kilobyte = [0_u8; 1024];
    /// let mut arena = Arena::<Rootable![Vec<Gc<'_, [u8; 1024]>>]>::with_options(options, |mc| {
    ///     (0..1024).map(|_| Gc::new(mc, kilobyte)).collect()
    /// })?;
    /// arena.finish_cycle();
    /// arena.mutate(|mc, _| (0..2048).for_each(|_| _ = Gc::new(mc, kilobyte)));
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// arena.mutate(|mc, _| Gc::new(mc, kilobyte)[0]);
    /// assert!(arena.metrics().allocation_debt() > 0.0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn square_root_growth(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            square_root: bytes,
            ..self
        }
    }

    /// A size in bytes beyond which survivors and new objects together should not grow, if collecting more
    /// often can help it. By default there is none.
    ///
    /// Unlike [`HeapOptions::limit`], it never makes an allocation fail. Between two collections, at least an eighth of
    /// what survived may be allocated, so it may be exceeded.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().soft_limit(1 << 20);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let allocate = || arena.mutate(|mc, _| (0..600).for_each(|_| _ = Gc::new(mc, [0_u8; 1000])));
    /// allocate();
    /// assert_eq!(arena.metrics().allocation_debt(), 0.0);
    /// allocate(); // Nothing is refused, but it is time to collect.
    /// assert!(arena.metrics().allocation_debt() > 0.0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn soft_limit(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            soft_limit: bytes,
            ..self
        }
    }

    /// The most bytes of empty blocks that the heap keeps after a collection. By default there is no limit: the heap
    /// keeps as many as will probably be allocated until the next collection, so up to [`HeapOptions::floor`] in a
    /// small heap.
    ///
    /// For programs with many arenas that are idle most of the time. With zero, all empty blocks go back to the
    /// system, which has to clear the memory that is allocated after that: about 0.1 ms for each MiB. To give back what
    /// is unused between collections, call [`Arena::release_unused`](crate::Arena::release_unused).
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().keep_spare(0);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::new(mc, [0_u64; 500])));
    /// arena.finish_cycle();
    /// assert_eq!(arena.metrics().statistics().heap_bytes, 0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn keep_spare(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            keep_spare: bytes,
            ..self
        }
    }

    /// The least part of its time, in per cent, that a program must have for itself when its heap is nearly at its
    /// limit. Below that, allocations fail, so that the program does not just collect.
    ///
    /// 2 by default; zero lets it go on for ever. It is judged by eight collections in a row that leave less than an
    /// eighth of [`HeapOptions::limit`] free.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapError, HeapOptions, Rootable};
    ///
    /// // A program that keeps everything, in a heap with a limit.
    /// type All<'gc> = Vec<Gc<'gc, [u64; 100]>>;
    /// let fill = |share| {
    ///     let options = HeapOptions::default().limit(1 << 20).minimum_share(share);
    ///     let mut arena = Arena::<Rootable![All<'_>]>::with_options(options, |_| Vec::new())?;
    ///     for _ in 0..10 {
    ///         arena.mutate_root(|mc, all| {
    ///             all.extend((0..).map_while(|n| Gc::try_new(mc, [n; 100]).ok()));
    ///         });
    ///         arena.finish_cycle();
    ///     }
    ///     arena.mutate(|mc, _| Gc::try_new(mc, [0; 100]).map(drop))
    /// };
    /// assert!(matches!(fill(0), Err(HeapError::LimitReached { .. })));
    /// assert!(matches!(fill(100), Err(HeapError::OnlyCollecting { share: 100, .. })));
    /// ```
    #[must_use]
    pub fn minimum_share(self, percent: u32) -> HeapOptions {
        HeapOptions {
            minimum_share: percent,
            ..self
        }
    }

    /// How the heap is collected.
    ///
    /// [`Mode::Concurrent`] by default.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable};
    ///
    /// let options = HeapOptions::default().mode(Mode::StopTheWorld);
    /// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::with_options(options, |mc| Gc::new(mc, 5))?;
    /// arena.metrics().adjust_debt(1e9);
    /// arena.collect_debt(); // All of a cycle.
    /// assert_eq!(arena.metrics().statistics().collections, 1);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn mode(self, mode: Mode) -> HeapOptions {
        HeapOptions { mode, ..self }
    }

    /// The bytes of survivors from which on a heap with [`Mode::Concurrent`] is collected concurrently; 10 MiB by
    /// default. Collections of smaller heaps stop the world. What survived the last collection counts, so the first
    /// collection of a heap stops the world unless this is zero.
    ///
    /// ```
    /// use gc_core::arena::CollectionPhase;
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable, Zeal};
    ///
    /// let options = HeapOptions::default().concurrent_from(0).zeal(Zeal::NONE);
    /// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::with_options(options, |mc| Gc::new(mc, 5))?;
    /// arena.metrics().adjust_debt(1e9);
    /// arena.collect_debt(); // The beginning of a cycle.
    /// assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn concurrent_from(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            concurrent_from: bytes,
            ..self
        }
    }

    /// How many threads mark at the same time. With zero, the default, the heap chooses for the machine.
    ///
    /// In a cycle that stops the world, the program's own thread is one of them, and there are at most 8. The heap
    /// chooses as many as there are processors, at most 4, and one if less than 1 MiB survived the last collection.
    /// With one, no other thread is ever started except in [`Mode::Concurrent`]. In a concurrent cycle there are at
    /// most 7. The heap chooses one, or two on three processors or more. All heaps of a process share their threads:
    /// one less than there are processors, but at least one and at most 7.
    ///
    /// ```
    /// use core::time::Duration;
    /// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable};
    ///
    /// // For a host that has only one thread, and wants to keep it so.
    /// let options = HeapOptions::default().mode(Mode::Incremental).markers(1);
    /// let mut arena = Arena::<Rootable![Vec<Gc<'_, u32>>]>::with_options(options, |mc| {
    ///     (0..1000).map(|number| Gc::new(mc, number)).collect()
    /// })?;
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|_, root| *root[999]), 999);
    /// assert_eq!(arena.metrics().statistics().concurrent_time, Duration::ZERO);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn markers(self, threads: usize) -> HeapOptions {
        HeapOptions {
            markers: threads,
            ..self
        }
    }

    /// The longest that a safepoint works for the collector, in [`Mode::Incremental`] and
    /// [`Mode::Concurrent`]; 30 µs by default.
    ///
    /// Work that cannot be divided may take longer: the root's `trace`, a value's own `trace` or `Drop`, the end of a
    /// large object. Steps are also longer if the program allocates faster than it can be collected, or is near its
    /// limit. `docs/concurrency.md` in the repository has the list.
    ///
    /// ```
    /// use core::time::Duration;
    /// use gc_core::{Arena, Gc, HeapError, HeapOptions, Mode, Rootable};
    ///
    /// /// How many safepoints a cycle takes.
    /// let safepoints = |step| {
    ///     let options = HeapOptions::default().mode(Mode::Incremental).step(step);
    ///     let mut arena = Arena::<Rootable![Vec<Gc<'_, usize>>]>::with_options(options, |mc| {
    ///         (0..20_000).map(|number| Gc::new(mc, number)).collect()
    ///     })?;
    ///     arena.metrics().adjust_debt(1e9);
    ///     let is_over = |_: &usize| {
    ///         arena.collect_debt();
    ///         arena.metrics().statistics().collections > 0
    ///     };
    ///     Ok::<_, HeapError>((1..).find(is_over).unwrap())
    /// };
    /// assert!(safepoints(Duration::from_micros(10))? > safepoints(Duration::from_millis(10))?);
    /// # Ok::<(), HeapError>(())
    /// ```
    #[must_use]
    pub fn step(self, time: Duration) -> HeapOptions {
        HeapOptions { step: time, ..self }
    }

    /// How long a thread that stops the threads of a [shared arena](crate::shared) waits for those in a `mutate` call
    /// before it names them on the standard error output. Then it waits again. One second by default.
    ///
    /// ```
    /// use core::time::Duration;
    /// use gc_core::{HeapOptions, Rootable, shared};
    ///
    /// // Every `mutate` call of this program is short, so one that takes 50 ms is worth a message.
    /// let options = HeapOptions::default().patience(Duration::from_millis(50));
    /// let arena = shared::Arena::<Rootable![u32]>::with_options(options, |_| 5)?;
    /// assert_eq!(arena.attach().mutate(|_, root| *root), 5);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn patience(self, time: Duration) -> HeapOptions {
        HeapOptions {
            patience: time,
            ..self
        }
    }

    /// The number of collections for which an unused [`Soft`](crate::Soft) reference is kept; 8 by default. With 0, a
    /// reference that was used since the last collection survives the next.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable, Soft};
    ///
    /// let options = HeapOptions::default().soft_idle(0);
    /// let mut arena = Arena::<Rootable![Soft<'_, u32>]>::with_options(options, |mc| {
    ///     Soft::new(mc, Gc::new(mc, 7))
    /// })?;
    /// arena.finish_cycle();
    /// assert!(arena.mutate(|mc, soft| soft.get(mc).is_some())); // A use.
    /// arena.finish_cycle();
    /// arena.finish_cycle(); // None since the last.
    /// assert!(arena.mutate(|mc, soft| soft.get(mc).is_none()));
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn soft_idle(self, collections: u32) -> HeapOptions {
        HeapOptions {
            soft_idle: collections,
            ..self
        }
    }

    /// When finalizers run; [`FinalizerMode::AfterCollection`] by default.
    ///
    /// ```
    /// use gc_core::{Arena, FinalizerMode, Gc, HeapOptions, Lock, Rootable};
    ///
    /// // A host that decides when code of its scripts runs.
    /// let options = HeapOptions::default().finalizers(FinalizerMode::Manual);
    /// let mut arena = Arena::<Rootable![Gc<'_, Lock<u32>>]>::with_options(options, |mc| {
    ///     let closed = Gc::new(mc, Lock::new(0));
    ///     let file = Gc::new(mc, closed);
    ///     _ = mc.finalize_with(file, |closed, mc| closed.set(mc, closed.get() + 1));
    ///     closed
    /// })?;
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|_, closed| closed.get()), 0);
    /// assert_eq!(arena.run_finalizers(usize::MAX), 1);
    /// assert_eq!(arena.mutate(|_, closed| closed.get()), 1);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn finalizers(self, mode: FinalizerMode) -> HeapOptions {
        HeapOptions {
            finalizer_mode: mode,
            ..self
        }
    }

    /// How long a safepoint runs finalizers; 200 µs by default. At least one runs, and a finalizer that runs is not
    /// interrupted. [`Arena::finish_cycle`](crate::Arena::finish_cycle) runs all that are waiting.
    ///
    /// All have run when the next collection begins. So a safepoint runs more if the program has allocated a larger
    /// part of what it may until then; and all of them if the heap is near its limit.
    ///
    /// ```
    /// use core::time::Duration;
    /// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable};
    ///
    /// let options = HeapOptions::default().mode(Mode::StopTheWorld).finalizer_step(Duration::ZERO);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |mc| {
    ///     (0..3).for_each(|n| _ = mc.finalize_with(Gc::new(mc, n), |_, _| ()));
    /// })?;
    /// arena.metrics().adjust_debt(1e9);
    /// for run in 1..=3 {
    ///     arena.collect_debt(); // One at each.
    ///     assert_eq!(arena.metrics().statistics().finalizers_run, run);
    /// }
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn finalizer_step(self, time: Duration) -> HeapOptions {
        HeapOptions {
            finalizer_step: time,
            ..self
        }
    }

    /// Whether finalizers that have not run when the arena is dropped run then: those that wait, and those of
    /// objects that were never found dead. Otherwise, by default, their number is reported; see
    /// [`FinalizerReport`](crate::references::finalizer::FinalizerReport).
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable, Static};
    ///
    /// let flushed = Rc::new(Cell::new(false));
    /// let options = HeapOptions::default().finalize_at_drop(true);
    /// let arena = Arena::<Rootable![Gc<'_, Static<Rc<Cell<bool>>>>]>::with_options(options, |mc| {
    ///     let buffer = Gc::new(mc, Static(Rc::clone(&flushed)));
    ///     _ = mc.finalize_with(buffer, |buffer, _| buffer.set(true));
    ///     buffer
    /// })?;
    /// drop(arena); // Nobody has found the buffer to be dead, and yet:
    /// assert!(flushed.get());
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn finalize_at_drop(self, run: bool) -> HeapOptions {
        HeapOptions {
            finalize_at_drop: run,
            ..self
        }
    }

    /// Whether an object clears its pointers to other dead objects before its finalizer runs: then
    /// [`Finalize::clear_dead_fields`](crate::references::finalizer::Finalize::clear_dead_fields) is called before
    /// [`Finalize::finalize`](crate::references::finalizer::Finalize::finalize). Not so by default.
    ///
    /// ```
    /// use gc_core::barrier::unlock;
    /// use gc_core::finalizer::{Finalize, Finalizing};
    /// use gc_core::{Arena, Collect, Gc, GcRefLock, HeapOptions, Lock, RefLock, Rootable};
    ///
    /// /// Logs when it goes, and what it still has then.
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Window<'gc> {
    ///     title: Lock<Option<Gc<'gc, str>>>,
    ///     log: GcRefLock<'gc, Vec<Option<Gc<'gc, str>>>>,
    /// }
    ///
    /// impl<'gc> Finalize<'gc> for Window<'gc> {
    ///     fn clear_dead_fields(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
    ///         unlock!(Gc::write(token, this), Window, title).set(None);
    ///     }
    ///
    ///     fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
    ///         this.log.borrow_mut(token).push(this.title.get());
    ///     }
    /// }
    ///
    /// let has_title = |clear| {
    ///     let options = HeapOptions::default().null_dead_fields(clear);
    ///     type Log<'gc> = GcRefLock<'gc, Vec<Option<Gc<'gc, str>>>>;
    ///     let mut arena = Arena::<Rootable![Log<'_>]>::with_options(options, |mc| {
    ///         let log = Gc::new(mc, RefLock::default());
    ///         let title = Lock::new(Some(Gc::str_from(mc, "untitled")));
    ///         mc.finalize(Gc::new(mc, Window { title, log }));
    ///         log
    ///     })?;
    ///     arena.finish_cycle();
    ///     Ok::<_, gc_core::HeapError>(arena.mutate(|_, log| log.borrow()[0].is_some()))
    /// };
    /// assert_eq!((has_title(false)?, has_title(true)?), (true, false));
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn null_dead_fields(self, clear: bool) -> HeapOptions {
        HeapOptions {
            null_dead_fields: clear,
            ..self
        }
    }

    /// The checks of the heap by itself.
    ///
    /// By default those that `GC_ZEAL` names (see [`Zeal::parse`]; an unknown name is a panic).
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable, Zeal};
    ///
    /// let zeal = Zeal { collect: true, ..Zeal::NONE };
    /// let options = HeapOptions::default().mode(Mode::StopTheWorld).zeal(zeal);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// for _ in 0..3 {
    ///     arena.mutate(|mc, _| assert_eq!(*Gc::new(mc, 5), 5));
    ///     arena.collect_debt();
    /// }
    /// assert_eq!(arena.metrics().statistics().collections, 3);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    #[must_use]
    pub fn zeal(self, zeal: Zeal) -> HeapOptions {
        HeapOptions { zeal, ..self }
    }

    /// Whether the options make sense together.
    pub(crate) fn check(&self) -> Result<(), HeapError> {
        if self.limit < BLOCK {
            return Err(HeapError::InvalidOption {
                option: "limit",
                value: self.limit,
                expected: "at least one block of 32 KiB",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeal_is_read_from_names() {
        assert_eq!(Zeal::parse(""), Ok(Zeal::NONE));
        assert_eq!(Zeal::parse("all"), Ok(Zeal::ALL));
        let some = Zeal {
            verify: true,
            naive_mark: true,
            ..Zeal::NONE
        };
        assert_eq!(Zeal::parse(" verify, naive"), Ok(some));
        assert_eq!(Zeal::parse("verify,everything"), Err("everything"));
    }
}
