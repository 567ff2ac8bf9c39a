//! Blocks: the unit in which heaps own memory, and the dense table of their states.
//!
//! A block is 32 KiB. The table has one byte of state for each block of an address space. So a walk over all blocks of
//! a large heap reads a few cache lines, and not their metadata. The owner and the span of a block are read more
//! rarely, and are in arrays of their own.
//!
//! # Invariants
//!
//! 1. A block that is not `Free` belongs to exactly one heap, its owner. Only threads that work for that heap change
//!    its entry. While the block is in use they only add flags, until it is swept.
//! 2. A large object has a span of blocks: a head, whose `span` is their number, and tails, whose
//!    `span` is their distance from the head. Both are less than 2^31. A block of a [run](super::run) has its
//!    place in the run instead.
//! 3. An entry can be read for any block below the commit frontier; see
//!    [`AddressSpace`](super::space::AddressSpace).

use core::ptr;

use crate::protocol::claim;
use crate::sync::{AtomicU8, AtomicU64, Ordering};

pub(crate) use super::block_index::{BLOCK, BlockIndex};

/// What a block is used for.
///
/// `Small` and `Large` leave the bit of [`Flag::Derived`] free, which means nothing in the others: a leaf
/// has no derived pointers, and of a large object the flags of the head count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Use {
    /// Nothing: no heap owns it, and its planes are all zero.
    Free = 0,
    /// Small objects.
    Small = 1,
    /// The first block of a large object, or any of a run of medium ones.
    Large = 2,
    /// The same of objects that hold no pointers and have no descriptor.
    LargeLeaf = 3,
    /// Any further block of a large object.
    LargeTail = 4,
}

/// The state of a block: its use and some flags, in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockState(u8);

impl BlockState {
    const USE: u8 = 0x07;
    /// Says that some word is a derived pointer, in the uses that have the bit free.
    const DERIVED: u8 = 0x04;
    const DESCRIBED: u8 = 0x08;
    const DROPS: u8 = 0x10;
    const WEAK: u8 = 0x20;
    /// Says that some object of the block is claimed.
    pub(crate) const CLAIMED: u8 = 0x40;
    /// Holes of the block were prepared to allocate black.
    const BLACKENED: u8 = 0x80;

    /// Bits that let a write barrier pass while no marker is at work: only writes to described
    /// objects have to be noted.
    pub(crate) const NOTED: u8 = BlockState::DESCRIBED;
    /// The same while one is: any bit of a block in use.
    pub(crate) const ANY: u8 = u8::MAX;

    /// A block of the given use without flags.
    pub(crate) const fn new(usage: Use, described: bool) -> BlockState {
        let described = if described { Self::DESCRIBED } else { 0 };
        BlockState(usage as u8 | described)
    }

    /// An unused block.
    pub(crate) const FREE: BlockState = BlockState(Use::Free as u8);

    /// What the block is used for.
    #[inline(always)]
    pub(crate) fn usage(self) -> Use {
        match self.0 & Self::USE {
            0 => Use::Free,
            1 | 5 => Use::Small,
            2 | 6 => Use::Large,
            3 => Use::LargeLeaf,
            4 => Use::LargeTail,
            _ => unreachable!(
                "the block table has a byte that nobody wrote: {:#x}",
                self.0
            ),
        }
    }

    /// Whether this is a block of small objects without descriptors, in which none is claimed and
    /// nothing is weak: the common case, in one comparison. Derived pointers need nothing of a marker.
    #[inline(always)]
    pub(crate) fn is_simple_small(self) -> bool {
        self.0 & !(Self::DROPS | Self::BLACKENED | Self::DERIVED) == Use::Small as u8
    }

    /// Whether this is a block of small objects in which nothing is weak, and no object a shell.
    #[inline(always)]
    pub(crate) fn is_plain_small(self) -> bool {
        self.0 & (Self::USE & !Self::DERIVED | Self::WEAK) == Use::Small as u8
    }

    /// Whether the objects that start in this block have a descriptor in their last word.
    #[inline(always)]
    pub(crate) fn is_described(self) -> bool {
        self.0 & Self::DESCRIBED != 0
    }

    /// Whether objects that start in this block are scanned and claimed in chunks: it is the first block of a large
    /// object, or one of a run of medium ones.
    #[inline(always)]
    pub(crate) fn is_large_head(self) -> bool {
        matches!(self.0 & Self::USE, 2 | 3 | 6)
    }

    /// Whether some word of this block is a weak pointer, or some object a shell.
    #[inline(always)]
    pub(crate) fn has_weak(self) -> bool {
        self.0 & Self::WEAK != 0
    }

