//! The command line, and what of it a workload needs to know.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Parser;

/// Measures the pauses that programs see on gc-core, and writes a report of them.
#[derive(Debug, Parser)]
#[command(name = "pauses", version)]
pub struct Options {
    /// Run only this workload (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub workload: Vec<String>,

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

/// How much work a workload is to do.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Small heaps and short runs.
    pub quick: bool,
    /// Multiplies the amount of work.
    pub scale: f64,
}

impl Size {
    /// The size that `options` ask for.
    pub fn of(options: &Options) -> Result<Size> {
        let scale = options.scale;
        if !(0.001..=1000.0).contains(&scale) {
            bail!("--scale {scale} is out of range: give a factor from 0.001 to 1000");
        }
        Ok(Size {
            quick: options.quick,
            scale,
        })
    }

    /// How often to do what is done `usual` times by default, and `quick` times in a short run.
    pub fn times(self, usual: u64, quick: u64) -> u64 {
        let times = if self.quick { quick } else { usual };
        ((times as f64 * self.scale).round() as u64).max(1)
    }

    /// The first in a usual run, the second in a short one, whatever the scale.
    pub fn pick<T>(self, usual: T, quick: T) -> T {
        if self.quick { quick } else { usual }
    }

    /// The arguments that give a child this size.
    pub fn arguments(self) -> Vec<String> {
        let mut arguments = vec![format!("--scale={}", self.scale)];
        if self.quick {
            arguments.push("--quick".to_owned());
        }
        arguments
    }
}
