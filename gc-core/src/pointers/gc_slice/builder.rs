//! [`GcSliceBuilder`]: makes slices that know their length.

use super::GcSlice;
use super::with_header::{
    GcSliceWithHeader, GcSliceWithHeaderBuilder, GcSliceWithHeaderSliceBuilder,
};
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::context::Context;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::Gc;
use crate::types::collect::Collect;
use crate::types::meta::{TypeMeta, UnitTypeMeta};
use crate::types::static_wrapper::Static;

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
    /// ```
    /// use gc_core::{Collect, GcSlice, GcSliceBuilder, Mutation, arena::rootless_mutate};
    ///
    /// /// A slice of so many default values.
    /// fn defaults<'gc, E: Collect<'gc> + Default>(mc: &Mutation<'gc>, length: usize) -> GcSlice<'gc, E> {
    ///     GcSliceBuilder::new(length).write_slice_with(mc, |_| E::default())
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let names: GcSlice<String> = defaults(mc, 3);
    ///     assert!(names.len() == 3 && names.iter().all(String::is_empty));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn new(length: usize) -> GcSliceBuilder<'gc, E> {
        GcSliceBuilder::new_with_type_meta::<UnitTypeMeta>(length)
    }

    /// [`GcSliceBuilder::new`], where the length may be too large.
    ///
    /// ```
    /// use gc_core::{GcSliceBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let zeros = |length| Some(GcSliceBuilder::try_new(length).ok()?.write_slice_with(mc, |_| 0));
    ///     assert_eq!(*zeros(2).unwrap(), [0, 0]);
    ///     assert!(zeros(usize::MAX).is_none());
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn try_new(length: usize) -> Result<GcSliceBuilder<'gc, E>, HeapError> {
        let builder = GcSliceWithHeaderBuilder::try_new(length)?;
        Ok(GcSliceBuilder(builder.write_header(())))
    }
}

impl<'gc, E: Collect<'gc>, M> GcSliceBuilder<'gc, E, M> {
    /// A builder of a slice with `length` elements, whose type has the metadata of `TM`.
    ///
    /// ```
    /// use gc_core::{Gc, GcSliceBuilder, GcThinSlice, arena::rootless_mutate};
    /// use gc_core::meta::TypeMeta;
    ///
    /// struct Vowels;
    /// impl TypeMeta for Vowels {
    ///     type TypeMetadata = &'static str;
    ///     const TYPE_METADATA: &'static &'static str = &"vowels";
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let builder = GcSliceBuilder::new_with_type_meta::<Vowels>(5);
    ///     let thin: GcThinSlice<u8, &str> = Gc::as_thin(builder.copy_slice(mc, b"aeiou"));
    ///     assert_eq!((*Gc::type_metadata(thin), thin.len()), ("vowels", 5));
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
    pub(crate) fn length(&self) -> usize {
        self.0.length()
    }

    /// Where to write the elements. See [`GcBuilder::as_ptr`](crate::GcBuilder::as_ptr).
    ///
    /// ```
    /// use gc_core::{GcSliceBuilder, arena::rootless_mutate};
    /// use std::io::Read;
    ///
    /// rootless_mutate(|mc| {
    ///     let mut input: &[u8] = b"abcdef";
    ///     let mut builder = GcSliceBuilder::<u8>::new(4);
    ///     let place = builder.slice_ptr();
    ///     // SAFETY: the bytes are initialised before they are lent, and are there until the builder is
    ///     // completed.
    ///     let read = unsafe {
    ///         place.cast::<u8>().write_bytes(0, place.len());
    ///         input.read_exact(&mut *place).unwrap();
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!((&*read, input), (&b"abcd"[..], &b"ef"[..]));
    /// });
    /// ```
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
    /// All elements are there, valid, and belong to the builder: nobody drops them, moves them out or goes on using
    /// them there.
    #[inline]
    pub unsafe fn assume_init(self, mc: &Mutation<'gc>) -> GcSlice<'gc, E, M> {
        // SAFETY: all elements are there and belong to the builder (the caller's promise). The context is that of the
        // arena that `'gc` brands.
        unsafe { self.assume_init_in(mc.context()) }
    }

    /// [`assume_init`](GcSliceBuilder::assume_init) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// As there, and the context is one of the arena that `'gc` brands.
    #[inline]
    pub(crate) unsafe fn assume_init_in(self, context: &Context) -> GcSlice<'gc, E, M> {
        // SAFETY: all elements are there, and the context is one of the arena that `'gc` brands (the caller's
        // promises). A header `()` is always there.
        without_header(unsafe { self.0.assume_init_in(context) })
    }

    /// Completes the builder: calls `element` with each index, in order. Never collects, unless that does;
    /// takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{Gc, GcSliceBuilder, Lock, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     // Each element points to an object of its own, which is made for it.
    ///     let cells = GcSliceBuilder::new(3).write_slice_with(mc, |i| Gc::new(mc, Lock::new(10 * i)));
    ///     cells[1].set(mc, 7);
    ///     let values: Vec<usize> = cells.iter().map(|cell| cell.get()).collect();
    ///     assert_eq!(values, [0, 7, 20]);
    /// });
    /// ```
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

    /// Completes the builder: calls `element` with each index, in order. Never collects, unless that does;
    /// takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{Arena, GcSliceBuilder, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| {
    ///     let table = |length| GcSliceBuilder::new(length).try_write_slice_with(mc, |i| i * i);
    ///     assert_eq!(*table(3).unwrap(), [0, 1, 4]);
    ///     assert!(matches!(table(100_000), Err(HeapError::LimitReached { .. })));
    /// });
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`]. No element is made then.
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
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { self.write_slice_in(mc.context(), element) }
    }

    /// [`try_write_slice_with`](GcSliceBuilder::try_write_slice_with) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// The context is one of the arena that `'gc` brands.
    #[inline]
    pub(crate) unsafe fn write_slice_in(
        self,
        context: &Context,
        element: impl FnMut(usize) -> E,
    ) -> Result<GcSlice<'gc, E, M>, HeapError> {
        // SAFETY: the context is one of the arena that `'gc` brands (the caller's promise).
        unsafe { self.0.write_slice_in(context, element) }.map(without_header)
    }
}

