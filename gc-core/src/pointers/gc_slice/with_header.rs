//! [`SliceWithHeader`]: a slice behind a header, in one object; and its builders.

use core::alloc::{Layout, LayoutError};
use core::mem::ManuallyDrop;
use core::ptr;

use crate::heap::MAX_ALIGN;
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::allocation::fill;
use crate::mutator::context::Context;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{Gc, GcBuilder, GcFat, GcThin};
use crate::types::collect::{Collect, Trace};
use crate::types::meta::{AllocMeta, PtrMeta, TypeMeta, UnitTypeMeta};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::static_wrapper::Static;
use crate::types::type_map::TypeMap;

/// A header and, behind it, a slice: one value.
///
/// [`GcSliceWithHeaderBuilder`] makes it in the heap.
///
/// ```
/// use gc_core::{Gc, GcSliceWithHeaderBuilder, SliceWithHeader, arena::rootless_mutate};
///
/// /// The names of all fields, after that of the record.
/// fn show(record: &SliceWithHeader<&str, &str>) -> String {
///     format!("{}({})", record.header, record.slice.join(", "))
/// }
///
/// rootless_mutate(|mc| {
///     let point = GcSliceWithHeaderBuilder::new(2).write_header("Point").copy_slice(mc, &["x", "y"]);
///     assert_eq!(show(&point), "Point(x, y)");
///     assert_eq!(size_of_val(&*point), 3 * size_of::<&str>());
/// });
/// ```
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct SliceWithHeader<H, E> {
    /// The header.
    pub header: H,
    /// The elements.
    pub slice: [E],
}

// SAFETY: both parts are visited in place. The header is at the start, the elements wherever they are.
unsafe impl<'gc, H: Collect<'gc>, E: Collect<'gc>> Collect<'gc> for SliceWithHeader<H, E> {
    const NEEDS_TRACE: bool = H::NEEDS_TRACE || E::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = TypeMap::LEAF
        .with_field(H::TYPE_MAP, 0)
        .with_variant_field(E::TYPE_MAP);

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.header);
        cc.trace(&self.slice);
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add_field(&self.header);
        owned.add_field(&self.slice);
    }
}

impl<H, E> SliceWithHeader<H, E> {
    /// A pointer to the header.
    #[inline]
    pub(crate) const fn to_thin_ptr(pointer: *const Self) -> *const H {
        pointer.cast()
    }

    /// A pointer to the header and `length` elements behind it. It can be used as such if they are there.
    #[inline]
    pub(crate) const fn from_thin_ptr(pointer: *const H, length: usize) -> *const Self {
        // The metadata of a pointer to a struct are those of its last field.
        ptr::slice_from_raw_parts(pointer.cast::<u8>(), length) as *const Self
    }

    /// The layout of a header and `length` elements, if anything can be so large.
    #[inline]
    pub(crate) const fn layout(length: usize) -> Result<Layout, LayoutError> {
        let elements = match Layout::array::<E>(length) {
            Ok(layout) => layout,
            Err(error) => return Err(error),
        };
        match Layout::new::<H>().extend(elements) {
            Ok((layout, _)) => Ok(layout.pad_to_align()),
            Err(error) => Err(error),
        }
    }

    /// How many bytes after the header's start the elements start.
    const SLICE_OFFSET: usize = size_of::<H>().next_multiple_of(align_of::<E>());

    /// That the heap aligns to so much.
    const IS_ALIGNED: () = assert!(
        align_of::<H>() <= MAX_ALIGN && align_of::<E>() <= MAX_ALIGN,
        "values in the heap are aligned to 4096 bytes at most"
    );
}

/// Metadata of pointers to slices with headers: the length.
///
/// ```
/// use gc_core::gc_slice::{SliceWithHeader, SliceWithHeaderPtrMeta};
/// use gc_core::meta::AllocMeta;
///
/// // What an object with a header and `length` elements takes, beside two words.
/// let size = |length| {
///     let layout = <SliceWithHeaderPtrMeta as AllocMeta<SliceWithHeader<u64, u32>, ()>>::layout;
///     layout(&(), length).map(|layout| layout.size())
/// };
/// assert_eq!((size(0), size(3), size(usize::MAX)), (Some(8), Some(24), None));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SliceWithHeaderPtrMeta;

