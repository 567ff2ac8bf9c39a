//! Pinning: objects that foreign code may hold by address.
//!
//! [`Gc::pin`] makes a [`Pinned`] guard. Until it is dropped, the object stays alive and does not move. The guard has
//! no brand: it outlives the `mutate` call, and may be kept anywhere, next to the address that foreign code has. Pins
//! nest: an object is pinned as long as it has one.
//!
//! Code that cannot keep a guard pins by address: with [`Gc::pin_raw`], and one [`Gc::unpin_raw`] for each call of it.
//! [`Arena::pinned`], of both kinds of arenas, lists the pinned objects and, in debug builds, the source lines that
//! pinned them.
//!
//! To the collector, a pin is a root. Pins are in a table (`heap::pins`), so a cycle costs a little for each pinned
//! object, and nothing if there is none. The table is thread-safe, so pins are the same in arenas of one thread and in
//! [shared](crate::shared) ones.

use core::fmt;

use crate::arenas::arena::{Arena, Root, Rootable, WellFormed};
use crate::heap::pins::{Kind, Pins, Place};
use crate::mutator::mismatch::MismatchedArena;
use crate::mutator::mutates::Mutates;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::sync::Arc;

pub use crate::heap::pins::{NotPinned, PinnedObject};

/// A guard that keeps an object alive and in place, until it is dropped.
///
/// Each guard and each clone is a pin of its own. To keep one in a value of the heap is possible; if the
/// pinned object leads to that value, both stay for ever.
///
/// A guard may outlive its arena. The object does not: from then on the address leads nowhere, and the guard
/// does nothing.
///
/// ```
/// use gc_core::{Arena, Gc, Pinned, Rootable};
///
/// let mut arena = Arena::<Rootable![()]>::new(|_| ());
/// let pinned: Pinned<Rootable![[u8]]> =
///     arena.mutate(|mc, _| Gc::pin(mc, Gc::slice_from_iter(mc, [1, 2, 3])));
/// let bytes: *const [u8] = pinned.as_ptr();
/// arena.finish_cycle();
/// // SAFETY: the object is pinned, and nobody writes to it.
/// assert_eq!(unsafe { &*bytes }, [1, 2, 3]);
/// arena.mutate(|mc, _| assert_eq!(*pinned.get(mc), [1, 2, 3]));
///
/// drop(pinned);
/// arena.finish_cycle();
/// assert_eq!(arena.metrics().total_gc_count(), 0);
/// ```
///
/// It can be sent to, cloned and dropped on any thread if the object may be used there, for it tells the address. Each
/// takes a lock for a moment. A `mutate` call of the arena gets the pointer back:
///
/// ```
/// use gc_core::shared::Arena;
/// use gc_core::{Gc, Pinned, Rootable};
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// let here = arena.attach();
/// let pinned: Pinned<Rootable![str]> = here.mutate(|mc, _| Gc::pin(mc, mc.allocate_str("here")));
/// here.finish_cycle();
/// std::thread::scope(|scope| {
///     scope.spawn(|| arena.attach().mutate(|mc, _| assert_eq!(&*pinned.get(mc), "here")));
///     // A thread that knows nothing of the arena, such as one of the operating system's, reads it.
///     // SAFETY: the object is pinned, and nobody writes to it.
///     scope.spawn(|| assert_eq!(unsafe { &*pinned.as_ptr() }, "here"));
/// });
/// ```
///
/// With a [`Lock`](crate::Lock) in the object, it stays with the thread of its arena:
///
/// ```compile_fail,E0277
/// # use gc_core::{Arena, Gc, Lock, Pinned, Rootable};
/// # let arena = Arena::<Rootable![()]>::new(|_| ());
/// let pinned: Pinned<Rootable![Lock<u8>]> =
///     arena.mutate(|mc, _| Gc::pin(mc, Gc::new(mc, Lock::new(1))));
/// std::thread::spawn(move || drop(pinned));
/// ```
#[must_use = "the object is pinned until this is dropped"]
pub struct Pinned<R: for<'a> Rootable<'a>>
where
    for<'a> Root<'a, R>: WellFormed,
{
    /// Not to be followed but in a `mutate` call of its arena, while that exists.
    pointer: Gc<'static, Root<'static, R>>,
    pin: Pin,
}

