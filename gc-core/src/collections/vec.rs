//! [`Vec`]: a growable array in the heap.
//!
//! It is a [`Buffer`] and a length; elements are in the slots below the length. Operations that move many
//! elements call the barrier once for all of them. A closure or an iterator of the caller's may panic whenever it is
//! called: until then what it has been asked about is in order, and a guard closes the gap that there may be.
//!
//! # Invariants
//!
//! Those of [`Buffer`], and
//!
//! 1. Slots below `len` hold elements, others do not, and `Live` says the same between operations.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::mem::{needs_drop, offset_of};
use core::ops::{Bound, Deref, RangeBounds};
use core::ptr::{self, NonNull};

use super::buffer::Buffer;
use super::into_iter::IntoIter;
use super::mutates::Mutates;
use super::or_panic;
use crate::barrier::Write;
use crate::collect::{Collect, Trace};
use crate::context::Context;
use crate::gc::Gc;
use crate::heap::error::HeapError;
use crate::typemap::TypeMap;

/// A growable array in the heap: [`std::vec::Vec`] without memory outside of it.
///
/// It is a value of three words, held like any other in a `RefLock` or in the root. What changes it takes the `mc` of the
/// `mutate` call. It derefs to a slice, so all of a slice's methods that only look are there; those that change it,
/// such as `sort`, are those of [`Vec::as_mut_slice`].
///
/// Elements may be of any type that can live in the heap. If they need `Drop`, those that are still there when the
/// memory of the vector is found unreachable are dropped by that collection. (So forgetting a vector is the same as dropping
/// it.) Types whose pointers are at the same places in all values are marked fastest; for others, such as
/// enums, a collection asks a vector that was written for its pointers at a safepoint.
///
/// ```
/// use gc_core::collections::Vec;
/// use gc_core::{Arena, Gc, RefLock, Rootable};
///
/// type List<'gc> = Gc<'gc, RefLock<Vec<'gc, Gc<'gc, u32>>>>;
///
/// let mut arena = Arena::<Rootable![List<'_>]>::new(|mc| Gc::new(mc, RefLock::new(Vec::new())));
/// arena.mutate(|mc, list| {
///     for i in 0..100 {
///         list.borrow_mut(mc).push(mc, Gc::new(mc, i));
///     }
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, list| {
///     assert_eq!(list.borrow().iter().map(|element| **element).sum::<u32>(), 4950);
///     assert_eq!(list.borrow_mut(mc).pop(mc).as_deref(), Some(&99));
/// });
/// ```
pub struct Vec<'gc, T> {
    pub(super) buffer: Buffer<'gc, T>,
    pub(super) len: usize,
}

