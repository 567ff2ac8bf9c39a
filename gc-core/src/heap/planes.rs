//! The metadata planes: one bit for each word of the heap, found by arithmetic from its address.
//!
//! A *group* is 64 words of heap (512 bytes) and has one `u64` in each of four planes; the four lie
//! side by side, so that a cache line of metadata covers 1 KiB of heap.
//!
//! | plane | a set bit on word *w* means |
//! | --- | --- |
//! | `tags` | the word holds a pointer |
//! | `extents` | on an even word: an allocation starts here; on an odd word: one ends here |
//! | `marks[0]`, `marks[1]` | on a start word: the object is marked; on the word after: *grey*, marked but not yet scanned |
//!
//! Allocations start at multiples of the granule (16 bytes, two words) and are as long as some
//! granules, which is why starts are even and ends odd and one plane serves both.
//!
//! There are two mark planes because there can be two markers: each writes only its own, without
//! atomic read-modify-writes, and tests both. An object is marked if it is in either.
//!
//! Bits that only some objects need are in linear planes. Where there are no such objects, the memory of a linear plane
//! is untouched and therefore not resident:
//!
//! | plane | a set bit means |
//! | --- | --- |
//! | `kinds` | refines the tags: (tag 1, kind 0) is a strong pointer, (1, 1) a weak one, (0, 0) data; (0, 1) after a strong pointer is a *derived* pointer, into the object at which that points, and after a weak pointer the value of an *ephemeron* whose key that is; on a start word (0, 1) says that the object is a *shell*: its contents are gone, and its extent is kept because weak pointers to it remain |
//! | `states` | on a start word: the object is *pinned*; on the word after a start: *dirty*, the object's tags may not tell the truth |
//! | `fates` | on a start word: the object was *found dead* once, and may live on; see [`collector::references`](crate::collector::references) |
//! | `claims` | on a start word, or on the first word of a chunk of a large object: a mutator *claimed* it in this cycle, no marker reads it any more; on the word after: *done*, the claimer has read it |
//!
//! This module knows the layout of the planes, and nothing else.
//!
//! # Invariants
//!
//! 1. Starts and ends alternate, beginning with a start, in each block or span of blocks.
//! 2. Words outside of allocations have no bit set in any plane. The exception: while a cycle marks concurrently, holes
//!    in which mutators allocate are claimed, and mostly marked, as a whole.
//! 3. Each word of a plane has one writer at a time, or all its writers use `insert_shared` and `remove_shared`:
//!    * `tags`, `extents` and `kinds`: the one mutator that allocates in the block, or, for a [medium](super::medium)
//!      object, in its groups. `tags` and `kinds` also whoever makes tags anew: a heap's one mutator, while no other thread
//!      sweeps, or who has stopped all mutators. While sweeping, the sweeper of the block, in which nobody allocates
//!      then.
//!    * `marks[0]`: its one marker, or several markers with `insert_shared`; then the sweeper.
//!    * `marks[1]`: its one marker; in a concurrent cycle, markers and mutators with `insert_shared`; then the sweeper.
//!    * `states`, `fates` and `claims`: any thread, with `insert_shared` and `remove_shared` unless it is alone.
//! 4. The word before a derived pointer belongs to the same allocation and is a strong pointer, its *base*. So
//!    no derived pointer is on a start. It is one only if the base is one into this heap: then it points into
//!    the allocation at the base, or at its end. Otherwise nobody reads it, and it may be uninitialised.

use core::ptr;

use crate::sync::{AtomicU64, Ordering};

/// Bytes in a word, the unit of the planes.
pub(crate) const WORD: usize = 8;
/// Bytes in a granule, the unit of allocation.
pub(crate) const GRANULE: usize = 16;
/// Words in a group.
pub(crate) const GROUP_WORDS: usize = 64;
/// Bytes of heap in a group.
pub(crate) const GROUP_BYTES: usize = GROUP_WORDS * WORD;

/// How many linear planes there are.
pub(crate) const LINEAR: usize = 4;

/// The bits of words on which allocations can start.
pub(crate) const STARTS: u64 = 0x5555_5555_5555_5555;
/// The bits of words on which allocations can end.
pub(crate) const ENDS: u64 = !STARTS;

const _: () = assert!(
    size_of::<usize>() == WORD,
    "the planes are laid out for 64-bit addresses"
);
const _: () = assert!(size_of::<Group>() == 32 && GRANULE == 2 * WORD);

