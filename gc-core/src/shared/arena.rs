//! [`Arena`]: a heap with a root and many mutators.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use super::Metrics;
use super::attached::Attached;
use super::mutation::Mutation;
use super::world::World;
use crate::arenas::arena::{CollectionPhase, Root as RootOf, Rootable, WellFormed};
use crate::collector::Phase;
use crate::collector::options::HeapOptions;
use crate::heap::error::HeapError;
use crate::heap::pins::PinnedObject;
use crate::mutator::figures::AnyThread;
use crate::mutator::metrics;
use crate::references::finalizer::FinalizerReport;
use crate::sync::Arc;
use crate::types::collect::Collect;

/// A heap with a root, on which many threads work.
///
/// See the [module](super) for what is different from [`crate::Arena`], and for an example.
///
/// Dropping an arena drops all values in it that need it, on the thread that does. It waits for the finalizer that the
/// arena's thread is running, if there is one.
///
/// ```
/// use gc_core::shared::{Arena, Mutex};
/// use gc_core::{Gc, Rootable};
///
/// type Log<'gc> = Gc<'gc, Mutex<Vec<Gc<'gc, str>>>>;
///
/// let log = Arena::<Rootable![Log<'_>]>::new(|mc| mc.allocate(Mutex::new(Vec::new())));
/// std::thread::scope(|scope| {
///     for name in ["one", "two"] {
///         let log = &log;
///         scope.spawn(move || {
///             log.attach().mutate(|mc, lines| lines.lock(mc).push(mc.allocate_str(name)));
///         });
///     }
/// });
/// log.attach().mutate(|mc, lines| assert_eq!(lines.lock(mc).len(), 2));
/// ```
pub struct Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> RootOf<'a, R>: WellFormed,
{
    owner: Owner,
    // Keeps `&Arena<R>` from being unsized to `&Arena<R2>`, as in `crate::Arena`.
    _family: PhantomData<fn() -> R>,
    // Last, because it may be unsized; and therefore dropped after the heap. Its destructor does not
    // use its pointers, for it is `Collect`: that is why all constructors require it.
    root: RootOf<'static, R>,
}

// SAFETY: the values in the heap are `Send` and `Sync`, for nobody can allocate others; so is the root;
// and the rest is made for several threads.
unsafe impl<R> Send for Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> RootOf<'a, R>: Send + Sync,
{
}
// SAFETY: as above.
unsafe impl<R> Sync for Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> RootOf<'a, R>: Send + Sync,
{
}

/// Owns the heap of an arena. Metrics and handles may outlive it, but nothing in the heap does.
struct Owner(Arc<World>);

