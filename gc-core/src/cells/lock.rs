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
//!
//! # Enums
//!
//! Which words of an enum are pointers depends on its value, so whoever writes one into a cell has to tell the collector.
//! [`Gc::set`](crate::Gc::set) of a [`GcLock`] does that for the words that it writes. A guard, or a cell that was unlocked,
//! may be written at any time before the `mutate` call ends. So a safepoint looks at its object, soon; of an object
//! of more than 4 KiB, the next collection does, as far as it gets there. Of a [packed](crate::packed) enum nobody has to tell
//! anything.

use core::cell::{BorrowError, BorrowMutError, Cell, OnceCell, Ref, RefCell, RefMut};
use core::cmp::Ordering;
use core::fmt;
use core::ptr;

use crate::mutator::barrier::Unlock;
use crate::mutator::local_arenas;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::types::collect::{Collect, Trace};
use crate::types::collect_impl::trace_none;
use crate::types::owned_bytes::OwnedBytes;
use crate::types::type_map::TypeMap;

/// Whether the collector says that nobody can use a reference or a guard by which the content of the lock could be
/// written, which has the map `content`. It may then be visited in place, whatever the visitor does and the lock says.
///
/// In an object, and in memory that it owns, nobody can while no `mutate` call runs. Memory that is shared may be in use by others
/// at any time; but guards of a content with pointers are not.
pub(crate) fn is_unreferenced<'gc, L: ?Sized, C: Trace<'gc>>(
    lock: &L,
    content: TypeMap,
    cc: &C,
) -> bool {
    let address = ptr::from_ref(lock).addr();
    cc.holds(address, content.is_branded())
        .is_some_and(|word| word.covers(address))
}

/// What is said of a lock that is traced while a guard of it may be in use.
pub(crate) const IN_USE: &str = "was traced while it was being written: it is in memory shared by `Rc` or `Arc`, and a \
    guard of it is held outside of `mutate`, or was leaked. Drop the guard before a collection. For the collector to tell \
    a leaked guard from one in use, derive `Collect` for what is in the lock, or keep the lock in the object, in a `Box` \
    or in a `Vec`";

