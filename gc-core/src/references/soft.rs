//! [`Soft`]: a pointer that keeps its target alive while memory is plentiful; and [`SoftCache`].

use core::fmt;
use core::hash::Hash;
use std::collections::HashMap;

use crate::cells::lock::{Lock, RefLock};
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::Gc;
use crate::references::weak_collections::Place;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A pointer to a value that can be had again, at a cost, if it is gone.
///
/// # Policy
///
/// When a collection begins, it lets go of the soft references that were not used (made, or followed
/// with [`Soft::get`]) since the last [`HeapOptions::soft_idle`](crate::HeapOptions::soft_idle)
/// collections, 8 by default; and of all of them if the heap has a limit and less than a quarter of
/// it is free then, or if an allocation has failed since the last collection. These lead nowhere from then on,
/// and what they led to is freed in the same collection, unless something else keeps it alive. So before a
/// program gets the error that there is no memory for a second time, having collected after the first,
/// there are none of them left.
///
/// A soft reference is a `Copy` handle to an object of 16 bytes.
///
/// ```
/// use gc_core::{Arena, Gc, HeapOptions, Rootable, Soft};
///
/// let options = HeapOptions::default().soft_idle(2);
/// let mut arena = Arena::<Rootable![Soft<'_, u32>]>::with_options(options, |mc| {
///     Soft::new(mc, Gc::new(mc, 7))
/// })?;
/// for _ in 0..10 {
///     arena.finish_cycle();
///     assert_eq!(arena.mutate(|mc, soft| *soft.get(mc).unwrap()), 7);
/// }
/// for _ in 0..4 {
///     arena.finish_cycle();
/// }
/// assert!(arena.mutate(|mc, soft| soft.get(mc).is_none()));
/// # Ok::<(), gc_core::HeapError>(())
/// ```
pub struct Soft<'gc, T: 'gc>(Gc<'gc, Reference<'gc, T>>);

/// Stands for all soft references that were used at some time.
pub(crate) struct Cohort(#[allow(dead_code, reason = "it makes each an object")] u64);

/// An ephemeron that keeps the target alive as long as the cohort is.
type Reference<'gc, T> = Lock<Place<'gc, Cohort, T>>;

// SAFETY: it holds no pointers.
unsafe impl<'gc> Collect<'gc> for Cohort {
    const NEEDS_TRACE: bool = false;
}

impl<'gc, T: 'gc> Soft<'gc, T> {
    /// A soft reference to a value, which counts as used now. Never collects, and takes constant time, and
    /// a lock for a moment. Where there is next to no memory it may lead nowhere from the beginning.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable, Soft};
    ///
    /// // What something else keeps alive is not lost with the reference.
    /// let options = HeapOptions::default().soft_idle(0);
    /// type Root<'gc> = (Gc<'gc, u32>, Soft<'gc, u32>, Soft<'gc, u32>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
    ///     let kept = Gc::new(mc, 1);
    ///     (kept, Soft::new(mc, kept), Soft::new(mc, Gc::new(mc, 2)))
    /// })?;
    /// for _ in 0..3 {
    ///     arena.finish_cycle();
    /// }
    /// arena.mutate(|mc, (kept, one, two)| {
    ///     assert!(one.get(mc).is_none() && two.get(mc).is_none());
    ///     assert_eq!(**kept, 1);
    /// });
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn new(mc: &Mutation<'gc>, target: Gc<'gc, T>) -> Soft<'gc, T> {
        let key = youngest(mc).map(Gc::downgrade);
        let value = Some(target);
        Soft(Gc::new(mc, Lock::new(Place { key, value })))
    }

    /// The value, if it is still there; which counts as a use, unless the few bytes that it takes to note that
    /// cannot be had. Never collects, and takes constant time, and a lock for a moment.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Lock, Rootable, Soft};
    ///
    /// /// A page, which is drawn again if it is gone.
    /// type Page<'gc> = Gc<'gc, Lock<Soft<'gc, String>>>;
    ///
    /// let options = HeapOptions::default().soft_idle(0);
    /// let mut arena = Arena::<Rootable![Page<'_>]>::with_options(options, |mc| {
    ///     Gc::new(mc, Lock::new(Soft::new(mc, Gc::new(mc, "drawn at first".to_string()))))
    /// })?;
    /// let show = |arena: &Arena<Rootable![Page<'_>]>| {
    ///     arena.mutate(|mc, page| {
    ///         let drawn = page.get().get(mc).unwrap_or_else(|| {
    ///             let again = Gc::new(mc, "drawn again".to_string());
    ///             page.set(mc, Soft::new(mc, again));
    ///             again
    ///         });
    ///         drawn.to_string()
    ///     })
    /// };
    /// assert_eq!(show(&arena), "drawn at first");
    /// for _ in 0..3 {
    ///     arena.finish_cycle();
    /// }
    /// assert_eq!(show(&arena), "drawn again");
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn get(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, T>> {
        let target = self.peek(mc)?;
        // Without memory for a new cohort, it stays in its old one.
        if let Some(cohort) = youngest(mc) {
            let place = Place {
                key: Some(Gc::downgrade(cohort)),
                value: Some(target),
            };
            if self.0.get().key_address() != place.key_address() {
                self.0.set(mc, place);
            }
        }
        Some(target)
    }

    /// The value, if it is still there, without using it. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable, Soft};
    ///
    /// let options = HeapOptions::default().soft_idle(1);
    /// let mut arena = Arena::<Rootable![Soft<'_, u32>]>::with_options(options, |mc| {
    ///     Soft::new(mc, Gc::new(mc, 7))
    /// })?;
    /// // To look every time does not keep it.
    /// let looks = (0..10).map(|_| {
    ///     arena.finish_cycle();
    ///     arena.mutate(|mc, soft| soft.peek(mc).is_some())
    /// });
    /// let looks: Vec<bool> = looks.collect();
    /// assert!(looks[0] && !looks[9]);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn peek(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, T>> {
        let place = self.0.get();
        let (cohort, target) = (place.key_address()?, place.value?);
        // SAFETY: these are key and value of an ephemeron in use, in the arena that `'gc` brands.
        let there = unsafe { mc.context().follow_soft(cohort, Gc::as_ptr(target).addr()) };
        there.then_some(target)
    }
}

