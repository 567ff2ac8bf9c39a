//! The command line, and what of it a workload needs to know.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};
use gc_core::HeapOptions;
use serde::{Deserialize, Serialize};

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

/// How heaps are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The program stands still for a whole collection
    StopTheWorld,
    /// The program's thread collects in bounded steps
    Incremental,
    /// Another thread collects while the program runs
    Concurrent,
}

impl Mode {
    /// The mode that a heap has if nobody chooses.
    pub fn usual() -> Mode {
        match gc_core::Mode::default() {
            gc_core::Mode::StopTheWorld => Mode::StopTheWorld,
            gc_core::Mode::Incremental => Mode::Incremental,
            gc_core::Mode::Concurrent => Mode::Concurrent,
        }
    }

    /// The mode as the collector knows it.
    fn of_heap(self) -> gc_core::Mode {
        match self {
            Mode::StopTheWorld => gc_core::Mode::StopTheWorld,
            Mode::Incremental => gc_core::Mode::Incremental,
            Mode::Concurrent => gc_core::Mode::Concurrent,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::StopTheWorld => "stop-the-world",
            Mode::Incremental => "incremental",
            Mode::Concurrent => "concurrent",
        })
    }
}

/// How much work a workload is to do, and on which kind of heap.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Small heaps and short runs.
    pub quick: bool,
    /// Multiplies the amount of work.
    pub scale: f64,
    /// The collector's mode, if it is not to be the usual one.
    pub mode: Option<Mode>,
    /// GiB that the large heaps keep alive, if not the usual number of nodes.
    pub live: Option<f64>,
}

impl Plan {
    /// The plan that `options` ask for; of modes and sizes the first, if there are any.
    pub fn of(options: &Options) -> Result<Plan> {
        let scale = options.scale;
        if !(0.001..=1000.0).contains(&scale) {
            bail!("--scale {scale} is out of range: give a factor from 0.001 to 1000");
        }
        for live in &options.live {
            if !(0.01..=16.0).contains(live) {
                bail!("--live {live} is out of range: give from 0.01 to 16 GiB");
            }
        }
        Ok(Plan {
            quick: options.quick,
            scale,
            mode: options.mode.first().copied(),
            live: options.live.first().copied(),
        })
    }

    /// How often to do what is done `usual` times by default, and `quick` times in a short run.
    pub fn times(self, usual: u64, quick: u64) -> u64 {
        let times = if self.quick { quick } else { usual };
        ((times as f64 * self.scale).round() as u64).max(1)
    }

    /// How long to do what has no end of its own. The same for all workloads of that kind, so that
    /// their longest times compare: whoever waits longer meets worse.
    pub fn duration(self) -> Duration {
        let usual = if self.quick {
            Duration::from_millis(300)
        } else {
            Duration::from_secs(10)
        };
        usual.mul_f64(self.scale)
    }

    /// The first in a usual run, the second in a short one, whatever the scale.
    pub fn pick<T>(self, usual: T, quick: T) -> T {
        if self.quick { quick } else { usual }
    }

    /// The options of the workload's heap.
    pub fn heap(self) -> HeapOptions {
        let options = HeapOptions::default();
        self.mode
            .map_or(options, |mode| options.mode(mode.of_heap()))
    }

    /// The arguments that give a child this plan.
    pub fn arguments(self) -> Vec<String> {
        let mut arguments = vec![format!("--scale={}", self.scale)];
        if self.quick {
            arguments.push("--quick".to_owned());
        }
        arguments.extend(self.mode.map(|mode| format!("--mode={mode}")));
        arguments.extend(self.live.map(|live| format!("--live={live}")));
        arguments
    }
}
