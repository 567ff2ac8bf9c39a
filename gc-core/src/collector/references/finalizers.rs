//! The registry of finalizers, and the queue of those that are to run.
//!
//! A finalizer is registered for one object, which the registry does not keep alive. When a cycle finds the
//! object dead, the finalizer moves to the queue, which does, until somebody takes it from there and
//! runs it. So it runs once; a finalizer that registers another one for the same object is registered anew.
//!
//! Both are made of pieces of bounded size, so that neither grows by copying; and the collector goes
//! through both in steps: through the registry in each cycle with dead objects to look for, through the
//! queue when it marks what is in it.
//!
//! # Invariants
//!
//! 1. The object of a registered finalizer exists: it is enqueued before its object could be freed.
//! 2. What is in the queue is marked in each cycle: when the cycle begins, all pieces are to be visited. One
//!    that is taken while the cycle marks is noted by whoever takes it.
//! 3. What a cycle enqueues is *coming*, and can be neither visited nor taken, until all of it was found: marking
//!    for one would hide others that it leads to.

use std::collections::VecDeque;

use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering};

/// How many finalizers are in a piece.
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
    index: u32,
    generation: u32,
}

/// A place of the registry. The generation tells whom it was given to.
struct Slot {
    generation: u32,
    content: Content,
}

enum Content {
    Used(Finalizer),
    /// The next free place, if there is one.
    Free(Option<u32>),
}

#[derive(Default)]
struct State {
    slots: Vec<Vec<Slot>>,
    free: Option<u32>,
    registered: usize,
    /// How many places of the registry are still to be looked at in this cycle, from the last.
    to_enqueue: usize,
    /// The first piece is taken from.
    queue: VecDeque<VecDeque<Finalizer>>,
    waiting: usize,
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

    /// Registers a finalizer. `None` if there are too many.
    pub(crate) fn register(&self, finalizer: Finalizer) -> Option<Key> {
        let mut state = self.state.lock();
        let state = &mut *state;
        let content = Content::Used(finalizer);
        let index = match state.free {
            Some(index) => index,
            None => {
                if state.slots.last().is_none_or(|piece| piece.len() == PIECE) {
                    state.slots.push(Vec::with_capacity(PIECE));
                }
                let pieces = state.slots.len() - 1;
                let last = &mut state.slots[pieces];
                let index = u32::try_from(pieces * PIECE + last.len()).ok()?;
                last.push(Slot {
                    generation: 0,
                    content: Content::Free(None),
                });
                index
            }
        };
        let slot = &mut state.slots[index as usize / PIECE][index as usize % PIECE];
        if let Content::Free(next) = slot.content
            && state.free == Some(index)
        {
            state.free = next;
        }
        slot.content = content;
        state.registered += 1;
        Some(Key {
            index,
            generation: slot.generation,
        })
    }

    /// Takes a finalizer out of the registry, if it is still there.
    pub(crate) fn unregister(&self, key: Key) -> Option<Finalizer> {
        let mut state = self.state.lock();
        let index = key.index as usize;
        let slot = state.slots.get(index / PIECE)?.get(index % PIECE)?;
        if slot.generation != key.generation {
            return None;
        }
        state.remove(index)
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
        state.to_enqueue = state.slots.len() * PIECE;
        state.registered > 0
    }

    pub(crate) fn is_enqueued(&self) -> bool {
        self.state.lock().to_enqueue == 0
    }

    /// Enqueues some finalizers of objects of which `is_dead` says so, if there are registered ones to be
    /// looked at. How many.
    pub(crate) fn enqueue_some(&self, is_dead: impl Fn(usize) -> bool) -> Option<usize> {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.to_enqueue = state.to_enqueue.checked_sub(PIECE)?;
        let first = state.to_enqueue;
        let mut piece = VecDeque::new();
        for index in first..first + state.slots[first / PIECE].len() {
            let slot = &state.slots[first / PIECE][index - first];
            if let Content::Used(finalizer) = &slot.content
                && is_dead(finalizer.target)
            {
                piece.extend(state.remove(index));
            }
        }
        let found = piece.len();
        if found > 0 {
            state.coming.push(piece);
        }
        Some(found)
    }

    /// All that was to be enqueued was found, or will not be in this cycle: it is in the queue now, and is to
    /// be visited.
    pub(crate) fn finish_enqueuing(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.visited = state.queue.len();
        state.waiting += state.coming.iter().map(VecDeque::len).sum::<usize>();
        state.queue.extend(state.coming.drain(..));
        state.to_visit = state.queue.len();
        // Relaxed: a hint.
        self.waiting.store(state.waiting, Ordering::Relaxed);
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
        }
        state.waiting -= 1;
        // Relaxed: a hint.
        self.waiting.store(state.waiting, Ordering::Relaxed);
        finalizer
    }

    /// How many are registered and not in the queue.
    pub(crate) fn registered(&self) -> usize {
        let state = self.state.lock();
        state.registered + state.coming.iter().map(VecDeque::len).sum::<usize>()
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
        state.waiting = 0;
        // Relaxed: a hint.
        self.waiting.store(0, Ordering::Relaxed);
        core::mem::take(&mut state.queue).into_iter().flatten()
    }
}

impl State {
    /// Takes what is in a place, if it is used.
    fn remove(&mut self, index: usize) -> Option<Finalizer> {
        let slot = &mut self.slots[index / PIECE][index % PIECE];
        if let Content::Free(_) = slot.content {
            return None;
        }
        let free = Content::Free(self.free);
        let Content::Used(finalizer) = core::mem::replace(&mut slot.content, free) else {
            unreachable!("the place was used")
        };
        slot.generation = slot.generation.wrapping_add(1);
        self.free = Some(index as u32);
        self.registered -= 1;
        Some(finalizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(target: usize) -> Finalizer {
        let run: Run = Box::new(|_, _| {});
        Finalizer { target, run }
    }

    #[test]
    fn each_goes_from_the_registry_to_the_queue_once() {
        let finalizers = Finalizers::new();
        let count = 3 * PIECE + 7;
        let keys: Vec<_> = (0..count)
            .map(|i| finalizers.register(some(i)).unwrap())
            .collect();
        assert_eq!(finalizers.unregister(keys[5]).unwrap().target, 5);
        assert!(finalizers.unregister(keys[5]).is_none());
        let again = finalizers.register(some(5)).unwrap();
        assert!(again.index == 5 && again != keys[5]);
        assert!(finalizers.begin_to_enqueue());
        let mut found = 0;
        while let Some(dead) = finalizers.enqueue_some(|target| target % 2 == 1) {
            found += dead;
        }
        assert_eq!((finalizers.waiting(), finalizers.registered()), (0, count));
        finalizers.finish_enqueuing();
        assert_eq!((found, finalizers.waiting()), (count / 2, count / 2));
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
}
