//! [`Attached`]: a thread that is attached to a shared arena.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;
use std::time::Instant;

use super::arena::Arena;
use super::finalizer_thread::FinalizerThread;
use super::mutation::Mutation;
use super::mutator::Mutator;
use crate::arenas::arena::{Root as RootOf, Rootable, WellFormed};
use crate::collector::Collector;
use crate::collector::driver::Safepoint;
use crate::collector::references::schedule::{self, Site};
use crate::heap::verify::VerifyError;
use crate::heap::volume::Volume;
use crate::sync::Arc;
use crate::types::collect::Collect;
use crate::types::found::Found;
use crate::types::owned_bytes::OwnedBytes;
use crate::types::trace::{EdgeVisitor, Edges, Trace};

/// The calling thread as one that works on a shared arena; see [`Arena::attach`]. It stays with its thread.
///
/// ```
/// use gc_core::Rootable;
/// use gc_core::shared::{Arena, Attached, AtomicGc};
///
/// type Root = Rootable![AtomicGc<'_, u64>];
///
/// /// A worker's loop: a piece of work in each call, and the collector's turn after each.
/// fn count_to(here: &Attached<'_, Root>, end: u64) {
///     for number in 1..=end {
///         here.mutate(|mc, last| last.store(mc, Some(mc.allocate(number))));
///         here.collect_debt();
///     }
/// }
///
/// let arena = Arena::<Root>::new(|_| AtomicGc::null());
/// let here = arena.attach();
/// count_to(&here, 1000);
/// here.mutate(|_, last| assert_eq!(last.load().as_deref(), Some(&1000)));
/// ```
pub struct Attached<'a, R>
where
    R: for<'b> Rootable<'b>,
    for<'b> RootOf<'b, R>: WellFormed,
{
    arena: &'a Arena<R>,
    mutator: Arc<Mutator>,
    _stays: PhantomData<*const ()>,
}

impl<'a, R> Attached<'a, R>
where
    R: for<'b> Rootable<'b>,
{
    pub(super) fn new(arena: &'a Arena<R>, mutator: Arc<Mutator>) -> Attached<'a, R> {
        mutator.set_root(arena.root());
        Attached {
            arena,
            mutator,
            _stays: PhantomData,
        }
    }

    /// The arena.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, Attached};
    ///
    /// fn live_objects(here: &Attached<'_, Rootable![()]>) -> usize {
    ///     here.finish_cycle();
    ///     here.arena().metrics().total_gc_count()
    /// }
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// assert_eq!(live_objects(&arena.attach()), 0);
    /// ```
    pub fn arena(&self) -> &'a Arena<R> {
        self.arena
    }

    /// Lets `f` work on the heap, beside other threads. Nothing is freed meanwhile.
    ///
    /// If the threads are stopped, the call begins when they are not any more. Never collects. A panic of
    /// `f` leaves the arena as usable as it was.
    ///
    /// ```
    /// use gc_core::shared::{Arena, RwLock};
    /// use gc_core::{Gc, Rootable};
    ///
    /// type Names<'gc> = Gc<'gc, RwLock<Vec<Gc<'gc, str>>>>;
    ///
    /// let arena = Arena::<Rootable![Names<'_>]>::new(|mc| mc.allocate(RwLock::new(Vec::new())));
    /// let here = arena.attach();
    /// here.mutate(|mc, names| names.lock_write(mc).push(mc.allocate_str("Ada")));
    /// // Pointers stay inside; what is copied out of them need not.
    /// let length = here.mutate(|_, names| names.read()[0].len());
    /// assert_eq!(length, 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` does; or if it is called by a `trace` that this arena's collector has called.
    #[inline]
    pub fn mutate<F, T>(&self, f: F) -> T
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>, &'gc RootOf<'gc, R>) -> T,
    {
        let _inside = self.mutator.enter();
        // SAFETY: `f` is a callback for any lifetime, so it can bring no pointer of another arena along,
        // nor take one of this with it. The thread is inside, and the arena stays where it is.
        unsafe {
            let mutation = &*ptr::from_ref(Mutation::new(&self.mutator));
            let root = ptr::from_ref(self.arena.root()) as *const RootOf<'_, R>;
            f(mutation, &*root)
        }
    }
}

