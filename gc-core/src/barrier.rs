//! Write barriers in types: [`Write`] is a reference to something whose barrier was called.
//!
//! [`Gc::write`](crate::Gc::write) calls the barrier for an object and returns a `&Write<T>`. From
//! there one gets to the parts of the same object, and only to those: by [`field!`], by indexing,
//! and through owning pointers. At a lock, [`Write::unlock`] turns the right to write into a cell.

use core::hash::{BuildHasher, Hash};
use core::mem::ManuallyDrop;
use core::ops::{
    Deref, DerefMut, Index, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive,
};
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use crate::local_arenas;
#[doc(inline)]
pub use crate::{__field as field, __unlock as unlock};

/// A value that may be written: the write barrier of the object that it is in was called.
///
/// It exists behind references only.
// Non-exhaustive, so that nobody outside of this crate makes one out of a value.
#[non_exhaustive]
#[repr(transparent)]
pub struct Write<T: ?Sized> {
    #[doc(hidden)]
    pub __inner: T,
}

impl<T: ?Sized> Write<T> {
    /// Claims that the value may be written.
    ///
    /// # Safety
    ///
    /// The write barrier of the object that the value is in is called before the value is changed,
    /// during the same `mutate` call; or the value is in no object.
    #[inline(always)]
    pub unsafe fn assume(value: &T) -> &Write<T> {
        // SAFETY: the type is transparent.
        unsafe { &*(core::ptr::from_ref(value) as *const Write<T>) }
    }

    /// Lets a value be written that can hold no pointers.
    #[inline]
    pub fn from_static(value: &T) -> &Write<T>
    where
        T: 'static,
    {
        // SAFETY: no pointer, so no tag, and nothing for a barrier to do.
        unsafe { Write::assume(value) }
    }

    /// Lets a value be written that nobody else refers to.
    #[inline]
    pub fn from_mut(value: &mut T) -> &mut Write<T> {
        // SAFETY: the type is transparent. There are no exclusive references into an object, so
        // the value is in none, or its barrier was called to get this one. What the value refers to
        // without owning it cannot be reached from here (`DerefWrite`).
        unsafe { &mut *(core::ptr::from_mut(value) as *mut Write<T>) }
    }

    /// Lets a part of a value be written that may be written.
    ///
    /// # Safety
    ///
    /// `part` is a valid reference to a part of `whole`.
    #[doc(hidden)]
    #[inline(always)]
    pub unsafe fn __project<P: ?Sized>(whole: &Write<T>, part: *const P) -> &Write<P> {
        let _ = whole;
        // SAFETY: the part is valid as long as the whole, and in the same object.
        unsafe { Write::assume(&*part) }
    }

    /// Opens a lock.
    #[inline(always)]
    pub fn unlock(&self) -> &T::Unlocked
    where
        T: Unlock,
    {
        // SAFETY: the barrier was called.
        unsafe { self.__inner.unlock_unchecked() }
    }

    /// From an owning pointer to what it owns.
    #[inline(always)]
    pub fn as_deref(&self) -> &Write<T::Target>
    where
        T: DerefWrite,
    {
        T::__before_deref(&self.__inner);
        // SAFETY: `DerefWrite` leads to what the same object owns; and if others do as well, the collector
        // knows.
        unsafe { Write::assume(&self.__inner) }
    }
}

impl<T> Write<Option<T>> {
    /// From a writable option to an option of something writable.
    #[inline(always)]
    pub fn as_write(&self) -> Option<&Write<T>> {
        self.__inner
            .as_ref()
            // SAFETY: the content of an option is a part of it.
            .map(|value| unsafe { Write::assume(value) })
    }
}

impl<T, E> Write<Result<T, E>> {
    /// From a writable result to a result of something writable.
    ///
    /// # Errors
    ///
    /// The writable error, if the result is one.
    #[inline(always)]
    pub fn as_write(&self) -> Result<&Write<T>, &Write<E>> {
        // SAFETY: the content of a result is a part of it.
        unsafe {
            match &self.__inner {
                Ok(value) => Ok(Write::assume(value)),
                Err(error) => Err(Write::assume(error)),
            }
        }
    }
}

impl<T: ?Sized> Deref for Write<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.__inner
    }
}

impl<T: ?Sized> DerefMut for Write<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.__inner
    }
}

impl<T: IndexWrite<I> + ?Sized, I> Index<I> for Write<T> {
    type Output = Write<T::Output>;

    #[inline(always)]
    fn index(&self, index: I) -> &Write<T::Output> {
        // SAFETY: `IndexWrite` leads to the same object.
        unsafe { Write::assume(&self.__inner[index]) }
    }
}

/// Types that are a lock: they give write access to their content when a barrier was called.
pub trait Unlock {
    /// The cell that gives it.
    type Unlocked: ?Sized;

    /// Opens the lock without a barrier.
    ///
    /// # Safety
    ///
    /// If the content is changed, the write barrier of the object that it is in is called before, during the
    /// same `mutate` call, and before a guard to change it is taken.
    unsafe fn unlock_unchecked(&self) -> &Self::Unlocked;
}

