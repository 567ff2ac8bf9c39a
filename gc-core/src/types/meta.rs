//! Metadata: what belongs to the type of an object, and what makes a wide pointer of a narrow one.
//!
//! *Metadata of the type* ([`TypeMeta`]) are a constant that [`Gc::type_metadata`](crate::Gc::type_metadata)
//! finds for any pointer whose kind says that they are there. There is one copy of them for each type, so
//! objects do not grow by more than the word that says where it is.
//!
//! *Metadata of the pointer* ([`PtrMeta`]) are what a pointer to a value has beside the address: the length
//! of a slice. With a copy of them in the object, a *thin* pointer, which is only an address, can be made
//! into the *fat* one that it takes to use the value. [`AllocMeta`] says how much memory the value needs.
//!
//! Slices, strings and slices with headers have theirs in [`crate::pointers::gc_slice`], and safe builders. With a
//! [`PtrMeta`] of one's own other types of unsized values can be made, by an `unsafe` constructor of
//! [`GcBuilder`](crate::GcBuilder).
//!
//! ```
//! use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
//! use gc_core::meta::TypeMeta;
//!
//! struct Info {
//!     name: &'static str,
//! }
//!
//! /// Numbers that know what they are called.
//! struct Named;
//!
//! impl TypeMeta for Named {
//!     type TypeMetadata = Info;
//!     const TYPE_METADATA: &'static Info = &Info { name: "number" };
//! }
//!
//! rootless_mutate(|mc| {
//!     let number = GcBuilder::new_with_type_meta::<Named>().write(mc, 7);
//!     assert_eq!((*number, Gc::type_metadata(number).name), (7, "number"));
//! });
//! ```

use core::alloc::Layout;
use core::marker::PhantomData;
use core::ptr;

use crate::types::static_wrapper::Static;

/// A name for metadata that objects of a type can have.
///
/// Objects of one and the same type can be made with different implementations; if their
/// `TypeMetadata` are of one type, so are the pointers.
///
/// The constant is a reference, so the metadata have an address, which objects refer to. It may be that of a `static`.
///
/// ```
/// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
/// use gc_core::meta::TypeMeta;
///
/// /// What a language's methods on a number are: the same table for all of a class.
/// struct Methods {
///     class: &'static str,
///     negate: fn(f64) -> f64,
/// }
///
/// struct Angle;
/// impl TypeMeta for Angle {
///     type TypeMetadata = Methods;
///     const TYPE_METADATA: &'static Methods = &Methods { class: "angle", negate: |degrees| 360.0 - degrees };
/// }
///
/// rootless_mutate(|mc| {
///     let angle = GcBuilder::new_with_type_meta::<Angle>().write(mc, 90.0);
///     let methods = Gc::type_metadata(angle);
///     assert_eq!((methods.class, (methods.negate)(*angle)), ("angle", 270.0));
/// });
/// ```
pub trait TypeMeta {
    /// The type of the metadata. All threads to which a pointer is sent may read them, hence `Sync`.
    ///
    /// ```
    /// use gc_core::meta::{TypeMeta, UnitTypeMeta};
    ///
    /// // Without metadata it is the unit, which takes no memory in objects.
    /// let none: <UnitTypeMeta as TypeMeta>::TypeMetadata = ();
    /// assert_eq!(size_of_val(&none), 0);
    /// ```
    type TypeMetadata: Sync + 'static;

    /// The metadata.
    ///
    /// ```
    /// use gc_core::meta::TypeMeta;
    ///
    /// /// The name of the metadata of a type that implements this, for any such type.
    /// trait Named {
    ///     const NAME: &'static str;
    /// }
    ///
    /// struct NameOf<T>(T);
    /// impl<T: Named> TypeMeta for NameOf<T> {
    ///     type TypeMetadata = &'static str;
    ///     const TYPE_METADATA: &'static &'static str = &T::NAME;
    /// }
    ///
    /// impl Named for u8 {
    ///     const NAME: &'static str = "byte";
    /// }
    /// assert_eq!(*NameOf::<u8>::TYPE_METADATA, "byte");
    /// ```
    const TYPE_METADATA: &'static Self::TypeMetadata;
}

