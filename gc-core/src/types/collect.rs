//! [`Collect`]: what can live in the heap.

#[doc(inline)]
pub use crate::__dyn_collect as dyn_collect;
#[doc(inline)]
pub use crate::types::dyn_collect::DynCollect;
#[doc(inline)]
pub use crate::types::owned_bytes::OwnedBytes;
#[doc(inline)]
pub use crate::types::trace::Trace;
use crate::types::type_map::TypeMap;

/// Derives [`trait@Collect`] for a struct or an enum.
pub use gc_derive::Collect;

/// A type whose values can live in the heap and hold [`Gc`](crate::Gc) pointers.
///
/// Derive it where you can: `#[derive(Collect)]` with `#[collect(no_drop)]`, or
/// `#[collect(require_static)]` for types without pointers, is safe and makes the type's map of
/// pointer words a compile-time constant, so that marking never calls `trace`. An implementation by
/// hand is right for types that manage memory outside of the heap with pointers in it by themselves; its values are
/// traced anew in each collection, at safepoints.
///
/// ```
/// use gc_core::{Collect, Gc, Lock};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Node<'gc> {
///     next: Lock<Option<Gc<'gc, Node<'gc>>>>,
///     value: i64,
/// }
/// ```
///
/// `trace` must not wait for another thread, as for a lock: it runs while the program is stopped. `Drop` runs at
/// safepoints, on the thread that is there.
///
/// # Safety
///
/// An implementation has the following obligations. One that fails them can free objects that are in use.
///
/// 1. `trace` visits *every* `Gc` and `GcWeak` that the value holds, where it is: it passes
///    references to its fields to [`Trace::trace`]. It changes nothing, in the value or elsewhere, except that it
///    may forget weak pointers to values that [were dropped](crate::GcWeak::is_dropped).
///    That includes pointers which the value will not give out any more, because a key outside of the heap is gone, say.
///    In a cycle during which the program runs it may have given one out before, and whoever put that somewhere else relies
///    on it that this value, in which it was when the cycle began, tells it. Such an entry is removed under a write
///    barrier (4), in a `mutate` call, and visited until then.
/// 2. `NEEDS_TRACE` is `false` only if no value ever holds such a pointer, and no item of this trait is defined that its
///    documentation does not show.
/// 3. Nothing that runs when the value is dropped, the `Drop` of what it owns included, uses a pointer into the heap in any way,
///    neither to follow nor to copy nor to compare it: what it points to may have been freed before.
/// 4. Interior mutability does not bring a pointer into a value that is in the heap, take one out of it, nor
///    change which of its words are pointers, but after a write barrier
///    ([`Gc::write`](crate::Gc::write) or one of those of [`Mutation`](crate::Mutation)) on the
///    object in the same `mutate` call. If the memory is shared by several objects, a barrier on each that
///    the collector knows of comes before.
/// 5. Nothing in the value but `Gc`, `GcWeak` and types that are `Collect` themselves depends on
///    `'gc`. In particular there is no reference `&'gc T`: it would not keep its target alive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot live in the heap: it is not `Collect`",
    note = "derive it with `#[derive(Collect)]` and `#[collect(no_drop)]`, or \
        `#[collect(require_static)]` if it holds no pointers into the heap",
    note = "a `'static` type of another crate can be wrapped in `Static`",
    note = "tuples of more than 32 elements, and aliases of pointers to functions such as `fn(&T)`, are not `Collect`: \
        see \"Errors you may see\" in the documentation of `#[derive(Collect)]`"
)]
pub unsafe trait Collect<'gc> {
    /// Whether values can hold pointers at all. With `false`, `trace` is never called.
    ///
    /// ```
    /// use gc_core::collect::Trace;
    /// use gc_core::{Collect, Gc};
    ///
    /// /// A tree in memory of its own.
    /// struct Tree<T> {
    ///     value: T,
    ///     children: Vec<Tree<T>>,
    /// }
    ///
    /// // SAFETY: all fields are visited, in place; and a tree of values without pointers has none.
    /// unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for Tree<T> {
    ///     const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    ///
    ///     fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
    ///         cc.trace(&self.value);
    ///         cc.trace(&self.children);
    ///     }
    /// }
    ///
    /// assert!(!<Tree<String> as Collect>::NEEDS_TRACE);
    /// assert!(<Tree<Gc<'_, String>> as Collect>::NEEDS_TRACE);
    /// ```
    const NEEDS_TRACE: bool = true;

    /// Where the pointers are. The default is right for every implementation by hand; anything else
    /// is for the derive macro.
    #[doc(hidden)]
    const TYPE_MAP: TypeMap = TypeMap::opaque(Self::NEEDS_TRACE);

    /// Visits all pointers that the value holds, by calling [`Trace::trace`] with each field.
    ///
    /// The collector calls it, at safepoints, in write barriers, and for some types when an object is allocated. If
    /// it panics, nothing is lost. It may only look at values: what would write to one without a
    /// [`Mutation`](crate::Mutation), as [`Lock::take`](crate::Lock::take), panics.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use gc_core::collect::Trace;
    /// use gc_core::{Arena, Collect, Gc, Rootable};
    ///
    /// /// Bindings, and those of the scope around.
    /// struct Scope<'gc> {
    ///     names: BTreeMap<String, Gc<'gc, i64>>,
    ///     outer: Option<Box<Scope<'gc>>>,
    /// }
    ///
    /// // SAFETY: all fields are visited, in place.
    /// unsafe impl<'gc> Collect<'gc> for Scope<'gc> {
    ///     fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
    ///         cc.trace(&self.names);
    ///         cc.trace(&self.outer);
    ///     }
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Scope<'_>>]>::new(|mc| {
    ///     let names = BTreeMap::from([("x".to_string(), Gc::new(mc, 5))]);
    ///     let outer = Some(Box::new(Scope { names, outer: None }));
    ///     Gc::new(mc, Scope { names: BTreeMap::new(), outer })
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|_, scope| {
    ///     assert!(scope.names.is_empty());
    ///     assert_eq!(*scope.outer.as_ref().unwrap().names["x"], 5);
    /// });
    /// ```
    #[inline]
    #[allow(unused_variables, reason = "the default visits nothing")]
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {}

    /// Adds up the bytes that the value owns outside of the heap, what its fields own included: memory that is given
    /// back when the value is dropped. The default is nothing.
    ///
    /// They count for the [pace](crate::mutator::metrics::Pacing) of the collector like bytes of the heap. Derived
    /// implementations pass each field to [`OwnedBytes::add_field`]. The owners of the standard library and of the
    /// supported libraries add their capacity, and what the first few of their elements own.
    ///
    /// The collector calls it when an object is allocated, at the first safepoint after the object was written, and
    /// when it calls a `trace` that is written by hand at a safepoint. It is called for types with a destructor only:
    /// memory that is not given back is nobody's to count. It must be cheap: constant time, if possible. The answer
    /// affects nothing but the pace, and may be an estimate. If it panics, the last answer is kept; the panic goes on
    /// from where the object is allocated, or from the safepoint. At a safepoint it may only look: what would write to
    /// an object there, as
    /// [`Lock::take`](crate::Lock::take), panics. It must not wait for another thread, as `trace` must not.
    ///
    /// ```
    /// use gc_core::collect::OwnedBytes;
    /// use gc_core::{Arena, Collect, Gc, Rootable};
    ///
    /// /// Pixels that a library has allocated.
    /// struct Image(Box<[u8]>);
    ///
    /// // SAFETY: there are no pointers.
    /// unsafe impl<'gc> Collect<'gc> for Image {
    ///     const NEEDS_TRACE: bool = false;
    ///
    ///     fn owned_bytes(&self, owned: &mut OwnedBytes) {
    ///         owned.add(self.0.len());
    ///     }
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Option<Gc<'_, Image>>]>::new(|_| None);
    /// arena.mutate_root(|mc, root| *root = Some(Gc::new(mc, Image(vec![0; 4096].into()))));
    /// assert_eq!(arena.metrics().statistics().owned_bytes, 4096);
    /// arena.mutate_root(|_, root| *root = None);
    /// arena.finish_cycle();
    /// assert_eq!(arena.metrics().statistics().owned_bytes, 0);
    /// ```
    #[inline]
    #[allow(unused_variables, reason = "the default owns nothing")]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {}
}

