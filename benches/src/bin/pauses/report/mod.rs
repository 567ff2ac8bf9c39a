//! The report: one page that needs nothing else.
//!
//! Pictures are inline SVG, the style is inline, there is no script, and nothing is fetched. Texts
//! are escaped by the template language; the pictures come from the plotting library, which
//! escapes its own.

mod plots;

use anyhow::Result;
use gc_benches::units;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::measure::INTERRUPTION;
use crate::outcome::{Outcome, Results};
use crate::table;

const STYLE: &str = include_str!("style.css");

/// The page as HTML.
pub fn page(results: &Results) -> Result<String> {
    let control = results.outcomes.iter().find(|outcome| outcome.is_control());
    let interruption = control
        .map(|control| control.pauses.max)
        .filter(|&longest| longest > 0);
    let sections: Vec<Markup> = results
        .outcomes
        .iter()
        .map(|outcome| section(outcome, interruption))
        .collect::<Result<_>>()?;

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
                p { (results.machine.to_string()) "." }
                @if results.quick || results.scale != 1.0 {
                    p.note {
                        "Not the usual amount of work: "
                        @if results.quick { "a quick run with small heaps, " }
                        "scale " (results.scale) "."
                    }
                }
                h2 { "Figures" }
                (figures(&results.outcomes))
                p.caption {
                    "A step is a slice of work and the collection after it; a pause is that "
                    "collection. MiB/s and Mobj/s are allocation over the whole run. Peak heap is "
                    "without the collector's metadata, peak RSS is the whole process."
                }
                (method())
                @for section in &sections { (section) }
            }
        }
    };
    Ok(page.into_string())
}

fn figures(outcomes: &[Outcome]) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr { @for heading in table::HEADINGS { th scope="col" { (heading) } } }
                }
                tbody {
                    @for outcome in outcomes {
                        @let [name, figures @ ..] = table::row(outcome);
                        tr {
                            th scope="row" { a href={ "#" (outcome.name) } { (name) } }
                            @for figure in figures { td { (figure) } }
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
                "is read before the work, between the two, and after. A pause is the second part "
                "where a collection ran; a step is both parts."
            }
            li {
                "Each workload has a process of its own, and they run one after the other."
            }
            li {
                "All pauses of the run count, those of its start too, while its heap still grows. "
                "Where there are few pauses, the high percentiles are the longest one: look at the "
                "number of collections first."
            }
            li {
                "The control is the same loop with neither collector nor allocation. Its pauses "
                "are interruptions: what a step took beyond the median step, if more than "
                (units::time(INTERRUPTION.as_nanos() as u64)) ". They come from the machine, and "
                "they fall on the other workloads just as much. Its longest one is the dashed line "
                "in the histograms; a pause left of it tells little."
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
    let pauses = &outcome.pauses;
    Ok(html! {
        section id=(outcome.name) {
            h2 { (outcome.name) }
            p { (sentence(&outcome.about)) }
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
                    (PreEscaped(plots::histogram(&outcome.steps.bars, plots::Counts::Log, line)?))
                    figcaption {
                        (units::count(outcome.steps.count)) " steps, longest "
                        (units::time(outcome.steps.max)) " (counts on a logarithmic scale)."
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
mod tests {
    use super::*;
    use crate::distribution::Times;
    use crate::series::Series;
    use gc_benches::machine::Machine;

    fn outcome(name: &str, times: &[u64]) -> Outcome {
        let (mut all, mut series) = (Times::new().unwrap(), Series::new());
        for (index, &time) in times.iter().enumerate() {
            all.record(time).unwrap();
            series.record(index as u64 * 1_000_000, time);
        }
        Outcome {
            name: name.to_owned(),
            about: "less <than> nothing & more".to_owned(),
            wall: 1_000_000_000,
            collections: Some(times.len() as u64),
            pauses: all.distribution(),
            steps: all.distribution(),
            allocated: Some(1),
            objects: None,
            peak_heap: None,
            peak_resident: None,
            pauses_over_time: series.into_buckets(),
            heap_over_time: Vec::new(),
            objects_over_time: Vec::new(),
        }
    }

    fn page_of(outcomes: Vec<Outcome>) -> String {
        let machine = Machine {
            processor: "<b>".to_owned(),
            ..Machine::here()
        };
        page(&Results {
            machine,
            quick: true,
            scale: 1.0,
            outcomes,
        })
        .unwrap()
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
