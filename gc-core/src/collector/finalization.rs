//! Finalization calls: the program looks at what is dead, in a cycle that is paused where marking is finished.
//!
//! A *finalization* call sees objects that are not marked, and must be able to without keeping them alive
//! ([`GcWeak::upgrade`](crate::GcWeak::upgrade) as `gc-arena` has it). So in such a call, and only there, a
//! pointer to an unmarked object may be written to where it can be reached. A barrier that looks at what is
//! overwritten says nothing of that. So during such a call it claims nothing: it keeps a list of the objects
//! that are written, and when the call is over, what the marked ones of these hold is noted, and what the roots
//! do. What is made in the call is claimed from the beginning, as throughout the pause.
//!
//! Why nothing is lost: no marker is at work during the call. Take the moment at its end as a new snapshot.
//! An object that can be reached then is marked and not written in the call, and so are all that it
//! leads to; or it is marked, and what it leads to is noted; or it is not marked, and then one of the
//! pointers on the way to it is noted, for the first unmarked object on that way is pointed at by the roots
//! or by a marked object that was written in the call. Those that are marked later are scanned then, as
//! nobody has claimed them; or they were made during the pause, and the round that comes before marking ends
//! scans them ([`rescan`](super::rescan)). So all of it is marked when marking ends.

use super::snapshot_buffer::SnapshotBuffer;
use super::{Collector, Roots};
use crate::heap::start::ObjectStart;
use crate::types::descriptor::Described;

impl Collector {
    /// Puts what the roots hold into the buffer, and what the marked objects hold that a finalization call has
    /// written: the objects at these starts, some of which may be there more than once.
    ///
    /// If a `trace` panics, the cycle must be aborted.
    ///
    /// # Safety
    ///
    /// 1. The call is over, and no other `mutate` call is running.
    /// 2. This is the heap's one mutator.
    /// 3. All of these objects are in the heap, and none was freed: the cycle still marks.
    pub(crate) unsafe fn note_kept(
        &self,
        mut written: Vec<usize>,
        roots: &Roots<'_>,
        buffer: &mut SnapshotBuffer,
    ) {
        roots(&mut buffer.visitor(self));
        // SAFETY: an object of this heap starts at each (3). No mutator is at work (1), and this thread may trace them
        // (2). No marker is either, as the cycle is paused, and nobody sweeps. So their tags can be made anew: a dirty
        // object must have been claimed, and what a finalization call writes is not.
        unsafe {
            for &start in &written {
                self.retag_written(start);
            }
            // Most that finalization calls write is dead.
            written.retain(|&start| self.heap.planes().is_marked(start));
            written.sort_unstable();
            written.dedup();
            for start in written {
                self.note_contents(start, buffer);
            }
        }
        // So that the cycle is paused as before if nothing new has come up.
        buffer.drop_marked(&self.heap);
    }

    /// Makes the tags of the object at `start` right, if they may be wrong. A panic of its `trace` goes through.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there. No mutator and no marker is at work, and nothing is swept. The heap has one
    /// mutator, which this thread is.
    unsafe fn retag_written(&self, start: usize) {
        // SAFETY: an object of this heap starts there. It is looked at as a described one only if its block is. Nobody
        // else looks at its tags, and this thread may trace it.
        unsafe {
            let object_start = ObjectStart::new_unchecked(start);
            if self.heap.state_of(object_start).is_described()
                && let Some(object) = Described::at(self.heap.extent_of(object_start))
                && !object.descriptor().external
                && object.descriptor().moves
                && self.heap.is_dirty(object_start)
            {
                self.heap.retag(object);
            }
        }
    }

    /// Makes the tags of all objects right. A panic of a `trace` goes through.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running, and no cycle is in progress.
    pub(crate) unsafe fn retag_stale(&self) {
        let unknown = self.has_unknown_writes();
        // SAFETY: no mutator is at work, and nothing is swept, as no cycle is in progress (the caller's promises).
        // So objects of this heap can be visited and tagged.
        unsafe {
            self.each_described(|object, start| {
                let descriptor = object.descriptor();
                let tagged = descriptor.moves && !descriptor.external;
                if tagged && (unknown || self.heap.is_dirty(start)) {
                    self.heap.retag(object);
                }
            });
        }
    }

    /// Calls `f` with each described object that has a value, and its start.
    ///
    /// # Safety
    ///
    /// No mutator is at work, and nothing is swept meanwhile.
    pub(crate) unsafe fn each_described(&self, mut f: impl FnMut(Described, ObjectStart)) {
        let heap = &self.heap;
        for block in heap.occupied_blocks() {
            if heap.state(block).is_described() {
                heap.each_start(block, |start| {
                    // SAFETY: the object is in a described block.
                    let object = unsafe { Described::at(heap.extent_of(start)) };
                    if let Some(object) = object {
                        f(object, start);
                    }
                });
            }
        }
    }
}
