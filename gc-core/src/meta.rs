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
//! Slices, strings and slices with headers have theirs in [`crate::gc_slice`], and safe builders. With a
//! [`PtrMeta`] of one's own other types of unsized values can be made, by an `unsafe` constructor of
//! [`GcBuilder`](crate::GcBuilder).
//!
//! ```
//! use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
//! use gc_core::meta::{TypeMeta, type_meta_const_promotion};
//!
//! #[derive(Clone, Copy)]
//! struct Info {
//!     name: &'static str,
//! }
//!
//! /// Numbers that know what they are called.
//! struct Named;
//!
//! impl TypeMeta for Named {
//!     type TypeMetadata = Info;
//!     const TYPE_METADATA: Info = Info { name: "number" };
//!     type_meta_const_promotion!();
//! }
//!
//! rootless_mutate(|mc| {
//!     let number = GcBuilder::new_with_type_meta::<Named>().write(mc, 7);
//!     assert_eq!((*number, Gc::type_metadata(number).name), (7, "number"));
//! });
//! ```

use core::alloc::Layout;
use core::marker::PhantomData;

use crate::static_wrapper::Static;

#[doc(inline)]
pub use crate::__type_meta_const_promotion as type_meta_const_promotion;

/// A name for metadata that objects of a type can have.
///
/// Objects of one and the same type can be made with different implementations; if their
/// `TypeMetadata` are of one type, so are the pointers.
///
/// Every implementation has [`type_meta_const_promotion!`] as its last item. The
/// [module](self) has an example.
pub trait TypeMeta {
    /// The type of the metadata.
    type TypeMetadata: Copy + Send + Sync + 'static;

    /// The metadata.
    const TYPE_METADATA: Self::TypeMetadata;

    /// Where the metadata are: [`type_meta_const_promotion!`] says it.
    #[doc(hidden)]
    const __TYPE_METADATA: &'static Self::TypeMetadata;
}

/// The last item of every implementation of [`TypeMeta`]: it gives the metadata an address.
///
/// Metadata with interior mutability have none, and are refused.
///
/// ```
/// use gc_core::meta::{TypeMeta, type_meta_const_promotion};
///
/// struct Version;
///
/// impl TypeMeta for Version {
///     type TypeMetadata = u32;
///     const TYPE_METADATA: u32 = 7;
///     type_meta_const_promotion!();
/// }
/// assert_eq!(Version::TYPE_METADATA, 7);
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __type_meta_const_promotion {
    () => {
        const __TYPE_METADATA: &'static Self::TypeMetadata = &Self::TYPE_METADATA;
    };
}

/// No metadata of the type: `()`. Objects made with it need no memory for them.
///
/// ```
/// use gc_core::{Gc, GcBuilder, arena::rootless_mutate, meta::UnitTypeMeta};
///
/// rootless_mutate(|mc| {
///     let plain: Gc<u8> = GcBuilder::new_with_type_meta::<UnitTypeMeta>().write(mc, 1);
///     assert_eq!(Gc::type_metadata(plain), ());
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnitTypeMeta;

impl TypeMeta for UnitTypeMeta {
    type TypeMetadata = ();
    const TYPE_METADATA: () = ();
    type_meta_const_promotion!();
}

/// How pointers to a `T` whose type has the metadata `M` are taken apart and put together.
///
/// To implement it is safe, because nothing is done with an implementation but to values that were made by
/// [`GcBuilder::new_with_type_and_ptr_meta`](crate::GcBuilder::new_with_type_and_ptr_meta) with it; and who
/// calls that, which is `unsafe`, promises that it keeps to what is said here.
pub trait PtrMeta<T: ?Sized, M> {
    /// What a pointer to a `T` has beside the address: at most a word.
    type PtrMetadata: Copy + Send;

    /// What is at the address of every `T`, whatever its metadata.
    type Thin;

    /// The address of the value at which `fat` points.
    fn to_thin(type_meta: M, fat: *const T) -> *const Self::Thin;

    /// A pointer to the value at the address of `thin`: the one that was given to `to_thin`, if
    /// `ptr_meta` are the metadata of that.
    fn from_thin(type_meta: M, thin: *const Self::Thin, ptr_meta: Self::PtrMetadata) -> *const T;
}

/// How much memory a `T` needs whose pointer has certain metadata.
///
/// As with [`PtrMeta`], implementations are relied upon only where somebody says so in `unsafe`.
pub trait AllocMeta<T: ?Sized, M>: PtrMeta<T, M> {
    /// The layout of the value, or `None` if nothing can be so large.
    fn layout(type_meta: M, ptr_meta: Self::PtrMetadata) -> Option<Layout>;
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
/// let thin = <UnitPtrMeta as PtrMeta<u8, ()>>::to_thin((), &value);
/// assert_eq!(thin, &raw const value);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnitPtrMeta;

impl<T, M> PtrMeta<T, M> for UnitPtrMeta {
    type PtrMetadata = ();
    type Thin = T;

    #[inline]
    fn to_thin(_: M, fat: *const T) -> *const T {
        fat
    }

    #[inline]
    fn from_thin(_: M, thin: *const T, (): ()) -> *const T {
        thin
    }
}

impl<T, M> AllocMeta<T, M> for UnitPtrMeta {
    #[inline]
    fn layout(_: M, (): ()) -> Option<Layout> {
        Some(Layout::new::<T>())
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
/// let fat = <Meta as PtrMeta<Static<str>, ()>>::from_thin((), thin, 4);
/// assert_eq!(fat as *const str, "text" as *const str);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StaticPtrMeta<P>(PhantomData<P>);

impl<T: ?Sized, M, P: PtrMeta<T, M>> PtrMeta<Static<T>, M> for StaticPtrMeta<P> {
    type PtrMetadata = P::PtrMetadata;
    type Thin = Static<P::Thin>;

    #[inline]
    fn to_thin(type_meta: M, fat: *const Static<T>) -> *const Static<P::Thin> {
        P::to_thin(type_meta, fat as *const T).cast()
    }

    #[inline]
    fn from_thin(
        type_meta: M,
        thin: *const Static<P::Thin>,
        ptr_meta: P::PtrMetadata,
    ) -> *const Static<T> {
        P::from_thin(type_meta, thin.cast(), ptr_meta) as *const Static<T>
    }
}

impl<T: ?Sized, M, P: AllocMeta<T, M>> AllocMeta<Static<T>, M> for StaticPtrMeta<P> {
    #[inline]
    fn layout(type_meta: M, ptr_meta: P::PtrMetadata) -> Option<Layout> {
        P::layout(type_meta, ptr_meta)
    }
}
