//! Finalizers: code that runs when an object was found to be dead.
//!
//! A finalizer is registered for one object ([`Mutation::finalize`], [`Mutation::finalize_with`]). When a collection
//! finds that only the object itself and other dead objects lead to the object (weak pointers aside), it enqueues the
//! finalizer; [`FinalizerMode`] says when it runs. Until then, the object and everything that it leads to are kept
//! alive. So a finalizer sees its object as it was. It may *resurrect* the object, or anything else that it can see, by
//! storing a pointer. A later collection frees the rest.
//!
//! Each finalizer runs once. To run again, it must be registered again, which a finalizer may do; then it waits for
//! the next collection that finds the object dead. So even an object that is resurrected again and again keeps no
//! collection from ending. Finalizers of objects that lead to each other, in a cycle or not, are all enqueued by the
//! same collection, and run in no particular order.
//!
//! | event | what happens |
//! | --- | --- |
//! | a finalizer panics | that is caught and counted, and reported to [`Arena::set_finalizer_hook`](crate::Arena::set_finalizer_hook); the others run |
//! | it allocates | it may, up to the heap's limit; beyond, allocations fail as always |
//! | it collects | it cannot: it is in a `mutate` call |
//! | it upgrades a [`GcWeak`](crate::GcWeak) to its own object | nothing: they were cleared before. A [`GcWeakLong`](crate::GcWeakLong) leads to it |
//! | it registers another finalizer | that is one more |
//! | the arena is dropped | finalizers that have not run do, or are reported: [`HeapOptions::finalize_at_drop`](crate::HeapOptions::finalize_at_drop) |
//! | its object needs no memory | it never dies, so the finalizer runs at most when the arena is dropped |
//!
//! An object that was found dead stays so for good, even if it is resurrected: `GcWeak` pointers to it, made before or
//! after, lead nowhere. `GcWeakLong` pointers lead to it until it is freed.
//!
//! [`FinalizerMode`]: crate::FinalizerMode

use core::cell::Cell;
use core::fmt;
use core::ops::Deref;
use core::ptr;

use crate::collector::Phase;
use crate::collector::pacer::Pacer;
use crate::collector::references::finalizers::{Finalizer, Key, Run};
use crate::heap::start::ObjectStart;
use crate::mutator::context::Context;
use crate::mutator::mismatch::MismatchedArena;
use crate::mutator::mutates::{Access, Mutates, Sealed};
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::types::collect::Collect;

pub use crate::collector::references::report::FinalizerReport;
pub use crate::heap::error::WaitingFinalizers;

/// A type whose values have something to do when they are found to be dead.
///
/// ```
/// use gc_core::finalizer::{Finalize, Finalizing};
/// use gc_core::{Arena, Collect, Gc, Lock, Rootable};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Connection<'gc> {
///     number: u32,
///     closed: Gc<'gc, Lock<u32>>,
/// }
///
/// impl<'gc> Finalize<'gc> for Connection<'gc> {
///     fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
///         this.closed.set(token, this.number);
///     }
/// }
///
/// let mut arena = Arena::<Rootable![Gc<'_, Lock<u32>>]>::new(|mc| {
///     let closed = Gc::new(mc, Lock::new(0));
///     _ = mc.finalize(Gc::new(mc, Connection { number: 7, closed }));
///     closed
/// });
/// arena.finish_cycle();
/// assert_eq!(arena.mutate(|_, closed| closed.get()), 7);
/// ```
pub trait Finalize<'gc>: Collect<'gc> + Sized + 'gc {
    /// What is to be done. `this` was found to be dead, and may be made reachable again.
    ///
    /// ```
    /// use gc_core::finalizer::{Finalize, Finalizing};
    /// use gc_core::{Arena, Collect, Gc, Lock, Rootable};
    ///
    /// /// Goes back to where it was taken from.
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Buffer<'gc> {
    ///     pool: Gc<'gc, Lock<Option<Gc<'gc, Buffer<'gc>>>>>,
    ///     bytes: [u8; 1000],
    /// }
    ///
    /// impl<'gc> Finalize<'gc> for Buffer<'gc> {
    ///     fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
    ///         this.pool.set(token, Some(this));
    ///     }
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Lock<Option<Gc<'_, Buffer<'_>>>>>]>::new(|mc| {
    ///     let pool = Gc::new(mc, Lock::new(None));
    ///     _ = mc.finalize(Gc::new(mc, Buffer { pool, bytes: [7; 1000] }));
    ///     pool
    /// });
    /// arena.mutate(|_, pool| assert!(pool.get().is_none()));
    /// arena.finish_cycle();
    /// arena.finish_cycle();
    /// arena.mutate(|_, pool| assert_eq!(pool.get().unwrap().bytes[0], 7));
    /// ```
    fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>);

    /// With [`HeapOptions::null_dead_fields`](crate::HeapOptions::null_dead_fields), called before
    /// [`Finalize::finalize`]: clears those fields that lead to other dead objects, so that the finalizer
    /// does not see one whose own finalizer has run already. [`Finalizing::clear_if_dead`] helps.
    ///
    /// ```
    /// use gc_core::barrier::unlock;
    /// use gc_core::finalizer::{Finalize, Finalizing};
    /// use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Log<'gc> {
    ///     file: Lock<Option<Gc<'gc, Lock<u32>>>>,
    /// }
    ///
    /// impl<'gc> Finalize<'gc> for Log<'gc> {
    ///     fn clear_dead_fields(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
    ///         token.clear_if_dead(unlock!(Gc::write(token, this), Log, file));
    ///     }
    ///
    ///     /// Writes a last line if the file is there.
    ///     fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
    ///         let Some(file) = this.file.get() else { return };
    ///         file.set(token, file.get() + 1);
    ///     }
    /// }
    ///
    /// let options = HeapOptions::default().null_dead_fields(true);
    /// let mut arena = Arena::<Rootable![Gc<'_, Lock<u32>>]>::with_options(options, |mc| {
    ///     let (kept, dead) = (Gc::new(mc, Lock::new(0)), Gc::new(mc, Lock::new(0)));
    ///     for file in [kept, dead] {
    ///         _ = mc.finalize(Gc::new(mc, Log { file: Lock::new(Some(file)) }));
    ///     }
    ///     _ = mc.finalize_with(dead, |file, _| assert_eq!(file.get(), 0));
    ///     kept
    /// })?;
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|_, file| file.get()), 1);
    /// assert_eq!(arena.metrics().statistics().finalizers_panicked, 0);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    fn clear_dead_fields(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
        let _ = (this, token);
    }
}

