//! [`GcSliceBuilder`]: makes slices that know their length.

use super::GcSlice;
use super::with_header::{
    GcSliceWithHeader, GcSliceWithHeaderBuilder, GcSliceWithHeaderSliceBuilder,
};
use crate::collect::Collect;
use crate::gc::{Gc, out_of_memory};
use crate::heap::error::HeapError;
use crate::meta::{TypeMeta, UnitTypeMeta};
use crate::mutation::Mutation;
use crate::static_wrapper::Static;

/// Makes a slice, element by element or as a copy.
///
/// ```
/// use gc_core::{Gc, GcSlice, GcSliceBuilder, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let squares: GcSlice<usize> = GcSliceBuilder::new(4).write_slice_with(mc, |i| i * i);
///     assert_eq!(*squares, [0, 1, 4, 9]);
/// });
/// ```
// A slice is one with a header without a size.
#[must_use = "a builder makes nothing before it is completed"]
pub struct GcSliceBuilder<'gc, E, M = ()>(GcSliceWithHeaderSliceBuilder<'gc, (), E, M>);

impl<'gc, E: Collect<'gc>> GcSliceBuilder<'gc, E> {
    /// A builder of a slice with `length` elements.
    ///
    /// # Panics
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn new(length: usize) -> GcSliceBuilder<'gc, E> {
        GcSliceBuilder::new_with_type_meta::<UnitTypeMeta>(length)
    }
}

impl<'gc, E: Collect<'gc>, M> GcSliceBuilder<'gc, E, M> {
    /// A builder of a slice with `length` elements, whose type has the metadata of `TM`.
    ///
    /// ```
    /// use gc_core::{Gc, GcSliceBuilder, GcThinSlice, arena::rootless_mutate};
    /// use gc_core::meta::{TypeMeta, type_meta_const_promotion};
    ///
    /// struct Vowels;
    /// impl TypeMeta for Vowels {
    ///     type TypeMetadata = &'static str;
    ///     const TYPE_METADATA: &'static str = "vowels";
    ///     type_meta_const_promotion!();
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let builder = GcSliceBuilder::new_with_type_meta::<Vowels>(5);
    ///     let thin: GcThinSlice<u8, &str> = Gc::as_thin(builder.copy_slice(mc, b"aeiou"));
    ///     assert_eq!((Gc::type_metadata(thin), thin.len()), ("vowels", 5));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn new_with_type_meta<TM: TypeMeta<TypeMetadata = M>>(
        length: usize,
    ) -> GcSliceBuilder<'gc, E, M> {
        let builder = GcSliceWithHeaderBuilder::new_with_type_meta::<TM>(length);
        GcSliceBuilder(builder.write_header(()))
    }
}

impl<'gc, E, M> GcSliceBuilder<'gc, Static<E>, M> {
    /// A builder of elements without the wrapper that made them [`Collect`].
    ///
    /// ```
    /// use gc_core::{Gc, GcSlice, GcSliceBuilder, arena::rootless_mutate};
    ///
    /// struct NotCollect(usize);
    ///
    /// rootless_mutate(|mc| {
    ///     let slice: GcSlice<NotCollect> =
    ///         GcSliceBuilder::new(2).unwrap_static().write_slice_with(mc, NotCollect);
    ///     assert_eq!(slice[1].0, 1);
    /// });
    /// ```
    #[inline]
    pub fn unwrap_static(self) -> GcSliceBuilder<'gc, E, M> {
        GcSliceBuilder(self.0.unwrap_static_element())
    }
}

impl<'gc, E, M> GcSliceBuilder<'gc, E, M> {
    pub(super) fn length(&self) -> usize {
        self.0.length()
    }

    /// Where to write the elements. See [`GcBuilder::as_ptr`](crate::GcBuilder::as_ptr).
    #[inline]
    pub fn slice_ptr(&mut self) -> *mut [E] {
        self.0.slice_ptr()
    }

    /// Completes the builder with the elements that were written to
    /// [`slice_ptr`](GcSliceBuilder::slice_ptr). Never collects.
    ///
    /// ```
    /// use gc_core::{GcSliceBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut builder = GcSliceBuilder::<u32>::new(2);
    ///     let place = builder.slice_ptr().cast::<u32>();
    ///     // SAFETY: both elements are written.
    ///     let slice = unsafe {
    ///         place.write(1);
    ///         place.add(1).write(2);
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!(*slice, [1, 2]);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; the elements are dropped then.
    ///
    /// # Safety
    ///
    /// All elements were.
    #[inline]
    pub unsafe fn assume_init(self, mc: &Mutation<'gc>) -> GcSlice<'gc, E, M> {
        // SAFETY: passed on to the caller.
        without_header(unsafe { self.0.assume_init(mc) })
    }

    /// Completes the builder: calls `element` with each index, in order. Never collects, unless that does;
    /// takes time linear in the length.
    ///
    /// # Panics
    ///
    /// If there is no memory, or if `element` does; all elements so far are dropped then.
    /// [`try_write_slice_with`](GcSliceBuilder::try_write_slice_with) has an error for the one.
    #[inline]
    pub fn write_slice_with(
        self,
        mc: &Mutation<'gc>,
        element: impl FnMut(usize) -> E,
    ) -> GcSlice<'gc, E, M> {
        without_header(self.0.write_slice_with(mc, element))
    }

    /// Completes the builder: calls `element` with each index, in order.
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`]. No element is asked for then.
    ///
    /// # Panics
    ///
    /// If `element` does.
    #[inline]
    pub fn try_write_slice_with(
        self,
        mc: &Mutation<'gc>,
        element: impl FnMut(usize) -> E,
    ) -> Result<GcSlice<'gc, E, M>, HeapError> {
        self.0.try_write_slice_with(mc, element).map(without_header)
    }
}

impl<'gc, E: Copy, M> GcSliceBuilder<'gc, E, M> {
    /// Completes the builder with the first of `elements`, as many as the slice has. Never collects,
    /// and takes time linear in the length.
    ///
    /// # Panics
    ///
    /// If there are fewer, or if there is no memory.
    #[inline]
    #[track_caller]
    pub fn copy_slice(self, mc: &Mutation<'gc>, elements: &[E]) -> GcSlice<'gc, E, M> {
        match self.try_copy_slice(mc, elements) {
            Ok(gc) => gc,
            Err(error) => out_of_memory(error),
        }
    }

    /// Completes the builder with the first of `elements`, as many as the slice has.
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`].
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    #[track_caller]
    pub fn try_copy_slice(
        self,
        mc: &Mutation<'gc>,
        elements: &[E],
    ) -> Result<GcSlice<'gc, E, M>, HeapError> {
        self.0.try_copy_slice(mc, elements).map(without_header)
    }
}

/// From a slice with a header without a size to the slice.
#[inline(always)]
fn without_header<'gc, E, M>(gc: GcSliceWithHeader<'gc, (), E, M>) -> GcSlice<'gc, E, M> {
    // SAFETY: the slice is all that there is, and the metadata of the pointers are the same.
    unsafe { Gc::from_ptr_with_kind(Gc::as_ptr(gc) as *const [E]) }
}
