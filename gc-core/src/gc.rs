//! [`Gc`]: a pointer to a value in the heap.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::{self, NonNull};

use crate::barrier::{Unlock, Write};
use crate::collect::{Collect, Trace};
use crate::gc_weak::GcWeak;
use crate::heap::error::HeapError;
use crate::mutation::{Invariant, Mutation};
use crate::static_wrapper::Static;
use crate::typemap::TypeMap;

/// A pointer to a value in the heap of an arena.
///
/// It is `Copy` and as small as a reference: 8 bytes, or 16 to a slice, a string or a trait object.
/// The brand `'gc` ties it to one call of [`Arena::mutate`](crate::Arena::mutate), during which
/// nothing is collected; between calls it lives on only inside of other values in the heap, in the
/// root, and in a [`DynamicRootSet`](crate::DynamicRootSet).
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let answer = Gc::new(mc, 42);
///     let again = answer;
///     assert_eq!(*answer + *again, 84);
///     assert!(Gc::ptr_eq(answer, again));
/// });
/// ```
#[repr(transparent)]
pub struct Gc<'gc, T: ?Sized + 'gc> {
    pointer: NonNull<T>,
    _invariant: Invariant<'gc>,
}

const _: () = assert!(size_of::<Gc<'_, u8>>() == 8 && size_of::<Option<Gc<'_, u8>>>() == 8);
const _: () = assert!(size_of::<Gc<'_, [u8]>>() == 16);

impl<'gc, T: ?Sized + 'gc> Gc<'gc, T> {
    /// A `Gc` of what [`Mutation`] allocated.
    ///
    /// # Safety
    ///
    /// As for [`Gc::from_ptr`].
    #[inline(always)]
    pub(crate) const unsafe fn from_non_null(pointer: NonNull<T>) -> Gc<'gc, T> {
        Gc {
            pointer,
            _invariant: PhantomData,
        }
    }
}

/// The answer to an allocation that failed where nobody asked for an error.
#[cold]
#[inline(never)]
fn out_of_memory(error: HeapError) -> ! {
    panic!("{error}")
}

impl<'gc, T: Collect<'gc> + 'gc> Gc<'gc, T> {
    /// Moves `value` into the heap. Never collects, and takes constant time.
    ///
    /// A value of size zero without `Drop` needs no memory: all of a type share one address outside
    /// the heap.
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Gc::try_new`]. Types that are aligned to more than 4096 bytes
    /// are refused at compile time.
    #[inline]
    pub fn new(mc: &Mutation<'gc>, value: T) -> Gc<'gc, T> {
        match Gc::try_new(mc, value) {
            Ok(gc) => gc,
            Err(error) => out_of_memory(error),
        }
    }

    /// Moves `value` into the heap, or drops it if there is no memory.
    ///
    /// # Errors
    ///
    /// If the heap's limit, its address space or the memory of the machine is used up. The heap is
    /// as usable as before; leave `mutate`, collect, and try again.
    #[inline]
    pub fn try_new(mc: &Mutation<'gc>, value: T) -> Result<Gc<'gc, T>, HeapError> {
        mc.context()
            .allocate_value(value)
            // SAFETY: the value was just allocated in the arena that `'gc` brands.
            .map(|pointer| unsafe { Gc::from_non_null(pointer) })
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Gc<'gc, [T]> {
    /// Moves the items into the heap, side by side. Never collects, and takes time linear in their
    /// number.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let squares = Gc::new_slice(mc, (0..5).map(|i| i * i));
    /// assert_eq!(*squares, [0, 1, 4, 9, 16]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Gc::try_new_slice`]; or if the iterator ends before it said.
    #[inline]
    pub fn new_slice<I>(mc: &Mutation<'gc>, items: I) -> Gc<'gc, [T]>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        match Gc::try_new_slice(mc, items) {
            Ok(gc) => gc,
            Err(error) => out_of_memory(error),
        }
    }

    /// Moves the items into the heap, side by side.
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`], and if so many items are more than any address space holds. No item
    /// is asked for then.
    ///
    /// # Panics
    ///
    /// If the iterator ends before it said.
    #[inline]
    pub fn try_new_slice<I>(mc: &Mutation<'gc>, items: I) -> Result<Gc<'gc, [T]>, HeapError>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        mc.context()
            .allocate_slice(items.into_iter())
            // SAFETY: the values were just allocated in the arena that `'gc` brands.
            .map(|pointer| unsafe { Gc::from_non_null(pointer) })
    }
}

