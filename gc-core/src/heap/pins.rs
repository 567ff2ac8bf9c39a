//! Pinned objects: those that live, where they are, until whoever pinned them says otherwise.
//!
//! An object is pinned by guards, or by its address alone (*raw*); it is as long as there is a pin of
//! either kind. Two things say so: a bit of the `states` plane, that of the object's first word, for
//! whoever has an address and wants to know; and an entry of the table, for the collector, which wants
//! to know all pinned objects, and which has the number of pins. So neither question needs a scan.
//!
//! Values without a size have an address outside of all heaps. They are counted like others, and have no
//! bit.
//!
//! # No pinned object is lost
//!
//! The table is read with the roots, at the beginning of a cycle, so what is pinned then survives that
//! cycle. Whoever pins an object has a strong pointer to it in a `mutate` call. If a cycle is in progress, it
//! survives that in any case: all that the program can have a strong pointer to does
//! (see [`crate::collector::claim`]). There is one exception: a finalization call sees objects that are dead.
//! When such a call is over, the roots are read again, and the table with them (see
//! [`crate::collector::stand`]). The next cycle begins with the pin in the table, or without it because
//! the pin is gone. So nothing has to be marked when an object is pinned or unpinned, whatever the phase; and
//! what is got from a guard needs no note, because it was pinned either when the cycle began, or since then
//! by somebody who had it.
//!
//! A sweeper therefore never meets the bit of a dead object, and need not clear it; nor is there one in a
//! block that goes back to the space.
//!
//! # What a collection sees
//!
//! [`Pins::each`] is called while no `mutate` call runs, so nothing is pinned that was not. But guards are
//! cloned and dropped, by other threads or by code that the visitor calls: so the lock is not held while
//! it does. An object keeps its slot as long as it is pinned, whichever pins come and go, hence what is
//! pinned throughout is visited. What is unpinned meanwhile may be visited or not: either is right.
//!
//! # Invariants
//!
//! 1. As long as the heap is there: an object of it has the bit if and only if it has an entry. Both
//!    change under the lock of the table.
//! 2. An entry has a pin.
//! 3. When the heap is gone the planes are not touched any more. Guards may be there still.

use core::fmt;
use core::panic::Location;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::planes::{Planes, bit};
use crate::sync::{Mutex, MutexGuard};

/// How many slots are visited under the lock.
const CHUNK: usize = 64;

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
/// See [`Mutation::unpin_raw`](crate::Mutation::unpin_raw).
///
/// ```
/// use gc_core::{Gc, Rootable, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let five = Gc::new(mc, 5);
///     let guard = Gc::pin::<Rootable![i32]>(mc, five);
///     // SAFETY: nobody relies on a raw pin, for there is none.
///     let refused = unsafe { mc.unpin_raw(Gc::as_ptr(five)) }.unwrap_err();
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

