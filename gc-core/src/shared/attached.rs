//! [`Attached`]: a thread that is attached to a shared arena.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;
use std::time::Instant;

use super::arena::Arena;
use super::finalizer_thread::FinalizerThread;
use super::mutation::Mutation;
use super::mutator::Mutator;
use crate::arena::{Root as RootOf, Rootable};
use crate::collect::Collect;
use crate::context::Safepoint;
use crate::heap::options::FinalizerMode;
use crate::heap::verify::VerifyError;
use crate::sync::Arc;
use crate::trace::{EdgeVisitor, Edges, Trace};

/// The calling thread as one that works on a shared arena; see [`Arena::attach`]. It stays with its thread.
pub struct Attached<'a, R>
where
    R: for<'b> Rootable<'b>,
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
        Attached {
            arena,
            mutator,
            _stays: PhantomData,
        }
    }

    /// The arena.
    pub fn arena(&self) -> &'a Arena<R> {
        self.arena
    }

    /// Lets `f` work on the heap, beside other threads. Nothing is freed meanwhile.
    ///
    /// If the threads are stopped, the call begins when they are not any more. Never collects. A panic of
    /// `f` leaves the arena as usable as it was.
    ///
    /// # Panics
    ///
    /// If `f` does; or if it is called by a `Drop` or `trace` that this arena's collector has called.
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
    /// another thread is doing so, returns at once.
    ///
    /// Call it often, on each thread: it is where cycles start by themselves. It may wait for the `mutate`
    /// calls of other threads to return.
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

    /// Collects now: everything that cannot be reached when this is called is freed when it returns.
    ///
    /// # Panics
    ///
    /// As [`Attached::collect_debt`].
    pub fn finish_cycle(&self) {
        self.safepoint(Safepoint::Collect);
    }

    fn safepoint(&self, what: Safepoint) {
        self.check_outside();
        // SAFETY: the thread is in no `mutate` call. Pointers outlive a call only in the root, in what it
        // reaches, and behind handles.
        unsafe {
            self.arena
                .world()
                .safepoint(&|visitor| self.trace_root(visitor), what)
        }
        let collector = &self.arena.world().collector;
        let by_thread =
            collector.finalizer_mode == FinalizerMode::Thread && collector.finalizers.waiting() > 0;
        // Without a thread, they run here.
        if collector.finalizers_are_due() || by_thread && !FinalizerThread::wake(self.arena.world())
        {
            let deadline = match what {
                Safepoint::Step => Instant::now().checked_add(collector.finalizer_step),
                _ => None,
            };
            self.mutator
                .run_finalizers(collector.finalizers.waiting(), deadline);
        }
    }

    /// Runs finalizers that wait, at most `count` of them, on this thread: how many did. With
    /// [`FinalizerMode::Manual`](crate::FinalizerMode::Manual) nobody else does.
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
        // SAFETY: all threads are outside, so nobody has a reference to the root.
        unsafe { Edges::of_object(visitor, start..start + size_of_val(root)) }.trace(root);
    }

    /// Checks that the whole heap is as it should be, and that its tags tell the truth. Completes the cycle
    /// in progress, and stops all threads for as long as it takes: time linear in the size of the heap,
    /// with a large factor.
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
        // SAFETY: as in `safepoint`.
        unsafe {
            self.arena
                .world()
                .verify(&|visitor| self.trace_root(visitor))
        }
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
