//! Strings that know their length.

use core::alloc::Layout;
use core::ptr;

use super::{GcSlice, GcSliceBuilder, SlicePtrMeta};
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::context::Context;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{Gc, GcFat, GcThin};
use crate::types::meta::{AllocMeta, PtrMeta, TypeMeta, UnitTypeMeta};

/// A pointer to a string that knows its length.
///
/// ```
/// use gc_core::{Gc, GcStr, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let text: GcStr = Gc::new_str(mc, "text");
///     assert_eq!(text.to_uppercase(), "TEXT");
/// });
/// ```
pub type GcStr<'gc, M = ()> = GcFat<'gc, str, M, StrPtrMeta>;

/// A pointer of 8 bytes to a string that knows its length.
///
/// ```
/// use gc_core::{Gc, GcThinStr, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let text: GcThinStr = Gc::as_thin(Gc::new_str(mc, "text"));
///     assert_eq!((size_of_val(&text), &*text), (8, "text"));
/// });
/// ```
pub type GcThinStr<'gc, M = ()> = GcThin<'gc, str, M, StrPtrMeta>;

/// Metadata of pointers to strings: the length in bytes.
///
/// ```
/// use gc_core::gc_slice::StrPtrMeta;
/// use gc_core::meta::PtrMeta;
///
/// let text = "text";
/// let thin = <StrPtrMeta as PtrMeta<str, ()>>::to_thin(&(), text);
/// let fat: *const str = StrPtrMeta::from_thin(&(), thin, 2);
/// assert_eq!(fat, &raw const text[..2]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StrPtrMeta;

impl<M> PtrMeta<str, M> for StrPtrMeta {
    type PtrMetadata = usize;
    type Thin = ();

    #[inline]
    fn to_thin(_: &'static M, fat: *const str) -> *const () {
        fat.cast()
    }

    #[inline]
    fn from_thin(_: &'static M, thin: *const (), length: usize) -> *const str {
        ptr::slice_from_raw_parts(thin.cast::<u8>(), length) as *const str
    }
}

impl<M> AllocMeta<str, M> for StrPtrMeta {
    #[inline]
    fn layout(type_meta: &'static M, length: usize) -> Option<Layout> {
        <SlicePtrMeta as AllocMeta<[u8], M>>::layout(type_meta, length)
    }
}

impl<'gc> GcStr<'gc> {
    /// Copies a string into the heap. Never collects, and takes time linear in its length.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| assert_eq!(&*Gc::new_str(mc, "text"), "text"));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`GcStrBuilder::try_copy_str`].
    #[inline]
    pub fn new_str(mc: &Mutation<'gc>, text: &str) -> GcStr<'gc> {
        GcStrBuilder::new(text.len()).copy_str(mc, text)
    }
}

/// Makes a string, perhaps with metadata of the type.
///
/// ```
/// use gc_core::{Gc, GcStr, GcStrBuilder, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let text: GcStr = GcStrBuilder::new(4).copy_str(mc, "text");
///     assert_eq!(&*text, "text");
/// });
/// ```
#[must_use = "a builder makes nothing before it is completed"]
pub struct GcStrBuilder<'gc, M = ()>(GcSliceBuilder<'gc, u8, M>);

impl<'gc> GcStrBuilder<'gc> {
    /// A builder of a string of `length` bytes.
    ///
    /// ```
    /// use gc_core::{GcStrBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let line = "key=value";
    ///     let end = line.find('=').unwrap();
    ///     let key = GcStrBuilder::new(end).copy_str(mc, line);
    ///     assert_eq!(&*key, "key");
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn new(length: usize) -> GcStrBuilder<'gc> {
        GcStrBuilder::new_with_type_meta::<UnitTypeMeta>(length)
    }
}

