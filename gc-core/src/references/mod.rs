//! What depends on whether an object is dead: ephemerons, soft references, tables of weak pointers, finalizers.
//!
//! Weak pointers themselves are in [`crate::pointers`]. `collector/references` has the order in which the collector
//! processes all of these.

pub(crate) mod ephemeron;
pub(crate) mod finalization;
pub mod finalizer;
pub(crate) mod soft;
pub mod weak_collections;
