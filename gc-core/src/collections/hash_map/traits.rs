//! What a [`HashMap`] is besides: [`Collect`], indexed by keys, comparable.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::mem::offset_of;
use core::ops::Index as IndexTrait;

use super::{HashMap, Iter};
use crate::collections::index::Index;
use crate::collections::vec::Vec;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

// SAFETY: the two fields with pointers are visited in place. A hasher that is `'static` has none.
unsafe impl<'gc, K, V, S> Collect<'gc> for HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
    S: 'static,
{
    const TYPE_MAP: TypeMap = TypeMap::LEAF
        .with_field(
            Vec::<'gc, (K, V)>::TYPE_MAP,
            offset_of!(HashMap<'gc, K, V, S>, entries),
        )
        .with_field(
            Index::<'gc>::TYPE_MAP,
            offset_of!(HashMap<'gc, K, V, S>, index),
        );

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.entries);
        cc.trace(&self.index);
    }
}

impl<'gc, K, V, S: Default> Default for HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
{
    fn default() -> HashMap<'gc, K, V, S> {
        HashMap::with_hasher(S::default())
    }
}

impl<'gc, K, V, S, Q> IndexTrait<&Q> for HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + Eq + Hash + Borrow<Q> + 'gc,
    V: Collect<'gc> + 'gc,
    S: BuildHasher,
    Q: Eq + Hash + ?Sized,
{
    type Output = V;

    /// # Panics
    ///
    /// If there is no such key.
    #[inline]
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no entry has this key")
    }
}

impl<'a, 'gc, K, V, S> IntoIterator for &'a HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
{
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

/// The order does not matter.
impl<'gc, K, V, S> PartialEq for HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + PartialEq + 'gc,
    S: BuildHasher,
{
    fn eq(&self, other: &HashMap<'gc, K, V, S>) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key).is_some_and(|there| there == value))
    }
}

impl<'gc, K, V, S> Eq for HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + Eq + 'gc,
    S: BuildHasher,
{
}

impl<'gc, K, V, S> fmt::Debug for HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + fmt::Debug + 'gc,
    V: Collect<'gc> + fmt::Debug + 'gc,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}
