//! Waiting values: the table in which the values of ephemerons wait for their keys to be marked.
//!
//! A marker that meets an ephemeron whose key is not marked *notes* the value under the key. The marker that marks and
//! then scans the key *takes* what is noted, and follows it. Each key has a place: the number of the first of a chain
//! of values. A flag, which many keys share, says that something may be noted, so that for most objects a marker looks
//! only at this.
//!
//! ```text
//! the marker that meets the ephemeron         the marker that marks the key
//!   N1  note: place := the value's number       M1  set the mark
//!   N2  raise the flag                          M2  fence(SeqCst)
//!   N3  fence(SeqCst)                           M3  flag raised, and something at the place?  take it
//!   N4  is the key marked?  take it
//! ```
//!
//! # No value is missed
//!
//! The fences N3 and M2 have an order. If N3 is first, M3 sees the flag and the place, or what came after. If M2 is
//! first, N4 sees the mark. So one of the two takes the value, or finds that the other has: a place changes under
//! the lock of the table. This is also so for a flag that N2 found raised: what a thread has read before its fence,
//! nobody misses whose fence comes after it.
//!
//! # No value is followed twice
//!
//! Taking empties the place under the lock.
//!
//! # Without the marker's fence
//!
//! Markers of a cycle that stops the world leave out M2. Then both may miss the other. So when all markers rest,
//! somebody looks through the places, and takes what is noted under marked keys. That has to be done again only if
//! this marks more: what is noted then, by one thread, is not missed.
//!
//! # What this does not do
//!
//! It does not know where places are, nor how threads find them: a thread that finds a place has seen all that was
//! written before.

use crate::sync::{AtomicU32, Mutex, MutexGuard, Ordering, fence};

/// A value, and the number of the next with the same key.
struct Link {
    value: usize,
    next: u32,
}

/// Values of ephemerons, in a chain for each key. See the [module documentation](self).
pub(crate) struct Waiting(Mutex<Vec<Link>>);

/// The table, locked.
pub(crate) struct Locked<'a>(MutexGuard<'a, Vec<Link>>);

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting(Mutex::new(Vec::new()))
    }
}

impl Waiting {
    /// Locks the table, to note values or to forget them.
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked(self.0.lock())
    }

    /// Takes the values that are noted at a place: moves them to `taken`.
    pub(crate) fn take(&self, place: &AtomicU32, taken: &mut Vec<usize>) {
        // Relaxed: who must not miss a value has a fence before. M3 and N4 of the module's proof.
        if place.load(Ordering::Relaxed) == 0 {
            return;
        }
        let links = self.0.lock();
        // Relaxed: places change under the lock.
        let mut number = place.load(Ordering::Relaxed);
        place.store(0, Ordering::Relaxed);
        while number != 0 {
            let Link { value, next } = links[number as usize - 1];
            taken.push(value);
            number = next;
        }
    }
}

impl Locked<'_> {
    /// Whether there is room for another value.
    pub(crate) fn has_room(&self) -> bool {
        u32::try_from(self.0.len() + 1).is_ok()
    }

    /// Notes a value at a place, for which there is room. After this the caller raises the flag, and looks whether
    /// the key [was marked](was_marked).
    pub(crate) fn note(&mut self, place: &AtomicU32, value: usize) {
        let number = u32::try_from(self.0.len() + 1).expect("there is room");
        // Relaxed: places change under the lock. The fences order a look without it. N1 of the module's
        // proof.
        let next = place.load(Ordering::Relaxed);
        self.0.push(Link { value, next });
        place.store(number, Ordering::Relaxed);
    }

    /// Forgets all values. No place holds the number of one, or will be looked at.
    pub(crate) fn clear(&mut self) {
        *self.0 = Vec::new();
    }
}

/// Whether the key was marked, as `is_marked` looks, by somebody who may have missed what this thread has noted.
pub(crate) fn was_marked(is_marked: impl FnOnce() -> bool) -> bool {
    // Partner: the fence of the marker: `marked`, or that of `Batch::publish`. N3 of the module's proof.
    fence(Ordering::SeqCst);
    is_marked()
}

/// Comes between marking a key and the look at flag and place, unless something else has a sequentially consistent
/// fence there.
pub(crate) fn marked() {
    // Partner: the fence in `was_marked`. M2 of the module's proof.
    fence(Ordering::SeqCst);
}
