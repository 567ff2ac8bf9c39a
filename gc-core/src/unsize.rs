//! [`unsize!`](crate::unsize!): from a pointer to a type to one to a slice or a trait object.

use crate::gc::{Gc, IsGcKind};
use crate::gc_weak::GcWeak;

/// Turns a `Gc` or `GcWeak` into one to an unsized type, as `Box` and `Rc` do by themselves.
/// Its kind becomes the one by default.
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate, unsize};
/// use std::fmt::Display;
///
/// rootless_mutate(|mc| {
///     let bytes = unsize!(Gc::new(mc, [1, 2]) => [u8]);
///     assert_eq!(bytes.len(), 2);
///     let shown = unsize!(Gc::new(mc, 12) => dyn Display);
///     assert_eq!(shown.to_string(), "12");
/// });
/// ```
#[macro_export]
macro_rules! unsize {
    ($gc:expr => $type:ty) => {{
        let gc = $gc;
        // SAFETY: the closure compiles only if it is a coercion of the compiler's, which keeps the
        // address.
        unsafe {
            $crate::__CoercePtrInternal::__coerce_unchecked(
                gc,
                |pointer: *const _| -> *const $type { pointer },
            )
        }
    }};
}

/// Pointers to `T` that can become pointers to an unsized type.
///
/// # Safety
///
/// `__coerce_unchecked` keeps the brand, the address and the kind of the pointer.
#[doc(hidden)]
pub unsafe trait __CoercePtrInternal<Target> {
    type From;
    type To: ?Sized;

    /// # Safety
    ///
    /// `coerce` is an unsizing coercion.
    unsafe fn __coerce_unchecked<F>(self, coerce: F) -> Target
    where
        F: FnOnce(*const Self::From) -> *const Self::To;
}

// SAFETY: it does.
unsafe impl<'gc, T: 'gc, K: IsGcKind<'gc, T>, U: ?Sized + 'gc> __CoercePtrInternal<Gc<'gc, U>>
    for Gc<'gc, T, K>
{
    type From = T;
    type To = U;

    #[inline(always)]
    unsafe fn __coerce_unchecked<F>(self, coerce: F) -> Gc<'gc, U>
    where
        F: FnOnce(*const T) -> *const U,
    {
        // SAFETY: an unsizing coercion keeps the address, and what was a `T` there can be used as a
        // `U`.
        unsafe { Gc::from_ptr(coerce(Gc::as_ptr(self))) }
    }
}

// SAFETY: it does.
unsafe impl<'gc, T: 'gc, K: IsGcKind<'gc, T>, U: ?Sized + 'gc> __CoercePtrInternal<GcWeak<'gc, U>>
    for GcWeak<'gc, T, K>
{
    type From = T;
    type To = U;

    #[inline(always)]
    unsafe fn __coerce_unchecked<F>(self, coerce: F) -> GcWeak<'gc, U>
    where
        F: FnOnce(*const T) -> *const U,
    {
        // SAFETY: as above, and the pointer stays weak.
        unsafe { GcWeak::from_ptr(coerce(self.as_ptr())) }
    }
}
