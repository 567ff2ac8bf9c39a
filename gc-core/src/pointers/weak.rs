//! [`GcWeak`]: a pointer that does not keep its target alive.

use core::fmt;
use core::ptr;

use crate::collector::weak;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{DefaultGcKind, Fat, Gc, GcFat, GcKind, GcThin, IsGcKind, Thin};
use crate::types::collect::{Collect, Trace};
use crate::types::meta::PtrMeta;
use crate::types::type_map::TypeMap;

/// A pointer to a value in the heap that does not keep it alive.
///
/// When nothing but weak pointers leads to a value, the next collection drops it, and
/// [`GcWeak::upgrade`] returns `None` from then on. The memory of such an object is free only after
/// the last weak pointer to it is gone.
///
/// ```
/// use gc_core::{Arena, Gc, GcWeak, Rootable};
///
/// let mut arena = Arena::<Rootable![GcWeak<'_, u32>]>::new(|mc| Gc::downgrade(Gc::new(mc, 7)));
/// assert!(arena.mutate(|mc, weak| weak.upgrade(mc).is_some()));
/// arena.finish_cycle();
/// assert!(arena.mutate(|mc, weak| weak.upgrade(mc).is_none()));
/// ```
///
/// It has the kind `K` of the pointer from which it was made ([`Gc`]). Thin pointers have names of their own, as
/// [`GcThinSliceWithHeader`](crate::GcThinSliceWithHeader); of a weak one the kind is spelled out:
///
/// ```
/// use gc_core::gc::{GcKind, Thin};
/// use gc_core::gc_slice::SliceWithHeaderPtrMeta;
/// use gc_core::{Gc, GcSliceWithHeaderBuilder, GcWeak, SliceWithHeader, arena::rootless_mutate};
///
/// type Closure = SliceWithHeader<&'static str, u32>;
/// type WeakClosure<'gc> = GcWeak<'gc, Closure, GcKind<Thin<Closure>, (), SliceWithHeaderPtrMeta>>;
///
/// rootless_mutate(|mc| {
///     let closure = GcSliceWithHeaderBuilder::new(2).write_header("add").copy_slice(mc, &[1, 2]);
///     let weak: WeakClosure = Gc::downgrade(Gc::as_thin(closure));
///     assert_eq!(size_of_val(&weak), 8);
///     assert_eq!(weak.upgrade(mc).unwrap().header, "add");
/// });
/// ```
#[repr(transparent)]
pub struct GcWeak<'gc, T: ?Sized + 'gc, K = DefaultGcKind<T>> {
    /// Not to be given out while the target is a shell.
    target: Gc<'gc, T, K>,
}

