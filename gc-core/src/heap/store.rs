//! The store of a heap: which blocks it owns, what they are used for, and how much is allocated.
//!
//! The [`Heap`] is the cursors of the fast path and, behind a `RefCell`, the lists of blocks from
//! which the slow path refills them. Nothing here runs code of anybody else's, so the `RefCell` is
//! never borrowed twice.

use core::cell::{Cell, RefCell};

use super::LARGE;
use super::block::{BLOCK, BlockIndex, BlockState, BlockTable, Use};
use super::bump::{self, CURSORS, Cursor, Shape, cursor_is_described};
use super::error::HeapError;
use super::holes::Holes;
use super::planes::{GRANULE, GROUP_BYTES, Planes, WORD, bit};
use super::space::AddressSpace;
use crate::sync::Arc;

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
    top: Cell<usize>,
    cursors: [Cursor; CURSORS],
    /// Why the last allocation failed, until somebody asks.
    error: Cell<Option<HeapError>>,
    pub(super) counts: Counts,
    pub(super) store: RefCell<Store>,
}

/// The counts of a heap. They can be read at any time, also while the store is borrowed.
pub(super) struct Counts {
    /// Bytes of blocks that the heap may own.
    limit: usize,
    /// Bytes of blocks that it owns, spare ones included, now and at most.
    owned: Cell<usize>,
    peak: Cell<usize>,
    /// Bytes and objects allocated from holes that are done, and of large objects, ever.
    allocated_bytes: Cell<u64>,
    allocated_objects: Cell<u64>,
    /// Objects that sweeps have freed, ever.
    pub(super) freed_objects: Cell<u64>,
}

fn add<T: Copy + core::ops::Add<Output = T>>(count: &Cell<T>, more: T) {
    count.set(count.get() + more);
}

/// The lists of blocks of a heap.
pub(super) struct Store {
    /// Blocks of small objects.
    pub(super) small: Vec<BlockIndex>,
    /// The first blocks of large objects.
    pub(super) large: Vec<BlockIndex>,
    /// Empty blocks, the highest first.
    pub(super) spare: Vec<BlockIndex>,
    /// Partly filled blocks which no cursor has visited since the last sweep, the highest first;
    /// without and with descriptors.
    pub(super) partial: [Vec<BlockIndex>; 2],
    /// The rest of the block that each cursor is in.
    holes: [Holes; CURSORS],
}

