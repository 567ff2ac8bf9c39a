//! [`Arena`]: a heap with a root and one mutator.

use core::fmt;
use core::marker::PhantomData;
use std::rc::Rc;
use std::time::Instant;

use crate::collector::driver::Safepoint;
use crate::collector::options::HeapOptions;
use crate::collector::references::schedule::{self, Site};
use crate::collector::{Collector, Phase};
use crate::heap::Heap;
use crate::heap::error::HeapError;
use crate::heap::extent::Extent;
use crate::heap::start::ObjectStart;
use crate::heap::verify::VerifyError;
use crate::heap::volume::Volume;
use crate::mutator::context::Context;
use crate::mutator::figures::OneThread;
use crate::mutator::local_arenas;
use crate::mutator::metrics::Metrics;
use crate::mutator::mutation::Mutation;
use crate::references::finalizer::FinalizerReport;
use crate::sync::Arc;
use crate::types::collect::Collect;
use crate::types::found::Found;
use crate::types::owned_bytes::OwnedBytes;
use crate::types::static_wrapper::Static;
use crate::types::trace::{EdgeVisitor, Edges, Trace};

pub use crate::arenas::well_formed::WellFormed;
pub use crate::mutator::mismatch::MismatchedArena;

mod marked;

pub use self::marked::MarkedArena;

/// A family of types, one for each lifetime, by which [`Arena`] names the type of its root.
///
/// Use [`Rootable!`](crate::Rootable!) to name one; there is seldom a reason to implement it. Each member must be
/// [`WellFormed`], whatever the lifetime: a root that mentions `&'static &'gc ()` would give its brand away.
///
/// ```
/// use gc_core::{Arena, Collect, Gc, Rootable};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct State<'gc> {
///     globals: Vec<Gc<'gc, u32>>,
/// }
///
/// /// Named, the family can be written in signatures and is short in error messages.
/// struct Interpreter;
///
/// impl<'gc> Rootable<'gc> for Interpreter {
///     type Root = State<'gc>;
/// }
///
/// fn globals(arena: &Arena<Interpreter>) -> usize {
///     arena.mutate(|_, state| state.globals.len())
/// }
///
/// let arena = Arena::<Interpreter>::new(|mc| State { globals: vec![Gc::new(mc, 5)] });
/// assert_eq!(globals(&arena), 1);
/// ```
pub trait Rootable<'a> {
    /// The type of the family for the lifetime `'a`.
    ///
    /// ```
    /// use gc_core::{Gc, Rootable};
    ///
    /// type Numbers = Rootable![Vec<Gc<'_, u32>>];
    ///
    /// fn sum<'gc>(root: &<Numbers as Rootable<'gc>>::Root) -> u32 {
    ///     root.iter().map(|number| **number).sum()
    /// }
    ///
    /// # gc_core::arena::rootless_mutate(|mc| {
    /// assert_eq!(sum(&vec![Gc::new(mc, 2), Gc::new(mc, 3)]), 5);
    /// # });
    /// ```
    type Root: ?Sized + 'a + WellFormed;
}

impl<'a, T: ?Sized + 'static> Rootable<'a> for Static<T> {
    type Root = Static<T>;
}

/// The type of the family `R` for the lifetime `'a`.
///
/// ```
/// use gc_core::arena::{Arena, Root, Rootable};
///
/// /// For any arena, whatever is in it.
/// fn root_is<R>(arena: &Arena<R>, test: impl for<'gc> FnOnce(&Root<'gc, R>) -> bool) -> bool
/// where
///     R: for<'gc> Rootable<'gc>,
/// {
///     arena.mutate(|_, root| test(root))
/// }
///
/// let arena = Arena::<gc_core::Rootable![Vec<u8>]>::new(|_| vec![1, 2]);
/// assert!(root_is(&arena, |root| root.len() == 2));
/// ```
pub type Root<'a, R> = <R as Rootable<'a>>::Root;

/// What [`Rootable!`](crate::Rootable!) expands to: a type that is a family because `T` says so.
#[doc(hidden)]
pub struct __DynRootable<T: ?Sized>(PhantomData<T>);

// The bound says of `T` what the trait says already, but says it here of what the trait object is found to have: the
// compiler's next trait solver does not look at the bounds of associated types of trait objects as this one does.
impl<'a, T: ?Sized + Rootable<'a>> Rootable<'a> for __DynRootable<T>
where
    T::Root: WellFormed,
{
    type Root = T::Root;
}

