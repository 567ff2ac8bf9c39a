//! What gc-core costs beside its peers: the measures that the project holds itself to, in one run.
//!
//! Eleven groups, each of which prints what is asked for beside what was measured:
//!
//! - *trees*: the binary-trees program on one thread, as a ratio to `Box` with the system's malloc,
//!   `Box` with mimalloc, and bumpalo; gc-arena for orientation;
//! - *collections*: a full collection of many live objects, per object, and the time it sweeps;
//! - *memory*: what a small object costs, and the peak of a large heap;
//! - *parallel*: full collections with one marking thread and with two;
//! - *shared*: the binary-trees program on two threads of one arena beside one thread;
//! - *barrier*: a store through the write barrier beside a plain one;
//! - *containers*: managed vectors and maps beside those of `std` and `hashbrown`;
//! - *references*: what weak pointers, ephemerons and finalizers cost a collection;
//! - *owners*: programs with the shape of a dynamic language's machine, beside gc-arena;
//! - *values*: values of a dynamic language as a plain enum, beside the same enum packed;
//! - *pauses*: steps of a program on a large heap, beside those of the controls.
//!
//! Every single measurement has a process of its own, and the contenders of a group take turns
//! (A B C A B C …), so that a machine that slows down slows all of them. A figure is the median of
//! the rounds. What a contender spends on starting and ending its process is not counted, but
//! freeing what it allocated is.
#![forbid(unsafe_code)]

mod barrier;
mod collections;
mod containers;
mod contest;
mod memory;
mod options;
mod owners;
mod parallel;
mod pauses;
mod references;
mod shared;
mod trees;
mod values;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use clap::error::ErrorKind;
use comfy_table::{CellAlignment, Table, presets};
use gc_benches::machine::Machine;
use serde::Serialize;

use options::{Group, Options};

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            let asked = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // A closed terminal is nobody to tell that it is closed.
            let _ = error.print();
            return if asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One line of the result.
#[derive(Debug, Serialize)]
struct Measure {
    /// What was measured.
    what: String,
    /// The figure.
    measured: f64,
    /// The most that is asked for, if anything is.
    at_most: Option<f64>,
    /// The least that is asked for, if anything is.
    at_least: Option<f64>,
    /// The unit of all.
    unit: &'static str,
}

impl Measure {
    fn new(what: impl Into<String>, measured: f64, unit: &'static str) -> Measure {
        Measure {
            what: what.into(),
            measured,
            at_most: None,
            at_least: None,
            unit,
        }
    }

    /// The measure with an upper bound, if the bound is one for this run's sizes.
    fn at_most(mut self, bound: Option<f64>) -> Measure {
        self.at_most = bound;
        self
    }

    /// The measure with a lower bound, if the bound is one for this run's sizes.
    fn at_least(mut self, bound: Option<f64>) -> Measure {
        self.at_least = bound;
        self
    }

    /// Whether the bounds are kept, if there are any.
    fn is_met(&self) -> Option<bool> {
        let kept = [
            self.at_most.map(|bound| self.measured <= bound),
            self.at_least.map(|bound| self.measured >= bound),
        ];
        kept.into_iter().flatten().reduce(|one, other| one && other)
    }

    /// What is asked for.
    fn asked(&self) -> String {
        let bounds = [("≤", self.at_most), ("≥", self.at_least)];
        let texts = bounds
            .into_iter()
            .filter_map(|(sign, bound)| Some(format!("{sign} {}", figure(bound?))));
        texts.collect::<Vec<_>>().join(", ")
    }
}

fn run(options: Options) -> Result<()> {
    let options = options.settled()?;
    if let Some(child) = &options.child {
        return contest::as_child(child, &options);
    }

    let machine = Machine::here();
    eprintln!("{machine}");
    let mut measures = Vec::new();
    if options.wants(Group::Trees) {
        measures.extend(trees::measure(&options)?);
    }
    if options.wants(Group::Collections) {
        measures.extend(collections::measure(&options)?);
    }
    if options.wants(Group::Memory) {
        measures.extend(memory::measure(&options)?);
    }
    if options.wants(Group::Parallel) {
        measures.extend(parallel::measure(&options)?);
    }
    if options.wants(Group::Shared) {
        measures.extend(shared::measure(&options)?);
    }
    if options.wants(Group::Barrier) {
        measures.extend(barrier::measure(&options)?);
    }
    if options.wants(Group::Containers) {
        measures.extend(containers::measure(&options)?);
    }
    if options.wants(Group::References) {
        measures.extend(references::measure(&options)?);
    }
    if options.wants(Group::Owners) {
        measures.extend(owners::measure(&options)?);
    }
    if options.wants(Group::Values) {
        measures.extend(values::measure(&options)?);
    }
    if options.wants(Group::Pauses) {
        measures.extend(pauses::measure(&options)?);
    }

    println!("{}", table(&measures));
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&(&machine, &measures))?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("figures: {}", file.display());
    }
    Ok(())
}

fn table(measures: &[Measure]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["measure", "measured", "target", "unit", ""]);
    for measure in measures {
        let verdict = match measure.is_met() {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        table.add_row([
            &measure.what,
            &figure(measure.measured),
            &measure.asked(),
            measure.unit,
            verdict,
        ]);
    }
    for column in table.column_iter_mut().skip(1).take(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Two decimals, so that a bound and a figure just beyond it look different, and none where the
/// whole part has three digits already.
fn figure(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}
