//! How much memory a [`Vec`] has.

use core::ptr;

use super::Vec;
use crate::collections::buffer::Buffer;
use crate::collections::mutates::Mutates;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::context::Context;
use crate::types::collect::Collect;

impl<'gc, T: Collect<'gc> + 'gc> Vec<'gc, T> {
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
    pub(super) fn grow(&mut self, context: &Context, additional: usize) -> Result<(), HeapError> {
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
}
