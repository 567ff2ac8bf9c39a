//! [`WeakMap`]: values that objects have as long as they live.

use core::fmt;
use core::ptr;

use super::{Progress, is_too_large, most, places_for};
use crate::cells::lock::Lock;
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::Gc;
use crate::pointers::weak::GcWeak;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A map from objects, by identity, to values in the heap. The map keeps no key alive, and a value only as
/// long as its key lives, even if the value leads to the key: each entry is an
/// [`Ephemeron`](crate::Ephemeron).
///
/// ```
/// use gc_core::weak_collections::WeakMap;
/// use gc_core::{Arena, Gc, Rootable};
///
/// type Root<'gc> = (Option<Gc<'gc, u32>>, WeakMap<'gc, u32, String>);
/// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
///     let (key, map) = (Gc::new(mc, 7), WeakMap::new(mc));
///     map.insert(mc, key, Gc::new(mc, "seven".to_string()));
///     (Some(key), map)
/// });
/// arena.finish_cycle();
/// arena.mutate_root(|mc, (key, map)| {
///     assert_eq!(*map.get(mc, key.unwrap()).unwrap(), "seven");
///     *key = None;
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, (_, map)| assert_eq!(map.iter(mc).count(), 0));
/// ```
pub struct WeakMap<'gc, K: 'gc, V: 'gc>(Gc<'gc, Lock<Table<'gc, K, V>>>);

/// The places, some of which are or were used.
struct Table<'gc, K: 'gc, V: 'gc> {
    places: Places<'gc, K, V>,
    used: usize,
    progress: Progress,
}

type Places<'gc, K, V> = Gc<'gc, [Lock<Place<'gc, K, V>>]>;

/// An ephemeron, if there is one: without a key the place was never used, without a value it is no more, and the key is
/// the [`NOBODY`] that needs no memory.
// Aligned as an ephemeron has to be.
#[repr(C, align(16))]
pub(crate) struct Place<'gc, K: 'gc, V: 'gc> {
    pub(crate) key: Option<GcWeak<'gc, K>>,
    pub(crate) value: Option<Gc<'gc, V>>,
}

impl<'gc, K: 'gc, V: 'gc> Place<'gc, K, V> {
    const EMPTY: Place<'gc, K, V> = Place {
        key: None,
        value: None,
    };

    /// A place that was used.
    fn left() -> Place<'gc, K, V> {
        // SAFETY: it is the address of a value that is always there, and in no heap. The pointer is compared with
        // others, and never made into a strong one, as there is no value beside it.
        let nobody = unsafe { GcWeak::from_ptr(ptr::from_ref(&NOBODY).cast::<K>()) };
        Place {
            key: Some(nobody),
            value: None,
        }
    }

    pub(crate) fn key_address(&self) -> Option<usize> {
        self.key.map(|key| key.as_ptr().addr())
    }

    /// The value, if there is one and the key is there.
    fn value(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, V>> {
        let (key, value) = (self.key_address()?, self.value?);
        // SAFETY: these are key and value of an ephemeron in use, in the arena that `'gc` brands.
        let there = unsafe { mc.context().follow_ephemeron(key, Gc::as_ptr(value).addr()) };
        there.then_some(value)
    }

    /// Whether the place can be used for another key: it was used, and its key is gone.
    fn is_free(self, mc: &Mutation<'gc>) -> bool {
        match self.key_address() {
            None => false,
            // SAFETY: a weak pointer in use points there, in the arena that `'gc` brands.
            Some(key) => self.value.is_none() || unsafe { mc.context().is_gone(key) },
        }
    }
}

/// What is aligned like any object, and is none.
#[repr(align(4096))]
struct Nobody(#[allow(dead_code, reason = "it has an address")] u8);

static NOBODY: Nobody = Nobody(0);

impl<'gc, K: 'gc, V: 'gc> Copy for Place<'gc, K, V> {}

impl<'gc, K: 'gc, V: 'gc> Clone for Place<'gc, K, V> {
    fn clone(&self) -> Place<'gc, K, V> {
        *self
    }
}

