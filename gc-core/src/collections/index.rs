//! [`Index`]: the table by which a hash map finds its entries.
//!
//! The entries are in a vector, in the order of insertion. The index is an open-addressing table with linear probing
//! (Knuth, TAOCP 3, section 6.4) of 32-bit words, which say in their low bits which entry it is, plus one, and
//! in the others what the entry's hash has there; so nearly every word that is not the right one is passed by without
//! a look at its entry. Zero is a free word. Behind the table are the hashes of all entries, so that the table can
//! be made anew, and changed when an entry moves, without asking a key for its hash.
//!
//! It is a buffer of plain numbers: it has no tags, no barrier, and costs a marker nothing but its mark.
//!
//! # Invariants
//!
//! 1. The table has a power of two of words, `mask + 1`, of which three quarters at most are used; so every probe
//!    ends, and a number of an entry plus one fits below the mask.
//! 2. The entry *e* of `len` has one word, which is found by probing from `hashes[e] & mask` without passing a free one.
//!
//! They hold whatever the keys' `Hash` and `Eq` do, which are called between changes only, and never here.

use super::buffer::Buffer;
use crate::heap::error::HeapError;
use crate::mutator::context::Context;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// The least number of words of a table.
const LEAST: usize = 8;

/// What an index keeps of a hash.
pub(super) type Hash32 = u32;

/// Folds a hash, so that hashers which are good in their high bits only do as well.
#[inline(always)]
pub(super) fn fold(hash: u64) -> Hash32 {
    (hash ^ (hash >> 32)) as u32
}

pub(super) struct Index<'gc> {
    /// The table, then the hashes.
    words: Buffer<'gc, u32>,
    mask: u32,
}

/// How many entries a table of so many words has room for.
const fn room(words: usize) -> usize {
    words / 4 * 3
}

impl<'gc> Index<'gc> {
    /// No room for entries, and no memory.
    pub(super) const NONE: Index<'gc> = Index {
        words: Buffer::NONE,
        mask: 0,
    };

    /// For how many entries there is room.
    #[inline(always)]
    pub(super) fn capacity(&self) -> usize {
        match self.words.capacity() {
            0 => 0,
            _ => room(self.mask as usize + 1),
        }
    }

    #[inline(always)]
    fn word(&self, at: u32) -> &u32 {
        debug_assert!(at <= self.mask && self.words.capacity() > 0);
        // SAFETY: positions are below the size of the table.
        unsafe { &*self.words.place().add(at as usize) }
    }

    #[inline(always)]
    fn word_mut(&mut self, at: u32) -> &mut u32 {
        debug_assert!(at <= self.mask && self.words.capacity() > 0);
        // SAFETY: as above.
        unsafe { &mut *self.words.place().add(at as usize) }
    }

    /// The hash of an entry.
    #[inline(always)]
    pub(super) fn hash_of(&self, entry: usize) -> Hash32 {
        debug_assert!(entry < self.capacity());
        // SAFETY: there is room for as many hashes as entries, and those of entries were written.
        unsafe {
            let hashes = self.words.place().add(self.mask as usize + 1);
            *hashes.add(entry)
        }
    }

    #[inline(always)]
    fn set_hash(&mut self, entry: usize, hash: Hash32) {
        debug_assert!(entry < self.capacity());
        // SAFETY: there is room for as many hashes as entries.
        unsafe {
            let hashes = self.words.place().add(self.mask as usize + 1);
            *hashes.add(entry) = hash;
        }
    }

    /// The entry with that hash to which `is` says yes, and where its word is. Expected constant time.
    #[inline(always)]
    pub(super) fn find(
        &self,
        hash: Hash32,
        mut is: impl FnMut(usize) -> bool,
    ) -> Option<(u32, usize)> {
        if self.words.capacity() == 0 {
            return None;
        }
        let mask = self.mask;
        let mut at = hash & mask;
        loop {
            let word = *self.word(at);
            if word == 0 {
                return None;
            }
            if (word ^ hash) & !mask == 0 {
                let entry = (word & mask) as usize - 1;
                if is(entry) {
                    return Some((at, entry));
                }
            }
            at = (at + 1) & mask;
            debug_assert_ne!(at, hash & mask, "the index has no free word");
        }
    }

    /// Makes room for `needed` entries, of which there are `len` already.
    pub(super) fn reserve(
        &mut self,
        context: &Context,
        len: usize,
        needed: usize,
    ) -> Result<(), HeapError> {
        if needed <= self.capacity() {
            return Ok(());
        }
        self.resize(context, len, needed)
    }

    /// Makes the table as small as `len` entries allow.
    pub(super) fn shrink(&mut self, context: &Context, len: usize) -> Result<(), HeapError> {
        if len == 0 {
            *self = Index::NONE;
        } else if words_for(len)? <= self.mask as usize {
            self.resize(context, len, len)?;
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn resize(&mut self, context: &Context, len: usize, needed: usize) -> Result<(), HeapError> {
        let words = words_for(needed)?;
        let fill = |place: *mut u32| {
            // SAFETY: there is room for the table and the hashes; `len` hashes were written before.
            unsafe {
                place.write_bytes(0, words);
                if len > 0 {
                    let hashes = self.words.place().add(self.mask as usize + 1);
                    core::ptr::copy_nonoverlapping(hashes, place.add(words), len);
                }
            }
            words + len
        };
        // SAFETY: numbers belong to nobody, and `fill` does not panic.
        let buffer = unsafe { Buffer::make(context, words + room(words), fill)? };
        *self = Index {
            words: buffer,
            mask: (words - 1) as u32,
        };
        self.insert_all(len);
        Ok(())
    }

    /// Makes the table anew for the first `len` entries, from their hashes.
    pub(super) fn rebuild(&mut self, len: usize) {
        if self.words.capacity() > 0 {
            // SAFETY: the table is there, and a number more or less in it is no matter.
            unsafe { self.words.place().write_bytes(0, self.mask as usize + 1) };
            self.insert_all(len);
        }
    }

    fn insert_all(&mut self, len: usize) {
        for entry in 0..len {
            self.insert_word(entry, self.hash_of(entry));
        }
    }

    #[inline(always)]
    fn insert_word(&mut self, entry: usize, hash: Hash32) {
        let mask = self.mask;
        let mut at = hash & mask;
        while *self.word(at) != 0 {
            at = (at + 1) & mask;
        }
        *self.word_mut(at) = hash & !mask | (entry as u32 + 1);
    }

    /// Adds an entry with the number `entry`, which is how many there were, and for which there is room.
    #[inline(always)]
    pub(super) fn insert(&mut self, entry: usize, hash: Hash32) {
        debug_assert!(entry < self.capacity());
        self.set_hash(entry, hash);
        self.insert_word(entry, hash);
    }

    /// Removes the word at `at`, and moves those behind it that it kept from their places.
    fn remove_word(&mut self, at: u32) {
        let mask = self.mask;
        let (mut free, mut next) = (at, (at + 1) & mask);
        loop {
            let word = *self.word(next);
            if word == 0 {
                break;
            }
            let home = self.hash_of((word & mask) as usize - 1) & mask;
            // Whether its probe passes the free place.
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(free) & mask {
                *self.word_mut(free) = word;
                free = next;
            }
            next = (next + 1) & mask;
        }
        *self.word_mut(free) = 0;
    }

    /// Removes the entry whose word is at `at`; the last one of `len` gets its number.
    pub(super) fn swap_remove(&mut self, at: u32, len: usize) {
        let entry = (*self.word(at) & self.mask) as usize - 1;
        let last = len - 1;
        self.remove_word(at);
        if entry != last {
            let hash = self.hash_of(last);
            let found = self.find(hash, |other| other == last);
            let (at, _) = found.expect("every entry has a word in the index");
            *self.word_mut(at) = hash & !self.mask | (entry as u32 + 1);
            self.set_hash(entry, hash);
        }
    }

    /// Removes an entry of `len`; those behind it get the next lower numbers. Linear.
    pub(super) fn shift_remove(&mut self, entry: usize, len: usize) {
        for next in entry + 1..len {
            self.set_hash(next - 1, self.hash_of(next));
        }
        self.rebuild(len - 1);
    }

    /// A copy, for a map with the same entries.
    pub(super) fn clone_in(&self, context: &Context, len: usize) -> Result<Index<'gc>, HeapError> {
        let mut copy = Index {
            words: Buffer::NONE,
            mask: 0,
        };
        if len > 0 {
            let capacity = self.words.capacity();
            let used = self.mask as usize + 1 + len;
            let fill = |place: *mut u32| {
                // SAFETY: both are so large.
                unsafe { core::ptr::copy_nonoverlapping(self.words.place(), place, used) };
                used
            };
            // SAFETY: numbers belong to nobody, and `fill` does not panic.
            copy.words = unsafe { Buffer::make(context, capacity, fill)? };
            copy.mask = self.mask;
        }
        Ok(copy)
    }
}

