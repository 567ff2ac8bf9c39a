//! [`DynCollect`]: values that can be traced without their type being known.
//!
//! [`Collect`] has a generic method, so there are no objects of that trait. `DynCollect` is the same for
//! trait objects: every type that is `Collect` has it, and whoever makes it a supertrait of his own trait
//! can have `dyn` values of that in the heap, in a `Box` as well as behind a `Gc`.
//!
//! What the collector asks of a visitor beyond the two public methods goes through the object, too: places
//! of pointers, and the word that a lock is not in use.

use core::ops::Range;

use crate::pointers::gc::Gc;
use crate::pointers::weak::GcWeak;
use crate::types::collect::{Collect, Trace};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::trace::{LastOwner, Unreferenced};

/// [`Collect`] for trait objects. All types that are `Collect` have it.
///
/// A trait with this as a supertrait gets [`Collect`] for its trait objects by
/// [`dyn_collect!`](crate::types::collect::dyn_collect). `dyn DynCollect<'gc>` has it by itself.
///
/// ```
/// use gc_core::{Gc, Lock, arena::rootless_mutate, collect::DynCollect, unsize};
///
/// rootless_mutate(|mc| {
///     let number = Gc::new(mc, 1);
///     let values: Vec<Box<dyn DynCollect<'_> + '_>> = vec![Box::new(number), Box::new([number; 3])];
///     let all = Gc::new(mc, values);
///     assert_eq!(all.len(), 2);
///     let one = unsize!(Gc::new(mc, Lock::new(number)) => dyn DynCollect<'_>);
///     # let _ = one;
/// });
/// ```
///
/// # Safety
///
/// The type keeps to all that [`Collect`] says, with `dyn_trace` in the place of `trace`: what is said there of
/// `Drop`, of interior mutability and of references is relied upon as well.
pub unsafe trait DynCollect<'gc> {
    /// Visits all pointers that the value holds.
    ///
    /// It is [`Collect::trace`] with a visitor whose type is not known either.
    ///
    /// ```
    /// use gc_core::collect::{DynCollect, Trace};
    /// use gc_core::{Gc, GcWeak, arena::rootless_mutate};
    ///
    /// struct Count(usize);
    ///
    /// impl<'gc> Trace<'gc> for Count {
    ///     fn trace_gc(&mut self, _: Gc<'gc, ()>) {
    ///         self.0 += 1;
    ///     }
    ///
    ///     fn trace_gc_weak(&mut self, _: GcWeak<'gc, ()>) {}
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let five = Gc::new(mc, 5);
    ///     let values: [Box<dyn DynCollect<'_> + '_>; 2] = [Box::new(vec![five; 3]), Box::new("text")];
    ///     let counts = values.map(|value| {
    ///         let mut count = Count(0);
    ///         value.dyn_trace(&mut count);
    ///         count.0
    ///     });
    ///     assert_eq!(counts, [3, 0]);
    /// });
    /// ```
    fn dyn_trace(&self, cc: &mut dyn Trace<'gc>);

    /// Adds up what the value owns outside of the heap; see [`Collect::owned_bytes`]. The default is nothing.
    #[doc(hidden)]
    #[inline]
    fn dyn_owned_bytes(&self, owned: &mut OwnedBytes) {
        let _ = owned;
    }
}

// SAFETY: the value's own `trace` is called, unless its type never holds a pointer.
unsafe impl<'gc, T: Collect<'gc>> DynCollect<'gc> for T {
    #[inline]
    fn dyn_trace(&self, cc: &mut dyn Trace<'gc>) {
        DynTrace(cc).trace(self);
    }

    #[inline]
    fn dyn_owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add_field(self);
    }
}

// SAFETY: whoever is behind the object visits all pointers.
unsafe impl<'gc> Collect<'gc> for dyn DynCollect<'gc> + '_ {
    #[inline]
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        self.dyn_trace(cc);
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        self.dyn_owned_bytes(owned);
    }
}

/// A visitor of unknown type, as one of known type.
struct DynTrace<'a, 'gc>(&'a mut dyn Trace<'gc>);

impl<'gc> Trace<'gc> for DynTrace<'_, 'gc> {
    fn trace_gc(&mut self, gc: Gc<'gc, ()>) {
        self.0.trace_gc(gc);
    }

    fn trace_gc_weak(&mut self, gc: GcWeak<'gc, ()>) {
        self.0.trace_gc_weak(gc);
    }

    fn trace_gc_at(&mut self, slot: usize, gc: Gc<'gc, ()>) {
        self.0.trace_gc_at(slot, gc);
    }

    fn trace_gc_weak_at(&mut self, slot: usize, gc: GcWeak<'gc, ()>) {
        self.0.trace_gc_weak_at(slot, gc);
    }

    fn trace_null_at(&mut self, slot: usize, weak: bool) {
        self.0.trace_null_at(slot, weak);
    }

    // Not the default: that does not tell of the value.
    fn trace_ephemeron_at(&mut self, slot: usize, key: GcWeak<'gc, ()>, value: usize) {
        self.0.trace_ephemeron_at(slot, key, value);
    }

    fn trace_derived_at(&mut self, slot: usize) {
        self.0.trace_derived_at(slot);
    }

