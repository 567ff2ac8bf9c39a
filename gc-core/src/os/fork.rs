//! Noticing that the process was forked.
//!
//! A forked child has the parent's memory and none of its other threads: a heap in it may be in the
//! middle of anything, and nobody will ever finish what its collector's threads had begun. So whoever touches
//! such a heap has to be told.
//!
//! There is a page whose contents the system replaces by zeroes in a child. It holds the number of the
//! process's *generation*; looking at it costs one load. A child that makes heaps of its own takes the
//! next number.

use super::sys;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// The process in which something was made.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    witness: &'static AtomicU32,
    generation: u32,
}

impl Process {
    /// This process.
    pub(crate) fn current() -> Process {
        static GENERATIONS: AtomicU32 = AtomicU32::new(0);
        let witness = witness();
        // Relaxed, here and below: only the number itself matters.
        let mut generation = witness.load(Ordering::Relaxed);
        if generation == 0 {
            let next = GENERATIONS.fetch_add(1, Ordering::Relaxed) + 1;
            let entered = witness.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed);
            // Another thread may have been faster.
            generation = entered.err().unwrap_or(next);
        }
        Process {
            witness,
            generation,
        }
    }

    /// The number of the generation: different in a process and those that are forked from it.
    pub(crate) fn generation(self) -> u32 {
        self.generation
    }

    /// Whether this process was forked from that one.
    #[inline(always)]
    pub(crate) fn is_parent(self) -> bool {
        self.witness.load(Ordering::Relaxed) != self.generation
    }
}

/// The word that is zero in a child which has looked at nothing yet. Where the system cannot do that, it
/// is never zero again, and forks go unnoticed.
fn witness() -> &'static AtomicU32 {
    static WITNESS: Mutex<Option<&'static AtomicU32>> = Mutex::new(None);
    static UNABLE: AtomicU32 = AtomicU32::new(0);
    WITNESS
        .lock()
        .get_or_insert_with(|| match sys::wiped_in_children() {
            // SAFETY: the page is zeroed, aligned, never given back, and used for nothing else.
            Some(page) => unsafe { &*core::ptr::with_exposed_provenance::<AtomicU32>(page) },
            None => &UNABLE,
        })
}
