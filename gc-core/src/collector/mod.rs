//! The collector: stop-the-world mark-sweep.
//!
//! One cycle, from beginning to end:
//!
//! 1. **Preparation.** The allocator leaves its holes.
//! 2. **Marking.** From the roots, everything reachable is marked through the tagged words
//!    ([`mark`]). Objects of `External` types, and those that were written since their tags were made
//!    and whose pointers may have moved by it, are asked for their pointers and tagged anew. If a
//!    `trace` panics here, all marks are cleared again and the panic goes on: nothing was freed.
//! 3. **Weak pointers.** Objects that only they lead to become shells ([`weak`]).
//! 4. **Sweeping.** All that is not marked is freed, block by block ([`crate::heap::sweep`]); values
//!    that need `Drop` are dropped just before ([`dispose`]). If one panics, the sweep goes on, and
//!    the panic afterwards.
//! 5. **Pacing.** The survivors tell when the next cycle is due ([`pacer`]) and how much empty
//!    memory to keep until then; the rest goes back to the system.
//!
//! With [`Zeal`](crate::Zeal), a naive marker checks the result of step 2, and the heap is verified
//! after step 4.
//!
//! # Invariants
//!
//! 1. A cycle runs only while no `mutate` call does: it needs the arena exclusively.
//! 2. Between cycles no mark is set.

pub(crate) mod dispose;
mod mark;
mod naive;
pub(crate) mod pacer;
mod stack;
pub(crate) mod weak;

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use self::dispose::Disposer;
use self::mark::Marker;
use self::naive::NaiveMarker;
use crate::context::Context;
use crate::heap::extent::Extent;
use crate::trace::EdgeVisitor;

/// Where in its cycle the collector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waiting for the next cycle.
    Sleeping,
    /// Finding what is reachable.
    Marking,
    /// All that is reachable is marked.
    Marked,
    /// Freeing the rest.
    Sweeping,
}

impl Phase {
    /// Whether the collector may go from this phase to `next`.
    fn may_become(self, next: Phase) -> bool {
        use Phase::*;
        matches!(
            (self, next),
            (Sleeping, Marking) | (Marking, Marked) | (Marked, Sweeping) | (Sweeping, Sleeping)
                // A cycle that is abandoned because a `trace` panicked.
                | (Marking, Sleeping)
        )
    }
}

/// Visits the roots of a heap.
pub(crate) type Roots<'a> = dyn Fn(&mut dyn EdgeVisitor) + 'a;

impl Context {
    fn enter(&self, next: Phase) {
        let phase = self.phase.replace(next);
        assert!(
            phase.may_become(next),
            "the collector cannot go from {phase:?} to {next:?}"
        );
    }

    /// Runs one cycle.
    ///
    /// # Panics
    ///
    /// If the `trace` of a value panics (then nothing is freed) or the `Drop` of one (then the cycle
    /// was completed). With zeal, if a check fails.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running, and `roots` visits every pointer from outside of the heap into
    /// it.
    pub(crate) unsafe fn collect(&self, roots: &Roots<'_>) {
        let start = Instant::now();
        let heap = &self.heap;
        heap.retire_all();
        let idle = heap.spare_blocks();
        self.enter(Phase::Marking);
        let marking = panic::catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: no mutator is at work, says the caller, so nothing is being written; and tags
            // that do not tell the truth are those of dirty objects or of unknown ones.
            let mut marker = unsafe { Marker::new(heap, self.unknown_writes.get()) };
            roots(&mut marker);
            marker.run();
            if self.zeal.naive_mark {
                // SAFETY: as above.
                let mut naive = unsafe { NaiveMarker::new(heap) };
                roots(&mut naive);
                naive.run();
                naive.compare();
            }
            marker.into_weak_targets()
        }));
        let weak_targets = match marking {
            Ok(weak_targets) => weak_targets,
            Err(payload) => {
                heap.clear_marks();
                self.enter(Phase::Sleeping);
                panic::resume_unwind(payload);
            }
        };
        self.enter(Phase::Marked);
        self.unknown_writes.set(false);
        let marked = Instant::now();

        let mut disposer = Disposer::default();
        // SAFETY: marking is complete, and the marker noted where weak pointers point.
        unsafe { weak::make_shells(heap, &weak_targets, &mut disposer) };
        self.enter(Phase::Sweeping);
        // SAFETY: marking was complete, so nothing refers to unmarked objects; the cursors are in
        // no hole.
        let survivors = unsafe {
            heap.sweep(self.zeal.verify, |base, end| {
                disposer.dispose(Extent {
                    base,
                    bytes: end - base,
                })
            })
        };
        self.pacer
            .finish_cycle(survivors.bytes, heap.allocated_bytes());
        heap.trim(self.pacer.expected().saturating_sub(survivors.holes), idle);
        self.enter(Phase::Sleeping);
        self.statistics.note_cycle(start, marked, survivors.bytes);

        if self.zeal.verify {
            // SAFETY: no cycle is in progress any more, and no mutator is at work.
            unsafe { heap.verify() }.unwrap_or_else(|error| panic!("after a collection, {error}"));
        }
        disposer.finish();
    }
}
