//! How long it may stay unknown what the elements of collections own, in a heap with several mutators.
//!
//! They can be measured only while all mutators are stopped (`mutator/written.rs`). A cycle stops them when it begins. But a
//! program that makes collections whose elements own much, and little else, would come to the next cycle late, since
//! its pace is that of the bytes which are known. So mutators count how many collections they have written that
//! wait to be measured, and when these are enough, a safepoint stops all threads for that.
//!
//! How many are enough is learned: so many as are expected to have grown by a [`PART`] of what the program may allocate
//! between two cycles, judging by those that were measured last; never more than [`MOST`], nor than twice as many as
//! before. So what is unknown is such a part where the program goes on as it did, and what [`MOST`] collections
//! own where it suddenly makes larger ones. Who writes only collections that own little stops the others once for
//! [`MOST`] of them.

use super::{Collector, Program};
use crate::heap::volume::Volume;
use crate::sync::{AtomicI64, Ordering};

/// What may be unknown, as a part of the allowance.
const PART: u64 = 8;

/// So many collections are enough, whatever they own.
const MOST: i64 = 1024;

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Unmeasured {
    /// How many may still be written.
    left: AtomicI64,
    /// How many might be, since the last stop.
    bound: AtomicI64,
}

impl Default for Unmeasured {
    fn default() -> Unmeasured {
        Unmeasured {
            left: AtomicI64::new(1),
            bound: AtomicI64::new(1),
        }
    }
}

impl Unmeasured {
    /// Notes that so many collections wait which were written in a call.
    pub(crate) fn add(&self, count: usize) {
        if count > 0 {
            // Relaxed, as everywhere here: a figure by itself.
            self.left.fetch_sub(count as i64, Ordering::Relaxed);
        }
    }

    /// Whether enough of them wait.
    #[inline]
    pub(crate) fn are_enough(&self) -> bool {
        self.left.load(Ordering::Relaxed) <= 0
    }

    /// All were measured.
    pub(crate) fn clear(&self) {
        let bound = self.bound.load(Ordering::Relaxed);
        self.left.store(bound, Ordering::Relaxed);
    }

    /// How many wait.
    fn count(&self) -> i64 {
        self.bound.load(Ordering::Relaxed) - self.left.load(Ordering::Relaxed)
    }

    /// Notes that `count` of them have grown by so many bytes, where the program may allocate `headroom`.
    fn learn(&self, count: i64, grown: u64, headroom: u64) {
        let bound = self.bound.load(Ordering::Relaxed);
        let expected = u128::from(headroom / PART) * count as u128 / u128::from(grown.max(1));
        let most = (2 * bound).min(MOST);
        let bound = i64::try_from(expected).unwrap_or(most).clamp(1, most);
        self.bound.store(bound, Ordering::Relaxed);
        self.clear();
    }
}

impl Collector {
    /// Stops all mutators, which measures what waits for that, if it is enough. Objects allocated ever, as is known then.
    pub(super) fn measure_waiting(&self, program: &Program<'_>) -> Volume {
        if !self.unmeasured.are_enough() {
            return program.allocated;
        }
        let count = self.unmeasured.count();
        let before = self.heap.allocated();
        (program.stopped)(&mut || {});
        let after = self.heap.allocated();
        let grown = after.since(before).owned.max(0) as u64;
        let headroom = self.pacer.lock().headroom() as u64;
        self.unmeasured.learn(count, grown, headroom);
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_fast_is_measured_often() {
        let unmeasured = Unmeasured::default();
        let bound = || unmeasured.bound.load(Ordering::Relaxed);
        for _ in 0..20 {
            let before = bound();
            unmeasured.add(before as usize);
            assert!(unmeasured.are_enough());
            unmeasured.learn(before, 0, 1 << 20);
            assert!(!unmeasured.are_enough());
            assert_eq!(bound(), (2 * before).min(MOST));
        }
        // Each owns 16 KiB, of 128 that may be unknown.
        unmeasured.learn(MOST, (MOST as u64) << 14, 1 << 20);
        assert_eq!(bound(), 8);
        unmeasured.learn(8, u64::MAX, 1 << 20);
        assert_eq!(bound(), 1);
    }
}
