//! Failed traces: objects that a write barrier could not, or would not, trace.
//!
//! A write barrier may have to trace an object ([`claim`](super::claim)). It cannot if the code that calls it holds
//! a guard of the object, as `trace` cannot borrow what is borrowed. Interners are commonly written so: look up,
//! and call the barrier where something new is inserted. A leaked guard does the same for ever. So the barrier claims
//! such an object without a look at it, and the cycle scans it again at its end ([`rescan`](super::rescan)), with all
//! else that was written or allocated since. Without this module each cycle would.
//!
//! So the object is remembered here. When the next cycle begins, it is traced at the safepoint, where nobody has
//! guards, and its contents are kept. A barrier in that cycle takes these contents and does not trace the object: they
//! are what it held at the snapshot, since nothing is written to an object in a cycle before the barrier has claimed
//! it. Contents that no barrier takes lead nowhere, so remembering an object keeps nothing alive. An object that no
//! barrier has claimed in a cycle is forgotten when the next begins.
//!
//! In a cycle that scans again what was written, an object is also traced after it was written. There, contents of the
//! snapshot are not used: they are out of date.
//!
//! Writes in a finalization call make no claims, so contents are forgotten after one. They are also forgotten when
//! marking is over.

use std::collections::BTreeMap;

use super::snapshot_buffer::SnapshotBuffer;
use crate::sync::Mutex;

/// At most so many objects are remembered: each is traced once more in each cycle.
const MOST: usize = 256;

/// What is remembered of an object.
struct FailedTrace {
    /// What it held when the cycle in progress began.
    contents: Option<SnapshotBuffer>,
    /// Whether a barrier has asked for it since the last cycle began that took contents.
    written: bool,
}

/// See the [module documentation](self).
#[derive(Default)]
pub(crate) struct FailedTraces(Mutex<BTreeMap<usize, FailedTrace>>);

impl FailedTraces {
    /// Remembers the object at `start`, if there is room.
    pub(crate) fn add(&self, start: usize) {
        let mut objects = self.0.lock();
        if let Some(object) = objects.get_mut(&start) {
            object.written = true;
        } else if objects.len() < MOST {
            let (contents, written) = (None, true);
            objects.insert(start, FailedTrace { contents, written });
        }
    }

    /// Traces each object by `trace`, and keeps its contents. An object for which there are none is forgotten, and so is
    /// one that was not written since the last time. If `trace` panics, all objects are forgotten.
    pub(crate) fn trace_all(&self, mut trace: impl FnMut(usize) -> Option<SnapshotBuffer>) {
        // `trace` is the user's code: it runs without the lock.
        let mut objects = core::mem::take(&mut *self.0.lock());
        objects.retain(|start, object| {
            let written = core::mem::take(&mut object.written);
            object.contents = written.then(|| trace(*start)).flatten();
            object.contents.is_some()
        });
        *self.0.lock() = objects;
    }

    /// Takes what the object at `start` held when the cycle began, if that is known.
    pub(crate) fn take(&self, start: usize) -> Option<SnapshotBuffer> {
        let mut objects = self.0.lock();
        let object = objects.get_mut(&start)?;
        object.written = true;
        object.contents.take()
    }

    /// Whether it is known what the object at `start` held when the cycle began.
    pub(crate) fn has_contents(&self, start: usize) -> bool {
        let objects = self.0.lock();
        objects
            .get(&start)
            .is_some_and(|object| object.contents.is_some())
    }

    /// Forgets the contents of all objects.
    pub(crate) fn forget_contents(&self) {
        for object in self.0.lock().values_mut() {
            object.contents = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_taken_once_and_only_in_their_cycle() {
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
    fn what_is_not_written_any_more_is_forgotten() {
        let objects = FailedTraces::default();
        objects.add(16);
        objects.trace_all(|_| Some(SnapshotBuffer::default()));
        objects.trace_all(|_| unreachable!("nobody has written to it"));
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
