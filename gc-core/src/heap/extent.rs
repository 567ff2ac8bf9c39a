//! Look-ups: from an address to the allocation around it.
//!
//! Starts and ends alternate in the `extents` plane, so the nearest bit at or below an address
//! decides: after a start, the address lies inside of an allocation; after an end, it lies outside (unless it is in
//! that last word itself). Finding a bit is one leading- or trailing-zero count for each group.

use super::Heap;
use super::block::{BLOCK, BlockIndex, BlockTable, Use};
use super::block_index::block_base;
use super::planes::{
    GROUP_BYTES, GROUP_WORDS, Planes, STARTS, WORD, behind_first, bit, bit_index, group_base,
    groups, low_bits, stretches, whole_groups, words,
};
use super::start::ObjectStart;
use super::{register, run};

/// An allocation: where it starts and how long it is.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable};
///
/// let arena = Arena::<Rootable![Gc<'_, [u8; 20]>]>::new(|mc| Gc::new(mc, [0; 20]));
/// let address = arena.mutate(|_, bytes| Gc::as_ptr(*bytes).addr());
/// let extent = arena.allocation_of(address + 19).unwrap();
/// assert_eq!((extent.base, extent.bytes), (address, 32));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The address of its first byte.
    pub base: usize,
    /// Its length in bytes: that of the value, rounded up to whole granules of 16 bytes, and with
    /// the collector's word for types that need one.
    pub bytes: usize,
}

impl Extent {
    /// The address behind the last byte.
    pub(crate) fn end(&self) -> usize {
        self.base + self.bytes
    }
}

impl Heap {
    /// The allocation that contains `address`, if there is one in this heap.
    ///
    /// The address may be any number. Takes time linear in the size of a small object, and about
    /// that of a small one for a large object.
    pub(crate) fn allocation_of(&self, address: usize) -> Option<Extent> {
        let (base, end) = self.bounds_around(address)?;
        let bytes = end - base;
        Some(Extent { base, bytes })
    }

    /// The start of the allocation that contains `address`, as [`Heap::allocation_of`]. If the object is dead, and
    /// its block is being swept, it may be gone by now.
    pub(crate) fn start_of(&self, address: usize) -> Option<ObjectStart> {
        let (base, _) = self.bounds_around(address)?;
        // SAFETY: the planes say that an object starts there. Of one that is freed meanwhile nobody has a pointer,
        // and the start does no harm.
        Some(unsafe { ObjectStart::new_unchecked(base) })
    }

    /// Where the allocation that contains `address` starts and ends.
    fn bounds_around(&self, address: usize) -> Option<(usize, usize)> {
        let block = self.block_of(address)?;
        let state = self.state(block);
        match state.usage() {
            Use::Free => None,
            Use::Small => {
                let base = self.start_at_or_below(address)?;
                // The block may be being swept just now, and a dead object lose its end meanwhile.
                let end = self.end_in_block(base).filter(|end| *end > address)?;
                Some((base, end))
            }
            Use::LargeLeaf | Use::Large | Use::LargeTail => {
                if let Some(place) = self.place_of(block) {
                    return self.medium_around(address, place);
                }
                // SAFETY: the block of the address is one of this heap.
                let head = unsafe { self.start_block(address) };
                let base = self.address_of(head);
                // It may be being freed just now.
                let last = self.span_of(head).checked_sub(1)?;
                let end = self
                    .end_in_block(base)
                    .or_else(|| self.end_in_block(base + last * BLOCK))?;
                (address < end).then_some((base, end))
            }
        }
    }

    /// The start of the small allocation that contains `address`, which lies in a block of this
    /// heap.
    fn start_at_or_below(&self, address: usize) -> Option<usize> {
        let block = block_base(address);
        let mut group = group_base(address);
        // The word itself may be the last of its allocation, so its own end bit does not count.
        let mut mask = low_bits(bit_index(address)) | (1 << bit_index(address) & STARTS);
        loop {
            // SAFETY: the group lies in the block of `address`, which is one of this heap.
            let bits = unsafe { self.planes().group(group) }.extents.get() & mask;
            if bits != 0 {
                let highest = u64::BITS - 1 - bits.leading_zeros();
                let is_start = STARTS >> highest & 1 == 1;
                return is_start.then_some(group + highest as usize * WORD);
            }
            if group == block {
                return None;
            }
            group -= GROUP_BYTES;
            mask = u64::MAX;
        }
    }

