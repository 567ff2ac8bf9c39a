//! [`Mutex`]: a cell that one thread at a time can access.
//!
//! The lock keeps threads apart. Markers do not take it: a thread that takes it has called the write barrier of the
//! object before. After that no marker reads the object until the end of the cycle. And no cycle begins while there is
//! a guard that can be used, since a guard does not outlive its `mutate` call.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::{Deref, DerefMut};

use super::mutation::Mutation;
use crate::cells::lock::{IN_USE, is_unreferenced};
use crate::mutator::barrier::Write;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::sync;
use crate::types::collect::{Collect, Trace};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::type_map::TypeMap;

/// A mutual exclusion for values with pointers, in a [shared arena](super::Arena).
///
/// It is opened by way of the object that it is in. A guard does not outlive its `mutate` call; one that is leaked
/// leaves the mutex locked for ever. What is in it stays alive, and collections go on; the first of them after a write
/// to the object may have to stop all threads. (For a mutex in an `Arc` that takes a content whose type shows a pointer
/// of the heap.)
///
/// ```
/// use gc_core::shared::{Arena, Mutex};
/// use gc_core::{Gc, Rootable};
///
/// type List<'gc> = Gc<'gc, Mutex<Vec<Gc<'gc, u64>>>>;
///
/// let arena = Arena::<Rootable![List<'_>]>::new(|mc| mc.allocate(Mutex::new(Vec::new())));
/// let here = arena.attach();
/// here.mutate(|mc, list| list.lock(mc).push(mc.allocate(5)));
/// here.finish_cycle();
/// here.mutate(|mc, list| assert_eq!(*list.lock(mc)[0], 5));
/// ```
#[repr(C)]
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    lock: sync::Mutex<()>,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time has the value, however many have a reference to the mutex.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

/// The right to read and write what is in a [`Mutex`]. Its drop gives it back.
///
/// ```
/// use gc_core::shared::{Arena, Mutex, MutexGuard};
/// use gc_core::{Gc, Rootable};
///
/// fn add(mut sum: MutexGuard<'_, u64>, number: u64) {
///     *sum += number;
/// } // Other threads can have the sum from here on.
///
/// let arena = Arena::<Rootable![Gc<'_, Mutex<u64>>]>::new(|mc| mc.allocate(Mutex::new(1)));
/// arena.attach().mutate(|mc, sum| {
///     add(sum.lock(mc), 2);
///     assert_eq!(*sum.lock(mc), 3);
/// });
/// ```
#[must_use]
pub struct MutexGuard<'a, T: ?Sized> {
    value: &'a UnsafeCell<T>,
    _guard: sync::MutexGuard<'a, ()>,
    _exclusive: PhantomData<&'a mut T>,
}

impl<T> Mutex<T> {
    /// A mutex with a value in it.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::{Arena, Mutex}};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let queue = mc.allocate(Mutex::new(vec![mc.allocate(1)]));
    /// assert_eq!(queue.lock(mc).pop().as_deref(), Some(&1));
    /// # });
    /// ```
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            lock: sync::Mutex::new(()),
            value: UnsafeCell::new(value),
        }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// The value. Takes no lock, since nobody else can have the mutex.
    ///
    /// ```
    /// use gc_core::shared::Mutex;
    ///
    /// // No lock is taken: nobody else can have the mutex yet.
    /// let mut mutex = Mutex::new(vec![1]);
    /// mutex.get_mut().push(2);
    /// assert_eq!(*mutex.get_mut(), [1, 2]);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: ?Sized> Write<Mutex<T>> {
    /// Waits until no other thread has the value, and takes it.
    ///
    /// ```
    /// use gc_core::barrier::field;
    /// use gc_core::shared::{Arena, Mutex};
    /// use gc_core::{Collect, Gc, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Account<'gc> {
    ///     owner: Gc<'gc, str>,
    ///     bookings: Mutex<Vec<i64>>,
    /// }
    ///
    /// let arena = Arena::<Rootable![Gc<'_, Account<'_>>]>::new(|mc| {
    ///     mc.allocate(Account { owner: mc.allocate_str("Ada"), bookings: Mutex::default() })
    /// });
    /// arena.attach().mutate(|mc, &account| {
    ///     let mut bookings = field!(mc.write(account), Account, bookings).lock();
    ///     bookings.extend([5, -2]);
    ///     assert_eq!(bookings.iter().sum::<i64>(), 3);
    /// });
    /// ```
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            _guard: self.lock.lock(),
            value: &self.value,
            _exclusive: PhantomData,
        }
    }

    /// Takes the value, if no other thread has it.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::{Arena, Mutex}};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let pools = mc.allocate_slice([Mutex::new(1), Mutex::new(2)]);
    /// let _first = mc.write_at(pools, 0).lock();
    /// // Whichever is free:
    /// let free = (0..2).find_map(|index| mc.write_at(pools, index).try_lock());
    /// assert_eq!(*free.unwrap(), 2);
    /// # });
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        Some(MutexGuard {
            _guard: self.lock.try_lock()?,
            value: &self.value,
            _exclusive: PhantomData,
        })
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, Mutex<T>>> Gc<'gc, Mutex<T>, K> {
    /// Waits until no other thread has the value, and takes it, with a write barrier.
    ///
    /// ```
    /// use gc_core::shared::{Arena, Mutex};
    /// use gc_core::{Gc, Rootable};
    ///
    /// type Last<'gc> = Gc<'gc, Mutex<Option<Gc<'gc, str>>>>;
    /// let arena = Arena::<Rootable![Last<'_>]>::new(|mc| mc.allocate(Mutex::new(None)));
    /// arena.attach().mutate(|mc, last| {
    ///     let old = last.lock(mc).replace(mc.allocate_str("new"));
    ///     assert!(old.is_none());
    ///     assert_eq!(last.lock(mc).as_deref(), Some("new"));
    /// });
    /// ```
    #[inline]
    pub fn lock(self, mc: &Mutation<'gc>) -> MutexGuard<'gc, T> {
        mc.write(self).lock()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this thread has the lock.
        unsafe { &*self.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread has the lock, and the guard is borrowed exclusively.
        unsafe { &mut *self.value.get() }
    }
}

// SAFETY: the one field with pointers is visited in place, and its place is in the map.
unsafe impl<'gc, T: Collect<'gc> + 'gc> Collect<'gc> for Mutex<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap =
        TypeMap::LEAF.with_field(T::TYPE_MAP.in_cell(), offset_of!(Mutex<T>, value));

    /// # Panics
    ///
    /// If the mutex is locked, unless the collector knows that a guard was leaked or copes with one in use: if the
    /// mutex is in an object in the heap, in the root, or in memory that one of these owns by `std`'s containers; or if
    /// it is in memory that is shared by `Rc` or `Arc`, and a pointer of the heap is found in the type of its content,
    /// derived or of `std`. An implementation by hand hides that.
    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        let mut guard = None;
        if !is_unreferenced(self, T::TYPE_MAP, cc) {
            guard = self.lock.try_lock();
            if guard.is_none() && cc.pass_lock() {
                return;
            }
            assert!(guard.is_some(), "a Mutex {IN_USE}");
        }
        // SAFETY: this thread has the lock, or nobody has a guard that can be used, whatever the lock says.
        cc.trace(unsafe { &*self.value.get() });
        drop(guard);
    }

    /// Leaves the last answer for the object while it is locked.
    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        if let Some(_guard) = self.lock.try_lock() {
            // SAFETY: this thread has the lock.
            owned.add_field(unsafe { &*self.value.get() });
        } else {
            owned.leave_out();
        }
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}