// SAFETY: a place is two words, a pointer or null each, which the map says, and visited as an ephemeron. Options
// of pointers are null if there is none.
unsafe impl<'gc, K: 'gc, V: 'gc> Collect<'gc> for Place<'gc, K, V> {
    const TYPE_MAP: TypeMap = TypeMap::EPHEMERON;

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        if let (Some(key), Some(value)) = (self.key, self.value) {
            let slot = ptr::from_ref(self).addr();
            cc.trace_ephemeron_at(slot, GcWeak::erase(key), Gc::as_ptr(value).addr());
        } else if let Some(key) = self.key {
            cc.trace_gc_weak(GcWeak::erase(key));
        }
    }
}

impl<'gc, K: 'gc, V: 'gc> Table<'gc, K, V> {
    fn new(places: Places<'gc, K, V>, used: usize) -> Table<'gc, K, V> {
        Table {
            places,
            used,
            progress: Progress::default(),
        }
    }
}

impl<'gc, K: 'gc, V: 'gc> Copy for Table<'gc, K, V> {}

impl<'gc, K: 'gc, V: 'gc> Clone for Table<'gc, K, V> {
    fn clone(&self) -> Table<'gc, K, V> {
        *self
    }
}

// SAFETY: the one field with pointers is visited in place.
unsafe impl<'gc, K: 'gc, V: 'gc> Collect<'gc> for Table<'gc, K, V> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        <Places<'gc, K, V> as Collect<'gc>>::TYPE_MAP,
        core::mem::offset_of!(Table<'gc, K, V>, places),
    );

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.places);
    }
}

