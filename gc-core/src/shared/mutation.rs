//! [`Mutation`]: the right to allocate and to write in a shared arena.

use core::ptr::{self, NonNull};

use super::Metrics;
use super::mutator::Mutator;
use super::root::Root;
use crate::arenas::arena::{Root as RootOf, Rootable};
use crate::heap::error::{HeapError, or_panic};
use crate::mutator::barrier::Write;
use crate::mutator::context::Context;
use crate::mutator::figures::AnyThread;
use crate::mutator::metrics;
use crate::mutator::mismatch::MismatchedArena;
use crate::mutator::mutates::{Access, Mutates, Sealed};
use crate::mutator::mutation::Invariant;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::pointers::weak::GcWeak;
use crate::pointers::weak_long::GcWeakLong;
use crate::references::ephemeron::Ephemeron;
use crate::references::finalizer::Registration;
use crate::sync::Arc;
use crate::types::collect::Collect;

/// The right to allocate in a shared arena and to write to what is in it, during a `mutate` call, on one
/// thread.
///
/// The lifetime `'gc` brands all pointers of the call. While it lasts, nothing is freed.
///
/// ```
/// use gc_core::shared::{Arena, Mutation};
/// use gc_core::{Collect, Gc, Rootable};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Pair<'gc>(Gc<'gc, str>, Option<Gc<'gc, Pair<'gc>>>);
///
/// /// What allocates takes the right, and what only looks does not.
/// fn cons<'gc>(
///     mc: &Mutation<'gc>,
///     head: &str,
///     tail: Option<Gc<'gc, Pair<'gc>>>,
/// ) -> Gc<'gc, Pair<'gc>> {
///     mc.allocate(Pair(mc.allocate_str(head), tail))
/// }
///
/// let arena = Arena::<Rootable![Gc<'_, Pair<'_>>]>::new(|mc| cons(mc, "a", Some(cons(mc, "b", None))));
/// arena.attach().mutate(|_, list| assert_eq!(&*list.1.unwrap().0, "b"));
/// ```
#[repr(transparent)]
pub struct Mutation<'gc> {
    mutator: Mutator,
    _invariant: Invariant<'gc>,
}

impl<'gc> Mutation<'gc> {
    /// The right itself.
    ///
    /// # Safety
    ///
    /// `'gc` brands only pointers into the heap of this mutator, which is the calling thread's, and inside
    /// as long as it lasts.
    #[inline(always)]
    pub(super) unsafe fn new(mutator: &Mutator) -> &Mutation<'gc> {
        // SAFETY: the layouts are the same, for the type is transparent.
        unsafe { &*ptr::from_ref(mutator).cast::<Mutation<'gc>>() }
    }

    #[inline(always)]
    pub(crate) fn context(&self) -> &Context {
        // SAFETY: the thread is inside as long as there is this right, which stays with its thread.
        unsafe { self.mutator.context() }
    }

