//! [`HashMap`]: entries in a vector, and an index over them.
//!
//! The layout is that of Python's `dict` and of the `indexmap` crate: the entries are dense, in the order of insertion, and
//! a table of small numbers says where each is ([`Index`]). For a collector this is a good shape: the table is
//! plain data, and the entries are one array without holes. Iterating is walking along it.
//!
//! Here are the type and what is done with all entries; `lookup` finds one, `entries` adds and removes one, `entry` is the place
//! of one that somebody looked for; `capacity` has the memory, `iter` the iterators, and `traits` the traits.
//!
//! # Invariants
//!
//! 1. The index has as many entries as the vector, with the same numbers, between operations and whenever code of the user's is
//!    called, the `Drop` of what was taken out included. (A closure of `retain` excepted, after which a guard restores this.)
//! 2. Where memory is needed, it is there before anything is changed.
//!
//! Nothing else depends on what `Hash` and `Eq` do: keys whose answers change are not found, no more.

mod capacity;
mod entries;
mod entry;
mod iter;
mod lookup;
mod traits;

use core::hash::{BuildHasher, Hash};

pub use self::entry::{Entry, OccupiedEntry, VacantEntry};
pub use self::iter::{Iter, IterMut, Keys, ValuesMut};
use super::index::{Index, Retaining};
use super::into_iter::IntoIter;
use super::vec::Vec;
use crate::heap::error::or_panic;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

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
        let mut map = HashMap::new();
        map.reserve(mc, capacity);
        map
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
}
