//! Which machine the figures come from.
//!
//! Read from `/proc` and `/sys`; elsewhere than on Linux those lines say "unknown". Nothing here
//! identifies a host beyond its kind: no name, no address.

use std::fmt;
use std::fs;

use serde::{Deserialize, Serialize};

/// The facts about a machine that move these figures most.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the first processor.
    pub processor: String,
    /// Processors that this process may run on.
    pub processors: usize,
    /// Bytes of memory, as the kernel counts them.
    pub memory: Option<u64>,
    /// The kernel's release.
    pub kernel: String,
    /// The kernel's setting of transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: String,
    /// The value of `GC_ZEAL` when it is set: a heap that checks itself is no heap to time.
    pub zeal: Option<String>,
}

impl Machine {
    /// The machine this runs on.
    pub fn here() -> Machine {
        Machine {
            processor: processor().unwrap_or_else(unknown),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory: memory(),
            kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
            huge_pages: huge_pages().unwrap_or_else(unknown),
            zeal: std::env::var("GC_ZEAL")
                .ok()
                .filter(|value| !value.is_empty()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.processors, self.processor)?;
        if let Some(memory) = self.memory {
            write!(f, ", {} of memory", crate::units::size(memory))?;
        }
        write!(
            f,
            ", {} {}, transparent huge pages: {}",
            std::env::consts::OS,
            self.kernel,
            self.huge_pages
        )?;
        if let Some(zeal) = &self.zeal {
            write!(
                f,
                "; GC_ZEAL={zeal} is set, so these are no figures to compare"
            )?;
        }
        Ok(())
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn processor() -> Option<String> {
    let text = read("/proc/cpuinfo")?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory() -> Option<u64> {
    let text = read("/proc/meminfo")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The file lists all settings and puts the one in force in brackets.
fn huge_pages() -> Option<String> {
    let text = read("/sys/kernel/mm/transparent_hugepage/enabled")?;
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}