    /// The address behind the first allocation that ends at or after `base` in its block.
    fn end_in_block(&self, base: usize) -> Option<usize> {
        stretches(base, block_base(base) + BLOCK).find_map(|stretch| {
            // SAFETY: the address lies in the block, which is this heap's, or was just now.
            let ends = unsafe { self.planes().group(stretch.start()) }.ends();
            behind_first(stretch.start(), stretch.select(ends))
        })
    }

    /// The address behind an object.
    ///
    /// # Panics
    ///
    /// May do so if the object was freed.
    #[inline]
    pub(crate) fn end_of(&self, start: ObjectStart) -> usize {
        debug_assert!(self.spans(start.address()));
        let block = self.owned_block(start.address());
        // SAFETY: the object starts there, in this heap.
        unsafe { end_of_in(self.planes(), self.blocks(), block, start.address()) }
    }

    /// An object, with its length.
    #[inline]
    pub(crate) fn extent_of(&self, start: ObjectStart) -> Extent {
        let base = start.address();
        let bytes = self.end_of(start) - base;
        Extent { base, bytes }
    }

    /// Shortens a small object. What it loses is free when its block was swept.
    ///
    /// # Safety
    ///
    /// 1. `from` is an object of this heap in a block of small ones, and `to` a shorter one at the same address.
    /// 2. Nobody refers to what is between their ends, which has neither tags nor kinds, or looks for the end meanwhile.
    pub(crate) unsafe fn cut(&self, from: Extent, to: Extent) {
        debug_assert!(from.base == to.base && 0 < to.bytes && to.bytes < from.bytes);
        let (old, new) = (from.end() - WORD, to.end() - WORD);
        // SAFETY: both words are in the object, which is one of this heap (the caller's promise).
        unsafe {
            self.planes().group(new).extents.insert(bit(new));
            self.planes().group(old).extents.remove(bit(old));
        }
    }

    /// Calls `f` with the start of each allocation in the block, in address order.
    ///
    /// # Panics
    ///
    /// If the block does not belong to this heap.
    pub(crate) fn each_start(&self, block: BlockIndex, mut f: impl FnMut(ObjectStart)) {
        let base = self.address_of(block);
        assert!(
            self.block_of(base).is_some(),
            "only own blocks are searched for objects"
        );
        // A large object is the only one of its blocks, unless it is a medium one.
        let large = self.state(block).is_large_head();
        let alone = large && self.place_of(block).is_none();
        let bytes = if alone { GROUP_BYTES } else { BLOCK };
        for group in whole_groups(base, bytes) {
            // SAFETY: the group is one of a block of this heap.
            let starts = unsafe { self.planes().group(group) }.starts();
            // SAFETY: the planes say that objects start there.
            words(group, starts).for_each(|at| f(unsafe { ObjectStart::new_unchecked(at) }));
        }
    }

    /// The number of objects that start between two addresses of one block.
    ///
    /// # Panics
    ///
    /// If the addresses are not in what this heap spans, unless nothing is between them.
    pub(super) fn count_starts(&self, from: usize, to: usize) -> u64 {
        assert!(from >= to || self.spans(from) && to <= self.top());
        let starts = stretches(from, to).map(|stretch| {
            // SAFETY: below `top` all planes are committed.
            let starts = unsafe { self.planes.group(stretch.start()) }.starts();
            u64::from(stretch.select(starts).count_ones())
        });
        starts.sum()
    }
}

/// [`Heap::end_of`] where the heap is not known: the address behind the allocation that starts at `base`, in
/// `block` of the space with these planes and this table.
///
/// # Safety
///
/// An allocation starts there.
#[inline]
pub(crate) unsafe fn end_of_in(
    planes: Planes,
    blocks: BlockTable,
    block: BlockIndex,
    base: usize,
) -> usize {
    // SAFETY: an allocation starts there, in that block of the space (the caller's promise).
    unsafe {
        match near_end_of(planes, base) {
            Some(end) => end,
            None => far_end_of(planes, blocks, block, base),
        }
    }
}

