//! [`Gc`]: a pointer to a value in the heap.
//!
//! `Gc<'gc, T>` is as wide as a reference to a `T`. The third parameter is the *kind* of the pointer. Other kinds can have
//! metadata next to the value: of its type, and of the pointer, which may then be *thin*.

mod builder;
mod downcast;
mod kind;
mod thin;
mod traits;

use core::marker::PhantomData;
use core::ptr::{self, NonNull};

pub use self::builder::GcBuilder;
pub use self::kind::{DefaultGcKind, Fat, GcFat, GcKind, GcThin, IsGcKind, Thin};
use crate::heap::error::{HeapError, or_panic};
use crate::heap::extent;
use crate::mutator::barrier::{Unlock, Write};
use crate::mutator::mutation::{Invariant, Mutation};
use crate::pointers::weak::GcWeak;
use crate::types::collect::Collect;
use crate::types::meta::PtrMeta;
use crate::types::static_wrapper::Static;

/// A pointer to a value in the heap of an arena.
///
/// It is `Copy` and as small as a reference: 8 bytes, or 16 to a slice, a string or a trait object.
/// The brand `'gc` ties it to one call of [`Arena::mutate`](crate::Arena::mutate), during which
/// nothing is collected; between calls it lives on only inside of other values in the heap, in the
/// root, in a [`DynamicRootSet`](crate::DynamicRootSet), and behind a [guard that pins](crate::arenas::pinning).
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
///
/// What is stored is a matter of the kind `K`, which one need not name: `Gc<'gc, T>` has the one by default.
/// [`GcFat`] and [`GcThin`] are names for others, which builders make: [`GcBuilder`], and those in
/// [`crate::pointers::gc_slice`].
#[repr(transparent)]
pub struct Gc<'gc, T: ?Sized + 'gc, K = DefaultGcKind<T>> {
    kind: K,
    _value: PhantomData<NonNull<T>>,
    _invariant: Invariant<'gc>,
}

const _: () = assert!(size_of::<Gc<'_, u8>>() == 8 && size_of::<Option<Gc<'_, u8>>>() == 8);
const _: () = assert!(size_of::<Gc<'_, [u8]>>() == 16);
const _: () = assert!(size_of::<Gc<'_, dyn core::fmt::Debug>>() == 16);

impl<'gc, T: ?Sized + 'gc> Gc<'gc, T> {
    /// A `Gc` of what [`Mutation`] allocated.
    ///
    /// # Safety
    ///
    /// As for [`Gc::from_ptr`].
    #[inline(always)]
    pub(crate) unsafe fn from_non_null(pointer: NonNull<T>) -> Gc<'gc, T> {
        // SAFETY: the default kind has no metadata, so it adds nothing to the promises for `from_ptr`, which the caller
        // makes.
        unsafe { Gc::from_non_null_with_kind(pointer) }
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Gc<'gc, T, K> {
    /// A `Gc` of what was just made.
    ///
    /// # Safety
    ///
    /// As for [`Gc::from_ptr_with_kind`].
    #[inline(always)]
    pub(crate) unsafe fn from_non_null_with_kind(pointer: NonNull<T>) -> Gc<'gc, T, K> {
        Gc {
            kind: K::from_fat(pointer),
            _value: PhantomData,
            _invariant: PhantomData,
        }
    }

    /// Where the object starts.
    #[inline(always)]
    pub(in crate::pointers) fn address(self) -> NonNull<()> {
        self.kind.address()
    }
}

