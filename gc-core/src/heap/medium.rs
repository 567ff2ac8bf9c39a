//! Medium objects: those that would waste more than a fifth of blocks of their own.
//!
//! They are allocated in *runs* of blocks ([`run`](super::run)). All mutators of a heap share the runs, under the lock
//! of the store; its cost is small next to that of filling so many bytes. There are separate runs for leaves, for
//! objects without descriptors, and for described ones. Allocation is best fit: an object gets the shortest hole that
//! is long enough, so long holes are kept for long objects. If there is no such hole, the heap makes a new run.
//!
//! # Waste
//!
//! A run is long enough for objects of the size for which it was made to fill at least four fifths of it
//! ([`blocks_for`]), which takes at most 7 blocks. So a heap of objects of one size takes at most 1.25 times their
//! bytes, for any size from 8 KiB on. A heap that has many runs makes longer ones, up to [`LONGEST`] blocks: with
//! objects of different sizes, less of a long run is lost at its end.
//!
//! # Invariants
//!
//! 1. Those of [`run`](super::run).
//! 2. Each hole is free and lies in one run of its sort. Holes do not overlap. Runs that are to be swept have no holes:
//!    when all runs are taken to be swept, all holes are forgotten.

use std::collections::BTreeSet;

use super::block::{BLOCK, BlockIndex, BlockState, Use};
use super::bump::Shape;
use super::error::HeapError;
use super::planes::GROUP_BYTES;
use super::run::{LONGEST, Place, slot_end};
use super::store::Store;
use super::volume::Volume;
use super::{Heap, LARGE};

/// Whether an object of so many bytes is medium: neither small, nor do blocks of its own fit it well.
pub(super) const fn is_medium(bytes: usize) -> bool {
    bytes > LARGE && bytes <= 4 * BLOCK && is_wasteful(bytes, bytes.div_ceil(BLOCK))
}

/// Whether so many bytes are less than four fifths of so many blocks.
const fn is_wasteful(bytes: usize, blocks: usize) -> bool {
    bytes * 5 < blocks * BLOCK * 4
}

/// The shortest hole that is kept: one of the shortest medium object.
const LEAST: usize = (LARGE + 1).next_multiple_of(GROUP_BYTES);

/// Which objects share a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Leaf,
    Plain,
    Described,
}

impl Sort {
    /// That of objects of this shape.
    fn of(shape: &Shape) -> Sort {
        match (shape.described, shape.leaf) {
            (true, _) => Sort::Described,
            (false, true) => Sort::Leaf,
            (false, false) => Sort::Plain,
        }
    }

    /// That of a run with blocks in this state.
    pub(super) fn of_state(state: BlockState) -> Sort {
        match (state.is_described(), state.usage()) {
            (true, _) => Sort::Described,
            (false, Use::LargeLeaf) => Sort::Leaf,
            (false, _) => Sort::Plain,
        }
    }

    /// The state of a block of a run in which no object starts.
    pub(super) fn state(self) -> BlockState {
        match self {
            Sort::Leaf => BlockState::new(Use::LargeLeaf, false),
            Sort::Plain => BlockState::new(Use::Large, false),
            Sort::Described => BlockState::new(Use::Large, true),
        }
    }
}

/// A stretch of free groups in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) sort: Sort,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The runs of a heap, and the holes in them.
#[derive(Default)]
pub(super) struct Runs {
    /// For each sort, the length and the start of each hole.
    holes: [BTreeSet<(usize, usize)>; 3],
    /// Blocks in runs.
    pub(super) blocks: usize,
}

impl Runs {
    /// Adds a hole, if some object can fit.
    pub(super) fn add(&mut self, hole: Hole) {
        let bytes = hole.end - hole.start;
        if bytes >= LEAST {
            self.holes[hole.sort as usize].insert((bytes, hole.start));
        }
    }

