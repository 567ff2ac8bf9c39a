//! Pinned objects: they live and do not move until they are unpinned.
//!
//! An object is pinned by guards, or by its address alone (*raw*), as long as there is a pin of either kind. This is
//! recorded twice. A bit of the `states` plane, that of the object's first word, answers whether a given object is
//! pinned. An entry of the table has the number of its pins, and the collector finds all pinned objects there. So
//! neither question needs a scan. The table ([`slot_table`](crate::protocol::slot_table)), and the map that finds an
//! entry by its address, take memory for what is pinned now, and not for what was pinned before.
//!
//! Values without a size have an address outside of all heaps. They are counted like others, and have no
//! bit.
//!
//! # No pinned object is lost
//!
//! The table is read with the roots, at the beginning of a cycle, so what is pinned then survives that
//! cycle. To pin an object takes a strong pointer to it, in a `mutate` call. If a cycle is in progress, the object
//! survives it in any case: so does everything that the program can have a strong pointer to
//! (see [`crate::collector::claim`]). There is one exception: a finalization call sees objects that are dead.
//! When such a call is over, the roots are read again, and the table with them (see
//! [`crate::collector::finalization`]). The next cycle begins with the pin in the table, or without it because
//! the pin is gone. So nothing has to be marked when an object is pinned or unpinned, whatever the phase; and
//! a pointer that comes from a guard need not be noted, because its target was pinned when the cycle began, or
//! since then by code that had a strong pointer to it.
//!
//! A sweeper therefore never meets the bit of a dead object, and need not clear it; nor is there one in a
//! block that goes back to the space.
//!
//! # What a collection sees
//!
//! [`Pins::each`] is called while no `mutate` call runs, so nothing is pinned that was not. But guards are cloned and
//! dropped, by other threads or by code that the visitor calls: so the lock is not held while it does. An object
//! keeps its entry as long as it is pinned, whichever pins come and go, and the traversal goes on from the number of
//! an entry; hence what is pinned throughout is visited. What is unpinned meanwhile may be visited or not: either is
//! right.
//!
//! # Invariants
//!
//! 1. As long as the heap is there: an object of it has the bit if and only if it has an entry. Both
//!    change under the lock of the table.
//! 2. An entry has a pin.
//! 3. When the heap is gone the planes are not touched any more. Guards may be there still.

mod place;

use core::fmt;
use core::panic::Location;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use self::place::Places;
use super::planes::{Planes, bit};
use crate::protocol::slot_table::SlotTable;
use crate::sync::{Mutex, MutexGuard};

pub(crate) use self::place::Place;

/// An object that is pinned, as [`Arena::pinned`](crate::Arena::pinned) lists it.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable};
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// arena.mutate(|mc, _| std::mem::forget(Gc::pin::<Rootable![u32]>(mc, Gc::new(mc, 5))));
/// let [leaked] = &arena.pinned()[..] else { panic!("one object is pinned") };
/// assert_eq!(leaked.pins, 1);
/// if cfg!(debug_assertions) {
///     assert!(leaked.to_string().contains(file!()));
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PinnedObject {
    /// Its address.
    pub address: usize,
    /// How many pins it has: guards and raw ones.
    pub pins: usize,
    /// Where each of them was made. Empty unless this crate is built with debug assertions.
    pub places: Vec<&'static Location<'static>>,
}

impl fmt::Display for PinnedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, pins) = (self.address, self.pins);
        write!(f, "the object at {address:#x} is pinned {pins} times")?;
        for (number, place) in self.places.iter().enumerate() {
            f.write_str(if number == 0 { ": at " } else { ", at " })?;
            place.fmt(f)?;
        }
        Ok(())
    }
}

