//! Strong pointers that a `trace` has found, on their way to an [`EdgeVisitor`](crate::types::trace::EdgeVisitor) that does
//! not ask where they are: a call for each of them would cost more than to follow them.

use core::mem::MaybeUninit;

use crate::heap::planes::{WORD, words};

/// How many pointers are handed over together.
const TARGETS: usize = 32;

/// How many rows are.
const ROWS: usize = 16;

/// Values that lie in a row and have strong pointers in the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The address of the first.
    pub(crate) start: usize,
    /// How many there are.
    pub(crate) count: usize,
    /// How many words each has: at least one.
    pub(crate) stride: usize,
    /// Which of its words are pointers: bit *i* is word *i*. At least one is.
    pub(crate) tags: u64,
}

impl Row {
    /// The address behind the last value.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        self.start + self.count * self.stride * WORD
    }

    /// The addresses of the pointer words.
    pub(crate) fn words(&self) -> impl Iterator<Item = usize> {
        let values = (self.start..).step_by(self.stride * WORD).take(self.count);
        values.flat_map(|value| words(value, self.tags))
    }
}

/// Pointers that were found and not handed over yet.
#[derive(Default)]
pub(crate) struct Found {
    /// Pointers, of which some may be null.
    pub(crate) targets: Few<usize, TARGETS>,
    /// Pointers in rows, which are still to be read.
    pub(crate) rows: Few<Row, ROWS>,
}

/// A list with so many places.
pub(crate) struct Few<T, const N: usize> {
    /// Of which the first `count` are written.
    places: [MaybeUninit<T>; N],
    /// Less than `N`.
    count: usize,
}

impl<T, const N: usize> Default for Few<T, N> {
    #[inline(always)]
    fn default() -> Few<T, N> {
        Few {
            places: [const { MaybeUninit::uninit() }; N],
            count: 0,
        }
    }
}

impl<T: Copy, const N: usize> Few<T, N> {
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a value. Whether the list is full then, and [`Few::take`] must come next.
    #[inline(always)]
    pub(crate) fn add(&mut self, value: T) -> bool {
        self.places[self.count % N].write(value);
        self.count += 1;
        self.count == N
    }

    /// Empties the list.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> &[T] {
        let taken = &self.places[..core::mem::take(&mut self.count)];
        // SAFETY: the first `count` were written. A `MaybeUninit` has the layout of its content.
        unsafe { &*(core::ptr::from_ref(taken) as *const [T]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_full_once() {
        let mut few = Few::<usize, 3>::default();
        assert!(few.is_empty() && few.take().is_empty());
        assert!(!few.add(1) && !few.add(2) && few.add(3));
        assert_eq!(few.take(), [1, 2, 3]);
        assert!(few.is_empty() && !few.add(4));
        assert_eq!(few.take(), [4]);
    }

    #[test]
    fn a_row_has_its_words() {
        let row = Row {
            start: 80,
            count: 2,
            stride: 3,
            tags: 0b101,
        };
        assert_eq!(row.words().collect::<Vec<_>>(), [80, 96, 104, 120]);
        assert_eq!(row.end(), 128);
    }
}
