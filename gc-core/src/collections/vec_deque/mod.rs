//! [`VecDeque`]: a queue with two ends, in the heap.
//!
//! It is a ring of slots in a [`Buffer`]: the elements begin at `head`, and go on from the first slot when they come to
//! the end of the buffer.
//!
//! Here are the type and the ways to see and to write what is in it; `capacity` has its memory, `elements` what is done
//! with one element, `ranges` with many, `iter` the iterators, and `traits` the traits.
//!
//! # Invariants
//!
//! Those of [`Buffer`], and
//!
//! 1. The slots of the ring from `head` on, `len` in number, hold elements, others do not, and `Live` says the same
//!    between operations. `head` is below the capacity, or zero.

mod capacity;
mod elements;
mod iter;
mod ranges;
mod traits;

use core::mem::MaybeUninit;
use core::slice;

pub use self::iter::VecDequeIter;
use super::buffer::{Buffer, Retag};
use super::into_iter::IntoIter;
use crate::heap::error::or_panic;
use crate::mutator::barrier::Write;
use crate::mutator::context::Context;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

/// A queue with two ends, in the heap: [`std::collections::VecDeque`] without memory outside of it.
///
/// What [`Vec`](super::Vec) says of its elements and of changing them holds for it as well.
///
/// ```
/// use gc_core::collections::VecDeque;
/// use gc_core::{Arena, Gc, RefLock, Rootable};
///
/// type Queue<'gc> = Gc<'gc, RefLock<VecDeque<'gc, Gc<'gc, u32>>>>;
///
/// let mut arena = Arena::<Rootable![Queue<'_>]>::new(|mc| Gc::new(mc, RefLock::default()));
/// arena.mutate(|mc, queue| {
///     let mut queue = queue.borrow_mut(mc);
///     queue.push_back(mc, Gc::new(mc, 1));
///     queue.push_front(mc, Gc::new(mc, 0));
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, queue| {
///     assert_eq!(queue.borrow_mut(mc).pop_front(mc).as_deref(), Some(&0));
/// });
/// ```
pub struct VecDeque<'gc, T> {
    buffer: Buffer<'gc, T>,
    head: usize,
    len: usize,
}