    /// Whether some word of this block is a derived pointer.
    #[inline(always)]
    pub(crate) fn has_derived(self) -> bool {
        matches!(self.0 & Self::USE, 5 | 6)
    }

    /// Whether some bit in the `kinds` plane of this block is set.
    #[inline(always)]
    pub(crate) fn has_kinds(self) -> bool {
        self.has_weak() || self.has_derived()
    }

    /// Whether some object of this block may have a value that needs `Drop`.
    #[inline(always)]
    pub(crate) fn has_drops(self) -> bool {
        self.0 & Self::DROPS != 0
    }

    /// Whether some object of this block is claimed.
    #[inline(always)]
    pub(crate) fn is_claimed(self) -> bool {
        self.0 & Self::CLAIMED != 0
    }

    /// Whether some bit in the `claims` plane of this block is set.
    #[inline(always)]
    pub(crate) fn has_claims(self) -> bool {
        self.0 & (Self::CLAIMED | Self::BLACKENED) != 0
    }

    /// What remains of the state when the claims of the block were cleared.
    #[must_use]
    pub(crate) fn unclaimed(self) -> BlockState {
        BlockState(self.0 & !(Self::CLAIMED | Self::BLACKENED))
    }

    /// What remains of the state when the block was swept: nothing is claimed, and flags tell which sorts of
    /// bits there still are in the `kinds` plane.
    #[must_use]
    pub(crate) fn swept(self, weak: bool, derived: bool) -> BlockState {
        let mut state = self.unclaimed();
        if !weak {
            state.0 &= !Self::WEAK;
        }
        if self.has_derived() && !derived {
            state.0 &= !Self::DERIVED;
        }
        state
    }
}

/// A flag that can be added to the state of a block in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Flag {
    /// Some object has a value that needs `Drop`.
    Drops = BlockState::DROPS,
    /// Some word is a weak pointer, or some object a shell.
    Weak = BlockState::WEAK,
    /// Some word is a derived pointer. Not for `Free` blocks.
    Derived = BlockState::DERIVED,
    /// Some object is claimed, or will be allocated so.
    Claimed = BlockState::CLAIMED,
    /// Holes were prepared to allocate black.
    Blackened = BlockState::BLACKENED,
}

/// Where the block table of an address space is.
#[derive(Clone, Copy)]
pub(crate) struct BlockTable {
    states: usize,
    details: usize,
}

impl BlockTable {
    /// Bytes of states for `blocks` blocks.
    pub(crate) const fn state_bytes(blocks: usize) -> usize {
        blocks
    }

    /// Bytes of owners and spans for `blocks` blocks.
    pub(crate) const fn detail_bytes(blocks: usize) -> usize {
        blocks * size_of::<AtomicU64>()
    }

    /// The table with its states and its details at these addresses.
    pub(crate) const fn new(states: usize, details: usize) -> BlockTable {
        BlockTable { states, details }
    }

    /// # Safety
    ///
    /// As for [`BlockTable::state`].
    #[inline(always)]
    unsafe fn state_byte<'a>(self, block: BlockIndex) -> &'a AtomicU8 {
        // SAFETY: the caller's block has a committed entry here, which is only accessed as an
        // atomic.
        unsafe { &*ptr::with_exposed_provenance::<AtomicU8>(self.states + block.number()) }
    }

    /// # Safety
    ///
    /// As for [`BlockTable::state`].
    unsafe fn detail<'a>(self, block: BlockIndex) -> &'a AtomicU64 {
        let address = self.details + block.number() * size_of::<AtomicU64>();
        // SAFETY: below the frontier each block has a detail here, too, which is only accessed as an atomic.
        unsafe { &*ptr::with_exposed_provenance::<AtomicU64>(address) }
    }

    /// The state of a block.
    ///
    /// # Safety
    ///
    /// 1. The block is below the commit frontier of the space with this table.
    /// 2. The space is alive.
    #[inline(always)]
    pub(crate) unsafe fn state(self, block: BlockIndex) -> BlockState {
        // Relaxed: a thread gets a pointer into the block through something that orders this
        // load after the store: the mutator itself, the start of a job, a queue, or an acquiring read of
        // the pointer. Those that look a block up by chance read some valid byte.
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        BlockState(unsafe { self.state_byte(block) }.load(Ordering::Relaxed))
    }

