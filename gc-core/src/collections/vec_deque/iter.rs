//! Iterators over a [`VecDeque`](super::VecDeque): over one slice, and then another.

use core::fmt;
use core::iter::FusedIterator;
use core::slice;

macro_rules! iterators {
    ($($(#[$doc:meta])* $name:ident: $slice:ident => $item:ty;)*) => {$(
        $(#[$doc])*
        pub struct $name<'a, T> {
            front: slice::$slice<'a, T>,
            back: slice::$slice<'a, T>,
        }

        impl<'a, T> $name<'a, T> {
            pub(super) fn new(front: slice::$slice<'a, T>, back: slice::$slice<'a, T>) -> Self {
                $name { front, back }
            }
        }

        impl<'a, T> Iterator for $name<'a, T> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<$item> {
                if self.front.len() == 0 {
                    core::mem::swap(&mut self.front, &mut self.back);
                }
                self.front.next()
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                let len = self.front.len() + self.back.len();
                (len, Some(len))
            }

            #[inline]
            fn fold<B, F: FnMut(B, $item) -> B>(self, init: B, mut f: F) -> B {
                let state = self.front.fold(init, &mut f);
                self.back.fold(state, f)
            }
        }

        impl<T> DoubleEndedIterator for $name<'_, T> {
            #[inline]
            fn next_back(&mut self) -> Option<Self::Item> {
                match self.back.next_back() {
                    None => self.front.next_back(),
                    some => some,
                }
            }
        }

        impl<T> ExactSizeIterator for $name<'_, T> {}

        impl<T> FusedIterator for $name<'_, T> {}

        impl<T> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("len", &self.len())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

iterators! {
    /// The elements of a [`VecDeque`](super::VecDeque); see [`VecDeque::iter`](super::VecDeque::iter).
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{VecDeque, VecDequeIter}};
    /// # rootless_mutate(|mc| {
    /// let deque = VecDeque::from_iter(mc, 0..5);
    /// let mut elements: VecDequeIter<_> = deque.iter();
    /// assert_eq!((elements.next(), elements.next_back()), (Some(&0), Some(&4)));
    /// assert!(elements.eq(&[1, 2, 3]));
    /// # });
    /// ```
    VecDequeIter: Iter => &'a T;
    /// The elements of a [`VecDeque`](super::VecDeque); see [`VecDeque::iter_mut`](super::VecDeque::iter_mut).
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{VecDeque, VecDequeIterMut}};
    /// # rootless_mutate(|mc| {
    /// let mut deque = VecDeque::from_iter(mc, [1, 2, 3]);
    /// let elements: VecDequeIterMut<_> = deque.iter_mut(mc);
    /// elements.rev().take(2).for_each(|element| *element = 0);
    /// assert!(deque.iter().eq(&[1, 0, 0]));
    /// # });
    /// ```
    VecDequeIterMut: IterMut => &'a mut T;
}

impl<T> Clone for VecDequeIter<'_, T> {
    fn clone(&self) -> Self {
        VecDequeIter::new(self.front.clone(), self.back.clone())
    }
}
