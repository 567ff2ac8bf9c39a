//! Standing where everything is marked: what a program that wants to look at that asks of the collector.
//!
//! A cycle *stands* when all that can be reached is marked, and yet goes on to mark: its phase is
//! [`Phase::Marking`], the barrier is armed. Objects are born black. So whatever the program does next, to
//! keep objects alive that are not marked or to go on as usual, is what it may do at any time while a cycle
//! marks; if it brings up more to be marked, that is marked before the cycle goes any farther. The next
//! safepoint that is not told otherwise goes on to the end of the cycle.
//!
//! # Finalization
//!
//! A *finalization* call sees objects that are not marked, and must be able to without keeping them alive
//! ([`GcWeak::upgrade`](crate::GcWeak::upgrade) as `gc-arena` has it). So in such a call, and only there, a
//! pointer to an unmarked object may be written to where it can be reached. A barrier that looks at what is
//! overwritten says nothing of that. So during such a call it claims nothing: it keeps a list of the objects
//! that are written, the allocator one of where objects are made ([`Kept`]), and when the call is over, what
//! the marked ones of these hold is noted, and what the roots do.
//!
//! Why nothing is lost: no marker is at work during the call. Take the moment at its end as a new snapshot.
//! An object that can be reached then is marked and neither written nor made in the call, and so are all
//! that it leads to; or it is marked, and what it leads to is noted; or it is not marked, and then one of the
//! pointers on the way to it is noted, for the first unmarked object on that way is pointed at by the roots
//! or by a marked object that was written or made in the call. Those that are marked later are scanned
//! then, as nobody has claimed them. So all of it is marked when marking ends.

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use super::claim::Found;
use super::dispose::Disposer;
use super::dying::Turn;
use super::{Collector, Cycle, Phase, Roots, World};
use crate::collector::options::Mode;
use crate::heap::extent::Extent;
use crate::heap::planes::bit;
use crate::sync::{Arc, MutexGuard, Ordering};
use crate::types::descriptor::Described;

/// What a finalization call has written and made.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The starts of objects that were written, some more than once.
    pub(crate) written: Vec<usize>,
    /// Where objects were made: from an address to another.
    pub(crate) made: Vec<(usize, usize)>,
}

impl Collector {
    /// Whether the cycle was made to stand where everything was marked, and has not gone farther since.
    pub(crate) fn stands(&self) -> bool {
        // Relaxed: as in `enter`.
        self.stands.load(Ordering::Relaxed)
    }

    /// Whether nothing has come up since the cycle stood that is to be marked, as far as it was handed over.
    pub(crate) fn is_marked(&self) -> bool {
        self.stands()
            && self.work.has_no_packets()
            && self.work.has_no_by_value()
            && !self.weak_reads.has_unmarked(&self.heap)
    }

