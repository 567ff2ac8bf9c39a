//! The address space: one range of addresses, with the metadata of all of it in a side range, from
//! which heaps take blocks.
//!
//! By default all heaps of a process share one space, so a heap costs next to nothing until it
//! takes its first block. A heap can have a space of its own instead. A space is arithmetic and a
//! bitmap of free blocks; it knows no objects.
//!
//! Both ranges are reserved without memory. Blocks are taken at low addresses first. Everything below the *commit
//! frontier* is usable, together with its planes and its block table; the frontier moves up in steps of a chunk. So
//! where the system never overcommits, a process is charged for little more than it uses.
//!
//! Blocks that are given back are purged immediately: their memory returns to the system, wherever they are in the
//! range. A heap that wants to reuse blocks keeps them.
//!
//! # Invariants
//!
//! 1. A block that is free (its bit in `taken` is clear) has zero in all its planes and is `Free`
//!    in the table.
//! 2. Heap, planes and table are committed for all blocks below the frontier, and for no other use
//!    is made of them.
//! 3. A block is handed to one heap at a time: its bit in `taken` changes under the lock.

use super::block::{BLOCK, BlockIndex, BlockState, BlockTable};
use super::error::HeapError;
use super::free_blocks::FreeBlocks;
use super::planes::{LINEAR, Planes};
use super::register::{self, Entry};
use crate::os::{self, Errno, Reservation};
use crate::sync::{Arc, Mutex};

/// The size of the space that heaps share unless told otherwise.
pub(crate) const DEFAULT_RESERVE: usize = 64 << 30;
/// The least size of that space: below it no program of any use would run for long.
const LEAST_RESERVE: usize = 16 << 20;
/// The largest space: 2^46 bytes, half of a five-level user address space's
/// customary four-level part.
pub(crate) const MAX_RESERVE: usize = 1 << 46;
/// By how much the commit frontier moves at least.
const CHUNK: usize = 4 << 20;

const _: () = assert!(
    DEFAULT_RESERVE.is_power_of_two() && LEAST_RESERVE.is_power_of_two() && LEAST_RESERVE >= CHUNK
);
/// From this many bytes on, a space requests huge pages. In a smaller one, a small program would pay for memory that
/// it never uses.
const HUGE_PAGES_FROM: usize = 4 << 20;
/// From this many bytes on the groups are committed in steps of a huge page.
const HUGE_GROUPS_FROM: usize = 16 << 20;
/// The size of a huge page.
const HUGE_PAGE: usize = 2 << 20;

/// A range of addresses for heaps to take blocks from. See the [module documentation](self).
pub(crate) struct AddressSpace {
    heap: Reservation,
    side: Reservation,
    bytes: usize,
    planes: Planes,
    blocks: BlockTable,
    layout: SideLayout,
    free: Mutex<FreeBlocks>,
    numbers: Mutex<Numbers>,
}

/// The numbers of heaps as owners of blocks.
#[derive(Default)]
struct Numbers {
    /// The highest that was handed out; zero is nobody's.
    highest: u32,
    /// Those that came back.
    free: Vec<u32>,
}

/// Offsets in the side range.
#[derive(Clone, Copy)]
struct SideLayout {
    /// The linear planes.
    linear: [usize; LINEAR],
    states: usize,
    details: usize,
    bytes: usize,
}

impl SideLayout {
    fn new(heap_bytes: usize) -> SideLayout {
        let (page, blocks) = (os::page_size(), heap_bytes / BLOCK);
        let groups = Planes::group_bytes(heap_bytes).next_multiple_of(page);
        let linear_bytes = Planes::linear_bytes(heap_bytes).next_multiple_of(page);
        let linear = core::array::from_fn(|plane| groups + plane * linear_bytes);
        let states = groups + LINEAR * linear_bytes;
        let details = states + BlockTable::state_bytes(blocks).next_multiple_of(page);
        let bytes = details + BlockTable::detail_bytes(blocks).next_multiple_of(page);
        SideLayout {
            linear,
            states,
            details,
            bytes,
        }
    }
}

impl AddressSpace {
    /// A space of `bytes` bytes of its own.
    pub(crate) fn new(bytes: usize) -> Result<AddressSpace, HeapError> {
        let refused = |Errno(errno)| HeapError::ReserveRefused {
            requested: bytes,
            errno,
        };
        if bytes == 0 || bytes > MAX_RESERVE {
            return Err(HeapError::InvalidOption {
                option: "reserve",
                value: bytes,
                expected: "at least one byte and at most 64 TiB",
            });
        }
        let bytes = bytes.next_multiple_of(CHUNK);
        let layout = SideLayout::new(bytes);
        let heap = Reservation::new(bytes, CHUNK).map_err(refused)?;
        let side = Reservation::new(layout.bytes, CHUNK).map_err(refused)?;
        let space = AddressSpace {
            bytes,
            planes: Planes::new(
                heap.base(),
                side.base(),
                layout.linear.map(|offset| side.base() + offset),
            ),
            blocks: BlockTable::new(side.base() + layout.states, side.base() + layout.details),
            heap,
            side,
            layout,
            free: Mutex::new(FreeBlocks::default()),
            numbers: Mutex::new(Numbers::default()),
        };
        register::enter(space.entry());
        Ok(space)
    }