/// A raw pin was to be taken back that is not there.
///
/// See [`Gc::unpin_raw`](crate::Gc::unpin_raw).
///
/// ```
/// use gc_core::{Gc, Rootable, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let five = Gc::new(mc, 5);
///     let guard = Gc::pin::<Rootable![i32]>(mc, five);
///     // SAFETY: nobody relies on a raw pin, for there is none.
///     let refused = unsafe { Gc::unpin_raw(mc, Gc::as_ptr(five)) }.unwrap_err();
///     assert_eq!(refused.address, Gc::as_ptr(five).addr());
///     assert_eq!((refused.guards, refused.objects), (1, 1));
///     drop(guard);
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the object at {address:#x} has no pin that was made with `pin_raw`: {guards} guards pin it, and {objects} \
     objects are pinned in this arena"
)]
#[non_exhaustive]
pub struct NotPinned {
    /// The address that was given.
    pub address: usize,
    /// How many guards pin what is there.
    pub guards: usize,
    /// How many objects of the arena are pinned.
    pub objects: usize,
}

/// The pinned objects of a heap.
pub(crate) struct Pins {
    planes: Planes,
    /// Where the heap's address space is.
    base: usize,
    bytes: usize,
    table: Mutex<Table>,
}

struct Table {
    /// Whether the heap is there.
    open: bool,
    entries: SlotTable<Entry>,
    /// The number of the entry of each pinned object.
    numbers: HashMap<usize, usize, RandomState>,
    /// The number of all pins.
    pins: usize,
}

/// A pinned object.
#[derive(Default)]
struct Entry {
    address: usize,
    guards: Places,
    raw: Places,
}

impl Entry {
    fn pins(&self) -> usize {
        self.guards.len() + self.raw.len()
    }
}

/// A kind of pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A guard.
    Guard,
    /// An address.
    Raw,
}

impl Pins {
    /// Those of a new heap in the address space that starts at `base` and is `bytes` long.
    pub(super) fn new(planes: Planes, base: usize, bytes: usize) -> Pins {
        Pins {
            planes,
            base,
            bytes,
            table: Mutex::new(Table {
                open: true,
                entries: SlotTable::default(),
                numbers: HashMap::default(),
                pins: 0,
            }),
        }
    }

    /// Whether the value at `address` is in the heap.
    fn is_inside(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.bytes
    }

    /// Pins the object at `address`. The number by which a guard is known.
    ///
    /// # Safety
    ///
    /// The heap is there, and the address is that of an object of it, or of a value that needs no memory.
    pub(crate) unsafe fn add(&self, address: usize, kind: Kind, place: Place) -> usize {
        let mut table = self.table.lock();
        let Table {
            entries, numbers, ..
        } = &mut *table;
        let number = *numbers.entry(address).or_insert_with(|| {
            if self.is_inside(address) {
                // Barriers and sweepers change other bits of the word.
                // SAFETY: it is an object of the heap, which is there (the caller's promise).
                unsafe { self.planes.states(address) }.insert_shared(bit(address));
            }
            entries.add(Entry {
                address,
                ..Entry::default()
            })
        });
        let entry = entries
            .get_mut(number)
            .expect("what has a number is pinned");
        match kind {
            Kind::Guard => entry.guards.add(place),
            Kind::Raw => entry.raw.add(place),
        }
        table.pins += 1;
        number
    }

    /// One more guard like the one with this number, which exists.
    pub(crate) fn retain(&self, number: usize, place: Place) {
        let mut table = self.table.lock();
        let entry = table.entries.get_mut(number);
        entry.expect("what has a guard is pinned").guards.add(place);
        table.pins += 1;
    }

    /// Drops a guard with this number that was made at `place`.
    pub(crate) fn release(&self, number: usize, place: Place) {
        let mut table = self.table.lock();
        table.pins -= 1;
        let removed = table.entries.remove_if(number, |entry| {
            assert!(entry.guards.remove(place), "a guard is dropped once");
            entry.pins() == 0
        });
        self.removed(&mut table, removed);
    }

