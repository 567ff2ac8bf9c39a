//! The numbers of blocks, and all arithmetic between them and addresses.
//!
//! A [`BlockIndex`] comes from an address of the space, from another block of it, or from a walk over blocks, never
//! from a bare number elsewhere. So there is a block with this number in some space. The type does not say in which:
//! a heap has one space, and uses only indices that it made.

/// Bytes in a block.
pub(crate) const BLOCK: usize = 32 << 10;

/// The address of the first word of the block of `address`.
#[inline(always)]
pub(super) const fn block_base(address: usize) -> usize {
    address & !(BLOCK - 1)
}

/// The number of a block in its address space, from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlockIndex(u32);

impl BlockIndex {
    /// The block of `address` in the space that begins at `base`, which is not above it.
    #[inline(always)]
    pub(crate) const fn of(base: usize, address: usize) -> BlockIndex {
        BlockIndex::numbered((address - base) / BLOCK)
    }

    /// The block with this number, in the bitmap of the space.
    #[inline(always)]
    pub(super) const fn numbered(number: usize) -> BlockIndex {
        debug_assert!(number <= u32::MAX as usize);
        BlockIndex(number as u32)
    }

    /// Its number, for tables with an entry for each block of the space.
    #[inline(always)]
    pub(crate) const fn number(self) -> usize {
        self.0 as usize
    }

    /// How many bytes of the space are before it.
    #[inline(always)]
    pub(crate) const fn offset(self) -> usize {
        self.number() * BLOCK
    }

    /// The block so many blocks further up.
    #[inline(always)]
    pub(super) const fn up(self, count: usize) -> BlockIndex {
        BlockIndex::numbered(self.number() + count)
    }

    /// The block so many blocks further down.
    #[inline(always)]
    pub(super) const fn down(self, count: usize) -> BlockIndex {
        BlockIndex::numbered(self.number() - count)
    }

    /// How many blocks further up this is than `lower`.
    pub(super) const fn above(self, lower: BlockIndex) -> usize {
        self.number() - lower.number()
    }

    /// `count` blocks, from this one upwards.
    pub(super) fn row(self, count: usize) -> impl DoubleEndedIterator<Item = BlockIndex> + Clone {
        (self.0..self.up(count).0).map(BlockIndex)
    }

    /// Whether `next` is the block directly above this one.
    pub(super) const fn is_followed_by(self, next: BlockIndex) -> bool {
        next.0 == self.0 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_addresses_agree() {
        let base = 0x10_0000_0000;
        let third = BlockIndex::of(base, base + 3 * BLOCK);
        assert_eq!(BlockIndex::of(base, base + 4 * BLOCK - 1), third);
        assert_eq!((third.number(), third.offset()), (3, 3 * BLOCK));
        assert_eq!(third.up(2).down(2), third);
        assert_eq!(third.up(2).above(third), 2);
        assert!(third.is_followed_by(third.up(1)) && !third.is_followed_by(third.down(1)));
        assert!(third.row(3).eq([third, third.up(1), third.up(2)]));
        assert!(third.row(2).rev().eq([third.up(1), third]));
        assert!(third.row(0).next().is_none());
    }
}