impl Drop for Owner {
    fn drop(&mut self) {
        // SAFETY: the arena is being dropped, so it is not borrowed by a guard. Pointers into the heap live
        // in the heap and in the root, whose destructors do not use them (`Collect`), and in handles, which
        // can be followed only in a `mutate` call.
        unsafe { self.0.dispose() }
    }
}

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> RootOf<'a, R>: Collect<'a> + Send + Sync + Sized,
{
    /// A new arena with the default [`HeapOptions`], whose root `f` makes.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, Rootable};
    ///
    /// let primes = Arena::<Rootable![Gc<'_, [u32]>]>::new(|mc| mc.allocate_slice([2, 3, 5, 7]));
    /// primes.attach().mutate(|_, root| assert_eq!(root.iter().sum::<u32>(), 17));
    /// ```
    ///
    /// # Panics
    ///
    /// If no address space can be reserved; and if `f` does.
    pub fn new<F>(f: F) -> Arena<R>
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>) -> RootOf<'gc, R>,
    {
        Arena::with_options(HeapOptions::default(), f).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A new arena with the given options, whose root `f` makes.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{HeapError, HeapOptions, Rootable};
    ///
    /// let small = HeapOptions::default().limit(64 << 10);
    /// let arena = Arena::<Rootable![()]>::with_options(small, |_| ())?;
    /// let too_much = arena.attach().mutate(|mc, _| mc.try_allocate([0_u8; 100_000]).err());
    /// assert!(matches!(too_much, Some(HeapError::LimitReached { .. })));
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If an option means nothing, or the address space cannot be reserved.
    ///
    /// # Panics
    ///
    /// If `f` does.
    pub fn with_options<F>(options: HeapOptions, f: F) -> Result<Arena<R>, HeapError>
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>) -> RootOf<'gc, R>,
    {
        let owner = Owner(World::new(&options)?);
        let mutator = owner.0.attach();
        let root = {
            let _inside = mutator.enter();
            // SAFETY: `f` is a callback for any lifetime, the thread is inside, and nothing is collected
            // while there is no arena yet.
            f(unsafe { &*ptr::from_ref(Mutation::new(&mutator)) })
        };
        owner.0.detach(&mutator);
        Ok(Arena {
            owner,
            _family: PhantomData,
            root,
        })
    }
}

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
{
    /// Attaches the calling thread: it can work on the arena as long as it has the guard.
    ///
    /// The guard's drop detaches the thread, however the scope is left. If the guard is leaked, the end of
    /// the thread does. A thread may attach more than once; it is detached with the last guard. Takes
    /// time linear in the number of attached threads, and waits while they are stopped.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::{Arena, AtomicGc};
    ///
    /// let arena = Arena::<Rootable![AtomicGc<'_, u32>]>::new(|_| AtomicGc::null());
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let here = arena.attach();
    ///         here.mutate(|mc, cell| cell.store(mc, Some(mc.allocate(7))));
    ///     }); // The thread is detached here, so nobody waits for it any more.
    /// });
    /// let here = arena.attach();
    /// here.finish_cycle();
    /// here.mutate(|_, cell| assert_eq!(cell.load().as_deref(), Some(&7)));
    /// ```
    ///
    /// # Panics
    ///
    /// If it is called by a `trace` that this arena's collector has called, or by the destructor of a
    /// thread-local value when the thread ends.
    pub fn attach(&self) -> Attached<'_, R> {
        Attached::new(self, self.owner.0.attach())
    }

    /// The figures and the pace of the collector.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let metrics = arena.metrics();
    /// let here = arena.attach();
    /// here.mutate(|mc, _| _ = mc.allocate([0_u64; 4]));
    /// here.finish_cycle();
    /// assert!(metrics.statistics().collections >= 1);
    /// assert_eq!(metrics.total_gc_count(), 0);
    /// ```
    pub fn metrics(&self) -> Metrics {
        metrics::Metrics(AnyThread(Arc::clone(&self.owner.0.collector)))
    }

    /// Where in its cycle the collector is. Other threads may have led it elsewhere when this returns.
    ///
    /// ```
    /// use gc_core::Rootable;
    /// use gc_core::arena::CollectionPhase;
    /// use gc_core::shared::Arena;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().finish_cycle();
    /// assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
    /// ```
    pub fn collection_phase(&self) -> CollectionPhase {
        match self.owner.0.collector.phase() {
            Phase::Sleeping => CollectionPhase::Sleeping,
            Phase::Marking | Phase::Aborted => CollectionPhase::Marking,
            Phase::Finalizing | Phase::ClearingWeak | Phase::Sweeping => CollectionPhase::Sweeping,
        }
    }

    /// Lets `hook` know of finalizers that panic, and of those that never run, as
    /// [`crate::Arena::set_finalizer_hook`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use gc_core::Rootable;
    /// use gc_core::finalizer::FinalizerReport;
    /// use gc_core::shared::Arena;
    ///
    /// let panics = Arc::new(AtomicUsize::new(0));
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let count = Arc::clone(&panics);
    /// arena.set_finalizer_hook(move |report| {
    ///     if let FinalizerReport::Panicked { .. } = report {
    ///         count.fetch_add(1, Ordering::Relaxed);
    ///     }
    /// });
    /// let here = arena.attach();
    /// here.mutate(|mc, _| _ = mc.finalize_with(mc.allocate(1), |_, _| panic!("no way to close it")));
    /// here.finish_cycle();
    /// assert_eq!(panics.load(Ordering::Relaxed), 1);
    /// ```
    pub fn set_finalizer_hook(&self, hook: impl Fn(&FinalizerReport<'_>) + Send + Sync + 'static) {
        self.owner.0.collector.set_finalizer_hook(Arc::new(hook));
    }

    /// All objects that are pinned; see [`crate::Arena::pinned`].
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, Rootable};
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// let pinned = arena.attach().mutate(|mc, _| Gc::pin::<Rootable![u8]>(mc, mc.allocate(1)));
    /// assert_eq!(arena.pinned()[0].pins, 1);
    /// drop(pinned);
    /// assert!(arena.pinned().is_empty());
    /// ```
    pub fn pinned(&self) -> Vec<PinnedObject> {
        self.world().collector.heap.pins().list()
    }

    pub(super) fn root(&self) -> &RootOf<'static, R> {
        &self.root
    }

    pub(super) fn world(&self) -> &Arc<World> {
        &self.owner.0
    }
}

impl<R> fmt::Debug for Arena<R>
where
    R: for<'a> Rootable<'a>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