/// One `u64` of a plane.
///
/// All accesses are relaxed. Where one thread must see what another has written, something else
/// orders them: the start and the end of a marker's or a sweeper's job, the lock of the store through
/// which swept blocks are handed on, or the protocols of [`crate::protocol`].
#[repr(transparent)]
pub(crate) struct Plane(AtomicU64);

impl Plane {
    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set(&self, bits: u64) {
        self.0.store(bits, Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn insert(&self, bits: u64) {
        self.set(self.get() | bits)
    }

    #[inline(always)]
    pub(crate) fn remove(&self, bits: u64) {
        self.set(self.get() & !bits)
    }

    /// `insert` beside other writers. Relaxed, as all accesses.
    #[inline(always)]
    pub(crate) fn insert_shared(&self, bits: u64) {
        self.0.fetch_or(bits, Ordering::Relaxed);
    }

    /// `remove` beside other writers: which of the bits it was that removed them. Relaxed, as all
    /// accesses.
    #[inline(always)]
    pub(crate) fn remove_shared(&self, bits: u64) -> u64 {
        self.0.fetch_and(!bits, Ordering::Relaxed) & bits
    }

    /// The word itself, for protocols that order it.
    #[inline(always)]
    pub(crate) fn word(&self) -> &AtomicU64 {
        &self.0
    }

    #[inline(always)]
    pub(crate) fn keep(&self, bits: u64) {
        self.set(self.get() & bits)
    }
}

/// The metadata of 64 words.
#[repr(C, align(32))]
pub(crate) struct Group {
    pub(crate) tags: Plane,
    pub(crate) extents: Plane,
    pub(crate) marks: [Plane; 2],
}

impl Group {
    #[inline(always)]
    pub(crate) fn starts(&self) -> u64 {
        self.extents.get() & STARTS
    }

    /// The mark planes together: marks on starts, grey flags on the words after.
    #[inline(always)]
    pub(crate) fn marks(&self) -> u64 {
        self.marks[0].get() | self.marks[1].get()
    }

    /// Clears both mark planes.
    #[inline(always)]
    pub(crate) fn clear_marks(&self) {
        self.marks[0].set(0);
        self.marks[1].set(0);
    }

    #[inline(always)]
    pub(crate) fn ends(&self) -> u64 {
        self.extents.get() & ENDS
    }

    /// Whether the object at `start`, in this group, is marked.
    #[inline(always)]
    pub(crate) fn is_marked(&self, start: usize) -> bool {
        self.marks() & bit(start) != 0
    }

    /// Whether an object starts at `address`, a multiple of the granule in this group, which is not marked.
    #[inline(always)]
    pub(crate) fn is_unmarked_start(&self, address: usize) -> bool {
        !self.is_marked(address) && self.extents.get() & bit(address) != 0
    }
}

/// The bit of the word at `address` in its group.
#[inline(always)]
pub(crate) const fn bit_index(address: usize) -> u32 {
    (address / WORD % GROUP_WORDS) as u32
}

/// A `u64` with the bit of the word at `address` set.
#[inline(always)]
pub(crate) const fn bit(address: usize) -> u64 {
    1 << bit_index(address)
}

/// A `u64` with its `count` lowest bits set; `count` is at most 64.
#[inline(always)]
pub(crate) const fn low_bits(count: u32) -> u64 {
    if count >= u64::BITS {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

/// The address of the first word of the group of `address`.
#[inline(always)]
pub(crate) const fn group_base(address: usize) -> usize {
    address & !(GROUP_BYTES - 1)
}

/// The address of the first word of each group that has words between two addresses.
#[inline(always)]
pub(crate) fn groups(from: usize, to: usize) -> impl DoubleEndedIterator<Item = usize> {
    (group_base(from)..to).step_by(GROUP_BYTES)
}

/// The address of the first word of each group of a range that begins with a group: where its length is a constant, the
/// compiler makes something of that.
#[inline(always)]
pub(crate) fn whole_groups(base: usize, bytes: usize) -> impl Iterator<Item = usize> {
    debug_assert!(base == group_base(base));
    (base..base + bytes).step_by(GROUP_BYTES)
}

/// The addresses of the words that `bits` names, in ascending order: bit *i* is the word at `base + 8 i`.
#[inline(always)]
pub(crate) fn words(base: usize, bits: u64) -> Words {
    Words { base, bits }
}

/// See [`words`]. The marker's innermost loop is one over this.
pub(crate) struct Words {
    base: usize,
    bits: u64,
}

impl Iterator for Words {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            return None;
        }
        let word = self.base + self.bits.trailing_zeros() as usize * WORD;
        self.bits &= self.bits - 1;
        Some(word)
    }
}

/// The address behind the first of the words that `bits` names, if there are any.
#[inline(always)]
pub(crate) fn behind_first(base: usize, bits: u64) -> Option<usize> {
    (bits != 0).then(|| base + (bits.trailing_zeros() as usize + 1) * WORD)
}

/// Some words in a row, at least one, all of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    from: usize,
    to: usize,
}

impl Stretch {
    /// The address of the first word.
    #[inline(always)]
    pub(crate) fn start(self) -> usize {
        self.from
    }

