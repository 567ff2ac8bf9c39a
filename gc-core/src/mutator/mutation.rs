//! [`Mutation`]: the right to allocate and to write, inside of a `mutate` call.

use core::alloc::Layout;
use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use crate::heap::MAX_ALIGN;
use crate::heap::bump::Shape;
use crate::heap::error::HeapError;
use crate::heap::planes::{GRANULE, GROUP_WORDS, WORD};
use crate::mutator::context::Context;
use crate::mutator::metrics::Metrics;
use crate::pointers::gc::Gc;
use crate::pointers::weak::GcWeak;

/// Makes a lifetime invariant, so that it can brand.
pub(crate) type Invariant<'gc> = PhantomData<Cell<&'gc ()>>;

/// The right to allocate in an arena and to write to what is in it, during a callback.
///
/// The lifetime `'gc` brands all pointers of the call. While it lasts, nothing is collected.
///
/// ```
/// use gc_core::{Gc, Lock, Mutation, arena::rootless_mutate};
///
/// fn counter<'gc>(mc: &Mutation<'gc>) -> Gc<'gc, Lock<u32>> {
///     Gc::new(mc, Lock::new(0))
/// }
///
/// rootless_mutate(|mc| {
///     let counter = counter(mc);
///     counter.set(mc, counter.get() + 1);
///     assert_eq!(counter.get(), 1);
/// });
/// ```
#[repr(transparent)]
pub struct Mutation<'gc> {
    metrics: Metrics,
    _invariant: Invariant<'gc>,
}

impl<'gc> Mutation<'gc> {
    /// The right itself.
    ///
    /// # Safety
    ///
    /// `'gc` brands only pointers into the heap of this context, and nothing is collected while it
    /// lasts.
    pub(crate) unsafe fn new(metrics: &Metrics) -> &Mutation<'gc> {
        // SAFETY: the layouts are the same, for the type is transparent.
        unsafe { &*ptr::from_ref(metrics).cast::<Mutation<'gc>>() }
    }

    #[inline(always)]
    pub(crate) fn context(&self) -> &Context {
        &self.metrics.0.0
    }