    /// [`BlockTable::state`] for a marker that is about to read objects of the block concurrently with mutators.
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::state`].
    #[inline(always)]
    pub(crate) unsafe fn state_beside(self, block: BlockIndex) -> BlockState {
        // `Acquire`, partner: `unclaim`. What was written under a claim that is over happened before.
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        BlockState(unsafe { self.state_byte(block) }.load(Ordering::Acquire))
    }

    /// Whether a block's state has any of these bits.
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::state`].
    #[inline(always)]
    pub(crate) unsafe fn has_any(self, block: BlockIndex, bits: u8) -> bool {
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        unsafe { self.state(block) }.0 & bits != 0
    }

    /// Enters the state of a block.
    ///
    /// # Safety
    ///
    /// 1. As for [`BlockTable::state`].
    /// 2. The caller works for the block's owner.
    /// 3. Nobody else changes the entry meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn set_state(self, block: BlockIndex, state: BlockState) {
        // Relaxed: as in `state`. Ownership itself changes hands under the lock of the space.
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        unsafe { self.state_byte(block) }.store(state.0, Ordering::Relaxed)
    }

    /// Adds a flag to the state of a block, others may do so at the same time.
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::state`], and the caller works for the block's owner.
    #[inline]
    pub(crate) unsafe fn raise(self, block: BlockIndex, flag: Flag) {
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        let byte = unsafe { self.state_byte(block) };
        // Relaxed: flags are looked at by the mutator that raised them, and in later phases.
        if byte.load(Ordering::Relaxed) & flag as u8 == 0 {
            byte.fetch_or(flag as u8, Ordering::Relaxed);
        }
    }

    /// Takes the flags away which say that objects of a block are claimed.
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::raise`]. Nothing in the block is claimed.
    pub(crate) unsafe fn unclaim(self, block: BlockIndex) {
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        let byte = unsafe { self.state_byte(block) };
        claim::lower(byte, BlockState::CLAIMED | BlockState::BLACKENED);
    }

    /// The byte of a block's state, for protocols that order it.
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::state`].
    #[inline(always)]
    pub(crate) unsafe fn byte<'a>(self, block: BlockIndex) -> &'a AtomicU8 {
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        unsafe { self.state_byte(block) }
    }

    /// The number of the heap that owns the block, and its span (invariant 2).
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::state`].
    pub(crate) unsafe fn owner_and_span(self, block: BlockIndex) -> (u32, u32) {
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise). Relaxed: as in `state`.
        let detail = unsafe { self.detail(block) }.load(Ordering::Relaxed);
        ((detail >> 32) as u32, detail as u32)
    }

    /// Enters the owner of a block, and its span (invariant 2).
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::set_state`].
    pub(crate) unsafe fn set_owner_and_span(self, block: BlockIndex, owner: u32, span: u32) {
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise). Relaxed: as in `state`.
        unsafe { self.detail(block) }
            .store(u64::from(owner) << 32 | u64::from(span), Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flag of derived pointers shares a bit with the uses.
    #[test]
    fn each_use_stays_what_it_is_under_all_flags() {
        let uses = [Use::Small, Use::Large, Use::LargeLeaf, Use::LargeTail];
        for usage in uses {
            for described in [false, true] {
                let plain = BlockState::new(usage, described);
                assert!(!plain.has_derived() && !plain.has_kinds());
                for flags in 0..32u8 {
                    let with = |flag: u8, yes: bool| if yes { flag } else { 0 };
                    let derived = flags & 1 != 0 && usage != Use::LargeLeaf;
                    let weak = flags & 2 != 0;
                    let state = BlockState(
                        plain.0
                            | with(BlockState::DERIVED, derived)
                            | with(BlockState::WEAK, weak)
                            | with(BlockState::DROPS, flags & 4 != 0)
                            | with(BlockState::CLAIMED, flags & 8 != 0)
                            | with(BlockState::BLACKENED, flags & 16 != 0),
                    );
                    let derived = derived && usage != Use::LargeTail;
                    assert_eq!(state.usage(), usage);
                    assert_eq!(state.is_described(), described);
                    assert_eq!(
                        (state.has_derived(), state.has_weak(), state.has_kinds()),
                        (derived, weak, weak || derived)
                    );
                    assert_eq!(
                        state.is_large_head(),
                        matches!(usage, Use::Large | Use::LargeLeaf)
                    );
                    let swept = state.swept(false, false);
                    assert_eq!((swept.usage(), swept.has_kinds()), (usage, false));
                    assert_eq!(state.swept(weak, derived), state.unclaimed());
                    assert_eq!(
                        state.is_simple_small(),
                        usage == Use::Small && !described && !weak && !state.is_claimed()
                    );
                }
            }
        }
    }
}
