//! The pacer: when the next collection is due, and how fast it must go.
//!
//! A collection costs about as much as its survivors, and memory costs in proportion to what is
//! allocated between two. The sum of both over several heaps is least if each is allowed to allocate
//! in proportion to the square root of its survivors (Kirisame, Shenoy and Panchekha, "Optimal Heap
//! Limits for Reducing Browser Memory Use", OOPSLA 2022). So a collection should be over when the bytes
//! allocated since the end of the last one are a given fraction of
//!
//! ```text
//! max(live, sqrt(live * square_root))
//! ```
//!
//! which is the familiar growth by a percentage for large heaps, and more for those smaller than
//! `square_root`; and not before a floor, below which the fixed costs of a collection would count.
//! These bytes are the *allowance*. Those of values with destructors weigh more, for what they own elsewhere
//! ([`Volume::weight`]). Near its limit a heap is collected earlier: after half of what the
//! limit leaves free; and so it is near its soft limit.
//!
//! A collection that stops the program is due at the end of the allowance. One during which the
//! program goes on allocating is due earlier: by as much as the program allocated during the last one,
//! and half as much again. *Debt* is by how many bytes the allocation has overrun that point.
//!
//! When the program allocates faster than was foreseen, the allowance ends before the collection
//! does. Then the program *assists*: for each byte that it allocates, its safepoints work for the time
//! that the collection of so many bytes takes, and more; the more, the further it has overrun.

use core::time::Duration;

use crate::heap::volume::Volume;
use crate::metrics::Pacing;

/// The least allocation between two collections that a limit brings about, in bytes.
const LEAST: f64 = (64 << 10) as f64;

/// How much is allocated during a collection is foreseen with this margin.
const MARGIN: f64 = 1.5;

/// How much faster than the program allocates it works for the collector when it assists.
const ASSIST: f64 = 2.0;

/// How much faster still, for each allowance that it has overrun.
const HASTE: f64 = 8.0;

/// From which overrun on steps have no bound.
const URGENT: f64 = 0.25;

/// From which overrun on a collection is not done in steps any more.
const LOST: f64 = 1.0;

/// How many seconds nobody minds, in such a case.
const SHORT_PAUSE: f64 = 0.005;

/// How many bytes can be marked in a second, as long as nothing was measured.
const FIRST_RATE: f64 = (1 << 30) as f64;

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Pacer {
    pacing: Pacing,
    /// Bytes of the heap's limit, and of the soft one.
    limit: usize,
    soft_limit: usize,
    square_root: usize,
    /// What survived the last collection.
    live: Volume,
    /// Bytes allocated ever that the last collection has looked at.
    allocated_before: u64,
    /// Bytes that may be allocated more until the end of the next.
    allowance: f64,
    /// Bytes that will be allocated while that runs.
    headroom: f64,
    /// Debt that was added by hand.
    artificial: f64,
    /// Whether an allocation has failed since.
    starved: bool,
    /// Objects allocated ever when the present collection began.
    allocated_at_start: Volume,
    /// Bytes marked in a second by one thread.
    rate: f64,
}

impl Pacer {
    pub(crate) fn new(
        pacing: Pacing,
        limit: usize,
        soft_limit: usize,
        square_root: usize,
    ) -> Pacer {
        let mut pacer = Pacer {
            pacing,
            limit,
            soft_limit,
            square_root,
            live: Volume::default(),
            allocated_before: 0,
            allowance: 0.0,
            headroom: 0.0,
            artificial: 0.0,
            starved: false,
            allocated_at_start: Volume::default(),
            rate: FIRST_RATE,
        };
        pacer.allowance = pacer.allowed();
        pacer
    }

    pub(crate) fn set_pacing(&mut self, pacing: Pacing) {
        self.pacing = pacing;
        self.allowance = self.allowed();
    }

    /// Whether collections are to be at once, whatever the mode.
    pub(crate) fn is_at_once(&self) -> bool {
        self.pacing.is_at_once()
    }

