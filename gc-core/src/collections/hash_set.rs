//! [`HashSet`]: a [`HashMap`] without values.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::mem::offset_of;

use super::hash_map::{DefaultHashBuilder, HashMap, Keys};
use crate::heap::error::HeapError;
use crate::mutator::mutates::Mutates;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A set of values that are hashed, in the heap: [`std::collections::HashSet`] without memory outside of it.
///
/// It is a [`HashMap`] without values, and like that in the order of insertion.
///
/// ```
/// use gc_core::collections::HashSet;
/// use gc_core::{Arena, Gc, RefLock, Rootable};
///
/// type Names<'gc> = Gc<'gc, RefLock<HashSet<'gc, Gc<'gc, str>>>>;
///
/// let mut arena = Arena::<Rootable![Names<'_>]>::new(|mc| Gc::new(mc, RefLock::default()));
/// arena.mutate(|mc, names| names.borrow_mut(mc).insert(mc, Gc::str_from(mc, "Ada")));
/// arena.finish_cycle();
/// arena.mutate(|_, names| assert!(names.borrow().contains("Ada")));
/// ```
pub struct HashSet<'gc, T, S = DefaultHashBuilder> {
    map: HashMap<'gc, T, (), S>,
}

impl<'gc, T: Collect<'gc> + 'gc> HashSet<'gc, T> {
    /// No values, and no memory.
    ///
    /// ```
    /// # use gc_core::collections::HashSet;
    /// assert!(HashSet::<u32>::new().is_empty());
    /// ```
    #[inline]
    pub fn new() -> HashSet<'gc, T> {
        HashSet::default()
    }

    /// No values, with memory for `capacity`.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// assert!(HashSet::<u32>::with_capacity(mc, 10).capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn with_capacity(mc: &impl Mutates<'gc, (T, ())>, capacity: usize) -> HashSet<'gc, T> {
        let map = HashMap::with_capacity(mc, capacity);
        HashSet { map }
    }
}

impl<'gc, T: Collect<'gc> + 'gc, S> HashSet<'gc, T, S> {
    /// No values, and no memory.
    ///
    /// ```
    /// # use gc_core::collections::HashSet;
    /// assert!(HashSet::<u32, _>::with_hasher(std::hash::RandomState::new()).is_empty());
    /// ```
    #[inline]
    pub const fn with_hasher(hasher: S) -> HashSet<'gc, T, S> {
        let map = HashMap::with_hasher(hasher);
        HashSet { map }
    }

    /// The number of values.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(HashSet::<_>::from_iter(mc, [1, 2, 1]).len(), 2);
    /// # });
    /// ```
    #[inline]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// # use gc_core::collections::HashSet;
    /// assert!(HashSet::<u32>::new().is_empty());
    /// ```
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many values fit without more memory.
    ///
    /// ```
    /// # use gc_core::collections::HashSet;
    /// assert_eq!(HashSet::<u32>::new().capacity(), 0);
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.map.capacity()
    }

    /// The values, in the order of insertion.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// assert!(HashSet::<_>::from_iter(mc, [2, 1, 2]).iter().eq(&[2, 1]));
    /// # });
    /// ```
    #[inline]
    pub fn iter(&self) -> Keys<'_, T, ()> {
        self.map.keys()
    }

    /// Removes all values, and keeps the memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set: HashSet<_> = HashSet::from_iter(mc, [1]);
    /// set.clear(mc);
    /// assert!(set.is_empty());
    /// # });
    /// ```
    pub fn clear(&mut self, mc: &impl Mutates<'gc, (T, ())>) {
        self.map.clear(mc);
    }

    /// Keeps the values for which `keep` says so, in their order. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set: HashSet<_> = HashSet::from_iter(mc, 0..6);
    /// set.retain(mc, |value| value % 2 == 0);
    /// assert!(set.iter().eq(&[0, 2, 4]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; what it was not asked about is kept.
    pub fn retain(&mut self, mc: &impl Mutates<'gc, (T, ())>, mut keep: impl FnMut(&T) -> bool) {
        self.map.retain(mc, |value, ()| keep(value));
    }

    /// Takes all values, and leaves no memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set: HashSet<_> = HashSet::from_iter(mc, [1, 2]);
    /// assert!(set.drain(mc).eq([1, 2]));
    /// # });
    /// ```
    pub fn drain(
        &mut self,
        mc: &impl Mutates<'gc, (T, ())>,
    ) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator {
        self.map.drain(mc).map(|(value, ())| value)
    }

    /// The values by value.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let set: HashSet<_> = HashSet::from_iter(mc, [1, 2]);
    /// assert!(set.into_iter(mc).eq([1, 2]));
    /// # });
    /// ```
    #[allow(
        clippy::should_implement_trait,
        reason = "the trait's method would have no right to write"
    )]
    pub fn into_iter(
        self,
        mc: &impl Mutates<'gc, (T, ())>,
    ) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator {
        self.map.into_iter(mc).map(|(value, ())| value)
    }

    /// Makes room for so many more values. Inserting them does not fail then.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// assert!(HashSet::<u32>::new().try_reserve(mc, usize::MAX).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As [`HashMap::try_reserve`].
    pub fn try_reserve(
        &mut self,
        mc: &impl Mutates<'gc, (T, ())>,
        additional: usize,
    ) -> Result<(), HeapError> {
        self.map.try_reserve(mc, additional)
    }

    /// Makes room for so many more values.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set = HashSet::<u32>::new();
    /// set.reserve(mc, 10);
    /// assert!(set.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn reserve(&mut self, mc: &impl Mutates<'gc, (T, ())>, additional: usize) {
        self.map.reserve(mc, additional);
    }

    /// Moves the values to memory with as little room for more as there can be.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set = HashSet::<u32>::with_capacity(mc, 1000);
    /// set.shrink_to_fit(mc);
    /// assert_eq!(set.capacity(), 0);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn shrink_to_fit(&mut self, mc: &impl Mutates<'gc, (T, ())>) {
        self.map.shrink_to_fit(mc);
    }

    /// Copies of the values, in memory of their own.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let set: HashSet<_> = HashSet::from_iter(mc, [1, 2]);
    /// assert_eq!(set.clone_in(mc), set);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or a `clone` panics.
    pub fn clone_in(&self, mc: &impl Mutates<'gc, (T, ())>) -> HashSet<'gc, T, S>
    where
        T: Clone,
        S: Clone,
    {
        let map = self.map.clone_in(mc);
        HashSet { map }
    }
}

