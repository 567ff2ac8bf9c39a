//! [`Mutates`]: what a collection asks of whoever changes it.

use crate::mutator::context::Context;
use crate::mutator::mutation::Mutation;
use crate::shared;

/// The right to change collections of `T` in the arena that `'gc` brands: the `mc` of a `mutate` call.
///
/// It is implemented by [`Mutation`] for all types, and by [`shared::Mutation`] for those that are
/// `Send` and `Sync`, as everything in a shared arena.
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
    message = "`{Self}` is no right to change collections of `{T}`",
    note = "pass the `mc` of the `mutate` call; in a shared arena, elements must be `Send` and `Sync`"
)]
pub trait Mutates<'gc, T>: Sealed {
    /// The mutator's side of the heap.
    #[doc(hidden)]
    fn access(&self) -> Access<'_>;
}

/// The allocator and the barrier of one mutator.
#[derive(Clone, Copy)]
pub struct Access<'a>(pub(super) &'a Context);

/// Only the two kinds of mutation can be rights.
pub trait Sealed {}

impl Sealed for Mutation<'_> {}
impl Sealed for shared::Mutation<'_> {}

impl<'gc, T> Mutates<'gc, T> for Mutation<'gc> {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        Access(self.context())
    }
}

// The bounds are those of allocation in a shared arena: elements may be read, traced and dropped by any
// thread.
impl<'gc, T: Send + Sync> Mutates<'gc, T> for shared::Mutation<'gc> {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        Access(self.context())
    }
}
