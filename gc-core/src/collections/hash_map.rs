//! [`HashMap`]: entries in a vector, and an index over them.
//!
//! The layout is that of Python's `dict` and of the `indexmap` crate: the entries are dense, in the order of insertion, and
//! a table of small numbers says where each is ([`Index`]). For a collector this is a good shape: the table is
//! plain data, and the entries are one array without holes. Iterating is walking along it.
//!
//! # Invariants
//!
//! 1. The index has as many entries as the vector, with the same numbers, between operations and whenever code of the user's is
//!    called. (A closure of `retain` excepted, after which a guard restores this.)
//! 2. Where memory is needed, it is there before anything is changed.
//!
//! Nothing else depends on what `Hash` and `Eq` do: keys whose answers change are not found, no more.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::mem::offset_of;
use core::ops::Index as IndexTrait;

use super::hash_entry::{Entry, OccupiedEntry, VacantEntry};
use super::hash_iter::{Iter, IterMut, Keys, Values, ValuesMut};
use super::index::{Hash32, Index, Retaining, fold};
use super::into_iter::IntoIter;
use super::mutates::Mutates;
use super::or_panic;
use super::vec::Vec;
use crate::barrier::Write;
use crate::collect::{Collect, Trace};
use crate::heap::error::HeapError;
use crate::typemap::TypeMap;

/// The hashers that maps have unless told otherwise: [foldhash](https://docs.rs/foldhash), in its fast variation, with a
/// seed that differs from process to process, and from map to map. It is what `hashbrown` uses. That makes it hard, but not
/// impossible, to make keys collide on purpose; where keys come from an adversary,
/// [`std::hash::RandomState`] is safer and slower.
///
/// ```
/// use gc_core::collections::{DefaultHashBuilder, HashMap};
///
/// let map: HashMap<'_, u32, u32> = HashMap::with_hasher(DefaultHashBuilder::default());
/// assert!(map.is_empty());
/// ```
pub type DefaultHashBuilder = foldhash::fast::RandomState;

/// A map with keys that are hashed, in the heap: [`std::collections::HashMap`] without memory outside of it.
///
/// It is **in the order of insertion**: iterators and indices go through the entries in the order in which their keys were
/// inserted first. [`HashMap::remove`] puts the last entry in the place of the one that is removed, in constant
/// time; [`HashMap::shift_remove`] keeps the order, in linear time. At most 3 · 2³⁰ entries fit.
///
/// Like a [`Vec`], it is a value, which is held in a lock or in the root, and the `mc` of the `mutate` call is
/// needed to change it. Keys and values may be of any types that can live in the heap. Keys that are [`Gc`](crate::Gc) are
/// compared and hashed by what they point to; [`ByIdentity`](super::ByIdentity) is for those that should not be.
///
/// ```
/// use gc_core::collections::HashMap;
/// use gc_core::{Arena, Gc, RefLock, Rootable};
///
/// type Table<'gc> = Gc<'gc, RefLock<HashMap<'gc, Gc<'gc, str>, Gc<'gc, u64>>>>;
///
/// let mut arena = Arena::<Rootable![Table<'_>]>::new(|mc| Gc::new(mc, RefLock::default()));
/// arena.mutate(|mc, table| {
///     table.borrow_mut(mc).insert(mc, Gc::str_from(mc, "one"), Gc::new(mc, 1));
/// });
/// arena.finish_cycle();
/// arena.mutate(|_, table| assert_eq!(*table.borrow()["one"], 1));
/// ```
pub struct HashMap<'gc, K, V, S = DefaultHashBuilder> {
    pub(super) entries: Vec<'gc, (K, V)>,
    pub(super) index: Index<'gc>,
    hasher: S,
}

