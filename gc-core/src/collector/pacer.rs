//! The pacer: when the next collection is due.
//!
//! A collection costs about as much as its survivors, and memory costs in proportion to what is
//! allocated between two. The sum of both over several heaps is least if each is allowed to allocate
//! in proportion to the square root of its survivors (Kirisame, Shenoy and Panchekha, "Optimal Heap
//! Limits for Reducing Browser Memory Use", OOPSLA 2022). So a collection is due when the bytes
//! allocated since the last one are a given fraction of
//!
//! ```text
//! max(live, sqrt(live * GENEROUS))
//! ```
//!
//! which is the familiar growth by a percentage for large heaps, and more for those smaller than
//! `GENEROUS`; and not before a floor, below which the fixed costs of a collection would count.
//! *Debt* is by how many bytes the allocation has overrun that point.
//!
//! Near its limit a heap is collected earlier: after half of what the limit leaves free.

use core::cell::Cell;

use crate::metrics::Pacing;

/// The least allocation between two collections that a limit brings about, in bytes.
const LEAST: f64 = (64 << 10) as f64;

/// Below so many bytes of survivors, a heap may grow by a larger fraction of them.
const GENEROUS: f64 = (256 << 20) as f64;

#[derive(Debug)]
pub(crate) struct Pacer {
    pacing: Cell<Pacing>,
    /// Bytes of the heap's limit.
    limit: usize,
    /// Bytes that survived the last collection.
    live: Cell<usize>,
    /// Bytes allocated ever, at the end of the last collection.
    allocated_before: Cell<u64>,
    /// Bytes that may be allocated between it and the next.
    allowance: Cell<f64>,
    /// Debt that was added by hand.
    artificial: Cell<f64>,
    /// Whether an allocation has failed since.
    starved: Cell<bool>,
}

impl Pacer {
    pub(crate) fn new(pacing: Pacing, limit: usize) -> Pacer {
        let pacer = Pacer {
            pacing: Cell::new(pacing),
            limit,
            live: Cell::new(0),
            allocated_before: Cell::new(0),
            allowance: Cell::new(0.0),
            artificial: Cell::new(0.0),
            starved: Cell::new(false),
        };
        pacer.finish_cycle(0, 0);
        pacer
    }

    pub(crate) fn set_pacing(&self, pacing: Pacing) {
        self.pacing.set(pacing);
        self.allowance
            .set(allowance(&pacing, self.limit, self.live.get()));
    }

    pub(crate) fn adjust(&self, bytes: f64) {
        let sum = self.artificial.get() + bytes;
        self.artificial.set(if sum.is_nan() { 0.0 } else { sum });
    }

    /// Notes that an allocation failed: a collection is due whatever the debt.
    pub(crate) fn starve(&self) {
        self.starved.set(true);
    }

    /// By how many bytes a collection is overdue; zero if it is not due.
    pub(crate) fn debt(&self, allocated: u64) -> f64 {
        let since = (allocated - self.allocated_before.get()) as f64;
        let debt = since - self.allowance.get() + self.artificial.get();
        if self.starved.get() {
            debt.max(1.0)
        } else {
            debt.max(0.0)
        }
    }

    /// Starts to count anew: `live` bytes survived, and `allocated` bytes were allocated ever.
    pub(crate) fn finish_cycle(&self, live: usize, allocated: u64) {
        self.live.set(live);
        self.allocated_before.set(allocated);
        self.artificial.set(0.0);
        self.starved.set(false);
        self.allowance
            .set(allowance(&self.pacing.get(), self.limit, live));
    }

    /// Bytes that the program is expected to allocate until the next collection.
    pub(crate) fn expected(&self) -> usize {
        self.allowance.get() as usize
    }
}

/// How many bytes may be allocated when `live` bytes have survived.
fn allowance(pacing: &Pacing, limit: usize, live: usize) -> f64 {
    let survivors = live as f64;
    let base = survivors.max((survivors * GENEROUS).sqrt());
    let by_growth = (base * pacing.sleep_factor).max(pacing.min_sleep as f64);
    let by_limit = (limit.saturating_sub(live) as f64 / 2.0).max(LEAST);
    by_growth.min(by_limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACING: Pacing = Pacing {
        sleep_factor: 0.5,
        min_sleep: 1000,
        ..Pacing::STOP_THE_WORLD
    };

    #[test]
    fn debt_begins_where_the_allowance_ends() {
        let pacer = Pacer::new(PACING, usize::MAX);
        assert_eq!(
            (pacer.debt(999), pacer.debt(1000), pacer.debt(1010)),
            (0.0, 0.0, 10.0)
        );
        pacer.finish_cycle(1 << 30, 50_000);
        let end = 50_000 + (1 << 29);
        assert_eq!((pacer.debt(end), pacer.debt(end + 1)), (0.0, 1.0));
        pacer.adjust(100.0);
        assert_eq!(pacer.debt(end), 100.0);
        pacer.adjust(-200.0);
        assert_eq!(pacer.debt(end), 0.0);
        pacer.adjust(f64::NAN);
        assert_eq!(pacer.debt(end + 5), 5.0);
    }

    #[test]
    fn small_heaps_grow_by_more() {
        let growth = |live: usize| allowance(&PACING, usize::MAX, live) / live as f64;
        assert_eq!((growth(1 << 30), growth(256 << 20)), (0.5, 0.5));
        assert_eq!((growth(64 << 20), growth(16 << 20)), (1.0, 2.0));
        assert_eq!(allowance(&PACING, usize::MAX, 0), 1000.0);
    }

    #[test]
    fn a_failed_allocation_makes_a_collection_due() {
        let pacer = Pacer::new(PACING, usize::MAX);
        pacer.starve();
        assert!(pacer.debt(0) > 0.0);
        pacer.finish_cycle(0, 0);
        assert_eq!(pacer.debt(0), 0.0);
    }

    #[test]
    fn a_limit_brings_collections_forward() {
        let megabyte = 1 << 20;
        let sleepy = Pacing {
            sleep_factor: 10.0,
            ..PACING
        };
        let pacer = Pacer::new(sleepy, 10 * megabyte);
        pacer.finish_cycle(8 * megabyte, 0);
        assert_eq!(pacer.expected(), megabyte);
        pacer.finish_cycle(11 * megabyte, 0);
        assert_eq!(pacer.expected(), 64 << 10);
    }
}
