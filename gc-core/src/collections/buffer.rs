//! [`Buffer`]: the memory of a collection, an object of its own with slots for elements.
//!
//! A collection is a small value with a pointer to its buffer in it. Writing the value itself is the business of
//! the barrier of whatever object it is in, as for every field. The buffer is another object, so whoever
//! writes to a slot calls [`Buffer::before_write`] for it: one test and branch, unless a cycle marks
//! concurrently; then it claims the 512 bytes around the slot, once a cycle.
//!
//! # Layout
//!
//! | elements | the buffer is | its tags |
//! | --- | --- | --- |
//! | without pointers and `Drop` | slots | none; no barrier either |
//! | with pointers at fixed places | slots | of all slots, from the beginning |
//! | with `Drop`, or with pointers that only the value knows | slots, detail, descriptor | by the map: none, fixed ones of all slots, or made by asking the values |
//!
//! The last kind is a described object. Its descriptor is asked about the values that are *live*, of which the detail
//! tells ([`Live`](super::live::Live)).
//!
//! # Tags
//!
//! Elements that are *unions*, enums and the like, have their pointers in words of the slot that depend on the value.
//! There are two barriers for two kinds of writes:
//!
//! * [`Buffer::before_write`], if the collection itself writes. After that it says which of the slots hold elements now
//!   ([`Buffer::written`]) and which do not ([`Buffer::clear`]), and their tags are made anew.
//! * [`Buffer::before_lend`], if it gives somebody a reference by which to write. Nobody sees when he does, so the buffer
//!   is dirty afterwards, until a safepoint makes its tags anew.
//!
//! # Invariants
//!
//! 1. A buffer belongs to one collection, or to none (then it is garbage, or its elements are being moved
//!    out), and nobody else has its address, but markers. A collection cannot be copied. One that is made into a `Gc` of
//!    a slice gives its buffer up: no collection writes to it then, and no pointer of that kind reads a length from it.
//! 2. With tags at fixed places, all tagged words of slots that hold no element are zero, so that they neither
//!    keep anything alive nor point to what was freed. Whoever moves an element out clears its slot,
//!    under the same barrier.
//! 3. In a described buffer, the slots that `Live` names hold values, and it names all from which nothing was moved
//!    out. A marker never reads it: only the program's thread asks, drops and writes.
//! 4. A buffer is filled when it is made, before anybody can look. In a cycle it is allocated claimed, so no
//!    marker reads it then.
//! 5. When elements are moved to another buffer, the old one is left as it is, for the snapshot, unless it has to drop
//!    elements or may own memory elsewhere; then it is claimed first, and then names no slots any more.
//! 6. While no cycle is in progress, a large buffer may grow where it is: nobody else looks at its slots then, nor at the
//!    planes that belong to them.
//! 7. Tags of a buffer of unions are those of the elements that `Live` names, unless the buffer is dirty, or a call of the
//!    collection is between its write and its retagging. In such a call no user's code runs but `Drop` and what is
//!    passed to `retain` and the like, and it retags however that ends.
//! 8. A buffer whose elements own memory elsewhere is dirty from the beginning.

use core::marker::PhantomData;
use core::mem::{needs_drop, size_of};
use core::ptr::{self, NonNull};

use crate::collections::live::Live;
use crate::heap::bump::Shape;
use crate::heap::error::HeapError;
use crate::heap::extent::Extent;
use crate::heap::planes::{GRANULE, WORD};
use crate::heap::start::ObjectStart;
use crate::heap::{LARGE, MAX_ALIGN};
use crate::mutator::context::Context;
use crate::mutator::mutation::Invariant;
use crate::pointers::gc::Gc;
use crate::types::collect::{Collect, Trace};
use crate::types::descriptor::{Descriptor, read_detail};
use crate::types::ledger::Entry;
use crate::types::owned_bytes::OwnedBytes;
use crate::types::trace::Edges;
use crate::types::type_map::TypeMap;

/// Owns values of `T`, invariantly.
type Elements<T> = (T, fn(T) -> T);

