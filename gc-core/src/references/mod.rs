//! What depends on whether an object is dead: ephemerons, soft references, tables of weak pointers, finalizers.
//!
//! Weak pointers themselves are in [`crate::pointers`]. In which order the collector processes all this is told by
//! `collector/references`.

pub(crate) mod ephemeron;
pub(crate) mod finalization;
pub mod finalizer;
pub(crate) mod soft;
pub mod weak_collections;
