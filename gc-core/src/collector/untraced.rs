//! Untraced objects: what a write barrier claims without a look at what it holds.
//!
//! The pointers of an *opaque* object are known to its own `trace` alone, which is code of the user's. A barrier does not
//! call it ([`claim`](super::claim)), so the snapshot has a hole: nobody knows what the object held. The cycle then scans
//! again at its end what was written or allocated since it began ([`rescan`](super::rescan)), which needs no snapshot.
//! Without this module each cycle would, in any program that writes to an opaque object now and then.
//!
//! Programs often write to the same few: an interner, a table of globals. So the object is remembered here. When the
//! next cycle begins, it is traced at the safepoint, where nobody has guards, and its contents are kept. A barrier in
//! that cycle takes these contents, and the snapshot has no hole: they are what the object held at the snapshot, since
//! nothing is written to an object in a cycle before the barrier has claimed it. Contents that no barrier takes lead
//! nowhere, so remembering an object keeps nothing alive. An object that no barrier has claimed in a cycle is forgotten
//! when the next begins.
//!
//! A program that writes to more opaque objects than are remembered has a hole in each snapshot. To trace all of them
//! when a cycle begins would be a pause without a bound. So its next cycles take no snapshot of what is written: they
//! *remember writes* from their beginning, as if the program polled weak pointers to dead objects. Then nothing that is
//! allocated is kept for having been allocated, and what is scanned again is alive.
//!
//! Such cycles scan what was written as it is then. Contents from their beginning are of no use to them, and are not
//! kept.
//!
//! Writes in a finalization call make no claims, so contents are forgotten after one. They are also forgotten when
//! marking is over.

use std::collections::BTreeMap;

use super::snapshot_buffer::SnapshotBuffer;
use crate::sync::Mutex;

/// At most so many objects are remembered: each is traced once more in each cycle.
const MOST: usize = 256;

/// What is remembered of an object.
struct Object {
    /// What it held when the cycle in progress began.
    contents: Option<SnapshotBuffer>,
    /// Whether a barrier has asked for it since the last cycle began that took contents.
    written: bool,
}

/// See the [module documentation](self).
#[derive(Default)]
pub(crate) struct Untraced(Mutex<Objects>);

#[derive(Default)]
struct Objects {
    by_start: BTreeMap<usize, Object>,
    /// Whether there was no room for one.
    overflowed: bool,
}

impl Untraced {
    /// Takes what the object at `start` held when the cycle began. If that is not known, the object is remembered, if
    /// there is room.
    pub(super) fn take(&self, start: usize) -> Option<SnapshotBuffer> {
        let mut objects = self.0.lock();
        let room = objects.by_start.len() < MOST;
        if let Some(object) = objects.by_start.get_mut(&start) {
            object.written = true;
            return object.contents.take();
        }
        if room {
            let (contents, written) = (None, true);
            objects.by_start.insert(start, Object { contents, written });
        }
        objects.overflowed |= !room;
        None
    }

    /// Traces each object by `trace`, and keeps its contents. An object for which there are none is forgotten, and so is
    /// one that was not written since the last time. If `trace` panics, all objects are forgotten.
    pub(super) fn trace_all(&self, mut trace: impl FnMut(usize) -> Option<SnapshotBuffer>) {
        // `trace` is the user's code: it runs without the lock.
        let mut by_start = core::mem::take(&mut self.0.lock().by_start);
        by_start.retain(|start, object| {
            let written = core::mem::take(&mut object.written);
            object.contents = written.then(|| trace(*start)).flatten();
            object.contents.is_some()
        });
        self.0.lock().by_start = by_start;
    }

    /// Whether there was no room for some object since this was asked last.
    pub(super) fn have_overflowed(&self) -> bool {
        core::mem::take(&mut self.0.lock().overflowed)
    }

    /// Forgets the contents of all objects.
    pub(crate) fn forget_contents(&self) {
        for object in self.0.lock().by_start.values_mut() {
            object.contents = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_taken_once_and_only_in_their_cycle() {
        let objects = Untraced::default();
        assert!(objects.take(16).is_none() && objects.take(16).is_none());
        assert!(objects.take(32).is_none());
        let mut traced = Vec::new();
        objects.trace_all(|start| {
            traced.push(start);
            (start == 16).then(SnapshotBuffer::default)
        });
        assert_eq!(traced, [16, 32]);
        assert!(objects.take(32).is_none());
        assert!(objects.take(16).is_some() && objects.take(16).is_none());
        let mut traced = Vec::new();
        objects.trace_all(|start| {
            traced.push(start);
            Some(SnapshotBuffer::default())
        });
        assert_eq!(traced, [16, 32]);
        objects.forget_contents();
        assert!(objects.take(16).is_none());
    }

    #[test]
    fn what_is_not_written_any_more_is_forgotten() {
        let objects = Untraced::default();
        assert!(objects.take(16).is_none());
        objects.trace_all(|_| Some(SnapshotBuffer::default()));
        objects.trace_all(|_| unreachable!("nobody has written to it"));
        assert!(objects.take(16).is_none());
    }

    #[test]
    fn there_are_not_many() {
        let objects = Untraced::default();
        let write = |count: usize| {
            for start in 0..count {
                assert!(objects.take(start * 16).is_none());
            }
        };
        write(MOST);
        assert!(!objects.have_overflowed());
        write(MOST + 1);
        assert!(objects.have_overflowed() && !objects.have_overflowed());
        let mut traced = 0;
        objects.trace_all(|_| {
            traced += 1;
            None
        });
        assert_eq!(traced, MOST);
    }
}
