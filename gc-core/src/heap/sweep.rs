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
//! Blocks are swept one by one, by the collecting thread, by several threads, or concurrently by one thread. Blocks
//! with dead values that need `Drop` are swept by a mutator's thread.
//!
//! # Invariants
//!
//! 1. No cursor is in a block that is being swept: all were retired when marking was complete, and cursors
//!    take only blocks that were swept, or were empty then.
//! 2. The marks tell what is to live; in a swept block they are clear.

use core::ptr;

use super::Heap;
use super::block::{BLOCK, BlockIndex, BlockState};
use super::medium::Hole;
use super::planes::{GROUP_BYTES, STARTS, WORD, groups, whole_groups, words};
use super::start::ObjectStart;
use super::store::Occupied;

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
    /// Bytes of objects that live.
    pub(crate) bytes: u64,
    /// Free bytes in blocks that are partly filled.
    pub(crate) holes: usize,
}

impl core::ops::AddAssign for Survivors {
    fn add_assign(&mut self, other: Survivors) {
        self.bytes += other.bytes;
        self.holes += other.holes;
    }
}

/// A block with fewer free bytes than this is not worth a visit of a cursor.
pub(super) const WORTHWHILE: usize = BLOCK / 32;

/// How many blocks a sweeper brings back to the store at a time.
const LOAD: usize = 64;

/// Sweeps blocks, and brings them back to the store.
pub(crate) struct Sweeper<'h> {
    pub(super) heap: &'h Heap,
    pub(super) scrub: bool,
    pub(super) survivors: Survivors,
    pub(super) kept: Occupied,
    partial: [Vec<BlockIndex>; 2],
    /// Holes in runs that were swept, and how many of the spare blocks were in runs.
    pub(super) holes: Vec<Hole>,
    pub(super) run_blocks_freed: usize,
    pub(super) spare: Vec<BlockIndex>,
    pub(super) freed: u64,
}

impl<'h> Sweeper<'h> {
    /// A sweeper that, with `scrub`, overwrites the memory of dead objects.
    pub(crate) fn new(heap: &'h Heap, scrub: bool) -> Sweeper<'h> {
        Sweeper {
            heap,
            scrub,
            survivors: Survivors::default(),
            kept: Occupied::default(),
            partial: [Vec::new(), Vec::new()],
            holes: Vec::new(),
            run_blocks_freed: 0,
            spare: Vec::new(),
            freed: 0,
        }
    }

    /// Frees everything in a block of small objects that is not marked, and clears its marks.
    ///
    /// # Safety
    ///
    /// 1. The block is one of this heap's that was taken out of the store and not swept since.
    /// 2. Nothing refers to an unmarked object in it: no pointer, and no [`ObjectStart`].
    /// 3. The values of those that need it were dropped.
    pub(crate) unsafe fn small(&mut self, block: BlockIndex) {
        let (heap, blocks) = (self.heap, self.heap.blocks());
        // SAFETY: the block is one of this heap's, and nothing refers to an unmarked object in it (the caller's
        // promise).
        let (state, swept) = unsafe {
            if self.scrub {
                let base = heap.address_of(block);
                heap.scrub_dead(base, base + BLOCK);
            }
            let state = blocks.state(block);
            (state, heap.sweep_block(block, state))
        };
        self.freed += swept.freed;
        if swept.bytes == 0 {
            // SAFETY: the block is ours, and empty.
            unsafe { blocks.set_state(block, BlockState::FREE) };
            self.spare.push(block);
        } else {
            let state = state.swept(swept.weak, swept.derived);
            // SAFETY: the block is ours.
            unsafe { blocks.set_state(block, state) };
            self.survivors.bytes += swept.bytes as u64;
            self.kept.small.push(block);
            if BLOCK - swept.bytes >= WORTHWHILE {
                self.survivors.holes += BLOCK - swept.bytes;
                self.partial[state.is_described() as usize].push(block);
            }
        }
        self.deliver_if_many();
    }

    /// Brings back to the store what was swept, if that is worth the lock.
    #[inline]
    pub(super) fn deliver_if_many(&mut self) {
        if self.kept.small.len() + self.spare.len() + self.holes.len() >= LOAD {
            self.deliver();
        }
    }

    /// [`Sweeper::small`] or [`Sweeper::large`].
    ///
    /// # Safety
    ///
    /// As for [`Sweeper::small`].
    pub(crate) unsafe fn block(&mut self, block: BlockIndex) {
        // SAFETY: which of the two it is the table says; both need of the block what the caller promises.
        unsafe {
            if self.heap.blocks().state(block).is_large_head() {
                self.large(block);
            } else {
                self.small(block);
            }
        }
    }

    /// Frees a large object that is not marked, or clears its marks; or sweeps a run of medium ones.
    ///
    /// # Safety
    ///
    /// As for [`Sweeper::small`].
    pub(crate) unsafe fn large(&mut self, head: BlockIndex) {
        let heap = self.heap;
        if heap.place_of(head).is_some() {
            // SAFETY: the run was taken out of the store to be swept, and nothing refers to its unmarked objects,
            // (the caller's promise).
            return unsafe { self.run(head) };
        }
        let (base, span) = (heap.address_of(head), heap.span_of(head));
        // SAFETY: the block is a head of this heap.
        let (state, group) = unsafe { (heap.blocks().state(head), heap.planes().group(base)) };
        if !group.is_marked(base) {
            if self.scrub {
                // SAFETY: the object is dead.
                unsafe { heap.scrub_dead(base, base + span * BLOCK) };
            }
            self.freed += 1;
            // SAFETY: the block was taken out of the store, and nothing refers to the object, which is not marked,
            // (the caller's promise).
            unsafe { heap.free_large(head) };
            return;
        }
        group.clear_marks();
        if state.is_claimed() {
            for at in whole_groups(base, span * BLOCK) {
                // SAFETY: the address lies in the object.
                unsafe { heap.planes().claims(at) }.set(0);
            }
        }
        // SAFETY: the block is ours.
        unsafe {
            heap.blocks().set_state(head, state.unclaimed());
        }
        self.survivors.bytes += (span * BLOCK) as u64;
        self.kept.large.push(head);
    }

    /// Brings back to the store what was swept since the last time.
    fn deliver(&mut self) {
        let mut store = self.heap.store.lock();
        store.occupied.append(core::mem::take(&mut self.kept));
        store.spare.append(&mut self.spare);
        store.runs.blocks -= core::mem::take(&mut self.run_blocks_freed);
        self.holes.drain(..).for_each(|hole| store.runs.add(hole));
        for (partial, swept) in store.partial.iter_mut().zip(&mut self.partial) {
            partial.append(swept);
        }
        drop(store);
        self.heap.count_freed(core::mem::take(&mut self.freed));
    }

    /// Brings back the rest, and tells what was found.
    pub(crate) fn finish(mut self) -> Survivors {
        self.deliver();
        self.survivors
    }
}

impl Heap {
    /// Takes all occupied blocks out of the store, to be swept. The caller finds out which of them have values that
    /// need `Drop`.
    ///
    /// # Safety
    ///
    /// No cursor is in any of them: all allocation buffers are retired.
    pub(crate) unsafe fn take_occupied(&self) -> Occupied {
        let mut store = self.store.lock();
        store.partial.iter_mut().for_each(Vec::clear);
        store.runs.forget_holes();
        core::mem::take(&mut store.occupied)
    }

