//! Allocation of typed values: what a mutator's [`Context`] does with them.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem::{needs_drop, size_of};
use core::ptr::{self, NonNull};

use crate::heap::MAX_ALIGN;
use crate::heap::block::{BlockIndex, BlockTable, Flag};
use crate::heap::bump::{Shape, record_kinds, record_tags};
use crate::heap::error::HeapError;
use crate::heap::extent::{Extent, end_of_in};
use crate::heap::planes::{GRANULE, Planes, WORD, bit};
use crate::mutator::context::Context;
use crate::types::collect::Collect;
use crate::types::descriptor::{
    Described, Descriptor, Detail, DropValue, MeasureValue, TraceValue, read_detail,
};
use crate::types::ledger::Entry;
use crate::types::owned_bytes::OwnedBytes;
use crate::types::tags::Tagger;
use crate::types::trace::{EdgeVisitor, Edges, Trace};
use crate::types::type_map::TypeMap;

impl Context {
    /// Puts `value` into the heap.
    #[inline(always)]
    pub(crate) fn allocate_value<'gc, T: Collect<'gc> + 'gc>(
        &self,
        value: T,
    ) -> Result<NonNull<T>, HeapError> {
        if Values::<T>::NO_MEMORY {
            // The value is not stored, but it goes on existing at this address.
            core::mem::forget(value);
            return Ok(NonNull::dangling());
        }
        let heap = self.heap();
        // Nothing, and no instruction, where a value has no destructor or never owns anything.
        let entry = if needs_drop::<T>() {
            Entry::of(OwnedBytes::of(&value))
        } else {
            Entry::NOTHING
        };
        let shape = Values::<T>::SHAPE;
        let Some(base) = self.allocate(shape) else {
            return Err(self.no_memory());
        };
        let extent = Extent {
            base,
            bytes: shape.bytes,
        };
        let place = ptr::with_exposed_provenance_mut::<T>(base);
        // SAFETY: the allocation is new, long enough and aligned for a `T`, with a word to spare
        // if it is described. Tags are set on words of the value only, and nobody looks at them
        // before it is there.
        unsafe {
            place.write(value);
            if Values::<T>::DESCRIBED {
                Described::set(extent, Values::<T>::DESCRIPTOR, entry);
            }
            if needs_drop::<T>() {
                self.note_owned(entry.bytes() as i64);
                self.note_drop(extent);
            }
            match T::TYPE_MAP.fixed() {
                Some((_, 0)) => {}
                Some((tags, kinds)) => {
                    self.note_kinds(base, tags, kinds);
                    record_kinds(heap.planes(), base, kinds);
                }
                // An external object is asked for its pointers whenever it is marked.
                None if T::TYPE_MAP.is_external() => heap.set_dirty(base),
                None => (*place).trace(&mut Tagger::new(heap, extent)),
            }
            Ok(NonNull::new_unchecked(place))
        }
    }

    /// Notes that the value of a new object has a destructor.
    ///
    /// # Safety
    ///
    /// It is a described object of this heap.
    #[inline(always)]
    pub(crate) unsafe fn note_drop(&self, extent: Extent) {
        self.note_owner(extent.bytes);
        // SAFETY: passed on to the caller.
        unsafe { self.heap().note_drop(extent.base) }
    }

    /// Notes in the block table which sorts of `kinds` the words of a new object have.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `base`.
    #[inline(always)]
    pub(crate) unsafe fn note_kinds(&self, base: usize, tags: u64, kinds: u64) {
        // SAFETY: passed on to the caller.
        unsafe {
            if kinds & tags != 0 {
                self.heap().note_kinds(base, Flag::Weak);
            }
            if kinds & !tags != 0 {
                self.heap().note_kinds(base, Flag::Derived);
            }
        }
    }

    /// Puts the values of `items` into the heap, side by side.
    pub(crate) fn allocate_slice<'gc, T: Collect<'gc> + 'gc>(
        &self,
        items: impl ExactSizeIterator<Item = T>,
    ) -> Result<NonNull<[T]>, HeapError> {
        let count = items.len();
        let shape = Values::<T>::slice_shape(count)?;
        self.allocate_values(shape, count, items)
    }

    /// Bytes of an object with so many values side by side; zero if it needs no memory. `None` if that is
    /// more than an address space.
    pub(crate) fn slice_bytes<'gc, T: Collect<'gc> + 'gc>(&self, count: usize) -> Option<usize> {
        let shape = Values::<T>::slice_shape(count).ok()?;
        Some(shape.map_or(0, |shape| shape.bytes))
    }

    /// Puts the values of `items` into the heap, side by side, so that [`measured_length`] can tell how many
    /// they are.
    pub(crate) fn allocate_measured<'gc, T: Collect<'gc> + 'gc>(
        &self,
        items: impl ExactSizeIterator<Item = T>,
    ) -> Result<NonNull<[T]>, HeapError> {
        let count = items.len();
        let gap_byte = !Values::<T>::DESCRIBED && has_gap_byte::<T>();
        let shape = match Values::<T>::slice_shape(count)? {
            Some(_) if gap_byte => Some(Values::<T>::shape_with_gap_byte(count)?),
            shape => shape,
        };
        let slice = self.allocate_values(shape, count, items)?;
        if let Some(shape) = shape
            && gap_byte
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
        let heap = self.heap();
        let (place, extent) = match shape {
            None => (NonNull::<T>::dangling().as_ptr(), None),
            Some(shape) => {
                let base = self.allocate(&shape).ok_or_else(|| self.no_memory())?;
                let extent = Extent {
                    base,
                    bytes: shape.bytes,
                };
                if shape.described {
                    // SAFETY: the object is new and described.
                    unsafe { Described::clear(extent) };
                }
                (ptr::with_exposed_provenance_mut::<T>(base), Some(extent))
            }
        };
        // The iterator is the caller's and may panic; then what is there so far is dropped, and the
        // object stays without a value.
        let mut written = Written { place, count: 0 };
        for index in 0..count {
            let item = items.next().unwrap_or_else(|| {
                panic!("an iterator of length {count} ended after {index} items")
            });
            // SAFETY: the allocation has room for `count` values.
            unsafe { place.add(index).write(item) };
            written.count += 1;
        }
        let slice = ptr::slice_from_raw_parts_mut(place, count);
        // SAFETY: all values are there now.
        let owned = || OwnedBytes::of(unsafe { &*slice });
        let entry = Entry::of(extent.map_or(0, |_| owned()));
        core::mem::forget(written);
        if let Some(extent) = extent {
            // SAFETY: all values are there now; see `allocate`.
            unsafe {
                if Values::<T>::DESCRIBED {
                    Described::set_detail(extent, Detail::new(count));
                    Described::set(extent, Values::<T>::SLICE_DESCRIPTOR, entry);
                }
                if needs_drop::<T>() {
                    self.note_owned(entry.bytes() as i64);
                    self.note_drop(extent);
                }
                match T::TYPE_MAP.fixed() {
                    Some((0, _)) => {}
                    Some((tags, kinds)) => {
                        self.note_kinds(extent.base, tags, kinds);
                        for item in (extent.base..).step_by(size_of::<T>()).take(count) {
                            record_tags(heap.planes(), item, tags);
                            if kinds != 0 {
                                record_kinds(heap.planes(), item, kinds);
                            }
                        }
                    }
                    None if T::TYPE_MAP.is_external() => heap.set_dirty(extent.base),
                    None => {
                        let mut tagger = Tagger::new(heap, extent);
                        (*slice).iter().for_each(|item| item.trace(&mut tagger));
                    }
                }
            }
        }
        // SAFETY: neither an allocation nor a dangling pointer is null.
        Ok(unsafe { NonNull::new_unchecked(slice) })
    }

    /// Copies a string into the heap.
    pub(crate) fn allocate_str(&self, text: &str) -> Result<NonNull<str>, HeapError> {
        let bytes = text.len();
        let mut place = NonNull::<u8>::dangling().as_ptr();
        if let Some(shape) = Values::<u8>::slice_shape(bytes)? {
            let base = self.allocate(&shape).ok_or_else(|| self.no_memory())?;
            place = ptr::with_exposed_provenance_mut(base);
            // SAFETY: the new allocation has room for the bytes, and nobody else refers to it.
            unsafe { ptr::copy_nonoverlapping(text.as_ptr(), place, bytes) };
        }
        let copy = ptr::slice_from_raw_parts_mut(place, bytes) as *mut str;
        // SAFETY: neither an allocation nor a dangling pointer is null.
        Ok(unsafe { NonNull::new_unchecked(copy) })
    }
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
    // SAFETY: an object starts there, says the caller; and if it is described, there are values in it, or
    // else its last byte was written if these are not as long as granules.
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

