//! What was read by weak pointers while marking went on, and was not marked then.
//!
//! Such a read keeps nothing alive. Whether the program has put the pointer somewhere is looked at when marking
//! ends ([`rescan`](super::rescan)), and only if one of these objects is still not marked. So not all need be
//! known: this is a table of fixed size without collisions. What finds its place taken by an object that is not
//! marked either is forgotten; then the table only remembers that there was such a read, and the cycle will look.
//! To note it, and so to keep it alive for this cycle, would not do: where a program polls more living objects than
//! the table has places for, what is dead among them would be noted in each cycle.

use crate::heap::Heap;
use crate::heap::planes::GRANULE;
use crate::sync::{AtomicBool, AtomicUsize, Ordering};

/// Places in the table.
const PLACES: usize = 256;

/// See the [module documentation](self).
///
/// Accesses are relaxed, but for [`WeakReads::has`]: the table is looked through while no mutator is at work, and what
/// mutators have done before is ordered by that.
pub(crate) struct WeakReads {
    /// Whether there is something in the table.
    any: AtomicBool,
    /// Whether some read is not in it.
    more: AtomicBool,
    /// Whether something was kept alive that may be dead and only read in this way.
    doubtful: AtomicBool,
    places: [AtomicUsize; PLACES],
}

impl WeakReads {
    pub(super) fn new() -> WeakReads {
        WeakReads {
            any: AtomicBool::new(false),
            more: AtomicBool::new(false),
            doubtful: AtomicBool::new(false),
            places: core::array::from_fn(|_| AtomicUsize::new(0)),
        }
    }

    /// Whether a target was added and has not lost its place. Then this thread also sees what the thread that added it
    /// did before.
    #[inline]
    pub(super) fn has(&self, target: usize) -> bool {
        // `Acquire`, partner: the exchange in `insert`. Without it, this thread might go on to see `Noting::Contents`.
        self.places[place_of(target)].load(Ordering::Acquire) == target
    }

    /// Adds a target. What is marked gives up its place: nobody has to look for it.
    ///
    /// # Safety
    ///
    /// An object of `heap` starts at `target`, and is not freed before the table is [cleared](WeakReads::clear).
    /// All targets are of the same heap.
    #[inline]
    pub(super) unsafe fn add(&self, target: usize, heap: &Heap) {
        self.insert(target, |other| is_marked(heap, other));
    }

    #[inline]
    fn insert(&self, target: usize, is_marked: impl Fn(usize) -> bool) {
        let place = &self.places[place_of(target)];
        let found = place.load(Ordering::Relaxed);
        if found == target {
            return;
        }
        if !self.any.load(Ordering::Relaxed) {
            self.any.store(true, Ordering::Relaxed);
        }
        let is_free = found == 0 || is_marked(found);
        let is_added = is_free
            && place
                // `Release`, partner: `has`.
                .compare_exchange(found, target, Ordering::Release, Ordering::Relaxed)
                .is_ok();
        if !is_added && !self.more.load(Ordering::Relaxed) {
            self.more.store(true, Ordering::Relaxed);
        }
    }

    /// Whether something was read that may still not be marked. No mutator is at work.
    pub(super) fn has_unmarked(&self, heap: &Heap) -> bool {
        let is_unmarked = |place: &AtomicUsize| {
            let target = place.load(Ordering::Relaxed);
            target != 0 && !is_marked(heap, target)
        };
        self.any.load(Ordering::Relaxed)
            && (self.more.load(Ordering::Relaxed) || self.places.iter().any(is_unmarked))
    }

    /// Remembers that something was kept alive because of what may be dead.
    pub(super) fn doubt(&self) {
        self.doubtful.store(true, Ordering::Relaxed);
    }

    /// Forgets everything. Whether there was such a doubt. No mutator is at work.
    pub(super) fn clear(&self) -> bool {
        if self.any.load(Ordering::Relaxed) {
            self.any.store(false, Ordering::Relaxed);
            self.more.store(false, Ordering::Relaxed);
            for place in &self.places {
                place.store(0, Ordering::Relaxed);
            }
        }
        self.doubtful.swap(false, Ordering::Relaxed)
    }
}

/// Whether an object in the table is marked.
fn is_marked(heap: &Heap, target: usize) -> bool {
    // SAFETY: what is in the table are objects of this heap, and none is freed before the table is cleared
    // (`WeakReads::add`).
    unsafe { heap.planes().is_marked(target) }
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
        let held = |reads: &WeakReads| -> Vec<usize> {
            let places = reads.places.iter();
            places.map(|place| place.load(Ordering::Relaxed)).collect()
        };
        let is_more = |reads: &WeakReads| reads.more.load(Ordering::Relaxed);
        let numbers = PLACES..2 * PLACES;
        let targets: Vec<usize> = numbers.map(|number| number * GRANULE).collect();
        for _ in 0..2 {
            targets
                .iter()
                .for_each(|target| reads.insert(*target, |_| false));
        }
        let mut sorted = held(&reads);
        sorted.sort_unstable();
        assert_eq!(sorted, targets);
        assert!(targets.iter().all(|target| reads.has(*target)));
        assert!(!is_more(&reads));

        // Places are given up by what is marked, and by nothing else.
        let (mut other, mut another) = (2 * PLACES, 2 * PLACES + 1);
        other *= GRANULE;
        another *= GRANULE;
        reads.insert(other, |_| true);
        assert!(held(&reads).contains(&other) && !is_more(&reads));
        reads.insert(another, |_| false);
        assert!(!held(&reads).contains(&another) && is_more(&reads));
        assert!(reads.has(other) && !reads.has(another));
        reads.clear();
        assert!(held(&reads).iter().all(|place| *place == 0) && !is_more(&reads));
    }
}
