//! [`RwLock`]: a cell that one thread writes, or several read.
//!
//! As for [`Mutex`](super::Mutex), markers do not take the lock. A writer has called the write barrier of the object
//! before, so no marker reads it. A reader needs no barrier.

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

/// A lock for values with pointers, in a [shared arena](super::Arena): one thread writes, or several read.
///
/// To write, it is opened by way of the object that it is in; to read, it is just there. Guards do not
/// outlive their `mutate` call; one that is leaked leaves the lock as it was for ever, as that of a
/// [`Mutex`](super::Mutex).
///
/// ```
/// use gc_core::shared::{Arena, RwLock};
/// use gc_core::{Gc, Rootable};
///
/// type List<'gc> = Gc<'gc, RwLock<Vec<Gc<'gc, u64>>>>;
///
/// let arena = Arena::<Rootable![List<'_>]>::new(|mc| mc.allocate(RwLock::new(Vec::new())));
/// let here = arena.attach();
/// here.mutate(|mc, list| list.lock_write(mc).push(mc.allocate(5)));
/// here.mutate(|_, list| assert_eq!(*list.read()[0], 5));
/// ```
#[repr(C)]
#[derive(Default)]
pub struct RwLock<T: ?Sized> {
    lock: sync::RwLock<()>,
    value: UnsafeCell<T>,
}

// SAFETY: several threads have shared references to the value, or one has an exclusive one.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

/// The right to read what is in a [`RwLock`]. Its drop gives it back.
///
/// ```
/// # use gc_core::{Rootable, shared::{Arena, RwLock, RwLockReadGuard}};
/// # let arena = Arena::<Rootable![()]>::new(|_| ());
/// # arena.attach().mutate(|mc, _| {
/// let words = mc.allocate(RwLock::new(vec!["one", "two"]));
/// let (one, other): (RwLockReadGuard<'_, _>, _) = (words.read(), words.read());
/// assert_eq!(one.len(), other.len()); // Several may read.
/// assert!(mc.write(words).try_write().is_none()); // Nobody writes meanwhile.
/// # });
/// ```
#[must_use]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    value: &'a UnsafeCell<T>,
    _guard: sync::RwLockReadGuard<'a, ()>,
    _shared: PhantomData<&'a T>,
}

/// The right to read and write what is in a [`RwLock`]. Its drop gives it back.
///
/// ```
/// # use gc_core::{Rootable, shared::{Arena, RwLock, RwLockWriteGuard}};
/// # let arena = Arena::<Rootable![()]>::new(|_| ());
/// # arena.attach().mutate(|mc, _| {
/// fn add_all(mut numbers: RwLockWriteGuard<'_, Vec<u32>>) {
///     numbers.extend(0..4);
/// }
///
/// let numbers = mc.allocate(RwLock::new(Vec::new()));
/// add_all(numbers.lock_write(mc));
/// assert_eq!(*numbers.read(), [0, 1, 2, 3]);
/// # });
/// ```
#[must_use]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    value: &'a UnsafeCell<T>,
    _guard: sync::RwLockWriteGuard<'a, ()>,
    _exclusive: PhantomData<&'a mut T>,
}

impl<T> RwLock<T> {
    /// A lock with a value in it.
    ///
    /// ```
    /// use gc_core::shared::{Arena, RwLock};
    /// use gc_core::{Gc, Rootable};
    ///
    /// type Settings<'gc> = Gc<'gc, RwLock<(bool, Gc<'gc, str>)>>;
    /// let arena = Arena::<Rootable![Settings<'_>]>::new(|mc| {
    ///     mc.allocate(RwLock::new((true, mc.allocate_str("english"))))
    /// });
    /// arena.attach().mutate(|_, settings| assert_eq!(&*settings.read().1, "english"));
    /// ```
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            lock: sync::RwLock::new(()),
            value: UnsafeCell::new(value),
        }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// The value. Takes no lock, since nobody else can have it.
    ///
    /// ```
    /// use gc_core::shared::RwLock;
    ///
    /// let mut table = RwLock::new([0; 3]);
    /// table.get_mut()[1] = 5;
    /// assert_eq!(*table.read(), [0, 5, 0]);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Waits until no other thread writes, and reads.
    ///
    /// ```
    /// use gc_core::shared::{Arena, RwLock};
    /// use gc_core::{Collect, Gc, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Class<'gc> {
    ///     name: Gc<'gc, str>,
    ///     methods: RwLock<Vec<Gc<'gc, str>>>,
    /// }
    ///
    /// let arena = Arena::<Rootable![Gc<'_, Class<'_>>]>::new(|mc| {
    ///     let methods = RwLock::new(vec![mc.allocate_str("new")]);
    ///     mc.allocate(Class { name: mc.allocate_str("Point"), methods })
    /// });
    /// arena.attach().mutate(|_, class| {
    ///     // Reading needs no barrier, so a field of a shared reference will do.
    ///     assert!(class.methods.read().iter().any(|name| **name == *"new"));
    /// });
    /// ```
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard {
            _guard: self.lock.read(),
            value: &self.value,
            _shared: PhantomData,
        }
    }

    /// Reads, if no other thread writes.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::{Arena, RwLock}};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let lock = mc.allocate(RwLock::new(1));
    /// let writing = lock.lock_write(mc);
    /// assert!(lock.try_read().is_none());
    /// drop(writing);
    /// assert_eq!(lock.try_read().as_deref(), Some(&1));
    /// # });
    /// ```
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        Some(RwLockReadGuard {
            _guard: self.lock.try_read()?,
            value: &self.value,
            _shared: PhantomData,
        })
    }
}