    /// Begins a cycle if none is in progress, marks everything, and stands there. Does nothing if it
    /// is known already what is dead.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn finish_marking(self: &Arc<Self>, world: &World<'_>) {
        let mut cycle = self.cycle.lock();
        // SAFETY: passed on to the caller.
        unsafe {
            self.holding(&mut cycle, |cycle| self.mark_and_stand(cycle, world));
            self.leave_standing(cycle, world);
        }
    }

    /// Does what is due for marking, and stands where everything is marked.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn mark_debt(self: &Arc<Self>, world: &World<'_>) {
        let Some(mut cycle) = self.cycle.try_lock() else {
            return;
        };
        let work = |cycle: &mut Cycle| {
            // SAFETY: passed on to the caller.
            unsafe {
                match self.phase() {
                    Phase::Sleeping => {
                        if self.zeal.collect || self.pacer.lock().debt(world.allocated) > 0.0 {
                            if self.is_to_be_at_once() {
                                self.mark_and_stand(cycle, world);
                            } else {
                                self.open(cycle, world);
                            }
                        }
                    }
                    Phase::Marking if self.is_marked() => {}
                    Phase::Marking => {
                        let share = self.take_share(cycle, world);
                        if share.hurry || self.mode == Mode::StopTheWorld {
                            self.mark_and_stand(cycle, world);
                        } else {
                            self.mark_step(cycle, world, share);
                        }
                    }
                    Phase::Abandoned => self.mark_and_stand(cycle, world),
                    Phase::Finalizing | Phase::Settling | Phase::Sweeping => {}
                }
            }
        };
        self.holding(&mut cycle, work);
        // SAFETY: passed on to the caller.
        unsafe { self.leave_standing(cycle, world) }
    }

    /// Ends a safepoint at which the cycle goes no farther.
    unsafe fn leave_standing(self: &Arc<Self>, cycle: MutexGuard<'_, Cycle>, world: &World<'_>) {
        let mut disposer = Disposer::default();
        // SAFETY: passed on to the caller.
        unsafe { self.leave(cycle, world, Turn::Until(None), &mut disposer) };
        disposer.finish();
    }

    /// Goes on from where the cycle stands to sweeping.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn start_sweeping(self: &Arc<Self>, world: &World<'_>) {
        let mut cycle = self.cycle.lock();
        cycle.entered = Instant::now();
        while !matches!(self.phase(), Phase::Sleeping | Phase::Sweeping) {
            // SAFETY: passed on to the caller.
            unsafe { self.hurry(&mut cycle, world) }
        }
        let entered = cycle.entered;
        self.note_step(&mut cycle, entered);
        // SAFETY: passed on to the caller.
        unsafe { self.leave_standing(cycle, world) }
    }

    /// Calls `work`, in which the cycle goes no farther than to the end of marking. The panic of a `trace`
    /// goes through.
    fn holding(self: &Arc<Self>, cycle: &mut Cycle, work: impl FnOnce(&mut Cycle)) {
        cycle.entered = Instant::now();
        cycle.hold = true;
        let result = panic::catch_unwind(AssertUnwindSafe(|| work(cycle)));
        cycle.hold = false;
        if let Err(payload) = result {
            panic::resume_unwind(payload);
        }
    }

    /// Begins a cycle during which the program goes on, whatever it has written before.
    unsafe fn open(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        if self.has_unknown_writes() {
            let mut panicked = None;
            (world.stopped)(&mut || {
                // SAFETY: no `mutate` call is running, and no cycle is in progress.
                let retag = AssertUnwindSafe(|| unsafe { self.retag_stale() });
                panicked = panic::catch_unwind(retag).err();
                if panicked.is_none() {
                    // Relaxed: no mutator is at work.
                    self.unknown_writes.store(false, Ordering::Relaxed);
                }
            });
            if let Some(payload) = panicked {
                panic::resume_unwind(payload);
            }
        }
        // SAFETY: passed on to the caller. All tags tell the truth, but for those of dirty objects.
        unsafe { self.begin(cycle, world) }
    }

    unsafe fn mark_and_stand(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        if self.phase() == Phase::Abandoned {
            (world.stopped)(&mut || self.clear_away(cycle));
        }
        // SAFETY: passed on to the caller.
        unsafe {
            if self.phase() == Phase::Sleeping {
                self.open(cycle, world);
            }
            if self.is_marked() {
                return;
            }
            // Relaxed: as in `enter`.
            self.stands.store(false, Ordering::Relaxed);
            while self.phase() == Phase::Marking && !self.stands() {
                self.hurry(cycle, world);
            }
        }
        let entered = cycle.entered;
        self.note_step(cycle, entered);
    }

    /// Notes what the marked objects hold that a finalization call has written or made, and what the roots
    /// do.
    ///
    /// If a `trace` panics, the cycle must be given up.
    ///
    /// # Safety
    ///
    /// The call is over, this is the heap's one mutator, all of these objects are in it, and marking goes on.
    pub(crate) unsafe fn note_kept(&self, kept: Kept, roots: &Roots<'_>, found: &mut Found) {
        roots(&mut found.finder(self));
        let Kept { mut written, made } = kept;
        for (from, to) in made {
            self.heap
                .each_start_between(from, to, |start| written.push(start));
        }
        written.sort_unstable();
        written.dedup();
        for start in written {
            // SAFETY: passed on to the caller.
            unsafe {
                if self.heap.planes().group(start).marks() & bit(start) != 0 {
                    self.note_contents(start, found);
                }
            }
        }
        // So that the cycle stands as before if nothing new has come up.
        found.drop_marked(&self.heap);
    }

    /// Makes the tags of all objects tell the truth. A panic of a `trace` goes through.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running, and no cycle is in progress.
    pub(crate) unsafe fn retag_stale(&self) {
        let unknown = self.has_unknown_writes();
        self.each_described(|object, start| {
            let descriptor = object.descriptor();
            // SAFETY: it is an object of this heap, and no mutator is at work, says the caller.
            unsafe {
                if descriptor.moves && (unknown || self.heap.is_dirty(start)) {
                    self.heap.retag(object);
                }
            }
        });
    }

    /// Calls `f` with each described object that has a value, and its start.
    pub(crate) fn each_described(&self, mut f: impl FnMut(Described, usize)) {
        let heap = &self.heap;
        for block in heap.occupied_blocks() {
            // SAFETY: the block is one of the heap's.
            if unsafe { heap.blocks().state(block) }.is_described() {
                heap.each_start(block, |base| {
                    // SAFETY: an object of a described block starts there.
                    let object = unsafe {
                        Described::at(Extent {
                            base,
                            bytes: heap.end_of(base) - base,
                        })
                    };
                    if let Some(object) = object {
                        f(object, base);
                    }
                });
            }
        }
    }
}