/// No metadata of the type: `()`. Objects made with it need no memory for them.
///
/// ```
/// use gc_core::{Gc, GcBuilder, arena::rootless_mutate, meta::UnitTypeMeta};
///
/// rootless_mutate(|mc| {
///     let plain: Gc<u8> = GcBuilder::new_with_type_meta::<UnitTypeMeta>().write(mc, 1);
///     assert_eq!(Gc::type_metadata(plain), &());
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnitTypeMeta;

impl TypeMeta for UnitTypeMeta {
    type TypeMetadata = ();
    const TYPE_METADATA: &'static () = &();
}

/// How pointers to a `T` whose type has the metadata `M` are taken apart and put together.
///
/// To implement it is safe, because nothing is done with an implementation but to values that were made by
/// [`GcBuilder::new_with_type_and_ptr_meta`](crate::GcBuilder::new_with_type_and_ptr_meta) with it; and who
/// calls that, which is `unsafe`, promises that it keeps to what is said here.
///
/// ```
/// use gc_core::{Gc, GcBuilder, GcThin, Static, arena::rootless_mutate};
/// use gc_core::meta::{AllocMeta, PtrMeta, StaticPtrMeta, UnitTypeMeta};
/// use std::alloc::Layout;
///
/// trait Shape {
///     fn area(&self) -> f64;
/// }
///
/// struct Square(f64);
/// impl Shape for Square {
///     fn area(&self) -> f64 {
///         self.0 * self.0
///     }
/// }
///
/// /// What a thin pointer to a shape lacks.
/// #[derive(Clone, Copy)]
/// struct Kind {
///     layout: Layout,
///     fatten: fn(*const ()) -> *const dyn Shape,
/// }
///
/// fn kind_of<S: Shape + 'static>() -> &'static Kind {
///     const { &Kind { layout: Layout::new::<S>(), fatten: |thin| thin.cast::<S>() } }
/// }
///
/// /// Pointers of 8 bytes to trait objects.
/// struct Shapes;
///
/// impl<M> PtrMeta<dyn Shape, M> for Shapes {
///     type PtrMetadata = &'static Kind;
///     type Thin = ();
///
///     fn to_thin(_: &'static M, fat: *const dyn Shape) -> *const () {
///         fat.cast()
///     }
///
///     fn from_thin(_: &'static M, thin: *const (), kind: &'static Kind) -> *const dyn Shape {
///         (kind.fatten)(thin)
///     }
/// }
///
/// impl<M> AllocMeta<dyn Shape, M> for Shapes {
///     fn layout(_: &'static M, kind: &'static Kind) -> Option<Layout> {
///         Some(kind.layout)
///     }
/// }
///
/// type Builder<'gc> = GcBuilder<'gc, Static<dyn Shape>, (), StaticPtrMeta<Shapes>>;
///
/// rootless_mutate(|mc| {
///     // SAFETY: what `Shapes` says is true, and the value is of the kind that is named.
///     let fat = unsafe {
///         let builder = Builder::new_with_type_and_ptr_meta::<UnitTypeMeta>(kind_of::<Square>());
///         let mut builder = builder.unwrap_static();
///         builder.as_ptr().cast::<Square>().write(Square(3.0));
///         builder.assume_init(mc)
///     };
///     let thin: GcThin<dyn Shape, (), Shapes> = Gc::as_thin(fat);
///     assert_eq!((size_of_val(&fat), size_of_val(&thin)), (16, 8));
///     assert_eq!(thin.area(), 9.0);
/// });
/// ```
pub trait PtrMeta<T: ?Sized, M> {
    /// What a pointer to a `T` has beside the address: at most a word.
    ///
    /// ```
    /// use gc_core::gc_slice::StrPtrMeta;
    /// use gc_core::meta::PtrMeta;
    ///
    /// let length: <StrPtrMeta as PtrMeta<str, ()>>::PtrMetadata = "text".len();
    /// assert_eq!(size_of_val(&length), 8);
    /// ```
    type PtrMetadata: Copy + Send;

