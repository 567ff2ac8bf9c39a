//! [`OwnedBytes`]: how many bytes a value owns outside of the heap.
//!
//! A value tells it in [`Collect::owned_bytes`](crate::Collect::owned_bytes), by adding up what it and its fields
//! own. The answer must be cheap, for it is wanted whenever an object was written. So what lies in the value
//! itself is always looked at, and of what lies behind a pointer (the elements of a `Vec`, the target of a `Box`) only
//! so many values, whatever the shape. Of the others, the memory that holds them counts, and not what they
//! own in turn.
//!
//! # Invariants
//!
//! 1. No more than [`BEHIND`] values behind pointers are looked at for an object, and one more for each
//!    [`GRANULE`] of its size. So neither a long list nor a recursive type makes this expensive, or deep.
//! 2. The sum never overflows.
//! 3. Nothing is written to a heap while the collector calls this or the `trace` of a value. Safe code of the user's may
//!    know cells that need no `Mutation` ([`Lock::take`](crate::Lock::take)). Between `mutate` calls no barrier claims what
//!    these write to: objects that were marked already would not be looked at again, and markers may be reading.
//! 4. What is noted as read while values are looked at (a dynamic root that one of them fetches) is handed over to
//!    markers at the same safepoint, before they go on.

use core::cell::Cell;
use core::mem::needs_drop;

use crate::heap::planes::GRANULE;
use crate::sync::thread_local;
use crate::types::collect::Collect;

/// At how many values behind pointers one looks, at least.
const BEHIND: usize = 64;

thread_local! {
    /// Whether the thread may not write (invariant 3).
    static ONLY_LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `look`, by which the collector looks at values. Writes that need no `Mutation` panic meanwhile.
pub(crate) fn only_looking<T>(look: impl FnOnce() -> T) -> T {
    struct Before(bool);

    impl Drop for Before {
        fn drop(&mut self) {
            ONLY_LOOKING.set(self.0);
        }
    }
    let _before = Before(ONLY_LOOKING.replace(true));
    look()
}

/// # Panics
///
/// If the thread may not write.
#[inline]
pub(crate) fn check_writes() {
    assert!(
        !ONLY_LOOKING.get(),
        "`trace` or `owned_bytes` writes to a lock, by `take` or through an `Rc`: the collector calls them at times when \
         they may only look at values"
    );
}

/// Adds up the bytes that a value owns outside of the heap.
///
/// It is passed to [`Collect::owned_bytes`](crate::Collect::owned_bytes); an example is there.
#[derive(Debug)]
pub struct OwnedBytes {
    bytes: usize,
    /// How many values behind pointers may still be looked at.
    behind: usize,
    /// Whether the present one is behind a pointer.
    is_behind: bool,
    /// Whether some part could not be looked at.
    is_partial: bool,
}

impl OwnedBytes {
    /// The bytes that `value` owns, as the collector counts them for an object with this value in it.
    ///
    /// ```
    /// use gc_core::collect::OwnedBytes;
    ///
    /// let names: Vec<String> = vec!["Ada".into(), "Alan".into()];
    /// assert_eq!(OwnedBytes::of(&names), 2 * size_of::<String>() + 3 + 4);
    /// assert_eq!(OwnedBytes::of(&[1, 2, 3]), 0);
    /// ```
    #[inline]
    pub fn of<'gc, T: Collect<'gc> + ?Sized>(value: &T) -> usize {
        OwnedBytes::sum(value).unwrap_or_else(|partial| partial)
    }

    /// The same; the error is the sum of what could be looked at, if a lock in the value is taken.
    #[inline]
    pub(crate) fn sum<'gc, T: Collect<'gc> + ?Sized>(value: &T) -> Result<usize, usize> {
        if !needs_drop::<T>() {
            return Ok(0);
        }
        let mut owned = OwnedBytes {
            bytes: 0,
            behind: BEHIND + size_of_val(value) / GRANULE,
            is_behind: false,
            is_partial: false,
        };
        value.owned_bytes(&mut owned);
        if owned.is_partial {
            Err(owned.bytes)
        } else {
            Ok(owned.bytes)
        }
    }

    /// Notes that a part of the value could not be looked at, for it is being written.
    #[inline]
    pub(crate) fn leave_out(&mut self) {
        self.is_partial = true;
    }

    /// Adds so many bytes. A sum that is too large for the type is the largest that is not.
    #[inline]
    pub fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Adds what a function tells of a value.
    #[doc(hidden)]
    #[inline]
    pub fn add_told<T: ?Sized>(&mut self, value: &T, tell: impl FnOnce(&T) -> usize) {
        self.add(tell(value));
    }

    /// Adds what a field owns, or another part of the value that lies in the value itself.
    #[inline]
    pub fn add_field<'gc, T: Collect<'gc> + ?Sized>(&mut self, field: &T) {
        // Who has no destructor owns nothing, or never gives it back.
        if needs_drop::<T>() {
            field.owned_bytes(self);
        }
    }

    /// Whether values of a type may own anything.
    #[doc(hidden)]
    #[inline(always)]
    pub const fn may_own<T: ?Sized>() -> bool {
        needs_drop::<T>()
    }

    /// Adds what values own that lie behind a pointer, such as the elements of a vector; not the memory that they
    /// lie in themselves. Looks at no more of them than is cheap.
    #[inline]
    pub fn add_elements<'a, 'gc, T: Collect<'gc> + ?Sized + 'a>(
        &mut self,
        elements: impl IntoIterator<Item = &'a T>,
    ) {
        if !needs_drop::<T>() {
            return;
        }
        let was_behind = core::mem::replace(&mut self.is_behind, true);
        for element in elements {
            let Some(left) = self.behind.checked_sub(1) else {
                break;
            };
            self.behind = left;
            element.owned_bytes(self);
        }
        self.is_behind = was_behind;
    }

    /// Adds what the elements of an array or a slice own, which is a part of the value.
    #[inline]
    pub(crate) fn add_slice<'gc, T: Collect<'gc>>(&mut self, elements: &[T]) {
        if self.is_behind {
            self.add_elements(elements);
        } else if needs_drop::<T>() {
            elements
                .iter()
                .for_each(|element| element.owned_bytes(self));
        }
    }
}