impl<'gc, T: Collect<'gc> + 'gc> Vec<'gc, T> {
    /// No elements, and no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::new();
    /// vec.push(mc, 1);
    /// assert_eq!(*vec, [1]);
    /// # });
    /// ```
    #[inline]
    pub const fn new() -> Vec<'gc, T> {
        Vec {
            buffer: Buffer::NONE,
            len: 0,
        }
    }

    /// No elements, with memory for `capacity`. Never collects.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let vec = Vec::<u8>::with_capacity(mc, 10);
    /// assert!(vec.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Vec::try_with_capacity`].
    pub fn with_capacity(mc: &impl Mutates<'gc, T>, capacity: usize) -> Vec<'gc, T> {
        or_panic(Vec::try_with_capacity(mc, capacity))
    }

    /// No elements, with memory for `capacity`.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// assert!(Vec::<u64>::try_with_capacity(mc, 10).is_ok());
    /// assert!(Vec::<u64>::try_with_capacity(mc, usize::MAX).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory, as [`Gc::try_new`].
    pub fn try_with_capacity(
        mc: &impl Mutates<'gc, T>,
        capacity: usize,
    ) -> Result<Vec<'gc, T>, HeapError> {
        // SAFETY: nothing is filled in.
        let buffer = unsafe { Buffer::make(mc.access().0, capacity, |_| 0)? };
        Ok(Vec { buffer, len: 0 })
    }

    /// The elements of an iterator.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let squares = Vec::from_iter(mc, (0..4).map(|i| i * i));
    /// assert_eq!(*squares, [0, 1, 4, 9]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator panics.
    pub fn from_iter(mc: &impl Mutates<'gc, T>, iter: impl IntoIterator<Item = T>) -> Vec<'gc, T> {
        let mut vec = Vec::new();
        vec.extend(mc, iter);
        vec
    }

    /// Copies of the elements, in memory of their own. (A vector is not `Clone`, for that would allocate.)
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let vec = Vec::from_iter(mc, [1, 2, 3]);
    /// assert_eq!(vec.clone_in(mc), vec);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or a `clone` panics.
    pub fn clone_in(&self, mc: &impl Mutates<'gc, T>) -> Vec<'gc, T>
    where
        T: Clone,
    {
        let mut copy = Vec::with_capacity(mc, self.len);
        copy.extend(mc, self.iter().cloned());
        copy
    }

    /// How many elements fit without more memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(Vec::<u8>::new().capacity(), 0);
    /// assert_eq!(Vec::<()>::with_capacity(mc, 1).capacity(), usize::MAX);
    /// # });
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// The elements; also by deref.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(Vec::from_iter(mc, [1, 2]).as_slice(), [1, 2]);
    /// # });
    /// ```
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        self
    }

    /// All elements, to be changed. Calls the barrier for all of them.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [3, 1, 2]);
    /// vec.as_mut_slice(mc).sort();
    /// assert_eq!(*vec, [1, 2, 3]);
    /// # });
    /// ```
    #[inline]
    pub fn as_mut_slice(&mut self, mc: &impl Mutates<'gc, T>) -> &mut [T] {
        self.buffer.before_write(mc.access().0, 0, self.len);
        // SAFETY: the elements are there, nobody else has a reference to them, and the barrier was called.
        unsafe { core::slice::from_raw_parts_mut(self.buffer.place(), self.len) }
    }

    /// An element, to be changed. Calls the barrier for it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2]);
    /// *vec.get_mut(mc, 1).unwrap() += 5;
    /// assert_eq!(*vec, [1, 7]);
    /// assert!(vec.get_mut(mc, 2).is_none());
    /// # });
    /// ```
    #[inline]
    pub fn get_mut(&mut self, mc: &impl Mutates<'gc, T>, index: usize) -> Option<&mut T> {
        if index >= self.len {
            return None;
        }
        self.buffer.before_write(mc.access().0, index, 1);
        // SAFETY: the element is there, nobody else has a reference to it, and the barrier was called.
        Some(unsafe { &mut *self.buffer.place().add(index) })
    }

    /// Iterates over the elements, which can be changed. Calls the barrier for all of them.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2]);
    /// vec.iter_mut(mc).for_each(|element| *element *= 10);
    /// assert_eq!(*vec, [10, 20]);
    /// # });
    /// ```
    #[inline]
    pub fn iter_mut(&mut self, mc: &impl Mutates<'gc, T>) -> core::slice::IterMut<'_, T> {
        self.as_mut_slice(mc).iter_mut()
    }

    /// Calls the barrier for an element, and lets the caller write to it through its locks. This is
    /// [`Gc::write_at`] for a vector: the barrier of the object that the vector is in is not that of its elements.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let vec = Gc::new(mc, Vec::from_iter(mc, (0..3).map(Lock::new)));
    /// vec.write_at(mc, 1).unlock().set(7);
    /// assert_eq!(vec[1].get(), 7);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[track_caller]
    pub fn write_at(&self, mc: &impl Mutates<'gc, T>, index: usize) -> &Write<T> {
        let element = &self[index];
        self.buffer.before_write(mc.access().0, index, 1);
        // SAFETY: the barrier was called.
        unsafe { Write::assume(element) }
    }

    /// Calls the barrier for elements.
    #[inline]
    pub(super) fn before_write(&self, mc: &impl Mutates<'gc, T>, from: usize, count: usize) {
        self.buffer.before_write(mc.access().0, from, count);
    }

    /// Makes room for at least so many more elements. Amortised over many calls, as pushing is.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1]);
    /// vec.reserve(mc, 10);
    /// assert!(vec.capacity() >= 11);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Vec::try_reserve`].
    #[inline]
    pub fn reserve(&mut self, mc: &impl Mutates<'gc, T>, additional: usize) {
        or_panic(self.try_reserve(mc, additional))
    }

    /// Makes room for at least so many more elements. Pushing them does not fail then.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1]);
    /// assert!(vec.try_reserve(mc, usize::MAX).is_err());
    /// assert_eq!(*vec, [1]);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the vector is as it was.
    #[inline]
    pub fn try_reserve(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        additional: usize,
    ) -> Result<(), HeapError> {
        if additional > self.capacity() - self.len {
            self.grow(mc.access().0, additional)?;
        }
        Ok(())
    }

    /// Makes room for so many more elements, and no more than that.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1]);
    /// vec.reserve_exact(mc, 10);
    /// assert_eq!(vec.capacity(), 11);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Vec::try_reserve_exact`].
    pub fn reserve_exact(&mut self, mc: &impl Mutates<'gc, T>, additional: usize) {
        or_panic(self.try_reserve_exact(mc, additional))
    }

    /// Makes room for so many more elements, and no more than that.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1]);
    /// assert!(vec.try_reserve_exact(mc, usize::MAX).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the vector is as it was.
    pub fn try_reserve_exact(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        additional: usize,
    ) -> Result<(), HeapError> {
        if additional > self.capacity() - self.len {
            let capacity = self.needed(additional)?;
            self.resize_buffer(mc.access().0, capacity)?;
        }
        Ok(())
    }

    /// Moves the elements to memory without room for more.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::with_capacity(mc, 100);
    /// vec.push(mc, 1);
    /// vec.shrink_to_fit(mc);
    /// assert_eq!(vec.capacity(), 1);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn shrink_to_fit(&mut self, mc: &impl Mutates<'gc, T>) {
        if self.capacity() > self.len && size_of::<T>() > 0 {
            or_panic(self.resize_buffer(mc.access().0, self.len));
        }
    }

    /// The capacity that so many more elements need.
    fn needed(&self, additional: usize) -> Result<usize, HeapError> {
        self.len
            .checked_add(additional)
            .ok_or(HeapError::SizeOverflow {
                count: usize::MAX,
                size: size_of::<T>(),
            })
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, context: &Context, additional: usize) -> Result<(), HeapError> {
        let least = match size_of::<T>() {
            0..=1 => 8,
            2..=1024 => 4,
            _ => 1,
        };
        let doubled = self.capacity().saturating_mul(2);
        let needed = self.needed(additional)?;
        self.resize_buffer(context, needed.max(doubled).max(least))
    }

    /// Moves the elements to a buffer for `capacity` elements, which is as many as there are at least.
    fn resize_buffer(&mut self, context: &Context, capacity: usize) -> Result<(), HeapError> {
        if capacity > self.capacity() && self.buffer.extend(context, capacity) {
            return Ok(());
        }
        self.buffer.before_disown(context);
        let old = self.buffer.place();
        let fill = |place: *mut T| {
            // SAFETY: both buffers are long enough.
            unsafe { ptr::copy_nonoverlapping(old, place, self.len) };
            self.len
        };
        // SAFETY: the elements are moved: the old buffer gives them up.
        unsafe {
            let buffer = Buffer::make(context, capacity, fill)?;
            self.buffer.disown();
            self.buffer = buffer;
        }
        Ok(())
    }

    /// # Safety
    ///
    /// Slots below `len` hold elements; and those between it and the length until now do not any more, and the barrier
    /// was called for them.
    #[inline(always)]
    unsafe fn set_len(&mut self, len: usize) {
        self.len = len;
        // SAFETY: passed on to the caller.
        unsafe { self.buffer.set_live(0, len) }
    }

    /// Adds an element at the end, in amortised constant time.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::new();
    /// vec.push(mc, Gc::new(mc, 1));
    /// assert_eq!(vec.len(), 1);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Vec::try_push`].
    #[inline]
    pub fn push(&mut self, mc: &impl Mutates<'gc, T>, value: T) {
        if self.len == self.capacity() {
            or_panic(self.grow(mc.access().0, 1));
        }
        // SAFETY: there is room.
        unsafe { self.push_within_capacity(mc.access().0, value) }
    }

    /// Adds an element at the end, or drops it if there is no memory. (Who wants to keep it calls
    /// [`Vec::try_reserve`] before.)
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::new();
    /// assert_eq!(vec.try_push(mc, 1), Ok(()));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the vector is as it was.
    #[inline]
    pub fn try_push(&mut self, mc: &impl Mutates<'gc, T>, value: T) -> Result<(), HeapError> {
        self.try_reserve(mc, 1)?;
        // SAFETY: there is room.
        unsafe { self.push_within_capacity(mc.access().0, value) };
        Ok(())
    }

    /// # Safety
    ///
    /// There is room.
    #[inline(always)]
    pub(super) unsafe fn push_within_capacity(&mut self, context: &Context, value: T) {
        self.buffer.before_write(context, self.len, 1);
        // SAFETY: the slot is there, and free.
        unsafe {
            self.buffer.place().add(self.len).write(value);
            self.set_len(self.len + 1);
        }
    }

    /// Takes the last element.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1]);
    /// assert_eq!(vec.pop(mc), Some(1));
    /// assert_eq!(vec.pop(mc), None);
    /// # });
    /// ```
    #[inline]
    pub fn pop(&mut self, mc: &impl Mutates<'gc, T>) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        self.buffer.before_write(mc.access().0, last, 1);
        // SAFETY: the element is there, and belongs to the caller from now on.
        unsafe {
            let value = self.buffer.place().add(last).read();
            self.buffer.clear(last, 1);
            self.set_len(last);
            Some(value)
        }
    }

    /// Adds an element at `index`, in time linear in the number of those behind it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 3]);
    /// vec.insert(mc, 1, 2);
    /// assert_eq!(*vec, [1, 2, 3]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `index` is greater than the length, or there is no memory; see [`Vec::try_insert`].
    #[track_caller]
    pub fn insert(&mut self, mc: &impl Mutates<'gc, T>, index: usize, value: T) {
        or_panic(self.try_insert(mc, index, value))
    }

    /// Adds an element at `index`, or drops it if there is no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 3]);
    /// assert_eq!(vec.try_insert(mc, 0, 0), Ok(()));
    /// assert_eq!(*vec, [0, 1, 3]);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the vector is as it was.
    ///
    /// # Panics
    ///
    /// If `index` is greater than the length.
    #[track_caller]
    pub fn try_insert(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        index: usize,
        value: T,
    ) -> Result<(), HeapError> {
        let len = self.len;
        assert!(index <= len, "insertion at {index} in a vector of {len}");
        self.try_reserve(mc, 1)?;
        let behind = len - index;
        self.buffer.before_write(mc.access().0, index, behind + 1);
        // SAFETY: there is room for one more.
        unsafe {
            let place = self.buffer.place().add(index);
            ptr::copy(place, place.add(1), behind);
            place.write(value);
            self.set_len(len + 1);
        }
        Ok(())
    }

    /// Takes the element at `index`, in time linear in the number of those behind it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2, 3]);
    /// assert_eq!(vec.remove(mc, 0), 1);
    /// assert_eq!(*vec, [2, 3]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[track_caller]
    pub fn remove(&mut self, mc: &impl Mutates<'gc, T>, index: usize) -> T {
        let len = self.len;
        assert!(index < len, "removal at {index} in a vector of {len}");
        let behind = len - index - 1;
        self.buffer.before_write(mc.access().0, index, behind + 1);
        // SAFETY: the element is there, and belongs to the caller from now on.
        unsafe {
            let place = self.buffer.place().add(index);
            let value = place.read();
            ptr::copy(place.add(1), place, behind);
            self.buffer.clear(len - 1, 1);
            self.set_len(len - 1);
            value
        }
    }

    /// Takes the element at `index` and puts the last one there, in constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2, 3]);
    /// assert_eq!(vec.swap_remove(mc, 0), 1);
    /// assert_eq!(*vec, [3, 2]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[track_caller]
    pub fn swap_remove(&mut self, mc: &impl Mutates<'gc, T>, index: usize) -> T {
        let len = self.len;
        assert!(index < len, "removal at {index} in a vector of {len}");
        let last = self.pop(mc).expect("there is one");
        match self.get_mut(mc, index) {
            Some(element) => core::mem::replace(element, last),
            None => last,
        }
    }

    /// Drops the elements from `len` on.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2, 3]);
    /// vec.truncate(mc, 1);
    /// assert_eq!(*vec, [1]);
    /// # });
    /// ```
    pub fn truncate(&mut self, mc: &impl Mutates<'gc, T>, len: usize) {
        if len >= self.len {
            return;
        }
        let count = self.len - len;
        self.buffer.before_write(mc.access().0, len, count);
        // SAFETY: the elements are there, and nobody's from now on. Their `Drop` cannot get at the vector.
        unsafe {
            self.set_len(len);
            let _cleared = Cleared {
                vec: self,
                from: len,
                count,
            };
            if needs_drop::<T>() {
                let place = _cleared.vec.buffer.place().add(len);
                ptr::slice_from_raw_parts_mut(place, count).drop_in_place();
            }
        }
    }

    /// Drops all elements, and keeps the memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2, 3]);
    /// vec.clear(mc);
    /// assert!(vec.is_empty() && vec.capacity() >= 3);
    /// # });
    /// ```
    pub fn clear(&mut self, mc: &impl Mutates<'gc, T>) {
        self.truncate(mc, 0);
    }

    /// Adds the elements of an iterator at the end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1]);
    /// vec.extend(mc, [2, 3]);
    /// assert_eq!(*vec, [1, 2, 3]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator panics; what it gave until then is there.
    pub fn extend(&mut self, mc: &impl Mutates<'gc, T>, iter: impl IntoIterator<Item = T>) {
        let iter = iter.into_iter();
        self.reserve(mc, iter.size_hint().0);
        iter.for_each(|value| self.push(mc, value));
    }

    /// Adds copies of the elements of a slice at the end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1]);
    /// vec.extend_from_slice(mc, &[2, 3]);
    /// assert_eq!(*vec, [1, 2, 3]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Vec::try_extend_from_slice`].
    pub fn extend_from_slice(&mut self, mc: &impl Mutates<'gc, T>, slice: &[T])
    where
        T: Copy,
    {
        or_panic(self.try_extend_from_slice(mc, slice))
    }

    /// Adds copies of the elements of a slice at the end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::new();
    /// assert_eq!(vec.try_extend_from_slice(mc, b"ab"), Ok(()));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the vector is as it was.
    pub fn try_extend_from_slice(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        slice: &[T],
    ) -> Result<(), HeapError>
    where
        T: Copy,
    {
        self.try_reserve(mc, slice.len())?;
        self.buffer
            .before_write(mc.access().0, self.len, slice.len());
        // SAFETY: there is room. The slice is not in it, for no one else has a reference to free slots.
        unsafe {
            let place = self.buffer.place().add(self.len);
            ptr::copy_nonoverlapping(slice.as_ptr(), place, slice.len());
            self.set_len(self.len + slice.len());
        }
        Ok(())
    }

    /// Makes the vector `len` long: drops elements, or adds copies of `value`.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::new();
    /// vec.resize(mc, 3, 1);
    /// assert_eq!(*vec, [1, 1, 1]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or a `clone` panics.
    pub fn resize(&mut self, mc: &impl Mutates<'gc, T>, len: usize, value: T)
    where
        T: Clone,
    {
        self.truncate(mc, len);
        self.extend(mc, core::iter::repeat_n(value, len - self.len));
    }

    /// Moves all elements of another vector to the end of this one.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let (mut one, mut other) = (Vec::from_iter(mc, [1]), Vec::from_iter(mc, [2]));
    /// one.append(mc, &mut other);
    /// assert_eq!((&*one, &*other), (&[1, 2][..], &[][..]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; both are as they were.
    pub fn append(&mut self, mc: &impl Mutates<'gc, T>, other: &mut Vec<'gc, T>) {
        self.reserve(mc, other.len);
        let count = other.len;
        self.buffer.before_write(mc.access().0, self.len, count);
        // SAFETY: there is room, and the elements are moved.
        unsafe {
            let place = self.buffer.place().add(self.len);
            other.move_out(mc.access().0, 0, count, place);
            self.set_len(self.len + count);
        }
    }

    /// Moves `count` elements from `from` on to another place, and closes the gap.
    ///
    /// # Safety
    ///
    /// They are there, and there is room at the place.
    unsafe fn move_out(&mut self, context: &Context, from: usize, count: usize, to: *mut T) {
        let len = self.len - count;
        self.buffer.before_write(context, from, self.len - from);
        // SAFETY: passed on to the caller.
        unsafe {
            let place = self.buffer.place().add(from);
            ptr::copy_nonoverlapping(place, to, count);
            ptr::copy(place.add(count), place, len - from);
            self.buffer.clear(len, count);
            self.set_len(len);
        }
    }

    /// Moves `count` elements from `from` on to a vector of their own.
    fn take_out(&mut self, context: &Context, from: usize, count: usize) -> Vec<'gc, T> {
        let fill = |place: *mut T| {
            // SAFETY: the new buffer has room.
            unsafe { self.move_out(context, from, count, place) };
            count
        };
        // SAFETY: the elements are moved. If this panics there is no memory, and nothing was moved; barriers
        // panic before anything is written.
        let buffer = or_panic(unsafe { Buffer::make(context, count, fill) });
        Vec { buffer, len: count }
    }

    /// Moves the elements from `at` on to a vector of their own.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2, 3]);
    /// assert_eq!(*vec.split_off(mc, 1), [2, 3]);
    /// assert_eq!(*vec, [1]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `at` is greater than the length, or there is no memory; the vector is as it was.
    #[track_caller]
    pub fn split_off(&mut self, mc: &impl Mutates<'gc, T>, at: usize) -> Vec<'gc, T> {
        let len = self.len;
        assert!(at <= len, "a split at {at} of a vector of {len}");
        let context = mc.access().0;
        self.before_move(context, at, len - at);
        self.take_out(context, at, len - at)
    }

    /// Takes the elements of a range out. They are moved at once, to memory of their own, whatever
    /// becomes of the iterator; those that it does not come to are dropped with it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 2, 3, 4]);
    /// assert!(vec.drain(mc, 1..3).eq([2, 3]));
    /// assert_eq!(*vec, [1, 4]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If the range goes beyond the elements, or there is no memory; the vector is as it was.
    #[track_caller]
    pub fn drain(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        range: impl RangeBounds<usize>,
    ) -> IntoIter<'gc, T> {
        let (from, to) = bounds(range, self.len);
        let context = mc.access().0;
        self.before_move(context, from, to - from);
        self.take_out(context, from, to - from).into_iter(mc)
    }

    /// Calls the barrier for a move, which may panic, before memory for it is taken.
    fn before_move(&self, context: &Context, from: usize, count: usize) {
        if count > 0 {
            self.buffer.before_write(context, from, self.len - from);
        }
    }

    /// Keeps the elements for which `keep` says so, in their order. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, 0..6);
    /// vec.retain(mc, |element| element % 2 == 0);
    /// assert_eq!(*vec, [0, 2, 4]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; what it was not asked about is kept.
    pub fn retain(&mut self, mc: &impl Mutates<'gc, T>, mut keep: impl FnMut(&T) -> bool) {
        self.retain_mut(mc, |element| keep(element));
    }

    /// [`Vec::retain`] with elements that can be changed.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, 0..6);
    /// vec.retain_mut(mc, |element| {
    ///     *element += 1;
    ///     *element % 2 == 0
    /// });
    /// assert_eq!(*vec, [2, 4, 6]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; what it was not asked about is kept.
    pub fn retain_mut(&mut self, mc: &impl Mutates<'gc, T>, mut keep: impl FnMut(&mut T) -> bool) {
        self.filter(mc.access().0, |element, _| keep(element));
    }

    /// Drops elements that `same` says are the same as the one before, which is its second argument.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, -1, 2]);
    /// vec.dedup_by(mc, |one, before| i32::abs(*one) == i32::abs(*before));
    /// assert_eq!(*vec, [1, 2]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `same` does; what it was not asked about is kept.
    pub fn dedup_by(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        mut same: impl FnMut(&mut T, &mut T) -> bool,
    ) {
        self.filter(mc.access().0, |element, before| match before {
            Some(before) => !same(element, before),
            None => true,
        });
    }

    /// Drops elements whose key is that of the one before.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [10, 11, 20]);
    /// vec.dedup_by_key(mc, |element| *element / 10);
    /// assert_eq!(*vec, [10, 20]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `key` does; what it was not asked about is kept.
    pub fn dedup_by_key<K: PartialEq>(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        mut key: impl FnMut(&mut T) -> K,
    ) {
        self.dedup_by(mc, |one, before| key(one) == key(before));
    }

    /// Drops elements that are equal to the one before.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 1, 2, 1]);
    /// vec.dedup(mc);
    /// assert_eq!(*vec, [1, 2, 1]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If a comparison does; what was not compared is kept.
    pub fn dedup(&mut self, mc: &impl Mutates<'gc, T>)
    where
        T: PartialEq,
    {
        self.dedup_by(mc, |one, before| one == before);
    }

    /// Keeps the elements for which `keep` says so, which sees also the last one that is kept.
    fn filter(&mut self, context: &Context, mut keep: impl FnMut(&mut T, Option<&mut T>) -> bool) {
        self.buffer.before_write(context, 0, self.len);
        let mut gap = Gap {
            kept: 0,
            seen: 0,
            vec: self,
        };
        while gap.seen < gap.vec.len {
            // SAFETY: slots below `kept` and from `seen` on hold elements, and `kept` is not above `seen`.
            unsafe {
                let place = gap.vec.buffer.place();
                let element = place.add(gap.seen);
                let before = match gap.kept {
                    0 => None,
                    kept => Some(&mut *place.add(kept - 1)),
                };
                if keep(&mut *element, before) {
                    ptr::copy(element, place.add(gap.kept), 1);
                    gap.kept += 1;
                    gap.seen += 1;
                } else {
                    gap.seen += 1;
                    element.drop_in_place();
                }
            }
        }
    }

    /// The elements by value.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let vec = Vec::from_iter(mc, [1, 2]);
    /// assert!(vec.into_iter(mc).eq([1, 2]));
    /// # });
    /// ```
    #[allow(
        clippy::should_implement_trait,
        reason = "the trait's method would have no right to write"
    )]
    #[inline]
    pub fn into_iter(self, mc: &impl Mutates<'gc, T>) -> IntoIter<'gc, T> {
        IntoIter::new(mc.access().0, self.buffer, 0, self.len)
    }

    /// The elements as a managed slice, without moving them: spare memory stays.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let slice: Gc<'_, [u8]> = Vec::from_iter(mc, [1, 2]).into_gc();
    /// assert_eq!(*slice, [1, 2]);
    /// # });
    /// ```
    pub fn into_gc(self) -> Gc<'gc, [T]> {
        let slice = ptr::slice_from_raw_parts_mut(self.buffer.place(), self.len);
        // SAFETY: the place is not null. The elements are there, at the start of an object or where nothing needs
        // memory, and nobody can change them any more but through their locks.
        unsafe { Gc::from_non_null(NonNull::new_unchecked(slice)) }
    }
}

