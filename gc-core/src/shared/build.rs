//! Builders in shared arenas: [`Mutation::build`] and its like complete them.
//!
//! Builders are the same in all arenas, since they belong to none before they are completed. In a shared arena their
//! values must be `Send` and `Sync`, since all threads see them and any thread may drop them. The implementations of
//! [`Builder`] and [`BuildFrom`], one for each builder, require this. Metadata of types always are; metadata of
//! pointers are copied, and `Send`.

use super::mutation::Mutation;
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::mutates::{Access, Mutates};
use crate::pointers::gc::{GcBuilder, GcFat};
use crate::pointers::gc_slice::{
    GcSlice, GcSliceBuilder, GcSliceWithHeader, GcSliceWithHeaderSliceBuilder, GcStr, GcStrBuilder,
};

/// A builder of what can be in a shared arena.
///
/// ```
/// use gc_core::shared::{BuildFrom, Mutation};
/// use gc_core::{GcSliceBuilder, GcStrBuilder, Rootable, shared::Arena};
///
/// /// Makes the same thing twice, whatever it is.
/// fn twice<'gc, C: Clone, B: BuildFrom<'gc, C>>(
///     mc: &Mutation<'gc>,
///     builder: impl Fn() -> B,
///     contents: C,
/// ) -> [B::Made; 2] {
///     [mc.build(builder(), contents.clone()), mc.build(builder(), contents)]
/// }
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// arena.attach().mutate(|mc, _| {
///     assert_eq!(*twice(mc, || GcSliceBuilder::new(2), [1, 2])[1], [1, 2]);
///     assert_eq!(&*twice(mc, || GcStrBuilder::new(4), "text")[0], "text");
/// });
/// ```
pub trait Builder<'gc>: Sized + Sealed {
    /// The pointer to what is made.
    ///
    /// ```
    /// use gc_core::shared::Builder;
    /// use gc_core::{GcStr, GcStrBuilder};
    ///
    /// let _same: fn(<GcStrBuilder<'static> as Builder<'static>>::Made) -> GcStr<'static> = |text| text;
    /// ```
    type Made;

    /// # Safety
    ///
    /// The access is one to the arena that `'gc` brands, and all that the builder says of its `assume_init` holds.
    #[doc(hidden)]
    unsafe fn complete_init(self, access: Access<'_>) -> Self::Made;
}

/// A [`Builder`] that is completed with a `C`.
///
/// | builder | contents |
/// | --- | --- |
/// | [`GcBuilder`] | the value |
/// | [`GcSliceBuilder`], [`GcSliceWithHeaderSliceBuilder`] | what can be iterated over, with as many elements as the slice has, or more |
/// | [`GcStrBuilder`] | a `&str`, as long as the string is, or longer |
///
/// ```
/// use gc_core::shared::{Arena, BuildFrom};
/// use gc_core::{GcBuilder, GcSliceBuilder, Rootable};
///
/// fn is_builder<'gc, C>(_: &impl BuildFrom<'gc, C>) {}
///
/// is_builder::<u32>(&GcBuilder::new());
/// is_builder::<[u32; 3]>(&GcSliceBuilder::new(3));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be completed with `{C}` in a shared arena",
    note = "slices are made of iterators over their elements, strings of `&str`; all values must be `Send` and `Sync`"
)]
pub trait BuildFrom<'gc, C>: Builder<'gc> {
    /// # Safety
    ///
    /// The access is one to the arena that `'gc` brands.
    #[doc(hidden)]
    unsafe fn complete(self, access: Access<'_>, contents: C) -> Result<Self::Made, HeapError>;
}

/// Only the builders of this crate are builders.
pub trait Sealed {}

impl<'gc> Mutation<'gc> {
    /// Completes a builder: [`GcBuilder::write`], [`GcSliceBuilder::write_slice_with`], [`GcStrBuilder::copy_str`] and
    /// so on for shared arenas. [`BuildFrom`] tells with what. Never collects, unless an iterator does; takes time
    /// linear in the number of elements or bytes.
    ///
    /// ```
    /// use gc_core::meta::TypeMeta;
    /// use gc_core::shared::{Arena, AtomicGc};
    /// use gc_core::{Gc, GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder, GcStrBuilder};
    /// use gc_core::{GcThinSliceWithHeader, Rootable};
    /// use std::time::Duration;
    ///
    /// struct Code {
    ///     call: fn(argument: u32) -> u32,
    /// }
    ///
    /// struct Increment;
    /// impl TypeMeta for Increment {
    ///     type TypeMetadata = Code;
    ///     const TYPE_METADATA: &'static Code = &Code { call: |argument| argument + 1 };
    /// }
    ///
    /// /// A closure: its name, what it has captured, and its code, behind a pointer of 8 bytes.
    /// type Closure<'gc> = GcThinSliceWithHeader<'gc, &'static str, AtomicGc<'gc, u32>, Code>;
    ///
    /// let arena = Arena::<Rootable![Closure<'_>]>::new(|mc| {
    ///     let builder = GcSliceWithHeaderBuilder::new_with_type_meta::<Increment>(2);
    ///     let captured = (0..2).map(|_| AtomicGc::null());
    ///     Gc::as_thin(mc.build(builder.write_header("increment"), captured))
    /// });
    /// arena.attach().mutate(|mc, closure| {
    ///     assert_eq!((closure.header, closure.slice.len()), ("increment", 2));
    ///     let code = Gc::type_metadata(*closure);
    ///     closure.slice[1].store(mc, Some(mc.allocate((code.call)(6))));
    ///     assert_eq!(closure.slice[1].load().as_deref(), Some(&7));
    ///
    ///     // Pointers to slices and strings that know their length can be thin.
    ///     let squares = Gc::as_thin(mc.build(GcSliceBuilder::new(4), (0..).map(|i| i * i)));
    ///     assert_eq!(*squares, [0, 1, 4, 9]);
    ///     let key = Gc::as_thin(mc.build(GcStrBuilder::new(3), "key=value"));
    ///     assert_eq!(&*key, "key");
    ///
    ///     // What has no pointers need not be `Collect`.
    ///     let second: Gc<Duration> = mc.build(GcBuilder::new().unwrap_static(), Duration::from_secs(1));
    ///     assert_eq!(second.as_millis(), 1000);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_build`]; and for what it panics.
    #[inline]
    #[track_caller]
    pub fn build<B, C>(&self, builder: B, contents: C) -> B::Made
    where
        B: BuildFrom<'gc, C>,
    {
        or_panic(self.try_build(builder, contents))
    }

