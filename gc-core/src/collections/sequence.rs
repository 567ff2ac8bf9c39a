//! What [`Vec`](super::Vec) and [`VecDeque`](super::VecDeque) say in the same words: how they make room, that they compare
//! with slices, and a few traits.
//!
//! They differ in how elements get to another buffer (`resize_buffer`), and in whether these are one slice or two.

use core::mem::size_of;

use crate::heap::error::HeapError;

/// The capacity that `additional` elements need beside the `len` that are there.
pub(super) fn needed<T>(len: usize, additional: usize) -> Result<usize, HeapError> {
    len.checked_add(additional).ok_or(HeapError::SizeOverflow {
        count: usize::MAX,
        size: size_of::<T>(),
    })
}

/// The capacity that is made when there is no room for `needed` elements any more: twice as much, for then adding
/// elements one by one takes constant time each; but not next to nothing.
pub(super) fn amortised<T>(capacity: usize, needed: usize) -> usize {
    let least = match size_of::<T>() {
        0..=1 => 8,
        2..=1024 => 4,
        _ => 1,
    };
    needed.max(capacity.saturating_mul(2)).max(least)
}

/// The methods and traits of the collection `$name`, which has a `buffer`, a `len` and the method
/// `resize_buffer(&mut self, &Context, capacity: usize) -> Result<(), HeapError>`. `$add` adds an element to it.
macro_rules! sequence {
    ($name:ident, $add:ident) => {
        impl<'gc, T: Collect<'gc> + 'gc> $name<'gc, T> {
            /// Makes room for at least so many more elements. Amortised over many calls, as adding them is.
            ///
            /// ```
            #[doc = concat!("# use gc_core::{arena::rootless_mutate, collections::", stringify!($name), "};")]
            /// # rootless_mutate(|mc| {
            #[doc = concat!("let mut numbers = ", stringify!($name), "::from_iter(mc, [1]);")]
            /// numbers.reserve(mc, 10);
            /// assert!(numbers.capacity() >= 11);
            /// # });
            /// ```
            ///
            /// # Panics
            ///
            #[doc = concat!("If there is no memory; see [`", stringify!($name), "::try_reserve`].")]
            #[inline]
            pub fn reserve(&mut self, mc: &impl Mutates<'gc, T>, additional: usize) {
                or_panic(self.try_reserve(mc, additional))
            }

            /// Makes room for at least so many more elements. Adding them does not fail then.
            ///
            /// ```
            #[doc = concat!("# use gc_core::{arena::rootless_mutate, collections::", stringify!($name), "};")]
            /// # rootless_mutate(|mc| {
            #[doc = concat!("let mut numbers = ", stringify!($name), "::from_iter(mc, [1]);")]
            /// assert!(numbers.try_reserve(mc, usize::MAX).is_err());
            /// assert_eq!(numbers, [1]);
            /// # });
            /// ```
            ///
            /// # Errors
            ///
            /// If there is no memory; all is as it was.
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

            /// Moves the elements to memory without room for more.
            ///
            /// ```
            #[doc = concat!("# use gc_core::{arena::rootless_mutate, collections::", stringify!($name), "};")]
            /// # rootless_mutate(|mc| {
            #[doc = concat!("let mut numbers = ", stringify!($name), "::with_capacity(mc, 100);")]
            #[doc = concat!("numbers.", stringify!($add), "(mc, 1);")]
            /// numbers.shrink_to_fit(mc);
            /// assert_eq!(numbers.capacity(), 1);
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

            #[cold]
            #[inline(never)]
            pub(super) fn grow(&mut self, context: &Context, additional: usize) -> Result<(), HeapError> {
                let needed = needed::<T>(self.len, additional)?;
                self.resize_buffer(context, amortised::<T>(self.capacity(), needed))
            }
        }

        impl<'gc, T: Collect<'gc> + 'gc> Default for $name<'gc, T> {
            fn default() -> $name<'gc, T> {
                $name::new()
            }
        }

        impl<'gc, T: Collect<'gc> + Eq + 'gc> Eq for $name<'gc, T> {}

        impl<'gc, T: Collect<'gc> + fmt::Debug + 'gc> fmt::Debug for $name<'gc, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self).finish()
            }
        }

        sequence! { @compares $name
            /// ```
            #[doc = concat!("# use gc_core::{arena::rootless_mutate, collections::", stringify!($name), "};")]
            /// # rootless_mutate(|mc| {
            #[doc = concat!("let numbers = ", stringify!($name), "::from_iter(mc, [1, 2]);")]
            /// assert_eq!(numbers, [1, 2]);
            /// assert_ne!(numbers, &[1][..]);
            /// # });
            /// ```
            [] [U];
            [] &[U];
            [const N: usize] [U; N];
            [const N: usize] &[U; N];
        }
    };
    (@compares $name:ident $($(#[$doc:meta])* [$($n:tt)*] $other:ty;)*) => {$(
        $(#[$doc])*
        impl<'gc, T, U, $($n)*> PartialEq<$other> for $name<'gc, T>
        where
            T: Collect<'gc> + PartialEq<U> + 'gc,
        {
            fn eq(&self, other: &$other) -> bool {
                let (front, back) = self.halves();
                other.len() == self.len()
                    && front[..] == other[..front.len()]
                    && back[..] == other[front.len()..]
            }
        }
    )*};
}

pub(super) use sequence;
