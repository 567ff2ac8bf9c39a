//! Weak pairs and ephemeron pairs.
//!
//! Both are pairs to a program, with all that it can do with pairs; what differs is what they keep alive. A weak
//! pair does not keep its car alive; an ephemeron pair neither, and its cdr only as long as the car lives, even
//! if the cdr leads to it. What is gone reads as the *broken weak pointer*, [`Value::Broken`].
//!
//! A weak half is an [`Ephemeron`] whose key is the object, whatever its kind, and whose value is a managed cell
//! with the [`Value`] that has the kind. That the cell leads to the key is what ephemerons allow. Values that
//! are no objects are never broken: for them the key is a value of size zero, which is always alive.
//!
//! An ephemeron is cleared when its key is freed, and not before guardians ([`crate::guardian`]) have had it: so
//! an object is in weak pairs as long as it can be had from a guardian, as in Chez Scheme.
//!
//! Reading a half needs a [`Mutation`], as it makes a strong pointer while marking may be going on.

use gc_core::{Collect, Ephemeron, Gc, Lock, Mutation, barrier::unlock};

use crate::alloc::{self, HeapError};
use crate::value::Value;

/// A weak pair or an ephemeron pair.
#[derive(Collect)]
#[collect(no_drop)]
pub struct WeakPair<'gc> {
    held: Lock<Ephemeron<'gc, (), Held<'gc>>>,
    /// The cdr of a weak pair; an ephemeron pair has none here.
    cdr: Lock<Option<Value<'gc>>>,
}

/// What there is as long as the key lives.
#[derive(Collect)]
#[collect(no_drop)]
struct Held<'gc> {
    car: Value<'gc>,
    /// The cdr of an ephemeron pair.
    cdr: Lock<Value<'gc>>,
}

/// The key of an ephemeron that lives as long as `value`.
pub(crate) fn key<'gc>(mc: &Mutation<'gc>, value: Value<'gc>) -> Result<Gc<'gc, ()>, HeapError> {
    value.object().map_or_else(|| alloc::new(mc, ()), Ok)
}

fn hold<'gc>(
    mc: &Mutation<'gc>,
    car: Value<'gc>,
    cdr: Value<'gc>,
) -> Result<Ephemeron<'gc, (), Held<'gc>>, HeapError> {
    let cdr = Lock::new(cdr);
    Ok(Ephemeron::new(
        key(mc, car)?,
        alloc::new(mc, Held { car, cdr })?,
    ))
}

impl<'gc> WeakPair<'gc> {
    /// A pair that does not keep `car` alive.
    pub fn weak(
        mc: &Mutation<'gc>,
        car: Value<'gc>,
        cdr: Value<'gc>,
    ) -> Result<Gc<'gc, Self>, HeapError> {
        let held = Lock::new(hold(mc, car, Value::Nil)?);
        let cdr = Lock::new(Some(cdr));
        alloc::new(mc, WeakPair { held, cdr })
    }

    /// A pair that does not keep `car` alive, and `cdr` only as long as `car` lives.
    pub fn ephemeron(
        mc: &Mutation<'gc>,
        car: Value<'gc>,
        cdr: Value<'gc>,
    ) -> Result<Gc<'gc, Self>, HeapError> {
        let held = Lock::new(hold(mc, car, cdr)?);
        let cdr = Lock::new(None);
        alloc::new(mc, WeakPair { held, cdr })
    }

    /// Whether it is an ephemeron pair.
    pub fn is_ephemeron(&self) -> bool {
        self.cdr.get().is_none()
    }

    /// Whether the object that was the car is gone.
    pub fn is_broken(&self, mc: &Mutation<'gc>) -> bool {
        self.held.get().value(mc).is_none()
    }

    /// Both halves. Out of line, as most pairs are others.
    #[cold]
    #[inline(never)]
    pub fn halves(&self, mc: &Mutation<'gc>) -> (Value<'gc>, Value<'gc>) {
        match (self.held.get().value(mc), self.cdr.get()) {
            (Some(held), None) => (held.car, held.cdr.get()),
            (Some(held), Some(cdr)) => (held.car, cdr),
            (None, cdr) => (Value::Broken, cdr.unwrap_or(Value::Broken)),
        }
    }

    /// Replaces the car; an ephemeron pair has its cdr as long as the new one lives.
    pub fn set_car(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        car: Value<'gc>,
    ) -> Result<(), HeapError> {
        let (_, cdr) = this.halves(mc);
        let cdr = if this.is_ephemeron() { cdr } else { Value::Nil };
        let held = hold(mc, car, cdr)?;
        unlock!(Gc::write(mc, this), WeakPair, held).set(held);
        Ok(())
    }

    /// Replaces the cdr. An ephemeron pair without car keeps it, as there is nothing to wait for.
    pub fn set_cdr(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        cdr: Value<'gc>,
    ) -> Result<(), HeapError> {
        match this.held.get().value(mc) {
            _ if !this.is_ephemeron() => {
                unlock!(Gc::write(mc, this), WeakPair, cdr).set(Some(cdr));
            }
            Some(held) => unlock!(Gc::write(mc, held), Held, cdr).set(cdr),
            None => {
                let held = hold(mc, Value::Broken, cdr)?;
                unlock!(Gc::write(mc, this), WeakPair, held).set(held);
            }
        }
        Ok(())
    }
}
