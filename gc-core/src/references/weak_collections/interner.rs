//! [`WeakInterner`]: equal strings as one object.

use core::fmt;
use core::hash::BuildHasher;
use std::collections::hash_map::RandomState;

use super::{Progress, most, places_for};
use crate::cells::lock::Lock;
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::barrier::unlock;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::Gc;
use crate::pointers::weak_long::GcWeakLong;
use crate::types::collect::{Collect, Trace};
use crate::types::static_wrapper::Static;
use crate::types::type_map::TypeMap;

/// Makes equal strings the same object, so that [`Gc::ptr_eq`] compares them, and keeps none of them alive.
///
/// A string stays the one of its kind until it is freed: also while it waits for a finalizer of an object that leads
/// to it, and if that makes it reachable again.
///
/// ```
/// use gc_core::weak_collections::WeakInterner;
/// use gc_core::{Arena, Gc, Rootable};
///
/// type Root<'gc> = (Gc<'gc, str>, WeakInterner<'gc>);
/// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
///     let names = WeakInterner::new(mc);
///     names.intern(mc, "forgotten");
///     (names.intern(mc, "kept"), names)
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, (kept, names)| {
///     assert!(Gc::ptr_eq(names.intern(mc, "kept"), *kept));
///     assert!(names.get(mc, "forgotten").is_none());
/// });
/// ```
pub struct WeakInterner<'gc>(Gc<'gc, Inner<'gc>>);

struct Inner<'gc> {
    hasher: Static<RandomState>,
    table: Lock<Table<'gc>>,
}

#[derive(Clone, Copy)]
struct Table<'gc> {
    places: Places<'gc>,
    used: usize,
    progress: Progress,
}

type Places<'gc> = Gc<'gc, [Lock<Place<'gc>>]>;

/// A string, if there ever was one here, and its hash. The pointer is long: a string that is found dead beside an
/// object with a finalizer may be used again, and is to be found here then, lest an equal one be made.
#[derive(Clone, Copy)]
#[repr(C)]
struct Place<'gc> {
    string: Option<GcWeakLong<'gc, str>>,
    hash: u64,
}

impl<'gc> Table<'gc> {
    fn new(places: Places<'gc>, used: usize) -> Table<'gc> {
        Table {
            places,
            used,
            progress: Progress::default(),
        }
    }
}

// SAFETY: the first word is a weak pointer or null, for `GcWeakLong` begins with the address; others are none.
unsafe impl<'gc> Collect<'gc> for Place<'gc> {
    const TYPE_MAP: TypeMap = TypeMap::WEAK;

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.string);
    }
}

// SAFETY: the one field with pointers is visited in place.
unsafe impl<'gc> Collect<'gc> for Table<'gc> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        <Places<'gc> as Collect<'gc>>::TYPE_MAP,
        core::mem::offset_of!(Table<'gc>, places),
    );

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.places);
    }
}

// SAFETY: as above.
unsafe impl<'gc> Collect<'gc> for Inner<'gc> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        <Lock<Table<'gc>> as Collect<'gc>>::TYPE_MAP,
        core::mem::offset_of!(Inner<'gc>, table),
    );

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.table);
    }
}