    /// As many of the lowest bits as there are words.
    #[inline(always)]
    fn ones(self) -> u64 {
        u64::MAX >> (GROUP_WORDS - (self.to - self.from) / WORD)
    }

    /// The bits of its words in their group.
    #[inline(always)]
    pub(crate) fn mask(self) -> u64 {
        self.ones() << bit_index(self.from)
    }

    /// What `bits`, those of the group, say of its words: bit *i* is its word *i*.
    #[inline(always)]
    pub(crate) fn select(self, bits: u64) -> u64 {
        // Most are whole groups, and need no shifts.
        if self.to - self.from == GROUP_BYTES {
            return bits;
        }
        bits >> bit_index(self.from) & self.ones()
    }
}

/// The words between two addresses, which are multiples of a word, group by group.
#[inline(always)]
pub(crate) fn stretches(from: usize, to: usize) -> Stretches {
    Stretches { from, to }
}

/// See [`stretches`].
pub(crate) struct Stretches {
    from: usize,
    to: usize,
}

impl Iterator for Stretches {
    type Item = Stretch;

    #[inline(always)]
    fn next(&mut self) -> Option<Stretch> {
        let from = self.from;
        if from >= self.to {
            return None;
        }
        self.from = group_base(from) + GROUP_BYTES;
        let to = self.from.min(self.to);
        Some(Stretch { from, to })
    }
}

/// Where the planes of an address space are: numbers that turn an address of the heap into the
/// address of its metadata. Each is what would belong to heap address zero.
#[derive(Clone, Copy)]
pub(crate) struct Planes {
    groups: usize,
    kinds: usize,
    states: usize,
    claims: usize,
    fates: usize,
}

impl Planes {
    /// Bytes of groups for `heap` bytes of heap.
    pub(crate) const fn group_bytes(heap: usize) -> usize {
        heap / GROUP_BYTES * size_of::<Group>()
    }

    /// Bytes of one linear plane for `heap` bytes of heap.
    pub(crate) const fn linear_bytes(heap: usize) -> usize {
        heap / GROUP_BYTES * size_of::<Plane>()
    }

    /// The planes of a heap that starts at `heap_base`, with its groups, kinds, states, claims and
    /// fates at the given addresses.
    pub(crate) const fn new(
        heap_base: usize,
        groups: usize,
        [kinds, states, claims, fates]: [usize; LINEAR],
    ) -> Planes {
        let linear = Planes::linear_bytes(heap_base);
        Planes {
            groups: groups.wrapping_sub(Planes::group_bytes(heap_base)),
            kinds: kinds.wrapping_sub(linear),
            states: states.wrapping_sub(linear),
            claims: claims.wrapping_sub(linear),
            fates: fates.wrapping_sub(linear),
        }
    }

    /// The address of the group of `address`, for prefetching: any address will do.
    #[inline(always)]
    pub(crate) fn group_address(self, address: usize) -> usize {
        self.groups
            .wrapping_add(address / GROUP_BYTES * size_of::<Group>())
    }

    /// The group of the word at `address`.
    ///
    /// # Safety
    ///
    /// 1. `address` lies in a block of the heap at work, or at least below the commit frontier of the space of these
    ///    planes: there they are committed.
    /// 2. The result is not used beyond the life of the address space.
    #[inline(always)]
    pub(crate) unsafe fn group<'a>(self, address: usize) -> &'a Group {
        // SAFETY: the caller's address has a committed group at this place, which is never written
        // but through atomics; zeroes, as which it starts, are a valid `Group`.
        unsafe { &*ptr::with_exposed_provenance::<Group>(self.group_address(address)) }
    }

