//! Waiting values: each is followed once, whoever is first at the key.

use loom::thread;

use crate::check;
use crate::protocol::waiting::{self, Waiting};
use crate::sync::{Arc, AtomicU8, AtomicU32, AtomicUsize, Ordering};

/// One key.
struct World {
    waiting: Waiting,
    place: AtomicU32,
    flag: AtomicU8,
    mark: AtomicUsize,
    /// How often each value was followed.
    followed: [AtomicUsize; 2],
}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World {
            waiting: Waiting::default(),
            place: AtomicU32::new(0),
            flag: AtomicU8::new(0),
            mark: AtomicUsize::new(0),
            followed: [AtomicUsize::new(0), AtomicUsize::new(0)],
        })
    }

    fn is_marked(&self) -> bool {
        self.mark.load(Ordering::Relaxed) != 0
    }

    fn follow(&self, value: usize) {
        self.followed[value].fetch_add(1, Ordering::Relaxed);
    }

    fn take(&self) {
        let mut taken = Vec::new();
        self.waiting.take(&self.place, &mut taken);
        taken.into_iter().for_each(|value| self.follow(value));
    }

    /// A marker meets an ephemeron with this value.
    fn meet(&self, value: usize) {
        if self.is_marked() {
            return self.follow(value);
        }
        {
            let mut table = self.waiting.lock();
            table.note(&self.place, value);
            if self.flag.load(Ordering::Relaxed) == 0 {
                self.flag.fetch_or(1, Ordering::Relaxed);
            }
        }
        if waiting::was_marked(|| self.is_marked()) {
            self.take();
        }
    }

    /// A marker marks and scans the key.
    fn mark(&self, fence: bool) {
        self.mark.store(1, Ordering::Relaxed);
        if fence {
            waiting::marked();
        }
        if self.flag.load(Ordering::Relaxed) != 0 {
            self.take();
        }
    }

    fn check(&self, values: usize) {
        for value in 0..values {
            assert_eq!(self.followed[value].load(Ordering::Relaxed), 1);
        }
    }
}

/// Two threads, one value, all orders.
#[test]
fn a_value_and_its_key() {
    check(None, || {
        let world = World::new();
        let other = Arc::clone(&world);
        let marker = thread::spawn(move || other.mark(true));
        world.meet(0);
        marker.join().unwrap();
        world.check(1);
    });
}

/// Three threads, two values of one key, all orders with three preemptions.
#[test]
fn two_values_and_their_key() {
    check(3, || {
        let world = World::new();
        let (other, another) = (Arc::clone(&world), Arc::clone(&world));
        let marker = thread::spawn(move || other.mark(true));
        let meeter = thread::spawn(move || another.meet(1));
        world.meet(0);
        marker.join().unwrap();
        meeter.join().unwrap();
        world.check(2);
    });
}

/// Two threads: without the marker's fence, what both have missed is found when they rest.
#[test]
fn what_was_missed_is_found_at_the_end() {
    check(None, || {
        let world = World::new();
        let other = Arc::clone(&world);
        let marker = thread::spawn(move || other.mark(false));
        world.meet(0);
        marker.join().unwrap();
        world.take();
        world.check(1);
    });
}