impl<'gc, K: 'gc, V: 'gc> WeakMap<'gc, K, V> {
    /// An empty map. Never collects.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakMap;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// // Where a map from objects to their hidden fields lives: in the root.
    /// let arena = Arena::<Rootable![WeakMap<'_, u32, Gc<'_, str>>]>::new(|mc| WeakMap::new(mc));
    /// arena.mutate(|mc, fields| assert!(fields.get(mc, Gc::new(mc, 1)).is_none()));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn new(mc: &Mutation<'gc>) -> WeakMap<'gc, K, V> {
        let places = or_panic(empty(mc, 0));
        WeakMap(Gc::new(mc, Lock::new(Table::new(places, 0))))
    }

    /// Gives `key` the value, and returns the one that it had. Takes constant time, amortised; never collects.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakMap};
    /// # rootless_mutate(|mc| {
    /// let (map, key) = (WeakMap::new(mc), Gc::new(mc, "key"));
    /// assert!(map.insert(mc, key, Gc::new(mc, 1)).is_none());
    /// assert_eq!(map.insert(mc, key, Gc::new(mc, 2)).as_deref(), Some(&1));
    /// // Another object is another key, also if it is equal.
    /// assert!(map.insert(mc, Gc::new(mc, "key"), Gc::new(mc, 3)).is_none());
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory to grow; see [`WeakMap::insert_or_error`].
    #[track_caller]
    pub fn insert(
        self,
        mc: &Mutation<'gc>,
        key: Gc<'gc, K>,
        value: Gc<'gc, V>,
    ) -> Option<Gc<'gc, V>> {
        or_panic(self.insert_or_error(mc, key, value))
    }

    /// [`WeakMap::insert`] that returns an error if there is no memory to grow. A name with `try_` means something
    /// else in `std`.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakMap};
    /// # rootless_mutate(|mc| {
    /// let (map, key) = (WeakMap::new(mc), Gc::new(mc, "key"));
    /// assert!(map.insert_or_error(mc, key, Gc::new(mc, 1))?.is_none());
    /// # Ok::<(), gc_core::HeapError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory, as for [`Gc::try_new`]; the map is as it was.
    pub fn insert_or_error(
        self,
        mc: &Mutation<'gc>,
        key: Gc<'gc, K>,
        value: Gc<'gc, V>,
    ) -> Result<Option<Gc<'gc, V>>, HeapError> {
        let mut table = self.0.get();
        let old = find(table.places, key).map(|index| (index, table.places[index].get()));
        let place = Place {
            key: Some(Gc::downgrade(key)),
            value: Some(value),
        };
        if let Some((index, old)) = old {
            Gc::write_at(mc, table.places, index).unlock().set(place);
            return Ok(old.value(mc));
        }
        if table.used == most(table.places.len()) {
            table = rebuilt(mc, table.places)?;
        }
        let index = probe(table.places.len(), key)
            .find(|&index| {
                let place = table.places[index].get();
                place.key.is_none() || place.is_free(mc)
            })
            .expect("a quarter of the places is empty");
        table.used += usize::from(table.places[index].get().key.is_none());
        Gc::write_at(mc, table.places, index).unlock().set(place);
        let look = |index| is_entry(mc, table.places, index);
        if table.progress.advance(table.places.len(), look) {
            // Without memory for it, it stays as it is.
            table = rebuilt(mc, table.places).unwrap_or(table);
        }
        self.0.set(mc, table);
        Ok(None)
    }

    /// The value of `key`. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Gc, Mutation, arena::rootless_mutate, weak_collections::WeakMap};
    /// /// The hash of an object, which it gets when somebody asks for it.
    /// fn hash_of<'gc>(
    ///     mc: &Mutation<'gc>,
    ///     hashes: WeakMap<'gc, String, u64>,
    ///     object: Gc<'gc, String>,
    /// ) -> u64 {
    ///     *hashes.get(mc, object).unwrap_or_else(|| {
    ///         let hash = Gc::new(mc, hashes.iter(mc).count() as u64);
    ///         hashes.insert(mc, object, hash);
    ///         hash
    ///     })
    /// }
    ///
    /// # rootless_mutate(|mc| {
    /// let (hashes, object) = (WeakMap::new(mc), Gc::new(mc, String::new()));
    /// let hash = hash_of(mc, hashes, object);
    /// hash_of(mc, hashes, Gc::new(mc, String::new()));
    /// assert_eq!(hash_of(mc, hashes, object), hash);
    /// # });
    /// ```
    pub fn get(self, mc: &Mutation<'gc>, key: Gc<'gc, K>) -> Option<Gc<'gc, V>> {
        let places = self.0.get().places;
        places[find(places, key)?].get().value(mc)
    }

    /// Whether `key` has a value. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakMap};
    /// # rootless_mutate(|mc| {
    /// let (names, object) = (WeakMap::new(mc), Gc::new(mc, 1));
    /// names.insert(mc, object, Gc::new(mc, "one"));
    /// assert!(names.contains_key(mc, object));
    /// assert!(!names.contains_key(mc, Gc::new(mc, 1)));
    /// # });
    /// ```
    pub fn contains_key(self, mc: &Mutation<'gc>, key: Gc<'gc, K>) -> bool {
        self.get(mc, key).is_some()
    }

    /// The value of `key`; if there is none, `make` makes it. Takes constant time, amortised, beside what `make`
    /// does; never collects.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakMap};
    /// # rootless_mutate(|mc| {
    /// let (numbers, object) = (WeakMap::new(mc), Gc::new(mc, "object"));
    /// let number = numbers.get_or_insert_with(mc, object, || Gc::new(mc, 7));
    /// let again = numbers.get_or_insert_with(mc, object, || panic!("it has one"));
    /// assert!(Gc::ptr_eq(number, again));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory to grow, as [`Gc::new`]; or if `make` does.
    pub fn get_or_insert_with(
        self,
        mc: &Mutation<'gc>,
        key: Gc<'gc, K>,
        make: impl FnOnce() -> Gc<'gc, V>,
    ) -> Gc<'gc, V> {
        self.get(mc, key).unwrap_or_else(|| {
            let value = make();
            self.insert(mc, key, value);
            value
        })
    }

    /// Takes the value from `key`. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakMap};
    /// # rootless_mutate(|mc| {
    /// let (map, key) = (WeakMap::new(mc), Gc::new(mc, 1));
    /// map.insert(mc, key, Gc::new(mc, "value"));
    /// assert_eq!(map.remove(mc, key).as_deref(), Some(&"value"));
    /// assert!(map.remove(mc, key).is_none());
    /// # });
    /// ```
    pub fn remove(self, mc: &Mutation<'gc>, key: Gc<'gc, K>) -> Option<Gc<'gc, V>> {
        let places = self.0.get().places;
        let index = find(places, key)?;
        let place = places[index].get();
        let value = place.value(mc);
        let cell = Gc::write_at(mc, places, index).unlock();
        cell.set(Place::left());
        value
    }

    /// Removes all entries. Never collects.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakMap};
    /// # rootless_mutate(|mc| {
    /// let keys = [1, 2, 3].map(|key| Gc::new(mc, key));
    /// let map = WeakMap::new(mc);
    /// keys.iter().for_each(|key| _ = map.insert(mc, *key, Gc::new(mc, **key * 10)));
    /// map.clear(mc);
    /// assert!(keys.iter().all(|key| map.get(mc, *key).is_none()));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn clear(self, mc: &Mutation<'gc>) {
        self.0.set(mc, Table::new(or_panic(empty(mc, 0)), 0));
    }

    /// Removes the entries for which `keep` says `false`, in no particular order. Takes time linear in the size of the
    /// table, beside what `keep` does; never collects. Entries that `keep` inserts may be missed.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakMap};
    /// # rootless_mutate(|mc| {
    /// let (ages, [ada, bob]) = (WeakMap::new(mc), ["Ada", "Bob"].map(|name| Gc::new(mc, name)));
    /// ages.insert(mc, ada, Gc::new(mc, 36));
    /// ages.insert(mc, bob, Gc::new(mc, 12));
    /// ages.retain(mc, |_, age| *age >= 18);
    /// assert!(ages.contains_key(mc, ada) && !ages.contains_key(mc, bob));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does. Entries for which it was not called are still there then.
    pub fn retain(self, mc: &Mutation<'gc>, mut keep: impl FnMut(Gc<'gc, K>, Gc<'gc, V>) -> bool) {
        let mut kept = 0;
        for (key, value) in self.iter(mc) {
            if keep(key, value) {
                kept += 1;
            } else {
                self.remove(mc, key);
            }
        }
        let places = self.0.get().places;
        if is_too_large(places.len(), kept)
            && let Ok(table) = rebuilt(mc, places)
        {
            self.0.set(mc, table);
        }
    }

    /// How many entries there are, or fewer: those are counted, too, that were removed or whose keys are gone, until
    /// the table grows or is [shrunk](WeakMap::shrink_to_fit). Takes constant time; how many there are,
    /// [`iter`](WeakMap::iter) tells in linear time.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakMap;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![WeakMap<'_, u32, ()>]>::new(|mc| WeakMap::new(mc));
    /// arena.mutate(|mc, map| {
    ///     (0..3).for_each(|key| _ = map.insert(mc, Gc::new(mc, key), Gc::new(mc, ())));
    ///     assert_eq!(map.len_upper_bound(), 3);
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|mc, map| {
    ///     assert_eq!((map.iter(mc).count(), map.len_upper_bound()), (0, 3));
    ///     map.shrink_to_fit(mc);
    ///     assert_eq!(map.len_upper_bound(), 0);
    /// });
    /// ```
    pub fn len_upper_bound(self) -> usize {
        self.0.get().used
    }

    /// Removes what is left of entries that were removed or whose keys are gone, as growing does, and makes the table
    /// as small as leaves room for as many entries more. Takes time linear in the size of the table; never collects.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakMap;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, u32>, WeakMap<'gc, u32, ()>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let map = WeakMap::new(mc);
    ///     let keys: Vec<_> = (0..10_000).map(|number| Gc::new(mc, number)).collect();
    ///     keys.iter().for_each(|key| _ = map.insert(mc, *key, Gc::new(mc, ())));
    ///     (keys[7], map)
    /// });
    /// arena.finish_cycle(); // All keys but one are gone; the table is as large as it was.
    /// let before = arena.metrics().statistics().live_bytes;
    /// arena.mutate(|mc, (_, map)| map.shrink_to_fit(mc));
    /// arena.finish_cycle();
    /// arena.finish_cycle();
    /// assert!(arena.metrics().statistics().live_bytes < before / 100);
    /// arena.mutate(|mc, (seven, map)| assert!(map.get(mc, *seven).is_some()));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn shrink_to_fit(self, mc: &Mutation<'gc>) {
        self.0.set(mc, or_panic(rebuilt(mc, self.0.get().places)));
    }

    /// All entries whose keys are there, in no particular order. One that only waits for finalizers
    /// is among them. What is inserted meanwhile may be missed. Removes what is left of the others that it comes by.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakMap;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, u32>, WeakMap<'gc, u32, &'static str>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let (map, kept) = (WeakMap::new(mc), Gc::new(mc, 1));
    ///     map.insert(mc, kept, Gc::new(mc, "one"));
    ///     map.insert(mc, Gc::new(mc, 2), Gc::new(mc, "two"));
    ///     (kept, map)
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|mc, (_, map)| {
    ///     let entries: Vec<_> = map.iter(mc).map(|(key, value)| (*key, *value)).collect();
    ///     assert_eq!(entries, [(1, "one")]);
    /// });
    /// ```
    pub fn iter(self, mc: &Mutation<'gc>) -> impl Iterator<Item = (Gc<'gc, K>, Gc<'gc, V>)> {
        let places = self.0.get().places;
        let entry = move |index: usize| {
            if !is_entry(mc, places, index) {
                return None;
            }
            let place: Place<'gc, K, V> = places[index].get();
            let value = place.value(mc)?;
            let key = place.key?;
            // SAFETY: a weak pointer in use points there, in the arena that `'gc` brands.
            let there = unsafe { mc.context().upgrade_long(key.as_ptr().addr()) };
            // SAFETY: the collector has just said so.
            there.then(|| (unsafe { key.assume_there() }, value))
        };
        (0..places.len()).filter_map(entry)
    }
}

