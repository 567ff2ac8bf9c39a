//! The store of a heap: which blocks it owns, what they are used for, and how much is allocated.
//!
//! Mutators take blocks from it and sweepers bring them back, each under its lock, which is held for
//! some instructions, or until the system has given memory. When marking is complete, all occupied blocks
//! are taken out of it to be swept, and come back one by one.
//!
//! While the program runs beside a marker, what it allocates is born *black*: marked and claimed. This is
//! done for a whole hole when a cursor enters it, so allocation itself knows nothing of it.

use super::block::{BLOCK, BlockIndex, BlockState, BlockTable, Flag, Use};
use super::bump::Shape;
use super::error::HeapError;
use super::pins::Pins;
use super::planes::{GROUP_BYTES, Planes, STARTS, WORD, bit, bit_index, low_bits};
use super::space::AddressSpace;
use crate::sync::{Arc, AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering};

/// A heap. See the [module documentation](super).
pub(crate) struct Heap {
    space: Arc<AddressSpace>,
    /// This heap's number as an owner in the block table.
    number: u32,
    /// Copied from the space, for speed.
    base: usize,
    planes: Planes,
    blocks: BlockTable,
    /// The address behind the highest block that this heap ever owned.
    top: AtomicUsize,
    /// Whether new objects are born black.
    black: AtomicBool,
    /// Whether an object was ever found to be dead that may live on.
    found_dead: AtomicBool,
    /// The share of its time that the program does not have for itself, if that is why no more blocks are
    /// given out; or zero.
    refusing: AtomicU32,
    /// Guards have it, too.
    pins: Arc<Pins>,
    pub(super) counts: Counts,
    pub(super) store: Mutex<Store>,
}

/// The counts of a heap.
///
/// All accesses are relaxed: each count is a figure by itself. Limits are kept under the lock of the
/// store.
pub(super) struct Counts {
    /// Bytes of blocks that the heap may own.
    limit: usize,
    /// Bytes of blocks that it can own: no more than its limit, nor than its own space has.
    bound: usize,
    /// Bytes of blocks that it owns, spare ones included, now and at most.
    owned: AtomicUsize,
    peak: AtomicUsize,
    /// Bytes and objects allocated from holes that are done, and of large objects, ever.
    allocated_bytes: AtomicU64,
    allocated_objects: AtomicU64,
    /// Objects that sweeps have freed, ever.
    freed_objects: AtomicU64,
}

/// The lists of blocks of a heap.
#[derive(Default)]
pub(super) struct Store {
    /// Blocks of small objects, and the first blocks of large ones.
    pub(super) occupied: Occupied,
    /// Empty blocks, the highest first.
    pub(super) spare: Vec<BlockIndex>,
    /// Partly filled blocks which no cursor has visited since the last sweep, the highest first;
    /// without and with descriptors.
    pub(super) partial: [Vec<BlockIndex>; 2],
}

/// Blocks in which objects start.
#[derive(Debug, Default)]
pub(crate) struct Occupied {
    /// Those of small objects.
    pub(crate) small: Vec<BlockIndex>,
    /// The first blocks of large objects.
    pub(crate) large: Vec<BlockIndex>,
}

impl Occupied {
    /// Adds what is in `other`.
    pub(super) fn append(&mut self, mut other: Occupied) {
        self.small.append(&mut other.small);
        self.large.append(&mut other.large);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = BlockIndex> {
        self.small.iter().chain(&self.large).copied()
    }
}

impl Heap {
    /// An empty heap in `space` which may own `limit` bytes of blocks; `alone` says that no other heap is in
    /// this space.
    pub(crate) fn new(space: Arc<AddressSpace>, limit: usize, alone: bool) -> Heap {
        let space_bytes = space.bytes();
        Heap {
            number: space.number_heap(),
            base: space.base(),
            planes: space.planes(),
            blocks: space.blocks(),
            top: AtomicUsize::new(space.base()),
            black: AtomicBool::new(false),
            found_dead: AtomicBool::new(false),
            refusing: AtomicU32::new(0),
            pins: Arc::new(Pins::new(space.planes(), space.base(), space_bytes)),
            space,
            counts: Counts {
                limit,
                bound: if alone { limit.min(space_bytes) } else { limit },
                owned: AtomicUsize::new(0),
                peak: AtomicUsize::new(0),
                allocated_bytes: AtomicU64::new(0),
                allocated_objects: AtomicU64::new(0),
                freed_objects: AtomicU64::new(0),
            },
            store: Mutex::new(Store::default()),
        }
    }