const _: () = assert!(size_of::<GcWeak<'_, u8>>() == 8 && size_of::<Option<GcWeak<'_, u8>>>() == 8);

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> GcWeak<'gc, T, K> {
    #[inline]
    pub(crate) fn new(target: Gc<'gc, T, K>) -> GcWeak<'gc, T, K> {
        GcWeak { target }
    }

    /// Where the object starts.
    #[inline(always)]
    pub(crate) fn address(self) -> usize {
        Gc::as_ptr(Gc::erase(self.target)).addr()
    }

    /// A strong pointer to the value, if it is still there; it stays so until the current call ends at
    /// least, and longer only if the pointer is stored. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, GcWeak, Lock, Rootable, barrier::unlock};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Child<'gc> {
    ///     parent: Lock<Option<GcWeak<'gc, &'static str>>>,
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Child<'_>>]>::new(|mc| {
    ///     let child = Gc::new(mc, Child { parent: Lock::new(None) });
    ///     let parent = Gc::downgrade(Gc::new(mc, "parent"));
    ///     unlock!(Gc::write(mc, child), Child, parent).set(Some(parent));
    ///     child
    /// });
    /// let name = |arena: &Arena<Rootable![Gc<'_, Child<'_>>]>| {
    ///     arena.mutate(|mc, child| child.parent.get()?.upgrade(mc).map(|parent| *parent))
    /// };
    /// assert_eq!(name(&arena), Some("parent"));
    /// arena.finish_cycle(); // Nothing else leads to the parent.
    /// assert_eq!(name(&arena), None);
    /// ```
    #[inline]
    pub fn upgrade(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, T, K>> {
        // SAFETY: this weak pointer is in use, in the arena that `'gc` brands.
        let there = unsafe { mc.context().upgrade(self.address()) };
        there.then_some(self.target)
    }

    /// A strong pointer.
    ///
    /// # Safety
    ///
    /// The collector said in this `mutate` call that the value is there.
    #[inline]
    pub(crate) unsafe fn assume_there(self) -> Gc<'gc, T, K> {
        self.target
    }

    /// Whether the value was dropped. In a heap with a [`reserve`](crate::HeapOptions::reserve) of its own
    /// this takes a process-wide lock for a moment; where a [`Mutation`] is at hand, [`GcWeak::upgrade`]
    /// is quicker.
    ///
    /// While a collection is in progress, a value that it will drop soon may not be dropped yet, and yet not
    /// be had by [`GcWeak::upgrade`], which alone decides.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// type Cache<'gc> = Vec<GcWeak<'gc, String>>;
    /// let mut arena = Arena::<Rootable![Cache<'_>]>::new(|mc| {
    ///     vec![Gc::downgrade(Gc::new(mc, "text".to_string()))]
    /// });
    /// arena.mutate_root(|_, cache| assert!(!cache[0].is_dropped()));
    /// arena.finish_cycle();
    /// arena.mutate_root(|_, cache| {
    ///     cache.retain(|weak| !weak.is_dropped());
    ///     assert!(cache.is_empty());
    /// });
    /// ```
    pub fn is_dropped(self) -> bool {
        // SAFETY: this weak pointer is in use, and `'gc` outlasts it.
        unsafe { weak::is_shell(self.address()) }
    }

    /// Whether two pointers are, or were, to the same object. Values of size zero may all be the same.
    ///
    /// ```
    /// use gc_core::{Gc, GcWeak, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let (one, other) = (Gc::new(mc, 5), Gc::new(mc, 5));
    ///     let listeners = [Gc::downgrade(one), Gc::downgrade(other)];
    ///     let place = listeners.iter().position(|weak| GcWeak::ptr_eq(*weak, Gc::downgrade(other)));
    ///     assert_eq!(place, Some(1));
    /// });
    /// ```
    #[inline]
    pub fn ptr_eq(this: GcWeak<'gc, T, K>, other: GcWeak<'gc, T, K>) -> bool {
        Gc::ptr_eq(this.target, other.target)
    }

    /// The address of the value. It can be dereferenced only while the value is there. What belongs to a
    /// pointer beside the address is told also after that.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![GcWeak<'_, u32>]>::new(|mc| Gc::downgrade(Gc::new(mc, 5)));
    /// let address = arena.mutate(|_, weak| weak.as_ptr().addr());
    /// arena.finish_cycle();
    /// // As long as there is a weak pointer, the address is not used again.
    /// arena.mutate(|mc, weak| {
    ///     assert_eq!(weak.as_ptr().addr(), address);
    ///     assert_ne!(Gc::as_ptr(Gc::new(mc, 6)).addr(), address);
    /// });
    /// ```
    #[inline]
    pub fn as_ptr(self) -> *const T {
        Gc::as_ptr(self.target)
    }

    /// A pointer to the same object without its type.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Vec<GcWeak<'_, ()>>]>::new(|mc| {
    ///     let watched = [Gc::erase(Gc::new(mc, 5)), Gc::erase(Gc::new(mc, "text"))];
    ///     watched.map(Gc::downgrade).to_vec()
    /// });
    /// arena.mutate_root(|mc, watched| {
    ///     watched.push(GcWeak::erase(Gc::downgrade(Gc::new(mc, 1.5))));
    /// });
    /// arena.finish_cycle();
    /// // Whatever they were, they are gone.
    /// arena.mutate(|_, watched| {
    ///     assert!(watched.len() == 3 && watched.iter().all(|weak| weak.is_dropped()));
    /// });
    /// ```
    #[inline]
    pub fn erase(this: GcWeak<'gc, T, K>) -> GcWeak<'gc, ()> {
        GcWeak {
            target: Gc::erase(this.target),
        }
    }

    /// [`GcWeak::from_ptr`] of any kind.
    ///
    /// ```
    /// use gc_core::{Gc, GcSlice, GcWeak, arena::rootless_mutate};
    /// use gc_core::gc::{GcKind, Thin};
    /// use gc_core::gc_slice::SlicePtrMeta;
    ///
    /// rootless_mutate(|mc| {
    ///     let slice: GcSlice<u8> = Gc::new_slice(mc, b"abc");
    ///     let address = Gc::downgrade(slice).as_ptr();
    ///     // SAFETY: the object is there, and was made for thin pointers to it.
    ///     let thin: GcWeak<[u8], GcKind<Thin<[u8]>, (), SlicePtrMeta>> =
    ///         unsafe { GcWeak::from_ptr_with_kind(address) };
    ///     assert_eq!(*thin.upgrade(mc).unwrap(), *b"abc");
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`GcWeak::from_ptr`] and, what the kind says, for [`Gc::from_ptr_with_kind`].
    #[inline]
    pub unsafe fn from_ptr_with_kind(pointer: *const T) -> GcWeak<'gc, T, K> {
        // SAFETY: the pointer is one to an object that was made for this kind, and that may be a shell by now (the
        // caller's promise). It becomes a `Gc` for the program only after a check that the object is alive.
        let target = unsafe { Gc::from_ptr_with_kind(pointer) };
        GcWeak { target }
    }
}

