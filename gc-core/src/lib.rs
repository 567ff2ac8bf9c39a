//! A precise tracing garbage collector for language runtimes and other programs with graphs.

extern crate self as gc_core;

pub mod arena;
pub mod barrier;
#[macro_use]
pub mod collect;
mod collect_impl;
mod collector;
mod context;
mod descriptor;
pub mod dynamic_roots;
mod gc;
mod gc_weak;
mod heap;
pub mod lock;
pub mod metrics;
mod mutation;
mod no_drop;
mod os;
mod static_wrapper;
mod sync;
mod tags;
mod trace;
mod typemap;
mod unsize;

#[doc(hidden)]
pub use gc_derive::__unelide_lifetimes;

#[doc(hidden)]
pub use self::{arena::__DynRootable, no_drop::__MustNotImplDrop, unsize::__CoercePtrInternal};

#[doc(inline)]
pub use self::{
    arena::{Arena, Rootable},
    collect::Collect,
    dynamic_roots::{DynamicRoot, DynamicRootSet},
    gc::Gc,
    gc_weak::GcWeak,
    heap::error::HeapError,
    heap::extent::Extent,
    heap::options::{HeapOptions, Zeal},
    heap::verify::VerifyError,
    lock::{GcLock, GcRefLock, Lock, RefLock},
    mutation::Mutation,
    static_wrapper::Static,
};

/// What the derive macro expands to.
#[doc(hidden)]
pub mod __private {
    pub use crate::typemap::TypeMap;
    pub use core::mem::offset_of;
}