impl<H, E, M> PtrMeta<SliceWithHeader<H, E>, M> for SliceWithHeaderPtrMeta {
    type PtrMetadata = usize;
    type Thin = H;

    #[inline]
    fn to_thin(_: &'static M, fat: *const SliceWithHeader<H, E>) -> *const H {
        SliceWithHeader::to_thin_ptr(fat)
    }

    #[inline]
    fn from_thin(_: &'static M, thin: *const H, length: usize) -> *const SliceWithHeader<H, E> {
        SliceWithHeader::from_thin_ptr(thin, length)
    }
}

impl<H, E, M> AllocMeta<SliceWithHeader<H, E>, M> for SliceWithHeaderPtrMeta {
    #[inline]
    fn layout(_: &'static M, length: usize) -> Option<Layout> {
        SliceWithHeader::<H, E>::layout(length).ok()
    }
}

/// A pointer to a slice with a header.
///
/// ```
/// use gc_core::{Gc, GcSliceWithHeader, GcSliceWithHeaderBuilder, arena::rootless_mutate};
///
/// /// A number of arguments that stay in registers, and the code.
/// type Function<'gc> = GcSliceWithHeader<'gc, u8, u32>;
///
/// rootless_mutate(|mc| {
///     let code = [0x12, 0x34];
///     let function: Function = GcSliceWithHeaderBuilder::new(2).write_header(1).copy_slice(mc, &code);
///     assert_eq!(size_of_val(&function), 16);
///     assert_eq!((function.header, function.slice[1]), (1, 0x34));
/// });
/// ```
pub type GcSliceWithHeader<'gc, H, E, M = ()> =
    GcFat<'gc, SliceWithHeader<H, E>, M, SliceWithHeaderPtrMeta>;

/// A pointer of 8 bytes to a slice with a header.
///
/// ```
/// use gc_core::{Collect, Gc, GcSliceWithHeaderBuilder, GcThinSliceWithHeader, arena::rootless_mutate};
///
/// /// A value of a language, in two words.
/// #[derive(Clone, Copy, Collect)]
/// #[collect(no_drop)]
/// enum Value<'gc> {
///     Number(f64),
///     Vector(GcThinSliceWithHeader<'gc, &'static str, f64>),
/// }
///
/// rootless_mutate(|mc| {
///     let vector = GcSliceWithHeaderBuilder::new(2).write_header("mm").copy_slice(mc, &[1.5, 2.0]);
///     let values = [Value::Number(3.0), Value::Vector(Gc::as_thin(vector))];
///     assert_eq!(size_of_val(&values), 2 * 16);
///     let Value::Vector(vector) = values[1] else { unreachable!() };
///     assert_eq!((vector.header, vector.slice.len()), ("mm", 2));
///     # let Value::Number(_) = values[0] else { unreachable!() };
/// });
/// ```
pub type GcThinSliceWithHeader<'gc, H, E, M = ()> =
    GcThin<'gc, SliceWithHeader<H, E>, M, SliceWithHeaderPtrMeta>;

type Inner<'gc, H, E, M> = GcBuilder<'gc, SliceWithHeader<H, E>, M, SliceWithHeaderPtrMeta>;

/// Makes a slice with a header: takes the header.
///
/// ```
/// use gc_core::{Gc, GcSliceWithHeader, GcSliceWithHeaderBuilder, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let gc: GcSliceWithHeader<String, u32> = GcSliceWithHeaderBuilder::new(3)
///         .write_header("squares".to_string())
///         .write_slice_with(mc, |i| (i * i) as u32);
///     assert_eq!((gc.header.as_str(), &gc.slice), ("squares", &[0, 1, 4][..]));
/// });
/// ```
#[must_use = "a builder makes nothing before it is completed"]
pub struct GcSliceWithHeaderBuilder<'gc, H, E, M = ()> {
    inner: Inner<'gc, H, E, M>,
}