/// The cohort of those that are used now, if there is memory for one.
fn youngest<'gc>(mc: &Mutation<'gc>) -> Option<Gc<'gc, Cohort>> {
    let collector = mc.context().collector();
    let collections = collector.statistics.lock().collections;
    if let Some(address) = collector.cohorts.youngest(collections) {
        let cohort = core::ptr::with_exposed_provenance(address);
        // SAFETY: cohorts on the list are objects of this type in this heap, which the collector keeps alive,
        // and what is read from the list is noted, as it may leave the list when the next cycle begins.
        unsafe {
            mc.context().note_read(address);
            return Some(Gc::from_ptr(cohort));
        }
    }
    let cohort = Gc::try_new(mc, Cohort(collections)).ok()?;
    let address = Gc::as_ptr(cohort).expose_provenance();
    collector.cohorts.add(address, collections);
    Some(cohort)
}

impl<'gc, T: 'gc> Copy for Soft<'gc, T> {}

impl<'gc, T: 'gc> Clone for Soft<'gc, T> {
    fn clone(&self) -> Soft<'gc, T> {
        *self
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc, T: 'gc> Collect<'gc> for Soft<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

impl<'gc, T: 'gc> fmt::Debug for Soft<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Soft)")
    }
}

/// A map whose values may go when memory is needed, or when they have not been used for long.
///
/// The table lies outside of the heap, and is looked through as a whole in each collection; if that is going
/// on concurrently, perhaps by the first call that changes the table. Keys without values are removed
/// when they are met, and when the table is full. The `Hash` and `Eq` of keys must not use the cache: that
/// panics.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable, SoftCache};
///
/// let mut arena = Arena::<Rootable![SoftCache<'_, String, usize>]>::new(|mc| SoftCache::new(mc));
/// arena.mutate(|mc, cache| {
///     let three = cache.get_or_insert_with(mc, "one".into(), || Gc::new(mc, "one".len()));
///     assert_eq!(*three, 3);
///     assert!(cache.get(mc, &"one".into()).is_some());
///     assert!(cache.get(mc, &"two".into()).is_none());
/// });
/// ```
pub struct SoftCache<'gc, K: 'gc, V: 'gc>(Gc<'gc, RefLock<Entries<'gc, K, V>>>);

