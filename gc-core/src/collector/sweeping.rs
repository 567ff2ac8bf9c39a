//! Sweeping: who sweeps which block, and when the values in it that need `Drop` are dropped.
//!
//! Any thread may sweep a block without such values. Blocks with them are put aside, for the thread at the
//! safepoint, which drops the values first; in a heap with many mutators see [`super::dying`].

use std::time::Instant;

use super::cycle::{Cycle, Kind, Phase};
use super::driver::{Budget, is_over};
use super::jobs::Jobs;
use super::{BETWEEN_LOOKS, Collector, Mutators, Program};
use crate::collector::options::Mode;
use crate::heap::black::AllocationColor;
use crate::heap::block::BlockIndex;
use crate::heap::extent::Extent;
use crate::heap::store::Occupied;
use crate::heap::sweep::{Survivors, Sweeper};
use crate::sync::{Arc, Mutex};
use crate::types::descriptor::Described;

/// What is left to sweep in the cycle in progress, and what was found.
#[derive(Default)]
pub(super) struct Sweeping {
    /// Blocks that nobody has begun to sweep.
    pub(super) unswept: Mutex<Occupied>,
    /// Those that have values which need `Drop`.
    pub(super) with_drops: Mutex<Vec<BlockIndex>>,
    /// What sweepers that have finished found.
    pub(super) survivors: Mutex<Survivors>,
}

impl Sweeping {
    /// Whether there is a block that nobody has begun to sweep, but for those that were put aside.
    fn has_unswept(&self) -> bool {
        let unswept = self.unswept.lock();
        !unswept.small.is_empty() || !unswept.large.is_empty()
    }

    /// Puts the blocks that are to be swept in order: the highest are swept first, for cursors take what was
    /// brought back last, and should find the lowest there.
    fn sort(&self) {
        self.unswept.lock().small.sort_unstable();
    }
}

impl Collector {
    /// Goes on to sweeping.
    ///
    /// # Safety
    ///
    /// Marking is complete, weak pointers are cleared, mutators are stopped, and no marker is at work.
    pub(super) unsafe fn begin_to_sweep(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
    ) {
        // SAFETY: mutators are stopped (the caller's promise), so no `mutate` call runs and their allocation buffers
        // are retired. Sweeping begins here: marking is complete, weak pointers are cleared, and no marker is at work
        // (the caller's promises).
        unsafe {
            self.keep_dying();
            self.enter(Phase::Sweeping);
            self.heap.set_allocation_color(AllocationColor::White);
            *self.sweeping.unswept.lock() = self.heap.take_occupied();
        }
        cycle.allocated_marked = program.allocated;
        // Without a thread for it, safepoints sweep.
        match (cycle.kind, self.options.mode) {
            (Kind::StopTheWorld, _) => {
                self.sweeping.sort();
                for _ in 0..self.helpers() {
                    Jobs::start(self, |this| &this.jobs, Collector::sweep_all);
                }
            }
            (Kind::Snapshot, Mode::Concurrent) if !cycle.whole => {
                let sweep = |this: &Collector| {
                    let began = Instant::now();
                    this.sweeping.sort();
                    this.sweep_all();
                    this.statistics.lock().concurrent_time += began.elapsed();
                };
                Jobs::start(self, |this| &this.jobs, sweep);
            }
            (Kind::Snapshot, _) => {}
        }
    }

    /// A job: sweeps until nothing is left.
    fn sweep_all(&self) {
        let mut sweeper = Sweeper::new(&self.heap, self.options.zeal.verify);
        // SAFETY: only `begin_to_sweep` starts this job, when marking was complete and weak pointers were cleared.
        // The cycle does not end before the job has.
        unsafe { self.sweep(&mut sweeper, None) };
        *self.sweeping.survivors.lock() += sweeper.finish();
    }

    /// Drops dead values and sweeps, until the deadline; ends the cycle if nothing is left. If it is not due, that
    /// is for other threads as long as they are at it.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`]; the phase is [`Phase::Sweeping`].
    pub(super) unsafe fn sweep_some(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        budget: &Budget,
    ) {
        let mut sweeper = Sweeper::new(&self.heap, self.options.zeal.verify);
        // SAFETY: marking is complete and weak pointers are cleared in this phase; the thread is at the safepoint.
        let mut done = unsafe { self.sweep_drops(cycle, &mut sweeper, budget) };
        if done && (budget.due || self.jobs.unfinished() == 0) {
            // SAFETY: marking is complete and weak pointers are cleared in this phase.
            done = unsafe { self.sweep(&mut sweeper, budget.deadline) };
        }
        *self.sweeping.survivors.lock() += sweeper.finish();
        let none_left = !self.sweeping.has_unswept();
        if none_left && budget.due {
            // They have nothing to do any more, or will in a moment.
            self.jobs.close();
        }
        let nobody_sweeps = self.jobs.unfinished() == 0;
        if done && none_left && nobody_sweeps && self.sweeping.with_drops.lock().is_empty() {
            // SAFETY: the cycle is sweeping (the caller's promise). No block is in a list of those that are to be
            // swept, and no job is unfinished that could have taken one; this thread has swept what it took.
            unsafe { self.end(cycle, program) };
            if self.options.zeal.verify {
                // SAFETY: the cycle has just ended, and none begins while this thread has the lock of the cycle. The
                // caller makes the safepoint promises.
                (program.stopped)(&mut || unsafe { self.verify_at_end() });
            }
        }
    }