    pub(crate) fn adjust(&mut self, bytes: f64) {
        let sum = self.artificial + bytes;
        self.artificial = if sum.is_nan() { 0.0 } else { sum };
    }

    /// Notes that an allocation failed: a collection is due whatever the debt.
    pub(crate) fn starve(&mut self) {
        self.starved = true;
    }

    /// Whether an allocation has failed since the last collection.
    pub(crate) fn is_starved(&self) -> bool {
        self.starved
    }

    /// Bytes that survived the last collection.
    pub(crate) fn live(&self) -> usize {
        self.live.bytes as usize
    }

    /// By how many bytes a collection is overdue; zero if it is not due.
    pub(crate) fn debt(&self, allocated: u64) -> f64 {
        let since = allocated.saturating_sub(self.allocated_before) as f64;
        // However fast the program is, it is let alone for a while.
        let trigger = (self.allowance - self.headroom).max(self.allowance / 16.0);
        let debt = since - trigger + self.artificial;
        if self.starved {
            debt.max(1.0)
        } else {
            debt.max(0.0)
        }
    }

    /// Bytes allocated ever from which on there may be debt.
    pub(crate) fn due_at(&self) -> u64 {
        if self.starved || self.artificial > 0.0 {
            return 0;
        }
        let trigger = (self.allowance - self.headroom).max(self.allowance / 16.0) - self.artificial;
        self.allocated_before.saturating_add(trigger as u64)
    }

    /// A collection begins.
    pub(crate) fn start_cycle(&mut self, allocated: Volume) {
        self.allocated_at_start = allocated;
    }

    /// Objects allocated ever when the present collection began.
    pub(crate) fn allocated_at_start(&self) -> Volume {
        self.allocated_at_start
    }

    /// For how long a safepoint should mark after the program has allocated `bytes` more, in a
    /// collection that no other thread does.
    pub(crate) fn share(&self, bytes: u64) -> Duration {
        let runway = self.runway().max(LEAST);
        let time = self.live.bytes.max(1 << 20) as f64 / self.rate;
        let factor = ASSIST * self.pacing.speed();
        Duration::from_secs_f64((time * bytes as f64 / runway * factor).min(1.0))
    }

    /// The same where another thread does it: nothing, unless the program is too fast.
    pub(crate) fn assist(&self, allocated: u64, bytes: u64) -> Duration {
        let overrun = self.overrun(allocated);
        if overrun <= 0.0 {
            return Duration::ZERO;
        }
        let factor = ASSIST * self.pacing.speed() * (1.0 + HASTE * overrun);
        Duration::from_secs_f64((bytes as f64 / self.heaviness() / self.rate * factor).min(1.0))
    }

    /// Whether the program is so far beyond its allowance that steps may be longer than they should.
    pub(crate) fn is_urgent(&self, allocated: u64) -> bool {
        self.overrun(allocated) > URGENT
    }

    /// Whether the program is so far beyond its allowance that the collection is to be completed at once:
    /// where that takes no longer than a short pause, or there is no end in sight.
    pub(crate) fn is_lost(&self, allocated: u64) -> bool {
        let overrun = self.overrun(allocated);
        overrun > LOST || overrun > LOST / 2.0 && (self.live.bytes as f64) < self.rate * SHORT_PAUSE
    }

    /// By which part of the allowance it was overrun; negative as long as there is some left.
    fn overrun(&self, allocated: u64) -> f64 {
        let since = allocated.saturating_sub(self.allocated_before) as f64;
        since / self.allowance.max(LEAST) - 1.0
    }

    /// Bytes that will probably be allocated during a collection beside the program.
    pub(crate) fn headroom(&self) -> f64 {
        self.headroom
    }

    /// Bytes that may be allocated from the beginning of the present collection to its end.
    fn runway(&self) -> f64 {
        self.allowance
            - self
                .allocated_at_start
                .weight()
                .saturating_sub(self.allocated_before) as f64
    }

