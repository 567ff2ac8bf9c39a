//! The allocator of one mutator: its cursors, and how they are refilled.
//!
//! Each mutator has an allocator of its own, with blocks that no other mutator allocates in. When a hole is full, the
//! allocator looks for the next hole in the rest of the block, and then takes another block from the
//! [store](super::store).
//!
//! # Invariants
//!
//! 1. This allocator took the block of each of its cursors from the store. The block is in no list of blocks for
//!    other allocators.

use core::cell::{Cell, RefCell};

use super::Heap;
use super::LARGE;
use super::bump::{self, CURSORS, Cursor, Shape, cursor_is_described};
use super::error::HeapError;
use super::holes::Holes;
use super::planes::{GRANULE, Planes};
use super::start::ObjectStart;
use super::volume::Volume;

/// The cursors of one mutator in the blocks of a heap.
pub(crate) struct Allocator {
    cursors: [Cursor; CURSORS],
    /// Copied from the heap, for speed.
    planes: Planes,
    /// The rest of the block that each cursor is in.
    holes: RefCell<[Holes; CURSORS]>,
    /// By how many bytes what values own elsewhere has grown, which the heap does not count yet.
    owned: Cell<i64>,
    /// How many values with destructors were allocated, which the heap does not count yet.
    owners: Cell<u64>,
    /// Why the last allocation failed, until somebody asks.
    error: Cell<Option<HeapError>>,
}

impl Allocator {
    /// An allocator in no block.
    pub(crate) fn new(heap: &Heap) -> Allocator {
        Allocator {
            cursors: [const { Cursor::none() }; CURSORS],
            planes: heap.planes(),
            holes: RefCell::new([const { Holes::NONE }; CURSORS]),
            owned: Cell::new(0),
            owners: Cell::new(0),
            error: Cell::new(None),
        }
    }

    /// Allocates an object of the given shape in `heap`, which is always the same. Its words are
    /// uninitialised, so those that its shape tags must be written before anyone looks. Never collects.
    ///
    /// Without memory the result is `None`, and the reason is to be asked for with
    /// [`Allocator::take_error`]: passing it along here would cost the fast path its registers.
    #[inline(always)]
    pub(crate) fn allocate(&self, heap: &Heap, shape: &Shape) -> Option<ObjectStart> {
        debug_assert!(shape.bytes > 0 && shape.bytes.is_multiple_of(GRANULE));
        if shape.bytes <= LARGE
            && let Some(address) = self.cursors[shape.cursor()].bump(shape)
        {
            // SAFETY: the memory was just taken from a hole.
            return Some(unsafe { bump::record(&self.planes, address, shape.bytes, shape.tags) });
        }
        self.allocate_slow(heap, *shape)
    }

    /// Allocates from a new hole or from blocks of its own. The shape comes by value, so that one
    /// that is made up for the call need not be in memory on the fast path.
    #[cold]
    #[inline(never)]
    fn allocate_slow(&self, heap: &Heap, shape: Shape) -> Option<ObjectStart> {
        let shape = &shape;
        let address = if shape.bytes > LARGE {
            heap.take_large(shape)
        } else {
            self.refill(heap, shape).map(|()| {
                let cursor = &self.cursors[shape.cursor()];
                cursor.bump(shape).expect("the new hole is long enough")
            })
        };
        match address {
            Ok(address) => {
                // SAFETY: the memory was just taken from a hole, or is a span of its own.
                Some(unsafe { bump::record(&self.planes, address, shape.bytes, shape.tags) })
            }
            Err(error) => {
                self.error.set(Some(error));
                None
            }
        }
    }

    /// Why the last allocation failed.
    pub(crate) fn take_error(&self) -> HeapError {
        self.error.take().expect("an allocation failed")
    }

    /// Puts the cursor for `shape` into a hole that such an object fits in.
    fn refill(&self, heap: &Heap, shape: &Shape) -> Result<(), HeapError> {
        let index = shape.cursor();
        // Any hole this long has a place for the object, whatever the hole's own alignment is.
        let wanted = shape.bytes + shape.align.saturating_sub(GRANULE);
        self.retire(heap, index);
        let mut holes = self.holes.borrow_mut();
        loop {
            // SAFETY: the holes are those of a block that the heap owns, and which this cursor
            // alone allocates in (invariant 1).
            if let Some((start, end)) = unsafe { holes[index].next(self.planes, wanted) } {
                // SAFETY: the hole lies in that block, and is empty.
                unsafe { heap.prepare_hole(start, end) };
                self.cursors[index].set(start, end);
                return Ok(());
            }
            let block = heap.take_small(cursor_is_described(index))?;
            // SAFETY: the block is this heap's, of small objects, and from now on this cursor alone allocates in it.
            holes[index] = unsafe { Holes::of(self.planes, heap.address_of(block)) };
        }
    }

    /// Leaves the hole that the cursor is in, and counts what was allocated from it.
    fn retire(&self, heap: &Heap, index: usize) {
        let cursor = &self.cursors[index];
        let (start, end) = (cursor.start.get(), cursor.at.get());
        cursor.set(0, 0);
        let volume = Volume {
            bytes: (end - start) as u64,
            owned: self.owned.take(),
            owners: self.owners.take(),
        };
        heap.count_allocated(volume, heap.count_starts(start, end));
    }

    /// Leaves all holes: what is free in them is found again by the next sweep.
    pub(crate) fn retire_all(&self, heap: &Heap) {
        for index in 0..CURSORS {
            self.retire(heap, index);
        }
        *self.holes.borrow_mut() = [const { Holes::NONE }; CURSORS];
    }

    /// Notes by how many bytes what the value of an object owns elsewhere has grown.
    #[inline]
    pub(crate) fn note_owned(&self, change: i64) {
        self.owned.set(self.owned.get().wrapping_add(change));
    }

    /// Notes that a value with a destructor was allocated.
    #[inline]
    pub(crate) fn note_owner(&self) {
        self.owners.set(self.owners.get() + 1);
    }

    /// Lets the heap count what values own elsewhere, if that has come to much.
    #[inline]
    pub(crate) fn report_owned(&self, heap: &Heap) {
        /// Less is not worth an atomic operation.
        const MUCH: u64 = 64 << 10;
        if self.owned.get().unsigned_abs() >= MUCH {
            heap.count_owned(self.owned.take());
        }
    }

    /// What was allocated from the present holes, which the heap does not count yet.
    #[inline]
    pub(crate) fn uncounted(&self) -> Volume {
        let in_hole = |cursor: &Cursor| (cursor.at.get() - cursor.start.get()) as u64;
        Volume {
            bytes: self.cursors.iter().map(in_hole).sum(),
            owned: self.owned.get(),
            owners: self.owners.get(),
        }
    }

    /// Objects that were allocated from the present holes, which the heap does not count yet.
    pub(crate) fn uncounted_objects(&self, heap: &Heap) -> u64 {
        let in_hole = |cursor: &Cursor| heap.count_starts(cursor.start.get(), cursor.at.get());
        self.cursors.iter().map(in_hole).sum()
    }
}
