//! Birth in black: while the program runs beside a marker, what it allocates is born marked and claimed.
//!
//! This is done for a whole hole when a cursor enters it, so allocation itself knows nothing of it.

use super::Heap;
use super::block::Flag;
use super::planes::{GROUP_BYTES, STARTS, bit_index, low_bits};
use crate::sync::Ordering;

impl Heap {
    /// Says whether what is allocated in holes that are entered from now on is born black.
    pub(crate) fn set_black(&self, black: bool) {
        // Relaxed: it changes while no mutator is in a `mutate` call.
        self.black.store(black, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn is_black(&self) -> bool {
        // Relaxed: as above.
        self.black.load(Ordering::Relaxed)
    }

    /// Makes every object that will start between two addresses of one hole black.
    ///
    /// # Safety
    ///
    /// They lie in a block of small objects of this heap, and there is no object between them.
    pub(super) unsafe fn blacken(&self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let next = (at & !(GROUP_BYTES - 1)) + GROUP_BYTES;
            let mut own = !low_bits(bit_index(at));
            if end < next {
                own &= low_bits(bit_index(end));
            }
            // SAFETY: passed on to the caller.
            unsafe {
                // The mark plane that markers share with mutators.
                self.planes.group(at).marks[1].insert_shared(own & STARTS);
                self.planes.claims(at).insert_shared(own);
            }
            at = next;
        }
        // SAFETY: as above.
        unsafe { self.blocks.raise(self.owned_block(start), Flag::Blackened) }
    }
}