    /// What is at the address of every `T`, whatever its metadata.
    ///
    /// ```
    /// use gc_core::gc_slice::{SliceWithHeader, SliceWithHeaderPtrMeta};
    /// use gc_core::{Gc, GcSliceWithHeaderBuilder, arena::rootless_mutate};
    /// use gc_core::meta::PtrMeta;
    ///
    /// // At the address of a slice with a header there is always the header.
    /// type Thin = <SliceWithHeaderPtrMeta as PtrMeta<SliceWithHeader<u32, u8>, ()>>::Thin;
    /// rootless_mutate(|mc| {
    ///     let gc = GcSliceWithHeaderBuilder::<u32, u8>::new(1).write_header(7).copy_slice(mc, &[1]);
    ///     let header: &Thin = Gc::as_thin_ref(Gc::as_thin(gc));
    ///     assert_eq!(*header, 7);
    /// });
    /// ```
    type Thin;

    /// The address of the value at which `fat` points.
    ///
    /// ```
    /// use gc_core::gc_slice::StrPtrMeta;
    /// use gc_core::meta::PtrMeta;
    ///
    /// let text = "text";
    /// let thin = <StrPtrMeta as PtrMeta<str, ()>>::to_thin(&(), text);
    /// assert_eq!(thin.addr(), text.as_ptr().addr());
    /// ```
    fn to_thin(type_meta: &'static M, fat: *const T) -> *const Self::Thin;

    /// A pointer to the value at the address of `thin`: the one that was given to `to_thin`, if
    /// `ptr_meta` are the metadata of that.
    ///
    /// ```
    /// use gc_core::gc_slice::SlicePtrMeta;
    /// use gc_core::meta::PtrMeta;
    ///
    /// let slice: &[u8] = b"text";
    /// let thin = <SlicePtrMeta as PtrMeta<[u8], ()>>::to_thin(&(), slice);
    /// let again: *const [u8] = SlicePtrMeta::from_thin(&(), thin, slice.len());
    /// assert_eq!(again, &raw const *slice);
    /// ```
    fn from_thin(
        type_meta: &'static M,
        thin: *const Self::Thin,
        ptr_meta: Self::PtrMetadata,
    ) -> *const T;
}

/// How much memory a `T` needs whose pointer has certain metadata.
///
/// As with [`PtrMeta`], implementations are relied upon only where somebody says so in `unsafe`.
///
/// ```
/// use gc_core::meta::{AllocMeta, PtrMeta};
/// use std::alloc::Layout;
///
/// /// Squares of numbers, of which the pointer has the length of a side.
/// struct Matrix;
///
/// impl<M> PtrMeta<[f64], M> for Matrix {
///     type PtrMetadata = usize;
///     type Thin = ();
///
///     fn to_thin(_: &'static M, fat: *const [f64]) -> *const () {
///         fat.cast()
///     }
///
///     fn from_thin(_: &'static M, thin: *const (), side: usize) -> *const [f64] {
///         std::ptr::slice_from_raw_parts(thin.cast(), side * side)
///     }
/// }
///
/// impl<M> AllocMeta<[f64], M> for Matrix {
///     fn layout(_: &'static M, side: usize) -> Option<Layout> {
///         Layout::array::<f64>(side.checked_mul(side)?).ok()
///     }
/// }
///
/// let layout = |side| <Matrix as AllocMeta<[f64], ()>>::layout(&(), side);
/// assert_eq!(layout(3), Some(Layout::new::<[f64; 9]>()));
/// assert_eq!(layout(1 << 32), None);
/// ```
pub trait AllocMeta<T: ?Sized, M>: PtrMeta<T, M> {
    /// The layout of the value, or `None` if nothing can be so large.
    ///
    /// ```
    /// use gc_core::gc_slice::StrPtrMeta;
    /// use gc_core::meta::AllocMeta;
    ///
    /// let layout = |length| <StrPtrMeta as AllocMeta<str, ()>>::layout(&(), length);
    /// assert_eq!(layout(5).map(|layout| (layout.size(), layout.align())), Some((5, 1)));
    /// assert_eq!(layout(usize::MAX), None);
    /// ```
    fn layout(type_meta: &'static M, ptr_meta: Self::PtrMetadata) -> Option<Layout>;
}

/// No metadata of the pointer: those of `Gc`s by default.
///
/// It serves to make values of sized types, which is all that needs to be known to make one. Pointers
/// that have it can point to anything; but only for sized types can they be made thin, which changes
/// nothing.
///
/// ```
/// use gc_core::meta::{PtrMeta, UnitPtrMeta};
///
/// let value = 7_u8;
/// let thin = <UnitPtrMeta as PtrMeta<u8, ()>>::to_thin(&(), &value);
/// assert_eq!(thin, &raw const value);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnitPtrMeta;

impl<T, M> PtrMeta<T, M> for UnitPtrMeta {
    type PtrMetadata = ();
    type Thin = T;