    fn drop_later(&mut self, owner: LastOwner) {
        self.0.drop_later(owner);
    }

    fn pass_lock(&mut self) -> bool {
        self.0.pass_lock()
    }

    fn stays_inside(&self) -> bool {
        self.0.stays_inside()
    }

    fn holds(&self, address: usize, branded: bool) -> Option<Unreferenced> {
        self.0.holds(address, branded)
    }

    unsafe fn enter_owned(&mut self, owner: usize, memory: Range<usize>) -> Option<Range<usize>> {
        // SAFETY: safe code gets to the memory by the owner only (the caller's promise).
        unsafe { self.0.enter_owned(owner, memory) }
    }

    unsafe fn leave_owned(&mut self, before: Range<usize>) {
        // SAFETY: `before` is what `enter_owned` returned (the caller's promise), and that is what the visitor within
        // returned.
        unsafe { self.0.leave_owned(before) }
    }
}

/// Implements [`Collect`](trait@crate::Collect) for the trait objects of a trait that has
/// [`DynCollect`] as a supertrait.
///
/// The lifetime `'gc` is the arena's. Other parameters come first, in angle brackets, and their bounds
/// last. Where the trait is not bounded by `'gc`, the lifetime of the object is to be named: `dyn Shape<'gc>`
/// alone means one that is `'static`, and has no pointers.
///
/// ```
/// use gc_core::{Collect, Gc, arena::rootless_mutate, collect::{DynCollect, dyn_collect}};
///
/// trait Shape<'gc>: DynCollect<'gc> {
///     fn corners(&self) -> usize;
/// }
/// dyn_collect!(dyn Shape<'gc> + 'gc);
///
/// trait Container<'gc, T>: DynCollect<'gc> {}
/// dyn_collect!(<T> dyn Container<'gc, T> + 'gc where T: Clone);
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Polygon<'gc>(Gc<'gc, [f64; 8]>);
///
/// impl<'gc> Shape<'gc> for Polygon<'gc> {
///     fn corners(&self) -> usize {
///         self.0.len() / 2
///     }
/// }
///
/// rootless_mutate(|mc| {
///     let shape: Box<dyn Shape<'_> + '_> = Box::new(Polygon(Gc::new(mc, [0.0; 8])));
///     assert_eq!(Gc::new(mc, shape).corners(), 4);
/// });
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __dyn_collect {
    (@ [$($params:tt),*] $trait:ty where $($bounds:tt)*) => {
        // What stands for bounds might end the list of them and say more, so that the function below
        // is another item's, and the implementation has the default. But here the list can be ended by a
        // semicolon only, and there by a brace only.
        const _: () = {
            struct __GcCoreBounds<'gc, $($params),*>(
                $crate::__private::PhantomData<&'gc ()>,
                $crate::__private::PhantomData<*const $trait>,
            )
            where
                $($bounds)*;
        };

        const _: () = {
            use $crate::__private::{shadow as __gc_core_cc, shadow as __gc_core_object};

            // SAFETY: whoever is behind the object visits all pointers. It is an object, and of a trait
            // that has `DynCollect` as a supertrait: a coercion of raw pointers is one of the compiler's, and
            // those that lead to a trait object start from another trait object, or from a sized type, which
            // this is not.
            unsafe impl<'gc, $($params),*> $crate::Collect<'gc> for $trait
            where
                $($bounds)*
            {
                fn trace<__GcCoreTracer: $crate::collect::Trace<'gc>>(
                    &self,
                    __gc_core_cc: &mut __GcCoreTracer,
                ) {
                    $crate::__private::only_for_trait_objects::<Self, _>();
                    let __gc_core_object: *const (dyn $crate::collect::DynCollect<'gc> + '_) =
                        &raw const *self;
                    // SAFETY: it is the reference to the value.
                    let __gc_core_object = unsafe { &*__gc_core_object };
                    $crate::collect::DynCollect::dyn_trace(__gc_core_object, __gc_core_cc);
                }

                fn owned_bytes(&self, __gc_core_cc: &mut $crate::collect::OwnedBytes) {
                    let __gc_core_object: *const (dyn $crate::collect::DynCollect<'gc> + '_) =
                        &raw const *self;
                    // SAFETY: it is the reference to the value.
                    let __gc_core_object = unsafe { &*__gc_core_object };
                    $crate::collect::DynCollect::dyn_owned_bytes(__gc_core_object, __gc_core_cc);
                }
            }
        };
    };
    (<$($params:tt),+ $(,)*> $trait:ty $(where $($bounds:tt)+)?) => {
        $crate::__dyn_collect!(@ [$($params),*] $trait where $($($bounds)+)?);
    };
    ($trait:ty) => {
        $crate::__dyn_collect!(@ [] $trait where);
    };
}

/// Has one implementation for a type that is not sized, and two for one that is.
#[doc(hidden)]
pub trait NotSized<Which> {}

impl<T: ?Sized> NotSized<()> for T {}
impl<T> NotSized<IsSized> for T {}

#[doc(hidden)]
pub struct IsSized;

/// Compiles if there is one `Which` for `T`, so if that is not sized.
#[doc(hidden)]
#[inline(always)]
pub fn only_for_trait_objects<T: NotSized<Which> + ?Sized, Which>() {}
