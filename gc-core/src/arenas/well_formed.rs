//! [`WellFormed`]: a bound by which the compiler checks a type that it would otherwise assume to be well-formed.
//!
//! Brands rest on callbacks that work for any lifetime: `for<'gc> FnOnce(&'gc Mutation<'gc>, &'gc X<'gc>)`. The
//! body of such a callback is compiled under the assumption that the types of its parameters are well-formed
//! (*implied bounds*): if `X<'gc>` mentions `&'static &'gc ()`, the body takes `'gc: 'static` for granted, and lets
//! everything escape. For types that are written out, the compiler makes sure that the assumption holds. It does
//! not do so for the types in `dyn for<'gc> Rootable<'gc, Root = X<'gc>>`, since they depend on a lifetime that is
//! not known there; so such a family arrives here unchecked, whatever its members are.
//!
//! **The obligation.** Wherever a family `R` of types meets a callback that gets `Root<'gc, R>` for any `'gc`, it is
//! proven that `Root<'gc, R>` is well-formed for *every* `'gc`. Then what the body assumes is true of every
//! lifetime that may be put in, and in particular `'gc` outlives nothing but itself.
//!
//! **How it is discharged.** A bound without a trait, `where Type:`, is the predicate "`Type` is well-formed", and
//! the one way to demand it of the trait solver. [`WellFormed`] holds for every type, given that predicate:
//! so `for<'gc> Root<'gc, R>: WellFormed` makes the solver put in a placeholder for `'gc`, of which it knows nothing,
//! expand the family, and check all bounds of all types that it finds there. The bound is
//!
//! 1. on [`Rootable::Root`](crate::Rootable::Root): a trait object is `Rootable` only if its member is well-formed.
//!    This covers all of [`Rootable!`](crate::Rootable!), also behind other people's generic types and functions,
//!    which have to name `R: for<'a> Rootable<'a>` in any case;
//! 2. on each type with an `R: for<'a> Rootable<'a>`, for families that a hand-written implementation takes from
//!    another trait's objects: `impl<'a, T: ?Sized + Other<'a>> Rootable<'a> for Family<T> { type Root = T::Member; }`
//!    is right for every `T` of which the compiler knows nothing, and `Family<dyn for<'a> Other<'a, Member = ..>>` is
//!    checked by nobody else.
//!
//! Of a type parameter, or of an associated type of one, it is trivial that it is well-formed. So the bound
//! costs generic code nothing: it need not be repeated there.
//!
//! **What is left** are holes of the language, which need no arena. Generic code of the user's own may have a callback
//! whose parameter is an associated type of a trait object for any lifetime (rust-lang/rust#152489), or of a function
//! whose signature implies what its caller does not check (#25860, #100051). Either turns any lifetime into `'static`,
//! with `core` alone. In particular nobody checks a family of the second kind behind generic code that knows of it only
//! that it is `Rootable`: a bound that generic code cannot see through would do so, but every type would need an
//! implementation of it, and every generic function a clause, for a hole that is one line away all the same.

use core::marker::PhantomData;

/// A type whose bounds hold: its own, and those of all types that it mentions.
///
/// Every type that can be written out is one, so there is nothing to implement, and generic code need not repeat the
/// bound. It is there for a lifetime of which nothing is known, such as the brand of an arena:
/// `for<'gc> Root<'gc, R>: WellFormed` is refused if the root's type is well-formed for some lifetimes only.
///
/// Then something in the root demands that the brand outlive another lifetime, mostly `'static`, and the compiler says
/// that a reference has a longer lifetime than the data it references (E0491), that the implementation of `Rootable`
/// is not general enough, or that there is a higher-ranked lifetime error. Look for a `'static` in the root's type, and
/// put the brand there.
///
/// ```compile_fail,E0491
/// use gc_core::{Arena, Gc, Rootable};
/// use std::marker::PhantomData;
///
/// // A reference that lives for ever, to something that does not.
/// type Root<'gc> = (Gc<'gc, String>, PhantomData<&'static &'gc ()>);
/// fn escapes(arena: &Arena<Rootable![Root<'_>]>) -> Gc<'static, String> {
///     arena.mutate(|_, root| root.0)
/// }
/// ```
pub trait WellFormed {}

// The parameter is wrapped, because the compiler drops the bound `where T:`: of a parameter it is always true. Of a
// type that is put in for it, it is not.
impl<T: ?Sized> WellFormed for T where PhantomData<T>: {}