impl<'gc, T: ?Sized + 'gc> GcWeak<'gc, T> {
    /// A weak pointer from an address that [`GcWeak::as_ptr`] or [`Gc::as_ptr`] told.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![GcWeak<'_, u32>]>::new(|mc| Gc::downgrade(Gc::new(mc, 5)));
    /// let address = arena.mutate(|_, weak| weak.as_ptr());
    /// arena.finish_cycle();
    /// arena.mutate(|mc, weak| {
    ///     // SAFETY: the root has had a weak pointer to the object all the time.
    ///     let again = unsafe { GcWeak::from_ptr(address) };
    ///     assert!(GcWeak::ptr_eq(again, *weak) && again.upgrade(mc).is_none());
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// 1. The address came from one of these in the arena that `'gc` brands.
    /// 2. Since then a weak or strong pointer to the object could always be reached from the root or through a handle; or
    ///    all of this happens in one `mutate` call. (A pointer in an object that is garbage itself does not count: the
    ///    collector may have seen neither, and used the memory again.)
    /// 3. `T` is the type that the object was made as, or such that [`Gc::cast`] to it is allowed while the value is there.
    #[inline]
    pub unsafe fn from_ptr(pointer: *const T) -> GcWeak<'gc, T> {
        // SAFETY: the default kind has no metadata, so it adds nothing to the promises for `from_ptr`, which the caller
        // makes.
        unsafe { GcWeak::from_ptr_with_kind(pointer) }
    }
}

