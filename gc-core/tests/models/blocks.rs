//! How a swept block gets from the sweeper to an allocator: through a list under a lock.
//!
//! The sweeper writes the words of the block's planes as if it were alone, with relaxed stores, and
//! puts the block on the list. An allocator takes it from the list and reads and writes them in the
//! same way. Nobody else touches them: before it is swept, the block is the sweeper's; on the list it
//! is nobody's.

use loom::cell::UnsafeCell;
use loom::thread;

use crate::check;
use crate::sync::{Arc, AtomicU64, AtomicUsize, Mutex, Ordering};

const DIRTY: u64 = !0;
const SWEPT: u64 = 0b101;

struct World {
    /// The planes' words, one for each block.
    planes: [AtomicU64; 2],
    /// The blocks' memory.
    memory: [UnsafeCell<u64>; 2],
    swept: Mutex<Vec<usize>>,
    /// What the lock is there instead of: a number of blocks that have been swept.
    count: AtomicUsize,
}

// SAFETY: the cells are what the model is about: loom checks every access to them.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World {
            planes: [AtomicU64::new(DIRTY), AtomicU64::new(DIRTY)],
            memory: [UnsafeCell::new(DIRTY), UnsafeCell::new(DIRTY)],
            swept: Mutex::new(Vec::new()),
            count: AtomicUsize::new(0),
        })
    }

    fn sweep(&self, block: usize) {
        // SAFETY: an unswept block is the sweeper's.
        self.memory[block].with_mut(|word| unsafe { *word = 0 });
        self.planes[block].store(SWEPT, Ordering::Relaxed);
    }

    fn allocate_in(&self, block: usize) {
        let word = self.planes[block].load(Ordering::Relaxed);
        assert_eq!(word, SWEPT);
        self.planes[block].store(word | 1 << 8, Ordering::Relaxed);
        // SAFETY: a block that was taken from the list is the allocator's. This is what loom checks.
        let value =
            self.memory[block].with_mut(|word| unsafe { core::mem::replace(&mut *word, 1) });
        assert_eq!(value, 0);
    }
}

/// Three threads: a sweeper with two blocks, two allocators that each try twice to get one: all orders.
#[test]
fn swept_blocks_are_handed_out() {
    check(None, || {
        let world = World::new();
        let allocators = [(); 2].map(|()| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for _ in 0..2 {
                    let block = world.swept.lock().pop();
                    if let Some(block) = block {
                        world.allocate_in(block);
                    }
                }
            })
        });
        for block in 0..2 {
            world.sweep(block);
            world.swept.lock().push(block);
        }
        for allocator in allocators {
            allocator.join().unwrap();
        }
    });
}

/// Without the order which the lock makes, the model fails.
#[test]
#[should_panic]
fn a_relaxed_counter_is_not_enough() {
    check(None, || {
        let world = World::new();
        let sweeper = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.sweep(0);
                world.count.store(1, Ordering::Relaxed);
            })
        };
        if world.count.load(Ordering::Relaxed) == 1 {
            world.allocate_in(0);
        }
        sweeper.join().unwrap();
    });
}