/// A managed [`Lock`].
///
/// ```
/// use gc_core::{Gc, GcLock, Lock, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let counter: GcLock<u32> = Gc::new(mc, Lock::new(0));
///     let same = counter; // Both lead to the one cell.
///     same.set(mc, 1);
///     assert_eq!(counter.get(), 1);
/// });
/// ```
pub type GcLock<'gc, T> = Gc<'gc, Lock<T>>;
/// A managed [`RefLock`].
///
/// ```
/// use gc_core::{Gc, GcRefLock, RefLock, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let text: GcRefLock<String> = Gc::new(mc, RefLock::new("a".to_string()));
///     text.borrow_mut(mc).push('b');
///     assert_eq!(*text.borrow(), "ab");
/// });
/// ```
pub type GcRefLock<'gc, T> = Gc<'gc, RefLock<T>>;
/// A managed [`OnceLock`].
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate, lock::{GcOnceLock, OnceLock}};
///
/// rootless_mutate(|mc| {
///     let compiled: GcOnceLock<String> = Gc::new(mc, OnceLock::new());
///     compiled.get_or_init(mc, || "code".to_string());
///     assert_eq!(compiled.get().unwrap(), "code");
/// });
/// ```
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
    ///
    /// ```
    /// # use gc_core::Lock;
    /// const EMPTY: Lock<Option<u8>> = Lock::new(None);
    /// let slots = [EMPTY; 4];
    /// assert!(slots.iter().all(|slot| slot.get().is_none()));
    /// ```
    #[inline]
    pub const fn new(value: T) -> Lock<T> {
        Lock {
            cell: Cell::new(value),
        }
    }

    /// The value.
    ///
    /// ```
    /// # use gc_core::Lock;
    /// let mut lock = Lock::new(5);
    /// *lock.get_mut() += 1;
    /// assert_eq!(lock.into_inner(), 6);
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.cell.into_inner()
    }

    /// A copy of the value.
    ///
    /// ```
    /// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Link<'gc> {
    ///     next: Lock<Option<Gc<'gc, Link<'gc>>>>,
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let last = Gc::new(mc, Link { next: Lock::new(None) });
    ///     let first = Gc::new(mc, Link { next: Lock::new(Some(last)) });
    ///     assert!(first.next.get().is_some_and(|next| next.next.get().is_none()));
    /// });
    /// ```
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
    /// a concurrent collection is aborted, and the next one stops the world; where that counts,
    /// use [`Write::unlock`](crate::mutator::barrier::Write::unlock) and [`Cell::take`].
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
    ///
    /// Whoever writes through it owes what [`Unlock::unlock_unchecked`] says.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let lock = Gc::new(mc, Lock::new(5_u32));
    /// // SAFETY: nobody writes meanwhile.
    /// assert_eq!(unsafe { *lock.as_ptr() }, 5);
    /// # });
    /// ```
    #[inline]
    pub fn as_ptr(&self) -> *mut T {
        self.cell.as_ptr()
    }

    /// The cell, without a barrier.
    ///
    /// ```
    /// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Pair<'gc>(Lock<Gc<'gc, u32>>, Lock<Gc<'gc, u32>>);
    ///
    /// rootless_mutate(|mc| {
    ///     let pair = Gc::new(mc, Pair(Lock::new(Gc::new(mc, 1)), Lock::new(Gc::new(mc, 2))));
    ///     mc.backward_barrier(Gc::erase(pair), None);
    ///     // SAFETY: the barrier for the object in which both are was called just now.
    ///     let (first, second) = unsafe { (pair.0.as_cell(), pair.1.as_cell()) };
    ///     first.swap(second);
    ///     assert_eq!((*pair.0.get(), *pair.1.get()), (2, 1));
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`Unlock::unlock_unchecked`].
    #[inline]
    pub unsafe fn as_cell(&self) -> &Cell<T> {
        &self.cell
    }

    /// The value, to whoever has the lock for himself.
    ///
    /// ```
    /// # use gc_core::Lock;
    /// let mut counts = [const { Lock::new(0) }; 3];
    /// for (index, count) in counts.iter_mut().enumerate() {
    ///     *count.get_mut() += index; // No barrier: they are not in the heap yet.
    /// }
    /// assert_eq!(counts[2].get(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.cell.get_mut()
    }
}

impl<'gc, T: Copy + 'gc, K: IsGcKind<'gc, Lock<T>>> Gc<'gc, Lock<T>, K> {
    /// A copy of the value.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let current = Gc::new(mc, Lock::new(Gc::new(mc, "first")));
    /// let before = current.get();
    /// current.set(mc, Gc::new(mc, "second"));
    /// assert_eq!((*before, *current.get()), ("first", "second"));
    /// # });
    /// ```
    #[inline]
    pub fn get(self) -> T {
        self.cell.get()
    }