// SAFETY: a guard is an address and a share in a thread-safe table. A thread that gets a pointer from it shares the
// object, but nothing else of its arena.
unsafe impl<R: for<'a> Rootable<'a>> Send for Pinned<R> where for<'a> Root<'a, R>: Send + Sync {}
// SAFETY: as above.
unsafe impl<R: for<'a> Rootable<'a>> Sync for Pinned<R> where for<'a> Root<'a, R>: Send + Sync {}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Gc<'gc, T, K> {
    /// Keeps the object alive and in place until the result is dropped. `R` is the family of its type, as
    /// for [`DynamicRootSet::stash`](crate::DynamicRootSet::stash). Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Node<'gc> {
    ///     value: u32,
    ///     next: Option<Gc<'gc, Node<'gc>>>,
    /// }
    ///
    /// let mut arena = Arena::<Rootable![()]>::new(|_| ());
    /// let pinned = arena.mutate(|mc, _| {
    ///     let next = Some(Gc::new(mc, Node { value: 1, next: None }));
    ///     Gc::pin::<Rootable![Node<'_>]>(mc, Gc::new(mc, Node { value: 2, next }))
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|mc, _| assert_eq!(pinned.get(mc).next.unwrap().value, 1));
    /// ```
    ///
    /// A guard has a pointer of the kind that [`Gc::erase_kind`] makes, whatever it was made of:
    ///
    /// ```
    /// use gc_core::{Gc, GcThinStr, Pinned, Rootable, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let thin: GcThinStr = Gc::as_thin(Gc::new_str(mc, "thin"));
    ///     let pinned: Pinned<Rootable![str]> = Gc::pin(mc, thin);
    ///     assert_eq!(&*pinned.get(mc), "thin");
    /// });
    /// ```
    #[inline]
    #[track_caller]
    pub fn pin<R>(mc: &impl Mutates<'gc, ()>, gc: Gc<'gc, T, K>) -> Pinned<R>
    where
        R: for<'a> Rootable<'a>,
        Gc<'gc, T>: Into<Gc<'gc, Root<'gc, R>>>,
    {
        let gc = Gc::erase_kind(gc).into();
        let (pins, place) = (Arc::clone(pins(mc)), Place::here());
        // SAFETY: it is a pointer of the arena that `'gc` brands, which is there; and the pins are those of that arena.
        let number = unsafe { pins.add(address_of(gc), Kind::Guard, place) };
        Pinned {
            // SAFETY: the brand is forgotten here and given back only in calls of the arena with these
            // pins (`try_get`).
            pointer: unsafe { Gc::from_ptr(Gc::as_ptr(gc) as *const Root<'static, R>) },
            pin: Pin {
                pins,
                number,
                place,
            },
        }
    }

    /// Whether the object is pinned. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Gc, Rootable, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let five = Gc::new(mc, 5);
    ///     let pinned = Gc::pin::<Rootable![i32]>(mc, five);
    ///     assert!(Gc::is_pinned(mc, five));
    ///     drop(pinned);
    ///     assert!(!Gc::is_pinned(mc, five));
    /// });
    /// ```
    #[inline]
    pub fn is_pinned(mc: &impl Mutates<'gc, ()>, gc: Gc<'gc, T, K>) -> bool {
        // SAFETY: it is a pointer of the arena that `'gc` brands, which is there.
        unsafe { pins(mc).is_pinned(address_of(gc)) }
    }

    /// Keeps the object alive and in place until [`Gc::unpin_raw`] is called with its address as often
    /// as this was, or the arena is dropped. Never collects, and takes constant time.
    ///
    /// For foreign code that can keep an address but no [`Pinned`]. [`Gc::from_ptr`] is the way back.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![()]>::new(|_| ());
    /// let address = arena.mutate(|mc, _| Gc::pin_raw(mc, Gc::str_from(mc, "here")));
    /// arena.finish_cycle();
    /// arena.mutate(|mc, _| {
    ///     // SAFETY: the object is pinned, in this arena; and the pin is the one that was made above.
    ///     unsafe {
    ///         assert_eq!(*Gc::from_ptr(address), *"here");
    ///         Gc::unpin_raw(mc, address).unwrap();
    ///         Gc::unpin_raw(mc, address).unwrap_err();
    ///     }
    /// });
    /// ```
    #[inline]
    #[track_caller]
    pub fn pin_raw(mc: &impl Mutates<'gc, ()>, gc: Gc<'gc, T, K>) -> *const T {
        // SAFETY: it is a pointer of the arena that `'gc` brands, which is there.
        unsafe { pins(mc).add(address_of(gc), Kind::Raw, Place::here()) };
        Gc::as_ptr(gc)
    }
}

impl<'gc, T: ?Sized + 'gc> Gc<'gc, T> {
    /// Takes back a pin that [`Gc::pin_raw`] made. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![()]>::new(|_| ());
    /// let address = arena.mutate(|mc, _| {
    ///     let five = Gc::new(mc, 5);
    ///     Gc::pin_raw(mc, five);
    ///     Gc::pin_raw(mc, five)
    /// });
    /// for left in [1, 0] {
    ///     // SAFETY: it was pinned twice, and nobody uses the address any more.
    ///     arena.mutate(|mc, _| unsafe { Gc::unpin_raw(mc, address) }).unwrap();
    ///     arena.finish_cycle();
    ///     assert_eq!(arena.metrics().total_gc_count(), left);
    /// }
    /// // SAFETY: an address that is not pinned is refused.
    /// let error = arena.mutate(|mc, _| unsafe { Gc::unpin_raw(mc, address) }).unwrap_err();
    /// assert_eq!((error.address, error.objects), (address.addr(), 0));
    /// ```
    ///
    /// # Errors
    ///
    /// If there is none: the object has no pin, or only guards, or is in another arena, or the address is that
    /// of no object. Nothing is changed then.
    ///
    /// # Safety
    ///
    /// Nobody goes on to rely on the pin that is taken back: each call of `pin_raw` is good for one of this.
    #[inline]
    pub unsafe fn unpin_raw(
        mc: &impl Mutates<'gc, ()>,
        pointer: *const T,
    ) -> Result<(), NotPinned> {
        pins(mc).remove_raw(pointer.cast::<()>().addr())
    }
}

