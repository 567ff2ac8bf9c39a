//! [`GcWeakLong`]: a weak pointer that finalization does not clear.

use core::fmt;

use crate::collect::{Collect, Trace};
use crate::collector::weak;
use crate::gc::{DefaultGcKind, Gc, IsGcKind};
use crate::gc_weak::GcWeak;
use crate::mutation::Mutation;
use crate::typemap::TypeMap;

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
    /// A weak pointer to the value that finalization does not clear.
    #[inline]
    pub fn downgrade_long(this: Gc<'gc, T, K>) -> GcWeakLong<'gc, T, K> {
        GcWeakLong(Gc::downgrade(this))
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> GcWeakLong<'gc, T, K> {
    /// A strong pointer to the value, if it was not freed and will not be by the collection in progress. Takes
    /// constant time.
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
    pub fn is_dropped(self) -> bool {
        // SAFETY: this weak pointer is in use, and `'gc` outlasts it.
        unsafe { weak::is_shell(self.0.address()) }
    }

    /// The weak pointer to the same value that finalization clears.
    #[inline]
    pub fn shorten(self) -> GcWeak<'gc, T, K> {
        self.0
    }

    /// Whether two pointers are, or were, to the same object.
    #[inline]
    pub fn ptr_eq(this: GcWeakLong<'gc, T, K>, other: GcWeakLong<'gc, T, K>) -> bool {
        GcWeak::ptr_eq(this.0, other.0)
    }

    /// The address of the value. It can be dereferenced only while the value is there.
    #[inline]
    pub fn as_ptr(self) -> *const T {
        self.0.as_ptr()
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