    /// The figures and the pace of this arena's collector.
    ///
    /// ```
    /// use gc_core::{Gc, Mutation, arena::rootless_mutate};
    ///
    /// /// An image whose pixels are not in the heap: the collector is told what it costs.
    /// fn image<'gc>(mc: &Mutation<'gc>, bytes: usize) -> Gc<'gc, Vec<u8>> {
    ///     mc.metrics().adjust_debt(bytes as f64);
    ///     Gc::new(mc, vec![0; bytes])
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let image = image(mc, 10 << 20);
    ///     assert_eq!(image.len(), 10 << 20);
    ///     assert!(mc.metrics().allocation_debt() > 0.0);
    /// });
    /// ```
    #[inline]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Allocates an object of which the collector knows which words are pointers, and nothing else: the
    /// raw layer, below types. Bit *i* of `pointers` stands for word *i*, the eight bytes at offset 8 *i*;
    /// words from 64 on hold none. The memory is not initialised. Its size is rounded up to a multiple of 16
    /// bytes that is not zero.
    ///
    /// It is for compilers and interpreters that make up layouts while they run; [`Gc::new`] costs no more.
    /// [`Gc::from_ptr`] makes a pointer of the result. Nothing is dropped with such an object. Never collects,
    /// and takes constant time.
    ///
    /// ```
    /// use core::alloc::Layout;
    /// use gc_core::{Collect, Gc, arena::rootless_mutate};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// #[repr(C)]
    /// struct Pair<'gc> {
    ///     number: u64,
    ///     text: Gc<'gc, [u8; 2]>,
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let text = Gc::new(mc, *b"hi");
    ///     // SAFETY: the second word is the only pointer of a `Pair`, and both are written here.
    ///     let pair: Gc<'_, Pair<'_>> = unsafe {
    ///         let place = mc.allocate_raw(Layout::new::<Pair<'_>>(), 0b10).unwrap().cast();
    ///         place.write(Pair { number: 5, text });
    ///         Gc::from_ptr(place.as_ptr())
    ///     };
    ///     assert_eq!((pair.number, *pair.text), (5, *b"hi"));
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// If the heap's limit, its address space or the memory of the machine is used up, as for
    /// [`Gc::try_new`].
    ///
    /// # Panics
    ///
    /// If the layout is aligned to more than 4096 bytes.
    ///
    /// # Safety
    ///
    /// 1. `pointers` has no bit of a word beyond the layout's size.
    /// 2. Before the call of `mutate` ends, also if that is by a panic, each of these words holds null or a
    ///    strong pointer of this arena, and the object can be reached only if all of it is initialised.
    /// 3. Whoever changes one of these words later calls a write barrier of this object before, in the same
    ///    call of `mutate`; and puts null or such a pointer there. No other word ever holds the only pointer to
    ///    an object that is used.
    /// 4. A `Gc<T>` is made of it only if `T` has its pointers in these words, always; so that `T` is neither
    ///    traced by hand, nor an enum or an option whose words are pointers in one variant and something else
    ///    in another, nor a type with `Drop`.
    #[inline(always)]
    pub unsafe fn allocate_raw(
        &self,
        layout: Layout,
        pointers: u64,
    ) -> Result<NonNull<u8>, HeapError> {
        assert!(
            layout.align() <= MAX_ALIGN,
            "objects in the heap are aligned to 4096 bytes at most"
        );
        // A layout has at most `isize::MAX` bytes, so rounding up does not overflow.
        let bytes = layout.size().max(1).next_multiple_of(GRANULE);
        debug_assert!(
            bytes / WORD >= GROUP_WORDS || pointers >> (bytes / WORD) == 0,
            "a pointer beyond the end of the object"
        );
        let shape = Shape {
            bytes,
            align: layout.align(),
            described: false,
            leaf: pointers == 0,
            tags: pointers,
        };
        let start = self.context().allocate(&shape);
        let start = start.ok_or_else(|| self.context().no_memory())?;
        Ok(start.pointer())
    }

