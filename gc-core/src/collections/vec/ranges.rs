//! Adding elements to a [`Vec`] and taking them out, many at once.

use core::mem::needs_drop;
use core::ops::{Bound, RangeBounds};
use core::ptr;

use super::Vec;
use crate::collections::buffer::{Buffer, Retag};
use crate::collections::into_iter::IntoIter;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::context::Context;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, T: Collect<'gc> + 'gc> Vec<'gc, T> {
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
        let context = mc.access().0;
        let retag = self.buffer.before_write(context, len, count);
        // SAFETY: the elements are there, and nobody's from now on. Their `Drop` cannot get at the vector.
        unsafe {
            self.set_len(len);
            let _cleared = Cleared {
                vec: self,
                context,
                retag,
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
    /// If there is no memory; see [`Vec::try_reserve`].
    pub fn extend_from_slice(&mut self, mc: &impl Mutates<'gc, T>, slice: &[T])
    where
        T: Copy,
    {
        or_panic(self.try_extend_from_slice(mc, slice))
    }

    /// Adds copies of the elements of a slice at the end.
    pub(in crate::collections) fn try_extend_from_slice(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        slice: &[T],
    ) -> Result<(), HeapError>
    where
        T: Copy,
    {
        self.try_reserve(mc, slice.len())?;
        let (context, len, count) = (mc.access().0, self.len, slice.len());
        let retag = self.buffer.before_write(context, len, count);
        // SAFETY: there is room. The slice is not in it, for no one else has a reference to free slots. The barrier was
        // called for these.
        unsafe {
            let place = self.buffer.place().add(len);
            ptr::copy_nonoverlapping(slice.as_ptr(), place, count);
            self.set_len(len + count);
            self.buffer.written(context, retag, len, count);
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
        let (context, len, count) = (mc.access().0, self.len, other.len);
        let retag = self.buffer.before_write(context, len, count);
        // SAFETY: there is room, and the elements are moved. The barrier was called for the slots.
        unsafe {
            let place = self.buffer.place().add(len);
            other.move_out(context, 0, count, place);
            self.set_len(len + count);
            self.buffer.written(context, retag, len, count);
        }
    }

    /// Moves `count` elements from `from` on to another place, and closes the gap.
    ///
    /// # Safety
    ///
    /// They are there, and there is room at the place.
    unsafe fn move_out(&mut self, context: &Context, from: usize, count: usize, to: *mut T) {
        let len = self.len - count;
        let retag = self.buffer.before_write(context, from, self.len - from);
        // SAFETY: the elements are there, and there is room at the place (the caller's promises). The barrier was
        // called for all that move.
        unsafe {
            let place = self.buffer.place().add(from);
            ptr::copy_nonoverlapping(place, to, count);
            ptr::copy(place.add(count), place, len - from);
            self.buffer.clear(context, retag, len, count);
            self.set_len(len);
            self.buffer.written(context, retag, from, len - from);
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
            _ = self.buffer.before_write(context, from, self.len - from);
        }
    }
}

/// The range as a beginning and an end, in a collection of `len` elements.
#[track_caller]
pub(in crate::collections) fn bounds(range: impl RangeBounds<usize>, len: usize) -> (usize, usize) {
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
    context: &'a Context,
    retag: Retag,
    from: usize,
    count: usize,
}

impl<'gc, T: Collect<'gc> + 'gc> Drop for Cleared<'_, 'gc, T> {
    fn drop(&mut self) {
        // SAFETY: the barrier was called, and the elements are no more.
        unsafe {
            let buffer = &self.vec.buffer;
            buffer.clear(self.context, self.retag, self.from, self.count);
        }
    }
}
