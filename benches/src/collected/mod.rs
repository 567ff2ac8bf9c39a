//! Managed heaps of known shapes, once in source and compiled against two collectors.
//!
//! [`ours`] is gc-core, [`peer`] is gc-arena 0.7, which shares its vocabulary; the modules `trees`,
//! `graphs` and `owners` of both come from the same files, so a difference between them is the
//! collector's. Both run with the options they have by default, unless somebody asks for others.

use std::time::Duration;

pub mod ours;
pub mod peer;

/// A program of the modules `owners`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Interned strings by the million.
    Strings,
    /// Pipelines of coroutines.
    Coroutines,
    /// Objects of a class.
    Tables,
    /// Closures over shared variables.
    Closures,
    /// A large map of records that changes.
    Live,
    /// Trees of tables.
    Trees,
    /// Objects of which a few have a finalizer.
    Finalizers,
}

impl Program {
    /// All programs.
    pub const ALL: [Program; 7] = [
        Program::Strings,
        Program::Coroutines,
        Program::Tables,
        Program::Closures,
        Program::Live,
        Program::Trees,
        Program::Finalizers,
    ];
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_collectors_give_the_programs_one_result() {
        for program in Program::ALL {
            let ours = ours::owners::run(program, ours::Options::default(), 5_000);
            let peer = peer::owners::run(program, peer::Options::default(), 5_000);
            assert_eq!(ours, peer, "{program:?}");
        }
    }
}
