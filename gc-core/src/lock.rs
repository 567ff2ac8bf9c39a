//! Locks: cells that can hold pointers into the heap.
//!
//! A plain `Cell` or `RefCell` could be given a pointer without the collector's hearing of it. The
//! locks here can be read as freely; to write, one has to come with a write barrier.
//!
//! | lock | opens to | for |
//! | --- | --- | --- |
//! | [`Lock`] | [`Cell`] | `Copy` types: a pointer, an enum of pointers and numbers |
//! | [`RefLock`] | [`RefCell`] | anything |
//! | [`OnceLock`] | [`OnceCell`] | values that are set once |

use core::cell::{BorrowError, BorrowMutError, Cell, OnceCell, Ref, RefCell, RefMut};
use core::cmp::Ordering;
use core::fmt;
use core::ptr;

use crate::barrier::Unlock;
use crate::collect::{Collect, Trace};
use crate::collect_impl::trace_none;
use crate::gc::{Gc, IsGcKind};
use crate::local_arenas;
use crate::mutation::Mutation;
use crate::typemap::TypeMap;

/// Whether the collector says that nobody has a reference by which the content of the lock could be
/// written. It may then be visited in place, whatever the visitor does.
pub(crate) fn is_unreferenced<'gc, L: ?Sized, C: Trace<'gc>>(lock: &L, cc: &C) -> bool {
    let address = ptr::from_ref(lock).addr();
    cc.holds(address).is_some_and(|word| word.covers(address))
}

/// A managed [`Lock`].
pub type GcLock<'gc, T> = Gc<'gc, Lock<T>>;
/// A managed [`RefLock`].
pub type GcRefLock<'gc, T> = Gc<'gc, RefLock<T>>;
/// A managed [`OnceLock`].
pub type GcOnceLock<'gc, T> = Gc<'gc, OnceLock<T>>;

/// A [`Cell`] for values with pointers.
///
/// ```
/// use gc_core::{Gc, Lock, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let cell = Gc::new(mc, Lock::new(Gc::new(mc, 1)));
///     cell.set(mc, Gc::new(mc, 2));
///     assert_eq!(*cell.get(), 2);
/// });
/// ```
#[derive(Default)]
#[repr(transparent)]
pub struct Lock<T: ?Sized> {
    cell: Cell<T>,
}

impl<T> Lock<T> {
    /// A lock with a value in it.
    #[inline]
    pub const fn new(value: T) -> Lock<T> {
        Lock {
            cell: Cell::new(value),
        }
    }

    /// The value.
    #[inline]
    pub fn into_inner(self) -> T {
        self.cell.into_inner()
    }

    /// A copy of the value.
    #[inline]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.cell.get()
    }

    /// Takes the value, and leaves the default one.
    ///
    /// The write barrier is called for the object that the lock is in, for which it is searched in the arenas
    /// of this thread. Of a lock outside of all heaps (in a `Box` or a `Vec`, say) the object is not known, so
    /// a collection that marks beside the program is given up and the next one stops it; where that counts,
    /// use [`Write::unlock`](crate::barrier::Write::unlock) and [`Cell::take`].
    ///
    /// ```
    /// # use gc_core::{Lock};
    /// let lock = Lock::new(5);
    /// assert_eq!((lock.take(), lock.get()), (5, 0));
    /// ```
    #[inline]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        let value = T::default();
        local_arenas::before_write(self);
        self.cell.replace(value)
    }
}

impl<T: ?Sized> Lock<T> {
    /// The address of the value.
    #[inline]
    pub fn as_ptr(&self) -> *mut T {
        self.cell.as_ptr()
    }

    /// The cell, without a barrier.
    ///
    /// # Safety
    ///
    /// As for [`Unlock::unlock_unchecked`].
    #[inline]
    pub unsafe fn as_cell(&self) -> &Cell<T> {
        &self.cell
    }

    /// The value, to whoever has the lock for himself.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.cell.get_mut()
    }
}

impl<'gc, T: Copy + 'gc, K: IsGcKind<'gc, Lock<T>>> Gc<'gc, Lock<T>, K> {
    /// A copy of the value.
    #[inline]
    pub fn get(self) -> T {
        self.cell.get()
    }

    /// Replaces the value, with a write barrier.
    #[inline]
    pub fn set(self, mc: &Mutation<'gc>, value: T) {
        self.unlock(mc).set(value);
    }
}

impl<T: ?Sized> Unlock for Lock<T> {
    type Unlocked = Cell<T>;

    #[inline(always)]
    unsafe fn unlock_unchecked(&self) -> &Cell<T> {
        &self.cell
    }
}

