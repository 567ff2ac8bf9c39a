//! The driver: advances a cycle at a safepoint.
//!
//! Two things describe what a program wants at a safepoint ([`Safepoint`]): until which phase the cycle goes
//! ([`Until`]), and how much work is done for it ([`Budget`]). [`Collector::advance`] begins a cycle if one is due,
//! of the [`Kind`] that is right, and [`Collector::go_through`] leads it from phase to phase:
//!
//! ```text
//!            begin            no finalizers
//!  Sleeping ───────▶ Marking ─────────────────▶ ClearingWeak ──▶ Sweeping ──▶ Sleeping
//!                       │                            ▲
//!                       └────────▶ Finalizing ───────┘
//!
//!  Marking, Finalizing ──▶ Aborted ──▶ Sleeping
//! ```
//!
//! A phase ends where its work is found to be done: marking in [`Collector::try_to_end_marking`] and the clearing of
//! weak pointers in [`Collector::clear_weak`] (`marking.rs`), sweeping, and the cycle with it, in
//! [`Collector::sweep_some`] (`sweeping.rs`), which calls [`Collector::end`] (`end.rs`). A cycle that stops the world
//! goes through the same phases without a bound, while mutators are stopped. Only marking differs there: its marker
//! need not heed mutators ([`super::stop_the_world`]).
//!
//! A new kind of cycle is one more [`Kind`]: [`Collector::kind_of_next`] says when it is due, and
//! [`Collector::begin`] what it begins with.

use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use super::cycle::{Cycle, Kind, Phase};
use super::dispose::Disposer;
use super::dying::Turn;
use super::naive::RecordedRoots;
use super::{Collector, LITTLE_ROOM, Mutators, Program, Roots};
use crate::collector::options::Mode;
use crate::sync::{Arc, MutexGuard};
use crate::types::trace::EdgeVisitor;

/// A safepoint works at least this part of a step, for later, however little was allocated.
const IDLE: u32 = 64;

/// What is to happen at a safepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safepoint {
    /// What is due.
    Step,
    /// The cycle in progress is completed.
    Complete,
    /// The cycle in progress is completed, and everything that cannot be reached is freed. If the program has
    /// paused that cycle where marking is finished, that is all.
    Collect,
    /// What is due of marking. The cycle pauses where marking is finished.
    Mark,
    /// Marking is finished, of a new cycle if none is in progress, and the cycle pauses there. Nothing, if it is
    /// known already what is dead.
    FinishMarking,
    /// The cycle goes on from there to sweeping.
    StartSweeping,
    /// Unused memory is given back. Nothing is collected.
    Release,
}

/// How far a cycle is led on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// To where marking is finished. There it pauses.
    Marked,
    /// To sweeping.
    Sweeping,
    /// To its end.
    Finished,
}

/// How much a safepoint does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Whether it goes on until the cycle is where it should be.
    pub(super) all: bool,
    /// Whether it works for what the program has allocated, besides what only it can do.
    pub(super) due: bool,
    /// When it stops. A step of no bound has none that the clock could reach.
    pub(super) deadline: Option<Instant>,
}

impl Budget {
    /// As much as it takes.
    pub(super) const ALL: Budget = Budget {
        all: true,
        due: true,
        deadline: None,
    };

    /// Whether the time is over.
    pub(super) fn is_over(&self) -> bool {
        is_over(self.deadline)
    }
}

/// Whether the time is over.
pub(super) fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|end| Instant::now() >= end)
}