/// Names a family of types by one of its members.
///
/// Each `'_` stands for the brand; or the brand can be named.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable};
///
/// type Numbers = Arena<Rootable![Vec<Gc<'_, u32>>]>;
/// type Words = Arena<Rootable!['gc => Vec<Gc<'gc, str>>]>;
/// ```
#[macro_export]
macro_rules! Rootable {
    ($gc:lifetime => $root:ty) => {
        $crate::__DynRootable::<dyn for<$gc> $crate::Rootable<$gc, Root = $root>>
    };
    ($root:ty) => {
        $crate::__unelide_lifetimes!($crate::Rootable; $root)
    };
}

/// Where in its cycle the collector of an arena is.
///
/// Phases are ordered as a cycle goes through them. Between the calls of a program, a stop-the-world
/// collector is always `Sleeping`, unless it was made to mark ([`Arena::mark_debt`],
/// [`Arena::finish_marking`]).
///
/// ```
/// use gc_core::arena::CollectionPhase;
/// use gc_core::{Arena, Gc, Rootable};
///
/// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 5));
/// assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
/// arena.finish_marking();
/// assert_eq!(arena.collection_phase(), CollectionPhase::Marked);
/// arena.finish_cycle();
/// assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
/// assert!(CollectionPhase::Marked < CollectionPhase::Sweeping);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CollectionPhase {
    /// Waiting for the next cycle.
    Sleeping,
    /// Finding what can be reached from the root.
    Marking,
    /// All that can be reached is marked, and the cycle is paused there: after [`Arena::finish_marking`] or
    /// [`Arena::mark_debt`]. What the program does next may lead back to `Marking`.
    Marked,
    /// It is known what is dead: weak pointers to that are cleared, and it is freed.
    Sweeping,
}

/// A heap, a root in it, and one mutator.
///
/// The program works on an arena in calls of [`Arena::mutate`], during which nothing is collected;
/// between them, [`Arena::collect_debt`] collects when it is time. All pointers are branded with a
/// lifetime that is unique to the call, so none can outlive it, except in the heap itself, in the
/// root, or behind a [`DynamicRoot`](crate::DynamicRoot). Therefore the collector need look
/// nowhere else, and inside a call pointers are free to be copied and cost nothing.
///
/// ```
/// use gc_core::{Arena, Collect, Gc, Lock, Rootable};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Node<'gc> {
///     value: u32,
///     next: Option<Gc<'gc, Node<'gc>>>,
/// }
///
/// type List<'gc> = Gc<'gc, Lock<Option<Gc<'gc, Node<'gc>>>>>;
///
/// let mut arena = Arena::<Rootable![List<'_>]>::new(|mc| Gc::new(mc, Lock::new(None)));
/// for value in 0..10 {
///     arena.mutate(|mc, list| {
///         let next = list.get();
///         list.set(mc, Some(Gc::new(mc, Node { value, next })));
///     });
///     arena.collect_debt();
/// }
/// assert_eq!(arena.mutate(|_, list| list.get().unwrap().value), 9);
/// ```
///
/// Dropping an arena drops all values in it that need it.
///
/// # Threads
///
/// An arena stays on the thread on which it was made, also while no `mutate` call runs. No bound could say that it may
/// be sent: objects may hold an `Rc` of which the thread has another owner, or what was made of a thread-local, and
/// their destructors run where the arena is; and an arena is registered with its thread, which looks it up when
/// something is written that several objects share. To work on a heap from another thread, either make the arena there,
/// or use a [shared](crate::shared) one: it, its roots and its pins can be sent if what is in it can.
pub struct Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: WellFormed,
{
    owner: Owner,
    // Keeps `&Arena<R>` from being unsized to `&Arena<R2>`, of which the compiler would see to it only that the roots
    // match for `'static`: a parameter that another field mentions is none by which a struct is unsized.
    _family: PhantomData<fn() -> R>,
    // Last, because it may be unsized; and therefore dropped after the heap. Its destructor does not
    // use its pointers, for it is `Collect`: that is why all constructors require it.
    root: Root<'static, R>,
}

/// Owns the heap of an arena. The metrics may outlive it, but nothing in the heap does.
struct Owner(Metrics);

impl Owner {
    fn new(options: &HeapOptions) -> Result<Owner, HeapError> {
        let owner = Owner(Metrics(OneThread(Rc::new(Context::new(options)?))));
        // SAFETY: the context is in an `Rc`, of which the owner has a part until it removes it.
        unsafe { local_arenas::add(owner.context()) };
        Ok(owner)
    }