impl<'gc, T: 'gc> Gc<'gc, [T]> {
    /// [`Gc::write`] for one element: calls the write barrier for it, and lets the caller write to it.
    ///
    /// While a collection marks beside the program, a barrier costs as much as what it is for is large,
    /// once in a cycle; of a large slice, this one is for no more than 512 bytes around the element.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let slots = Gc::new_slice(mc, (0..5).map(Lock::new));
    /// Gc::write_at(mc, slots, 2).unlock().set(7);
    /// assert_eq!(slots[2].get(), 7);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[track_caller]
    pub fn write_at(mc: &Mutation<'gc>, gc: Gc<'gc, [T]>, index: usize) -> &'gc Write<T> {
        let element = &gc.as_ref()[index];
        if size_of::<T>() > 0 {
            let start = ptr::from_ref(element).addr();
            let bytes = (start, start + size_of::<T>());
            // SAFETY: the slice has a size, so an object starts there, and the element lies in it.
            unsafe {
                let object = gc.pointer.addr().get();
                mc.context().before_partial_write(object, bytes);
            }
        } else {
            mc.backward_barrier(Gc::erase(gc), None);
        }
        // SAFETY: the barrier was called.
        unsafe { Write::assume(element) }
    }
}

impl<'gc> Gc<'gc, str> {
    /// Copies a string into the heap. Never collects, and takes time linear in its length.
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Gc::try_new_str`].
    #[inline]
    pub fn new_str(mc: &Mutation<'gc>, text: &str) -> Gc<'gc, str> {
        match Gc::try_new_str(mc, text) {
            Ok(gc) => gc,
            Err(error) => out_of_memory(error),
        }
    }

    /// Copies a string into the heap.
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`].
    #[inline]
    pub fn try_new_str(mc: &Mutation<'gc>, text: &str) -> Result<Gc<'gc, str>, HeapError> {
        mc.context()
            .allocate_str(text)
            // SAFETY: the string was just allocated in the arena that `'gc` brands.
            .map(|pointer| unsafe { Gc::from_non_null(pointer) })
    }
}

impl<'gc, T: 'static> Gc<'gc, T> {
    /// Moves a `'static` value into the heap. Its type need not implement [`Collect`]: it cannot
    /// hold pointers into an arena.
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    #[inline]
    pub fn new_static(mc: &Mutation<'gc>, value: T) -> Gc<'gc, T> {
        // SAFETY: `Static` is transparent, so a pointer to it is one to its content.
        unsafe { Gc::cast(Gc::new(mc, Static(value))) }
    }
}

impl<'gc, T: ?Sized + 'gc> Gc<'gc, T> {
    /// A pointer to the same object as another type.
    ///
    /// # Safety
    ///
    /// It is valid to dereference the address as a `U` for as long as `'gc` lasts. That holds if
    /// the layout of `T` begins with a `U`.
    #[inline]
    pub unsafe fn cast<U: 'gc>(this: Gc<'gc, T>) -> Gc<'gc, U> {
        Gc {
            pointer: this.pointer.cast(),
            _invariant: PhantomData,
        }
    }

    /// A pointer to the same object without its type.
    #[inline]
    pub fn erase(this: Gc<'gc, T>) -> Gc<'gc, ()> {
        // SAFETY: every address that is not null can be dereferenced as a `()`.
        unsafe { Gc::cast(this) }
    }

    /// A `Gc` from an address that [`Gc::as_ptr`] told.
    ///
    /// # Safety
    ///
    /// `pointer` came from `Gc::as_ptr` in the arena that `'gc` brands, and can be dereferenced as a `T`.
    /// What it points to could be reached, through the root or a handle, without this pointer when the
    /// current `mutate` call began, or was allocated in it. (That it was not collected since is not enough:
    /// a collection in progress may have found it unreachable.)
    #[inline]
    pub unsafe fn from_ptr(pointer: *const T) -> Gc<'gc, T> {
        // SAFETY: what `Gc::as_ptr` returns is not null.
        unsafe { Gc::from_non_null(NonNull::new_unchecked(pointer.cast_mut())) }
    }

    /// The address of the value, which stays the same while `'gc` lasts.
    #[inline]
    pub fn as_ptr(this: Gc<'gc, T>) -> *const T {
        this.pointer.as_ptr()
    }

    /// A reference to the value for the whole of the current call.
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "unlike the trait's, the reference outlives `self`"
    )]
    pub fn as_ref(self: Gc<'gc, T>) -> &'gc T {
        // SAFETY: a `Gc` points to a value of the arena that `'gc` brands (or to one that needs no
        // memory), and while `'gc` lasts nothing is collected there. All write access to it goes
        // through cells.
        unsafe { self.pointer.as_ref() }
    }

    /// A weak pointer to the value.
    #[inline]
    pub fn downgrade(this: Gc<'gc, T>) -> GcWeak<'gc, T> {
        GcWeak::new(this)
    }

    /// Calls the write barrier for the object, and lets the caller write to it, through its locks,
    /// until the end of the current call.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate, barrier::field};
    /// struct Counter {
    ///     count: Lock<u32>,
    /// }
    /// # gc_core::static_collect!(Counter);
    /// # rootless_mutate(|mc| {
    /// let counter = Gc::new(mc, Counter { count: Lock::new(1) });
    /// field!(Gc::write(mc, counter), Counter, count).unlock().set(2);
    /// assert_eq!(counter.count.get(), 2);
    /// # });
    /// ```
    #[inline]
    pub fn write(mc: &Mutation<'gc>, gc: Gc<'gc, T>) -> &'gc Write<T> {
        if size_of_val(gc.as_ref()) > 0 {
            // SAFETY: the value has a size, so an object starts there.
            unsafe { mc.context().before_object_write(gc.pointer.addr().get()) }
        } else {
            mc.backward_barrier(Gc::erase(gc), None);
        }
        // SAFETY: the barrier was called.
        unsafe { Write::assume(gc.as_ref()) }
    }

    /// A number for the object itself, whatever is in it: the same for all pointers to it, and for as long as it is
    /// alive, also when the collector moves it. Objects that are alive at the same time have different ones, nearly
    /// always. All bits of it are equally good.
    ///
    /// It means nothing in another process, and says nothing about when the object was made. Values of size zero may
    /// all have the same, as they may be one by [`Gc::ptr_eq`].
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let (one, other) = (Gc::new(mc, 5), Gc::new(mc, 5));
    /// let again = one;
    /// assert_eq!(Gc::identity_hash(one), Gc::identity_hash(again));
    /// assert_ne!(Gc::identity_hash(one), Gc::identity_hash(other));
    /// # });
    /// ```
    #[inline]
    pub fn identity_hash(this: Gc<'gc, T>) -> u64 {
        // As long as objects stay where they are, the address tells them apart. A collector that moves one owes it the
        // number that it had, if anybody has asked; a bit for each object says whether, and the number goes along in
        // a word that the object grows by.
        let mut bits = this.pointer.addr().get() as u64;
        // The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), which is one to one.
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Whether two pointers are to the same object. Values of size zero may all be the same.
    #[inline]
    pub fn ptr_eq(this: Gc<'gc, T>, other: Gc<'gc, T>) -> bool {
        ptr::addr_eq(this.pointer.as_ptr(), other.pointer.as_ptr())
    }
}

impl<'gc, T: Unlock + ?Sized + 'gc> Gc<'gc, T> {
    /// [`Gc::write`], then [`Write::unlock`].
    #[inline]
    pub fn unlock(self, mc: &Mutation<'gc>) -> &'gc T::Unlocked {
        Gc::write(mc, self).unlock()
    }
}

// SAFETY: a `Gc` holds one pointer, itself, and its first word is the address.
unsafe impl<'gc, T: ?Sized + 'gc> Collect<'gc> for Gc<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::STRONG;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace_gc_at(ptr::from_ref(self).addr(), Gc::erase(*self));
    }
}

