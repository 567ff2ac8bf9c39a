//! Conversions between fat and thin pointers, and the metadata of types.

use core::ptr::NonNull;

use super::kind::{self, check_made_to_be_thin};
use super::{Gc, GcFat, GcKind, GcThin, IsGcKind};
use crate::types::meta::PtrMeta;

impl<'gc, T: ?Sized + 'gc, M: 'static, P: PtrMeta<T, M>> GcFat<'gc, T, M, P> {
    /// A pointer of 8 bytes to the same value.
    ///
    /// It can be used like this one, but each use reads from the object what the pointer lacks. In the address space
    /// that heaps share by default that takes some twenty instructions, which are inlined; they read the planes,
    /// to find where the object ends, and its last words. If the object crosses the end of its group of 512
    /// bytes, a call searches the planes for its end, one load for each group; the end of an object of more
    /// than 32 KiB is looked up, and needs no search. In a heap with a
    /// [`reserve`](crate::HeapOptions::reserve) of its own, a process-wide lock is taken for a moment.
    /// Where a value is used more than once, take a reference ([`Gc::as_ref`]) and use that; for the header of a
    /// slice there is [`Gc::as_thin_ref`], which asks for nothing.
    ///
    /// ```
    /// # use gc_core::{Gc, GcSlice, GcThinSlice, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let fat: GcSlice<i32> = Gc::new_slice(mc, &[5, 6, 7]);
    /// let thin: GcThinSlice<i32> = Gc::as_thin(fat);
    /// assert_eq!((size_of_val(&fat), size_of_val(&thin)), (16, 8));
    /// assert_eq!(thin.len(), 3);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If the pointer came from [`unsize!`](crate::unsize!), and a [`PtrMeta`] was implemented for its type
    /// and [`UnitPtrMeta`](crate::types::meta::UnitPtrMeta) all the same.
    #[inline]
    pub fn as_thin(gc: GcFat<'gc, T, M, P>) -> GcThin<'gc, T, M, P> {
        check_made_to_be_thin::<T, P>();
        // SAFETY: it is the same pointer; the object was made with these metadata.
        unsafe { Gc::from_ptr_with_kind(Gc::as_ptr(gc)) }
    }
}

impl<'gc, T: ?Sized + 'gc, M: 'static, P: PtrMeta<T, M>> GcThin<'gc, T, M, P> {
    /// The pointer with all that belongs to it: the reverse of [`Gc::as_thin`].
    ///
    /// ```
    /// # use gc_core::{Gc, GcStr, GcThinStr, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let thin: GcThinStr = Gc::as_thin(Gc::new_str(mc, "text"));
    /// let fat: GcStr = Gc::as_fat(thin);
    /// assert_eq!(&*fat, "text");
    /// # });
    /// ```
    #[inline]
    pub fn as_fat(gc: GcThin<'gc, T, M, P>) -> GcFat<'gc, T, M, P> {
        // SAFETY: it is the same pointer; the object was made with these metadata.
        unsafe { Gc::from_ptr_with_kind(Gc::as_ptr(gc)) }
    }

    /// A reference to what is at the address of the value: of a slice with a header, the header. Unlike
    /// other uses of a thin pointer, this one reads nothing from the object.
    ///
    /// ```
    /// # use gc_core::{Gc, GcSliceWithHeaderBuilder, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let fat = GcSliceWithHeaderBuilder::new(2).write_header("head").copy_slice(mc, &[1, 2]);
    /// assert_eq!(*Gc::as_thin_ref(Gc::as_thin(fat)), "head");
    /// # });
    /// ```
    #[inline]
    pub fn as_thin_ref(gc: GcThin<'gc, T, M, P>) -> &'gc P::Thin {
        // SAFETY: the maker of the object promised that this is there (`PtrMeta`); see `Gc::as_ref`.
        unsafe { gc.address().cast().as_ref() }
    }

    /// The pointer as it is stored: the address of the value, as [`Gc::as_thin_ref`] without the reference.
    ///
    /// ```
    /// # use gc_core::{Gc, GcThinSlice, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let thin: GcThinSlice<i32> = Gc::as_thin(Gc::new_slice(mc, &[1, 2]));
    /// let pointer: *const () = Gc::as_thin_ptr(thin);
    /// // SAFETY: that is where it comes from.
    /// let same: GcThinSlice<i32> = unsafe { Gc::from_thin_ptr_with_kind(pointer) };
    /// assert_eq!(*same, [1, 2]);
    /// # });
    /// ```
    #[inline]
    pub fn as_thin_ptr(gc: GcThin<'gc, T, M, P>) -> *const P::Thin {
        gc.address().cast().as_ptr()
    }

    /// The pointer that [`Gc::as_thin_ptr`] was called with. Takes constant time, and looks at no memory.
    ///
    /// ```
    /// use core::ffi::c_void;
    /// use gc_core::{Gc, GcThinStr, arena::rootless_mutate};
    ///
    /// /// Called from C, which has one word for whatever the caller wants to be reminded of.
    /// ///
    /// /// # Safety
    /// ///
    /// /// `data` is the address of a string in the heap that is alive.
    /// unsafe extern "C" fn length(data: *const c_void) -> usize {
    ///     // SAFETY: the caller says so.
    ///     let text: GcThinStr<'_> = unsafe { Gc::from_thin_ptr_with_kind(data.cast()) };
    ///     text.len()
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let text: GcThinStr<'_> = Gc::as_thin(Gc::new_str(mc, "four"));
    ///     // SAFETY: the string is alive during this call.
    ///     assert_eq!(unsafe { length(Gc::as_thin_ptr(text).cast()) }, 4);
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`Gc::from_ptr_with_kind`], with the address in the place of the pointer.
    #[inline]
    pub unsafe fn from_thin_ptr_with_kind(pointer: *const P::Thin) -> GcThin<'gc, T, M, P> {
        // SAFETY: what `Gc::as_thin_ptr` returns is not null; the rest is passed on to the caller.
        unsafe { Gc::from_address(NonNull::new_unchecked(pointer.cast_mut().cast())) }
    }
}

impl<'gc, T: ?Sized + 'gc, S, M: 'static, P> Gc<'gc, T, GcKind<S, M, P>>
where
    GcKind<S, M, P>: IsGcKind<'gc, T>,
{
    /// The metadata of the type that were given to the builder of the object.
    ///
    /// They are found like what thin pointers lack ([`Gc::as_thin`]), with one more load; no metadata,
    /// `()`, are not looked for.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    /// use gc_core::meta::TypeMeta;
    ///
    /// struct Methods {
    ///     show: fn(u32) -> String,
    /// }
    ///
    /// struct Shown;
    /// impl TypeMeta for Shown {
    ///     type TypeMetadata = Methods;
    ///     const TYPE_METADATA: &'static Methods = &Methods { show: |number| format!("number {number}") };
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let seven = GcBuilder::new_with_type_meta::<Shown>().write(mc, 7_u32);
    ///     assert_eq!((Gc::type_metadata(seven).show)(*seven), "number 7");
    /// });
    /// ```
    #[inline]
    pub fn type_metadata(gc: Gc<'gc, T, GcKind<S, M, P>>) -> &'static M {
        // SAFETY: a `Gc` is in use; its kind says what the metadata are.
        unsafe { kind::type_metadata(gc.address()) }
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Gc<'gc, T, K> {
    /// The pointer as it is by default: [`Gc<'gc, T>`](Gc), without the metadata.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let text: Gc<str> = Gc::erase_kind(Gc::new_str(mc, "text"));
    /// assert_eq!(&*text, "text");
    /// # });
    /// ```
    #[inline]
    pub fn erase_kind(this: Gc<'gc, T, K>) -> Gc<'gc, T> {
        // SAFETY: it is the same pointer, and the default kind promises nothing beside it.
        unsafe { Gc::from_ptr(Gc::as_ptr(this)) }
    }
}
