//! Marking while mutators are stopped.
//!
//! This thread and its helpers do all marking at one safepoint. No mutator writes meanwhile, so there are no claims
//! to heed. Objects whose tags may be wrong are traced by this thread only, as helpers must not run the user's
//! code.
//!
//! # What this does not do
//!
//! It does not begin the cycle, nor sweep: [`super::driver`] leads the cycle through all phases.

use std::panic::{self, AssertUnwindSafe};

use super::cycle::{Cycle, Phase};
use super::jobs::{Jobs, processors};
use super::mark::{Backlog, Marker, Role};
use super::work::MARKERS;
use super::{Collector, Program, Roots};
use crate::collector::options::Mode;
use crate::sync::{Arc, Ordering};
use crate::types::trace::{Edge, EdgeVisitor};

/// Heaps with fewer bytes of survivors than this are not worth a second thread.
const WORTH_HELP: usize = 1 << 20;

impl Collector {
    /// Does all marking of a phase, and goes on to the next.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`]; mutators are stopped since the cycle began.
    pub(super) unsafe fn mark_stopped(self: &Arc<Self>, cycle: &mut Cycle, program: &Program<'_>) {
        let finalizes = self.phase() == Phase::Finalizing;
        // SAFETY: the caller makes the safepoint promises. Mutators are stopped since the cycle began, so no
        // `mutate` call is running. When `jobs` are closed no helper is at work.
        let mark = AssertUnwindSafe(|| unsafe {
            if finalizes {
                self.mark_kept(cycle);
            } else {
                self.mark_all(program.roots);
            }
            self.jobs.close();
            if self.options.zeal.naive_mark {
                let naive = self.naive_marks(program.roots);
                naive.compare();
                *self.told.lock() = naive.into_told();
            }
        });
        if let Err(payload) = panic::catch_unwind(mark) {
            // SAFETY: mutators are stopped, and so are the helpers: `Resting` has closed their jobs if marking was
            // what panicked.
            unsafe { self.abort_cycle(cycle) };
            panic::resume_unwind(payload);
        }
        // SAFETY: mutators are stopped (the caller's promise), and no marker is at work any more: jobs are closed,
        // and this thread's marker is done. What it had to mark is marked.
        unsafe {
            if finalizes {
                self.begin_to_clear_weak(cycle);
            } else {
                self.begin_to_process(cycle);
            }
        }
        if self.phase() == Phase::ClearingWeak {
            // Relaxed: no mutator is at work.
            self.unknown_writes.store(false, Ordering::Relaxed);
        }
    }

    /// How many threads help the one that stops the world.
    pub(super) fn helpers(&self) -> usize {
        let markers = match self.options.markers {
            _ if self.options.mode == Mode::Incremental => 1,
            0 => processors().min(4),
            markers => markers.min(MARKERS),
        };
        if self.pacer.lock().live() < WORTH_HELP && self.options.markers == 0 {
            return 0;
        }
        markers - 1
    }

    /// Marks what is reachable. Helpers may not have returned yet.
    ///
    /// # Safety
    ///
    /// As for [`Collector::mark_stopped`], of mutators that stay stopped until the jobs are closed.
    pub(super) unsafe fn mark_all(self: &Arc<Self>, roots: &Roots<'_>) {
        let count = self.helpers() + 1;
        // Relaxed: no mutator is at work.
        let all_dirty = self.unknown_writes.load(Ordering::Relaxed);
        let role = move |number| Role {
            number,
            count,
            all_dirty,
            traces_values: number == 0,
            leaves_values: false,
        };
        self.work.termination.start();
        for number in 1..count {
            let mark = move |this: &Collector| {
                this.work.termination.start();
                let (heap, work) = (&this.heap, &this.work);
                let backlog = Backlog::default();
                // SAFETY: the number is this job's alone. Mutators stay stopped until the job is over: it is
                // waited for, or does not begin. It traces no values.
                unsafe { Marker::<false, false>::new(heap, work, role(number), backlog) }
                    .run_with_others();
            };
            Jobs::start(self, |this| &this.jobs, mark);
        }
        let (heap, work) = (&self.heap, &self.work);
        {
            let resting = Resting(self);
            let backlog = Backlog::default();
            // SAFETY: number 0 is this thread's alone. Mutators are stopped (the caller's promise), and this thread
            // may trace values (safepoint promise 3).
            let mut marker = unsafe { Marker::<false, false>::new(heap, work, role(0), backlog) };
            roots(&mut marker);
            self.visit_cohorts(&mut marker);
            self.finalizers
                .each_waiting(|target| marker.visit(Edge::of_root(target)));
            marker.run_with_others();
            core::mem::forget(resting);
            if self.work.pending.is_in_use() && count > 1 {
                self.jobs.close();
                while marker.follow_missed() {
                    marker.run(true, None);
                }
            }
        }
    }

    /// Clears short weak pointers, enqueues finalizers, and marks what they see.
    ///
    /// # Safety
    ///
    /// As for [`Collector::mark_stopped`]; and everything reachable is marked.
    unsafe fn mark_kept(&self, cycle: &mut Cycle) {
        let (heap, work) = (&self.heap, &self.work);
        let role = Role {
            number: 0,
            count: 1,
            // Relaxed: no mutator is at work.
            all_dirty: self.unknown_writes.load(Ordering::Relaxed),
            traces_values: true,
            leaves_values: false,
        };
        // SAFETY: this is the thread at the safepoint, and mutators are stopped (the caller's promises). This is
        // the only marker, and its thread may trace values (safepoint promise 3).
        unsafe {
            self.process(cycle, None);
            Marker::<false, true>::new(heap, work, role, Backlog::default()).run(true, None);
        }
    }
}

/// Stops the helpers, and counts this thread as a marker no more, if a `trace` panics.
struct Resting<'a>(&'a Collector);

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.work.set_stop(true);
        self.0.jobs.close();
        self.0.work.termination.rest();
    }
}
