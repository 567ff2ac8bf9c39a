//! Kinds of pointers: what of a pointer is stored in a [`Gc`], and what can be found beside the value.
//!
//! The third parameter of [`Gc`] and [`GcWeak`](crate::GcWeak) is the pointer itself: a [`GcKind`] of a
//! [`Fat`] or a [`Thin`] one. `Gc` is covariant in `T` because the pointer is a *part* of its type, and not chosen by a
//! trait.
//!
//! # Invariants
//!
//! 1. The first word of every kind is the address of the value, at which its object starts. So a word that
//!    holds a `Gc` of any kind can be tagged, read and marked without knowing more.
//! 2. A pointer with metadata `M` that are not of size zero points to an object that was made with a
//!    [`TypeMeta`](crate::types::meta::TypeMeta) with such metadata.
//! 3. A thin pointer with a `P` whose metadata are not of size zero points to an object that was made with
//!    that `P`, so its detail is the metadata of the pointer.

use core::marker::PhantomData;
use core::ptr::NonNull;

use super::Gc;
use crate::heap::extent;
use crate::types::descriptor::{read_detail, read_metadata};
use crate::types::meta::{PtrMeta, UnitPtrMeta};
use crate::types::same_type::is_type;

/// Names metadata, invariantly: implementations of `PtrMeta` may differ for types of which one is a subtype
/// of the other.
pub(super) type Meta<M, P> = PhantomData<fn(M, P) -> (M, P)>;

/// A pointer as it is: as wide as a reference.
///
/// ```
/// use gc_core::{Gc, GcWeak, arena::rootless_mutate};
/// use gc_core::gc::{Fat, GcKind};
/// use gc_core::gc_slice::StrPtrMeta;
///
/// /// A weak `GcStr`.
/// type WeakStr<'gc> = GcWeak<'gc, str, GcKind<Fat<str>, (), StrPtrMeta>>;
///
/// rootless_mutate(|mc| {
///     let text = Gc::new_str(mc, "text");
///     let weak: WeakStr = Gc::downgrade(text);
///     assert_eq!(size_of_val(&weak), size_of::<&str>());
///     assert!(Gc::ptr_eq(weak.upgrade(mc).unwrap(), text));
/// });
/// ```
#[repr(transparent)]
pub struct Fat<T: ?Sized>(NonNull<T>);

/// The address of a value. What else belongs to a pointer to it is read from the object whenever the value
/// is used.
///
/// ```
/// use gc_core::{Gc, GcWeak, arena::rootless_mutate};
/// use gc_core::gc::{GcKind, Thin};
/// use gc_core::gc_slice::SlicePtrMeta;
///
/// /// A weak `GcThinSlice`.
/// type WeakSlice<'gc, E> = GcWeak<'gc, [E], GcKind<Thin<[E]>, (), SlicePtrMeta>>;
///
/// rootless_mutate(|mc| {
///     let slice = Gc::as_thin(Gc::new_slice(mc, &[1, 2, 3]));
///     let weak: WeakSlice<u16> = Gc::downgrade(slice);
///     assert_eq!(size_of_val(&weak), 8);
///     assert_eq!(*weak.upgrade(mc).unwrap(), [1, 2, 3]);
/// });
/// ```
#[repr(transparent)]
pub struct Thin<T: ?Sized> {
    address: NonNull<()>,
    _value: PhantomData<NonNull<T>>,
}

/// The kind of a [`Gc`]: what is stored, [`Fat<T>`](Fat) or [`Thin<T>`](Thin); the type `M` of the metadata
/// of the object's type; and the [`PtrMeta`] `P` with which the object was made.
///
/// One rarely writes it: [`GcFat`] and [`GcThin`] are shorter.
///
/// ```
/// use gc_core::{Gc, GcStrBuilder, arena::rootless_mutate};
/// use gc_core::gc::{GcKind, IsGcKind};
/// # use gc_core::meta::TypeMeta;
///
/// /// For strings whose type says which language they are in, behind fat and thin pointers.
/// fn greet<'gc, S, P>(name: Gc<'gc, str, GcKind<S, Language, P>>) -> String
/// where
///     GcKind<S, Language, P>: IsGcKind<'gc, str>,
/// {
///     format!("{} {}", Gc::type_metadata(name).0, &*name)
/// }
///
/// struct Language(&'static str);
///
/// struct German;
/// impl TypeMeta for German {
///     type TypeMetadata = Language;
///     const TYPE_METADATA: &'static Language = &Language("Hallo");
/// }
///
/// rootless_mutate(|mc| {
///     let name = GcStrBuilder::new_with_type_meta::<German>(4).copy_str(mc, "Otto");
///     assert_eq!(greet(name), "Hallo Otto");
///     assert_eq!(greet(Gc::as_thin(name)), "Hallo Otto");
/// });
/// ```
#[repr(transparent)]
pub struct GcKind<S, M = (), P = UnitPtrMeta> {
    store: S,
    _meta: Meta<M, P>,
}

