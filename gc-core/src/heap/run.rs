//! Runs: blocks in a row that medium objects share, and how an object is found in them.
//!
//! Each object of a run has whole groups of the planes, from a multiple of [`GROUP_BYTES`] on: its *slot*. So no two
//! objects share a word of any plane, and mutators and sweepers can work on neighbouring objects at the same time. An
//! object may lie in several blocks. For a block of a run, the table has a [`Place`] instead of a span: which object
//! reaches into it from the block before, and how far. So the start and the end of any object are found with a few
//! loads.
//!
//! # Invariants
//!
//! 1. All blocks of a run have the same use, `Large` or `LargeLeaf`, and are all described or not. The other flags of a
//!    block are those of the objects that *start* in it.
//! 2. Starts are at multiples of a group. From an object's end to the end of its last group there is nothing.
//! 3. `back` and `reach` of a block's place are those of the object that starts in an earlier block and has words in
//!    this one, and zero if there is none.
//! 4. An object lies in one run, from its first to its last block.
//!
//! Places change while other threads read them: when an object is allocated, and when a run is swept. Such a change
//! concerns only the blocks that this object reaches into, blocks without any other object, and whether a block is the
//! last of its run. A live object is found before and after it.

use super::Heap;
use super::block::{BLOCK, BlockIndex, BlockTable, Use};
use super::block_index::block_base;
use super::planes::{GROUP_BYTES, Planes, behind_first, groups};
use super::start::ObjectStart;

/// The most blocks of a run.
pub(super) const LONGEST: usize = 16;

/// Groups of a block.
const GROUPS: usize = BLOCK / GROUP_BYTES;

/// What the block table says of a block of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many blocks of the run are before it.
    pub(super) index: usize,
    /// Whether it is the last.
    pub(super) last: bool,
    /// How many groups of the object that reaches into the block are before it.
    pub(super) back: usize,
    /// How many groups of the block are that object's.
    pub(super) reach: usize,
}

impl Place {
    /// Says that this is not the span of a large object, which is less.
    const RUN: u32 = 1 << 31;
    const LAST: u32 = 1 << 30;
    const INDEX: u32 = 24;
    const BACK: u32 = 8;

    /// As it is in the table.
    pub(super) fn encoded(self) -> u32 {
        let last = if self.last { Place::LAST } else { 0 };
        let (index, back) = (self.index as u32, self.back as u32);
        Place::RUN | last | index << Place::INDEX | back << Place::BACK | self.reach as u32
    }

    #[inline]
    fn decoded(span: u32) -> Option<Place> {
        let bits = |from: u32, count: u32| (span >> from & ((1 << count) - 1)) as usize;
        (span & Place::RUN != 0).then(|| Place {
            index: bits(Place::INDEX, 6),
            last: span & Place::LAST != 0,
            back: bits(Place::BACK, 16),
            reach: bits(0, 8),
        })
    }

    /// Where the object starts that reaches into the block at `base`, if there is one.
    pub(super) fn reaching(self, base: usize) -> Option<usize> {
        (self.reach != 0).then(|| base - self.back * GROUP_BYTES)
    }
}

const _: () = assert!(LONGEST <= 1 << 6 && LONGEST * GROUPS <= 1 << 16 && GROUPS < 1 << 8);

impl BlockTable {
    /// Where the block is in its run, if it is in one.
    ///
    /// # Safety
    ///
    /// As for [`BlockTable::state`].
    #[inline]
    pub(super) unsafe fn place(self, block: BlockIndex) -> Option<Place> {
        // SAFETY: the block is below the frontier, and the space alive (the caller's promise).
        Place::decoded(unsafe { self.owner_and_span(block) }.1)
    }
}

impl Heap {
    /// Where a block of this heap is in its run, if it is in one.
    #[inline]
    pub(super) fn place_of(&self, block: BlockIndex) -> Option<Place> {
        assert!(self.has_entry(block));
        // SAFETY: below `top` the table is committed.
        unsafe { self.blocks.place(block) }
    }

    /// How many blocks there are in the run that begins with `head`, a block of this heap.
    pub(super) fn run_length(&self, head: BlockIndex) -> usize {
        let is_last = |count: &usize| {
            let place = self.place_of(head.up(count - 1));
            place.is_none_or(|place| place.last)
        };
        (1..LONGEST).find(is_last).unwrap_or(LONGEST)
    }

    /// The block in which the object starts that `address` is in. The flags of that block are the object's.
    ///
    /// # Safety
    ///
    /// The address lies in a block of this heap. (If it is in no object, the result is of no use.)
    #[inline]
    pub(crate) unsafe fn start_block(&self, address: usize) -> BlockIndex {
        let block = self.owned_block(address);
        // SAFETY: blocks of this heap are below the frontier.
        match unsafe { self.blocks.state(block) }.usage() {
            Use::Free | Use::Small => block,
            Use::LargeTail => block.down(self.span_of(block)),
            Use::Large | Use::LargeLeaf => match self.place_of(block) {
                Some(place) if group_in_block(address) < place.reach => {
                    let base = self.address_of(block);
                    self.owned_block(base - place.back * GROUP_BYTES)
                }
                _ => block,
            },
        }
    }