/// Drops the values of a slice under construction when that panics.
pub(crate) struct Written<T> {
    pub(crate) place: *mut T,
    pub(crate) count: usize,
}

impl<T> Drop for Written<T> {
    fn drop(&mut self) {
        // SAFETY: that many values were written, and nobody else knows them.
        unsafe { ptr::slice_from_raw_parts_mut(self.place, self.count).drop_in_place() }
    }
}

/// What the allocator knows about objects with values of type `T` in them, at compile time.
struct Values<T>(PhantomData<T>);

impl<'gc, T: Collect<'gc> + 'gc> Values<T> {
    const MAP: TypeMap = T::TYPE_MAP;

    /// Whether objects have a descriptor.
    const DESCRIBED: bool = needs_drop::<T>() || Self::MAP.moves();

    /// Whether a value needs no object at all.
    const NO_MEMORY: bool = size_of::<T>() == 0 && !Self::DESCRIBED;

    const ALIGN: usize = {
        let align = align_of::<T>();
        assert!(
            align <= MAX_ALIGN || Self::NO_MEMORY,
            "values in the heap are aligned to 4096 bytes at most"
        );
        align
    };

    const DESCRIPTOR: &'static Descriptor = &Self::descriptor(false);
    const SLICE_DESCRIPTOR: &'static Descriptor = &Self::descriptor(true);

    const SHAPE: &'static Shape = &match Self::shape(size_of::<T>(), false) {
        Some(shape) => match Self::MAP.fixed() {
            Some((tags, _)) => Shape { tags, ..shape },
            None => shape,
        },
        None => panic!("the type is larger than an address space"),
    };

    const fn descriptor(counted: bool) -> Descriptor {
        let (drop, trace, measure): (DropValue, TraceValue, MeasureValue) = if counted {
            (
                drop_values::<T, true>,
                trace_values::<T, true>,
                measure_values::<T, true>,
            )
        } else {
            (
                drop_values::<T, false>,
                trace_values::<T, false>,
                measure_values::<T, false>,
            )
        };
        Descriptor {
            drop: if needs_drop::<T>() { Some(drop) } else { None },
            trace,
            measure: if needs_drop::<T>() {
                Some(measure)
            } else {
                None
            },
            external: Self::MAP.is_external(),
            moves: Self::MAP.moves(),
            lent: false,
            metadata: NonNull::dangling(),
            type_name: if counted {
                core::any::type_name::<[T]>
            } else {
                core::any::type_name::<T>
            },
        }
    }

    /// The shape of an object with `bytes` bytes of values.
    const fn shape(bytes: usize, counted: bool) -> Option<Shape> {
        let overhead = if Self::DESCRIBED {
            Descriptor::overhead(counted)
        } else {
            0
        };
        let Some(bytes) = bytes.checked_next_multiple_of(WORD) else {
            return None;
        };
        let Some(bytes) = bytes.checked_add(overhead) else {
            return None;
        };
        let Some(bytes) = bytes.checked_next_multiple_of(GRANULE) else {
            return None;
        };
        if bytes > isize::MAX as usize {
            return None;
        }
        // Objects that are all descriptor, or whose values have no size, have a granule anyway.
        let bytes = if bytes == 0 { GRANULE } else { bytes };
        Some(Shape {
            bytes,
            align: Self::ALIGN,
            described: Self::DESCRIBED,
            leaf: Self::MAP.is_leaf(),
            tags: 0,
        })
    }

    /// The shape of a slice of `count` values, or `None` if it needs no memory.
    fn slice_shape(count: usize) -> Result<Option<Shape>, HeapError> {
        let bytes = count.checked_mul(size_of::<T>());
        if bytes == Some(0) && (count == 0 || !Self::DESCRIBED) {
            return Ok(None);
        }
        let shape = bytes.and_then(|bytes| Self::shape(bytes, true));
        shape.map(Some).ok_or(Self::overflow(count))
    }

    /// The shape of a slice of `count` values with room for one byte more.
    fn shape_with_gap_byte(count: usize) -> Result<Shape, HeapError> {
        let bytes = count.checked_mul(size_of::<T>());
        let shape = bytes.and_then(|bytes| Self::shape(bytes.checked_add(1)?, true));
        shape.ok_or(Self::overflow(count))
    }

    fn overflow(count: usize) -> HeapError {
        HeapError::SizeOverflow {
            count,
            size: size_of::<T>(),
        }
    }
}

