//! The registry of finalizers, and the queue of those that are to run.
//!
//! A finalizer is registered for one object, which the registry does not keep alive. When a cycle finds the
//! object dead, the finalizer moves to the queue, which does, until somebody takes it from there and
//! runs it. So it runs once; a finalizer that registers another one for the same object is registered anew.
//!
//! Both are made of pieces of bounded size, so that neither grows by copying, and memory that they need no more is given
//! back; and the collector goes through both in steps: through the registry in each cycle with dead objects to look
//! for, through the queue when it marks what is in it.
//!
//! # Invariants
//!
//! 1. The object of a registered finalizer exists: it is enqueued before its object could be freed.
//! 2. What is in the queue is marked in each cycle: when the cycle begins, all pieces are to be visited. One
//!    that is taken while the cycle marks is noted by whoever takes it.
//! 3. What a cycle enqueues is *coming*, and can be neither visited nor taken, until all of it was found: marking
//!    for one would hide others that it leads to.

use std::collections::VecDeque;

use crate::protocol::slot_table::SlotTable;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering};

/// How many finalizers are looked at under the lock, and about how many are in a piece of the queue.
const PIECE: usize = 512;

/// What runs: gets the address of the `Mutation` of the call in which it does, and that of the object.
pub(crate) type Run = Box<dyn FnOnce(*const (), usize)>;

/// A finalizer of the object at `target`.
pub(crate) struct Finalizer {
    pub(crate) target: usize,
    pub(crate) run: Run,
}

// SAFETY: a finalizer of a heap with one mutator is made, run and dropped by that one, which is at the
// safepoint whenever somebody moves it; that of a heap with many is made of what is `Send`, which whoever
// registers it sees to.
unsafe impl Send for Finalizer {}

/// Names a registered finalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: usize,
    /// What was the how manyth to be registered.
    serial: u64,
}

/// An entry of the registry.
#[derive(Default)]
struct Registered {
    serial: u64,
    /// There is one in each entry in use.
    finalizer: Option<Finalizer>,
}

#[derive(Default)]
struct State {
    registry: SlotTable<Registered>,
    /// How many were registered ever.
    serial: u64,
    /// From where on the registry is still to be looked at in this cycle.
    to_enqueue: Option<usize>,
    /// The first piece is taken from.
    queue: VecDeque<VecDeque<Finalizer>>,
    waiting: usize,
    /// How many bytes of the heap those in the queue keep, about.
    bytes: usize,
    /// Which pieces of the queue are still to be visited in this cycle: from one to before another.
    visited: usize,
    to_visit: usize,
    /// What will be added to the queue.
    coming: Vec<VecDeque<Finalizer>>,
}

/// See the [module documentation](self).
pub(crate) struct Finalizers {
    state: Mutex<State>,
    /// The number in the queue, to be looked at without the lock.
    waiting: AtomicUsize,
    /// What tells the registries of all heaps apart.
    number: u64,
}

