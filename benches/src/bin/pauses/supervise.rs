//! The measuring processes, one after the other, and a bar that shows how far they are.

use anyhow::{Context, Result};
use gc_benches::pauses::measure::Message;
use gc_benches::pauses::outcome::Outcome;
use gc_benches::pauses::workloads::Row;
use gc_benches::{child, units};
use indicatif::{ProgressBar, ProgressStyle};

/// Resolution of the bar.
const WHOLE: u64 = 1000;

/// Measures each of `rows` in a process of its own.
pub fn run(rows: &[Row]) -> Result<Vec<Outcome>> {
    rows.iter().map(measured).collect()
}

fn measured(row: &Row) -> Result<Outcome> {
    let title = row.title();
    let style = ProgressStyle::with_template("{prefix:>34} [{bar:40}] {percent:>3} %  {elapsed}")?;
    let bar = ProgressBar::new(WHOLE).with_style(style.progress_chars("=> "));
    bar.set_prefix(title.clone());

    let mut arguments = vec![format!("--child={}", row.entry.name)];
    arguments.extend(row.plan.arguments());
    let mut outcome = None;
    child::run(&arguments, |line| {
        match serde_json::from_str(line).context("the measuring process printed no message")? {
            Message::Progress(share) => bar.set_position((share * WHOLE as f64) as u64),
            Message::Done(done) => outcome = Some(*done),
        }
        Ok(())
    })
    .with_context(|| format!("workload {title}"))?;
    bar.finish_and_clear();

    let outcome =
        outcome.with_context(|| format!("workload {title}: the measuring process said no end"))?;
    eprintln!("{title:>34}  {}", units::time(outcome.whole));
    Ok(outcome)
}
