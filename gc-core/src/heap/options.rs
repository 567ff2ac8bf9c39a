//! What can be chosen about a heap.

use core::time::Duration;

use super::error::HeapError;

/// Checks that a heap makes of itself. All are off by default.
///
/// They are for tests and for finding bugs in `unsafe` code around a heap: each makes collections
/// slower by a factor, not by a few per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zeal {
    /// Collect at every safepoint ([`Arena::collect_debt`](crate::Arena::collect_debt)), whether
    /// memory was allocated or not; or go on with the cycle in progress.
    pub collect: bool,
    /// Verify the heap after each cycle, as [`Arena::verify`](crate::Arena::verify) does, and
    /// panic with the finding; and overwrite the memory of dead objects, so that whoever still
    /// reads them sees it.
    pub verify: bool,
    /// Mark a second time with a naive marker which shares no code with the first, and panic if that finds
    /// an object which the first has missed; or, if the program stood still, any difference.
    pub naive_mark: bool,
}

impl Zeal {
    /// No checks.
    pub const NONE: Zeal = Zeal {
        collect: false,
        verify: false,
        naive_mark: false,
    };
    /// All checks.
    pub const ALL: Zeal = Zeal {
        collect: true,
        verify: true,
        naive_mark: true,
    };

    /// Reads a list of names, separated by commas: `collect`, `verify`, `naive`, or `all`.
    ///
    /// # Errors
    ///
    /// The first name that is none of these.
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

