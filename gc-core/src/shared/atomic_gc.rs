//! [`AtomicGc`]: a pointer into the heap that several threads read and write.
//!
//! A write to the cell does not claim the object that the cell is in. Markers read pointer words atomically, so they
//! may read a cell while a thread writes it. The snapshot needs the pointer that was in the word when the cycle began.
//! A thread that overwrites a cell loads it first, and notes the pointer that it finds. Of all threads that do so in a
//! cycle, the one whose write is first has found the old pointer, since nothing else was in the word since the cycle
//! began. A marker may read a later pointer: that leads to an object which some thread could use. The pointer that is
//! stored is noted as well: it may have come from a weak pointer, and the cell is not scanned again.
//!
//! A cycle that remembers writes ([`rescan`](crate::collector::rescan)) scans the cell again if its object is claimed.
//! So the object is claimed before the store, and nothing is noted: a note could keep a dead object alive by itself.
//! The root is scanned again in any case. For cells in memory that an object or the root owns, the owner is not known,
//! so pointers are noted as in other cycles.
//!
//! Threads and markers store pointers with `Release` and load them with `Acquire`, so a thread that sees the address of
//! a new object also sees what its allocation has written.

use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use super::mutation::Mutation;
use crate::mutator::mutation::Invariant;
use crate::pointers::gc::Gc;
use crate::sync::{AtomicPtr, Ordering};
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A [`Gc`] or none, which all threads of a [shared arena](super::Arena) can load and store.
///
/// It can be a part of any value in the heap, or of the root. A store needs no more than the
/// [`Mutation`]. Loads synchronise with the stores whose pointer they see, and with all before.
///
/// ```
/// use gc_core::Rootable;
/// use gc_core::shared::{Arena, AtomicGc};
///
/// let arena = Arena::<Rootable![AtomicGc<'_, u64>]>::new(|mc| AtomicGc::new(Some(mc.allocate(1))));
/// let here = arena.attach();
/// here.mutate(|mc, cell| cell.store(mc, Some(mc.allocate(2))));
/// here.finish_cycle();
/// here.mutate(|_, cell| assert_eq!(cell.load().as_deref(), Some(&2)));
/// ```
#[repr(transparent)]
pub struct AtomicGc<'gc, T: 'gc> {
    pointer: AtomicPtr<T>,
    _invariant: Invariant<'gc>,
}

const _: () = assert!(size_of::<AtomicGc<'_, u8>>() == 8);

// SAFETY: it is an option of a `Gc`, to be read and written by any thread.
unsafe impl<'gc, T: Send + Sync + 'gc> Send for AtomicGc<'gc, T> {}
// SAFETY: as above.
unsafe impl<'gc, T: Send + Sync + 'gc> Sync for AtomicGc<'gc, T> {}

fn into_raw<'gc, T>(gc: Option<Gc<'gc, T>>) -> *mut T {
    gc.map_or(ptr::null_mut(), |gc| Gc::as_ptr(gc).cast_mut())
}

/// # Safety
///
/// The pointer came from an `AtomicGc` of the arena that `'gc` brands, in the present call.
unsafe fn from_raw<'gc, T>(pointer: *mut T) -> Option<Gc<'gc, T>> {
    // SAFETY: it is null or was a `Gc`, and is kept alive by where it was.
    NonNull::new(pointer).map(|pointer| unsafe { Gc::from_non_null(pointer) })
}