    /// Completes a builder, or drops it and the contents if there is no memory.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{GcSliceWithHeaderBuilder, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.attach().mutate(|mc, _| {
    ///     // A length that comes from a user of the program may be anything.
    ///     let record = |length| {
    ///         let builder = GcSliceWithHeaderBuilder::try_new(length)?.write_header("record");
    ///         mc.try_build(builder, std::iter::repeat(0_u64))
    ///     };
    ///     assert_eq!(record(2).unwrap().slice, [0, 0]);
    ///     assert!(matches!(record(10_000), Err(HeapError::LimitReached { .. })));
    ///     assert!(matches!(record(usize::MAX), Err(HeapError::SizeOverflow { .. })));
    /// });
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`]. No element is made then.
    ///
    /// # Panics
    ///
    /// If an iterator panics or ends too early, or a string is too short or would be cut inside of a character. All
    /// elements so far are dropped then, and so is the header.
    #[inline]
    #[track_caller]
    pub fn try_build<B, C>(&self, builder: B, contents: C) -> Result<B::Made, HeapError>
    where
        B: BuildFrom<'gc, C>,
    {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { builder.complete(Mutates::<()>::access(self), contents) }
    }

    /// Completes a builder with what was written to its memory: [`GcBuilder::assume_init`] and its like for shared
    /// arenas. Never collects, and takes time linear in the size.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder, GcStrBuilder, Rootable};
    /// use std::io::Read;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     // A mebibyte that is never on the stack.
    ///     let mut builder = GcBuilder::<[u8; 1 << 20]>::new();
    ///     // SAFETY: there is room for the value, and all of it is written.
    ///     let page = unsafe {
    ///         builder.as_ptr().write_bytes(7, 1);
    ///         mc.build_init(builder)
    ///     };
    ///     assert!(page.iter().all(|byte| *byte == 7));
    ///
    ///     let mut input: &[u8] = b"abcdef";
    ///     let mut builder = GcSliceBuilder::<u8>::new(4);
    ///     let place = builder.slice_ptr();
    ///     // SAFETY: the bytes are initialised before they are lent.
    ///     let read = unsafe {
    ///         place.cast::<u8>().write_bytes(0, place.len());
    ///         input.read_exact(&mut *place).unwrap();
    ///         mc.build_init(builder)
    ///     };
    ///     assert_eq!((&*read, input), (&b"abcd"[..], &b"ef"[..]));
    ///
    ///     let mut builder = GcStrBuilder::new(5);
    ///     let place = builder.str_ptr().cast::<u8>();
    ///     // SAFETY: all five bytes are written, and are ASCII.
    ///     let line = unsafe {
    ///         place.write_bytes(b'-', 5);
    ///         mc.build_init(builder)
    ///     };
    ///     assert_eq!(&*line, "-----");
    ///
    ///     let mut builder = GcSliceWithHeaderBuilder::<&str, f32>::new(4).write_header("zeros");
    ///     // SAFETY: all bits zero are a number, and all elements are written.
    ///     let zeros = unsafe {
    ///         builder.slice_ptr().cast::<f32>().write_bytes(0, 4);
    ///         mc.build_init(builder)
    ///     };
    ///     assert_eq!((zeros.header, &zeros.slice), ("zeros", &[0.0; 4][..]));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; what was written is dropped then.
    ///
    /// # Safety
    ///
    /// As for `assume_init` of the builder.
    #[inline]
    pub unsafe fn build_init<B: Builder<'gc>>(&self, builder: B) -> B::Made {
        // SAFETY: what was written is as the builder wants it (the caller's promise), and `self` is branded with the
        // arena's `'gc`.
        unsafe { builder.complete_init(Mutates::<()>::access(self)) }
    }
}

