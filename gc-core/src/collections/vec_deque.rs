//! [`VecDeque`]: a queue with two ends, in the heap.
//!
//! It is a ring of slots in a [`Buffer`]: the elements begin at `head`, and go on from the first slot when they come to the
//! end of the buffer.
//!
//! # Invariants
//!
//! Those of [`Buffer`], and
//!
//! 1. The slots of the ring from `head` on, `len` in number, hold elements, others do not, and `Live` says the same
//!    between operations. `head` is below the capacity, or zero.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::mem::{MaybeUninit, offset_of};
use core::ops::Index;
use core::ptr;

use super::buffer::Buffer;
use super::deque_iter::{VecDequeIter, VecDequeIterMut};
use super::into_iter::IntoIter;
use super::mutates::Mutates;
use super::or_panic;
use crate::barrier::Write;
use crate::collect::{Collect, Trace};
use crate::context::Context;
use crate::heap::error::HeapError;
use crate::typemap::TypeMap;

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

    fn before_write(&self, context: &Context, index: usize, count: usize) {
        if count > 0 {
            let (slot, front, back) = self.parts(index, count);
            self.buffer.before_write(context, slot, front);
            self.buffer.before_write(context, 0, back);
        }
    }

    /// # Safety
    ///
    /// As for `Vec::set_len`.
    #[inline(always)]
    unsafe fn set(&mut self, head: usize, len: usize) {
        (self.head, self.len) = (head, len);
        // SAFETY: passed on to the caller.
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
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2]);
    /// deque.as_mut_slices(mc).0[0] = 5;
    /// assert_eq!(deque[0], 5);
    /// # });
    /// ```
    #[inline]
    pub fn as_mut_slices(&mut self, mc: &impl Mutates<'gc, T>) -> (&mut [T], &mut [T]) {
        self.before_write(mc.access().0, 0, self.len);
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
            self.buffer.before_write(mc.access().0, 0, capacity);
            // SAFETY: all slots are moved, as plain memory, those without elements included, which stay clear.
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
    pub fn iter(&self) -> VecDequeIter<'_, T> {
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
    pub fn iter_mut(&mut self, mc: &impl Mutates<'gc, T>) -> VecDequeIterMut<'_, T> {
        let (front, back) = self.as_mut_slices(mc);
        VecDequeIterMut::new(front.iter_mut(), back.iter_mut())
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
        self.buffer.before_write(mc.access().0, slot, 1);
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
        self.before_write(mc.access().0, index, 1);
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

    /// Makes room for at least so many more elements.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::<u32>::new();
    /// deque.reserve(mc, 10);
    /// assert!(deque.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`VecDeque::try_reserve`].
    #[inline]
    pub fn reserve(&mut self, mc: &impl Mutates<'gc, T>, additional: usize) {
        or_panic(self.try_reserve(mc, additional))
    }

    /// Makes room for at least so many more elements. Pushing them does not fail then.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert!(VecDeque::<u32>::new().try_reserve(mc, usize::MAX).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the deque is as it was.
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

    /// Moves the elements to memory without room for more.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::with_capacity(mc, 100);
    /// deque.push_back(mc, 1);
    /// deque.shrink_to_fit(mc);
    /// assert_eq!(deque.capacity(), 1);
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

    #[cold]
    #[inline(never)]
    fn grow(&mut self, context: &Context, additional: usize) -> Result<(), HeapError> {
        let needed = self
            .len
            .checked_add(additional)
            .ok_or(HeapError::SizeOverflow {
                count: usize::MAX,
                size: size_of::<T>(),
            })?;
        let doubled = self.capacity().saturating_mul(2);
        self.resize_buffer(context, needed.max(doubled).max(4))
    }

    /// Moves the elements to a buffer for `capacity` elements, which is as many as there are at least.
    fn resize_buffer(&mut self, context: &Context, capacity: usize) -> Result<(), HeapError> {
        self.buffer.before_disown(context);
        let (slot, front, back) = self.parts(0, self.len);
        let old = self.buffer.place();
        let fill = |place: *mut T| {
            // SAFETY: both buffers are long enough.
            unsafe {
                ptr::copy_nonoverlapping(old.add(slot), place, front);
                ptr::copy_nonoverlapping(old, place.add(front), back);
            }
            front + back
        };
        // SAFETY: the elements are moved: the old buffer gives them up.
        unsafe {
            let buffer = Buffer::make(context, capacity, fill)?;
            self.buffer.disown();
            self.buffer = buffer;
            self.head = 0;
        }
        Ok(())
    }

    /// Adds an element at the back, in amortised constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::new();
    /// deque.push_back(mc, 1);
    /// assert_eq!(deque.back(), Some(&1));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`VecDeque::try_push_back`].
    #[inline]
    pub fn push_back(&mut self, mc: &impl Mutates<'gc, T>, value: T) {
        or_panic(self.try_push_back(mc, value));
    }

    /// Adds an element at the back, or drops it if there is no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::new().try_push_back(mc, 1), Ok(()));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the deque is as it was.
    #[inline]
    pub fn try_push_back(&mut self, mc: &impl Mutates<'gc, T>, value: T) -> Result<(), HeapError> {
        self.try_reserve(mc, 1)?;
        let slot = self.slot(self.len);
        self.buffer.before_write(mc.access().0, slot, 1);
        // SAFETY: the slot is there, and free.
        unsafe {
            self.buffer.place().add(slot).write(value);
            self.set(self.head, self.len + 1);
        }
        Ok(())
    }

    /// Adds an element at the front, in amortised constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1]);
    /// deque.push_front(mc, 0);
    /// assert!(deque.iter().eq(&[0, 1]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`VecDeque::try_push_front`].
    #[inline]
    pub fn push_front(&mut self, mc: &impl Mutates<'gc, T>, value: T) {
        or_panic(self.try_push_front(mc, value));
    }

    /// Adds an element at the front, or drops it if there is no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::new().try_push_front(mc, 1), Ok(()));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the deque is as it was.
    #[inline]
    pub fn try_push_front(&mut self, mc: &impl Mutates<'gc, T>, value: T) -> Result<(), HeapError> {
        self.try_reserve(mc, 1)?;
        let slot = self.slot(self.capacity() - 1);
        self.buffer.before_write(mc.access().0, slot, 1);
        // SAFETY: the slot is there, and free.
        unsafe {
            self.buffer.place().add(slot).write(value);
            self.set(slot, self.len + 1);
        }
        Ok(())
    }

    /// Takes the first element.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::from_iter(mc, [1, 2]).pop_front(mc), Some(1));
    /// # });
    /// ```
    #[inline]
    pub fn pop_front(&mut self, mc: &impl Mutates<'gc, T>) -> Option<T> {
        let len = self.len.checked_sub(1)?;
        let slot = self.head;
        self.buffer.before_write(mc.access().0, slot, 1);
        // SAFETY: the element is there, and belongs to the caller from now on.
        unsafe {
            let value = self.buffer.place().add(slot).read();
            self.buffer.clear(slot, 1);
            self.set(self.slot(1), len);
            Some(value)
        }
    }

    /// Takes the last element.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(VecDeque::from_iter(mc, [1, 2]).pop_back(mc), Some(2));
    /// # });
    /// ```
    #[inline]
    pub fn pop_back(&mut self, mc: &impl Mutates<'gc, T>) -> Option<T> {
        let len = self.len.checked_sub(1)?;
        let slot = self.slot(len);
        self.buffer.before_write(mc.access().0, slot, 1);
        // SAFETY: the element is there, and belongs to the caller from now on.
        unsafe {
            let value = self.buffer.place().add(slot).read();
            self.buffer.clear(slot, 1);
            self.set(self.head, len);
            Some(value)
        }
    }

    /// Exchanges two elements.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2]);
    /// deque.swap(mc, 0, 1);
    /// assert!(deque.iter().eq(&[2, 1]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are no such elements.
    #[track_caller]
    pub fn swap(&mut self, mc: &impl Mutates<'gc, T>, one: usize, other: usize) {
        assert!(one < self.len && other < self.len, "a swap beyond the end");
        self.before_write(mc.access().0, one, 1);
        self.before_write(mc.access().0, other, 1);
        self.swap_slots(one, other);
    }

    /// Exchanges two elements for which the barrier was called.
    #[inline]
    fn swap_slots(&mut self, one: usize, other: usize) {
        let place = self.buffer.place();
        // SAFETY: callers pass indices of elements, whose slots are the same only if the indices are.
        unsafe { ptr::swap(place.add(self.slot(one)), place.add(self.slot(other))) }
    }

    /// Adds an element at `index`, in time linear in the distance to the nearer end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 3]);
    /// deque.insert(mc, 1, 2);
    /// assert!(deque.iter().eq(&[1, 2, 3]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `index` is greater than the length, or there is no memory.
    #[track_caller]
    pub fn insert(&mut self, mc: &impl Mutates<'gc, T>, index: usize, value: T) {
        let len = self.len;
        assert!(index <= len, "insertion at {index} in a deque of {len}");
        if index < len / 2 {
            self.push_front(mc, value);
            self.before_write(mc.access().0, 0, index + 1);
            (0..index).for_each(|at| self.swap_slots(at, at + 1));
        } else {
            self.push_back(mc, value);
            self.before_write(mc.access().0, index, len - index + 1);
            (index..len)
                .rev()
                .for_each(|at| self.swap_slots(at, at + 1));
        }
    }

    /// Takes the element at `index`, in time linear in the distance to the nearer end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2, 3]);
    /// assert_eq!(deque.remove(mc, 1), Some(2));
    /// assert_eq!(deque.remove(mc, 2), None);
    /// # });
    /// ```
    pub fn remove(&mut self, mc: &impl Mutates<'gc, T>, index: usize) -> Option<T> {
        if index >= self.len {
            return None;
        }
        if index < self.len / 2 {
            self.before_write(mc.access().0, 0, index + 1);
            (0..index).rev().for_each(|at| self.swap_slots(at, at + 1));
            self.pop_front(mc)
        } else {
            self.before_write(mc.access().0, index, self.len - index);
            (index..self.len - 1).for_each(|at| self.swap_slots(at, at + 1));
            self.pop_back(mc)
        }
    }

    /// Drops the elements from `len` on.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2, 3]);
    /// deque.truncate(mc, 1);
    /// assert!(deque.iter().eq(&[1]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If a `Drop` does; elements that were not dropped yet stay.
    pub fn truncate(&mut self, mc: &impl Mutates<'gc, T>, len: usize) {
        while self.len > len {
            drop(self.pop_back(mc));
        }
    }

    /// Drops all elements, and keeps the memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2, 3]);
    /// deque.clear(mc);
    /// assert!(deque.is_empty());
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If a `Drop` does; elements that were not dropped yet stay.
    pub fn clear(&mut self, mc: &impl Mutates<'gc, T>) {
        self.truncate(mc, 0);
    }

    /// Adds the elements of an iterator at the back.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1]);
    /// deque.extend(mc, [2, 3]);
    /// assert!(deque.iter().eq(&[1, 2, 3]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator panics; what it gave until then is there.
    pub fn extend(&mut self, mc: &impl Mutates<'gc, T>, iter: impl IntoIterator<Item = T>) {
        let iter = iter.into_iter();
        self.reserve(mc, iter.size_hint().0);
        iter.for_each(|value| self.push_back(mc, value));
    }

    /// Moves all elements of another deque to the back of this one.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let [mut one, mut other] = [1, 2].map(|value| VecDeque::from_iter(mc, [value]));
    /// one.append(mc, &mut other);
    /// assert!(one.iter().eq(&[1, 2]) && other.is_empty());
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; both are as they were.
    pub fn append(&mut self, mc: &impl Mutates<'gc, T>, other: &mut VecDeque<'gc, T>) {
        self.reserve(mc, other.len);
        while let Some(value) = other.pop_front(mc) {
            self.push_back(mc, value);
        }
    }

    /// Keeps the elements for which `keep` says so, in their order. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, 0..6);
    /// deque.retain(mc, |element| element % 2 == 0);
    /// assert!(deque.iter().eq(&[0, 2, 4]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; what it was not asked about is kept.
    pub fn retain(&mut self, mc: &impl Mutates<'gc, T>, mut keep: impl FnMut(&T) -> bool) {
        /// Brings the elements that were kept, at the back, to the front of those that `keep` has not seen.
        struct Around<'a, 'gc, T: Collect<'gc> + 'gc, M: Mutates<'gc, T>> {
            deque: &'a mut VecDeque<'gc, T>,
            mc: &'a M,
            kept: usize,
        }

        impl<'gc, T: Collect<'gc> + 'gc, M: Mutates<'gc, T>> Drop for Around<'_, 'gc, T, M> {
            fn drop(&mut self) {
                if self.kept < self.deque.len {
                    for _ in 0..self.kept {
                        // There is room: it was taken from there.
                        if let Some(value) = self.deque.pop_back(self.mc) {
                            self.deque.push_front(self.mc, value);
                        }
                    }
                }
            }
        }

        let count = self.len;
        let mut around = Around {
            deque: self,
            mc,
            kept: 0,
        };
        for _ in 0..count {
            let front = around.deque.front();
            let keeps = front.is_some_and(&mut keep);
            let value = around.deque.pop_front(mc);
            if let Some(value) = value.filter(|_| keeps) {
                around.deque.push_back(mc, value);
                around.kept += 1;
            }
        }
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

    /// Takes all elements, and leaves no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2]);
    /// assert!(deque.drain(mc).eq([1, 2]));
    /// assert!(deque.is_empty());
    /// # });
    /// ```
    pub fn drain(&mut self, mc: &impl Mutates<'gc, T>) -> IntoIter<'gc, T> {
        core::mem::take(self).into_iter(mc)
    }
}

// SAFETY: the one pointer is visited in place; what it leads to is described by its tags or its descriptor.
unsafe impl<'gc, T: Collect<'gc> + 'gc> Collect<'gc> for VecDeque<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        Buffer::<'gc, T>::TYPE_MAP,
        offset_of!(VecDeque<'gc, T>, buffer),
    );

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.buffer);
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Default for VecDeque<'gc, T> {
    fn default() -> VecDeque<'gc, T> {
        VecDeque::new()
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Index<usize> for VecDeque<'gc, T> {
    type Output = T;

    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[track_caller]
    fn index(&self, index: usize) -> &T {
        let len = self.len;
        match self.get(index) {
            Some(element) => element,
            None => panic!("element {index} of a deque of {len}"),
        }
    }
}

impl<'a, 'gc, T: Collect<'gc> + 'gc> IntoIterator for &'a VecDeque<'gc, T> {
    type Item = &'a T;
    type IntoIter = VecDequeIter<'a, T>;

    fn into_iter(self) -> VecDequeIter<'a, T> {
        self.iter()
    }
}

impl<'gc, T: Collect<'gc> + fmt::Debug + 'gc> fmt::Debug for VecDeque<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<'gc, T: Collect<'gc> + PartialEq + 'gc> PartialEq for VecDeque<'gc, T> {
    fn eq(&self, other: &VecDeque<'gc, T>) -> bool {
        self.iter().eq(other)
    }
}

impl<'gc, T: Collect<'gc> + Eq + 'gc> Eq for VecDeque<'gc, T> {}

impl<'gc, T: Collect<'gc> + PartialOrd + 'gc> PartialOrd for VecDeque<'gc, T> {
    fn partial_cmp(&self, other: &VecDeque<'gc, T>) -> Option<Ordering> {
        self.iter().partial_cmp(other)
    }
}

impl<'gc, T: Collect<'gc> + Ord + 'gc> Ord for VecDeque<'gc, T> {
    fn cmp(&self, other: &VecDeque<'gc, T>) -> Ordering {
        self.iter().cmp(other)
    }
}

impl<'gc, T: Collect<'gc> + Hash + 'gc> Hash for VecDeque<'gc, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len);
        self.iter().for_each(|element| element.hash(state));
    }
}
