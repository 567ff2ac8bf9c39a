//! [`WeakSet`]: objects, as long as they live.

use core::fmt;

use super::map::WeakMap;
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::Gc;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A set of objects, by identity, that keeps none of them alive.
///
/// ```
/// use gc_core::weak_collections::WeakSet;
/// use gc_core::{Arena, Gc, Rootable};
///
/// type Root<'gc> = (Gc<'gc, u32>, WeakSet<'gc, u32>);
/// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
///     let (one, set) = (Gc::new(mc, 1), WeakSet::new(mc));
///     assert!(set.insert(mc, one) && !set.insert(mc, one));
///     set.insert(mc, Gc::new(mc, 2));
///     (one, set)
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, (one, set)| {
///     assert!(set.contains(mc, *one));
///     assert_eq!(set.iter(mc).count(), 1);
/// });
/// ```
pub struct WeakSet<'gc, T: 'gc>(WeakMap<'gc, T, ()>);

impl<'gc, T: 'gc> WeakSet<'gc, T> {
    /// An empty set. Never collects.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakSet;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let arena = Arena::<Rootable![WeakSet<'_, String>]>::new(|mc| WeakSet::new(mc));
    /// arena.mutate(|mc, open| assert_eq!(open.iter(mc).count(), 0));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn new(mc: &Mutation<'gc>) -> WeakSet<'gc, T> {
        WeakSet(WeakMap::new(mc))
    }

    /// Adds an object; whether it was not there. Takes constant time, amortised; never collects.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakSet};
    /// # rootless_mutate(|mc| {
    /// let (seen, node) = (WeakSet::new(mc), Gc::new(mc, "node"));
    /// assert!(seen.insert(mc, node)); // The first visit,
    /// assert!(!seen.insert(mc, node)); // and the second.
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory to grow; see [`WeakSet::insert_or_error`].
    #[track_caller]
    pub fn insert(self, mc: &Mutation<'gc>, object: Gc<'gc, T>) -> bool {
        or_panic(self.insert_or_error(mc, object))
    }

    /// [`WeakSet::insert`] that returns an error if there is no memory to grow.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakSet};
    /// # rootless_mutate(|mc| {
    /// let (seen, node) = (WeakSet::new(mc), Gc::new(mc, "node"));
    /// assert_eq!(seen.insert_or_error(mc, node), Ok(true));
    /// assert_eq!(seen.insert_or_error(mc, node), Ok(false));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory, as for [`Gc::try_new`]; the set is as it was.
    pub fn insert_or_error(
        self,
        mc: &Mutation<'gc>,
        object: Gc<'gc, T>,
    ) -> Result<bool, HeapError> {
        let there = self.0.insert_or_error(mc, object, Gc::try_new(mc, ())?)?;
        Ok(there.is_none())
    }

    /// Whether an object is there. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakSet};
    /// # rootless_mutate(|mc| {
    /// let (frozen, list) = (WeakSet::new(mc), Gc::new(mc, [1, 2]));
    /// frozen.insert(mc, list);
    /// assert!(frozen.contains(mc, list));
    /// assert!(!frozen.contains(mc, Gc::new(mc, [1, 2])));
    /// # });
    /// ```
    pub fn contains(self, mc: &Mutation<'gc>, object: Gc<'gc, T>) -> bool {
        self.0.get(mc, object).is_some()
    }

    /// Removes an object; whether it was there. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakSet};
    /// # rootless_mutate(|mc| {
    /// let (dirty, page) = (WeakSet::new(mc), Gc::new(mc, [0; 64]));
    /// dirty.insert(mc, page);
    /// assert!(dirty.remove(mc, page)); // It was written out,
    /// assert!(!dirty.remove(mc, page)); // and nothing is left to do.
    /// # });
    /// ```
    pub fn remove(self, mc: &Mutation<'gc>, object: Gc<'gc, T>) -> bool {
        self.0.remove(mc, object).is_some()
    }

    /// Removes all objects. Never collects.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakSet};
    /// # rootless_mutate(|mc| {
    /// let (set, object) = (WeakSet::new(mc), Gc::new(mc, 1));
    /// set.insert(mc, object);
    /// set.clear(mc);
    /// assert!(!set.contains(mc, object));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn clear(self, mc: &Mutation<'gc>) {
        self.0.clear(mc);
    }

    /// Removes the objects for which `keep` says `false`, as [`WeakMap::retain`].
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakSet};
    /// # rootless_mutate(|mc| {
    /// let (set, numbers) = (WeakSet::new(mc), [1, 2, 3].map(|number| Gc::new(mc, number)));
    /// numbers.iter().for_each(|number| _ = set.insert(mc, *number));
    /// set.retain(mc, |number| *number % 2 == 1);
    /// assert_eq!(numbers.map(|number| set.contains(mc, number)), [true, false, true]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does. Entries for which it was not called are still there then.
    pub fn retain(self, mc: &Mutation<'gc>, mut keep: impl FnMut(Gc<'gc, T>) -> bool) {
        self.0.retain(mc, |object, _| keep(object));
    }

    /// How many objects there are, or fewer; see [`WeakMap::len_upper_bound`]. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakSet};
    /// # rootless_mutate(|mc| {
    /// let (set, object) = (WeakSet::new(mc), Gc::new(mc, 1));
    /// set.insert(mc, object);
    /// set.remove(mc, object);
    /// assert_eq!((set.iter(mc).count(), set.len_upper_bound()), (0, 1));
    /// # });
    /// ```
    pub fn len_upper_bound(self) -> usize {
        self.0.len_upper_bound()
    }

    /// Removes what is left of objects that were removed or are gone, as [`WeakMap::shrink_to_fit`].
    ///
    /// ```
    /// use gc_core::weak_collections::WeakSet;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, u32>, WeakSet<'gc, u32>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let (set, kept) = (WeakSet::new(mc), Gc::new(mc, 0));
    ///     set.insert(mc, kept);
    ///     (1..10_000).for_each(|number| _ = set.insert(mc, Gc::new(mc, number)));
    ///     (kept, set)
    /// });
    /// arena.finish_cycle(); // All but one are gone; the table is as large as it was.
    /// let before = arena.metrics().statistics().live_bytes;
    /// arena.mutate(|mc, (_, set)| set.shrink_to_fit(mc));
    /// arena.finish_cycle();
    /// arena.finish_cycle();
    /// assert!(arena.metrics().statistics().live_bytes < before / 100);
    /// arena.mutate(|mc, (kept, set)| assert!(set.contains(mc, *kept)));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn shrink_to_fit(self, mc: &Mutation<'gc>) {
        self.0.shrink_to_fit(mc);
    }

    /// All objects that are there, as [`WeakMap::iter`].
    ///
    /// ```
    /// use gc_core::weak_collections::WeakSet;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// type Root<'gc> = (Option<Gc<'gc, u32>>, WeakSet<'gc, u32>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let (listeners, seven) = (WeakSet::new(mc), Gc::new(mc, 7));
    ///     listeners.insert(mc, seven);
    ///     listeners.insert(mc, Gc::new(mc, 8));
    ///     (Some(seven), listeners)
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|mc, (_, listeners)| assert!(listeners.iter(mc).map(|number| *number).eq([7])));
    /// ```
    pub fn iter(self, mc: &Mutation<'gc>) -> impl Iterator<Item = Gc<'gc, T>> {
        self.0.iter(mc).map(|(object, _)| object)
    }
}

impl<'gc, T: 'gc> Copy for WeakSet<'gc, T> {}

impl<'gc, T: 'gc> Clone for WeakSet<'gc, T> {
    fn clone(&self) -> WeakSet<'gc, T> {
        *self
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc, T: 'gc> Collect<'gc> for WeakSet<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

impl<'gc, T: 'gc> fmt::Debug for WeakSet<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSet").finish_non_exhaustive()
    }
}
