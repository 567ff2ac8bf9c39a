//! [`GcWeakLong`]: a weak pointer that finalization does not clear.

use core::fmt;

use crate::collector::weak;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{DefaultGcKind, Fat, Gc, GcKind, IsGcKind};
use crate::pointers::weak::GcWeak;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A pointer to a value that does not keep it alive, and leads to it until it is freed.
///
/// A [`GcWeak`] is cleared when its target is found to be dead, before finalizers of the target run. This one
/// still leads to the target then, and goes on to if a finalizer makes it reachable again. Where there are no
/// finalizers, both are the same.
///
/// ```
/// use gc_core::{Arena, Gc, GcWeak, GcWeakLong, Rootable};
///
/// type Root<'gc> = (GcWeak<'gc, u32>, GcWeakLong<'gc, u32>);
/// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
///     let seven = Gc::new(mc, 7);
///     _ = mc.finalize_with(seven, |_, _| ());
///     (Gc::downgrade(seven), Gc::downgrade_long(seven))
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, (short, long)| {
///     assert!(short.upgrade(mc).is_none() && long.upgrade(mc).is_some());
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, (_, long)| assert!(long.upgrade(mc).is_none()));
/// ```
#[repr(transparent)]
pub struct GcWeakLong<'gc, T: ?Sized + 'gc, K = DefaultGcKind<T>>(GcWeak<'gc, T, K>);

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Gc<'gc, T, K> {
    /// A weak pointer to the value that finalization does not clear, of the same kind.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeakLong, Rootable};
    ///
    /// type Root<'gc> = (Option<Gc<'gc, u32>>, GcWeakLong<'gc, u32>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let seven = Gc::new(mc, 7);
    ///     (Some(seven), Gc::downgrade_long(seven))
    /// });
    /// arena.finish_cycle();
    /// arena.mutate_root(|mc, (strong, weak)| {
    ///     assert!(Gc::ptr_eq(weak.upgrade(mc).unwrap(), strong.unwrap()));
    ///     *strong = None;
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|mc, (_, weak)| assert!(weak.upgrade(mc).is_none()));
    /// ```
    #[inline]
    pub fn downgrade_long(this: Gc<'gc, T, K>) -> GcWeakLong<'gc, T, K> {
        GcWeakLong(Gc::downgrade(this))
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> GcWeakLong<'gc, T, K> {
    /// A strong pointer to the value, if it was not freed and will not be by the collection in progress. Takes
    /// constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeakLong, Lock, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, Lock<Option<Gc<'gc, u32>>>>, GcWeakLong<'gc, u32>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     (Gc::new(mc, Lock::new(None)), Gc::downgrade_long(Gc::new(mc, 7)))
    /// });
    /// arena.mutate(|mc, (_, weak)| {
    ///     _ = mc.finalize_with(weak.upgrade(mc).unwrap(), |seven, _| assert_eq!(*seven, 7));
    /// });
    /// arena.finish_cycle(); // The finalizer has run. The object is still there, and can be saved.
    /// arena.mutate(|mc, (saved, weak)| saved.set(mc, weak.upgrade(mc)));
    /// arena.finish_cycle();
    /// arena.mutate(|_, (saved, _)| assert_eq!(*saved.get().unwrap(), 7));
    /// ```
    #[inline]
    pub fn upgrade(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, T, K>> {
        let target = self.0.address();
        // SAFETY: this weak pointer is in use, in the arena that `'gc` brands.
        unsafe {
            let there = mc.context().upgrade_long(target);
            there.then(|| self.0.assume_there())
        }
    }

    /// Whether the value was dropped; as [`GcWeak::is_dropped`].
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeakLong, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![GcWeakLong<'_, u32>]>::new(|mc| {
    ///     let seven = Gc::new(mc, 7);
    ///     _ = mc.finalize_with(seven, |_, _| ());
    ///     Gc::downgrade_long(seven)
    /// });
    /// arena.finish_cycle(); // Found dead, and finalized.
    /// assert!(!arena.mutate(|_, weak| weak.is_dropped()));
    /// arena.finish_cycle(); // Freed.
    /// assert!(arena.mutate(|_, weak| weak.is_dropped()));
    /// ```
    pub fn is_dropped(self) -> bool {
        // SAFETY: this weak pointer is in use, and `'gc` outlasts it.
        unsafe { weak::is_shell(self.0.address()) }
    }

    /// The weak pointer to the same value that finalization clears.
    #[inline]
    pub(crate) fn shorten(self) -> GcWeak<'gc, T, K> {
        self.0
    }

    /// Whether two pointers are, or were, to the same object.
    ///
    /// ```
    /// use gc_core::{Gc, GcWeakLong, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let five = Gc::new(mc, 5);
    ///     let (weak, again) = (Gc::downgrade_long(five), Gc::downgrade_long(five));
    ///     assert!(GcWeakLong::ptr_eq(weak, again));
    ///     assert!(!GcWeakLong::ptr_eq(weak, Gc::downgrade_long(Gc::new(mc, 5))));
    /// });
    /// ```
    #[inline]
    pub fn ptr_eq(this: GcWeakLong<'gc, T, K>, other: GcWeakLong<'gc, T, K>) -> bool {
        GcWeak::ptr_eq(this.0, other.0)
    }

    /// The address of the value. It can be dereferenced only while the value is there.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let five = Gc::new(mc, 5);
    ///     assert_eq!(Gc::downgrade_long(five).as_ptr(), Gc::as_ptr(five));
    /// });
    /// ```
    #[inline]
    pub fn as_ptr(self) -> *const T {
        self.0.as_ptr()
    }

    /// The same pointer without the type of the value, as [`GcWeak::erase`].
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeakLong, Rootable};
    ///
    /// // What a leak detector of a program's own watches: anything whose finalizer is to have let go of it.
    /// let mut arena = Arena::<Rootable![Vec<GcWeakLong<'_, ()>>]>::new(|mc| {
    ///     vec![
    ///         GcWeakLong::erase(Gc::downgrade_long(Gc::new(mc, 5))),
    ///         GcWeakLong::erase(Gc::downgrade_long(Gc::new(mc, "text"))),
    ///     ]
    /// });
    /// arena.finish_cycle();
    /// assert!(arena.mutate(|mc, watched| watched.iter().all(|weak| weak.upgrade(mc).is_none())));
    /// ```
    #[inline]
    pub fn erase(this: GcWeakLong<'gc, T, K>) -> GcWeakLong<'gc, ()> {
        GcWeakLong(GcWeak::erase(this.0))
    }
}

impl<'gc, T: ?Sized + 'gc, M, P> GcWeakLong<'gc, T, GcKind<Fat<T>, M, P>> {
    /// A pointer to the same object as another type, of the same kind; as [`GcWeak::cast`].
    ///
    /// ```
    /// use gc_core::{Gc, GcWeakLong, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let erased = GcWeakLong::erase(Gc::downgrade_long(Gc::new(mc, 5_u32)));
    ///     // SAFETY: the object is a `u32`.
    ///     let typed: GcWeakLong<u32> = unsafe { GcWeakLong::cast(erased) };
    ///     assert_eq!(*typed.upgrade(mc).unwrap(), 5);
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`GcWeak::cast`].
    #[inline]
    pub unsafe fn cast<U: 'gc>(this: Self) -> GcWeakLong<'gc, U, GcKind<Fat<U>, M, P>> {
        // SAFETY: the object may be used as a `U` as well (the caller's promise).
        GcWeakLong(unsafe { GcWeak::cast(this.0) })
    }
}

// SAFETY: the one field is visited in place, at which the value starts.
unsafe impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Collect<'gc> for GcWeakLong<'gc, T, K> {
    const TYPE_MAP: TypeMap = <GcWeak<'gc, T, K> as Collect<'gc>>::TYPE_MAP;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Copy for GcWeakLong<'gc, T, K> {}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Clone for GcWeakLong<'gc, T, K> {
    #[inline]
    fn clone(&self) -> GcWeakLong<'gc, T, K> {
        *self
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> fmt::Debug for GcWeakLong<'gc, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(GcWeakLong)")
    }
}
