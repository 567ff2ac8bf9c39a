//! A precise tracing garbage collector for language runtimes, and for other programs with object graphs.
//!
//! An [`Arena`] is a heap with a root. A program works on it in calls of [`Arena::mutate`]: it allocates with [`Gc::new`], and
//! follows [`Gc`] pointers as if they were references. Between calls, [`Arena::collect_debt`] does the collection work that is
//! due. Types whose values live in the heap implement [`Collect`](trait@Collect), with `#[derive(Collect)]`.
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
//! * [`arena`]: arenas, their roots, and when they collect. [`HeapOptions`] has the choices, above all the [`Mode`]:
//!   stop-the-world, incremental, or concurrent.
//! * [`collect`]: what can live in the heap, and the obligations of an implementation by hand.
//! * [`lock`] and [`barrier`]: how to change what is in the heap.
//! * [`collections`]: vectors, strings, deques, maps and sets whose memory is in the heap.
//! * [`shared`]: arenas with many mutator threads.
//! * [`slice`](mod@slice): slices, strings and references that point anywhere into an object.
//! * [`gc_slice`] and [`meta`]: slices and strings with pointers of one word, with headers, and with metadata.
//! * [`GcWeak`], [`GcWeakLong`], [`Ephemeron`], [`Soft`]: pointers that keep nothing alive, or not by themselves.
//!   [`weak_collections`] are tables of such pointers.
//! * [`finalizer`]: code that runs when an object is found dead. [`arena::MarkedArena`] and [`Finalization`] let a program look at
//!   everything that is dead. `docs/references.md` has the order of all this.
//! * [`DynamicRootSet`]: roots that come and go.
//! * [`pinning`]: objects whose addresses foreign code may hold.
//! * [`metrics`]: statistics, and how to set the collector's pace.
//!
//! # Differences from `gc-arena`
//!
//! Names and meanings are those of the `gc-arena` crate, with these differences:
//!
//! * Debt and pacing count bytes, not objects. How much one step does follows from measured rates and from
//!   [`HeapOptions::step`]. The weights of [`metrics::Pacing`] make it faster or slower.
//! * By default, other threads collect large heaps while the program runs. [`Arena::collect_debt`] begins and ends these cycles,
//!   and does the part of their work that needs the program's thread. [`Arena::cycle_debt`] does the same.
//! * [`Arena::finish_cycle`] frees everything that is unreachable when it is called, even if the cycle in progress has marked
//!   some of it already. The exception is a cycle that is paused after [`Arena::finish_marking`] or [`Arena::mark_debt`]:
//!   `finish_cycle` completes that cycle, and starts no other.
//! * [`Arena::mark_debt`] and [`Arena::finish_marking`] mean the same in all modes, including [`Mode::StopTheWorld`]. Only after
//!   these calls is the phase `Marked`. A cycle that nobody pauses goes from marking to sweeping within one safepoint.
//! * Once a cycle with finalizers has found the target of a [`GcWeak`] dead, the pointer leads nowhere, even if a finalizer
//!   resurrects the target. A [`GcWeakLong`] leads to it until it is freed. Without finalizers the two are the same.
//! * A write barrier is due *before* a write, in the same `mutate` call. Every write by `unsafe` means needs one that changes a
//!   pointer of an object, in its words or in memory that it owns, or that changes which of its words are pointers; also a write
//!   that stores no pointer. The collector keeps what was reachable when the cycle began, so it must see what is overwritten. It
//!   knows from the heap's own maps, and not by calling `trace`, which words are pointers.
//! * [`Gc::write_at`] is the barrier for one element of a slice. [`Gc::write`] is the barrier for the whole slice. It costs as
//!   much as the slice is long, once in each cycle during which the program runs.
//!
//! `docs/migrating-from-gc-arena.md` in the repository says what to change, and has a table of all items.
//!
//! # Inside
//!
//! The modules of this crate are its layers. `docs/architecture.md` in the repository has a table of them, from `sync` and
//! `os` up to `collections`, and says where to begin. `docs/memory-layout.md`, `docs/concurrency.md`, `docs/references.md` and
//! `docs/tuning.md` have the rest.

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
    pointers::{gc, gc_slice, packed, slice, zst_cache},
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
    pub use core::marker::{Copy, PhantomData};
    pub use core::primitive::bool;

    pub use crate::pointers::unsize::Unsized;
    pub use crate::types::derived::shadow;
    pub use crate::types::dyn_collect::only_for_trait_objects;
    pub use crate::types::no_drop::NoDestructor;
    pub use crate::types::type_map::TypeMap;
}
