//! The entrance of allocation: memory for objects, and how much of it there was.
//!
//! A context has an [`Allocator`](crate::heap::allocator::Allocator) of its own, so the fast path takes no lock and
//! counts in fields of its own. Figures are the heap's counts, to which the allocator's are added that it has not
//! reported yet.
//!
//! This knows shapes, not types: values are put into objects by [`crate::mutator::allocation`].

use super::Context;
use crate::collector::Phase;
use crate::heap::bump::Shape;
use crate::heap::error::{HeapError, WaitingFinalizers};
use crate::heap::start::ObjectStart;
use crate::heap::volume::Volume;

impl Context {
    /// See [`Allocator::allocate`](crate::heap::allocator::Allocator::allocate).
    #[inline(always)]
    pub(crate) fn allocate(&self, shape: &Shape) -> Option<ObjectStart> {
        self.allocator.allocate(self.heap(), shape)
    }

    /// See [`Heap::extend_large`](crate::heap::Heap::extend_large). Nothing is extended while a cycle is in progress.
    ///
    /// # Safety
    ///
    /// The object is large, without a descriptor, and shorter than `bytes`, and no one but the caller has its address.
    pub(crate) unsafe fn extend_large(&self, start: ObjectStart, bytes: usize) -> bool {
        // A cycle cannot begin here: phases change at safepoints, outside of `mutate` calls.
        self.collector.phase() == Phase::Sleeping
            // SAFETY: the caller's promises are all that `Heap::extend_large` asks for, but that no cycle is in
            // progress, which the phase tells.
            && unsafe { self.heap().extend_large(start, bytes) }
    }

    /// Retires the allocation buffers; see
    /// [`Allocator::retire_all`](crate::heap::allocator::Allocator::retire_all).
    pub(crate) fn retire(&self) {
        self.allocator.retire_all(self.heap());
    }

    /// Why an allocation has failed. The pacer learns of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn no_memory(&self) -> HeapError {
        self.collector.pace(|pacer| pacer.starve());
        let error = self.allocator.take_error();
        error.with_finalizers(WaitingFinalizers {
            count: self.collector.finalizers.waiting(),
            mode: self.collector.options.finalizer_mode,
        })
    }

    /// Counts by how many bytes what objects own outside of the heap has grown.
    #[inline(always)]
    pub(crate) fn note_owned(&self, change: i64) {
        self.allocator.note_owned(change);
    }

    /// Reports these counts to the heap, if they have come to much.
    pub(crate) fn report_owned(&self) {
        self.allocator.report_owned(self.heap());
    }

    /// Counts the allocation of an object of so many bytes whose value has a destructor.
    #[inline(always)]
    pub(crate) fn note_owner(&self, bytes: usize) {
        self.allocator.note_owner();
        self.written.note_allocated(bytes);
    }

    /// All that was ever allocated.
    #[inline]
    pub(crate) fn allocated(&self) -> Volume {
        let (counted, more) = (self.heap().allocated(), self.allocator.uncounted());
        Volume {
            bytes: counted.bytes + more.bytes,
            owned: counted.owned.wrapping_add(more.owned),
            owners: counted.owners + more.owners,
        }
    }

    /// How many objects are allocated and not freed. Takes constant time.
    pub(crate) fn objects(&self) -> u64 {
        self.heap().objects() + self.allocator.uncounted_objects(self.heap())
    }
}