/// Types through whose [`Deref`] a right to write passes.
///
/// # Safety
///
/// `deref` returns a reference to something that the same object owns, and changes nothing.
pub unsafe trait DerefWrite: Deref {
    /// Called before a right to write passes.
    #[doc(hidden)]
    #[inline(always)]
    fn __before_deref(&self) {}
}

// SAFETY: what is `'static` can hold no pointer, so no barrier is missed. (A reference that is not
// may lead into another object.)
unsafe impl<T: ?Sized + 'static> DerefWrite for &'static T {}
// SAFETY: the value is owned.
unsafe impl<T: ?Sized> DerefWrite for Box<T> {}
// SAFETY: the elements are owned.
unsafe impl<T> DerefWrite for Vec<T> {}
// SAFETY: the text is owned.
unsafe impl DerefWrite for String {}
// SAFETY: the value is a part of it.
unsafe impl<T: ?Sized> DerefWrite for ManuallyDrop<T> {}
// SAFETY: an object that shares the value with others may have nothing noted for it, as it is new or was
// written before; then a marker that is at work may not have seen the value by way of the others. So it is
// noted as something that nobody knows.
unsafe impl<T: ?Sized> DerefWrite for Rc<T> {
    #[inline]
    fn __before_deref(&self) {
        if Rc::strong_count(self) > 1 || Rc::weak_count(self) > 0 {
            local_arenas::before_unknown_write();
        }
    }
}
// SAFETY: what is `'static` can hold no pointer, so no barrier is missed. (Of other values, which threads can
// share, it is not known in which arenas they are.)
unsafe impl<T: ?Sized + 'static> DerefWrite for Arc<T> {}

/// Types through whose [`Index`] a right to write passes.
///
/// # Safety
///
/// `index` returns a reference to something that the same object owns, and changes nothing.
pub unsafe trait IndexWrite<I: ?Sized>: Index<I> {}

macro_rules! index_write_slices {
    ($($index:ty),*) => {$(
        // SAFETY: elements of a slice are parts of it. The index types are those of `core`, whose
        // `Index` does nothing else.
        unsafe impl<T> IndexWrite<$index> for [T] {}
    )*};
}
index_write_slices!(
    usize,
    Range<usize>,
    RangeFrom<usize>,
    RangeFull,
    RangeInclusive<usize>,
    RangeTo<usize>,
    RangeToInclusive<usize>
);

// SAFETY: an array indexes as the slice of its elements.
unsafe impl<T, I, const N: usize> IndexWrite<I> for [T; N]
where
    [T]: IndexWrite<I>,
    [T; N]: Index<I>,
{
}

// SAFETY: a vector indexes as the slice of its elements, which it owns.
unsafe impl<T, I> IndexWrite<I> for Vec<T>
where
    [T]: IndexWrite<I>,
    Vec<T>: Index<I>,
{
}

// SAFETY: a deque owns its elements.
unsafe impl<T> IndexWrite<usize> for VecDeque<T> {}

// SAFETY: a map owns its values. Comparing keys may run code of the user's, which has no access to
// the value.
unsafe impl<K, V, Q> IndexWrite<&Q> for BTreeMap<K, V>
where
    K: Borrow<Q> + Ord,
    Q: Ord + ?Sized,
{
}

// SAFETY: as above.
unsafe impl<K, V, S, Q> IndexWrite<&Q> for HashMap<K, V, S>
where
    K: Eq + Hash + Borrow<Q>,
    Q: Eq + Hash + ?Sized,
    S: BuildHasher,
{
}

/// `field!(value, Type, name)`: from a `&Write<Type>` to the `&Write` of one of its fields.
///
/// `Type` is the name of a struct with named fields, without its parameters.
///
/// ```
/// use gc_core::barrier::{Write, field};
///
/// struct Pair<T> {
///     first: T,
///     second: T,
/// }
///
/// fn second<T>(pair: &Write<Pair<T>>) -> &Write<T> {
///     field!(pair, Pair, second)
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($value:expr, $type:path, $field:ident) => {{
        let whole = $value;
        // A pattern, other than a field access, never goes through a pointer; and the raw pointer
        // keeps the field's own type from being coerced to what it points to.
        match *whole {
            $crate::barrier::Write {
                __inner: $type {
                    $field: ref part, ..
                },
                ..
            } => {
                let part = &raw const *part;
                // SAFETY: the pattern says that it is a field of the whole.
                unsafe { $crate::barrier::Write::__project(whole, part) }
            }
        }
    }};
}

/// `unlock!(value, Type, name)`: [`field!`](crate::barrier::field), then [`Write::unlock`].
#[doc(hidden)]
#[macro_export]
macro_rules! __unlock {
    ($value:expr, $type:path, $field:ident) => {
        $crate::__field!($value, $type, $field).unlock()
    };
}