impl<'gc, T: Collect<'gc> + 'gc> VecDeque<'gc, T> {
    /// No elements, and no memory.
    ///
    /// ```
    /// # use gc_core::collections::VecDeque;
    /// assert!(VecDeque::<u32>::new().is_empty());
    /// ```
    #[inline]
    pub const fn new() -> VecDeque<'gc, T> {
        VecDeque {
            buffer: Buffer::NONE,
            head: 0,
            len: 0,
        }
    }

    /// No elements, with memory for `capacity`.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert!(VecDeque::<u32>::with_capacity(mc, 10).capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn with_capacity(mc: &impl Mutates<'gc, T>, capacity: usize) -> VecDeque<'gc, T> {
        let mut deque = VecDeque::new();
        or_panic(deque.resize_buffer(mc.access().0, capacity));
        deque
    }

    /// The elements of an iterator.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert!(VecDeque::from_iter(mc, [1, 2]).iter().eq(&[1, 2]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator panics.
    pub fn from_iter(
        mc: &impl Mutates<'gc, T>,
        iter: impl IntoIterator<Item = T>,
    ) -> VecDeque<'gc, T> {
        let mut deque = VecDeque::new();
        deque.extend(mc, iter);
        deque
    }

    /// Copies of the elements, in memory of their own.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let deque = VecDeque::from_iter(mc, [1, 2]);
    /// assert_eq!(deque.clone_in(mc), deque);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or a `clone` panics.
    pub fn clone_in(&self, mc: &impl Mutates<'gc, T>) -> VecDeque<'gc, T>
    where
        T: Clone,
    {
        VecDeque::from_iter(mc, self.iter().cloned())
    }

    /// The number of elements.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::from_iter(mc, [1, 2]).len(), 2);
    /// # });
    /// ```
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    ///
    /// ```
    /// # use gc_core::collections::VecDeque;
    /// assert!(VecDeque::<u32>::new().is_empty());
    /// ```
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many elements fit without more memory.
    ///
    /// ```
    /// # use gc_core::collections::VecDeque;
    /// assert_eq!(VecDeque::<u32>::new().capacity(), 0);
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// The slot of an element.
    #[inline(always)]
    fn slot(&self, index: usize) -> usize {
        self.buffer.wrap(self.head, index)
    }

    /// Where `count` elements from `index` on are: from a slot on, how many, and how many from the first slot on.
    #[inline]
    fn parts(&self, index: usize, count: usize) -> (usize, usize, usize) {
        let slot = self.slot(index);
        let front = count.min(self.capacity() - slot);
        (slot, front, count - front)
    }

    fn before_write(&self, context: &Context, index: usize, count: usize) -> Retag {
        let (slot, front, back) = self.parts(index, count);
        _ = self.buffer.before_write(context, slot, front);
        // The same.
        self.buffer.before_write(context, 0, back)
    }

    /// Makes the tags of elements right that were written.
    ///
    /// # Safety
    ///
    /// As for [`Buffer::written`], of the slots of these elements.
    unsafe fn written(&self, context: &Context, retag: Retag, index: usize, count: usize) {
        let (slot, front, back) = self.parts(index, count);
        // SAFETY: the two ranges are the slots of these elements, which were written under `retag` (the caller's
        // promise).
        unsafe {
            self.buffer.written(context, retag, slot, front);
            self.buffer.written(context, retag, 0, back);
        }
    }

    fn before_lend(&self, context: &Context, index: usize, count: usize) {
        if count > 0 {
            let (slot, front, back) = self.parts(index, count);
            self.buffer.before_lend(context, slot, front);
            self.buffer.before_lend(context, 0, back);
        }
    }

    /// # Safety
    ///
    /// As for `Vec::set_len`.
    #[inline(always)]
    unsafe fn set(&mut self, head: usize, len: usize) {
        (self.head, self.len) = (head, len);
        // SAFETY: these slots hold elements, and the barrier was called for those that no longer do (the caller's
        // promises).
        unsafe { self.buffer.set_live(head, len) }
    }

    /// The elements, as two slices: the second follows the first.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let deque = VecDeque::from_iter(mc, [1, 2]);
    /// assert_eq!(deque.as_slices(), (&[1, 2][..], &[][..]));
    /// # });
    /// ```
    #[inline]
    pub fn as_slices(&self) -> (&[T], &[T]) {
        let (slot, front, back) = self.parts(0, self.len);
        let place = self.buffer.place();
        // SAFETY: the elements are there.
        unsafe {
            (
                core::slice::from_raw_parts(place.add(slot), front),
                core::slice::from_raw_parts(place, back),
            )
        }
    }

    /// The elements, to be changed, as two slices. Calls the barrier for all of them.
    #[inline]
    fn as_mut_slices(&mut self, mc: &impl Mutates<'gc, T>) -> (&mut [T], &mut [T]) {
        self.before_lend(mc.access().0, 0, self.len);
        let (slot, front, back) = self.parts(0, self.len);
        let place = self.buffer.place();
        // SAFETY: the elements are there, the parts do not overlap, and the barrier was called.
        unsafe {
            (
                core::slice::from_raw_parts_mut(place.add(slot), front),
                core::slice::from_raw_parts_mut(place, back),
            )
        }
    }

    /// Moves the elements so that they are in one slice. Linear in the capacity, unless they are.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [2, 1]);
    /// deque.push_front(mc, 3);
    /// deque.make_contiguous(mc).sort();
    /// assert!(deque.iter().eq(&[1, 2, 3]));
    /// # });
    /// ```
    pub fn make_contiguous(&mut self, mc: &impl Mutates<'gc, T>) -> &mut [T] {
        let (slot, _, back) = self.parts(0, self.len);
        if back > 0 {
            let capacity = self.capacity();
            self.buffer.before_lend(mc.access().0, 0, capacity);
            // SAFETY: all slots are moved, as plain memory, those without elements included, which stay clear. If tags
            // move with them, the buffer is dirty.
            unsafe {
                let place = self.buffer.place().cast::<MaybeUninit<T>>();
                core::slice::from_raw_parts_mut(place, capacity).rotate_left(slot);
                self.set(0, self.len);
            }
        }
        self.as_mut_slices(mc).0
    }

    /// The elements from front to back.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert!(VecDeque::from_iter(mc, [1, 2]).iter().rev().eq(&[2, 1]));
    /// # });
    /// ```
    #[inline]
    pub fn iter(&self) -> VecDequeIter<slice::Iter<'_, T>> {
        let (front, back) = self.as_slices();
        VecDequeIter::new(front.iter(), back.iter())
    }

    /// The elements from front to back, to be changed. Calls the barrier for all of them.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2]);
    /// deque.iter_mut(mc).for_each(|element| *element *= 10);
    /// assert!(deque.iter().eq(&[10, 20]));
    /// # });
    /// ```
    #[inline]
    pub fn iter_mut(&mut self, mc: &impl Mutates<'gc, T>) -> VecDequeIter<slice::IterMut<'_, T>> {
        let (front, back) = self.as_mut_slices(mc);
        VecDequeIter::new(front.iter_mut(), back.iter_mut())
    }

    /// The element at `index`, counted from the front.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::from_iter(mc, [1, 2]).get(1), Some(&2));
    /// # });
    /// ```
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        // SAFETY: the element is there.
        (index < self.len).then(|| unsafe { &*self.buffer.place().add(self.slot(index)) })
    }

    /// The element at `index`, to be changed. Calls the barrier for it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2]);
    /// *deque.get_mut(mc, 1).unwrap() = 7;
    /// assert_eq!(deque[1], 7);
    /// # });
    /// ```
    #[inline]
    pub fn get_mut(&mut self, mc: &impl Mutates<'gc, T>, index: usize) -> Option<&mut T> {
        if index >= self.len {
            return None;
        }
        let slot = self.slot(index);
        self.buffer.before_lend(mc.access().0, slot, 1);
        // SAFETY: the element is there, nobody else has a reference to it, and the barrier was called.
        Some(unsafe { &mut *self.buffer.place().add(slot) })
    }

    /// Calls the barrier for an element, and lets the caller write to it through its locks.
    ///
    /// ```
    /// # use gc_core::{Lock, arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let deque = VecDeque::from_iter(mc, [Lock::new(1)]);
    /// deque.write_at(mc, 0).unlock().set(2);
    /// assert_eq!(deque[0].get(), 2);
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
        self.before_lend(mc.access().0, index, 1);
        // SAFETY: the barrier was called.
        unsafe { Write::assume(element) }
    }

    /// The first element.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::from_iter(mc, [1, 2]).front(), Some(&1));
    /// # });
    /// ```
    #[inline]
    pub fn front(&self) -> Option<&T> {
        self.get(0)
    }

    /// The last element.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::from_iter(mc, [1, 2]).back(), Some(&2));
    /// # });
    /// ```
    #[inline]
    pub fn back(&self) -> Option<&T> {
        self.get(self.len.wrapping_sub(1))
    }

    /// The elements by value.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert!(VecDeque::from_iter(mc, [1, 2]).into_iter(mc).eq([1, 2]));
    /// # });
    /// ```
    #[allow(
        clippy::should_implement_trait,
        reason = "the trait's method would have no right to write"
    )]
    #[inline]
    pub fn into_iter(self, mc: &impl Mutates<'gc, T>) -> IntoIter<'gc, T> {
        IntoIter::new(mc.access().0, self.buffer, self.head, self.len)
    }
}