    /// # Safety
    ///
    /// The value was just allocated by this mutator.
    #[inline(always)]
    unsafe fn own<T: ?Sized>(
        &self,
        result: Result<NonNull<T>, HeapError>,
    ) -> Result<Gc<'gc, T>, HeapError> {
        // SAFETY: the arena is the one that `'gc` brands.
        result.map(|pointer| unsafe { Gc::from_non_null(pointer) })
    }

    /// The figures and the pace of this arena's collector. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::Arena};
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     let image = mc.allocate(0_u32);
    ///     // It owns 3 MB elsewhere, of which the collector knows nothing.
    ///     mc.metrics().adjust_debt(3e6);
    ///     assert_eq!(*image, 0);
    /// });
    /// ```
    #[inline]
    pub fn metrics(&self) -> Metrics {
        metrics::Metrics(AnyThread(Arc::clone(self.context().collector())))
    }

    /// Moves `value` into the heap. Never collects, and takes constant time, like
    /// [`Gc::new`](crate::Gc::new).
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let number = mc.allocate(7);
    /// let pair = mc.allocate((number, "seven"));
    /// assert_eq!((*pair.0, pair.1), (7, "seven"));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Mutation::try_allocate`].
    #[inline]
    pub fn allocate<T>(&self, value: T) -> Gc<'gc, T>
    where
        T: Collect<'gc> + Send + Sync + 'gc,
    {
        or_panic(self.try_allocate(value))
    }

    /// Moves `value` into the heap, or drops it if there is no memory.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let here = arena.attach();
    /// let fill = || here.mutate(|mc, _| while mc.try_allocate([0_u64; 100]).is_ok() {});
    /// fill();
    /// here.finish_cycle(); // All of it is garbage,
    /// here.mutate(|mc, _| assert!(mc.try_allocate([0_u64; 100]).is_ok())); // so there is room again.
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the heap's limit, its address space or the memory of the machine is used up. The heap is
    /// as usable as before; leave `mutate`, collect, and try again.
    #[inline]
    pub fn try_allocate<T>(&self, value: T) -> Result<Gc<'gc, T>, HeapError>
    where
        T: Collect<'gc> + Send + Sync + 'gc,
    {
        // SAFETY: it is allocated here.
        unsafe { self.own(self.context().allocate_value(value)) }
    }

    /// Moves the items into the heap, side by side. Never collects, and takes time linear in their number.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let words = mc.allocate_slice(["one", "two"].map(|word| mc.allocate_str(word)));
    /// assert_eq!(&*words[1], "two");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_allocate_slice`]; or if the iterator ends before it said.
    #[inline]
    pub fn allocate_slice<T, I>(&self, items: I) -> Gc<'gc, [T]>
    where
        T: Collect<'gc> + Send + Sync + 'gc,
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        or_panic(self.try_allocate_slice(items))
    }

    /// Moves the items into the heap, side by side.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(1 << 20);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.attach().mutate(|mc, _| {
    ///     // A length that comes from a user of the program may be anything.
    ///     let image = |pixels: usize| mc.try_allocate_slice(std::iter::repeat_n(0_u32, pixels));
    ///     assert_eq!(image(100).unwrap().len(), 100);
    ///     assert!(matches!(image(1 << 30), Err(HeapError::LimitReached { .. })));
    ///     assert!(matches!(image(usize::MAX), Err(HeapError::SizeOverflow { .. })));
    /// });
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`], and if so many items are more than any address space holds. No
    /// item is taken then.
    ///
    /// # Panics
    ///
    /// If the iterator ends before it said.
    #[inline]
    pub fn try_allocate_slice<T, I>(&self, items: I) -> Result<Gc<'gc, [T]>, HeapError>
    where
        T: Collect<'gc> + Send + Sync + 'gc,
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        // SAFETY: they are allocated here.
        unsafe { self.own(self.context().allocate_slice(items.into_iter())) }
    }

    /// Copies a string into the heap. Never collects, and takes time linear in its length.
    ///
    /// ```
    /// # use gc_core::{Gc, Rootable, shared::Arena};
    /// let arena = Arena::<Rootable![Gc<'_, str>]>::new(|mc| mc.allocate_str("text"));
    /// arena.attach().mutate(|_, text| assert_eq!(text.to_uppercase(), "TEXT"));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Mutation::try_allocate_str`].
    #[inline]
    pub fn allocate_str(&self, text: &str) -> Gc<'gc, str> {
        or_panic(self.try_allocate_str(text))
    }

    /// Copies a string into the heap.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.attach().mutate(|mc, _| {
    ///     assert_eq!(&*mc.try_allocate_str("short").unwrap(), "short");
    ///     assert!(mc.try_allocate_str(&"long".repeat(100_000)).is_err());
    /// });
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`].
    #[inline]
    pub fn try_allocate_str(&self, text: &str) -> Result<Gc<'gc, str>, HeapError> {
        // SAFETY: it is allocated here.
        unsafe { self.own(self.context().allocate_str(text)) }
    }

    /// Calls the write barrier for the object, and lets the caller write to it, through its cells, until
    /// the end of the current call.
    ///
    /// While a collection marks concurrently, the first barrier for an object in a cycle costs as much
    /// as the object is large; another thread that calls one meanwhile waits.
    ///
    /// ```
    /// use gc_core::barrier::field;
    /// use gc_core::shared::{Arena, Mutex};
    /// use gc_core::{Collect, Gc, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Tree<'gc> {
    ///     name: String,
    ///     children: Mutex<Vec<Gc<'gc, Tree<'gc>>>>,
    /// }
    ///
    /// let arena = Arena::<Rootable![Gc<'_, Tree<'_>>]>::new(|mc| {
    ///     let (name, children) = ("root".to_string(), Mutex::default());
    ///     mc.allocate(Tree { name, children })
    /// });
    /// let here = arena.attach();
    /// here.mutate(|mc, &tree| {
    ///     let (name, children) = ("leaf".to_string(), Mutex::default());
    ///     let leaf = mc.allocate(Tree { name, children });
    ///     field!(mc.write(tree), Tree, children).lock().push(leaf);
    /// });
    /// ```
    #[inline]
    pub fn write<T, K>(&self, gc: Gc<'gc, T, K>) -> &'gc Write<T>
    where
        T: ?Sized + 'gc,
        K: IsGcKind<'gc, T>,
    {
        // SAFETY: it is the address of a `Gc` of this heap, in a `mutate` call.
        unsafe {
            self.context()
                .before_write(Gc::as_ptr(Gc::erase(gc)).addr());
        }
        // SAFETY: the barrier was called.
        unsafe { Write::assume(gc.as_ref()) }
    }

    /// [`Mutation::write`] for one element of a slice: of a large one, the barrier is for no more than
    /// 4 KiB.
    ///
    /// ```
    /// use gc_core::shared::{Arena, Mutex};
    /// use gc_core::{Gc, Rootable};
    ///
    /// // Buckets that are locked one by one.
    /// type Buckets<'gc> = Gc<'gc, [Mutex<Vec<u32>>]>;
    /// let arena = Arena::<Rootable![Buckets<'_>]>::new(|mc| {
    ///     mc.allocate_slice((0..16).map(|_| Mutex::default()))
    /// });
    /// arena.attach().mutate(|mc, &buckets| {
    ///     for number in [3, 19, 5] {
    ///         mc.write_at(buckets, number as usize % 16).lock().push(number);
    ///     }
    ///     assert_eq!(*mc.write_at(buckets, 3).lock(), [3, 19]);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[track_caller]
    pub fn write_at<T, K>(&self, gc: Gc<'gc, [T], K>, index: usize) -> &'gc Write<T>
    where
        T: 'gc,
        K: IsGcKind<'gc, [T]>,
    {
        let element = &gc.as_ref()[index];
        let object = Gc::as_ptr(Gc::erase(gc)).addr();
        if size_of::<T>() > 0 {
            let start = ptr::from_ref(element).addr();
            // SAFETY: the slice has a size, so an object starts there, and the element lies in it.
            unsafe {
                self.context()
                    .before_partial_write(object, (start, start + size_of::<T>()));
            }
        } else {
            // SAFETY: it is the address of a `Gc` of this heap, in a `mutate` call.
            unsafe { self.context().before_write(object) }
        }
        // SAFETY: the barrier was called.
        unsafe { Write::assume(element) }
    }

    /// A strong pointer to the value, if it is still there. Takes constant time.
    ///
    /// ```
    /// use gc_core::shared::{Arena, Mutex};
    /// use gc_core::{Gc, GcWeak, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, str>, GcWeak<'gc, str>, GcWeak<'gc, str>);
    /// let arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let (kept, lost) = (mc.allocate_str("kept"), mc.allocate_str("lost"));
    ///     (kept, Gc::downgrade(kept), Gc::downgrade(lost))
    /// });
    /// let here = arena.attach();
    /// here.finish_cycle();
    /// here.mutate(|mc, (_, kept, lost)| {
    ///     assert_eq!(mc.upgrade(*kept).as_deref(), Some("kept"));
    ///     assert!(mc.upgrade(*lost).is_none());
    /// });
    /// ```
    #[inline]
    pub fn upgrade<T: ?Sized + 'gc, K: IsGcKind<'gc, T>>(
        &self,
        weak: GcWeak<'gc, T, K>,
    ) -> Option<Gc<'gc, T, K>> {
        // SAFETY: the weak pointer is in use, in the arena that `'gc` brands; and the pointer is made only if
        // the value is there.
        unsafe {
            let there = self.context().upgrade(weak.address());
            there.then(|| weak.assume_there())
        }
    }

    /// A strong pointer to the value, if it was not freed and will not be by the collection in progress. Takes
    /// constant time.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, GcWeakLong, Rootable};
    ///
    /// let arena = Arena::<Rootable![GcWeakLong<'_, u32>]>::new(|mc| Gc::downgrade_long(mc.allocate(7)));
    /// let here = arena.attach();
    /// let found = Arc::new(AtomicBool::new(false));
    /// here.mutate(|mc, long| {
    ///     let (object, found) = (mc.upgrade_long(*long).unwrap(), Arc::clone(&found));
    ///     _ = mc.finalize_with(object, move |object, mc| {
    ///         // Short weak pointers to it lead nowhere any more; long ones do as long as it is there.
    ///         let (short, long) = (Gc::downgrade(object), Gc::downgrade_long(object));
    ///         let there = mc.upgrade(short).is_none() && mc.upgrade_long(long).is_some();
    ///         found.store(there, Ordering::Relaxed);
    ///     });
    /// });
    /// here.finish_cycle();
    /// here.finish_cycle();
    /// assert!(found.load(Ordering::Relaxed));
    /// here.mutate(|mc, long| assert!(mc.upgrade_long(*long).is_none()));
    /// ```
    #[inline]
    pub fn upgrade_long<T: ?Sized + 'gc, K: IsGcKind<'gc, T>>(
        &self,
        weak: GcWeakLong<'gc, T, K>,
    ) -> Option<Gc<'gc, T, K>> {
        // SAFETY: as in `upgrade`.
        unsafe {
            let there = self.context().upgrade_long(weak.shorten().address());
            there.then(|| weak.shorten().assume_there())
        }
    }

    /// Key and value of an ephemeron, if the key is there. Takes constant time.
    ///
    /// ```
    /// use gc_core::shared::{Arena, AtomicGc};
    /// use gc_core::{Ephemeron, Gc, Rootable};
    ///
    /// type Root<'gc> = (AtomicGc<'gc, u32>, Ephemeron<'gc, u32, String>);
    /// let arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let (key, note) = (mc.allocate(7), mc.allocate("a lucky one".to_string()));
    ///     (key.into(), Ephemeron::new(key, note))
    /// });
    /// let here = arena.attach();
    /// here.finish_cycle();
    /// here.mutate(|mc, (key, note)| {
    ///     let (_, text) = mc.get_ephemeron(*note).unwrap();
    ///     assert_eq!(*text, "a lucky one");
    ///     key.store(mc, None);
    /// });
    /// here.finish_cycle();
    /// here.mutate(|mc, (_, note)| assert!(mc.get_ephemeron(*note).is_none()));
    /// ```
    pub fn get_ephemeron<K: 'gc, V: 'gc>(
        &self,
        ephemeron: Ephemeron<'gc, K, V>,
    ) -> Option<(Gc<'gc, K>, Gc<'gc, V>)> {
        // SAFETY: the ephemeron is in use, in the arena that `'gc` brands.
        unsafe { ephemeron.get_in(self.context()) }
    }

    /// Registers a closure as a finalizer of the object, see [`crate::references::finalizer`]: it is called with it,
    /// once, when it was found to be dead, on whatever thread is at a safepoint then. Never collects, and takes
    /// constant time and a lock for a moment.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let sum = Arc::new(AtomicU64::new(0));
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// here.mutate(|mc, _| {
    ///     let sum = Arc::clone(&sum);
    ///     _ = mc.finalize_with(mc.allocate(5), move |five, _| {
    ///         sum.fetch_add(*five, Ordering::Relaxed);
    ///     });
    /// });
    /// here.finish_cycle();
    /// assert_eq!(sum.load(Ordering::Relaxed), 5);
    /// ```
    ///
    /// # Panics
    ///
    /// If more than 2<sup>32</sup> are registered.
    pub fn finalize_with<T, F>(&self, gc: Gc<'gc, T>, f: F) -> Registration
    where
        T: Send + Sync + 'gc,
        F: FnOnce(Gc<'gc, T>, &Mutation<'gc>) + Send + 'static,
    {
        let run = move |mc: *const (), target: usize| {
            // SAFETY: as in `crate::Mutation::finalize_with`.
            unsafe {
                let mc = &*mc.cast::<Mutation<'gc>>();
                let gc = Gc::from_ptr(ptr::with_exposed_provenance::<T>(target));
                f(gc, mc);
            }
        };
        // SAFETY: what the closure owns is `f`, which is `'static`, and `Send`.
        unsafe { self.context().register_run(gc, Box::new(run)) }
    }

    /// Whether another thread waits for this call to return. Long calls should check this now and then, and
    /// return early; the next one can go on. Costs a load.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, Mutation};
    ///
    /// /// Does some of the work that is left, in one call.
    /// fn work(mc: &Mutation<'_>, left: &mut u32) {
    ///     while *left > 0 && !mc.should_yield() {
    ///         _ = mc.allocate(*left);
    ///         *left -= 1;
    ///     }
    /// }
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// let mut left = 100_000;
    /// while left > 0 {
    ///     here.mutate(|mc, _| work(mc, &mut left));
    ///     here.collect_debt();
    /// }
    /// ```
    #[inline]
    pub fn should_yield(&self) -> bool {
        self.mutator.world.handshake.should_yield()
    }

    /// A handle that keeps the object alive, until it and its clones are dropped. Never collects, and takes a lock
    /// for a moment.
    ///
    /// ```
    /// use gc_core::shared::{Arena, Root};
    /// use gc_core::Rootable;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// let global: Root<Rootable![str]> = here.mutate(|mc, _| mc.root(mc.allocate_str("global")));
    /// let same = global.clone();
    /// drop(global);
    /// here.finish_cycle();
    /// here.mutate(|mc, _| assert_eq!(&*mc.get(&same), "global"));
    /// ```
    pub fn root<R: for<'a> Rootable<'a>>(&self, gc: Gc<'gc, RootOf<'gc, R>>) -> Root<R> {
        // SAFETY: the object is one of the arena with this table.
        unsafe { Root::new(&self.mutator.world.roots, gc) }
    }

    /// The pointer behind a handle. Takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// let counter = here.mutate(|mc, _| {
    ///     mc.root::<Rootable![AtomicGc<'_, u32>]>(mc.allocate(AtomicGc::null()))
    /// });
    /// here.mutate(|mc, _| mc.get(&counter).store(mc, Some(mc.allocate(1))));
    /// here.finish_cycle();
    /// here.mutate(|mc, _| assert_eq!(mc.get(&counter).load().as_deref(), Some(&1)));
    /// ```
    ///
    /// # Panics
    ///
    /// If the handle is one of another arena; see [`Mutation::try_get`].
    #[inline]
    #[track_caller]
    pub fn get<R: for<'a> Rootable<'a>>(&self, root: &Root<R>) -> Gc<'gc, RootOf<'gc, R>> {
        self.try_get(root).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The pointer behind a handle. Takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let (mine, yours) = (Arena::<Rootable![()]>::new(|_| ()), Arena::<Rootable![()]>::new(|_| ()));
    /// let root = mine.attach().mutate(|mc, _| mc.root::<Rootable![u8]>(mc.allocate(1)));
    /// mine.attach().mutate(|mc, _| assert_eq!(*mc.try_get(&root).unwrap(), 1));
    /// yours.attach().mutate(|mc, _| assert!(mc.try_get(&root).is_err()));
    /// ```
    ///
    /// # Errors
    ///
    /// If the handle is one of another arena.
    #[inline]
    pub fn try_get<R: for<'a> Rootable<'a>>(
        &self,
        root: &Root<R>,
    ) -> Result<Gc<'gc, RootOf<'gc, R>>, MismatchedArena> {
        if !Arc::ptr_eq(root.table(), &self.mutator.world.roots) {
            return Err(MismatchedArena("handle"));
        }
        // SAFETY: the handle is of this arena, and keeps its object alive.
        let gc = unsafe { root.pointer() };
        // The handle may be gone before the marker has come to the object.
        self.note_read(Gc::erase(gc));
        Ok(gc)
    }

    /// Notes that an atomic cell is about to be written. Whether the pointers that come and go are to be noted.
    ///
    /// # Safety
    ///
    /// The cell is in use, in an object of this heap or outside of all heaps.
    #[inline]
    pub(super) unsafe fn before_atomic_write(&self, cell: usize) -> bool {
        // SAFETY: the cell is in use (the caller's promise), and there is a `mutate` call as long as `self`.
        unsafe {
            self.context()
                .before_atomic_write(cell, || self.mutator.is_in_root(cell))
        }
    }

    /// Notes a pointer that is stored into an atomic cell, or was there.
    pub(super) fn note_stored(&self, gc: Gc<'gc, ()>) {
        // SAFETY: as in `note_read`.
        unsafe { self.context().note_stored(Gc::as_ptr(gc).addr()) }
    }

    /// Notes a pointer that is taken from a place where writes need no barrier.
    #[inline]
    pub(super) fn note_read(&self, gc: Gc<'gc, ()>) {
        // SAFETY: it leads into the heap of this mutator, or to a value that needs no memory.
        unsafe { self.context().note_read(Gc::as_ptr(gc).addr()) }
    }
}

impl Sealed for Mutation<'_> {}

// The bounds are those of allocation: values may be read, traced and dropped by any thread.
impl<'gc, T: Send + Sync> Mutates<'gc, T> for Mutation<'gc> {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        Access(self.context())
    }
}
