//! The measuring processes, one after the other, and a bar that shows how far they are.

use anyhow::{Context, Result};
use gc_benches::{child, units};
use indicatif::{ProgressBar, ProgressStyle};

use crate::measure::Message;
use crate::options::Size;
use crate::outcome::Outcome;
use crate::workloads::Entry;

/// Resolution of the bar.
const WHOLE: u64 = 1000;

/// Measures each of `entries` in a process of its own.
pub fn run(entries: &[&Entry], size: Size) -> Result<Vec<Outcome>> {
    entries.iter().map(|entry| measured(entry, size)).collect()
}

fn measured(entry: &Entry, size: Size) -> Result<Outcome> {
    let style = ProgressStyle::with_template("{prefix:>20} [{bar:40}] {percent:>3} %  {elapsed}")?;
    let bar = ProgressBar::new(WHOLE).with_style(style.progress_chars("=> "));
    bar.set_prefix(entry.name.clone());

    let mut arguments = vec![format!("--child={}", entry.name)];
    arguments.extend(size.arguments());
    let mut outcome = None;
    child::run(&arguments, |line| {
        match serde_json::from_str(line).context("the measuring process printed no message")? {
            Message::Progress(share) => bar.set_position((share * WHOLE as f64) as u64),
            Message::Done(done) => outcome = Some(*done),
        }
        Ok(())
    })
    .with_context(|| format!("workload {}", entry.name))?;
    bar.finish_and_clear();

    let outcome = outcome
        .with_context(|| format!("workload {}: the measuring process said no end", entry.name))?;
    eprintln!("{:>20}  {}", entry.name, units::time(outcome.wall));
    Ok(outcome)
}