/// The table of a [`SoftCache`].
struct Entries<'gc, K: 'gc, V: 'gc>(HashMap<K, Soft<'gc, V>>);

// SAFETY: the one field is visited.
unsafe impl<'gc, K: Collect<'gc>, V: 'gc> Collect<'gc> for Entries<'gc, K, V> {
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

impl<'gc, K: Collect<'gc> + Hash + Eq + 'gc, V: 'gc> SoftCache<'gc, K, V> {
    /// An empty cache. Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable, SoftCache};
    ///
    /// type Images<'gc> = SoftCache<'gc, &'static str, [u8; 4]>;
    /// let arena = Arena::<Rootable![Images<'_>]>::new(|mc| SoftCache::new(mc));
    /// arena.mutate(|mc, images| {
    ///     assert!(images.get(mc, &"red").is_none());
    ///     let same = *images; // A handle, which can be copied.
    ///     same.insert(mc, "red", Gc::new(mc, [255, 0, 0, 255]));
    ///     assert_eq!(images.get(mc, &"red").unwrap()[0], 255);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn new(mc: &Mutation<'gc>) -> SoftCache<'gc, K, V> {
        SoftCache(Gc::new(mc, RefLock::new(Entries(HashMap::new()))))
    }

    /// The value of a key, if it is still there; which counts as a use. Never collects, and takes constant
    /// time on average.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable, SoftCache};
    ///
    /// let options = HeapOptions::default().soft_idle(1);
    /// let mut arena = Arena::<Rootable![SoftCache<'_, u32, u32>]>::with_options(options, |mc| {
    ///     let squares = SoftCache::new(mc);
    ///     (1..=2).for_each(|n| squares.insert(mc, n, Gc::new(mc, n * n)));
    ///     squares
    /// })?;
    /// for _ in 0..5 {
    ///     arena.mutate(|mc, squares| assert_eq!(*squares.get(mc, &2).unwrap(), 4));
    ///     arena.finish_cycle();
    /// }
    /// // Nobody has asked for the other one.
    /// arena.mutate(|mc, squares| assert!(squares.get(mc, &1).is_none()));
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn get(self, mc: &Mutation<'gc>, key: &K) -> Option<Gc<'gc, V>> {
        let soft = *self.0.borrow().0.get(key)?;
        let value = soft.get(mc);
        if value.is_none() {
            self.0.borrow_mut(mc).0.remove(key);
        }
        value
    }

    /// Gives a key a value, in place of the one that it has. Never collects, and takes constant time on average.
    ///
    /// ```
    /// use gc_core::{Gc, SoftCache, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let sizes = SoftCache::new(mc);
    ///     sizes.insert(mc, "file".to_string(), Gc::new(mc, 100));
    ///     sizes.insert(mc, "file".to_string(), Gc::new(mc, 120)); // It has grown.
    ///     assert_eq!(*sizes.get(mc, &"file".to_string()).unwrap(), 120);
    ///     assert_eq!(sizes.count(mc), 1);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn insert(self, mc: &Mutation<'gc>, key: K, value: Gc<'gc, V>) {
        let soft = Soft::new(mc, value);
        let entries = &mut self.0.borrow_mut(mc).0;
        if entries.len() == entries.capacity() {
            entries.retain(|_, soft| soft.peek(mc).is_some());
            // For as many again: what is looked through now is paid for by those.
            entries.reserve(entries.len() + 1);
        }
        entries.insert(key, soft);
    }

    /// Takes the value of a key out of the cache, and returns it if it is still there. Never collects, and takes
    /// constant time on average.
    ///
    /// ```
    /// use gc_core::{Gc, SoftCache, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let lengths = SoftCache::new(mc);
    ///     lengths.insert(mc, "a.txt", Gc::new(mc, 100));
    ///     // The file was changed.
    ///     assert_eq!(lengths.remove(mc, &"a.txt").as_deref(), Some(&100));
    ///     assert!(lengths.get(mc, &"a.txt").is_none() && lengths.remove(mc, &"a.txt").is_none());
    /// });
    /// ```
    pub fn remove(self, mc: &Mutation<'gc>, key: &K) -> Option<Gc<'gc, V>> {
        let soft = self.0.borrow_mut(mc).0.remove(key)?;
        soft.peek(mc)
    }

    /// Forgets all keys. Never collects, and takes time linear in their number.
    ///
    /// ```
    /// use gc_core::{Gc, SoftCache, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let compiled = SoftCache::new(mc);
    ///     (0..3).for_each(|line| compiled.insert(mc, line, Gc::new(mc, line * 10)));
    ///     compiled.clear(mc); // The program was edited.
    ///     assert!((0..3).all(|line| compiled.get(mc, &line).is_none()));
    /// });
    /// ```
    pub fn clear(self, mc: &Mutation<'gc>) {
        self.0.borrow_mut(mc).0.clear();
    }

    /// The value of a key; if there is none, `make` makes it. Either counts as a use. Never collects, unless
    /// `make` does, and takes constant time on average beside it.
    ///
    /// ```
    /// use gc_core::{Gc, SoftCache, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut calls = 0;
    ///     let factorials = SoftCache::new(mc);
    ///     for n in [5, 5, 5] {
    ///         let value = factorials.get_or_insert_with(mc, n, || {
    ///             calls += 1;
    ///             Gc::new(mc, (1..=n).product::<u64>())
    ///         });
    ///         assert_eq!(*value, 120);
    ///     }
    ///     assert_eq!(calls, 1);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`]; and if `make` does.
    pub fn get_or_insert_with(
        self,
        mc: &Mutation<'gc>,
        key: K,
        make: impl FnOnce() -> Gc<'gc, V>,
    ) -> Gc<'gc, V> {
        self.get(mc, &key).unwrap_or_else(|| {
            let value = make();
            self.insert(mc, key, value);
            value
        })
    }

    /// How many keys have values, which are not used by that. Takes time linear in the number of keys.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable, SoftCache};
    ///
    /// let options = HeapOptions::default().soft_idle(0);
    /// let mut arena = Arena::<Rootable![SoftCache<'_, u32, u32>]>::with_options(options, |mc| {
    ///     let cache = SoftCache::new(mc);
    ///     (0..10).for_each(|n| cache.insert(mc, n, Gc::new(mc, n)));
    ///     cache
    /// })?;
    /// let count = |arena: &Arena<Rootable![SoftCache<'_, u32, u32>]>| {
    ///     arena.mutate(|mc, cache| cache.count(mc))
    /// };
    /// assert_eq!(count(&arena), 10);
    /// for _ in 0..3 {
    ///     arena.finish_cycle();
    /// }
    /// assert_eq!(count(&arena), 0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn count(self, mc: &Mutation<'gc>) -> usize {
        let entries = self.0.borrow();
        entries
            .0
            .values()
            .filter(|soft| soft.peek(mc).is_some())
            .count()
    }
}

