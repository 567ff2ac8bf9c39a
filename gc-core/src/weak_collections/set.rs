//! [`WeakSet`]: objects, as long as they live.

use core::fmt;

use super::map::WeakMap;
use crate::collect::{Collect, Trace};
use crate::gc::Gc;
use crate::mutation::Mutation;
use crate::typemap::TypeMap;

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
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn new(mc: &Mutation<'gc>) -> WeakSet<'gc, T> {
        WeakSet(WeakMap::new(mc))
    }

    /// Adds an object; whether it was not there. Takes constant time, amortised; never collects.
    ///
    /// # Panics
    ///
    /// If there is no memory to grow, as [`Gc::new`].
    pub fn insert(self, mc: &Mutation<'gc>, object: Gc<'gc, T>) -> bool {
        self.0.insert(mc, object, Gc::new(mc, ())).is_none()
    }

    /// Whether an object is there. Takes constant time.
    pub fn contains(self, mc: &Mutation<'gc>, object: Gc<'gc, T>) -> bool {
        self.0.get(mc, object).is_some()
    }

    /// Removes an object; whether it was there. Takes constant time.
    pub fn remove(self, mc: &Mutation<'gc>, object: Gc<'gc, T>) -> bool {
        self.0.remove(mc, object).is_some()
    }

    /// Removes all objects. Never collects.
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn clear(self, mc: &Mutation<'gc>) {
        self.0.clear(mc);
    }

    /// All objects that are there, as [`WeakMap::iter`].
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