    /// The block by which an object is listed in the store, and swept: its own, or the first of its run.
    pub(crate) fn listed_block(&self, start: ObjectStart) -> BlockIndex {
        let block = self.owned_block(start.address());
        let large = self.state_of(start).is_large_head();
        match self.place_of(block) {
            Some(place) if large => block.down(place.index),
            _ => block,
        }
    }

    /// The start and the end of the medium object that contains `address`, which is in a block of a run at that
    /// place, if there is one.
    pub(super) fn medium_around(&self, address: usize, place: Place) -> Option<(usize, usize)> {
        let block = block_base(address);
        let group = group_in_block(address);
        let base = if group < place.reach {
            place.reaching(block)?
        } else {
            let at_or_below = (place.reach..=group).rev();
            at_or_below
                .map(|group| block + group * GROUP_BYTES)
                // SAFETY: the block is one of this heap.
                .find(|start| unsafe { self.planes.group(*start) }.starts() & 1 != 0)?
        };
        // SAFETY: the object starts in a run of this heap; if it is being swept just now and was dead, there may be
        // no end any more.
        let end = unsafe {
            let group = last_group(self.blocks, self.owned_block(base), base);
            end_from(self.planes, group)?
        };
        (address < end).then_some((base, end))
    }

    /// Says in the table, of all blocks but the first that the slot from `start` to `end` lies in, that its object
    /// reaches into them.
    ///
    /// # Safety
    ///
    /// 1. The slot lies in a run of this heap.
    /// 2. Nobody else changes entries of these blocks meanwhile.
    pub(super) unsafe fn note_reach(&self, start: usize, end: usize) {
        let mut block = self.owned_block(start).up(1);
        while self.address_of(block) < end {
            let base = self.address_of(block);
            let place = Place {
                back: (base - start) / GROUP_BYTES,
                reach: ((end - base) / GROUP_BYTES).min(GROUPS),
                ..self.place_of(block).unwrap_or_default()
            };
            // SAFETY: the block is one of the run, and nobody else changes its entry (the caller's promise).
            unsafe { self.set_place(block, place) };
            block = block.up(1);
        }
    }

    /// Enters the place of a block in its run.
    ///
    /// # Safety
    ///
    /// 1. The block belongs to this heap.
    /// 2. Nobody else changes its entry meanwhile.
    pub(super) unsafe fn set_place(&self, block: BlockIndex, place: Place) {
        // SAFETY: a block of this heap is below the frontier; and nobody else changes its entry (the caller's promise).
        unsafe {
            self.blocks
                .set_owner_and_span(block, self.number, place.encoded())
        }
    }
}

fn group_in_block(address: usize) -> usize {
    address % BLOCK / GROUP_BYTES
}

/// The end of the slot of an object that ends at `end`.
pub(super) fn slot_end(end: usize) -> usize {
    end.next_multiple_of(GROUP_BYTES)
}

/// The first group in which the end of the medium object can lie that starts at `base`, in `block`, and leaves its
/// first group: in that of its last block, where it ends for sure, unless it has only the one block.
///
/// # Safety
///
/// A medium object starts there, in the space with this table.
pub(super) unsafe fn last_group(blocks: BlockTable, block: BlockIndex, base: usize) -> usize {
    let (mut block, mut its_base) = (block, block_base(base));
    let mut group = base + GROUP_BYTES;
    // SAFETY: blocks of a run are in use, and so are those after one that is not the last; or were just now, and then
    // they are below the frontier, which never moves back.
    while let Some(place) = unsafe { blocks.place(block) }
        && !place.last
    {
        (block, its_base) = (block.up(1), its_base + BLOCK);
        // SAFETY: a run goes on behind a block that is not its last, so this block is below the frontier as well.
        match unsafe { blocks.place(block) } {
            Some(next) if next.reaching(its_base) == Some(base) => {
                group = its_base + (next.reach - 1) * GROUP_BYTES;
            }
            _ => break,
        }
    }
    group
}

/// The address behind the first end at or after `group`, in a block of a run.
///
/// # Safety
///
/// The rest of the block belongs to the heap at work.
pub(super) unsafe fn end_from(planes: Planes, group: usize) -> Option<usize> {
    groups(group, block_base(group) + BLOCK).find_map(|at| {
        // SAFETY: the rest of the block belongs to the heap at work (the caller's promise).
        behind_first(at, unsafe { planes.group(at) }.ends())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept_in_the_table_and_no_span_is_one() {
        for index in [0, 1, LONGEST - 1] {
            for last in [false, true] {
                for back in [0, 1, GROUPS, LONGEST * GROUPS - 1] {
                    for reach in [0, 1, GROUPS] {
                        let place = Place {
                            index,
                            last,
                            back,
                            reach,
                        };
                        assert_eq!(Place::decoded(place.encoded()), Some(place));
                    }
                }
            }
        }
        for span in [0, 1, Place::RUN - 1] {
            assert_eq!(Place::decoded(span), None);
        }
    }
}