    fn with_default_options() -> Owner {
        Owner::new(&HeapOptions::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn context(&self) -> &Context {
        &self.0.0.0
    }

    /// The right to work on the heap.
    ///
    /// # Safety
    ///
    /// The result is passed to nothing but a callback for which `'gc` is any lifetime, and nothing
    /// is collected until it returns.
    unsafe fn mutation<'gc>(&self) -> &'gc Mutation<'gc> {
        self.context().check_process();
        // SAFETY: as the callback knows nothing of `'gc`, it can bring no pointer of another arena
        // along, nor take one of this with it. The metrics outlive the callback with `self`.
        unsafe { &*core::ptr::from_ref(Mutation::new(&self.0)) }
    }
}

impl Owner {
    /// Runs finalizers that wait: at most so many, and no more when the deadline is over. How many.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running.
    unsafe fn run_finalizers(&self, count: usize, deadline: Option<Instant>) -> usize {
        // SAFETY: finalizers are callbacks for any lifetime, and nothing is collected meanwhile.
        unsafe {
            let mc: &Mutation<'_> = self.mutation();
            let mc = core::ptr::from_ref(mc).cast();
            self.context().run_finalizers(mc, count, deadline)
        }
    }

    /// Runs the finalizers that have not run, or reports them.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running, nor will be.
    unsafe fn finish_finalizers(&self) {
        let collector = self.context().collector();
        let finalizers = &collector.finalizers;
        if collector.options.finalize_at_drop {
            finalizers.enqueue_all();
            // SAFETY: no `mutate` call is running (the caller's promise).
            unsafe { self.run_finalizers(finalizers.waiting(), None) };
        }
        collector.forget_finalizers();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Finalizers write to what is in the heap, beside markers that may be at work. So their barriers must
        // still find this arena.
        if !self.context().is_forked() {
            // SAFETY: the arena is being dropped, so no call is running in it.
            unsafe { self.finish_finalizers() }
        }
        // SAFETY: it was added when this was made, on this thread, which an `Rc` does not leave. Finalizers,
        // their destructors and the hook have their panics caught, so this is never passed by.
        unsafe { local_arenas::remove(self.context()) };
        if self.context().is_forked() {
            // Threads of the parent may have been at work on it, which nobody can wait for.
            core::mem::forget(self.0.clone());
            return;
        }
        // SAFETY: the arena is being dropped. Pointers into the heap live in the heap and in the
        // root, whose destructors do not use them (`Collect`), and in handles that can be followed
        // only with a set that is in the heap.
        unsafe { self.context().dispose_all() }
    }
}

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a> + Sized,
{
    /// A new arena with the default [`HeapOptions`], whose root `f` makes.
    ///
    /// Nothing is collected before the first safepoint, so `f` may allocate the whole heap.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, RefLock, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Machine<'gc> {
    ///     name: &'static str,
    ///     stack: Gc<'gc, RefLock<Vec<Gc<'gc, i64>>>>,
    /// }
    ///
    /// let arena = Arena::<Rootable![Machine<'_>]>::new(|mc| Machine {
    ///     name: "calculator",
    ///     stack: Gc::new(mc, RefLock::new(vec![Gc::new(mc, 5)])),
    /// });
    /// arena.mutate(|_, machine| {
    ///     assert_eq!((machine.name, *machine.stack.borrow()[0]), ("calculator", 5));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If no address space can be reserved; and if `f` does.
    pub fn new<F>(f: F) -> Arena<R>
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>) -> Root<'gc, R>,
    {
        Arena::build(Owner::with_default_options(), f)
    }