impl<'gc, T: 'gc> AtomicGc<'gc, T> {
    /// A cell with a pointer in it, or none.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// type Pair<'gc> = [AtomicGc<'gc, u32>; 2];
    /// let arena = Arena::<Rootable![Pair<'_>]>::new(|mc| {
    ///     let shared = mc.allocate(5);
    ///     [AtomicGc::new(Some(shared)), AtomicGc::new(None)]
    /// });
    /// arena.attach().mutate(|_, [one, other]| {
    ///     assert_eq!(one.load().as_deref(), Some(&5));
    ///     assert!(other.load().is_none());
    /// });
    /// ```
    pub fn new(gc: Option<Gc<'gc, T>>) -> AtomicGc<'gc, T> {
        AtomicGc {
            pointer: AtomicPtr::new(into_raw(gc)),
            _invariant: PhantomData,
        }
    }

    /// A cell without a pointer.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// let arena = Arena::<Rootable![AtomicGc<'_, u8>]>::new(|_| AtomicGc::null());
    /// arena.attach().mutate(|_, cell| assert!(cell.load().is_none()));
    /// ```
    pub const fn null() -> AtomicGc<'gc, T> {
        AtomicGc {
            pointer: AtomicPtr::new(ptr::null_mut()),
            _invariant: PhantomData,
        }
    }

    /// The pointer. Takes one load, with `Acquire`.
    ///
    /// ```
    /// use gc_core::shared::{Arena, AtomicGc};
    /// use gc_core::{Gc, Rootable};
    ///
    /// let arena = Arena::<Rootable![AtomicGc<'_, u32>]>::new(|mc| mc.allocate(1).into());
    /// arena.attach().mutate(|mc, cell| {
    ///     let before = cell.load();
    ///     cell.store(mc, Some(mc.allocate(2)));
    ///     // What was loaded stays as it was, whatever becomes of the cell.
    ///     assert_eq!((before.as_deref(), cell.load().as_deref()), (Some(&1), Some(&2)));
    /// });
    /// ```
    #[inline]
    pub fn load(&self) -> Option<Gc<'gc, T>> {
        // `Acquire`, partners: all stores of a pointer.
        // SAFETY: `'gc` is a brand, so this thread is in a call of the arena that it brands.
        unsafe { from_raw(self.pointer.load(Ordering::Acquire)) }
    }

    /// Replaces the pointer, with `Release`. Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// // The newest configuration; threads see the old one or the new one, always a whole one.
    /// let arena = Arena::<Rootable![AtomicGc<'_, (u32, u32)>]>::new(|mc| mc.allocate((1, 1)).into());
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         arena.attach().mutate(|mc, newest| newest.store(mc, Some(mc.allocate((2, 2)))));
    ///     });
    ///     arena.attach().mutate(|_, newest| {
    ///         let (one, same) = *newest.load().unwrap();
    ///         assert_eq!(one, same);
    ///     });
    /// });
    /// ```
    #[inline]
    pub fn store(&self, mc: &Mutation<'gc>, new: Option<Gc<'gc, T>>) {
        if self.before_write(mc) {
            note(mc, self.load());
            note(mc, new);
        }
        // `Release`, partners: `load`, and the marker's.
        self.pointer.store(into_raw(new), Ordering::Release);
    }

    /// Replaces the pointer, and returns what it was. Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// // A place for one job, which one thread gets.
    /// let arena = Arena::<Rootable![AtomicGc<'_, u32>]>::new(|mc| mc.allocate(7).into());
    /// arena.attach().mutate(|mc, place| {
    ///     assert_eq!(place.swap(mc, None).as_deref(), Some(&7));
    ///     assert!(place.swap(mc, None).is_none());
    /// });
    /// ```
    #[inline]
    pub fn swap(&self, mc: &Mutation<'gc>, new: Option<Gc<'gc, T>>) -> Option<Gc<'gc, T>> {
        let noted = self.before_write(mc);
        // `AcqRel`, partners: `load` and the stores, as there.
        let old = self.pointer.swap(into_raw(new), Ordering::AcqRel);
        // SAFETY: as in `load`.
        let old = unsafe { from_raw(old) };
        if noted {
            note(mc, old);
            note(mc, new);
        }
        old
    }

    /// Replaces the pointer if it is `current`, and returns what it was. Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// let arena = Arena::<Rootable![AtomicGc<'_, u64>]>::new(|mc| mc.allocate(0).into());
    /// std::thread::scope(|scope| {
    ///     for _ in 0..2 {
    ///         scope.spawn(|| {
    ///             let here = arena.attach();
    ///             for _ in 0..100 {
    ///                 here.mutate(|mc, sum| {
    ///                     let mut old = sum.load();
    ///                     while let Err(found) =
    ///                         sum.compare_exchange(mc, old, Some(mc.allocate(*old.unwrap() + 1)))
    ///                     {
    ///                         old = found;
    ///                     }
    ///                 });
    ///             }
    ///         });
    ///     }
    /// });
    /// arena.attach().mutate(|_, sum| assert_eq!(sum.load().as_deref(), Some(&200)));
    /// ```
    ///
    /// # Errors
    ///
    /// The pointer, if it is another.
    #[inline]
    pub fn compare_exchange(
        &self,
        mc: &Mutation<'gc>,
        current: Option<Gc<'gc, T>>,
        new: Option<Gc<'gc, T>>,
    ) -> Result<Option<Gc<'gc, T>>, Option<Gc<'gc, T>>> {
        let noted = self.before_write(mc);
        let (from, to) = (into_raw(current), into_raw(new));
        // `AcqRel` and `Acquire`, partners: `load` and the stores, as there.
        let result = self
            .pointer
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        match result {
            Ok(_) => {
                if noted {
                    note(mc, current);
                    note(mc, new);
                }
                Ok(current)
            }
            // SAFETY: as in `load`.
            Err(found) => Err(unsafe { from_raw(found) }),
        }
    }

    /// Tells the collector that the cell is about to be written. Whether what comes and goes is to be noted.
    #[inline]
    fn before_write(&self, mc: &Mutation<'gc>) -> bool {
        // SAFETY: the cell is borrowed, and its brand is that of the heap: no object of another one holds it.
        unsafe { mc.before_atomic_write(ptr::from_ref(self).addr()) }
    }
}

/// Notes a pointer that is overwritten, or stored.
fn note<'gc, T>(mc: &Mutation<'gc>, gc: Option<Gc<'gc, T>>) {
    if let Some(gc) = gc {
        mc.note_stored(Gc::erase(gc));
    }
}

impl<'gc, T: 'gc> Default for AtomicGc<'gc, T> {
    fn default() -> AtomicGc<'gc, T> {
        AtomicGc::null()
    }
}

impl<'gc, T: 'gc> From<Gc<'gc, T>> for AtomicGc<'gc, T> {
    fn from(gc: Gc<'gc, T>) -> AtomicGc<'gc, T> {
        AtomicGc::new(Some(gc))
    }
}

// SAFETY: it is one pointer, or null, at its own address.
unsafe impl<'gc, T: 'gc> Collect<'gc> for AtomicGc<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        let slot = ptr::from_ref(self).addr();
        match self.load() {
            Some(gc) => cc.trace_gc_at(slot, Gc::erase(gc)),
            None => cc.trace_null_at(slot, false),
        }
    }
}

impl<'gc, T: fmt::Debug + 'gc> fmt::Debug for AtomicGc<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AtomicGc").field(&self.load()).finish()
    }
}
