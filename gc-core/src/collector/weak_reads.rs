//! What was read by weak pointers while marking went on, and was not marked then.
//!
//! Such a read keeps nothing alive. Whether the program has put the pointer somewhere is looked at when marking ends
//! ([`rescan`](super::rescan)), and only if one of these objects is still not marked. So not all need be known: this is a table
//! of fixed size without collisions. What finds its place taken is noted by whoever reads it, and so kept alive for this
//! cycle; or the table remembers that there was such a read, if it is settled already that the cycle will look.

use crate::heap::Heap;
use crate::heap::planes::{GRANULE, bit};
use crate::sync::{AtomicBool, AtomicUsize, Ordering};

/// Places in the table.
const PLACES: usize = 256;

/// See the [module documentation](self).
///
/// All accesses are relaxed: it is looked through while no mutator is at work, and what mutators have done before is
/// ordered by that.
pub(crate) struct WeakReads {
    /// Whether there is something in the table.
    any: AtomicBool,
    /// Whether some read is not in it.
    more: AtomicBool,
    places: [AtomicUsize; PLACES],
}

impl WeakReads {
    pub(super) fn new() -> WeakReads {
        WeakReads {
            any: AtomicBool::new(false),
            more: AtomicBool::new(false),
            places: core::array::from_fn(|_| AtomicUsize::new(0)),
        }
    }

    /// Adds a target. Whether there was a place for it.
    #[inline]
    pub(super) fn add(&self, target: usize) -> bool {
        let place = &self.places[place_of(target)];
        let found = match place.load(Ordering::Relaxed) {
            0 => {
                self.any.store(true, Ordering::Relaxed);
                place
                    .compare_exchange(0, target, Ordering::Relaxed, Ordering::Relaxed)
                    .unwrap_or_else(|other| other)
            }
            found => found,
        };
        found == 0 || found == target
    }

    /// Remembers that something was read for which there was no place.
    pub(super) fn add_unknown(&self) {
        self.any.store(true, Ordering::Relaxed);
        self.more.store(true, Ordering::Relaxed);
    }

    /// Whether something was read that may still not be marked. No mutator is at work.
    pub(super) fn has_unmarked(&self, heap: &Heap) -> bool {
        let is_unmarked = |place: &AtomicUsize| {
            let target = place.load(Ordering::Relaxed);
            // SAFETY: objects of this heap, says whoever adds them; nothing is freed before marking ends.
            target != 0 && unsafe { heap.planes().group(target) }.marks() & bit(target) == 0
        };
        self.any.load(Ordering::Relaxed)
            && (self.more.load(Ordering::Relaxed) || self.places.iter().any(is_unmarked))
    }

    /// Forgets everything. No mutator is at work.
    pub(super) fn clear(&self) {
        if self.any.load(Ordering::Relaxed) {
            self.any.store(false, Ordering::Relaxed);
            self.more.store(false, Ordering::Relaxed);
            for place in &self.places {
                place.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// Neighbours have different places, and so have most objects of the same size.
#[inline(always)]
fn place_of(target: usize) -> usize {
    let granule = target / GRANULE;
    (granule ^ (granule / PLACES) ^ (granule / PLACES / PLACES)) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_one_place() {
        let reads = WeakReads::new();
        let targets: Vec<usize> = (1..10_000).map(|number| number * GRANULE).collect();
        let added: Vec<usize> = targets.iter().copied().filter(|t| reads.add(*t)).collect();
        assert_eq!(added.len(), PLACES);
        assert!(targets.iter().all(|t| reads.add(*t) == added.contains(t)));
        reads.clear();
        assert!(reads.add(*targets.last().unwrap()));
    }
}
