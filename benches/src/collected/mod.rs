//! Managed heaps of known shapes, once in source and compiled against two collectors.
//!
//! [`ours`] is gc-core, [`peer`] is gc-arena 0.7, which shares its vocabulary; the modules `trees`
//! and `graphs` of both come from the same files, so a difference between them is the
//! collector's. Both run with the options they have by default, unless somebody asks for others.

use std::time::Duration;

pub mod ours;
pub mod peer;

/// What a collector says of itself, as far as it says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    /// Collections, ever; zero where the collector does not count them.
    pub collections: u64,
    /// Time spent marking, ever.
    pub mark_time: Option<Duration>,
    /// Time spent sweeping inside collections, ever.
    pub sweep_time: Option<Duration>,
    /// Bytes allocated, ever.
    pub allocated: Option<u64>,
    /// Bytes of objects that survived the last collection.
    pub live: Option<u64>,
    /// Bytes that the heap owns now, without its metadata.
    pub heap: Option<u64>,
    /// The most bytes that the heap ever owned, without its metadata.
    pub peak_heap: Option<u64>,
}
