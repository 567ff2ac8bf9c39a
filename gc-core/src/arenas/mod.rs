//! Arenas of one thread, and the roots that they can have beside their own: dynamic roots and pins.

pub mod arena;
pub mod dynamic_roots;
pub mod pinning;
pub(crate) mod well_formed;
