//! Objects that are marked, on their way to being scanned.
//!
//! Without `CONCURRENT` they are scanned immediately. A concurrent marker gathers them in a batch, which is
//! published ([`crate::protocol::claim`]), and then scanned, except those that were claimed.

use super::Marker;
use crate::heap::block::BlockIndex;
use crate::heap::planes::bit;
use crate::protocol::claim::{self, BATCH};

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Puts a marked object among those that are scanned together; without `CONCURRENT`, scans it.
    #[inline(always)]
    pub(super) fn scan_later(&mut self, target: usize) {
        if !CONCURRENT {
            // SAFETY: an object starts there.
            return self.scan(target, unsafe { self.planes.group(target) });
        }
        self.pending[self.pendings % BATCH] = target;
        self.pendings += 1;
        if self.pendings == BATCH {
            self.scan_pending();
        }
    }

    /// Publishes the batch, and scans what is in it and was not claimed. Then no row is left to be read either, which is
    /// all that this does without `CONCURRENT`.
    #[inline(always)]
    pub(super) fn scan_pending(&mut self) {
        if CONCURRENT && self.pendings > 0 {
            self.scan_batch();
        } else if !CONCURRENT && self.found.is_some() {
            self.read_found();
        }
    }

    #[inline(never)]
    fn scan_batch(&mut self) {
        let count = core::mem::take(&mut self.pendings);
        let pending = self.pending;
        let pending = &pending[..count.min(BATCH)];
        self.batch.publish(pending);
        for &target in pending {
            if self.is_claimed(target) {
                self.pass_claimed(target);
            } else {
                // SAFETY: an object starts there.
                self.scan(target, unsafe { self.planes.group(target) });
            }
        }
        if self.found.is_some() {
            self.read_found();
        }
        self.batch.finish();
        if !self.long.is_empty() {
            self.trace_long();
        }
    }

    /// Does what there is to be done for a marked object of which somebody else noted what it holds: it may
    /// be the key of ephemerons that were met before.
    #[inline(never)]
    fn pass_claimed(&mut self, target: usize) {
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(self.heap.owned_block(target)) };
        if state.has_weak() && self.work.pending.is_in_use() {
            self.follow_values(target);
        }
    }

    /// Whether the object that starts at `target` was claimed. It is published. Large ones are claimed, and
    /// looked at, by chunks.
    #[inline(always)]
    fn is_claimed(&self, target: usize) -> bool {
        // SAFETY: it lies in an object of this heap, below the frontier.
        unsafe {
            let block = BlockIndex::of(self.base, target);
            let state = self.blocks.state_beside(block);
            state.is_claimed()
                && !state.is_large_head()
                && claim::is_claimed(self.planes.claims(target).word(), bit(target))
        }
    }
}
