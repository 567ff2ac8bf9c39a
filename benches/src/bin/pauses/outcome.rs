//! What a measurement yields, as it travels from the measuring process to the report.
//!
//! Times are in nanoseconds and sizes in bytes. What a workload cannot know is `None`, never zero.

use gc_benches::machine::Machine;
use serde::{Deserialize, Serialize};

use crate::distribution::Distribution;
use crate::series::Bucket;

/// Everything one run of this program measured.
#[derive(Debug, Serialize)]
pub struct Results {
    /// Where it ran.
    pub machine: Machine,
    /// Whether heaps were small and runs short.
    pub quick: bool,
    /// The factor on the amount of work.
    pub scale: f64,
    /// One entry for each workload.
    pub outcomes: Vec<Outcome>,
}

/// What one workload measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The workload's name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// From before the first step to after the last.
    pub wall: u64,
    /// Collections, or nothing where there is no collector.
    pub collections: Option<u64>,
    /// The collections' times; without a collector, the machine's interruptions.
    pub pauses: Distribution,
    /// The times of all steps, with their collections.
    pub steps: Distribution,
    /// Bytes ever allocated.
    pub allocated: Option<u64>,
    /// Objects ever allocated.
    pub objects: Option<u64>,
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
    /// Whether this is the control, which has no collector.
    pub fn is_control(&self) -> bool {
        self.collections.is_none()
    }

    /// How many a second, of so many in the whole run.
    pub fn rate(&self, amount: Option<u64>) -> Option<f64> {
        (self.wall > 0).then_some(amount? as f64 * 1e9 / self.wall as f64)
    }
}
