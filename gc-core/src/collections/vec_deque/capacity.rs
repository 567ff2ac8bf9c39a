//! How much memory a [`VecDeque`] has.

use core::ptr;

use super::VecDeque;
use crate::collections::buffer::Buffer;
use crate::collections::mutates::Mutates;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::context::Context;
use crate::types::collect::Collect;

impl<'gc, T: Collect<'gc> + 'gc> VecDeque<'gc, T> {
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
    pub(super) fn resize_buffer(
        &mut self,
        context: &Context,
        capacity: usize,
    ) -> Result<(), HeapError> {
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
}
