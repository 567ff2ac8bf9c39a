//! Slices, strings and slices with headers: whole objects, with their length beside them.
//!
//! | made by | pointers | thin pointers |
//! | --- | --- | --- |
//! | [`Gc::new_slice`](crate::Gc::new_slice), [`GcSliceBuilder`] | [`GcSlice`] | [`GcThinSlice`] |
//! | [`Gc::new_str`](crate::Gc::new_str), [`GcStrBuilder`] | [`GcStr`] | [`GcThinStr`] |
//! | [`GcSliceWithHeaderBuilder`] | [`GcSliceWithHeader`] | [`GcThinSliceWithHeader`] |
//!
//! All of these objects end with two words: the length, which thin pointers read, and the address of the type's
//! descriptor. [`Gc::slice_from_iter`](crate::Gc::slice_from_iter) and [`Gc::str_from`](crate::Gc::str_from) make
//! slices and strings without these words.
//!
//! A builder is made with a length and, perhaps, [metadata of the type](crate::types::meta::TypeMeta), and completed
//! with the elements: by [`write_slice_with`](GcSliceBuilder::write_slice_with), which calls a function for
//! each, by [`copy_slice`](GcSliceBuilder::copy_slice), or by writing to memory and an `unsafe`
//! [`assume_init`](GcSliceBuilder::assume_init). In a shared arena,
//! [`Mutation::build`](crate::shared::Mutation::build) does the same. If a builder is not completed, or the function
//! panics, what was given to it is dropped.
//!
//! ```
//! use gc_core::{Gc, GcSliceWithHeaderBuilder, GcThinSliceWithHeader, Lock, arena::rootless_mutate};
//!
//! struct Header {
//!     name: &'static str,
//! }
//! gc_core::static_collect!(Header);
//!
//! rootless_mutate(|mc| {
//!     let upvalues = GcSliceWithHeaderBuilder::new(3)
//!         .write_header(Header { name: "counter" })
//!         .write_slice_with(mc, |i| Lock::new(Some(Gc::new(mc, i))));
//!     let closure: GcThinSliceWithHeader<Header, Lock<Option<Gc<usize>>>> = Gc::as_thin(upvalues);
//!     assert_eq!((closure.header.name, closure.slice.len()), ("counter", 3));
//!     assert_eq!(*closure.slice[2].get().unwrap(), 2);
//! });
//! ```

mod builder;
mod string;
mod with_header;

pub use self::builder::GcSliceBuilder;
pub use self::string::{GcStr, GcStrBuilder, GcThinStr, StrPtrMeta};
pub use self::with_header::{
    GcSliceWithHeader, GcSliceWithHeaderBuilder, GcSliceWithHeaderSliceBuilder,
    GcThinSliceWithHeader, SliceWithHeader, SliceWithHeaderPtrMeta,
};

use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{GcFat, GcThin};
use crate::types::collect::Collect;
#[doc(inline)]
pub use crate::types::meta::SlicePtrMeta;

/// A pointer to a slice that knows its length.
///
/// ```
/// use gc_core::{Gc, GcSlice, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let slice: GcSlice<i32> = Gc::new_slice(mc, &[1, 2, 3]);
///     assert_eq!(slice.iter().sum::<i32>(), 6);
/// });
/// ```
pub type GcSlice<'gc, E, M = ()> = GcFat<'gc, [E], M, SlicePtrMeta>;

/// A pointer of 8 bytes to a slice that knows its length.
///
/// ```
/// use gc_core::{Gc, GcThinSlice, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let slice: GcThinSlice<i32> = Gc::as_thin(Gc::new_slice(mc, &[1, 2, 3]));
///     assert_eq!(size_of_val(&slice), 8);
///     assert_eq!(slice.iter().sum::<i32>(), 6);
/// });
/// ```
pub type GcThinSlice<'gc, E, M = ()> = GcThin<'gc, [E], M, SlicePtrMeta>;

impl<'gc, E: Collect<'gc> + Copy + 'gc> GcSlice<'gc, E> {
    /// Copies the elements into the heap. Never collects, and takes time linear in their number.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let slice = Gc::new_slice(mc, &[1, 2, 3]);
    /// assert_eq!(*slice, [1, 2, 3]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`GcSliceBuilder::try_copy_slice`].
    #[inline]
    pub fn new_slice(mc: &Mutation<'gc>, elements: &[E]) -> GcSlice<'gc, E> {
        GcSliceBuilder::new(elements.len()).copy_slice(mc, elements)
    }
}

impl<'gc, E: Copy + 'static> GcSlice<'gc, E> {
    /// Copies elements into the heap whose type need not implement [`Collect`]: they cannot hold pointers
    /// into an arena. Never collects, and takes time linear in their number.
    ///
    /// ```
    /// # use gc_core::{Gc, GcSlice, arena::rootless_mutate};
    /// #[derive(Clone, Copy)]
    /// struct NotCollect(u8);
    ///
    /// rootless_mutate(|mc| {
    ///     let slice: GcSlice<NotCollect> = Gc::new_slice_static(mc, &[NotCollect(1)]);
    ///     assert_eq!(slice[0].0, 1);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new_slice`](crate::Gc::new_slice).
    #[inline]
    pub fn new_slice_static(mc: &Mutation<'gc>, elements: &[E]) -> GcSlice<'gc, E> {
        GcSliceBuilder::new(elements.len())
            .unwrap_static()
            .copy_slice(mc, elements)
    }
}

const _: () = assert!(size_of::<GcSlice<'_, u8>>() == 16 && size_of::<GcStr<'_>>() == 16);
const _: () = assert!(size_of::<GcThinSlice<'_, u8>>() == 8 && size_of::<GcThinStr<'_>>() == 8);
const _: () = assert!(size_of::<Option<GcThinSlice<'_, u8>>>() == 8);
const _: () = assert!(size_of::<GcSliceWithHeader<'_, u64, u8>>() == 16);
const _: () = assert!(size_of::<GcThinSliceWithHeader<'_, u64, u8>>() == 8);
