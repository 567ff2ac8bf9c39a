//! The figures as a table for the terminal and the report.

use comfy_table::{Cell, CellAlignment, Table, presets};
use gc_benches::units;

use crate::outcome::Outcome;

/// What stands in the first row. The first column names the workload, the others are figures.
pub const HEADINGS: [&str; 15] = [
    "workload",
    "wall",
    "collections",
    "collecting",
    "pause p50",
    "p99",
    "p99.9",
    "max",
    "step p50",
    "p99.9",
    "max",
    "MiB/s",
    "Mobj/s",
    "peak heap",
    "peak RSS",
];

/// How to read it.
pub const LEGEND: &str = "\
A step is a slice of work and the collection after it; a pause is that collection.
The control has no collector: its pauses are the machine's own interruptions of its steps.";

/// The figures of one workload, one for each of [`HEADINGS`].
pub fn row(outcome: &Outcome) -> [String; 15] {
    let pauses = &outcome.pauses;
    let pause = |time| {
        if pauses.count == 0 {
            absent()
        } else {
            units::time(time)
        }
    };
    let share = 100.0 * pauses.total as f64 / outcome.wall.max(1) as f64;
    let collecting = format!("{} ({})", units::time(pauses.total), percent(share));
    let rate = |amount, unit: f64| {
        outcome
            .rate(amount)
            .map_or_else(absent, |rate| units::digits(rate / unit))
    };
    [
        outcome.name.clone(),
        units::time(outcome.wall),
        outcome.collections.map_or_else(absent, units::count),
        collecting,
        pause(pauses.p50),
        pause(pauses.p99),
        pause(pauses.p999),
        pause(pauses.max),
        units::time(outcome.steps.p50),
        units::time(outcome.steps.p999),
        units::time(outcome.steps.max),
        rate(outcome.allocated, f64::from(1 << 20)),
        rate(outcome.objects, 1e6),
        outcome.peak_heap.map_or_else(absent, units::size),
        outcome.peak_resident.map_or_else(absent, units::size),
    ]
}

fn absent() -> String {
    "–".to_owned()
}

fn percent(share: f64) -> String {
    if share >= 10.0 {
        format!("{share:.0} %")
    } else {
        format!("{share:.1} %")
    }
}

/// All figures, one workload a row.
pub fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(HEADINGS);
    for outcome in outcomes {
        table.add_row(row(outcome).map(Cell::new));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
