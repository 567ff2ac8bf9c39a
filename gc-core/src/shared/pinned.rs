//! [`Pinned`]: a guard that keeps an object of a shared arena alive and in place.

use core::fmt;

use super::arena::Arena;
use super::mutation::Mutation;
use crate::arenas::arena::{Root as RootOf, Rootable, WellFormed};
use crate::arenas::pinning::{Handle, MismatchedPin, address_of};
use crate::heap::pins::{Kind, NotPinned, PinnedObject, Pins, Place};
use crate::pointers::gc::{Gc, IsGcKind};
use crate::sync::Arc;

/// A guard that keeps an object of a [shared arena](super::Arena) alive and in place until it is dropped: as
/// [`crate::Pinned`], and it can be kept, sent to, cloned and dropped on any thread, attached or not. Each
/// takes a lock for a moment.
///
/// ```
/// use gc_core::Rootable;
/// use gc_core::shared::{Arena, Pinned};
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// let here = arena.attach();
/// let pinned: Pinned<Rootable![str]> = here.mutate(|mc, _| mc.pin(mc.allocate_str("here")));
/// here.finish_cycle();
/// std::thread::scope(|scope| {
///     scope.spawn(|| arena.attach().mutate(|mc, _| assert_eq!(&*pinned.get(mc), "here")));
/// });
/// // SAFETY: the object is pinned, and nobody writes to it.
/// assert_eq!(unsafe { &*pinned.as_ptr() }, "here");
/// ```
#[must_use = "the object is pinned until this is dropped"]
pub struct Pinned<R: for<'a> Rootable<'a>>(Handle<R>)
where
    for<'a> RootOf<'a, R>: WellFormed;

// SAFETY: a guard is an address and a share in a table that is made for several threads. Whoever gets a
// pointer from it shares the object.
unsafe impl<R: for<'a> Rootable<'a>> Send for Pinned<R> where for<'a> RootOf<'a, R>: Send + Sync {}
// SAFETY: as above.
unsafe impl<R: for<'a> Rootable<'a>> Sync for Pinned<R> where for<'a> RootOf<'a, R>: Send + Sync {}

impl<R: for<'a> Rootable<'a>> Pinned<R> {
    /// The address of the object; see [`crate::Pinned::as_ptr`].
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, Pinned};
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let buffer: Pinned<Rootable![[u8]]> =
    ///     arena.attach().mutate(|mc, _| mc.pin(mc.allocate_slice(*b"bytes")));
    /// // A thread that knows nothing of the arena, such as one of the operating system's, reads it.
    /// let sum = std::thread::scope(|scope| {
    ///     // SAFETY: the slice is pinned, and nobody writes to it.
    ///     let read = || unsafe { (*buffer.as_ptr()).iter().map(|&byte| u32::from(byte)).sum::<u32>() };
    ///     scope.spawn(read).join().unwrap()
    /// });
    /// assert_eq!(sum, b"bytes".iter().map(|&byte| u32::from(byte)).sum());
    /// ```
    pub fn as_ptr<'gc>(&self) -> *const RootOf<'gc, R> {
        self.0.as_ptr()
    }

    /// The pointer to the object. Takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc, Pinned};
    ///
    /// let arena = Arena::<Rootable![AtomicGc<'_, u32>]>::new(|_| AtomicGc::null());
    /// let here = arena.attach();
    /// let pinned: Pinned<Rootable![u32]> = here.mutate(|mc, _| mc.pin(mc.allocate(5)));
    /// // What was pinned for a while goes back to where the collector finds it.
    /// here.mutate(|mc, cell| cell.store(mc, Some(pinned.get(mc))));
    /// drop(pinned);
    /// here.finish_cycle();
    /// here.mutate(|_, cell| assert_eq!(cell.load().as_deref(), Some(&5)));
    /// ```
    ///
    /// # Panics
    ///
    /// If the guard is of another arena; see [`Pinned::try_get`].
    #[inline]
    #[track_caller]
    pub fn get<'gc>(&self, mc: &Mutation<'gc>) -> Gc<'gc, RootOf<'gc, R>> {
        self.try_get(mc).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The pointer to the object. Takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, Pinned};
    ///
    /// let (arena, other) = (Arena::<Rootable![()]>::new(|_| ()), Arena::<Rootable![()]>::new(|_| ()));
    /// let pinned: Pinned<Rootable![u8]> = arena.attach().mutate(|mc, _| mc.pin(mc.allocate(1)));
    /// arena.attach().mutate(|mc, _| assert_eq!(*pinned.try_get(mc).unwrap(), 1));
    /// other.attach().mutate(|mc, _| assert!(pinned.try_get(mc).is_err()));
    /// ```
    ///
    /// # Errors
    ///
    /// If the guard is of another arena.
    #[inline]
    pub fn try_get<'gc>(
        &self,
        mc: &Mutation<'gc>,
    ) -> Result<Gc<'gc, RootOf<'gc, R>>, MismatchedPin> {
        // SAFETY: the pins are those of the arena that `'gc` brands.
        unsafe { self.0.get(mc.pins()) }
    }
}

