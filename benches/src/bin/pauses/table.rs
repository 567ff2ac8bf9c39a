//! The figures as tables for the terminal and the report.

use comfy_table::{Cell, CellAlignment, Table, presets};
use gc_benches::units;

use crate::outcome::{Outcome, Part};

/// A table of texts.
pub struct Sheet {
    /// What it is about.
    pub title: &'static str,
    /// What stands in the first row.
    pub headings: Vec<&'static str>,
    /// How many of the first columns are words; the others are figures.
    pub words: usize,
    /// The other rows.
    pub lines: Vec<Line>,
}

/// A row of a table.
pub struct Line {
    /// One text for each heading.
    pub cells: Vec<String>,
    /// The section of the report that says more.
    pub anchor: Option<String>,
}

impl Line {
    /// A row that is told nowhere else.
    pub fn new(cells: Vec<String>) -> Line {
        Line {
            cells,
            anchor: None,
        }
    }
}

impl Sheet {
    /// The sheet for a terminal.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(&self.headings);
        for line in &self.lines {
            table.add_row(line.cells.iter().map(Cell::new));
        }
        for column in table.column_iter_mut().skip(self.words) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

/// How to read them.
pub const LEGEND: &str = "\
A step is a slice of work and what the collector did after it; a pause is a call of the collector
that took longer than 1 µs or ended a collection. The controls have no collector: their pauses are
the machine's own interruptions of their steps. They last as long as the large heaps' rows do.";

/// What the user of each program waits for.
pub fn steps(outcomes: &[Outcome]) -> Sheet {
    let line = |title: String, part: &Part| {
        let steps = &part.steps;
        let rate = |amount, unit: f64| {
            part.rate(amount)
                .map_or_else(absent, |rate| units::digits(rate / unit))
        };
        vec![
            title,
            units::time(part.wall),
            units::count(steps.count),
            units::time(steps.p50),
            units::time(steps.p99),
            units::time(steps.p999),
            units::time(steps.p9999),
            units::time(steps.max),
            rate(part.objects, 1e6),
            rate(part.allocated, f64::from(1 << 20)),
        ]
    };
    Sheet {
        title: "Steps",
        headings: vec![
            "workload", "wall", "steps", "p50", "p99", "p99.9", "p99.99", "longest", "Mobj/s",
            "MiB/s",
        ],
        words: 1,
        lines: by_part(outcomes, line),
    }
}

/// What the collector did.
pub fn collector(outcomes: &[Outcome]) -> Sheet {
    let line = |title: String, part: &Part| {
        let pauses = &part.pauses;
        let pause = |time| {
            if pauses.count == 0 {
                absent()
            } else {
                units::time(time)
            }
        };
        let in_pauses = percent(pauses.total as f64 / part.wall.max(1) as f64);
        let in_cycle = part
            .steps_in_cycle
            .map_or_else(absent, |steps| percent(share(steps, part.steps.count)));
        vec![
            title,
            part.collections.map_or_else(absent, units::count),
            in_cycle,
            units::count(pauses.count),
            format!("{} ({in_pauses})", units::time(pauses.total)),
            pause(pauses.p50),
            pause(pauses.p99),
            pause(pauses.p999),
            pause(pauses.max),
        ]
    };
    Sheet {
        title: "Collector",
        headings: vec![
            "workload",
            "collections",
            "steps in a cycle",
            "pauses",
            "in all",
            "p50",
            "p99",
            "p99.9",
            "longest",
        ],
        words: 1,
        lines: by_part(outcomes, line),
    }
}

/// What the programs needed.
pub fn memory(outcomes: &[Outcome]) -> Sheet {
    let lines = outcomes.iter().map(|outcome| {
        let size = |bytes: Option<u64>| bytes.map_or_else(absent, units::size);
        let times = |bytes| {
            outcome
                .times_live(bytes)
                .map_or_else(absent, |times| format!("× {}", units::digits(times)))
        };
        Line {
            cells: vec![
                outcome.name.clone(),
                size(outcome.live),
                size(outcome.peak_heap),
                times(outcome.peak_heap),
                size(outcome.peak_resident),
                times(outcome.peak_resident),
            ],
            anchor: Some(outcome.anchor()),
        }
    });
    Sheet {
        title: "Memory",
        headings: vec![
            "workload",
            "live",
            "peak heap",
            "of live",
            "peak RSS",
            "of live",
        ],
        words: 1,
        lines: lines.collect(),
    }
}

/// A row for each outcome, and before it one for its building, if that was a part of its own.
fn by_part(outcomes: &[Outcome], line: impl Fn(String, &Part) -> Vec<String>) -> Vec<Line> {
    let lines = outcomes.iter().flat_map(|outcome| {
        let building = outcome
            .building
            .as_ref()
            .map(|part| Line::new(line(format!("{}: building", outcome.name), part)));
        let run = Line {
            cells: line(outcome.name.clone(), &outcome.run),
            anchor: Some(outcome.anchor()),
        };
        building.into_iter().chain([run])
    });
    lines.collect()
}

fn absent() -> String {
    "–".to_owned()
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// A share from 0 to 1, in per cent.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent >= 10.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}
