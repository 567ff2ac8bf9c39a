//! [`unsize!`](crate::unsize!): makes a pointer to a type one to a slice or a trait object.

use core::marker::PhantomData;

use crate::pointers::gc::{Gc, IsGcKind};
use crate::pointers::weak::GcWeak;

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
    ($gc:expr => $type:ty) => {
        $crate::__CoercePtrInternal::__coerce($gc, {
            use $crate::__private::{shadow as __gc_core_from, shadow as __gc_core_to};
            |__gc_core_from: *const _| {
                let __gc_core_to: *const $type = __gc_core_from;
                // SAFETY: the line above compiles only if it is a coercion of the compiler's.
                unsafe { $crate::__private::Unsized::new(__gc_core_from, __gc_core_to) }
            }
        })
    };
}

/// A pointer to an unsized type, which the compiler has made of one to a `From`.
///
/// It is invariant: what the compiler did for one pair of types says nothing of another.
#[doc(hidden)]
pub struct Unsized<From, To: ?Sized> {
    to: *mut To,
    from: PhantomData<*mut From>,
}

impl<From, To: ?Sized> Unsized<From, To> {
    /// # Safety
    ///
    /// `to` is `from` after an unsizing coercion.
    #[inline(always)]
    pub unsafe fn new(from: *const From, to: *const To) -> Unsized<From, To> {
        let _ = from;
        Unsized {
            to: to.cast_mut(),
            from: PhantomData,
        }
    }
}

/// Pointers to `T` that can become pointers to an unsized type.
#[doc(hidden)]
pub trait __CoercePtrInternal<Target> {
    type From;
    type To: ?Sized;

    /// The same pointer, with the type to which `coerce` coerces its address.
    fn __coerce<F>(self, coerce: F) -> Target
    where
        F: FnOnce(*const Self::From) -> Unsized<Self::From, Self::To>;
}

impl<'gc, T: 'gc, K: IsGcKind<'gc, T>, U: ?Sized + 'gc> __CoercePtrInternal<Gc<'gc, U>>
    for Gc<'gc, T, K>
{
    type From = T;
    type To = U;

    #[inline(always)]
    fn __coerce<F>(self, coerce: F) -> Gc<'gc, U>
    where
        F: FnOnce(*const T) -> Unsized<T, U>,
    {
        let pointer = coerced(Gc::as_ptr(self), coerce);
        // SAFETY: an unsizing coercion keeps the address, and what was a `T` there can be used as a `U`.
        unsafe { Gc::from_ptr(pointer) }
    }
}

impl<'gc, T: 'gc, K: IsGcKind<'gc, T>, U: ?Sized + 'gc> __CoercePtrInternal<GcWeak<'gc, U>>
    for GcWeak<'gc, T, K>
{
    type From = T;
    type To = U;

    #[inline(always)]
    fn __coerce<F>(self, coerce: F) -> GcWeak<'gc, U>
    where
        F: FnOnce(*const T) -> Unsized<T, U>,
    {
        let pointer = coerced(self.as_ptr(), coerce);
        // SAFETY: as above, and the pointer stays weak.
        unsafe { GcWeak::from_ptr(pointer) }
    }
}

/// The address `from`, with the type that `coerce` gives it.
///
/// # Panics
///
/// If the address is another one: the closure kept the result of an earlier call.
#[inline(always)]
fn coerced<T, U: ?Sized>(
    from: *const T,
    coerce: impl FnOnce(*const T) -> Unsized<T, U>,
) -> *const U {
    let Unsized { to, .. } = coerce(from);
    // Known when it is compiled, for a closure of the macro's.
    assert!(core::ptr::addr_eq(from, to), "another pointer was coerced");
    to.cast_const()
}
