//! The command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use gc_benches::pauses::plan::{Mode, Plan};

/// Measures the pauses that programs see on gc-core, and writes a report of them.
#[derive(Debug, Parser)]
#[command(name = "pauses", version)]
pub struct Options {
    /// Run only this workload (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub workload: Vec<String>,

    /// Collect in this mode (may be given several times; otherwise the heap's own default, and
    /// every mode for large-heap)
    #[arg(long, value_enum, value_name = "MODE")]
    pub mode: Vec<Mode>,

    /// Keep so much alive in the large heaps (may be given several times; otherwise 10 million
    /// nodes)
    #[arg(long, value_name = "GIB")]
    pub live: Vec<f64>,

    /// Add the rows of other managers of memory: gc-arena, and those without a collector
    #[arg(long)]
    pub peers: bool,

    /// List the workloads and end
    #[arg(long)]
    pub list: bool,

    /// Small heaps and short runs: a look whether everything works, in a few seconds
    #[arg(long)]
    pub quick: bool,

    /// Multiply the amount of work (not the sizes of the heaps)
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub scale: f64,

    /// Write report.html into this directory (otherwise target/pauses)
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Write all figures into this file as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Measure this workload in this very process and print the outcome as JSON
    #[arg(long, hide = true, value_name = "NAME")]
    pub child: Option<String>,
}

impl Options {
    /// How much work is to be done; the mode and the size are those of a measuring process.
    pub fn plan(&self) -> Result<Plan> {
        let plan = |mode, live| Plan::new(self.quick, self.scale, mode, live);
        for &live in &self.live {
            plan(None, Some(live))?;
        }
        plan(self.mode.first().copied(), self.live.first().copied())
    }
}
