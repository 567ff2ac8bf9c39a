//! [`OffsetSlice`]: a slice of two words, which ends where the elements of its object end.
//!
//! The planes have the length of an object, but in units of 16 bytes, which does not tell how many smaller elements are
//! in it. So these objects are made here. Where the number of elements would not be clear, the last byte of the object
//! is the number of its unused bytes ([`measured_length`]). That costs one byte, before rounding up. An object with a
//! descriptor has its length next to it, as every described slice has.
//!
//! Elements of size zero have no object. Such a slice counts as `usize::MAX` elements, and the offset leaves the right
//! number of them.

use core::mem::offset_of;
use core::ptr::NonNull;

use super::{Slice, write_part};
use crate::heap::block::{BlockIndex, BlockTable};
use crate::heap::error::{HeapError, or_panic};
use crate::heap::planes::Planes;
use crate::heap::register;
use crate::mutator::allocation::measured_length;
use crate::mutator::barrier::Write;
use crate::mutator::mutates::Mutates;
use crate::pointers::gc::Gc;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// The elements of a managed array from one on, up to the last.
///
/// It has two words, a pointer to the array and an offset, and looks up how many elements there are. It suits
/// lists that share their tails, and readers that go through an array from the front. Where it is used as a
/// `&[T]`, the look-up takes a process-wide lock for a moment; [`OffsetSlice::resolve`] does without.
///
/// It keeps the whole array alive. Comparing and hashing are those of `[T]`.
///
/// ```
/// use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
///
/// rootless_mutate(|mc| {
///     let all = OffsetSlice::new(mc, [1_u8, 2, 3]);
///     assert_eq!(*all, [1, 2, 3]);
///     assert_eq!(*all.skip(1), [2, 3]);
///     let mut rest = all;
///     while let Some((_, others)) = rest.split_first() {
///         rest = others;
///     }
///     assert!(rest.is_empty());
/// });
/// ```
#[repr(C)]
pub struct OffsetSlice<'gc, T: 'gc> {
    /// Made by [`OffsetSlice::try_new`], with elements of this size and alignment.
    base: Gc<'gc, T>,
    /// The index of the first element, or the number of all.
    offset: usize,
}