impl Collector {
    /// Does what the program wants at a safepoint.
    ///
    /// # Panics
    ///
    /// If the `trace` of a value panics (then nothing is freed), or the `Drop` of one (then everything else that
    /// was to be done was done). With zeal, if a check fails.
    ///
    /// # Safety
    ///
    /// These are the *safepoint promises*, which hold until this returns:
    ///
    /// 1. The thread is in no `mutate` call.
    /// 2. `program` keeps its promises, and its roots are all pointers from outside of the heap into it.
    /// 3. If values are not all `Send` and `Sync`, the thread is the heap's one mutator.
    pub(crate) unsafe fn safepoint(self: &Arc<Self>, program: &Program<'_>, what: Safepoint) {
        let mut disposer = Disposer::default();
        // SAFETY: the caller makes the safepoint promises, and these ask for nothing else.
        unsafe {
            match what {
                Safepoint::Step => self.step(program, Until::Finished, &mut disposer),
                Safepoint::Mark => self.step(program, Until::Marked, &mut disposer),
                Safepoint::FinishMarking => self.lead(program, Until::Marked, &mut disposer),
                Safepoint::StartSweeping => self.lead(program, Until::Sweeping, &mut disposer),
                Safepoint::Complete => drop(self.lock_sleeping(program, &mut disposer)),
                Safepoint::Collect => self.collect(program, &mut disposer),
                Safepoint::Release => self.release_unused(program),
            }
        }
        disposer.finish();
    }

    /// Does what is due.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`].
    unsafe fn step(self: &Arc<Self>, program: &Program<'_>, until: Until, disposer: &mut Disposer) {
        // Another thread is at a safepoint of this heap: that one will do.
        let Some(mut cycle) = self.cycle.try_lock() else {
            return;
        };
        let program = &Program {
            allocated: self.measure_waiting(program),
            ..*program
        };
        // SAFETY: the caller makes the safepoint promises, and this `program` differs in a figure only.
        unsafe {
            let turn = match (self.advance(&mut cycle, program, until, None), until) {
                (turn, Until::Finished) => turn,
                // The cycle goes no farther, but destructors run.
                _ => Turn::Until(None),
            };
            self.leave(cycle, program, turn, disposer);
        }
    }

    /// Leads the cycle to where it should be, however long it takes.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`].
    unsafe fn lead(self: &Arc<Self>, program: &Program<'_>, until: Until, disposer: &mut Disposer) {
        let mut cycle = self.cycle.lock();
        // SAFETY: the caller makes the safepoint promises, which are all that these ask for.
        unsafe {
            self.advance(&mut cycle, program, until, Some(Budget::ALL));
            self.leave(cycle, program, Turn::Until(None), disposer);
        }
    }

    /// Completes the cycle in progress; then collects, with the world stopped, unless that cycle was paused.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`].
    unsafe fn collect(self: &Arc<Self>, program: &Program<'_>, disposer: &mut Disposer) {
        let was_paused = self.is_paused();
        // SAFETY: the caller makes the safepoint promises. No cycle is in progress after `lock_sleeping`, nor
        // begins while this thread has the lock of the cycle.
        unsafe {
            let mut cycle = self.lock_sleeping(program, disposer);
            if !was_paused {
                {
                    let _inside = self.report_work();
                    self.stop_the_world(&mut cycle, program);
                }
                self.leave(cycle, program, Turn::Complete, disposer);
            }
        }
    }