    /// Whether the object at `start` is marked.
    ///
    /// # Safety
    ///
    /// As for [`Planes::group`].
    #[inline(always)]
    pub(crate) unsafe fn is_marked(self, start: usize) -> bool {
        // SAFETY: the address lies in a block of the heap at work (the caller's promise).
        unsafe { self.group(start) }.is_marked(start)
    }

    /// The word of a linear plane for the group of `address`.
    ///
    /// # Safety
    ///
    /// As for [`Planes::group`], and `plane` is one of the numbers in here.
    #[inline(always)]
    unsafe fn linear<'a>(plane: usize, address: usize) -> &'a Plane {
        let word = plane.wrapping_add(address / GROUP_BYTES * size_of::<Plane>());
        // SAFETY: linear planes are committed together with the groups, so there is a word of this plane at this place,
        // which is never written but through atomics.
        unsafe { &*ptr::with_exposed_provenance::<Plane>(word) }
    }

    /// The `kinds` bits of the group of the word at `address`.
    ///
    /// # Safety
    ///
    /// As for [`Planes::group`].
    #[inline(always)]
    pub(crate) unsafe fn kinds<'a>(self, address: usize) -> &'a Plane {
        // SAFETY: the address lies in a block of the heap at work (the caller's promise).
        unsafe { Planes::linear(self.kinds, address) }
    }

    /// The `states` bits of the group of the word at `address`.
    ///
    /// # Safety
    ///
    /// As for [`Planes::group`].
    #[inline(always)]
    pub(crate) unsafe fn states<'a>(self, address: usize) -> &'a Plane {
        // SAFETY: the address lies in a block of the heap at work (the caller's promise).
        unsafe { Planes::linear(self.states, address) }
    }

    /// The `claims` bits of the group of the word at `address`.
    ///
    /// # Safety
    ///
    /// As for [`Planes::group`].
    #[inline(always)]
    pub(crate) unsafe fn claims<'a>(self, address: usize) -> &'a Plane {
        // SAFETY: the address lies in a block of the heap at work (the caller's promise).
        unsafe { Planes::linear(self.claims, address) }
    }

    /// The `fates` bits of the group of the word at `address`.
    ///
    /// # Safety
    ///
    /// As for [`Planes::group`].
    #[inline(always)]
    pub(crate) unsafe fn fates<'a>(self, address: usize) -> &'a Plane {
        // SAFETY: the address lies in a block of the heap at work (the caller's promise).
        unsafe { Planes::linear(self.fates, address) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_leads_to_the_metadata() {
        let base = 0x10_0000_0000;
        let planes = Planes::new(
            base,
            0x7000_0000,
            [0x9000_0000, 0xa000_0000, 0xb000_0000, 0xc000_0000],
        );
        assert_eq!(planes.group_address(base), 0x7000_0000);
        assert_eq!(planes.group_address(base + 511), 0x7000_0000);
        assert_eq!(planes.group_address(base + 512), 0x7000_0020);
        assert_eq!(Planes::group_bytes(1 << 30), 1 << 26);
        assert_eq!(Planes::linear_bytes(1 << 30), 1 << 24);
        assert_eq!(bit(base + 8 * 65), 2);
    }

    /// Against a walk over single words.
    #[test]
    fn stretches_and_words_are_those_between_two_addresses() {
        let base = 0x10_0000_0000;
        let bits = 0x8421_f00f_8000_0001_u64;
        for first in [0, 1, 5, 63, 64, 70] {
            for last in [0, 1, 5, 63, 64, 65, 128, 200] {
                let (from, to) = (base + first * WORD, base + last * WORD);
                let mut found = Vec::new();
                for stretch in stretches(from, to) {
                    let start = stretch.start();
                    found.extend(words(start, stretch.select(bits)));
                    let in_place = words(group_base(start), bits & stretch.mask());
                    assert!(in_place.eq(words(start, stretch.select(bits))));
                }
                let expected = (from..to)
                    .step_by(WORD)
                    .filter(|word| bits & bit(*word) != 0);
                assert!(expected.eq(found), "from word {first} to {last}");
                assert!(
                    groups(from, to).eq((base..to)
                        .step_by(GROUP_BYTES)
                        .filter(|group| group + GROUP_BYTES > from))
                );
            }
        }
        assert_eq!(behind_first(base, 0), None);
        assert_eq!(behind_first(base, 0b1100), Some(base + 3 * WORD));
    }
}