const _: () = {
    assert!(size_of::<OffsetSlice<'_, u8>>() == 16);
    assert!(size_of::<Option<OffsetSlice<'_, u8>>>() == 16);
    assert!(offset_of!(OffsetSlice<'_, u8>, base) == 0);
};

impl<'gc, T: Collect<'gc> + 'gc> OffsetSlice<'gc, T> {
    /// Moves the items into the heap, side by side. Never collects, and takes time linear in their number.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// let squares = OffsetSlice::new(mc, (0..5).map(|i| i * i));
    /// assert_eq!(*squares.skip(3), [9, 16]);
    /// # });
    /// ```
    ///
    /// It is the same in a shared arena:
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::Arena, slice::OffsetSlice};
    /// type Letters<'gc> = OffsetSlice<'gc, char>;
    /// let arena = Arena::<Rootable![Letters<'_>]>::new(|mc| OffsetSlice::new(mc, ['a', 'b']));
    /// arena.attach().mutate(|_, root| assert_eq!(root.skip(1), ['b']));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`OffsetSlice::try_new`]; or if the iterator ends before it said.
    #[inline]
    pub fn new<I>(mc: &impl Mutates<'gc, T>, items: I) -> OffsetSlice<'gc, T>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        or_panic(OffsetSlice::try_new(mc, items))
    }

    /// Moves the items into the heap, side by side.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(OffsetSlice::try_new(mc, [1, 2]).unwrap().len(), 2);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`].
    ///
    /// # Panics
    ///
    /// If the iterator ends before it said.
    pub fn try_new<I>(mc: &impl Mutates<'gc, T>, items: I) -> Result<OffsetSlice<'gc, T>, HeapError>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        let context = mc.access().0;
        let elements = context.allocate_measured(items.into_iter())?;
        let base = elements.cast::<T>();
        let offset = match size_of::<T>() == 0 && !context.heap().spans(base.addr().get()) {
            true => usize::MAX - elements.len(),
            false => 0,
        };
        // SAFETY: the object was just allocated in the arena that `'gc` brands, or needs no memory.
        let base = unsafe { Gc::from_non_null(base) };
        Ok(OffsetSlice { base, offset })
    }
}

impl<'gc, T: 'gc> OffsetSlice<'gc, T> {
    /// The number of elements from the first of all on. `place` tells where the base is, if it is in a heap.
    fn end(self, place: Option<(Planes, BlockTable, BlockIndex)>) -> usize {
        match place {
            // SAFETY: such a base was made by `try_new`.
            Some(place) => unsafe { measured_length::<T>(place, Gc::as_ptr(self.base).addr()) },
            None if size_of::<T>() == 0 => usize::MAX,
            None => 0,
        }
    }

    /// The elements up to that with the index `end`.
    ///
    /// # Safety
    ///
    /// There are so many.
    #[inline]
    unsafe fn up_to(self, end: usize) -> Slice<'gc, T> {
        let base = Gc::as_ptr(self.base);
        // SAFETY: the elements from the offset to the end lie side by side in the object. Nothing is collected
        // while `'gc` lasts, and all write access to them goes through cells.
        unsafe {
            let elements = core::slice::from_raw_parts(base.add(self.offset), end - self.offset);
            Slice::of_parts(Gc::erase(self.base), elements)
        }
    }

    /// The same elements as a [`Slice`], which knows how many they are. Takes constant time, or time linear in
    /// the size of an object of at most 8 KiB, at a group of 64 words a step; and no lock.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// let all = OffsetSlice::new(mc, 0..100);
    /// assert_eq!(all.skip(10).resolve(mc).len(), 90);
    /// # });
    /// ```
    #[inline]
    pub fn resolve(self, mc: &impl Mutates<'gc, ()>) -> Slice<'gc, T> {
        let (heap, address) = (mc.access().0.heap(), Gc::as_ptr(self.base).addr());
        let place = heap
            .spans(address)
            .then(|| (heap.planes(), heap.blocks(), heap.owned_block(address)));
        // SAFETY: there are so many.
        unsafe { self.up_to(self.end(place)) }
    }

    /// A reference to the elements for the whole of the current call.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// let slice: &[u8] = OffsetSlice::new(mc, [1, 2, 3]).as_ref();
    /// assert_eq!(slice.last(), Some(&3));
    /// # });
    /// ```
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "unlike the trait's, the reference outlives `self`"
    )]
    pub fn as_ref(self) -> &'gc [T] {
        Slice::from(self).as_ref()
    }

    /// The array that this slice keeps alive.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// let all = OffsetSlice::new(mc, [1, 2, 3]);
    /// assert!(Gc::ptr_eq(all.base(), all.skip(2).base()));
    /// # });
    /// ```
    #[inline]
    pub fn base(self) -> Gc<'gc, ()> {
        Gc::erase(self.base)
    }

    /// The slice without its first `count` elements.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(*OffsetSlice::new(mc, [1, 2, 3]).skip(2), [3]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn skip(self, count: usize) -> OffsetSlice<'gc, T> {
        let length = self.as_ref().len();
        assert!(
            count <= length,
            "{count} elements are to be skipped, and there are {length}"
        );
        OffsetSlice {
            base: self.base,
            offset: self.offset + count,
        }
    }

    /// The first element, and the rest.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// let (first, rest) = OffsetSlice::new(mc, [1, 2]).split_first().unwrap();
    /// assert_eq!((*first, rest.len()), (1, 1));
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn split_first(self) -> Option<(&'gc T, OffsetSlice<'gc, T>)> {
        let first = self.as_ref().first()?;
        let rest = OffsetSlice {
            base: self.base,
            offset: self.offset + 1,
        };
        Some((first, rest))
    }

    /// References to the elements for the whole of the current call, one by one.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(OffsetSlice::new(mc, [1, 2, 3]).iter().max(), Some(&3));
    /// # });
    /// ```
    #[inline]
    pub fn iter(self) -> core::slice::Iter<'gc, T> {
        self.as_ref().iter()
    }

    /// Calls the write barrier for one element, and lets the caller write to it, through its locks, until the
    /// end of the current call. Never collects.
    ///
    /// ```
    /// # use gc_core::{Lock, arena::rootless_mutate, slice::OffsetSlice};
    /// # rootless_mutate(|mc| {
    /// let slots = OffsetSlice::new(mc, (0..5).map(Lock::new));
    /// OffsetSlice::write_at(mc, slots.skip(3), 1).unlock().set(0);
    /// assert_eq!(slots[4].get(), 0);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[track_caller]
    pub fn write_at(
        mc: &impl Mutates<'gc, ()>,
        slice: OffsetSlice<'gc, T>,
        index: usize,
    ) -> &'gc Write<T> {
        // SAFETY: the element lies in the object at the base.
        unsafe {
            write_part(
                mc.access().0,
                slice.base(),
                &slice.resolve(mc).as_ref()[index],
            )
        }
    }
}

/// The same elements. [`OffsetSlice::resolve`] is quicker.
impl<'gc, T: 'gc> From<OffsetSlice<'gc, T>> for Slice<'gc, T> {
    #[inline]
    fn from(slice: OffsetSlice<'gc, T>) -> Slice<'gc, T> {
        let place = register::find(Gc::as_ptr(slice.base).addr());
        // SAFETY: there are so many.
        unsafe { slice.up_to(slice.end(place)) }
    }
}

impl<'gc, T: 'gc> Default for OffsetSlice<'gc, T> {
    #[inline]
    fn default() -> OffsetSlice<'gc, T> {
        OffsetSlice {
            // SAFETY: this is not dereferenced, for there are no elements.
            base: unsafe { Gc::from_non_null(NonNull::dangling()) },
            offset: if size_of::<T>() == 0 { usize::MAX } else { 0 },
        }
    }
}

impl<'gc, T: 'gc> Copy for OffsetSlice<'gc, T> {}

impl<'gc, T: 'gc> Clone for OffsetSlice<'gc, T> {
    #[inline]
    fn clone(&self) -> OffsetSlice<'gc, T> {
        *self
    }
}

// SAFETY: the one pointer is visited in place.
unsafe impl<'gc, T: 'gc> Collect<'gc> for OffsetSlice<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG_AND_NUMBER;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.base);
    }
}