    /// Replaces the value, with a write barrier.
    ///
    /// Never collects.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Lock, Rootable};
    ///
    /// type Current<'gc> = Gc<'gc, Lock<Gc<'gc, u32>>>;
    /// let mut arena = Arena::<Rootable![Current<'_>]>::new(|mc| {
    ///     Gc::new(mc, Lock::new(Gc::new(mc, 1)))
    /// });
    /// arena.mutate(|mc, current| {
    ///     current.set(mc, Gc::new(mc, 2));
    ///     // All that a `Cell` can do is there behind the same barrier.
    ///     assert_eq!(*current.unlock(mc).replace(Gc::new(mc, 3)), 2);
    /// });
    /// arena.finish_cycle();
    /// assert_eq!((arena.mutate(|_, current| *current.get()), arena.metrics().total_gc_count()), (3, 2));
    /// ```
    #[inline]
    pub fn set(self, mc: &Mutation<'gc>, value: T)
    where
        T: Collect<'gc>,
    {
        if !T::TYPE_MAP.is_union() || size_of::<T>() == 0 {
            return self.unlock(mc).set(value);
        }
        let (start, place) = (Gc::as_ptr(self).addr(), self.cell.as_ptr());
        // SAFETY: the value needs memory, so an object of this heap starts there, of which it is the first bytes, and
        // which is not freed in this `mutate` call. A lock of a union is in a described object. The value is retagged
        // after the write. It is `Copy`, so that nothing is measured; and nobody has a reference to the content of a
        // `Cell`.
        unsafe {
            let retag = mc
                .context()
                .before_known_write(start, (start, start + size_of::<T>()));
            self.cell.set(value);
            if retag {
                mc.context().retag_value(start, place);
            }
        }
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
        if is_unreferenced(self, T::TYPE_MAP, cc) {
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
    ///
    /// ```
    /// # use gc_core::RefLock;
    /// static NAMES: std::sync::Mutex<RefLock<Vec<&str>>> = std::sync::Mutex::new(RefLock::new(Vec::new()));
    /// NAMES.lock().unwrap().get_mut().push("one");
    /// assert_eq!(*NAMES.lock().unwrap().borrow(), ["one"]);
    /// ```
    #[inline]
    pub const fn new(value: T) -> RefLock<T> {
        RefLock {
            cell: RefCell::new(value),
        }
    }

    /// The value.
    ///
    /// ```
    /// # use gc_core::RefLock;
    /// let lock = RefLock::new(vec![1, 2]);
    /// assert_eq!(lock.borrow().len(), 2);
    /// assert_eq!(lock.into_inner(), [1, 2]);
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.cell.into_inner()
    }

    /// Takes the value, and leaves the default one.
    ///
    /// The write barrier is called for the object that the lock is in, for which it is searched in the arenas
    /// of this thread. Of a lock outside of all heaps (in a `Box` or a `Vec`, say) the object is not known, so
    /// a concurrent collection is aborted, and the next one stops the world; where that counts,
    /// use [`Write::unlock`](crate::mutator::barrier::Write::unlock) and [`RefCell::take`].
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
    ///
    /// Whoever writes through it owes what [`Unlock::unlock_unchecked`] says.
    ///
    /// ```
    /// # use gc_core::{Gc, RefLock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let list = Gc::new(mc, RefLock::new([1, 2, 3]));
    /// let first: *const i32 = list.as_ptr().cast();
    /// // SAFETY: nobody writes meanwhile.
    /// assert_eq!(unsafe { first.add(2).read() }, 3);
    /// # });
    /// ```
    #[inline]
    pub fn as_ptr(&self) -> *mut T {
        self.cell.as_ptr()
    }

    /// The cell, without a barrier.
    ///
    /// ```
    /// # use gc_core::{Gc, RefLock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let list = Gc::new(mc, RefLock::new(vec![Gc::new(mc, 1)]));
    /// let guard = list.borrow();
    /// // SAFETY: it is only looked at.
    /// assert!(unsafe { list.as_ref_cell() }.try_borrow_mut().is_err());
    /// drop(guard);
    /// # });
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`Unlock::unlock_unchecked`].
    #[inline]
    pub unsafe fn as_ref_cell(&self) -> &RefCell<T> {
        &self.cell
    }

    /// The value, to whoever has the lock for himself.
    ///
    /// ```
    /// # use gc_core::RefLock;
    /// let mut lock = RefLock::new(vec![3, 1, 2]);
    /// lock.get_mut().sort(); // Neither a guard nor a barrier.
    /// assert_eq!(*lock.borrow(), [1, 2, 3]);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.cell.get_mut()
    }