    /// Takes a raw pin back.
    pub(crate) fn remove_raw(&self, address: usize) -> Result<(), NotPinned> {
        let mut table = self.table.lock();
        let table = &mut *table;
        let refused = |guards| NotPinned {
            address,
            guards,
            objects: table.numbers.len(),
        };
        let number = *table.numbers.get(&address).ok_or_else(|| refused(0))?;
        let mut result = Ok(());
        let removed = table.entries.remove_if(number, |entry| {
            if !entry.raw.remove_any() {
                result = Err(refused(entry.guards.len()));
            }
            entry.pins() == 0
        });
        result?;
        table.pins -= 1;
        self.removed(table, removed);
        Ok(())
    }

    /// An object that was pinned is not any more, if there is one.
    fn removed(&self, table: &mut Table, entry: Option<Entry>) {
        /// Fewer are not worth to be copied.
        const MANY: usize = 64;
        let Some(Entry { address, .. }) = entry else {
            return;
        };
        if table.open && self.is_inside(address) {
            // SAFETY: the heap is there, and what was pinned until now is in it.
            unsafe { self.planes.states(address) }.remove_shared(bit(address));
        }
        let numbers = &mut table.numbers;
        numbers.remove(&address);
        if numbers.len() < numbers.capacity() / 8 && numbers.capacity() > MANY {
            numbers.shrink_to(2 * numbers.len());
        }
    }

    /// Whether the object at `address` is pinned. Takes constant time, and no lock if it is in the heap.
    ///
    /// # Safety
    ///
    /// As for [`Pins::add`].
    pub(crate) unsafe fn is_pinned(&self, address: usize) -> bool {
        if self.is_inside(address) {
            // SAFETY: an object of the heap is there (the caller's promise), for no value without memory is inside.
            return unsafe { self.planes.states(address) }.get() & bit(address) != 0;
        }
        self.table.lock().numbers.contains_key(&address)
    }

    /// How many objects are pinned, and how many pins there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let table = self.table.lock();
        (table.entries.len(), table.pins)
    }

    /// Calls `visit` with the address of each pinned object, without the lock. No `mutate` call runs.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize)) {
        let mut leaf = Vec::new();
        let mut from = Some(0);
        while let Some(number) = from {
            let gather = |_, entry: &Entry| leaf.push(entry.address);
            from = self.table.lock().entries.visit_some(number, gather);
            leaf.drain(..).for_each(&mut visit);
        }
    }

    /// All pinned objects, in ascending order of their addresses.
    pub(crate) fn list(&self) -> Vec<PinnedObject> {
        let table = self.table.lock();
        let mut list = Vec::with_capacity(table.entries.len());
        let mut from = Some(0);
        while let Some(number) = from {
            from = table.entries.visit_some(number, |_, entry| {
                let locations = entry.guards.locations().chain(entry.raw.locations());
                list.push(PinnedObject {
                    address: entry.address,
                    pins: entry.pins(),
                    places: locations.collect(),
                });
            });
        }
        drop(table);
        list.sort_unstable_by_key(|object| object.address);
        list
    }

    /// The heap goes: clears all bits, and leaves the planes alone from now on.
    ///
    /// # Safety
    ///
    /// The heap is there, unless this was called before.
    pub(super) unsafe fn close(&self) {
        let mut table = self.table.lock();
        if core::mem::take(&mut table.open) {
            let inside = table.numbers.keys().filter(|key| self.is_inside(**key));
            for &address in inside {
                // SAFETY: the heap is there (the caller's promise), and the object was pinned.
                unsafe { self.planes.states(address) }.remove_shared(bit(address));
            }
        }
    }

    /// The table as it is, which does not change as long as the result is there.
    pub(super) fn hold(&self) -> Held<'_> {
        Held {
            pins: self,
            table: self.table.lock(),
        }
    }
}

/// A table that nobody changes.
pub(super) struct Held<'a> {
    pins: &'a Pins,
    table: MutexGuard<'a, Table>,
}

