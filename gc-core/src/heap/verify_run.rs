//! Verification of runs: what the block table says of them, against a walk over their words.

use super::Heap;
use super::block::{BLOCK, BlockIndex};
use super::medium::{Hole, Sort};
use super::planes::{GROUP_BYTES, STARTS, WORD, bit};
use super::run::Place;
use super::verify::{VerifyError, wrong};

impl Heap {
    /// Checks what the block table says of the run of so many blocks that begins with `head`: all of them are of one
    /// sort, each has its place, and knows the object that reaches into it.
    pub(super) fn verify_run(&self, head: BlockIndex, count: usize) -> Result<(), VerifyError> {
        let base = self.address_of(head);
        let has_extent = |word: usize| {
            // SAFETY: the words are those of the run's blocks, which are this heap's.
            let group = unsafe { self.planes().group(word) };
            group.extents.get() & bit(word) != 0
        };
        let mut inside = None;
        for (index, block) in head.row(count).enumerate() {
            let address = self.address_of(block);
            if Sort::of_state(self.state(block)) != Sort::of_state(self.state(head)) {
                return Err(wrong(address, "a block of a run of another sort".into()));
            }
            // The object that reaches into the block, and its words here.
            let (reaching, mut words) = (inside, 0);
            for word in (address..address + BLOCK).step_by(WORD) {
                if has_extent(word) && bit(word) & STARTS != 0 {
                    if !(word - base).is_multiple_of(GROUP_BYTES) {
                        return Err(wrong(
                            word,
                            "a medium object that does not start with a group".into(),
                        ));
                    }
                    inside = Some(word);
                }
                if inside.is_some() && inside == reaching {
                    words += 1;
                }
                if has_extent(word) && bit(word) & STARTS == 0 {
                    inside = None;
                }
            }
            let expected = Place {
                index,
                last: index + 1 == count,
                back: reaching.map_or(0, |start| (address - start) / GROUP_BYTES),
                reach: reaching.map_or(0, |_| (words * WORD).div_ceil(GROUP_BYTES)),
            };
            let place = self.place_of(block);
            if place != Some(expected) {
                let finding = format!("the block has the place {place:?} and not {expected:?}");
                return Err(wrong(address, finding));
            }
        }
        Ok(())
    }

    /// Checks that a hole in which medium objects may be allocated is free, and in one run of its sort.
    pub(super) fn verify_hole(&self, hole: Hole) -> Result<(), VerifyError> {
        let first = self.owned_block(hole.start);
        let count = self.owned_block(hole.end - 1).above(first) + 1;
        let mut before = None;
        for block in first.row(count) {
            let state = self.state(block);
            let place = self.place_of(block);
            let goes_on = before.is_none_or(|before: Place| !before.last);
            if self.block_of(self.address_of(block)) != Some(block)
                || !state.is_large_head()
                || Sort::of_state(state) != hole.sort
                || place.is_none()
                || !goes_on
            {
                return Err(wrong(
                    hole.start,
                    format!("a hole in no run of its sort: {hole:?}"),
                ));
            }
            before = place;
        }
        if self.is_blank(hole.start, hole.end) {
            Ok(())
        } else {
            Err(wrong(
                hole.start,
                format!("a hole that is not free: {hole:?}"),
            ))
        }
    }
}