// SAFETY: the one field is visited in place. The value of a cell is at the cell's own address.
unsafe impl<'gc, T: Collect<'gc> + Copy + 'gc> Collect<'gc> for Lock<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.in_cell();

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        if is_unreferenced(self, cc) {
            // SAFETY: nobody has a reference to the cell, so nobody writes to it meanwhile.
            cc.trace(unsafe { &*self.cell.as_ptr() });
        } else {
            // A visitor of the user's might write to the cell.
            cc.trace(&self.get());
        }
    }
}

impl<T> From<T> for Lock<T> {
    fn from(value: T) -> Lock<T> {
        Lock::new(value)
    }
}

impl<T> From<Cell<T>> for Lock<T> {
    fn from(cell: Cell<T>) -> Lock<T> {
        Lock { cell }
    }
}

impl<T: Copy> Clone for Lock<T> {
    #[inline]
    fn clone(&self) -> Lock<T> {
        Lock::new(self.get())
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lock").field(&self.get()).finish()
    }
}

impl<T: Copy + PartialEq> PartialEq for Lock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Copy + Eq> Eq for Lock<T> {}

impl<T: Copy + PartialOrd> PartialOrd for Lock<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

impl<T: Copy + Ord> Ord for Lock<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.get().cmp(&other.get())
    }
}

/// A [`RefCell`] for values with pointers.
///
/// ```
/// use gc_core::{Gc, RefLock, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let list = Gc::new(mc, RefLock::new(Vec::new()));
///     list.borrow_mut(mc).push(Gc::new(mc, 1));
///     assert_eq!(*list.borrow()[0], 1);
/// });
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct RefLock<T: ?Sized> {
    cell: RefCell<T>,
}

impl<T> RefLock<T> {
    /// A lock with a value in it.
    #[inline]
    pub const fn new(value: T) -> RefLock<T> {
        RefLock {
            cell: RefCell::new(value),
        }
    }

    /// The value.
    #[inline]
    pub fn into_inner(self) -> T {
        self.cell.into_inner()
    }

    /// Takes the value, and leaves the default one.
    ///
    /// The write barrier is called for the object that the lock is in, for which it is searched in the arenas
    /// of this thread. Of a lock outside of all heaps (in a `Box` or a `Vec`, say) the object is not known, so
    /// a collection that marks beside the program is given up and the next one stops it; where that counts,
    /// use [`Write::unlock`](crate::barrier::Write::unlock) and [`RefCell::take`].
    ///
    /// # Panics
    ///
    /// If it is being read or written.
    ///
    /// ```
    /// # use gc_core::{RefLock};
    /// let lock = RefLock::new(5);
    /// assert_eq!((lock.take(), lock.into_inner()), (5, 0));
    /// ```
    #[inline]
    #[track_caller]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        let value = T::default();
        local_arenas::before_write(self);
        self.cell.replace(value)
    }
}

impl<T: ?Sized> RefLock<T> {
    /// The address of the value.
    #[inline]
    pub fn as_ptr(&self) -> *mut T {
        self.cell.as_ptr()
    }

    /// The cell, without a barrier.
    ///
    /// # Safety
    ///
    /// As for [`Unlock::unlock_unchecked`].
    #[inline]
    pub unsafe fn as_ref_cell(&self) -> &RefCell<T> {
        &self.cell
    }

    /// The value, to whoever has the lock for himself.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.cell.get_mut()
    }

    /// A guard to read the value.
    ///
    /// # Panics
    ///
    /// If it is being written.
    #[inline]
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.cell.borrow()
    }

    /// A guard to read the value.
    ///
    /// # Errors
    ///
    /// If it is being written.
    #[inline]
    pub fn try_borrow(&self) -> Result<Ref<'_, T>, BorrowError> {
        self.cell.try_borrow()
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, RefLock<T>>> Gc<'gc, RefLock<T>, K> {
    /// A guard to read the value.
    ///
    /// # Panics
    ///
    /// If it is being written.
    #[inline]
    #[track_caller]
    pub fn borrow(self) -> Ref<'gc, T> {
        self.as_ref().cell.borrow()
    }

    /// A guard to read the value.
    ///
    /// # Errors
    ///
    /// If it is being written.
    #[inline]
    pub fn try_borrow(self) -> Result<Ref<'gc, T>, BorrowError> {
        self.as_ref().cell.try_borrow()
    }

    /// A guard to write the value, with a write barrier.
    ///
    /// # Panics
    ///
    /// If it is being read or written.
    #[inline]
    #[track_caller]
    pub fn borrow_mut(self, mc: &Mutation<'gc>) -> RefMut<'gc, T> {
        self.unlock(mc).borrow_mut()
    }

    /// A guard to write the value, with a write barrier.
    ///
    /// # Errors
    ///
    /// If it is being read or written.
    #[inline]
    pub fn try_borrow_mut(self, mc: &Mutation<'gc>) -> Result<RefMut<'gc, T>, BorrowMutError> {
        self.unlock(mc).try_borrow_mut()
    }
}

impl<T: ?Sized> Unlock for RefLock<T> {
    type Unlocked = RefCell<T>;

    #[inline(always)]
    unsafe fn unlock_unchecked(&self) -> &RefCell<T> {
        &self.cell
    }
}

// SAFETY: the one field is visited in place. Where it is inside of a `RefCell` is not known at
// compile time.
unsafe impl<'gc, T: Collect<'gc> + ?Sized + 'gc> Collect<'gc> for RefLock<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_variant_field(T::TYPE_MAP.in_cell());

    /// # Panics
    ///
    /// If the lock is being written, unless the collector knows that this cannot be, and that a
    /// guard was leaked instead.
    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        if is_unreferenced(self, cc) {
            // SAFETY: nobody has a reference to what is here, so no guard is in use, whatever the
            // cell says.
            cc.trace(unsafe { &*self.cell.as_ptr() });
        } else {
            let value = self
                .cell
                .try_borrow()
                .expect("a RefLock was traced while it was being written");
            cc.trace(&*value);
        }
    }
}