impl<'gc, H: Collect<'gc>, E: Collect<'gc>> GcSliceWithHeaderBuilder<'gc, H, E> {
    /// A builder of a slice with `length` elements.
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let line = "print hello world";
    ///     let mut words = line.split(' ');
    ///     let command = words.next().unwrap();
    ///     let arguments: Vec<&str> = words.collect();
    ///     let call = GcSliceWithHeaderBuilder::new(arguments.len())
    ///         .write_header(command.to_string())
    ///         .write_slice_with(mc, |i| arguments[i].to_string());
    ///     assert_eq!((&*call.header, call.slice.join("+")), ("print", "hello+world".to_string()));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn new(length: usize) -> GcSliceWithHeaderBuilder<'gc, H, E> {
        GcSliceWithHeaderBuilder::new_with_type_meta::<UnitTypeMeta>(length)
    }
}

impl<'gc, H: Collect<'gc>, E: Collect<'gc>, M> GcSliceWithHeaderBuilder<'gc, H, E, M> {
    /// A builder of a slice with `length` elements, whose type has the metadata of `TM`.
    ///
    /// ```
    /// use gc_core::{Gc, GcSliceWithHeaderBuilder, GcThinSliceWithHeader, arena::rootless_mutate};
    /// use gc_core::meta::TypeMeta;
    ///
    /// struct Code {
    ///     call: fn(captured: &[i32], argument: i32) -> i32,
    /// }
    ///
    /// /// Closures that add what they have captured.
    /// struct Adds;
    /// impl TypeMeta for Adds {
    ///     type TypeMetadata = Code;
    ///     const TYPE_METADATA: &'static Code = &Code {
    ///         call: |captured, argument| captured.iter().sum::<i32>() + argument,
    ///     };
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let builder = GcSliceWithHeaderBuilder::new_with_type_meta::<Adds>(2);
    ///     let adder = builder.write_header("adder").copy_slice(mc, &[10, 20]);
    ///     let thin: GcThinSliceWithHeader<&str, i32, Code> = Gc::as_thin(adder);
    ///     assert_eq!((Gc::type_metadata(thin).call)(&thin.slice, 3), 33);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn new_with_type_meta<TM: TypeMeta<TypeMetadata = M>>(
        length: usize,
    ) -> GcSliceWithHeaderBuilder<'gc, H, E, M> {
        const { SliceWithHeader::<H, E>::IS_ALIGNED };
        GcSliceWithHeaderBuilder {
            // SAFETY: `SliceWithHeaderPtrMeta` keeps to the rules, and asks for no metadata.
            inner: unsafe { GcBuilder::new_with_type_and_ptr_meta::<TM>(length) },
        }
    }
}

impl<'gc, H: Collect<'gc>, E: Collect<'gc>> GcSliceWithHeaderBuilder<'gc, H, E> {
    /// [`GcSliceWithHeaderBuilder::new`], where the length may be too large.
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeaderBuilder, HeapError};
    ///
    /// let error = GcSliceWithHeaderBuilder::<u32, u64>::try_new(usize::MAX).err().unwrap();
    /// assert!(matches!(error, HeapError::SizeOverflow { size: 8, .. }));
    /// ```
    ///
    /// # Errors
    ///
    /// If nothing can be so large.
    #[inline]
    pub fn try_new(length: usize) -> Result<GcSliceWithHeaderBuilder<'gc, H, E>, HeapError> {
        const { SliceWithHeader::<H, E>::IS_ALIGNED };
        // SAFETY: as above.
        let inner = unsafe { GcBuilder::for_plan_of::<UnitTypeMeta>(length) };
        let inner = inner.ok_or(HeapError::SizeOverflow {
            count: length,
            size: size_of::<E>(),
        })?;
        Ok(GcSliceWithHeaderBuilder { inner })
    }
}

