//! [`Entry`]: the place of a key in a [`HashMap`].

use core::fmt;
use core::hash::{BuildHasher, Hash};

use super::HashMap;
use crate::collections::index::Hash32;
use crate::heap::error::or_panic;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

/// The place of a key in a [`HashMap`], as [`HashMap::entry`] found it.
///
/// ```
/// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
/// # rootless_mutate(|mc| {
/// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a')]);
/// assert!(matches!(map.entry(mc, 1), Entry::Occupied(_)));
/// assert!(matches!(map.entry(mc, 2), Entry::Vacant(_)));
/// # });
/// ```
pub enum Entry<'a, 'gc, K, V, S, M> {
    /// The key is there.
    Occupied(OccupiedEntry<'a, 'gc, K, V, S, M>),
    /// The key is not there.
    Vacant(VacantEntry<'a, 'gc, K, V, S, M>),
}

/// The entry of a key that is there.
///
/// ```
/// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
/// # rootless_mutate(|mc| {
/// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a')]);
/// if let Entry::Occupied(mut entry) = map.entry(mc, 1) {
///     assert_eq!(entry.key(), &1);
///     assert_eq!(std::mem::replace(entry.get_mut(), 'b'), 'a');
///     assert_eq!(entry.remove(), 'b');
/// }
/// assert!(map.is_empty());
/// # });
/// ```
pub struct OccupiedEntry<'a, 'gc, K, V, S, M> {
    pub(super) map: &'a mut HashMap<'gc, K, V, S>,
    pub(super) mc: &'a M,
    /// The entry's word in the index, and its number.
    pub(super) at: u32,
    pub(super) entry: usize,
}

/// The place of a key that is not there.
///
/// ```
/// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
/// # rootless_mutate(|mc| {
/// let mut map: HashMap<_, _> = HashMap::new();
/// if let Entry::Vacant(entry) = map.entry(mc, 1) {
///     *entry.insert('a') = 'b';
/// }
/// assert_eq!(map[&1], 'b');
/// # });
/// ```
pub struct VacantEntry<'a, 'gc, K, V, S, M> {
    pub(super) map: &'a mut HashMap<'gc, K, V, S>,
    pub(super) mc: &'a M,
    pub(super) hash: Hash32,
    pub(super) key: K,
}

impl<'a, 'gc, K, V, S, M> Entry<'a, 'gc, K, V, S, M>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + 'gc,
    S: BuildHasher,
    M: Mutates<'gc, (K, V)>,
{
    /// The key.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(HashMap::<u32, u32>::new().entry(mc, 1).key(), &1);
    /// # });
    /// ```
    pub fn key(&self) -> &K {
        match self {
            Entry::Occupied(entry) => entry.key(),
            Entry::Vacant(entry) => entry.key(),
        }
    }

    /// The value, which is `default` if the key was not there.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::new();
    /// *map.entry(mc, 1).or_insert(10) += 1;
    /// assert_eq!(map[&1], 11);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    #[inline]
    pub fn or_insert(self, default: V) -> &'a mut V {
        self.or_insert_with(|| default)
    }

    /// The value, which is made if the key was not there.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::new();
    /// assert_eq!(map.entry(mc, 1).or_insert_with(|| 10), &10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or `default` panics.
    #[inline]
    pub fn or_insert_with(self, default: impl FnOnce() -> V) -> &'a mut V {
        match self {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(default()),
        }
    }

    /// The value, which is the type's default if the key was not there.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, u32> = HashMap::new();
    /// assert_eq!(map.entry(mc, 1).or_default(), &0);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    #[inline]
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Changes the value, if the key is there.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// map.entry(mc, 1).and_modify(|value| *value += 1).or_insert(0);
    /// assert_eq!(map[&1], 11);
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn and_modify(mut self, change: impl FnOnce(&mut V)) -> Self {
        if let Entry::Occupied(entry) = &mut self {
            change(entry.get_mut());
        }
        self
    }
}

