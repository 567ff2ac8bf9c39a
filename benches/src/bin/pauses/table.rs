//! The figures as tables for the terminal and the report.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use gc_benches::pauses::outcome::{Outcome, Part};
use gc_benches::units;

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

impl Sheet {
    /// The sheet for a terminal of so many columns. Long words take several lines, figures never.
    pub fn table(&self, width: usize) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width as u16);
        table.set_header(&self.headings);
        for line in &self.lines {
            table.add_row(line.cells.iter().map(Cell::new));
        }
        for column in table.column_iter_mut().skip(self.words) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
            column.set_padding((1, 0));
        }
        table
    }
}

/// How to read them.
pub const LEGEND: &str = "A step is a slice of work and what the collector did after it; a pause is a \
                          call of the collector that took longer than 1 µs or ended a collection. \
                          The minimum mutator utilisation is the least share of any window of so much \
                          time that the collector left to the program. The controls have no \
                          collector: their pauses are the machine's own interruptions of their steps. \
                          They last as long as the large heaps' rows do.";

/// The windows of time that the table of utilisation has, in nanoseconds.
const WINDOWS: [u64; 5] = [100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// The least share of windows of time that the programs had for themselves.
pub fn utilisation(outcomes: &[Outcome]) -> Sheet {
    let line = |outcome: &Outcome| {
        let least = |window| {
            let mut curve = outcome.run.utilisation.iter();
            curve.find(|least| least.window == window)
        };
        let shares =
            WINDOWS.map(|window| least(window).map_or_else(absent, |least| percent(least.share)));
        let first = [outcome.name.clone(), units::time(outcome.run.wall)];
        Line {
            cells: first.into_iter().chain(shares).collect(),
            anchor: Some(outcome.anchor()),
        }
    };
    Sheet {
        title: "Minimum mutator utilisation",
        headings: vec![
            "workload", "ran for", "100 µs", "1 ms", "10 ms", "100 ms", "1 s",
        ],
        words: 1,
        lines: outcomes.iter().map(line).collect(),
    }
}

/// What the user of each program waits for.
pub fn steps(outcomes: &[Outcome]) -> Sheet {
    let line = |title: String, part: &Part| {
        let steps = &part.steps;
        vec![
            title,
            units::count(steps.count),
            units::time(steps.p50),
            units::time(steps.p99),
            units::time(steps.p999),
            units::time(steps.p9999),
            units::time(steps.max),
        ]
    };
    Sheet {
        title: "Steps",
        headings: vec![
            "workload", "steps", "p50", "p99", "p99.9", "p99.99", "longest",
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
        let in_cycle = part
            .steps_in_cycle
            .map_or_else(absent, |steps| percent(share(steps, part.steps.count)));
        vec![
            title,
            part.collections.map_or_else(absent, units::count),
            in_cycle,
            units::count(pauses.count),
            percent(share(pauses.total, part.wall)),
            pause(pauses.p50),
            pause(pauses.p99),
            pause(pauses.max),
        ]
    };
    Sheet {
        title: "Collector",
        headings: vec![
            "workload", "cycles", "in cycle", "pauses", "of time", "p50", "p99", "longest",
        ],
        words: 1,
        lines: by_part(outcomes, line),
    }
}

/// How fast the programs allocated, and what memory they needed.
pub fn memory(outcomes: &[Outcome]) -> Sheet {
    let lines = outcomes.iter().map(|outcome| {
        let size = |bytes: Option<u64>| bytes.map_or_else(absent, units::size);
        let rate = |amount, unit: f64| {
            let rate = outcome.run.rate(amount);
            rate.map_or_else(absent, |rate| units::digits(rate / unit))
        };
        let times = |bytes| {
            outcome
                .times_live(bytes)
                .map_or_else(absent, |times| format!("× {}", units::digits(times)))
        };
        Line {
            cells: vec![
                outcome.name.clone(),
                rate(outcome.run.objects, 1e6),
                rate(outcome.run.allocated, f64::from(1 << 20)),
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
        title: "Allocation and memory",
        headings: vec![
            "workload",
            "Mobj/s",
            "MiB/s",
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

/// A row for each outcome, and below it one for its building, if that was a part of its own.
fn by_part(outcomes: &[Outcome], line: impl Fn(String, &Part) -> Vec<String>) -> Vec<Line> {
    let lines = outcomes.iter().flat_map(|outcome| {
        let run = Line {
            cells: line(outcome.name.clone(), &outcome.run),
            anchor: Some(outcome.anchor()),
        };
        let building = outcome.building.as_ref().map(|part| Line {
            cells: line("  while it was built".to_owned(), part),
            anchor: None,
        });
        [run].into_iter().chain(building)
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