    /// A new arena whose root `f` makes, or fails to make.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// type Numbers = Arena<Rootable![Gc<'_, u32>]>;
    /// let parse = |text: &str| {
    ///     Numbers::try_new(|mc| Ok::<_, std::num::ParseIntError>(Gc::new(mc, text.parse()?)))
    /// };
    /// assert_eq!(parse("5").unwrap().mutate(|_, root| **root), 5);
    /// assert!(parse("five").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// That of `f`.
    ///
    /// # Panics
    ///
    /// As [`Arena::new`].
    pub fn try_new<F, E>(f: F) -> Result<Arena<R>, E>
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>) -> Result<Root<'gc, R>, E>,
    {
        let owner = Owner::with_default_options();
        // SAFETY: `f` is a callback for any lifetime, and nothing is collected meanwhile.
        let root = f(unsafe { owner.mutation() })?;
        Ok(Arena::from_parts(owner, root))
    }

    /// A new arena with the given options, whose root `f` makes.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable};
    ///
    /// let options = HeapOptions::default().mode(Mode::StopTheWorld);
    /// let arena = Arena::<Rootable![Gc<'_, u32>]>::with_options(options, |mc| Gc::new(mc, 5))?;
    /// assert_eq!(arena.mutate(|_, root| **root), 5);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If an option means nothing, or the address space cannot be reserved.
    pub fn with_options<F>(options: HeapOptions, f: F) -> Result<Arena<R>, HeapError>
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>) -> Root<'gc, R>,
    {
        Ok(Arena::build(Owner::new(&options)?, f))
    }

    fn from_parts(owner: Owner, root: Root<'static, R>) -> Arena<R> {
        Arena {
            owner,
            _family: PhantomData,
            root,
        }
    }

    fn build<F>(owner: Owner, f: F) -> Arena<R>
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>) -> Root<'gc, R>,
    {
        // SAFETY: `f` is a callback for any lifetime, and nothing is collected meanwhile.
        let root = f(unsafe { owner.mutation() });
        Arena::from_parts(owner, root)
    }

    /// Replaces the root by one of another type, made from it. Nothing is collected meanwhile.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let one = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 5));
    /// let many = one.map_root::<Rootable![Vec<Gc<'_, u32>>]>(|_, root| vec![root; 3]);
    /// assert_eq!(many.mutate(|_, root| root.len()), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` does, which drops the arena; and as [`Arena::mutate`] in a forked child.
    pub fn map_root<R2>(
        self,
        f: impl for<'gc> FnOnce(&'gc Mutation<'gc>, Root<'gc, R>) -> Root<'gc, R2>,
    ) -> Arena<R2>
    where
        R2: for<'a> Rootable<'a>,
        for<'a> Root<'a, R2>: Collect<'a> + Sized,
    {
        // SAFETY: `f` is a callback for any lifetime, and nothing is collected meanwhile.
        let root = f(unsafe { self.owner.mutation() }, self.root);
        Arena::from_parts(self.owner, root)
    }

    /// Replaces the root by one of another type, made from it; or drops the arena if that fails. Nothing is
    /// collected meanwhile.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Parsed<'gc> {
    ///     source: Gc<'gc, str>,
    ///     number: i64,
    /// }
    ///
    /// let load = |text: &str| {
    ///     let source = Arena::<Rootable![Gc<'_, str>]>::new(|mc| Gc::str_from(mc, text));
    ///     source.try_map_root::<Rootable![Parsed<'_>], _>(|_, source| {
    ///         source.parse().map(|number| Parsed { source, number })
    ///     })
    /// };
    /// let arena = load("12").unwrap();
    /// arena.mutate(|_, root| assert_eq!((&*root.source, root.number), ("12", 12)));
    /// assert!(load("twelve").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// That of `f`.
    ///
    /// # Panics
    ///
    /// As [`Arena::map_root`].
    pub fn try_map_root<R2, E>(
        self,
        f: impl for<'gc> FnOnce(&'gc Mutation<'gc>, Root<'gc, R>) -> Result<Root<'gc, R2>, E>,
    ) -> Result<Arena<R2>, E>
    where
        R2: for<'a> Rootable<'a>,
        for<'a> Root<'a, R2>: Collect<'a> + Sized,
    {
        // SAFETY: `f` is a callback for any lifetime, and nothing is collected meanwhile.
        let root = f(unsafe { self.owner.mutation() }, self.root)?;
        Ok(Arena::from_parts(self.owner, root))
    }
}

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
{
    /// Lets `f` work on the heap. Nothing is collected meanwhile.
    ///
    /// A panic of `f` leaves the arena as usable as it was.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 5));
    /// let sum = arena.mutate(|mc, root| **root + *Gc::new(mc, 6));
    /// assert_eq!(sum, 11);
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` does; and if this is a forked child of the process in which the arena was made.
    #[inline]
    pub fn mutate<F, T>(&self, f: F) -> T
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>, &'gc Root<'gc, R>) -> T,
    {
        // SAFETY: `f` is a callback for any lifetime. Collecting takes the arena exclusively, so it
        // cannot happen meanwhile, and the root stays where it is.
        unsafe { f(self.owner.mutation(), &*core::ptr::from_ref(&self.root)) }
    }

    /// Lets `f` work on the heap and change the root, which needs no write barrier. Nothing is collected
    /// meanwhile.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Vec<Gc<'_, u32>>]>::new(|_| Vec::new());
    /// arena.mutate_root(|mc, root| root.push(Gc::new(mc, 5)));
    /// assert_eq!(arena.mutate(|_, root| *root[0]), 5);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Arena::mutate`].
    #[inline]
    pub fn mutate_root<F, T>(&mut self, f: F) -> T
    where
        F: for<'gc> FnOnce(&'gc Mutation<'gc>, &'gc mut Root<'gc, R>) -> T,
    {
        // SAFETY: as in `mutate`; and the root is borrowed exclusively.
        unsafe {
            f(
                self.owner.mutation(),
                &mut *core::ptr::from_mut(&mut self.root),
            )
        }
    }

    /// The figures and the pace of the collector.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 5));
    /// let metrics = arena.metrics().clone();
    /// arena.finish_cycle();
    /// assert_eq!(metrics.total_gc_count(), 1);
    /// assert!(metrics.statistics().collections >= 1);
    /// ```
    #[inline]
    pub fn metrics(&self) -> &Metrics {
        &self.owner.0
    }

    /// Where in its cycle the collector is.
    ///
    /// It goes on at safepoints only, the calls that take the arena exclusively; but what a `mutate` call does may
    /// lead back from `Marked` to `Marking`. Takes constant time.
    ///
    /// ```
    /// use gc_core::arena::CollectionPhase;
    /// use gc_core::{Arena, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Vec<u8>]>::new(|_| Vec::new());
    /// arena.finish_marking().unwrap().start_sweeping();
    /// assert_eq!(arena.collection_phase(), CollectionPhase::Sweeping);
    /// // A host without anything better to do brings the cycle to its end.
    /// while arena.collection_phase() != CollectionPhase::Sleeping {
    ///     arena.collect_debt();
    /// }
    /// assert!(arena.metrics().statistics().collections >= 1);
    /// ```
    pub fn collection_phase(&self) -> CollectionPhase {
        let context = self.owner.context();
        match context.collector().phase() {
            Phase::Sleeping => CollectionPhase::Sleeping,
            Phase::Marking if context.is_all_marked() => CollectionPhase::Marked,
            Phase::Marking | Phase::Aborted => CollectionPhase::Marking,
            Phase::Finalizing | Phase::ClearingWeak | Phase::Sweeping => CollectionPhase::Sweeping,
        }
    }

    /// The allocation that contains the byte at `address`, if there is one in this arena.
    ///
    /// The address may be any number. The address of a part of a value leads to the whole.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let arena = Arena::<Rootable![Gc<'_, [u64; 4]>]>::new(|mc| Gc::new(mc, [0; 4]));
    /// let inside = arena.mutate(|_, root| std::ptr::from_ref(&root[3]).addr());
    /// let extent = arena.allocation_of(inside).unwrap();
    /// assert_eq!((extent.base, extent.bytes), (inside - 24, 32));
    /// assert!(arena.allocation_of(16).is_none());
    /// ```
    pub fn allocation_of(&self, address: usize) -> Option<Extent> {
        self.owner.context().heap().allocation_of(address)
    }
}