    /// Notes that one thread has marked so many bytes in this time.
    pub(crate) fn note_rate(&mut self, bytes: usize, time: Duration) {
        if bytes > 1 << 20 && time > Duration::ZERO {
            self.rate = bytes as f64 / time.as_secs_f64();
        }
    }

    /// Starts to count anew: `live` survived, and `allocated` was allocated ever. `beside`
    /// says whether the program went on meanwhile. Then what it has allocated since the beginning counts:
    /// nothing of that was freed.
    pub(crate) fn finish_cycle(&mut self, live: Volume, allocated: Volume, beside: bool) {
        (self.headroom, self.allocated_before) = if beside {
            let meanwhile = allocated.since(self.allocated_at_start);
            let start = self.allocated_at_start.weight();
            (meanwhile.weight() as f64 * MARGIN, start)
        } else {
            (0.0, allocated.weight())
        };
        self.live = live;
        self.artificial = 0.0;
        self.starved = false;
        self.allowance = self.allowed();
    }

    /// Bytes of the heap that the program is expected to allocate until the end of the next collection, if it
    /// goes on to make what has survived.
    pub(crate) fn expected(&self) -> usize {
        (self.allowance / self.heaviness()) as usize
    }

    /// How much a byte of what is alive weighs.
    fn heaviness(&self) -> f64 {
        match self.live.bytes {
            0 => 1.0,
            bytes => self.live.weight() as f64 / bytes as f64,
        }
    }

    /// How much may be allocated when so much has survived.
    fn allowed(&self) -> f64 {
        let survivors = self.live.weight() as f64;
        let base = survivors.max((survivors * self.square_root as f64).sqrt());
        let by_growth = (base * self.pacing.sleep_factor).max(self.pacing.min_sleep as f64);
        // Limits are for the heap alone.
        let left = |limit: usize| limit.saturating_sub(self.live()) as f64 * self.heaviness();
        let by_limit = (left(self.limit) / 2.0).max(LEAST);
        // A soft limit is to be kept, unless collecting would be all that is done.
        let least = (survivors / 8.0).max(LEAST);
        let by_soft_limit = left(self.soft_limit).max(least);
        by_growth.min(by_limit).min(by_soft_limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACING: Pacing = Pacing {
        sleep_factor: 0.5,
        min_sleep: 1000,
        ..Pacing::DEFAULT
    };

    fn pacer(pacing: Pacing, limit: usize, soft_limit: usize) -> Pacer {
        Pacer::new(pacing, limit, soft_limit, 256 << 20)
    }

    /// So many bytes of values without destructors.
    fn leaves(bytes: usize) -> Volume {
        let bytes = bytes as u64;
        Volume { bytes, owners: 0 }
    }

    #[test]
    fn debt_begins_where_the_allowance_ends() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        assert_eq!(
            (pacer.debt(999), pacer.debt(1000), pacer.debt(1010)),
            (0.0, 0.0, 10.0)
        );
        pacer.finish_cycle(leaves(1 << 30), leaves(50_000), false);
        let end = 50_000 + (1 << 29);
        assert_eq!((pacer.debt(end), pacer.debt(end + 1)), (0.0, 1.0));
        assert_eq!(pacer.due_at(), end);
        pacer.adjust(100.0);
        assert_eq!(pacer.debt(end), 100.0);
        pacer.adjust(-200.0);
        assert_eq!(pacer.debt(end), 0.0);
        pacer.adjust(f64::NAN);
        assert_eq!(pacer.debt(end + 5), 5.0);
    }

    #[test]
    fn small_heaps_grow_by_more() {
        let growth = |live: usize| {
            let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
            pacer.finish_cycle(leaves(live), leaves(0), false);
            pacer.expected() as f64 / live as f64
        };
        assert_eq!((growth(1 << 30), growth(256 << 20)), (0.5, 0.5));
        assert_eq!((growth(64 << 20), growth(16 << 20)), (1.0, 2.0));
        assert_eq!(pacer(PACING, usize::MAX, usize::MAX).expected(), 1000);
    }

    #[test]
    fn owners_weigh_more_and_limits_do_not_see_it() {
        let owners = |bytes| Volume {
            bytes,
            owners: bytes,
        };
        let weight = owners(1).weight();
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.finish_cycle(owners(1 << 30), leaves(0), false);
        // The same growth in the heap itself.
        assert_eq!((pacer.due_at(), pacer.expected()), (weight << 29, 1 << 29));
        // Less than without destructors, where the square root counts.
        pacer.finish_cycle(owners(4 << 20), leaves(0), false);
        let few = pacer.expected();
        pacer.finish_cycle(leaves(4 << 20), leaves(0), false);
        assert!(few < pacer.expected() / 2 && few > 4 << 20, "{few}");
        pacer.limit = 10 << 20;
        pacer.pacing.sleep_factor = 10.0;
        pacer.finish_cycle(owners(8 << 20), leaves(0), false);
        assert_eq!(pacer.expected(), 1 << 20);
    }

    #[test]
    fn a_failed_allocation_makes_a_collection_due() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.starve();
        assert!(pacer.debt(0) > 0.0 && pacer.due_at() == 0);
        pacer.finish_cycle(leaves(0), leaves(0), false);
        assert_eq!(pacer.debt(0), 0.0);
    }

