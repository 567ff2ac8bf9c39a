//! Managed heaps of known shapes, once in source and compiled against two collectors.
//!
//! [`ours`] is gc-core, [`peer`] is gc-arena 0.7, which shares its vocabulary; the modules `trees`,
//! `graphs`, `large` and `owners` of both come from the same files, so a difference between them is the
//! collector's. Both run with the options they have by default, unless somebody asks for others.

use std::ops::Range;
use std::time::Duration;

pub mod ours;
pub mod peer;

/// A heap whose collector works when it is asked to.
pub trait Collected {
    /// Lets the collector work as far as it is in debt.
    fn collect_debt(&mut self);

    /// Lets it finish a whole collection.
    fn finish_cycle(&mut self);

    /// What it says of itself.
    fn account(&self) -> Account;
}

/// A heap of binary trees. Only [`Collected`] lets the collector work.
pub trait Trees: Collected {
    /// Builds `trees` trees of `depth` one after the other, counts their nodes and lets go of
    /// them.
    fn grow(&mut self, depth: u32, trees: u64) -> u64;

    /// Builds a tree that lives on.
    fn plant(&mut self, depth: u32);

    /// Lets go of the long-lived tree.
    fn fell(&mut self);

    /// Counts the nodes of the long-lived tree.
    fn kept(&self) -> u64;
}

/// Bytes of a node of a [`LargeHeap`].
pub const NODE: usize = 32;

/// What the old array of a [`LargeHeap`] has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// The slots.
    Array,
    /// Pointers to managed cells, which are the slots.
    Cells,
}

/// A heap of old trees with an old array. Only [`Collected`] lets the collector work.
pub trait LargeHeap: Collected {
    /// Hangs a tree of `depth` on one more node of a chain.
    fn plant(&mut self, depth: u32, number: u64);

    /// Stores a new node into each of these slots.
    fn fill(&mut self, slots: Range<usize>);

    /// Makes a list of so many nodes, and stores the first, which ends it, into a slot. Whether the
    /// node that was there is as it was made, or nothing if there was none.
    fn churn(&mut self, slot: usize, length: u64, stamp: u64) -> Option<bool>;

    /// Counts the trees that are as they were made.
    fn whole_trees(&self) -> u64;
}

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
    /// Collections, ever.
    pub collections: Option<u64>,
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
    /// Whether a cycle is in progress.
    pub is_in_cycle: Option<bool>,
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

    fn churn(mut heap: impl LargeHeap) {
        const TREES: u64 = 5;
        for number in 0..TREES {
            heap.plant(6, number);
        }
        assert_eq!(heap.churn(0, 2, 0), None, "there was no node");
        heap.fill(1..50);
        for stamp in 0..1000 {
            let slot = stamp as usize * 7 % 50;
            assert_eq!(heap.churn(slot, 10, stamp), Some(true));
            heap.collect_debt();
        }
        heap.finish_cycle();
        assert_eq!(heap.whole_trees(), TREES);
        assert_ne!(heap.account().is_in_cycle, Some(true));
    }

    #[test]
    fn both_collectors_keep_the_large_heap() {
        for slots in [Slots::Array, Slots::Cells] {
            churn(ours::large::Large::new(Default::default(), slots, 50));
            churn(peer::large::Large::new(Default::default(), slots, 50));
        }
    }
}
