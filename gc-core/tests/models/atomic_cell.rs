//! How a pointer gets from an atomic cell to a marker.
//!
//! An atomic cell is a word of an object that is not claimed: mutators store pointers in it while
//! markers read it. A mutator stores with a swap, `AcqRel`, and passes on to the markers what it has
//! swapped out, so that the pointer of the snapshot is either still there when a marker comes, or has
//! been passed on. A marker loads with `Acquire`. What it finds may be younger than the snapshot: an
//! object in a block which was made in this cycle. It knows that by the colour in the block table, whose
//! byte was written before the pointer was stored, and does not look into the object.

use loom::cell::UnsafeCell;
use loom::thread;

use crate::check;
use crate::sync::{Arc, AtomicU8, AtomicUsize, Mutex, Ordering};

/// Addresses, which are indices of the colours: the object that the cell points at in the snapshot,
/// and two fresh ones.
const OLD: usize = 0;
const FRESH: [usize; 2] = [1, 2];

/// The colour of blocks that are older than the cycle, and of its own.
const BEFORE: u8 = 0;
const NOW: u8 = 1;

struct World {
    cell: AtomicUsize,
    colours: [AtomicU8; 3],
    contents: [UnsafeCell<usize>; 3],
    /// What mutators have passed on to the markers.
    passed_on: Mutex<Vec<usize>>,
}

// SAFETY: the cells are what the model is about: loom checks every access to them.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World {
            cell: AtomicUsize::new(OLD),
            colours: [(); 3].map(|()| AtomicU8::new(BEFORE)),
            contents: [(); 3].map(|()| UnsafeCell::new(0)),
            passed_on: Mutex::new(Vec::new()),
        })
    }

    /// Makes an object in a fresh block.
    fn allocate(&self, address: usize) {
        self.colours[address].store(NOW, Ordering::Relaxed);
        // SAFETY: nobody knows of it yet.
        self.contents[address].with_mut(|word| unsafe { *word = 1 });
    }

    fn store(&self, address: usize) {
        let old = self.cell.swap(address, Ordering::AcqRel);
        self.passed_on.lock().push(old);
    }

    /// What a mutator does with a pointer it has found in the cell.
    fn read(&self, address: usize) {
        // SAFETY: the object was initialised before it was stored. This is what loom checks.
        let value = self.contents[address].with(|word| unsafe { *word });
        assert_eq!(value == 1, address != OLD);
    }

    /// What a marker does with a pointer it has found in the cell: whether it is marked.
    fn mark(&self, address: usize) -> bool {
        if self.colours[address].load(Ordering::Relaxed) == NOW {
            return false;
        }
        assert_eq!(address, OLD, "the marker looks into a fresh object");
        true
    }
}

/// Three threads: two mutators that each store a fresh object in the cell and read what the other has
/// stored, and a marker: all orders. What the cell held in the snapshot is marked.
#[test]
fn two_stores_and_a_marker() {
    check(None, || {
        let world = World::new();
        let mutators = FRESH.map(|address| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.allocate(address);
                world.store(address);
                world.read(world.cell.load(Ordering::Acquire));
            })
        });
        let mut marked = world.mark(world.cell.load(Ordering::Acquire));
        for mutator in mutators {
            mutator.join().unwrap();
        }
        for &address in &*world.passed_on.lock() {
            marked |= world.mark(address);
        }
        assert!(marked, "the snapshot has lost an object");
    });
}

/// A marker that does not acquire the word fails the model: it takes a fresh object for an old one.
#[test]
#[should_panic = "the marker looks into a fresh object"]
fn a_relaxed_load_is_not_enough() {
    check(None, || {
        let world = World::new();
        let mutator = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.allocate(FRESH[0]);
                world.store(FRESH[0]);
            })
        };
        world.mark(world.cell.load(Ordering::Relaxed));
        mutator.join().unwrap();
    });
}

/// A store that does not swap fails the model: each mutator passes on what it has loaded before, and
/// what the other has stored in between is lost.
#[test]
#[should_panic = "the barrier has lost a pointer"]
fn load_and_store_are_not_enough() {
    check(None, || {
        let world = World::new();
        let mutators = FRESH.map(|address| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.allocate(address);
                let old = world.cell.load(Ordering::Acquire);
                world.cell.store(address, Ordering::Release);
                world.passed_on.lock().push(old);
            })
        });
        for mutator in mutators {
            mutator.join().unwrap();
        }
        let mut all = world.passed_on.lock().clone();
        all.push(world.cell.load(Ordering::Acquire));
        all.sort_unstable();
        assert_eq!(
            all,
            [OLD, FRESH[0], FRESH[1]],
            "the barrier has lost a pointer"
        );
    });
}
