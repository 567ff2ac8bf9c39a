//! Termination: when all markers rest, everything has been marked.
//!
//! One line of the protocol these models cannot miss: the fence in `rest`. Without it, a marker's rest
//! could come before its own look at its queue, and loom does not move a store before a load.

use loom::cell::UnsafeCell;
use loom::thread;

use crate::check;
use crate::protocol::termination::Termination;
use crate::sync::{Arc, AtomicUsize, Ordering, yield_now};

/// A queue as thin as can be: the items are `taken..added`, and stand for themselves. Loads are
/// relaxed where `crossbeam`'s deque has relaxed ones.
struct Queue {
    added: AtomicUsize,
    taken: AtomicUsize,
}

impl Queue {
    fn new(added: usize) -> Queue {
        Queue {
            added: AtomicUsize::new(added),
            taken: AtomicUsize::new(0),
        }
    }

    /// For the owner.
    fn add(&self) {
        let added = self.added.load(Ordering::Relaxed);
        self.added.store(added + 1, Ordering::Release);
    }

    fn take(&self) -> bool {
        // Without a load before: loom tries other orders only for a thread's latest access.
        let mut taken = 0;
        while taken < self.added.load(Ordering::Acquire) {
            match self.taken.compare_exchange(
                taken,
                taken + 1,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => taken = now,
            }
        }
        false
    }

    fn is_empty(&self) -> bool {
        self.taken.load(Ordering::Relaxed) >= self.added.load(Ordering::Acquire)
    }
}

struct World {
    termination: Termination,
    queues: [Queue; 2],
    /// Work that comes from a mutator.
    shared: Queue,
    /// What has been marked, by each of the markers.
    marked: [UnsafeCell<usize>; 2],
}

// SAFETY: the cells are what the model is about: loom checks every access to them.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    fn new(active: usize, first: usize, shared: usize) -> Arc<World> {
        Arc::new(World {
            termination: Termination::new(active),
            queues: [Queue::new(first), Queue::new(0)],
            shared: Queue::new(shared),
            marked: [UnsafeCell::new(0), UnsafeCell::new(0)],
        })
    }

    /// Marks one item, in which `children` are found.
    fn scan(&self, marker: usize, children: usize) {
        // SAFETY: only this marker writes it, and only when it rests it is read.
        self.marked[marker].with_mut(|marked| unsafe { *marked += 1 });
        for _ in 0..children {
            self.queues[marker].add();
        }
    }

    /// Empties the marker's own queue, whose items have no children.
    fn drain(&self, marker: usize) {
        while self.queues[marker].take() {
            self.scan(marker, 0);
        }
    }

    /// Tries once to take from `queue`, as a thief, an item in which `children` are found.
    fn steal(&self, marker: usize, queue: &Queue, children: usize) {
        self.termination.wake();
        if queue.take() {
            self.scan(marker, children);
            self.drain(marker);
        }
        self.termination.rest();
    }

    /// How many items have been marked, now that all markers rest.
    fn marked(&self) -> usize {
        // SAFETY: nobody writes it any more. This is what loom checks.
        self.marked
            .iter()
            .map(|marked| marked.with(|marked| unsafe { *marked }))
            .sum()
    }
}

/// Three threads: a marker with two items, a thief which tries once and finds a child in what it
/// takes, and one who asks whether all rest. When they do, all items that there are have been marked.
#[test]
fn marker_and_thief() {
    check(None, || {
        let world = World::new(1, 2, 0);
        let marker = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.drain(0);
                world.termination.rest();
            })
        };
        let thief = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.steal(1, &world.queues[0], 1))
        };
        if world.termination.all_rest() {
            let marked = world.marked();
            // The child is there if the thief has got anything.
            assert!(marked == 2 || marked == 3);
            assert!(world.queues.iter().all(Queue::is_empty));
            marker.join().unwrap();
            thief.join().unwrap();
            assert_eq!(world.marked(), marked);
        } else {
            marker.join().unwrap();
            thief.join().unwrap();
        }
        assert!(world.termination.all_rest());
        let stolen = world.queues[1].added.load(Ordering::Relaxed);
        assert_eq!(world.marked(), 2 + stolen);
    });
}

/// Three threads: two markers that sleep, work which a mutator has left for them, and one who asks in
/// the right order.
#[test]
fn shared_queue() {
    check(None, || {
        let world = World::new(0, 0, 2);
        let markers = [0, 1].map(|marker| {
            let world = Arc::clone(&world);
            thread::spawn(move || world.steal(marker, &world.shared, 1))
        });
        if world.shared.is_empty() && world.termination.all_rest() {
            assert_eq!(world.marked(), 4);
        }
        for marker in markers {
            marker.join().unwrap();
        }
    });
}
