//! A heap together with its collector's state: what an arena owns.
//!
//! # The write barrier
//!
//! Before an object is written through a cell, its barrier is called, once or often
//! ([`Context::before_write`]). While the collector stops the world there is one thing that it has
//! to know of a write: that the tags of an object whose pointers can move must be made anew. So the
//! barrier puts such an object on the *dirty list*, once, for which a bit in the states plane
//! stands; all other objects it tells apart by one look at the block table.
//!
//! # Invariants
//!
//! 1. Outside of `mutate` calls, the tags of every object tell the truth, except for those on the
//!    dirty list, external ones, and, if `unknown_writes` is set, all whose pointers can move.
//! 2. An object on the dirty list has its dirty bit set, and the other way round.

use core::cell::{Cell, RefCell};

use crate::collector::Phase;
use crate::collector::dispose::Disposer;
use crate::collector::pacer::Pacer;
use crate::descriptor::Described;
use crate::heap::Heap;
use crate::heap::error::HeapError;
use crate::heap::extent::Extent;
use crate::heap::options::{HeapOptions, Zeal};
use crate::heap::planes::{WORD, bit};
use crate::heap::space::AddressSpace;
use crate::metrics::{Pacing, StatisticsCell};

pub(crate) struct Context {
    pub(crate) heap: Heap,
    pub(crate) pacer: Pacer,
    pub(crate) zeal: Zeal,
    pub(crate) phase: Cell<Phase>,
    pub(crate) statistics: StatisticsCell,
    dirty: RefCell<Vec<usize>>,
    /// Whether some object was written of which nobody said which.
    unknown_writes: Cell<bool>,
}

impl Context {
    pub(crate) fn new(options: &HeapOptions) -> Result<Context, HeapError> {
        options.check()?;
        let space = match options.reserve {
            None => AddressSpace::shared()?,
            Some(bytes) => AddressSpace::new(bytes)?.into(),
        };
        let pacing = Pacing {
            sleep_factor: f64::from(options.growth) / 100.0,
            min_sleep: options.floor,
            ..Pacing::DEFAULT
        };
        let limit = options.limit.min(space.bytes());
        Ok(Context {
            heap: Heap::new(space, options.limit),
            pacer: Pacer::new(pacing, limit),
            zeal: options.zeal,
            phase: Cell::new(Phase::Sleeping),
            statistics: StatisticsCell::default(),
            dirty: RefCell::new(Vec::new()),
            unknown_writes: Cell::new(false),
        })
    }

    /// By how many bytes a collection is overdue.
    pub(crate) fn debt(&self) -> f64 {
        self.pacer.debt(self.heap.allocated_bytes())
    }

    /// Notes that the object at `address` is about to be written. Any address will do; only those
    /// of objects of this heap matter.
    #[inline]
    pub(crate) fn before_write(&self, address: usize) {
        if !self.heap.spans(address) {
            return;
        }
        // SAFETY: below the heap's top, the block table is committed.
        let state = unsafe { self.heap.blocks().state(self.heap.owned_block(address)) };
        if state.is_described() {
            // SAFETY: as above for the planes.
            unsafe { self.note_dirty(address) }
        }
    }

    /// # Safety
    ///
    /// The address is the start of a described object of this heap.
    unsafe fn note_dirty(&self, address: usize) {
        // The bit of the second word of an object, which is in the same group as the first.
        let dirty = bit(address) << 1;
        // SAFETY: an object of this heap starts there, says the caller.
        let states = unsafe { &self.heap.planes().group(address).states };
        if states.get() & dirty == 0 {
            states.insert(dirty);
            self.dirty.borrow_mut().push(address);
        }
    }

    /// Notes that some object is about to be written.
    pub(crate) fn before_unknown_write(&self) {
        self.unknown_writes.set(true);
    }

    /// Makes the tags of all objects that were written tell the truth again.
    ///
    /// If a `trace` panics here, the rest stays to be done.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running.
    pub(crate) unsafe fn retag_dirty(&self) {
        if self.unknown_writes.get() {
            for block in self.heap.occupied_blocks() {
                // SAFETY: the block is one of the heap's.
                if unsafe { self.heap.blocks().state(block) }.is_described() {
                    // SAFETY: an object of a described block starts there.
                    self.heap.each_start(block, |start| unsafe { self.retag(start) });
                }
            }
        }
        let mut dirty = self.dirty.borrow_mut();
        for &start in dirty.iter() {
            // SAFETY: dirty objects are described, and none was freed since the last cycle.
            unsafe { self.retag(start) };
        }
        for start in dirty.drain(..) {
            // SAFETY: as above.
            unsafe { self.heap.planes().group(start) }.states.remove(bit(start) << 1);
        }
        dirty.shrink_to(1 << 10);
        self.unknown_writes.set(false);
    }

    /// # Safety
    ///
    /// A described object starts there, and no `mutate` call is running.
    unsafe fn retag(&self, start: usize) {
        // SAFETY: passed on to the caller.
        unsafe {
            let extent = Extent { base: start, bytes: self.heap.end_of(start) - start };
            if let Some(object) = Described::at(extent)
                && object.descriptor().moves
                && !object.descriptor().external
            {
                self.heap.retag(object);
            }
        }
    }

    /// Drops the values of all objects that need it and frees everything.
    ///
    /// # Panics
    ///
    /// With the first panic of a value's `Drop`, after all others were dropped.
    ///
    /// # Safety
    ///
    /// Nothing refers to an object of this heap, nor ever will.
    pub(crate) unsafe fn dispose_all(&self) {
        let mut disposer = Disposer::default();
        for block in self.heap.occupied_blocks() {
            // SAFETY: the block is one of the heap's.
            if unsafe { self.heap.blocks().state(block) }.is_described() {
                self.heap.each_start(block, |base| {
                    // SAFETY: an object of a described block starts there, and by what the caller
                    // says it is dead.
                    unsafe {
                        let extent = Extent { base, bytes: self.heap.end_of(base) - base };
                        disposer.dispose(extent);
                    }
                });
            }
        }
        self.dirty.borrow_mut().clear();
        // SAFETY: passed on to the caller.
        unsafe { self.heap.release() };
        disposer.finish();
    }
}

const _: () = assert!(crate::heap::planes::GRANULE / WORD == 2, "an object has a second word for its dirty bit");
