//! How objects are born while a cycle marks beside the program.
//!
//! *Black*: marked and claimed. They survive the cycle, no marker reads them, and the barrier finds nothing to do.
//! *Claimed* only, in a cycle that remembers writes from its beginning ([`rescan`](crate::collector::rescan)): no
//! marker reads them either, as long as the claim is not taken back, but they are marked only if something marked
//! leads to them.
//!
//! Small objects are born as the whole hole is made when a cursor enters it, so allocation itself knows nothing of it.
//!
//! # Invariants
//!
//! 1. The answer to "how" changes only while no mutator is in a `mutate` call, and no cursor in a hole.
//! 2. From the end of marking until the sweep begins, all births are black: in this time whoever asks the marks takes
//!    what has none for dead.
//! 3. The block of a claimed object has the flag that a marker looks at before it looks at claims, unless all objects
//!    in it that were born in this cycle were born black: what is marked at birth comes before no marker until a
//!    claim that was taken back is set anew, which raises the flag.

use super::Heap;
use super::block::{BlockState, Flag};
use super::planes::{STARTS, bit, groups, stretches};
use crate::sync::Ordering;

/// See the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Births {
    /// Neither marked nor claimed.
    White,
    /// Claimed.
    Claimed,
    /// Claimed and marked.
    Black,
}

impl Heap {
    /// Sets how objects are born from now on.
    ///
    /// # Safety
    ///
    /// No mutator is in a `mutate` call. What a cycle takes for dead is not born white while that cycle marks.
    pub(crate) unsafe fn set_births(&self, births: Births) {
        // Relaxed: it changes while no mutator is in a `mutate` call.
        self.births.store(births as u8, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn births(&self) -> Births {
        // Relaxed: as above.
        match self.births.load(Ordering::Relaxed) {
            0 => Births::White,
            1 => Births::Claimed,
            _ => Births::Black,
        }
    }

    /// Prepares a hole, or a part of one, from an address to another, for objects that are born there.
    ///
    /// # Safety
    ///
    /// 1. The addresses lie in a block of small objects of this heap.
    /// 2. There is no object between them.
    pub(super) unsafe fn prepare_births(&self, start: usize, end: usize) {
        let births = self.births();
        if births == Births::White {
            return;
        }
        for stretch in stretches(start, end) {
            let (at, own) = (stretch.start(), stretch.mask());
            // SAFETY: the words lie in a block of this heap (the caller's promise).
            unsafe {
                if births == Births::Black {
                    // The mark plane that markers share with mutators.
                    self.planes.group(at).marks[1].insert_shared(own & STARTS);
                }
                self.planes.claims(at).insert_shared(own);
            }
        }
        // SAFETY: the hole lies in a block of this heap (the caller's promise).
        unsafe { self.note_births(start, births) }
    }

    /// Prepares the birth of a medium or large object of `bytes` bytes at `start`, which is claimed by chunks; of a
    /// `leaf` nothing is ever claimed.
    ///
    /// # Safety
    ///
    /// The blocks, or the slot, are ours, and there is no object in them yet.
    pub(super) unsafe fn prepare_large_birth(&self, start: usize, bytes: usize, leaf: bool) {
        let births = self.births();
        if births == Births::White {
            return;
        }
        // SAFETY: the memory is ours (the caller's promise). Each chunk is a group, and belongs to this object alone.
        unsafe {
            if births == Births::Black {
                self.planes.group(start).marks[1].insert_shared(bit(start));
            }
            if leaf {
                return;
            }
            for chunk in groups(start, start + bytes) {
                // Claimed and done.
                self.planes.claims(chunk).insert_shared(0b11);
            }
            self.note_births(start, Births::Claimed);
        }
    }

    /// Raises the flags that tell of claims which objects are born with.
    ///
    /// # Safety
    ///
    /// `start` lies in a block of this heap.
    unsafe fn note_births(&self, start: usize, births: Births) {
        let block = self.owned_block(start);
        // SAFETY: the address lies in a block of this heap (the caller's promise).
        unsafe {
            match births {
                Births::White => {}
                Births::Black => self.blocks.raise(block, Flag::Blackened),
                Births::Claimed => self.blocks.raise(block, Flag::Claimed),
            }
        }
    }
}

const _: () = assert!(BlockState::CLAIMED == Flag::Claimed as u8);
