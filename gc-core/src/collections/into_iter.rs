//! [`IntoIter`]: the elements of a buffer by value.
//!
//! The buffer belongs to the iterator, and nobody can reach it any more but this way, once the `mutate` call is over not
//! even so. Elements that were taken out are left in their slots as they were, for the snapshot of a cycle.

use core::fmt;
use core::iter::FusedIterator;
use core::mem::needs_drop;

use super::buffer::Buffer;
use crate::mutator::context::Context;
use crate::types::collect::Collect;

/// The elements of a [`Vec`](super::Vec) or [`VecDeque`](super::VecDeque), by value. Those that it does not come to are
/// dropped with it.
///
/// ```
/// # use gc_core::{arena::rootless_mutate, collections::Vec};
/// # rootless_mutate(|mc| {
/// let mut elements = Vec::from_iter(mc, [1, 2, 3]).into_iter(mc);
/// assert_eq!((elements.next(), elements.next_back(), elements.len()), (Some(1), Some(3), 1));
/// # });
/// ```
pub struct IntoIter<'gc, T: Collect<'gc> + 'gc> {
    buffer: Buffer<'gc, T>,
    head: usize,
    len: usize,
}

impl<'gc, T: Collect<'gc> + 'gc> IntoIter<'gc, T> {
    /// The `len` elements from slot `head` on, and on from the first slot.
    pub(super) fn new(context: &Context, buffer: Buffer<'gc, T>, head: usize, len: usize) -> Self {
        buffer.before_disown(context);
        // SAFETY: it was called.
        unsafe { buffer.disown() };
        IntoIter { buffer, head, len }
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Iterator for IntoIter<'gc, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: the slot holds an element, and is passed by.
        let value = unsafe { self.buffer.place().add(self.head).read() };
        self.head = self.buffer.wrap(self.head, 1);
        Some(value)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl<'gc, T: Collect<'gc> + 'gc> DoubleEndedIterator for IntoIter<'gc, T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        let slot = self.buffer.wrap(self.head, self.len);
        // SAFETY: the slot holds an element, and is not counted any more.
        Some(unsafe { self.buffer.place().add(slot).read() })
    }
}

impl<'gc, T: Collect<'gc> + 'gc> ExactSizeIterator for IntoIter<'gc, T> {}

impl<'gc, T: Collect<'gc> + 'gc> FusedIterator for IntoIter<'gc, T> {}

impl<'gc, T: Collect<'gc> + 'gc> fmt::Debug for IntoIter<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Drop for IntoIter<'gc, T> {
    fn drop(&mut self) {
        /// Goes on dropping when one drop panics.
        struct Rest<'a, 'gc, T: Collect<'gc> + 'gc>(&'a mut IntoIter<'gc, T>);

        impl<'gc, T: Collect<'gc> + 'gc> Drop for Rest<'_, 'gc, T> {
            fn drop(&mut self) {
                self.0.by_ref().for_each(drop);
            }
        }

        if needs_drop::<T>() {
            let rest = Rest(self);
            rest.0.by_ref().for_each(drop);
        }
    }
}
