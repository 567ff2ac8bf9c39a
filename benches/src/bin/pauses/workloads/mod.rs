//! The programs under measurement.
//!
//! Each is cut into steps of a size that a program with a frame or a request to serve would take,
//! a few microseconds of work, except where the classic program itself builds a deep tree at once.

mod binary_trees;
mod control;
mod gcbench;
mod large_heap;
mod scheme;

use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use gc_benches::collected::Account;

use crate::options::Size;

/// A program cut into steps.
pub trait Workload {
    /// Does a slice of work. `false` when this was the last.
    fn work(&mut self) -> Result<bool>;

    /// Lets the collector work, if it has anything to do.
    fn collect(&mut self) {}

    /// How the collector stands. Called after each step, so it must be cheap.
    fn look(&self) -> Look;

    /// What the whole run came to.
    fn totals(&self) -> Totals;

    /// Looks, after the last step, whether the program came to the right end.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The share of the work that is done, from 0 to 1.
    fn progress(&self) -> f64;
}

/// How a collector stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Collections so far, or nothing where there is no collector.
    pub collections: Option<u64>,
    /// Bytes the heap owns, without metadata.
    pub heap: Option<u64>,
    /// Bytes of objects ever allocated.
    pub allocated: Option<u64>,
    /// Bytes of objects that survived the last collection.
    pub live: Option<u64>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Bytes ever allocated.
    pub allocated: Option<u64>,
    /// Objects ever allocated.
    pub objects: Option<u64>,
    /// The most bytes the heap ever owned, without metadata.
    pub peak_heap: Option<u64>,
}

impl From<Account> for Look {
    fn from(account: Account) -> Look {
        Look {
            collections: Some(account.collections),
            heap: account.heap,
            allocated: account.allocated,
            live: account.live,
        }
    }
}

impl From<Account> for Totals {
    fn from(account: Account) -> Totals {
        Totals {
            allocated: account.allocated,
            objects: None,
            peak_heap: account.peak_heap,
        }
    }
}

/// A workload that can be asked for.
pub struct Entry {
    /// Its name on the command line.
    pub name: String,
    /// What it does, in a line.
    pub about: String,
    /// Makes it ready for its first step.
    pub make: Box<dyn Fn(Size) -> Result<Box<dyn Workload>> + Send + Sync>,
}

impl Entry {
    fn new<W, F>(name: impl Into<String>, about: impl Into<String>, make: F) -> Entry
    where
        W: Workload + 'static,
        F: Fn(Size) -> Result<W> + Send + Sync + 'static,
    {
        Entry {
            name: name.into(),
            about: about.into(),
            make: Box::new(move |size| Ok(Box::new(make(size)?))),
        }
    }
}

/// All workloads, the control first.
pub fn all() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let mut all = vec![
            control::entry(),
            binary_trees::entry(),
            gcbench::entry(),
            large_heap::entry(),
        ];
        all.extend(scheme::entries());
        all
    });
    &ALL
}

/// The workload of this name.
pub fn named(name: &str) -> Result<&'static Entry> {
    all()
        .iter()
        .find(|entry| entry.name == name)
        .with_context(|| {
            let names: Vec<_> = all().iter().map(|entry| entry.name.as_str()).collect();
            format!(
                "there is no workload \"{name}\"; there are {}",
                names.join(", ")
            )
        })
}

/// The workloads of these names in the order of all, or all of them if there are no names.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Entry>> {
    for name in names {
        named(name)?;
    }
    let chosen: Vec<_> = all()
        .iter()
        .filter(|entry| names.is_empty() || names.contains(&entry.name))
        .collect();
    if chosen.is_empty() {
        bail!("there is no workload to run");
    }
    Ok(chosen)
}