impl<'gc> WeakInterner<'gc> {
    /// An interner without strings. Never collects.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakInterner;
    /// use gc_core::{Arena, Rootable};
    ///
    /// let arena = Arena::<Rootable![WeakInterner<'_>]>::new(|mc| WeakInterner::new(mc));
    /// arena.mutate(|mc, names| assert_eq!(names.iter(mc).count(), 0));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn new(mc: &Mutation<'gc>) -> WeakInterner<'gc> {
        let table = Lock::new(Table::new(or_panic(empty(mc, 0)), 0));
        let hasher = Static(RandomState::new());
        WeakInterner(Gc::new(mc, Inner { hasher, table }))
    }

    /// The string in the heap that is equal to `text`, which is made if there is none. Takes time linear in
    /// its length, amortised; never collects.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakInterner};
    /// # rootless_mutate(|mc| {
    /// let names = WeakInterner::new(mc);
    /// let (one, same) = (names.intern(mc, "x"), names.intern(mc, &String::from('x')));
    /// assert!(Gc::ptr_eq(one, same)); // One comparison of addresses tells that they are equal,
    /// assert!(!Gc::ptr_eq(one, names.intern(mc, "y"))); // or not.
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`WeakInterner::try_intern`].
    #[track_caller]
    pub fn intern(self, mc: &Mutation<'gc>, text: &str) -> Gc<'gc, str> {
        or_panic(self.try_intern(mc, text))
    }

    /// The string in the heap that is equal to `text`, which is made if there is none. Takes time linear in
    /// its length, amortised; never collects.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakInterner;
    /// use gc_core::{Arena, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(1 << 20);
    /// type Names = Arena<Rootable![WeakInterner<'_>]>;
    /// let arena = Names::with_options(options, |mc| WeakInterner::new(mc))?;
    /// arena.mutate(|mc, names| {
    ///     assert!(names.try_intern(mc, "short").is_ok());
    ///     assert!(names.try_intern(mc, &"long".repeat(1 << 20)).is_err());
    /// });
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory, as for [`Gc::try_new`]; the interner is as it was.
    pub fn try_intern(self, mc: &Mutation<'gc>, text: &str) -> Result<Gc<'gc, str>, HeapError> {
        let hash = self.0.hasher.0.hash_one(text);
        let mut table = self.0.table.get();
        if let Some(string) = find(mc, table.places, hash, text) {
            return Ok(string);
        }
        let string = Gc::try_str_from(mc, text)?;
        if string.is_empty() {
            // It needs no memory: all empty strings are the same.
            return Ok(string);
        }
        if table.used == most(table.places.len()) {
            table = rebuilt(mc, table.places)?;
        }
        let index = probe(table.places.len(), hash)
            .find(|&index| {
                let place = table.places[index].get().string;
                place.is_none_or(|string| is_free(mc, string))
            })
            .expect("a quarter of the places is empty");
        table.used += usize::from(table.places[index].get().string.is_none());
        let place = Place {
            string: Some(Gc::downgrade_long(string)),
            hash,
        };
        Gc::write_at(mc, table.places, index).unlock().set(place);
        let look = |index| entry(mc, table.places, index).is_some();
        if table.progress.advance(table.places.len(), look) {
            // Without memory for it, it stays as it is.
            table = rebuilt(mc, table.places).unwrap_or(table);
        }
        self.set(mc, table);
        Ok(string)
    }

    /// The string in the heap that is equal to `text`, if there is one. Takes time linear in its length.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakInterner};
    /// # rootless_mutate(|mc| {
    /// let selectors = WeakInterner::new(mc);
    /// let at = selectors.intern(mc, "at:");
    /// assert!(Gc::ptr_eq(selectors.get(mc, "at:").unwrap(), at));
    /// // No method can have a name that nobody has interned.
    /// assert!(selectors.get(mc, "at:put:").is_none());
    /// # });
    /// ```
    pub fn get(self, mc: &Mutation<'gc>, text: &str) -> Option<Gc<'gc, str>> {
        let hash = self.0.hasher.0.hash_one(text);
        find(mc, self.0.table.get().places, hash, text)
    }

    /// Forgets all strings, also those that are alive: interning an equal one later makes another object. Never
    /// collects.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakInterner};
    /// # rootless_mutate(|mc| {
    /// let names = WeakInterner::new(mc);
    /// let old = names.intern(mc, "name");
    /// names.clear(mc);
    /// assert!(names.get(mc, "name").is_none());
    /// assert!(!Gc::ptr_eq(names.intern(mc, "name"), old));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn clear(self, mc: &Mutation<'gc>) {
        self.set(mc, Table::new(or_panic(empty(mc, 0)), 0));
    }

    /// How many strings there are, or fewer: those that are gone are counted, too, until the table grows or is
    /// [shrunk](WeakInterner::shrink_to_fit). Takes constant time; how many there are, [`iter`](WeakInterner::iter)
    /// tells in linear time.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakInterner;
    /// use gc_core::{Arena, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![WeakInterner<'_>]>::new(|mc| WeakInterner::new(mc));
    /// arena.mutate(|mc, names| _ = ["a", "b", "a"].map(|name| names.intern(mc, name)));
    /// arena.finish_cycle();
    /// arena.mutate(|mc, names| {
    ///     assert_eq!((names.iter(mc).count(), names.len_upper_bound()), (0, 2));
    /// });
    /// ```
    pub fn len_upper_bound(self) -> usize {
        self.0.table.get().used
    }

    /// Removes what is left of strings that are gone, as growing does, and makes the table as small as leaves room for
    /// as many strings more. Takes time linear in the size of the table; never collects.
    ///
    /// ```
    /// use gc_core::weak_collections::WeakInterner;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, str>, WeakInterner<'gc>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let names = WeakInterner::new(mc);
    ///     (0..10_000).for_each(|number| _ = names.intern(mc, &number.to_string()));
    ///     (names.intern(mc, "7"), names)
    /// });
    /// arena.finish_cycle(); // All strings but one are gone; the table is as large as it was.
    /// let before = arena.metrics().statistics().live_bytes;
    /// arena.mutate(|mc, (_, names)| names.shrink_to_fit(mc));
    /// arena.finish_cycle();
    /// arena.finish_cycle();
    /// assert!(arena.metrics().statistics().live_bytes < before / 100);
    /// arena.mutate(|mc, (seven, names)| assert!(Gc::ptr_eq(names.intern(mc, "7"), *seven)));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn shrink_to_fit(self, mc: &Mutation<'gc>) {
        self.set(mc, or_panic(rebuilt(mc, self.0.table.get().places)));
    }

    /// All strings that are there, in no particular order.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, weak_collections::WeakInterner};
    /// # rootless_mutate(|mc| {
    /// let names = WeakInterner::new(mc);
    /// let _used = ["b", "a", "b"].map(|name| names.intern(mc, name));
    /// let mut all: Vec<&str> = names.iter(mc).map(Gc::as_ref).collect();
    /// all.sort();
    /// assert_eq!(all, ["a", "b"]);
    /// # });
    /// ```
    pub fn iter(self, mc: &Mutation<'gc>) -> impl Iterator<Item = Gc<'gc, str>> {
        let places = self.0.table.get().places;
        (0..places.len()).filter_map(move |index| entry(mc, places, index)?.upgrade(mc))
    }

    #[allow(
        unused_imports,
        reason = "the macro's imports are there to be shadowed"
    )]
    fn set(self, mc: &Mutation<'gc>, table: Table<'gc>) {
        unlock!(Gc::write(mc, self.0), Inner, table).set(table);
    }
}

