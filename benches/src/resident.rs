//! How much memory this process keeps resident.
//!
//! The kernel's own account (`/proc/self/status`), so it holds the collector's metadata, mark
//! stacks and page tables' worth of slack as much as the objects: what a program costs, not what
//! it asked for. `None` where the system has no such file.

use std::fs;

/// Bytes resident now.
pub fn now() -> Option<u64> {
    field("VmRSS:")
}

/// The most bytes that were ever resident in this process.
pub fn peak() -> Option<u64> {
    field("VmHWM:")
}

fn field(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