impl<'gc, K: 'gc, V: 'gc> Copy for SoftCache<'gc, K, V> {}

impl<'gc, K: 'gc, V: 'gc> Clone for SoftCache<'gc, K, V> {
    fn clone(&self) -> SoftCache<'gc, K, V> {
        *self
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc, K: 'gc, V: 'gc> Collect<'gc> for SoftCache<'gc, K, V> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

impl<'gc, K: 'gc, V: 'gc> fmt::Debug for SoftCache<'gc, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arenas::arena::rootless_mutate;
    use crate::{Arena, HeapOptions, Rootable};

    #[test]
    fn keys_without_values_do_not_pile_up() {
        let options = HeapOptions::default().soft_idle(0);
        let mut arena = Arena::<Rootable![SoftCache<'_, u32, u32>]>::with_options(options, |mc| {
            SoftCache::new(mc)
        })
        .unwrap();
        for round in 0..100 {
            arena.mutate(|mc, cache| {
                for number in 0..10 {
                    cache.insert(mc, 10 * round + number, Gc::new(mc, number));
                }
                assert_eq!(cache.count(mc), 10);
            });
            arena.finish_cycle();
            arena.finish_cycle();
        }
        arena.mutate(|_, cache| assert!(cache.0.borrow().0.capacity() < 100));
    }

    #[test]
    fn keys_with_values_stay_when_the_table_grows() {
        rootless_mutate(|mc| {
            let cache = SoftCache::new(mc);
            for number in 0..1000 {
                cache.insert(mc, number, Gc::new(mc, number));
            }
            assert!((0..1000).all(|number| *cache.get(mc, &number).unwrap() == number));
        });
    }
}