    /// Whether a value may need `Drop` in a block, or in the run that begins with it.
    pub(crate) fn has_drops(&self, block: BlockIndex) -> bool {
        let of_head = self.state(block);
        of_head.has_drops()
            || of_head.is_large_head()
                && of_head.is_described()
                && self.place_of(block).is_some()
                && (block.row(self.run_length(block))).any(|block| self.state(block).has_drops())
    }

    /// Takes blocks back that were not swept.
    pub(crate) fn put_back(&self, blocks: Occupied) {
        self.store.lock().occupied.append(blocks);
    }

    /// Clears all marks and claims, as if marking had never begun.
    pub(crate) fn clear_marks(&self) {
        for block in self.occupied_blocks() {
            let base = self.address_of(block);
            // SAFETY: the block belongs to this heap.
            unsafe {
                let state = self.blocks().state(block);
                if state.is_large_head() {
                    self.each_start(block, |start| {
                        self.group_of(start).clear_marks();
                        let end = if state.has_claims() {
                            self.end_of(start)
                        } else {
                            start.address()
                        };
                        for at in groups(start.address(), end) {
                            self.planes().claims(at).set(0);
                        }
                    });
                } else {
                    for at in whole_groups(base, BLOCK) {
                        self.planes().group(at).clear_marks();
                        if state.has_claims() {
                            self.planes().claims(at).set(0);
                        }
                    }
                }
                self.blocks().set_state(block, state.unclaimed());
            }
        }
    }

    /// Calls `f` with the start and the end of each unmarked object of a block, or of the large one or the run
    /// that begins with it, in ascending order, as long as it returns `true`. Whether it always did.
    ///
    /// # Safety
    ///
    /// 1. The block is one of this heap's, in which objects start.
    /// 2. Marking is complete, and the block was not swept.
    pub(crate) unsafe fn each_dead(
        &self,
        block: BlockIndex,
        mut f: impl FnMut(ObjectStart, usize) -> bool,
    ) -> bool {
        let base = self.address_of(block);
        let large = self.state(block).is_large_head();
        let end = match self.place_of(block) {
            Some(_) if large => base + self.run_length(block) * BLOCK,
            None if large => base + GROUP_BYTES,
            _ => base + BLOCK,
        };
        for at in groups(base, end) {
            // SAFETY: the groups are those of blocks of this heap.
            let group = unsafe { self.planes().group(at) };
            for start in words(at, group.starts() & !group.marks()) {
                // SAFETY: the planes say that an object starts there, and it is not swept (the caller's promise).
                let start = unsafe { ObjectStart::new_unchecked(start) };
                if !f(start, self.end_of(start)) {
                    return false;
                }
            }
        }
        true
    }