impl<'gc, H, E, M> GcSliceWithHeaderBuilder<'gc, Static<H>, E, M> {
    /// A builder with the header without the wrapper that made it [`Collect`].
    ///
    /// ```
    /// use gc_core::{Gc, GcSliceWithHeader, GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// struct NotCollect(u8);
    ///
    /// rootless_mutate(|mc| {
    ///     let gc: GcSliceWithHeader<NotCollect, u8> = GcSliceWithHeaderBuilder::new(1)
    ///         .unwrap_static_header()
    ///         .write_header(NotCollect(7))
    ///         .copy_slice(mc, &[1]);
    ///     assert_eq!(gc.header.0, 7);
    /// });
    /// ```
    #[inline]
    pub fn unwrap_static_header(self) -> GcSliceWithHeaderBuilder<'gc, H, E, M> {
        GcSliceWithHeaderBuilder {
            // SAFETY: `Static` is transparent.
            inner: unsafe {
                self.inner
                    .retype(|value| value as *mut SliceWithHeader<H, E>)
            },
        }
    }
}

impl<'gc, H, E, M> GcSliceWithHeaderBuilder<'gc, H, E, M> {
    /// Where to write the header. See [`GcBuilder::as_ptr`].
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut builder = GcSliceWithHeaderBuilder::<[u64; 1000], u8>::new(1);
    ///     // SAFETY: zeros are such an array; it is written, and never on the stack.
    ///     let builder = unsafe {
    ///         builder.header_ptr().write_bytes(0, 1);
    ///         (*builder.header_ptr())[999] = 5;
    ///         builder.assume_init()
    ///     };
    ///     let gc = builder.copy_slice(mc, &[7]);
    ///     assert_eq!((gc.header[998], gc.header[999], gc.slice[0]), (0, 5, 7));
    /// });
    /// ```
    #[inline]
    pub fn header_ptr(&mut self) -> *mut H {
        self.inner.as_ptr().cast()
    }

    /// Goes on to the slice with the header that was written to
    /// [`header_ptr`](GcSliceWithHeaderBuilder::header_ptr).
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut builder = GcSliceWithHeaderBuilder::<(u32, String), u8>::new(2);
    ///     let place = builder.header_ptr();
    ///     // SAFETY: both fields of the header are written.
    ///     let builder = unsafe {
    ///         (&raw mut (*place).0).write(1);
    ///         (&raw mut (*place).1).write("one".to_string());
    ///         builder.assume_init()
    ///     };
    ///     let gc = builder.write_slice_with(mc, |i| i as u8);
    ///     assert_eq!((gc.header.1.as_str(), &gc.slice), ("one", &[0, 1][..]));
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// A valid one is there, and belongs to the builder: nobody drops it, moves it out or goes on using it there.
    #[inline]
    pub unsafe fn assume_init(mut self) -> GcSliceWithHeaderSliceBuilder<'gc, H, E, M> {
        self.inner.as_ptr();
        GcSliceWithHeaderSliceBuilder {
            inner: self.inner,
            header: None,
            is_header_staged: true,
        }
    }

    /// Takes the header, and goes on to the slice.
    ///
    /// ```
    /// use gc_core::{Gc, GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let class = Gc::new(mc, "Point");
    ///     // Instances lead to their class.
    ///     let instance = |x, y| GcSliceWithHeaderBuilder::new(2).write_header(class).copy_slice(mc, &[x, y]);
    ///     let (one, other) = (instance(1, 2), instance(3, 4));
    ///     assert!(Gc::ptr_eq(one.header, other.header));
    ///     assert_eq!(other.slice, [3, 4]);
    /// });
    /// ```
    #[inline]
    pub fn write_header(self, header: H) -> GcSliceWithHeaderSliceBuilder<'gc, H, E, M> {
        if self.inner.is_staged() {
            let mut this = self;
            // SAFETY: this is where the header goes, and it is there then.
            return unsafe {
                this.header_ptr().write(header);
                this.assume_init()
            };
        }
        GcSliceWithHeaderSliceBuilder {
            inner: self.inner,
            header: Some(header),
            is_header_staged: false,
        }
    }
}

