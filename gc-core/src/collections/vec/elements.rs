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
    #[inline(always)]
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
        let (at, retag) = (self.len, self.buffer.before_write(context, self.len, 1));
        // SAFETY: the slot is there, and free. The barrier was called for it.
        unsafe {
            self.buffer.place().add(at).write(value);
            self.set_len(at + 1);
            self.buffer.written(context, retag, at, 1);
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
        let context = mc.access().0;
        let retag = self.buffer.before_write(context, last, 1);
        // SAFETY: the element is there, and belongs to the caller from now on. The barrier was called for it.
        unsafe {
            let value = self.buffer.place().add(last).read();
            self.buffer.clear(context, retag, last, 1);
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
        let (context, behind) = (mc.access().0, len - index);
        let retag = self.buffer.before_write(context, index, behind + 1);
        // SAFETY: there is room for one more. The barrier was called for all that move.
        unsafe {
            let place = self.buffer.place().add(index);
            ptr::copy(place, place.add(1), behind);
            place.write(value);
            self.set_len(len + 1);
            self.buffer.written(context, retag, index, behind + 1);
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
        let (context, behind) = (mc.access().0, len - index - 1);
        let retag = self.buffer.before_write(context, index, behind + 1);
        // SAFETY: the element is there, and belongs to the caller from now on. The barrier was called for all that move.
        unsafe {
            let place = self.buffer.place().add(index);
            let value = place.read();
            ptr::copy(place.add(1), place, behind);
            self.buffer.clear(context, retag, len - 1, 1);
            self.set_len(len - 1);
            self.buffer.written(context, retag, index, behind);
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
        if index == self.len {
            return last;
        }
        self.change(mc, index, |element| core::mem::replace(element, last))
    }

    /// Changes the element at `index`, which is there. `change` does not panic.
    #[inline]
    pub(in crate::collections) fn change<R>(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        index: usize,
        change: impl FnOnce(&mut T) -> R,
    ) -> R {
        assert!(index < self.len);
        let context = mc.access().0;
        let retag = self.buffer.before_write(context, index, 1);
        // SAFETY: the element is there, nobody else has a reference to it, and the barrier was called.
        unsafe {
            let result = change(&mut *self.buffer.place().add(index));
            self.buffer.written(context, retag, index, 1);
            result
        }
    }
}