impl<R: for<'a> Rootable<'a>> Clone for Pinned<R> {
    /// One more pin of the same object.
    #[track_caller]
    fn clone(&self) -> Pinned<R> {
        Pinned(self.0.another(Place::here()))
    }
}

impl<R: for<'a> Rootable<'a>> fmt::Debug for Pinned<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'gc> Mutation<'gc> {
    #[inline]
    fn pins(&self) -> &Arc<Pins> {
        self.context().heap().pins()
    }

    /// Keeps the object alive and in place until the result is dropped; see [`Pinned`]. Never collects, and
    /// takes a lock for a moment.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, Rootable};
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// let pinned = here.mutate(|mc, _| mc.pin::<Rootable![u64]>(mc.allocate(1 << 40)));
    /// here.finish_cycle();
    /// // SAFETY: the object is pinned, and nobody writes to it.
    /// assert_eq!(unsafe { *pinned.as_ptr() }, 1 << 40);
    /// drop(pinned);
    /// here.finish_cycle();
    /// assert_eq!(arena.metrics().total_gc_count(), 0);
    ///
    /// // A guard of a thin pointer has a fat one, as `Gc::erase_kind` makes it.
    /// here.mutate(|mc, _| {
    ///     let pinned = mc.pin::<Rootable![str]>(Gc::as_thin(mc.allocate_gc_str("thin")));
    ///     assert_eq!(&*pinned.get(mc), "thin");
    /// });
    /// ```
    #[inline]
    #[track_caller]
    pub fn pin<R: for<'a> Rootable<'a>>(
        &self,
        gc: Gc<'gc, RootOf<'gc, R>, impl IsGcKind<'gc, RootOf<'gc, R>>>,
    ) -> Pinned<R> {
        // SAFETY: the pins are those of the arena that `'gc` brands.
        Pinned(unsafe { Handle::new(self.pins(), Gc::erase_kind(gc), Place::here()) })
    }

    /// Whether the object is pinned. Takes constant time; another thread may pin or unpin it meanwhile.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     let five = mc.allocate(5);
    ///     let pinned = mc.pin::<Rootable![i32]>(five);
    ///     assert!(mc.is_pinned(five));
    ///     drop(pinned);
    ///     assert!(!mc.is_pinned(five));
    /// });
    /// ```
    #[inline]
    pub fn is_pinned<T, K>(&self, gc: Gc<'gc, T, K>) -> bool
    where
        T: ?Sized + 'gc,
        K: IsGcKind<'gc, T>,
    {
        // SAFETY: it is a pointer of the arena that `'gc` brands, which is there.
        unsafe { self.pins().is_pinned(address_of(gc)) }
    }

    /// Keeps the object alive and in place until [`Mutation::unpin_raw`] is called with its address as often
    /// as this was, on whatever threads, or the arena is dropped; see [`crate::Mutation::pin_raw`].
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// let address = here.mutate(|mc, _| mc.pin_raw(mc.allocate(5)));
    /// here.finish_cycle();
    /// // SAFETY: the object is pinned; and the pin that is taken back is the one that was made above.
    /// unsafe {
    ///     assert_eq!(*address, 5);
    ///     here.mutate(|mc, _| mc.unpin_raw(address)).unwrap();
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn pin_raw<T, K>(&self, gc: Gc<'gc, T, K>) -> *const T
    where
        T: ?Sized + 'gc,
        K: IsGcKind<'gc, T>,
    {
        // SAFETY: it is a pointer of the arena that `'gc` brands, which is there.
        unsafe {
            self.pins().add(address_of(gc), Kind::Raw, Place::here());
        }
        Gc::as_ptr(gc)
    }

    /// Takes back a pin that [`Mutation::pin_raw`] made, on whatever thread.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// here.mutate(|mc, _| {
    ///     let address = mc.pin_raw(mc.allocate(5));
    ///     // SAFETY: the first pin is the one from above. There is no second, which is an error and no more.
    ///     unsafe {
    ///         assert!(mc.unpin_raw(address).is_ok());
    ///         assert!(mc.unpin_raw(address).is_err());
    ///     }
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is none, as for [`crate::Mutation::unpin_raw`].
    ///
    /// # Safety
    ///
    /// As for [`crate::Mutation::unpin_raw`].
    #[inline]
    pub unsafe fn unpin_raw<T: ?Sized>(&self, pointer: *const T) -> Result<(), NotPinned> {
        self.pins().remove_raw(pointer.cast::<()>().addr())
    }
}

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
{
    /// All objects that are pinned; see [`crate::Arena::pinned`].
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let pinned = arena.attach().mutate(|mc, _| mc.pin::<Rootable![u8]>(mc.allocate(1)));
    /// assert_eq!(arena.pinned()[0].pins, 1);
    /// drop(pinned);
    /// assert!(arena.pinned().is_empty());
    /// ```
    pub fn pinned(&self) -> Vec<PinnedObject> {
        self.world().collector.heap.pins().list()
    }
}
