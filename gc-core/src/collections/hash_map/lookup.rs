//! Finding the entries of a [`HashMap`].

use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash};

use super::HashMap;
use crate::collections::index::{Hash32, fold};
use crate::mutator::barrier::Write;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, K, V, S> HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
{
    /// The entry with a number in the order of insertion.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(2, 'b'), (1, 'a')]);
    /// assert_eq!(map.get_index(1), Some((&1, &'a')));
    /// # });
    /// ```
    #[inline]
    pub fn get_index(&self, index: usize) -> Option<(&K, &V)> {
        self.entries.get(index).map(|(key, value)| (key, value))
    }
}

impl<'gc, K, V, S> HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + 'gc,
    S: BuildHasher,
{
    #[inline(always)]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> Hash32 {
        fold(self.hasher.hash_one(key))
    }

    /// The word in the index and the number of the entry with that key.
    #[inline(always)]
    pub(super) fn find<Q>(&self, hash: Hash32, key: &Q) -> Option<(u32, usize)>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let entries = &self.entries[..];
        self.index
            .find(hash, |entry| entries[entry].0.borrow() == key)
    }

    /// The number of the entry with that key in the order of insertion.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(2, 'b'), (1, 'a')]);
    /// assert_eq!(map.get_index_of(&1), Some(1));
    /// # });
    /// ```
    #[inline]
    pub fn get_index_of<Q>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if self.is_empty() {
            return None;
        }
        self.find(self.hash(key), key).map(|(_, entry)| entry)
    }

    /// The value of a key. Expected constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [("one".to_string(), 1)]);
    /// assert_eq!(map.get("one"), Some(&1));
    /// # });
    /// ```
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The entry of a key. Expected constant time.
    #[inline]
    pub(in crate::collections) fn get_key_value<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (key, value) = &self.entries[self.get_index_of(key)?];
        Some((key, value))
    }

    /// Whether there is an entry with that key. Expected constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a')]);
    /// assert!(map.contains_key(&1) && !map.contains_key(&2));
    /// # });
    /// ```
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.get_index_of(key).is_some()
    }

    /// The value of a key, to be changed. Calls the barrier for it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// *map.get_mut(mc, &1).unwrap() += 5;
    /// assert_eq!(map[&1], 15);
    /// # });
    /// ```
    #[inline]
    pub fn get_mut<Q>(&mut self, mc: &impl Mutates<'gc, (K, V)>, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entry = self.get_index_of(key)?;
        self.entries.get_mut(mc, entry).map(|(_, value)| value)
    }

    /// Calls the barrier for the value of a key, and lets the caller write to it through its locks.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(1, Lock::new(10))]);
    /// map.write_value(mc, &1).unwrap().unlock().set(20);
    /// assert_eq!(map[&1].get(), 20);
    /// # });
    /// ```
    #[inline]
    pub fn write_value<Q>(&self, mc: &impl Mutates<'gc, (K, V)>, key: &Q) -> Option<&Write<V>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entry = self.get_index_of(key)?;
        let (_, value) = &**self.entries.write_at(mc, entry);
        // SAFETY: the barrier was called for the entry.
        Some(unsafe { Write::assume(value) })
    }
}
