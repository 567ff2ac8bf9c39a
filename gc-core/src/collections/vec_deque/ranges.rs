//! Adding elements to a [`VecDeque`] and taking them out, many at once.

use super::VecDeque;
use crate::collections::into_iter::IntoIter;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, T: Collect<'gc> + 'gc> VecDeque<'gc, T> {
    /// Drops the elements from `len` on.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2, 3]);
    /// deque.truncate(mc, 1);
    /// assert!(deque.iter().eq(&[1]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If a `Drop` does; elements that were not dropped yet stay.
    pub fn truncate(&mut self, mc: &impl Mutates<'gc, T>, len: usize) {
        while self.len > len {
            drop(self.pop_back(mc));
        }
    }

    /// Drops all elements, and keeps the memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2, 3]);
    /// deque.clear(mc);
    /// assert!(deque.is_empty());
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If a `Drop` does; elements that were not dropped yet stay.
    pub fn clear(&mut self, mc: &impl Mutates<'gc, T>) {
        self.truncate(mc, 0);
    }

    /// Adds the elements of an iterator at the back.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1]);
    /// deque.extend(mc, [2, 3]);
    /// assert!(deque.iter().eq(&[1, 2, 3]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator panics; what it gave until then is there.
    pub fn extend(&mut self, mc: &impl Mutates<'gc, T>, iter: impl IntoIterator<Item = T>) {
        let iter = iter.into_iter();
        self.reserve(mc, iter.size_hint().0);
        iter.for_each(|value| self.push_back(mc, value));
    }

    /// Moves all elements of another deque to the back of this one.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let [mut one, mut other] = [1, 2].map(|value| VecDeque::from_iter(mc, [value]));
    /// one.append(mc, &mut other);
    /// assert!(one.iter().eq(&[1, 2]) && other.is_empty());
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; both are as they were.
    pub fn append(&mut self, mc: &impl Mutates<'gc, T>, other: &mut VecDeque<'gc, T>) {
        self.reserve(mc, other.len);
        while let Some(value) = other.pop_front(mc) {
            self.push_back(mc, value);
        }
    }

    /// Keeps the elements for which `keep` says so, in their order. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, 0..6);
    /// deque.retain(mc, |element| element % 2 == 0);
    /// assert!(deque.iter().eq(&[0, 2, 4]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; what it was not asked about is kept.
    pub fn retain(&mut self, mc: &impl Mutates<'gc, T>, mut keep: impl FnMut(&T) -> bool) {
        /// Brings the elements that were kept, at the back, to the front of those that `keep` has not seen.
        struct Around<'a, 'gc, T: Collect<'gc> + 'gc, M: Mutates<'gc, T>> {
            deque: &'a mut VecDeque<'gc, T>,
            mc: &'a M,
            kept: usize,
        }

        impl<'gc, T: Collect<'gc> + 'gc, M: Mutates<'gc, T>> Drop for Around<'_, 'gc, T, M> {
            fn drop(&mut self) {
                if self.kept < self.deque.len {
                    for _ in 0..self.kept {
                        // There is room: it was taken from there.
                        if let Some(value) = self.deque.pop_back(self.mc) {
                            self.deque.push_front(self.mc, value);
                        }
                    }
                }
            }
        }

        let count = self.len;
        let mut around = Around {
            deque: self,
            mc,
            kept: 0,
        };
        for _ in 0..count {
            let front = around.deque.front();
            let keeps = front.is_some_and(&mut keep);
            let value = around.deque.pop_front(mc);
            if let Some(value) = value.filter(|_| keeps) {
                around.deque.push_back(mc, value);
                around.kept += 1;
            }
        }
    }

    /// Takes all elements, and leaves no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::VecDeque};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2]);
    /// assert!(deque.drain(mc).eq([1, 2]));
    /// assert!(deque.is_empty());
    /// # });
    /// ```
    pub fn drain(&mut self, mc: &impl Mutates<'gc, T>) -> IntoIter<'gc, T> {
        core::mem::take(self).into_iter(mc)
    }
}
