//! What can go wrong with a heap, in words that say what to change.

use core::fmt;

use crate::collector::options::FinalizerMode;

/// Why memory could not be had.
///
/// The heap is as usable after such an error as before: nothing was lost. Inside of a `mutate` call nothing can be
/// collected, so the usual answer is to return from it, let the arena collect
/// ([`Arena::finish_cycle`](crate::Arena::finish_cycle)), and try again. What [waits for a
/// finalizer](WaitingFinalizers) keeps its memory until that has run.
///
/// ```
/// use gc_core::{Arena, Gc, HeapError, HeapOptions, Rootable};
///
/// type Lines<'gc> = Vec<Gc<'gc, [u8; 1000]>>;
/// let options = HeapOptions::default().limit(256 << 10);
/// let mut arena = Arena::<Rootable![Lines<'_>]>::with_options(options, |_| Vec::new())?;
/// let error = loop {
///     let added = arena.mutate_root(|mc, lines| {
///         Gc::try_new(mc, [0; 1000]).map(|line| lines.push(line))
///     });
///     if let Err(error) = added {
///         break error;
///     }
/// };
/// assert!(matches!(error, HeapError::LimitReached { limit: 262_144, .. }));
/// assert!(error.to_string().contains("raise `HeapOptions::limit`"));
///
/// // The usual answer: keep less alive, collect, try again.
/// arena.mutate_root(|_, lines| lines.clear());
/// arena.finish_cycle();
/// arena.mutate(|mc, _| Gc::try_new(mc, [0; 1000]).map(drop))?;
/// # Ok::<(), HeapError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeapError {
    /// The heap would have grown beyond its limit.
    #[error(
        "out of memory: {} more would exceed the heap's limit of {} ({} in use): \
         collect and try again, keep less alive, or raise `HeapOptions::limit`{finalizers}",
        Bytes(*.requested), Bytes(*.limit), Bytes(*.in_use)
    )]
    LimitReached {
        /// Bytes that were requested.
        requested: usize,
        /// The limit in bytes.
        limit: usize,
        /// Bytes of blocks that the heap owned.
        in_use: usize,
        /// What waited for its finalizer.
        finalizers: WaitingFinalizers,
    },
    /// The heap is so near to its limit that the program would do little but collect.
    #[error(
        "out of memory: collections take all but {share} per cent of the time and leave {} of {} in use: \
         keep less alive, raise `HeapOptions::limit`, or lower `HeapOptions::minimum_share`{finalizers}",
        Bytes(*.in_use), Bytes(*.limit)
    )]
    OnlyCollecting {
        /// The part of the time that the program should have for itself, in per cent.
        share: u32,
        /// The limit in bytes.
        limit: usize,
        /// Bytes of blocks that the heap owned.
        in_use: usize,
        /// What waited for its finalizer.
        finalizers: WaitingFinalizers,
    },
    /// The address space has no run of free blocks that is long enough.
    #[error(
        "out of address space: no {} in a row are free of the {} reserved: \
         collect and try again, or raise `HeapOptions::reserve`{finalizers}",
        Bytes(*.requested), Bytes(*.reserved)
    )]
    AddressSpaceExhausted {
        /// Bytes that were requested.
        requested: usize,
        /// The size of the address space in bytes.
        reserved: usize,
        /// What waited for its finalizer.
        finalizers: WaitingFinalizers,
    },
    /// The operating system would not give the memory.
    #[error(
        "out of memory: the operating system refused {} (errno {errno}): \
         free memory on the machine, or lower `HeapOptions::limit` so that the heap collects earlier",
        Bytes(*.requested)
    )]
    CommitRefused {
        /// Bytes that were requested.
        requested: usize,
        /// The system's error number.
        errno: i32,
    },
    /// The operating system would not reserve the address space.
    #[error(
        "cannot reserve {} of address space (errno {errno}): lower `HeapOptions::reserve`, \
         or raise the process's limit (`ulimit -v`)",
        Bytes(*.requested)
    )]
    ReserveRefused {
        /// Bytes of [`HeapOptions::reserve`](crate::HeapOptions::reserve). Their metadata takes an eighth more.
        requested: usize,
        /// The system's error number.
        errno: i32,
    },
    /// The operating system would not reserve the address space that heaps share, not even the smallest.
    #[error(
        "cannot reserve address space: {} down to {} were refused (errno {errno}): \
         raise the process's limit (`ulimit -v`), or give the heap a space of its own that is smaller, with \
         `HeapOptions::reserve` and `Arena::with_options`",
        Bytes(*.most), Bytes(*.least)
    )]
    SharedReserveRefused {
        /// Bytes that were tried first.
        most: usize,
        /// Bytes that were tried last.
        least: usize,
        /// The system's error number.
        errno: i32,
    },
    /// One object of this size cannot exist on this machine.
    #[error("{count} elements of {} each are more than any address space holds: ask for fewer", Bytes(*.size))]
    SizeOverflow {
        /// The number of elements that were requested.
        count: usize,
        /// Bytes of each.
        size: usize,
    },
    /// An option has a value that means nothing.
    #[error("`HeapOptions::{option}` is {value}: it must be {expected}")]
    InvalidOption {
        /// The name of the option.
        option: &'static str,
        /// The value that it had.
        value: usize,
        /// What it may be.
        expected: &'static str,
    },
}

