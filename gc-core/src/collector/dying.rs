//! Destructors of a heap with many mutators: they run while nobody waits for the thread that runs them.
//!
//! A destructor is code of the user's, and may wait: for a mutex that another thread holds while it enters `mutate`,
//! for instance. So it must not run while mutators are stopped, nor under a lock of the collector.
//!
//! What is dead is decided under the lock of [`Cycle`], sometimes while mutators are stopped: the value is taken out
//! of its object ([`Described::take`]), which from then on reads as empty for everybody, and put on a list. When
//! the safepoint has let go of that lock, it runs the destructors on the list ([`Collector::leave`]), then takes the
//! lock again and goes on. Any thread at a safepoint helps.
//!
//! The memory of a value on the list must not be reused:
//!
//! * A target of weak pointers has become a shell, which is marked, so this cycle does not free it ([`super::weak`]).
//! * The block of any other is not swept before the destructors of its values have run. A cycle that has to end
//!   while some are still running, on other threads or further up on this one's stack, marks these objects, and
//!   sweeps the block around them.
//! * A later cycle marks all objects whose values are still on the list before it sweeps ([`Collector::keep_dying`]).
//!   They are free in the first one after that.
//!
//! So no cycle waits for a destructor that another thread runs.
//!
//! A destructor may use the arena like any code outside of `mutate`: attach, mutate, collect. A collection made in one
//! leaves the destructors that it finds to the safepoint which runs the outer one; otherwise a chain of them would
//! overflow the stack.
//!
//! The last owners that tracing a [`std::sync::Weak`] leaves behind ([`LastOwner`](crate::types::trace::LastOwner))
//! are dropped here as well, of heaps with one mutator too. Values of such a heap are dropped in place, by
//! [`Disposer`].
//!
//! # Invariants
//!
//! 1. An object on the list, or whose destructor runs, is unreachable, has no value for whoever looks
//!    ([`Described::at`]), and is not freed.
//! 2. `blocks` are unswept blocks of the cycle in progress, in no other list. Their dead values were taken.
//! 3. Values and blocks are added under the lock of [`Cycle`].

use core::cell::Cell;
use core::ptr;
use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use super::BETWEEN_LOOKS;
use super::dispose::Disposer;
use super::driver::{Budget, is_over};
use super::{Collector, Cycle, Mutators, Phase, Program};
use crate::heap::block::BlockIndex;
use crate::heap::extent::Extent;
use crate::heap::start::ObjectStart;
use crate::heap::sweep::Sweeper;
use crate::sync::{Arc, Mutex, MutexGuard, thread_local};
use crate::types::descriptor::{DeadValue, Described};

/// Values are taken out of blocks until there are so many.
const MANY: usize = 1024;

/// See the [module documentation](self).
#[derive(Default)]
pub(crate) struct Dying(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<DeadValue>,
    /// The objects whose destructors run now.
    running: Vec<usize>,
    blocks: Vec<BlockIndex>,
    /// How long destructors have run since this was last taken.
    spent: Duration,
}

thread_local! {
    /// The heaps whose destructors this thread runs, the innermost first. Without a destructor, so that it is there
    /// as long as there are arenas in other variables of the thread.
    static RUNNING: Cell<*const Running> = const { Cell::new(ptr::null()) };
}

/// This thread runs destructors of a heap.
struct Running {
    dying: *const Dying,
    outer: *const Running,
}

impl Running {
    /// Calls `f`, in which this thread runs destructors of that heap.
    fn during(dying: &Dying, f: impl FnOnce()) {
        /// Takes the innermost off the list, also if `f` panics.
        struct Leave(*const Running);
        impl Drop for Leave {
            fn drop(&mut self) {
                RUNNING.set(self.0);
            }
        }
        let outer = RUNNING.get();
        let running = Running { dying, outer };
        RUNNING.set(&running);
        let _leave = Leave(outer);
        f();
    }

    /// Whether this thread runs destructors of that heap.
    fn contains(dying: &Dying) -> bool {
        let mut at = RUNNING.get();
        // SAFETY: what is on the list is in the frames of calls of `during` of this thread that have not returned.
        while let Some(running) = unsafe { at.as_ref() } {
            if ptr::eq(running.dying, dying) {
                return true;
            }
            at = running.outer;
        }
        false
    }
}

impl Dying {
    /// Adds values, under the lock of the cycle (invariant 3).
    pub(super) fn add(&self, _: &mut Cycle, values: impl IntoIterator<Item = DeadValue>) {
        self.0.lock().waiting.extend(values);
    }

    /// Whether this thread runs a destructor of this heap.
    fn is_running_here(&self) -> bool {
        Running::contains(self)
    }