/// The range as a beginning and an end, in a collection of `len` elements.
#[track_caller]
pub(super) fn bounds(range: impl RangeBounds<usize>, len: usize) -> (usize, usize) {
    let from = match range.start_bound() {
        Bound::Included(&from) => from,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(&last) => last.saturating_add(1),
        Bound::Excluded(&to) => to,
        Bound::Unbounded => len,
    };
    assert!(
        from <= to && to <= len,
        "the range {from}..{to} of a collection of {len}"
    );
    (from, to)
}

/// Clears slots when their elements were dropped, also if one panicked.
struct Cleared<'a, 'gc, T: Collect<'gc> + 'gc> {
    vec: &'a mut Vec<'gc, T>,
    from: usize,
    count: usize,
}

impl<'gc, T: Collect<'gc> + 'gc> Drop for Cleared<'_, 'gc, T> {
    fn drop(&mut self) {
        // SAFETY: the barrier was called, and the elements are no more.
        unsafe { self.vec.buffer.clear(self.from, self.count) }
    }
}

/// A vector with a gap: elements are below `kept` and from `seen` on. Its drop closes it.
struct Gap<'a, 'gc, T: Collect<'gc> + 'gc> {
    vec: &'a mut Vec<'gc, T>,
    kept: usize,
    seen: usize,
}

