//! A cycle in steps, each at a safepoint, or beside the program.

use core::time::Duration;
use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use super::claim::Found;
use super::jobs::{Jobs, processors};
use super::mark::{Backlog, Marker, Role};
use super::references::Stage;
use super::work::MARKERS;
use super::{Collector, Cycle, LITTLE_ROOM, Mutators, Phase, World};
use crate::collector::options::Mode;
use crate::heap::black::Births;
use crate::heap::sweep::Sweeper;
use crate::heap::volume::Volume;
use crate::sync::{Arc, Ordering};

/// How many units of some work are done between two looks at the clock.
pub(super) const BETWEEN_LOOKS: usize = 16;

/// A safepoint works at least this part of a step, for later, however little was allocated.
const IDLE: u32 = 64;

/// What a safepoint has to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Whether it is to work for what the program has allocated, beside what only it can do.
    pub(super) due: bool,
    /// For how long at most.
    pub(super) limit: Duration,
    /// Whether it is to complete the cycle instead: an allocation has failed or might soon, or the program
    /// is far beyond what it should allocate during a collection.
    pub(super) hurry: bool,
}

impl Collector {
    /// Begins a cycle during which the program goes on.
    pub(super) unsafe fn begin(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        self.jobs.close();
        let began = Instant::now();
        cycle.number += 1;
        cycle.at_once = false;
        cycle.began = began;
        cycle.spent = Duration::ZERO;
        cycle.credit = Duration::ZERO;
        cycle.allocated = world.allocated;
        cycle.idle = self.heap.spare_blocks();
        cycle.kept = self.finalizers.bytes();
        let mut panicked = None;
        (world.stopped)(&mut || {
            self.pacer.lock().start_cycle(world.allocated);
            self.enter(Phase::Marking);
            self.forget_weak_reads(cycle);
            self.begin_births(cycle, world);
            cycle.stage = Stage::Queue;
            self.finalizers.begin_to_visit();
            self.choose_soft();
            let asked = panic::catch_unwind(AssertUnwindSafe(|| {
                let mut found = Found::default();
                (world.roots)(&mut found.finder(self));
                self.visit_cohorts(&mut found.finder(self));
                found.hand_over(&self.work);
                // SAFETY: no `mutate` call is running.
                let contents = |start| unsafe { self.contents_of_guarded(start) };
                self.guarded.ask_all(contents);
            }));
            panicked = asked.err();
            if panicked.is_some() {
                self.give_up(cycle);
            }
        });
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
        if self.mode == Mode::Concurrent {
            self.start_markers();
        }
        self.note_step(cycle, began);
    }

    /// Starts jobs that mark beside the program; whether there are threads for them.
    fn start_markers(self: &Arc<Self>) -> bool {
        (0..self.background()).all(|number| {
            let mark = move |this: &Collector| {
                let began = Instant::now();
                this.work.termination.start();
                let (heap, work, role) = (&this.heap, &this.work, this.role(number));
                let backlog = Backlog::default();
                // SAFETY: the number is this job's alone, and marking does not end before the job has, for
                // it is waited for, or does not begin. The program claims what it writes.
                unsafe {
                    if this.phase() == Phase::Finalizing {
                        Marker::<true, true>::new(heap, work, role, backlog).run_with_others();
                    } else {
                        Marker::<true, false>::new(heap, work, role, backlog).run_with_others();
                    }
                }
                this.statistics.lock().concurrent_time += began.elapsed();
            };
            Jobs::start(self, |this| &this.jobs, mark)
        })
    }

    /// How many threads mark beside the program.
    pub(super) fn background(&self) -> usize {
        match (self.mode, self.markers) {
            (Mode::Concurrent, 0) => (processors() - 1).clamp(1, 2),
            (Mode::Concurrent, markers) => markers.min(MARKERS - 1),
            _ => 0,
        }
    }

    /// The role of a marker in a cycle during which the program goes on. The highest number is that of the
    /// thread at the safepoint.
    pub(super) fn role(&self, number: usize) -> Role {
        Role {
            number,
            count: self.background() + 1,
            all_dirty: false,
            asks: false,
        }
    }

