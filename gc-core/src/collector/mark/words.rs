//! A word of an object: how it is read, and whether it can be a pointer into the heap.

use core::ptr;
use core::sync::atomic::AtomicUsize;

use crate::heap::planes::GRANULE;
use crate::sync::Ordering;

/// Reads a pointer word of an object.
///
/// # Safety
///
/// It is one, was written, and while it is read nobody writes it but atomically.
#[inline(always)]
pub(in crate::collector) unsafe fn read_word<const CONCURRENT: bool>(address: usize) -> usize {
    let word = ptr::with_exposed_provenance_mut::<usize>(address);
    if !CONCURRENT {
        // SAFETY: the word was written, and nobody writes it meanwhile but atomically, which no mutator does while
        // it is stopped (the caller's promise).
        return unsafe { word.read() };
    }
    // `Acquire`, partner: the store of a pointer into an atomic field of an object, by which the mark of
    // a new object becomes known. Other words are written by nobody meanwhile.
    // SAFETY: the word is aligned and was written, and is written meanwhile only atomically (the caller's promise).
    unsafe { AtomicUsize::from_ptr(word) }.load(Ordering::Acquire)
}

/// Whether a word's value is an address where an object could start: within so many granules from
/// `base` on, and a multiple of the granule. Null, immediates with low bits and foreign pointers are
/// not.
#[inline(always)]
pub(in crate::collector) fn is_candidate(value: usize, base: usize, granules: usize) -> bool {
    // Low bits that are not zero become high bits, so one comparison tells both.
    value
        .wrapping_sub(base)
        .rotate_right(GRANULE.trailing_zeros())
        < granules
}