/// Whether there is an entry in a place. If its key is gone, there is none any more.
fn is_entry<'gc, K, V>(mc: &Mutation<'gc>, places: Places<'gc, K, V>, index: usize) -> bool {
    let place = places[index].get();
    let (is_used, is_free) = (place.value.is_some(), place.is_free(mc));
    if is_used && is_free {
        let cell = Gc::write_at(mc, places, index).unlock();
        cell.set(Place::left());
    }
    is_used && !is_free
}

fn empty<'gc, K, V>(mc: &Mutation<'gc>, places: usize) -> Result<Places<'gc, K, V>, HeapError> {
    Gc::try_slice_from_iter(mc, (0..places).map(|_| Lock::new(Place::EMPTY)))
}

/// The places where a key may be, in order.
fn probe<'gc, K>(places: usize, key: Gc<'gc, K>) -> impl Iterator<Item = usize> {
    let mixed = (Gc::as_ptr(key).addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let first = (mixed >> 32) as usize;
    (0..places).map(move |distance| (first + distance) & (places - 1))
}

/// Where a key is. The address of an object is its own as long as an entry leads to it.
fn find<'gc, K, V>(places: Places<'gc, K, V>, key: Gc<'gc, K>) -> Option<usize> {
    let address = Some(Gc::as_ptr(key).addr());
    probe(places.len(), key)
        .take_while(|&index| places[index].get().key.is_some())
        .find(|&index| places[index].get().key_address() == address)
}