    #[test]
    fn a_limit_brings_collections_forward() {
        let megabyte = 1 << 20;
        let sleepy = Pacing {
            sleep_factor: 10.0,
            ..PACING
        };
        let mut hard = pacer(sleepy, 10 * megabyte, usize::MAX);
        hard.finish_cycle(leaves(8 * megabyte), leaves(0), false);
        assert_eq!(hard.expected(), megabyte);
        hard.finish_cycle(leaves(11 * megabyte), leaves(0), false);
        assert_eq!(hard.expected(), 64 << 10);

        let mut soft = pacer(sleepy, usize::MAX, 10 * megabyte);
        soft.finish_cycle(leaves(8 * megabyte), leaves(0), false);
        assert_eq!(soft.expected(), 2 * megabyte);
        soft.finish_cycle(leaves(16 * megabyte), leaves(0), false);
        assert_eq!(soft.expected(), 2 * megabyte);
    }

    #[test]
    fn a_collection_beside_the_program_is_due_earlier() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.start_cycle(leaves(0));
        pacer.finish_cycle(leaves(1 << 30), leaves(100 << 20), true);
        let allowance = 1 << 29;
        assert_eq!(pacer.due_at(), allowance - (150 << 20));
        // And yet not at once.
        pacer.start_cycle(leaves(1 << 30));
        pacer.finish_cycle(leaves(1 << 30), leaves(2 << 30), true);
        assert_eq!(pacer.due_at(), (1 << 30) + allowance / 16);
    }

    #[test]
    fn who_is_too_fast_assists() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.finish_cycle(leaves(1 << 30), leaves(0), false);
        pacer.note_rate(1 << 30, Duration::from_secs(1));
        assert_eq!(pacer.assist(1 << 29, 1 << 20), Duration::ZERO);
        let time = pacer.assist((1 << 29) + 1, 1 << 20);
        assert_eq!(time, Duration::from_secs_f64(2.0 / 1024.0));
    }

    #[test]
    fn less_work_is_more_speed() {
        let share = |factor: f64| {
            let pacing = Pacing {
                trace_factor: factor,
                ..PACING
            };
            let mut pacer = pacer(pacing, usize::MAX, usize::MAX);
            pacer.finish_cycle(leaves(1 << 30), leaves(0), false);
            pacer.share(1 << 20).as_secs_f64()
        };
        let is = |left: f64, right: f64| (left / right - 1.0).abs() < 1e-4;
        assert!(is(share(0.95), share(0.4) / 2.0));
        assert!(is(share(f64::INFINITY), share(0.4) / 16.0));
        // What is done with objects that die counts as well.
        assert!(is(share(0.0), share(0.35)));
        assert!(Pacing::STOP_THE_WORLD.is_at_once() && !PACING.is_at_once());
        assert!(share(f64::NAN) > 0.0);
    }
}