impl<R> Site for Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    fn collector(&self) -> &Collector {
        self.owner.context().collector()
    }

    fn allocated(&self) -> Volume {
        self.owner.context().allocated()
    }

    fn collect(&mut self, what: Safepoint) {
        let roots = |visitor: &mut dyn EdgeVisitor| self.visit_roots(visitor);
        // SAFETY: the arena is borrowed exclusively, so no `mutate` is running. Pointers outlive a
        // `mutate` only in the root and in what it reaches.
        unsafe { self.owner.context().safepoint(&roots, what) }
    }

    fn run(&mut self, count: usize, deadline: Option<Instant>) {
        // SAFETY: the arena is borrowed exclusively, so no `mutate` is running.
        unsafe { self.owner.run_finalizers(count, deadline) };
    }
}

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    /// Collects if it is time: if the allocation debt is positive. Otherwise returns immediately.
    ///
    /// Call it often: it is where cycles start by themselves. How much one call does is a matter of the
    /// [`Mode`](crate::Mode): a whole cycle, or at most about a [`step`](HeapOptions::step) of it, and then
    /// finalizers.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, u64>]>::new(|mc| Gc::new(mc, 0));
    /// for number in 0..1_000_000 {
    ///     arena.mutate_root(|mc, root| *root = Gc::new(mc, number));
    ///     arena.collect_debt();
    /// }
    /// assert!(arena.metrics().total_gc_count() < 1_000_000);
    /// ```
    ///
    /// Runs the destructors of dead values, on this thread. So do not hold a lock here that one of them takes: this
    /// thread would wait for itself.
    ///
    /// # Panics
    ///
    /// If the `trace` of a value does; then nothing was freed. If the `Drop` of a value does; then
    /// the collection was completed. The arena is usable in either case.
    #[inline]
    pub fn collect_debt(&mut self) {
        if self.owner.context().wants_safepoint() {
            self.safepoint(Safepoint::Step);
        }
    }

    /// Collects if it is time, and completes at most one cycle.
    ///
    /// It is another name for [`Arena::collect_debt`], of which no call completes more than one cycle.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable};
    ///
    /// let options = HeapOptions::default().mode(Mode::StopTheWorld);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |mc| {
    ///     Gc::new(mc, "garbage");
    /// })?;
    /// arena.metrics().adjust_debt(1e9); // Otherwise nothing would be due yet.
    /// arena.cycle_debt();
    /// assert_eq!(arena.metrics().total_gc_count(), 0);
    /// assert_eq!(arena.metrics().statistics().collections, 1);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Arena::collect_debt`].
    #[inline]
    pub fn cycle_debt(&mut self) {
        self.collect_debt();
    }

    /// Collects now: everything that cannot be reached is freed. A cycle in progress is completed, and then
    /// there is another one, for the first may have taken for alive what has died since it began.
    ///
    /// After [`Arena::finish_marking`] or [`Arena::mark_debt`] has found everything marked, only that cycle
    /// is completed: what is to be done about objects that it will free was done, or could have been.
    ///
    /// With [`FinalizerMode::AfterCollection`](crate::FinalizerMode::AfterCollection), finalizers that wait run first,
    /// unless a cycle is in progress, so what only they kept alive is freed. Those that this collection enqueues run
    /// when it is over, and the next one frees what they kept. If a `Drop` panics, these wait.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, u64>]>::new(|mc| Gc::new(mc, 1));
    /// arena.mutate_root(|mc, root| *root = Gc::new(mc, 2));
    /// arena.finish_cycle();
    /// assert_eq!(arena.metrics().total_gc_count(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Arena::collect_debt`].
    pub fn finish_cycle(&mut self) {
        self.safepoint(Safepoint::Collect);
    }

    /// Gives back to the system what the heap does not use now: empty blocks, whole pages that are free in other
    /// blocks, and memory of the collector. For an arena that will be idle for a while.
    ///
    /// Nothing is collected, and a cycle in progress stays where it is. Garbage is in use until it is collected: call
    /// [`Arena::finish_cycle`] before, unless nothing has died. Objects stay where they are, so a page with one of them
    /// stays as well.
    ///
    /// Takes time linear in the number of blocks, some microseconds for each MiB of the heap, and the time of the
    /// system: a call for each run of free pages. What is allocated next has to be cleared by the system again, about
    /// 0.1 ms for each MiB. [`HeapOptions::keep_spare`] keeps less from the beginning.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| Gc::new(mc, 5));
    /// arena.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::new(mc, [0_u64; 500])));
    /// arena.finish_cycle();
    /// // Kept for what will be allocated next.
    /// assert!(arena.metrics().statistics().heap_bytes > 3 << 20);
    /// arena.release_unused();
    /// assert_eq!(arena.metrics().statistics().heap_bytes, 32 << 10);
    /// assert_eq!(arena.mutate(|_, number| **number), 5);
    /// ```
    pub fn release_unused(&mut self) {
        self.safepoint(Safepoint::Release);
    }

    fn safepoint(&mut self, what: Safepoint) {
        let context = self.owner.context();
        // SAFETY: the arena is borrowed exclusively, so no `mutate` is running.
        unsafe { context.measure_written(false) };
        if what != Safepoint::Step || context.is_due() {
            context.measure_root(|| OwnedBytes::of(&self.root));
            schedule::safepoint(self, what);
        } else {
            // SAFETY: no `mutate` is running, and what was noted was not freed: this thread has not collected since.
            unsafe { context.retag_some() };
        }
        self.owner.context().collector().throw_kept();
    }

    /// Runs finalizers that wait, at most `count` of them, on this thread: how many did. With
    /// [`FinalizerMode::Manual`](crate::FinalizerMode::Manual) nobody else does. Does not collect; but when none is
    /// left, and they were what left the heap little room below its limit, the next [`Arena::collect_debt`] does.
    ///
    /// ```
    /// use gc_core::{Arena, FinalizerMode, Gc, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().finalizers(FinalizerMode::Manual);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |mc| {
    ///     _ = mc.finalize_with(Gc::new(mc, 1), |one, _| assert_eq!(*one, 1));
    /// })?;
    /// assert_eq!(arena.run_finalizers(10), 0);
    /// arena.finish_cycle();
    /// assert_eq!(arena.run_finalizers(10), 1);
    /// # Ok::<(), gc_core::HeapError>(())
    /// ```
    pub fn run_finalizers(&mut self, count: usize) -> usize {
        // SAFETY: the arena is borrowed exclusively, so no `mutate` is running.
        unsafe { self.owner.run_finalizers(count, None) }
    }

    /// Lets `hook` know of finalizers that panic, and of those that never run, instead of who did before. It is
    /// called on the thread on which that happens; a panic of it is ignored.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use gc_core::finalizer::FinalizerReport;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let missed = Arc::new(AtomicUsize::new(0));
    /// let arena = Arena::<Rootable![()]>::new(|mc| {
    ///     _ = mc.finalize_with(Gc::new(mc, 1), |_, _| ());
    /// });
    /// let count = Arc::clone(&missed);
    /// arena.set_finalizer_hook(move |report| match report {
    ///     FinalizerReport::NotRun { count: missed } => count.store(*missed, Ordering::Relaxed),
    ///     other => eprintln!("{other:?}"),
    /// });
    /// drop(arena);
    /// assert_eq!(missed.load(Ordering::Relaxed), 1);
    /// ```
    pub fn set_finalizer_hook(&self, hook: impl Fn(&FinalizerReport<'_>) + Send + Sync + 'static) {
        let collector = self.owner.context().collector();
        collector.set_finalizer_hook(Arc::new(hook));
    }

    /// Visits the pointers of the root.
    fn visit_roots(&self, visitor: &mut dyn EdgeVisitor) {
        let root = &self.root;
        let start = core::ptr::from_ref(root).cast::<()>().addr();
        let mut found = Found::default();
        // SAFETY: this is called while no `mutate` call runs, and no reference to the root outlives one.
        unsafe { Edges::of_object(visitor, &mut found, start..start + size_of_val(root)) }
            .trace(root);
    }

    /// Checks that the whole heap is as it should be, and that its tags tell the truth.
    ///
    /// This finds bugs in `unsafe` code, in this crate or around it. Values with pointers outside of the heap are
    /// traced, and the type of one that leads to what was freed is in the error. Takes time linear in the size of the
    /// heap, with a large factor.
    ///
    /// A cycle in progress is completed before, which frees what it has found dead. [`Zeal::verify`](crate::Zeal)
    /// does this after every cycle.
    ///
    /// ```
    /// use gc_core::arena::CollectionPhase;
    /// use gc_core::{Arena, Gc, Lock, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Lock<Option<Gc<'_, u32>>>>]>::new(|mc| {
    ///     Gc::new(mc, Lock::new(Some(Gc::new(mc, 5))))
    /// });
    /// arena.finish_marking();
    /// arena.verify()?;
    /// // It has completed the cycle, in which the number was found.
    /// assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
    /// assert_eq!(arena.metrics().total_gc_count(), 2);
    /// # Ok::<(), gc_core::VerifyError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the `trace` of a value does: those whose pointers are not known by tags are asked. If the `Drop` of a
    /// value does, which the cycle in progress has found dead.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn verify(&mut self) -> Result<(), VerifyError> {
        self.safepoint(Safepoint::Complete);
        let context = self.owner.context();
        // SAFETY: the arena is borrowed exclusively, so no `mutate` is running, and no cycle.
        unsafe {
            context.collector().retag_stale();
            context.collector().verify(false)
        }
    }

    /// The words of the allocation at `base` that are tagged as pointers, in ascending order: the
    /// address of each, and whether it is a weak one. Empty if no allocation starts there.
    ///
    /// This is what the collector knows of an object, for tests and tools. A cycle in progress is completed before.
    /// Takes time linear in the size of the heap.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, GcWeak, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// #[repr(C)]
    /// struct Node<'gc> {
    ///     number: u64,
    ///     next: Gc<'gc, u32>,
    ///     owner: GcWeak<'gc, u32>,
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Node<'_>>]>::new(|mc| {
    ///     let next = Gc::new(mc, 1);
    ///     Gc::new(mc, Node { number: 7, next, owner: Gc::downgrade(next) })
    /// });
    /// let node = arena.mutate(|_, node| Gc::as_ptr(*node).addr());
    /// assert_eq!(arena.tagged_words(node), [(node + 8, false), (node + 16, true)]);
    /// assert_eq!(arena.tagged_words(node + 8), []);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Arena::verify`].
    pub fn tagged_words(&mut self, base: usize) -> Vec<(usize, bool)> {
        self.words(base, Heap::tagged_words)
    }

    /// The addresses of the words of the allocation at `base` that are derived pointers: those that point
    /// into the object at which the word before points, as in a [`Slice`](crate::pointers::slice::Slice). In ascending
    /// order; empty if no allocation starts there. Otherwise it is as [`Arena::tagged_words`].
    ///
    /// ```
    /// use gc_core::slice::Slice;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Slice<'_, u32>>]>::new(|mc| {
    ///     Gc::new(mc, Slice::from(Gc::new(mc, [1, 2, 3])))
    /// });
    /// let root = arena.mutate(|_, root| Gc::as_ptr(*root).addr());
    /// assert_eq!(arena.tagged_words(root), [(root + 8, false)]);
    /// assert_eq!(arena.derived_words(root), [root + 16]);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Arena::verify`].
    pub fn derived_words(&mut self, base: usize) -> Vec<usize> {
        self.words(base, Heap::derived_words)
    }

    /// What `f` says of the words of the allocation that starts at `base`, if one does, when all tags tell the
    /// truth.
    fn words<T>(&mut self, base: usize, f: impl FnOnce(&Heap, ObjectStart) -> Vec<T>) -> Vec<T> {
        self.safepoint(Safepoint::Complete);
        let context = self.owner.context();
        match context.heap().start_of(base) {
            Some(start) if start.address() == base => {
                // SAFETY: no `mutate` is running, for the arena is borrowed exclusively, and no cycle.
                unsafe { context.collector().retag_stale() };
                f(context.heap(), start)
            }
            _ => Vec::new(),
        }
    }

    /// All allocations of the arena, in ascending order. Objects that cannot be reached are among them as
    /// long as they were not freed.
    ///
    /// Takes time linear in the size of the heap. Collects nothing, but waits for threads that are sweeping.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use gc_core::{Arena, Gc, Rootable};
    ///
    /// type Root<'gc> = (Vec<Gc<'gc, u64>>, Gc<'gc, [u64; 100]>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     ((0..3).map(|number| Gc::new(mc, number)).collect(), Gc::new(mc, [0; 100]))
    /// });
    /// let mut sizes = BTreeMap::new();
    /// for extent in arena.allocations() {
    ///     *sizes.entry(extent.bytes).or_insert(0) += 1;
    /// }
    /// assert_eq!(sizes, BTreeMap::from([(16, 3), (800, 1)]));
    /// ```
    pub fn allocations(&mut self) -> Vec<Extent> {
        let collector = self.owner.context().collector();
        collector.hold_sweeping();
        let heap = &collector.heap;
        let mut extents = Vec::new();
        for block in heap.find_occupied_blocks() {
            heap.each_start(block, |start| extents.push(heap.extent_of(start)));
        }
        extents
    }
}

impl<R> fmt::Debug for Arena<R>
where
    R: for<'a> Rootable<'a>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("metrics", self.metrics())
            .finish_non_exhaustive()
    }
}

/// Lets `f` work on a heap without a root. Nothing is collected meanwhile, and everything is freed at the end.
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate};
///
/// assert_eq!(rootless_mutate(|mc| *Gc::new(mc, 5)), 5);
/// ```
///
/// # Panics
///
/// If no address space can be reserved; and if `f` does.
pub fn rootless_mutate<F, T>(f: F) -> T
where
    F: for<'gc> FnOnce(&'gc Mutation<'gc>) -> T,
{
    let owner = Owner::with_default_options();
    // SAFETY: `f` is a callback for any lifetime, and nothing is collected.
    f(unsafe { owner.mutation() })
}