impl<'gc, E: Copy, M> GcSliceBuilder<'gc, E, M> {
    /// Completes the builder with the first of `elements`, as many as the slice has. Never collects,
    /// and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{GcSliceBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let packet = [2_u8, 0xab, 0xcd, 0xef];
    ///     let length = usize::from(packet[0]);
    ///     let payload = GcSliceBuilder::new(length).copy_slice(mc, &packet[1..]);
    ///     assert_eq!(*payload, [0xab, 0xcd]);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer, or if there is no memory.
    #[inline]
    #[track_caller]
    pub fn copy_slice(self, mc: &Mutation<'gc>, elements: &[E]) -> GcSlice<'gc, E, M> {
        or_panic(self.try_copy_slice(mc, elements))
    }

    /// Completes the builder with the first of `elements`, as many as the slice has. Never collects,
    /// and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{Arena, GcSliceBuilder, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| {
    ///     let samples = vec![0.5; 100_000];
    ///     let all = GcSliceBuilder::new(samples.len()).try_copy_slice(mc, &samples);
    ///     // There is no room for so much; a part will do.
    ///     let some = all.or_else(|_| GcSliceBuilder::new(1000).try_copy_slice(mc, &samples));
    ///     assert_eq!(some.unwrap().len(), 1000);
    /// });
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
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
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { self.copy_slice_in(mc.context(), elements) }
    }

    /// [`try_copy_slice`](GcSliceBuilder::try_copy_slice) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// The context is one of the arena that `'gc` brands.
    #[inline]
    #[track_caller]
    pub(crate) unsafe fn copy_slice_in(
        self,
        context: &Context,
        elements: &[E],
    ) -> Result<GcSlice<'gc, E, M>, HeapError> {
        // SAFETY: the context is one of the arena that `'gc` brands (the caller's promise).
        unsafe { self.0.copy_slice_in(context, elements) }.map(without_header)
    }
}

/// From a slice with a header without a size to the slice.
#[inline(always)]
fn without_header<'gc, E, M>(gc: GcSliceWithHeader<'gc, (), E, M>) -> GcSlice<'gc, E, M> {
    // SAFETY: the slice is all that there is, and the metadata of the pointers are the same.
    unsafe { Gc::from_ptr_with_kind(Gc::as_ptr(gc) as *const [E]) }
}