/// The right that a finalizer has: to allocate and to write, as in any `mutate` call, and to look what else was
/// found to be dead.
///
/// ```
/// use gc_core::{Arena, Gc, Lock, Rootable};
///
/// type Last<'gc> = Gc<'gc, Lock<Option<Gc<'gc, String>>>>;
/// let mut arena = Arena::<Rootable![Last<'_>]>::new(|mc| {
///     let last = Gc::new(mc, Lock::new(None));
///     _ = mc.finalize_with(Gc::new(mc, (7, last)), |session, token| {
///         let (number, last) = *session;
///         last.set(token, Some(Gc::new(token, format!("session {number} is gone"))));
///     });
///     last
/// });
/// arena.finish_cycle();
/// arena.mutate(|_, last| assert_eq!(*last.get().unwrap(), "session 7 is gone"));
/// ```
#[repr(transparent)]
pub struct Finalizing<'gc>(Mutation<'gc>);

impl<'gc> Finalizing<'gc> {
    /// # Safety
    ///
    /// It is passed to a finalizer only, in the arena of `mc`.
    unsafe fn new<'a>(mc: &'a Mutation<'gc>) -> &'a Finalizing<'gc> {
        // SAFETY: the layouts are the same, for the type is transparent.
        unsafe { &*ptr::from_ref(mc).cast::<Finalizing<'gc>>() }
    }

    /// Whether a collection has ever found the object to be dead, this one or an earlier one, after which it was
    /// resurrected. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Lock, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, u32>, Gc<'gc, Lock<[bool; 3]>>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let (alive, dead, answers) = (Gc::new(mc, 1), Gc::new(mc, 2), Gc::new(mc, Lock::new([false; 3])));
    ///     _ = mc.finalize_with(Gc::new(mc, (alive, dead, answers)), |owner, token| {
    ///         let (alive, dead, answers) = *owner;
    ///         answers.set(token, [
    ///             token.was_found_dead(owner),
    ///             token.was_found_dead(dead),
    ///             token.was_found_dead(alive),
    ///         ]);
    ///     });
    ///     (alive, answers)
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|_, (_, answers)| answers.get()), [true, true, false]);
    /// ```
    #[inline]
    pub fn was_found_dead<T: ?Sized + 'gc, K: IsGcKind<'gc, T>>(&self, gc: Gc<'gc, T, K>) -> bool {
        let context = self.0.context();
        let address = Gc::as_ptr(Gc::erase(gc)).addr();
        // SAFETY: the object is one of this heap, or needs no memory.
        let start = || unsafe { ObjectStart::new_unchecked(address) };
        context.heap().spans(address) && context.heap().was_found_dead(start())
    }

    /// Sets a field to `None` if it leads to an object that was found dead. The barrier for it was called, as
    /// the caller has the cell.
    ///
    /// ```
    /// use gc_core::barrier::unlock;
    /// use gc_core::finalizer::{Finalize, Finalizing};
    /// use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Node<'gc> {
    ///     other: Lock<Option<Gc<'gc, Node<'gc>>>>,
    /// }
    ///
    /// impl<'gc> Finalize<'gc> for Node<'gc> {
    ///     fn clear_dead_fields(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
    ///         token.clear_if_dead(unlock!(Gc::write(token, this), Node, other));
    ///     }
    ///
    ///     fn finalize(this: Gc<'gc, Self>, _: &Finalizing<'gc>) {
    ///         assert!(this.other.get().is_none());
    ///     }
    /// }
    ///
    /// let options = HeapOptions::default().null_dead_fields(true);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |mc| {
    ///     let first = Gc::new(mc, Node { other: Lock::new(None) });
    ///     let second = Gc::new(mc, Node { other: Lock::new(Some(first)) });
    ///     unlock!(Gc::write(mc, first), Node, other).set(Some(second));
    ///     _ = mc.finalize(first);
    ///     _ = mc.finalize(second);
    /// })?;
    /// arena.finish_cycle();
    /// let statistics = arena.metrics().statistics();
    /// assert_eq!((statistics.finalizers_run, statistics.finalizers_panicked), (2, 0));
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn clear_if_dead<T: ?Sized + 'gc, K: IsGcKind<'gc, T>>(
        &self,
        field: &Cell<Option<Gc<'gc, T, K>>>,
    ) {
        if field.get().is_some_and(|gc| self.was_found_dead(gc)) {
            field.set(None);
        }
    }
}

