//! Claiming: what the write barrier does while a cycle marks.
//!
//! Before the program writes to an object of the snapshot for the first time in a cycle, its barrier *claims* the
//! object:
//!
//! 1. It puts what the object's words hold into the snapshot buffer ([`SnapshotBuffer`]).
//! 2. It sets the object's claim, and waits for markers that are reading the object now ([`crate::protocol::claim`]).
//!
//! From then on no marker reads the object. How its pointers are found depends on the object:
//!
//! * Nearly all objects are claimed by their tagged words ([`words`]). Large objects are claimed by chunks, so that
//!   a write to one element does not cost a look at all of them.
//! * An object whose tags may be wrong is claimed by its `trace`, if that is derived, or untraced ([`tracing`]). If no
//!   barrier comes, a safepoint traces it ([`at_safepoint`]).
//!
//! A cycle that *remembers writes* ([`rescan`](super::rescan)) skips step 1: its claims tell it what to scan again. So
//! does the claim of an object that only code of the user's can trace, and the cycle then scans again what was written.
//! A claim runs no such code: whoever writes may have a guard by which it is going to write, and most code that meets it
//! panics.
//!
//! # Invariants
//!
//! 1. *Claim before write.* While a cycle marks, the words of an object are written only after the object, or the
//!    chunk that they are in, was claimed. Objects that are allocated during the cycle are claimed from the beginning. Two kinds
//!    of words are written without a claim: atomic cells, and what is in a lock that `Write::from_static` opened.
//!    Such a lock holds no pointers into the heap.
//! 2. *Contents before claim.* What an object held at the snapshot is in a buffer before its claim is set, unless
//!    the cycle will scan it again.
//! 3. *One claimer.* No two threads claim the same object at the same time. Claims by words hold the lock of
//!    [`Claims`]; claims by tracing are entered in its list. An unclaimed object does not go from one kind to the
//!    other: the barrier sets the dirty bit after the claim, and the bit is cleared only where no other thread can
//!    write.
//!
//! # No object is lost
//!
//! Take a pointer that was in an object when the cycle began. It stays there until somebody writes to the object.
//! So one of three things happens. A marker reads the pointer before the object is claimed. Or the first writer
//! claims the object, and buffers the pointer before (invariants 1 and 2). Or neither happens, and then the object
//! was not reached. By induction over the length of the path, everything that was reachable from the roots at the
//! snapshot is marked at the end. What the program gets hold of later came from there; or it is new, and was
//! allocated black; or it came from a root set, whose contents are buffered when they are read; or from a weak
//! pointer, for which there is [`rescan`](super::rescan), which does not rely on how objects are allocated.
//! `docs/concurrency.md` has the whole proof.
//!
//! # What this does not do
//!
//! It does not decide whether a write needs a claim: that is the test in [`Context`](crate::mutator::context::Context).
//! It marks nothing. It undoes a claim only of an object that a safepoint has traced in a cycle that remembers
//! writes; rescanning and sweeping undo all others.

mod at_safepoint;
mod tracing;
mod words;

use super::Collector;
use super::mark::large::CHUNK;
use super::snapshot_buffer::SnapshotBuffer;
use crate::heap::block::{BlockState, Use};
use crate::heap::extent::Extent;
use crate::heap::planes::bit;
use crate::heap::start::ObjectStart;
use crate::protocol::claim;
use crate::sync::{Condvar, Mutex};
use crate::types::descriptor::Described;

/// What threads that claim objects share.
#[derive(Default)]
pub(super) struct Claims {
    /// Locked while an object is claimed by its words. It holds the objects that are being traced by who claims
    /// them, each with a number of the thread that does so.
    tracing: Mutex<Vec<(usize, usize)>>,
    /// Notified when an object goes off that list.
    traced: Condvar,
}

impl Collector {
    /// Whether the object at `start` was claimed as a whole. `false` may be out of date when the caller looks at
    /// it, and is always returned for large objects.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there.
    #[inline]
    pub(crate) unsafe fn is_claimed(&self, start: usize) -> bool {
        // SAFETY: the object lies in a block of this heap (the caller's promise), which is committed with its planes.
        unsafe {
            !self.heap.state_at(start).is_large_head()
                && claim::is_done(self.heap.planes().claims(start).word(), bit(start))
        }
    }