impl<'a, 'gc, K, V, S, M> OccupiedEntry<'a, 'gc, K, V, S, M>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + 'gc,
    S: BuildHasher,
    M: Mutates<'gc, (K, V)>,
{
    /// The key, as it is in the map.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap, String}};
    /// # rootless_mutate(|mc| {
    /// let stored = String::from_str(mc, "name");
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(stored, 1)]);
    /// let Entry::Occupied(entry) = map.entry(mc, String::from_str(mc, "name")) else { panic!() };
    /// assert_eq!(&**entry.key(), "name");
    /// # });
    /// ```
    #[inline]
    pub fn key(&self) -> &K {
        &self.map.entries[self.entry].0
    }

    /// The value.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
    /// # rootless_mutate(|mc| {
    /// let mut stock: HashMap<_, _> = HashMap::from_iter(mc, [("apple", 0), ("pear", 2)]);
    /// if let Entry::Occupied(entry) = stock.entry(mc, "apple") {
    ///     if *entry.get() == 0 {
    ///         entry.remove();
    ///     }
    /// }
    /// assert!(stock.keys().eq(&["pear"]));
    /// # });
    /// ```
    #[inline]
    pub fn get(&self) -> &V {
        &self.map.entries[self.entry].1
    }

    /// The value, to be changed. Calls the barrier for it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
    /// # rootless_mutate(|mc| {
    /// let mut scores: HashMap<_, _> = HashMap::from_iter(mc, [("Ada", 1)]);
    /// if let Entry::Occupied(mut entry) = scores.entry(mc, "Ada") {
    ///     *entry.get_mut() += 1;
    ///     assert_eq!(entry.get(), &2); // The entry can still be used.
    /// }
    /// # });
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut V {
        let entry = self.map.entries.get_mut(self.mc, self.entry);
        &mut entry.expect("the entry is there").1
    }

    /// The value, to be changed as long as the map is borrowed. Calls the barrier for it.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// let value = match map.entry(mc, 1) {
    ///     Entry::Occupied(entry) => entry.into_mut(), // It outlives the entry.
    ///     Entry::Vacant(entry) => entry.insert(0),
    /// };
    /// *value += 1;
    /// assert_eq!(map[&1], 11);
    /// # });
    /// ```
    #[inline]
    pub fn into_mut(self) -> &'a mut V {
        let entry = self.map.entries.get_mut(self.mc, self.entry);
        &mut entry.expect("the entry is there").1
    }

    /// Removes the entry, and returns the value, as [`HashMap::remove`].
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
    /// # rootless_mutate(|mc| {
    /// let mut waiting: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a'), (2, 'b'), (3, 'c')]);
    /// if let Entry::Occupied(entry) = waiting.entry(mc, 1) {
    ///     assert_eq!(entry.remove(), 'a');
    /// }
    /// assert!(waiting.keys().eq(&[3, 2])); // The last entry takes its place.
    /// # });
    /// ```
    #[inline]
    pub fn remove(self) -> V {
        let (key, value) = self.remove_entry();
        // By hand, as the value would be leaked if this panicked behind the `return`.
        drop(key);
        value
    }

    /// Removes the entry, as [`HashMap::remove_entry`].
    #[inline]
    fn remove_entry(self) -> (K, V) {
        self.map.swap_remove_at(self.mc, self.at, self.entry)
    }
}

impl<'a, 'gc, K, V, S, M> VacantEntry<'a, 'gc, K, V, S, M>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + 'gc,
    S: BuildHasher,
    M: Mutates<'gc, (K, V)>,
{
    /// The key that would be inserted.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{Entry, HashMap}};
    /// # rootless_mutate(|mc| {
    /// let mut lengths: HashMap<_, _> = HashMap::new();
    /// if let Entry::Vacant(entry) = lengths.entry(mc, "word") {
    ///     let length = entry.key().len();
    ///     entry.insert(length);
    /// }
    /// assert_eq!(lengths["word"], 4);
    /// # });
    /// ```
    #[inline]
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Inserts the key with a value.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, collections::{Entry, HashMap}};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::new();
    /// if let Entry::Vacant(entry) = map.entry(mc, "node") {
    ///     let value = entry.insert(Gc::new(mc, 1));
    ///     assert_eq!(**value, 1);
    /// }
    /// assert_eq!(*map["node"], 1);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    #[inline]
    pub fn insert(self, value: V) -> &'a mut V {
        or_panic(self.map.push(self.mc, self.hash, self.key, value));
        let last = self.map.len() - 1;
        let entry = self.map.entries.get_mut(self.mc, last);
        &mut entry.expect("the entry is there").1
    }
}

// By hand, as a derived one would want `M` to be `Debug`, which `Mutation` is not.
impl<K: fmt::Debug, V, S, M> fmt::Debug for Entry<'_, '_, K, V, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Occupied(entry) => f.debug_tuple("Occupied").field(entry).finish(),
            Entry::Vacant(entry) => f.debug_tuple("Vacant").field(entry).finish(),
        }
    }
}

impl<K, V, S, M> fmt::Debug for OccupiedEntry<'_, '_, K, V, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OccupiedEntry")
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

impl<K: fmt::Debug, V, S, M> fmt::Debug for VacantEntry<'_, '_, K, V, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VacantEntry")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