    #[inline(always)]
    pub(crate) fn planes(&self) -> Planes {
        self.planes
    }

    #[inline(always)]
    pub(crate) fn blocks(&self) -> BlockTable {
        self.blocks
    }

    /// The pinned objects.
    #[inline]
    pub(crate) fn pins(&self) -> &Arc<Pins> {
        &self.pins
    }

    /// The lowest address of the space.
    #[inline(always)]
    pub(crate) fn base(&self) -> usize {
        self.base
    }

    /// The address behind the highest block that was ever owned. All objects lie between `base`
    /// and here, and planes and table are committed up to here.
    #[inline(always)]
    pub(crate) fn top(&self) -> usize {
        // Relaxed: it only grows, and whoever has a pointer to an object has it through something
        // that orders this load after the store.
        self.top.load(Ordering::Relaxed)
    }

    /// Whether `address` is between `base` and `top`.
    #[inline(always)]
    pub(crate) fn spans(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.top() - self.base
    }

    /// The lowest address of the block.
    pub(crate) fn address_of(&self, block: BlockIndex) -> usize {
        self.base + block.0 as usize * BLOCK
    }

    /// The block of an address which lies in some block of this heap.
    #[inline(always)]
    pub(crate) fn owned_block(&self, address: usize) -> BlockIndex {
        BlockIndex(((address - self.base) / BLOCK) as u32)
    }

    /// The state of the block of an address which lies in some block of this heap.
    ///
    /// # Safety
    ///
    /// It does.
    #[inline(always)]
    pub(crate) unsafe fn state_at(&self, address: usize) -> BlockState {
        // SAFETY: blocks of this heap are below the frontier.
        unsafe { self.blocks.state(self.owned_block(address)) }
    }

    /// The block of any address, if this heap owns it.
    pub(crate) fn block_of(&self, address: usize) -> Option<BlockIndex> {
        if !self.spans(address) {
            return None;
        }
        let block = self.owned_block(address);
        // SAFETY: below `top` the table is committed.
        let (owner, _) = unsafe { self.blocks.owner_and_span(block) };
        (owner == self.number).then_some(block)
    }

    /// The number of blocks of the large object that starts in `head`, a block of this heap.
    pub(crate) fn span_of(&self, head: BlockIndex) -> usize {
        // SAFETY: blocks of this heap are below the frontier.
        unsafe { self.blocks.owner_and_span(head) }.1 as usize
    }

    /// The first block of the large object of which `block`, a block of this heap, is a part.
    pub(crate) fn head_of(&self, block: BlockIndex) -> BlockIndex {
        let (state, (_, span)) =
            // SAFETY: blocks of this heap are below the frontier.
            unsafe { (self.blocks.state(block), self.blocks.owner_and_span(block)) };
        match state.usage() {
            Use::LargeTail => BlockIndex(block.0 - span),
            _ => block,
        }
    }

