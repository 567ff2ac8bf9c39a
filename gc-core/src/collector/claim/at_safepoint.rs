//! Tracing at safepoints: objects that markers have found, and may not read.
//!
//! A marker reads tagged words, and traces values of which it is known that it may
//! ([`trace_value`](crate::collector::mark::trace_value)). An object whose tags may be wrong, or that only code of the
//! user's can trace, it puts on a list ([`Work`](crate::collector::work::Work)), and a thread at a safepoint traces it. It
//! depends on the heap what else may be done:
//!
//! | mutators | how it is traced | its tags |
//! | --- | --- | --- |
//! | one, which is here | it is claimed first: no marker reads tags in the making | are made anew, and it is clean |
//! | the same, and it has no tags | it is claimed later: no marker reads anything of it | |
//! | many, some at work | it is claimed [by tracing](super::tracing), as in a barrier | stay: others read them |
//! | many, all stopped | without an entry in the list of claims | stay |
//!
//! The last row is for objects that hold a lock that is taken: while no `mutate` call runs, nobody can use its guard.
//!
//! In a cycle that remembers writes a traced object is left unclaimed, so that the next write to it is seen.
//!
//! # What this does not do
//!
//! A panic of a `trace` goes through. The caller aborts the cycle.

use crate::collector::mark::trace_value::Retagger;
use crate::collector::snapshot_buffer::SnapshotBuffer;
use crate::collector::{Collector, Mutators};
use crate::heap::planes::bit;
use crate::heap::start::ObjectStart;
use crate::protocol::claim;
use crate::types::descriptor::Described;
use crate::types::owned_bytes::only_looking;

impl Collector {
    /// Traces an object that a marker has found, and claims it. In a heap with one mutator its tags are made anew.
    /// `false` if a lock in the object is taken: then it must be traced while mutators are stopped.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`, in a described block, and is not freed meanwhile.
    /// 2. A cycle marks, and its phase does not change meanwhile.
    /// 3. This thread is at the safepoint, and may call the value's `trace`: the heap's one mutator, or all values
    ///    are `Send` and `Sync`.
    /// 4. If the heap has one mutator, no `mutate` call is running.
    pub(in crate::collector) unsafe fn trace_value(
        &self,
        start: usize,
        buffer: &mut SnapshotBuffer,
    ) -> bool {
        // SAFETY: an allocation in a described block starts there (1). With many mutators the promises are those of
        // `claim_by_tracing` (1 to 3), and measuring needs no exclusive access: values are `Sync`, and no other
        // thread has a lock that guards them, unless they are lent. With one mutator none is at work (4), so there
        // is one claimer, nobody writes, and tags may change; the contents get into the buffer before anybody can
        // write. If `trace` unwinds, the cycle is aborted.
        unsafe {
            let extent = self.heap.extent_of(ObjectStart::new_unchecked(start));
            if Described::at(extent).is_some_and(|object| !object.descriptor().external) {
                self.work.count_retagged_late();
            }
            if self.mutators == Mutators::Many {
                // Tags stay: an upgrade of a weak pointer reads those of its target.
                let Some(object) = Described::at(extent) else {
                    return true;
                };
                if !self.claim_by_tracing(object, buffer) {
                    return false;
                }
                // Elements of a collection may be written now by who has the collection's lock.
                if !object.descriptor().lent {
                    self.heap.count_owned(only_looking(|| object.measure()));
                }
                return true;
            }
            let word = self.heap.planes().claims(start).word();
            let Some(object) = Described::at(extent) else {
                return true;
            };
            if claim::is_done(word, bit(start)) {
                return true;
            }
            if object.descriptor().external && !object.descriptor().concurrent {
                object.trace(&mut buffer.visitor(self));
                if !self.remembers_writes() {
                    self.set_all_claimed_unread(extent);
                }
                self.heap.count_owned(only_looking(|| object.measure()));
                return true;
            }
            // Claimed first: another marker that meets it must not look at tags in the making.
            self.set_all_claimed(extent);
            self.heap.clear_tags(extent);
            object.trace(&mut Retagger {
                heap: &self.heap,
                extent,
                listener: &mut buffer.visitor(self),
            });
            self.heap.clear_dirty(object);
            if self.remembers_writes() {
                // The next write must be seen.
                self.set_all_unclaimed(extent);
            }
            self.heap.count_owned(only_looking(|| object.measure()));
        }
        true
    }

    /// Traces an object and claims it, while mutators are stopped. Nobody can use a guard of a lock in it, so locks
    /// that are taken do not matter.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`, in a described block.
    /// 2. A cycle marks.
    /// 3. This thread may call the value's `trace`, as for [`Collector::trace_value`].
    /// 4. No `mutate` call is running.
    pub(in crate::collector) unsafe fn trace_value_stopped(
        &self,
        start: usize,
        buffer: &mut SnapshotBuffer,
    ) {
        // SAFETY: an allocation in a described block starts there (1). No mutator is at work (4), and this thread
        // may trace (3): so nobody writes to it, and there is one claimer. Its contents are in the buffer before
        // the claim is set.
        unsafe {
            let extent = self.heap.extent_of(ObjectStart::new_unchecked(start));
            let word = self.heap.planes().claims(start).word();
            if let Some(object) = Described::at(extent)
                && !claim::is_done(word, bit(start))
            {
                object.trace(&mut buffer.visitor(self));
                if !self.remembers_writes() {
                    self.set_all_claimed(object.extent());
                }
            }
        }
    }

    /// The contents of the object at `start`, which a barrier of an earlier cycle has claimed untraced. `None` if
    /// there is no such object any more.
    ///
    /// # Safety
    ///
    /// 1. No `mutate` call is running, and nothing is swept.
    /// 2. This thread may call a value's `trace`, as for [`Collector::trace_value`].
    pub(in crate::collector) unsafe fn contents_of_untraced(
        &self,
        start: usize,
    ) -> Option<SnapshotBuffer> {
        let extent = self.heap.allocation_of(start)?;
        // SAFETY: `extent` is an allocation of this heap, and its block is described. No mutator is at work, so
        // nobody writes to it (1), and this thread may trace it (2).
        unsafe {
            if extent.base != start || !self.heap.state_at(start).is_described() {
                return None;
            }
            let object = Described::at(extent).filter(|object| self.needs_trace(*object))?;
            let mut contents = SnapshotBuffer::default();
            object.trace(&mut contents.visitor(self));
            Some(contents)
        }
    }
}