impl<T> From<T> for RefLock<T> {
    fn from(value: T) -> RefLock<T> {
        RefLock::new(value)
    }
}

impl<T> From<RefCell<T>> for RefLock<T> {
    fn from(cell: RefCell<T>) -> RefLock<T> {
        RefLock { cell }
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for RefLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("RefLock");
        match self.try_borrow() {
            Ok(value) => tuple.field(&&*value),
            Err(_) => tuple.field(&format_args!("<being written>")),
        };
        tuple.finish()
    }
}

/// A [`OnceCell`] for values with pointers.
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate, lock::OnceLock};
///
/// rootless_mutate(|mc| {
///     let name = Gc::new(mc, OnceLock::new());
///     assert_eq!(name.get(), None);
///     assert_eq!(name.get_or_init(mc, || 5), &5);
///     assert_eq!(name.set(mc, 6), Err(6));
/// });
/// ```
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct OnceLock<T> {
    cell: OnceCell<T>,
}

impl<T> OnceLock<T> {
    /// A lock without a value.
    #[inline]
    pub const fn new() -> OnceLock<T> {
        OnceLock {
            cell: OnceCell::new(),
        }
    }

    /// The value, if it was set.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// The value, if it was set, to whoever has the lock for himself.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.cell.get_mut()
    }

    /// The value, if it was set.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.cell.into_inner()
    }

    /// The cell, without a barrier.
    ///
    /// # Safety
    ///
    /// As for [`Unlock::unlock_unchecked`].
    #[inline]
    pub unsafe fn as_once_cell(&self) -> &OnceCell<T> {
        &self.cell
    }
}

impl<'gc, T: 'gc, K: IsGcKind<'gc, OnceLock<T>>> Gc<'gc, OnceLock<T>, K> {
    /// The value, if it was set.
    #[inline]
    pub fn get(self) -> Option<&'gc T> {
        self.as_ref().cell.get()
    }

    /// Sets the value, with a write barrier.
    ///
    /// # Errors
    ///
    /// The new value, if there was one already.
    #[inline]
    pub fn set(self, mc: &Mutation<'gc>, value: T) -> Result<(), T> {
        self.unlock(mc).set(value)
    }

    /// The value, which is made and set, with a write barrier, if there is none.
    ///
    /// # Panics
    ///
    /// If `init` sets the value itself, or panics.
    #[inline]
    pub fn get_or_init(self, mc: &Mutation<'gc>, init: impl FnOnce() -> T) -> &'gc T {
        match self.get() {
            Some(value) => value,
            None => self.unlock(mc).get_or_init(init),
        }
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T> Unlock for OnceLock<T> {
    type Unlocked = OnceCell<T>;

    #[inline(always)]
    unsafe fn unlock_unchecked(&self) -> &OnceCell<T> {
        &self.cell
    }
}

// SAFETY: the one field is visited in place, and is an option.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for OnceLock<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.in_option(size_of::<OnceCell<T>>()).in_cell();

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        match self.cell.get() {
            Some(value) => cc.trace(value),
            None => trace_none(Self::TYPE_MAP, ptr::from_ref(self).addr(), cc),
        }
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> OnceLock<T> {
        OnceLock {
            cell: OnceCell::from(value),
        }
    }
}

impl<T> From<OnceCell<T>> for OnceLock<T> {
    fn from(cell: OnceCell<T>) -> OnceLock<T> {
        OnceLock { cell }
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => tuple.field(value),
            None => tuple.field(&format_args!("<unset>")),
        };
        tuple.finish()
    }
}
