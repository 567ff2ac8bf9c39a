//! How the pointers of a type are found: its map, its `trace`, the tags of its values, and the descriptor of those
//! that the collector must ask.
//!
//! A type says once where its pointers are ([`collect::Collect::TYPE_MAP`]). From then on the collector follows bits
//! in the heap's planes; it calls `trace` only where these cannot know ([`descriptor`]).
//!
//! Knows the heap, and the types of pointers, which [`collect::Trace`] names. Knows nothing of cycles and of mutators.

#[macro_use]
pub mod collect;
pub(crate) mod collect_impl;
pub(crate) mod derived;
pub(crate) mod descriptor;
pub(crate) mod dyn_collect;
pub(crate) mod found;
pub(crate) mod ledger;
pub mod meta;
pub(crate) mod no_drop;
pub(crate) mod owned_bytes;
pub(crate) mod same_type;
pub(crate) mod static_wrapper;
pub(crate) mod tags;
pub(crate) mod trace;
pub(crate) mod type_map;