    /// A guard to read the value.
    ///
    /// ```
    /// use gc_core::{Collect, Gc, RefLock, arena::rootless_mutate};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Scope<'gc> {
    ///     names: RefLock<Vec<Gc<'gc, str>>>,
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let names = RefLock::new(vec![Gc::str_from(mc, "x")]);
    ///     let scope = Gc::new(mc, Scope { names });
    ///     assert!(scope.names.borrow().iter().any(|name| &**name == "x"));
    /// });
    /// ```
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
    /// ```
    /// # use gc_core::{Gc, RefLock, arena::rootless_mutate, barrier::Write};
    /// # rootless_mutate(|mc| {
    /// let lock = RefLock::new(5);
    /// let guard = Write::from_static(&lock).unlock().borrow_mut();
    /// assert!(lock.try_borrow().is_err());
    /// drop(guard);
    /// assert_eq!(lock.try_borrow().as_deref().ok(), Some(&5));
    /// # });
    /// ```
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
    /// Unlike that of [`RefLock::borrow`], it may be kept until the `mutate` call ends.
    ///
    /// ```
    /// use core::cell::Ref;
    /// use gc_core::{Gc, GcRefLock, RefLock, arena::rootless_mutate};
    ///
    /// fn first<'gc>(list: GcRefLock<'gc, Vec<u32>>) -> Option<Ref<'gc, u32>> {
    ///     Ref::filter_map(list.borrow(), |list| list.first()).ok()
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let list = Gc::new(mc, RefLock::new(vec![7, 8]));
    ///     assert_eq!(first(list).as_deref(), Some(&7));
    /// });
    /// ```
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
    /// ```
    /// use gc_core::{Gc, GcRefLock, RefLock, arena::rootless_mutate};
    ///
    /// fn show(list: GcRefLock<'_, Vec<u32>>) -> String {
    ///     match list.try_borrow() {
    ///         Ok(list) => format!("{list:?}"),
    ///         Err(_) => "(being changed)".to_string(),
    ///     }
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let list = Gc::new(mc, RefLock::new(vec![1]));
    ///     assert_eq!(show(list), "[1]");
    ///     let _guard = list.borrow_mut(mc);
    ///     assert_eq!(show(list), "(being changed)");
    /// });
    /// ```
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
    /// Never collects.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcRefLock, RefLock, Rootable};
    ///
    /// type Stack<'gc> = GcRefLock<'gc, Vec<Gc<'gc, u32>>>;
    /// let mut arena = Arena::<Rootable![Stack<'_>]>::new(|mc| Gc::new(mc, RefLock::default()));
    /// arena.mutate(|mc, stack| stack.borrow_mut(mc).extend((0..3).map(|n| Gc::new(mc, n))));
    /// arena.mutate(|mc, stack| stack.borrow_mut(mc).truncate(2));
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|_, stack| *stack.borrow()[1]), 1);
    /// assert_eq!(arena.metrics().total_gc_count(), 3);
    /// ```
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
    /// ```
    /// # use gc_core::{Gc, RefLock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let queue = Gc::new(mc, RefLock::new(vec![1]));
    /// let reading = queue.borrow();
    /// assert!(queue.try_borrow_mut(mc).is_err());
    /// drop(reading);
    /// queue.try_borrow_mut(mc).unwrap().clear();
    /// assert!(queue.borrow().is_empty());
    /// # });
    /// ```
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

impl<T: ?Sized> RefLock<T> {
    /// Visits the content if it is not being written.
    #[inline(never)]
    fn trace_borrowed<'gc, C: Trace<'gc>>(&self, cc: &mut C)
    where
        T: Collect<'gc>,
    {
        match self.cell.try_borrow() {
            Ok(value) => cc.trace(&*value),
            Err(_) if cc.pass_lock() => {}
            Err(_) => panic!("a RefLock {}", IN_USE),
        }
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
    /// guard was leaked instead: the lock is in an object in the heap, in the root, or in memory that one of these owns by
    /// `std`'s containers; or it is in memory that is shared by `Rc` or `Arc`, and a pointer of the heap is found in the type of
    /// its content, derived or of `std`. An implementation by hand hides that.
    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        if is_unreferenced(self, T::TYPE_MAP, cc) {
            // SAFETY: nobody uses a reference to what is here, so no guard is in use, whatever the
            // cell says.
            cc.trace(unsafe { &*self.cell.as_ptr() });
        } else {
            self.trace_borrowed(cc);
        }
    }

