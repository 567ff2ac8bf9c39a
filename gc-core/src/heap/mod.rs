//! The heap: memory whose metadata are found by arithmetic.
//!
//! A heap owns 32 KiB blocks of an [address space](space). For every address in them the
//! [metadata planes](planes) tell which allocation it lies in, how long that is, and which of its
//! words are pointers; the allocations themselves carry no headers. Seven things happen here:
//!
//! * **Small objects** (up to [`LARGE`] bytes) are allocated by bumping a cursor through a *hole*, a
//!   run of free granules in a block, and recording start, end and tags in the planes ([`bump`]).
//!   When a hole is full the mutator's [`allocator`] finds the next one, and when a block is, the
//!   [`store`] gives another: first one that a sweep left partly filled, then one that it left empty,
//!   then a new one from the space. While a cycle marks concurrently, they are allocated [`black`].
//! * **Large objects** have a span of blocks each ([`large`]), unless that would waste more than a fifth: then they
//!   are [`medium`] ones, and share [runs](run) of blocks.
//! * **Look-ups** turn an address into an allocation ([`extent`]).
//! * **Sweeping** computes, 64 words at a time, which words belong to marked objects, and clears
//!   the planes of all others ([`sweep`]).
//! * **Pinned objects** are counted in a table, and have a bit each ([`pins`]).
//! * **Releasing** gives unused memory back to the system ([`release`]).
//! * **Verification** walks the planes of all blocks and compares them with each other
//!   ([`verify`]).
//!
//! The heap knows no types, roots, phases or policies. Of *described* objects it knows two things: they are in blocks
//! of their own, and their last word belongs to the layer above ([`descriptor`](crate::types::descriptor)).
//!
//! # Invariants
//!
//! 1. Those of [`planes`], [`block`] and [`space`].
//! 2. Between two calls, the planes describe every allocation completely: nothing is buffered.
//! 3. Every owned block is in exactly one of the store's lists: occupied (as one of small objects, or as the first of a
//!    large one or of a run, with the others implied), or spare; or it is being swept. A spare block is `Free` in
//!    the table and has zero planes.
//! 4. A cursor lies in a hole: from the cursor to its limit, all planes are zero.

pub(crate) mod allocator;
pub(crate) mod black;
pub(crate) mod block;
mod block_index;
pub(crate) mod bump;
mod counts;
pub(crate) mod error;
pub(crate) mod extent;
mod free_blocks;
mod holes;
mod large;
mod medium;
pub(crate) mod pins;
pub(crate) mod planes;
pub(crate) mod register;
mod release;
mod run;
pub(crate) mod space;
pub(crate) mod start;
pub(crate) mod store;
pub(crate) mod sweep;
mod sweep_run;
mod unclaim;
pub(crate) mod verify;
mod verify_run;
pub(crate) mod volume;

use self::block::{BlockIndex, BlockState, BlockTable};
use self::counts::Counts;
use self::pins::Pins;
use self::planes::{Group, Planes};
use self::space::AddressSpace;
use self::start::ObjectStart;
use self::store::Store;
use crate::sync::{Arc, AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Mutex, Ordering};

/// The size in bytes above which an object is not in a block of small ones.
pub(crate) const LARGE: usize = 8 << 10;

/// The largest alignment in bytes of an object.
pub(crate) const MAX_ALIGN: usize = 4096;

const _: () = assert!(LARGE.is_multiple_of(planes::GRANULE) && LARGE + MAX_ALIGN <= block::BLOCK);

/// A heap. See the [module documentation](self).
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
    /// How new objects are allocated: see [`black::AllocationColor`].
    allocation_color: AtomicU8,
    /// Whether an object was ever found to be dead that may live on.
    found_dead: AtomicBool,
    /// The share of its time that the program does not have for itself, if that is why no more blocks are
    /// given out; or zero.
    refusing: AtomicU32,
    /// Guards have it, too.
    pins: Arc<Pins>,
    counts: Counts,
    store: Mutex<Store>,
}