impl<'gc, T: Collect<'gc> + 'gc> Drop for Gap<'_, 'gc, T> {
    fn drop(&mut self) {
        let behind = self.vec.len - self.seen;
        // SAFETY: the barrier was called for all, and elements are where the type says.
        unsafe {
            let place = self.vec.buffer.place();
            ptr::copy(place.add(self.seen), place.add(self.kept), behind);
            self.vec
                .buffer
                .clear(self.kept + behind, self.seen - self.kept);
            self.vec.set_len(self.kept + behind);
        }
    }
}

// SAFETY: the one pointer is visited in place; what it leads to is described by its tags or its descriptor.
unsafe impl<'gc, T: Collect<'gc> + 'gc> Collect<'gc> for Vec<'gc, T> {
    const TYPE_MAP: TypeMap =
        TypeMap::LEAF.with_field(Buffer::<'gc, T>::TYPE_MAP, offset_of!(Vec<'gc, T>, buffer));

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.buffer);
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Deref for Vec<'gc, T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the elements are there, and changed only by who has the vector exclusively.
        unsafe { core::slice::from_raw_parts(self.buffer.place(), self.len) }
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Default for Vec<'gc, T> {
    fn default() -> Vec<'gc, T> {
        Vec::new()
    }
}

impl<'gc, T: Collect<'gc> + 'gc> AsRef<[T]> for Vec<'gc, T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Borrow<[T]> for Vec<'gc, T> {
    fn borrow(&self) -> &[T] {
        self
    }
}

impl<'a, 'gc, T: Collect<'gc> + 'gc> IntoIterator for &'a Vec<'gc, T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> core::slice::Iter<'a, T> {
        self.iter()
    }
}

impl<'gc, T: Collect<'gc> + fmt::Debug + 'gc> fmt::Debug for Vec<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<'gc, T: Collect<'gc> + PartialEq + 'gc> PartialEq for Vec<'gc, T> {
    fn eq(&self, other: &Vec<'gc, T>) -> bool {
        **self == **other
    }
}

impl<'gc, T: Collect<'gc> + Eq + 'gc> Eq for Vec<'gc, T> {}

impl<'gc, T: Collect<'gc> + PartialOrd + 'gc> PartialOrd for Vec<'gc, T> {
    fn partial_cmp(&self, other: &Vec<'gc, T>) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<'gc, T: Collect<'gc> + Ord + 'gc> Ord for Vec<'gc, T> {
    fn cmp(&self, other: &Vec<'gc, T>) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<'gc, T: Collect<'gc> + Hash + 'gc> Hash for Vec<'gc, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state)
    }
}