    /// Allows `parent` to be written from now on until the end of this call: to adopt `child`, or any pointers
    /// if that is `None`, and to change in which of its words there are pointers.
    ///
    /// [`Gc::write`] is the safe way to use it. This one is for `unsafe` containers.
    ///
    /// It is to be called before the write. Takes constant time, but while a collection marks concurrently: then
    /// the first call for an object in a cycle takes time linear in its size. Never collects.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, Lock, Rootable};
    ///
    /// /// What is in a slot can be a pointer, or not.
    /// #[derive(Clone, Copy, Collect)]
    /// #[collect(no_drop)]
    /// enum Slot<'gc> {
    ///     Number(u64),
    ///     Node(Gc<'gc, u32>),
    /// }
    ///
    /// type Root<'gc> = Gc<'gc, Lock<Slot<'gc>>>;
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| Gc::new(mc, Lock::new(Slot::Number(1))));
    /// arena.mutate(|mc, slot| {
    ///     let child = Gc::new(mc, 5);
    ///     mc.backward_barrier(Gc::erase(*slot), Some(Gc::erase(child)));
    ///     // SAFETY: the barrier was called just now.
    ///     unsafe { slot.as_cell() }.set(Slot::Node(child));
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(arena.metrics().total_gc_count(), 2);
    /// arena.mutate(|_, slot| assert!(matches!(slot.get(), Slot::Node(child) if *child == 5)));
    /// ```
    #[inline]
    pub fn backward_barrier(&self, parent: Gc<'gc, ()>, child: Option<Gc<'gc, ()>>) {
        let _ = child;
        // SAFETY: it is the address of a `Gc` of this heap, in a `mutate` call.
        unsafe { self.context().before_write(Gc::as_ptr(parent).addr()) }
    }

    /// [`Mutation::backward_barrier`] for a weak child.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Lock, Rootable};
    ///
    /// type Root<'gc> = Gc<'gc, Lock<Option<GcWeak<'gc, u32>>>>;
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| Gc::new(mc, Lock::new(None)));
    /// arena.mutate(|mc, slot| {
    ///     let child = Gc::downgrade(Gc::new(mc, 5));
    ///     mc.backward_barrier_weak(Gc::erase(*slot), GcWeak::erase(child));
    ///     // SAFETY: the barrier was called just now.
    ///     unsafe { slot.as_cell() }.set(Some(child));
    ///     assert!(child.upgrade(mc).is_some());
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|_, slot| assert!(slot.get().unwrap().is_dropped()));
    /// ```
    #[inline]
    pub fn backward_barrier_weak(&self, parent: Gc<'gc, ()>, child: GcWeak<'gc, ()>) {
        let _ = child;
        self.backward_barrier(parent, None);
    }

    /// Allows `parent`, or any object if that is `None`, to adopt `child` until the end of this
    /// call.
    ///
    /// Name the parent where you can: without it, a collection that marks concurrently is aborted, and
    /// the next one stops it and looks anew for the pointers of every object in which they can move.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use gc_core::{Arena, Gc, Lock, Rootable};
    ///
    /// // A cell outside of the heap, which several objects own.
    /// type Shared<'gc> = Rc<Lock<Option<Gc<'gc, u32>>>>;
    /// let mut arena = Arena::<Rootable![Vec<Gc<'_, Shared<'_>>>]>::new(|mc| {
    ///     let shared = Rc::new(Lock::new(None));
    ///     (0..3).map(|_| Gc::new(mc, Rc::clone(&shared))).collect()
    /// });
    /// arena.mutate(|mc, owners| {
    ///     let child = Gc::new(mc, 5);
    ///     mc.forward_barrier(None, Gc::erase(child));
    ///     // SAFETY: the barrier was called just now, for whoever owns the cell.
    ///     unsafe { owners[0].as_cell() }.set(Some(child));
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|_, owners| assert_eq!(owners[2].get().as_deref(), Some(&5)));
    /// assert_eq!(arena.metrics().total_gc_count(), 4);
    /// ```
    #[inline]
    pub fn forward_barrier(&self, parent: Option<Gc<'gc, ()>>, child: Gc<'gc, ()>) {
        match parent {
            Some(parent) => self.backward_barrier(parent, Some(child)),
            None => self.context().before_unknown_write(),
        }
    }

    /// [`Mutation::forward_barrier`] for a weak child.
    ///
    /// ```
    /// # use gc_core::{Arena, Gc, GcWeak, Lock, Rootable};
    /// # type Root<'gc> = Gc<'gc, Lock<GcWeak<'gc, u32>>>;
    /// # let mut arena = Arena::<Rootable![(Root<'_>, Gc<'_, u32>)]>::new(|mc| {
    /// #     let first = Gc::new(mc, 1);
    /// #     (Gc::new(mc, Lock::new(Gc::downgrade(first))), Gc::new(mc, 2))
    /// # });
    /// arena.mutate(|mc, (observer, subject)| {
    ///     let weak = Gc::downgrade(*subject);
    ///     mc.forward_barrier_weak(Some(Gc::erase(*observer)), GcWeak::erase(weak));
    ///     // SAFETY: the barrier was called just now.
    ///     unsafe { observer.as_cell() }.set(weak);
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|mc, (observer, _)| assert_eq!(observer.get().upgrade(mc).as_deref(), Some(&2)));
    /// ```
    #[inline]
    pub fn forward_barrier_weak(&self, parent: Option<Gc<'gc, ()>>, child: GcWeak<'gc, ()>) {
        let _ = child;
        match parent {
            Some(parent) => self.backward_barrier(parent, None),
            None => self.context().before_unknown_write(),
        }
    }
}
