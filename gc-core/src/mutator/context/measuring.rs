//! Measuring: what values own outside of the heap, after they were written.
//!
//! The barrier notes which objects with destructors are written ([`crate::mutator::written`]). At safepoints their
//! values are measured ([`Described::measure`]), and the change is counted like an allocation, before it is decided
//! whether a collection is due.
//!
//! Measuring calls the user's code. A panic of it is kept for the end of the safepoint, so that the others are
//! measured.
//!
//! # What this does not do
//!
//! It does not measure what another thread may be writing. If an object's elements are guarded by a lock in another
//! object (it is *lent*), and other mutators run, it waits until they are stopped.

use std::panic::{self, AssertUnwindSafe};

use super::Context;
use crate::heap::start::ObjectStart;
use crate::heap::volume::Volume;
use crate::mutator::written::Look;
use crate::types::descriptor::Described;
use crate::types::owned_bytes::only_looking;

impl Context {
    /// Measures a value in the heap, and counts by how much what it owns has grown.
    ///
    /// # Panics
    ///
    /// If the value's code does.
    ///
    /// # Safety
    ///
    /// 1. Nobody has an exclusive reference to the value.
    /// 2. This is the thread of the heap's one mutator, or all values are `Sync`.
    /// 3. The value is not dropped meanwhile.
    pub(crate) unsafe fn measure(&self, object: Described) {
        // SAFETY: the caller's three promises are those of `Described::measure`.
        let change = unsafe { object.measure() };
        if change != 0 {
            self.note_owned(change);
        }
    }

    /// Measures the values of objects that were written; with `all`, also large ones that are written often, and
    /// elements of collections. If some panic, the first panic is kept for the end of a safepoint.
    ///
    /// # Safety
    ///
    /// 1. No `mutate` call of this mutator is running; with `all`, none of any mutator.
    /// 2. No object that it has written since the last time was freed, nor is one freed meanwhile.
    pub(crate) unsafe fn measure_written(&self, all: bool) {
        let heap = self.heap();
        let (notes, before) = (self.written.len(), self.allocated().owned);
        let mut later = 0;
        let measure = |start, most| {
            // SAFETY: the barrier has noted an object in a described block, which is still there (2). References
            // into it belong to `mutate` calls. This mutator is in none (1). If there are others, values are
            // `Sync`, and so are their cells; and what a lock in another object guards is left for later, unless
            // all are stopped.
            unsafe {
                let extent = heap.extent_of(ObjectStart::new_unchecked(start));
                let Some(object) = Described::at(extent) else {
                    return Look::Done(0);
                };
                if object.descriptor().lent && !all && !self.collector.has_one_mutator() {
                    later += 1;
                    return Look::Later;
                }
                if extent.bytes > most {
                    return Look::TooLarge;
                }
                let measuring = AssertUnwindSafe(|| self.measure(object));
                if let Err(payload) = panic::catch_unwind(measuring) {
                    self.collector.keep_panic(payload);
                }
                Look::Done(extent.bytes)
            }
        };
        only_looking(|| self.written.each(all, measure));
        self.collector.unmeasured.add(later);
        let grown = self.allocated().owned.wrapping_sub(before);
        self.written.learn(notes, grown);
    }

    /// All that was ever allocated, with what the values of objects that were written since they were measured have
    /// probably grown by.
    pub(crate) fn probably_allocated(&self) -> Volume {
        let mut allocated = self.allocated();
        let more = i64::try_from(self.written.expected_growth()).unwrap_or(i64::MAX);
        allocated.owned = allocated.owned.wrapping_add(more);
        allocated
    }

    /// Notes that what the value of an object owns may change, by a write that needs no barrier.
    ///
    /// # Safety
    ///
    /// A described object of this heap starts at `object`, and is not freed before it was
    /// [measured](Context::measure_written).
    pub(crate) unsafe fn note_written(&self, object: usize) {
        self.written.note(object);
    }

    /// Takes the list of objects that were written and not measured, for another mutator of this heap.
    pub(crate) fn take_written(&self) -> Vec<usize> {
        self.written.take()
    }

    /// Adds objects to those that are measured at the next stop.
    ///
    /// # Safety
    ///
    /// They were [taken](Context::take_written) from mutators of the same heap, and none was freed since.
    pub(crate) unsafe fn add_written(&self, objects: impl IntoIterator<Item = usize>) {
        self.written.add(objects);
    }

    /// Counts what the root owns, as `measure` tells it. A panic is kept for the end of a safepoint.
    pub(crate) fn measure_root(&self, measure: impl FnOnce() -> usize) {
        match panic::catch_unwind(AssertUnwindSafe(measure)) {
            Ok(bytes) => {
                let bytes = bytes.min(crate::types::ledger::MOST);
                let before = self.owned_by_root.replace(bytes);
                self.note_owned(bytes as i64 - before as i64);
            }
            Err(payload) => self.collector.keep_panic(payload),
        }
    }
}
