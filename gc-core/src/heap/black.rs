//! Allocating black: how objects are allocated while a cycle marks concurrently.
//!
//! Normally an object is allocated *black*: marked and claimed. It survives the cycle, no marker reads it, and the
//! barrier finds nothing to do. In a cycle that remembers writes from its beginning
//! ([`rescan`](crate::collector::rescan)), or that is paused, it is only *claimed*: no marker reads it until its claim is
//! taken back, and it is marked only if a marked object leads to it.
//!
//! When a cursor enters a hole, the bits for all objects to come are set in the whole hole. So the fast path of
//! allocation does nothing for this.
//!
//! # Invariants
//!
//! 1. [`AllocationColor`] changes only while no mutator is in a `mutate` call and no cursor is in a hole.
//! 2. From the end of marking until the sweep begins, all objects are allocated black, since in this time an object
//!    without a mark is taken for dead. A cycle that is paused still marks: before it goes on, there is another round.
//! 3. The block of a claimed object has the flag that a marker checks before it checks claims. The exception is a block
//!    in which all objects of this cycle were allocated black: no marker meets an object that was allocated marked
//!    before a claim that was taken back is set again, which raises the flag.

use super::Heap;
use super::block::{BlockState, Flag};
use super::planes::{STARTS, bit, groups, stretches};
use crate::sync::Ordering;

/// See the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum AllocationColor {
    /// Neither marked nor claimed.
    White,
    /// Claimed.
    Claimed,
    /// Claimed and marked.
    Black,
}

impl Heap {
    /// Sets how objects are allocated from now on.
    ///
    /// # Safety
    ///
    /// No mutator is in a `mutate` call. While a cycle marks, objects are allocated claimed; and black, from the end of
    /// marking until the sweep begins.
    pub(crate) unsafe fn set_allocation_color(&self, color: AllocationColor) {
        // Relaxed: it changes while no mutator is in a `mutate` call.
        self.allocation_color.store(color as u8, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn allocation_color(&self) -> AllocationColor {
        // Relaxed: as above.
        match self.allocation_color.load(Ordering::Relaxed) {
            0 => AllocationColor::White,
            1 => AllocationColor::Claimed,
            _ => AllocationColor::Black,
        }
    }

    /// Prepares a hole, or a part of one, from an address to another, for objects that are allocated there.
    ///
    /// # Safety
    ///
    /// 1. The addresses lie in a block of small objects of this heap.
    /// 2. There is no object between them.
    pub(super) unsafe fn prepare_hole(&self, start: usize, end: usize) {
        let color = self.allocation_color();
        if color == AllocationColor::White {
            return;
        }
        for stretch in stretches(start, end) {
            let (at, own) = (stretch.start(), stretch.mask());
            // SAFETY: the words lie in a block of this heap (the caller's promise).
            unsafe {
                if color == AllocationColor::Black {
                    // The mark plane that markers share with mutators.
                    self.planes.group(at).marks[1].insert_shared(own & STARTS);
                }
                self.planes.claims(at).insert_shared(own);
            }
        }
        // SAFETY: the hole lies in a block of this heap (the caller's promise).
        unsafe { self.raise_claimed(start, color) }
    }

    /// Prepares the memory of a new medium or large object of `bytes` bytes at `start`, which is claimed by chunks. No
    /// chunk of a `leaf` is ever claimed.
    ///
    /// # Safety
    ///
    /// The blocks, or the slot, are ours, and there is no object in them yet.
    pub(super) unsafe fn prepare_large(&self, start: usize, bytes: usize, leaf: bool) {
        let color = self.allocation_color();
        if color == AllocationColor::White {
            return;
        }
        // SAFETY: the memory is ours (the caller's promise). Each chunk is a group, and belongs to this object alone.
        unsafe {
            if color == AllocationColor::Black {
                self.planes.group(start).marks[1].insert_shared(bit(start));
            }
            if leaf {
                return;
            }
            for chunk in groups(start, start + bytes) {
                // Claimed and done.
                self.planes.claims(chunk).insert_shared(0b11);
            }
            self.raise_claimed(start, AllocationColor::Claimed);
        }
    }

    /// Raises the flag of the block that says how objects in it were allocated.
    ///
    /// # Safety
    ///
    /// `start` lies in a block of this heap.
    unsafe fn raise_claimed(&self, start: usize, color: AllocationColor) {
        let block = self.owned_block(start);
        // SAFETY: the address lies in a block of this heap (the caller's promise).
        unsafe {
            match color {
                AllocationColor::White => {}
                AllocationColor::Black => self.blocks.raise(block, Flag::Blackened),
                AllocationColor::Claimed => self.blocks.raise(block, Flag::Claimed),
            }
        }
    }
}

const _: () = assert!(BlockState::CLAIMED == Flag::Claimed as u8);
