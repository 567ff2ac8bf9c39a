//! How much memory a [`VecDeque`] has.

use core::fmt;
use core::ptr;

use super::VecDeque;
use crate::collections::buffer::Buffer;
use crate::collections::sequence::{amortised, needed, sequence};
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::context::Context;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

sequence!(VecDeque, push_back);

impl<'gc, T: Collect<'gc> + 'gc> VecDeque<'gc, T> {
    fn halves(&self) -> (&[T], &[T]) {
        self.as_slices()
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
