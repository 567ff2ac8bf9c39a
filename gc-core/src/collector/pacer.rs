//! The pacer: when the next collection is due, and how fast it must go.
//!
//! A collection costs about as much as its survivors, and memory costs in proportion to what is
//! allocated between two. The sum of both over several heaps is least if the allocation of each is
//! in proportion to the square root of its survivors (Kirisame, Shenoy and Panchekha, "Optimal Heap
//! Limits for Reducing Browser Memory Use", OOPSLA 2022). So a collection should be over when the bytes
//! allocated since the end of the last one are a given fraction of
//!
//! ```text
//! max(live, sqrt(live * square_root))
//! ```
//!
//! which is the familiar growth by a percentage for large heaps, and more for those smaller than
//! `square_root`. These bytes are the *allowance*. It is at least a floor, below which the fixed costs of a collection
//! would count. Near its limit a heap is collected earlier, when half of what the limit leaves free was allocated; the
//! same holds near its soft limit.
//!
//! There are two allowances: one of bytes of the heap, and one of what values own outside of it. The one that is used
//! up first counts. Neither can replace the other: next to heavy survivors, light garbage would fill the heap with many
//! times the live bytes, and beyond its limit; next to light survivors, heavy garbage would not be seen. Limits are for
//! the heap alone.
//!
//! What values own *weighs* more than as many bytes of the heap ([`Volume::weight`]): it is dearer if it leaves the
//! cache before it is used again. So its allowance follows from the weight of all that has survived, by the same rule with
//! smaller constants: floor and `square_root` are divided by [`LOWER`]. It is the weight of *all* survivors, as they are
//! what a collection costs: a large heap of which little is outside is not collected for each bit of garbage there.
//! What owns nothing uses nothing of that allowance, so a heap without destructors is paced by its bytes alone.
//!
//! A collection that stops the program is due at the end of the allowance. One during which the
//! program goes on allocating is due earlier: by as much as the program allocated during the last one,
//! and half as much again. *Debt* is by how many bytes the allocation has overrun that point.
//!
//! Objects that only wait for their finalizers are no survivors, and earn the program no allowance. Finalizers must
//! have run when the next collection begins. So each safepoint owes the same part of them that the program has used of
//! its allowance since the last safepoint. If a heap would be below its limit without these objects, it is *crowded*:
//! when the finalizers have run, another collection is due whatever the debt.
//!
//! If the program allocates faster than expected, its allowance is used up before the collection has ended. Then the
//! program *assists*: for each byte that it allocates, its safepoints work for longer than the collection of one byte
//! takes; the further it has overrun, the longer.

use core::time::Duration;

use crate::collector::pacing::Pacing;
use crate::heap::volume::Volume;

/// The least allocation between two collections that a limit brings about, in bytes.
const LEAST: f64 = (64 << 10) as f64;

/// By how much the floor and `square_root` are smaller for what is outside of the heap. Its garbage should stay in the
/// cache of a processor, which has 1 or 2 MiB.
const LOWER: f64 = 4.0;

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

/// An amount of allocation, by both measures.
#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    /// Bytes of the heap.
    bytes: f64,
    /// The weight of what values own elsewhere.
    weight: f64,
}

impl Amount {
    fn of(volume: Volume) -> Amount {
        Amount {
            bytes: volume.bytes as f64,
            weight: volume.weight() as f64,
        }
    }

    /// What `f` makes of it and of `other`, by each measure.
    fn with(self, other: Amount, f: impl Fn(f64, f64) -> f64) -> Amount {
        Amount {
            bytes: f(self.bytes, other.bytes),
            weight: f(self.weight, other.weight),
        }
    }

    /// The larger of the two.
    fn most(self) -> f64 {
        self.bytes.max(self.weight)
    }
}

/// From where on a collection may be due: when either was allocated ever. The weight wraps, as
/// [`Volume::total`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) bytes: u64,
    pub(crate) weight: u64,
}

