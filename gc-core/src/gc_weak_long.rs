//! [`GcWeakLong`]: a weak pointer that finalization does not clear.

use core::fmt;
use core::ptr;

use crate::collect::{Collect, Trace};
use crate::collector::weak;
use crate::gc::Gc;
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
pub struct GcWeakLong<'gc, T: ?Sized + 'gc>(GcWeak<'gc, T>);

impl<'gc, T: ?Sized + 'gc> Gc<'gc, T> {
    /// A weak pointer to the value that finalization does not clear.
    #[inline]
    pub fn downgrade_long(this: Gc<'gc, T>) -> GcWeakLong<'gc, T> {
        GcWeakLong(Gc::downgrade(this))
    }
}

impl<'gc, T: ?Sized + 'gc> GcWeakLong<'gc, T> {
    /// A strong pointer to the value, if it was not freed and will not be by the collection in progress. Takes
    /// constant time.
    #[inline]
    pub fn upgrade(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, T>> {
        let target = self.0.as_ptr().cast::<()>().addr();
        // SAFETY: this weak pointer is in use, in the arena that `'gc` brands.
        unsafe {
            let there = mc.context().upgrade_long(target);
            there.then(|| self.0.assume_there())
        }
    }

    /// Whether the value was dropped; as [`GcWeak::is_dropped`].
    pub fn is_dropped(self) -> bool {
        // SAFETY: this weak pointer is in use, and `'gc` outlasts it.
        unsafe { weak::is_shell(self.0.as_ptr().cast::<()>().addr()) }
    }

    /// The weak pointer to the same value that finalization clears.
    #[inline]
    pub fn shorten(self) -> GcWeak<'gc, T> {
        self.0
    }

    /// Whether two pointers are, or were, to the same object.
    #[inline]
    pub fn ptr_eq(this: GcWeakLong<'gc, T>, other: GcWeakLong<'gc, T>) -> bool {
        GcWeak::ptr_eq(this.0, other.0)
    }

    /// The address of the value. It can be dereferenced only while the value is there.
    #[inline]
    pub fn as_ptr(self) -> *const T {
        self.0.as_ptr()
    }
}

// SAFETY: it holds one pointer, itself, and its first word is the address.
unsafe impl<'gc, T: ?Sized + 'gc> Collect<'gc> for GcWeakLong<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::WEAK;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace_gc_weak_at(ptr::from_ref(self).addr(), GcWeak::erase(self.0));
    }
}

impl<'gc, T: ?Sized + 'gc> Copy for GcWeakLong<'gc, T> {}

impl<'gc, T: ?Sized + 'gc> Clone for GcWeakLong<'gc, T> {
    #[inline]
    fn clone(&self) -> GcWeakLong<'gc, T> {
        *self
    }
}

impl<'gc, T: ?Sized + 'gc> fmt::Debug for GcWeakLong<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(GcWeakLong)")
    }
}
