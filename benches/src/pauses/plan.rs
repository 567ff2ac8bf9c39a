//! How much work a workload is to do, and on which kind of heap.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use gc_core::HeapOptions;
use serde::{Deserialize, Serialize};

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
    pub fn of_heap(self) -> gc_core::Mode {
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
    /// A plan, if it makes sense. An error names the argument that does not.
    pub fn new(quick: bool, scale: f64, mode: Option<Mode>, live: Option<f64>) -> Result<Plan> {
        if !(0.001..=1000.0).contains(&scale) {
            bail!("--scale {scale} is out of range: give a factor from 0.001 to 1000");
        }
        if let Some(live) = live.filter(|live| !(0.01..=16.0).contains(live)) {
            bail!("--live {live} is out of range: give from 0.01 to 16 GiB");
        }
        Ok(Plan {
            quick,
            scale,
            mode,
            live,
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