/// A table with the same entries, where there is room for more, without those that are gone.
fn rebuilt<'gc, K, V>(
    mc: &Mutation<'gc>,
    old: Places<'gc, K, V>,
) -> Result<Table<'gc, K, V>, HeapError> {
    let kept = || {
        let places = old.iter().map(|place| place.get());
        places.filter(|place| place.key.is_some() && !place.is_free(mc))
    };
    let mut used = 0;
    let new = empty(mc, places_for(kept().count() + 1))?;
    let cells = Gc::write(mc, new);
    for place in kept() {
        let Some(key) = place.key else { continue };
        // SAFETY: the key is compared and hashed by its address, and not followed.
        let key = unsafe { key.assume_there() };
        let index = probe(new.len(), key)
            .find(|&index| new[index].get().key.is_none())
            .expect("there is room for all");
        cells[index].unlock().set(place);
        used += 1;
    }
    Ok(Table::new(new, used))
}

impl<'gc, K: 'gc, V: 'gc> Copy for WeakMap<'gc, K, V> {}

impl<'gc, K: 'gc, V: 'gc> Clone for WeakMap<'gc, K, V> {
    fn clone(&self) -> WeakMap<'gc, K, V> {
        *self
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc, K: 'gc, V: 'gc> Collect<'gc> for WeakMap<'gc, K, V> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

impl<'gc, K: 'gc, V: 'gc> fmt::Debug for WeakMap<'gc, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakMap").finish_non_exhaustive()
    }
}
