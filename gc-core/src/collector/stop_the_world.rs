//! Marking while mutators are stopped.
//!
//! It is done at once, by this thread and helpers. Nobody writes meanwhile, so markers claim nothing, and this thread traces the
//! objects itself whose pointers only their own `trace` knows.

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
        // SAFETY: the caller's promises are those that these ask for.
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
            self.abort_cycle(cycle);
            panic::resume_unwind(payload);
        }
        if finalizes {
            self.begin_to_clear_weak(cycle);
        } else {
            self.begin_to_process(cycle);
        }
        if self.phase() == Phase::ClearingWeak {
            // Relaxed: no mutator is at work.
            self.unknown_writes.store(false, Ordering::Relaxed);
        }
    }

    /// How many threads help the one that collects at once.
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

    /// Marks what is reachable.
    ///
    /// # Safety
    ///
    /// As for [`Collector::mark_stopped`].
    unsafe fn mark_all(self: &Arc<Self>, roots: &Roots<'_>) {
        let count = self.helpers() + 1;
        // Relaxed: no mutator is at work.
        let all_dirty = self.unknown_writes.load(Ordering::Relaxed);
        let role = move |number| Role {
            number,
            count,
            all_dirty,
            traces_values: number == 0,
        };
        self.work.termination.start();
        for number in 1..count {
            let mark = move |this: &Collector| {
                this.work.termination.start();
                let (heap, work) = (&this.heap, &this.work);
                let backlog = Backlog::default();
                // SAFETY: the number is this job's alone; the program stands still until it is over, for
                // it is waited for, or does not begin.
                unsafe { Marker::<false, false>::new(heap, work, role(number), backlog) }
                    .run_with_others();
            };
            Jobs::start(self, |this| &this.jobs, mark);
        }
        let (heap, work) = (&self.heap, &self.work);
        {
            let resting = Resting(self);
            let backlog = Backlog::default();
            // SAFETY: the program stands still; this is the thread that may ask objects.
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
    unsafe fn mark_kept(&self, cycle: &mut Cycle) {
        let (heap, work) = (&self.heap, &self.work);
        let role = Role {
            number: 0,
            count: 1,
            // Relaxed: no mutator is at work.
            all_dirty: self.unknown_writes.load(Ordering::Relaxed),
            traces_values: true,
        };
        // SAFETY: the program stands still; this is the only marker.
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
