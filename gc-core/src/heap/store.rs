//! The store of a heap: which blocks it owns, and what they are used for.
//!
//! Mutators take blocks from it and sweepers bring them back, each under its lock, which is held for
//! some instructions, or until the system has given memory. When marking is complete, all occupied blocks
//! are taken out of it to be swept, and come back one by one.

use super::Heap;
use super::block::{BLOCK, BlockIndex, BlockState, Flag, Use};
use super::error::HeapError;
use super::medium::Runs;
use super::planes::groups;
use super::start::ObjectStart;
use crate::sync::Ordering;

/// The lists of blocks of a heap.
#[derive(Default)]
pub(super) struct Store {
    /// Blocks of small objects, and the first blocks of large ones and of runs.
    pub(super) occupied: Occupied,
    /// Empty blocks, the highest first.
    pub(super) spare: Vec<BlockIndex>,
    /// Partly filled blocks which no cursor has visited since the last sweep, the highest first;
    /// without and with descriptors.
    pub(super) partial: [Vec<BlockIndex>; 2],
    /// Runs of medium objects, and holes in them.
    pub(super) runs: Runs,
}

/// Blocks in which objects start.
#[derive(Debug, Default)]
pub(crate) struct Occupied {
    /// Those of small objects.
    pub(crate) small: Vec<BlockIndex>,
    /// The first blocks of large objects, and of runs of medium ones.
    pub(crate) large: Vec<BlockIndex>,
}

impl Occupied {
    /// Adds what is in `other`.
    pub(super) fn append(&mut self, mut other: Occupied) {
        self.small.append(&mut other.small);
        self.large.append(&mut other.large);
    }
}

impl Heap {
    /// A block to allocate small objects in.
    pub(super) fn take_small(&self, described: bool) -> Result<BlockIndex, HeapError> {
        self.check_share()?;
        let mut store = self.store.lock();
        if let Some(block) = store.partial[described as usize].pop() {
            return Ok(block);
        }
        let block = match store.spare.pop() {
            Some(block) => block,
            None => self.take_blocks(&mut store, 1)?,
        };
        let state = BlockState::new(Use::Small, described);
        // SAFETY: the block is ours: it was spare, or was just taken.
        unsafe {
            self.blocks.set_owner_and_span(block, self.number, 0);
            self.blocks.set_state(block, state);
        }
        store.occupied.small.push(block);
        Ok(block)
    }

    /// Says that no more blocks are to be given out, because the program has less than `share` per cent of
    /// its time for itself; or, with zero, that they are.
    pub(crate) fn refuse(&self, share: u32) {
        // Relaxed: a figure by itself.
        self.refusing.store(share, Ordering::Relaxed);
    }

    pub(super) fn check_share(&self) -> Result<(), HeapError> {
        // Relaxed: a figure by itself.
        match self.refusing.load(Ordering::Relaxed) {
            0 => Ok(()),
            share => Err(HeapError::OnlyCollecting {
                share,
                limit: self.counts.limit,
                in_use: self.owned_bytes(),
                finalizers: Default::default(),
            }),
        }
    }

    /// Takes blocks from the space, if the limit allows it.
    pub(super) fn take_blocks(
        &self,
        store: &mut Store,
        count: usize,
    ) -> Result<BlockIndex, HeapError> {
        let bytes = count.saturating_mul(BLOCK);
        let limit = self.counts.limit;
        if bytes > limit.saturating_sub(self.owned_bytes()) {
            // Spare blocks do not help an allocation that needs several in a row, so they make room.
            self.give_back(core::mem::take(&mut store.spare));
        }
        let in_use = self.owned_bytes();
        if bytes > limit.saturating_sub(in_use) {
            return Err(HeapError::LimitReached {
                requested: bytes,
                limit,
                in_use,
                finalizers: Default::default(),
            });
        }
        let block = match self.space.take(count) {
            Err(HeapError::AddressSpaceExhausted { .. }) if !store.spare.is_empty() => {
                self.give_back(core::mem::take(&mut store.spare));
                self.space.take(count)?
            }
            result => result?,
        };
        self.note_taken(block, count);
        Ok(block)
    }

    /// Clears the planes of all groups from that of `start` to `end`, those linear ones that `state`
    /// says may have bits included.
    ///
    /// # Safety
    ///
    /// 1. The blocks belong to this heap.
    /// 2. There are no objects in these groups, or they are dead and nothing refers to them.
    pub(super) unsafe fn clear_planes(&self, start: usize, end: usize, state: BlockState) {
        for at in groups(start, end) {
            // SAFETY: the groups are those of blocks of this heap in which no object needs them (the caller's
            // promise).
            unsafe {
                let group = self.planes.group(at);
                group.tags.set(0);
                group.extents.set(0);
                group.clear_marks();
                if state.has_kinds() {
                    self.planes.kinds(at).set(0);
                }
                if state.is_described() {
                    self.planes.states(at).set(0);
                }
                if state.has_weak() {
                    self.planes.fates(at).set(0);
                }
                if state.has_claims() {
                    self.planes.claims(at).set(0);
                }
            }
        }
    }

    /// Gives blocks that were spare back to the space.
    pub(super) fn give_back(&self, blocks: Vec<BlockIndex>) {
        self.disown(blocks.len());
        self.return_blocks(blocks);
    }

