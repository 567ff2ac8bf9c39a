//! Descriptors: what the collector must be able to ask an object about its type.
//!
//! Most objects have no use for one: their tags say all. A *described* object, whose type needs
//! `Drop`, is `External`, or has pointers that move when it is written, lives in a block of
//! described objects and has the address of its type's [`Descriptor`] in its last word; if it is a
//! slice, its length is in the word before. Buffers of [`crate::collections`] have there what tells which of
//! their slots hold values.
//!
//! # Invariants
//!
//! 1. The last word of an object in a described block is zero or the address of the descriptor of
//!    the value in it. It is zero while the value is not (yet, or any longer) there.
//! 2. The value starts at the start of the object.

use core::ptr;

use crate::heap::extent::Extent;
use crate::heap::planes::WORD;
use crate::trace::EdgeVisitor;

/// What the collector can ask an object about its type.
#[derive(Debug)]
pub(crate) struct Descriptor {
    /// Drops that many values at the address, if they need it. (The number is whatever word the object has.)
    pub(crate) drop: Option<unsafe fn(*mut u8, usize)>,
    /// Visits the pointers of that many values at the address.
    pub(crate) trace: unsafe fn(*const u8, usize, &mut dyn EdgeVisitor),
    /// Whether values may have pointers outside of the object, or in words that are not tagged.
    pub(crate) external: bool,
    /// Whether writes can change which words are pointers.
    pub(crate) moves: bool,
    /// Whether the object has a word before the descriptor for the functions: the length of a slice.
    pub(crate) counted: bool,
}

impl Descriptor {
    /// Bytes that the object needs beside its value.
    pub(crate) const fn overhead(counted: bool) -> usize {
        if counted { 2 * WORD } else { WORD }
    }
}

/// A described object with a value in it.
#[derive(Clone, Copy)]
pub(crate) struct Described {
    extent: Extent,
    descriptor: &'static Descriptor,
}

impl Described {
    /// Makes `extent` an object without a value.
    ///
    /// # Safety
    ///
    /// It is an allocation in a described block, to which only the caller refers.
    #[inline(always)]
    pub(crate) unsafe fn clear(extent: Extent) {
        let last = ptr::with_exposed_provenance_mut::<usize>(extent.end() - WORD);
        // SAFETY: the last word of a described object is kept free for this.
        unsafe { last.write(0) }
    }

    /// Says that `count` values of the type of `descriptor` are in the object.
    ///
    /// # Safety
    ///
    /// As for [`Described::clear`]; and the values are there, and `count` is one unless the
    /// descriptor is that of a slice.
    #[inline(always)]
    pub(crate) unsafe fn set(extent: Extent, descriptor: &'static Descriptor, count: usize) {
        let last = ptr::with_exposed_provenance_mut::<usize>(extent.end() - WORD);
        // SAFETY: the last word, and the one before it for slices, are kept free for this.
        unsafe {
            if descriptor.counted {
                last.sub(1).write(count);
            }
            last.write(ptr::from_ref(descriptor).expose_provenance());
        }
    }

    /// Reads the descriptor of an object; `None` if there is no value in it.
    ///
    /// # Safety
    ///
    /// `extent` is an allocation in a described block.
    #[inline]
    pub(crate) unsafe fn at(extent: Extent) -> Option<Described> {
        let last = ptr::with_exposed_provenance::<usize>(extent.end() - WORD);
        let descriptor =
            // SAFETY: by invariant 1 the word is zero or the address of a descriptor, whose provenance
            // was exposed; and descriptors are static.
            unsafe { ptr::with_exposed_provenance::<Descriptor>(last.read()).as_ref()? };
        Some(Described { extent, descriptor })
    }

    pub(crate) fn extent(&self) -> Extent {
        self.extent
    }

    pub(crate) fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    /// The number of values in the object.
    fn count(&self) -> usize {
        if !self.descriptor.counted {
            return 1;
        }
        let word = ptr::with_exposed_provenance::<usize>(self.extent.end() - 2 * WORD);
        // SAFETY: the descriptor says that the length is there.
        unsafe { word.read() }
    }

    /// Visits the pointers of the value.
    ///
    /// # Safety
    ///
    /// Nobody has a reference to the value by which to change it: no mutator is at work on the heap; or, while
    /// one is, the object is about to be claimed for the first time in the cycle, which comes before
    /// whatever gives such a reference.
    pub(crate) unsafe fn trace(&self, visitor: &mut dyn EdgeVisitor) {
        let value = ptr::with_exposed_provenance::<u8>(self.extent.base);
        // SAFETY: by the invariants, values of the descriptor's type are there.
        unsafe { (self.descriptor.trace)(value, self.count(), visitor) }
    }

    /// Takes the value out of the object and drops it. Unwinds if the drop does; the value is gone
    /// even so.
    ///
    /// # Safety
    ///
    /// Nothing refers to the value, nor ever will.
    pub(crate) unsafe fn dispose(self) {
        let count = self.count();
        // SAFETY: the caller owns the object now, so emptying it is nobody else's concern; the
        // value is then dropped once, since no one can find it any more.
        unsafe {
            Described::clear(self.extent);
            if let Some(drop) = self.descriptor.drop {
                drop(ptr::with_exposed_provenance_mut(self.extent.base), count);
            }
        }
    }
}