    /// Takes the shortest hole in which `bytes` bytes fit at a multiple of `align`, of those of them that are
    /// looked at.
    fn take(&mut self, sort: Sort, bytes: usize, align: usize) -> Option<Hole> {
        /// Of holes that are long enough, but perhaps not at the right place, so many are tried.
        const TRIED: usize = 8;
        let holes = &mut self.holes[sort as usize];
        let fits = |&&(length, start): &&(usize, usize)| {
            start.next_multiple_of(align) + bytes <= start + length
        };
        let long = bytes + align - GROUP_BYTES;
        let found = holes.range((bytes, 0)..).take(TRIED).find(fits);
        let &(length, start) = found.or_else(|| holes.range((long, 0)..).next())?;
        holes.remove(&(length, start));
        Some(Hole {
            sort,
            start,
            end: start + length,
        })
    }

    /// Forgets all holes.
    pub(super) fn forget_holes(&mut self) {
        self.holes.iter_mut().for_each(BTreeSet::clear);
    }

    /// All holes.
    pub(super) fn holes(&self) -> impl Iterator<Item = Hole> {
        let sorts = [Sort::Leaf, Sort::Plain, Sort::Described];
        sorts
            .into_iter()
            .zip(&self.holes)
            .flat_map(|(sort, holes)| {
                holes.iter().map(move |&(length, start)| Hole {
                    sort,
                    start,
                    end: start + length,
                })
            })
    }
}

/// The length in blocks of a run for objects of `bytes` bytes which each take `slot` bytes of it: the shortest that
/// they fill well, or, if none is, as over-aligned objects can be so, the one that they fill best.
fn blocks_for(bytes: usize, slot: usize) -> usize {
    let least = slot.div_ceil(BLOCK);
    let filled = |blocks: usize| blocks * BLOCK / slot * bytes;
    let fits_well = |blocks: &usize| !is_wasteful(filled(*blocks), *blocks);
    (least..=LONGEST).find(fits_well).unwrap_or_else(|| {
        let by_share = |blocks: &usize| filled(*blocks) * LONGEST / blocks;
        (least..=LONGEST)
            .rev()
            .max_by_key(by_share)
            .unwrap_or(least)
    })
}

impl Heap {
    /// A slot for a medium object.
    pub(super) fn take_medium(&self, shape: &Shape) -> Result<usize, HeapError> {
        let align = shape.align.max(GROUP_BYTES);
        let slot = shape.bytes.next_multiple_of(align);
        let sort = Sort::of(shape);
        self.check_share()?;
        let mut store = self.store.lock();
        let hole = match store.runs.take(sort, slot, align) {
            Some(hole) => hole,
            None => self.make_run(&mut store, sort, shape.bytes, slot)?,
        };
        let start = hole.start.next_multiple_of(align);
        // What an over-aligned object leaves free behind its last group is a hole, and no part of the object.
        let end = slot_end(start + shape.bytes);
        store.runs.add(Hole { end: start, ..hole });
        store.runs.add(Hole { start: end, ..hole });
        // SAFETY: the slot was in a hole of a run, which nobody else can take since, and the lock of the store is held.
        unsafe {
            self.note_reach(start, end);
            self.prepare_large(start, shape.bytes, sort == Sort::Leaf);
        }
        self.count_allocated(Volume::of_bytes((end - start) as u64), 1);
        Ok(start)
    }

    /// A new run, for objects of `bytes` bytes which take `slot` bytes each: all of it is a hole.
    fn make_run(
        &self,
        store: &mut Store,
        sort: Sort,
        bytes: usize,
        slot: usize,
    ) -> Result<Hole, HeapError> {
        let least = slot.div_ceil(BLOCK);
        let mut count = blocks_for(bytes, slot).max((store.runs.blocks / 8).min(LONGEST));
        let spare = take_spare(&mut store.spare, count);
        if spare.is_none() && count * BLOCK > self.left() {
            // Rather than give back what is spare, for a long run, take what there is for a short one.
            count = least;
        }
        let spare = spare.or_else(|| take_spare(&mut store.spare, count));
        let head = match spare.map_or_else(|| self.take_blocks(store, count), Ok) {
            Err(_) if count > least => {
                count = least;
                self.take_blocks(store, count)?
            }
            result => result?,
        };
        for (index, block) in head.row(count).enumerate() {
            let last = index + 1 == count;
            let place = Place {
                index,
                last,
                ..Place::default()
            };
            // SAFETY: the block is ours: it was spare, or was just taken.
            unsafe {
                self.set_place(block, place);
                self.blocks.set_state(block, sort.state());
            }
        }
        store.occupied.large.push(head);
        store.runs.blocks += count;
        let start = self.address_of(head);
        let end = start + count * BLOCK;
        Ok(Hole { sort, start, end })
    }
}

