//! The claim: an object's word is never read and written at once, and its old value is not lost.

use loom::cell::UnsafeCell;
use loom::thread;

use crate::check;
use crate::protocol::claim::{BATCH, Batch, claim, is_claimed, is_done, lower, unclaim};
use crate::sync::{Arc, AtomicU8, AtomicU64, AtomicUsize, Mutex, Ordering};

const FLAG: u8 = 4;
/// What an object holds when the snapshot is taken.
const OLD: usize = 1;
const NEW: usize = 2;

/// Some objects of one block, which share a word of bits and a byte of flags. The addresses count
/// from one.
struct World {
    bits: AtomicU64,
    flags: AtomicU8,
    batches: Vec<Batch>,
    objects: Vec<UnsafeCell<usize>>,
    /// For each object, how often its old value has been read for the snapshot.
    seen: Vec<AtomicUsize>,
    /// The lock of the claimers.
    claimers: Mutex<()>,
}

// SAFETY: the cells are what the model is about: loom checks every access to them.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    fn new(objects: usize, markers: usize) -> Arc<World> {
        Arc::new(World {
            bits: AtomicU64::new(0),
            flags: AtomicU8::new(0),
            batches: (0..markers).map(|_| Batch::new()).collect(),
            objects: (0..objects).map(|_| UnsafeCell::new(OLD)).collect(),
            seen: (0..objects).map(|_| AtomicUsize::new(0)).collect(),
            claimers: Mutex::new(()),
        })
    }

    fn bit(object: usize) -> u64 {
        1 << (2 * object)
    }

    fn see(&self, object: usize, value: usize) {
        assert_eq!(value, OLD, "the snapshot holds what was written after it");
        self.seen[object].fetch_add(1, Ordering::Relaxed);
    }

    /// What a marker asks of an object that it has published.
    fn is_claimed(&self, object: usize) -> bool {
        self.flags.load(Ordering::Acquire) & FLAG != 0 && is_claimed(&self.bits, World::bit(object))
    }

    /// What a mutator says when it has noted what the object holds.
    fn claim(&self, object: usize) {
        let bit = World::bit(object);
        claim(
            &self.bits,
            bit,
            &self.flags,
            FLAG,
            object + 1,
            &self.batches,
        );
    }

    /// What a marker does, with batches as long as can be.
    fn mark(&self, marker: usize, objects: &[usize]) {
        for chunk in objects.chunks(BATCH) {
            let addresses: Vec<usize> = chunk.iter().map(|object| object + 1).collect();
            self.batches[marker].publish(&addresses);
            for &object in chunk {
                if !self.is_claimed(object) {
                    // SAFETY: no mutator writes to it. This is what loom checks.
                    let value = self.objects[object].with(|word| unsafe { *word });
                    self.see(object, value);
                }
            }
            self.batches[marker].finish();
        }
    }

    /// What a mutator does which is the only one.
    fn write_alone(&self, object: usize) {
        let bit = World::bit(object);
        if !is_done(&self.bits, bit) {
            // SAFETY: nobody else writes to it.
            let value = self.objects[object].with(|word| unsafe { *word });
            self.see(object, value);
            self.claim(object);
        }
        // SAFETY: no marker reads it. This is what loom checks.
        self.objects[object].with_mut(|word| unsafe { *word = NEW });
    }

    /// What one of several mutators does: each has its own object's part to write to, the cells after
    /// `object`, whose claim all of them need.
    fn write_part(&self, object: usize, part: usize) {
        let bit = World::bit(object);
        if !is_done(&self.bits, bit) {
            let lock = self.claimers.lock();
            if !is_done(&self.bits, bit) {
                for word in &self.objects {
                    // SAFETY: without a claim nobody writes, and claimers are serialised.
                    let value = word.with(|word| unsafe { *word });
                    assert_eq!(value, OLD);
                }
                self.seen[object].fetch_add(1, Ordering::Relaxed);
                self.claim(object);
            }
            drop(lock);
        }
        // SAFETY: no marker reads it, and no other mutator writes this part.
        self.objects[part].with_mut(|word| unsafe { *word = NEW });
    }

    /// Each object's old value was seen by somebody. Called when all threads have ended.
    fn assert_snapshot_complete(&self, objects: usize) {
        for object in 0..objects {
            assert_ne!(self.seen[object].load(Ordering::Relaxed), 0);
        }
    }
}

