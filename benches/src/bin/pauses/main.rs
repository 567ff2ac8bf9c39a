//! How long programs stand still for the collector.
//!
//! Each workload is a program cut into steps: a slice of its work, then `collect_debt`, where the
//! collector may work. Two times are taken of every step: that of the whole step, which is what
//! the program's user waits for, and what the collector took of it, the *pause*, if it did. Each
//! workload runs in a process of its own, one after the other, so that none inherits another's
//! heap, warm pages or peak memory. Beside them a control does like work with no collector and no
//! allocation: what it shows is the machine's own jitter, below which nothing here means anything.
//!
//! The large heaps are held against what is asked of a collector that stops nobody: see `verdict`.
//!
//! This is deliberately no latency test under load: there is one mutator, it never waits for
//! anything, and the processor is otherwise idle.
#![forbid(unsafe_code)]

mod distribution;
mod measure;
mod options;
mod outcome;
mod report;
mod series;
mod supervise;
mod table;
mod target;
mod verdict;
mod workloads;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use clap::error::ErrorKind;
use gc_benches::machine::Machine;

use options::{Options, Plan};
use outcome::Results;
use workloads::Row;

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
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let plan = Plan::of(options)?;
    if let Some(name) = &options.child {
        return measure::as_child(&Row::of_child(name, plan)?);
    }
    if options.list {
        for entry in workloads::all() {
            println!("{:<20} {}", entry.name, entry.about);
        }
        return Ok(());
    }

    let rows = workloads::rows(options, plan)?;
    let directory = match &options.output {
        Some(directory) => directory.clone(),
        None => target::directory()?.join("pauses"),
    };
    // Before the measurement, since a minute later is late to hear that nothing can be written.
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;

    let machine = Machine::here();
    eprintln!("{machine}");
    let outcomes = supervise::run(&rows)?;
    let results = Results {
        machine,
        quick: plan.quick,
        scale: plan.scale,
        outcomes,
    };

    let sheets = report::sheets(&results);
    for sheet in &sheets {
        println!("{}\n{}", sheet.title, sheet.table());
    }
    println!("{}", table::LEGEND);

    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&results).context("cannot write JSON")?;
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("figures: {}", file.display());
    }
    let page = directory.join("report.html");
    fs::write(&page, report::page(&results)?)
        .with_context(|| format!("cannot write {}", page.display()))?;
    println!("report: {}", page.display());
    Ok(())
}
