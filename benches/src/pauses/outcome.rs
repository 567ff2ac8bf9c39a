//! What a measurement yields, as it travels from the measuring process to the report.
//!
//! Times are in nanoseconds and sizes in bytes. What a workload cannot know is `None`, never zero.

use crate::machine::Machine;
use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::plan::Mode;
use super::series::Bucket;
use super::utilisation::Least;

/// Everything one run of this program measured.
#[derive(Debug, Serialize)]
pub struct Results {
    /// Where it ran.
    pub machine: Machine,
    /// Whether heaps were small and runs short.
    pub quick: bool,
    /// The factor on the amount of work.
    pub scale: f64,
    /// One entry for each row.
    pub outcomes: Vec<Outcome>,
}

/// What a workload is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What the machine does to a program with neither allocation nor collector: its pauses are
    /// interruptions.
    Control,
    /// gc-core.
    Ours,
    /// Another manager of memory.
    Peer,
}

/// A part of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// From before its first step to after its last.
    pub wall: u64,
    /// Collections that ended in it, or nothing where nobody counts them.
    pub collections: Option<u64>,
    /// Steps after which a cycle was in progress, where the collector says so.
    pub steps_in_cycle: Option<u64>,
    /// The times in which the collector stopped the program; without a collector, the machine's
    /// interruptions.
    pub pauses: Distribution,
    /// The times of all steps, with what the collector did in them.
    pub steps: Distribution,
    /// The least share of windows of time that the program had for itself, or the control from the
    /// machine.
    pub utilisation: Vec<Least>,
    /// Bytes allocated.
    pub allocated: Option<u64>,
    /// Objects allocated.
    pub objects: Option<u64>,
}

impl Part {
    /// How many a second, of so many in this part.
    pub fn rate(&self, amount: Option<u64>) -> Option<f64> {
        (self.wall > 0).then_some(amount? as f64 * 1e9 / self.wall as f64)
    }

    /// How many a second of the steps' own time, of so many in this part.
    pub fn rate_in_steps(&self, amount: Option<u64>) -> Option<f64> {
        let total = self.steps.total;
        (total > 0).then_some(amount? as f64 * 1e9 / total as f64)
    }
}

/// What one row measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The row's title.
    pub name: String,
    /// The workload's name.
    pub workload: String,
    /// What it is measured for.
    pub kind: Kind,
    /// The mode that was asked for, if one was.
    pub mode: Option<Mode>,
    /// The GiB that were to be kept alive, if a number was asked for.
    pub live_asked: Option<f64>,
    /// What it does.
    pub about: String,
    /// From before the first step to after the last.
    pub whole: u64,
    /// The setting up of what the program then works on, where that is a part of its own.
    pub building: Option<Part>,
    /// What is judged: all that is not building.
    #[serde(flatten)]
    pub run: Part,
    /// Bytes of objects that are alive: what the program knows, or else the most that survived a
    /// collection.
    pub live: Option<u64>,
    /// The most bytes the heap ever owned, without metadata.
    pub peak_heap: Option<u64>,
    /// The most bytes ever resident in the process.
    pub peak_resident: Option<u64>,
    /// The pauses over time.
    pub pauses_over_time: Vec<Bucket>,
    /// The heap's size over time.
    pub heap_over_time: Vec<Bucket>,
    /// The bytes of objects in the heap over time, dead ones included until they are collected.
    pub objects_over_time: Vec<Bucket>,
}

impl Outcome {
    /// Whether this is a control.
    pub fn is_control(&self) -> bool {
        self.kind == Kind::Control
    }

    /// So many bytes as a multiple of those that are alive.
    pub fn times_live(&self, bytes: Option<u64>) -> Option<f64> {
        let live = self.live.filter(|&live| live > 0)?;
        Some(bytes? as f64 / live as f64)
    }

    /// The name of this row's section in the report: one word, whatever the title is.
    pub fn anchor(&self) -> String {
        let words = self
            .name
            .split(|c: char| !c.is_alphanumeric() && c != '-' && c != '.');
        words
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("-")
    }
}
