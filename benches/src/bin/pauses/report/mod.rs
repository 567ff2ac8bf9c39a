//! The report: one page that needs nothing else.
//!
//! Pictures are inline SVG, the style is inline, there is no script, and nothing is fetched. Texts
//! are escaped by the template language; the pictures come from the plotting library, which
//! escapes its own.

mod curves;
mod plots;

pub use plots::short_time;

use anyhow::Result;
use gc_benches::pauses::measure::{INTERRUPTION, NOTICEABLE};
use gc_benches::pauses::outcome::{Kind, Outcome, Results};
use gc_benches::units;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::table::{self, Sheet};
use crate::verdict;

const STYLE: &str = include_str!("style.css");

/// The tables of figures, that of utilisation first.
pub fn sheets(results: &Results) -> [Sheet; 4] {
    let outcomes = &results.outcomes;
    [
        table::utilisation(outcomes),
        table::steps(outcomes),
        table::collector(outcomes),
        table::memory(outcomes),
    ]
}

/// The page as HTML.
pub fn page(results: &Results) -> Result<String> {
    let control = results.outcomes.iter().find(|outcome| outcome.is_control());
    let interruption = control
        .map(|control| control.run.pauses.max)
        .filter(|&longest| longest > 0);
    let sections: Vec<Markup> = results
        .outcomes
        .iter()
        .map(|outcome| section(outcome, interruption))
        .collect::<Result<_>>()?;

    let mut kinds = results.outcomes.iter().map(|outcome| outcome.kind);
    let has_peers = kinds.any(|kind| kind == Kind::Peer);
    let sheets = sheets(results);
    let [utilisation, rest @ ..] = &sheets;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Pauses of gc-core" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Pauses of gc-core " (env!("CARGO_PKG_VERSION")) }
                p.caption { (results.machine.to_string()) "." }
                @if results.quick || results.scale != 1.0 {
                    p.note {
                        "Not the usual amount of work: "
                        @if results.quick { "a quick run with small heaps, " }
                        "scale " (results.scale) "."
                    }
                }
                figure {
                    (PreEscaped(curves::latency(&results.outcomes)?))
                    figcaption {
                        "The controls, dashed, are what the machine does to a program without a "
                        "collector. "
                        @if has_peers { "Other managers of memory are dotted." }
                    }
                }
                (verdicts(results))
                (figures(utilisation, Some(&curves::utilisation(&results.outcomes)?)))
                p.caption {
                    "The least share of any window of time that the collector left to the program, "
                    "by the window's length. Time is that of the steps, without what was measured "
                    "between them; every call of the collector counts, however short. A control's is "
                    "the share that the machine's interruptions left to it."
                }
                @for sheet in rest { (figures(sheet, None)) }
                p.caption {
                    "A step is a slice of work and what the collector did after it; a pause is a "
                    "call of the collector that took longer than "
                    (units::time(NOTICEABLE.as_nanos() as u64)) " or ended a collection. MiB/s and "
                    "Mobj/s are allocation over the wall time of the row. Peak heap is without the "
                    "collector's metadata, peak RSS is the whole process. What is alive, a large "
                    "heap's program knows; for the others it is the most that survived a collection."
                }
                (method())
                @for section in &sections { (section) }
            }
        }
    };
    Ok(page.into_string())
}

/// One line on each row.
fn verdicts(results: &Results) -> Markup {
    let rows = results.outcomes.iter();
    let rows = rows.zip(curves::variables(&results.outcomes));
    html! {
        table.verdicts {
            @for (outcome, colour) in rows {
                tr {
                    th scope="row" {
                        span.swatch style={ "background: var(" (colour) ")" } {}
                        a href={ "#" (outcome.anchor()) } { (outcome.name) }
                    }
                    td { (verdict::of(outcome, results)) "." }
                }
            }
        }
    }
}

