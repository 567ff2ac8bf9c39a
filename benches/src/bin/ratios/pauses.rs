//! What is asked of pauses: steps of a program on a large heap that is collected in steps, or beside it.
//!
//! The programs are those of `pauses`, with 10 million live nodes. A pause cannot be shorter than what the machine does
//! to any program, so the longest step beside a concurrent collector is held against those of controls that ran as long.
//! A run in which hardly anything was collected says nothing of a collector, however short its steps were: that some
//! collections ended is asked, too.

use anyhow::Result;
use gc_benches::pauses::measure;
use gc_benches::pauses::plan::Mode;
use gc_benches::pauses::workloads::Row;

use crate::Measure;
use crate::contest::{self, Contender, Figures};
use crate::options::Options;

const COLLECTIONS: &str = "collections";
const P999: &str = "p99.9 of steps, ns";
const P9999: &str = "p99.99 of steps, ns";
const LONGEST: &str = "longest step, ns";
const RATE: &str = "objects a second";
const RATE_IN_STEPS: &str = "objects a second of steps";
const HEAP: &str = "peak of the heap / live";
const PROCESS: &str = "peak of the process / live";

/// Runs the contender's row.
pub fn run(contender: Contender, options: &Options) -> Result<Figures> {
    let (name, mode) = match contender {
        Contender::PausesControl => ("control", None),
        Contender::PausesControlBusy => ("control-busy", None),
        Contender::PausesIncremental => ("large-heap", Some(Mode::Incremental)),
        Contender::PausesCells => ("large-heap-cells", Some(Mode::Concurrent)),
        _ => ("large-heap", Some(Mode::Concurrent)),
    };
    let outcome = measure::measure(&Row::of(name, options.plan(mode)?)?, |_| Ok(()))?;
    let (steps, objects) = (&outcome.run.steps, outcome.run.objects);
    let ended = outcome.run.collections.map(|count| count as f64);
    Ok(Figures::of(LONGEST, steps.max as f64)
        .and(P999, Some(steps.p999 as f64))
        .and(P9999, Some(steps.p9999 as f64))
        .and(COLLECTIONS, ended)
        .and(RATE, outcome.run.rate(objects))
        .and(RATE_IN_STEPS, outcome.run.rate_in_steps(objects))
        .and(HEAP, outcome.times_live(outcome.peak_heap))
        .and(PROCESS, outcome.times_live(outcome.peak_resident)))
}

/// The controls and the heaps in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let contenders = [
        PausesControl,
        PausesControlBusy,
        PausesIncremental,
        PausesConcurrent,
        PausesCells,
    ];
    let medians = contest::hold(&contenders, options, "pauses")?;
    let is_long = options.scale >= 1.0;
    let bound = |bound| options.bound_on_heaps(bound).filter(|_| is_long);

    let mut measures = Vec::new();
    for (contender, heap) in [
        (PausesIncremental, "large heap, incremental"),
        (PausesConcurrent, "large heap, concurrent"),
        (PausesCells, "large heap of cells, concurrent"),
    ] {
        let figure = |name| medians.expect(contender, name);
        let mut tell = |measure: Measure| measures.push(measure);
        let ended = Measure::new(
            format!("{heap}: collections that ended"),
            figure(COLLECTIONS)?,
            "",
        );
        tell(ended.at_least(bound(3.0)));
        if contender == PausesIncremental {
            for (what, name, most) in [
                ("p99.9 of steps", P999, 200.0),
                ("longest step", LONGEST, 2000.0),
            ] {
                let time = Measure::new(format!("  {what}"), figure(name)? / 1e3, "µs");
                tell(time.at_most(bound(most)));
            }
            continue;
        }
        for (control, what) in [
            (PausesControl, "control's"),
            (PausesControlBusy, "control's with a busy neighbour"),
        ] {
            let ratio = figure(LONGEST)? / medians.expect(control, LONGEST)?;
            let ratio = Measure::new(format!("  longest step / {what}"), ratio, "×");
            tell(ratio.at_most(bound(1.5)));
        }
        tell(Measure::new("  longest step", figure(LONGEST)? / 1e3, "µs"));
        let tail = Measure::new("  p99.99 of steps", figure(P9999)? / 1e3, "µs");
        tell(tail.at_most(bound(50.0)));
        let rate = Measure::new("  allocations", figure(RATE)? / 1e6, "M/s");
        tell(rate.at_least(bound(80.0)));
        let in_steps = figure(RATE_IN_STEPS)? / 1e6;
        let what = "  allocations, without the measuring between steps";
        tell(Measure::new(what, in_steps, "M/s"));
        for name in [HEAP, PROCESS] {
            // Not every system says what is resident.
            if let Some(times) = medians.get(contender, name) {
                tell(Measure::new(format!("  {name}"), times, "×").at_most(bound(2.3)));
            }
        }
    }
    Ok(measures)
}
