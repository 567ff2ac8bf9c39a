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

use std::time::Duration;

use anyhow::{Context, Result, bail};
use gc_benches::collected::Account;
use gc_core::arena::{Arena, CollectionPhase, Rootable};

use crate::options::{Mode, Options, Plan};

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
    /// Collections so far, or nothing where there is no collector.
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

impl Look {
    /// A look at a collector.
    fn of(account: Account, is_in_cycle: Option<bool>) -> Look {
        Look {
            is_in_cycle,
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
            live: None,
        }
    }
}

/// Whether the collector of `arena` is in a cycle.
fn is_in_cycle<R: for<'a> Rootable<'a>>(arena: &Arena<R>) -> bool {
    arena.collection_phase() != CollectionPhase::Sleeping
}

/// A workload that can be asked for.
pub struct Entry {
    /// Its name on the command line.
    pub name: String,
    /// The family of workloads it belongs to, and what it is called in it, if it has variants.
    title: (String, Option<&'static str>),
    /// What it does, in a line.
    pub about: String,
    /// Which heaps it runs on.
    heaps: Heaps,
    /// Makes it ready for its first step.
    pub make: Box<dyn Fn(Plan) -> Result<Box<dyn Workload>> + Send + Sync>,
}

/// The heaps that a workload runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heaps {
    /// None.
    None,
    /// One of a size of its own.
    Own,
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
            heaps: Heaps::Own,
            about: about.into(),
            make: Box::new(move |plan| Ok(Box::new(make(plan)?))),
        }
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

    /// The row of the workload called `name` that a measuring process was given.
    pub fn of_child(name: &str, plan: Plan) -> Result<Row> {
        Ok(Row {
            entry: named(name)?,
            plan,
        })
    }
}

/// All workloads, the control first.
pub fn all() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        // The controls and what is held against them are neighbours in time.
        let mut all = vec![
            control::entry(),
            control::busy_entry(),
            large_heap::entry(),
            large_heap::cells_entry(),
            binary_trees::entry(),
            gcbench::entry(),
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

/// The rows that `options` ask for, in the order of all workloads.
pub fn rows(options: &Options, plan: Plan) -> Result<Vec<Row>> {
    for name in &options.workload {
        named(name)?;
    }
    let is_chosen =
        |entry: &&Entry| options.workload.is_empty() || options.workload.contains(&entry.name);
    let mut rows = Vec::new();
    for entry in all().iter().filter(is_chosen) {
        let all_modes = [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent];
        let modes = match entry.heaps {
            Heaps::None => vec![None],
            Heaps::SizedInEachMode if options.mode.is_empty() => each_once(&all_modes),
            Heaps::Own | Heaps::Sized | Heaps::SizedInEachMode => each_once(&options.mode),
        };
        let sizes = match entry.heaps {
            Heaps::None | Heaps::Own => vec![None],
            Heaps::Sized | Heaps::SizedInEachMode => each_once(&options.live),
        };
        for &mode in &modes {
            for &live in &sizes {
                rows.push(Row {
                    entry,
                    plan: Plan { mode, live, ..plan },
                });
            }
        }
    }
    if rows.is_empty() {
        bail!("there is no workload to run");
    }
    Ok(rows)
}

/// Each of `asked` once, in order; or nothing in particular, if nothing was asked for.
fn each_once<T: Copy + PartialEq>(asked: &[T]) -> Vec<Option<T>> {
    let mut each = Vec::new();
    for &one in asked {
        if !each.contains(&Some(one)) {
            each.push(Some(one));
        }
    }
    if each.is_empty() {
        each.push(None);
    }
    each
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn titles(arguments: &[&str]) -> Vec<String> {
        let arguments = [&["pauses"], arguments].concat();
        let options = Options::try_parse_from(arguments).unwrap();
        let rows = rows(&options, Plan::of(&options).unwrap()).unwrap();
        rows.iter().map(Row::title).collect()
    }

    #[test]
    fn modes_and_sizes_multiply_the_rows_that_have_them() {
        assert_eq!(
            titles(&["--workload=large-heap", "--workload=control"]),
            [
                "control",
                "large-heap (stop-the-world)",
                "large-heap (incremental)",
                "large-heap (concurrent)"
            ]
        );
        assert_eq!(
            titles(&[
                "--workload=control-busy",
                "--workload=large-heap-cells",
                "--workload=gcbench",
                "--live=1",
                "--live=2.5",
                "--live=1",
                "--mode=concurrent",
            ]),
            [
                "control (busy neighbour)",
                "large-heap (cells, concurrent, 1 GiB)",
                "large-heap (cells, concurrent, 2.5 GiB)",
                "gcbench (concurrent)"
            ]
        );
    }

    #[test]
    fn no_two_rows_are_called_the_same() {
        let mut titles = titles(&[]);
        titles.sort();
        let count = titles.len();
        titles.dedup();
        assert_eq!(titles.len(), count);
    }
}