impl HeapError {
    /// The same, with what is known of finalizers.
    pub(crate) fn with_finalizers(mut self, waiting: WaitingFinalizers) -> HeapError {
        if let HeapError::LimitReached { finalizers, .. }
        | HeapError::OnlyCollecting { finalizers, .. }
        | HeapError::AddressSpaceExhausted { finalizers, .. } = &mut self
        {
            *finalizers = waiting;
        }
        self
    }
}

/// Finalizers that waited when there was no memory: what they see is kept until they have run and another collection
/// is made.
///
/// ```
/// use gc_core::{Arena, FinalizerMode, Gc, HeapError, HeapOptions, Rootable};
///
/// let options = HeapOptions::default().limit(256 << 10).finalizers(FinalizerMode::Manual);
/// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
/// let fill = |arena: &Arena<Rootable![()]>| {
///     arena.mutate(|mc, _| loop {
///         match Gc::try_new(mc, [0; 1000]) {
///             Ok(object) => _ = mc.finalize_with(object, |_, _| ()),
///             Err(error) => return error,
///         }
///     })
/// };
/// fill(&arena);
/// arena.finish_cycle();
/// // Nothing is alive, but nobody has run the finalizers.
/// let error = fill(&arena);
/// let HeapError::LimitReached { finalizers, .. } = error else { panic!("{error}") };
/// assert!(finalizers.count > 0 && error.to_string().contains("call `run_finalizers`"));
/// arena.run_finalizers(finalizers.count);
/// arena.finish_cycle();
/// arena.mutate(|mc, _| Gc::try_new(mc, [0; 1000]).map(drop))?;
/// # Ok::<(), HeapError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingFinalizers {
    /// How many.
    pub count: usize,
    /// When they run.
    pub mode: FinalizerMode,
}

impl fmt::Display for WaitingFinalizers {
    /// What is to be added to the text of an error: nothing if there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return Ok(());
        }
        let advice = match self.mode {
            FinalizerMode::AfterCollection => "`finish_cycle` runs them and frees that",
            FinalizerMode::Manual => "call `run_finalizers`, then `finish_cycle`",
            FinalizerMode::Thread => {
                "`finish_cycle` waits for their thread and frees that, and `run_finalizers` runs them here"
            }
        };
        let count = self.count;
        write!(
            f,
            ". {count} finalizers wait, and what they see is in use until they have run: {advice}"
        )
    }
}

/// Panics for an allocation that failed where the caller takes no error.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn out_of_memory(error: HeapError) -> ! {
    panic!("{error}")
}

/// What was allocated; or panics with the error.
#[inline(always)]
#[track_caller]
pub(crate) fn or_panic<T>(result: Result<T, HeapError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => out_of_memory(error),
    }
}

/// A number of bytes, in the largest unit that leaves it exact; from a mebibyte on, rounded down.
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        let (mut value, mut unit) = (self.0, 0);
        while unit + 1 < UNITS.len()
            && value >= 1024
            && (value.is_multiple_of(1024) || value >= 1 << 20)
        {
            (value, unit) = (value / 1024, unit + 1);
        }
        write!(f, "{value} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_figures_and_advice() {
        let error = HeapError::ReserveRefused {
            requested: 64 << 30,
            errno: 12,
        };
        assert_eq!(
            error.to_string(),
            "cannot reserve 64 GiB of address space (errno 12): lower `HeapOptions::reserve`, \
             or raise the process's limit (`ulimit -v`)"
        );
    }

    #[test]
    fn errors_tell_of_finalizers_that_wait() {
        let error = |count, mode| {
            let (requested, limit, in_use) = (1 << 13, 1 << 20, 1 << 20);
            let finalizers = WaitingFinalizers::default();
            HeapError::LimitReached {
                requested,
                limit,
                in_use,
                finalizers,
            }
            .with_finalizers(WaitingFinalizers { count, mode })
            .to_string()
        };
        let plain = error(0, FinalizerMode::Manual);
        assert!(plain.ends_with("raise `HeapOptions::limit`"), "{plain}");
        let tail = |mode| {
            error(7, mode)
                .strip_prefix(&plain)
                .map(str::to_string)
                .unwrap()
        };
        let start = ". 7 finalizers wait, and what they see is in use until they have run: ";
        for (mode, advice) in [
            (FinalizerMode::AfterCollection, "`finish_cycle` runs them"),
            (
                FinalizerMode::Manual,
                "call `run_finalizers`, then `finish_cycle`",
            ),
            (
                FinalizerMode::Thread,
                "`finish_cycle` waits for their thread",
            ),
        ] {
            assert!(tail(mode).strip_prefix(start).unwrap().starts_with(advice));
        }
    }

    #[test]
    fn sizes_are_rounded_only_where_they_are_long() {
        let text = |bytes| Bytes(bytes).to_string();
        assert_eq!(text(100), "100 bytes");
        assert_eq!(text(1500), "1500 bytes");
        assert_eq!(text(32 << 10), "32 KiB");
        assert_eq!(text((3 << 20) + 1), "3 MiB");
        assert_eq!(text(1 << 40), "1 TiB");
    }
}