/// Whether a place was used that has this string, and is no more: it is the empty one, which is no entry, and needs no
/// memory.
fn is_left(string: GcWeakLong<'_, str>) -> bool {
    (string.as_ptr() as *const [u8]).len() == 0
}

/// Whether a place with this string can be used for another: it is no more, or was freed.
fn is_free<'gc>(mc: &Mutation<'gc>, string: GcWeakLong<'gc, str>) -> bool {
    let address = string.as_ptr().cast::<u8>().addr();
    // SAFETY: the weak pointer is in use, in the arena that `'gc` brands.
    is_left(string) || unsafe { mc.context().is_gone(address) }
}

/// The string in a place, if it was not freed. If it was, there is none any more.
fn entry<'gc>(
    mc: &Mutation<'gc>,
    places: Places<'gc>,
    index: usize,
) -> Option<GcWeakLong<'gc, str>> {
    let Place { string, hash } = places[index].get();
    let string = string.filter(|string| !is_left(*string))?;
    if is_free(mc, string) {
        let string = Some(Gc::downgrade_long(Gc::str_from(mc, "")));
        let cell = Gc::write_at(mc, places, index).unlock();
        cell.set(Place { string, hash });
        return None;
    }
    Some(string)
}

fn empty<'gc>(mc: &Mutation<'gc>, places: usize) -> Result<Places<'gc>, HeapError> {
    let place = Place {
        string: None,
        hash: 0,
    };
    Gc::try_slice_from_iter(mc, (0..places).map(|_| Lock::new(place)))
}

/// The places where a string may be, in order.
fn probe(places: usize, hash: u64) -> impl Iterator<Item = usize> {
    let first = hash as usize;
    (0..places).map(move |distance| first.wrapping_add(distance) & (places - 1))
}

fn find<'gc>(
    mc: &Mutation<'gc>,
    places: Places<'gc>,
    hash: u64,
    text: &str,
) -> Option<Gc<'gc, str>> {
    probe(places.len(), hash)
        .map_while(|index| {
            let place = places[index].get();
            place.string.map(|string| (place.hash, string))
        })
        .filter(|(other, string)| *other == hash && !is_left(*string))
        .filter_map(|(_, string)| string.upgrade(mc))
        .find(|string| **string == *text)
}

/// A table with the same strings, where there is room for more, without those that are gone.
fn rebuilt<'gc>(mc: &Mutation<'gc>, old: Places<'gc>) -> Result<Table<'gc>, HeapError> {
    // This keeps none of them alive.
    let kept = || {
        let places = old.iter().map(|place| place.get());
        places.filter(|place| place.string.is_some_and(|string| !is_free(mc, string)))
    };
    let mut used = 0;
    let new = empty(mc, places_for(kept().count() + 1))?;
    let cells = Gc::write(mc, new);
    for place in kept() {
        let index = probe(new.len(), place.hash)
            .find(|&index| new[index].get().string.is_none())
            .expect("there is room for all");
        cells[index].unlock().set(place);
        used += 1;
    }
    Ok(Table::new(new, used))
}

impl Copy for WeakInterner<'_> {}

impl Clone for WeakInterner<'_> {
    fn clone(&self) -> Self {
        *self
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc> Collect<'gc> for WeakInterner<'gc> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

impl fmt::Debug for WeakInterner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakInterner").finish_non_exhaustive()
    }
}
