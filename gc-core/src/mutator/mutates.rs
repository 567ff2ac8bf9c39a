//! [`Mutates`]: what is asked of the `mc` of a `mutate` call where it can be one of either kind of arena.

use core::ops::Deref;

use crate::mutator::context::Context;
use crate::mutator::mutation::Mutation;

/// The right to put values of `T` into the arena that `'gc` brands, and to change collections of them: the `mc` of a
/// `mutate` call.
///
/// It is implemented by [`Mutation`] for all types, and by [`shared::Mutation`](crate::shared::Mutation) for those
/// that are `Send` and `Sync`, as everything in a shared arena. What can be dereferenced to such a right is one, too:
/// a [`Finalizing`](crate::finalizer::Finalizing), a context of the program's own.
///
/// ```
/// use gc_core::arena::rootless_mutate;
/// use gc_core::collections::{Mutates, Vec};
///
/// fn push_twice<'gc, T: gc_core::Collect<'gc> + Copy + 'gc>(
///     mc: &impl Mutates<'gc, T>,
///     vec: &mut Vec<'gc, T>,
///     value: T,
/// ) {
///     vec.push(mc, value);
///     vec.push(mc, value);
/// }
///
/// rootless_mutate(|mc| {
///     let mut vec = Vec::new();
///     push_twice(mc, &mut vec, 7);
///     assert_eq!(*vec, [7, 7]);
/// });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no right to put `{T}` into an arena",
    note = "pass the `mc` of the `mutate` call; in a shared arena, values must be `Send` and `Sync`"
)]
pub trait Mutates<'gc, T>: Sealed {
    /// The mutator's side of the heap.
    #[doc(hidden)]
    fn access(&self) -> Access<'_>;
}

/// The allocator and the barrier of one mutator.
#[derive(Clone, Copy)]
pub struct Access<'a>(pub(crate) &'a Context);

/// Only the two kinds of mutation can be rights.
pub trait Sealed {}

impl Sealed for Mutation<'_> {}
impl<M: Deref<Target: Sealed>> Sealed for M {}

impl<'gc, T> Mutates<'gc, T> for Mutation<'gc> {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        Access(self.context())
    }
}

// However it is dereferenced, the right is one to the arena that `'gc` brands.
impl<'gc, T, M: Deref<Target: Mutates<'gc, T>>> Mutates<'gc, T> for M {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        (**self).access()
    }
}