/// A run of slots in the heap, or no memory at all.
///
/// Invariant in `T`: what a buffer is follows from the map of its elements' type, and that of a type of which it is a
/// subtype could be another.
#[repr(transparent)]
pub(super) struct Slots<'gc, T> {
    object: NonNull<T>,
    _elements: PhantomData<Elements<T>>,
    _invariant: Invariant<'gc>,
}

// SAFETY: the elements belong to whoever has this, as if it had them itself; all that changes them asks for a
// `Mutation`, but for cells such as `Lock`, which look for their arena among those of the thread. No such cell is
// `Sync`, so that is asked for as well: elsewhere it would be written without a barrier, while a marker may not have
// seen it.
unsafe impl<T: Send + Sync> Send for Slots<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Slots<'_, T> {}

/// Slots, and how many.
pub(super) struct Buffer<'gc, T> {
    slots: Slots<'gc, T>,
    capacity: usize,
}

/// Whether the tags of slots that are written are made anew by who writes.
#[derive(Clone, Copy)]
#[must_use = "the tags of what is written must be made anew"]
pub(super) struct Retag(bool);

/// What is known about buffers of `T` at compile time.
struct Kind<T>(PhantomData<T>);

impl<'gc, T: Collect<'gc> + 'gc> Kind<T> {
    const MAP: TypeMap = T::TYPE_MAP;
    const LEAF: bool = Self::MAP.is_leaf();
    const DESCRIBED: bool = needs_drop::<T>() || Self::MAP.fixed().is_none();
    /// Whether the pointers of elements depend on their values, and are in them.
    const UNION: bool = Self::MAP.is_union();
    /// Whether a buffer that has given up its elements must not name them.
    const DISOWNS: bool = needs_drop::<T>() || Self::MAP.is_external();

    /// Which words of a slot are tagged from the beginning, and which have a bit in the `kinds` plane.
    const FIXED: (u64, u64) = match Self::MAP.fixed() {
        Some(fixed) => fixed,
        None => (0, 0),
    };
    const TAGGED: bool = Self::FIXED.0 != 0;

    const ALIGN: usize = {
        assert!(
            align_of::<T>() <= MAX_ALIGN,
            "elements of managed collections are aligned to 4096 bytes at most"
        );
        if align_of::<T>() > WORD {
            align_of::<T>()
        } else {
            WORD
        }
    };

    const DESCRIPTOR: &'static Descriptor = &Descriptor {
        drop: if needs_drop::<T>() {
            Some(drop_live::<T>)
        } else {
            None
        },
        trace: trace_live::<T>,
        measure: if needs_drop::<T>() {
            Some(measure_live::<T>)
        } else {
            None
        },
        external: Self::MAP.is_external(),
        // Which slots are live follows from what the collection writes when it has claimed itself.
        concurrent: false,
        opaque: !Self::MAP.is_concurrent(),
        moves: Self::MAP.fixed().is_none(),
        lent: true,
        metadata: NonNull::dangling(),
        type_name: core::any::type_name::<[T]>,
    };

    /// The shape of a buffer, or `None` if none is so large.
    fn shape(capacity: usize) -> Option<Shape> {
        let mut bytes = capacity.checked_mul(size_of::<T>())?;
        if Self::DESCRIBED {
            if size_of::<T>() > 0 && capacity >= Live::MOST {
                return None;
            }
            bytes = bytes
                .checked_next_multiple_of(WORD)?
                .checked_add(Descriptor::overhead(true))?;
        }
        let bytes = bytes.checked_next_multiple_of(GRANULE)?;
        (bytes <= isize::MAX as usize).then_some(Shape {
            bytes,
            align: Self::ALIGN,
            described: Self::DESCRIBED,
            leaf: Self::LEAF,
            tags: 0,
        })
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Buffer<'gc, T> {
    /// No memory. Elements without size need none, unless somebody must count them.
    pub(super) const NONE: Buffer<'gc, T> = {
        let _ = Kind::<T>::ALIGN;
        Buffer {
            slots: Slots {
                object: NonNull::dangling(),
                _elements: PhantomData,
                _invariant: PhantomData,
            },
            capacity: 0,
        }
    };

    /// Slots for `capacity` elements, or for any number if they have no size. `fill` writes elements into the first
    /// slots, and returns how many.
    ///
    /// # Errors
    ///
    /// If there is no memory; then `fill` was not called.
    ///
    /// # Safety
    ///
    /// `fill` neither panics nor writes more than `capacity` elements, and owns those that it writes.
    pub(super) unsafe fn make(
        context: &Context,
        capacity: usize,
        fill: impl FnOnce(*mut T) -> usize,
    ) -> Result<Buffer<'gc, T>, HeapError> {
        if size_of::<T>() == 0 && !Kind::<T>::DESCRIBED || capacity == 0 {
            let buffer = Buffer {
                capacity: if capacity == 0 { 0 } else { usize::MAX },
                ..Buffer::NONE
            };
            fill(buffer.place());
            return Ok(buffer);
        }
        let capacity = if size_of::<T>() == 0 {
            usize::MAX
        } else {
            capacity
        };
        let shape = Kind::<T>::shape(capacity).ok_or(HeapError::SizeOverflow {
            count: capacity,
            size: size_of::<T>(),
        })?;
        let capacity = match Kind::<T>::DESCRIBED {
            true => slots_in::<T>(shape.bytes),
            false => capacity,
        };
        let base = context
            .allocate(&shape)
            .ok_or_else(|| context.no_memory())?;
        let place = base.pointer::<T>();
        // SAFETY: the object is new, and as long as its shape says; nobody looks at it before it is filled. Tagged
        // words of slots that are not filled are zeroed.
        unsafe {
            let buffer = Buffer {
                slots: Slots {
                    object: place,
                    _elements: PhantomData,
                    _invariant: PhantomData,
                },
                capacity,
            };
            let count = fill(place.as_ptr());
            buffer.zero(count, capacity - count);
            buffer.tag(context, 0);
            if Kind::<T>::DESCRIBED {
                let extent = Extent {
                    base: base.address(),
                    bytes: shape.bytes,
                };
                let live = Live::new::<T>(0, count).detail();
                // The elements are measured later: that may panic, and they would not be owned by anybody.
                context.describe(extent, Kind::<T>::DESCRIPTOR, Some(live), Entry::NOTHING);
                if Kind::<T>::UNION && !needs_drop::<T>() {
                    buffer.retag(context, 0, count);
                } else if Kind::<T>::MAP.fixed().is_none() {
                    // Of what needs to be dropped there may be two owners now, until the caller disowns the old buffer.
                    // So no user's code is called.
                    context.make_dirty(base);
                }
                if needs_drop::<T>() {
                    context.note_written(base.address());
                }
            }
            Ok(buffer)
        }
    }

    /// Gets more slots where it is, up to `capacity`, if the buffer is large and what is behind it is free. Whether
    /// that was so.
    pub(super) fn extend(&mut self, context: &Context, capacity: usize) -> bool {
        if Kind::<T>::DESCRIBED || size_of::<T>() == 0 || self.capacity == 0 {
            return false;
        }
        let lengths = (Kind::<T>::shape(self.capacity), Kind::<T>::shape(capacity));
        let (Some(old), Some(new)) = lengths else {
            return false;
        };
        let base = self.slots.object.addr().get();
        // SAFETY: the buffer is an object, which is large if it is so long, and is not described. Nobody else has its
        // address, but owners of the collection, whom the caller has exclusively. The new slots belong to it then.
        unsafe {
            if old.bytes <= LARGE
                || old.bytes >= new.bytes
                || !context.extend_large(ObjectStart::new_unchecked(base), new.bytes)
            {
                return false;
            }
            let from = core::mem::replace(&mut self.capacity, capacity);
            self.zero(from, capacity - from);
            self.tag(context, from);
        }
        true
    }

    /// Tags the slots from `from` on, which nobody has looked at yet.
    ///
    /// # Safety
    ///
    /// There is memory; and tagged words of the slots were written.
    unsafe fn tag(&self, context: &Context, from: usize) {
        let (size, count) = (size_of::<T>(), self.capacity - from);
        let object = self.slots.object.addr().get();
        // SAFETY: the slots lie in the buffer.
        unsafe { context.tag_values(object, object + from * size, Kind::<T>::FIXED, size, count) }
    }

    /// How many elements fit.
    #[inline(always)]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The slot that is `distance` behind another, in a ring; `distance` is not above the capacity.
    #[inline(always)]
    pub(super) fn wrap(&self, slot: usize, distance: usize) -> usize {
        let (next, overflow) = slot.overflowing_add(distance);
        if overflow || next >= self.capacity {
            next.wrapping_sub(self.capacity)
        } else {
            next
        }
    }

    /// The first slot. It is aligned, and there if there is any capacity.
    #[inline(always)]
    pub(super) fn place(&self) -> *mut T {
        self.slots.object.as_ptr()
    }

    /// The write barrier for `count` slots from `from` on, which the collection writes in the same `mutate` call, and
    /// of which it says after that what they hold, with [`Buffer::written`] and [`Buffer::clear`].
    #[inline(always)]
    pub(super) fn before_write(&self, context: &Context, from: usize, count: usize) -> Retag {
        if !Kind::<T>::UNION || self.capacity == 0 {
            self.before_lend(context, from, count);
            return Retag(false);
        }
        let (object, bytes) = (self.slots.object.addr().get(), self.bytes(from, count));
        // SAFETY: there is capacity, so an object starts there; the slots lie in it. What is written is retagged, as
        // the result is for nothing else. What needs to be dropped is measured.
        unsafe {
            if needs_drop::<T>() {
                context.note_written(object);
            }
            Retag(context.before_known_write(object, bytes))
        }
    }

    /// The write barrier for `count` slots from `from` on, to which others get references by which they may write in
    /// the same `mutate` call.
    #[inline(always)]
    pub(super) fn before_lend(&self, context: &Context, from: usize, count: usize) {
        if self.capacity == 0 {
            return;
        }
        let object = self.slots.object.addr().get();
        if Kind::<T>::LEAF {
            if needs_drop::<T>() {
                // What the elements own may become more or less.
                // SAFETY: with a capacity and elements that need dropping, a described object starts there; this
                // `mutate` call keeps it, and cycles do not free what was written during them.
                unsafe { context.note_written(object) }
            }
            return;
        }
        let bytes = self.bytes(from, count);
        // SAFETY: there is capacity, so an object starts there, for types with pointers also if they have
        // no size; the slots lie in it.
        unsafe {
            if Kind::<T>::DESCRIBED {
                context.before_partial_write(object, bytes);
            } else {
                context.before_clean_write(object, bytes);
            }
        }
    }

    /// Where slots begin and end.
    #[inline(always)]
    fn bytes(&self, from: usize, count: usize) -> (usize, usize) {
        let start = self.slots.object.addr().get() + from * size_of::<T>();
        (start, start + count * size_of::<T>())
    }

    /// Makes tags of slots right that were written after a [barrier](Buffer::before_write). It comes after
    /// [`Buffer::set_live`].
    ///
    /// # Panics
    ///
    /// If the `trace` of an element does; then the buffer is dirty.
    ///
    /// # Safety
    ///
    /// They hold elements, the barrier was called for them, and `retag` is what it has returned, in this `mutate` call.
    #[inline(always)]
    pub(super) unsafe fn written(
        &self,
        context: &Context,
        retag: Retag,
        from: usize,
        count: usize,
    ) {
        if Kind::<T>::UNION && retag.0 {
            // SAFETY: the caller's promises are the same.
            unsafe { self.retag(context, from, count) }
        }
    }

    /// # Safety
    ///
    /// The slots hold elements. The barrier for them has returned that they are to be retagged, or the buffer is new.
    #[inline(always)]
    unsafe fn retag(&self, context: &Context, from: usize, count: usize) {
        let object = self.slots.object.addr().get();
        for slot in from..from + count {
            // SAFETY: an element is there, to which only the owner of the collection could have a reference, whom the
            // caller has exclusively. The object is new; or it is described, the context retags, and the barrier was
            // called (the caller's promise).
            unsafe { context.retag_value(object, self.place().add(slot)) }
        }
    }

    /// Clears slots from which elements were moved out.
    ///
    /// # Safety
    ///
    /// They hold no elements. The barrier was called for them in this `mutate` call, and `retag` is what it has
    /// returned.
    #[inline(always)]
    pub(super) unsafe fn clear(&self, context: &Context, retag: Retag, from: usize, count: usize) {
        // SAFETY: the slots lie in the buffer, and hold no elements. If there is something to untag, the buffer is an
        // object, the context retags, and the barrier was called (the caller's promise).
        unsafe {
            self.zero(from, count);
            if Kind::<T>::UNION && retag.0 {
                let object = self.slots.object.addr().get();
                for slot in from..from + count {
                    context.untag(object, self.place().add(slot));
                }
            }
        }
    }

    /// Clears the words of slots that are tagged though they hold no elements.
    ///
    /// # Safety
    ///
    /// The barrier was called for them, or nobody knows the buffer yet; and they hold no elements.
    #[inline(always)]
    unsafe fn zero(&self, from: usize, count: usize) {
        if Kind::<T>::TAGGED {
            // SAFETY: the slots lie in the buffer.
            unsafe { self.place().add(from).write_bytes(0, count) }
        }
    }

    /// Notes which slots hold elements.
    ///
    /// # Safety
    ///
    /// They do; and if that are fewer than before, the barrier was called for those that do no longer.
    #[inline(always)]
    pub(super) unsafe fn set_live(&self, head: usize, len: usize) {
        if Kind::<T>::DESCRIBED && self.capacity > 0 {
            // SAFETY: it lies in the buffer, and only this thread looks at it.
            unsafe { self.live().write(Live::new::<T>(head, len)) }
        }
    }

    /// The detail of a described buffer.
    #[inline(always)]
    fn live(&self) -> *mut Live {
        let slots = self.capacity * size_of::<T>();
        // With detail and descriptor the buffer is as long as some granules, as these two are.
        self.place()
            .wrapping_byte_add(slots.next_multiple_of(GRANULE))
            .cast()
    }

    /// What [`Buffer::disown`] needs in the same `mutate` call. Like every barrier it may ask elements for their
    /// pointers, which is code of the user's and may panic.
    #[inline]
    pub(super) fn before_disown(&self, context: &Context) {
        if Kind::<T>::DISOWNS {
            // The barrier of a described object is for all of it.
            self.before_lend(context, 0, self.capacity.min(1));
        }
    }

    /// Gives up the elements, which somebody else owns from now on: the buffer must not tell or drop them any more.
    ///
    /// # Safety
    ///
    /// [`Buffer::before_disown`] was called.
    #[inline]
    pub(super) unsafe fn disown(&self) {
        if Kind::<T>::DISOWNS {
            // SAFETY: the barrier was called.
            unsafe { self.set_live(0, 0) }
        }
    }
}