    pub(super) fn entry(&self) -> Entry {
        Entry {
            base: self.base(),
            bytes: self.bytes,
            planes: self.planes,
            blocks: self.blocks,
        }
    }

    /// The space that heaps share unless they have one of their own.
    ///
    /// Where so much cannot be reserved (under a debugging tool, or with limited address space),
    /// the largest half, quarter and so on that can be had is taken, down to [`LEAST_RESERVE`]. It leaves at least
    /// half of its own size to the rest of the process, which needs addresses for threads and for `malloc`.
    pub(crate) fn shared() -> Result<Arc<AddressSpace>, HeapError> {
        /// Two threads at once would refuse addresses to each other.
        static MAKING: Mutex<()> = Mutex::new(());
        if let Some(space) = register::shared() {
            return Ok(space.clone());
        }
        let _making = MAKING.lock();
        if let Some(space) = register::shared() {
            return Ok(space.clone());
        }
        let mut bytes = DEFAULT_RESERVE;
        let space = loop {
            match AddressSpace::new(bytes) {
                Ok(space) if bytes == LEAST_RESERVE || space.leaves_room() => break space,
                Err(HeapError::ReserveRefused { errno, .. }) if bytes == LEAST_RESERVE => {
                    return Err(HeapError::SharedReserveRefused {
                        most: DEFAULT_RESERVE,
                        least: LEAST_RESERVE,
                        errno,
                    });
                }
                Ok(_) | Err(HeapError::ReserveRefused { .. }) => bytes /= 2,
                Err(error) => return Err(error),
            }
        };
        Ok(register::share(space).clone())
    }

    /// Whether the process can still reserve half of this space's size for something else.
    fn leaves_room(&self) -> bool {
        Reservation::new(self.bytes / 2, os::page_size()).is_ok()
    }

    /// A number for one more heap, which no other heap of this space has.
    pub(crate) fn number_heap(&self) -> u32 {
        let mut numbers = self.numbers.lock();
        if let Some(number) = numbers.free.pop() {
            return number;
        }
        numbers.highest += 1;
        numbers.highest
    }

    /// Takes back the number of a heap that owns no block any more.
    pub(crate) fn forget_heap(&self, number: u32) {
        self.numbers.lock().free.push(number);
    }

    /// The lowest address.
    pub(crate) fn base(&self) -> usize {
        self.heap.base()
    }

