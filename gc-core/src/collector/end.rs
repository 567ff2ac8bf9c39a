//! The end of a cycle: what it has found goes to the pacer and into the statistics, and memory that will not be
//! wanted back to the system.

use std::time::{Duration, Instant};

use super::cycle::{Cycle, Kind, Phase};
use super::jobs::Jobs;
use super::mark::Backlog;
use super::{Collector, Program};
use crate::collector::options::Mode;
use crate::heap::volume::Volume;
use crate::sync::Arc;

impl Collector {
    /// Judges whether the program does little but collect, because its heap is nearly full: then it gets no
    /// more memory, until a collection finds that there is room.
    fn judge_share(&self, cycle: &mut Cycle, now: Instant, holes: usize) {
        /// So many collections in a row are no accident.
        const IN_A_ROW: u32 = 8;
        let collecting = cycle.spent + (now - cycle.entered);
        let all = (now - cycle.ended).as_secs_f64();
        let share = 100.0 * (1.0 - collecting.as_secs_f64() / all.max(f64::MIN_POSITIVE));
        if self.heap.is_nearly_full(holes) && share < f64::from(self.options.minimum_share) {
            cycle.thrashing = cycle.thrashing.saturating_add(1);
        } else {
            cycle.thrashing = 0;
        }
        let refused = cycle.thrashing >= IN_A_ROW;
        self.heap.refuse(if refused {
            self.options.minimum_share
        } else {
            0
        });
    }

    /// Ends a cycle.
    ///
    /// # Safety
    ///
    /// The cycle is sweeping, every block is swept, and no job of the cycle is at work.
    pub(super) unsafe fn end(self: &Arc<Self>, cycle: &mut Cycle, program: &Program<'_>) {
        // If mutators were stopped, what was allocated since is no part of it. Else this is how much they had
        // allocated when it began.
        let (allocated, concurrent) = match cycle.kind {
            Kind::StopTheWorld => (cycle.allocated_marked, None),
            Kind::Snapshot => (program.allocated, Some(cycle.allocated_begun)),
        };
        let survivors = core::mem::take(&mut *self.sweeping.survivors.lock());
        cycle.spent += self.dying.take_spent();
        let now = Instant::now();
        let marking = cycle.marked - cycle.began;
        // Whether objects that were allocated black meanwhile are reachable is not known yet.
        let meanwhile = concurrent.map_or(0, |_| {
            let last = cycle.allocated_marked.since(cycle.allocated_unblack);
            cycle.black_before + last.bytes
        });
        // Nor do they who are only known to weak pointers count.
        let live = survivors.bytes.saturating_sub(meanwhile + cycle.shells) as usize;
        // What values own is known to the end of the cycle, so all that they have grown by is left out.
        let grown = concurrent.map_or(Volume::default(), |before| allocated.since(before));
        let elsewhere = self.heap.elsewhere(allocated);
        let survived = Volume {
            bytes: live as u64,
            owned: elsewhere.owned.saturating_sub(grown.owned.max(0)).max(0),
            owners: elsewhere.owners.saturating_sub(grown.owners),
        };
        let kept = cycle.kept.min(live);
        let room = self
            .heap
            .is_limited()
            .then(|| self.heap.room() + survivors.holes);
        let expected = self.pace(|pacer| {
            pacer.note_rate(live, marking);
            pacer.note_kept(kept, room, allocated);
            pacer.finish_cycle(survived, allocated, concurrent.is_some());
            if self.finalizers.waiting() == 0 {
                // They have run while it swept.
                pacer.note_finalized();
            }
            pacer.expected()
        });
        // A part of the allowance was allocated since the cycle began.
        let since = concurrent.map_or(0, |before| allocated.since(before).bytes);
        let wanted = expected.saturating_sub(since as usize);
        let (surplus, idle) = (wanted.saturating_sub(survivors.holes), cycle.idle);
        // SAFETY: every block is swept, and nobody sweeps or marks (the caller's promise).
        unsafe { self.enter(Phase::Sleeping) };
        let keep_house = move |this: &Collector| {
            this.heap.trim(surplus, idle, this.options.keep_spare);
            // The next cycle needs the thread more.
            let stop = || this.phase() != Phase::Sleeping || this.work.must_stop();
            // No more than has survived: a large floor is no promise that so much will be used.
            this.heap
                .prepare(surplus.min(live).min(this.options.keep_spare), stop);
        };
        let on_another_thread = concurrent.is_some()
            && !cycle.whole
            && self.options.mode == Mode::Concurrent
            && Jobs::start(self, |this| &this.housekeeping, keep_house);
        if !on_another_thread {
            self.heap.trim(surplus, idle, self.options.keep_spare);
        }
        // With what was done at this safepoint.
        let here = now - cycle.entered;
        let mut statistics = self.statistics.lock();
        statistics.collections += 1;
        statistics.collection_time += cycle.spent + here;
        statistics.longest_collection = statistics.longest_collection.max(here);
        statistics.mark_time += marking;
        statistics.sweep_time += now - cycle.marked;
        statistics.live_bytes = live;
        statistics.live_owned_bytes = survived.owned as usize;
        drop(statistics);
        // What finalizers keep goes before anything is refused.
        self.judge_share(cycle, now, survivors.holes + kept);
        cycle.spent = Duration::ZERO;
        cycle.backlog = Backlog::default();
        (cycle.entered, cycle.ended) = (now, now);
    }

    /// Verifies the heap after a cycle.
    ///
    /// # Panics
    ///
    /// If something is wrong.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`]; mutators are stopped, and no cycle is in progress.
    pub(super) unsafe fn verify_at_end(&self) {
        self.jobs.close();
        // SAFETY: no cycle is in progress, mutators are stopped, and the thread may trace values (safepoint
        // promise 3).
        let verified = unsafe { self.verify(self.has_unknown_writes()) };
        verified.unwrap_or_else(|error| panic!("after a collection, {error}"));
    }
}