impl<R: for<'a> Rootable<'a>> Pinned<R> {
    /// The address of the object, as [`Gc::as_ptr`] told it, which is the same as long as the guard is there.
    ///
    /// Until the arena is dropped it can be dereferenced, with the care that is due to memory which the
    /// program and the collector read as well: pointers in it are not to be written.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Pinned, Rootable};
    ///
    /// /// What a library does later that was given a buffer: `length` bytes at `start` are sent.
    /// fn send(start: *const u8, length: usize) -> Vec<u8> {
    ///     // SAFETY: the buffer is pinned.
    ///     unsafe { std::slice::from_raw_parts(start, length) }.to_vec()
    /// }
    ///
    /// let mut arena = Arena::<Rootable![()]>::new(|_| ());
    /// let buffer: Pinned<Rootable![[u8]]> =
    ///     arena.mutate(|mc, _| Gc::pin(mc, Gc::slice_from_iter(mc, *b"hello")));
    /// let (start, length) = (buffer.as_ptr().cast::<u8>(), buffer.as_ptr().len());
    /// arena.finish_cycle();
    /// assert_eq!(send(start, length), b"hello");
    /// drop(buffer); // Not before the library is done with it.
    /// ```
    pub fn as_ptr<'gc>(&self) -> *const Root<'gc, R> {
        Gc::as_ptr(self.pointer) as *const Root<'gc, R>
    }

