//! Bump allocation: the fast path, and how an allocation is recorded in the planes.
//!
//! There are four cursors, each in a hole of its own. Objects with and without descriptors are in different blocks.
//! Objects above [`MEDIUM`] bytes have cursors of their own, so that they do not use up holes which smaller objects
//! could still fill (Immix calls this overflow allocation; Blackburn and McKinley, PLDI 2008, section 2.5).
//!
//! The fast path is: bump, compare, prefetch, record. Size and tags of most types are constants, so
//! recording is two shifts and two read-modify-writes of a cache line that is as hot as the cursor.

use core::cell::Cell;

use super::planes::{GRANULE, GROUP_WORDS, Planes, WORD, bit, bit_index, stretches};
use super::start::ObjectStart;
use crate::os::prefetch;

/// How many bytes ahead of the cursor memory is prefetched. The hole was last touched a cycle ago, so
/// without this each new cache line is waited for.
const AHEAD: usize = 512;

/// Objects above this many bytes use the second pair of cursors.
const MEDIUM: usize = 256;

/// The size and the constant part of the map of an object, as the allocator needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Bytes to allocate, descriptor included: a multiple of the granule, and not zero.
    pub(crate) bytes: usize,
    /// The alignment in bytes: a power of two, at most [`MAX_ALIGN`](super::MAX_ALIGN).
    pub(crate) align: usize,
    /// Whether the last word is for a descriptor.
    pub(crate) described: bool,
    /// Whether no word of it will ever be tagged.
    pub(crate) leaf: bool,
    /// Words that are tagged from the beginning: bit *i* stands for word *i*.
    pub(crate) tags: u64,
}

impl Shape {
    /// Which cursor serves objects like this.
    #[inline(always)]
    pub(super) const fn cursor(&self) -> usize {
        self.described as usize + if self.bytes > MEDIUM { 2 } else { 0 }
    }
}

/// The number of cursors.
pub(super) const CURSORS: usize = 4;

/// Whether the blocks of this cursor hold objects with descriptors.
pub(super) const fn cursor_is_described(cursor: usize) -> bool {
    cursor % 2 == 1
}

/// A cursor in a hole.
///
/// With no hole, cursor and limit are equal and every allocation takes the slow path.
pub(super) struct Cursor {
    /// The lowest free address of the hole.
    pub(super) at: Cell<usize>,
    /// The address behind the hole.
    pub(super) limit: Cell<usize>,
    /// Where the hole began: what lies between here and `at` was allocated from it.
    pub(super) start: Cell<usize>,
}

impl Cursor {
    pub(super) const fn none() -> Cursor {
        Cursor {
            at: Cell::new(0),
            limit: Cell::new(0),
            start: Cell::new(0),
        }
    }

    /// The address of `shape.bytes` free bytes of the hole, which are its own from now on.
    #[inline(always)]
    pub(super) fn bump(&self, shape: &Shape) -> Option<usize> {
        let mut address = self.at.get();
        if shape.align > GRANULE {
            address = address.next_multiple_of(shape.align);
        }
        let end = address + shape.bytes;
        if end > self.limit.get() {
            return None;
        }
        self.at.set(end);
        prefetch(end + AHEAD);
        Some(address)
    }

    pub(super) fn set(&self, start: usize, limit: usize) {
        self.at.set(start);
        self.start.set(start);
        self.limit.set(limit);
    }
}

/// Records in the planes an allocation of `bytes` bytes at `address`, and tags those of its words
/// that `tags` names: bit *i* stands for word *i*.
///
/// # Safety
///
/// 1. The memory was just taken from a hole of the heap at work, or is a slot or span of its own.
/// 2. `bytes` is a non-zero multiple of the granule, and `tags` has no bit beyond it.
#[inline(always)]
pub(super) unsafe fn record(
    planes: &Planes,
    address: usize,
    bytes: usize,
    tags: u64,
) -> ObjectStart {
    let words = bytes / WORD;
    // SAFETY: the address lies in a block of the heap.
    let group = unsafe { planes.group(address) };
    let first = bit_index(address);
    if words == 2 || first as usize + words <= GROUP_WORDS {
        group.extents.insert((1 | 1 << (words - 1)) << first);
        if tags != 0 {
            group.tags.insert(tags << first);
        }
    } else {
        // SAFETY: memory, length and tags are as the caller says.
        unsafe { record_across(planes, address, bytes, tags) }
    }
    // SAFETY: as of now the planes say that an object starts there.
    unsafe { ObjectStart::new_unchecked(address) }
}

