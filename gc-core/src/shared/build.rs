//! Builders in shared arenas: what a [`Mutation`] completes them with.
//!
//! Builders are the same in all arenas, for they know of none before they are completed. Here the
//! [`Mutation`] completes them, and asks that what they make be `Send` and `Sync`, for all threads see it and any of
//! them may drop it. Metadata of types are that always; those of pointers are copied, and `Send`.

use super::mutation::Mutation;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::pointers::gc::{GcBuilder, GcFat};
use crate::pointers::gc_slice::{
    GcSlice, GcSliceBuilder, GcSliceWithHeader, GcSliceWithHeaderSliceBuilder, GcStr, GcStrBuilder,
};

impl<'gc> Mutation<'gc> {
    /// Completes a builder with `value`: [`GcBuilder::write`] for shared arenas. Never collects, and takes
    /// constant time.
    ///
    /// ```
    /// use gc_core::meta::{TypeMeta, type_meta_const_promotion};
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, GcBuilder, Rootable};
    ///
    /// struct Shown;
    /// impl TypeMeta for Shown {
    ///     type TypeMetadata = fn(u32) -> String;
    ///     const TYPE_METADATA: fn(u32) -> String = |number| format!("number {number}");
    ///     type_meta_const_promotion!();
    /// }
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     let seven = mc.build(GcBuilder::new_with_type_meta::<Shown>(), 7);
    ///     assert_eq!(Gc::type_metadata(seven)(*seven), "number 7");
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Mutation::try_build`].
    #[inline]
    pub fn build<T, M, P>(&self, builder: GcBuilder<'gc, T, M, P>, value: T) -> GcFat<'gc, T, M, P>
    where
        T: Send + Sync + 'gc,
    {
        or_panic(self.try_build(builder, value))
    }

    /// Completes a builder with `value`, or drops both if there is no memory.
    ///
    /// ```
    /// # use gc_core::{GcBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let pair = mc.try_build(GcBuilder::new(), (1, "one")).unwrap();
    /// assert_eq!(*pair, (1, "one"));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`].
    #[inline]
    pub fn try_build<T, M, P>(
        &self,
        builder: GcBuilder<'gc, T, M, P>,
        value: T,
    ) -> Result<GcFat<'gc, T, M, P>, HeapError>
    where
        T: Send + Sync + 'gc,
    {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { builder.write_in(self.context(), value) }
    }

    /// Completes a builder with the value that was written to its memory: [`GcBuilder::assume_init`] for shared
    /// arenas. Never collects, and takes time linear in the value's size.
    ///
    /// ```
    /// # use gc_core::{GcBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// // A mebibyte that is never on the stack.
    /// let mut builder = GcBuilder::<[u8; 1 << 20]>::new();
    /// // SAFETY: there is room for the value, and all of it is written.
    /// let page = unsafe {
    ///     builder.as_ptr().write_bytes(7, 1);
    ///     mc.build_init(builder)
    /// };
    /// assert!(page.iter().all(|byte| *byte == 7));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; the value is dropped then.
    ///
    /// # Safety
    ///
    /// As for [`GcBuilder::assume_init`].
    #[inline]
    pub unsafe fn build_init<T, M, P>(
        &self,
        builder: GcBuilder<'gc, T, M, P>,
    ) -> GcFat<'gc, T, M, P>
    where
        T: ?Sized + Send + Sync + 'gc,
    {
        // SAFETY: passed on to the caller; the arena is the one that `'gc` brands.
        unsafe { builder.assume_init_in(self.context()) }
    }

    /// Completes a builder of a slice: calls `element` with each index, in order. This is
    /// [`GcSliceBuilder::write_slice_with`] for shared arenas. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::meta::{TypeMeta, type_meta_const_promotion};
    /// use gc_core::shared::{Arena, AtomicGc};
    /// use gc_core::{Gc, GcSliceBuilder, GcThinSlice, Rootable};
    ///
    /// struct Registers;
    /// impl TypeMeta for Registers {
    ///     type TypeMetadata = &'static str;
    ///     const TYPE_METADATA: &'static str = "registers";
    ///     type_meta_const_promotion!();
    /// }
    ///
    /// /// Slots, and what they are for, behind a pointer of 8 bytes.
    /// type Slots<'gc> = GcThinSlice<'gc, AtomicGc<'gc, u32>, &'static str>;
    ///
    /// let arena = Arena::<Rootable![Slots<'_>]>::new(|mc| {
    ///     let builder = GcSliceBuilder::new_with_type_meta::<Registers>(16);
    ///     Gc::as_thin(mc.build_slice(builder, |_| AtomicGc::null()))
    /// });
    /// arena.attach().mutate(|mc, slots| {
    ///     slots[3].store(mc, Some(mc.allocate(7)));
    ///     assert_eq!((Gc::type_metadata(*slots), slots.len()), ("registers", 16));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_build_slice`]; or if `element` does. All elements so far are
    /// dropped then.
    #[inline]
    pub fn build_slice<E, M>(
        &self,
        builder: GcSliceBuilder<'gc, E, M>,
        element: impl FnMut(usize) -> E,
    ) -> GcSlice<'gc, E, M>
    where
        E: Send + Sync + 'gc,
    {
        or_panic(self.try_build_slice(builder, element))
    }

    /// Completes a builder of a slice: calls `element` with each index, in order.
    ///
    /// ```
    /// # use gc_core::{GcSliceBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let squares = mc.try_build_slice(GcSliceBuilder::new(4), |i| i * i).unwrap();
    /// assert_eq!(*squares, [0, 1, 4, 9]);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`]. No element is asked for then.
    ///
    /// # Panics
    ///
    /// If `element` does.
    #[inline]
    pub fn try_build_slice<E, M>(
        &self,
        builder: GcSliceBuilder<'gc, E, M>,
        element: impl FnMut(usize) -> E,
    ) -> Result<GcSlice<'gc, E, M>, HeapError>
    where
        E: Send + Sync + 'gc,
    {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { builder.write_slice_in(self.context(), element) }
    }

    /// Completes a builder with the first of `elements`, as many as the slice has: [`GcSliceBuilder::copy_slice`]
    /// for shared arenas. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// # use gc_core::{GcSliceBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let packet = [2_u8, 0xab, 0xcd, 0xef];
    /// let payload = GcSliceBuilder::new(usize::from(packet[0]));
    /// assert_eq!(*mc.build_slice_copy(payload, &packet[1..]), [0xab, 0xcd]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer, or if there is no memory; see [`Mutation::try_build_slice_copy`].
    #[inline]
    #[track_caller]
    pub fn build_slice_copy<E, M>(
        &self,
        builder: GcSliceBuilder<'gc, E, M>,
        elements: &[E],
    ) -> GcSlice<'gc, E, M>
    where
        E: Copy + Send + Sync + 'gc,
    {
        or_panic(self.try_build_slice_copy(builder, elements))
    }

    /// Completes a builder with the first of `elements`, as many as the slice has.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{GcSliceBuilder, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.attach().mutate(|mc, _| {
    ///     let samples = vec![0.5; 100_000];
    ///     let copy = |count| mc.try_build_slice_copy(GcSliceBuilder::new(count), &samples);
    ///     assert!(copy(100_000).is_err());
    ///     assert_eq!(*copy(3).unwrap(), [0.5; 3]);
    /// });
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`].
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    #[track_caller]
    pub fn try_build_slice_copy<E, M>(
        &self,
        builder: GcSliceBuilder<'gc, E, M>,
        elements: &[E],
    ) -> Result<GcSlice<'gc, E, M>, HeapError>
    where
        E: Copy + Send + Sync + 'gc,
    {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { builder.copy_slice_in(self.context(), elements) }
    }

    /// Completes a builder with the elements that were written to its memory: [`GcSliceBuilder::assume_init`] for
    /// shared arenas. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{GcSliceBuilder, Rootable};
    /// use std::io::Read;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     let mut input: &[u8] = b"abcdef";
    ///     let mut builder = GcSliceBuilder::<u8>::new(4);
    ///     let place = builder.slice_ptr();
    ///     // SAFETY: the bytes are initialised before they are lent.
    ///     let read = unsafe {
    ///         place.cast::<u8>().write_bytes(0, place.len());
    ///         input.read_exact(&mut *place).unwrap();
    ///         mc.build_slice_init(builder)
    ///     };
    ///     assert_eq!((&*read, input), (&b"abcd"[..], &b"ef"[..]));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; the elements are dropped then.
    ///
    /// # Safety
    ///
    /// As for [`GcSliceBuilder::assume_init`].
    #[inline]
    pub unsafe fn build_slice_init<E, M>(
        &self,
        builder: GcSliceBuilder<'gc, E, M>,
    ) -> GcSlice<'gc, E, M>
    where
        E: Send + Sync + 'gc,
    {
        // SAFETY: passed on to the caller; the arena is the one that `'gc` brands.
        unsafe { builder.assume_init_in(self.context()) }
    }

    /// Completes a builder of a string with the first bytes of `text`, as many as the string has:
    /// [`GcStrBuilder::copy_str`] for shared arenas. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::meta::{TypeMeta, type_meta_const_promotion};
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, GcStrBuilder, GcThinStr, Rootable};
    ///
    /// struct Symbol;
    /// impl TypeMeta for Symbol {
    ///     type TypeMetadata = char;
    ///     const TYPE_METADATA: char = '\'';
    ///     type_meta_const_promotion!();
    /// }
    ///
    /// let arena = Arena::<Rootable![GcThinStr<'_, char>]>::new(|mc| {
    ///     let builder = GcStrBuilder::new_with_type_meta::<Symbol>(6);
    ///     Gc::as_thin(mc.build_str(builder, "lambda (x) x"))
    /// });
    /// arena.attach().mutate(|_, name| {
    ///     assert_eq!((Gc::type_metadata(*name), &**name), ('\'', "lambda"));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer, if they end inside of a character, or if there is no memory; see
    /// [`Mutation::try_build_str`].
    #[inline]
    #[track_caller]
    pub fn build_str<M>(&self, builder: GcStrBuilder<'gc, M>, text: &str) -> GcStr<'gc, M> {
        or_panic(self.try_build_str(builder, text))
    }

    /// Completes a builder of a string with the first bytes of `text`, as many as the string has.
    ///
    /// ```
    /// # use gc_core::{GcStrBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let (line, length) = ("key=value", 3);
    /// let key = mc.try_build_str(GcStrBuilder::new(length), line).unwrap();
    /// assert_eq!(&*key, "key");
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`].
    ///
    /// # Panics
    ///
    /// If there are fewer, or if they end inside of a character.
    #[inline]
    #[track_caller]
    pub fn try_build_str<M>(
        &self,
        builder: GcStrBuilder<'gc, M>,
        text: &str,
    ) -> Result<GcStr<'gc, M>, HeapError> {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { builder.copy_str_in(self.context(), text) }
    }

    /// Completes a builder with the string that was written to its memory: [`GcStrBuilder::assume_init`] for shared
    /// arenas. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// # use gc_core::{GcStrBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let mut builder = GcStrBuilder::new(5);
    /// let place = builder.str_ptr().cast::<u8>();
    /// // SAFETY: all five bytes are written, and are ASCII.
    /// let line = unsafe {
    ///     place.write_bytes(b'-', 5);
    ///     mc.build_str_init(builder)
    /// };
    /// assert_eq!(&*line, "-----");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    ///
    /// # Safety
    ///
    /// As for [`GcStrBuilder::assume_init`].
    #[inline]
    pub unsafe fn build_str_init<M>(&self, builder: GcStrBuilder<'gc, M>) -> GcStr<'gc, M> {
        // SAFETY: passed on to the caller; the arena is the one that `'gc` brands.
        unsafe { builder.assume_init_in(self.context()) }
    }

    /// Completes a builder of a slice that has its header: calls `element` with each index, in order. This is
    /// [`write_slice_with`](GcSliceWithHeaderSliceBuilder::write_slice_with) for shared arenas. Never collects, and
    /// takes time linear in the length.
    ///
    /// ```
    /// use gc_core::meta::{TypeMeta, type_meta_const_promotion};
    /// use gc_core::shared::{Arena, AtomicGc};
    /// use gc_core::{Gc, GcSliceWithHeaderBuilder, GcThinSliceWithHeader, Rootable};
    ///
    /// type Call = fn(argument: u32) -> u32;
    ///
    /// struct Increment;
    /// impl TypeMeta for Increment {
    ///     type TypeMetadata = Call;
    ///     const TYPE_METADATA: Call = |argument| argument + 1;
    ///     type_meta_const_promotion!();
    /// }
    ///
    /// /// A closure: its name, what it has captured, and its code.
    /// type Closure<'gc> = GcThinSliceWithHeader<'gc, &'static str, AtomicGc<'gc, u32>, Call>;
    ///
    /// let arena = Arena::<Rootable![Closure<'_>]>::new(|mc| {
    ///     let builder = GcSliceWithHeaderBuilder::new_with_type_meta::<Increment>(2);
    ///     let builder = builder.write_header("increment");
    ///     Gc::as_thin(mc.build_slice_with_header(builder, |_| AtomicGc::null()))
    /// });
    /// arena.attach().mutate(|_, closure| {
    ///     assert_eq!((closure.header, closure.slice.len()), ("increment", 2));
    ///     assert_eq!(Gc::type_metadata(*closure)(6), 7);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_build_slice_with_header`]; or if `element` does. The header and
    /// all elements so far are dropped then.
    #[inline]
    pub fn build_slice_with_header<H, E, M>(
        &self,
        builder: GcSliceWithHeaderSliceBuilder<'gc, H, E, M>,
        element: impl FnMut(usize) -> E,
    ) -> GcSliceWithHeader<'gc, H, E, M>
    where
        H: Send + Sync + 'gc,
        E: Send + Sync + 'gc,
    {
        or_panic(self.try_build_slice_with_header(builder, element))
    }

    /// Completes a builder of a slice that has its header: calls `element` with each index, in order.
    ///
    /// ```
    /// # use gc_core::{GcSliceWithHeaderBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let builder = GcSliceWithHeaderBuilder::new(3).write_header("squares");
    /// let squares = mc.try_build_slice_with_header(builder, |i| i * i).unwrap();
    /// assert_eq!((squares.header, &squares.slice), ("squares", &[0, 1, 4][..]));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`]. No element is asked for then, and the header is dropped.
    ///
    /// # Panics
    ///
    /// If `element` does.
    #[inline]
    pub fn try_build_slice_with_header<H, E, M>(
        &self,
        builder: GcSliceWithHeaderSliceBuilder<'gc, H, E, M>,
        element: impl FnMut(usize) -> E,
    ) -> Result<GcSliceWithHeader<'gc, H, E, M>, HeapError>
    where
        H: Send + Sync + 'gc,
        E: Send + Sync + 'gc,
    {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { builder.write_slice_in(self.context(), element) }
    }

    /// Completes a builder of a slice that has its header with the first of `elements`, as many as the slice has:
    /// [`copy_slice`](GcSliceWithHeaderSliceBuilder::copy_slice) for shared arenas. Never collects, and takes time
    /// linear in the length.
    ///
    /// ```
    /// # use gc_core::{GcSliceWithHeaderBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let class = mc.allocate_str("Point");
    /// let builder = GcSliceWithHeaderBuilder::new(2).write_header(class);
    /// let point = mc.build_slice_with_header_copy(builder, &[3, 4]);
    /// assert_eq!((&*point.header, &point.slice), ("Point", &[3, 4][..]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer, or if there is no memory; see [`Mutation::try_build_slice_with_header_copy`]. The header
    /// is dropped then.
    #[inline]
    #[track_caller]
    pub fn build_slice_with_header_copy<H, E, M>(
        &self,
        builder: GcSliceWithHeaderSliceBuilder<'gc, H, E, M>,
        elements: &[E],
    ) -> GcSliceWithHeader<'gc, H, E, M>
    where
        H: Send + Sync + 'gc,
        E: Copy + Send + Sync + 'gc,
    {
        or_panic(self.try_build_slice_with_header_copy(builder, elements))
    }

    /// Completes a builder of a slice that has its header with the first of `elements`, as many as the slice has.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{GcSliceWithHeaderBuilder, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.attach().mutate(|mc, _| {
    ///     let record = |fields: &[u64]| {
    ///         let builder = GcSliceWithHeaderBuilder::new(fields.len()).write_header("record");
    ///         mc.try_build_slice_with_header_copy(builder, fields)
    ///     };
    ///     assert_eq!(record(&[1, 2]).unwrap().slice, [1, 2]);
    ///     assert!(record(&[0; 10_000]).is_err());
    /// });
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`]. The header is dropped then.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    #[track_caller]
    pub fn try_build_slice_with_header_copy<H, E, M>(
        &self,
        builder: GcSliceWithHeaderSliceBuilder<'gc, H, E, M>,
        elements: &[E],
    ) -> Result<GcSliceWithHeader<'gc, H, E, M>, HeapError>
    where
        H: Send + Sync + 'gc,
        E: Copy + Send + Sync + 'gc,
    {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { builder.copy_slice_in(self.context(), elements) }
    }

    /// Completes a builder of a slice that has its header with the elements that were written to its memory:
    /// [`assume_init`](GcSliceWithHeaderSliceBuilder::assume_init) for shared arenas. Never collects, and takes time
    /// linear in the length.
    ///
    /// ```
    /// # use gc_core::{GcSliceWithHeaderBuilder, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let mut builder = GcSliceWithHeaderBuilder::<&str, f32>::new(4).write_header("zeros");
    /// // SAFETY: all bits zero are a number, and all elements are written.
    /// let zeros = unsafe {
    ///     builder.slice_ptr().cast::<f32>().write_bytes(0, 4);
    ///     mc.build_slice_with_header_init(builder)
    /// };
    /// assert_eq!((zeros.header, &zeros.slice), ("zeros", &[0.0; 4][..]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; header and elements are dropped then.
    ///
    /// # Safety
    ///
    /// As for [`GcSliceWithHeaderSliceBuilder::assume_init`].
    #[inline]
    pub unsafe fn build_slice_with_header_init<H, E, M>(
        &self,
        builder: GcSliceWithHeaderSliceBuilder<'gc, H, E, M>,
    ) -> GcSliceWithHeader<'gc, H, E, M>
    where
        H: Send + Sync + 'gc,
        E: Send + Sync + 'gc,
    {
        // SAFETY: passed on to the caller; the arena is the one that `'gc` brands.
        unsafe { builder.assume_init_in(self.context()) }
    }
}