/// The kind of a `Gc` that says nothing else: the pointer as it is, and no [`PtrMeta`].
///
/// ```
/// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
/// use gc_core::gc::DefaultGcKind;
/// use gc_core::meta::TypeMeta;
///
/// struct Celsius;
/// impl TypeMeta for Celsius {
///     type TypeMetadata = char;
///     const TYPE_METADATA: &'static char = &'C';
/// }
///
/// /// A pointer to a number whose type has a letter for metadata.
/// type Degrees<'gc> = Gc<'gc, f32, DefaultGcKind<f32, char>>;
///
/// rootless_mutate(|mc| {
///     let room: Degrees = GcBuilder::new_with_type_meta::<Celsius>().write(mc, 20.5);
///     assert_eq!((*room, *Gc::type_metadata(room)), (20.5, 'C'));
///     // The one of a plain `Gc` has none.
///     let plain: Gc<f32, DefaultGcKind<f32>> = Gc::new(mc, 20.5);
///     assert_eq!(Gc::type_metadata(plain), &());
/// });
/// ```
pub type DefaultGcKind<T, M = ()> = GcKind<Fat<T>, M, UnitPtrMeta>;

/// A [`Gc`] that is as wide as a reference, to a value beside which there are metadata `M` and `P`.
///
/// ```
/// use gc_core::{Gc, GcFat, arena::rootless_mutate, meta::UnitPtrMeta};
///
/// rootless_mutate(|mc| {
///     // A `Gc` is one by default.
///     let one: GcFat<u8, (), UnitPtrMeta> = Gc::new(mc, 1);
///     let same: Gc<u8> = one;
///     assert_eq!(*same, 1);
/// });
/// ```
pub type GcFat<'gc, T, M, P> = Gc<'gc, T, GcKind<Fat<T>, M, P>>;

/// A [`Gc`] of 8 bytes, whatever `T` is, to a value beside which there are metadata `M` and `P`.
///
/// ```
/// use gc_core::{Gc, GcThin, arena::rootless_mutate, gc_slice::SlicePtrMeta};
///
/// rootless_mutate(|mc| {
///     let thin: GcThin<[u8], (), SlicePtrMeta> = Gc::as_thin(Gc::new_slice(mc, &[1, 2]));
///     assert_eq!(size_of_val(&thin), 8);
///     assert_eq!(*thin, [1, 2]);
/// });
/// ```
pub type GcThin<'gc, T, M, P> = Gc<'gc, T, GcKind<Thin<T>, M, P>>;

/// The kinds that pointers to a `T` can have: [`GcKind`]s, thin ones only with a [`PtrMeta`] for `T`.
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate, gc::IsGcKind};
///
/// fn sum<'gc, K: IsGcKind<'gc, [u32]>>(numbers: Gc<'gc, [u32], K>) -> u32 {
///     numbers.iter().sum()
/// }
///
/// rootless_mutate(|mc| {
///     let numbers = Gc::new_slice(mc, &[1, 2, 3]);
///     assert_eq!(sum(numbers), 6);
///     assert_eq!(sum(Gc::as_thin(numbers)), 6);
///     assert_eq!(sum(Gc::erase_kind(numbers)), 6);
/// });
/// ```
#[allow(private_bounds, reason = "nobody else makes kinds")]
pub trait IsGcKind<'gc, T: ?Sized>: Store<T> {}

impl<'gc, T: ?Sized, K: Store<T>> IsGcKind<'gc, T> for K {}

/// Something from which a pointer to a `T` can be had.
///
/// # Safety
///
/// `address` and the address of `fat` are that of what was given to `from_fat`, and the first word of
/// `Self` holds it.
pub(crate) unsafe trait Store<T: ?Sized>: Copy {
    /// Whether every value has memory in an object, but perhaps no pointer to it at hand.
    const LOOKS_UP: bool;

    fn address(self) -> NonNull<()>;

    /// The whole pointer.
    ///
    /// # Safety
    ///
    /// This is that of a `Gc`, or of a `GcWeak` in use, to a value that need not be there any more.
    unsafe fn fat(self) -> NonNull<T>;

    fn from_fat(pointer: NonNull<T>) -> Self;
}

// SAFETY: it is one pointer, kept as it is.
unsafe impl<T: ?Sized, M, P> Store<T> for GcKind<Fat<T>, M, P> {
    const LOOKS_UP: bool = false;

    #[inline(always)]
    fn address(self) -> NonNull<()> {
        self.store.0.cast()
    }

    #[inline(always)]
    unsafe fn fat(self) -> NonNull<T> {
        self.store.0
    }

    #[inline(always)]
    fn from_fat(pointer: NonNull<T>) -> Self {
        GcKind {
            store: Fat(pointer),
            _meta: PhantomData,
        }
    }
}