impl<'gc, T: ?Sized + 'gc, M, P> GcWeak<'gc, T, GcKind<Fat<T>, M, P>> {
    /// A pointer to the same object as another type, of the same kind.
    ///
    /// ```
    /// use gc_core::{Gc, GcWeak, arena::rootless_mutate, static_collect};
    ///
    /// #[repr(C)]
    /// struct Widget {
    ///     id: u32,
    /// }
    ///
    /// #[repr(C)]
    /// struct Button {
    ///     widget: Widget,
    ///     label: String,
    /// }
    /// static_collect!(Button);
    ///
    /// rootless_mutate(|mc| {
    ///     let button = Gc::new(mc, Button { widget: Widget { id: 7 }, label: "OK".into() });
    ///     // SAFETY: a `Button` begins with a `Widget`.
    ///     let weak: GcWeak<Widget> = unsafe { GcWeak::cast(Gc::downgrade(button)) };
    ///     assert_eq!((weak.upgrade(mc).unwrap().id, &*button.label), (7, "OK"));
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`Gc::cast`], as long as the value is there; and when it is not, the size and alignment of `U` still are
    /// such.
    #[inline]
    pub unsafe fn cast<U: 'gc>(this: Self) -> GcWeak<'gc, U, GcKind<Fat<U>, M, P>> {
        // Without the checks of `Gc::cast`, as the value may be gone.
        let address = this.target.address().cast::<U>();
        // SAFETY: a valid `U` is at the address as long as the value is there (the caller's promise), and nobody looks when
        // it is not. The kind has the same `M`, so the metadata of the type are still what it says.
        let target = unsafe { Gc::from_non_null_with_kind(address) };
        GcWeak { target }
    }
}

impl<'gc, T: ?Sized + 'gc, M: 'static, P: PtrMeta<T, M>> GcWeak<'gc, T, GcKind<Fat<T>, M, P>> {
    /// A pointer of 8 bytes to the same value, as [`Gc::as_thin`].
    ///
    /// ```
    /// # use gc_core::{Gc, GcWeak, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let slice = Gc::new_slice(mc, &[1, 2]);
    /// let thin = GcWeak::as_thin(Gc::downgrade(slice));
    /// assert_eq!(size_of_val(&thin), 8);
    /// assert_eq!(*thin.upgrade(mc).unwrap(), [1, 2]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Gc::as_thin`].
    #[inline]
    pub fn as_thin(this: Self) -> GcWeak<'gc, T, GcKind<Thin<T>, M, P>> {
        let target: GcFat<'gc, T, M, P> = this.target;
        GcWeak {
            target: Gc::as_thin(target),
        }
    }
}

impl<'gc, T: ?Sized + 'gc, M: 'static, P: PtrMeta<T, M>> GcWeak<'gc, T, GcKind<Thin<T>, M, P>> {
    /// The pointer with all that belongs to it: the reverse of [`GcWeak::as_thin`]. The value need not be
    /// there any more.
    ///
    /// ```
    /// use gc_core::{Gc, GcWeak, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let thin = GcWeak::as_thin(Gc::downgrade(Gc::new_str(mc, "text")));
    ///     let fat = GcWeak::as_fat(thin);
    ///     assert_eq!((size_of_val(&thin), size_of_val(&fat)), (8, 16));
    ///     assert_eq!(fat.upgrade(mc).as_deref(), Some("text"));
    /// });
    /// ```
    #[inline]
    pub fn as_fat(this: Self) -> GcWeak<'gc, T, GcKind<Fat<T>, M, P>> {
        let target: GcThin<'gc, T, M, P> = this.target;
        GcWeak {
            target: Gc::as_fat(target),
        }
    }
}

// SAFETY: a `GcWeak` holds one pointer, itself, and its first word is the address.
unsafe impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Collect<'gc> for GcWeak<'gc, T, K> {
    const TYPE_MAP: TypeMap = TypeMap::WEAK;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace_gc_weak_at(ptr::from_ref(self).addr(), GcWeak::erase(*self));
    }
}

// The impls of `Gc` are those of this type as well: without a `Mutation` it can be compared, and asked
// whether the value was dropped, for which atomic words are read.

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Copy for GcWeak<'gc, T, K> {}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Clone for GcWeak<'gc, T, K> {
    #[inline]
    fn clone(&self) -> GcWeak<'gc, T, K> {
        *self
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> fmt::Debug for GcWeak<'gc, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(GcWeak)")
    }
}
