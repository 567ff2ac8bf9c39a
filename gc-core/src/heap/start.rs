//! Starts of objects: addresses that carry their proof.
//!
//! That an object of the heap starts at an address is what most functions of a heap need to know. It is proven once,
//! where an [`ObjectStart`] is made: by allocation, by a look-up ([`Heap::start_of`](super::Heap::start_of)), by a
//! walk over the starts in the planes, or by whoever calls [`ObjectStart::new_unchecked`].
//!
//! Two things the type does not say. *Which heap* it is of: each mutator, marker and sweeper has one heap, and a
//! start is used with the heap that it came from. Debug builds check this where a heap looks at its planes by a start
//! ([`Heap::state_of`](super::Heap::state_of), [`Heap::group_of`](super::Heap::group_of)). And that the object *still* exists: that is for whoever frees it to
//! see to. Freeing is `unsafe`, as nothing may refer to the object any more, and an `ObjectStart` refers to it. A
//! look at the planes by a start that is out of date goes to memory of the planes all the same, since they stay
//! committed: then the answer is of no use, and does no harm.

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