impl<'gc, K, V, S> HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
{
    /// No entries, and no memory.
    ///
    /// ```
    /// # use gc_core::collections::HashMap;
    /// let map = HashMap::<u32, u32, _>::with_hasher(std::hash::RandomState::new());
    /// assert_eq!(map.len(), 0);
    /// ```
    #[inline]
    pub const fn with_hasher(hasher: S) -> HashMap<'gc, K, V, S> {
        HashMap {
            entries: Vec::new(),
            index: Index::NONE,
            hasher,
        }
    }

    /// No entries, with memory for `capacity`.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let hasher = std::hash::RandomState::new();
    /// let map = HashMap::<u32, u32, _>::with_capacity_and_hasher(mc, 10, hasher);
    /// assert!(map.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn with_capacity_and_hasher(
        mc: &impl Mutates<'gc, (K, V)>,
        capacity: usize,
        hasher: S,
    ) -> HashMap<'gc, K, V, S> {
        let mut map = HashMap::with_hasher(hasher);
        or_panic(map.try_reserve(mc, capacity));
        map
    }

    /// The number of entries.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(HashMap::<_, _>::from_iter(mc, [(1, 2), (1, 3)]).len(), 1);
    /// # });
    /// ```
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// # use gc_core::collections::HashMap;
    /// assert!(HashMap::<u32, u32>::new().is_empty());
    /// ```
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries fit without more memory.
    ///
    /// ```
    /// # use gc_core::collections::HashMap;
    /// assert_eq!(HashMap::<u32, u32>::new().capacity(), 0);
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.index.capacity().min(self.entries.capacity())
    }

    /// What hashes the keys.
    ///
    /// ```
    /// # use gc_core::collections::{DefaultHashBuilder, HashMap};
    /// let map = HashMap::<u32, u32>::new();
    /// let _: &DefaultHashBuilder = map.hasher();
    /// ```
    #[inline]
    pub fn hasher(&self) -> &S {
        &self.hasher
    }

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
    pub fn values(&self) -> Values<'_, K, V> {
        Values::new(self.entries.iter())
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

    /// Removes all entries, and keeps the memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// map.clear(mc);
    /// assert!(map.is_empty());
    /// # });
    /// ```
    pub fn clear(&mut self, mc: &impl Mutates<'gc, (K, V)>) {
        let len = self.len();
        self.entries.before_write(mc, 0, len);
        // First, because a `Drop` may panic.
        self.index.rebuild(0);
        self.entries.clear(mc);
    }

    /// Keeps the entries for which `keep` says so, in their order. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, (0..6).map(|i| (i, i)));
    /// map.retain(mc, |key, _| key % 2 == 0);
    /// assert!(map.keys().eq(&[0, 2, 4]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; what it was not asked about is kept.
    pub fn retain(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        mut keep: impl FnMut(&K, &mut V) -> bool,
    ) {
        let mut retaining = Retaining::new(&mut self.index, self.entries.len());
        self.entries.retain_mut(mc, |(key, value)| {
            let keep = keep(key, value);
            retaining.next(keep);
            keep
        });
    }

    /// Takes all entries, and leaves no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// assert!(map.drain(mc).eq([(1, 10)]));
    /// assert!(map.is_empty());
    /// # });
    /// ```
    pub fn drain(&mut self, mc: &impl Mutates<'gc, (K, V)>) -> IntoIter<'gc, (K, V)> {
        self.index = Index::NONE;
        core::mem::take(&mut self.entries).into_iter(mc)
    }

    /// The entries by value.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// assert!(map.into_iter(mc).eq([(1, 10)]));
    /// # });
    /// ```
    #[allow(
        clippy::should_implement_trait,
        reason = "the trait's method would have no right to write"
    )]
    pub fn into_iter(self, mc: &impl Mutates<'gc, (K, V)>) -> IntoIter<'gc, (K, V)> {
        self.entries.into_iter(mc)
    }

    /// Makes room for so many more entries. Inserting them does not fail then.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::<u32, u32>::new();
    /// assert!(map.try_reserve(mc, 10).is_ok());
    /// assert!(map.try_reserve(mc, usize::MAX).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory, or so many entries do not fit into any map; this one is as it was.
    pub fn try_reserve(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        additional: usize,
    ) -> Result<(), HeapError> {
        let len = self.len();
        let needed = len.saturating_add(additional);
        self.index.reserve(mc.access().0, len, needed)?;
        self.entries.try_reserve(mc, additional)
    }

    /// Makes room for so many more entries.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::<u32, u32>::new();
    /// map.reserve(mc, 10);
    /// assert!(map.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`HashMap::try_reserve`].
    pub fn reserve(&mut self, mc: &impl Mutates<'gc, (K, V)>, additional: usize) {
        or_panic(self.try_reserve(mc, additional))
    }

    /// Moves the entries to memory with as little room for more as there can be.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::<u32, u32>::with_capacity(mc, 1000);
    /// map.insert(mc, 1, 2);
    /// map.shrink_to_fit(mc);
    /// assert!(map.capacity() < 1000 && map[&1] == 2);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn shrink_to_fit(&mut self, mc: &impl Mutates<'gc, (K, V)>) {
        self.entries.shrink_to_fit(mc);
        or_panic(self.index.shrink(mc.access().0, self.entries.len()));
    }

    /// Copies of the entries, in memory of their own.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 10)]);
    /// assert_eq!(map.clone_in(mc)[&1], 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or a `clone` panics.
    pub fn clone_in(&self, mc: &impl Mutates<'gc, (K, V)>) -> HashMap<'gc, K, V, S>
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        HashMap {
            entries: self.entries.clone_in(mc),
            index: or_panic(self.index.clone_in(mc.access().0, self.len())),
            hasher: self.hasher.clone(),
        }
    }
}