impl<'gc> Deref for Finalizing<'gc> {
    type Target = Mutation<'gc>;

    #[inline]
    fn deref(&self) -> &Mutation<'gc> {
        &self.0
    }
}

impl Sealed for Finalizing<'_> {}

impl<'gc, T> Mutates<'gc, T> for Finalizing<'gc> {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        Mutates::<T>::access(&self.0)
    }
}

impl fmt::Debug for Finalizing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finalizing")
    }
}

/// Names a registered finalizer, to unregister it. It is `'static` and can be kept anywhere.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable, finalizer::Registration};
///
/// let mut arena = Arena::<Rootable![Option<Gc<'_, &str>>]>::new(|mc| Some(Gc::new(mc, "file")));
/// let forgotten: Registration = arena.mutate(|mc, file| {
///     mc.finalize_with(file.unwrap(), |file, _| panic!("nobody has closed {file}"))
/// });
/// // It is closed as it should be.
/// arena.mutate_root(|mc, file| {
///     assert_eq!(forgotten.unregister(mc).ok(), Some(true));
///     *file = None;
/// });
/// arena.finish_cycle();
/// assert_eq!(arena.metrics().statistics().finalizers_run, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a finalizer can be unregistered only by this; ignore it with `_ =` if it is not going to be"]
pub struct Registration {
    key: Key,
    heap: u64,
}

impl Registration {
    /// Takes the finalizer back, and drops what it owns. Whether it had not been enqueued yet, nor taken back.
    /// Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// here.mutate(|mc, _| {
    ///     let file = mc.allocate(3);
    ///     let close = mc.finalize_with(file, |file, _| panic!("{file} was not closed"));
    ///     // It was closed by hand:
    ///     assert!(close.unregister(mc).unwrap());
    ///     assert!(!close.unregister(mc).unwrap());
    /// });
    /// here.finish_cycle();
    /// ```
    ///
    /// # Errors
    ///
    /// If it was registered in another arena.
    pub fn unregister<'gc>(self, mc: &impl Mutates<'gc, ()>) -> Result<bool, MismatchedArena> {
        let finalizers = &mc.access().0.collector().finalizers;
        if self.heap != finalizers.number() {
            return Err(MismatchedArena("finalizer"));
        }
        // Dropped without the lock: what it owns is the user's.
        Ok(finalizers.unregister(self.key).is_some())
    }
}

impl Context {
    fn register(&self, target: usize, run: Run) -> Registration {
        let finalizers = &self.collector().finalizers;
        if self.collector().phase() == Phase::Finalizing {
            // The registry may have been looked through already, and the object not be marked. It is there as long as
            // its finalizer is registered.
            // SAFETY: it is the address of a `Gc` of this heap.
            unsafe { self.note_read(target) }
        }
        let key = finalizers.register(Finalizer { target, run });
        let heap = finalizers.number();
        Registration { key, heap }
    }

