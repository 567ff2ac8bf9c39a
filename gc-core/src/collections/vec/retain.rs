//! Keeping some elements of a [`Vec`], in their order.

use core::ptr;

use super::Vec;
use crate::collections::buffer::Retag;
use crate::mutator::context::Context;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, T: Collect<'gc> + 'gc> Vec<'gc, T> {
    /// Keeps the elements for which `keep` says so, in their order. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, 0..6);
    /// vec.retain(mc, |element| element % 2 == 0);
    /// assert_eq!(*vec, [0, 2, 4]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; what it was not asked about is kept.
    pub fn retain(&mut self, mc: &impl Mutates<'gc, T>, mut keep: impl FnMut(&T) -> bool) {
        self.retain_mut(mc, |element| keep(element));
    }

    /// [`Vec::retain`] with elements that can be changed.
    pub(in crate::collections) fn retain_mut(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        mut keep: impl FnMut(&mut T) -> bool,
    ) {
        self.filter(mc.access().0, |element, _| keep(element));
    }

    /// Drops elements that `same` says are the same as the one before, which is its second argument.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, -1, 2]);
    /// vec.dedup_by(mc, |one, before| i32::abs(*one) == i32::abs(*before));
    /// assert_eq!(*vec, [1, 2]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `same` does; what it was not asked about is kept.
    pub fn dedup_by(
        &mut self,
        mc: &impl Mutates<'gc, T>,
        mut same: impl FnMut(&mut T, &mut T) -> bool,
    ) {
        self.filter(mc.access().0, |element, before| match before {
            Some(before) => !same(element, before),
            None => true,
        });
    }

    /// Drops elements that are equal to the one before.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::Vec};
    /// # rootless_mutate(|mc| {
    /// let mut vec = Vec::from_iter(mc, [1, 1, 2, 1]);
    /// vec.dedup(mc);
    /// assert_eq!(*vec, [1, 2, 1]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If a comparison does; what was not compared is kept.
    pub fn dedup(&mut self, mc: &impl Mutates<'gc, T>)
    where
        T: PartialEq,
    {
        self.dedup_by(mc, |one, before| one == before);
    }

    /// Keeps the elements for which `keep` says so, which sees also the last one that is kept.
    fn filter(&mut self, context: &Context, mut keep: impl FnMut(&mut T, Option<&mut T>) -> bool) {
        let retag = self.buffer.before_write(context, 0, self.len);
        let mut gap = Gap {
            kept: 0,
            seen: 0,
            vec: self,
            context,
            retag,
        };
        while gap.seen < gap.vec.len {
            // SAFETY: slots below `kept` and from `seen` on hold elements, and `kept` is not above `seen`.
            unsafe {
                let place = gap.vec.buffer.place();
                let element = place.add(gap.seen);
                let before = match gap.kept {
                    0 => None,
                    kept => Some(&mut *place.add(kept - 1)),
                };
                if keep(&mut *element, before) {
                    ptr::copy(element, place.add(gap.kept), 1);
                    gap.kept += 1;
                    gap.seen += 1;
                } else {
                    gap.seen += 1;
                    element.drop_in_place();
                }
            }
        }
    }
}

/// A vector with a gap: elements are below `kept` and from `seen` on. Its drop closes it.
struct Gap<'a, 'gc, T: Collect<'gc> + 'gc> {
    vec: &'a mut Vec<'gc, T>,
    kept: usize,
    seen: usize,
    context: &'a Context,
    retag: Retag,
}

impl<'gc, T: Collect<'gc> + 'gc> Drop for Gap<'_, 'gc, T> {
    fn drop(&mut self) {
        let behind = self.vec.len - self.seen;
        // SAFETY: the barrier was called for all, and elements are where the type says.
        unsafe {
            let (len, removed) = (self.kept + behind, self.seen - self.kept);
            let place = self.vec.buffer.place();
            ptr::copy(place.add(self.seen), place.add(self.kept), behind);
            let (context, retag) = (self.context, self.retag);
            self.vec.buffer.clear(context, retag, len, removed);
            self.vec.set_len(len);
            self.vec.buffer.written(context, retag, 0, len);
        }
    }
}