/// The values in an object: one, or, if they are counted, as many as its detail says.
///
/// # Safety
///
/// The object has the descriptor of such values.
unsafe fn values<T, const COUNTED: bool>(extent: Extent) -> *mut [T] {
    let count = if COUNTED {
        // SAFETY: passed on to the caller.
        unsafe { read_detail(extent.end()) }
    } else {
        1
    };
    ptr::slice_from_raw_parts_mut(ptr::with_exposed_provenance_mut(extent.base), count)
}

/// Drops the values in an object.
///
/// # Safety
///
/// They are there, and nobody refers to them, now or later.
unsafe fn drop_values<T, const COUNTED: bool>(extent: Extent) {
    // SAFETY: passed on to the caller.
    unsafe { values::<T, COUNTED>(extent).drop_in_place() }
}

/// Visits the pointers of the values in an object.
///
/// # Safety
///
/// They are there, in an object of a heap on which no mutator is at work; or one that is about to be written for
/// the first time in a cycle, by a visitor that does not say that it is alone.
unsafe fn trace_values<'gc, T: Collect<'gc> + 'gc, const COUNTED: bool>(
    extent: Extent,
    visitor: &mut dyn EdgeVisitor,
) {
    // SAFETY: passed on to the caller.
    let values = unsafe { &*values::<T, COUNTED>(extent) };
    let range = values.as_ptr_range();
    // SAFETY: nobody else has a reference to them, or the visitor is not alone.
    let mut edges = unsafe { Edges::of_object(visitor, range.start.addr()..range.end.addr()) };
    for value in values {
        edges.trace(value);
    }
}

