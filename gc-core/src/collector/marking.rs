//! Marking while the program goes on: by other threads, and by steps at safepoints, until nothing is left.

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use super::cycle::{Cycle, Kind, Phase};
use super::driver::Budget;
use super::jobs::{Jobs, processors};
use super::mark::{Backlog, Marker, Role};
use super::snapshot_buffer::SnapshotBuffer;
use super::work::MARKERS;
use super::{BETWEEN_LOOKS, Collector, Mutators, Program};
use crate::collector::options::Mode;
use crate::sync::{Arc, Ordering};

impl Collector {
    /// Begins a cycle during which the program goes on: takes the snapshot, and starts to mark.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`]; no cycle is in progress.
    pub(super) unsafe fn begin_snapshot(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
    ) {
        self.jobs.close();
        let mut panicked = None;
        (program.stopped)(&mut || {
            let begin = AssertUnwindSafe(|| {
                if self.has_unknown_writes() {
                    // SAFETY: no `mutate` call is running, and no cycle is in progress.
                    unsafe { self.retag_stale() }
                    // Relaxed: no mutator is at work.
                    self.unknown_writes.store(false, Ordering::Relaxed);
                }
                self.begin(cycle, program, Kind::Snapshot);
                self.finalizers.begin_to_visit();
                let mut found = SnapshotBuffer::default();
                (program.roots)(&mut found.visitor(self));
                self.visit_cohorts(&mut found.visitor(self));
                found.flush(&self.work);
                // SAFETY: no `mutate` call is running.
                let contents = |start| unsafe { self.contents_of_failed(start) };
                self.failed_traces.trace_all(contents);
            });
            panicked = panic::catch_unwind(begin).err();
            if panicked.is_some() && self.phase() == Phase::Marking {
                self.abort_cycle(cycle);
            }
        });
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
        if self.options.mode == Mode::Concurrent {
            self.start_markers();
        }
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
        match (self.options.mode, self.options.markers) {
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
            traces_values: false,
        }
    }

