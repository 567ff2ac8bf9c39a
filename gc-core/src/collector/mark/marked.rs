//! Objects that are marked, and still to be scanned: those to which pointers [outside](super::outside) of the heap lead.
//!
//! They have a stack of their own, for there is nothing to find out about them before they are scanned. Some are taken off
//! it at a time and prefetched, and scanned when those before them are.

use super::Marker;
use super::stack::MarkStack;
use crate::os::prefetch;
use crate::protocol::claim::BATCH;

/// So many rounds come before anything else is looked at.
const ROUNDS: usize = 16;

#[derive(Default)]
pub(super) struct Marked {
    pub(super) stack: MarkStack,
    /// The first `count` are on their way from memory.
    coming: [usize; BATCH],
    count: usize,
}

impl Marked {
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0 && self.stack.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.count + self.stack.len()
    }

    /// Takes those that were sent for, and sends for others.
    #[inline(always)]
    fn next(&mut self) -> ([usize; BATCH], usize) {
        let arrived = (self.coming, self.count);
        let some = self.stack.len().min(BATCH);
        for place in 0..some {
            self.coming[place] = self.stack.pop().unwrap_or_default();
            prefetch(self.coming[place]);
        }
        self.count = some;
        arrived
    }

    /// Takes all.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = usize> {
        let coming = self
            .coming
            .into_iter()
            .take(core::mem::take(&mut self.count));
        coming.chain(self.stack.take_all())
    }
}

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Scans some of these objects. Afterwards nothing is left that was found in what they own.
    #[inline(never)]
    pub(super) fn scan_marked(&mut self) {
        for _ in 0..ROUNDS {
            let (arrived, count) = self.backlog.marked.next();
            for &target in &arrived[..count.min(BATCH)] {
                if CONCURRENT {
                    self.scan_later(target);
                } else {
                    // SAFETY: an object starts there.
                    self.scan_described(target, unsafe { self.planes.group(target) });
                }
            }
            if self.backlog.marked.is_empty() {
                self.scan_pending();
                if self.backlog.marked.is_empty() {
                    return;
                }
            }
        }
        self.scan_pending();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_once() {
        let mut marked = Marked::default();
        (1..=40).for_each(|object| assert!(marked.stack.push(object)));
        let mut seen = Vec::new();
        for expected in [0, 16, 16] {
            let (arrived, count) = marked.next();
            assert_eq!(count, expected);
            seen.extend_from_slice(&arrived[..count]);
        }
        assert_eq!(marked.len(), 8);
        seen.extend(marked.take_all());
        assert!(marked.is_empty());
        seen.sort_unstable();
        assert!(seen.into_iter().eq(1..=40));
    }
}
