//! The traits that a [`Gc`] implements: those of a reference to the value.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::ptr;

use super::{Gc, IsGcKind};
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

// SAFETY: a `Gc` holds one pointer, itself, and its first word is the address.
unsafe impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Collect<'gc> for Gc<'gc, T, K> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace_gc_at(ptr::from_ref(self).addr(), Gc::erase(*self));
    }
}

// SAFETY: a `Gc` is a reference to a value that stays where it is while `'gc` lasts, and that is as long
// as any thread can have it: until the end of a `mutate` call. To use it on another thread is to share the
// value. Writing to the heap or to the collector's state takes a `Mutation`, which stays with its
// thread. `Send` is required because, in a shared arena, the value may be dropped by any thread.
unsafe impl<'gc, T: ?Sized + Send + Sync + 'gc, K: IsGcKind<'gc, T>> Send for Gc<'gc, T, K> {}
// SAFETY: as above: a `Gc` can be copied out of a reference to one.
unsafe impl<'gc, T: ?Sized + Send + Sync + 'gc, K: IsGcKind<'gc, T>> Sync for Gc<'gc, T, K> {}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Copy for Gc<'gc, T, K> {}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Clone for Gc<'gc, T, K> {
    #[inline]
    fn clone(&self) -> Gc<'gc, T, K> {
        *self
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Deref for Gc<'gc, T, K> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        Gc::as_ref(*self)
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> AsRef<T> for Gc<'gc, T, K> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Borrow<T> for Gc<'gc, T, K> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<'gc, T: fmt::Debug + ?Sized + 'gc, K: IsGcKind<'gc, T>> fmt::Debug for Gc<'gc, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<'gc, T: fmt::Display + ?Sized + 'gc, K: IsGcKind<'gc, T>> fmt::Display for Gc<'gc, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> fmt::Pointer for Gc<'gc, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&Gc::as_ptr(*self), f)
    }
}

/// Compares the values, like a reference; [`Gc::ptr_eq`] compares the pointers.
impl<'gc, T: PartialEq + ?Sized + 'gc, K: IsGcKind<'gc, T>> PartialEq for Gc<'gc, T, K> {
    fn eq(&self, other: &Self) -> bool {
        T::eq(self, other)
    }
}

impl<'gc, T: Eq + ?Sized + 'gc, K: IsGcKind<'gc, T>> Eq for Gc<'gc, T, K> {}

impl<'gc, T: PartialOrd + ?Sized + 'gc, K: IsGcKind<'gc, T>> PartialOrd for Gc<'gc, T, K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        T::partial_cmp(self, other)
    }
}

impl<'gc, T: Ord + ?Sized + 'gc, K: IsGcKind<'gc, T>> Ord for Gc<'gc, T, K> {
    fn cmp(&self, other: &Self) -> Ordering {
        T::cmp(self, other)
    }
}

impl<'gc, T: Hash + ?Sized + 'gc, K: IsGcKind<'gc, T>> Hash for Gc<'gc, T, K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        T::hash(self, state)
    }
}
