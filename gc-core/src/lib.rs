//! A precise tracing garbage collector for language runtimes and other programs with graphs.
//!
//! An [`Arena`] is a heap with a root. A program works on it in calls of [`Arena::mutate`], in which
//! it allocates with [`Gc::new`] and follows [`Gc`] pointers as if they were references; between
//! calls, [`Arena::collect_debt`] frees what can no longer be reached, when it is time. What lives in
//! the heap implements [`Collect`](trait@Collect), by `#[derive(Collect)]`.
//!
//! ```
//! use gc_core::{Arena, Collect, Gc, Lock, Rootable};
//!
//! #[derive(Collect)]
//! #[collect(no_drop)]
//! struct Tree<'gc> {
//!     name: String,
//!     parent: Lock<Option<Gc<'gc, Tree<'gc>>>>,
//! }
//!
//! let mut arena = Arena::<Rootable![Gc<'_, Tree<'_>>]>::new(|mc| {
//!     let root = Tree { name: "root".to_string(), parent: Lock::new(None) };
//!     let leaf = Tree { name: "leaf".to_string(), parent: Lock::new(Some(Gc::new(mc, root))) };
//!     Gc::new(mc, leaf)
//! });
//! arena.finish_cycle();
//! arena.mutate(|_, leaf| assert_eq!(leaf.parent.get().unwrap().name, "root"));
//! ```
//!
//! # Where to go from here
//!
//! `docs/guide.md` in the repository is a tour, from one object to threads that share a heap. Then:
//!
//! * [`arena`]: arenas, their roots, and when they collect; [`HeapOptions`] for what can be chosen, above
//!   all the [`Mode`]: with the program stopped, in steps, or beside it.
//! * [`collect`]: what can live in the heap, and what an implementation by hand owes.
//! * [`lock`] and [`barrier`]: how to change what is in the heap.
//! * [`collections`]: vectors, strings, deques, maps and sets whose memory is in the heap.
//! * [`shared`]: arenas with many mutator threads.
//! * [`slice`](mod@slice): slices, strings and references that point anywhere into an object.
//! * [`gc_slice`] and [`meta`]: slices and strings with pointers of one word, with headers, and with metadata.
//! * [`GcWeak`], [`GcWeakLong`], [`Ephemeron`], [`Soft`]: pointers that keep nothing alive, or not by themselves.
//!   [`weak_collections`] are tables of such pointers.
//! * [`finalizer`]: what is to be done when an object is found to be dead; [`arena::MarkedArena`] and
//!   [`Finalization`]: to look at all that is dead. `docs/references.md` has the order of it all.
//! * [`DynamicRootSet`]: roots that come and go.
//! * [`pinning`]: objects that foreign code may hold by address.
//! * [`metrics`]: what the collector does, and how to set its pace.
//!
//! # Vocabulary
//!
//! The names are those of the `gc-arena` crate, and mean the same, with these differences:
//!
//! * Debt and pacing count bytes, not objects. How much a step of a collection does follows from measured
//!   rates and from [`HeapOptions::step`]; the weights of [`metrics::Pacing`] make it faster or slower.
//! * By default large heaps are collected by other threads while the program runs. Cycles begin, go on where
//!   they need the program's thread, and end in [`Arena::collect_debt`]. [`Arena::cycle_debt`] does the same.
//! * [`Arena::finish_cycle`] frees everything that cannot be reached when it is called, also if a cycle is in
//!   progress, which may have taken for alive what has died since. Only if that cycle is paused where
//!   [`Arena::finish_marking`] has led it, or [`Arena::mark_debt`], it is completed and that is all.
//! * [`Arena::mark_debt`] and [`Arena::finish_marking`] mean the same in all modes, also with
//!   [`Mode::StopTheWorld`]. The phase is `Marked` only after these; a cycle that safepoints make by
//!   themselves goes from marking to sweeping in one of them.
//! * A [`GcWeak`] leads nowhere once a cycle with finalizers has found its target dead, also if a finalizer brings
//!   that back; [`GcWeakLong`] does until the target is freed. Without finalizers the two are the same.
//! * A write barrier is owed *before* a write, in the same `mutate` call, and for *every* write through
//!   `unsafe` means that changes a pointer of an object, in its words or in memory that it owns, or changes
//!   which of its words are pointers: also for one that adopts no pointer. The collector keeps what was
//!   reachable when a cycle began, so it must see what is overwritten; and it knows by the heap's own maps,
//!   and not by calling `trace`, which words are pointers.
//! * [`Gc::write_at`] is the barrier for one element of a slice. [`Gc::write`] is for the whole slice, and
//!   costs as much, once in a cycle that goes on beside the program.
//!
//! `docs/migrating-from-gc-arena.md` in the repository tells what to change and to think of, and has a table
//! of all items.
//!
//! # Inside
//!
//! The modules of this crate are its layers; `docs/architecture.md` in the repository has a table of them, from `sync` and
//! `os` up to `collections`, and says where to begin. `docs/memory-layout.md`, `docs/concurrency.md`, `docs/references.md` and
//! `docs/tuning.md` tell the rest.

// Under the model checker this crate is empty: `tests/models` takes out of it what it checks.
#![cfg(not(loom))]

extern crate self as gc_core;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The examples of the guide, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
struct Guide;

mod arenas;
mod cells;
pub mod collections;
mod collector;
mod heap;
mod mutator;
mod os;
mod pointers;
mod protocol;
mod references;
pub mod shared;
mod sync;
#[macro_use]
mod types;

#[doc(inline)]
pub use self::{
    arenas::{arena, dynamic_roots, pinning},
    cells::lock,
    mutator::{barrier, metrics},
    pointers::{gc, gc_slice, slice, zst_cache},
    references::{finalizer, weak_collections},
    types::{collect, meta},
};

#[doc(hidden)]
pub use gc_derive::__unelide_lifetimes;

#[doc(hidden)]
pub use self::{
    arenas::arena::__DynRootable, pointers::unsize::__CoercePtrInternal,
    types::no_drop::__MustNotImplDrop,
};

#[doc(inline)]
pub use self::{
    arenas::arena::{Arena, Rootable},
    arenas::dynamic_roots::{DynamicRoot, DynamicRootSet},
    arenas::pinning::Pinned,
    cells::lock::{GcLock, GcRefLock, Lock, RefLock},
    collector::options::{FinalizerMode, HeapOptions, Mode, Zeal},
    heap::error::HeapError,
    heap::extent::Extent,
    heap::verify::VerifyError,
    mutator::mutation::Mutation,
    pointers::gc::{Gc, GcBuilder, GcFat, GcThin},
    pointers::gc_slice::{
        GcSlice, GcSliceBuilder, GcSliceWithHeader, GcSliceWithHeaderBuilder, GcStr, GcStrBuilder,
        GcThinSlice, GcThinSliceWithHeader, GcThinStr, SliceWithHeader,
    },
    pointers::weak::GcWeak,
    pointers::weak_long::GcWeakLong,
    references::ephemeron::Ephemeron,
    references::finalization::Finalization,
    references::soft::{Soft, SoftCache},
    types::collect::Collect,
    types::static_wrapper::Static,
};

/// What the macros expand to, beside what is public.
#[doc(hidden)]
pub mod __private {
    pub use core::marker::PhantomData;
    pub use core::primitive::bool;

    pub use crate::pointers::unsize::Unsized;
    pub use crate::types::derived::shadow;
    pub use crate::types::dyn_collect::only_for_trait_objects;
    pub use crate::types::no_drop::NoDestructor;
    pub use crate::types::type_map::TypeMap;
}
