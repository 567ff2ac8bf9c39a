//! Allocation of typed values: what a mutator's [`Context`] does with them. What it must know of the types is in
//! [`crate::mutator::plan`], with the steps in which an object is made.

use core::ptr::{self, NonNull};

use crate::heap::block::{BlockIndex, BlockTable, Flag};
use crate::heap::bump::{Shape, record_kinds, record_repeatedly};
use crate::heap::error::HeapError;
use crate::heap::extent::{Extent, end_of_in};
use crate::heap::planes::{GRANULE, Planes, WORD};
use crate::heap::start::ObjectStart;
use crate::mutator::context::Context;
use crate::mutator::plan::{FatSliceOf, ObjectOf, Unfinished};
use crate::types::collect::Collect;
use crate::types::descriptor::{Described, Descriptor, Detail, read_detail};
use crate::types::ledger::Entry;
use crate::types::owned_bytes::OwnedBytes;

impl Context {
    /// Puts `value` into the heap.
    #[inline(always)]
    pub(crate) fn allocate_value<'gc, T: Collect<'gc> + 'gc>(
        &self,
        value: T,
    ) -> Result<NonNull<T>, HeapError> {
        let Some(shape) = ObjectOf::<T>::SHAPE else {
            // The value is not stored, but it goes on existing at this address.
            core::mem::forget(value);
            return Ok(NonNull::dangling());
        };
        // Nothing, and no instruction, where a value has no destructor or never owns anything.
        let entry = Entry::of(OwnedBytes::of(&value));
        let Some(start) = self.allocate(shape) else {
            return Err(self.no_memory());
        };
        let base = start.address();
        let extent = Extent {
            base,
            bytes: shape.bytes,
        };
        let place = ptr::with_exposed_provenance_mut::<T>(base);
        // SAFETY: the allocation is new, and has the shape of an object with a `T`. Tags are set on words of the value
        // only, and nobody looks at them before it is there.
        unsafe {
            place.write(value);
            ObjectOf::<T>::describe(self, extent, (), entry);
            match T::TYPE_MAP.fixed() {
                // The shape has the tags.
                Some((tags, kinds)) => {
                    self.note_kinds(base, base, (tags, kinds), size_of::<T>(), 1)
                }
                None => ObjectOf::<T>::tag(self, extent, place),
            }
            Ok(NonNull::new_unchecked(place))
        }
    }

    /// Puts the values of `items` into the heap, side by side.
    pub(crate) fn allocate_slice<'gc, T: Collect<'gc> + 'gc>(
        &self,
        items: impl ExactSizeIterator<Item = T>,
    ) -> Result<NonNull<[T]>, HeapError> {
        let count = items.len();
        self.allocate_values(FatSliceOf::<T>::shape(count, 0)?, count, items)
    }

    /// Bytes of an object with so many values side by side; zero if it needs no memory. `None` if that is
    /// more than an address space.
    pub(crate) fn slice_bytes<'gc, T: Collect<'gc> + 'gc>(&self, count: usize) -> Option<usize> {
        let shape = FatSliceOf::<T>::shape(count, 0).ok()?;
        Some(shape.map_or(0, |shape| shape.bytes))
    }

    /// Puts the values of `items` into the heap, side by side, so that [`measured_length`] can tell how many
    /// they are.
    pub(crate) fn allocate_measured<'gc, T: Collect<'gc> + 'gc>(
        &self,
        items: impl ExactSizeIterator<Item = T>,
    ) -> Result<NonNull<[T]>, HeapError> {
        let count = items.len();
        let has_gap_byte = !FatSliceOf::<T>::DESCRIBED && has_gap_byte::<T>();
        let shape = FatSliceOf::<T>::shape(count, usize::from(has_gap_byte))?;
        let slice = self.allocate_values(shape, count, items)?;
        if let Some(shape) = shape
            && has_gap_byte
        {
            let start = slice.cast::<u8>();
            // SAFETY: the object was just allocated, with a byte more than the values need.
            unsafe {
                let gap = shape.bytes - size_of_val(slice.as_ref());
                start.add(shape.bytes - 1).write(gap as u8);
            }
        }
        Ok(slice)
    }

    /// Puts the values of `items`, which are `count`, into an object of the given shape.
    fn allocate_values<'gc, T: Collect<'gc> + 'gc>(
        &self,
        shape: Option<Shape>,
        count: usize,
        mut items: impl Iterator<Item = T>,
    ) -> Result<NonNull<[T]>, HeapError> {
        let extent = self.begin(shape, align_of::<T>())?;
        let place = ptr::with_exposed_provenance_mut::<T>(extent.base);
        let next = |index| {
            items.next().unwrap_or_else(|| {
                panic!("an iterator of length {count} ended after {index} items")
            })
        };
        // SAFETY: the allocation has room for `count` values, or they have no size. All are there when it is finished.
        unsafe {
            let slice = fill(place, count, next);
            if extent.bytes > 0 {
                let entry = FatSliceOf::<T>::measured(slice);
                FatSliceOf::<T>::describe(self, extent, count, entry);
                match T::TYPE_MAP.fixed() {
                    Some(words) => {
                        self.tag_values(extent.base, extent.base, words, size_of::<T>(), count);
                    }
                    None => FatSliceOf::<T>::tag(self, extent, slice),
                }
            }
            // Neither an allocation nor an alignment is zero.
            Ok(NonNull::new_unchecked(slice))
        }
    }

    /// Copies a string into the heap.
    pub(crate) fn allocate_str(&self, text: &str) -> Result<NonNull<str>, HeapError> {
        let bytes = text.len();
        let object = self.begin(FatSliceOf::<u8>::shape(bytes, 0)?, 1)?;
        let place = ptr::with_exposed_provenance_mut::<u8>(object.base);
        let copy = ptr::slice_from_raw_parts_mut(place, bytes) as *mut str;
        // SAFETY: the new allocation has room for the bytes, and nobody else refers to it. Neither its address nor that
        // of no bytes is null. There is nothing to be said to the collector of bytes.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), place, bytes);
            Ok(NonNull::new_unchecked(copy))
        }
    }

    /// Allocates an object without a value. If there is no shape, it needs no memory: its address is `align`, and its
    /// length is zero.
    #[inline]
    pub(crate) fn begin(&self, shape: Option<Shape>, align: usize) -> Result<Extent, HeapError> {
        let Some(shape) = shape else {
            return Ok(Extent {
                base: align,
                bytes: 0,
            });
        };
        let start = self.allocate(&shape).ok_or_else(|| self.no_memory())?;
        let extent = Extent {
            base: start.address(),
            bytes: shape.bytes,
        };
        if shape.described {
            // SAFETY: the object is new and described.
            unsafe { Described::clear(extent) };
        }
        Ok(extent)
    }

    /// Says what is in a new described object: from now on it has a value.
    ///
    /// # Safety
    ///
    /// The object is described, of this heap, and nobody else refers to it. The value is there. There is room for the
    /// detail, if there is one.
    #[inline(always)]
    pub(crate) unsafe fn describe(
        &self,
        extent: Extent,
        descriptor: &'static Descriptor,
        detail: Option<Detail>,
        entry: Entry,
    ) {
        // SAFETY: the object is new, and so long that the words for detail and descriptor, its last, hold nothing else
        // (the caller's promises). An object starts at its extent's base.
        unsafe {
            if let Some(detail) = detail {
                Described::set_detail(extent, detail);
            }
            Described::set(extent, descriptor, entry);
            if descriptor.drop.is_some() {
                self.note_owned(entry.bytes() as i64);
                self.note_owner(extent.bytes);
                self.heap()
                    .note_drop(ObjectStart::new_unchecked(extent.base));
            }
        }
    }

    /// Tags `count` values side by side, all with the same words: bit *i* stands for word *i*, the first number for
    /// tags, the second for the `kinds` plane. The first value is at `first`.
    ///
    /// # Safety
    ///
    /// They are `size` bytes each, or there is only one; and lie in the new object of this heap at `object`.
    #[inline(always)]
    pub(crate) unsafe fn tag_values(
        &self,
        object: usize,
        first: usize,
        (tags, kinds): (u64, u64),
        size: usize,
        count: usize,
    ) {
        // SAFETY: `count` values of `size` bytes from `first` on lie in the object (the caller's promise), so their
        // words are words of a block of this heap, and no other thread writes the planes of a new object.
        unsafe {
            if tags != 0 {
                record_repeatedly(self.heap().planes(), first, size / WORD, count, tags);
            }
            self.note_kinds(object, first, (tags, kinds), size, count);
        }
    }

    /// The part of [`Context::tag_values`] that is for the `kinds` plane.
    ///
    /// # Safety
    ///
    /// As there; and the tags are set.
    #[inline(always)]
    unsafe fn note_kinds(
        &self,
        object: usize,
        first: usize,
        (tags, kinds): (u64, u64),
        size: usize,
        count: usize,
    ) {
        if kinds == 0 {
            return;
        }
        // SAFETY: an object starts at its address, and the words lie in it.
        unsafe {
            if kinds & tags != 0 {
                self.heap().note_kinds(object, Flag::Weak);
            }
            if kinds & !tags != 0 {
                self.heap().note_kinds(object, Flag::Derived);
            }
            for index in 0..count {
                record_kinds(self.heap().planes(), first + index * size, kinds);
            }
        }
    }
}

