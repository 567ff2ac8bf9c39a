//! Arenas of one thread, and further kinds of roots: dynamic roots and pins.

pub mod arena;
pub mod dynamic_roots;
pub mod pinning;
pub(crate) mod well_formed;