    /// Says whether what is allocated in holes that are entered from now on is born black.
    pub(crate) fn set_black(&self, black: bool) {
        // Relaxed: it changes while no mutator is in a `mutate` call.
        self.black.store(black, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn is_black(&self) -> bool {
        // Relaxed: as above.
        self.black.load(Ordering::Relaxed)
    }

    /// Makes every object that will start between two addresses of one hole black.
    ///
    /// # Safety
    ///
    /// They lie in a block of small objects of this heap, and there is no object between them.
    pub(super) unsafe fn blacken(&self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let next = (at & !(GROUP_BYTES - 1)) + GROUP_BYTES;
            let mut own = !low_bits(bit_index(at));
            if end < next {
                own &= low_bits(bit_index(end));
            }
            // SAFETY: passed on to the caller.
            unsafe {
                // The mark plane that markers share with mutators.
                self.planes.group(at).marks[1].insert_shared(own & STARTS);
                self.planes.claims(at).insert_shared(own);
            }
            at = next;
        }
        // SAFETY: as above.
        unsafe { self.blocks.raise(self.owned_block(start), Flag::Blackened) }
    }

    /// Notes that some object was found to be dead, and may live on.
    pub(crate) fn note_found_dead(&self) {
        // Relaxed: who looks for the object has it through something that orders this.
        self.found_dead.store(true, Ordering::Relaxed);
    }

    /// Whether there ever was such an object.
    #[inline]
    pub(crate) fn has_found_dead(&self) -> bool {
        // Relaxed: as above.
        self.found_dead.load(Ordering::Relaxed)
    }

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

    fn check_share(&self) -> Result<(), HeapError> {
        // Relaxed: a figure by itself.
        match self.refusing.load(Ordering::Relaxed) {
            0 => Ok(()),
            share => Err(HeapError::OnlyCollecting {
                share,
                limit: self.counts.limit,
                in_use: self.owned_bytes(),
            }),
        }
    }

    /// Takes blocks from the space, if the limit allows it.
    fn take_blocks(&self, store: &mut Store, count: usize) -> Result<BlockIndex, HeapError> {
        let bytes = count.saturating_mul(BLOCK);
        let limit = self.counts.limit;
        if bytes > limit.saturating_sub(self.owned_bytes()) {
            // Spare blocks are of no use to whoever needs several in a row, so they make room.
            self.give_back(core::mem::take(&mut store.spare));
        }
        let in_use = self.owned_bytes();
        if bytes > limit.saturating_sub(in_use) {
            return Err(HeapError::LimitReached {
                requested: bytes,
                limit,
                in_use,
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

    /// Counts blocks that were taken from the space.
    fn note_taken(&self, first: BlockIndex, count: usize) {
        let bytes = count * BLOCK;
        // Relaxed: see `Counts`, and `top`.
        let owned = self.counts.owned.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.counts.peak.fetch_max(owned, Ordering::Relaxed);
        self.top
            .fetch_max(self.address_of(first) + bytes, Ordering::Relaxed);
    }

    /// Blocks for an object above [`LARGE`](super::LARGE) bytes, and its address.
    pub(super) fn take_large(&self, shape: &Shape) -> Result<usize, HeapError> {
        let count = shape.bytes.div_ceil(BLOCK);
        let Ok(span) = u32::try_from(count) else {
            return Err(HeapError::AddressSpaceExhausted {
                requested: shape.bytes,
                reserved: self.space.bytes(),
            });
        };
        self.check_share()?;
        let mut store = self.store.lock();
        let head = match store.spare.pop() {
            Some(block) if count == 1 => block,
            other => {
                store.spare.extend(other);
                self.take_blocks(&mut store, count)?
            }
        };
        let usage = if shape.leaf && !shape.described {
            Use::LargeLeaf
        } else {
            Use::Large
        };
        // SAFETY: the blocks are ours: they were spare, or were just taken.
        unsafe {
            self.blocks.set_owner_and_span(head, self.number, span);
            self.blocks
                .set_state(head, BlockState::new(usage, shape.described));
            for distance in 1..span {
                let tail = BlockIndex(head.0 + distance);
                self.blocks.set_owner_and_span(tail, self.number, distance);
                self.blocks
                    .set_state(tail, BlockState::new(Use::LargeTail, false));
            }
        }
        if self.is_black() {
            // SAFETY: the block is ours. Chunks of it are claimed when they are written.
            unsafe { self.planes.group(self.address_of(head)) }.marks[1].insert_shared(1);
        }
        store.occupied.large.push(head);
        self.count_allocated((count * BLOCK) as u64, 1);
        Ok(self.address_of(head))
    }

    /// Makes the large object at `start` longer where it is, up to `bytes` bytes, if the blocks behind it are free.
    /// Whether that was so; if not, nothing has changed. The memory behind its old end is uninitialised.
    ///
    /// # Safety
    ///
    /// It is a large object of this heap, without a descriptor and not so long; no cycle is in progress; and no one but
    /// the caller has its address.
    pub(crate) unsafe fn extend_large(&self, start: usize, bytes: usize) -> bool {
        let head = self.owned_block(start);
        let (old, new) = (self.span_of(head), bytes.div_ceil(BLOCK));
        let more = new - old;
        let behind = BlockIndex(head.0 + old as u32);
        if u32::try_from(new).is_err()
            || self.check_share().is_err()
            || more * BLOCK > self.counts.limit.saturating_sub(self.owned_bytes())
            || !self.space.take_at(behind, more)
        {
            return false;
        }
        self.note_taken(behind, more);
        self.count_allocated((more * BLOCK) as u64, 0);
        // SAFETY: the blocks are ours: they were just taken, or are those of the object.
        unsafe {
            for distance in old..new {
                let tail = BlockIndex(head.0 + distance as u32);
                self.blocks
                    .set_owner_and_span(tail, self.number, distance as u32);
                self.blocks
                    .set_state(tail, BlockState::new(Use::LargeTail, false));
            }
            let last = self.end_of(start) - WORD;
            self.planes.group(last).extents.remove(bit(last));
            let last = start + bytes - WORD;
            self.planes.group(last).extents.insert(bit(last));
            self.blocks
                .set_owner_and_span(head, self.number, new as u32);
        }
        true
    }

    /// Clears the planes of a dead large object. Its blocks, which are in no list any more, become
    /// spare or go back to the space.
    pub(super) fn free_large(&self, head: BlockIndex) {
        let count = self.span_of(head);
        // SAFETY: the blocks are ours, and the object in them is dead.
        unsafe {
            let base = self.address_of(head);
            let state = self.blocks.state(head);
            if state.usage() == Use::LargeLeaf && !state.has_kinds() {
                let end = self.end_of(base) - WORD;
                self.clear_planes(end, end + WORD, BlockState::FREE);
                self.clear_planes(base, base + WORD, BlockState::FREE);
            } else {
                self.clear_planes(base, base + count * BLOCK, state);
            }
            if count == 1 {
                self.blocks.set_state(head, BlockState::FREE);
                self.store.lock().spare.push(head);
            } else {
                self.space.give_back(head, count);
                // Relaxed: see `Counts`.
                self.counts
                    .owned
                    .fetch_sub(count * BLOCK, Ordering::Relaxed);
            }
        }
    }

    /// Clears the planes of all groups from that of `start` to `end`, those linear ones that `state`
    /// says may have bits included.
    ///
    /// # Safety
    ///
    /// The blocks belong to this heap, and there are no objects in these groups.
    unsafe fn clear_planes(&self, start: usize, end: usize, state: BlockState) {
        for at in (start & !(GROUP_BYTES - 1)..end).step_by(GROUP_BYTES) {
            // SAFETY: passed on to the caller.
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
    fn give_back(&self, blocks: Vec<BlockIndex>) {
        self.disown(&blocks);
        self.return_blocks(blocks);
    }

    /// Counts blocks as not owned any more.
    fn disown(&self, blocks: &[BlockIndex]) {
        // Relaxed: see `Counts`.
        self.counts
            .owned
            .fetch_sub(blocks.len() * BLOCK, Ordering::Relaxed);
    }

    /// Returns blocks that were spare, and are counted as owned no more, to the space.
    fn return_blocks(&self, mut blocks: Vec<BlockIndex>) {
        blocks.sort_unstable();
        for run in blocks.chunk_by(|low, high| high.0 == low.0 + 1) {
            // SAFETY: spare blocks are ours and empty, with zero planes.
            unsafe { self.space.give_back(run[0], run.len()) }
        }
    }

    /// Notes that the value in the object at `address` needs `Drop`.
    ///
    /// # Safety
    ///
    /// A described object of this heap starts there.
    #[inline]
    pub(crate) unsafe fn note_drop(&self, address: usize) {
        // SAFETY: the block is one of this heap's.
        unsafe { self.blocks.raise(self.owned_block(address), Flag::Drops) }
    }

    /// How many spare blocks there are.
    pub(crate) fn spare_blocks(&self) -> usize {
        self.store.lock().spare.len()
    }

    /// Gives spare blocks back to the space, the highest first.
    ///
    /// `expected` bytes of them will be used soon. Of what there is beyond that, `idle` blocks go
    /// because they were not used since the last time, and everything goes that exceeds the double:
    /// memory that is used in every other cycle only is dearer to give and take than to keep.
    pub(crate) fn trim(&self, expected: usize, idle: usize) {
        let mut store = self.store.lock();
        let (spare, expected) = (store.spare.len(), expected.div_ceil(BLOCK));
        let surplus = spare
            .saturating_sub(expected)
            .min(idle)
            .max(spare.saturating_sub(2 * expected));
        store.spare.sort_unstable_by(|a, b| b.cmp(a));
        let kept = store.spare.split_off(surplus);
        let given = core::mem::replace(&mut store.spare, kept);
        self.disown(&given);
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
            let highest_first = (first.0..first.0 + SOME as u32).rev().map(BlockIndex);
            let mut store = self.store.lock();
            self.note_taken(first, SOME);
            // These are used last.
            store.spare.splice(0..0, highest_first);
        }
    }

    pub(super) fn count_allocated(&self, bytes: u64, objects: u64) {
        // Relaxed: see `Counts`.
        self.counts
            .allocated_bytes
            .fetch_add(bytes, Ordering::Relaxed);
        self.counts
            .allocated_objects
            .fetch_add(objects, Ordering::Relaxed);
    }

    pub(super) fn count_freed(&self, objects: u64) {
        // Relaxed: see `Counts`.
        self.counts
            .freed_objects
            .fetch_add(objects, Ordering::Relaxed);
    }

    /// The number of objects that start between two addresses of one hole.
    pub(super) fn count_starts(&self, start: usize, end: usize) -> u64 {
        let mut count = 0;
        let mut at = start;
        while at < end {
            let next = (at & !(GROUP_BYTES - 1)) + GROUP_BYTES;
            // SAFETY: a hole lies in a block of this heap.
            let mut starts = unsafe { self.planes.group(at) }.starts() & !(bit(at) - 1);
            if end < next {
                starts &= bit(end) - 1;
            }
            count += u64::from(starts.count_ones());
            at = next;
        }
        count
    }

    /// Calls `f` with the start of each object between two addresses of one block.
    pub(crate) fn each_start_between(&self, from: usize, to: usize, mut f: impl FnMut(usize)) {
        let mut at = from;
        while at < to {
            let base = at & !(GROUP_BYTES - 1);
            let next = base + GROUP_BYTES;
            // SAFETY: callers pass addresses in a block of this heap.
            let mut starts = unsafe { self.planes.group(at) }.starts() & !(bit(at) - 1);
            if to < next {
                starts &= bit(to) - 1;
            }
            while starts != 0 {
                f(base + starts.trailing_zeros() as usize * WORD);
                starts &= starts - 1;
            }
            at = next;
        }
    }

    /// Bytes of objects allocated ever, those in holes that are not done excepted; large objects
    /// count as whole blocks.
    #[inline]
    pub(crate) fn allocated_bytes(&self) -> u64 {
        // Relaxed: see `Counts`.
        self.counts.allocated_bytes.load(Ordering::Relaxed)
    }

    /// Objects that are allocated and not freed, those in holes that are not done excepted.
    pub(crate) fn objects(&self) -> u64 {
        // Relaxed: see `Counts`. What is freed was counted as allocated before; where sweepers run
        // meanwhile, the one may still be seen before the other.
        let freed = self.counts.freed_objects.load(Ordering::Relaxed);
        let allocated = self.counts.allocated_objects.load(Ordering::Relaxed);
        allocated.saturating_sub(freed)
    }

    fn owned_bytes(&self) -> usize {
        // Relaxed: see `Counts`.
        self.counts.owned.load(Ordering::Relaxed)
    }

    /// Bytes of blocks that the heap owns now, and has owned at most.
    pub(crate) fn owned_and_peak(&self) -> (usize, usize) {
        // Relaxed: see `Counts`.
        (self.owned_bytes(), self.counts.peak.load(Ordering::Relaxed))
    }

    /// Bytes of blocks that can be taken before the limit is reached, or the end of the heap's own space.
    pub(crate) fn room(&self) -> usize {
        let spare = self.store.lock().spare.len() * BLOCK;
        self.counts.bound.saturating_sub(self.owned_bytes()) + spare
    }

    /// Whether less than an eighth of what the limit allows is free, where there is one; `holes` bytes are
    /// free in partly filled blocks.
    pub(crate) fn is_nearly_full(&self, holes: usize) -> bool {
        self.is_limited() && self.room() + holes < self.counts.bound / 8
    }

    /// Whether less than a quarter of what the limit allows is free in whole blocks.
    pub(crate) fn is_short_of_room(&self) -> bool {
        self.room() < self.counts.bound / 4
    }

    /// Whether there is a limit at all.
    pub(crate) fn is_limited(&self) -> bool {
        self.counts.bound < usize::MAX
    }

    /// All blocks in which objects start: those of small objects and the heads of large ones. Those
    /// that are being swept just now may be missing.
    pub(crate) fn occupied_blocks(&self) -> Vec<BlockIndex> {
        let store = self.store.lock();
        let mut blocks: Vec<BlockIndex> = store.occupied.iter().collect();
        drop(store);
        blocks.sort_unstable();
        blocks
    }

    /// The same, by a walk through the block table up to the highest block that this heap ever owned,
    /// wherever they are listed.
    pub(crate) fn find_occupied_blocks(&self) -> Vec<BlockIndex> {
        let blocks = ((self.top() - self.base) / BLOCK) as u32;
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
        (0..blocks).map(BlockIndex).filter(is_ours).collect()
    }

    /// Returns all blocks to the space. What lives in them is forgotten, not dropped.
    ///
    /// # Safety
    ///
    /// Nothing refers to an object of this heap any more, no allocator has a cursor in it, and no
    /// marker or sweeper is at work.
    pub(crate) unsafe fn release(&self) {
        // SAFETY: the heap is there.
        unsafe { self.pins.close() };
        let mut store = self.store.lock();
        let all = core::mem::take(&mut store.occupied);
        store.partial.iter_mut().for_each(Vec::clear);
        drop(store);
        self.count_freed(all.large.len() as u64);
        for head in all.large {
            self.free_large(head);
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
        self.give_back(spare);
        debug_assert_eq!((self.owned_bytes(), self.objects()), (0, 0));
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: references to objects do not outlive the heap that they are in, nor do allocators,
        // markers and sweepers.
        unsafe { self.release() }
        self.space.forget_heap(self.number);
    }
}