impl<'gc, M> GcStrBuilder<'gc, M> {
    /// A builder of a string of `length` bytes, whose type has the metadata of `TM`.
    ///
    /// ```
    /// use gc_core::{Gc, GcStrBuilder, GcThinStr, arena::rootless_mutate};
    /// use gc_core::meta::TypeMeta;
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq)]
    /// enum Token {
    ///     Name,
    ///     Text,
    /// }
    ///
    /// struct Name;
    /// impl TypeMeta for Name {
    ///     type TypeMetadata = Token;
    ///     const TYPE_METADATA: &'static Token = &Token::Name;
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let builder = GcStrBuilder::new_with_type_meta::<Name>(2);
    ///     let name: GcThinStr<Token> = Gc::as_thin(builder.copy_str(mc, "if"));
    ///     assert_eq!((Gc::type_metadata(name), &*name), (&Token::Name, "if"));
    ///     # assert_ne!(Gc::type_metadata(name), &Token::Text);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn new_with_type_meta<TM: TypeMeta<TypeMetadata = M>>(
        length: usize,
    ) -> GcStrBuilder<'gc, M> {
        GcStrBuilder(GcSliceBuilder::new_with_type_meta::<TM>(length))
    }

    /// Where to write the string. See [`GcBuilder::as_ptr`](crate::GcBuilder::as_ptr).
    ///
    /// ```
    /// use gc_core::{GcStrBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let words = ["no", " ", "copy"];
    ///     let length = words.iter().map(|word| word.len()).sum();
    ///     let mut builder = GcStrBuilder::new(length);
    ///     let mut place = builder.str_ptr().cast::<u8>();
    ///     // SAFETY: the words are as long as the string, and are UTF-8.
    ///     let joined = unsafe {
    ///         for word in words {
    ///             place.copy_from_nonoverlapping(word.as_ptr(), word.len());
    ///             place = place.add(word.len());
    ///         }
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!(&*joined, "no copy");
    /// });
    /// ```
    #[inline]
    pub fn str_ptr(&mut self) -> *mut str {
        self.0.slice_ptr() as *mut str
    }

    /// Completes the builder with the string that was written to [`str_ptr`](GcStrBuilder::str_ptr). Never
    /// collects, and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{GcStrBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut builder = GcStrBuilder::new(5);
    ///     let place = builder.str_ptr().cast::<u8>();
    ///     // SAFETY: all five bytes are written, and are ASCII.
    ///     let line = unsafe {
    ///         place.write_bytes(b'-', 5);
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!(&*line, "-----");
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    ///
    /// # Safety
    ///
    /// All bytes were written, together they are UTF-8, and nobody goes on writing them.
    #[inline]
    pub unsafe fn assume_init(self, mc: &Mutation<'gc>) -> GcStr<'gc, M> {
        // SAFETY: all elements are there and belong to the builder (the caller's promise). The context is that of the
        // arena that `'gc` brands.
        unsafe { self.assume_init_in(mc.context()) }
    }

    /// [`assume_init`](GcStrBuilder::assume_init) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// As there, and the context is one of the arena that `'gc` brands.
    #[inline]
    pub(crate) unsafe fn assume_init_in(self, context: &Context) -> GcStr<'gc, M> {
        // SAFETY: the bytes are there and are a string, and the context is one of the arena that `'gc` brands (the
        // caller's promises).
        unsafe { as_str(self.0.assume_init_in(context)) }
    }

    /// Completes the builder with the first bytes of `text`, as many as the string has. Never
    /// collects, and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{GcStrBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let text = "Grüße";
    ///     let start = GcStrBuilder::new("Grü".len()).copy_str(mc, text);
    ///     assert_eq!((&*start, start.len()), ("Grü", 4));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer, if they end inside of a character, or if there is no memory.
    #[inline]
    #[track_caller]
    pub fn copy_str(self, mc: &Mutation<'gc>, text: &str) -> GcStr<'gc, M> {
        or_panic(self.try_copy_str(mc, text))
    }

    /// Completes the builder with the first bytes of `text`, as many as the string has. Never
    /// collects, and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{Arena, GcStrBuilder, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let page = "x".repeat(40_000);
    /// let copy = |arena: &Arena<Rootable![()]>| {
    ///     arena.mutate(|mc, _| GcStrBuilder::new(page.len()).try_copy_str(mc, &page).is_ok())
    /// };
    /// assert!(copy(&arena));
    /// assert!(!copy(&arena)); // There is room for one such string, and the first is still there.
    /// arena.finish_cycle();
    /// assert!(copy(&arena));
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`].
    ///
    /// # Panics
    ///
    /// If there are fewer, or if they end inside of a character.
    #[inline]
    #[track_caller]
    pub fn try_copy_str(self, mc: &Mutation<'gc>, text: &str) -> Result<GcStr<'gc, M>, HeapError> {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { self.copy_str_in(mc.context(), text) }
    }

    /// [`try_copy_str`](GcStrBuilder::try_copy_str) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// The context is one of the arena that `'gc` brands.
    #[inline]
    #[track_caller]
    pub(crate) unsafe fn copy_str_in(
        self,
        context: &Context,
        text: &str,
    ) -> Result<GcStr<'gc, M>, HeapError> {
        let length = self.0.length();
        assert!(
            text.is_char_boundary(length),
            "a string of {} bytes cannot be cut after {length}",
            text.len()
        );
        // SAFETY: passed on to the caller. The bytes are a string, or the first characters of one.
        unsafe {
            let slice = self.0.copy_slice_in(context, text.as_bytes())?;
            Ok(as_str(slice))
        }
    }
}

/// The string of which these are the bytes.
///
/// # Safety
///
/// They are UTF-8.
#[inline(always)]
unsafe fn as_str<'gc, M>(bytes: GcSlice<'gc, u8, M>) -> GcStr<'gc, M> {
    // SAFETY: the bytes are a string (the caller's promise). The metadata of pointers to strings are those of slices.
    unsafe { Gc::from_ptr_with_kind(Gc::as_ptr(bytes) as *const str) }
}