    /// Whether the part of the object at `start` in which `address` lies was claimed. `false` may be out of date.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there, and the address is in it.
    pub(crate) unsafe fn is_part_claimed(&self, start: usize, address: usize) -> bool {
        // SAFETY: `at` lies in the object, as `address` does (the caller's promise), and so in a committed block of
        // this heap.
        unsafe {
            let at = match self.heap.state_at(start).is_large_head() {
                true => start + (address - start) / CHUNK * CHUNK,
                false => start,
            };
            claim::is_done(self.heap.planes().claims(at).word(), bit(at))
        }
    }

    /// Whether [`Collector::claim_part`] would find that all was claimed. `false` may be out of date, and is returned for
    /// parts of more than a chunk.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `start`, and the bytes from `from` to `to` are in it.
    #[inline]
    pub(crate) unsafe fn has_claimed_part(
        &self,
        start: usize,
        (from, to): (usize, usize),
        dirty: bool,
    ) -> bool {
        // SAFETY: an object of this heap starts there, so it is in a committed block. The first and the last of the
        // bytes are in it.
        unsafe {
            if !self.heap.state_at(start).is_large_head() {
                return claim::is_done(self.heap.planes().claims(start).word(), bit(start));
            }
            // One that will be dirty may have to be claimed as a whole.
            !dirty
                && from < to
                && to - from <= CHUNK
                && self.is_part_claimed(start, from)
                && self.is_part_claimed(start, to - 1)
        }
    }

    /// Claims the object at `start`, if it is not claimed yet.
    ///
    /// It runs none of the user's code, so the caller may have any guard of the object.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`, and is not freed meanwhile.
    /// 2. A cycle marks: its phase is `Marking` or `Finalizing`, and does not change meanwhile.
    /// 3. This thread may call the value's `trace`: it is the heap's one mutator, or all values are `Send` and `Sync`.
    pub(crate) unsafe fn claim(&self, start: usize, buffer: &mut SnapshotBuffer) {
        // SAFETY: an object starts at `start` (1), so it has a state and an end, and it is an allocation in a
        // described block if the state says so. What is not traced by value has tags that are right. The caller's
        // promises are those of the claims by tracing. Chunks are parts of the object.
        unsafe {
            let state = self.heap.state_at(start);
            if state.usage() == Use::LargeLeaf {
                return;
            }
            let end = self.heap.end_of(ObjectStart::new_unchecked(start));
            if state.is_described() {
                let bytes = end - start;
                match Described::at(Extent { base: start, bytes }) {
                    None => return,
                    Some(object) if self.needs_trace(object) => {
                        return self.claim_traced(object, buffer);
                    }
                    Some(_) => {}
                }
            }
            let step = if state.is_large_head() {
                CHUNK
            } else {
                end - start
            };
            for chunk in (start..end).step_by(step) {
                self.claim_words(start, chunk, (chunk + step).min(end), buffer);
            }
        }
    }

    /// Claims those chunks of the object at `start` in which the bytes from `from` to `to` lie.
    ///
    /// An object whose pointers can move is claimed as a whole if it is dirty, or will be when it is written: so a
    /// dirty one is claimed as a whole, or not at all, and no chunk that is not claimed has tags that are wrong.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim`]; and the bytes are in the object.
    pub(crate) unsafe fn claim_part(
        &self,
        start: usize,
        (from, to): (usize, usize),
        dirty: bool,
        buffer: &mut SnapshotBuffer,
    ) {
        // SAFETY: the other promises are those of `claim`. An object starts at `start` (1), so it has a state and an
        // end. The tags of an object that need not be traced are right. The chunks are parts of the object, for the
        // bytes are.
        unsafe {
            let state = self.heap.state_at(start);
            if !state.is_large_head() {
                return self.claim(start, buffer);
            }
            if state.usage() == Use::LargeLeaf {
                return;
            }
            let end = self.heap.end_of(ObjectStart::new_unchecked(start));
            if state.is_described() {
                let bytes = end - start;
                match Described::at(Extent { base: start, bytes }) {
                    None => return,
                    // If the tags are wrong, `trace` tells the pointers of the whole object only.
                    Some(object)
                        if object.descriptor().moves && (dirty || self.needs_trace(object)) =>
                    {
                        return self.claim(start, buffer);
                    }
                    Some(_) => {}
                }
            }
            let first = start + (from - start) / CHUNK * CHUNK;
            for chunk in (first..to).step_by(CHUNK) {
                self.claim_words(start, chunk, (chunk + CHUNK).min(end), buffer);
            }
        }
    }