impl<'gc, T: ?Sized + 'gc, M: 'static, P: PtrMeta<T, M>> GcThin<'gc, T, M, P> {
    /// A thin `Gc` of the value at `address`.
    ///
    /// # Safety
    ///
    /// As for [`Gc::from_ptr_with_kind`].
    #[inline(always)]
    unsafe fn from_address(address: NonNull<()>) -> GcThin<'gc, T, M, P> {
        Gc {
            kind: GcKind::from_address(address),
            _value: PhantomData,
            _invariant: PhantomData,
        }
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Gc<'gc, T> {
    /// Moves `value` into the heap. Never collects, and takes constant time.
    ///
    /// A value of size zero without `Drop` needs no memory: all of a type share one address outside
    /// the heap.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let pair = Gc::new(mc, (Gc::new(mc, 1), 2));
    /// assert_eq!((*pair.0, pair.1), (1, 2));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Gc::try_new`]. Types that are aligned to more than 4096 bytes
    /// are refused at compile time.
    #[inline]
    pub fn new(mc: &Mutation<'gc>, value: T) -> Gc<'gc, T> {
        or_panic(Gc::try_new(mc, value))
    }

    /// Moves `value` into the heap, or drops it if there is no memory. Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let error = arena.mutate(|mc, _| loop {
    ///     if let Err(error) = Gc::try_new(mc, [0_u64; 100]) {
    ///         break error;
    ///     }
    /// });
    /// assert!(matches!(error, HeapError::LimitReached { .. }));
    /// # Ok::<(), HeapError>(())
    /// ```
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
    /// [`Gc::new_slice`] makes slices to which there are thin pointers, which takes up to two words more.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let squares = Gc::slice_from_iter(mc, (0..5).map(|i| i * i));
    /// assert_eq!(*squares, [0, 1, 4, 9, 16]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Gc::try_slice_from_iter`]; or if the iterator ends before it said.
    #[inline]
    pub fn slice_from_iter<I>(mc: &Mutation<'gc>, items: I) -> Gc<'gc, [T]>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        or_panic(Gc::try_slice_from_iter(mc, items))
    }

    /// Moves the items into the heap, side by side. Never collects, unless the iterator does; takes time
    /// linear in their number.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| {
    ///     assert_eq!(*Gc::try_slice_from_iter(mc, 1..4)?, [1, 2, 3]);
    ///     // Whether there is room is known before the first item is.
    ///     let huge = (0..1_000_000).map(|_| -> [u64; 8] { unreachable!() });
    ///     let error = Gc::try_slice_from_iter(mc, huge).unwrap_err();
    ///     assert!(matches!(error, HeapError::LimitReached { .. }));
    ///     Ok::<(), HeapError>(())
    /// })?;
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`], and if so many items are more than any address space holds. No item
    /// is taken then.
    ///
    /// # Panics
    ///
    /// If the iterator ends before it said.
    #[inline]
    pub fn try_slice_from_iter<I>(mc: &Mutation<'gc>, items: I) -> Result<Gc<'gc, [T]>, HeapError>
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

impl<'gc, T: 'gc, K: IsGcKind<'gc, [T]>> Gc<'gc, [T], K> {
    /// [`Gc::write`] for one element: calls the write barrier for it, and lets the caller write to it.
    ///
    /// While a collection marks concurrently, a barrier costs as much as what it is for is large,
    /// once in a cycle; of a large slice, this one is for no more than 512 bytes around the element.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let slots = Gc::slice_from_iter(mc, (0..5).map(Lock::new));
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
    pub fn write_at(mc: &Mutation<'gc>, gc: Gc<'gc, [T], K>, index: usize) -> &'gc Write<T> {
        let element = &gc.as_ref()[index];
        if size_of::<T>() > 0 {
            let start = ptr::from_ref(element).addr();
            let bytes = (start, start + size_of::<T>());
            // SAFETY: the slice has a size, so an object starts there, and the element lies in it.
            unsafe {
                let object = gc.address().addr().get();
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
    /// [`Gc::new_str`] makes strings to which there are thin pointers, which takes two words more.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let text: Gc<str> = Gc::str_from(mc, "text");
    /// assert_eq!(&*text, "text");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Gc::try_str_from`].
    #[inline]
    pub fn str_from(mc: &Mutation<'gc>, text: &str) -> Gc<'gc, str> {
        or_panic(Gc::try_str_from(mc, text))
    }

    /// Copies a string into the heap. Never collects, and takes time linear in its length.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// arena.mutate(|mc, _| {
    ///     let read = |input: &str| match Gc::try_str_from(mc, input) {
    ///         Ok(text) => format!("read {}", text.len()),
    ///         Err(error) => error.to_string(),
    ///     };
    ///     assert_eq!(read("short"), "read 5");
    ///     assert!(read(&"long".repeat(100_000)).starts_with("out of memory"));
    /// });
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`].
    #[inline]
    pub fn try_str_from(mc: &Mutation<'gc>, text: &str) -> Result<Gc<'gc, str>, HeapError> {
        mc.context()
            .allocate_str(text)
            // SAFETY: the string was just allocated in the arena that `'gc` brands.
            .map(|pointer| unsafe { Gc::from_non_null(pointer) })
    }
}

