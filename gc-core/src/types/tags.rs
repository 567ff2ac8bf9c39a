//! Setting tags by visiting values: for objects whose type map is not constant.

use crate::heap::Heap;
use crate::heap::block::Flag;
use crate::heap::extent::Extent;
use crate::heap::planes::{WORD, bit, stretches};
use crate::heap::start::ObjectStart;
use crate::pointers::gc::Gc;
use crate::pointers::weak::GcWeak;
use crate::sync::{Ordering, fence};
use crate::types::descriptor::Described;
use crate::types::trace::{Edge, EdgeVisitor, Trace, Unreferenced};

impl Heap {
    /// Tags the word at `slot` as a strong or a weak pointer.
    ///
    /// # Safety
    ///
    /// The word is a pointer word of an object of this heap.
    #[inline]
    pub(crate) unsafe fn tag_word(&self, slot: usize, weak: bool) {
        // SAFETY: the word lies in a block of this heap.
        unsafe {
            self.planes().group(slot).tags.insert(bit(slot));
            if weak {
                self.insert_kind(slot, Flag::Weak);
            }
        }
    }

    /// Tags the pair of words at `slot` as an ephemeron: the first as a weak pointer, the second, which is
    /// none by its tag, as the value that belongs to it.
    ///
    /// # Safety
    ///
    /// They are two words of an object of this heap, aligned to their size, and the tag of the second is
    /// clear.
    #[inline]
    pub(crate) unsafe fn tag_ephemeron(&self, slot: usize) {
        // SAFETY: both are words of an object of this heap (the caller's promise): the first is a weak pointer, the
        // second the word of its value.
        unsafe {
            self.tag_word(slot, true);
            self.insert_kind(slot + WORD, Flag::Weak);
        }
    }

    /// Sets the bit of `address` in the `kinds` plane, and notes in the block table what it stands for.
    ///
    /// # Safety
    ///
    /// The address lies in an object of this heap.
    pub(crate) unsafe fn insert_kind(&self, address: usize, flag: Flag) {
        // SAFETY: the address lies in an object of this heap (the caller's promise).
        unsafe {
            self.note_kinds(address, flag);
            self.planes().kinds(address).insert(bit(address));
        }
    }

    /// Notes that an object was found to be dead. Who then marks it has done so in this order for all who look for the
    /// mark first.
    pub(crate) fn insert_found_dead(&self, start: ObjectStart) {
        let address = start.address();
        // SAFETY: the object is one of this heap, and so is its block.
        unsafe {
            self.planes().fates(address).insert_shared(start.bit());
            // So that whoever asks looks at all, and the sweeper clears the bit.
            self.blocks().raise(self.owned_block(address), Flag::Weak);
        }
        self.note_found_dead();
        // Partner: the fence in `Context::upgrade`. The mark that is set after it is seen only with what is noted
        // here.
        fence(Ordering::Release);
    }

    /// Whether an object was ever found to be dead.
    #[inline]
    pub(crate) fn was_found_dead(&self, start: ObjectStart) -> bool {
        self.has_found_dead()
            && self.state_of(start).has_weak()
            // SAFETY: the object lies in a block of this heap.
            && unsafe { self.planes().fates(start.address()) }.get() & start.bit() != 0
    }

    /// Notes in the block table that an object has such bits in the `kinds` plane.
    ///
    /// # Safety
    ///
    /// The address lies in an object of this heap.
    #[inline]
    pub(crate) unsafe fn note_kinds(&self, address: usize, flag: Flag) {
        // The flags of an object are those of the block in which it starts.
        // SAFETY: the address lies in an object of this heap (the caller's promise), and so the blocks are this heap's.
        unsafe { self.blocks().raise(self.start_block(address), flag) }
    }

    /// Whether the tags of an object may not tell the truth.
    #[inline]
    pub(crate) fn is_dirty(&self, start: ObjectStart) -> bool {
        // SAFETY: the object lies in a block of this heap.
        unsafe { self.planes().states(start.address()) }.get() & dirty_bit(start) != 0
    }

    /// Notes that the tags of an object may not tell the truth: it may have been written since they were made, or is
    /// external.
    #[inline]
    pub(crate) fn set_dirty(&self, start: ObjectStart) {
        // SAFETY: the object lies in a block of this heap.
        let states = unsafe { self.planes().states(start.address()) };
        if states.get() & dirty_bit(start) == 0 {
            // A sweeper may be clearing the bits of dead objects beside it.
            states.insert_shared(dirty_bit(start));
        }
    }

    /// Notes that the tags of the object tell the truth; which those of an external one do only as
    /// long as nobody writes to what it owns, of which the collector does not hear.
    ///
    /// # Safety
    ///
    /// It is an object of this heap, and they do.
    #[inline]
    pub(crate) unsafe fn clear_dirty(&self, object: Described) {
        if !object.descriptor().external {
            let start = object.start();
            // SAFETY: the object is one of this heap (the caller's promise).
            unsafe { self.planes().states(start.address()) }.remove_shared(dirty_bit(start));
        }
    }

