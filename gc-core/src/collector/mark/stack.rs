//! The mark stack: addresses of objects that were found and not yet looked at.
//!
//! It grows as needed up to a bound that does not depend on the heap. When it is full, or memory is, it says so,
//! and the marker falls back on marking in place.

use core::mem::MaybeUninit;

/// The most entries: 8 MiB.
const BOUND: usize = 1 << 20;

/// The first allocation, in entries.
const FIRST: usize = 1 << 10;

#[derive(Default)]
pub(super) struct MarkStack(Vec<usize>);

impl MarkStack {
    /// Puts an address on top; `false` if there is no room.
    pub(super) fn push(&mut self, address: usize) -> bool {
        let room = self.make_room(1);
        if room {
            self.0.push(address);
        }
        room
    }

    /// Makes room for so many more entries; `false` if that cannot be.
    #[inline(always)]
    pub(super) fn make_room(&mut self, entries: usize) -> bool {
        self.0.capacity() - self.0.len() >= entries || self.grow(entries)
    }

    /// The free places above the top. What is written to the first of them is on the stack after
    /// [`MarkStack::raise`].
    #[inline(always)]
    pub(super) fn spare(&mut self) -> &mut [MaybeUninit<usize>] {
        self.0.spare_capacity_mut()
    }

    /// Raises the top by `count` entries.
    ///
    /// # Safety
    ///
    /// The first `count` free places were written.
    #[inline(always)]
    pub(super) unsafe fn raise(&mut self, count: usize) {
        // SAFETY: so many places behind the entries were written (the caller's promise).
        unsafe { self.0.set_len(self.0.len() + count) }
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<usize> {
        self.0.pop()
    }

    /// Takes `count` entries from the bottom, where what was found first is.
    pub(super) fn take_lowest(&mut self, count: usize) -> Vec<usize> {
        let lowest = self.0[..count].to_vec();
        // Their places are filled from the top: the order means nothing.
        let top = self.0.split_off(self.0.len() - count);
        let filled = count.min(self.0.len());
        self.0[..filled].copy_from_slice(&top[..filled]);
        lowest
    }

    /// Takes all entries.
    pub(super) fn take_all(&mut self) -> Vec<usize> {
        self.0.split_off(0)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn entries(&self) -> &[usize] {
        &self.0
    }

    /// Keeps those addresses for which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        self.0.retain(|address| keep(*address));
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, entries: usize) -> bool {
        let wanted = (self.0.capacity() * 2).clamp(FIRST, BOUND);
        wanted >= self.0.len() + entries && self.0.try_reserve_exact(wanted - self.0.len()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded() {
        let mut stack = MarkStack::default();
        let pushed = (1..).take_while(|address| stack.push(*address)).count();
        assert_eq!(pushed, BOUND);
        assert_eq!(stack.pop(), Some(BOUND));
        assert!(stack.push(7) && !stack.push(8));
        assert!(!stack.make_room(1) && stack.make_room(0));
    }

    #[test]
    fn what_is_written_above_the_top_can_be_raised() {
        let mut stack = MarkStack::default();
        assert!(stack.make_room(2));
        stack.spare()[0].write(16);
        stack.spare()[1].write(32);
        // SAFETY: the first place was written.
        unsafe { stack.raise(1) }
        assert_eq!(stack.entries(), [16]);
    }
}