    /// The number of bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn planes(&self) -> Planes {
        self.planes
    }

    pub(crate) fn blocks(&self) -> BlockTable {
        self.blocks
    }

    /// Takes `count` blocks in a row, at the lowest place there is. They are zero and `Free` in the
    /// table; the caller enters their use and owner.
    pub(crate) fn take(&self, count: usize) -> Result<BlockIndex, HeapError> {
        let mut free = self.free.lock();
        let first = free.find(count);
        let end = first
            .checked_add(count)
            .filter(|end| *end <= self.bytes / BLOCK);
        let Some(end) = end else {
            return Err(HeapError::AddressSpaceExhausted {
                requested: count.saturating_mul(BLOCK),
                reserved: self.bytes,
                finalizers: Default::default(),
            });
        };
        self.advance(&mut free, end)
            .map_err(|Errno(errno)| HeapError::CommitRefused {
                requested: count * BLOCK,
                errno,
            })?;
        free.mark_taken(first, count);
        Ok(BlockIndex::numbered(first))
    }

    /// Takes the `count` blocks from `first` on, as [`AddressSpace::take`], if all of them are free. Whether they
    /// were, and could be had.
    pub(crate) fn take_at(&self, first: BlockIndex, count: usize) -> bool {
        let mut free = self.free.lock();
        let first = first.number();
        let there = first
            .checked_add(count)
            .filter(|end| *end <= self.bytes / BLOCK && free.are_free(first, count))
            .is_some_and(|end| self.advance(&mut free, end).is_ok());
        if there {
            free.mark_taken(first, count);
        }
        there
    }

    /// Commits what is not committed yet of the blocks below `end`.
    fn advance(&self, free: &mut FreeBlocks, end: usize) -> Result<(), Errno> {
        if end > free.frontier {
            let frontier = (end * BLOCK).next_multiple_of(CHUNK).min(self.bytes) / BLOCK;
            self.commit(free.frontier, frontier)?;
            free.frontier = frontier;
        }
        Ok(())
    }

    /// Commits the blocks from `start` (inclusive) to `end` (exclusive) and all that belongs to
    /// them.
    fn commit(&self, start: usize, end: usize) -> Result<(), Errno> {
        let heap = start * BLOCK..end * BLOCK;
        let side = |area: usize, bytes: fn(usize) -> usize| area + bytes(start)..area + bytes(end);
        let mut groups = side(0, |blocks| Planes::group_bytes(blocks * BLOCK));
        if heap.end > HUGE_GROUPS_FROM {
            groups.end = groups
                .end
                .next_multiple_of(HUGE_PAGE)
                .min(self.layout.linear[0]);
        }
        self.side
            .commit(side(self.layout.details, BlockTable::detail_bytes))?;
        self.side
            .commit(side(self.layout.states, BlockTable::state_bytes))?;
        for plane in self.layout.linear {
            self.side
                .commit(side(plane, |blocks| Planes::linear_bytes(blocks * BLOCK)))?;
        }
        self.side.commit(groups.clone())?;
        self.heap.commit(heap.clone())?;
        if heap.end > HUGE_PAGES_FROM {
            self.heap.prefer_huge_pages(heap);
        }
        if groups.end > Planes::group_bytes(HUGE_GROUPS_FROM) {
            self.side.prefer_huge_pages(groups);
        }
        Ok(())
    }

    /// Has the system put memory behind `count` blocks from `first` on, which somebody has taken.
    pub(crate) fn populate(&self, first: BlockIndex, count: usize) {
        let (start, end) = (first.offset(), first.up(count).offset());
        self.side
            .populate(Planes::group_bytes(start)..Planes::group_bytes(end));
        self.heap.populate(start..end);
    }

    /// Returns the memory behind whole pages between two addresses of the heap to the system.
    ///
    /// # Safety
    ///
    /// They are in blocks that the caller owns, and nothing refers to what is between them.
    pub(crate) unsafe fn purge(&self, start: usize, end: usize) {
        // SAFETY: blocks that are owned are committed, and nothing refers to what is between the addresses, says the
        // caller.
        unsafe { self.heap.purge(start - self.base()..end - self.base()) }
    }

    /// Returns the memory behind the planes of free blocks to the system. That of groups went with the blocks, but
    /// for pages that were shared with other blocks then; linear planes stay when blocks go, for they have bits of
    /// few blocks.
    ///
    /// Takes time linear in the number of blocks below the frontier, and the time of the system for each row of free
    /// ones.
    pub(crate) fn purge_free_planes(&self) {
        // Nobody takes a block meanwhile.
        let free = self.free.lock();
        for (first, end) in free.rows() {
            let (start, end) = (first * BLOCK, end * BLOCK);
            let groups = Planes::group_bytes(start)..Planes::group_bytes(end);
            let linear = Planes::linear_bytes(start)..Planes::linear_bytes(end);
            // SAFETY: below the frontier planes are committed, and those of free blocks hold only zeroes.
            unsafe {
                self.side.purge(groups);
                for plane in self.layout.linear {
                    self.side.purge(plane + linear.start..plane + linear.end);
                }
            }
        }
    }

    /// Takes back `count` blocks from `first` on and returns their memory to the system.
    ///
    /// # Safety
    ///
    /// 1. The caller owns the blocks.
    /// 2. Nothing refers to their contents.
    /// 3. Their planes are zero.
    pub(crate) unsafe fn give_back(&self, first: BlockIndex, count: usize) {
        for block in first.row(count) {
            // SAFETY: the caller owns these blocks, so they are below the frontier.
            unsafe {
                self.blocks.set_state(block, BlockState::FREE);
                self.blocks.set_owner_and_span(block, 0, 0);
            }
        }
        let (start, end) = (first.offset(), first.up(count).offset());
        let groups = Planes::group_bytes(start)..Planes::group_bytes(end);
        // SAFETY: the caller owns these blocks, nothing refers to their contents, and their planes
        // hold only zeroes.
        unsafe {
            self.heap.purge(start..end);
            self.side.purge(groups);
        }
        self.free.lock().mark_free(first.number(), count);
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        register::leave(self.base());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_space_says_so() {
        let space = AddressSpace::new(CHUNK).unwrap();
        assert_eq!(space.take(CHUNK / BLOCK - 1), Ok(BlockIndex::numbered(0)));
        let error = space.take(2).unwrap_err();
        assert_eq!(
            error,
            HeapError::AddressSpaceExhausted {
                requested: 2 * BLOCK,
                reserved: CHUNK,
                finalizers: Default::default(),
            }
        );
        assert_eq!(space.take(1), Ok(BlockIndex::numbered(CHUNK / BLOCK - 1)));
        // SAFETY: the blocks were taken above and never used.
        unsafe { space.give_back(BlockIndex::numbered(7), 2) }
        assert!(
            !space.take_at(BlockIndex::numbered(6), 2)
                && !space.take_at(BlockIndex::numbered(8), 2)
        );
        assert!(space.take_at(BlockIndex::numbered(7), 2));
        assert!(!space.take_at(BlockIndex::numbered(CHUNK / BLOCK), 1));
        assert!(space.take(usize::MAX).is_err());
    }

    #[test]
    fn a_space_too_large_is_an_error() {
        assert!(matches!(
            AddressSpace::new(usize::MAX),
            Err(HeapError::InvalidOption { .. })
        ));
    }
}