impl<'gc, T, S> HashSet<'gc, T, S>
where
    T: Collect<'gc> + Eq + Hash + 'gc,
    S: BuildHasher,
{
    /// The values of an iterator.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let set: HashSet<_> = HashSet::from_iter(mc, [1, 2, 1]);
    /// assert_eq!(set.len(), 2);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`HashMap::from_iter`].
    pub fn from_iter(
        mc: &impl Mutates<'gc, (T, ())>,
        iter: impl IntoIterator<Item = T>,
    ) -> HashSet<'gc, T, S>
    where
        S: Default,
    {
        let mut set = HashSet::default();
        set.extend(mc, iter);
        set
    }

    /// Inserts the values of an iterator.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set: HashSet<_> = HashSet::from_iter(mc, [1]);
    /// set.extend(mc, [1, 2]);
    /// assert_eq!(set.len(), 2);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`HashMap::extend`].
    pub fn extend(&mut self, mc: &impl Mutates<'gc, (T, ())>, iter: impl IntoIterator<Item = T>) {
        self.map
            .extend(mc, iter.into_iter().map(|value| (value, ())));
    }

    /// Inserts a value, unless it is there. Whether it was not. Expected constant time, amortised.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set = HashSet::new();
    /// assert!(set.insert(mc, 1) && !set.insert(mc, 1));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`HashSet::try_reserve`].
    #[inline]
    pub fn insert(&mut self, mc: &impl Mutates<'gc, (T, ())>, value: T) -> bool {
        self.map.insert(mc, value, ()).is_none()
    }

    /// Whether a value is there. Expected constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// assert!(HashSet::<_>::from_iter(mc, [1]).contains(&1));
    /// # });
    /// ```
    #[inline]
    pub fn contains<Q>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.map.contains_key(value)
    }

    /// The value that is equal to this one. Expected constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(HashSet::<_>::from_iter(mc, [1]).get(&1), Some(&1));
    /// # });
    /// ```
    #[inline]
    pub fn get<Q>(&self, value: &Q) -> Option<&T>
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.map.get_key_value(value).map(|(value, ())| value)
    }

    /// Removes a value; the last one takes its place in the order. Whether it was there. Expected constant time.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set: HashSet<_> = HashSet::from_iter(mc, [1]);
    /// assert!(set.remove(mc, &1) && !set.remove(mc, &1));
    /// # });
    /// ```
    #[inline]
    pub fn remove<Q>(&mut self, mc: &impl Mutates<'gc, (T, ())>, value: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.map.remove(mc, value).is_some()
    }

    /// Removes a value; the others stay in their order. Whether it was there. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashSet};
    /// # rootless_mutate(|mc| {
    /// let mut set: HashSet<_> = HashSet::from_iter(mc, [1, 2, 3]);
    /// assert!(set.shift_remove(mc, &1));
    /// assert!(set.iter().eq(&[2, 3]));
    /// # });
    /// ```
    pub fn shift_remove<Q>(&mut self, mc: &impl Mutates<'gc, (T, ())>, value: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.map.shift_remove(mc, value).is_some()
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc, T: Collect<'gc> + 'gc, S: 'static> Collect<'gc> for HashSet<'gc, T, S> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        HashMap::<'gc, T, (), S>::TYPE_MAP,
        offset_of!(HashSet<'gc, T, S>, map),
    );

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.map);
    }
}

impl<'gc, T: Collect<'gc> + 'gc, S: Default> Default for HashSet<'gc, T, S> {
    fn default() -> HashSet<'gc, T, S> {
        HashSet::with_hasher(S::default())
    }
}

impl<'a, 'gc, T: Collect<'gc> + 'gc, S> IntoIterator for &'a HashSet<'gc, T, S> {
    type Item = &'a T;
    type IntoIter = Keys<'a, T, ()>;

    fn into_iter(self) -> Keys<'a, T, ()> {
        self.iter()
    }
}

/// The order does not matter.
impl<'gc, T, S> PartialEq for HashSet<'gc, T, S>
where
    T: Collect<'gc> + Eq + Hash + 'gc,
    S: BuildHasher,
{
    fn eq(&self, other: &HashSet<'gc, T, S>) -> bool {
        self.map == other.map
    }
}

impl<'gc, T, S> Eq for HashSet<'gc, T, S>
where
    T: Collect<'gc> + Eq + Hash + 'gc,
    S: BuildHasher,
{
}

impl<'gc, T: Collect<'gc> + fmt::Debug + 'gc, S> fmt::Debug for HashSet<'gc, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}
