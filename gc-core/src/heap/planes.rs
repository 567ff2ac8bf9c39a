//! The metadata planes: one bit for each word of the heap, found by arithmetic from its address.
//!
//! A *group* is 64 words of heap (512 bytes) and has one `u64` in each of four planes; the four lie
//! side by side, so that a cache line of metadata covers 1 KiB of heap.
//!
//! | plane | a set bit on word *w* means |
//! | --- | --- |
//! | `tags` | the word holds a pointer |
//! | `extents` | on an even word: an allocation starts here; on an odd word: one ends here |
//! | `marks` | on a start word: the object is marked |
//! | `states` | on a start word: *grey*, marked but not yet scanned; on the word after: *dirty*, its tags may not tell the truth |
//!
//! Allocations start at multiples of the granule (16 bytes, two words) and are as long as some
//! granules, which is why starts are even and ends odd and one plane serves both.
//!
//! A fifth plane, `kinds`, is linear and refines the tags: (tag 1, kind 0) is a strong pointer,
//! (1, 1) a weak one, (0, 0) data. On a start word (0, 1) says that the object is a *shell*: its
//! contents are gone, and its extent is kept because weak pointers to it remain. Its memory is
//! untouched, and therefore not resident, wherever there are no weak pointers.
//!
//! This module knows the layout and nothing else; only it would change with another layout.
//!
//! # Invariants
//!
//! 1. Starts and ends alternate, beginning with a start, in each block or span of blocks.
//! 2. Words outside of allocations have no bit set in any plane.
//! 3. The planes of a block are read and written only by the thread that works on the heap which
//!    owns the block.

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
/// It is atomic so that sharing the side range between heaps of several threads needs no further
/// argument. All accesses are relaxed: by invariant 3 no other thread touches the same word, so
/// there is no partner to order them against.
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
    pub(crate) marks: Plane,
    pub(crate) states: Plane,
}

impl Group {
    #[inline(always)]
    pub(crate) fn starts(&self) -> u64 {
        self.extents.get() & STARTS
    }

    #[inline(always)]
    pub(crate) fn ends(&self) -> u64 {
        self.extents.get() & ENDS
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

/// Where the planes of an address space are: two numbers that turn an address of the heap into the
/// address of its metadata.
#[derive(Clone, Copy)]
pub(crate) struct Planes {
    /// The address of the group that would belong to heap address zero.
    groups: usize,
    /// The address of the `kinds` word that would belong to heap address zero.
    kinds: usize,
}

impl Planes {
    /// Bytes of groups for `heap` bytes of heap.
    pub(crate) const fn group_bytes(heap: usize) -> usize {
        heap / GROUP_BYTES * size_of::<Group>()
    }

    /// Bytes of the `kinds` plane for `heap` bytes of heap.
    pub(crate) const fn kind_bytes(heap: usize) -> usize {
        heap / GROUP_BYTES * size_of::<Plane>()
    }

    /// The planes of a heap that starts at `heap_base`, with its groups at `groups` and its kinds
    /// at `kinds`.
    pub(crate) const fn new(heap_base: usize, groups: usize, kinds: usize) -> Planes {
        Planes {
            groups: groups.wrapping_sub(Planes::group_bytes(heap_base)),
            kinds: kinds.wrapping_sub(Planes::kind_bytes(heap_base)),
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
    /// `address` lies in a block of the heap at work (which is committed together with its
    /// planes), and the result is not used beyond the life of the address space.
    #[inline(always)]
    pub(crate) unsafe fn group<'a>(self, address: usize) -> &'a Group {
        // SAFETY: the caller's address has a committed group at this place, which is never written
        // but through atomics; zeroes, as which it starts, are a valid `Group`.
        unsafe { &*ptr::with_exposed_provenance::<Group>(self.group_address(address)) }
    }

    /// The `kinds` bits of the group of the word at `address`.
    ///
    /// # Safety
    ///
    /// As for [`Planes::group`].
    #[inline(always)]
    pub(crate) unsafe fn kinds<'a>(self, address: usize) -> &'a Plane {
        let kinds = self
            .kinds
            .wrapping_add(address / GROUP_BYTES * size_of::<Plane>());
        // SAFETY: as in `group`.
        unsafe { &*ptr::with_exposed_provenance::<Plane>(kinds) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_leads_to_the_metadata() {
        let base = 0x10_0000_0000;
        let planes = Planes::new(base, 0x7000_0000, 0x9000_0000);
        assert_eq!(planes.group_address(base), 0x7000_0000);
        assert_eq!(planes.group_address(base + 511), 0x7000_0000);
        assert_eq!(planes.group_address(base + 512), 0x7000_0020);
        assert_eq!(Planes::group_bytes(1 << 30), 1 << 26);
        assert_eq!(Planes::kind_bytes(1 << 30), 1 << 24);
        assert_eq!(bit(base + 8 * 65), 2);
    }
}
