//! The way of a pointer from the mark stack to its object.
//!
//! A pointer that is taken off the stack is not looked at yet: its metadata and its object are prefetched, and it
//! enters a ring. It leaves the ring when [`QUEUE`] others have come after it, and by then both are in the cache; or when
//! there are no others.

use super::Marker;
use crate::heap::planes::bit;
use crate::os::prefetch;

/// How many pointers are on their way from memory at a time.
pub(super) const QUEUE: usize = u32::BITS as usize;

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
        // One loop, so that the compiler puts marking and scanning in line.
        loop {
            let target = if let Some(address) = self.backlog.stack.pop() {
                prefetch(self.planes.group_address(address));
                prefetch(address);
                let place = self.oldest % QUEUE;
                self.oldest = place + 1;
                let target = core::mem::replace(&mut self.queue[place], address);
                if target == NOTHING {
                    self.occupied |= 1 << place;
                    continue;
                }
                target
            } else if self.occupied != 0 {
                // Nothing new: the next that is in the queue leaves it, with no turn for each empty place. A list would
                // have all but one of them.
                let from = self.oldest % QUEUE;
                let empty = self.occupied.rotate_right(from as u32).trailing_zeros();
                let place = (from + empty as usize) % QUEUE;
                self.oldest = place + 1;
                self.occupied &= !(1 << place);
                core::mem::replace(&mut self.queue[place], NOTHING)
            } else {
                if CONCURRENT {
                    self.scan_pending();
                }
                if self.backlog.stack.is_empty() {
                    return;
                }
                continue;
            };
            self.mark(target);
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
        self.occupied = 0;
    }

    /// Marks and scans an object, unless it is marked.
    #[inline(always)]
    fn mark(&mut self, target: usize) {
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(target) };
        if !group.is_unmarked_start(target) {
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
