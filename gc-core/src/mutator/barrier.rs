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

use crate::mutator::local_arenas;
#[doc(inline)]
pub use crate::{__field as field, __unlock as unlock};

/// A value that may be written: the write barrier of the object that it is in was called.
///
/// It exists behind references only.
///
/// ```
/// use gc_core::{Collect, Gc, RefLock, arena::rootless_mutate};
/// use gc_core::barrier::{Write, field};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Table<'gc> {
///     keys: RefLock<Vec<Gc<'gc, str>>>,
///     values: RefLock<Vec<u32>>,
/// }
///
/// impl<'gc> Table<'gc> {
///     // Takes a table that may be written, wherever it is, and needs no barrier of its own.
///     fn insert(this: &Write<Self>, key: Gc<'gc, str>, value: u32) {
///         field!(this, Table, keys).unlock().borrow_mut().push(key);
///         field!(this, Table, values).unlock().borrow_mut().push(value);
///     }
/// }
///
/// rootless_mutate(|mc| {
///     let table = Gc::new(mc, Table { keys: RefLock::default(), values: RefLock::default() });
///     Table::insert(Gc::write(mc, table), Gc::str_from(mc, "one"), 1);
///     assert_eq!((&*table.keys.borrow()[0], table.values.borrow()[0]), ("one", 1));
/// });
/// ```
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
    /// ```
    /// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate, barrier::Write};
    ///
    /// /// A struct without names for its fields, which `field!` therefore cannot name.
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Pair<T>(T, T);
    ///
    /// fn second<T>(pair: &Write<Pair<T>>) -> &Write<T> {
    ///     // SAFETY: it is a part of the whole, for all of which the barrier was called.
    ///     unsafe { Write::assume(&pair.1) }
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let pair = Gc::new(mc, Pair(Lock::new(1), Lock::new(2)));
    ///     second(Gc::write(mc, pair)).unlock().set(3);
    ///     assert_eq!((pair.0.get(), pair.1.get()), (1, 3));
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// Either the value's type can hold no pointers into a heap, in all of its values; or:
    ///
    /// 1. The value is [in](#who-owns-what) no object and no root; or for each object that it is in, the write
    ///    barrier was called before, during the same `mutate` call: for the whole object
    ///    ([`Gc::write`](crate::Gc::write), or one of [`Mutation`](crate::Mutation)'s), or for a part of it that
    ///    the value lies in ([`Gc::write_at`](crate::Gc::write_at), which says nothing of other elements). A marker
    ///    that reads the object would miss what is overwritten, and does not look for what is put there.
    /// 2. Of a root, that call was [`Arena::mutate_root`](crate::Arena::mutate_root): there is no other barrier for
    ///    roots.
    /// 3. If the value is in memory that several owners share, `1` is for all of them, those included that the
    ///    caller does not know. [`Mutation::forward_barrier`](crate::Mutation::forward_barrier) without a parent is
    ///    a barrier for whatever there is.
    /// 4. No guard through which the value is changed (a `RefMut`) was taken before the barrier.
    /// 5. The result, and what is got from it, is not used after the `mutate` call.
    ///
    /// # Who owns what
    ///
    /// A value is *in* an object or a root if it is a part of it, or of memory that it owns: behind its
    /// `Box`, in its `Vec` or `Rc`, at any depth. Where a `Gc` leads is another object.
    #[inline(always)]
    pub unsafe fn assume(value: &T) -> &Write<T> {
        // SAFETY: the type is transparent.
        unsafe { &*(core::ptr::from_ref(value) as *const Write<T>) }
    }

    /// Lets a value be written that can hold no pointers.
    ///
    /// ```
    /// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate, barrier::Write};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Function<'gc> {
    ///     source: Gc<'gc, str>,
    ///     calls: Lock<u32>,
    /// }
    ///
    /// impl Function<'_> {
    ///     fn count(&self) {
    ///         // No `Mutation` is at hand, and none is needed.
    ///         let calls = Write::from_static(&self.calls).unlock();
    ///         calls.set(calls.get() + 1);
    ///     }
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let source = Gc::str_from(mc, "x + 1");
    ///     let function = Gc::new(mc, Function { source, calls: Lock::new(0) });
    ///     function.count();
    ///     assert_eq!((&*function.source, function.calls.get()), ("x + 1", 1));
    /// });
    /// ```
    #[inline]
    pub fn from_static(value: &T) -> &Write<T>
    where
        T: 'static,
    {
        // SAFETY: no pointer, so no tag, and nothing for a barrier to do.
        unsafe { Write::assume(value) }
    }

    /// Lets a value be written that nobody else refers to.
    ///
    /// ```
    /// use gc_core::{Gc, Lock, arena::rootless_mutate, barrier::Write};
    ///
    /// fn fill<'gc>(slots: &Write<[Lock<Option<Gc<'gc, u32>>>]>, with: Gc<'gc, u32>) {
    ///     (0..slots.len()).for_each(|index| slots[index].unlock().set(Some(with)));
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     // Before it is in the heap, and after that.
    ///     let mut slots = [const { Lock::new(None) }; 3];
    ///     fill(Write::from_mut(&mut slots[..]), Gc::new(mc, 1));
    ///     let slots = Gc::slice_from_iter(mc, slots);
    ///     assert_eq!(slots[2].get().as_deref(), Some(&1));
    ///     fill(Gc::write(mc, slots), Gc::new(mc, 2));
    ///     assert_eq!(slots[2].get().as_deref(), Some(&2));
    /// });
    /// ```
    #[inline]
    pub fn from_mut(value: &mut T) -> &mut Write<T> {
        // SAFETY: the type is transparent. There are no exclusive references into an object, so
        // the value is in none, or its barrier was called to get this one. What the value refers to
        // without owning it cannot be reached from here (`DerefWrite`).
        unsafe { &mut *(core::ptr::from_mut(value) as *mut Write<T>) }
    }

    /// What `project` makes of `whole`. In `field!` the expression of the user's is outside of the scope in
    /// which names are bound.
    #[doc(hidden)]
    #[inline(always)]
    pub fn __apply<'a, P: ?Sized>(
        whole: &'a Write<T>,
        project: impl FnOnce(&'a Write<T>) -> &'a Write<P>,
    ) -> &'a Write<P> {
        project(whole)
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
    ///
    /// It is the content that the result gives access to, as far as a cell does.
    ///
    /// ```
    /// # use gc_core::{Gc, RefLock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let rows = Gc::new(mc, [RefLock::new(vec![1]), RefLock::new(vec![2])]);
    /// let rows = Gc::write(mc, rows);
    /// rows[0].unlock().swap(rows[1].unlock());
    /// assert_eq!(*rows[0].borrow(), [2]);
    /// # });
    /// ```
    #[inline(always)]
    pub fn unlock(&self) -> &T::Unlocked
    where
        T: Unlock,
    {
        // SAFETY: the barrier was called.
        unsafe { self.__inner.unlock_unchecked() }
    }

    /// From an owning pointer to what it owns.
    ///
    /// Behind an [`Rc`] that others share as well, it costs more: a collection that marks concurrently is aborted
    /// then, as it is not known which other objects own the value.
    ///
    /// ```
    /// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate, barrier::field};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Frame<'gc> {
    ///     locals: Box<[Lock<Option<Gc<'gc, u32>>>]>,
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let locals = vec![Lock::new(None); 4].into_boxed_slice();
    ///     let frame = Gc::new(mc, Frame { locals });
    ///     let locals = field!(Gc::write(mc, frame), Frame, locals).as_deref();
    ///     locals[2].unlock().set(Some(Gc::new(mc, 5)));
    ///     assert_eq!(frame.locals[2].get().as_deref(), Some(&5));
    /// });
    /// ```
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
    ///
    /// ```
    /// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate, barrier::field};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Object<'gc> {
    ///     parent: Option<Lock<Gc<'gc, str>>>,
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let parent = Some(Lock::new(Gc::str_from(mc, "old")));
    ///     for object in [Gc::new(mc, Object { parent: None }), Gc::new(mc, Object { parent })] {
    ///         if let Some(parent) = field!(Gc::write(mc, object), Object, parent).as_write() {
    ///             parent.unlock().set(Gc::str_from(mc, "new"));
    ///         }
    ///         assert!(object.parent.as_ref().is_none_or(|parent| &*parent.get() == "new"));
    ///     }
    /// });
    /// ```
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
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// type Outcome<'gc> = Result<Lock<Gc<'gc, u32>>, Lock<u8>>;
    /// let failed: Gc<Outcome<'_>> = Gc::new(mc, Err(Lock::new(1)));
    /// match Gc::write(mc, failed).as_write() {
    ///     Ok(value) => value.unlock().set(Gc::new(mc, 0)),
    ///     Err(code) => code.unlock().set(2),
    /// }
    /// assert_eq!(failed.as_ref().as_ref().unwrap_err().get(), 2);
    /// # });
    /// ```
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
///
/// ```
/// use core::cell::Cell;
/// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate, barrier::Unlock};
///
/// /// A lock that is named for what it holds.
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Variable<'gc> {
///     name: &'static str,
///     value: Lock<Option<Gc<'gc, u32>>>,
/// }
///
/// impl<'gc> Unlock for Variable<'gc> {
///     type Unlocked = Cell<Option<Gc<'gc, u32>>>;
///
///     unsafe fn unlock_unchecked(&self) -> &Self::Unlocked {
///         // SAFETY: whoever calls this has called the barrier of the variable, which is that of the lock in it.
///         unsafe { self.value.unlock_unchecked() }
///     }
/// }
///
/// rootless_mutate(|mc| {
///     let variable = Gc::new(mc, Variable { name: "x", value: Lock::new(None) });
///     variable.unlock(mc).set(Some(Gc::new(mc, 5)));
///     assert_eq!((variable.name, variable.value.get().as_deref()), ("x", Some(&5)));
/// });
/// ```
pub trait Unlock {
    /// The cell that gives it.
    ///
    /// ```
    /// use core::cell::RefCell;
    /// use gc_core::{Gc, RefLock, arena::rootless_mutate, barrier::{Unlock, Write}};
    ///
    /// /// Of any lock that opens to a `RefCell` of a vector.
    /// fn push<T, L: Unlock<Unlocked = RefCell<Vec<T>>>>(lock: &Write<L>, item: T) {
    ///     lock.unlock().borrow_mut().push(item);
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let list = Gc::new(mc, RefLock::new(vec![1]));
    ///     push(Gc::write(mc, list), 2);
    ///     assert_eq!(*list.borrow(), [1, 2]);
    /// });
    /// ```
    type Unlocked: ?Sized;

