//! Large objects: a piece at a time, of which other markers may take some, and their pointers in place.
//!
//! The objects that they point to are deferred: in the order of the array, marking touches only their metadata,
//! and scanning them block by block afterwards goes through memory in order.

use core::mem::MaybeUninit;

use super::words::read_word;
use super::{Marker, QUANTUM};
use crate::heap::planes::{GROUP_BYTES, GROUP_WORDS, WORD, bit, words};
use crate::protocol::claim;

/// Large objects are scanned, and claimed, in chunks of so many bytes: a group, so that a claim takes no
/// longer than one of a small object.
pub(in crate::collector) const CHUNK: usize = GROUP_BYTES;

/// So much of a large object is scanned before anything else is looked at: as many pointers as [`QUANTUM`].
const PIECE: usize = QUANTUM * WORD;

const _: () = assert!(PIECE.is_multiple_of(CHUNK));

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Scans the first chunks of a part of a large object, and keeps the rest.
    pub(super) fn scan_part(&mut self, (start, end): (usize, usize)) {
        let next = (start + PIECE).min(end);
        if next < end {
            self.backlog.parts.push((next, end));
        }
        // SAFETY: the part is of an object of this heap.
        let head = unsafe { self.heap.start_block(start) };
        if !CONCURRENT {
            // SAFETY: the block is one of this heap.
            return self.scan_words(start, next, unsafe { self.blocks.state(head) });
        }
        for chunk in (start..next).step_by(CHUNK) {
            self.batch.publish(&[chunk]);
            // SAFETY: the block is one of this heap.
            let state = unsafe { self.blocks.state_beside(head) };
            let claimed = state.is_claimed()
                // SAFETY: the chunk is part of a large object of this heap, whose planes are committed.
                && claim::is_claimed(unsafe { self.planes.claims(chunk) }.word(), bit(chunk));
            if !claimed {
                self.scan_words(chunk, (chunk + CHUNK).min(next), state);
            }
            self.batch.finish();
        }
    }

    /// Defers the words of a large object that `tags` names, or of another when the stack is full.
    ///
    /// # Safety
    ///
    /// They may be read by [`read_word`].
    #[inline(never)]
    pub(super) unsafe fn defer_words(&mut self, base: usize, tags: u64) {
        // Those that are marked are sorted out without a branch, so that the waits for their metadata overlap.
        let mut unmarked = [const { MaybeUninit::<usize>::uninit() }; GROUP_WORDS];
        let mut count = 0;
        for address in words(base, tags) {
            // SAFETY: the word may be read (the caller's promise). Candidates lie below the heap's top. There is a
            // place for each bit.
            unsafe {
                let target = read_word::<CONCURRENT>(address);
                if self.is_candidate(target) {
                    let marked = self.planes.is_marked(target);
                    unmarked.get_unchecked_mut(count).write(target);
                    count += usize::from(!marked);
                }
            }
        }
        for target in &unmarked[..count] {
            // SAFETY: so many were written.
            self.defer(unsafe { target.assume_init() });
        }
    }
}
