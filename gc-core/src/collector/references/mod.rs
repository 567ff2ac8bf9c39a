//! References that are not simply strong: the order in which they are processed.
//!
//! When everything that is reachable is marked, what is not is *dead*; and yet some of it may be seen again.
//! [`Collector::process`] is the whole order, and `docs/references.md` compares it with that of other
//! collectors:
//!
//! 1. Strong pointers were followed, those of soft references which the policy keeps among them, and the
//!    values of ephemerons whose keys are marked ([`pending`]).
//! 2. Short weak pointers to dead objects are cleared: it is noted of the object that it was *found dead*,
//!    once and for all, and no [`GcWeak`](crate::GcWeak) leads to it any more.
//! 3. The finalizers of dead objects are enqueued ([`finalizers`]).
//! 4. What these objects lead to is marked, so that their finalizers can see it; and ephemerons again.
//!    Whatever is marked now was found dead.
//! 5. Long weak pointers, and ephemerons, to what is still not marked are cleared: it becomes a shell, or
//!    is freed if no weak pointer leads there ([`weak`]).
//!
//! After that the rest is swept. If no finalizer is registered, 2 to 4 are left out: then 5 clears short
//! weak pointers as well.
//!
//! From 2 to 4 the cycle is in [`Phase::Finalizing`], in which it marks as in [`Phase::Marking`]: the barrier is
//! armed, and what the program stores after it got hold of it by a long weak pointer or an ephemeron is found
//! ([`rescan`](super::rescan)). So the program may go on between the steps. In 5, [`Phase::ClearingWeak`], all that
//! it can get hold of is marked.
//!
//! # Invariants
//!
//! 1. An object that was found dead keeps that mark until it is freed, whoever resurrects it.
//! 2. All finalizers of dead objects are enqueued before anything is marked for one of them: so each of
//!    several that lead to each other is finalized.

pub(crate) mod finalizers;
pub(crate) mod pending;
pub(crate) mod report;
pub(crate) mod schedule;
pub(crate) mod soft;

use std::time::Instant;

use super::driver::is_over;
use super::weak::Cutting;
use super::{BETWEEN_LOOKS, Collector, Cycle, Mutators, Phase, weak};
use crate::heap::start::ObjectStart;
use crate::types::descriptor::Described;
use crate::types::trace::{Edge, EdgeVisitor};

/// What is next of the order of processing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// What was enqueued before is marked, besides what the roots lead to.
    #[default]
    Queue,
    /// Short weak pointers to dead objects are cleared.
    ClearShort,
    /// The finalizers of dead objects are enqueued.
    Enqueue,
    /// What they see is marked.
    Keep,
    /// What is still not marked is taken from long weak pointers.
    ClearLong,
}

impl Collector {
    /// Processes references, from where the cycle is, until the deadline. Whether that is all that
    /// can be done in this phase: what remains of it is for markers.
    ///
    /// # Safety
    ///
    /// 1. This is the thread at the safepoint, which makes the safepoint promises of [`Collector::safepoint`].
    /// 2. In [`Phase::ClearingWeak`] no mutator is at work.
    pub(super) unsafe fn process(&self, cycle: &mut Cycle, deadline: Option<Instant>) -> bool {
        loop {
            let (done, next) = match cycle.stage {
                Stage::Queue => (self.visit_queue(deadline), None),
                Stage::ClearShort => (self.clear_short(cycle, deadline), Some(Stage::Enqueue)),
                Stage::Enqueue => (self.enqueue(deadline), Some(Stage::Keep)),
                Stage::Keep => (self.visit_queue(deadline), None),
                // SAFETY: this stage is that of `ClearingWeak`, in which all is marked that will be, and no mutator
                // is at work (2).
                Stage::ClearLong => (unsafe { self.clear_long(cycle, deadline) }, None),
            };
            match next {
                Some(next) if done => cycle.stage = next,
                _ => return done,
            }
        }
    }

    /// Whether what remains of the present phase is for markers.
    pub(super) fn is_processed(&self, cycle: &Cycle) -> bool {
        match cycle.stage {
            Stage::Queue | Stage::Keep => self.finalizers.is_visited(),
            _ => false,
        }
    }

    /// Lets go of soft references, as the policy says, when a cycle begins.
    pub(super) fn choose_soft(&self) {
        let collections = self.statistics.lock().collections;
        let starved = self.pacer.lock().is_starved();
        let no_room = starved || self.heap.is_limited() && self.heap.is_short_of_room();
        self.cohorts
            .choose(collections, self.options.soft_idle, no_room);
    }

    /// Visits what the collector itself keeps alive, but for finalizers that wait.
    pub(super) fn visit_cohorts(&self, visitor: &mut dyn EdgeVisitor) {
        self.cohorts
            .each(|target| visitor.visit(Edge::of_root(target)));
    }