/// [`record`] of an object that reaches into another group. The planes come by reference, for else the fast path,
/// too, would copy them to the stack.
///
/// # Safety
///
/// As for [`record`].
#[inline(never)]
unsafe fn record_across(planes: &Planes, address: usize, bytes: usize, tags: u64) {
    let last = address + bytes - WORD;
    // SAFETY: the first and the last word are those of one allocation of the heap, as are those with tags.
    unsafe {
        planes.group(address).extents.insert(bit(address));
        planes.group(last).extents.insert(bit(last));
        record_tags(*planes, address, tags);
    }
}

/// Tags the words of the object at `address` that `tags` names: bit *i* stands for word *i*.
///
/// # Safety
///
/// The object is an allocation of the heap at work and reaches as far as the highest bit says.
pub(crate) unsafe fn record_tags(planes: Planes, address: usize, tags: u64) {
    let first = bit_index(address);
    // SAFETY: the address lies in a block of the heap.
    unsafe { planes.group(address) }.tags.insert(tags << first);
    let rest = beyond_group(tags, first);
    if rest != 0 {
        // SAFETY: the object reaches into the next group.
        let next = unsafe { planes.group(address + (GROUP_WORDS - first as usize) * WORD) };
        next.tags.insert(rest);
    }
}

/// [`record_tags`] of `count` values of `words` words each, side by side from `start` on.
///
/// # Safety
///
/// As there, for all of them. `tags` is not zero, and has no bit beyond a value.
pub(crate) unsafe fn record_repeatedly(
    planes: Planes,
    start: usize,
    words: usize,
    count: usize,
    tags: u64,
) {
    if count * words <= GROUP_WORDS {
        for index in 0..count {
            // SAFETY: the value is in the object.
            unsafe { record_tags(planes, start + index * words * WORD, tags) };
        }
        return;
    }
    let end = start + count * words * WORD;
    // The tags of 64 words, of which the first is word `phase` of a value.
    let pattern = |phase: usize| {
        let mut bits = tags.checked_shr(phase as u32).unwrap_or(0);
        for next in (words - phase..GROUP_WORDS).step_by(words) {
            bits |= tags << next;
        }
        bits
    };
    let regular = GROUP_WORDS.is_multiple_of(words);
    let mut repeated = None;
    for stretch in stretches(start, end) {
        let address = stretch.start();
        let bits = match repeated {
            Some(bits) => bits,
            None => pattern((address - start) / WORD % words) << bit_index(address),
        };
        // Only the first stretch may begin within a group.
        if regular && address != start {
            repeated = Some(bits);
        }
        // SAFETY: the address lies in the object.
        unsafe { planes.group(address) }
            .tags
            .insert(bits & stretch.mask());
    }
}

/// [`record_tags`] for the `kinds` plane. The block table says that there are such bits.
///
/// # Safety
///
/// As for [`record_tags`].
#[inline]
pub(crate) unsafe fn record_kinds(planes: Planes, address: usize, kinds: u64) {
    let first = bit_index(address);
    // SAFETY: the address lies in a block of the heap.
    unsafe { planes.kinds(address) }.insert(kinds << first);
    let rest = beyond_group(kinds, first);
    if rest != 0 {
        // SAFETY: the object reaches into the next group.
        unsafe { planes.kinds(address + (GROUP_WORDS - first as usize) * WORD) }.insert(rest);
    }
}

/// The bits of words in the next group, if the lowest stands for the word `first` of its own.
fn beyond_group(bits: u64, first: u32) -> u64 {
    bits.checked_shr(GROUP_WORDS as u32 - first).unwrap_or(0)
}
