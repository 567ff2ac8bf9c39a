//! From a pointer to a value of unknown type to one of known type.

use core::any::{Any, TypeId};

use super::Gc;

impl<'gc, 'any> Gc<'gc, dyn Any + 'any> {
    /// A pointer to the same value as a `T`, if it is one. This takes a few instructions.
    ///
    /// Only types without pointers of an arena can be hidden in this way: `Any` is for `'static` ones. For others, make
    /// them the variants of an enum, or objects of a trait (see [`dyn_collect!`](crate::types::collect::dyn_collect)) with a method for
    /// what is wanted of them.
    ///
    /// ```
    /// use std::any::Any;
    /// use gc_core::{Gc, arena::rootless_mutate, unsize};
    ///
    /// rootless_mutate(|mc| {
    ///     let values: [Gc<'_, dyn Any>; 2] = [
    ///         unsize!(Gc::new(mc, 5) => dyn Any),
    ///         unsize!(Gc::new(mc, "text".to_string()) => dyn Any),
    ///     ];
    ///     let texts = values.iter().filter_map(|value| Gc::downcast::<String>(*value).ok());
    ///     assert_eq!(texts.map(|text| text.len()).sum::<usize>(), 4);
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// The pointer as it is, if it leads to a value of another type.
    #[inline]
    pub fn downcast<T: Any>(this: Self) -> Result<Gc<'gc, T>, Self> {
        if Any::type_id(Gc::as_ref(this)) == TypeId::of::<T>() {
            // SAFETY: it is the address of a `T`, which lives as long as before.
            Ok(unsafe { Gc::from_ptr(Gc::as_ptr(this).cast::<T>()) })
        } else {
            Err(this)
        }
    }
}
