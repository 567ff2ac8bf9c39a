//! Traits of a [`Slice`] and an [`OffsetSlice`]: those of the `[T]` that they lead to.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::slice;

use super::{OffsetSlice, Slice};

/// Comparing elements, one by one.
macro_rules! equal {
    ($([$($generics:tt)*] $one:ty => $other:ty;)*) => {$(
        impl<'gc, T: PartialEq<U> + 'gc, U: 'gc, $($generics)*> PartialEq<$other> for $one {
            #[inline]
            fn eq(&self, other: &$other) -> bool {
                self[..] == other[..]
            }
        }
    )*};
}

macro_rules! as_slices {
    ($($name:ident),*) => {$(
        impl<'gc, T: 'gc> Deref for $name<'gc, T> {
            type Target = [T];

            #[inline]
            fn deref(&self) -> &[T] {
                $name::as_ref(*self)
            }
        }

        impl<'gc, T: 'gc> AsRef<[T]> for $name<'gc, T> {
            fn as_ref(&self) -> &[T] {
                self
            }
        }

        impl<'gc, T: 'gc> Borrow<[T]> for $name<'gc, T> {
            fn borrow(&self) -> &[T] {
                self
            }
        }

        impl<'gc, T: fmt::Debug + 'gc> fmt::Debug for $name<'gc, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                <[T] as fmt::Debug>::fmt(self, f)
            }
        }

        impl<'gc, T: Eq + 'gc> Eq for $name<'gc, T> {}

        impl<'gc, T: PartialOrd + 'gc> PartialOrd for $name<'gc, T> {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                <[T]>::partial_cmp(self, other)
            }
        }

        impl<'gc, T: Ord + 'gc> Ord for $name<'gc, T> {
            fn cmp(&self, other: &Self) -> Ordering {
                <[T]>::cmp(self, other)
            }
        }

        impl<'gc, T: Hash + 'gc> Hash for $name<'gc, T> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                <[T]>::hash(self, state)
            }
        }

        impl<'gc, T: 'gc> IntoIterator for $name<'gc, T> {
            type Item = &'gc T;
            type IntoIter = slice::Iter<'gc, T>;

            #[inline]
            fn into_iter(self) -> slice::Iter<'gc, T> {
                $name::as_ref(self).iter()
            }
        }

        impl<'gc, T: 'gc> IntoIterator for &$name<'gc, T> {
            type Item = &'gc T;
            type IntoIter = slice::Iter<'gc, T>;

            #[inline]
            fn into_iter(self) -> slice::Iter<'gc, T> {
                $name::as_ref(*self).iter()
            }
        }

        equal! {
            [] $name<'gc, T> => $name<'gc, U>;
            [] $name<'gc, T> => [U];
            [] $name<'gc, T> => &[U];
            [] $name<'gc, T> => Vec<U>;
            [const N: usize] $name<'gc, T> => [U; N];
            [const N: usize] $name<'gc, T> => &[U; N];
        }
    )*};
}

as_slices!(Slice, OffsetSlice);
equal! {
    [] Slice<'gc, T> => OffsetSlice<'gc, U>;
    [] OffsetSlice<'gc, T> => Slice<'gc, U>;
}
