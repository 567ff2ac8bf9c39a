//! Sweeping by arithmetic on the planes, 64 words at a time.
//!
//! Let `M` have all bits set except those of words on which an allocation ends, and `L` the bits of
//! marked starts. In the sum `M + L` the carry of each bit of `L` ripples through the ones of `M`,
//! turning them to zero, until it meets the zero on the end of its allocation and turns that to
//! one. So `(M + L) ^ M` has a one on each word from a marked start to its end, and nowhere else.
//! An allocation that leaves the group shows as the carry out of the sum, which is the carry in of
//! the next group.
//!
//! What is not covered is dead or was free: its tags, extents and kinds are cleared, and thereby it
//! is free. A block in which nothing is covered is spare at once.
//!
//! # Invariants
//!
//! 1. No cursor is in a hole ([`Heap::retire_all`]).
//! 2. The marks tell what is to live; they are all clear afterwards. No object is grey.

use core::ptr;

use super::block::{BLOCK, BlockIndex, BlockState, Use};
use super::planes::{GROUP_BYTES, STARTS, WORD};
use super::store::Heap;

/// The words of a group that belong to the allocations which begin on the bits of `starts`, and
/// whether the last of them reaches into the next group. `carry` tells whether one reaches into
/// this group.
#[inline(always)]
pub(super) fn covered(starts: u64, ends: u64, carry: bool) -> (u64, bool) {
    let open = !ends;
    let (sum, over) = open.overflowing_add(starts);
    let (sum, over_carry) = sum.overflowing_add(u64::from(carry));
    (sum ^ open, over | over_carry)
}

/// What is written over dead objects: no address, and as a number of bytes or elements absurd.
const SCRUBBED: usize = 0xdead_f3ee_dead_f3ed;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Survivors {
    /// Objects that live.
    pub(crate) objects: u64,
    /// Bytes that they occupy; large objects count as whole blocks.
    pub(crate) bytes: usize,
    /// Free bytes in blocks that are partly filled.
    pub(crate) holes: usize,
}

/// A block with fewer free bytes than this is not worth a visit of a cursor.
const WORTHWHILE: usize = BLOCK / 32;

impl Heap {
    /// Frees everything that is not marked and clears all marks.
    ///
    /// With `scrub`, the memory of dead objects is overwritten.
    ///
    /// Before a dead object of a described block in which values need `Drop` is freed, `dispose` is
    /// called with its start and its end. It must not unwind, and not touch this heap.
    ///
    /// # Safety
    ///
    /// Nothing refers to an unmarked object any more, and invariant 1 holds.
    pub(crate) unsafe fn sweep(
        &self,
        scrub: bool,
        mut dispose: impl FnMut(usize, usize),
    ) -> Survivors {
        let mut survivors = Survivors::default();
        let mut store = self.store.borrow_mut();
        let mut freed = 0;

        let mut large = core::mem::take(&mut store.large);
        large.retain(|&head| {
            let base = self.address_of(head);
            // SAFETY: the block is a head of this heap.
            let (state, group) = unsafe { (self.blocks().state(head), self.planes().group(base)) };
            let live = group.marks.get() & 1 != 0;
            group.marks.set(0);
            if live {
                survivors.objects += 1;
                survivors.bytes += self.span_of(head) * BLOCK;
            } else {
                if state.has_drops() {
                    // SAFETY: a large object starts there.
                    dispose(base, unsafe { self.end_of(base) });
                }
                if scrub {
                    // SAFETY: the object is dead.
                    unsafe { self.scrub_dead(base, base + self.span_of(head) * BLOCK) };
                }
                freed += 1;
                self.free_large(&mut store, head);
            }
            live
        });
        store.large = large;

        let mut small = core::mem::take(&mut store.small);
        small.sort_unstable();
        store.partial.iter_mut().for_each(Vec::clear);
        small.retain(|&block| {
            // SAFETY: the block is one of small objects of this heap.
            let (state, swept) = unsafe {
                let state = self.blocks().state(block);
                if state.has_drops() {
                    self.dispose_dead(block, &mut dispose);
                }
                if scrub {
                    let base = self.address_of(block);
                    self.scrub_dead(base, base + BLOCK);
                }
                (state, self.sweep_block(block, state))
            };
            survivors.objects += swept.objects;
            survivors.bytes += swept.bytes;
            freed += swept.freed;
            if swept.bytes == 0 {
                // SAFETY: as above.
                unsafe { self.blocks().set_state(block, BlockState::new(Use::Free)) };
                store.spare.push(block);
                return false;
            }
            if BLOCK - swept.bytes >= WORTHWHILE {
                survivors.holes += BLOCK - swept.bytes;
                store.partial[state.is_described() as usize].push(block);
            }
            // SAFETY: as above.
            unsafe {
                self.blocks()
                    .set_state(block, state.with_grey(false).with_kinds(swept.kinds))
            };
            true
        });
        store.small = small;
        // Cursors take from the end of these lists, and should find the lowest block there.
        store.partial.iter_mut().for_each(|blocks| blocks.reverse());
        store.spare.sort_unstable_by(|a, b| b.cmp(a));
        self.counts
            .freed_objects
            .set(self.counts.freed_objects.get() + freed);
        survivors
    }