// SAFETY: it is the address, which `PtrMeta` keeps.
unsafe impl<T: ?Sized, M: 'static, P: PtrMeta<T, M>> Store<T> for GcKind<Thin<T>, M, P> {
    const LOOKS_UP: bool = size_of::<P::PtrMetadata>() > 0;

    #[inline(always)]
    fn address(self) -> NonNull<()> {
        self.store.address
    }

    // What is not quick in it is out of line (`extent::end_of`).
    #[inline(always)]
    unsafe fn fat(self) -> NonNull<T> {
        let address = self.store.address;
        // SAFETY: the pointer is in use (the caller's promise), so its object exists and, by invariants 2 and 3 of the
        // module, ends with these metadata. The maker of the object promised that `from_thin` makes a pointer to the
        // value of them, which is not null.
        unsafe {
            let end = if size_of::<M>() + size_of::<P::PtrMetadata>() == 0 {
                0 // Nothing is read there.
            } else {
                extent::end_of(address.addr().get())
            };
            let thin = address.as_ptr().cast::<P::Thin>();
            let fat = P::from_thin(metadata_before(end), thin, detail_before(end));
            NonNull::new_unchecked(fat.cast_mut())
        }
    }

    #[inline(always)]
    fn from_fat(pointer: NonNull<T>) -> Self {
        Self::from_address(pointer.cast())
    }
}

/// The metadata of the type of the object at `address`.
///
/// # Safety
///
/// A pointer in use points there, and by invariant 2 of the module the object has such metadata.
#[inline]
pub(super) unsafe fn type_metadata<M: 'static>(address: NonNull<()>) -> &'static M {
    // SAFETY: an object with such metadata starts at the address (the caller's promise), unless they take no memory.
    unsafe {
        let end = match size_of::<M>() {
            0 => 0,
            _ => extent::end_of(address.addr().get()),
        };
        metadata_before(end)
    }
}

/// The metadata of the type of an object that ends at `end`; if they take no memory, any number will do.
///
/// # Safety
///
/// As for [`type_metadata`].
#[inline(always)]
unsafe fn metadata_before<M: 'static>(end: usize) -> &'static M {
    // SAFETY: the address of any other metadata is in the object's descriptor. There is a value of the type, namely
    // that with which the object was made (invariant 2); so if it takes no memory, it is wherever it would be aligned.
    unsafe {
        match size_of::<M>() {
            0 => NonNull::<M>::dangling().as_ref(),
            _ => read_metadata(end),
        }
    }
}

/// The metadata that a pointer has to the value in an object that ends at `end`; as in [`metadata_before`].
///
/// # Safety
///
/// A pointer in use points to the object, and by invariant 3 of the module it has such metadata.
#[inline(always)]
unsafe fn detail_before<D: Copy>(end: usize) -> D {
    // SAFETY: metadata of a pointer were given when the object was made, so there is a value of the type; if it takes
    // no memory, it is wherever it would be aligned. Any other is the detail.
    unsafe {
        match size_of::<D>() {
            0 => NonNull::<D>::dangling().read(),
            _ => read_detail(end),
        }
    }
}

/// Refuses to make a thin pointer of one by default to an unsized type.
///
/// Such pointers come from unsizing, and not from a builder; so there are no metadata in the object. There
/// is no `PtrMeta` for them in this crate, but anybody can write one for a type of theirs.
#[inline]
pub(super) fn check_made_to_be_thin<T: ?Sized, P>() {
    let is_wide = size_of::<*const T>() > size_of::<*const ()>();
    assert!(
        !is_wide || !is_type::<P, UnitPtrMeta>(),
        "there are no metadata beside a value whose type was erased by unsizing: the pointer cannot be thin"
    );
}

impl<T: ?Sized, M, P> GcKind<Thin<T>, M, P> {
    /// The pointer to what is at `address`.
    #[inline(always)]
    pub(super) fn from_address(address: NonNull<()>) -> Self {
        GcKind {
            store: Thin {
                address,
                _value: PhantomData,
            },
            _meta: PhantomData,
        }
    }
}

impl<T: ?Sized> Copy for Fat<T> {}

impl<T: ?Sized> Clone for Fat<T> {
    #[inline(always)]
    fn clone(&self) -> Fat<T> {
        *self
    }
}

impl<T: ?Sized> Copy for Thin<T> {}

impl<T: ?Sized> Clone for Thin<T> {
    #[inline(always)]
    fn clone(&self) -> Thin<T> {
        *self
    }
}

impl<S: Copy, M, P> Copy for GcKind<S, M, P> {}

impl<S: Copy, M, P> Clone for GcKind<S, M, P> {
    #[inline(always)]
    fn clone(&self) -> GcKind<S, M, P> {
        *self
    }
}
