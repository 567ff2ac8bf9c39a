//! Iterators over a [`HashMap`](super::HashMap): those of a slice of entries, seen in some way.

use core::fmt;
use core::iter::FusedIterator;
use core::slice;

macro_rules! iterators {
    ($($(#[$doc:meta])* $name:ident: $slice:ident => $item:ty, |$entry:pat_param| $see:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name<'a, K, V>(slice::$slice<'a, (K, V)>);

        impl<'a, K, V> $name<'a, K, V> {
            #[inline]
            pub(super) fn new(entries: slice::$slice<'a, (K, V)>) -> Self {
                $name(entries)
            }
        }

        impl<'a, K, V> Iterator for $name<'a, K, V> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<$item> {
                self.0.next().map(|$entry| $see)
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }

            #[inline]
            fn nth(&mut self, n: usize) -> Option<$item> {
                self.0.nth(n).map(|$entry| $see)
            }

            #[inline]
            fn fold<B, F: FnMut(B, $item) -> B>(self, init: B, mut f: F) -> B {
                self.0.fold(init, |state, $entry| f(state, $see))
            }
        }

        impl<K, V> DoubleEndedIterator for $name<'_, K, V> {
            #[inline]
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back().map(|$entry| $see)
            }
        }

        impl<K, V> ExactSizeIterator for $name<'_, K, V> {}

        impl<K, V> FusedIterator for $name<'_, K, V> {}

        impl<K, V> fmt::Debug for $name<'_, K, V> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("len", &self.len())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

iterators! {
    /// The entries of a [`HashMap`](super::HashMap); see [`HashMap::iter`](super::HashMap::iter).
    Iter: Iter => (&'a K, &'a V), |(key, value)| (key, value);
    /// The entries of a [`HashMap`](super::HashMap); see [`HashMap::iter_mut`](super::HashMap::iter_mut).
    IterMut: IterMut => (&'a K, &'a mut V), |(key, value)| (&*key, value);
    /// The keys of a [`HashMap`](super::HashMap); see [`HashMap::keys`](super::HashMap::keys).
    Keys: Iter => &'a K, |(key, _)| key;
    /// The values of a [`HashMap`](super::HashMap); see [`HashMap::values`](super::HashMap::values).
    Values: Iter => &'a V, |(_, value)| value;
    /// The values of a [`HashMap`](super::HashMap); see [`HashMap::values_mut`](super::HashMap::values_mut).
    ValuesMut: IterMut => &'a mut V, |(_, value)| value;
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter(self.0.clone())
    }
}

impl<K, V> Clone for Keys<'_, K, V> {
    fn clone(&self) -> Self {
        Keys(self.0.clone())
    }
}

impl<K, V> Clone for Values<'_, K, V> {
    fn clone(&self) -> Self {
        Values(self.0.clone())
    }
}