    /// Completes the cycle in progress, if there is one, with its destructors, and returns before another begins.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(super) unsafe fn lock_sleeping(
        self: &Arc<Self>,
        program: &Program<'_>,
        disposer: &mut Disposer,
    ) -> MutexGuard<'_, Cycle> {
        loop {
            let mut cycle = self.cycle.lock();
            if self.phase() == Phase::Sleeping && !self.has_destructors() {
                return cycle;
            }
            // SAFETY: the caller makes the safepoint promises, which are all that these ask for.
            unsafe {
                self.complete(&mut cycle, program);
                self.leave(cycle, program, Turn::Complete, disposer);
            }
        }
    }

    /// Completes the cycle in progress, if there is one, and calls `f` before another begins and while
    /// no `mutate` call runs.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn with_no_cycle(
        self: &Arc<Self>,
        program: &Program<'_>,
        f: &mut dyn FnMut(),
    ) {
        let mut disposer = Disposer::default();
        // SAFETY: the caller makes the safepoint promises, which are all that these ask for.
        unsafe {
            let cycle = self.lock_sleeping(program, &mut disposer);
            (program.stopped)(f);
            self.leave(cycle, program, Turn::Until(None), &mut disposer);
        }
        disposer.finish();
    }

    /// Leads the cycle in progress, if there is one, to its end, or to where this thread has destructors to run before.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(super) unsafe fn complete(self: &Arc<Self>, cycle: &mut Cycle, program: &Program<'_>) {
        if self.phase() != Phase::Sleeping {
            // SAFETY: the caller makes the safepoint promises, which are all that this asks for.
            unsafe { self.advance(cycle, program, Until::Finished, Some(Budget::ALL)) };
        }
    }

    /// Begins a cycle if one is due, and leads the one in progress on: with the budget, or with what is due at this
    /// safepoint. What is left to the thread when it lets go of the cycle.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    unsafe fn advance(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        until: Until,
        budget: Option<Budget>,
    ) -> Turn {
        let begins =
            self.phase() == Phase::Sleeping && self.is_time_to_begin(program, until, budget);
        if !begins && self.has_reached(until, program) {
            return Turn::Rest;
        }
        let _inside = self.report_work();
        cycle.entered = Instant::now();
        cycle.pauses = until == Until::Marked;
        // SAFETY: the caller makes the safepoint promises, which are all that this asks for.
        let led = AssertUnwindSafe(|| unsafe { self.lead_on(cycle, program, until, budget) });
        let led = panic::catch_unwind(led);
        cycle.pauses = false;
        led.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }

    /// [`Collector::advance`], once it is clear that there is something to do.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`].
    unsafe fn lead_on(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        until: Until,
        mut budget: Option<Budget>,
    ) -> Turn {
        let was_aborted = self.phase() == Phase::Aborted;
        if was_aborted {
            // SAFETY: mutators are stopped meanwhile, and the markers of an aborted cycle have returned:
            // `abort_marking` has closed their jobs.
            (program.stopped)(&mut || unsafe { self.clear_aborted(cycle) });
        }
        if self.phase() == Phase::Sleeping {
            let must_stop = was_aborted || self.must_stop_the_world();
            match self.kind_of_next(until, must_stop) {
                Kind::StopTheWorld => {
                    // SAFETY: the caller makes the safepoint promises; no cycle is in progress, as the phase tells.
                    unsafe { self.stop_the_world(cycle, program) }
                    return Turn::Complete;
                }
                Kind::Snapshot => {
                    // Who waits until all is marked lets nobody write meanwhile.
                    let at_once = must_stop || budget.is_some_and(|budget| budget.all);
                    // SAFETY: the caller makes the safepoint promises; no cycle is in progress, as the phase tells.
                    unsafe { self.begin_snapshot(cycle, program, at_once) }
                    cycle.whole = must_stop;
                }
            }
            if must_stop {
                budget = Some(Budget::ALL);
            } else if budget.is_none() {
                self.note_step(cycle);
                return Turn::Rest;
            }
        }
        let budget = budget.unwrap_or_else(|| self.take_share(cycle, program));
        if budget.all || self.has_work_here(cycle, &budget) {
            // SAFETY: the caller makes the safepoint promises. A cycle that stops the world does not come here
            // before it sweeps.
            unsafe { self.go_through(cycle, program, until, &budget) };
            self.note_step(cycle);
        }
        if budget.all {
            Turn::Complete
        } else if budget.due || self.options.mode == Mode::Concurrent {
            Turn::Until(budget.deadline)
        } else {
            Turn::Rest
        }
    }

    /// Leads a cycle from phase to phase: with all of the budget until it is where it should be, or where this
    /// thread has destructors to run before; else by one step.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`]; and if the cycle stops the world and is not sweeping,
    /// mutators are stopped since it began.
    pub(super) unsafe fn go_through(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        until: Until,
        budget: &Budget,
    ) {
        while !self.has_reached(until, program) {
            // SAFETY: the caller makes the safepoint promises. Each function is called in its phase. A cycle that
            // stops the world goes through marking while mutators are stopped (the caller's promise).
            unsafe {
                match (self.phase(), cycle.kind) {
                    (Phase::Sleeping | Phase::Aborted, _) => return,
                    (Phase::Marking | Phase::Finalizing, Kind::Snapshot) => {
                        self.mark(cycle, program, budget)
                    }
                    (Phase::Marking | Phase::Finalizing, Kind::StopTheWorld) => {
                        self.mark_stopped(cycle, program)
                    }
                    (Phase::ClearingWeak, _) => self.clear_weak(cycle, program, budget.deadline),
                    (Phase::Sweeping, _) => self.sweep_some(cycle, program, budget),
                }
            }
            // Values of a heap with one mutator are dropped in place, and last owners when the cycle is over.
            let waits = self.mutators == Mutators::Many
                && self.phase() == Phase::Sweeping
                && self.has_destructors();
            if !budget.all || waits {
                return;
            }
        }
        if self.phase() == Phase::Sleeping {
            self.jobs.close();
        }
    }

    /// Whether the cycle is where it should be, or there is none.
    fn has_reached(&self, until: Until, program: &Program<'_>) -> bool {
        match self.phase() {
            Phase::Sleeping => true,
            Phase::Marking => until == Until::Marked && self.is_marked(program.allocated),
            Phase::Finalizing | Phase::ClearingWeak => until == Until::Marked,
            Phase::Sweeping => until != Until::Finished,
            Phase::Aborted => false,
        }
    }

    /// Whether a cycle is to begin, if none is in progress.
    fn is_time_to_begin(
        &self,
        program: &Program<'_>,
        until: Until,
        budget: Option<Budget>,
    ) -> bool {
        match budget {
            None => self.options.zeal.collect || self.pacer.lock().debt(program.allocated) > 0.0,
            Some(_) => until == Until::Marked,
        }
    }

    /// Of which kind a cycle is that begins now.
    fn kind_of_next(&self, until: Until, must_stop: bool) -> Kind {
        // One that pauses takes a snapshot in any mode, for the program goes on before its end.
        if until != Until::Marked && (must_stop || self.has_unknown_writes()) {
            Kind::StopTheWorld
        } else {
            Kind::Snapshot
        }
    }

    /// Whether a cycle that begins now must not run while the program does.
    fn must_stop_the_world(&self) -> bool {
        let pacer = self.pacer.lock();
        let goes_on = match self.options.mode {
            Mode::StopTheWorld => false,
            Mode::Incremental => true,
            Mode::Concurrent => pacer.live() >= self.options.concurrent_from,
        };
        // While a cycle is in progress, the program needs room for what it allocates.
        let needed = (2.0 * pacer.headroom()).max(LITTLE_ROOM as f64);
        let cramped = self.heap.is_limited() && (self.heap.room() as f64) < needed;
        !goes_on || pacer.stops_the_world() || pacer.is_pressed() || cramped
    }

    /// Begins a cycle of some kind.
    ///
    /// # Safety
    ///
    /// Mutators are stopped, and no cycle is in progress.
    pub(super) unsafe fn begin(&self, cycle: &mut Cycle, program: &Program<'_>, kind: Kind) {
        cycle.begin(kind, program.allocated);
        cycle.idle = self.heap.spare_blocks();
        cycle.kept = self.finalizers.bytes();
        self.pacer.lock().start_cycle(program.allocated);
        // SAFETY: mutators are stopped, and the collector sleeps (the caller's promises).
        unsafe { self.enter(Phase::Marking) };
        self.forget_weak_reads(cycle);
        match kind {
            // SAFETY: mutators are stopped (the caller's promise).
            Kind::Snapshot => unsafe { self.choose_allocation_color(cycle, program) },
            // Nothing is allocated while mutators are stopped.
            Kind::StopTheWorld => {}
        }
        self.choose_soft();
    }

    /// Collects all that cannot be reached, while the program is stopped.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`]; no cycle is in progress.
    unsafe fn stop_the_world(self: &Arc<Self>, cycle: &mut Cycle, program: &Program<'_>) {
        self.jobs.close();
        cycle.entered = Instant::now();
        (program.stopped)(&mut || {
            let recorded = self
                .options
                .zeal
                .naive_mark
                .then(|| RecordedRoots::of(program.roots, &self.work));
            let again = |visitor: &mut dyn EdgeVisitor| {
                recorded.iter().for_each(|roots| roots.visit_all(visitor));
            };
            let roots: &Roots<'_> = match &recorded {
                Some(_) => &again,
                None => program.roots,
            };
            let program = Program {
                roots,
                stopped: &|action| action(),
                ..*program
            };
            // SAFETY: no cycle is in progress. The caller makes the safepoint promises, `program` has the same roots,
            // and mutators are stopped already, from before the beginning of the cycle to its end.
            unsafe {
                self.begin(cycle, &program, Kind::StopTheWorld);
                self.go_through(cycle, &program, Until::Finished, &Budget::ALL)
            }
        });
        self.note_step(cycle);
    }

    /// What this safepoint has to do for what the program has allocated since the last: everything, if an
    /// allocation has failed or might soon, or the program is far beyond what it should allocate during a
    /// collection.
    fn take_share(&self, cycle: &mut Cycle, program: &Program<'_>) -> Budget {
        let (mode, step) = (self.options.mode, self.options.step);
        let allocated = program.allocated.since(cycle.allocated);
        cycle.allocated = program.allocated;
        let pacer = self.pacer.lock();
        cycle.credit += match mode {
            Mode::Concurrent => pacer.assist(program.allocated, allocated),
            // A program that comes by often and allocates little brings the cycle to its end, too.
            _ => pacer.share(allocated).max(step / IDLE),
        };
        let limit = if pacer.is_urgent(program.allocated) {
            cycle.credit.max(step)
        } else {
            step
        };
        let lost = pacer.is_pressed() || pacer.is_lost(program.allocated);
        drop(pacer);
        // The program might run into the heap's limit before its next safepoint.
        let cramped = self.heap.is_limited()
            && self.heap.room() < LITTLE_ROOM / 2 + 2 * allocated.bytes as usize;
        if lost || cramped || cycle.whole || mode == Mode::StopTheWorld {
            return Budget::ALL;
        }
        // Not for every microsecond: what is begun has to be worth it.
        let enough = cycle.credit >= step / 2;
        let due = match mode {
            Mode::Concurrent => enough && cycle.credit > Duration::ZERO,
            _ => enough || self.options.zeal.collect,
        };
        if due {
            cycle.credit = Duration::ZERO;
        }
        Budget {
            all: false,
            due,
            deadline: cycle.entered.checked_add(limit),
        }
    }

    /// Whether there is something that the thread at the safepoint should do with this budget.
    fn has_work_here(&self, cycle: &Cycle, budget: &Budget) -> bool {
        budget.due
            || match self.phase() {
                Phase::Marking | Phase::Finalizing => {
                    !self.work.has_none_to_trace()
                        || self.jobs.unfinished() == 0
                        || !self.is_processed(cycle)
                }
                Phase::Sweeping => {
                    self.options.mode == Mode::Concurrent
                        && (self.jobs.unfinished() == 0
                            || !self.sweeping.with_drops.lock().is_empty()
                            || !self.dying.is_empty())
                }
                _ => true,
            }
    }

    /// Notes how long this safepoint was at work.
    pub(super) fn note_step(&self, cycle: &mut Cycle) {
        let took = cycle.entered.elapsed();
        cycle.spent += took;
        let mut statistics = self.statistics.lock();
        statistics.longest_collection = statistics.longest_collection.max(took);
    }
}