    /// Leaves the last answer for the object while it is being written.
    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        match self.cell.try_borrow() {
            Ok(value) => owned.add_field(&*value),
            Err(_) => owned.leave_out(),
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
    ///
    /// ```
    /// use gc_core::{Collect, Gc, arena::rootless_mutate, lock::OnceLock};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Function<'gc> {
    ///     source: Gc<'gc, str>,
    ///     length: OnceLock<usize>,
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let function = Function { source: Gc::str_from(mc, "x + 1"), length: OnceLock::new() };
    ///     assert_eq!((function.length.get(), &*function.source), (None, "x + 1"));
    /// });
    /// ```
    #[inline]
    pub const fn new() -> OnceLock<T> {
        OnceLock {
            cell: OnceCell::new(),
        }
    }

    /// The value, if it was set.
    ///
    /// ```
    /// # use gc_core::lock::OnceLock;
    /// assert_eq!(OnceLock::<u32>::new().get(), None);
    /// assert_eq!(OnceLock::from(5).get(), Some(&5));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// The value, if it was set, to whoever has the lock for himself.
    ///
    /// ```
    /// # use gc_core::lock::OnceLock;
    /// let mut lock = OnceLock::from(vec![1]);
    /// lock.get_mut().unwrap().push(2);
    /// assert_eq!(lock.get(), Some(&vec![1, 2]));
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.cell.get_mut()
    }

    /// The value, if it was set.
    ///
    /// ```
    /// # use gc_core::lock::OnceLock;
    /// assert_eq!(OnceLock::from("set").into_inner(), Some("set"));
    /// assert_eq!(OnceLock::<&str>::new().into_inner(), None);
    /// ```
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.cell.into_inner()
    }

    /// The cell, without a barrier.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, lock::OnceLock};
    /// # rootless_mutate(|mc| {
    /// let lock = Gc::new(mc, OnceLock::new());
    /// mc.backward_barrier(Gc::erase(lock), None);
    /// // SAFETY: the barrier was called just now.
    /// assert_eq!(unsafe { lock.as_once_cell() }.set(Gc::new(mc, 5)), Ok(()));
    /// assert_eq!(lock.get().as_deref(), Some(&Gc::new(mc, 5)));
    /// # });
    /// ```
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
    ///
    /// The reference may be kept until the `mutate` call ends.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate, lock::{GcOnceLock, OnceLock}};
    ///
    /// fn name<'gc>(lock: GcOnceLock<'gc, String>) -> &'gc str {
    ///     lock.get().map_or("nameless", |name| name)
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let lock = Gc::new(mc, OnceLock::new());
    ///     assert_eq!(name(lock), "nameless");
    ///     lock.set(mc, "Ada".to_string()).unwrap();
    ///     assert_eq!(name(lock), "Ada");
    /// });
    /// ```
    #[inline]
    pub fn get(self) -> Option<&'gc T> {
        self.as_ref().cell.get()
    }

    /// Sets the value, with a write barrier if there is none yet.
    ///
    /// Never collects.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable, lock::GcOnceLock, lock::OnceLock};
    ///
    /// type Main<'gc> = GcOnceLock<'gc, Gc<'gc, str>>;
    /// let mut arena = Arena::<Rootable![Main<'_>]>::new(|mc| Gc::new(mc, OnceLock::new()));
    /// arena.mutate(|mc, main| {
    ///     assert!(main.set(mc, Gc::str_from(mc, "first")).is_ok());
    ///     let refused = main.set(mc, Gc::str_from(mc, "second")).unwrap_err();
    ///     assert_eq!(&*refused, "second");
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|_, main| assert_eq!(&**main.get().unwrap(), "first"));
    /// ```
    ///
    /// # Errors
    ///
    /// The new value, if there was one already.
    #[inline]
    pub fn set(self, mc: &Mutation<'gc>, value: T) -> Result<(), T> {
        match self.get() {
            Some(_) => Err(value),
            None => self.unlock(mc).set(value),
        }
    }

    /// The value, which is made and set, with a write barrier, if there is none.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate, lock::OnceLock};
    ///
    /// rootless_mutate(|mc| {
    ///     let squares = Gc::new(mc, OnceLock::new());
    ///     let mut computed = 0;
    ///     for _ in 0..2 {
    ///         let squares = squares.get_or_init(mc, || {
    ///             computed += 1;
    ///             Gc::slice_from_iter(mc, (0..4).map(|n| n * n))
    ///         });
    ///         assert_eq!(**squares, [0, 1, 4, 9]);
    ///     }
    ///     assert_eq!(computed, 1);
    /// });
    /// ```
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

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        if let Some(value) = self.cell.get() {
            owned.add_field(value);
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
