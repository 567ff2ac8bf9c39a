//! What `#[derive(Collect)]` and the declarative macros expand to.
//!
//! An expansion names everything by paths into this crate, because the names of the user's crate are the
//! user's: `extern crate self as core` makes `::core` another crate, and a constant `part` makes another
//! pattern of `part`. The declarative macros have `$crate`, which nobody can redirect. The derive macro has
//! only a path, `::gc_core`, and a crate that calls itself so can stand there. So a derived implementation is
//! safe by what the compiler compares:
//!
//! 1. It implements `Collect` of that path. If this is not ours, no harm is done, as nothing of ours relies on
//!    it.
//! 2. If it is ours, the constant `TYPE_MAP` has our [`TypeMap`] as its type, so the path that stands for it
//!    leads to that, or there is a type error.
//! 3. Everything else that has to be true is said by items of that trait, or by functions of `TypeMap`, which are in
//!    this module. No macro is called, since a macro has no type.
//!
//! Names of bindings cannot be hidden from constants, unit structs, and statics of the same name, which are
//! patterns in their own right or may not be shadowed. But a *function* may be shadowed by a binding, and an
//! item in an inner block hides those outside. So an expansion first imports [`shadow`] under the name of each
//! of its bindings.

use core::mem::MaybeUninit;

use crate::types::no_drop::{__MustNotImplDrop, NoDestructor};
use crate::types::type_map::TypeMap;

/// What is imported under the names of bindings, so that these mean nothing else.
pub fn shadow() {}

/// Memory for a value that is never there: the places of fields are measured in it.
pub struct Place<T>(MaybeUninit<T>);

/// The parts of derived implementations.
#[doc(hidden)]
impl TypeMap {
    /// The map of the fields so far, of which there are none, for a type that has no destructor.
    pub const fn without_destructor<T>() -> TypeMap
    where
        T: __MustNotImplDrop<Checked = NoDestructor> + ?Sized,
    {
        TypeMap::LEAF
    }

    /// Memory in which the places of the fields of a `T` are measured.
    pub const fn place<T>() -> Place<T> {
        Place(MaybeUninit::uninit())
    }

    /// Where the value of a place would be.
    pub const fn in_place<T>(place: &Place<T>) -> *const T {
        place.0.as_ptr()
    }

    /// How many bytes from the beginning of the value `field` is.
    ///
    /// # Safety
    ///
    /// `field` is a place in the value at the [pointer](TypeMap::in_place) of `place`.
    pub const unsafe fn offset<T, F>(place: &Place<T>, field: *const F) -> usize {
        // SAFETY: both point into the same memory, and the field is not before its beginning. The result
        // is not negative, so the cast keeps it.
        unsafe {
            field
                .cast::<u8>()
                .offset_from(place.0.as_ptr().cast::<u8>()) as usize
        }
    }

    /// Compiles if a field is an option of a `F` and nothing else.
    #[inline(always)]
    pub const fn option_of<F>(field: *const Option<F>) {
        let _ = field;
    }

    /// Compiles if `F` lives for ever.
    #[inline(always)]
    pub const fn require_static<F: ?Sized + 'static>() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_compiler() {
        struct Fields(u8, u32, [u16; 5]);
        let place = TypeMap::place::<Fields>();
        // SAFETY: each is a field of the value.
        let offsets = unsafe {
            [
                TypeMap::offset(&place, &raw const (*TypeMap::in_place(&place)).0),
                TypeMap::offset(&place, &raw const (*TypeMap::in_place(&place)).1),
                TypeMap::offset(&place, &raw const (*TypeMap::in_place(&place)).2),
            ]
        };
        assert_eq!(
            offsets,
            [
                core::mem::offset_of!(Fields, 0),
                core::mem::offset_of!(Fields, 1),
                core::mem::offset_of!(Fields, 2),
            ]
        );
    }
}