impl Finalizers {
    pub(crate) fn new() -> Finalizers {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Finalizers {
            state: Mutex::default(),
            waiting: AtomicUsize::new(0),
            // Relaxed: a figure by itself.
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Registers a finalizer.
    pub(crate) fn register(&self, finalizer: Finalizer) -> Key {
        let mut state = self.state.lock();
        state.serial += 1;
        let serial = state.serial;
        let finalizer = Some(finalizer);
        let index = state.registry.add(Registered { serial, finalizer });
        Key { index, serial }
    }

    /// Takes a finalizer out of the registry, if it is still there.
    pub(crate) fn unregister(&self, key: Key) -> Option<Finalizer> {
        let mut state = self.state.lock();
        if state.registry.get_mut(key.index)?.serial != key.serial {
            return None;
        }
        state.registry.remove(key.index)?.finalizer
    }

    /// A cycle begins, and what is in the queue is to be visited.
    pub(crate) fn begin_to_visit(&self) {
        let mut state = self.state.lock();
        (state.visited, state.to_visit) = (0, state.queue.len());
    }

    pub(crate) fn is_visited(&self) -> bool {
        let state = self.state.lock();
        state.to_visit <= state.visited
    }

    /// Visits some objects of the queue, if there are some to be visited.
    pub(crate) fn visit_some(&self) -> Option<Vec<usize>> {
        let mut state = self.state.lock();
        if state.to_visit <= state.visited {
            return None;
        }
        state.to_visit -= 1;
        let piece = &state.queue[state.to_visit];
        Some(piece.iter().map(|finalizer| finalizer.target).collect())
    }

    /// Calls `f` with each object of the queue.
    pub(crate) fn each_waiting(&self, mut f: impl FnMut(usize)) {
        let state = self.state.lock();
        let waiting = state.queue.iter().flatten();
        waiting.for_each(|finalizer| f(finalizer.target));
    }

    /// It is known what is dead, and finalizers of that are to be enqueued. Whether there can be any.
    pub(crate) fn begin_to_enqueue(&self) -> bool {
        let mut state = self.state.lock();
        let there_are_some = state.registry.len() > 0;
        state.to_enqueue = there_are_some.then_some(0);
        there_are_some
    }

    pub(crate) fn is_enqueued(&self) -> bool {
        self.state.lock().to_enqueue.is_none()
    }

    /// Looks at some registered finalizers, if there are some to be looked at, and enqueues those of objects of which
    /// `is_dead` says so. At how many.
    pub(crate) fn enqueue_some(&self, is_dead: impl Fn(usize) -> bool) -> Option<usize> {
        let mut state = self.state.lock();
        let state = &mut *state;
        let mut from = state.to_enqueue;
        from?;
        let (mut looked, mut dead) = (0, Vec::new());
        while let Some(index) = from
            && looked < PIECE
        {
            from = state.registry.visit_some(index, |index, entry| {
                looked += 1;
                let target = entry.finalizer.as_ref().map(|finalizer| finalizer.target);
                if target.is_some_and(&is_dead) {
                    dead.push(index);
                }
            });
        }
        state.to_enqueue = from;
        let found = dead
            .into_iter()
            .filter_map(|index| state.registry.remove(index));
        let found = found.filter_map(|entry| entry.finalizer);
        // Pieces of what is found here and there would be many, and small.
        match state.coming.last_mut() {
            Some(last) if last.len() < PIECE => last.extend(found),
            _ => {
                let piece: VecDeque<Finalizer> = found.collect();
                if !piece.is_empty() {
                    state.coming.push(piece);
                }
            }
        }
        Some(looked)
    }

    /// All that was to be enqueued was found, or will not be in this cycle: it is in the queue now, and is to
    /// be visited.
    pub(crate) fn finish_enqueuing(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.visited = state.queue.len();
        state.waiting += state.coming.iter().map(VecDeque::len).sum::<usize>();
        state.queue.extend(core::mem::take(&mut state.coming));
        state.to_visit = state.queue.len();
        // Relaxed: a hint.
        self.waiting.store(state.waiting, Ordering::Relaxed);
    }

    /// What was enqueued keeps so many bytes of the heap.
    pub(crate) fn note_bytes(&self, bytes: usize) {
        self.state.lock().bytes += bytes;
    }

    /// How many bytes of the heap the queue keeps: about, for each in it is taken to keep the same.
    pub(crate) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// How many are in the queue.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        // Relaxed: a hint.
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes the first finalizer out of the queue.
    pub(crate) fn take(&self) -> Option<Finalizer> {
        let mut state = self.state.lock();
        let first = state.queue.front_mut()?;
        let finalizer = first.pop_front();
        if first.is_empty() {
            state.queue.pop_front();
            state.visited = state.visited.saturating_sub(1);
            state.to_visit = state.to_visit.saturating_sub(1);
            if state.queue.len() < state.queue.capacity() / 4 {
                let length = state.queue.len();
                state.queue.shrink_to(2 * length);
            }
        }
        state.bytes -= state.bytes / state.waiting;
        state.waiting -= 1;
        // Relaxed: a hint.
        self.waiting.store(state.waiting, Ordering::Relaxed);
        finalizer
    }

    /// How many are registered and not in the queue.
    pub(crate) fn registered(&self) -> usize {
        let state = self.state.lock();
        state.registry.len() + state.coming.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Enqueues all that are registered: the heap is at its end.
    pub(crate) fn enqueue_all(&self) {
        self.begin_to_enqueue();
        while self.enqueue_some(|_| true).is_some() {}
        self.finish_enqueuing();
    }

    /// Takes everything out.
    pub(crate) fn take_all(&self) -> impl Iterator<Item = Finalizer> + use<> {
        self.enqueue_all();
        let mut state = self.state.lock();
        (state.waiting, state.bytes) = (0, 0);
        // Relaxed: a hint.
        self.waiting.store(0, Ordering::Relaxed);
        core::mem::take(&mut state.queue).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::slot_table::LEAF;

    fn some(target: usize) -> Finalizer {
        let run: Run = Box::new(|_, _| {});
        Finalizer { target, run }
    }

    #[test]
    fn each_goes_from_the_registry_to_the_queue_once() {
        let finalizers = Finalizers::new();
        let count = 3 * PIECE + 7;
        let keys: Vec<_> = (0..count).map(|i| finalizers.register(some(i))).collect();
        assert_eq!(finalizers.unregister(keys[5]).unwrap().target, 5);
        assert!(finalizers.unregister(keys[5]).is_none());
        let again = finalizers.register(some(5));
        assert!(again.index == 5 && again != keys[5]);
        assert!(finalizers.begin_to_enqueue());
        let mut looked = 0;
        while let Some(some) = finalizers.enqueue_some(|target| target % 2 == 1) {
            assert!(some < PIECE + LEAF);
            looked += some;
        }
        assert_eq!((finalizers.waiting(), finalizers.registered()), (0, count));
        finalizers.finish_enqueuing();
        assert_eq!((looked, finalizers.waiting()), (count, count / 2));
        assert!(finalizers.unregister(again).is_none());
        finalizers.begin_to_visit();
        let mut visited = finalizers.visit_some().unwrap().len();
        let mut taken = 0;
        while let Some(finalizer) = finalizers.take() {
            assert_eq!(finalizer.target % 2, 1);
            taken += 1;
            if taken == PIECE {
                while let Some(some) = finalizers.visit_some() {
                    visited += some.len();
                }
            }
        }
        assert_eq!(taken, count / 2);
        assert!(visited + PIECE >= count / 2 && finalizers.is_visited());
        assert_eq!(finalizers.registered(), count - count / 2);
        assert_eq!(finalizers.take_all().count(), count - count / 2);
        assert_eq!((finalizers.registered(), finalizers.waiting()), (0, 0));
    }
    /// A burst of them is over, and later cycles look at what is left.
    #[test]
    fn a_burst_leaves_nothing_behind() {
        let finalizers = Finalizers::new();
        let look = |is_dead: fn(usize) -> bool| {
            finalizers.begin_to_enqueue();
            let looked = core::iter::from_fn(|| finalizers.enqueue_some(is_dead)).sum::<usize>();
            finalizers.finish_enqueuing();
            looked
        };
        let count = 100_000;
        let stale: Vec<Key> = (0..count).map(|i| finalizers.register(some(i))).collect();
        assert_eq!(look(|target| target != 5000), count);
        assert_eq!(look(|_| false), 1);
        core::iter::from_fn(|| finalizers.take()).for_each(drop);
        let (bytes, pieces) = {
            let state = finalizers.state.lock();
            (state.registry.bytes(), state.queue.capacity())
        };
        // What one finalizer takes, and one piece that is kept for the next.
        assert!(bytes < 3 * LEAF * size_of::<Registered>() + 4096, "{bytes}");
        assert!(pieces < 16, "{pieces}");
        // Memory was given back, and yet no key names another finalizer than its own.
        let again: Vec<Key> = (0..count).map(|i| finalizers.register(some(i))).collect();
        for (number, key) in stale.into_iter().enumerate() {
            assert_eq!(finalizers.unregister(key).is_some(), number == 5000);
        }
        assert!(
            again
                .into_iter()
                .all(|key| finalizers.unregister(key).is_some())
        );
    }
}