/// Makes a slice with a header: has the header, and takes the elements.
///
/// ```
/// use gc_core::{Gc, GcSliceWithHeaderBuilder, Lock, arena::rootless_mutate};
/// use gc_core::gc_slice::GcSliceWithHeaderSliceBuilder;
///
/// rootless_mutate(|mc| {
///     let next: Lock<Option<Gc<str>>> = Lock::new(None);
///     let builder: GcSliceWithHeaderSliceBuilder<_, u8> =
///         GcSliceWithHeaderBuilder::new(3).write_header(next);
///     let chunk = builder.copy_slice(mc, b"abc");
///     assert!(chunk.header.get().is_none() && chunk.slice == *b"abc");
/// });
/// ```
#[must_use = "a builder makes nothing before it is completed"]
pub struct GcSliceWithHeaderSliceBuilder<'gc, H, E, M = ()> {
    inner: Inner<'gc, H, E, M>,
    /// The header, unless it is staged or was taken out.
    header: Option<H>,
    is_header_staged: bool,
}

impl<H, E, M> Drop for GcSliceWithHeaderSliceBuilder<'_, H, E, M> {
    fn drop(&mut self) {
        if self.is_header_staged {
            // SAFETY: it is there, and nobody else knows it. Of elements that were written to memory only
            // who wrote them knows how many they are.
            unsafe { self.inner.as_ptr().cast::<H>().drop_in_place() }
        }
    }
}

impl<'gc, H, E, M> GcSliceWithHeaderSliceBuilder<'gc, H, Static<E>, M> {
    /// A builder with elements without the wrapper that made them [`Collect`].
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeader, GcSliceWithHeaderBuilder, arena::rootless_mutate};
    /// use std::net::{IpAddr, Ipv4Addr};
    /// #
    /// # struct Host(IpAddr);
    ///
    /// rootless_mutate(|mc| {
    ///     // `Host` does not implement `Collect`.
    ///     let hosts: GcSliceWithHeader<String, Host> = GcSliceWithHeaderBuilder::new(2)
    ///         .write_header("local".to_string())
    ///         .unwrap_static_element()
    ///         .write_slice_with(mc, |i| Host(Ipv4Addr::new(127, 0, 0, i as u8).into()));
    ///     assert!(hosts.slice.iter().all(|host| host.0.is_loopback()));
    /// });
    /// ```
    #[inline]
    pub fn unwrap_static_element(self) -> GcSliceWithHeaderSliceBuilder<'gc, H, E, M> {
        let is_header_staged = self.is_header_staged;
        let (inner, header) = self.into_parts();
        GcSliceWithHeaderSliceBuilder {
            // SAFETY: `Static` is transparent.
            inner: unsafe { inner.retype(|value| value as *mut SliceWithHeader<H, E>) },
            header,
            is_header_staged,
        }
    }
}

impl<'gc, H, E, M> GcSliceWithHeaderSliceBuilder<'gc, H, E, M> {
    fn into_parts(self) -> (Inner<'gc, H, E, M>, Option<H>) {
        let this = ManuallyDrop::new(self);
        // SAFETY: both are read once, for the whole is not dropped.
        unsafe { (ptr::read(&this.inner), ptr::read(&this.header)) }
    }

    pub(crate) fn length(&self) -> usize {
        // The length of a slice pointer is known whether or not something is there.
        (self.inner.shape_of_value() as *const [E]).len()
    }

    /// Where to write the elements. See [`GcBuilder::as_ptr`].
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut builder = GcSliceWithHeaderBuilder::<u32, u32>::new(3).write_header(6);
    ///     let place = builder.slice_ptr();
    ///     assert_eq!(place.len(), 3);
    ///     // SAFETY: all elements are written, from the last to the first.
    ///     let countdown = unsafe {
    ///         for i in (0..3).rev() {
    ///             place.cast::<u32>().add(i).write(3 - i as u32);
    ///         }
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!((countdown.header, &countdown.slice), (6, &[3, 2, 1][..]));
    /// });
    /// ```
    #[inline]
    pub fn slice_ptr(&mut self) -> *mut [E] {
        let length = self.length();
        let whole = self.inner.as_ptr().cast::<u8>();
        // SAFETY: there is room for the header, and behind it for the elements.
        unsafe {
            if let Some(header) = self.header.take() {
                whole.cast::<H>().write(header);
                self.is_header_staged = true;
            }
            let elements = whole.add(SliceWithHeader::<H, E>::SLICE_OFFSET);
            ptr::slice_from_raw_parts_mut(elements.cast(), length)
        }
    }

