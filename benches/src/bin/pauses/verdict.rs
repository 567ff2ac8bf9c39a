//! What is asked of the large heap, beside what was measured.
//!
//! A pause cannot be shorter than what the machine does to any program, so the longest step of a
//! concurrent collector is held against that of a control that ran as long. The bounds hold for
//! runs of the usual length at least; a shorter one has figures and no verdicts. A row in which
//! hardly anything was collected says nothing of a collector, however short its steps were: that
//! some collections ended is asked first.

use gc_benches::units;

use crate::options::Mode;
use crate::outcome::{Outcome, Results};
use crate::table::{Line, Sheet};

/// How often the longest step of the control a concurrent collector's may be.
const TIMES_CONTROL: f64 = 1.5;
/// What 9999 in 10000 steps of a concurrent collector may take, in nanoseconds.
const CONCURRENT_P9999: u64 = 50_000;
/// How many objects a program is to allocate in a second beside a concurrent collector.
const OBJECTS_A_SECOND: f64 = 80e6;
/// How often what is alive the memory may be.
const TIMES_LIVE: f64 = 2.3;
/// What 999 in 1000 steps of an incremental collector may take, and the longest of all.
const INCREMENTAL_P999: u64 = 200_000;
const INCREMENTAL_LONGEST: u64 = 2_000_000;

/// Collections that are to end in a row for it to tell anything.
const COLLECTIONS: u64 = 3;

const HEADINGS: [&str; 5] = ["workload", "measure", "asked", "measured", ""];

/// One line.
struct Verdict {
    workload: String,
    measure: &'static str,
    asked: String,
    measured: String,
    is_met: Option<bool>,
}

impl Verdict {
    fn new(outcome: &Outcome, measure: &'static str, measured: String) -> Verdict {
        Verdict {
            workload: outcome.name.clone(),
            measure,
            asked: String::new(),
            measured,
            is_met: None,
        }
    }

    fn asked(self, asked: String, is_met: bool) -> Verdict {
        Verdict {
            asked,
            is_met: Some(is_met),
            ..self
        }
    }
}

