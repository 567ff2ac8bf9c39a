//! Objects that cannot be asked for their pointers when they are about to be written.
//!
//! A write barrier may have to ask an object for its pointers (`claim`). Code that holds a guard of the object when
//! it calls the barrier makes that impossible: `trace` cannot borrow what is borrowed. Interners are
//! commonly written so: look up, and call the barrier where something new is inserted. A guard that was leaked does the same
//! for ever. Without more, each such write would give up the cycle.
//!
//! So an object whose `trace` has met a guard, or panicked, in a barrier is remembered here. When a later cycle begins, it is asked
//! at the safepoint, where nobody has guards, and what it said is kept. A barrier in that cycle does not ask it, but
//! takes the answer from here: it is the object's contents at the snapshot, since nothing is written to an
//! object in a cycle before the barrier has claimed it. An answer that no barrier needs leads nowhere, so nothing
//! is kept alive by being remembered.
//!
//! In a cycle that scans again what was written ([`rescan`](super::rescan)), an object is asked after it was written as well.
//! There answers are not used: they are out of date.
//!
//! Writes in a finalization call are not claimed; after one, answers count no more. Nor do they after marking.

use super::snapshot_buffer::SnapshotBuffer;
use crate::sync::Mutex;

/// At most so many are remembered: each is asked once more in each cycle.
const MOST: usize = 64;

/// One of them.
struct FailedTrace {
    /// Its address.
    start: usize,
    /// What it said when the cycle in progress began.
    contents: Option<SnapshotBuffer>,
}

/// See the [module documentation](self).
#[derive(Default)]
pub(crate) struct FailedTraces(Mutex<Vec<FailedTrace>>);

impl FailedTraces {
    /// Remembers the object at `start`, if it is not remembered and there is room.
    pub(crate) fn add(&self, start: usize) {
        let mut objects = self.0.lock();
        if objects.len() < MOST && objects.iter().all(|object| object.start != start) {
            let contents = None;
            objects.push(FailedTrace { start, contents });
        }
    }

    /// Keeps what `ask` says of each object, and forgets those of which it says nothing. If it panics, they
    /// are all forgotten.
    pub(crate) fn trace_all(&self, mut trace: impl FnMut(usize) -> Option<SnapshotBuffer>) {
        // `ask` is code of the user's: it runs without the lock.
        let mut objects = core::mem::take(&mut *self.0.lock());
        objects.retain_mut(|object| {
            object.contents = trace(object.start);
            object.contents.is_some()
        });
        *self.0.lock() = objects;
    }

    /// What the object at `start` held when the cycle began, if that is known. It is told once.
    pub(crate) fn take(&self, start: usize) -> Option<SnapshotBuffer> {
        let mut objects = self.0.lock();
        let mut objects = objects.iter_mut();
        let object = objects.find(|object| object.start == start)?;
        object.contents.take()
    }

    /// Forgets what the objects said.
    pub(crate) fn forget_contents(&self) {
        for object in &mut *self.0.lock() {
            object.contents = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_once_and_only_in_their_cycle() {
        let objects = FailedTraces::default();
        objects.add(16);
        objects.add(16);
        objects.add(32);
        assert!(objects.take(16).is_none());
        let mut traced = Vec::new();
        objects.trace_all(|start| {
            traced.push(start);
            (start == 16).then(SnapshotBuffer::default)
        });
        assert_eq!(traced, [16, 32]);
        assert!(objects.take(32).is_none());
        assert!(objects.take(16).is_some() && objects.take(16).is_none());
        objects.trace_all(|start| {
            assert_eq!(start, 16);
            Some(SnapshotBuffer::default())
        });
        objects.forget_contents();
        assert!(objects.take(16).is_none());
    }

    #[test]
    fn there_are_not_many() {
        let objects = FailedTraces::default();
        (0..1000).for_each(|number| objects.add(number * 16));
        let mut traced = 0;
        objects.trace_all(|_| {
            traced += 1;
            None
        });
        assert_eq!(traced, MOST);
    }
}