    /// Completes the builder with the elements that were written to
    /// [`slice_ptr`](GcSliceWithHeaderSliceBuilder::slice_ptr). Never collects.
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut builder = GcSliceWithHeaderBuilder::<&str, f32>::new(4).write_header("zeros");
    ///     // SAFETY: all bits zero are a number, and all elements are written.
    ///     let zeros = unsafe {
    ///         builder.slice_ptr().cast::<f32>().write_bytes(0, 4);
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!((zeros.header, &zeros.slice), ("zeros", &[0.0; 4][..]));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; header and elements are dropped then.
    ///
    /// # Safety
    ///
    /// All elements are there, valid, and belong to the builder: nobody drops them, moves them out or goes on using
    /// them there.
    #[inline]
    pub unsafe fn assume_init(self, mc: &Mutation<'gc>) -> GcSliceWithHeader<'gc, H, E, M> {
        // SAFETY: all elements are there and belong to the builder (the caller's promise). The context is that of the
        // arena that `'gc` brands.
        unsafe { self.assume_init_in(mc.context()) }
    }

    /// [`assume_init`](GcSliceWithHeaderSliceBuilder::assume_init) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// As there, and the context is one of the arena that `'gc` brands.
    #[inline]
    pub(crate) unsafe fn assume_init_in(
        mut self,
        context: &Context,
    ) -> GcSliceWithHeader<'gc, H, E, M> {
        self.slice_ptr();
        // SAFETY: all elements are there, and the context is one of the arena that `'gc` brands (the caller's
        // promises). The header was staged by `slice_ptr`.
        unsafe { self.into_parts().0.assume_init_in(context) }
    }

    /// Completes the builder: calls `element` with each index, in order. Never collects, unless that does;
    /// takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{Gc, GcSliceWithHeaderBuilder, Lock, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     // A stack frame: how many slots are in use, and the slots.
    ///     let frame = GcSliceWithHeaderBuilder::new(8)
    ///         .write_header(Lock::new(0_usize))
    ///         .write_slice_with(mc, |_| Lock::new(None::<Gc<str>>));
    ///     assert_eq!((frame.header.get(), frame.slice.len()), (0, 8));
    ///     assert!(frame.slice.iter().all(|slot| slot.get().is_none()));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or if `element` does. The header and all elements so far are dropped
    /// then. [`try_write_slice_with`](GcSliceWithHeaderSliceBuilder::try_write_slice_with) has an error
    /// for the one.
    #[inline]
    pub fn write_slice_with(
        self,
        mc: &Mutation<'gc>,
        element: impl FnMut(usize) -> E,
    ) -> GcSliceWithHeader<'gc, H, E, M> {
        or_panic(self.try_write_slice_with(mc, element))
    }

    /// Completes the builder: calls `element` with each index, in order. Never collects, unless that does;
    /// takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{Arena, GcSliceWithHeaderBuilder, HeapOptions, Rootable};
    /// use std::rc::Rc;
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| {
    ///     let header = Rc::new("shared");
    ///     let builder = GcSliceWithHeaderBuilder::new(100_000).write_header(Rc::clone(&header));
    ///     let result = builder.try_write_slice_with(mc, |_| -> u64 { unreachable!() });
    ///     assert!(result.is_err());
    ///     assert_eq!(Rc::strong_count(&header), 1); // The other one was dropped.
    /// });
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`]. No element is made then, and the header is dropped.
    ///
    /// # Panics
    ///
    /// If `element` does.
    #[inline]
    pub fn try_write_slice_with(
        self,
        mc: &Mutation<'gc>,
        element: impl FnMut(usize) -> E,
    ) -> Result<GcSliceWithHeader<'gc, H, E, M>, HeapError> {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { self.write_slice_in(mc.context(), element) }
    }

    /// [`try_write_slice_with`](GcSliceWithHeaderSliceBuilder::try_write_slice_with) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// The context is one of the arena that `'gc` brands.
    pub(crate) unsafe fn write_slice_in(
        mut self,
        context: &Context,
        element: impl FnMut(usize) -> E,
    ) -> Result<GcSliceWithHeader<'gc, H, E, M>, HeapError> {
        let length = self.length();
        // SAFETY: the object has room for all elements, which all are written, and for the header. What is said
        // of the context is passed on.
        unsafe { self.build(context, |elements| _ = fill(elements, length, element)) }
    }

    /// Makes the object, of which `write` writes the elements.
    ///
    /// # Safety
    ///
    /// It does, to the address that it is given, or panics. The context is one of the arena that `'gc` brands.
    #[inline]
    unsafe fn build(
        &mut self,
        context: &Context,
        write: impl FnOnce(*mut E),
    ) -> Result<GcSliceWithHeader<'gc, H, E, M>, HeapError> {
        let object = self.inner.plan().begin(context)?;
        let place = object.value();
        let whole = SliceWithHeader::<H, E>::from_thin_ptr(place.cast().as_ptr(), self.length());
        // SAFETY: the object has room for the header and the elements. The header is taken out of the
        // builder, or moved out of its memory, which the builder then only frees.
        unsafe {
            let elements = place.add(SliceWithHeader::<H, E>::SLICE_OFFSET);
            write(elements.cast().as_ptr());
            place.cast::<H>().write(self.take_header());
            object.finish();
            Ok(Gc::from_ptr_with_kind(whole))
        }
    }

    /// Takes the header out of the builder, which then has none to drop.
    ///
    /// # Safety
    ///
    /// This is called once.
    #[inline]
    unsafe fn take_header(&mut self) -> H {
        match self.header.take() {
            Some(header) => header,
            None => {
                self.is_header_staged = false;
                // SAFETY: a header that is not in the builder is staged, and is read once.
                unsafe { self.inner.as_ptr().cast::<H>().read() }
            }
        }
    }
}

