//! [`VecDequeIter`]: over one slice, and then another.

use core::fmt;
use core::iter::FusedIterator;
use core::mem;

/// The elements of a [`VecDeque`](super::VecDeque), by references of some kind; see
/// [`VecDeque::iter`](super::VecDeque::iter) and [`VecDeque::iter_mut`](super::VecDeque::iter_mut).
///
/// ```
/// # use gc_core::{arena::rootless_mutate, collections::{VecDeque, VecDequeIter}};
/// # rootless_mutate(|mc| {
/// let mut deque = VecDeque::from_iter(mc, 0..5);
/// let mut elements: VecDequeIter<std::slice::Iter<_>> = deque.iter();
/// assert_eq!((elements.next(), elements.next_back()), (Some(&0), Some(&4)));
/// assert!(elements.eq(&[1, 2, 3]));
/// deque.iter_mut(mc).rev().take(2).for_each(|element| *element = 0);
/// assert!(deque.iter().eq(&[0, 1, 2, 0, 0]));
/// # });
/// ```
#[derive(Clone)]
pub struct VecDequeIter<I> {
    front: I,
    back: I,
}

impl<I> VecDequeIter<I> {
    pub(super) fn new(front: I, back: I) -> Self {
        VecDequeIter { front, back }
    }
}

impl<I: ExactSizeIterator> Iterator for VecDequeIter<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        if self.front.len() == 0 {
            mem::swap(&mut self.front, &mut self.back);
        }
        self.front.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.front.len() + self.back.len();
        (len, Some(len))
    }

    #[inline]
    fn fold<B, F: FnMut(B, I::Item) -> B>(self, init: B, mut f: F) -> B {
        let state = self.front.fold(init, &mut f);
        self.back.fold(state, f)
    }
}

impl<I: ExactSizeIterator + DoubleEndedIterator> DoubleEndedIterator for VecDequeIter<I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        match self.back.next_back() {
            None => self.front.next_back(),
            some => some,
        }
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for VecDequeIter<I> {}

impl<I: ExactSizeIterator + FusedIterator> FusedIterator for VecDequeIter<I> {}

impl<I: ExactSizeIterator> fmt::Debug for VecDequeIter<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VecDequeIter")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
