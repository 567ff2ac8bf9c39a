//! Shared arenas: a heap with many mutator threads.
//!
//! Any number of threads can refer to a [`shared::Arena`](Arena). A thread that works on it [attaches](Arena::attach),
//! which gives it a context of its own: memory to allocate in, and a place in the list of threads that a stop of the
//! world waits for. Then it is as with [`crate::Arena`]: the thread works in calls of [`Attached::mutate`], in which
//! pointers can be copied and kept freely; between calls, [`Attached::collect_debt`] lets the collector do its part.
//!
//! ```
//! use gc_core::shared::{Arena, AtomicGc};
//! use gc_core::{Collect, Gc, HeapOptions, Rootable};
//!
//! #[derive(Collect)]
//! #[collect(no_drop)]
//! struct Node<'gc> {
//!     value: u64,
//!     next: Option<Gc<'gc, Node<'gc>>>,
//! }
//!
//! type Stack<'gc> = AtomicGc<'gc, Node<'gc>>;
//!
//! let arena = Arena::<Rootable![Stack<'_>]>::new(|_| AtomicGc::null());
//! std::thread::scope(|scope| {
//!     for thread in 0..2 {
//!         let arena = &arena;
//!         scope.spawn(move || {
//!             let here = arena.attach();
//!             for value in (0..100).map(|i| 2 * i + thread) {
//!                 here.mutate(|mc, stack| {
//!                     let mut next = stack.load();
//!                     loop {
//!                         let node = mc.allocate(Node { value, next });
//!                         match stack.compare_exchange(mc, next, Some(node)) {
//!                             Ok(_) => break,
//!                             Err(found) => next = found,
//!                         }
//!                     }
//!                 });
//!                 here.collect_debt();
//!             }
//!         });
//!     }
//! });
//! let here = arena.attach();
//! let sum = here.mutate(|_, stack| {
//!     let mut sum = 0;
//!     let mut next = stack.load();
//!     while let Some(node) = next {
//!         sum += node.value;
//!         next = node.next;
//!     }
//!     sum
//! });
//! assert_eq!(sum, (0..200).sum());
//! ```
//!
//! # What can live in it
//!
//! Whatever is [`Collect`](trait@crate::Collect), `Send` and `Sync`: all threads see all values, and any
//! attached thread may be the one that drops a dead one. The cells of [`crate::cells::lock`] are for one
//! thread; those of a shared arena are these:
//!
//! | cell | for |
//! | --- | --- |
//! | [`AtomicGc`] | a pointer, or none: load, store, swap, compare and exchange |
//! | [`Mutex`] | anything: one thread at a time has it |
//! | [`RwLock`] | anything: one thread has it, or several read it |
//!
//! The content of a [`Mutex`] or [`RwLock`] is written with the write barrier of the object that the
//! cell is in, so the way to it begins with the object: [`Mutation::write`], then
//! [`field!`](crate::mutator::barrier::field) and the like, as with [`Gc::write`](crate::Gc::write); or the `lock`
//! of a `Gc<Mutex<T>>`. An [`AtomicGc`] can be anywhere, and needs no more than a [`Mutation`].
//!
//! # Other names
//!
//! | in an arena of one thread | here |
//! | --- | --- |
//! | [`Gc::new`](crate::Gc::new) | [`Mutation::allocate`] |
//! | [`Gc::slice_from_iter`](crate::Gc::slice_from_iter), [`Gc::str_from`](crate::Gc::str_from) | [`Mutation::allocate_slice`], [`Mutation::allocate_str`] |
//! | [`Gc::new_static`](crate::Gc::new_static), [`Gc::new_slice`](crate::Gc::new_slice), [`Gc::new_str`](crate::Gc::new_str), and what completes a builder safely | [`Mutation::build`], with the builder and its contents |
//! | `assume_init` of a builder | [`Mutation::build_init`] |
//! | [`Gc::write`](crate::Gc::write), [`Gc::write_at`](crate::Gc::write_at) | [`Mutation::write`], [`Mutation::write_at`] |
//! | [`GcWeak::upgrade`](crate::GcWeak::upgrade), [`Ephemeron::get`](crate::Ephemeron::get) | [`Mutation::upgrade`], [`Mutation::get_ephemeron`] |
//! | [`DynamicRootSet`](crate::DynamicRootSet) | [`Root`] |
//!
//! [`collections`](crate::collections) and [`slice`](crate::pointers::slice)s are the same. Soft pointers and
//! [`weak_collections`](crate::references::weak_collections) are for arenas of one thread.
//!
//! # Stopping
//!
//! At some points of a collection, all threads must be outside of `mutate` (for all of it, unless it is a
//! [concurrent](crate::Mode) one). The collection does not wait for threads that are outside, whatever they do there. A
//! thread that begins a call then waits until the world goes on. So a long call delays all other threads: it should
//! check [`Mutation::should_yield`] now and then. A thread that has not left its call after
//! [`HeapOptions::patience`](crate::HeapOptions::patience) is named in a message on the standard error output.
//!
//! In a `mutate` call, do not wait for another thread that may be about to begin one, or to collect, in the same arena.
//! Do not call `collect_debt` of another shared arena there either.
//!
//! # Destructors
//!
//! The destructors of dead values run at safepoints, on any thread that comes to one, outside of `mutate`. Meanwhile no
//! thread is stopped or waited for, and no lock of the arena is held. So a destructor may take a lock that another
//! thread holds while it calls `mutate`, or even collects. It may use the arena as well: attach, work in `mutate`,
//! drop handles, collect. In a collection that a destructor makes, the destructors of what is found dead wait until it
//! has returned.
//!
//! At a safepoint, do not hold a lock that destructors take: this thread may be the one that runs them, and would wait
//! for itself. Nor may a `trace` take a lock: it runs while threads are stopped. The same holds for subscribers of
//! `tracing`, which are called then, too. Finalizers are called in a `mutate` call, and their hook outside of one.
//!
//! # From outside
//!
//! Pointers that outlive a call are in the arena's root, which is made with the arena and changed through its cells, or
//! behind [`Root`] handles, which can be sent to and dropped on any thread. [`Pinned`] is a handle that also has the
//! address for foreign code.

mod arena;
mod atomic_gc;
mod attached;
mod build;
mod finalizer_thread;
mod mutation;
mod mutator;
mod mutex;
mod root;
mod rw_lock;
mod world;

pub use crate::arenas::pinning::Pinned;
use crate::mutator::figures::AnyThread;
use crate::mutator::metrics;
pub use crate::mutator::mismatch::MismatchedArena;

pub use self::arena::Arena;
pub use self::atomic_gc::AtomicGc;
pub use self::attached::Attached;
pub use self::build::{BuildFrom, Builder};
pub use self::mutation::Mutation;
pub use self::mutex::{Mutex, MutexGuard};
pub use self::root::Root;
pub use self::rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A handle to the figures and the pace of a shared arena's collector, for any thread.
///
/// ```
/// use gc_core::Rootable;
/// use gc_core::shared::{Arena, Metrics};
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// let metrics: Metrics = arena.metrics();
/// metrics.adjust_debt(1e9);
/// assert!(std::thread::spawn(move || metrics.allocation_debt()).join().unwrap() > 0.0);
/// ```
pub type Metrics = metrics::Metrics<AnyThread>;