    /// Opens the lock without a barrier.
    ///
    /// ```
    /// use gc_core::{Gc, Lock, arena::rootless_mutate, barrier::Unlock};
    ///
    /// rootless_mutate(|mc| {
    ///     let pair = Gc::new(mc, [Lock::new(None), Lock::new(None)]);
    ///     mc.backward_barrier(Gc::erase(pair), None);
    ///     for lock in pair.iter() {
    ///         // SAFETY: the barrier of the object in which both are was called just now.
    ///         unsafe { lock.unlock_unchecked() }.set(Some(Gc::new(mc, 5)));
    ///     }
    ///     assert_eq!(pair[1].get().as_deref(), Some(&5));
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// If the content is changed, which includes that a pointer is taken out, or that memory that it owns is moved or
    /// freed, it may be written as [`Write::assume`] says, from before the first guard to change it is taken until the last change.
    unsafe fn unlock_unchecked(&self) -> &Self::Unlocked;
}

/// Types through whose [`Deref`] a right to write passes.
///
/// ```
/// use core::ops::Deref;
/// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate, barrier::DerefWrite};
///
/// /// A box of our own.
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Owned<T>(Box<T>);
///
/// impl<T> Deref for Owned<T> {
///     type Target = T;
///
///     fn deref(&self) -> &T {
///         &self.0
///     }
/// }
///
/// // SAFETY: the box owns the value, and so does the object that owns the box.
/// unsafe impl<T> DerefWrite for Owned<T> {}
///
/// rootless_mutate(|mc| {
///     let boxed = Gc::new(mc, Owned(Box::new(Lock::new(Gc::new(mc, 1)))));
///     Gc::write(mc, boxed).as_deref().unlock().set(Gc::new(mc, 2));
///     assert_eq!(*boxed.0.get(), 2);
/// });
/// ```
///
/// # Safety
///
/// 1. `deref` returns a reference to a part of the value, or to something that the value owns alone: whoever may
///    write the value may write that. (What is behind an `Rc`, an `Arc` or a reference may be in other objects,
///    whose barriers were not called, and what is behind a `Gc` is another object.)
/// 2. It changes nothing.
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
/// ```
/// use core::ops::Index;
/// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate, barrier::IndexWrite};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Grid<T> {
///     width: usize,
///     cells: Vec<T>,
/// }
///
/// impl<T> Index<(usize, usize)> for Grid<T> {
///     type Output = T;
///
///     fn index(&self, (row, column): (usize, usize)) -> &T {
///         &self.cells[row * self.width + column]
///     }
/// }
///
/// // SAFETY: the grid owns its cells.
/// unsafe impl<T> IndexWrite<(usize, usize)> for Grid<T> {}
///
/// rootless_mutate(|mc| {
///     let grid = Gc::new(mc, Grid { width: 2, cells: vec![Lock::new(None); 6] });
///     Gc::write(mc, grid)[(2, 1)].unlock().set(Some(Gc::new(mc, 5)));
///     assert_eq!(grid.cells[5].get().as_deref(), Some(&5));
/// });
/// ```
///
/// # Safety
///
/// 1. `index` returns a reference to a part of the value, or to something that the value owns alone, as for
///    [`DerefWrite`].
/// 2. It changes nothing.
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

// SAFETY: a map owns its values. Comparing and hashing keys has no access to the value.
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
    ($value:expr, $type:path, $field:ident) => {
        $crate::barrier::Write::__apply($value, {
            use $crate::__private::{shadow as __gc_core_part, shadow as __gc_core_whole};
            // A pattern, other than a field access, never goes through a pointer; and the raw pointer
            // keeps the field's own type from being coerced to what it points to.
            |__gc_core_whole| match *__gc_core_whole {
                $crate::barrier::Write {
                    __inner:
                        $type {
                            $field: ref __gc_core_part,
                            ..
                        },
                    ..
                } => {
                    // SAFETY: the pattern says that it is a field of the whole.
                    unsafe {
                        $crate::barrier::Write::__project(
                            __gc_core_whole,
                            &raw const *__gc_core_part,
                        )
                    }
                }
            }
        })
    };
}

/// `unlock!(value, Type, name)`: [`field!`](crate::mutator::barrier::field), then [`Write::unlock`].
#[doc(hidden)]
#[macro_export]
macro_rules! __unlock {
    ($value:expr, $type:path, $field:ident) => {
        $crate::barrier::Write::unlock($crate::__field!($value, $type, $field))
    };
}