// SAFETY: the one pointer is visited in place; a transparent struct has it at its own address.
unsafe impl<'gc, T> Collect<'gc> for Slots<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        // SAFETY: it is the address of an object of the arena that `'gc` brands, or in no heap.
        let object = unsafe { Gc::from_non_null(self.object.cast::<()>()) };
        cc.trace_gc_at(ptr::from_ref(self).addr(), object);
    }
}

// SAFETY: the one field with a pointer is visited in place.
unsafe impl<'gc, T> Collect<'gc> for Buffer<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        TypeMap::STRONG,
        core::mem::offset_of!(Buffer<'gc, T>, slots),
    );

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.slots);
    }
}

/// How many slots a described buffer of so many bytes has: as many as there is room for.
#[inline(always)]
fn slots_in<T>(bytes: usize) -> usize {
    match size_of::<T>() {
        0 => usize::MAX,
        size => (bytes - Descriptor::overhead(true)) / size,
    }
}

const _: () = assert!(Descriptor::overhead(true) == GRANULE);

/// The live elements of a buffer, as two slices, and the address behind the slots.
///
/// # Safety
///
/// It is a described buffer of `T`.
unsafe fn live_slices<T>(buffer: Extent) -> ([*mut [T]; 2], usize) {
    let place = ptr::with_exposed_provenance_mut::<T>(buffer.base);
    // SAFETY: the detail of such a buffer says which slots hold elements.
    let (head, len) = unsafe { read_detail::<Live>(buffer.end()) }.head_and_len::<T>();
    let capacity = slots_in::<T>(buffer.bytes);
    let end = buffer.end() - Descriptor::overhead(true);
    let front = len.min(capacity - head);
    let parts = [
        ptr::slice_from_raw_parts_mut(place.wrapping_add(head), front),
        ptr::slice_from_raw_parts_mut(place, len - front),
    ];
    (parts, end)
}