impl<'gc, T: 'static> Gc<'gc, T> {
    /// Moves a `'static` value into the heap. Its type need not implement [`Collect`]: it cannot
    /// hold pointers into an arena. Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate};
    /// use std::time::Duration;
    ///
    /// rootless_mutate(|mc| {
    ///     let second: Gc<Duration> = Gc::new_static(mc, Duration::from_secs(1));
    ///     assert_eq!(second.as_millis(), 1000);
    /// });
    /// ```
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

impl<'gc, T: ?Sized + 'gc, M, P> GcFat<'gc, T, M, P> {
    /// A pointer to the same object as another type, of the same kind.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate, static_collect};
    ///
    /// #[repr(C)]
    /// struct Shape {
    ///     corners: u32,
    /// }
    ///
    /// #[repr(C)]
    /// struct Square {
    ///     shape: Shape,
    ///     side: f64,
    /// }
    /// static_collect!(Shape);
    /// static_collect!(Square);
    ///
    /// rootless_mutate(|mc| {
    ///     let square = Gc::new(mc, Square { shape: Shape { corners: 4 }, side: 1.5 });
    ///     // SAFETY: a `Square` begins with a `Shape` (`repr(C)`), and neither has pointers, cells or metadata.
    ///     let shape: Gc<Shape> = unsafe { Gc::cast(square) };
    ///     assert_eq!(shape.corners, 4);
    ///     // SAFETY: the object was made as a `Square`.
    ///     let square: Gc<Square> = unsafe { Gc::cast(shape) };
    ///     assert_eq!(square.side, 1.5);
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// The object stays one of the type that it was made as: its pointers are marked and its value is dropped as that
    /// type says, whatever is done through `U`. So it is not enough that a `U` can be read there. In what follows, the
    /// *value* is what the object was made with, which may be of another type than `T`.
    ///
    /// 1. As long as `'gc` lasts, a valid `U` is at the address, aligned and within the value.
    /// 2. Where `U` has a `Gc`, `GcWeak` or another pointer into a heap, the value has the same kind of pointer, of the
    ///    arena that `'gc` brands. (The collector marks what the value's type says, and not what `U` says.)
    /// 3. What can be written through `U` (a [`Lock`](crate::Lock), a cell, an atomic, or what a [`Write`] leads to)
    ///    leaves a valid value, whatever is written; and where `U` can hold pointers that are written, the value has a
    ///    lock or cell at the same place, of the same content. (A `Cell<usize>` is no
    ///    `Lock<Option<Gc<T>>>`, though both are a word that may be zero: its object has no tag there, so what is put into
    ///    it is freed while it is in use.)
    /// 4. What another thread may do with the value meanwhile, if `T` lets it, is no data race with what this one does with
    ///    `U`.
    /// 5. The metadata `M` are still those of the value's type, and `P`, if it is used with `U`, makes valid pointers
    ///    to `U` of those that were given to the builder.
    ///
    /// All of this holds if `U` is the type that the object was made as; and, but for 5, if it is the first field
    /// of such a type that is `repr(C)`, or the type that a `repr(transparent)` one wraps.
    ///
    /// Debug builds check that a `U` is aligned and fits.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub unsafe fn cast<U: 'gc>(this: GcFat<'gc, T, M, P>) -> GcFat<'gc, U, M, P> {
        let address = this.address();
        debug_assert!(
            address.cast::<U>().is_aligned()
                // SAFETY: the object is in use, or the value needs no memory and is outside of all heaps.
                && unsafe { extent::has_room(address.addr().get(), size_of::<U>()) },
            "a cast to a type of {} bytes, aligned to {}, of an object at {address:?} that is none",
            size_of::<U>(),
            align_of::<U>(),
        );
        // SAFETY: a valid `U` is at the address as long as `'gc` lasts, and the object may be used as one (the caller's
        // promises). The kind has the same `M`, so the metadata of the type are still what it says.
        unsafe { Gc::from_non_null_with_kind(address.cast()) }
    }
}

