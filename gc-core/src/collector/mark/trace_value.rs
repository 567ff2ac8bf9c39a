//! Tracing by value, where the tags of an object cannot tell its pointers: memory outside of the heap, and pointers
//! that have moved.
//!
//! A `trace` that may be the user's code runs only on a thread that may run it. Other markers put such objects on a list
//! for safepoints. What consists of our code and that of the derive macro, and reads nothing that changes before the
//! object is claimed, any marker traces ([`TypeMap`](crate::types::type_map), invariant 5). A concurrent one does so as it
//! reads words: while the object is published, and if it is not claimed. The writer's barrier waits for it. So that it does
//! not wait for more than the object that it claims, long ones are published alone. Memory of which the value has told is
//! read [a little later](super::outside), but before the object is published no more.
//!
//! Atomic cells in memory that an object owns are stored to without a claim. In a cycle that remembers writes, a pointer
//! that is there for a moment only must not be seen. So in such a cycle of a heap with many mutators, values are left to
//! safepoints.

use super::Marker;
use crate::heap::Heap;
use crate::heap::block::Flag;
use crate::heap::extent::Extent;
use crate::heap::planes::bit;
use crate::heap::start::ObjectStart;
use crate::protocol::claim;
use crate::types::descriptor::Described;
use crate::types::owned_bytes::only_looking;
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

/// A value that takes longer to trace is the only one that is published meanwhile: so many bytes of it and of what it
/// owns, as far as that is known. No small object is larger.
const LONG: usize = 8192;

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Traces the value of an object if this marker may, or else leaves it to a safepoint. A concurrent marker has
    /// published the object, and found it not claimed.
    #[inline(always)]
    pub(super) fn trace_or_leave(&mut self, object: Described) {
        let descriptor = object.descriptor();
        if descriptor.concurrent && descriptor.external && !self.leaves_values {
            if CONCURRENT && self.is_long(object) {
                return self.long.push(object.extent().base);
            }
            // SAFETY: the value may be traced concurrently. No mutator is at work; or the object was published and
            // found not claimed, and `scan_batch` reads what was found before it finishes the batch.
            unsafe { self.trace_owner(object) }
        } else if self.traces_values {
            self.trace_value(object);
        } else {
            self.backlog.untraced.push(object.extent().base);
        }
    }

    /// Whether it may take long to trace the value, or its claim is not one that the batch looks for.
    fn is_long(&self, object: Described) -> bool {
        // SAFETY: the object was found, and is not freed while a cycle marks.
        let owned = unsafe { object.entry() }.bytes();
        object.extent().bytes.saturating_add(owned) > LONG
    }

    /// Traces values that may take long, if nobody has claimed their objects.
    #[cold]
    #[inline(never)]
    pub(super) fn trace_long(&mut self) {
        while let Some(start) = self.long.pop() {
            self.batch.publish(&[start]);
            // SAFETY: an object starts there, in a described block, as a value of it was to be traced. So the planes are
            // committed. It is traced if it was published and is not claimed; for a claim of the whole object begins at
            // its start, whether it is large or not.
            unsafe {
                let state = self.blocks.state_beside(self.heap.owned_block(start));
                let word = self.planes.claims(start).word();
                if !(state.is_claimed() && claim::is_claimed(word, bit(start))) {
                    let extent = self.heap.extent_of(ObjectStart::new_unchecked(start));
                    if let Some(object) = Described::at(extent) {
                        self.trace_owner(object);
                    }
                }
            }
            self.read_found();
            self.batch.finish();
        }
    }

    /// Traces the value of an object, pointers outside of the object included. The words of one whose pointers are all
    /// inside are tagged; if its `trace` panics, it stays dirty.
    #[inline(never)]
    fn trace_value(&mut self, object: Described) {
        let (heap, extent) = (self.heap, object.extent());
        if !object.descriptor().external {
            self.work.count_retagged_late();
        }
        // SAFETY: no mutator is at work (`new`), so no exclusive reference is in use, and this thread may trace
        // values. All tags are made anew in between.
        unsafe {
            if object.descriptor().external {
                object.trace(self);
            } else {
                heap.clear_tags(extent);
                object.trace(&mut Retagger {
                    heap,
                    extent,
                    listener: self,
                });
                heap.clear_dirty(object);
            }
            if !object.descriptor().concurrent {
                // Now that it is at hand; what was written without a barrier is seen only here.
                heap.count_owned(only_looking(|| object.measure()));
            }
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
