//! [`ByIdentity`]: pointers as keys, whatever they point to.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

use crate::pointers::gc::Gc;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A [`Gc`] that is compared by [`Gc::ptr_eq`] and hashed by [`Gc::identity_hash`], as a key of a
/// [`HashMap`](super::HashMap) of objects that are not values.
///
/// ```
/// use gc_core::collections::{ByIdentity, HashSet};
/// use gc_core::{Gc, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let (one, same) = (Gc::new(mc, 1), Gc::new(mc, 1));
///     let mut seen = HashSet::new();
///     assert!(seen.insert(mc, ByIdentity(one)));
///     assert!(seen.insert(mc, ByIdentity(same)));
///     assert!(!seen.insert(mc, ByIdentity(one)));
/// });
/// ```
#[repr(transparent)]
pub struct ByIdentity<'gc, T: ?Sized + 'gc>(pub Gc<'gc, T>);

impl<'gc, T: ?Sized + 'gc> Copy for ByIdentity<'gc, T> {}

impl<'gc, T: ?Sized + 'gc> Clone for ByIdentity<'gc, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'gc, T: ?Sized + 'gc> PartialEq for ByIdentity<'gc, T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Gc::ptr_eq(self.0, other.0)
    }
}

impl<'gc, T: ?Sized + 'gc> Eq for ByIdentity<'gc, T> {}

impl<'gc, T: ?Sized + 'gc> Hash for ByIdentity<'gc, T> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Gc::identity_hash(self.0));
    }
}

impl<'gc, T: ?Sized + 'gc> Deref for ByIdentity<'gc, T> {
    type Target = Gc<'gc, T>;

    fn deref(&self) -> &Gc<'gc, T> {
        &self.0
    }
}

impl<'gc, T: ?Sized + 'gc> From<Gc<'gc, T>> for ByIdentity<'gc, T> {
    fn from(gc: Gc<'gc, T>) -> Self {
        ByIdentity(gc)
    }
}

impl<'gc, T: ?Sized + fmt::Debug + 'gc> fmt::Debug for ByIdentity<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ByIdentity").field(&&*self.0).finish()
    }
}

// SAFETY: the one field is visited in place, at the address of the transparent struct.
unsafe impl<'gc, T: ?Sized + 'gc> Collect<'gc> for ByIdentity<'gc, T> {
    const TYPE_MAP: TypeMap = <Gc<'gc, T> as Collect<'gc>>::TYPE_MAP;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}