/// A table, below its picture if it has one.
fn figures(sheet: &Sheet, picture: Option<&str>) -> Markup {
    html! {
        h2 { (sheet.title) }
        @if let Some(picture) = picture {
            figure { (PreEscaped(picture)) }
        }
        div.wide {
            table {
                thead {
                    tr { @for heading in &sheet.headings { th scope="col" { (heading) } } }
                }
                tbody {
                    @for line in &sheet.lines {
                        tr {
                            @for (column, cell) in line.cells.iter().enumerate() {
                                @match (column, &line.anchor) {
                                    (0, Some(anchor)) => {
                                        th scope="row" { a href={ "#" (anchor) } { (cell) } }
                                    }
                                    (0, None) => { th scope="row" { (cell) } }
                                    _ if column < sheet.words => { td.word { (cell) } }
                                    _ => { td { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn method() -> Markup {
    html! {
        h2 { "Method and caveats" }
        ul {
            li {
                "Each workload is one thread that does a slice of work (one " code { "mutate" }
                "), then calls " code { "collect_debt" } ", and again until it is over. The clock "
                "is read before the work, between the two, and after. A step is both parts; a pause "
                "is the second where it took longer than "
                (units::time(NOTICEABLE.as_nanos() as u64)) " or a collection ended in it. A "
                "shorter call cannot be told from one that had nothing to do."
            }
            li {
                "Each workload has a process of its own, and they run one after the other."
            }
            li {
                "The large heaps are built first, which has a row and distributions of its own. Of "
                "the other programs all pauses count, those of the start too, while the heap still "
                "grows. Where there are few pauses, the high percentiles are the longest one: look "
                "at their number first."
            }
            li {
                "The control is the same loop with neither collector nor allocation. Its pauses "
                "are interruptions: what a step took beyond the median step, if more than "
                (units::time(INTERRUPTION.as_nanos() as u64)) ". They come from the machine, and "
                "they fall on the other workloads just as much. Its longest one is the dashed line "
                "in the histograms; a pause left of it tells little. It lasts as long as the churn "
                "of the large heaps, so that longest times compare. With a busy neighbour, a second "
                "thread reads memory at random meanwhile, as one that marks does."
            }
            li {
                "Some programs build a deep tree in one step; the longest step is then the "
                "program's own work and not the collector's."
            }
            li {
                "Percentiles are of a histogram with three significant digits; longest times are "
                "exact. Over time, each point shows the longest pause of its stretch of the run, "
                "and the heap's least and greatest size."
            }
            li {
                "The processor is otherwise idle and the threads are not pinned. A figure of one "
                "machine says little of another; ratios between rows travel better."
            }
        }
    }
}

/// `text` as a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str() + "."
}

fn section(outcome: &Outcome, interruption: Option<u64>) -> Result<Markup> {
    let what = if outcome.is_control() {
        "interruptions"
    } else {
        "pauses"
    };
    let line = interruption.filter(|_| !outcome.is_control());
    let pauses = &outcome.run.pauses;
    Ok(html! {
        section id=(outcome.anchor()) {
            h2 { (outcome.name) }
            p {
                (sentence(&outcome.about))
                @if let Some(building) = &outcome.building {
                    " The first " (units::time(building.wall)) " it built its heap, which only the "
                    "pictures over time show."
                }
            }
            @if pauses.count == 0 {
                p.note { "There were no " (what) "." }
            }
            div.pair {
                @if pauses.count > 0 {
                    figure {
                        (PreEscaped(plots::histogram(&pauses.bars, plots::Counts::Linear, line)?))
                        figcaption {
                            (units::count(pauses.count)) " " (what) ", longest "
                            (units::time(pauses.max)) "."
                        }
                    }
                }
                figure {
                    (PreEscaped(plots::histogram(&outcome.run.steps.bars, plots::Counts::Log, line)?))
                    figcaption {
                        (units::count(outcome.run.steps.count)) " steps, longest "
                        (units::time(outcome.run.steps.max)) " (counts on a logarithmic scale)."
                    }
                }
            }
            @if pauses.count > 0 || !outcome.heap_over_time.is_empty() {
                figure {
                    (PreEscaped(plots::time_line(outcome)?))
                    figcaption {
                        "Over the run's time: " (what)
                        @if !outcome.heap_over_time.is_empty() {
                            " above; below, the blocks that the heap owns (blue) and the objects in "
                            "them, dead ones until they are collected (grey)"
                        }
                        "."
                    }
                }
            }
        }
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use gc_benches::machine::Machine;
    use gc_benches::pauses::distribution::Times;
    use gc_benches::pauses::outcome::Part;
    use gc_benches::pauses::series::Series;
    use gc_benches::pauses::utilisation::Utilisation;

    /// The outcome of steps that took such times, each of them all the collector's.
    pub fn outcome(name: &str, times: &[u64]) -> Outcome {
        let (mut all, mut series) = (Times::new().unwrap(), Series::default());
        let mut utilisation = Utilisation::default();
        for (index, &time) in times.iter().enumerate() {
            all.record(time).unwrap();
            utilisation.record(0, time);
            series.record(index as u64 * 1_000_000, time);
        }
        Outcome {
            name: name.to_owned(),
            workload: name.to_owned(),
            kind: Kind::Ours,
            mode: None,
            live_asked: None,
            about: "less <than> nothing & more".to_owned(),
            whole: 1_000_000_000,
            building: None,
            run: Part {
                wall: 1_000_000_000,
                collections: Some(times.len() as u64),
                steps_in_cycle: None,
                pauses: all.distribution(),
                steps: all.distribution(),
                utilisation: utilisation.curve(),
                allocated: Some(1),
                objects: Some(90_000_000),
            },
            live: Some(100),
            peak_heap: Some(200),
            peak_resident: None,
            pauses_over_time: series.into_buckets(),
            heap_over_time: Vec::new(),
            objects_over_time: Vec::new(),
        }
    }

    /// Results with such rows.
    pub fn results(outcomes: Vec<Outcome>) -> Results {
        let machine = Machine {
            processor: "<b>".to_owned(),
            ..Machine::here()
        };
        Results {
            machine,
            quick: true,
            scale: 1.0,
            outcomes,
        }
    }

    fn page_of(outcomes: Vec<Outcome>) -> String {
        page(&results(outcomes)).unwrap()
    }

    #[test]
    fn the_page_is_escaped_and_fetches_nothing() {
        let page = page_of(vec![outcome("some", &[1_000, 50_000, 3_000_000])]);
        assert!(page.contains("Less &lt;than&gt; nothing &amp; more"));
        assert!(!page.contains("<b>"));
        assert!(!page.contains("<script") && !page.contains("src="));
        let addresses = page.matches("http").count();
        assert_eq!(
            addresses,
            page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count()
        );
    }

    #[test]
    fn outcomes_without_pauses_or_with_one_have_a_page() {
        let page = page_of(vec![outcome("none", &[]), outcome("one", &[1])]);
        assert!(page.contains("There were no pauses."));
        assert!(page.contains("1 pauses, longest 1 ns"));
    }

    #[test]
    fn a_long_run_makes_a_small_page() {
        let times: Vec<u64> = (0..200_000).map(|n| 1_000 + n * 7 % 1_000_000).collect();
        let page = page_of((0..10).map(|n| outcome(&format!("w{n}"), &times)).collect());
        assert!(page.len() < 3 << 20, "{} bytes", page.len());
    }
}