    /// Removes all tags and kinds of the object.
    ///
    /// # Safety
    ///
    /// It is an allocation of this heap.
    pub(crate) unsafe fn clear_tags(&self, extent: Extent) {
        // SAFETY: the object's first block is one of this heap.
        let kinds = unsafe { self.state_at(extent.base) }.has_kinds();
        for stretch in stretches(extent.base, extent.end()) {
            let (address, own) = (stretch.start(), stretch.mask());
            // SAFETY: the address lies in an object of this heap.
            unsafe {
                self.planes().group(address).tags.remove(own);
                if kinds {
                    self.planes().kinds(address).remove(own);
                }
            }
        }
    }

    /// Makes the tags of a described object anew from its value. If the value's `trace` panics, the
    /// object stays dirty.
    ///
    /// # Safety
    ///
    /// It is an object of this heap, and no mutator is at work on it.
    pub(crate) unsafe fn retag(&self, object: Described) {
        let extent = object.extent();
        // SAFETY: the object is one of this heap (the caller's promise), and nobody looks at its tags or writes to it
        // while they are made anew.
        unsafe {
            self.clear_tags(extent);
            object.trace(&mut Tagger { heap: self, extent });
            self.clear_dirty(object);
        }
    }
}

/// The bit that says that an object is dirty: that of its second word. (That of the first says that it is pinned.)
#[inline(always)]
pub(crate) fn dirty_bit(start: ObjectStart) -> u64 {
    start.second_bit()
}

/// Tags each word of one object that is visited as a pointer; pointers elsewhere are passed over.
pub(crate) struct Tagger<'h> {
    heap: &'h Heap,
    extent: Extent,
}

impl<'h> Tagger<'h> {
    /// A visitor for the value in the object `extent`.
    ///
    /// # Safety
    ///
    /// The object is an allocation of `heap`, is visited by no other value's `trace`, and nobody has
    /// a reference to the value in it.
    #[inline]
    pub(crate) unsafe fn new(heap: &'h Heap, extent: Extent) -> Tagger<'h> {
        Tagger { heap, extent }
    }

    #[inline]
    fn tag(&mut self, slot: usize, weak: bool) {
        if slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slot is a word of the object (`new`), and a pointer: it was visited as
            // one.
            unsafe { self.heap.tag_word(slot, weak) }
        }
    }

    fn tag_ephemeron(&mut self, slot: usize) {
        if slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slots are words of the object (`new`); ephemerons are aligned, and tags are made from none.
            unsafe { self.heap.tag_ephemeron(slot) }
        }
    }

    #[inline]
    fn derive(&mut self, slot: usize) {
        if slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slot is a word of the object (`new`), and was visited as derived.
            unsafe { self.heap.insert_kind(slot, Flag::Derived) }
        }
    }
}

impl EdgeVisitor for Tagger<'_> {
    fn visit(&mut self, edge: Edge) {
        self.tag(edge.slot, edge.weak);
    }

    fn visit_ephemeron(&mut self, slot: usize, _: usize, _: usize) {
        self.tag_ephemeron(slot);
    }

    fn visit_derived(&mut self, slot: usize) {
        self.derive(slot);
    }
}

impl<'gc> Trace<'gc> for Tagger<'_> {
    // A pointer whose place is not told is a copy, or lies outside of the object.
    fn trace_gc(&mut self, _: Gc<'gc, ()>) {}

    fn trace_gc_weak(&mut self, _: GcWeak<'gc, ()>) {}

    #[inline]
    fn trace_gc_at(&mut self, slot: usize, _: Gc<'gc, ()>) {
        self.tag(slot, false);
    }

    #[inline]
    fn trace_gc_weak_at(&mut self, slot: usize, _: GcWeak<'gc, ()>) {
        self.tag(slot, true);
    }

    #[inline]
    fn trace_null_at(&mut self, slot: usize, weak: bool) {
        self.tag(slot, weak);
    }

    fn trace_ephemeron_at(&mut self, slot: usize, _: GcWeak<'gc, ()>, _: usize) {
        self.tag_ephemeron(slot);
    }

    #[inline]
    fn trace_derived_at(&mut self, slot: usize) {
        self.derive(slot);
    }

    fn stays_inside(&self) -> bool {
        true
    }

    fn holds(&self, address: usize, _: bool) -> Option<Unreferenced> {
        let inside = address.wrapping_sub(self.extent.base) < self.extent.bytes;
        // SAFETY: the value in the object is new, or no mutator is at work (`new`).
        inside.then(|| unsafe { Unreferenced::new(address) })
    }
}
