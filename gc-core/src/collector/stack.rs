//! The mark stack: addresses of objects that were found and not yet looked at.
//!
//! It grows as needed up to a bound that does not depend on the heap, and its memory is given back
//! after the cycle. When it is full, or memory is, it says so, and the marker falls back on marking
//! in place.

/// The most entries: 8 MiB.
const BOUND: usize = 1 << 20;

/// The first allocation, in entries.
const FIRST: usize = 1 << 10;

pub(super) struct MarkStack(Vec<usize>);

impl MarkStack {
    pub(super) fn new() -> MarkStack {
        MarkStack(Vec::new())
    }

    /// Puts an address on top; `false` if there is no room.
    #[inline(always)]
    pub(super) fn push(&mut self, address: usize) -> bool {
        if self.0.len() == self.0.capacity() && !self.grow() {
            return false;
        }
        self.0.push(address);
        true
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<usize> {
        self.0.pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) -> bool {
        let wanted = (self.0.capacity() * 2).clamp(FIRST, BOUND);
        wanted > self.0.len() && self.0.try_reserve_exact(wanted - self.0.len()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded() {
        let mut stack = MarkStack::new();
        let pushed = (1..).take_while(|address| stack.push(*address)).count();
        assert_eq!(pushed, BOUND);
        assert_eq!(stack.pop(), Some(BOUND));
        assert!(stack.push(7) && !stack.push(8));
    }
}
