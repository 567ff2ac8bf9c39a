//! The table of handles that keep objects of a shared heap alive from outside.
//!
//! A handle is an index of the table; a slot has the address of the object and the number of handles which are clones
//! of each other. Handles are sent, cloned and dropped on any thread at any time, also while the world is stopped, so
//! the table has a lock, which is held for a few instructions. A slot without handles is free, and memory without slots
//! in use is given back ([`slot_table`](crate::protocol::slot_table)).
//!
//! # What a collection sees
//!
//! [`each`](RootTable::each) is called while the world is stopped. Then no handle is made for an object
//! that had none, because only a thread that works on the heap can make one. But handles are cloned and dropped. The
//! traversal releases the lock after each leaf of the table, so that clones and drops do not wait for all of it. It
//! visits each slot that has a handle throughout: such a slot keeps its index and its address, and the traversal
//! continues from an index. A handle that is dropped meanwhile may be visited or not, and both are right: it existed at
//! the beginning of the stop, and nobody can use it any more. If its leaf is freed then, the traversal holds only
//! addresses that it has copied.
//!
//! A thread that gets the object of a handle while a cycle marks passes the object on to the markers: they may not have
//! come to it yet, and the handle may be dropped before they do.

use crate::protocol::slot_table::SlotTable;
use crate::sync::Mutex;

/// The handles of a heap.
pub(crate) struct RootTable {
    slots: Mutex<SlotTable<Slot>>,
}

#[derive(Default)]
struct Slot {
    /// The number of handles.
    handles: usize,
    /// The address of the object.
    address: usize,
}

impl RootTable {
    pub(crate) fn new() -> RootTable {
        RootTable {
            slots: Mutex::new(SlotTable::default()),
        }
    }

    /// Makes a handle for the object at `address`. The calling thread works on the heap.
    pub(crate) fn add(&self, address: usize) -> usize {
        let handles = 1;
        self.slots.lock().add(Slot { handles, address })
    }

    /// One more handle like the one with this index, which exists.
    pub(crate) fn retain(&self, index: usize) {
        let mut table = self.slots.lock();
        let slot = table.get_mut(index);
        slot.expect("what is cloned is a handle").handles += 1;
    }

    /// Drops a handle with this index.
    pub(crate) fn release(&self, index: usize) {
        self.slots.lock().remove_if(index, |slot| {
            slot.handles -= 1;
            slot.handles == 0
        });
    }

    /// The address of the object of a handle, which exists: for checks. Handles know it themselves.
    #[cfg(any(test, loom))]
    pub(crate) fn get(&self, index: usize) -> usize {
        let mut table = self.slots.lock();
        let slot = table.get_mut(index);
        slot.expect("a handle has this index").address
    }

    /// Calls `visit` with the address of each object that has a handle, without the lock. The world is
    /// stopped.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize)) {
        let mut leaf = Vec::new();
        let mut from = Some(0);
        while let Some(index) = from {
            let gather = |_, slot: &Slot| leaf.push(slot.address);
            from = self.slots.lock().visit_some(index, gather);
            leaf.drain(..).for_each(&mut visit);
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
    fn what_is_left_of_a_burst_is_little() {
        let table = RootTable::new();
        for _ in 0..2 {
            let handles: Vec<usize> = (0..100_000).map(|address| table.add(address)).collect();
            let most = table.slots.lock().bytes();
            for &handle in &handles[1..] {
                table.release(handle);
            }
            assert_eq!(all(&table), [0]);
            assert!(table.slots.lock().bytes() < most / 100);
            table.release(handles[0]);
        }
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
