//! Starts of objects: addresses that carry their proof.
//!
//! That an object of the heap starts at an address is what most functions of a heap need to know. It is proven once,
//! where an [`ObjectStart`] is made: by allocation, by a look-up ([`Heap::start_of`](super::Heap::start_of)), by a
//! walk over the starts in the planes, or by a caller of [`ObjectStart::new_unchecked`].
//!
//! The type does not say two things. First, *which heap* the object is in: each mutator, marker and sweeper has one
//! heap, and uses a start with the heap that it came from. Debug builds check this where a heap looks at its planes by
//! a start ([`Heap::state_of`](super::Heap::state_of), [`Heap::group_of`](super::Heap::group_of)). Second, that the
//! object *still* exists. Freeing is `unsafe`: nothing may refer to the object any more, and an `ObjectStart` refers to
//! it. A look at the planes by a start that is out of date reads committed memory all the same, since planes stay
//! committed; the answer means nothing. Debug builds refuse it if the heap no longer owns the block.

use core::num::NonZero;
use core::ptr::NonNull;

use super::planes::{GRANULE, bit};

/// An address at which an object of a heap starts: a multiple of the granule, and not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub(crate) struct ObjectStart(NonZero<usize>);

impl ObjectStart {
    /// An address as a start.
    ///
    /// # Safety
    ///
    /// 1. An object starts there, in the heap with which the result is used; or its words in the planes are about to
    ///    say so, and the result is not used before.
    /// 2. It is not freed while the result is in use.
    #[inline(always)]
    pub(crate) unsafe fn new_unchecked(address: usize) -> ObjectStart {
        debug_assert!(address.is_multiple_of(GRANULE));
        // SAFETY: objects lie in blocks, and no block is at address zero.
        ObjectStart(unsafe { NonZero::new_unchecked(address) })
    }

    /// The address.
    #[inline(always)]
    pub(crate) const fn address(self) -> usize {
        self.0.get()
    }

    /// A pointer to the memory of the object.
    #[inline(always)]
    pub(crate) fn pointer<T>(self) -> NonNull<T> {
        NonNull::with_exposed_provenance(self.0)
    }

    /// The bit of its first word in its group: in the marks, that it is marked.
    #[inline(always)]
    pub(crate) const fn bit(self) -> u64 {
        bit(self.address())
    }

    /// The bit of its second word, which every object has, in the same group.
    #[inline(always)]
    pub(crate) const fn second_bit(self) -> u64 {
        self.bit() << 1
    }
}
