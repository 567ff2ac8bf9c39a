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
use crate::os::prefetch;
use crate::sync::{Arc, Ordering};

impl Collector {
    /// Begins a cycle during which the program goes on: takes the snapshot, and starts to mark; or, with `at_once`,
    /// marks all that it holds before the program goes on, which takes no claims and no other threads' turns.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`]; and no cycle is in progress.
    pub(super) unsafe fn begin_snapshot(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        at_once: bool,
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
                // SAFETY: mutators are stopped, and no cycle is in progress (the caller's promise).
                unsafe { self.begin(cycle, program, Kind::Snapshot) };
                self.finalizers.begin_to_visit();
                if at_once {
                    // SAFETY: the caller makes the safepoint promises. Mutators are stopped since the cycle began.
                    unsafe { self.mark_all(program.roots) }
                    self.jobs.close();
                } else {
                    let mut buffer = SnapshotBuffer::default();
                    (program.roots)(&mut buffer.visitor(self));
                    self.visit_cohorts(&mut buffer.visitor(self));
                    buffer.flush(&self.work);
                }
                // SAFETY: no `mutate` call is running, nothing is swept, and this thread may trace values
                // (safepoint promise 3).
                let contents = |start| unsafe { self.contents_of_untraced(start) };
                if !self.remembers_writes() {
                    self.untraced.trace_all(contents);
                }
            });
            panicked = panic::catch_unwind(begin).err();
            if panicked.is_some() && self.phase() == Phase::Marking {
                // SAFETY: mutators are stopped. No marker was started yet, or `mark_all` has stopped them.
                unsafe { self.abort_cycle(cycle) };
            }
        });
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
        if self.options.mode == Mode::Concurrent && !at_once {
            self.start_markers();
        }
    }

    /// Starts jobs that mark concurrently; whether there are threads for them.
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

    /// How many threads mark concurrently.
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
            leaves_values: self.mutators == Mutators::Many && self.remembers_writes(),
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
        // Of several mutators others may be allocating.
        let is_marked = self.has_one_mutator() && self.is_marked(program.allocated);
        // From now on markers may hold what has come up since, so empty queues tell nothing.
        // Relaxed: as in `Collector::enter`.
        self.paused.store(false, Ordering::Relaxed);
        // SAFETY: this is the thread at the safepoint, with its promises; the phase is not `ClearingWeak`.
        if !unsafe { self.process(cycle, budget.deadline) } {
            return;
        }
        if budget.all {
            let _hungry = self.work.hungry();
            loop {
                // SAFETY: the caller makes the safepoint promises, and the cycle marks.
                unsafe { self.trace_and_mark(cycle, program, None, true) };
                if self.work.termination.all_rest() {
                    break;
                }
                std::thread::yield_now();
            }
        } else {
            if budget.due || !self.work.has_none_to_trace() {
                // SAFETY: the caller makes the safepoint promises, and the cycle marks.
                unsafe { self.trace_and_mark(cycle, program, budget.deadline, budget.due) };
            }
            if !self.work.has_no_packets() || !cycle.backlog.is_empty() {
                let nobody_marks = self.options.mode == Mode::Concurrent
                    && self.jobs.unfinished() == 0
                    && !self.start_markers();
                if nobody_marks && !budget.due {
                    // No other thread can be started.
                    // SAFETY: the caller makes the safepoint promises, and the cycle marks.
                    unsafe { self.trace_and_mark(cycle, program, budget.deadline, true) };
                }
                return;
            }
            let markers_work = self.jobs.unfinished() > 0 && !self.work.termination.all_rest();
            if !self.work.has_none_to_trace() || markers_work {
                return;
            }
        }
        // SAFETY: the caller makes the safepoint promises, and the cycle marks. If all was marked when this began, it still
        // is: the heap's one mutator is here.
        unsafe { self.try_to_end_marking(cycle, program, budget.deadline, is_marked) }
    }

    /// Traces objects, and with `mark` also marks, until there is nothing to do or the deadline is over.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`]; and the cycle marks.
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
                let mut buffer = SnapshotBuffer::default();
                let mut locked = Vec::new();
                loop {
                    let some = self.work.take_some_to_trace(BETWEEN_LOOKS);
                    some.iter().for_each(|object| prefetch(*object));
                    for &object in &some {
                        // SAFETY: a marker has found the object, in a described block, and nothing is freed while
                        // the cycle marks. This thread is at the safepoint, may trace values (promise 3), and is in
                        // no `mutate` call (promise 1).
                        if !unsafe { self.trace_value(object, &mut buffer) } {
                            locked.push(object);
                        }
                    }
                    traced += some.len();
                    if some.is_empty() || is_over() {
                        break;
                    }
                }
                if !locked.is_empty() {
                    // SAFETY: markers have found these objects, and the caller makes the safepoint promises.
                    unsafe { self.trace_values_stopped(&locked, program, &mut buffer) };
                }
                buffer.flush(&self.work);
            }));
            if let Err(payload) = tracing {
                self.work.termination.rest();
                // SAFETY: mutators are stopped, and aborting closes the markers' jobs.
                (program.stopped)(&mut || unsafe { self.abort_cycle(cycle) });
                panic::resume_unwind(payload);
            }
            if !mark || traced > 0 && is_over() {
                break;
            }
            // SAFETY: this is the thread at the safepoint.
            let done = unsafe {
                if self.phase() == Phase::Finalizing {
                    self.mark_as::<true>(cycle, role, deadline)
                } else {
                    self.mark_as::<false>(cycle, role, deadline)
                }
            };
            if !done || self.work.has_none_to_trace() {
                break;
            }
        }
        self.work.termination.rest();
    }

    /// Stops mutators and traces objects that hold locks that are taken, or whose guards were leaked.
    ///
    /// # Safety
    ///
    /// As for [`Collector::trace_and_mark`]; and markers have found these objects in this cycle.
    unsafe fn trace_values_stopped(
        &self,
        locked: &[usize],
        program: &Program<'_>,
        buffer: &mut SnapshotBuffer,
    ) {
        let mut panicked = None;
        (program.stopped)(&mut || {
            let tracing = panic::catch_unwind(AssertUnwindSafe(|| {
                for &object in locked {
                    // SAFETY: a marker has found the object, in a described block. The cycle marks, mutators are
                    // stopped, and this thread may trace values (safepoint promise 3).
                    unsafe { self.trace_value_stopped(object, buffer) }
                }
            }));
            panicked = tracing.err();
        });
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
    }

    /// Marks at a safepoint, until there is nothing to do or the deadline is over. Whether there is nothing to do.
    ///
    /// # Safety
    ///
    /// The thread is at the safepoint of a cycle that marks, and `role` is that of safepoints.
    pub(super) unsafe fn mark_as<const DEAD: bool>(
        &self,
        cycle: &mut Cycle,
        role: Role,
        deadline: Option<Instant>,
    ) -> bool {
        let backlog = core::mem::take(&mut cycle.backlog);
        let mut marker =
            // SAFETY: the number and the backlog are those of safepoints, of which there is one at a time (the
            // caller's promise). Nothing is swept while the cycle marks, and mutators claim what they write.
            unsafe { Marker::<true, DEAD>::new(&self.heap, &self.work, role, backlog) };
        let done = marker.run(true, deadline);
        if !done && self.options.mode == Mode::Concurrent {
            // Others may be out of work before this thread comes again.
            marker.give_up_work();
        }
        cycle.backlog = marker.into_backlog();
        done
    }

    /// Aborts a cycle, and clears away what it has done.
    ///
    /// # Safety
    ///
    /// Mutators are stopped, and no marker is at work but those of the collector's jobs.
    pub(super) unsafe fn abort_cycle(&self, cycle: &mut Cycle) {
        // SAFETY: mutators are stopped, and only jobs mark (the caller's promises). They have ended when `abort_marking`
        // returns, which closes them.
        unsafe {
            self.abort_marking();
            self.clear_aborted(cycle);
        }
    }

    /// Ends marking, if everything is marked; or pauses the cycle there. Rescans until the deadline, if that is needed:
    /// not where `is_marked` says that a pause has brought up nothing.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`]; and the cycle marks. With `is_marked`,
    /// [`Collector::is_marked`] held at this safepoint, of a heap with one mutator.
    unsafe fn try_to_end_marking(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        deadline: Option<Instant>,
        is_marked: bool,
    ) {
        let mut panicked = None;
        (program.stopped)(&mut || {
            // Mutators may have flushed some more when they were stopped. That is for markers to do
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
            if is_marked {
                // Claims of the pause stay: what they are of is marked, and so is all that it leads to.
                // SAFETY: mutators are stopped, and everything reachable is marked (the caller's promise).
                unsafe { self.end_rounds(cycle, program) }
            } else if self.must_rescan() {
                // SAFETY: the caller makes the safepoint promises. Mutators are stopped, and the markers' jobs are
                // closed.
                match unsafe { self.rescan(cycle, program, deadline) } {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(payload) => {
                        panicked = Some(payload);
                        // SAFETY: mutators are stopped, and the markers' jobs are closed.
                        unsafe { self.abort_cycle(cycle) };
                        return;
                    }
                }
            }
            if self.options.zeal.naive_mark {
                // SAFETY: the caller makes the safepoint promises. Mutators are stopped, and marking is complete.
                let check = || unsafe { self.check_marks(program.roots) };
                panicked = panic::catch_unwind(AssertUnwindSafe(check)).err();
                if panicked.is_some() {
                    // SAFETY: mutators are stopped, and the markers' jobs are closed.
                    unsafe { self.abort_cycle(cycle) };
                    return;
                }
            }
            if self.phase() == Phase::Finalizing {
                // SAFETY: all is marked that will be, mutators are stopped, and the markers' jobs are closed.
                // Without weak targets, there are no weak pointers to clear.
                unsafe {
                    self.begin_to_clear_weak(cycle);
                    if cycle.weak.is_empty() {
                        self.begin_to_sweep(cycle, program);
                    }
                }
                return;
            }
            if cycle.pauses {
                // SAFETY: mutators are stopped.
                unsafe { self.remember_writes(cycle, program) }
                // Relaxed: as in `Collector::enter`.
                let bytes = program.allocated.bytes;
                self.paused_at.store(bytes, Ordering::Relaxed);
                self.paused.store(true, Ordering::Relaxed);
                return;
            }
            // SAFETY: everything reachable is marked, mutators are stopped, and the markers' jobs are closed.
            // Without weak targets, there are no weak pointers to clear.
            unsafe {
                self.begin_to_process(cycle);
                if self.phase() == Phase::ClearingWeak && cycle.weak.is_empty() {
                    self.begin_to_sweep(cycle, program);
                }
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

    /// Processes the targets of weak pointers until the deadline.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`]; and the phase is [`Phase::ClearingWeak`].
    pub(super) unsafe fn clear_weak(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        deadline: Option<Instant>,
    ) {
        let mut done = true;
        // SAFETY: this is the thread at the safepoint. Below, no mutator is at work: the only one is here, or all
        // are stopped.
        let mut work = || done = unsafe { self.process(cycle, deadline) };
        match self.mutators {
            Mutators::One => work(),
            // Tags of objects that die are cleared in words that others tag new objects in.
            Mutators::Many => (program.stopped)(&mut work),
        }
        if done {
            // SAFETY: all is marked and weak pointers are cleared, as the work of this phase is done. Mutators are
            // stopped, and no marker is at work in this phase.
            (program.stopped)(&mut || unsafe { self.begin_to_sweep(cycle, program) });
        }
    }
}