    /// Whether an object of this heap must be traced by value, as its tags may be wrong.
    fn needs_trace(&self, object: Described) -> bool {
        object.descriptor().moves && self.heap.is_dirty(object.start())
    }

    /// [`Collector::needs_trace`] of the object at `start`, of whatever kind it is.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there.
    pub(super) unsafe fn is_traced_by_value(&self, start: usize) -> bool {
        // SAFETY: an object of this heap starts there (the caller's promise). It is looked at as a described one
        // only if its block is.
        unsafe {
            let start = ObjectStart::new_unchecked(start);
            self.heap.state_of(start).is_described()
                && Described::at(self.heap.extent_of(start))
                    .is_some_and(|object| self.needs_trace(object))
        }
    }

    /// Sets the claim of the object at `start`, or of its chunk at `from`, and waits for markers that are reading it.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`, and `from` is `start`, or the start of a chunk of the object if
    ///    it is large.
    /// 2. *One claimer*: the caller has the lock of [`Claims`], or has the object in its list, or is at the
    ///    safepoint of a heap whose mutators are not in `mutate` calls.
    /// 3. *Contents before claim*: what the words held is in a buffer, or need not be.
    unsafe fn set_claimed(&self, start: usize, from: usize) {
        // SAFETY: both addresses lie in an object of this heap (1), so planes and states are committed.
        unsafe {
            let word = self.heap.planes().claims(from).word();
            let flags = self.heap.blocks().byte(self.heap.owned_block(start));
            let batches = self.work.batches();
            claim::claim(word, bit(from), flags, BlockState::CLAIMED, from, batches);
        }
    }

    /// [`Collector::set_claimed`] for a whole object, with all of its chunks if it is large.
    ///
    /// # Safety
    ///
    /// `extent` is that of an object of this heap; and promises 2 and 3 of [`Collector::set_claimed`].
    unsafe fn set_all_claimed(&self, extent: Extent) {
        // SAFETY: an object starts at the base (the caller's promise). The steps are its start, and the starts of
        // its chunks if it is large. The other promises are the caller's.
        unsafe {
            let large = self.heap.state_at(extent.base).is_large_head();
            let step = if large { CHUNK } else { extent.bytes };
            for from in (extent.base..extent.end()).step_by(step) {
                self.set_claimed(extent.base, from);
            }
        }
    }

    /// [`Collector::set_all_claimed`] for an object of which no marker reads anything.
    ///
    /// # Safety
    ///
    /// As there; and the object is external and not of a concurrent type, so only safepoints trace it.
    unsafe fn set_all_claimed_unread(&self, extent: Extent) {
        // SAFETY: the addresses lie in an object of this heap (the caller's promise), so planes and states are
        // committed.
        unsafe {
            let large = self.heap.state_at(extent.base).is_large_head();
            let step = if large { CHUNK } else { extent.bytes };
            let flags = self.heap.blocks().byte(self.heap.owned_block(extent.base));
            for from in (extent.base..extent.end()).step_by(step) {
                let word = self.heap.planes().claims(from).word();
                claim::claim_unread(word, bit(from), flags, BlockState::CLAIMED);
            }
        }
    }

    /// Undoes [`Collector::set_all_claimed`].
    ///
    /// # Safety
    ///
    /// `extent` is that of an object of this heap; no mutator is at work, so none relies on the claim; and the
    /// cycle remembers writes, so that what the program writes after it is claimed and scanned again.
    unsafe fn set_all_unclaimed(&self, extent: Extent) {
        // SAFETY: the addresses lie in an object of this heap (the caller's promise), whose planes are committed.
        unsafe {
            let large = self.heap.state_at(extent.base).is_large_head();
            let step = if large { CHUNK } else { extent.bytes };
            for from in (extent.base..extent.end()).step_by(step) {
                let bits = bit(from) | bit(from) << 1;
                claim::unclaim(self.heap.planes().claims(from).word(), bits);
            }
        }
    }
}
