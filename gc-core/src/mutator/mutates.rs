//! [`Mutates`]: the bound for the `mc` of a `mutate` call in either kind of arena.

use crate::mutator::context::Context;
use crate::mutator::mutation::Mutation;

/// The right to put values of `T` into the arena that `'gc` brands, and to change collections of them: the `mc` of a
/// `mutate` call.
///
/// It is implemented by [`Mutation`] for all types, and by [`shared::Mutation`](crate::shared::Mutation) for those that
/// are `Send` and `Sync`, as everything in a shared arena. What finalizers get, [`Finalizing`] and [`Finalization`], is
/// such a right as well.
///
/// [`Finalizing`]: crate::finalizer::Finalizing
/// [`Finalization`]: crate::Finalization
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
///
/// A type of the program's that dereferences to a [`Mutation`] is none: collections ask for their arena while they move
/// elements, and then no code of the program may run. Pass what it dereferences to.
///
/// ```compile_fail,E0277
/// # use gc_core::{Mutation, arena::rootless_mutate, collections::Vec};
/// struct Context<'a, 'gc>(&'a Mutation<'gc>);
///
/// impl<'gc> std::ops::Deref for Context<'_, 'gc> {
///     type Target = Mutation<'gc>;
///
///     fn deref(&self) -> &Mutation<'gc> {
///         self.0
///     }
/// }
///
/// rootless_mutate(|mc| {
///     let (mut vec, context) = (Vec::new(), Context(mc));
///     vec.push(&*context, 1);
///     vec.push(&context, 2); // error: no right
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

/// Only the types of this crate can be rights, none of which runs code of the program when it is asked for the access.
pub trait Sealed {}

impl Sealed for Mutation<'_> {}

impl<'gc, T> Mutates<'gc, T> for Mutation<'gc> {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        Access(self.context())
    }
}
