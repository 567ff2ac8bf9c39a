//! The way of a pointer from the mark stack to its object.
//!
//! A pointer that is taken off the stack is not looked at yet: its metadata and its object are prefetched, and it
//! enters a ring. It leaves the ring when [`QUEUE`] others have come after it, and by then both are in the cache.

use super::Marker;
use crate::heap::planes::bit;
use crate::os::prefetch;

/// How many pointers are on their way from memory at a time.
pub(super) const QUEUE: usize = 32;

/// An empty place in the queue.
pub(super) const NOTHING: usize = 0;

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Notes a strong pointer.
    pub(in crate::collector) fn push(&mut self, target: usize) {
        if self.is_candidate(target) && !self.backlog.stack.push(target) {
            self.defer(target);
        }
    }

    /// Takes pointers off the mark stack, by way of the queue, until both are empty or so many were taken; the
    /// queue then stays as it is, for an interruption would cost all the waits for memory in it.
    #[inline(never)]
    pub(super) fn drain(&mut self, limit: usize) {
        let mut left = limit;
        // For how long nothing has entered the queue.
        let mut idle = 0;
        self.queued = true;
        // One loop, so that the compiler puts marking and scanning in line.
        loop {
            let mut next = NOTHING;
            if let Some(address) = self.backlog.stack.pop() {
                prefetch(self.planes.group_address(address));
                prefetch(address);
                next = address;
                idle = 0;
            } else {
                // Nothing new: let what is in the queue leave it, as long as nothing comes of that.
                idle += 1;
                if idle > QUEUE {
                    if CONCURRENT {
                        self.scan_pending();
                    }
                    if self.backlog.stack.is_empty() {
                        self.queued = false;
                        return;
                    }
                }
            }
            let target = core::mem::replace(&mut self.queue[self.oldest % QUEUE], next);
            self.oldest = (self.oldest + 1) % QUEUE;
            if target != NOTHING {
                self.mark(target);
            }
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }

    /// Puts what is in the queue back onto the mark stack.
    pub(super) fn empty_queue(&mut self) {
        for target in core::mem::replace(&mut self.queue, [NOTHING; QUEUE]) {
            if target != NOTHING {
                self.push(target);
            }
        }
        self.queued = false;
    }

    /// Marks and scans an object, unless it is marked.
    #[inline(always)]
    fn mark(&mut self, target: usize) {
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(target) };
        if group.marks() & bit(target) != 0 || group.extents.get() & bit(target) == 0 {
            return;
        }
        self.insert_mark(target, group, bit(target));
        if CONCURRENT {
            self.scan_later(target);
        } else {
            self.scan(target, group);
        }
    }
}