    /// Does a step of marking; with all of the budget as much as there is to do. Ends marking if everything is marked.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(super) unsafe fn mark(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        budget: &Budget,
    ) {
        if self.must_abort() {
            return (program.stopped)(&mut || self.abort_cycle(cycle));
        }
        // What has come up since is in the hands of markers from now on, and the queues do not tell of it.
        // Relaxed: as in `Collector::enter`.
        self.paused.store(false, Ordering::Relaxed);
        // SAFETY: this is the thread at the safepoint, says the caller.
        if !unsafe { self.process(cycle, budget.deadline) } {
            return;
        }
        if budget.all {
            let _hungry = self.work.hungry();
            loop {
                // SAFETY: the caller's promises are those that this asks for.
                unsafe { self.trace_and_mark(cycle, program, None, true) };
                if self.work.termination.all_rest() {
                    break;
                }
                std::thread::yield_now();
            }
        } else {
            if budget.due || !self.work.has_none_to_trace() {
                // SAFETY: as above.
                unsafe { self.trace_and_mark(cycle, program, budget.deadline, budget.due) };
            }
            if !self.work.has_no_packets() || !cycle.backlog.is_empty() {
                let nobody_marks = self.options.mode == Mode::Concurrent
                    && self.jobs.unfinished() == 0
                    && !self.start_markers();
                if nobody_marks && !budget.due {
                    // There are no other threads to be had.
                    // SAFETY: as above.
                    unsafe { self.trace_and_mark(cycle, program, budget.deadline, true) };
                }
                return;
            }
            let markers_work = self.jobs.unfinished() > 0 && !self.work.termination.all_rest();
            if !self.work.has_none_to_trace() || markers_work {
                return;
            }
        }
        // SAFETY: as above.
        unsafe { self.try_to_end_marking(cycle, program, budget.deadline) }
    }

    /// Asks objects for their pointers, and marks if it is told to, until there is nothing to do or the time is over.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    unsafe fn trace_and_mark(
        &self,
        cycle: &mut Cycle,
        program: &Program<'_>,
        deadline: Option<Instant>,
        mark: bool,
    ) {
        let is_over = || deadline.is_some_and(|end| Instant::now() >= end);
        let role = self.role(self.background());
        self.work.termination.start();
        loop {
            let mut traced = 0;
            let tracing = panic::catch_unwind(AssertUnwindSafe(|| {
                let mut found = SnapshotBuffer::default();
                let mut locked = Vec::new();
                while let Some(object) = self.work.take_to_trace() {
                    // SAFETY: passed on to the caller.
                    if !unsafe { self.trace_value(object, &mut found) } {
                        locked.push(object);
                    }
                    traced += 1;
                    if traced % BETWEEN_LOOKS == 0 && is_over() {
                        break;
                    }
                }
                if !locked.is_empty() {
                    self.trace_values_stopped(&locked, program, &mut found);
                }
                found.flush(&self.work);
            }));
            if let Err(payload) = tracing {
                self.work.termination.rest();
                (program.stopped)(&mut || self.abort_cycle(cycle));
                panic::resume_unwind(payload);
            }
            if !mark || traced > 0 && is_over() {
                break;
            }
            let done = if self.phase() == Phase::Finalizing {
                self.mark_as::<true>(cycle, role, deadline)
            } else {
                self.mark_as::<false>(cycle, role, deadline)
            };
            if !done || self.work.has_none_to_trace() {
                break;
            }
        }
        self.work.termination.rest();
    }

    /// Asks objects for their pointers in which there are locks that are taken, or whose guards were leaked.
    fn trace_values_stopped(
        &self,
        locked: &[usize],
        program: &Program<'_>,
        found: &mut SnapshotBuffer,
    ) {
        let mut panicked = None;
        (program.stopped)(&mut || {
            let tracing = panic::catch_unwind(AssertUnwindSafe(|| {
                for &object in locked {
                    // SAFETY: it is an object that a marker has found, and mutators are stopped.
                    unsafe { self.trace_value_stopped(object, found) }
                }
            }));
            panicked = tracing.err();
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
        if !done && self.options.mode == Mode::Concurrent {
            // Others may be out of work before this thread comes again.
            marker.give_up_work();
        }
        cycle.backlog = marker.into_backlog();
        done
    }

    /// Gives up a cycle in which something panicked. The program is stopped.
    pub(super) fn abort_cycle(&self, cycle: &mut Cycle) {
        self.abort_marking();
        self.clear_aborted(cycle);
    }

    /// Ends marking, if everything is marked; or pauses the cycle there. What may have to be scanned again is, until the time
    /// is over.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    unsafe fn try_to_end_marking(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        deadline: Option<Instant>,
    ) {
        let mut panicked = None;
        (program.stopped)(&mut || {
            if self.must_abort() {
                self.abort_cycle(cycle);
                return;
            }
            // Mutators may have handed over some more when they were stopped. That is for markers to do
            // when the program goes on.
            if !self.work.has_no_packets() || !self.work.has_none_to_trace() {
                return;
            }
            let is_processed = self.is_processed(cycle);
            self.jobs.close();
            // First that all rest, then that there is nothing: nobody adds anything any more.
            let complete = is_processed
                && self.work.termination.all_rest()
                && self.work.has_no_packets()
                && self.work.has_none_to_trace()
                && cycle.backlog.is_empty();
            if !complete {
                return;
            }
            if self.must_rescan() {
                // SAFETY: passed on to the caller; the program is stopped, and so are the markers.
                match unsafe { self.rescan(cycle, program, deadline) } {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(payload) => {
                        panicked = Some(payload);
                        self.abort_cycle(cycle);
                        return;
                    }
                }
            }
            if self.options.zeal.naive_mark {
                // SAFETY: passed on to the caller; the program is stopped.
                let check = || unsafe { self.check_marks(program.roots) };
                panicked = panic::catch_unwind(AssertUnwindSafe(check)).err();
                if panicked.is_some() {
                    self.abort_cycle(cycle);
                    return;
                }
            }
            if self.phase() == Phase::Finalizing {
                self.begin_to_clear_weak(cycle);
                if cycle.weak.is_empty() {
                    self.begin_to_sweep(cycle, program);
                }
                return;
            }
            if cycle.pauses {
                // Relaxed: as in `Collector::enter`.
                self.paused.store(true, Ordering::Relaxed);
                return;
            }
            self.begin_to_process(cycle);
            if self.phase() == Phase::ClearingWeak && cycle.weak.is_empty() {
                self.begin_to_sweep(cycle, program);
            }
        });
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
        let more = matches!(self.phase(), Phase::Marking | Phase::Finalizing)
            && !self.is_paused()
            && self.jobs.unfinished() == 0;
        if more && self.options.mode == Mode::Concurrent {
            self.start_markers();
        }
    }

    /// Settles where weak pointers lead, as far as the time reaches.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(super) unsafe fn clear_weak(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        deadline: Option<Instant>,
    ) {
        let mut done = true;
        // SAFETY: no mutator is at work.
        let mut work = || done = unsafe { self.process(cycle, deadline) };
        match self.mutators {
            Mutators::One => work(),
            // Tags of objects that die are cleared in words that others tag new objects in.
            Mutators::Many => (program.stopped)(&mut work),
        }
        if done {
            (program.stopped)(&mut || self.begin_to_sweep(cycle, program));
        }
    }
}