    /// The zeal that the environment variable `GC_ZEAL` asks for; see [`Zeal::parse`].
    ///
    /// # Panics
    ///
    /// If the variable has a name that [`Zeal::parse`] does not know: a check that was asked for
    /// and silently not made would be worse.
    pub fn from_env() -> Zeal {
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The program stands still for a whole collection. The least work in all, and the least memory;
    /// pauses are as long as there is to mark and to sweep. Other threads help, see
    /// [`HeapOptions::markers`].
    StopTheWorld,
    /// A collection is cut into steps, which the program's own thread takes at its safepoints
    /// ([`Arena::collect_debt`](crate::Arena::collect_debt)), each no longer than
    /// [`HeapOptions::step`]. For hosts without threads, and for whoever wants to say when.
    Incremental,
    /// Other threads mark and sweep while the program runs. Safepoints take their part of what
    /// only the program's thread can do (values with a `trace` or a `Drop` of their own), and help
    /// where the program allocates faster than can be collected; in steps as well. Heaps that are smaller
    /// than [`HeapOptions::concurrent_from`] are collected with the program stopped.
    #[default]
    Concurrent,
}

/// When finalizers run that were enqueued by a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinalizerMode {
    /// At safepoints, on their thread, when the collector has done its part: for at most
    /// [`HeapOptions::finalizer_step`] at each.
    #[default]
    AfterCollection,
    /// When the program calls `run_finalizers`, and not before.
    Manual,
    /// As soon as they are enqueued, on a thread for that: of [shared arenas](crate::shared) only, where all
    /// values can be used on any thread. Other arenas are refused. Dropping the arena waits for the
    /// finalizer that runs.
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
    /// Without it the heap lives in the space that all heaps of the process share, of 64 GiB (less where
    /// so much cannot be had). Reserved addresses cost no memory. At most 64 TiB.
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
    /// Beyond it allocations are refused. Near it the heap is collected more often: after half of what is
    /// free below it was allocated; and with the program stopped, where a cycle beside it might not end in
    /// time.
    #[must_use]
    pub fn limit(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            limit: bytes,
            ..self
        }
    }

    /// By how many per cent of what survived the last collection the heap may grow until the end of the
    /// next; 100 by default. More means fewer collections and more memory.
    ///
    /// A heap of which less survived than [`HeapOptions::square_root_growth`] says, 256 MiB by
    /// default, grows by more: by that percentage of the geometric mean of both. With 100 per cent,
    /// 1 MiB grows by 16 MiB, 64 MiB by 128 MiB, and 1 GiB by 1 GiB.
    #[must_use]
    pub fn growth(self, percent: u32) -> HeapOptions {
        HeapOptions {
            growth: percent,
            ..self
        }
    }

    /// How many bytes are allocated at least between two collections, unless a limit is near; 8 MiB by
    /// default.
    #[must_use]
    pub fn floor(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            floor: bytes,
            ..self
        }
    }

    /// Up to how many bytes of survivors a heap grows by the square root of them rather than in
    /// proportion: by [`HeapOptions::growth`] per cent of `sqrt(survivors * bytes)`. 256 MiB by default;
    /// zero turns it off.
    ///
    /// This is the rule of Kirisame, Shenoy and Panchekha ("Optimal Heap Limits for Reducing Browser Memory
    /// Use", OOPSLA 2022), `live + k * sqrt(live)`, with `k = growth / 100 * sqrt(bytes)`. It holds at all
    /// sizes if `bytes` is more than ever survives; the percentage then sets `k`.
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
    /// Unlike [`HeapOptions::limit`] it is never a reason to refuse an allocation. Between two collections
    /// at least an eighth of what survived may be allocated, so it may be exceeded.
    #[must_use]
    pub fn soft_limit(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            soft_limit: bytes,
            ..self
        }
    }

    /// The part of its time, in per cent, that a program has at least for itself when its heap is
    /// nearly at its limit. Below, allocations fail, rather than that it only collects.
    #[must_use]
    pub fn minimum_share(self, percent: u32) -> HeapOptions {
        HeapOptions {
            minimum_share: percent,
            ..self
        }
    }

    /// How the heap is collected.
    #[must_use]
    pub fn mode(self, mode: Mode) -> HeapOptions {
        HeapOptions { mode, ..self }
    }

    /// From how many bytes of survivors on a heap with [`Mode::Concurrent`] is really collected that
    /// way, 10 MiB by default; smaller ones are collected at once, with the program stopped. What survived the
    /// last collection counts, so the first collection of a heap is at once unless this is zero.
    #[must_use]
    pub fn concurrent_from(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            concurrent_from: bytes,
            ..self
        }
    }

    /// How many threads mark at the same time; zero, the default, lets the heap choose by the machine.
    ///
    /// With the program stopped, its own thread is one of them, and there are at most 8: by choice of the heap
    /// as many as processors, at most 4, and one if less than 1 MiB survived the last collection. With one,
    /// no other thread is ever started but in [`Mode::Concurrent`]. Beside the program there are at most 7, by
    /// choice of the heap one, or two on three processors or more. All heaps of a process share their
    /// threads, of which there are as many as processors less one, but at least one and at most 7.
    #[must_use]
    pub fn markers(self, threads: usize) -> HeapOptions {
        HeapOptions {
            markers: threads,
            ..self
        }
    }

    /// How long a safepoint works for the collector at most, in [`Mode::Incremental`] and
    /// [`Mode::Concurrent`]; 30 µs by default.
    ///
    /// What cannot be divided may take it longer: the root's `trace`, a value's own `trace` or `Drop`, the
    /// end of a large object. So may a program that allocates faster than can be collected, or is near its
    /// limit. `docs/concurrency.md` in the repository has the list.
    #[must_use]
    pub fn step(self, time: Duration) -> HeapOptions {
        HeapOptions { step: time, ..self }
    }

    /// How long a thread that stops the others of a [shared arena](crate::shared) waits for those in a
    /// `mutate` call until it names them on the standard error output; then it waits again. A second by
    /// default.
    #[must_use]
    pub fn patience(self, time: Duration) -> HeapOptions {
        HeapOptions {
            patience: time,
            ..self
        }
    }

    /// For how many collections a [`Soft`](crate::Soft) reference is kept without being used; 8 by default. With
    /// 0, one that was used since the last collection survives the next.
    #[must_use]
    pub fn soft_idle(self, collections: u32) -> HeapOptions {
        HeapOptions {
            soft_idle: collections,
            ..self
        }
    }

    /// When finalizers run; [`FinalizerMode::AfterCollection`] by default.
    #[must_use]
    pub fn finalizers(self, mode: FinalizerMode) -> HeapOptions {
        HeapOptions {
            finalizer_mode: mode,
            ..self
        }
    }

    /// For how long a safepoint runs finalizers at most; 200 µs by default. At least one runs, and the last
    /// one takes as long as it takes. [`Arena::finish_cycle`](crate::Arena::finish_cycle) runs all that are
    /// waiting.
    #[must_use]
    pub fn finalizer_step(self, time: Duration) -> HeapOptions {
        HeapOptions {
            finalizer_step: time,
            ..self
        }
    }

    /// Whether finalizers that have not run when the arena is dropped run then: those that wait, and those of
    /// objects that were never found dead. Otherwise, by default, their number is reported; see
    /// [`FinalizerReport`](crate::finalizer::FinalizerReport).
    #[must_use]
    pub fn finalize_at_drop(self, run: bool) -> HeapOptions {
        HeapOptions {
            finalize_at_drop: run,
            ..self
        }
    }

    /// Whether an object clears its pointers to other dead objects before its finalizer runs: then
    /// [`Finalize::clear_dead_fields`](crate::finalizer::Finalize::clear_dead_fields) is called before
    /// [`Finalize::finalize`](crate::finalizer::Finalize::finalize). Not so by default.
    #[must_use]
    pub fn null_dead_fields(self, clear: bool) -> HeapOptions {
        HeapOptions {
            null_dead_fields: clear,
            ..self
        }
    }

    /// The checks that the heap makes of itself.
    #[must_use]
    pub fn zeal(self, zeal: Zeal) -> HeapOptions {
        HeapOptions { zeal, ..self }
    }

    /// Whether the options make sense together.
    pub(crate) fn check(&self) -> Result<(), HeapError> {
        if self.limit < super::block::BLOCK {
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
