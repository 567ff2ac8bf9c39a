//! What can be chosen about a heap.

use super::error::HeapError;

/// Checks that a heap makes of itself. All are off by default.
///
/// They are for tests and for finding bugs in `unsafe` code around a heap: each makes collections
/// slower by a factor, not by a few per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zeal {
    /// Collect at every safepoint ([`Arena::collect_debt`](crate::Arena::collect_debt)), whether
    /// memory was allocated or not.
    pub collect: bool,
    /// Verify the heap after each cycle, as [`Arena::verify`](crate::Arena::verify) does, and
    /// panic with the finding; and overwrite the memory of dead objects, so that whoever still
    /// reads them sees it.
    pub verify: bool,
    /// Mark a second time with a naive marker which shares no code with the first, compare, and
    /// panic with the difference.
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
    pub(crate) zeal: Zeal,
}

impl Default for HeapOptions {
    /// The shared address space, no limit, a growth of 100 per cent, a floor of 8 MiB, and the
    /// checks that `GC_ZEAL` names.
    fn default() -> HeapOptions {
        HeapOptions {
            reserve: None,
            limit: usize::MAX,
            growth: 100,
            floor: 8 << 20,
            zeal: Zeal::from_env(),
        }
    }
}

impl HeapOptions {
    /// Gives the heap an address space of its own, of this many bytes (rounded up to 4 MiB).
    ///
    /// Without it the heap lives in the space that all heaps of the process share, of 64 GiB.
    /// Reserved addresses cost no memory.
    #[must_use]
    pub fn reserve(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            reserve: Some(bytes),
            ..self
        }
    }

    /// The most bytes that the heap may own, counted in blocks of 32 KiB and without their
    /// metadata, which is 1/16 more.
    #[must_use]
    pub fn limit(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            limit: bytes,
            ..self
        }
    }

    /// By how many per cent of what survived the last collection the heap grows before the next.
    ///
    /// A heap of which less than 256 MiB survived grows by more: by that percentage of the
    /// geometric mean of 256 MiB and what survived. With 100 per cent, 1 MiB grows by 16 MiB,
    /// 64 MiB by 128 MiB, and 1 GiB by 1 GiB.
    #[must_use]
    pub fn growth(self, percent: u32) -> HeapOptions {
        HeapOptions {
            growth: percent,
            ..self
        }
    }

    /// How many bytes are allocated at least between two collections.
    #[must_use]
    pub fn floor(self, bytes: usize) -> HeapOptions {
        HeapOptions {
            floor: bytes,
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
