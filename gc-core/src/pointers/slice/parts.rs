//! Iterators over parts of a slice or string: those of `core`, with the base added to each part.

use core::iter::FusedIterator;

use super::{Slice, Str};
use crate::pointers::gc::Gc;

macro_rules! parts {
    ($(#[$doc:meta])* $name:ident<$($element:ident)?>: $part:ty => $whole:ty, $make:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use = "iterators are lazy"]
        pub struct $name<'gc, I> {
            base: Gc<'gc, ()>,
            parts: I,
        }

        impl<'gc, I> $name<'gc, I> {
            /// # Safety
            ///
            /// What the iterator returns lies in the object at which `base` points, or has no size.
            #[inline]
            pub(super) unsafe fn new(base: Gc<'gc, ()>, parts: I) -> $name<'gc, I> {
                $name { base, parts }
            }
        }

        impl<'gc, $($element: 'gc,)? I: Iterator<Item = &'gc $part>> Iterator for $name<'gc, I> {
            type Item = $whole;

            #[inline]
            fn next(&mut self) -> Option<$whole> {
                // SAFETY: where the parts lie was said to `new`.
                self.parts.next().map(|part| unsafe { $make(self.base, part) })
            }

            #[inline]
            fn nth(&mut self, n: usize) -> Option<$whole> {
                // SAFETY: as above.
                self.parts.nth(n).map(|part| unsafe { $make(self.base, part) })
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                self.parts.size_hint()
            }
        }

        impl<'gc, $($element: 'gc,)? I> DoubleEndedIterator for $name<'gc, I>
        where
            I: DoubleEndedIterator<Item = &'gc $part>,
        {
            #[inline]
            fn next_back(&mut self) -> Option<$whole> {
                // SAFETY: as above.
                self.parts.next_back().map(|part| unsafe { $make(self.base, part) })
            }
        }

        impl<'gc, $($element: 'gc,)? I: ExactSizeIterator<Item = &'gc $part>> ExactSizeIterator
            for $name<'gc, I>
        {
        }

        impl<'gc, $($element: 'gc,)? I: FusedIterator<Item = &'gc $part>> FusedIterator
            for $name<'gc, I>
        {
        }
    };
}

parts! {
    /// Parts of a [`Slice`], one by one, as `I` finds them: what [`Slice::chunks`], [`Slice::windows`] and the
    /// like return.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::{Parts, Slice}};
    /// # rootless_mutate(|mc| {
    /// let mut chunks: Parts<'_, _> = Slice::from(Gc::new(mc, [1, 2, 3])).chunks(2);
    /// assert_eq!(chunks.len(), 2);
    /// assert_eq!(*chunks.next_back().unwrap(), [3]);
    /// # });
    /// ```
    Parts<T>: [T] => Slice<'gc, T>, Slice::of_parts
}

parts! {
    /// Parts of a [`Str`], one by one, as `I` finds them: what [`Str::lines`] and [`Str::split`] return.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::{Str, StrParts}};
    /// # rootless_mutate(|mc| {
    /// let mut lines: StrParts<'_, _> = Str::from(Gc::str_from(mc, "one\ntwo")).lines();
    /// assert_eq!(lines.next_back().unwrap(), "two");
    /// # });
    /// ```
    StrParts<>: str => Str<'gc>, Str::of_parts
}