/// Writes `count` values side by side. If `next` panics, those that are there are dropped.
///
/// # Safety
///
/// There is room for them at `place`, or they have no size and it is aligned.
#[inline]
pub(crate) unsafe fn fill<T>(
    place: *mut T,
    count: usize,
    mut next: impl FnMut(usize) -> T,
) -> *mut [T] {
    let mut there = Unfinished(ptr::slice_from_raw_parts_mut(place, 0));
    for index in 0..count {
        let value = next(index);
        // SAFETY: `index < count`, and there is room for `count` values (the caller's promise).
        unsafe { place.add(index).write(value) };
        there.0 = ptr::slice_from_raw_parts_mut(place, index + 1);
    }
    let all = there.0;
    core::mem::forget(there);
    all
}

/// Whether objects of values that are not described say in their last byte how many bytes of them are not of
/// values. The size of an object is a multiple of the granule, so if that of a value is, nothing is unused.
const fn has_gap_byte<T>() -> bool {
    !size_of::<T>().is_multiple_of(GRANULE)
}

/// How many values [`Context::allocate_measured`] has put into the object at `base`, which is in `block` of
/// the space with these planes. They have a size, or a descriptor.
///
/// # Safety
///
/// An object that was made by that method starts there, with values of the same size and alignment as `T`.
pub(crate) unsafe fn measured_length<T>(
    (planes, blocks, block): (Planes, BlockTable, BlockIndex),
    base: usize,
) -> usize {
    // SAFETY: an object starts at `base` (the caller's promise), so its end is known. `allocate_measured` wrote the
    // length as the detail of a described object, and the unused bytes into the last byte of any other whose values are
    // not as long as granules.
    unsafe {
        let bytes = end_of_in(planes, blocks, block, base) - base;
        if blocks.state(block).is_described() {
            let object = Described::at(Extent { base, bytes });
            return object.map_or(0, |_| read_detail(base + bytes));
        }
        let mut gap = 0;
        if has_gap_byte::<T>() {
            gap = ptr::with_exposed_provenance::<u8>(base + bytes - 1).read() as usize;
        }
        (bytes - gap) / size_of::<T>()
    }
}