/// Implements [`trait@Collect`] for a type without pointers: one that is `'static`.
///
/// ```
/// struct Symbol(u32);
/// gc_core::static_collect!(Symbol);
///
/// struct Tagged<T>(T, u32);
/// gc_core::static_collect!(<T> Tagged<T> where T: Copy);
///
/// // What a value owns outside of the heap is unknown, unless the program says so.
/// struct Image(Vec<u8>);
/// gc_core::static_collect!(Image, owned_bytes = |image| image.0.capacity());
///
/// assert_eq!(gc_core::collect::OwnedBytes::of(&Image(vec![0; 100])), 100);
/// ```
#[macro_export]
macro_rules! static_collect {
    (<$($params:tt),+ $(,)*> $type:ty $(where $($bounds:tt)+)?) => {
        // What stands for bounds might close the item below and say more. Then it would be no item
        // of this trait, which has none.
        const _: () = {
            trait __GcCoreBounds {}
            impl<'gc, $($params),*> __GcCoreBounds for $type
            where
                $type: 'static,
                $($($bounds)+)*
            {
            }
        };

        // SAFETY: as below.
        unsafe impl<'gc, $($params),*> $crate::Collect<'gc> for $type
        where
            Self: 'static,
            $type: 'static,
            $($($bounds)+)*
        {
            const NEEDS_TRACE: $crate::__private::bool = false;
        }
    };
    ($type:ty $(, owned_bytes = $owned_bytes:expr)?) => {
        // SAFETY: a type that is `'static` cannot hold a pointer that is branded by a lifetime. `Self` says it of
        // this very type; `$type`, which a macro may have written, refuses lifetimes without a name.
        unsafe impl<'gc> $crate::Collect<'gc> for $type
        where
            Self: 'static,
            $type: 'static,
        {
            const NEEDS_TRACE: $crate::__private::bool = false;

            $($crate::__owned_bytes!($owned_bytes);)?
        }
    };
}

/// The method by which [`static_collect!`] tells what a value owns.
#[doc(hidden)]
#[macro_export]
macro_rules! __owned_bytes {
    ($owned_bytes:expr) => {
        fn owned_bytes(&self, __gc_core_owned: &mut $crate::collect::OwnedBytes) {
            $crate::collect::OwnedBytes::add_told(__gc_core_owned, self, $owned_bytes);
        }
    };
}
