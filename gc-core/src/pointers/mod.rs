//! Pointers into the heap: to an object, to a slice, into the middle of an object, and weak ones.

pub mod gc;
pub mod gc_slice;
pub mod packed;
pub mod slice;
pub(crate) mod unsize;
pub(crate) mod weak;
pub(crate) mod weak_long;
pub mod zst_cache;