impl<'gc, H, E: Copy, M> GcSliceWithHeaderSliceBuilder<'gc, H, E, M> {
    /// Completes the builder with the first of `elements`, as many as the slice has. Never collects,
    /// and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{GcSliceWithHeaderBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let gc = GcSliceWithHeaderBuilder::new(2).write_header(47).copy_slice(mc, &[5, 6]);
    ///     assert_eq!((gc.header, &gc.slice), (47, &[5, 6][..]));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer, or if there is no memory. The header is dropped then.
    #[inline]
    #[track_caller]
    pub fn copy_slice(self, mc: &Mutation<'gc>, elements: &[E]) -> GcSliceWithHeader<'gc, H, E, M> {
        or_panic(self.try_copy_slice(mc, elements))
    }

    /// Completes the builder with the first of `elements`, as many as the slice has. Never collects,
    /// and takes time linear in the length.
    ///
    /// ```
    /// use gc_core::{Arena, GcSliceWithHeaderBuilder, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| {
    ///     let record = |fields: &[u64]| {
    ///         let builder = GcSliceWithHeaderBuilder::new(fields.len()).write_header("record");
    ///         builder.try_copy_slice(mc, fields)
    ///     };
    ///     assert_eq!(record(&[1, 2]).unwrap().slice, [1, 2]);
    ///     assert!(matches!(record(&[0; 10_000]), Err(HeapError::LimitReached { .. })));
    /// });
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`]. The header is dropped then.
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
    ) -> Result<GcSliceWithHeader<'gc, H, E, M>, HeapError> {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { self.copy_slice_in(mc.context(), elements) }
    }

    /// [`try_copy_slice`](GcSliceWithHeaderSliceBuilder::try_copy_slice) in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// The context is one of the arena that `'gc` brands.
    #[inline]
    #[track_caller]
    pub(crate) unsafe fn copy_slice_in(
        mut self,
        context: &Context,
        elements: &[E],
    ) -> Result<GcSliceWithHeader<'gc, H, E, M>, HeapError> {
        let length = self.length();
        assert!(
            elements.len() >= length,
            "{} elements are too few for a slice of {length}",
            elements.len()
        );
        // SAFETY: so many elements are there, and are written. What is said of the context is passed on.
        unsafe {
            self.build(context, |place| {
                ptr::copy_nonoverlapping(elements.as_ptr(), place, length)
            })
        }
    }
}
