//! Tracing by value, where the tags of an object cannot tell its pointers: memory outside of the heap, and pointers
//! that have moved.
//!
//! Only a thread that may run the user's code does it. Other markers put such objects on a list for safepoints.

use super::Marker;
use crate::heap::Heap;
use crate::heap::block::Flag;
use crate::heap::extent::Extent;
use crate::types::descriptor::Described;
use crate::types::owned_bytes::only_looking;
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Traces the value of an object, pointers outside of the object included, and tags those inside. If its
    /// `trace` panics, it stays dirty.
    pub(super) fn trace_value(&mut self, object: Described) {
        let (heap, extent) = (self.heap, object.extent());
        if !object.descriptor().external {
            self.work.count_retagged_late();
        }
        // SAFETY: no mutator is at work (`new`), so no exclusive reference is in use, and this thread may trace
        // values. All tags are made anew in between.
        unsafe {
            heap.clear_tags(extent);
            object.trace(&mut Retagger {
                heap,
                extent,
                listener: self,
            });
            heap.clear_dirty(object);
            // Now that it is at hand; what was written without a barrier is seen only here.
            heap.count_owned(only_looking(|| object.measure()));
        }
    }
}

/// Listens to the `trace` of an object, tags its words, and passes everything on.
pub(in crate::collector) struct Retagger<'a, V> {
    pub(in crate::collector) heap: &'a Heap,
    pub(in crate::collector) extent: Extent,
    pub(in crate::collector) listener: &'a mut V,
}

impl<V: EdgeVisitor> EdgeVisitor for Retagger<'_, V> {
    fn visit(&mut self, edge: Edge) {
        if edge.slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slot is a pointer word of the object.
            unsafe { self.heap.tag_word(edge.slot, edge.weak) };
        }
        self.listener.visit(edge);
    }

    fn visit_ephemeron(&mut self, slot: usize, key: usize, value: usize) {
        if slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slots are those of an ephemeron in the object, whose tags are made anew.
            unsafe { self.heap.tag_ephemeron(slot) }
        }
        self.listener.visit_ephemeron(slot, key, value);
    }

    fn visit_derived(&mut self, slot: usize) {
        if slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slot is a word of the object, and derived from the one before.
            unsafe { self.heap.insert_kind(slot, Flag::Derived) };
        }
    }

    fn drop_later(&mut self, owner: LastOwner) {
        self.listener.drop_later(owner);
    }
}
