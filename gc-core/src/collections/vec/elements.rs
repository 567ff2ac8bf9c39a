//! Adding elements to a [`Vec`] and taking them out, one at a time.

use core::ptr;

use super::Vec;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::context::Context;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, T: Collect<'gc> + 'gc> Vec<'gc, T> {
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
    /// If there is no memory; see [`Vec::try_reserve`].
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
    #[inline]
    pub(in crate::collections) fn try_push(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        value: T,
    ) -> Result<(), HeapError> {
        self.try_reserve(mc, 1)?;
        // SAFETY: there is room.
        unsafe { self.push_within_capacity(mc.access().0, value) };
        Ok(())
    }

    /// # Safety
    ///
    /// There is room.
    #[inline(always)]
    unsafe fn push_within_capacity(&mut self, context: &Context, value: T) {
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
    /// If `index` is greater than the length, or there is no memory; see [`Vec::try_reserve`].
    #[track_caller]
    pub fn insert(&mut self, mc: &impl Mutates<'gc, T>, index: usize, value: T) {
        or_panic(self.try_insert(mc, index, value))
    }

    /// Adds an element at `index`, or drops it if there is no memory.
    #[track_caller]
    fn try_insert(
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
}