/// The address behind the allocation that starts at `base`, in whichever heap of the process.
///
/// In the space that heaps share it takes some fifteen instructions, of which one reads the planes, and no lock, for
/// objects that end in the group in which they start. That much is inlined. In a space of its own it takes a
/// process-wide lock for a moment.
///
/// # Safety
///
/// An allocation starts at `base`, and stays as long as this takes.
#[inline(always)]
pub(crate) unsafe fn end_of(base: usize) -> usize {
    if let Some((planes, ..)) = register::find_shared(base) {
        // SAFETY: an allocation starts there (the caller's promise), in the space of these planes.
        if let Some(end) = unsafe { near_end_of(planes, base) } {
            return end;
        }
    }
    // SAFETY: an allocation starts there (the caller's promise). If that is in the shared space, its end is not in its
    // first group, as the look above has shown.
    unsafe { end_of_other(base) }
}

/// [`end_of`] for all other objects.
///
/// # Safety
///
/// As there; and in the space that heaps share, the allocation leaves its first group.
#[inline(never)]
unsafe fn end_of_other(base: usize) -> usize {
    if let Some((planes, blocks, block)) = register::find_shared(base) {
        // SAFETY: the allocation leaves its first group (the caller's promise), and that is its block.
        return unsafe { far_end_of(planes, blocks, block, base) };
    }
    let Some((planes, blocks, block)) = register::find_registered(base) else {
        unreachable!("{base:#x} is in no address space, so no allocation starts there");
    };
    // SAFETY: an allocation starts there (the caller's promise), and that is its block.
    unsafe { end_of_in(planes, blocks, block, base) }
}

/// Whether a value of so many bytes can be at the address of an object. Of addresses outside of all heaps, at which
/// values without memory are, nothing is known. For assertions: it is not quick.
///
/// # Safety
///
/// If the address is in an address space, an allocation starts there, and stays as long as this takes.
pub(crate) unsafe fn has_room(address: usize, bytes: usize) -> bool {
    // SAFETY: the address is in a space, and so an allocation starts there (the caller's promise).
    register::find(address).is_none() || unsafe { end_of(address) } - address >= bytes
}

/// The address behind the allocation that starts at `base`, if it does not leave its first group.
///
/// # Safety
///
/// An allocation starts at `base`, in the space of these planes.
#[inline(always)]
unsafe fn near_end_of(planes: Planes, base: usize) -> Option<usize> {
    // SAFETY: the allocation lies in a block of that space, so the group is committed.
    let group = unsafe { planes.group(base) };
    behind_first(base, group.ends() >> bit_index(base))
}

/// The address behind the allocation that starts at `base` and leaves its first group. Takes time linear
/// in the size of a small object, and about that of a small one for a large object.
///
/// # Safety
///
/// It does, in the block `block` of the space with these planes and this table, which is alive.
unsafe fn far_end_of(planes: Planes, blocks: BlockTable, block: BlockIndex, base: usize) -> usize {
    let mut group = group_base(base) + GROUP_BYTES;
    // SAFETY: the allocation goes on there, so that is in its block or the next of a large one.
    if let Some(end) = behind_first(group, unsafe { planes.group(group) }.ends()) {
        return end;
    }
    // SAFETY: the block of an allocation is in use.
    unsafe {
        if blocks.state(block).is_large_head() {
            if blocks.place(block).is_some() {
                group = run::last_group(blocks, block, base);
            } else {
                // The end lies in the last block of the span.
                let (_, span) = blocks.owner_and_span(block);
                group = group.max(base + (span as usize).saturating_sub(1) * BLOCK);
            }
        }
    }
    let found = groups(group, block_base(group) + BLOCK).find_map(|group| {
        // SAFETY: the block is one that the allocation lies in, so it is below the frontier.
        behind_first(group, unsafe { planes.group(group) }.ends())
    });
    match found {
        Some(end) => end,
        None => unreachable!("the object at {base:#x} has no end: it was freed"),
    }
}

const _: () = assert!(GROUP_WORDS == u64::BITS as usize);