impl Due {
    /// At once.
    pub(crate) const NOW: Due = Due {
        bytes: 0,
        weight: 0,
    };
}

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
    /// Objects allocated ever that the last collection has looked at.
    allocated_before: Volume,
    /// What may be allocated more until the end of the next.
    allowance: Amount,
    /// What will be allocated while that runs.
    headroom: Amount,
    /// Debt that was added by hand.
    artificial: f64,
    /// Whether an allocation has failed since.
    starved: bool,
    /// Bytes of what survived that only wait for finalizers.
    kept: usize,
    /// Whether these are what leaves the heap little room; and whether they have run since.
    crowded: bool,
    wanted: bool,
    /// What was allocated since the last collection when it was reckoned how many finalizers are to run.
    looked: Amount,
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
            allocated_before: Volume::default(),
            allowance: Amount::default(),
            headroom: Amount::default(),
            artificial: 0.0,
            starved: false,
            kept: 0,
            crowded: false,
            wanted: false,
            looked: Amount::default(),
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

    /// Whether all collections stop the world, whatever the mode.
    pub(crate) fn stops_the_world(&self) -> bool {
        self.pacing.stops_the_world()
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

    /// Whether a collection is due whatever the debt: an allocation has failed, or finalizers have run that were all
    /// that stood between the heap and its limit.
    pub(crate) fn is_pressed(&self) -> bool {
        self.starved || self.wanted
    }

    /// Notes, when a collection is over, that `kept` bytes only wait for finalizers, and that `room` bytes are free
    /// below the limit, if there is one.
    pub(crate) fn note_kept(&mut self, kept: usize, room: Option<usize>, allocated: Volume) {
        // What was allocated before this collection may be allocated before the next.
        let needed = allocated.since(self.allocated_before).bytes as usize;
        let is_short = room.is_some_and(|room| room < needed.max(self.limit / 4));
        self.kept = kept;
        self.crowded = kept > 0 && (self.starved || is_short);
    }

    /// Whether what waits for finalizers is all that leaves the heap little room.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded
    }

    /// Notes that no finalizers wait any more.
    pub(crate) fn note_finalized(&mut self) {
        self.wanted |= core::mem::take(&mut self.crowded);
    }

    /// Which part of the finalizers that wait is to run now, when so much was allocated ever, so that all have run
    /// when the next collection is due; at most 1.
    pub(crate) fn part_to_finalize(&mut self, allocated: Volume) -> f64 {
        if self.is_pressed() {
            return 1.0;
        }
        let since = Amount::of(allocated.since(self.allocated_before));
        let before = core::mem::replace(&mut self.looked, since);
        let used = since.with(before, |since, before| since - before);
        let left = self
            .trigger()
            .with(before, |trigger, before| trigger - before);
        let part = used.with(
            left,
            |used, left| if used < left { used / left } else { 1.0 },
        );
        part.most()
    }

    /// Bytes that survived the last collection.
    pub(crate) fn live(&self) -> usize {
        self.live.bytes as usize
    }

    /// By how many bytes a collection is overdue; zero if it is not due.
    pub(crate) fn debt(&self, allocated: Volume) -> f64 {
        let since = Amount::of(allocated.since(self.allocated_before));
        let over = since.with(self.trigger(), |since, trigger| since - trigger);
        // What was added by hand is bytes. It puts off what is elsewhere as well, but does not make it overdue.
        let debt = (over.bytes + self.artificial).max(over.weight + self.artificial.min(0.0));
        if self.is_pressed() {
            debt.max(1.0)
        } else {
            debt.max(0.0)
        }
    }

    /// After how much a collection is due.
    fn trigger(&self) -> Amount {
        // However fast the program is, it is let alone for a while.
        self.allowance.with(self.headroom, |allowance, headroom| {
            (allowance - headroom).max(allowance / 16.0)
        })
    }

    /// From where on there may be debt.
    pub(crate) fn due_at(&self) -> Due {
        if self.is_pressed() || self.artificial > 0.0 {
            return Due::NOW;
        }
        let trigger = self.trigger();
        let after = |trigger: f64| ((trigger - self.artificial) as u64).min(i64::MAX as u64);
        let before = self.allocated_before;
        Due {
            bytes: before.bytes.saturating_add(after(trigger.bytes)),
            weight: before.total_weight().wrapping_add(after(trigger.weight)),
        }
    }

    /// A collection begins.
    pub(crate) fn start_cycle(&mut self, allocated: Volume) {
        self.allocated_at_start = allocated;
    }

    /// For how long a safepoint should mark after the program has allocated so much more, in a collection that
    /// no other thread does.
    pub(crate) fn share(&self, allocated: Volume) -> Duration {
        let runway = self.runway();
        let part =
            Amount::of(allocated).with(runway, |allocated, runway| allocated / runway.max(LEAST));
        let time = self.live.bytes.max(1 << 20) as f64 / self.rate;
        let factor = ASSIST * self.pacing.speed();
        Duration::from_secs_f64((time * part.most() * factor).min(1.0))
    }

    /// The same where another thread does it, `allocated` ever and `more` since the last time: nothing, unless
    /// the program is too fast.
    pub(crate) fn assist(&self, allocated: Volume, more: Volume) -> Duration {
        let overrun = self.overrun(allocated);
        if overrun <= 0.0 {
            return Duration::ZERO;
        }
        // As bytes of what is alive.
        let live = self.live.bytes.max(1) as f64;
        let bytes =
            (more.bytes as f64).max(more.weight() as f64 * live / self.live_weight().max(1.0));
        let factor = ASSIST * self.pacing.speed() * (1.0 + HASTE * overrun);
        Duration::from_secs_f64((bytes / self.rate * factor).min(1.0))
    }

    /// Whether the program is so far beyond its allowance that steps may be longer than they should.
    pub(crate) fn is_urgent(&self, allocated: Volume) -> bool {
        self.overrun(allocated) > URGENT
    }

    /// Whether the program is so far beyond its allowance that the collection must be completed now:
    /// where that takes no longer than a short pause, or there is no end in sight.
    pub(crate) fn is_lost(&self, allocated: Volume) -> bool {
        let overrun = self.overrun(allocated);
        overrun > LOST || overrun > LOST / 2.0 && (self.live.bytes as f64) < self.rate * SHORT_PAUSE
    }

    /// By which part of the allowance it was overrun; negative as long as there is some left.
    fn overrun(&self, allocated: Volume) -> f64 {
        let since = Amount::of(allocated.since(self.allocated_before));
        let used = since.with(self.allowance, |since, allowance| {
            since / allowance.max(LEAST)
        });
        used.most() - 1.0
    }

    /// Bytes of the heap that will probably be allocated during a concurrent collection.
    pub(crate) fn headroom(&self) -> f64 {
        self.headroom.bytes
    }

    /// What may be allocated from the beginning of the present collection to its end.
    fn runway(&self) -> Amount {
        let before = Amount::of(self.allocated_at_start.since(self.allocated_before));
        self.allowance
            .with(before, |allowance, before| allowance - before)
    }

    /// Notes that one thread has marked so many bytes in this time.
    pub(crate) fn note_rate(&mut self, bytes: usize, time: Duration) {
        if bytes > 1 << 20 && time > Duration::ZERO {
            self.rate = bytes as f64 / time.as_secs_f64();
        }
    }

    /// Starts to count anew: `live` survived, and `allocated` was allocated ever. `concurrent`
    /// says whether the program went on meanwhile. Then what it has allocated since the beginning counts: as a rule nothing
    /// of that was freed, and what was, in a cycle that remembers writes, only makes the next come earlier.
    pub(crate) fn finish_cycle(&mut self, live: Volume, allocated: Volume, concurrent: bool) {
        (self.headroom, self.allocated_before) = if concurrent {
            let meanwhile = Amount::of(allocated.since(self.allocated_at_start));
            let margin = Amount {
                bytes: MARGIN,
                weight: MARGIN,
            };
            (
                meanwhile.with(margin, |meanwhile, margin| meanwhile * margin),
                // What dead values have given up to their finalizers makes no room.
                self.allocated_at_start.at_most_owned(allocated),
            )
        } else {
            (Amount::default(), allocated)
        };
        self.live = live;
        self.artificial = 0.0;
        (self.starved, self.wanted) = (false, false);
        self.looked = Amount::of(allocated.since(self.allocated_before));
        self.allowance = self.allowed();
    }

    /// Bytes of the heap that the program is expected to allocate until the end of the next collection, if it
    /// goes on to make what has survived.
    pub(crate) fn expected(&self) -> usize {
        let live = Amount::of(self.live);
        if live.bytes == 0.0 || live.weight == 0.0 {
            return self.allowance.bytes as usize;
        }
        let by_weight = self.allowance.weight * live.bytes / live.weight;
        self.allowance.bytes.min(by_weight) as usize
    }

    /// What all that is alive weighs.
    fn live_weight(&self) -> f64 {
        let live = Amount::of(self.live);
        live.bytes + live.weight
    }

    /// How much may be allocated when so much has survived.
    fn allowed(&self) -> Amount {
        let by_growth = |survivors: f64, square_root: f64, floor: f64| {
            let base = survivors.max((survivors * square_root).sqrt());
            (base * self.pacing.sleep_factor).max(floor)
        };
        let (square_root, floor) = (self.square_root as f64, self.pacing.min_sleep as f64);
        let live = self.live.bytes as f64;
        let lasting = 1.0 - (self.kept as f64 / live.max(1.0)).min(1.0);
        let weight = by_growth(
            self.live_weight() * lasting,
            square_root / LOWER,
            floor / LOWER,
        );
        let left = |limit: usize| limit.saturating_sub(self.live()) as f64;
        let by_limit = (left(self.limit) / 2.0).max(LEAST);
        // A soft limit is to be kept, unless collecting would be all that is done.
        let by_soft_limit = left(self.soft_limit).max((live / 8.0).max(LEAST));
        Amount {
            bytes: by_growth(live * lasting, square_root, floor)
                .min(by_limit)
                .min(by_soft_limit),
            weight,
        }
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
        Volume::of_bytes(bytes as u64)
    }

    #[test]
    fn debt_begins_where_the_allowance_ends() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        assert_eq!(
            [999, 1000, 1010].map(|bytes| pacer.debt(leaves(bytes))),
            [0.0, 0.0, 10.0]
        );
        pacer.finish_cycle(leaves(1 << 30), leaves(50_000), false);
        let end = 50_000 + (1 << 29);
        assert_eq!(
            [end, end + 1].map(|bytes| pacer.debt(leaves(bytes))),
            [0.0, 1.0]
        );
        assert_eq!(pacer.due_at().bytes, end as u64);
        pacer.adjust(100.0);
        assert_eq!(pacer.debt(leaves(end)), 100.0);
        pacer.adjust(-200.0);
        assert_eq!(pacer.debt(leaves(end)), 0.0);
        pacer.adjust(f64::NAN);
        assert_eq!(pacer.debt(leaves(end + 5)), 5.0);
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

    /// Values that own seven times what they take, and weigh 28 times that.
    fn owners(bytes: usize) -> Volume {
        Volume {
            owned: 7 * bytes as i64,
            ..leaves(bytes)
        }
    }

    #[test]
    fn what_values_own_counts_and_limits_do_not_see_it() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.finish_cycle(owners(1 << 30), leaves(0), false);
        // Half of what is alive, in the heap and elsewhere; so the same growth in the heap, and a bit.
        assert_eq!(pacer.due_at().weight, 29 << 29);
        assert!((1 << 29..=29 * (1 << 29) / 28).contains(&pacer.expected()));
        // Less than where nothing is owned, where the square root counts.
        pacer.finish_cycle(owners(4 << 20), leaves(0), false);
        let few = pacer.expected();
        pacer.finish_cycle(leaves(4 << 20), leaves(0), false);
        assert!(few < pacer.expected() / 4 && few > 2 << 20, "{few}");
        // What owns nothing fills the heap by no more beside what does; and what does is seen beside what does not.
        pacer.finish_cycle(owners(1 << 30), leaves(0), false);
        assert_eq!(pacer.debt(leaves((1 << 29) + 1)), 1.0);
        pacer.finish_cycle(leaves(1 << 30), leaves(0), false);
        let enough = (1 << 29) / 28 + 1;
        let over = (28 * enough - (1 << 29)) as f64;
        assert_eq!(
            [enough - 1, enough].map(|bytes| pacer.debt(owners(bytes))),
            [0.0, over]
        );
        pacer.limit = 10 << 20;
        pacer.pacing.sleep_factor = 10.0;
        pacer.finish_cycle(owners(8 << 20), leaves(0), false);
        assert_eq!(pacer.expected(), 1 << 20);
    }

    #[test]
    fn what_is_elsewhere_has_a_lower_floor_and_plain_heaps_have_not() {
        let floor = 8 << 20;
        let pacing = Pacing {
            min_sleep: floor,
            ..PACING
        };
        let mut pacer = pacer(pacing, usize::MAX, usize::MAX);
        let silent = |count: usize| Volume {
            owners: count as u64,
            ..leaves(0)
        };
        // Before the first collection as well.
        for _ in 0..2 {
            assert_eq!(pacer.debt(leaves(floor)), 0.0);
            let least = floor / 4 / 28;
            assert!(pacer.debt(owners(least)) == 0.0 && pacer.debt(owners(least + 1)) > 0.0);
            // Nor need they tell of it.
            let many = floor / 4 / 192;
            assert!(pacer.debt(silent(many)) == 0.0 && pacer.debt(silent(many + 1)) > 0.0);
            pacer.finish_cycle(leaves(0), leaves(0), false);
        }
        // A large heap is not collected for each bit of garbage outside of it.
        pacer.finish_cycle(leaves(1 << 30), leaves(0), false);
        assert_eq!(pacer.debt(owners((1 << 29) / 28)), 0.0);
    }

    #[test]
    fn what_values_have_shrunk_by_is_no_debt() {
        let at = |bytes, owned| Volume {
            owned,
            ..leaves(bytes)
        };
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        let enough = 250 / 4;
        pacer.finish_cycle(leaves(0), at(0, 1 << 40), false);
        assert_eq!(pacer.debt(at(0, (1 << 40) + enough)), 0.0);
        assert_eq!(pacer.debt(at(0, (1 << 40) + enough + 100)), 398.0);
        assert_eq!(pacer.debt(at(900, 1 << 39)), 0.0);
        assert_eq!(pacer.debt(at(1100, 1 << 39)), 100.0);
        // Sums of lies wrap.
        pacer.finish_cycle(leaves(0), at(0, i64::MAX), false);
        let beyond = i64::MAX.wrapping_add(enough + 100);
        assert_eq!(pacer.debt(at(0, beyond)), 398.0);
        let overrun = at(0, beyond)
            .total_weight()
            .wrapping_sub(pacer.due_at().weight);
        assert_eq!(overrun, 398);
    }

    #[test]
    fn what_the_dead_have_given_up_in_a_cycle_makes_no_room() {
        let at = |owned| Volume { owned, ..leaves(0) };
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.start_cycle(at(1 << 30));
        pacer.finish_cycle(leaves(0), at(1 << 29), true);
        assert_eq!(pacer.debt(at(1 << 29)), 0.0);
        assert!(pacer.debt(at((1 << 29) + 1000)) > 0.0);
        // What they have grown by is there still.
        pacer.start_cycle(at(1 << 29));
        pacer.finish_cycle(leaves(0), at(1 << 30), true);
        assert!(pacer.debt(at(1 << 30)) > 0.0);
    }

    #[test]
    fn a_failed_allocation_makes_a_collection_due() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.starve();
        assert!(pacer.debt(leaves(0)) > 0.0 && pacer.due_at() == Due::NOW);
        pacer.finish_cycle(leaves(0), leaves(0), false);
        assert_eq!(pacer.debt(leaves(0)), 0.0);
    }

    #[test]
    fn what_waits_for_finalizers_is_no_survivor() {
        let mut pacer = pacer(PACING, 64 << 20, usize::MAX);
        pacer.finish_cycle(leaves(16 << 20), leaves(0), false);
        let without = pacer.expected();
        pacer.note_kept(8 << 20, Some(40 << 20), leaves(0));
        pacer.finish_cycle(leaves(24 << 20), leaves(0), false);
        // But it takes room below the limit.
        assert_eq!((pacer.expected(), without), (20 << 20, 24 << 20));
        assert!(!pacer.is_crowded());
        pacer.note_kept(24 << 20, Some(40 << 20), leaves(0));
        pacer.finish_cycle(leaves(24 << 20), leaves(0), false);
        assert_eq!(pacer.expected(), 1000);
    }

    #[test]
    fn finalizers_have_run_when_the_next_collection_is_due() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        let allowance = 1000;
        for start in [0, 5000] {
            pacer.finish_cycle(leaves(0), leaves(start), false);
            let mut left = 1.0;
            for step in 1..=10 {
                let part = pacer.part_to_finalize(leaves(start + step * allowance / 10));
                left -= left * part;
                assert!((left - (1.0 - step as f64 / 10.0)).abs() < 1e-9, "{left}");
            }
            assert_eq!(left, 0.0);
            assert_eq!(pacer.part_to_finalize(leaves(start + 2 * allowance)), 1.0);
        }
        pacer.finish_cycle(leaves(0), leaves(7000), false);
        assert_eq!(pacer.part_to_finalize(leaves(7000)), 0.0);
        pacer.starve();
        assert_eq!(pacer.part_to_finalize(leaves(7000)), 1.0);
    }

    #[test]
    fn a_crowded_heap_is_collected_when_finalizers_have_run() {
        let mut pacer = pacer(PACING, 1 << 20, usize::MAX);
        for (kept, room, crowded) in [(0, 0, false), (1, 0, true), (1, 1 << 19, false)] {
            pacer.note_kept(kept, Some(room), leaves(0));
            pacer.finish_cycle(leaves(kept), leaves(0), false);
            pacer.note_finalized();
            assert_eq!((pacer.is_pressed(), pacer.is_crowded()), (crowded, false));
            assert_eq!(pacer.debt(leaves(0)) > 0.0, crowded);
        }
        // Not without a limit, unless an allocation has failed.
        for starved in [false, true] {
            if starved {
                pacer.starve();
            }
            pacer.note_kept(1, None, leaves(0));
            pacer.finish_cycle(leaves(1), leaves(0), false);
            assert_eq!(pacer.is_crowded(), starved);
        }
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
    fn a_concurrent_collection_is_due_earlier() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.start_cycle(leaves(0));
        pacer.finish_cycle(leaves(1 << 30), leaves(100 << 20), true);
        let allowance = 1 << 29;
        assert_eq!(pacer.due_at().bytes, (allowance - (150 << 20)) as u64);
        // And yet not immediately.
        pacer.start_cycle(leaves(1 << 30));
        pacer.finish_cycle(leaves(1 << 30), leaves(2 << 30), true);
        assert_eq!(pacer.due_at().bytes, ((1 << 30) + allowance / 16) as u64);
    }

    #[test]
    fn who_is_too_fast_assists() {
        let mut pacer = pacer(PACING, usize::MAX, usize::MAX);
        pacer.finish_cycle(leaves(1 << 30), leaves(0), false);
        pacer.note_rate(1 << 30, Duration::from_secs(1));
        assert_eq!(
            pacer.assist(leaves(1 << 29), leaves(1 << 20)),
            Duration::ZERO
        );
        let time = pacer.assist(leaves((1 << 29) + 1), leaves(1 << 20));
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
            pacer.share(leaves(1 << 20)).as_secs_f64()
        };
        let is = |left: f64, right: f64| (left / right - 1.0).abs() < 1e-4;
        assert!(is(share(0.95), share(0.4) / 2.0));
        assert!(is(share(f64::INFINITY), share(0.4) / 16.0));
        // What is done with objects that die counts as well.
        assert!(is(share(0.0), share(0.35)));
        assert!(Pacing::STOP_THE_WORLD.stops_the_world() && !PACING.stops_the_world());
        assert!(share(f64::NAN) > 0.0);
    }
}
