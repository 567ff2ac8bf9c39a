//! Allocation in the managed heap, as results.
//!
//! Every allocation of the runtime goes through this module, so that an exhausted heap is always a
//! value: the machine turns it into "leave `mutate`, collect, repeat the instruction". Nothing here
//! collects, and nothing here panics when memory is out.

use gc_core::{Collect, Gc, Mutation, barrier::Write};

pub use gc_core::{HeapError, HeapOptions};

/// A managed sequence of fixed length.
pub type Slice<'gc, T> = Gc<'gc, [T]>;

/// A managed text of fixed length.
pub type Text<'gc> = Gc<'gc, str>;

/// Moves `value` into the heap.
#[inline]
pub fn new<'gc, T: Collect<'gc> + 'gc>(
    mc: &Mutation<'gc>,
    value: T,
) -> Result<Gc<'gc, T>, HeapError> {
    Gc::try_new(mc, value)
}

/// Moves `items` into one managed slice.
#[inline]
pub fn slice<'gc, T, I>(mc: &Mutation<'gc>, items: I) -> Result<Slice<'gc, T>, HeapError>
where
    T: Collect<'gc> + 'gc,
    I: IntoIterator<Item = T>,
    I::IntoIter: ExactSizeIterator,
{
    Gc::try_slice_from_iter(mc, items)
}

/// Copies `text` into the heap.
pub fn text<'gc>(mc: &Mutation<'gc>, text: &str) -> Result<Text<'gc>, HeapError> {
    Gc::try_str_from(mc, text)
}

/// The elements of a slice, for as long as the current `mutate`.
#[inline]
pub fn elements<'gc, T>(slice: Slice<'gc, T>) -> &'gc [T] {
    slice.as_ref()
}

/// The elements of a slice behind the write barrier.
#[inline]
pub fn write<'gc, T>(mc: &Mutation<'gc>, slice: Slice<'gc, T>) -> &'gc Write<[T]> {
    Gc::write(mc, slice)
}

/// The characters of a text.
pub fn text_of(text: Text<'_>) -> &str {
    text.as_ref()
}