    /// Goes on from marking what is reachable.
    ///
    /// # Safety
    ///
    /// Everything reachable is marked, mutators are stopped, and no marker is at work.
    pub(super) unsafe fn begin_to_process(&self, cycle: &mut Cycle) {
        cycle.weak = self.work.take_weak();
        cycle.cleared = 0;
        if self.finalizers.begin_to_enqueue() {
            // SAFETY: everything reachable is marked, and mutators are stopped (the caller's promises).
            unsafe { self.enter(Phase::Finalizing) };
            cycle.stage = Stage::ClearShort;
        } else {
            // SAFETY: there are no finalizers to mark for, so all is marked that will be. Mutators are stopped, and
            // no marker is at work (the caller's promise).
            unsafe { self.begin_to_clear_weak(cycle) };
        }
    }

    /// Goes on to clearing weak pointers.
    ///
    /// # Safety
    ///
    /// All is marked that will be, mutators are stopped, and no marker is at work.
    pub(super) unsafe fn begin_to_clear_weak(&self, cycle: &mut Cycle) {
        // SAFETY: all is marked that will be, mutators are stopped, and no marker is at work (the caller's promises).
        unsafe { self.enter(Phase::ClearingWeak) };
        cycle.stage = Stage::ClearLong;
        cycle.marked = Instant::now();
        let kept = self.work.take_kept();
        self.finalizers.note_bytes(kept);
        cycle.kept += kept;
        cycle.weak.append(&mut self.work.take_weak());
        // SAFETY: no marker is at work (the caller's promise).
        unsafe { self.work.pending.clear() }
    }

    /// Gives markers what was enqueued: before this cycle, or by it.
    fn visit_queue(&self, deadline: Option<Instant>) -> bool {
        while let Some(targets) = self.finalizers.visit_some() {
            self.work.add(targets);
            if is_over(deadline) {
                return self.finalizers.is_visited();
            }
        }
        true
    }

    /// Sets the found-dead bit of dead objects that weak pointers lead to.
    fn clear_short(&self, cycle: &mut Cycle, deadline: Option<Instant>) -> bool {
        while let Some(&target) = cycle.weak.get(cycle.cleared) {
            cycle.cleared += 1;
            // SAFETY: weak pointers in use point at starts of objects.
            unsafe {
                let group = self.heap.planes().group(target);
                if group.is_unmarked_start(target) {
                    self.heap
                        .insert_found_dead(ObjectStart::new_unchecked(target));
                }
            }
            if cycle.cleared.is_multiple_of(BETWEEN_LOOKS) && is_over(deadline) {
                return cycle.cleared == cycle.weak.len();
            }
        }
        true
    }

    /// Enqueues the finalizers of dead objects.
    fn enqueue(&self, deadline: Option<Instant>) -> bool {
        let find_dead = |target: usize| {
            // A value that needs no memory never dies.
            let is_dead = self.heap.spans(target)
                // SAFETY: an object with a finalizer is not freed before that is enqueued.
                && !unsafe { self.heap.planes().is_marked(target) };
            if is_dead {
                // Noted here, for the cycle may be aborted before it marks what is enqueued; and to the next
                // one, what the queue leads to is not dead.
                // SAFETY: the target is an object of this heap that is not freed before its finalizer is enqueued.
                let start = unsafe { ObjectStart::new_unchecked(target) };
                self.heap.insert_found_dead(start);
            }
            is_dead
        };
        while self.finalizers.enqueue_some(find_dead).is_some() {
            if is_over(deadline) && !self.finalizers.is_enqueued() {
                return false;
            }
        }
        self.finalizers.finish_enqueuing();
        self.look_when_due();
        true
    }

    /// Makes zombie shells of what is not marked.
    ///
    /// # Safety
    ///
    /// All is marked that will be, and no mutator is at work.
    unsafe fn clear_long(&self, cycle: &mut Cycle, deadline: Option<Instant>) -> bool {
        let mut processed = 0;
        let mut values = Vec::new();
        let disposer = &mut cycle.disposer;
        // Nobody takes a value meanwhile but this.
        let cutting = Cutting {
            gone_is_free: self.dying.has_no_values(),
            scrub: self.options.zeal.verify,
        };
        while let Some(target) = cycle.weak.pop() {
            let bury = |object: Described| {
                // SAFETY: the object is not marked, and all is marked that will be, so nothing will refer to its value.
                unsafe {
                    match self.mutators {
                        Mutators::One => disposer.dispose(object),
                        Mutators::Many => {
                            let value = object.take();
                            let is_free = value.is_none();
                            values.extend(value);
                            return is_free;
                        }
                    }
                }
                true
            };
            // SAFETY: marking is complete and no mutator is at work (the caller's promises), and markers have met a
            // weak pointer to the target. If all values that were taken before were dropped, so was that of a shell.
            let bytes = unsafe { weak::clear_weak(&self.heap, target, cutting, bury) };
            cycle.shells += bytes as u64;
            processed += 1;
            if processed % BETWEEN_LOOKS == 0 && is_over(deadline) {
                break;
            }
        }
        self.dying.add(cycle, values);
        self.count_released(cycle.disposer.take_released());
        if !cycle.weak.is_empty() {
            return false;
        }
        // There may have been many.
        cycle.weak = Vec::new();
        true
    }
}
