//! [`GcWeak`]: a pointer that does not keep its target alive.

use core::fmt;
use core::ptr;

use crate::collect::{Collect, Trace};
use crate::collector::weak;
use crate::gc::Gc;
use crate::mutation::Mutation;
use crate::typemap::TypeMap;

/// A pointer to a value in the heap that does not keep it alive.
///
/// When nothing but weak pointers leads to a value, the next collection drops it, and
/// [`GcWeak::upgrade`] returns `None` from then on. The memory of such an object is free only after
/// the last weak pointer to it is gone.
///
/// ```
/// use gc_core::{Arena, Gc, GcWeak, Rootable};
///
/// let mut arena = Arena::<Rootable![GcWeak<'_, u32>]>::new(|mc| Gc::downgrade(Gc::new(mc, 7)));
/// assert!(arena.mutate(|mc, weak| weak.upgrade(mc).is_some()));
/// arena.finish_cycle();
/// assert!(arena.mutate(|mc, weak| weak.upgrade(mc).is_none()));
/// ```
#[repr(transparent)]
pub struct GcWeak<'gc, T: ?Sized + 'gc> {
    /// Not to be given out while the target is a shell.
    target: Gc<'gc, T>,
}

const _: () = assert!(size_of::<GcWeak<'_, u8>>() == 8 && size_of::<Option<GcWeak<'_, u8>>>() == 8);

impl<'gc, T: ?Sized + 'gc> GcWeak<'gc, T> {
    #[inline]
    pub(crate) fn new(target: Gc<'gc, T>) -> GcWeak<'gc, T> {
        GcWeak { target }
    }

    /// A strong pointer to the value, if it is still there. Takes constant time.
    #[inline]
    pub fn upgrade(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, T>> {
        // SAFETY: this weak pointer is in use, in the arena that `'gc` brands.
        let there = unsafe { mc.context().upgrade(self.as_ptr().addr()) };
        there.then_some(self.target)
    }

    /// A strong pointer.
    ///
    /// # Safety
    ///
    /// The collector said in this `mutate` call that the value is there.
    #[inline]
    pub(crate) unsafe fn assume_there(self) -> Gc<'gc, T> {
        self.target
    }

    /// Whether the value was dropped. Takes a process-wide lock for a moment; where a [`Mutation`]
    /// is at hand, [`GcWeak::upgrade`] is quicker.
    ///
    /// While a collection is in progress, a value that it will drop soon may not be dropped yet, and yet not
    /// be had by [`GcWeak::upgrade`], which alone decides.
    pub fn is_dropped(self) -> bool {
        // SAFETY: this weak pointer is in use, and `'gc` outlasts it.
        unsafe { weak::is_shell(self.as_ptr().addr()) }
    }

    /// Whether two pointers are, or were, to the same object.
    #[inline]
    pub fn ptr_eq(this: GcWeak<'gc, T>, other: GcWeak<'gc, T>) -> bool {
        Gc::ptr_eq(this.target, other.target)
    }

    /// The address of the value. It can be dereferenced only while the value is there.
    #[inline]
    pub fn as_ptr(self) -> *const T {
        Gc::as_ptr(self.target)
    }

    /// A pointer to the same object as another type.
    ///
    /// # Safety
    ///
    /// As for [`Gc::cast`].
    #[inline]
    pub unsafe fn cast<U: 'gc>(this: GcWeak<'gc, T>) -> GcWeak<'gc, U> {
        // SAFETY: passed on to the caller.
        let target = unsafe { Gc::cast(this.target) };
        GcWeak { target }
    }

    /// A pointer to the same object without its type.
    #[inline]
    pub fn erase(this: GcWeak<'gc, T>) -> GcWeak<'gc, ()> {
        GcWeak {
            target: Gc::erase(this.target),
        }
    }

    /// A weak pointer from an address that [`GcWeak::as_ptr`] or [`Gc::as_ptr`] told.
    ///
    /// # Safety
    ///
    /// The address came from one of these in the arena that `'gc` brands, and since then there was
    /// always a weak or strong pointer to the object that the collector knows of.
    #[inline]
    pub unsafe fn from_ptr(pointer: *const T) -> GcWeak<'gc, T> {
        // SAFETY: passed on to the caller; the pointer is not given out unchecked.
        let target = unsafe { Gc::from_ptr(pointer) };
        GcWeak { target }
    }
}

// SAFETY: a `GcWeak` holds one pointer, itself, and its first word is the address.
unsafe impl<'gc, T: ?Sized + 'gc> Collect<'gc> for GcWeak<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::WEAK;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace_gc_weak_at(ptr::from_ref(self).addr(), GcWeak::erase(*self));
    }
}

// The impls of `Gc` are those of this type as well: without a `Mutation` it can be compared, and asked
// whether the value was dropped, for which atomic words are read.

impl<'gc, T: ?Sized + 'gc> Copy for GcWeak<'gc, T> {}

impl<'gc, T: ?Sized + 'gc> Clone for GcWeak<'gc, T> {
    #[inline]
    fn clone(&self) -> GcWeak<'gc, T> {
        *self
    }
}

impl<'gc, T: ?Sized + 'gc> fmt::Debug for GcWeak<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(GcWeak)")
    }
}