    /// Does a part of the cycle in progress.
    pub(super) unsafe fn step(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        world: &World<'_>,
        share: Share,
    ) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self.phase() {
                Phase::Sleeping => {}
                Phase::Marking | Phase::Finalizing => self.mark_step(cycle, world, share),
                Phase::Settling => {
                    self.timed(cycle, share.limit, |cycle, end| {
                        self.settle(cycle, world, end)
                    });
                }
                Phase::Sweeping => self.sweep_step(cycle, world, share),
                Phase::Abandoned => self.start_again(cycle, world),
            }
        }
    }

    /// Brings the cycle in progress nearer to its end, however long it takes.
    pub(super) unsafe fn hurry(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self.phase() {
                Phase::Marking | Phase::Finalizing => {
                    self.process(cycle, None);
                    {
                        let _hungry = self.work.hungry();
                        self.mark_some(cycle, world, None);
                        while !self.work.termination.all_rest() {
                            std::thread::yield_now();
                            self.mark_some(cycle, world, None);
                        }
                    }
                    self.try_to_end_marking(cycle, world, None);
                }
                Phase::Settling => self.settle(cycle, world, None),
                Phase::Sweeping => self.sweep_some(cycle, world, None, true),
                Phase::Abandoned => self.start_again(cycle, world),
                Phase::Sleeping => {}
            }
        }
    }

    /// Clears away what an abandoned cycle has done, and collects at once.
    unsafe fn start_again(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        cycle.entered = Instant::now();
        self.clear_away(cycle);
        // SAFETY: passed on to the caller.
        unsafe { self.collect_at_once(cycle, world) }
    }

    /// Works for some time at most, and notes how long it was.
    fn timed(
        &self,
        cycle: &mut Cycle,
        limit: Duration,
        work: impl FnOnce(&mut Cycle, Option<Instant>),
    ) {
        let began = Instant::now();
        cycle.entered = began;
        // A step of no bound has none that the clock could reach.
        work(cycle, began.checked_add(limit));
        self.note_step(cycle, began);
    }

    pub(super) fn note_step(&self, cycle: &mut Cycle, began: Instant) {
        let took = began.elapsed();
        cycle.spent += took;
        let mut statistics = self.statistics.lock();
        statistics.longest_collection = statistics.longest_collection.max(took);
    }

    /// What this safepoint has to do for what the program has allocated since the last.
    pub(super) fn take_share(&self, cycle: &mut Cycle, world: &World<'_>) -> Share {
        let allocated = world.allocated.since(cycle.allocated);
        cycle.allocated = world.allocated;
        let pacer = self.pacer.lock();
        cycle.credit += match self.mode {
            Mode::Concurrent => pacer.assist(world.allocated, allocated),
            // A program that comes by often and allocates little brings the cycle to its end, too.
            _ => pacer.share(allocated).max(self.step / IDLE),
        };
        let limit = if pacer.is_urgent(world.allocated) {
            cycle.credit.max(self.step)
        } else {
            self.step
        };
        let lost = pacer.is_pressed() || pacer.is_lost(world.allocated);
        drop(pacer);
        // Not for every microsecond: what is begun has to be worth it.
        let enough = cycle.credit >= self.step / 2;
        let due = match self.mode {
            Mode::Concurrent => enough && cycle.credit > Duration::ZERO,
            _ => enough || self.zeal.collect,
        };
        if due {
            cycle.credit = Duration::ZERO;
        }
        // The program might run into the heap's limit before its next safepoint.
        let cramped = self.heap.is_limited()
            && self.heap.room() < LITTLE_ROOM / 2 + 2 * allocated.bytes as usize;
        Share {
            due,
            limit,
            hurry: lost || cramped,
        }
    }

    pub(super) unsafe fn mark_step(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        world: &World<'_>,
        Share { due, limit, .. }: Share,
    ) {
        let beside = self.mode == Mode::Concurrent;
        if self.is_spoiled() {
            return (world.stopped)(&mut || self.give_up(cycle));
        }
        let is_processed = self.is_processed(cycle);
        if self.work.has_no_by_value() && self.jobs.unfinished() > 0 && !due && is_processed {
            return;
        }
        // What has come up since is in the hands of markers from now on, and the queues do not tell of it.
        // Relaxed: as in `Collector::enter`.
        self.stands.store(false, Ordering::Relaxed);
        self.timed(cycle, limit, |cycle, end| {
            // SAFETY: this is the thread at the safepoint.
            if !is_processed && !unsafe { self.process(cycle, end) } {
                return;
            }
            if due || !self.work.has_no_by_value() {
                // SAFETY: passed on to the caller.
                unsafe { self.ask_and_mark(cycle, world, end, due) };
            }
            if !self.work.has_no_packets() || !cycle.backlog.is_empty() {
                if beside && self.jobs.unfinished() == 0 && !self.start_markers() && !due {
                    // There are no other threads to be had.
                    // SAFETY: passed on to the caller.
                    unsafe { self.ask_and_mark(cycle, world, end, true) };
                }
                return;
            }
            if self.work.has_no_by_value()
                && (self.jobs.unfinished() == 0 || self.work.termination.all_rest())
            {
                // SAFETY: passed on to the caller.
                unsafe { self.try_to_end_marking(cycle, world, end) }
            }
        });
    }

    /// Asks objects for their pointers and marks, until there is nothing to do or the time is over.
    unsafe fn mark_some(&self, cycle: &mut Cycle, world: &World<'_>, deadline: Option<Instant>) {
        // SAFETY: passed on to the caller.
        unsafe { self.ask_and_mark(cycle, world, deadline, true) }
    }

    /// [`Collector::mark_some`], which only asks if not told to mark.
    unsafe fn ask_and_mark(
        &self,
        cycle: &mut Cycle,
        world: &World<'_>,
        deadline: Option<Instant>,
        mark: bool,
    ) {
        let is_over = || deadline.is_some_and(|end| Instant::now() >= end);
        let role = self.role(self.background());
        self.work.termination.start();
        loop {
            let mut asked = 0;
            let asking = panic::catch_unwind(AssertUnwindSafe(|| {
                let mut found = Found::default();
                let mut locked = Vec::new();
                while let Some(object) = self.work.take_by_value() {
                    // SAFETY: passed on to the caller.
                    if !unsafe { self.ask(object, &mut found) } {
                        locked.push(object);
                    }
                    asked += 1;
                    if asked % BETWEEN_LOOKS == 0 && is_over() {
                        break;
                    }
                }
                if !locked.is_empty() {
                    self.ask_all_stopped(&locked, world, &mut found);
                }
                found.hand_over(&self.work);
            }));
            if let Err(payload) = asking {
                self.work.termination.rest();
                (world.stopped)(&mut || self.give_up(cycle));
                panic::resume_unwind(payload);
            }
            if !mark || asked > 0 && is_over() {
                break;
            }
            let done = if self.phase() == Phase::Finalizing {
                self.mark_as::<true>(cycle, role, deadline)
            } else {
                self.mark_as::<false>(cycle, role, deadline)
            };
            if !done || self.work.has_no_by_value() {
                break;
            }
        }
        self.work.termination.rest();
    }

    /// Asks objects for their pointers in which there are locks that are taken, or whose guards were leaked.
    fn ask_all_stopped(&self, locked: &[usize], world: &World<'_>, found: &mut Found) {
        let mut panicked = None;
        (world.stopped)(&mut || {
            let asking = panic::catch_unwind(AssertUnwindSafe(|| {
                for &object in locked {
                    // SAFETY: it is an object that a marker has found, and mutators are stopped.
                    unsafe { self.ask_stopped(object, found) }
                }
            }));
            panicked = asking.err();
        });
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
    }

    /// Marks at a safepoint, until there is nothing to do or the time is over. Whether there is nothing to do.
    pub(super) fn mark_as<const DEAD: bool>(
        &self,
        cycle: &mut Cycle,
        role: Role,
        deadline: Option<Instant>,
    ) -> bool {
        let backlog = core::mem::take(&mut cycle.backlog);
        let mut marker =
            // SAFETY: the number is that of safepoints, of which there is one at a time, and so is the
            // backlog. The program claims what it writes.
            unsafe { Marker::<true, DEAD>::new(&self.heap, &self.work, role, backlog) };
        let done = marker.run(true, deadline);
        if !done && self.mode == Mode::Concurrent {
            // Others may be out of work before this thread comes again.
            marker.give_up_work();
        }
        cycle.backlog = marker.into_backlog();
        done
    }

    /// Gives up a cycle in which something panicked. The program is stopped.
    fn give_up(&self, cycle: &mut Cycle) {
        self.abandon();
        self.clear_away(cycle);
    }

    /// Ends marking, if everything is marked; or lets the cycle stand there. What may have to be scanned again is, until
    /// the time is over.
    unsafe fn try_to_end_marking(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        world: &World<'_>,
        deadline: Option<Instant>,
    ) {
        let mut panicked = None;
        (world.stopped)(&mut || {
            if self.is_spoiled() {
                self.give_up(cycle);
                return;
            }
            // Mutators may have handed over some more when they were stopped. That is for markers to do
            // when the program goes on.
            if !self.work.has_no_packets() || !self.work.has_no_by_value() {
                return;
            }
            let is_processed = self.is_processed(cycle);
            self.jobs.close();
            // First that all rest, then that there is nothing: nobody adds anything any more.
            let complete = is_processed
                && self.work.termination.all_rest()
                && self.work.has_no_packets()
                && self.work.has_no_by_value()
                && cycle.backlog.is_empty();
            if !complete {
                return;
            }
            if self.must_rescan() {
                // SAFETY: passed on to the caller; the program is stopped, and so are the markers.
                match unsafe { self.rescan(cycle, world, deadline) } {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(payload) => {
                        panicked = Some(payload);
                        self.give_up(cycle);
                        return;
                    }
                }
            }
            if self.zeal.naive_mark {
                // SAFETY: passed on to the caller; the program is stopped.
                let check = || unsafe { self.check_marks(world.roots) };
                panicked = panic::catch_unwind(AssertUnwindSafe(check)).err();
                if panicked.is_some() {
                    self.give_up(cycle);
                    return;
                }
            }
            if self.phase() == Phase::Finalizing {
                self.begin_to_settle(cycle);
                if cycle.weak.is_empty() {
                    self.begin_to_sweep(cycle, world);
                }
                return;
            }
            if cycle.hold {
                // Relaxed: as in `Collector::enter`.
                self.stands.store(true, Ordering::Relaxed);
                return;
            }
            self.begin_to_process(cycle);
            if self.phase() == Phase::Settling && cycle.weak.is_empty() {
                self.begin_to_sweep(cycle, world);
            }
        });
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
        let more = matches!(self.phase(), Phase::Marking | Phase::Finalizing)
            && !self.stands()
            && self.jobs.unfinished() == 0;
        if more && self.mode == Mode::Concurrent {
            self.start_markers();
        }
    }

    /// Settles where weak pointers lead, as far as the time reaches.
    unsafe fn settle(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        world: &World<'_>,
        deadline: Option<Instant>,
    ) {
        let mut done = true;
        // SAFETY: no mutator is at work.
        let mut work = || done = unsafe { self.process(cycle, deadline) };
        match self.mutators {
            Mutators::One => work(),
            // Tags of objects that die are cleared in words that others tag new objects in.
            Mutators::Many => (world.stopped)(&mut work),
        }
        if done {
            (world.stopped)(&mut || self.begin_to_sweep(cycle, world));
        }
    }

    /// Goes from marking to sweeping. The program is stopped.
    fn begin_to_sweep(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        self.keep_dying();
        self.enter(Phase::Sweeping);
        cycle.allocated_marked = world.allocated;
        self.heap.set_births(Births::White);
        *self.unswept.lock() = self.heap.take_occupied();
        if self.mode == Mode::Concurrent {
            // Without a thread for it, safepoints sweep.
            Jobs::start(
                self,
                |this| &this.jobs,
                |this| {
                    let began = Instant::now();
                    this.sort_unswept();
                    // SAFETY: weak pointers are settled, and the cycle does not end before the job has.
                    unsafe { this.sweep_job() };
                    this.statistics.lock().concurrent_time += began.elapsed();
                },
            );
        }
    }

    /// Sweeps until nothing is left.
    ///
    /// # Safety
    ///
    /// As for [`Collector::sweep`].
    pub(super) unsafe fn sweep_job(&self) {
        let mut sweeper = Sweeper::new(&self.heap, self.zeal.verify);
        // SAFETY: passed on to the caller.
        unsafe { self.sweep(&mut sweeper, None) };
        *self.survivors.lock() += sweeper.finish();
    }

    unsafe fn sweep_step(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        world: &World<'_>,
        Share { due, limit, .. }: Share,
    ) {
        let beside = self.mode == Mode::Concurrent;
        let idle = self.jobs.unfinished() == 0
            || !self.with_drops.lock().is_empty()
            || !self.dying.is_empty();
        if !(due || beside && idle) {
            return;
        }
        self.timed(cycle, limit, |cycle, end| {
            // SAFETY: passed on to the caller.
            unsafe { self.sweep_some(cycle, world, end, due) }
        });
    }

    /// Drops dead values and sweeps, as far as the time reaches; ends the cycle if nothing is left.
    pub(super) unsafe fn sweep_some(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        world: &World<'_>,
        deadline: Option<Instant>,
        help: bool,
    ) {
        let mut sweeper = Sweeper::new(&self.heap, self.zeal.verify);
        // Who works until all is done does not wait for destructors that others run.
        let force = deadline.is_none();
        // SAFETY: passed on to the caller.
        let mut done = unsafe { self.sweep_drops(cycle, &mut sweeper, deadline, force) };
        if done && (help || self.jobs.unfinished() == 0) {
            // SAFETY: passed on to the caller.
            done = unsafe { self.sweep(&mut sweeper, deadline) };
        }
        *self.survivors.lock() += sweeper.finish();
        let none_left = {
            let unswept = self.unswept.lock();
            unswept.small.is_empty() && unswept.large.is_empty()
        };
        if none_left && help {
            // It has nothing to do any more, or will in a moment.
            self.jobs.close();
        }
        if done && none_left && self.jobs.unfinished() == 0 && self.with_drops.lock().is_empty() {
            if cycle.at_once {
                // What was allocated since is no part of it.
                self.end(cycle, cycle.allocated_marked, None);
            } else {
                let allocated = self.pacer.lock().allocated_at_start();
                self.end(cycle, world.allocated, Some(allocated));
            }
            if self.zeal.verify {
                (world.stopped)(&mut || self.verify_at_end());
            }
        }
    }

    /// Judges whether the program does little but collect, because its heap is nearly full: then it gets no
    /// more memory, until a collection finds that there is room.
    fn judge_share(&self, cycle: &mut Cycle, now: Instant, holes: usize) {
        /// So many collections in a row are no accident.
        const IN_A_ROW: u32 = 8;
        let collecting = cycle.spent + (now - cycle.entered);
        let all = (now - cycle.ended).as_secs_f64();
        let share = 100.0 * (1.0 - collecting.as_secs_f64() / all.max(f64::MIN_POSITIVE));
        if self.heap.is_nearly_full(holes) && share < f64::from(self.minimum_share) {
            cycle.thrashing = cycle.thrashing.saturating_add(1);
        } else {
            cycle.thrashing = 0;
        }
        let refused = cycle.thrashing >= IN_A_ROW;
        self.heap
            .refuse(if refused { self.minimum_share } else { 0 });
    }

    /// Ends a cycle. If the program went on meanwhile, `beside` is how much it had allocated when it
    /// began.
    pub(super) fn end(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        allocated: Volume,
        beside: Option<Volume>,
    ) {
        let survivors = core::mem::take(&mut *self.survivors.lock());
        cycle.spent += self.dying.take_spent();
        let now = Instant::now();
        let marking = cycle.marked - cycle.began;
        // Of what was born black meanwhile, nobody knows yet whether it is of any use.
        let meanwhile = beside.map_or(Volume::default(), |_| {
            cycle.allocated_marked.since(cycle.allocated_unblack)
        });
        let live = survivors.bytes.saturating_sub(meanwhile.bytes) as usize;
        // What values own is known to the end of the cycle, so all that they have grown by is left out.
        let grown = beside.map_or(0, |before| allocated.since(before).owned.max(0));
        let owned = self.heap.owned_elsewhere(allocated);
        let survived = Volume {
            bytes: live as u64,
            owned: (owned as i64).saturating_sub(grown).max(0),
        };
        let kept = cycle.kept.min(live);
        let room = self
            .heap
            .is_limited()
            .then(|| self.heap.room() + survivors.holes);
        let expected = self.pace(|pacer| {
            pacer.note_rate(live, marking);
            pacer.note_kept(kept, room, allocated);
            pacer.finish_cycle(survived, allocated, beside.is_some());
            if self.finalizers.waiting() == 0 {
                // They have run while it swept.
                pacer.note_finalized();
            }
            pacer.expected()
        });
        // A part of the allowance was allocated since the cycle began.
        let since = beside.map_or(0, |before| allocated.since(before).bytes);
        let wanted = expected.saturating_sub(since as usize);
        let (surplus, idle) = (wanted.saturating_sub(survivors.holes), cycle.idle);
        self.enter(Phase::Sleeping);
        let keep_house = move |this: &Collector| {
            this.heap.trim(surplus, idle, this.most_spare);
            // The next cycle needs the thread more.
            let stop = || this.phase() != Phase::Sleeping || this.work.must_stop();
            // No more than has survived: a large floor is no promise that so much will be used.
            this.heap
                .prepare(surplus.min(live).min(this.most_spare), stop);
        };
        let on_another_thread = beside.is_some()
            && self.mode == Mode::Concurrent
            && Jobs::start(self, |this| &this.housekeeping, keep_house);
        if !on_another_thread {
            self.heap.trim(surplus, idle, self.most_spare);
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

    /// Verifies the heap after a cycle, if that is asked for. The program is stopped.
    pub(super) fn verify_at_end(&self) {
        if self.zeal.verify {
            self.jobs.close();
            // SAFETY: no cycle is in progress any more, and no mutator is at work.
            unsafe { self.verify(self.has_unknown_writes()) }
                .unwrap_or_else(|error| panic!("after a collection, {error}"));
        }
    }
}