    /// Whether no value waits, and no block for one.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.0.lock();
        state.waiting.is_empty() && state.blocks.is_empty()
    }

    /// Whether all values were dropped.
    pub(super) fn has_no_values(&self) -> bool {
        let state = self.0.lock();
        state.waiting.is_empty() && state.running.is_empty()
    }

    /// Drops values that wait, until none does or the time is over; at least some of them.
    fn run(&self, disposer: &mut Disposer, deadline: Option<Instant>) {
        let began = Instant::now();
        let mut run = 0;
        let mut last = None;
        while let Some(value) = self.next(&mut last) {
            last = Some(value.start());
            // SAFETY: it was taken from a dead object, whose memory is kept as long as it is in the list of those that
            // run.
            unsafe { disposer.drop_taken(value) };
            run += 1;
            if run % BETWEEN_LOOKS == 0 && is_over(deadline) {
                break;
            }
        }
        let mut state = self.0.lock();
        state.has_run(&mut last);
        state.spent += began.elapsed();
    }

    /// Takes a value off the list, after the destructor of the object at `last` has run.
    fn next(&self, last: &mut Option<usize>) -> Option<DeadValue> {
        let mut state = self.0.lock();
        state.has_run(last);
        let value = state.waiting.pop_front()?;
        if state.waiting.is_empty() && state.waiting.capacity() > MANY {
            state.waiting = VecDeque::new();
        }
        state.running.push(value.start());
        Some(value)
    }

    /// Takes how long destructors have run since the last time.
    pub(super) fn take_spent(&self) -> Duration {
        core::mem::take(&mut self.0.lock().spent)
    }

    /// The blocks that are to be swept when destructors have run, of a heap that is at its end.
    pub(super) fn take_blocks(&self) -> Vec<BlockIndex> {
        core::mem::take(&mut self.0.lock().blocks)
    }
}

impl State {
    fn has_run(&mut self, last: &mut Option<usize>) {
        if let Some(start) = last.take() {
            let index = self.running.iter().position(|other| *other == start);
            self.running
                .swap_remove(index.expect("it was put there before it ran"));
        }
    }

    fn each(&self) -> impl Iterator<Item = usize> {
        let waiting = self.waiting.iter().map(DeadValue::start);
        waiting.chain(self.running.iter().copied())
    }
}

/// What a safepoint has still to do when it lets go of the cycle.
pub(super) enum Turn {
    /// Nothing: it is not time for that.
    Rest,
    /// To run destructors and sweep, until that moment.
    Until(Option<Instant>),
    /// To complete the cycle, however long it takes.
    Complete,
}

impl Collector {
    /// Whether destructors wait that this thread may run now.
    pub(super) fn has_destructors(&self) -> bool {
        let waits = !self.dying.0.lock().waiting.is_empty() || self.work.has_last_owners();
        waits && !self.dying.is_running_here()
    }

    /// Runs destructors that wait, until none does or the time is over; at least some of them. The caller has no lock,
    /// and no mutator waits for it.
    pub(crate) fn run_destructors(&self, disposer: &mut Disposer, deadline: Option<Instant>) {
        Running::during(&self.dying, || {
            for owner in self.work.take_last_owners() {
                disposer.call(|| drop(owner));
            }
            self.dying.run(disposer, deadline);
        });
        self.count_released(disposer.take_released());
    }