impl Held<'_> {
    /// Whether the object at `address` has an entry.
    pub(super) fn has(&self, address: usize) -> bool {
        self.table.numbers.contains_key(&address)
    }

    /// The addresses of all pinned objects in the heap, and their numbers of pins.
    pub(super) fn inside(&self) -> Vec<(usize, usize)> {
        let mut inside = Vec::new();
        let mut from = Some(0);
        while let Some(number) = from {
            from = self.table.entries.visit_some(number, |_, entry| {
                if self.pins.is_inside(entry.address) {
                    inside.push((entry.address, entry.pins()));
                }
            });
        }
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arenas::arena::rootless_mutate;
    use crate::pointers::gc::Gc;
    use crate::protocol::slot_table::LEAF;

    #[test]
    fn bits_and_entries_must_agree() {
        rootless_mutate(|mc| {
            let heap = mc.context().heap();
            let verify = || {
                // SAFETY: no cycle is in progress, and all words were written.
                unsafe { heap.verify(false) }.map_err(|error| error.to_string())
            };
            let (one, other) = (Gc::new(mc, [1u64; 4]), Gc::new(mc, [2u64; 4]));
            let (address, flag) = (Gc::as_ptr(one).addr(), bit(Gc::as_ptr(one).addr()));
            // SAFETY: an object is there.
            let states = unsafe { heap.planes().states(address) };
            Gc::pin_raw(mc, one);
            Gc::pin_raw(mc, other);
            assert_eq!(verify(), Ok(()));
            states.remove(flag);
            assert!(verify().unwrap_err().contains("pinned 1 times"));
            states.insert(flag);
            heap.pins().remove_raw(address).unwrap();
            assert_eq!((verify(), states.get() & flag), (Ok(()), 0));
            states.insert(flag);
            assert!(verify().unwrap_err().contains("nobody has pinned it"));
            states.remove(flag);
            // SAFETY: there is no object, which only the verifier asks.
            unsafe { heap.pins().add(address + 16, Kind::Raw, Place::here()) };
            assert!(verify().unwrap_err().contains("there is no object"));
            heap.pins().remove_raw(address + 16).unwrap();
            assert_eq!(verify(), Ok(()));
        });
    }

    #[test]
    fn a_burst_leaves_nothing_behind() {
        rootless_mutate(|mc| {
            let pins = mc.context().heap().pins();
            let all = || {
                let mut all = Vec::new();
                pins.each(|address| all.push(address));
                all.sort_unstable();
                all
            };
            let count = 10_000;
            for _ in 0..2 {
                let mut addresses: Vec<usize> = (0..count)
                    .map(|value| Gc::pin_raw(mc, Gc::new(mc, value)).addr())
                    .collect();
                addresses.sort_unstable();
                assert_eq!(all(), addresses);
                assert_eq!(pins.counts(), (count, count));
                for address in addresses.drain(1..) {
                    pins.remove_raw(address).unwrap();
                }
                assert_eq!(all(), addresses);
                {
                    let table = pins.table.lock();
                    assert!(table.numbers.capacity() < 100 && table.entries.len() == 1);
                    assert!(table.entries.bytes() < 2 * LEAF * size_of::<Entry>() + count);
                }
                pins.remove_raw(addresses[0]).unwrap();
            }
        });
    }

    /// A visitor may do everything but pin what was not pinned.
    #[test]
    fn visitors_may_drop_and_clone_guards() {
        rootless_mutate(|mc| {
            let pins = mc.context().heap().pins();
            let address = Gc::pin_raw(mc, Gc::new(mc, 1u64)).addr();
            let place = Place::here();
            let mut visits = 0;
            pins.each(|visited| {
                assert_eq!(visited, address);
                pins.retain(0, place);
                pins.retain(0, place);
                pins.release(0, place);
                visits += 1;
            });
            assert_eq!((visits, pins.counts()), (1, (1, 2)));
            pins.remove_raw(address).unwrap();
            pins.release(0, place);
            pins.each(|_| unreachable!("nothing is pinned"));
        });
    }
}
