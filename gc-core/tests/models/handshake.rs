//! The handshake: whoever has stopped the world is alone, and nobody waits for ever.

use core::time::Duration;

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};

use crate::check;
use crate::protocol::handshake::{Handshake, Participant, Stopped};
use crate::sync::{Arc, Mutex, yield_now};

struct World {
    handshake: Handshake,
    /// Each mutator writes to one of its own; a stopper to all.
    words: [UnsafeCell<usize>; 2],
}

// SAFETY: the cells are what the model is about: loom checks every access to them.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World {
            handshake: Handshake::new(),
            words: [UnsafeCell::new(0), UnsafeCell::new(0)],
        })
    }

    fn stop(&self) -> Stopped<'_> {
        self.handshake
            .stop(Duration::MAX, |_| panic!("time passes in a model"))
    }

    /// What a mutator does inside.
    fn write(&self, word: usize) {
        // SAFETY: no other mutator writes it, and no stopper while one is inside.
        self.words[word].with_mut(|word| unsafe { *word += 1 });
    }

    /// Stops the world, and writes where mutators write.
    fn stop_and_write(&self, words: usize) {
        let stopped = self.stop();
        for word in 0..words {
            self.write(word);
        }
        drop(stopped);
    }

    fn mutate(&self, me: &Participant, word: usize) {
        self.handshake.enter(me);
        self.write(word);
        self.handshake.leave(me);
    }

    /// A thread that works so many times. It is registered before it begins, because the lock that
    /// this takes would order more than what is to be tried.
    fn mutator(world: &Arc<World>, word: usize, times: usize) -> JoinHandle<()> {
        let world = Arc::clone(world);
        let me = world.handshake.register();
        thread::spawn(move || {
            for _ in 0..times {
                world.mutate(&me, word);
            }
        })
    }
}

/// Two threads: a mutator that works twice, and a stopper that stops once: so that the stop can be
/// before, between and after, and the mutator can be stepping back or leaving.
#[test]
fn mutator_and_stopper() {
    check(None, || {
        let world = World::new();
        let mutator = World::mutator(&world, 0, 2);
        world.stop_and_write(1);
        mutator.join().unwrap();
    });
}

/// Three threads: two mutators that work once, and a stopper that stops once.
#[test]
fn two_mutators() {
    check(4, || {
        let world = World::new();
        let mutators = [0, 1].map(|word| World::mutator(&world, word, 1));
        world.stop_and_write(2);
        for mutator in mutators {
            mutator.join().unwrap();
        }
    });
}

/// Two threads, each of which takes part, works, and stops the other: each is outside when it stops.
#[test]
fn mutators_that_stop() {
    check(4, || {
        let world = World::new();
        let other = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let me = world.handshake.register();
                world.mutate(&me, 0);
                world.stop_and_write(2);
                world.handshake.unregister(&me);
            })
        };
        let me = world.handshake.register();
        world.stop_and_write(2);
        world.mutate(&me, 1);
        world.handshake.unregister(&me);
        other.join().unwrap();
    });
}

/// Three threads: two stoppers, and a mutator that works once.
#[test]
fn two_stoppers() {
    check(4, || {
        let world = World::new();
        let mutator = World::mutator(&world, 0, 1);
        let stopper = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.stop_and_write(1))
        };
        world.stop_and_write(1);
        stopper.join().unwrap();
        mutator.join().unwrap();
    });
}

/// Two threads: a mutator that registers, works, and goes, and a stopper.
#[test]
fn come_and_go() {
    check(None, || {
        let world = World::new();
        let mutator = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let me = world.handshake.register();
                world.mutate(&me, 0);
                world.handshake.unregister(&me);
            })
        };
        world.stop_and_write(1);
        mutator.join().unwrap();
    });
}

/// Two threads: a mutator that unregisters when it is inside, and a stopper.
#[test]
fn unregister_inside() {
    check(None, || {
        let world = World::new();
        let me = world.handshake.register();
        let mutator = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.handshake.enter(&me);
                world.write(0);
                world.handshake.unregister(&me);
            })
        };
        world.stop_and_write(1);
        mutator.join().unwrap();
    });
}

/// Two threads: one ends inside, and then the other stops the world, which knows of the end only by
/// the participant.
#[test]
fn end_inside() {
    check(None, || {
        let world = World::new();
        let participant = Arc::new(Mutex::new(None));
        let thread = {
            let (world, participant) = (Arc::clone(&world), Arc::clone(&participant));
            thread::spawn(move || {
                let me = world.handshake.register();
                *participant.lock() = Some(Arc::clone(&me));
                world.handshake.enter(&me);
                world.write(0);
            })
        };
        // The stopper would look every few milliseconds. Time does not pass in a model, so it begins
        // when the thread has ended. It has seen what the thread did, or this asserts nothing: the
        // lock orders only the registration.
        let participant = loop {
            if let Some(participant) = participant.lock().take() {
                break participant;
            }
            yield_now();
        };
        while !participant.has_ended() {
            yield_now();
        }
        world.stop_and_write(1);
        thread.join().unwrap();
    });
}