/// Drops the live elements.
///
/// # Safety
///
/// As for [`live_slices`]; and nobody refers to them, now or later.
unsafe fn drop_live<T>(buffer: Extent) {
    /// Drops the rest, also when the first part panics.
    struct Rest<T>(*mut [T]);

    impl<T> Drop for Rest<T> {
        fn drop(&mut self) {
            // SAFETY: the elements are dropped here only.
            unsafe { self.0.drop_in_place() }
        }
    }

    // SAFETY: passed on to the caller; the parts do not overlap.
    unsafe {
        let ([front, back], _) = live_slices::<T>(buffer);
        let _back = Rest(back);
        front.drop_in_place();
    }
}

/// How many bytes the live elements own outside of the heap.
///
/// # Safety
///
/// As for [`live_slices`]; and nobody has an exclusive reference to them.
unsafe fn measure_live<'gc, T: Collect<'gc> + 'gc>(buffer: Extent) -> Option<usize> {
    // SAFETY: passed on to the caller.
    let (parts, _) = unsafe { live_slices::<T>(buffer) };
    // SAFETY: as above.
    let [front, back] = parts.map(|part| OwnedBytes::sum(unsafe { &*part }).ok());
    Some(front?.saturating_add(back?))
}

/// Visits the pointers of the live elements.
///
/// # Safety
///
/// As for [`live_slices`]; and nobody has a reference to them by which to change them.
unsafe fn trace_live<'gc, T: Collect<'gc> + 'gc>(buffer: Extent, edges: &mut Edges<'_>) {
    // SAFETY: passed on to the caller.
    unsafe {
        let (parts, end) = live_slices::<T>(buffer);
        edges.set_object(buffer.base..end);
        for part in parts {
            for element in &*part {
                edges.trace(element);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest element of which a buffer must know the number.
    struct Small(#[allow(dead_code, reason = "what makes it one byte long")] u8);

    // SAFETY: there are no pointers.
    unsafe impl<'gc> Collect<'gc> for Small {
        const NEEDS_TRACE: bool = false;
    }

    impl Drop for Small {
        fn drop(&mut self) {}
    }

    #[test]
    fn no_buffer_has_more_slots_than_it_can_tell() {
        assert!(Kind::<Small>::shape(Live::MOST).is_none());
        assert!(Kind::<Small>::shape(u32::MAX as usize + 1).is_none());
        let longest = Kind::<Small>::shape(Live::MOST - 1).unwrap();
        let slots = slots_in::<Small>(longest.bytes);
        for (head, len) in [(0, slots), (slots - 1, slots), (slots - 1, 0)] {
            let live = Live::new::<Small>(head, len);
            assert_eq!(live.head_and_len::<Small>(), (head, len));
        }
    }
}