/// Where a pin was made, which is known in builds with debug assertions.
#[derive(Clone, Copy)]
pub(crate) struct Place(#[cfg(debug_assertions)] &'static Location<'static>);

impl Place {
    /// That of the caller.
    #[track_caller]
    pub(crate) fn here() -> Place {
        Place(
            #[cfg(debug_assertions)]
            Location::caller(),
        )
    }

    #[cfg(debug_assertions)]
    fn is(self, other: Place) -> bool {
        core::ptr::eq(self.0, other.0)
    }

    #[cfg(not(debug_assertions))]
    fn is(self, _: Place) -> bool {
        true
    }

    #[cfg(debug_assertions)]
    fn location(self) -> Option<&'static Location<'static>> {
        Some(self.0)
    }

    #[cfg(not(debug_assertions))]
    fn location(self) -> Option<&'static Location<'static>> {
        None
    }
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
    slots: Vec<Slot>,
    /// The numbers of slots without an object.
    free: Vec<usize>,
    /// The number of the slot of each pinned object.
    numbers: HashMap<usize, usize>,
    /// The number of all pins.
    pins: usize,
}

/// A pinned object, or none. Without debug assertions the vectors are numbers.
#[derive(Default)]
struct Slot {
    address: usize,
    guards: Vec<Place>,
    raw: Vec<Place>,
}

impl Slot {
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
                slots: Vec::new(),
                free: Vec::new(),
                numbers: HashMap::new(),
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
        let table = &mut *table;
        let number = match table.numbers.entry(address) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let number = table.free.pop().unwrap_or_else(|| {
                    table.slots.push(Slot::default());
                    table.slots.len() - 1
                });
                table.slots[number].address = address;
                if self.is_inside(address) {
                    // Barriers and sweepers change other bits of the word.
                    // SAFETY: it is an object of the heap, which is there, says the caller.
                    unsafe { self.planes.states(address) }.insert_shared(bit(address));
                }
                *entry.insert(number)
            }
        };
        let slot = &mut table.slots[number];
        match kind {
            Kind::Guard => slot.guards.push(place),
            Kind::Raw => slot.raw.push(place),
        }
        table.pins += 1;
        number
    }

    /// One more guard like the one with this number, which exists.
    pub(crate) fn retain(&self, number: usize, place: Place) {
        let mut table = self.table.lock();
        table.slots[number].guards.push(place);
        table.pins += 1;
    }

    /// Drops a guard with this number that was made at `place`.
    pub(crate) fn release(&self, number: usize, place: Place) {
        let mut table = self.table.lock();
        let guards = &mut table.slots[number].guards;
        let index = guards.iter().position(|other| other.is(place));
        guards.swap_remove(index.expect("a guard is dropped once"));
        self.removed(&mut table, number);
    }

    /// Takes a raw pin back.
    pub(crate) fn remove_raw(&self, address: usize) -> Result<(), NotPinned> {
        let mut table = self.table.lock();
        let objects = table.numbers.len();
        let refused = |guards| NotPinned {
            address,
            guards,
            objects,
        };
        let number = *table.numbers.get(&address).ok_or_else(|| refused(0))?;
        let slot = &mut table.slots[number];
        slot.raw.pop().ok_or_else(|| refused(slot.guards.len()))?;
        self.removed(&mut table, number);
        Ok(())
    }

    /// A pin was taken out of this slot.
    fn removed(&self, table: &mut Table, number: usize) {
        table.pins -= 1;
        let slot = &table.slots[number];
        if slot.pins() > 0 {
            return;
        }
        if table.open && self.is_inside(slot.address) {
            // SAFETY: the heap is there, and what was pinned until now is in it.
            unsafe { self.planes.states(slot.address) }.remove_shared(bit(slot.address));
        }
        table.numbers.remove(&slot.address);
        table.free.push(number);
    }

    /// Whether the object at `address` is pinned. Takes constant time, and no lock if it is in the heap.
    ///
    /// # Safety
    ///
    /// As for [`Pins::add`].
    pub(crate) unsafe fn is_pinned(&self, address: usize) -> bool {
        if self.is_inside(address) {
            // SAFETY: passed on to the caller.
            return unsafe { self.planes.states(address) }.get() & bit(address) != 0;
        }
        self.table.lock().numbers.contains_key(&address)
    }

    /// How many objects are pinned, and how many pins there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let table = self.table.lock();
        (table.numbers.len(), table.pins)
    }

    /// Calls `visit` with the address of each pinned object, without the lock. No `mutate` call runs.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize)) {
        let mut chunk = Vec::new();
        let mut from = 0;
        loop {
            {
                let table = self.table.lock();
                let Some(rest) = table.slots.get(from..).filter(|rest| !rest.is_empty()) else {
                    return;
                };
                let slots = rest.iter().take(CHUNK);
                chunk.extend(
                    slots
                        .filter(|slot| slot.pins() > 0)
                        .map(|slot| slot.address),
                );
            }
            chunk.drain(..).for_each(&mut visit);
            from += CHUNK;
        }
    }

    /// All pinned objects, in ascending order of their addresses.
    pub(crate) fn list(&self) -> Vec<PinnedObject> {
        let table = self.table.lock();
        let pinned = table.slots.iter().filter(|slot| slot.pins() > 0);
        let mut list: Vec<PinnedObject> = pinned
            .map(|slot| PinnedObject {
                address: slot.address,
                pins: slot.pins(),
                places: slot
                    .guards
                    .iter()
                    .chain(&slot.raw)
                    .filter_map(|place| place.location())
                    .collect(),
            })
            .collect();
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
                // SAFETY: the heap is there, says the caller, and the object was pinned.
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
    pub(super) fn inside(&self) -> impl Iterator<Item = (usize, usize)> {
        let all = self.table.numbers.iter();
        let counted = all.map(|(&address, &number)| (address, self.table.slots[number].pins()));
        counted.filter(|(address, _)| self.pins.is_inside(*address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::rootless_mutate;
    use crate::gc::Gc;

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
            mc.pin_raw(one);
            mc.pin_raw(other);
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
    fn slots_are_used_again_and_what_stays_keeps_its_own() {
        rootless_mutate(|mc| {
            let pins = mc.context().heap().pins();
            let all = || {
                let mut all = Vec::new();
                pins.each(|address| all.push(address));
                all.sort_unstable();
                all
            };
            let mut addresses: Vec<usize> = (0..200u64)
                .map(|value| mc.pin_raw(Gc::new(mc, value)).addr())
                .collect();
            addresses.sort_unstable();
            assert_eq!(all(), addresses);
            assert_eq!(pins.counts(), (200, 200));
            for address in addresses.drain(1..) {
                pins.remove_raw(address).unwrap();
            }
            assert_eq!(all(), addresses);
            for value in 0..199u64 {
                mc.pin_raw(Gc::new(mc, value));
            }
            assert_eq!((all().len(), pins.table.lock().slots.len()), (200, 200));
        });
    }

    /// A visitor may do everything but pin what was not pinned.
    #[test]
    fn visitors_may_drop_and_clone_guards() {
        rootless_mutate(|mc| {
            let pins = mc.context().heap().pins();
            let address = mc.pin_raw(Gc::new(mc, 1u64)).addr();
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