impl<'gc, K, V> HashMap<'gc, K, V>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
{
    /// No entries, and no memory.
    ///
    /// ```
    /// # use gc_core::collections::HashMap;
    /// let map = HashMap::<u32, u32>::new();
    /// assert_eq!(map.get(&1), None);
    /// ```
    #[inline]
    pub fn new() -> HashMap<'gc, K, V> {
        HashMap::default()
    }

    /// No entries, with memory for `capacity`.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map = HashMap::<u32, u32>::with_capacity(mc, 10);
    /// assert!(map.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn with_capacity(mc: &impl Mutates<'gc, (K, V)>, capacity: usize) -> HashMap<'gc, K, V> {
        HashMap::with_capacity_and_hasher(mc, capacity, DefaultHashBuilder::default())
    }
}

impl<'gc, K, V, S> HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + Eq + Hash + 'gc,
    V: Collect<'gc> + 'gc,
    S: BuildHasher,
{
    /// A map of the pairs of an iterator. Of pairs with equal keys the last value stays.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a'), (1, 'b')]);
    /// assert_eq!(map[&1], 'b');
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator, a hash or a comparison panics.
    pub fn from_iter(
        mc: &impl Mutates<'gc, (K, V)>,
        iter: impl IntoIterator<Item = (K, V)>,
    ) -> HashMap<'gc, K, V, S>
    where
        S: Default,
    {
        let mut map = HashMap::with_hasher(S::default());
        map.extend(mc, iter);
        map
    }

    /// Inserts the pairs of an iterator.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::new();
    /// map.extend(mc, [(1, 'a'), (2, 'b')]);
    /// assert_eq!(map[&2], 'b');
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator, a hash or a comparison panics; what was inserted until then is there.
    pub fn extend(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        iter: impl IntoIterator<Item = (K, V)>,
    ) {
        let iter = iter.into_iter();
        // Of keys that are there already, half are expected in vain.
        let (least, _) = iter.size_hint();
        self.reserve(
            mc,
            if self.is_empty() {
                least
            } else {
                least.div_ceil(2)
            },
        );
        for (key, value) in iter {
            self.insert(mc, key, value);
        }
    }

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
        let entries = self.entries.as_slice();
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
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 'a')]);
    /// assert_eq!(map.get_key_value(&1), Some((&1, &'a')));
    /// # });
    /// ```
    #[inline]
    pub fn get_key_value<Q>(&self, key: &Q) -> Option<(&K, &V)>
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
    /// If there is no memory; see [`HashMap::insert_or_error`].
    #[inline]
    pub fn insert(&mut self, mc: &impl Mutates<'gc, (K, V)>, key: K, value: V) -> Option<V> {
        or_panic(self.insert_or_error(mc, key, value))
    }

    /// [`HashMap::insert`] that drops key and value if there is no memory for them. (Who wants to keep them calls
    /// [`HashMap::try_reserve`] before.) A name with `try_` means something else in `std`.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::new();
    /// assert_eq!(map.insert_or_error(mc, 1, 'a'), Ok(None));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the map is as it was.
    #[inline]
    pub fn insert_or_error(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        key: K,
        value: V,
    ) -> Result<Option<V>, HeapError> {
        let hash = self.hash(&key);
        if let Some((_, entry)) = self.find(hash, &key) {
            let (_, old) = self.entries.get_mut(mc, entry).expect("the entry is there");
            return Ok(Some(core::mem::replace(old, value)));
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
        self.remove_entry(mc, key).map(|(_, value)| value)
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
        let (_, value) = self.entries.remove(mc, entry);
        self.index.shift_remove(entry, len);
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
