//! How long programs stand still for the collector.
//!
//! Each workload is a program cut into steps: a slice of its work, then `collect_debt`, where the
//! collector may work. Two times are taken of every step: that of the whole step, which is what
//! the program's user waits for, and what the collector took of it, the *pause*, if it did. Each
//! workload runs in a process of its own, one after the other, so that none inherits another's
//! heap, warm pages or peak memory. Beside them a control does like work with no collector and no
//! allocation: what it shows is the machine's own jitter, below which nothing here means anything.
//!
//! The report begins with what somebody wants to know who chooses a collector: one picture of all
//! rows and a sentence on each. What the project asks of itself is no concern of this program;
//! `ratios --only pauses` judges.
//!
//! This is deliberately no latency test under load: there is one mutator, it never waits for
//! anything, and the processor is otherwise idle.
#![forbid(unsafe_code)]

mod options;
mod report;
mod rows;
mod supervise;
mod table;
mod target;
mod terminal;
mod verdict;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use clap::error::ErrorKind;
use gc_benches::machine::Machine;
use gc_benches::pauses::outcome::Results;
use gc_benches::pauses::workloads::Row;
use gc_benches::pauses::{measure, workloads};

use options::Options;

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
    let plan = options.plan()?;
    if let Some(name) = &options.child {
        return measure::as_child(&Row::of(name, plan)?);
    }
    if options.list {
        for entry in workloads::all() {
            println!("{:<20} {}", entry.name, entry.about);
        }
        return Ok(());
    }

    let rows = rows::of(options, plan)?;
    let directory = match &options.output {
        Some(directory) => directory.clone(),
        None => target::directory()?.join("pauses"),
    };
    // Before the measurement, since a minute later is late to hear that nothing can be written.
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;

    let machine = Machine::here();
    eprintln!("{}", terminal::wrapped(&machine.to_string(), ""));
    let outcomes = supervise::run(&rows)?;
    let results = Results {
        machine,
        quick: plan.quick,
        scale: plan.scale,
        outcomes,
    };

    print!("{}", terminal::page(&results));

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
