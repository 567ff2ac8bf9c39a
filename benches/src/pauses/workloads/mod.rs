//! The programs under measurement.
//!
//! Each is cut into steps of a size that a program with a frame or a request to serve would take,
//! a few microseconds of work, except where the classic program itself builds a deep tree at once.

mod binary_trees;
mod control;
mod gcbench;
mod large_heap;
mod large_owner;
mod scheme;

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result};

use super::outcome::Kind;
use super::plan::Plan;
use crate::collected::Account;

/// A program cut into steps.
pub trait Workload {
    /// Whether the next slice of work still builds what the program is then about.
    fn is_building(&self) -> bool {
        false
    }

    /// How long the program goes on once all is built, if it has no end of its own.
    fn duration(&self) -> Option<Duration> {
        None
    }

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

    /// The share of the work that is done, from 0 to 1, where the program has an end of its own.
    fn progress(&self) -> f64 {
        0.0
    }
}

/// How a collector stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Collections so far, where somebody counts them.
    pub collections: Option<u64>,
    /// Bytes the heap owns, without metadata.
    pub heap: Option<u64>,
    /// Bytes of objects ever allocated.
    pub allocated: Option<u64>,
    /// Bytes of objects that survived the last collection.
    pub live: Option<u64>,
    /// Whether a cycle is in progress, where the collector says so.
    pub is_in_cycle: Option<bool>,
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
    /// Bytes of objects that are alive once all is built, where the program knows.
    pub live: Option<u64>,
}

impl From<Account> for Look {
    fn from(account: Account) -> Look {
        Look {
            collections: account.collections,
            heap: account.heap,
            allocated: account.allocated,
            live: account.live,
            is_in_cycle: account.is_in_cycle,
        }
    }
}

impl From<Account> for Totals {
    fn from(account: Account) -> Totals {
        Totals {
            allocated: account.allocated,
            objects: None,
            peak_heap: account.peak_heap,
            live: None,
        }
    }
}

/// A workload that can be asked for.
pub struct Entry {
    /// Its name on the command line.
    pub name: String,
    /// The family of workloads it belongs to, and what it is called in it, if it has variants.
    title: (String, Option<&'static str>),
    /// What it does, in a line.
    pub about: String,
    /// What it is measured for.
    pub kind: Kind,
    /// Which heaps it runs on.
    pub heaps: Heaps,
    /// Makes it ready for its first step.
    pub make: Box<dyn Fn(Plan) -> Result<Box<dyn Workload>> + Send + Sync>,
}

/// The heaps that a workload runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Heaps {
    /// One of a size of its own.
    Own,
    /// The same, and one in each mode unless somebody asks for some of them.
    OwnInEachMode,
    /// As large a one as asked for.
    Sized,
    /// The same, and one in each mode unless somebody asks for some of them.
    SizedInEachMode,
}

impl Entry {
    fn new<W, F>(name: impl Into<String>, about: impl Into<String>, make: F) -> Entry
    where
        W: Workload + 'static,
        F: Fn(Plan) -> Result<W> + Send + Sync + 'static,
    {
        let name = name.into();
        Entry {
            title: (name.clone(), None),
            name,
            kind: Kind::Ours,
            heaps: Heaps::Own,
            about: about.into(),
            make: Box::new(move |plan| Ok(Box::new(make(plan)?))),
        }
    }

    /// The entry as such a one.
    fn of(self, kind: Kind) -> Entry {
        Entry { kind, ..self }
    }

    /// The entry on such heaps.
    fn on(self, heaps: Heaps) -> Entry {
        Entry { heaps, ..self }
    }

    /// The entry as a variant of a family.
    fn variant_of(self, family: &str, variant: &'static str) -> Entry {
        Entry {
            title: (family.to_owned(), Some(variant)),
            ..self
        }
    }
}

/// A workload on one kind of heap: a row of the table.
pub struct Row {
    /// The workload.
    pub entry: &'static Entry,
    /// The heap, and how much is done on it.
    pub plan: Plan,
}

impl Row {
    /// What the row is called, with all that it was asked for.
    pub fn title(&self) -> String {
        let (family, variant) = &self.entry.title;
        let parts = [
            variant.map(str::to_owned),
            self.plan.mode.map(|mode| mode.to_string()),
            self.plan.live.map(|live| format!("{live} GiB")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            family.clone()
        } else {
            format!("{family} ({})", parts.join(", "))
        }
    }

    /// The workload called `name` with this plan.
    pub fn of(name: &str, plan: Plan) -> Result<Row> {
        Ok(Row {
            entry: named(name)?,
            plan,
        })
    }
}

/// All workloads, the controls first and the peers last.
pub fn all() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        // The controls and what is held against them are neighbours in time.
        let mut all = vec![
            control::entry(),
            control::busy_entry(),
            large_heap::entry(),
            large_heap::cells_entry(),
            large_owner::entry(),
            binary_trees::entry(),
            gcbench::entry(),
        ];
        all.extend(scheme::entries());
        all.extend(large_heap::peer_entries());
        all.extend(binary_trees::peer_entries());
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
