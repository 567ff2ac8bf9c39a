//! A whole cycle while the program stands still.

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use super::jobs::{Jobs, processors};
use super::mark::{Backlog, Marker, Role};
use super::naive::RecordedRoots;
use super::references::Stage;
use super::steps::BETWEEN_LOOKS;
use super::work::MARKERS;
use super::{Collector, Cycle, Mutators, Phase, Roots, World};
use crate::collector::options::Mode;
use crate::heap::block::BlockIndex;
use crate::heap::extent::Extent;
use crate::heap::sweep::Sweeper;
use crate::sync::{Arc, Ordering};
use crate::types::descriptor::Described;
use crate::types::trace::{Edge, EdgeVisitor};

/// Heaps with fewer bytes of survivors than this are not worth a second thread.
const WORTH_HELP: usize = 1 << 20;

impl Collector {
    /// Runs one cycle while no `mutate` call does.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`]; no cycle is in progress.
    pub(super) unsafe fn collect_at_once(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        self.jobs.close();
        // SAFETY: passed on to the caller; and the program is stopped.
        let mut collect = || unsafe { self.collect_stopped(cycle, world) };
        (world.stopped)(&mut collect);
    }

    unsafe fn collect_stopped(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        cycle.number += 1;
        cycle.at_once = true;
        cycle.began = Instant::now();
        cycle.spent = Default::default();
        cycle.idle = self.heap.spare_blocks();
        cycle.kept = self.finalizers.bytes();
        self.pacer.lock().start_cycle(world.allocated);
        self.enter(Phase::Marking);
        self.forget_weak_reads(cycle);
        cycle.stage = Stage::Queue;
        self.choose_soft();
        let count = self.helpers() + 1;
        // SAFETY: passed on to the caller.
        let mark = || unsafe {
            let recorded = self
                .zeal
                .naive_mark
                .then(|| RecordedRoots::of(world.roots, &self.work));
            let again = |visitor: &mut dyn EdgeVisitor| {
                recorded.iter().for_each(|roots| roots.visit_all(visitor));
            };
            let roots: &Roots<'_> = if recorded.is_some() {
                &again
            } else {
                world.roots
            };
            self.mark_all(roots, count);
            self.jobs.close();
            self.begin_to_process(cycle);
            if self.phase() == Phase::Finalizing {
                self.keep_all(cycle, roots);
            }
        };
        let marking = panic::catch_unwind(AssertUnwindSafe(mark));
        if let Err(payload) = marking {
            self.abandon();
            self.clear_away(cycle);
            panic::resume_unwind(payload);
        }
        // Relaxed: no mutator is at work.
        self.unknown_writes.store(false, Ordering::Relaxed);
        // SAFETY: the program stands still.
        unsafe { self.process(cycle, None) };
        cycle.allocated_marked = world.allocated;
        self.keep_dying();
        self.enter(Phase::Sweeping);
        *self.unswept.lock() = self.heap.take_occupied();
        self.sort_unswept();
        for _ in 1..count {
            // SAFETY: marking is complete, and `close` below waits for this.
            let sweep = |this: &Collector| unsafe { this.sweep_job() };
            Jobs::start(self, |this| &this.jobs, sweep);
        }
        let mut sweeper = Sweeper::new(&self.heap, self.zeal.verify);
        // SAFETY: as above.
        unsafe { self.sweep(&mut sweeper, None) };
        self.jobs.close();
        // SAFETY: as above; and this is a thread that may drop the values.
        let done = unsafe { self.sweep_drops(cycle, &mut sweeper, None, false) };
        *self.survivors.lock() += sweeper.finish();
        // Otherwise destructors run first, when mutators do (`dying`).
        if done {
            self.end(cycle, world.allocated, None);
            self.verify_at_end();
        }
    }

    /// How many threads help the one that collects at once.
    fn helpers(&self) -> usize {
        let markers = match self.markers {
            _ if self.mode == Mode::Incremental => 1,
            0 => processors().min(4),
            markers => markers.min(MARKERS),
        };
        if self.pacer.lock().live() < WORTH_HELP && self.markers == 0 {
            return 0;
        }
        markers - 1
    }

    unsafe fn mark_all(self: &Arc<Self>, roots: &Roots<'_>, count: usize) {
        // Relaxed: no mutator is at work.
        let all_dirty = self.unknown_writes.load(Ordering::Relaxed);
        let role = move |number| Role {
            number,
            count,
            all_dirty,
            asks: number == 0,
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
        if self.zeal.naive_mark {
            self.jobs.close();
            // SAFETY: the program stands still.
            let naive = unsafe { self.naive_marks(roots) };
            naive.compare();
            *self.told.lock() = naive.into_told();
        }
    }

    /// Clears short weak pointers, enqueues finalizers, and marks what they see.
    unsafe fn keep_all(self: &Arc<Self>, cycle: &mut Cycle, roots: &Roots<'_>) {
        let (heap, work) = (&self.heap, &self.work);
        let role = Role {
            number: 0,
            count: 1,
            // Relaxed: no mutator is at work.
            all_dirty: self.unknown_writes.load(Ordering::Relaxed),
            asks: true,
        };
        // SAFETY: the program stands still; this is the only marker.
        unsafe {
            self.process(cycle, None);
            Marker::<false, true>::new(heap, work, role, Backlog::default()).run(true, None);
        }
        if self.zeal.naive_mark {
            // SAFETY: the program stands still.
            let naive = unsafe { self.naive_marks(roots) };
            naive.compare();
            *self.told.lock() = naive.into_told();
        }
        self.begin_to_settle(cycle);
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

impl Collector {
    /// Sweeps blocks with dead values that need `Drop`, as far as the time reaches. Whether none is left, nor a value
    /// that waits for its destructor. The values of a heap with one mutator are dropped here; for those of others see
    /// [`super::dying`].
    ///
    /// # Safety
    ///
    /// Marking is complete, and weak pointers are settled. The thread is at the safepoint.
    pub(super) unsafe fn sweep_drops(
        &self,
        cycle: &mut Cycle,
        sweeper: &mut Sweeper<'_>,
        deadline: Option<Instant>,
        force: bool,
    ) -> bool {
        if self.mutators == Mutators::Many {
            // SAFETY: passed on to the caller.
            return unsafe { self.sweep_dying(sweeper, force) } && (force || self.dying.is_empty());
        }
        while let Some(block) = { self.with_drops.lock().pop() } {
            // SAFETY: passed on to the caller; the block was not swept.
            if !unsafe { self.sweep_with_drops(cycle, sweeper, block, deadline) } {
                self.with_drops.lock().push(block);
                return false;
            }
        }
        true
    }

    /// Drops the dead values of a block, then sweeps it; as far as the time reaches. Whether it was
    /// swept.
    ///
    /// # Safety
    ///
    /// Marking is complete, the block was taken to be swept and was not. If values are not all `Send`, the
    /// thread is the heap's one mutator.
    unsafe fn sweep_with_drops(
        &self,
        cycle: &mut Cycle,
        sweeper: &mut Sweeper<'_>,
        block: BlockIndex,
        deadline: Option<Instant>,
    ) -> bool {
        let disposer = &mut cycle.disposer;
        let mut dropped = 0;
        // SAFETY: passed on to the caller; dead values are dropped once, for that leaves no value.
        unsafe {
            let done = self.heap.each_dead(block, |base, end| {
                let bytes = end - base;
                if let Some(object) = Described::at(Extent { base, bytes }) {
                    disposer.dispose(object);
                    dropped += 1;
                }
                dropped < BETWEEN_LOOKS
                    || core::mem::take(&mut dropped) == 0
                    || deadline.is_none_or(|end| Instant::now() < end)
            });
            self.heap.count_dropped(disposer.take_released());
            if !done {
                return false;
            }
            sweeper.block(block);
        }
        true
    }
}
