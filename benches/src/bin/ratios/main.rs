//! What gc-core costs beside its peers: the measures that the project holds itself to, in one run.
//!
//! Three groups, each of which prints what is asked for beside what was measured:
//!
//! - *trees*: the binary-trees program on one thread, as a ratio to `Box` with the system's malloc,
//!   `Box` with mimalloc, and bumpalo; gc-arena for orientation;
//! - *collections*: a full collection of many live objects, per object, and the time it sweeps;
//! - *memory*: what a small object costs, and the peak of a large heap.
//!
//! Every single measurement has a process of its own, and the contenders of a group take turns
//! (A B C A B C …), so that a machine that slows down slows all of them. A figure is the median of
//! the rounds. What a contender spends on starting and ending its process is not counted, but
//! freeing what it allocated is.
#![forbid(unsafe_code)]

mod collections;
mod contest;
mod memory;
mod options;
mod trees;

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
    /// The unit of both.
    unit: &'static str,
}

impl Measure {
    fn new(what: impl Into<String>, measured: f64, unit: &'static str) -> Measure {
        Measure {
            what: what.into(),
            measured,
            at_most: None,
            unit,
        }
    }

    /// The measure with a bound, if the bound is one for this run's sizes.
    fn at_most(mut self, bound: Option<f64>) -> Measure {
        self.at_most = bound;
        self
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
    table.set_header(["measure", "measured", "at most", "unit", ""]);
    for measure in measures {
        let verdict = match measure.at_most {
            Some(bound) if measure.measured <= bound => "met",
            Some(_) => "missed",
            None => "",
        };
        let bound = measure.at_most.map_or_else(String::new, figure);
        table.add_row([
            &measure.what,
            &figure(measure.measured),
            &bound,
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