/// How many bytes the values in an object own outside of the heap.
///
/// # Safety
///
/// They are there, and nobody has an exclusive reference to them.
unsafe fn measure_values<'gc, T: Collect<'gc> + 'gc, const COUNTED: bool>(
    extent: Extent,
) -> Option<usize> {
    // SAFETY: passed on to the caller.
    OwnedBytes::sum(unsafe { &*values::<T, COUNTED>(extent) }).ok()
}

/// Layouts of fat pointers are not specified; what tagging relies on is checked here and in the test
/// below: the address comes first.
const _: () = {
    let slice = ptr::slice_from_raw_parts(ptr::without_provenance::<u8>(16), 3);
    // SAFETY: both are two words, and neither has provenance or padding.
    let words: [usize; 2] = unsafe { core::mem::transmute(slice) };
    assert!(words[0] == 16 && words[1] == 3);
    assert!(bit(WORD) == 2 && Layout::new::<*const [u8]>().size() == 2 * WORD);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_comes_first_in_pointers_to_trait_objects() {
        let value = 7_u64;
        let pointer: *const dyn core::fmt::Debug = &value;
        // SAFETY: both are two words.
        let words: [*const (); 2] = unsafe { core::mem::transmute(pointer) };
        assert_eq!(words[0], ptr::from_ref(&value).cast());
    }
}