    /// The pointer to the object. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Lock, Pinned, Rootable};
    ///
    /// /// Something of the host that has a part in the heap.
    /// struct Timer {
    ///     state: Pinned<Rootable![Lock<u32>]>,
    /// }
    ///
    /// let mut arena = Arena::<Rootable![()]>::new(|_| ());
    /// let timer = arena.mutate(|mc, _| Timer { state: Gc::pin(mc, Gc::new(mc, Lock::new(0))) });
    /// for _ in 0..3 {
    ///     arena.mutate(|mc, _| {
    ///         let state = timer.state.get(mc);
    ///         state.set(mc, state.get() + 1);
    ///     });
    ///     arena.finish_cycle();
    /// }
    /// assert_eq!(arena.mutate(|mc, _| timer.state.get(mc).get()), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If the guard is of another arena; see [`Pinned::try_get`].
    #[inline]
    #[track_caller]
    pub fn get<'gc>(&self, mc: &impl Mutates<'gc, ()>) -> Gc<'gc, Root<'gc, R>> {
        self.try_get(mc).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The pointer to the object. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Gc, Rootable, arena::rootless_mutate};
    ///
    /// let pinned = rootless_mutate(|mc| {
    ///     let pinned = Gc::pin::<Rootable![str]>(mc, Gc::str_from(mc, "here"));
    ///     assert_eq!(&*pinned.try_get(mc).unwrap(), "here");
    ///     pinned
    /// });
    /// rootless_mutate(|mc| assert!(pinned.try_get(mc).is_err()));
    /// ```
    ///
    /// # Errors
    ///
    /// If the guard is of another arena.
    #[inline]
    pub fn try_get<'gc>(
        &self,
        mc: &impl Mutates<'gc, ()>,
    ) -> Result<Gc<'gc, Root<'gc, R>>, MismatchedArena> {
        if !Arc::ptr_eq(pins(mc), &self.pin.pins) {
            return Err(MismatchedArena("pinned object"));
        }
        // SAFETY: it was put here in this arena, as a pointer to this type, and was pinned ever since; so it
        // survives the cycle in progress, if there is one, also when it is not any more (`heap::pins`).
        Ok(unsafe { Gc::from_ptr(self.as_ptr()) })
    }
}

impl<R: for<'a> Rootable<'a>> Clone for Pinned<R> {
    /// One more pin of the same object.
    #[track_caller]
    fn clone(&self) -> Pinned<R> {
        let (pins, number, place) = (Arc::clone(&self.pin.pins), self.pin.number, Place::here());
        pins.retain(number, place);
        Pinned {
            pointer: self.pointer,
            pin: Pin {
                pins,
                number,
                place,
            },
        }
    }
}

impl<R: for<'a> Rootable<'a>> fmt::Debug for Pinned<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pinned")
            .field(&self.as_ptr().cast::<()>())
            .finish()
    }
}

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
{
    /// All objects that are pinned, in ascending order of their addresses: how often each is and, in debug
    /// builds of this crate, where in the source that was done. Takes time linear in the number of pins, and
    /// that of sorting the objects.
    ///
    /// An object that is in it though nobody should have a guard any more was leaked.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let pinned = arena.mutate(|mc, _| Gc::pin::<Rootable![u8]>(mc, Gc::new(mc, 1)));
    /// let again = pinned.clone();
    /// let list = arena.pinned();
    /// assert_eq!((list.len(), list[0].pins), (1, 2));
    /// assert_eq!(list[0].address, pinned.as_ptr().addr());
    /// ```
    pub fn pinned(&self) -> Vec<PinnedObject> {
        self.metrics().0.0.heap().pins().list()
    }
}

/// The address of what a pointer leads to.
#[inline]
fn address_of<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>>(gc: Gc<'gc, T, K>) -> usize {
    Gc::as_ptr(Gc::erase(gc)).addr()
}

/// The pins of the arena that `'gc` brands.
#[inline]
fn pins<'a, 'gc>(mc: &'a impl Mutates<'gc, ()>) -> &'a Arc<Pins> {
    mc.access().0.heap().pins()
}

/// A pin, which is taken back when it is dropped.
struct Pin {
    pins: Arc<Pins>,
    number: usize,
    place: Place,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.pins.release(self.number, self.place);
    }
}
