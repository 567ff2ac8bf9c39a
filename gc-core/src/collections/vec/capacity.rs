//! How much memory a [`Vec`] has.

use core::fmt;
use core::ptr;

use super::Vec;
use crate::collections::buffer::Buffer;
use crate::collections::sequence::{amortised, needed, sequence};
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::context::Context;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

sequence!(Vec, push);

impl<'gc, T: Collect<'gc> + 'gc> Vec<'gc, T> {
    /// The elements, and none.
    fn halves(&self) -> (&[T], &[T]) {
        (self, &[])
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