/// What is asked for in this run, or nothing if none of its rows is asked anything.
pub fn sheet(results: &Results) -> Option<Sheet> {
    let is_judged = !results.quick && results.scale >= 1.0;
    let outcomes = &results.outcomes;
    let control = |workload: &str| outcomes.iter().find(|outcome| outcome.workload == workload);
    let controls = [
        ("longest step / control's", control("control")),
        (
            "longest step / control's with a busy neighbour",
            control("control-busy"),
        ),
    ];

    let mut verdicts = Vec::new();
    let large = |outcome: &&Outcome| outcome.workload.starts_with("large-heap");
    for outcome in outcomes.iter().filter(large) {
        match outcome.mode.unwrap_or_else(Mode::usual) {
            Mode::StopTheWorld => {}
            Mode::Incremental => {
                collections(outcome, &mut verdicts);
                incremental(outcome, &mut verdicts);
            }
            Mode::Concurrent => {
                collections(outcome, &mut verdicts);
                concurrent(outcome, &controls, &mut verdicts);
            }
        }
    }
    sizes(outcomes, &mut verdicts);

    let lines = verdicts.into_iter().map(|verdict| {
        let word = match verdict.is_met.filter(|_| is_judged) {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        Line::new(vec![
            verdict.workload,
            verdict.measure.to_owned(),
            verdict.asked,
            verdict.measured,
            word.to_owned(),
        ])
    });
    let sheet = Sheet {
        title: "What is asked",
        headings: HEADINGS.to_vec(),
        words: 2,
        lines: lines.collect(),
    };
    (!sheet.lines.is_empty()).then_some(sheet)
}

fn at_most(
    outcome: &Outcome,
    measure: &'static str,
    measured: u64,
    bound: u64,
    verdicts: &mut Vec<Verdict>,
) {
    verdicts.push(
        Verdict::new(outcome, measure, units::time(measured))
            .asked(format!("≤ {}", units::time(bound)), measured <= bound),
    );
}

fn collections(outcome: &Outcome, verdicts: &mut Vec<Verdict>) {
    let ended = outcome.run.collections.unwrap_or(0);
    verdicts.push(
        Verdict::new(outcome, "collections that ended", units::count(ended))
            .asked(format!("≥ {COLLECTIONS}"), ended >= COLLECTIONS),
    );
}

fn incremental(outcome: &Outcome, verdicts: &mut Vec<Verdict>) {
    let steps = &outcome.run.steps;
    at_most(
        outcome,
        "p99.9 of steps",
        steps.p999,
        INCREMENTAL_P999,
        verdicts,
    );
    at_most(
        outcome,
        "longest step",
        steps.max,
        INCREMENTAL_LONGEST,
        verdicts,
    );
}

fn concurrent(
    outcome: &Outcome,
    controls: &[(&'static str, Option<&Outcome>)],
    verdicts: &mut Vec<Verdict>,
) {
    let steps = &outcome.run.steps;
    for (measure, control) in controls {
        let Some(longest) = control.map(|control| control.run.steps.max) else {
            continue;
        };
        let ratio = steps.max as f64 / longest.max(1) as f64;
        let measured = format!(
            "× {} ({} / {})",
            units::digits(ratio),
            units::time(steps.max),
            units::time(longest)
        );
        verdicts.push(
            Verdict::new(outcome, measure, measured)
                .asked(format!("≤ × {TIMES_CONTROL}"), ratio <= TIMES_CONTROL),
        );
    }
    at_most(
        outcome,
        "p99.99 of steps",
        steps.p9999,
        CONCURRENT_P9999,
        verdicts,
    );

    let objects = outcome.run.objects;
    if let Some((rate, in_steps)) = outcome
        .run
        .rate(objects)
        .zip(outcome.run.rate_in_steps(objects))
    {
        let millions = |rate: f64| units::digits(rate / 1e6);
        let measured = format!(
            "{} M/s ({} without the measuring between steps)",
            millions(rate),
            millions(in_steps)
        );
        verdicts.push(Verdict::new(outcome, "allocations", measured).asked(
            format!("≥ {} M/s", millions(OBJECTS_A_SECOND)),
            rate >= OBJECTS_A_SECOND,
        ));
    }
    for (measure, bytes) in [
        ("peak of the heap / live", outcome.peak_heap),
        ("peak of the process / live", outcome.peak_resident),
    ] {
        if let Some(times) = outcome.times_live(bytes) {
            verdicts.push(
                Verdict::new(outcome, measure, format!("× {}", units::digits(times)))
                    .asked(format!("≤ × {TIMES_LIVE}"), times <= TIMES_LIVE),
            );
        }
    }
}

/// How the longest steps of heaps that differ only in size compare. "Within noise" is for the
/// reader to judge, who sees the controls.
fn sizes(outcomes: &[Outcome], verdicts: &mut Vec<Verdict>) {
    for (index, first) in outcomes.iter().enumerate() {
        let is_like = |other: &&Outcome| {
            first.live_asked.is_some()
                && other.live_asked.is_some()
                && (&other.workload, other.mode) == (&first.workload, first.mode)
        };
        if outcomes[..index].iter().any(|before| is_like(&before)) {
            continue;
        }
        let like: Vec<&Outcome> = outcomes.iter().filter(is_like).collect();
        if like.len() < 2 {
            continue;
        }
        let longest = like.iter().map(|outcome| {
            let time = units::time(outcome.run.steps.max);
            let gib = outcome.live_asked.unwrap_or_default();
            format!("{time} at {gib} GiB")
        });
        let measured = longest.collect::<Vec<_>>().join(", ");
        let mode = first
            .mode
            .map_or_else(String::new, |mode| format!(" {mode}"));
        verdicts.push(Verdict {
            workload: format!("{}{mode}, by size", first.workload),
            ..Verdict::new(first, "longest step", measured)
        });
    }
}
