//! A heap together with its collector's state: what an arena owns.
//!
//! # The write barrier
//!
//! Before an object is written through a cell, its barrier is called, once or often
//! ([`Context::before_write`]). While the collector stops the world there is one thing that it has
//! to know of a write: that the tags of an object whose pointers can move may be wrong from now on.
//! Such objects are described, so the barrier tells them apart by one look at the block table; it
//! sets their *dirty* bit in the states plane and is done. Whoever needs the tags of a dirty object
//! makes them anew by visiting its value: the marker does so when it reaches the object, so objects
//! that are written and die cost nothing. External objects are dirty from birth to death.
//!
//! # Invariants
//!
//! 1. Outside of `mutate` calls, the tags of every object tell the truth, and are all of its
//!    pointers, except for those with the dirty bit, and, if `unknown_writes` is set, all whose
//!    pointers can move.
//! 2. External objects have the dirty bit.

use core::cell::Cell;

use crate::collector::Phase;
use crate::collector::dispose::Disposer;
use crate::collector::pacer::Pacer;
use crate::descriptor::Described;
use crate::heap::Heap;
use crate::heap::error::HeapError;
use crate::heap::extent::Extent;
use crate::heap::options::{HeapOptions, Zeal};
use crate::heap::space::AddressSpace;
use crate::metrics::{Pacing, StatisticsCell};

pub(crate) struct Context {
    pub(crate) heap: Heap,
    pub(crate) pacer: Pacer,
    pub(crate) zeal: Zeal,
    pub(crate) phase: Cell<Phase>,
    pub(crate) statistics: StatisticsCell,
    /// Whether some object was written of which nobody said which.
    pub(crate) unknown_writes: Cell<bool>,
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
            unknown_writes: Cell::new(false),
        })
    }

    /// By how many bytes a collection is overdue.
    pub(crate) fn debt(&self) -> f64 {
        self.pacer.debt(self.heap.allocated_bytes())
    }

    /// Notes that the object at `address` is about to be written.
    ///
    /// The address is that of a `Gc` of this heap: the start of an object, or, for a value that
    /// needs no memory, one that is in no heap.
    #[inline]
    pub(crate) fn before_write(&self, address: usize) {
        if !self.heap.spans(address) {
            return;
        }
        // SAFETY: an object of this heap starts there, so its block is one of the heap's.
        let state = unsafe { self.heap.blocks().state(self.heap.owned_block(address)) };
        if state.is_described() {
            // SAFETY: as above for the planes. Addresses of objects in described blocks are starts.
            unsafe { self.heap.set_dirty(address) }
        }
    }

    /// Notes that some object is about to be written.
    pub(crate) fn before_unknown_write(&self) {
        self.unknown_writes.set(true);
    }

    /// Makes the tags of all objects tell the truth. A panic of a `trace` goes through.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running.
    pub(crate) unsafe fn retag_stale(&self) {
        self.each_described(|object, start| {
            let descriptor = object.descriptor();
            // SAFETY: it is an object of this heap, and no mutator is at work, says the caller.
            unsafe {
                let written = self.unknown_writes.get() || self.heap.is_dirty(start);
                if descriptor.moves && written {
                    self.heap.retag(object);
                }
            }
        });
    }

    /// Calls `f` with each described object that has a value, and its start.
    fn each_described(&self, mut f: impl FnMut(Described, usize)) {
        for block in self.heap.occupied_blocks() {
            // SAFETY: the block is one of the heap's.
            if unsafe { self.heap.blocks().state(block) }.is_described() {
                self.heap.each_start(block, |base| {
                    // SAFETY: an object of a described block starts there.
                    let object = unsafe {
                        Described::at(Extent {
                            base,
                            bytes: self.heap.end_of(base) - base,
                        })
                    };
                    if let Some(object) = object {
                        f(object, base);
                    }
                });
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
        // SAFETY: by what the caller says all objects are dead.
        self.each_described(|object, _| unsafe { disposer.dispose(object.extent()) });
        // SAFETY: passed on to the caller.
        unsafe { self.heap.release() };
        disposer.finish();
    }
}
