//! Adding entries to a [`HashMap`] and taking them out.

use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash};

use super::{Entry, HashMap, OccupiedEntry, VacantEntry};
use crate::collections::index::Hash32;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, K, V, S> HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + 'gc,
    S: BuildHasher,
{
    /// Gives a key a value, and returns the one it had. If there was one, the key stays as it was. Expected
    /// constant time, amortised.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::new();
    /// assert_eq!(map.insert(mc, 1, 'a'), None);
    /// assert_eq!(map.insert(mc, 1, 'b'), Some('a'));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`HashMap::try_reserve`].
    #[inline]
    pub fn insert(&mut self, mc: &impl Mutates<'gc, (K, V)>, key: K, value: V) -> Option<V> {
        or_panic(self.insert_or_error(mc, key, value))
    }

    /// [`HashMap::insert`] that drops key and value if there is no memory for them. (Who wants to keep them calls
    /// [`HashMap::try_reserve`] before.) A name with `try_` means something else in `std`.
    #[inline]
    fn insert_or_error(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        key: K,
        value: V,
    ) -> Result<Option<V>, HeapError> {
        let hash = self.hash(&key);
        if let Some((_, entry)) = self.find(hash, &key) {
            let replace = |(_, place): &mut (K, V)| core::mem::replace(place, value);
            let old = self.entries.change(mc, entry, replace);
            // By hand, as the old value would be leaked if this panicked behind the `return`.
            drop(key);
            return Ok(Some(old));
        }
        self.push(mc, hash, key, value)?;
        Ok(None)
    }

    /// Adds an entry whose key is not there.
    #[inline]
    pub(super) fn push(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        hash: Hash32,
        key: K,
        value: V,
    ) -> Result<(), HeapError> {
        let len = self.len();
        self.index.reserve(mc.access().0, len, len + 1)?;
        self.entries.try_push(mc, (key, value))?;
        self.index.insert(len, hash);
        Ok(())
    }

    /// Removes a key, and returns its value. **The last entry takes its place** in the order. Expected constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a'), (2, 'b'), (3, 'c')]);
    /// assert_eq!(map.remove(mc, &1), Some('a'));
    /// assert!(map.keys().eq(&[3, 2]));
    /// # });
    /// ```
    #[inline]
    pub fn remove<Q>(&mut self, mc: &impl Mutates<'gc, (K, V)>, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (key, value) = self.remove_entry(mc, key)?;
        // By hand, as the value would be leaked if this panicked behind the `return`.
        drop(key);
        Some(value)
    }

    /// [`HashMap::remove`] that also returns the key.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a')]);
    /// assert_eq!(map.remove_entry(mc, &1), Some((1, 'a')));
    /// # });
    /// ```
    pub fn remove_entry<Q>(&mut self, mc: &impl Mutates<'gc, (K, V)>, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if self.is_empty() {
            return None;
        }
        let (at, entry) = self.find(self.hash(key), key)?;
        Some(self.swap_remove_at(mc, at, entry))
    }

    pub(super) fn swap_remove_at(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        at: u32,
        entry: usize,
    ) -> (K, V) {
        let len = self.len();
        let removed = self.entries.swap_remove(mc, entry);
        self.index.swap_remove(at, len);
        removed
    }

    /// Removes a key, and returns its value. The others stay in their order. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a'), (2, 'b'), (3, 'c')]);
    /// assert_eq!(map.shift_remove(mc, &1), Some('a'));
    /// assert!(map.keys().eq(&[2, 3]));
    /// # });
    /// ```
    pub fn shift_remove<Q>(&mut self, mc: &impl Mutates<'gc, (K, V)>, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entry = self.get_index_of(key)?;
        let len = self.len();
        let (key, value) = self.entries.remove(mc, entry);
        self.index.shift_remove(entry, len);
        // Not before, as its `Drop` is the user's and may panic (invariant 1); and by hand, as above.
        drop(key);
        Some(value)
    }

    /// The place of a key, to look there and insert without searching twice.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut counts: HashMap<_, _> = HashMap::new();
    /// for letter in "letters".chars() {
    ///     *counts.entry(mc, letter).or_insert(0) += 1;
    /// }
    /// assert_eq!(counts[&'t'], 2);
    /// # });
    /// ```
    pub fn entry<'a, M: Mutates<'gc, (K, V)>>(
        &'a mut self,
        mc: &'a M,
        key: K,
    ) -> Entry<'a, 'gc, K, V, S, M> {
        let hash = self.hash(&key);
        match self.find(hash, &key) {
            Some((at, entry)) => Entry::Occupied(OccupiedEntry {
                map: self,
                mc,
                at,
                entry,
            }),
            None => Entry::Vacant(VacantEntry {
                map: self,
                mc,
                hash,
                key,
            }),
        }
    }
}