impl Heap {
    /// An empty heap in `space` which may own `limit` bytes of blocks; `alone` says that no other heap is in
    /// this space. A shared space of less than the usual size bounds the heap as one of its own would.
    pub(crate) fn new(space: Arc<AddressSpace>, limit: usize, alone: bool) -> Heap {
        let space_bytes = space.bytes();
        Heap {
            number: space.number_heap(),
            base: space.base(),
            planes: space.planes(),
            blocks: space.blocks(),
            top: AtomicUsize::new(space.base()),
            allocation_color: AtomicU8::new(0),
            found_dead: AtomicBool::new(false),
            refusing: AtomicU32::new(0),
            pins: Arc::new(Pins::new(space.planes(), space.base(), space_bytes)),
            space,
            counts: Counts::new(
                limit,
                if alone || space_bytes < space::DEFAULT_RESERVE {
                    limit.min(space_bytes)
                } else {
                    limit
                },
            ),
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
        // Relaxed: it only grows, and a thread gets a pointer to an object through something that orders this load
        // after the store.
        self.top.load(Ordering::Relaxed)
    }

    /// Whether `address` is between `base` and `top`.
    #[inline(always)]
    pub(crate) fn spans(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.top() - self.base
    }

    /// The lowest address of the block.
    pub(crate) fn address_of(&self, block: BlockIndex) -> usize {
        self.base + block.offset()
    }

    /// The block of an address of the space.
    #[inline(always)]
    pub(crate) fn owned_block(&self, address: usize) -> BlockIndex {
        BlockIndex::of(self.base, address)
    }

    /// The state of a block.
    ///
    /// # Panics
    ///
    /// If the block is above all that this heap ever owned.
    #[inline]
    pub(crate) fn state(&self, block: BlockIndex) -> BlockState {
        assert!(self.has_entry(block));
        // SAFETY: below `top` the table is committed, and the heap keeps the space alive.
        unsafe { self.blocks.state(block) }
    }

    /// Whether the block is below the highest that this heap ever owned, so that its entry in the table can be read.
    #[inline(always)]
    fn has_entry(&self, block: BlockIndex) -> bool {
        block.offset() < self.top() - self.base
    }

    /// All blocks of the space up to the highest that this heap ever owned, whosever they are.
    pub(crate) fn each_block(&self) -> impl Iterator<Item = BlockIndex> {
        let first = self.owned_block(self.base);
        first.row(self.owned_block(self.top()).above(first))
    }

    /// The state of the block of an address.
    ///
    /// # Safety
    ///
    /// It lies in some block of this heap.
    #[inline(always)]
    pub(crate) unsafe fn state_at(&self, address: usize) -> BlockState {
        // SAFETY: blocks of this heap are below the frontier.
        unsafe { self.blocks.state(self.owned_block(address)) }
    }

    /// The state of the block in which an object starts, whose flags are the object's.
    #[inline(always)]
    pub(crate) fn state_of(&self, start: ObjectStart) -> BlockState {
        debug_assert!(self.owns(start));
        // SAFETY: the object is one of this heap, so its block is.
        unsafe { self.state_at(start.address()) }
    }

    /// Whether a start lies in a block of this heap, as it does if it came from this heap and is not freed.
    fn owns(&self, start: ObjectStart) -> bool {
        self.block_of(start.address()).is_some()
    }

    /// The group in which an object starts.
    #[inline(always)]
    pub(crate) fn group_of(&self, start: ObjectStart) -> &Group {
        debug_assert!(self.owns(start));
        // SAFETY: the object lies in a block of this heap, whose space the heap keeps alive.
        unsafe { self.planes.group(start.address()) }
    }

    /// Whether an object is marked.
    #[inline(always)]
    pub(crate) fn is_marked(&self, start: ObjectStart) -> bool {
        self.group_of(start).is_marked(start.address())
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

    /// The number of blocks of the large object that starts in `head`, a block of this heap in no run; or of a tail,
    /// its distance from there.
    pub(crate) fn span_of(&self, head: BlockIndex) -> usize {
        assert!(self.has_entry(head));
        // SAFETY: below `top` the table is committed.
        unsafe { self.blocks.owner_and_span(head) }.1 as usize
    }

    /// Notes that some object was found to be dead, and may live on.
    pub(crate) fn note_found_dead(&self) {
        // Relaxed: a thread gets the object through something that orders this.
        self.found_dead.store(true, Ordering::Relaxed);
    }

    /// Whether there ever was such an object.
    #[inline]
    pub(crate) fn has_found_dead(&self) -> bool {
        // Relaxed: as above.
        self.found_dead.load(Ordering::Relaxed)
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