impl<'a, R> Attached<'a, R>
where
    R: for<'b> Rootable<'b>,
    for<'b> RootOf<'b, R>: Collect<'b>,
{
    /// Collects if it is time: starts a collection, or does a part of the one in progress. Otherwise, or if
    /// another thread is doing so, returns immediately.
    ///
    /// Call it often, on each thread: it is where cycles start by themselves. It may wait for the `mutate`
    /// calls of other threads to return, and runs [destructors](super#destructors) on this thread.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// let mut allocated = 0;
    /// while arena.metrics().statistics().collections == 0 {
    ///     here.mutate(|mc, _| _ = mc.allocate([0_u8; 4096]));
    ///     allocated += 1;
    ///     here.collect_debt(); // It knows when it is time.
    /// }
    /// assert!(arena.metrics().total_gc_count() < allocated);
    /// ```
    ///
    /// # Panics
    ///
    /// If the `trace` of a value does; then nothing was freed. If the `Drop` of a value does; then the
    /// collection goes on. The arena is usable in either case. If the thread is in a `mutate` call of this
    /// arena.
    #[inline]
    pub fn collect_debt(&self) {
        let world = self.arena.world();
        if world.collector.wants_safepoint(world.allocated()) {
            self.safepoint(Safepoint::Step);
        }
    }

    /// Collects now: everything that cannot be reached when this is called is freed when it returns, except values
    /// whose destructors other threads, or this one in an outer call, are running just then; and in a destructor,
    /// those that wait for it to return. These are freed by a later collection.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// let arena = Arena::<Rootable![AtomicGc<'_, u32>]>::new(|mc| mc.allocate(1).into());
    /// let here = arena.attach();
    /// here.mutate(|mc, cell| {
    ///     for number in 2..=100 {
    ///         cell.store(mc, Some(mc.allocate(number)));
    ///     }
    /// });
    /// here.finish_cycle();
    /// assert_eq!(arena.metrics().total_gc_count(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Attached::collect_debt`].
    pub fn finish_cycle(&self) {
        self.safepoint(Safepoint::Collect);
    }

    /// Gives back to the system what the heap does not use now, as
    /// [`Arena::release_unused`](crate::Arena::release_unused) does. Waits for the `mutate` calls of other threads to
    /// return, and stops all threads for as long as it takes. Nothing is collected.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let here = arena.attach();
    /// here.mutate(|mc, _| (0..1000).for_each(|_| _ = mc.allocate([0_u64; 500])));
    /// here.finish_cycle();
    /// here.release_unused();
    /// assert_eq!(arena.metrics().statistics().heap_bytes, 0);
    /// ```
    ///
    /// # Panics
    ///
    /// If the thread is in a `mutate` call of this arena.
    pub fn release_unused(&self) {
        self.safepoint(Safepoint::Release);
    }

    fn safepoint(&self, what: Safepoint) {
        self.check_outside();
        let world = self.arena.world();
        if OwnedBytes::may_own::<RootOf<'static, R>>() {
            // Inside, for this may follow pointers that other threads take out of the root meanwhile.
            let _inside = self.mutator.enter();
            world.measure_root(|| OwnedBytes::of(self.arena.root()));
        }
        schedule::safepoint(&mut &*self, what);
    }

    /// Runs finalizers that wait, at most `count` of them, on this thread: how many did. With
    /// [`FinalizerMode::Manual`](crate::FinalizerMode::Manual) nobody else does.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{FinalizerMode, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().finalizers(FinalizerMode::Manual);
    /// let arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let here = arena.attach();
    /// here.mutate(|mc, _| {
    ///     for number in 0..3 {
    ///         _ = mc.finalize_with(mc.allocate(number), |_, _| ());
    ///     }
    /// });
    /// here.finish_cycle();
    /// assert_eq!((here.run_finalizers(2), here.run_finalizers(2)), (2, 1));
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the thread is in a `mutate` call of this arena.
    pub fn run_finalizers(&self, count: usize) -> usize {
        self.check_outside();
        self.mutator.run_finalizers(count, None)
    }

    fn check_outside(&self) {
        assert!(
            !self.mutator.is_inside(),
            "a thread cannot collect while it is in a `mutate` call of the same arena"
        );
    }

    /// Visits the pointers of the root, while all threads are outside.
    fn trace_root(&self, visitor: &mut dyn EdgeVisitor) {
        let root = self.arena.root();
        let start = ptr::from_ref(root).addr();
        let mut found = Found::default();
        // SAFETY: all threads are outside, so nobody has a reference to the root.
        unsafe { Edges::of_object(visitor, &mut found, start..start + size_of_val(root)) }
            .trace(root);
    }

    /// Checks that the whole heap is as it should be, and that its tags tell the truth. Completes the cycle
    /// in progress, and stops all threads for as long as it takes: time linear in the size of the heap,
    /// with a large factor.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// let arena = Arena::<Rootable![AtomicGc<'_, [u64; 3]>]>::new(|_| AtomicGc::null());
    /// let here = arena.attach();
    /// here.mutate(|mc, cell| cell.store(mc, Some(mc.allocate([1, 2, 3]))));
    /// // For a program's own tests: it says which word of which object is wrong.
    /// here.verify()?;
    /// # Ok::<(), gc_core::VerifyError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Attached::collect_debt`].
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), VerifyError> {
        self.check_outside();
        // SAFETY: as in `Site::collect`.
        unsafe {
            self.arena
                .world()
                .verify(&|visitor| self.trace_root(visitor))
        }
    }
}

impl<R> Site for &Attached<'_, R>
where
    R: for<'a> Rootable<'a>,
    for<'a> RootOf<'a, R>: Collect<'a>,
{
    fn collector(&self) -> &Collector {
        &self.arena.world().collector
    }

    fn allocated(&self) -> Volume {
        self.arena.world().allocated()
    }

    fn collect(&mut self, what: Safepoint) {
        // SAFETY: the thread is in no `mutate` call. Pointers outlive a call only in the root, in what it
        // reaches, and behind handles.
        unsafe {
            self.arena
                .world()
                .safepoint(&|visitor| self.trace_root(visitor), what)
        }
    }

    fn run(&mut self, count: usize, deadline: Option<Instant>) {
        self.mutator.run_finalizers(count, deadline);
    }

    fn wake(&mut self) -> bool {
        FinalizerThread::wake(self.arena.world())
    }

    fn wait(&mut self) -> bool {
        FinalizerThread::wait(self.arena.world())
    }
}

impl<R> Drop for Attached<'_, R>
where
    R: for<'a> Rootable<'a>,
{
    fn drop(&mut self) {
        self.arena.world().detach(&self.mutator);
    }
}

impl<R> fmt::Debug for Attached<'_, R>
where
    R: for<'a> Rootable<'a>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").finish_non_exhaustive()
    }
}