/// How many words a table for `entries` has.
fn words_for(entries: usize) -> Result<usize, HeapError> {
    let too_many = HeapError::SizeOverflow {
        count: entries,
        size: size_of::<u32>(),
    };
    let least = entries
        .checked_mul(4)
        .and_then(|words| words.div_ceil(3).checked_next_power_of_two())
        .ok_or(too_many)?;
    let words = least.max(LEAST);
    if words > 1 << u32::BITS {
        return Err(too_many);
    }
    Ok(words)
}

// SAFETY: the one field with a pointer is visited in place.
unsafe impl<'gc> Collect<'gc> for Index<'gc> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        Buffer::<'gc, u32>::TYPE_MAP,
        core::mem::offset_of!(Index<'gc>, words),
    );

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.words);
    }
}

/// Closes gaps in the hashes while [`Vec::retain`](super::Vec::retain) closes those in the entries, and then, also if
/// that panics, makes the table anew.
pub(super) struct Retaining<'a, 'gc> {
    index: &'a mut Index<'gc>,
    len: usize,
    kept: usize,
    seen: usize,
}

impl<'a, 'gc> Retaining<'a, 'gc> {
    /// Begins with an index of `len` entries.
    pub(super) fn new(index: &'a mut Index<'gc>, len: usize) -> Retaining<'a, 'gc> {
        Retaining {
            index,
            len,
            kept: 0,
            seen: 0,
        }
    }

    /// Says whether the next entry is kept.
    #[inline]
    pub(super) fn next(&mut self, keep: bool) {
        if keep {
            self.index
                .set_hash(self.kept, self.index.hash_of(self.seen));
            self.kept += 1;
        }
        self.seen += 1;
    }
}

impl Drop for Retaining<'_, '_> {
    fn drop(&mut self) {
        while self.seen < self.len {
            self.next(true);
        }
        if self.kept < self.len {
            self.index.rebuild(self.kept);
        }
    }
}
