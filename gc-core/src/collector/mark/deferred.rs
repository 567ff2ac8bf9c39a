//! Marking in place: what does not fit on the mark stack is *deferred*.
//!
//! A deferred object is marked immediately, flagged grey in the mark plane, and its block is put on a list. When the
//! stack is nearly empty, the grey objects of listed blocks are scanned, a batch of pointers at a time.

use super::Marker;
use crate::heap::block::{BLOCK, BlockIndex, Use};
use crate::heap::planes::{ENDS, GRANULE, GROUP_BYTES, STARTS, bit, groups, whole_groups, words};
use crate::os::prefetch;
use crate::protocol::waiting;

/// How many bytes ahead of those that are scanned the grey objects of a block are prefetched.
const AHEAD: usize = 8 * GROUP_BYTES;

/// How many pointers of deferred objects are looked at together.
pub(super) const TOGETHER: usize = 128;

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Marks an object now and leaves scanning it for later.
    #[inline(never)]
    pub(super) fn defer(&mut self, target: usize) {
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(target) };
        if !group.is_unmarked_start(target) {
            return;
        }
        let block = self.heap.owned_block(target);
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(block) };
        if state.usage() == Use::LargeLeaf {
            self.insert_mark(target, group, bit(target));
            if self.work.pending.is_in_use() {
                // Between the mark and the look at what is noted.
                waiting::marked();
                self.follow_values(target);
            }
            return;
        }
        self.insert_mark(target, group, bit(target) | grey_bit(target));
        let (word, flag) = (block.number() / 64, 1 << (block.number() % 64));
        if word >= self.backlog.listed.len() {
            let blocks = self.granules / (BLOCK / GRANULE) + 1;
            self.backlog
                .listed
                .resize(blocks.div_ceil(64).max(word + 1), 0);
        }
        if self.backlog.listed[word] & flag == 0 {
            self.backlog.listed[word] |= flag;
            self.backlog.grey.push(block);
        }
    }

    /// Takes the grey flags of this marker off the objects of a group, and calls `f` with each object.
    fn take_grey_in(&mut self, at: usize, mut f: impl FnMut(&mut Self, usize)) {
        // SAFETY: the address lies in a block of the heap.
        let group = unsafe { self.planes.group(at) };
        let mut grey = self.own(group).get() & ENDS;
        if grey == 0 {
            return;
        }
        if self.shared {
            grey = self.own(group).remove_shared(grey);
        } else {
            self.own(group).remove(grey);
        }
        // From the word after the start to the start.
        words(at, grey >> 1).for_each(|start| f(self, start));
    }

    /// Takes the grey flags of this marker off the objects of a block, and calls `f` with each object.
    pub(super) fn take_grey(&mut self, block: BlockIndex, mut f: impl FnMut(usize)) {
        self.backlog.listed[block.number() / 64] &= !(1 << (block.number() % 64));
        let base = self.heap.address_of(block);
        for at in whole_groups(base, BLOCK) {
            self.take_grey_in(at, |_, object| f(object));
        }
    }

    /// Prefetches the grey objects of a group.
    fn send_for_grey_in(&self, at: usize) {
        // SAFETY: the address lies in a block of the heap.
        let group = unsafe { self.planes.group(at) };
        words(at, (self.own(group).get() & ENDS) >> 1).for_each(prefetch);
    }

    /// Scans grey objects, until a batch of pointers has come together or a block is done. `false` if
    /// there are none.
    pub(super) fn scan_some_grey(&mut self) -> bool {
        if self.backlog.grey_from >= self.backlog.grey_to {
            let Some(block) = self.backlog.grey.pop() else {
                return false;
            };
            // From now on an object that becomes grey lists the block again.
            self.backlog.listed[block.number() / 64] &= !(1 << (block.number() % 64));
            self.backlog.grey_from = self.heap.address_of(block);
            self.backlog.grey_to = self.backlog.grey_from + BLOCK;
            for at in groups(self.backlog.grey_from, self.backlog.grey_from + AHEAD) {
                self.send_for_grey_in(at);
            }
        }
        while self.backlog.grey_from < self.backlog.grey_to && self.backlog.stack.len() < TOGETHER {
            let at = self.backlog.grey_from;
            self.backlog.grey_from += GROUP_BYTES;
            if at + AHEAD < self.backlog.grey_to {
                self.send_for_grey_in(at + AHEAD);
            }
            self.take_grey_in(at, Self::scan_later);
        }
        self.scan_pending();
        self.drop_marked();
        true
    }

    /// Takes pointers to marked objects off the stack.
    ///
    /// Where objects were deferred, most pointers lead to others that were deferred too. This looks
    /// at nothing but their metadata, while `drain` would send for the objects as well.
    fn drop_marked(&mut self) {
        let planes = self.planes;
        for &target in self.backlog.stack.entries() {
            prefetch(planes.group_address(target));
        }
        self.backlog
            .stack
            // SAFETY: candidates lie below the heap's top.
            .retain(|target| !unsafe { planes.is_marked(target) });
    }
}

/// The bit that says that the object at `start` is grey: that of its second word.
#[inline(always)]
fn grey_bit(start: usize) -> u64 {
    bit(start) << 1
}

const _: () = assert!(STARTS << 1 == ENDS);