    /// Registers what is to run for an object.
    ///
    /// # Safety
    ///
    /// `run` may be called with the `Mutation` of another call in this arena, and the address of `gc`. What it
    /// owns is `'static`, and `Send` if the heap has many mutators; `'gc` is only in its signature.
    pub(crate) unsafe fn register_run<'gc, T: 'gc>(
        &self,
        gc: Gc<'gc, T>,
        run: Box<dyn FnOnce(*const (), usize) + 'gc>,
    ) -> Registration {
        type Branded<'gc> = Box<dyn FnOnce(*const (), usize) + 'gc>;
        // SAFETY: only the lifetime in the type of the box changes. What `run` owns is `'static`, and it may be called
        // in another `mutate` call of this arena (the caller's promises).
        let run = unsafe { core::mem::transmute::<Branded<'gc>, Run>(run) };
        self.register(Gc::as_ptr(gc).expose_provenance(), run)
    }
}

impl<'gc> Mutation<'gc> {
    /// Registers the object for [`Finalize::finalize`], once. An object may have several finalizers. Never
    /// collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::finalizer::{Finalize, Finalizing};
    /// use gc_core::{Arena, Collect, Gc, Lock, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Lease<'gc> {
    ///     free: Gc<'gc, Lock<u32>>,
    /// }
    ///
    /// impl<'gc> Finalize<'gc> for Lease<'gc> {
    ///     fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
    ///         this.free.set(token, this.free.get() + 1);
    ///     }
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Lock<u32>>]>::new(|mc| {
    ///     let free = Gc::new(mc, Lock::new(0));
    ///     for _ in 0..5 {
    ///         _ = mc.finalize(Gc::new(mc, Lease { free }));
    ///     }
    ///     free
    /// });
    /// arena.finish_cycle();
    /// arena.finish_cycle(); // Each runs once.
    /// assert_eq!(arena.mutate(|_, free| free.get()), 5);
    /// ```
    pub fn finalize<T: Finalize<'gc>>(&self, gc: Gc<'gc, T>) -> Registration {
        self.finalize_with(gc, |gc: Gc<'gc, T>, token: &Finalizing<'gc>| {
            if token.context().collector().options.null_dead_fields {
                T::clear_dead_fields(gc, token);
            }
            T::finalize(gc, token);
        })
    }

    /// Registers a closure as a finalizer of the object: it is called with it, once, when it was found
    /// to be dead. Never collects, and takes constant time.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use gc_core::{Arena, Gc, Lock, Rootable};
    ///
    /// let sum = Rc::new(Cell::new(0));
    /// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 1));
    /// arena.mutate_root(|mc, root| {
    ///     for number in 2..5 {
    ///         *root = Gc::new(mc, number);
    ///         let sum = Rc::clone(&sum);
    ///         _ = mc.finalize_with(*root, move |gc, _| sum.set(sum.get() + *gc));
    ///     }
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(sum.get(), 2 + 3);
    /// ```
    pub fn finalize_with<T, F>(&self, gc: Gc<'gc, T>, f: F) -> Registration
    where
        T: 'gc,
        F: FnOnce(Gc<'gc, T>, &Finalizing<'gc>) + 'static,
    {
        let run = move |mc: *const (), target: usize| {
            // SAFETY: it is run with the `Mutation` of a call in the arena in which it was registered, and
            // with the address of `gc`, which was kept alive as a `T`. The lifetime is that call's, with which
            // `'gc` is confused; but `f` is `'static`, so it has brought nothing along from the call in which
            // it was made, and its code serves any lifetime, as `mutate` takes only such.
            unsafe {
                let mc = &*mc.cast::<Mutation<'gc>>();
                let gc = Gc::from_ptr(ptr::with_exposed_provenance::<T>(target));
                f(gc, Finalizing::new(mc));
            }
        };
        // SAFETY: what the closure owns is `f`, which is `'static`.
        unsafe { self.context().register_run(gc, Box::new(run)) }
    }
}

impl Context {
    /// Runs finalizers that wait: at most `count`, and no more when the deadline is over. How many.
    ///
    /// # Safety
    ///
    /// `mc` is the right to work on this heap that finalizers were registered with, and no `mutate` call is
    /// running.
    pub(crate) unsafe fn run_finalizers(
        &self,
        mc: *const (),
        count: usize,
        deadline: Option<std::time::Instant>,
    ) -> usize {
        let collector = self.collector();
        let mut run = 0;
        while run < count
            && let Some(finalizer) = collector.finalizers.take()
        {
            // It is kept alive by the queue no more.
            // SAFETY: the object is one of this heap.
            unsafe { self.note_read(finalizer.target) }
            let Finalizer { target, run: f } = finalizer;
            let call = std::panic::AssertUnwindSafe(|| f(mc, target));
            let result = std::panic::catch_unwind(call);
            run += 1;
            collector.note_finalizer(result);
            if deadline.is_some_and(|end| std::time::Instant::now() >= end) {
                break;
            }
        }
        if collector.finalizers.waiting() == 0 {
            collector.pace(Pacer::note_finalized);
        }
        run
    }
}