    /// Sweeps blocks until none is left, or the time is over. Whether none is left.
    ///
    /// # Safety
    ///
    /// Marking is complete, and weak pointers are cleared.
    unsafe fn sweep(&self, sweeper: &mut Sweeper<'_>, deadline: Option<Instant>) -> bool {
        /// How many blocks are taken at a time.
        const SOME: usize = 16;
        loop {
            let some = {
                let mut unswept = self.sweeping.unswept.lock();
                let small = unswept.small.len().saturating_sub(SOME);
                let large = unswept.large.len().saturating_sub(1);
                Occupied {
                    small: unswept.small.split_off(small),
                    large: unswept.large.split_off(large),
                }
            };
            if some.small.is_empty() && some.large.is_empty() {
                return true;
            }
            let mut with_drops = Vec::new();
            // The lowest last, which is where cursors take from.
            for block in some.small.into_iter().rev() {
                if self.heap.has_drops(block) {
                    with_drops.push(block);
                } else {
                    // SAFETY: marking is complete. The block was taken off the list, so it is this thread's and was
                    // not swept; nothing in it needs to be dropped.
                    unsafe { sweeper.small(block) }
                }
            }
            for head in some.large {
                if self.heap.has_drops(head) {
                    with_drops.push(head);
                } else {
                    // SAFETY: as for small blocks: marking is complete, it is this thread's, and it needs no drop.
                    unsafe { sweeper.large(head) }
                }
            }
            if !with_drops.is_empty() {
                self.sweeping.with_drops.lock().append(&mut with_drops);
            }
            if self.work.must_stop() || is_over(deadline) {
                return false;
            }
        }
    }

    /// Waits until no other thread is sweeping. What is left will be swept at safepoints.
    pub(crate) fn hold_sweeping(&self) {
        self.housekeeping.close();
        if self.phase() == Phase::Sweeping {
            self.work.set_stop(true);
            self.jobs.close();
            self.work.set_stop(false);
        }
    }

    /// Sweeps blocks with dead values that need `Drop`, until the deadline. Whether none is left, nor a value
    /// that waits for its destructor. The values of a heap with one mutator are dropped here; for those of others see
    /// [`super::dying`].
    ///
    /// # Safety
    ///
    /// Marking is complete, and weak pointers are cleared. The thread is at the safepoint.
    unsafe fn sweep_drops(
        &self,
        cycle: &mut Cycle,
        sweeper: &mut Sweeper<'_>,
        budget: &Budget,
    ) -> bool {
        if self.mutators == Mutators::Many {
            // Who works until all is done does not wait for destructors that others run.
            let force = budget.all;
            // SAFETY: marking is complete, weak pointers are cleared, and the thread is at the safepoint (the
            // caller's promises). The heap has many mutators.
            return unsafe { self.sweep_dying(cycle, sweeper, force) }
                && (force || self.dying.is_empty());
        }
        while let Some(block) = { self.sweeping.with_drops.lock().pop() } {
            // SAFETY: marking is complete (the caller's promise). The block was taken off the list, so it was not
            // swept and is this thread's, which is the heap's one mutator.
            if !unsafe { self.sweep_with_drops(cycle, sweeper, block, budget) } {
                self.sweeping.with_drops.lock().push(block);
                return false;
            }
        }
        true
    }

    /// Drops the dead values of a block, until the deadline, and then sweeps it. Whether it was swept.
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
        budget: &Budget,
    ) -> bool {
        let disposer = &mut cycle.disposer;
        let mut dropped = 0;
        // SAFETY: marking is complete, and the block was not swept (the caller's promises): so these objects are
        // dead, and nothing refers to them. The thread may drop their values, each once, for that leaves none in
        // the object.
        unsafe {
            let done = self.heap.each_dead(block, |start, end| {
                let base = start.address();
                let bytes = end - base;
                if let Some(object) = Described::at(Extent { base, bytes }) {
                    disposer.dispose(object);
                    dropped += 1;
                }
                dropped < BETWEEN_LOOKS || core::mem::take(&mut dropped) == 0 || !budget.is_over()
            });
            self.count_released(disposer.take_released());
            if !done {
                return false;
            }
            sweeper.block(block);
        }
        true
    }
}