/// Takes `count` blocks in a row from the list of spare ones, if there are some side by side near its end.
fn take_spare(spare: &mut Vec<BlockIndex>, count: usize) -> Option<BlockIndex> {
    /// So many are looked at.
    const NEAR: usize = 256;
    let from = spare.len().saturating_sub(NEAR);
    let is_row = |window: &[BlockIndex]| window.is_sorted_by(|high, low| low.is_followed_by(*high));
    // The lowest are last.
    let place = from + spare[from..].windows(count).rposition(is_row)?;
    spare.drain(place..place + count).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each size that is medium, and what it takes.
    #[test]
    fn every_size_is_served_well() {
        for bytes in (LARGE + 16..=1 << 20).step_by(16) {
            let (taken, asked) = if is_medium(bytes) {
                let slot = bytes.next_multiple_of(GROUP_BYTES);
                let blocks = blocks_for(bytes, slot);
                assert!(blocks <= 7, "{bytes} bytes want {blocks} blocks");
                (blocks * BLOCK, blocks * BLOCK / slot * bytes)
            } else {
                (bytes.next_multiple_of(BLOCK), bytes)
            };
            assert!(taken * 4 <= asked * 5, "{bytes} bytes: {asked} in {taken}");
        }
        assert!(!is_medium(LARGE) && is_medium(LARGE + 16) && !is_medium(4 * BLOCK));
    }

    #[test]
    fn over_aligned_objects_get_the_best_run() {
        // Two pages and a descriptor take three pages: 8 in 3 blocks leave nothing.
        assert_eq!(blocks_for(8208, 12288), 3);
        assert_eq!(blocks_for(100_000, 102_400), 7);
    }

    #[test]
    fn the_shortest_hole_that_fits_is_taken() {
        let mut runs = Runs::default();
        let at = |start: usize, groups: usize| Hole {
            sort: Sort::Plain,
            start: start * GROUP_BYTES,
            end: (start + groups) * GROUP_BYTES,
        };
        let holes = [at(0, 40), at(100, 20), at(201, 20), at(304, 16)];
        holes.into_iter().for_each(|hole| runs.add(hole));
        let mut take = |groups: usize, align: usize| {
            runs.take(Sort::Plain, groups * GROUP_BYTES, align * GROUP_BYTES)
        };
        // The last is too short for any medium object.
        assert_eq!(take(16, 1), Some(holes[1]));
        // At a multiple of 8, there are only 13 left of that at 201.
        assert_eq!(take(16, 8), Some(holes[0]));
        assert_eq!(take(13, 8), Some(holes[2]));
        assert_eq!(take(1, 1), None);
    }

    /// Against trying every place.
    #[test]
    fn spare_blocks_in_a_row_are_found() {
        let spare: Vec<BlockIndex> = [30, 29, 27, 20, 19, 18, 3, 9, 8]
            .map(BlockIndex::numbered)
            .into();
        for count in 1..=5 {
            let mut left = spare.clone();
            let row = take_spare(&mut left, count);
            let all = |first: BlockIndex| first.row(count).all(|block| spare.contains(&block));
            let naive = (0..40).filter(|first| all(BlockIndex::numbered(*first)));
            assert_eq!(row.is_some(), naive.count() > 0, "{count}");
            if let Some(first) = row {
                let is_left = |block: &BlockIndex| first.row(count).all(|taken| taken != *block);
                let rest: Vec<_> = spare.iter().copied().filter(is_left).collect();
                assert_eq!(left, rest);
            }
        }
    }
}