impl<'gc, T: ?Sized + 'gc> Gc<'gc, T> {
    /// A `Gc` from an address that [`Gc::as_ptr`] told.
    ///
    /// ```
    /// use gc_core::{Gc, Lock, Mutation, arena::rootless_mutate};
    ///
    /// // A C library calls back with the address that it was given.
    /// fn each_line(text: &str, call_back: impl Fn(*const ()), data: *const ()) {
    ///     text.lines().for_each(|_| call_back(data));
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let lines = Gc::new(mc, Lock::new(0));
    ///     let count = |data: *const ()| {
    ///         // SAFETY: it is the address of `lines`, which was allocated in this call, as a `Lock<u32>`.
    ///         let lines: Gc<Lock<u32>> = unsafe { Gc::from_ptr(data.cast()) };
    ///         lines.set(mc, lines.get() + 1);
    ///     };
    ///     each_line("one\ntwo\nthree", count, Gc::as_ptr(lines).cast());
    ///     assert_eq!(lines.get(), 3);
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// 1. `pointer` has the address that `Gc::as_ptr` returned in the arena that `'gc` brands.
    /// 2. The object could be reached by strong pointers, from the root or through a handle or a pin, without this one,
    ///    when the current `mutate` call began; or was allocated in it; or was returned in it by
    ///    [`GcWeak::upgrade`](crate::GcWeak::upgrade) and the like. (That it was not collected since is not enough: a
    ///    collection in progress may have found it unreachable.)
    /// 3. `T` is the type that the object was made as, or such that [`Gc::cast`] to it is allowed, for unsized types
    ///    with what the pointer has beside the address.
    #[inline]
    pub unsafe fn from_ptr(pointer: *const T) -> Gc<'gc, T> {
        // SAFETY: what `Gc::as_ptr` returns is not null.
        unsafe { Gc::from_non_null(NonNull::new_unchecked(pointer.cast_mut())) }
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Gc<'gc, T, K> {
    /// [`Gc::from_ptr`] of any kind.
    ///
    /// ```
    /// # use gc_core::{Gc, GcThinSlice, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let slice = Gc::new_slice(mc, &[1, 2]);
    /// // SAFETY: the slice was made for thin pointers to it.
    /// let thin: GcThinSlice<i32> = unsafe { Gc::from_ptr_with_kind(Gc::as_ptr(slice)) };
    /// assert_eq!(*thin, [1, 2]);
    /// # });
    /// ```
    ///
    /// # Safety
    ///
    /// 1. As for [`Gc::from_ptr`].
    /// 2. If the metadata that the kind speaks of, those of the type or those of the pointer, are not of size zero, then
    ///    the object was made by a builder (and so not by a [collection](crate::collections), a `Gc::new` or the like), with
    ///    a value of such metadata whose bytes are valid as one of these.
    /// 3. If the kind is thin, `PtrMeta::from_thin` makes pointers of them that 1 allows.
    #[inline]
    pub unsafe fn from_ptr_with_kind(pointer: *const T) -> Gc<'gc, T, K> {
        // SAFETY: what `Gc::as_ptr` returns is not null.
        unsafe { Gc::from_non_null_with_kind(NonNull::new_unchecked(pointer.cast_mut())) }
    }

    /// A pointer to the same object without its type. It keeps all of the object alive, as any other does.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// // Keeps objects of all types alive.
    /// let mut arena = Arena::<Rootable![Vec<Gc<'_, ()>>]>::new(|mc| {
    ///     vec![Gc::erase(Gc::new(mc, 5)), Gc::erase(Gc::str_from(mc, "text"))]
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(arena.metrics().total_gc_count(), 2);
    /// arena.mutate(|_, all| assert!(!Gc::ptr_eq(all[0], all[1])));
    /// ```
    #[inline]
    pub fn erase(this: Gc<'gc, T, K>) -> Gc<'gc, ()> {
        // SAFETY: every address that is not null can be dereferenced as a `()`.
        unsafe { Gc::from_non_null(this.address()) }
    }

    /// The address of the value, which stays the same while `'gc` lasts. Takes constant time, but of a
    /// [thin](Gc::as_thin) pointer to something large.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let pair = Gc::new(mc, (1_u32, 2_u32));
    ///     let address = Gc::as_ptr(pair);
    ///     assert_eq!(address, &raw const *pair);
    ///     // SAFETY: the value is there until the call ends, and is not written.
    ///     assert_eq!(unsafe { (*address).1 }, 2);
    /// });
    /// ```
    #[inline]
    pub fn as_ptr(this: Gc<'gc, T, K>) -> *const T {
        // SAFETY: this is a `Gc`.
        unsafe { this.kind.fat() }.as_ptr()
    }

    /// A reference to the value for the whole of the current call.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate, static_collect};
    ///
    /// struct Person {
    ///     name: String,
    /// }
    /// static_collect!(Person);
    ///
    /// // `&person.name` would be borrowed from `person`, which ends with the function.
    /// fn name<'gc>(person: Gc<'gc, Person>) -> &'gc str {
    ///     &person.as_ref().name
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let name = name(Gc::new(mc, Person { name: "Ada".to_string() }));
    ///     assert_eq!(name, "Ada");
    /// });
    /// ```
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "unlike the trait's, the reference outlives `self`"
    )]
    pub fn as_ref(self: Gc<'gc, T, K>) -> &'gc T {
        // SAFETY: a `Gc` points to a value of the arena that `'gc` brands (or to one that needs no
        // memory), and while `'gc` lasts nothing is collected there. All write access to it goes
        // through cells.
        unsafe { self.kind.fat().as_ref() }
    }

    /// A weak pointer to the value, of the same kind. [`Gc::downgrade_long`] makes one that finalizers do
    /// not clear.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let strong = Gc::new(mc, 5);
    /// assert_eq!(Gc::downgrade(strong).upgrade(mc).as_deref(), Some(&5));
    /// # });
    /// ```
    #[inline]
    pub fn downgrade(this: Gc<'gc, T, K>) -> GcWeak<'gc, T, K> {
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
    pub fn write(mc: &Mutation<'gc>, gc: Gc<'gc, T, K>) -> &'gc Write<T> {
        if !K::LOOKS_UP && size_of_val(gc.as_ref()) > 0 {
            // SAFETY: the value has a size, so an object starts there.
            unsafe { mc.context().before_object_write(gc.address().addr().get()) }
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
    pub fn identity_hash(this: Gc<'gc, T, K>) -> u64 {
        // As long as objects stay where they are, the address tells them apart. A collector that moves one owes it the
        // number that it had, if anybody has asked; a bit for each object says whether, and the number goes along in
        // a word that the object grows by.
        let mut bits = this.address().addr().get() as u64;
        // The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), which is one to one.
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Whether two pointers are to the same object. Values of size zero may all be the same.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let (one, other) = (Gc::new(mc, 5), Gc::new(mc, 5));
    /// assert!(Gc::ptr_eq(one, one) && !Gc::ptr_eq(one, other));
    /// assert_eq!(one, other); // This compares the values.
    /// # });
    /// ```
    #[inline]
    pub fn ptr_eq(this: Gc<'gc, T, K>, other: Gc<'gc, T, K>) -> bool {
        this.address() == other.address()
    }
}

impl<'gc, T: Unlock + ?Sized + 'gc, K: IsGcKind<'gc, T>> Gc<'gc, T, K> {
    /// [`Gc::write`], then [`Write::unlock`]: calls the write barrier, and gives the cell that is in the lock,
    /// which may be written until the current call ends.
    ///
    /// ```
    /// use gc_core::{Gc, Lock, RefLock, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let count = Gc::new(mc, Lock::new(1));
    ///     let old = count.unlock(mc).replace(2); // A `Cell`.
    ///     assert_eq!((old, count.get()), (1, 2));
    ///
    ///     let list = Gc::new(mc, RefLock::new(vec![3, 1, 2]));
    ///     list.unlock(mc).borrow_mut().sort(); // A `RefCell`.
    ///     assert_eq!(*list.borrow(), [1, 2, 3]);
    /// });
    /// ```
    #[inline]
    pub fn unlock(self, mc: &Mutation<'gc>) -> &'gc T::Unlocked {
        Gc::write(mc, self).unlock()
    }
}