    /// Overwrites the words from `from` to `to`.
    ///
    /// # Safety
    ///
    /// They are in an object of this heap, or were, and nothing refers to them.
    pub(crate) unsafe fn scrub(&self, from: usize, to: usize) {
        for word in (from..to).step_by(WORD) {
            // SAFETY: the word is one of those, to which nothing refers (the caller's promise).
            unsafe { ptr::with_exposed_provenance_mut::<usize>(word).write(SCRUBBED) };
        }
    }

    /// Overwrites the unmarked objects from `base` to `end`, so that a read through a dangling pointer sees
    /// it.
    ///
    /// # Safety
    ///
    /// 1. The range is a block of this heap, the blocks of a large object, or the slot of a medium one.
    /// 2. Nothing refers to an unmarked object in it.
    pub(super) unsafe fn scrub_dead(&self, base: usize, end: usize) {
        let (mut carry_all, mut carry_live) = (false, false);
        for at in groups(base, end) {
            // SAFETY: the blocks belong to this heap.
            let group = unsafe { self.planes().group(at) };
            let (all, live);
            (all, carry_all) = covered(group.starts(), group.ends(), carry_all);
            (live, carry_live) = covered(group.marks() & group.starts(), group.ends(), carry_live);
            for word in words(at, all & !live) {
                // SAFETY: the word belongs to an object that nothing refers to.
                unsafe { ptr::with_exposed_provenance_mut::<usize>(word).write(SCRUBBED) };
            }
        }
    }

    /// Sweeps the planes of one block of small objects.
    ///
    /// # Safety
    ///
    /// As for [`Sweeper::small`].
    unsafe fn sweep_block(&self, block: BlockIndex, state: BlockState) -> Swept {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("popcnt") {
            // SAFETY: the processor can do it; and the block is to be swept (the caller's promise).
            return unsafe { self.sweep_planes_with_popcnt(block, state) };
        }
        // SAFETY: the block is to be swept (the caller's promise).
        unsafe { self.sweep_planes(block, state) }
    }

    /// [`Heap::sweep_planes`] with the instruction that counts bits, which the first x86-64 processors do not
    /// have: without it, counting takes a third of the time.
    ///
    /// # Safety
    ///
    /// As there.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt")]
    unsafe fn sweep_planes_with_popcnt(&self, block: BlockIndex, state: BlockState) -> Swept {
        // SAFETY: the block is to be swept (the caller's promise).
        unsafe { self.sweep_planes(block, state) }
    }

    /// The part of [`Heap::sweep_block`] that is the same on all processors.
    ///
    /// # Safety
    ///
    /// As for [`Sweeper::small`].
    #[inline(always)]
    unsafe fn sweep_planes(&self, block: BlockIndex, state: BlockState) -> Swept {
        let base = self.address_of(block);
        let planes = self.planes();
        let (mut live_words, mut freed) = (0, 0);
        let mut carry = false;
        let (mut weak, mut derived) = (0, 0);
        let found_dead = state.has_weak() && self.has_found_dead();
        for at in whole_groups(base, BLOCK) {
            // SAFETY: the block belongs to this heap.
            let group = unsafe { planes.group(at) };
            let extents = group.extents.get();
            // Not every mark is that of an object: holes are marked as a whole.
            let marked = group.marks() & extents & STARTS;
            let live;
            (live, carry) = covered(marked, extents & !STARTS, carry);
            group.tags.keep(live);
            group.extents.set(extents & live);
            group.clear_marks();
            live_words += live.count_ones();
            freed += (extents & STARTS & !marked).count_ones();
            if state.has_kinds() {
                // SAFETY: the block belongs to this heap.
                let plane = unsafe { planes.kinds(at) };
                plane.keep(live);
                // A derived pointer is neither tagged nor at a start, where the kind says shell.
                let kinds = plane.get();
                let of_weak = group.tags.get() | extents & STARTS;
                weak |= kinds & of_weak;
                derived |= kinds & !of_weak;
            }
            if found_dead {
                // SAFETY: the block belongs to this heap.
                let plane = unsafe { planes.fates(at) };
                if plane.get() != 0 {
                    plane.keep(live);
                    weak |= plane.get();
                }
            }
            if state.is_described() {
                // SAFETY: the block belongs to this heap.
                let plane = unsafe { planes.states(at) };
                if plane.get() & !live != 0 {
                    // A mutator may be noting a write to an object that lives.
                    plane.remove_shared(!live);
                }
            }
            if state.has_claims() {
                // SAFETY: the block belongs to this heap.
                unsafe { planes.claims(at) }.set(0);
            }
        }
        Swept {
            freed: u64::from(freed),
            bytes: live_words as usize * WORD,
            weak: weak != 0,
            derived: derived != 0,
        }
    }
}

/// What sweeping a block found.
struct Swept {
    freed: u64,
    bytes: usize,
    weak: bool,
    derived: bool,
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
