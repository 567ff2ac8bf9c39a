//! The command line.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};
use gc_benches::pauses::plan::{Mode, Plan};

use crate::contest::Contender;

/// Depth of the binary trees, and how many objects the large heaps have, in a full run.
pub const DEPTH: u32 = 18;
pub const OBJECTS: usize = 20_000_000;

/// Measures gc-core beside its peers and prints each figure with what is asked of it.
#[derive(Clone, Debug, Parser)]
#[command(name = "ratios", version)]
pub struct Options {
    /// Measure only this group (may be given several times)
    #[arg(long, value_enum, value_name = "GROUP")]
    pub only: Vec<Group>,

    /// How often each contender runs; the median counts
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rounds: usize,

    /// Depth of the binary trees; the bounds hold for 18
    #[arg(long, value_name = "DEPTH", default_value_t = DEPTH)]
    pub depth: u32,

    /// Objects in a large heap; the bounds hold for 20 million
    #[arg(long, value_name = "N", default_value_t = OBJECTS)]
    pub objects: usize,

    /// How gc-core's heaps collect in the group owners (otherwise as they do if nobody chooses)
    #[arg(long, value_enum, value_name = "MODE")]
    pub mode: Option<Mode>,

    /// Keep so many GiB alive in the group pauses (otherwise 10 million nodes)
    #[arg(long, value_name = "GIB")]
    pub live: Option<f64>,

    /// Multiply how long the group pauses takes; the bounds hold from 1 upwards
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub scale: f64,

    /// One round of small sizes: a look whether everything works
    #[arg(long)]
    pub quick: bool,

    /// Write all figures into this file as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Run this contender in this very process and print its figures as JSON
    #[arg(long, hide = true, value_enum)]
    pub child: Option<Contender>,
}

/// A group of measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// The binary-trees program
    Trees,
    /// Full collections of large heaps
    Collections,
    /// What objects cost in memory
    Memory,
    /// What a second marking thread is worth
    Parallel,
    /// What a second mutator thread is worth
    Shared,
    /// What the write barrier adds to a store
    Barrier,
    /// What managed vectors and maps cost
    Containers,
    /// What weak pointers, ephemerons and finalizers cost
    References,
    /// Programs whose objects own memory outside of the heap
    Owners,
    /// Values of a dynamic language, as a plain and as a packed enum
    Values,
    /// Steps of a program on a large heap
    Pauses,
}

impl Options {
    /// The options with their sizes made definite.
    pub fn settled(mut self) -> Result<Options> {
        if self.quick {
            (self.rounds, self.depth, self.objects) = (1, 10, 200_000);
        }
        if self.rounds == 0 {
            bail!("--rounds 0 measures nothing: give at least 1");
        }
        if !(4..=24).contains(&self.depth) {
            bail!(
                "--depth {} is out of range: give a depth from 4 to 24",
                self.depth
            );
        }
        if self.objects < 1000 {
            bail!(
                "--objects {} is too few to measure: give at least 1000",
                self.objects
            );
        }
        self.plan(None)?;
        Ok(self)
    }

    /// What a program of the group pauses does. With fewer objects than by default it is short, on
    /// a small heap.
    pub fn plan(&self, mode: Option<Mode>) -> Result<Plan> {
        Plan::new(self.objects < OBJECTS, self.scale, mode, self.live)
    }

    /// Whether this group is to be measured.
    pub fn wants(&self, group: Group) -> bool {
        self.only.is_empty() || self.only.contains(&group)
    }

    /// `bound`, if the trees have the depth that it holds for.
    pub fn bound_on_trees(&self, bound: f64) -> Option<f64> {
        (self.depth == DEPTH).then_some(bound)
    }

    /// `bound`, if the heaps have as many objects as it holds for.
    pub fn bound_on_heaps(&self, bound: f64) -> Option<f64> {
        (self.objects == OBJECTS).then_some(bound)
    }
}