    #[inline]
    fn to_thin(_: &'static M, fat: *const T) -> *const T {
        fat
    }

    #[inline]
    fn from_thin(_: &'static M, thin: *const T, (): ()) -> *const T {
        thin
    }
}

impl<T, M> AllocMeta<T, M> for UnitPtrMeta {
    #[inline]
    fn layout(_: &'static M, (): ()) -> Option<Layout> {
        Some(Layout::new::<T>())
    }
}

/// Metadata of pointers to slices: the length.
///
/// ```
/// use gc_core::gc_slice::SlicePtrMeta;
/// use gc_core::meta::{AllocMeta, PtrMeta};
/// use std::alloc::Layout;
///
/// let slice: &[u16] = &[1, 2, 3];
/// let thin = <SlicePtrMeta as PtrMeta<[u16], ()>>::to_thin(&(), slice);
/// let fat: *const [u16] = SlicePtrMeta::from_thin(&(), thin, 2);
/// assert_eq!(fat, &raw const slice[..2]);
/// let layout = <SlicePtrMeta as AllocMeta<[u16], ()>>::layout(&(), 3);
/// assert_eq!(layout, Some(Layout::for_value(slice)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SlicePtrMeta;

impl<E, M> PtrMeta<[E], M> for SlicePtrMeta {
    type PtrMetadata = usize;
    type Thin = ();

    #[inline]
    fn to_thin(_: &'static M, fat: *const [E]) -> *const () {
        fat.cast()
    }

    #[inline]
    fn from_thin(_: &'static M, thin: *const (), length: usize) -> *const [E] {
        ptr::slice_from_raw_parts(thin.cast(), length)
    }
}

impl<E, M> AllocMeta<[E], M> for SlicePtrMeta {
    #[inline]
    fn layout(_: &'static M, length: usize) -> Option<Layout> {
        Layout::array::<E>(length).ok()
    }
}

/// Makes of metadata for pointers to `T` those for pointers to [`Static<T>`](Static).
///
/// ```
/// use gc_core::Static;
/// use gc_core::meta::{PtrMeta, StaticPtrMeta};
/// use gc_core::gc_slice::StrPtrMeta;
///
/// type Meta = StaticPtrMeta<StrPtrMeta>;
/// let thin = "text".as_ptr().cast::<Static<()>>();
/// let fat = <Meta as PtrMeta<Static<str>, ()>>::from_thin(&(), thin, 4);
/// assert_eq!(fat as *const str, "text" as *const str);
/// ```
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct StaticPtrMeta<P>(PhantomData<P>);

impl<T: ?Sized, M, P: PtrMeta<T, M>> PtrMeta<Static<T>, M> for StaticPtrMeta<P> {
    type PtrMetadata = P::PtrMetadata;
    type Thin = Static<P::Thin>;

    #[inline]
    fn to_thin(type_meta: &'static M, fat: *const Static<T>) -> *const Static<P::Thin> {
        P::to_thin(type_meta, fat as *const T).cast()
    }

    #[inline]
    fn from_thin(
        type_meta: &'static M,
        thin: *const Static<P::Thin>,
        ptr_meta: P::PtrMetadata,
    ) -> *const Static<T> {
        P::from_thin(type_meta, thin.cast(), ptr_meta) as *const Static<T>
    }
}

impl<T: ?Sized, M, P: AllocMeta<T, M>> AllocMeta<Static<T>, M> for StaticPtrMeta<P> {
    #[inline]
    fn layout(type_meta: &'static M, ptr_meta: P::PtrMetadata) -> Option<Layout> {
        P::layout(type_meta, ptr_meta)
    }
}
