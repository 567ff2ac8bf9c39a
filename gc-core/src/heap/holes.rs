//! Finding holes: runs of free words in a block, by the arithmetic of the sweep.

use super::block::BLOCK;
use super::planes::{GROUP_BYTES, Planes, WORD};
use super::sweep::covered;

/// Walks the holes of one block, in address order.
pub(super) struct Holes {
    /// Where the search goes on.
    at: usize,
    /// The end of the block.
    end: usize,
    /// Whether an allocation reaches into the group at `at` from the one before.
    carry: bool,
    /// The free words of the group at `at` that were not reported yet.
    free: u64,
}

impl Holes {
    /// No holes at all.
    pub(super) const NONE: Holes = Holes {
        at: 0,
        end: 0,
        carry: false,
        free: 0,
    };

    /// The holes of the block at `base`.
    ///
    /// # Safety
    ///
    /// 1. The block belongs to the heap at work, and holds small objects or nothing.
    /// 2. That stays so as long as the result is used. Allocation in holes that were reported is allowed.
    pub(super) unsafe fn of(planes: Planes, base: usize) -> Holes {
        let mut holes = Holes {
            at: base,
            end: base + BLOCK,
            carry: false,
            free: 0,
        };
        // SAFETY: the search begins with the first group of the block, which belongs to the heap at work, says the
        // caller.
        unsafe { holes.load(planes) };
        holes
    }

    /// Computes the free words of the group at `at`.
    ///
    /// # Safety
    ///
    /// As for [`Holes::of`], and the search is not at the end of the block.
    unsafe fn load(&mut self, planes: Planes) {
        // SAFETY: `at` is in the block, which belongs to the heap at work.
        let group = unsafe { planes.group(self.at) };
        let (taken, carry) = covered(group.starts(), group.ends(), self.carry);
        (self.free, self.carry) = (!taken, carry);
    }

    /// The next hole of at least `bytes` bytes: its first address and the one behind it. Smaller
    /// ones that come first are passed over for good.
    ///
    /// # Safety
    ///
    /// As for [`Holes::of`].
    pub(super) unsafe fn next(&mut self, planes: Planes, bytes: usize) -> Option<(usize, usize)> {
        while self.at < self.end {
            if self.free == 0 {
                self.at += GROUP_BYTES;
                if self.at < self.end {
                    // SAFETY: still inside of the block.
                    unsafe { self.load(planes) };
                }
                continue;
            }
            let first = self.free.trailing_zeros();
            let mut words = (self.free >> first).trailing_ones();
            self.free &= !(super::planes::low_bits(words) << first);
            let start = self.at + first as usize * WORD;
            let mut end = start + words as usize * WORD;
            // A hole that reaches the end of its group goes on in the next.
            while end == self.at + GROUP_BYTES && end < self.end {
                self.at = end;
                // SAFETY: still inside of the block.
                unsafe { self.load(planes) };
                words = self.free.trailing_ones();
                self.free &= !super::planes::low_bits(words);
                end += words as usize * WORD;
            }
            if end - start >= bytes {
                return Some((start, end));
            }
        }
        None
    }
}
