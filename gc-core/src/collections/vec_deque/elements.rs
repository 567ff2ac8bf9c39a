//! Adding elements to a [`VecDeque`] and taking them out, one at a time.

use core::ptr;

use super::VecDeque;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, T: Collect<'gc> + 'gc> VecDeque<'gc, T> {
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
    /// If there is no memory; see [`VecDeque::try_reserve`].
    #[inline]
    pub fn push_back(&mut self, mc: &impl Mutates<'gc, T>, value: T) {
        or_panic(self.try_push_back(mc, value));
    }

    /// Adds an element at the back, or drops it if there is no memory.
    #[inline]
    fn try_push_back(&mut self, mc: &impl Mutates<'gc, T>, value: T) -> Result<(), HeapError> {
        self.try_reserve(mc, 1)?;
        let (context, slot) = (mc.access().0, self.slot(self.len));
        let retag = self.buffer.before_write(context, slot, 1);
        // SAFETY: the slot is there, and free. The barrier was called for it.
        unsafe {
            self.buffer.place().add(slot).write(value);
            self.set(self.head, self.len + 1);
            self.buffer.written(context, retag, slot, 1);
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
    /// If there is no memory; see [`VecDeque::try_reserve`].
    #[inline]
    pub fn push_front(&mut self, mc: &impl Mutates<'gc, T>, value: T) {
        or_panic(self.try_push_front(mc, value));
    }

    /// Adds an element at the front, or drops it if there is no memory.
    #[inline]
    fn try_push_front(&mut self, mc: &impl Mutates<'gc, T>, value: T) -> Result<(), HeapError> {
        self.try_reserve(mc, 1)?;
        let (context, slot) = (mc.access().0, self.slot(self.capacity() - 1));
        let retag = self.buffer.before_write(context, slot, 1);
        // SAFETY: the slot is there, and free. The barrier was called for it.
        unsafe {
            self.buffer.place().add(slot).write(value);
            self.set(slot, self.len + 1);
            self.buffer.written(context, retag, slot, 1);
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
        let (context, slot) = (mc.access().0, self.head);
        let retag = self.buffer.before_write(context, slot, 1);
        // SAFETY: the element is there, and belongs to the caller from now on. The barrier was called for it.
        unsafe {
            let value = self.buffer.place().add(slot).read();
            self.buffer.clear(context, retag, slot, 1);
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
        let (context, slot) = (mc.access().0, self.slot(len));
        let retag = self.buffer.before_write(context, slot, 1);
        // SAFETY: the element is there, and belongs to the caller from now on. The barrier was called for it.
        unsafe {
            let value = self.buffer.place().add(slot).read();
            self.buffer.clear(context, retag, slot, 1);
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
        let context = mc.access().0;
        let retags = [one, other].map(|index| (index, self.before_write(context, index, 1)));
        self.swap_slots(one, other);
        for (index, retag) in retags {
            // SAFETY: the element is there, and the barrier was called for it.
            unsafe { self.written(context, retag, index, 1) }
        }
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
        let (context, len) = (mc.access().0, self.len);
        assert!(index <= len, "insertion at {index} in a deque of {len}");
        let is_near_front = index < len / 2;
        let (from, count) = if is_near_front {
            self.push_front(mc, value);
            (0, index + 1)
        } else {
            self.push_back(mc, value);
            (index, len - index + 1)
        };
        let retag = self.before_write(context, from, count);
        if is_near_front {
            (0..index).for_each(|at| self.swap_slots(at, at + 1));
        } else {
            (index..len)
                .rev()
                .for_each(|at| self.swap_slots(at, at + 1));
        }
        // SAFETY: these elements were swapped, and the barrier was called for them.
        unsafe { self.written(context, retag, from, count) }
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
        let (context, len) = (mc.access().0, self.len);
        let is_near_front = index < len / 2;
        let (from, count) = match is_near_front {
            true => (0, index + 1),
            false => (index, len - index),
        };
        let retag = self.before_write(context, from, count);
        if is_near_front {
            (0..index).rev().for_each(|at| self.swap_slots(at, at + 1));
        } else {
            (index..len - 1).for_each(|at| self.swap_slots(at, at + 1));
        }
        // SAFETY: these elements were swapped, and the barrier was called for them.
        unsafe { self.written(context, retag, from, count) }
        if is_near_front {
            self.pop_front(mc)
        } else {
            self.pop_back(mc)
        }
    }
}