    /// Ends a safepoint: unlocks the cycle and runs destructors, as `turn` says. Panics are kept
    /// in `disposer`.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`], but for those of destructors.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(super) unsafe fn leave(
        self: &Arc<Self>,
        mut cycle: MutexGuard<'_, Cycle>,
        program: &Program<'_>,
        turn: Turn,
        disposer: &mut Disposer,
    ) {
        disposer.append(&mut cycle.disposer);
        let number = cycle.number;
        drop(cycle);
        // The values of a heap with one mutator were dropped where they were found, and the cycle is where it
        // should be.
        let alone = self.mutators == Mutators::One;
        let deadline = match turn {
            Turn::Rest => return,
            Turn::Until(deadline) => deadline,
            Turn::Complete => None,
        };
        loop {
            if self.has_destructors() {
                (program.released)(&mut || self.run_destructors(disposer, deadline));
            } else if !matches!(turn, Turn::Complete) {
                return;
            }
            if alone {
                return;
            }
            let cycle = match turn {
                Turn::Complete => Some(self.cycle.lock()),
                _ if is_over(deadline) => None,
                _ => self.cycle.try_lock(),
            };
            let Some(mut cycle) = cycle else { return };
            // SAFETY: the caller makes the safepoint promises, and this thread has the lock of the cycle again.
            unsafe { self.go_on(&mut cycle, program, number, &turn, deadline) }
            disposer.append(&mut cycle.disposer);
            let ended = cycle.number != number || self.phase() == Phase::Sleeping;
            drop(cycle);
            if ended && !self.has_destructors() {
                return;
            }
        }
    }

    /// Goes on with a cycle whose destructors have run, if another thread has not ended it.
    ///
    /// # Safety
    ///
    /// The safepoint promises of [`Collector::safepoint`].
    unsafe fn go_on(
        self: &Arc<Self>,
        cycle: &mut Cycle,
        program: &Program<'_>,
        number: u64,
        turn: &Turn,
        deadline: Option<Instant>,
    ) {
        if cycle.number != number || self.phase() == Phase::Sleeping {
            return;
        }
        match turn {
            // SAFETY: the caller makes the safepoint promises, which are all that this asks for.
            Turn::Complete => unsafe { self.complete(cycle, program) },
            _ if self.phase() == Phase::Sweeping => {
                let _inside = self.report_work();
                cycle.entered = Instant::now();
                let budget = Budget {
                    all: false,
                    due: false,
                    deadline,
                };
                // SAFETY: the caller makes the safepoint promises, and the cycle is sweeping.
                unsafe { self.sweep_some(cycle, program, &budget) }
                self.note_step(cycle);
            }
            _ => {}
        }
    }

    /// Takes the values out of the dead objects of blocks, and sweeps blocks whose destructors have run. Whether all
    /// blocks with destructors are swept. With `force` no block waits for destructors that this thread cannot run.
    ///
    /// # Safety
    ///
    /// 1. Marking is complete, and weak pointers are cleared.
    /// 2. The heap has many mutators, and the thread is at the safepoint.
    pub(super) unsafe fn sweep_dying(
        &self,
        cycle: &mut Cycle,
        sweeper: &mut Sweeper<'_>,
        force: bool,
    ) -> bool {
        loop {
            let Some(blocks) = self.take_swept_next(force) else {
                return false;
            };
            for block in blocks {
                // SAFETY: marking is complete (1). The dead values that were in the block are dropped, or their
                // objects are marked. The block was taken off its list, so nobody else sweeps it.
                unsafe { sweeper.block(block) }
            }
            let (mut blocks, mut values) = (Vec::new(), Vec::new());
            while values.len() < MANY
                && let Some(block) = { self.sweeping.with_drops.lock().pop() }
            {
                // SAFETY: marking is complete (1). The block was not swept, and is this thread's, as it was taken
                // off its list.
                unsafe { self.take_dead(block, &mut values) };
                blocks.push(block);
            }
            if blocks.is_empty() {
                return true;
            }
            self.dying.add(cycle, values);
            self.dying.0.lock().blocks = blocks;
        }
    }

    /// The blocks whose dead values were taken, if they can be swept now.
    fn take_swept_next(&self, force: bool) -> Option<Vec<BlockIndex>> {
        let elsewhere = self.dying.is_running_here();
        let mut state = self.dying.0.lock();
        if !state.blocks.is_empty() && (!state.waiting.is_empty() || !state.running.is_empty()) {
            if !force || !state.waiting.is_empty() && !elsewhere {
                return None;
            }
            // SAFETY: invariant 1: objects whose values were taken are not freed.
            let start_of = |start: usize| unsafe { ObjectStart::new_unchecked(start) };
            let within = |start: &usize| {
                let listed = self.heap.listed_block(start_of(*start));
                state.blocks.contains(&listed)
            };
            for start in state.each().filter(within) {
                // SAFETY: invariant 1; the block is this thread's.
                unsafe { self.keep_emptied(start) }
            }
        }
        Some(core::mem::take(&mut state.blocks))
    }

    /// Takes the values out of the dead objects of a block.
    ///
    /// # Safety
    ///
    /// Marking is complete, and the block was taken to be swept and was not.
    unsafe fn take_dead(&self, block: BlockIndex, values: &mut Vec<DeadValue>) {
        // SAFETY: marking is complete, so nothing refers to an unmarked object. The block was not swept, and is
        // this thread's.
        unsafe {
            self.heap.each_dead(block, |start, end| {
                let base = start.address();
                let bytes = end - base;
                values
                    .extend(Described::at(Extent { base, bytes }).and_then(|object| object.take()));
                true
            });
        }
    }

    /// Keeps an object whose value was taken when its block is swept.
    ///
    /// # Safety
    ///
    /// The block is not swept yet, and either it is the caller's, or mutators are stopped.
    unsafe fn keep_emptied(&self, start: usize) {
        // SAFETY: the object is on the list, so it is not freed (invariant 1), and nobody else writes to its
        // planes: the block is this thread's, or mutators are stopped (the caller's promise). It has no value, so
        // no pointers to be followed.
        unsafe {
            let start = ObjectStart::new_unchecked(start);
            if !self.heap.is_marked(start) {
                self.heap.clear_tags(self.heap.extent_of(start));
                self.heap.group_of(start).marks[0].insert(start.bit());
            }
        }
    }

    /// Keeps all objects whose destructors have not run.
    ///
    /// # Safety
    ///
    /// Mutators are stopped, and no block is swept yet in this cycle.
    pub(super) unsafe fn keep_dying(&self) {
        if self.mutators == Mutators::Many {
            for start in self.dying.0.lock().each() {
                // SAFETY: no block is swept yet, and mutators are stopped (the caller's promises).
                unsafe { self.keep_emptied(start) }
            }
        }
    }
}
