//! Scanning an object: its tags, cut off at its end, tell which words to follow.
//!
//! [`Marker::scan`] does it for a small object in one group of the planes, in a block where nothing is special,
//! with one look at the group. For all others, [`Marker::scan_special`] finds out what they need.

use super::Marker;
use super::words::{is_candidate, read_word};
use crate::heap::block::{BlockIndex, BlockState, Use};
use crate::heap::extent::Extent;
use crate::heap::planes::{ENDS, GROUP_WORDS, Group, WORD, bit_index, stretches, words};
use crate::heap::start::ObjectStart;
use crate::types::descriptor::Described;
use crate::types::tags::dirty_bit;

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Pushes what the words of the object hold.
    #[inline(always)]
    pub(super) fn scan(&mut self, start: usize, group: &Group) {
        let block = BlockIndex::of(self.base, start);
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(block) };
        let first = bit_index(start);
        let ends = (group.extents.get() >> first) & ENDS;
        if !state.is_simple_small() || ends == 0 {
            return self.scan_other(start, group);
        }
        // All bits up to the lowest end.
        let own = ends ^ (ends - 1);
        // SAFETY: the words are parts of the object, and tagged, so they were written. Nobody writes to it (`new`).
        unsafe { self.push_words(start, (group.tags.get() >> first) & own) }
    }

    /// Pushes the words of an object, or of memory that it owns, that `tags` names: bit *i* is the word at `base + 8 i`.
    ///
    /// # Safety
    ///
    /// They may be read by [`read_word`].
    #[inline(always)]
    pub(super) unsafe fn push_words(&mut self, base: usize, tags: u64) {
        if !self.backlog.stack.make_room(GROUP_WORDS) {
            // SAFETY: passed on to the caller.
            return unsafe { self.defer_words(base, tags) };
        }
        let (lowest, granules) = (self.base, self.granules);
        let spare = self.backlog.stack.spare();
        let mut count = 0;
        for address in words(base, tags) {
            // SAFETY: the word may be read (the caller's promise). There is room for as many pointers as there are bits.
            unsafe {
                let target = read_word::<CONCURRENT>(address);
                // A branch, for all that it is hard to predict: it lets the next object be popped
                // before this word has come from memory.
                if is_candidate(target, lowest, granules) {
                    spare.get_unchecked_mut(count).write(target);
                    count += 1;
                }
            }
        }
        // SAFETY: so many were written.
        unsafe { self.backlog.stack.raise(count) };
    }

    /// `scan` for objects that are described, or others with which something is special.
    #[inline(always)]
    pub(super) fn scan_described(&mut self, start: usize, group: &Group) {
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(BlockIndex::of(self.base, start)) };
        if !state.is_plain_small() || !self.scan_plain(start, group, state) {
            self.scan_special(start, state);
        }
    }

    /// The same, called from where there is no room for more.
    #[inline(never)]
    fn scan_other(&mut self, start: usize, group: &Group) {
        self.scan_described(start, group);
    }

    /// `scan` for objects that are large or described, in a block with weak pointers or claims, or
    /// cross the end of their group.
    #[inline(never)]
    fn scan_special(&mut self, start: usize, state: BlockState) {
        if state.has_weak() && self.work.pending.is_in_use() {
            self.follow_values(start);
        }
        if state.usage() == Use::LargeLeaf {
            return;
        }
        // SAFETY: an object starts there.
        let object_start = unsafe { ObjectStart::new_unchecked(start) };
        // SAFETY: as above.
        let dirty = || unsafe { self.planes.states(start) }.get() | self.all_dirty;
        let is_dirty = state.is_described() && dirty() & dirty_bit(object_start) != 0;
        let end = self.heap.end_of(object_start);
        // What is clean need not be read to its end to know what it is. (What has no value has no tags.)
        if is_dirty {
            let extent = Extent {
                base: start,
                bytes: end - start,
            };
            // SAFETY: the object is in a described block. Its last word was written before it was
            // published, and is not written while anybody marks.
            let Some(object) = (unsafe { Described::at(extent) }) else {
                return;
            };
            // Tags of an object in which nothing moves stay right, whoever writes to it.
            if object.descriptor().moves {
                return self.trace_or_leave(object);
            }
        }
        if state.is_large_head() {
            self.backlog.parts.push((start, end));
        } else {
            self.scan_words(start, end, state);
        }
    }

    /// `scan` for a small object in a block in which nothing is weak, if it does not cross the end of its group: otherwise
    /// it is not scanned, and the result is `false`.
    #[inline(always)]
    fn scan_plain(&mut self, start: usize, group: &Group, state: BlockState) -> bool {
        // SAFETY: an object starts there.
        let object_start = unsafe { ObjectStart::new_unchecked(start) };
        let first = bit_index(start);
        let ends = (group.extents.get() >> first) & ENDS;
        if ends == 0 {
            return false;
        }
        // SAFETY: as above.
        let dirty = || unsafe { self.planes.states(start) }.get() | self.all_dirty;
        // Most described objects are clean, and scanned as the others are.
        if state.is_described() && dirty() & dirty_bit(object_start) != 0 {
            let bytes = (ends.trailing_zeros() as usize + 1) * WORD;
            // SAFETY: the object is in a described block. Its last word was written before it was
            // published, and is not written while anybody marks.
            let Some(object) = (unsafe { Described::at(Extent { base: start, bytes }) }) else {
                return true;
            };
            // Tags of an object in which nothing moves stay right, whoever writes to it.
            if object.descriptor().moves {
                self.trace_or_leave(object);
                return true;
            }
        }
        let tags = (group.tags.get() >> first) & (ends ^ (ends - 1));
        // SAFETY: the words are parts of the object, and tagged, so they were written. Nobody writes to it (`new`).
        unsafe { self.push_words(start, tags) }
        true
    }

    /// Pushes what the words from `start` to `end` of an object hold, or, of a large one, marks it in
    /// place.
    pub(super) fn scan_words(&mut self, start: usize, end: usize, state: BlockState) {
        let large = state.is_large_head();
        for stretch in stretches(start, end) {
            let address = stretch.start();
            // SAFETY: the address lies in an object of the heap.
            let tags = stretch.select(unsafe { self.planes.group(address) }.tags.get());
            let mut weak = 0;
            if state.has_weak() {
                // SAFETY: the address lies in an object of the heap.
                let kinds = stretch.select(unsafe { self.planes.kinds(address) }.get());
                weak = tags & kinds;
                let values = kinds & !tags;
                if values != 0 {
                    // Keys and values are in the same group, as ephemerons are aligned.
                    let keys = weak & values >> 1;
                    self.scan_ephemerons(address, keys);
                    self.note_weak_words(address, weak & !keys);
                } else {
                    self.note_weak_words(address, weak);
                }
            }
            // SAFETY: the words are parts of the object, and tagged, so they were written. Nobody writes to it (`new`).
            unsafe {
                if large {
                    self.defer_words(address, tags & !weak);
                } else {
                    self.push_words(address, tags & !weak);
                }
            }
        }
    }
}