/// A thread that marks two objects of one block, in these batches, beside one that writes to some of them, in
/// that order: all orders of their steps.
fn marker_and_mutator(batches: &'static [&'static [usize]], written: &'static [usize]) {
    check(None, move || {
        let world = World::new(2, 1);
        let marker = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for batch in batches {
                    world.mark(0, batch);
                }
            })
        };
        for &object in written {
            world.write_alone(object);
        }
        marker.join().unwrap();
        world.assert_snapshot_complete(2);
    });
}

/// One object, which the marker reads in the first of two batches.
#[test]
fn a_batch_follows() {
    marker_and_mutator(&[&[0], &[1]], &[0]);
}

/// One object at the end of a batch which is longer than the one that follows.
#[test]
fn a_shorter_batch_follows() {
    marker_and_mutator(&[&[1, 0], &[1]], &[0]);
}

/// Two objects in one batch; the second claim finds the flag set.
#[test]
fn two_claims_in_a_batch() {
    marker_and_mutator(&[&[0, 1]], &[1, 0]);
}

/// Three threads: two markers, each with one batch, and a mutator that claims from both.
#[test]
fn two_markers() {
    check(4, || {
        let world = World::new(2, 2);
        let markers = [0, 1].map(|marker| {
            let world = Arc::clone(&world);
            thread::spawn(move || world.mark(marker, &[marker]))
        });
        world.write_alone(1);
        world.write_alone(0);
        for marker in markers {
            marker.join().unwrap();
        }
        world.assert_snapshot_complete(2);
    });
}

/// Three threads: a marker that reads an object of two parts, and two mutators that each want to
/// write to one of them.
#[test]
fn two_mutators() {
    check(None, || {
        let world = World::new(2, 1);
        let marker = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.batches[0].publish(&[1]);
                if !world.is_claimed(0) {
                    for word in &world.objects {
                        // SAFETY: no mutator writes to it. This is what loom checks.
                        let value = word.with(|word| unsafe { *word });
                        assert_eq!(value, OLD);
                    }
                    world.seen[0].fetch_add(1, Ordering::Relaxed);
                }
                world.batches[0].finish();
            })
        };
        let mutator = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.write_part(0, 0))
        };
        world.write_part(0, 1);
        mutator.join().unwrap();
        marker.join().unwrap();
        world.assert_snapshot_complete(1);
    });
}

/// Two claims in one block by two mutators that each have a lock of their own object: the second
/// finds the flag which the first has set, and must still be seen by the marker.
#[test]
fn flag_set_by_another() {
    check(4, || {
        let world = World::new(2, 1);
        let marker = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.mark(0, &[0]))
        };
        let mutator = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.write_alone(1))
        };
        world.write_alone(0);
        mutator.join().unwrap();
        marker.join().unwrap();
        world.assert_snapshot_complete(2);
    });
}

/// A claim is taken back between two writes, with the flag or without, beside a marker that reads the object in two
/// batches: as it was, or as it is when it is not claimed.
fn taken_back(flag: bool) {
    check(4, move || {
        let world = World::new(1, 1);
        let marker = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for _ in 0..2 {
                    world.batches[0].publish(&[1]);
                    if !world.is_claimed(0) {
                        // SAFETY: no mutator writes to it. This is what loom checks.
                        let value = world.objects[0].with(|word| unsafe { *word });
                        assert!(matches!(value, OLD | NEW));
                    }
                    world.batches[0].finish();
                }
            })
        };
        for _ in 0..2 {
            world.claim(0);
            // SAFETY: no marker reads it. This is what loom checks.
            world.objects[0].with_mut(|word| unsafe { *word = NEW });
            unclaim(&world.bits, World::bit(0) | World::bit(0) << 1);
            if flag {
                lower(&world.flags, FLAG);
            }
        }
        marker.join().unwrap();
    });
}

#[test]
fn a_claim_is_taken_back() {
    taken_back(false);
}

#[test]
fn a_claim_is_taken_back_with_its_flag() {
    taken_back(true);
}