impl<T: ?Sized> Write<RwLock<T>> {
    /// Waits until no other thread reads or writes, and takes the value.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::{Arena, RwLock}};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let rows = mc.allocate_slice((0..3).map(|_| RwLock::new(vec![0; 2])));
    /// mc.write_at(rows, 1).write()[0] = 5;
    /// assert_eq!((&*rows[0].read(), &*rows[1].read()), (&vec![0, 0], &vec![5, 0]));
    /// # });
    /// ```
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard {
            _guard: self.lock.write(),
            value: &self.value,
            _exclusive: PhantomData,
        }
    }

    /// Takes the value, if no other thread reads or writes.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::{Arena, RwLock}};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let lock = mc.allocate(RwLock::new(1));
    /// let reading = lock.read();
    /// assert!(mc.write(lock).try_write().is_none());
    /// drop(reading);
    /// *mc.write(lock).try_write().unwrap() += 1;
    /// assert_eq!(*lock.read(), 2);
    /// # });
    /// ```
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        Some(RwLockWriteGuard {
            _guard: self.lock.try_write()?,
            value: &self.value,
            _exclusive: PhantomData,
        })
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, RwLock<T>>> Gc<'gc, RwLock<T>, K> {
    /// Waits until no other thread writes, and reads.
    ///
    /// ```
    /// # use gc_core::{Gc, Rootable, shared::{Arena, RwLock, RwLockReadGuard}};
    /// /// The guard lives as long as the call, for it came from a `Gc`.
    /// fn all<'gc>(names: Gc<'gc, RwLock<Vec<String>>>) -> RwLockReadGuard<'gc, Vec<String>> {
    ///     names.read()
    /// }
    ///
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let names = mc.allocate(RwLock::new(vec!["Ada".to_string()]));
    /// assert_eq!(all(names)[0], "Ada");
    /// # });
    /// ```
    #[inline]
    pub fn read(self) -> RwLockReadGuard<'gc, T> {
        self.as_ref().read()
    }

    /// Waits until no other thread reads or writes, and takes the value, with a write barrier.
    ///
    /// ```
    /// use gc_core::shared::{Arena, RwLock};
    /// use gc_core::{Gc, Rootable};
    /// use std::collections::HashMap;
    ///
    /// type Globals<'gc> = Gc<'gc, RwLock<HashMap<String, Gc<'gc, u32>>>>;
    /// let arena = Arena::<Rootable![Globals<'_>]>::new(|mc| mc.allocate(RwLock::default()));
    /// arena.attach().mutate(|mc, globals| {
    ///     globals.lock_write(mc).insert("answer".into(), mc.allocate(42));
    ///     assert_eq!(*globals.read()["answer"], 42);
    /// });
    /// ```
    #[inline]
    pub fn lock_write(self, mc: &Mutation<'gc>) -> RwLockWriteGuard<'gc, T> {
        mc.write(self).write()
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this thread has the lock to read.
        unsafe { &*self.value.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this thread has the lock.
        unsafe { &*self.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread has the lock, and the guard is borrowed exclusively.
        unsafe { &mut *self.value.get() }
    }
}

// SAFETY: the one field with pointers is visited in place, and its place is in the map.
unsafe impl<'gc, T: Collect<'gc> + 'gc> Collect<'gc> for RwLock<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap =
        TypeMap::LEAF.with_field(T::TYPE_MAP.in_cell(), offset_of!(RwLock<T>, value));

    /// # Panics
    ///
    /// If it is being written, unless the collector knows that a guard was leaked; see
    /// [`Mutex`](super::Mutex)'s.
    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        let mut guard = None;
        if !is_unreferenced(self, T::TYPE_MAP, cc) {
            guard = self.lock.try_read_recursive();
            if guard.is_none() && cc.pass_lock() {
                return;
            }
            assert!(guard.is_some(), "a RwLock {IN_USE}");
        }
        // SAFETY: this thread has the lock to read, or nobody has a guard that could be used to write,
        // whatever the lock says.
        cc.trace(unsafe { &*self.value.get() });
        drop(guard);
    }

    /// Leaves the last answer for the object while it is being written.
    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        if let Some(_guard) = self.lock.try_read_recursive() {
            // SAFETY: this thread has the lock to read.
            owned.add_field(unsafe { &*self.value.get() });
        } else {
            owned.leave_out();
        }
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("RwLock");
        match self.try_read() {
            Some(value) => tuple.field(&&*value),
            None => tuple.field(&format_args!("<being written>")),
        };
        tuple.finish()
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}
