//! [`Vec`]: a growable array in the heap.
//!
//! It is a [`Buffer`] and a length; elements are in the slots below the length. Operations that move many
//! elements call the barrier once for all of them. A closure or an iterator of the caller's may panic whenever it is
//! called: until then what it has been asked about is in order, and a guard closes the gap that there may be.
//!
//! Here are the type and the ways to see and to write what is in it; `capacity` has its memory, `elements` what is done
//! with one element, `ranges` with many, `retain` with those that a closure chooses, and `traits` the traits.
//!
//! # Invariants
//!
//! Those of [`Buffer`], and
//!
//! 1. Slots below `len` hold elements, others do not, and `Live` says the same between operations.

mod capacity;
mod elements;
mod ranges;
mod retain;
mod traits;

use core::ptr::{self, NonNull};

pub(super) use self::ranges::bounds;
use super::buffer::Buffer;
use super::into_iter::IntoIter;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::barrier::Write;
use crate::mutator::mutates::Mutates;
use crate::pointers::gc::Gc;
use crate::types::collect::Collect;

/// A growable array in the heap: [`std::vec::Vec`] without memory outside of it.
///
/// It is a value of three words, held like any other in a `RefLock` or in the root. What changes it takes the `mc` of
/// the
/// `mutate` call. It derefs to a slice, so all of a slice's methods that only look are there; those that change it,
/// such as `sort`, are those of [`Vec::as_mut_slice`].
///
/// Elements may be of any type that can live in the heap. If they need `Drop`, those that are still there when the
/// memory of the vector is found unreachable are dropped by that collection. (So forgetting a vector is the same as
/// dropping it.) Types whose pointers are at the same places in all values are marked fastest; for others, such as
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
    /// If there is no memory; see [`Vec::try_reserve`].
    pub fn with_capacity(mc: &impl Mutates<'gc, T>, capacity: usize) -> Vec<'gc, T> {
        or_panic(Vec::try_with_capacity(mc, capacity))
    }

    /// No elements, with memory for `capacity`.
    pub(super) fn try_with_capacity(
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
        self.buffer.before_lend(mc.access().0, 0, self.len);
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
        self.buffer.before_lend(mc.access().0, index, 1);
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
        self.buffer.before_lend(mc.access().0, index, 1);
        // SAFETY: the barrier was called.
        unsafe { Write::assume(element) }
    }

    /// Calls the barrier for elements that another call will write, which calls it again. So that one does not panic.
    #[inline]
    pub(super) fn before_write(&self, mc: &impl Mutates<'gc, T>, from: usize, count: usize) {
        _ = self.buffer.before_write(mc.access().0, from, count);
    }

    /// # Safety
    ///
    /// Slots below `len` hold elements; and those between it and the length until now do not any more, and the barrier
    /// was called for them.
    #[inline(always)]
    unsafe fn set_len(&mut self, len: usize) {
        self.len = len;
        // SAFETY: these slots hold elements, and the barrier was called for those that no longer do (the caller's
        // promises).
        unsafe { self.buffer.set_live(0, len) }
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