impl<T: ?Sized, M, P> Sealed for GcBuilder<'_, T, M, P> {}

impl<'gc, T: ?Sized + Send + Sync + 'gc, M, P> Builder<'gc> for GcBuilder<'gc, T, M, P> {
    type Made = GcFat<'gc, T, M, P>;

    #[inline]
    unsafe fn complete_init(self, access: Access<'_>) -> Self::Made {
        // SAFETY: what the builder holds is initialised, and the access is to the arena that `'gc` brands (the
        // caller's promises).
        unsafe { self.assume_init_in(access.0) }
    }
}

impl<'gc, T: Send + Sync + 'gc, M, P> BuildFrom<'gc, T> for GcBuilder<'gc, T, M, P> {
    #[inline]
    unsafe fn complete(self, access: Access<'_>, value: T) -> Result<Self::Made, HeapError> {
        // SAFETY: the access is to the arena that `'gc` brands (the caller's promise).
        unsafe { self.write_in(access.0, value) }
    }
}

/// The next element of a slice of `length`.
#[inline]
#[track_caller]
fn next<E>(elements: &mut impl Iterator<Item = E>, index: usize, length: usize) -> E {
    let element = elements.next();
    element.unwrap_or_else(|| panic!("{index} elements are too few for a slice of {length}"))
}

impl<E, M> Sealed for GcSliceBuilder<'_, E, M> {}

impl<'gc, E: Send + Sync + 'gc, M> Builder<'gc> for GcSliceBuilder<'gc, E, M> {
    type Made = GcSlice<'gc, E, M>;

    #[inline]
    unsafe fn complete_init(self, access: Access<'_>) -> Self::Made {
        // SAFETY: what the builder holds is initialised, and the access is to the arena that `'gc` brands (the
        // caller's promises).
        unsafe { self.assume_init_in(access.0) }
    }
}

impl<'gc, E, M, I> BuildFrom<'gc, I> for GcSliceBuilder<'gc, E, M>
where
    E: Send + Sync + 'gc,
    I: IntoIterator<Item = E>,
{
    #[inline]
    unsafe fn complete(self, access: Access<'_>, elements: I) -> Result<Self::Made, HeapError> {
        let (length, mut elements) = (self.length(), elements.into_iter());
        // SAFETY: the access is to the arena that `'gc` brands (the caller's promise).
        unsafe { self.write_slice_in(access.0, |index| next(&mut elements, index, length)) }
    }
}

impl<M> Sealed for GcStrBuilder<'_, M> {}

impl<'gc, M> Builder<'gc> for GcStrBuilder<'gc, M> {
    type Made = GcStr<'gc, M>;

    #[inline]
    unsafe fn complete_init(self, access: Access<'_>) -> Self::Made {
        // SAFETY: what the builder holds is initialised, and the access is to the arena that `'gc` brands (the
        // caller's promises).
        unsafe { self.assume_init_in(access.0) }
    }
}

impl<'gc, M> BuildFrom<'gc, &str> for GcStrBuilder<'gc, M> {
    #[inline]
    #[track_caller]
    unsafe fn complete(self, access: Access<'_>, text: &str) -> Result<Self::Made, HeapError> {
        // SAFETY: the access is to the arena that `'gc` brands (the caller's promise).
        unsafe { self.copy_str_in(access.0, text) }
    }
}

impl<H, E, M> Sealed for GcSliceWithHeaderSliceBuilder<'_, H, E, M> {}

impl<'gc, H, E, M> Builder<'gc> for GcSliceWithHeaderSliceBuilder<'gc, H, E, M>
where
    H: Send + Sync + 'gc,
    E: Send + Sync + 'gc,
{
    type Made = GcSliceWithHeader<'gc, H, E, M>;

    #[inline]
    unsafe fn complete_init(self, access: Access<'_>) -> Self::Made {
        // SAFETY: what the builder holds is initialised, and the access is to the arena that `'gc` brands (the
        // caller's promises).
        unsafe { self.assume_init_in(access.0) }
    }
}

impl<'gc, H, E, M, I> BuildFrom<'gc, I> for GcSliceWithHeaderSliceBuilder<'gc, H, E, M>
where
    H: Send + Sync + 'gc,
    E: Send + Sync + 'gc,
    I: IntoIterator<Item = E>,
{
    #[inline]
    unsafe fn complete(self, access: Access<'_>, elements: I) -> Result<Self::Made, HeapError> {
        let (length, mut elements) = (self.length(), elements.into_iter());
        // SAFETY: the access is to the arena that `'gc` brands (the caller's promise).
        unsafe { self.write_slice_in(access.0, |index| next(&mut elements, index, length)) }
    }
}
