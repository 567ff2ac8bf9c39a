//! [`Live`]: which slots of a described buffer hold elements.

use core::mem::size_of;

use crate::heap::planes::GRANULE;
use crate::types::descriptor::Detail;

/// Which slots hold elements: `len` from `head` on, and on from the first slot if there are more than that.
///
/// It is one word, the buffer's detail, since many buffers are not much longer than a few words. How many slots there
/// are follows from the length of the buffer. Elements without size are all the same, so for them it is the number.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Live(u64);

impl Live {
    /// Fewer slots than this can be asked for in a described buffer, unless they have no size. As its length is rounded up
    /// to granules, it may have up to a granule of slots more.
    pub(super) const MOST: usize = u32::MAX as usize - GRANULE;

    #[inline(always)]
    pub(super) fn new<T>(head: usize, len: usize) -> Live {
        match size_of::<T>() {
            0 => Live(len as u64),
            _ => Live((head as u64) << 32 | len as u64),
        }
    }

    pub(super) fn head_and_len<T>(self) -> (usize, usize) {
        match size_of::<T>() {
            0 => (0, self.0 as usize),
            _ => ((self.0 >> 32) as usize, self.0 as u32 as usize),
        }
    }

    /// The word.
    pub(super) fn detail(self) -> Detail {
        Detail::new(self.0 as usize)
    }
}
