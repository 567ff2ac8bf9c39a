//! The table of handles that keep objects of a shared heap alive from outside.
//!
//! A handle is an index of the table; a slot has the address of the object and the number of handles
//! which are clones of each other. Handles are sent, cloned and dropped on any thread at any time,
//! also while the world is stopped, so the table has a lock, which is held for a few instructions.
//! Slots without handles are linked, and taken first.
//!
//! # What a collection sees
//!
//! [`each`](RootTable::each) is called while the world is stopped. Then no handle is made for an object
//! that had none, because that takes a thread that works on the heap; but handles are cloned and
//! dropped. It lets go of the lock every [`CHUNK`] slots, so that these do not wait for a traversal of
//! the table. It visits each slot that has a handle throughout, since a slot does not move and its
//! address does not change while it has one. A handle that is dropped meanwhile may be visited or not:
//! it was there at the beginning of the stop, so to visit it is right, and nobody can ask for it any
//! more, so not to visit it is right as well.
//!
//! The object of a handle, got while markers are at work, may be one which they have not yet come to, and
//! the handle may be dropped before they do: whoever gets it passes it on to them.

use crate::sync::Mutex;

/// How many slots are visited under the lock.
const CHUNK: usize = if cfg!(loom) { 1 } else { 64 };

/// No slot.
const NONE: usize = usize::MAX;

/// The handles of a heap.
pub(crate) struct RootTable {
    slots: Mutex<Slots>,
}

struct Slots {
    slots: Vec<Slot>,
    /// The first slot without handles.
    free: usize,
}

struct Slot {
    /// The number of handles.
    handles: usize,
    /// The address of the object; without handles, the next slot without.
    word: usize,
}

impl RootTable {
    pub(crate) fn new() -> RootTable {
        RootTable {
            slots: Mutex::new(Slots {
                slots: Vec::new(),
                free: NONE,
            }),
        }
    }

    /// Makes a handle for the object at `address`. The calling thread works on the heap.
    pub(crate) fn add(&self, address: usize) -> usize {
        let mut table = self.slots.lock();
        let slot = Slot {
            handles: 1,
            word: address,
        };
        let index = table.free;
        if index == NONE {
            table.slots.push(slot);
            return table.slots.len() - 1;
        }
        table.free = table.slots[index].word;
        table.slots[index] = slot;
        index
    }

    /// One more handle like the one with this index, which exists.
    pub(crate) fn retain(&self, index: usize) {
        self.slots.lock().slots[index].handles += 1;
    }

    /// Drops a handle with this index.
    pub(crate) fn release(&self, index: usize) {
        let mut table = self.slots.lock();
        let free = table.free;
        let slot = &mut table.slots[index];
        debug_assert!(slot.handles != 0, "a handle is dropped twice");
        slot.handles -= 1;
        if slot.handles == 0 {
            slot.word = free;
            table.free = index;
        }
    }

    /// The address of the object of a handle, which exists: for checks. Handles know it themselves.
    #[cfg(any(test, loom))]
    pub(crate) fn get(&self, index: usize) -> usize {
        let table = self.slots.lock();
        debug_assert!(table.slots[index].handles != 0, "no handle has this index");
        table.slots[index].word
    }

    /// Calls `visit` with the address of each object that has a handle, without the lock. The world is
    /// stopped.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize)) {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut from = 0;
        loop {
            {
                let table = self.slots.lock();
                let Some(rest) = table.slots.get(from..).filter(|rest| !rest.is_empty()) else {
                    return;
                };
                let slots = rest.iter().take(CHUNK);
                chunk.extend(slots.filter(|slot| slot.handles != 0).map(|slot| slot.word));
            }
            chunk.drain(..).for_each(&mut visit);
            from += CHUNK;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn all(table: &RootTable) -> Vec<usize> {
        let mut all = Vec::new();
        table.each(|address| all.push(address));
        all
    }

    #[test]
    fn slots_are_used_again() {
        let table = RootTable::new();
        let handles: Vec<usize> = (0..200).map(|address| table.add(address)).collect();
        assert_eq!(all(&table), (0..200).collect::<Vec<_>>());
        table.retain(handles[7]);
        for &handle in &handles {
            table.release(handle);
        }
        assert_eq!(all(&table), [7]);
        let again: Vec<usize> = (0..199).map(|address| table.add(1000 + address)).collect();
        assert!(
            again
                .iter()
                .all(|index| *index < 200 && *index != handles[7])
        );
        assert_eq!(table.get(again[3]), 1003);
        table.release(handles[7]);
        assert_eq!(all(&table).len(), 199);
    }

    #[test]
    fn visitors_may_use_the_table() {
        let table = RootTable::new();
        let (a, b) = (table.add(1), table.add(2));
        table.each(|_| {
            table.retain(a);
            table.release(a);
        });
        table.release(a);
        table.release(b);
        assert!(all(&table).is_empty());
    }
}