    /// Calls `dispose` for each unmarked object of the block.
    unsafe fn dispose_dead(&self, block: BlockIndex, dispose: &mut impl FnMut(usize, usize)) {
        let base = self.address_of(block);
        for at in (base..base + BLOCK).step_by(GROUP_BYTES) {
            // SAFETY: the block belongs to this heap.
            let group = unsafe { self.planes().group(at) };
            let mut dead = group.starts() & !group.marks.get();
            while dead != 0 {
                let start = at + dead.trailing_zeros() as usize * WORD;
                // SAFETY: an object starts there.
                dispose(start, unsafe { self.end_of(start) });
                dead &= dead - 1;
            }
        }
    }

    /// Overwrites the unmarked objects from `base` to `end`, so that whoever still reads them sees
    /// it.
    ///
    /// # Safety
    ///
    /// The range is a block of this heap, or the blocks of a large object, and nothing refers to an
    /// unmarked object in it.
    unsafe fn scrub_dead(&self, base: usize, end: usize) {
        let (mut carry_all, mut carry_live) = (false, false);
        for at in (base..end).step_by(GROUP_BYTES) {
            // SAFETY: the blocks belong to this heap.
            let group = unsafe { self.planes().group(at) };
            let (all, live);
            (all, carry_all) = covered(group.starts(), group.ends(), carry_all);
            (live, carry_live) = covered(group.marks.get() & STARTS, group.ends(), carry_live);
            let mut dead = all & !live;
            while dead != 0 {
                let word = at + dead.trailing_zeros() as usize * WORD;
                // SAFETY: the word belongs to an object that nothing refers to.
                unsafe { ptr::with_exposed_provenance_mut::<usize>(word).write(SCRUBBED) };
                dead &= dead - 1;
            }
        }
    }

    /// Sweeps one block of small objects.
    ///
    /// # Safety
    ///
    /// The block belongs to this heap, and nothing refers to an unmarked object in it.
    unsafe fn sweep_block(&self, block: BlockIndex, state: BlockState) -> Swept {
        let base = self.address_of(block);
        let planes = self.planes();
        let (mut words, mut objects, mut before) = (0, 0, 0);
        let mut carry = false;
        let mut kinds = 0;
        for at in (base..base + BLOCK).step_by(GROUP_BYTES) {
            // SAFETY: the block belongs to this heap.
            let group = unsafe { planes.group(at) };
            let extents = group.extents.get();
            let marked = group.marks.get() & STARTS;
            let live;
            (live, carry) = covered(marked, extents & !STARTS, carry);
            group.tags.keep(live);
            group.extents.set(extents & live);
            group.marks.set(0);
            group.states.keep(live);
            words += live.count_ones();
            objects += marked.count_ones();
            before += (extents & STARTS).count_ones();
            if state.has_kinds() {
                // SAFETY: as above.
                let plane = unsafe { planes.kinds(at) };
                plane.keep(live);
                kinds |= plane.get();
            }
        }
        Swept {
            objects: u64::from(objects),
            freed: u64::from(before - objects),
            bytes: words as usize * WORD,
            kinds: kinds != 0,
        }
    }

    /// Clears all marks and states, as if marking had never begun.
    pub(crate) fn clear_marks(&self) {
        for block in self.occupied_blocks() {
            let base = self.address_of(block);
            // SAFETY: the block belongs to this heap.
            unsafe {
                let state = self.blocks().state(block);
                self.blocks().set_state(block, state.with_grey(false));
                let groups = if state.is_large_head() {
                    1
                } else {
                    BLOCK / GROUP_BYTES
                };
                for group in 0..groups {
                    let group = self.planes().group(base + group * GROUP_BYTES);
                    group.marks.set(0);
                    // Dirty objects stay dirty: their tags are still to be made.
                    group.states.remove(STARTS);
                }
            }
        }
    }
}

/// What sweeping a block found.
struct Swept {
    objects: u64,
    freed: u64,
    bytes: usize,
    kinds: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::planes::ENDS;

    /// Walks the words one by one.
    fn naive(starts: &[bool], ends: &[bool]) -> Vec<bool> {
        let mut inside = false;
        let mut live = Vec::new();
        for (start, end) in starts.iter().zip(ends) {
            inside |= start;
            live.push(inside);
            inside &= !end;
        }
        live
    }

    /// Random allocations with random marks over several groups, against the naive walk.
    #[test]
    fn covered_words_are_those_of_marked_allocations() {
        let mut random = 0x9e3779b97f4a7c15u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        for round in 0..2000 {
            const GROUPS: usize = 5;
            let words = GROUPS * 64;
            let (mut marked, mut ends) = (vec![false; words], vec![false; words]);
            let longest = [4, 20, 200][round % 3];
            let mut at = 0;
            loop {
                at += 2 * (next() as usize % 3);
                let length = 2 * (1 + next() as usize % (longest / 2));
                if at + length > words {
                    break;
                }
                marked[at] = next() % 2 == 0;
                ends[at + length - 1] = true;
                at += length;
            }
            let word = |bits: &[bool], group: usize| {
                (0..64).fold(0u64, |word, i| word | u64::from(bits[group * 64 + i]) << i)
            };
            let expected = naive(&marked, &ends);
            let mut carry = false;
            for group in 0..GROUPS {
                let (starts, ends) = (word(&marked, group), word(&ends, group));
                assert!(starts & ENDS == 0 && ends & STARTS == 0);
                let live;
                (live, carry) = covered(starts, ends, carry);
                assert_eq!(live, word(&expected, group), "round {round}, group {group}");
            }
            assert!(!carry);
        }
    }
}