impl Heap {
    /// An empty heap in `space` which may own `limit` bytes of blocks.
    pub(crate) fn new(space: Arc<AddressSpace>, limit: usize) -> Heap {
        Heap {
            number: space.number_heap(),
            base: space.base(),
            planes: space.planes(),
            blocks: space.blocks(),
            top: Cell::new(space.base()),
            space,
            cursors: [const { Cursor::none() }; CURSORS],
            error: Cell::new(None),
            counts: Counts {
                limit,
                owned: Cell::new(0),
                peak: Cell::new(0),
                allocated_bytes: Cell::new(0),
                allocated_objects: Cell::new(0),
                freed_objects: Cell::new(0),
            },
            store: RefCell::new(Store {
                small: Vec::new(),
                large: Vec::new(),
                spare: Vec::new(),
                partial: [Vec::new(), Vec::new()],
                holes: [Holes::NONE; CURSORS],
            }),
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

    /// The lowest address of the space.
    #[inline(always)]
    pub(crate) fn base(&self) -> usize {
        self.base
    }

    /// The address behind the highest block that was ever owned. All objects lie between `base`
    /// and here, and planes and table are committed up to here.
    #[inline(always)]
    pub(crate) fn top(&self) -> usize {
        self.top.get()
    }

    /// Whether `address` is between `base` and `top`.
    #[inline(always)]
    pub(crate) fn spans(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.top.get() - self.base
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

    /// Allocates an object of the given shape. Its words are uninitialised, so those that its shape
    /// tags must be written before anyone looks. Never collects.
    ///
    /// Without memory the result is `None`, and the reason is to be asked for with
    /// [`Heap::take_error`]: passing it along here would cost the fast path its registers.
    #[inline(always)]
    pub(crate) fn allocate(&self, shape: &Shape) -> Option<usize> {
        debug_assert!(shape.bytes > 0 && shape.bytes.is_multiple_of(GRANULE));
        if shape.bytes <= LARGE
            && let Some(address) = self.cursors[shape.cursor()].bump(shape)
        {
            // SAFETY: the memory was just taken from a hole.
            unsafe { bump::record(self.planes, address, shape.bytes, shape.tags) };
            return Some(address);
        }
        core::num::NonZero::new(self.allocate_slow(shape)).map(|address| address.get())
    }

    /// Allocates from a new hole or from blocks of its own; zero is failure.
    #[cold]
    #[inline(never)]
    fn allocate_slow(&self, shape: &Shape) -> usize {
        let address = if shape.bytes > LARGE {
            self.allocate_large(shape)
        } else {
            self.refill(shape).map(|()| {
                let cursor = &self.cursors[shape.cursor()];
                cursor.bump(shape).expect("the new hole is long enough")
            })
        };
        match address {
            Ok(address) => {
                // SAFETY: the memory was just taken from a hole, or is a span of its own.
                unsafe { bump::record(self.planes, address, shape.bytes, shape.tags) };
                address
            }
            Err(error) => {
                self.error.set(Some(error));
                0
            }
        }
    }

    /// Why the last allocation failed.
    pub(crate) fn take_error(&self) -> HeapError {
        self.error.take().expect("an allocation failed")
    }

    /// Puts the cursor for `shape` into a hole that such an object fits in.
    fn refill(&self, shape: &Shape) -> Result<(), HeapError> {
        let index = shape.cursor();
        // Any hole this long has a place for the object, whatever the hole's own alignment is.
        let wanted = shape.bytes + shape.align.saturating_sub(GRANULE);
        self.retire(index);
        let mut store = self.store.borrow_mut();
        loop {
            // SAFETY: the holes are those of a block that this heap owns, and which this cursor
            // alone allocates in.
            if let Some((start, end)) = unsafe { store.holes[index].next(self.planes, wanted) } {
                self.cursors[index].set(start, end);
                return Ok(());
            }
            let described = cursor_is_described(index);
            let block = match store.partial[described as usize].pop() {
                Some(block) => block,
                None => self.new_small_block(&mut store, described)?,
            };
            // SAFETY: as above.
            store.holes[index] = unsafe { Holes::of(self.planes, self.address_of(block)) };
        }
    }

    /// Leaves the hole that the cursor is in, and counts what was allocated from it.
    fn retire(&self, index: usize) {
        let (start, end) = (
            self.cursors[index].start.get(),
            self.cursors[index].at.get(),
        );
        self.cursors[index].set(0, 0);
        add(&self.counts.allocated_bytes, (end - start) as u64);
        add(
            &self.counts.allocated_objects,
            self.count_starts(start, end),
        );
    }

    /// Leaves all holes: what is free in them is found again by the next sweep.
    pub(crate) fn retire_all(&self) {
        for index in 0..CURSORS {
            self.retire(index);
            self.store.borrow_mut().holes[index] = Holes::NONE;
        }
    }

    /// The number of objects that start between two addresses of one hole.
    fn count_starts(&self, start: usize, end: usize) -> u64 {
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

    /// An empty block for small objects.
    fn new_small_block(&self, store: &mut Store, described: bool) -> Result<BlockIndex, HeapError> {
        let block = match store.spare.pop() {
            Some(block) => block,
            None => self.take_blocks(store, 1)?,
        };
        let usage = if described {
            Use::SmallDescribed
        } else {
            Use::Small
        };
        // SAFETY: the block is ours: it was spare, or was just taken.
        unsafe {
            self.blocks.set_owner_and_span(block, self.number, 0);
            self.blocks.set_state(block, BlockState::new(usage));
        }
        store.small.push(block);
        Ok(block)
    }

    /// Takes blocks from the space, if the limit allows it.
    fn take_blocks(&self, store: &mut Store, count: usize) -> Result<BlockIndex, HeapError> {
        let bytes = count.saturating_mul(BLOCK);
        let limit = self.counts.limit;
        if bytes > limit.saturating_sub(self.counts.owned.get()) {
            // Spare blocks are of no use to whoever needs several in a row, so they make room.
            self.give_back_spare(store, store.spare.len());
        }
        let in_use = self.counts.owned.get();
        if bytes > limit.saturating_sub(in_use) {
            return Err(HeapError::LimitReached {
                requested: bytes,
                limit,
                in_use,
            });
        }
        let block = match self.space.take(count) {
            Err(HeapError::AddressSpaceExhausted { .. }) if !store.spare.is_empty() => {
                self.give_back_spare(store, store.spare.len());
                self.space.take(count)?
            }
            result => result?,
        };
        let in_use = self.counts.owned.get();
        self.counts.owned.set(in_use + bytes);
        self.counts
            .peak
            .set(self.counts.peak.get().max(in_use + bytes));
        self.top
            .set(self.top.get().max(self.address_of(block) + bytes));
        Ok(block)
    }

    fn allocate_large(&self, shape: &Shape) -> Result<usize, HeapError> {
        let mut store = self.store.borrow_mut();
        let count = shape.bytes.div_ceil(BLOCK);
        let Ok(span) = u32::try_from(count) else {
            return Err(HeapError::AddressSpaceExhausted {
                requested: shape.bytes,
                reserved: self.space.bytes(),
            });
        };
        let head = match store.spare.pop() {
            Some(block) if count == 1 => block,
            other => {
                store.spare.extend(other);
                self.take_blocks(&mut store, count)?
            }
        };
        let usage = match (shape.described, shape.leaf) {
            (true, _) => Use::LargeDescribed,
            (false, true) => Use::LargeLeaf,
            (false, false) => Use::Large,
        };
        // SAFETY: the blocks are ours: they were spare, or were just taken.
        unsafe {
            self.blocks.set_owner_and_span(head, self.number, span);
            self.blocks.set_state(head, BlockState::new(usage));
            for distance in 1..span {
                let tail = BlockIndex(head.0 + distance);
                self.blocks.set_owner_and_span(tail, self.number, distance);
                self.blocks.set_state(tail, BlockState::new(Use::LargeTail));
            }
        }
        store.large.push(head);
        add(&self.counts.allocated_bytes, (count * BLOCK) as u64);
        add(&self.counts.allocated_objects, 1);
        Ok(self.address_of(head))
    }

    /// Clears the planes of a large object and makes its blocks spare, or gives them back.
    pub(super) fn free_large(&self, store: &mut Store, head: BlockIndex) {
        let count = self.span_of(head);
        // SAFETY: the blocks are ours, and the object in them is dead.
        unsafe {
            let base = self.address_of(head);
            let state = self.blocks.state(head);
            if state.usage() == Use::LargeLeaf && !state.has_kinds() {
                let end = self.end_of(base) - WORD;
                self.clear_group(end);
                self.clear_group(base);
            } else {
                for distance in 0..count {
                    self.clear_planes(base + distance * BLOCK, state.has_kinds());
                }
            }
            if count == 1 {
                self.blocks.set_state(head, BlockState::new(Use::Free));
                store.spare.push(head);
            } else {
                self.space.give_back(head, count);
                self.counts
                    .owned
                    .set(self.counts.owned.get() - count * BLOCK);
            }
        }
    }

    /// # Safety
    ///
    /// The address lies in a block of this heap, and there is no object in its group.
    unsafe fn clear_group(&self, address: usize) {
        // SAFETY: passed on to the caller.
        let group = unsafe { self.planes.group(address) };
        for plane in [&group.tags, &group.extents, &group.marks, &group.states] {
            plane.set(0);
        }
    }

    /// Clears the planes of the block at `base`, and its kinds if there may be any.
    ///
    /// # Safety
    ///
    /// The block belongs to this heap, and there are no objects in it.
    unsafe fn clear_planes(&self, base: usize, kinds: bool) {
        for at in (base..base + BLOCK).step_by(GROUP_BYTES) {
            // SAFETY: passed on to the caller.
            unsafe {
                self.clear_group(at);
                if kinds {
                    self.planes.kinds(at).set(0);
                }
            }
        }
    }

    /// Gives the `count` highest spare blocks back to the space.
    fn give_back_spare(&self, store: &mut Store, count: usize) {
        let given: Vec<BlockIndex> = store.spare.drain(..count).collect();
        self.counts
            .owned
            .set(self.counts.owned.get() - count * BLOCK);
        for run in given.chunk_by(|high, low| high.0 == low.0 + 1) {
            // SAFETY: spare blocks are ours and empty, with zero planes.
            unsafe { self.space.give_back(run[run.len() - 1], run.len()) }
        }
    }

    /// Notes that the value in the object at `address` needs `Drop`.
    ///
    /// # Safety
    ///
    /// A described object of this heap starts there.
    #[inline]
    pub(crate) unsafe fn note_drop(&self, address: usize) {
        let block = self.owned_block(address);
        // SAFETY: the block is one of this heap's.
        unsafe {
            self.blocks
                .set_state(block, self.blocks.state(block).with_drops())
        }
    }

    /// How many spare blocks there are.
    pub(crate) fn spare_blocks(&self) -> usize {
        self.store.borrow().spare.len()
    }

    /// Gives spare blocks back to the space, the highest first.
    ///
    /// `expected` bytes of them will be used soon. Of what there is beyond that, `idle` blocks go
    /// because they were not used since the last time, and everything goes that exceeds the double:
    /// memory that is used in every other cycle only is dearer to give and take than to keep.
    pub(crate) fn trim(&self, expected: usize, idle: usize) {
        let mut store = self.store.borrow_mut();
        let (spare, expected) = (store.spare.len(), expected.div_ceil(BLOCK));
        let surplus = spare
            .saturating_sub(expected)
            .min(idle)
            .max(spare.saturating_sub(2 * expected));
        self.give_back_spare(&mut store, surplus);
    }

    /// Bytes of objects allocated ever; large objects count as whole blocks.
    pub(crate) fn allocated_bytes(&self) -> u64 {
        let in_holes = |cursor: &Cursor| (cursor.at.get() - cursor.start.get()) as u64;
        self.counts.allocated_bytes.get() + self.cursors.iter().map(in_holes).sum::<u64>()
    }

    /// Objects that are allocated and not freed. Takes constant time.
    pub(crate) fn objects(&self) -> u64 {
        let in_holes = |cursor: &Cursor| self.count_starts(cursor.start.get(), cursor.at.get());
        let allocated =
            self.counts.allocated_objects.get() + self.cursors.iter().map(in_holes).sum::<u64>();
        allocated - self.counts.freed_objects.get()
    }

    /// Bytes of blocks that the heap owns now, and has owned at most.
    pub(crate) fn owned_and_peak(&self) -> (usize, usize) {
        (self.counts.owned.get(), self.counts.peak.get())
    }

    /// All blocks in which objects start: those of small objects and the heads of large ones.
    pub(crate) fn occupied_blocks(&self) -> Vec<BlockIndex> {
        let store = self.store.borrow();
        let mut blocks: Vec<BlockIndex> = store.small.iter().chain(&store.large).copied().collect();
        blocks.sort_unstable();
        blocks
    }

    /// Returns all blocks to the space. What lives in them is forgotten, not dropped.
    ///
    /// # Safety
    ///
    /// Nothing refers to an object of this heap any more.
    pub(crate) unsafe fn release(&self) {
        self.retire_all();
        let mut store = self.store.borrow_mut();
        for head in core::mem::take(&mut store.large) {
            add(&self.counts.freed_objects, 1);
            self.free_large(&mut store, head);
        }
        for block in core::mem::take(&mut store.small) {
            let base = self.address_of(block);
            add(
                &self.counts.freed_objects,
                self.count_starts(base, base + BLOCK),
            );
            // SAFETY: the block is ours, and nothing refers to its objects any more.
            unsafe {
                let kinds = self.blocks.state(block).has_kinds();
                self.clear_planes(base, kinds);
            }
            store.spare.push(block);
        }
        store.partial.iter_mut().for_each(Vec::clear);
        store.spare.sort_unstable_by(|a, b| b.cmp(a));
        let all = store.spare.len();
        self.give_back_spare(&mut store, all);
        debug_assert_eq!((self.counts.owned.get(), self.objects()), (0, 0));
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: references to objects do not outlive the heap that they are in.
        unsafe { self.release() }
        self.space.forget_heap(self.number);
    }
}
