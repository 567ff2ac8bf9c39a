//! [`Static`]: a wrapper that makes every `'static` type [`Collect`].

use core::borrow::{Borrow, BorrowMut};
use core::ops::{Deref, DerefMut};

use crate::types::collect::Collect;

/// A value without pointers into any arena: that is what `'static` guarantees.
///
/// ```
/// use gc_core::{Gc, Static, arena::rootless_mutate};
/// use std::time::Instant;
///
/// rootless_mutate(|mc| {
///     let start = Gc::new(mc, Static(Instant::now()));
///     assert!(start.elapsed().as_secs() < 3600);
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Static<T: ?Sized>(pub T);

// SAFETY: a `'static` type cannot hold pointers that are branded by a lifetime.
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for Static<T> {
    const NEEDS_TRACE: bool = false;
}

impl<T> From<T> for Static<T> {
    fn from(value: T) -> Static<T> {
        Static(value)
    }
}

impl<T: ?Sized> AsRef<T> for Static<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> AsMut<T> for Static<T> {
    fn as_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ?Sized> Deref for Static<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for Static<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ?Sized> Borrow<T> for Static<T> {
    fn borrow(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> BorrowMut<T> for Static<T> {
    fn borrow_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
