//! Iterators over a [`HashMap`]: those of a slice of entries, seen in some way.

use core::fmt;
use core::iter::FusedIterator;
use core::slice;

use super::HashMap;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

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

impl<'gc, K, V, S> HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
{
    /// The entries, in the order of insertion.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(2, 'b'), (1, 'a')]);
    /// assert!(map.iter().eq([(&2, &'b'), (&1, &'a')]));
    /// # });
    /// ```
    #[inline]
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::new(self.entries.iter())
    }

    /// The entries, with values that can be changed. Calls the barrier for all of them.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// map.iter_mut(mc).for_each(|(key, value)| *value += key);
    /// assert_eq!(map[&1], 11);
    /// # });
    /// ```
    #[inline]
    pub fn iter_mut(&mut self, mc: &impl Mutates<'gc, (K, V)>) -> IterMut<'_, K, V> {
        IterMut::new(self.entries.iter_mut(mc))
    }

    /// The keys, in the order of insertion.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(2, 'b'), (1, 'a')]);
    /// assert!(map.keys().eq(&[2, 1]));
    /// # });
    /// ```
    #[inline]
    pub fn keys(&self) -> Keys<'_, K, V> {
        Keys::new(self.entries.iter())
    }

    /// The values, in the order of insertion of their keys.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(2, 'b'), (1, 'a')]);
    /// assert!(map.values().eq(&['b', 'a']));
    /// # });
    /// ```
    #[inline]
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// The values, which can be changed. Calls the barrier for all of them.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// map.values_mut(mc).for_each(|value| *value = 0);
    /// assert_eq!(map[&1], 0);
    /// # });
    /// ```
    #[inline]
    pub fn values_mut(&mut self, mc: &impl Mutates<'gc, (K, V)>) -> ValuesMut<'_, K, V> {
        ValuesMut::new(self.entries.iter_mut(mc))
    }
}

iterators! {
    /// The entries of a [`HashMap`]; see [`HashMap::iter`].
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{HashMap, Iter}};
    /// # rootless_mutate(|mc| {
    /// fn heaviest<'a>(entries: Iter<'a, &str, u32>) -> Option<&'a str> {
    ///     entries.max_by_key(|(_, weight)| **weight).map(|(name, _)| *name)
    /// }
    ///
    /// let weights: HashMap<_, _> = HashMap::from_iter(mc, [("pear", 3), ("melon", 40)]);
    /// assert_eq!(heaviest(weights.iter()), Some("melon"));
    /// # });
    /// ```
    Iter: Iter => (&'a K, &'a V), |(key, value)| (key, value);
    /// The entries of a [`HashMap`]; see [`HashMap::iter_mut`].
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{HashMap, IterMut}};
    /// # rootless_mutate(|mc| {
    /// let mut prices: HashMap<_, _> = HashMap::from_iter(mc, [("pear", 3), ("melon", 40)]);
    /// let entries: IterMut<_, _> = prices.iter_mut(mc);
    /// entries.filter(|(name, _)| name.len() > 4).for_each(|(_, price)| *price /= 2);
    /// assert_eq!((prices["pear"], prices["melon"]), (3, 20));
    /// # });
    /// ```
    IterMut: IterMut => (&'a K, &'a mut V), |(key, value)| (&*key, value);
    /// The keys of a [`HashMap`]; see [`HashMap::keys`].
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{HashMap, Keys}};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [('x', 1), ('y', 2)]);
    /// let keys: Keys<_, _> = map.keys();
    /// assert_eq!(keys.len(), 2);
    /// assert!(keys.rev().eq(&['y', 'x'])); // In the order of insertion, or the reverse.
    /// # });
    /// ```
    Keys: Iter => &'a K, |(key, _)| key;
    /// The values of a [`HashMap`]; see [`HashMap::values_mut`].
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{HashMap, ValuesMut}};
    /// # rootless_mutate(|mc| {
    /// let mut rows: HashMap<_, _> = HashMap::from_iter(mc, [(1, [2, 1]), (2, [4, 3])]);
    /// let values: ValuesMut<_, _> = rows.values_mut(mc);
    /// values.for_each(|row| row.sort());
    /// assert_eq!(rows[&2], [3, 4]);
    /// # });
    /// ```
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
