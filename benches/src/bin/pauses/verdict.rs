//! Each row in a sentence, for who chooses a collector.

use gc_benches::pauses::distribution::Distribution;
use gc_benches::pauses::outcome::{Kind, Outcome, Results};
use gc_benches::pauses::plan::Mode;
use gc_benches::units;

/// How many steps are to be beyond a percentile for it to tell anything.
const BEYOND: u64 = 10;

/// What the figures of `outcome` come to.
pub fn of(outcome: &Outcome, results: &Results) -> String {
    let mut parts = vec![steps(outcome, results)];
    let pauses = &outcome.run.pauses;
    if !outcome.is_control() && pauses.count > 0 {
        parts.push(format!("longest pause {}", time(pauses.max)));
    }
    let run = &outcome.run;
    if let Some(rate) = run.rate(run.objects) {
        parts.push(format!("{} M objects/s", units::digits(rate / 1e6)));
    } else if let Some(rate) = run.rate(run.allocated) {
        parts.push(format!("{}/s", whole(&units::size(rate as u64))));
    }
    let peak = outcome.peak_resident.or(outcome.peak_heap);
    if let Some((bytes, times)) = peak.zip(outcome.times_live(peak)) {
        let times = units::digits(times);
        let times = whole(&format!("{times} ×"));
        parts.push(format!("peak {}, {times} live", whole(&units::size(bytes))));
    }
    parts.join("; ")
}

/// A figure that stays on the line of its unit.
fn whole(figure: &str) -> String {
    figure.replace(' ', "\u{a0}")
}

fn time(nanoseconds: u64) -> String {
    whole(&units::time(nanoseconds))
}

fn steps(outcome: &Outcome, results: &Results) -> String {
    let steps = &outcome.run.steps;
    let (share, tail) = tail(steps);
    let text = format!(
        "{} of steps below {}, longest {}",
        whole(share),
        time(tail),
        time(steps.max)
    );
    let control = control(outcome, results).map(|(name, control)| {
        let longest = time(control.run.steps.max);
        format!(" ({name} {longest})")
    });
    text + &control.unwrap_or_default()
}

/// The highest percentile that the steps are enough for.
fn tail(steps: &Distribution) -> (&'static str, u64) {
    let percentiles = [
        (10_000, "99.99 %", steps.p9999),
        (1_000, "99.9 %", steps.p999),
        (100, "99 %", steps.p99),
    ];
    let enough = percentiles
        .into_iter()
        .find(|&(one_in, _, _)| steps.count >= BEYOND * one_in);
    enough.map_or(("half", steps.p50), |(_, share, time)| (share, time))
}

/// The control that is fair to the row, and how to say that it is its. Whoever collects on another
/// thread keeps a second processor busy.
fn control<'a>(outcome: &Outcome, results: &'a Results) -> Option<(&'static str, &'a Outcome)> {
    let named = |name: &str| {
        let mut outcomes = results.outcomes.iter();
        outcomes.find(|control| control.is_control() && control.workload == name)
    };
    let has_threads = outcome.mode.unwrap_or_else(Mode::usual) == Mode::Concurrent;
    let busy = match outcome.kind {
        Kind::Control => return None,
        Kind::Ours if has_threads => named("control-busy"),
        Kind::Ours | Kind::Peer => None,
    };
    let quiet = || Some(("the control's was", named("control")?));
    busy.map(|busy| ("the busy control's was", busy))
        .or_else(quiet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{outcome, results};

    fn named(name: &str, kind: Kind, mode: Option<Mode>, times: &[u64]) -> Outcome {
        Outcome {
            kind,
            mode,
            ..outcome(name, times)
        }
    }

    #[test]
    fn a_verdict_says_what_the_figures_come_to() {
        let many: Vec<u64> = (0..100_000)
            .map(|n| if n < 20 { 3_100_000 } else { 40_000 })
            .collect();
        let mut results = results(vec![
            named("control", Kind::Control, None, &[1_000, 2_900_000]),
            named("large-heap", Kind::Ours, Some(Mode::Incremental), &many),
            named("large-heap", Kind::Ours, Some(Mode::Concurrent), &[5_000]),
            named("control-busy", Kind::Control, None, &[7_700_000]),
            named("large-heap", Kind::Peer, None, &[5_000]),
        ]);
        let verdicts = |results: &Results| -> Vec<String> {
            let outcomes = results.outcomes.iter();
            let verdicts = outcomes.map(|outcome| of(outcome, results));
            verdicts
                .map(|verdict| verdict.replace('\u{a0}', " "))
                .collect()
        };
        let rest = "90.0 M objects/s; peak 200 B, 2.00 × live";
        assert_eq!(
            verdicts(&results),
            [
                format!("half of steps below 1.00 µs, longest 2.90 ms; {rest}"),
                format!(
                    "99.99 % of steps below 3.10 ms, longest 3.10 ms (the control's was 2.90 ms); \
                     longest pause 3.10 ms; {rest}"
                ),
                format!(
                    "half of steps below 5.00 µs, longest 5.00 µs (the busy control's was 7.70 ms); longest pause 5.00 µs; {rest}"
                ),
                format!("half of steps below 7.70 ms, longest 7.70 ms; {rest}"),
                format!(
                    "half of steps below 5.00 µs, longest 5.00 µs (the control's was 2.90 ms); \
                     longest pause 5.00 µs; {rest}"
                ),
            ]
        );
        results.outcomes.retain(|outcome| !outcome.is_control());
        results.outcomes[0].run.objects = None;
        results.outcomes[0].live = None;
        assert_eq!(
            verdicts(&results)[0],
            "99.99 % of steps below 3.10 ms, longest 3.10 ms; longest pause 3.10 ms; 1 B/s"
        );
    }
}