    /// Returns blocks that were spare, and are counted as owned no more, to the space.
    fn return_blocks(&self, mut blocks: Vec<BlockIndex>) {
        blocks.sort_unstable();
        for run in blocks.chunk_by(|low, high| low.is_followed_by(*high)) {
            // SAFETY: spare blocks are ours and empty, with zero planes.
            unsafe { self.space.give_back(run[0], run.len()) }
        }
    }

    /// Notes that the value in an object, which is described, needs `Drop`.
    #[inline]
    pub(crate) fn note_drop(&self, start: ObjectStart) {
        // SAFETY: the block of an object of this heap is this heap's.
        unsafe {
            self.blocks
                .raise(self.owned_block(start.address()), Flag::Drops)
        }
    }

    /// How many spare blocks there are.
    pub(crate) fn spare_blocks(&self) -> usize {
        self.store.lock().spare.len()
    }

    /// Gives spare blocks back to the space, the highest first.
    ///
    /// `expected` bytes of them will be used soon. Of what there is beyond that, `idle` blocks go because they were
    /// not used since the last time, and everything goes that exceeds the double: memory that is used in every other
    /// cycle only is dearer to give and take than to keep. In any case everything goes that exceeds `most` bytes.
    pub(crate) fn trim(&self, expected: usize, idle: usize, most: usize) {
        let mut store = self.store.lock();
        let (spare, expected) = (store.spare.len(), expected.div_ceil(BLOCK));
        let surplus = spare
            .saturating_sub(expected)
            .min(idle)
            .max(spare.saturating_sub(2 * expected))
            .max(spare.saturating_sub(most / BLOCK));
        store.spare.sort_unstable_by(|a, b| b.cmp(a));
        let kept = store.spare.split_off(surplus);
        let given = core::mem::replace(&mut store.spare, kept);
        self.disown(given.len());
        // The system may take its time.
        drop(store);
        self.return_blocks(given);
    }

    /// Takes blocks from the space until `expected` bytes of them are spare, and has the system put memory behind
    /// them, so that the program does not wait for it when it takes them; unless `stop` says that
    /// something else is more urgent.
    ///
    /// A heap with a limit is left alone: what is taken here might be missing there.
    pub(crate) fn prepare(&self, expected: usize, stop: impl Fn() -> bool) {
        /// Blocks that are taken at a time: memory for them is put there in less than a millisecond.
        const SOME: usize = (2 << 20) / BLOCK;
        if self.is_limited() {
            return;
        }
        while self.spare_blocks() + SOME <= expected / BLOCK && !stop() {
            let Ok(first) = self.space.take(SOME) else {
                return;
            };
            self.space.populate(first, SOME);
            let highest_first = first.row(SOME).rev();
            let mut store = self.store.lock();
            self.note_taken(first, SOME);
            // These are used last.
            store.spare.splice(0..0, highest_first);
        }
    }

    /// All blocks in which objects start, or may: those of small objects and of runs, and the heads of large ones.
    /// Those that are being swept just now may be missing.
    pub(crate) fn occupied_blocks(&self) -> Vec<BlockIndex> {
        let store = self.store.lock();
        let mut blocks = store.occupied.small.clone();
        for head in &store.occupied.large {
            let count = match self.place_of(*head) {
                Some(_) => self.run_length(*head),
                None => 1,
            };
            blocks.extend(head.row(count));
        }
        drop(store);
        blocks.sort_unstable();
        blocks
    }

    /// The same, by a walk through the block table up to the highest block that this heap ever owned,
    /// wherever they are listed.
    pub(crate) fn find_occupied_blocks(&self) -> Vec<BlockIndex> {
        let is_ours = |block: &BlockIndex| {
            // SAFETY: below `top` the table is committed.
            let (state, (owner, _)) = unsafe {
                (
                    self.blocks.state(*block),
                    self.blocks.owner_and_span(*block),
                )
            };
            owner == self.number && !matches!(state.usage(), Use::Free | Use::LargeTail)
        };
        self.each_block().filter(is_ours).collect()
    }

    /// Returns all blocks to the space. What lives in them is forgotten, not dropped.
    ///
    /// # Safety
    ///
    /// 1. Nothing refers to an object of this heap any more.
    /// 2. No allocator has a cursor in it, and no marker or sweeper is at work.
    pub(crate) unsafe fn release(&self) {
        // SAFETY: the heap is there.
        unsafe { self.pins.close() };
        let mut store = self.store.lock();
        let all = core::mem::take(&mut store.occupied);
        store.partial.iter_mut().for_each(Vec::clear);
        store.runs = Runs::default();
        drop(store);
        let mut of_runs = Vec::new();
        for head in all.large {
            if self.place_of(head).is_some() {
                // SAFETY: the run was taken out of the store just now, and nothing refers to its objects, says the
                // caller.
                of_runs.extend(unsafe { self.free_run(head) });
            } else {
                self.count_freed(1);
                // SAFETY: the block was taken out of the store just now, and nothing refers to its object, says the
                // caller.
                unsafe { self.free_large(head) };
            }
        }
        for block in &all.small {
            let base = self.address_of(*block);
            self.count_freed(self.count_starts(base, base + BLOCK));
            // SAFETY: the block is ours, and nothing refers to its objects any more.
            unsafe {
                let state = self.blocks.state(*block);
                self.clear_planes(base, base + BLOCK, state);
            }
        }
        let mut spare = core::mem::take(&mut self.store.lock().spare);
        spare.extend(all.small);
        spare.extend(of_runs);
        self.give_back(spare);
        debug_assert_eq!((self.owned_bytes(), self.objects()), (0, 0));
    }
}