// SAFETY: a `Gc` is a reference to a value that stays where it is while `'gc` lasts, and that is as long
// as any thread can have it: until the end of a `mutate` call. To use it on another thread is to share the
// value. What writes to the heap or to the collector's state asks for a `Mutation`, which stays with its
// thread. `Send` is asked for because, in a shared arena, the value may be dropped by any thread.
unsafe impl<'gc, T: ?Sized + Send + Sync + 'gc> Send for Gc<'gc, T> {}
// SAFETY: as above: a `Gc` can be copied out of a reference to one.
unsafe impl<'gc, T: ?Sized + Send + Sync + 'gc> Sync for Gc<'gc, T> {}

impl<'gc, T: ?Sized + 'gc> Copy for Gc<'gc, T> {}

impl<'gc, T: ?Sized + 'gc> Clone for Gc<'gc, T> {
    #[inline]
    fn clone(&self) -> Gc<'gc, T> {
        *self
    }
}

impl<'gc, T: ?Sized + 'gc> Deref for Gc<'gc, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        Gc::as_ref(*self)
    }
}

impl<'gc, T: ?Sized + 'gc> AsRef<T> for Gc<'gc, T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<'gc, T: ?Sized + 'gc> Borrow<T> for Gc<'gc, T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<'gc, T: fmt::Debug + ?Sized + 'gc> fmt::Debug for Gc<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<'gc, T: fmt::Display + ?Sized + 'gc> fmt::Display for Gc<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<'gc, T: ?Sized + 'gc> fmt::Pointer for Gc<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.pointer, f)
    }
}

/// Compares the values, like a reference; [`Gc::ptr_eq`] compares the pointers.
impl<'gc, T: PartialEq + ?Sized + 'gc> PartialEq for Gc<'gc, T> {
    fn eq(&self, other: &Self) -> bool {
        T::eq(self, other)
    }
}

impl<'gc, T: Eq + ?Sized + 'gc> Eq for Gc<'gc, T> {}

impl<'gc, T: PartialOrd + ?Sized + 'gc> PartialOrd for Gc<'gc, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        T::partial_cmp(self, other)
    }
}

impl<'gc, T: Ord + ?Sized + 'gc> Ord for Gc<'gc, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        T::cmp(self, other)
    }
}

impl<'gc, T: Hash + ?Sized + 'gc> Hash for Gc<'gc, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        T::hash(self, state)
    }
}
