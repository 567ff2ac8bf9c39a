//! The report on a terminal, in a hundred columns.
//!
//! In the picture of latency each row is a line, time runs to the right on a logarithmic scale, and
//! what the curves of the page show at round percentiles are marks on the line.

use std::fmt::Write;

use gc_benches::pauses::outcome::{Outcome, Results};

use crate::report;
use crate::table;
use crate::verdict;

/// Columns.
pub const WIDTH: usize = 100;

/// Marks, and how many steps there are for one that is longer.
const MARKS: [(char, f64); 6] = [
    ('m', 2.0),
    ('1', 1e1),
    ('2', 1e2),
    ('3', 1e3),
    ('4', 1e4),
    ('5', 1e5),
];
const LONGEST: char = 'x';

const KEY: &str = "m: half of the steps take no longer; 1 to 5: so many nines, 90 % to 99.999 %; \
                   x: the longest";

/// All of it.
pub fn page(results: &Results) -> String {
    let mut text = format!("Latency of steps\n{KEY}\n{}\n", strips(&results.outcomes));
    for outcome in &results.outcomes {
        let line = format!("{}: {}.", outcome.name, verdict::of(outcome, results));
        text += &wrapped(&line, "    ");
        text.push('\n');
    }
    for sheet in report::sheets(results) {
        let _ = write!(text, "\n{}\n{}\n", sheet.title, sheet.table(WIDTH));
    }
    text += &wrapped(table::LEGEND, "");
    text.push('\n');
    text
}

/// A line of marks for each row, below a line of times.
fn strips(outcomes: &[Outcome]) -> String {
    let width = |name: &str| name.chars().count();
    let names = outcomes.iter().map(|outcome| width(&outcome.name));
    let names = names.max().unwrap_or(0).min(WIDTH / 2);
    let times = outcomes.iter().flat_map(|outcome| {
        let steps = &outcome.run.steps;
        [steps.p50, steps.max].map(|time| (time.max(1) as f64).log10())
    });
    let (least, most) = times.fold((f64::INFINITY, 0.0f64), |(least, most), time| {
        (least.min(time), most.max(time))
    });
    // Whole decades, at least one.
    let first = least.min(most).floor();
    let decades = (most.ceil() - first).max(1.0);
    let columns = WIDTH - names - 2;
    let column = |time: f64| {
        let share = (time.log10() - first) / decades;
        ((share * (columns - 1) as f64).round() as usize).min(columns - 1)
    };

    let mut lines = vec![vec![' '; columns]];
    let mut grid = vec![' '; columns];
    for decade in 0..=decades as i32 {
        let time = 10f64.powf(first + f64::from(decade));
        grid[column(time)] = '·';
        let label = report::short_time(time);
        let from = column(time).min(columns - width(&label));
        for (place, letter) in lines[0][from..].iter_mut().zip(label.chars()) {
            *place = letter;
        }
    }
    for outcome in outcomes {
        let (steps, mut line) = (&outcome.run.steps, grid.clone());
        for (mark, one_in) in MARKS {
            let quantile = steps
                .curve
                .iter()
                .find(|level| level.one_in > one_in - 0.001);
            if let Some(quantile) = quantile.filter(|level| level.one_in < one_in + 0.001) {
                line[column(quantile.time.max(1) as f64)] = mark;
            }
        }
        line[column(steps.max.max(1) as f64)] = LONGEST;
        lines.push(line);
    }
    let titles = [""]
        .into_iter()
        .chain(outcomes.iter().map(|outcome| outcome.name.as_str()));
    let mut text = String::new();
    for (title, line) in titles.zip(lines) {
        let line: String = line.into_iter().collect();
        let title: String = title.chars().take(names).collect();
        let _ = writeln!(text, "{}", format!("{title:<names$}  {line}").trim_end());
    }
    text
}

/// `text` in lines of at most [`WIDTH`] columns, all but the first of them after `indent`.
pub fn wrapped(text: &str, indent: &str) -> String {
    let (mut lines, mut column) = (String::new(), 0);
    // A space that does not break stays within its word.
    for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
        let width = word.chars().count();
        if column == 0 {
            column = width;
        } else if column + 1 + width <= WIDTH {
            lines.push(' ');
            column += 1 + width;
        } else {
            lines.push('\n');
            lines += indent;
            column = indent.len() + width;
        }
        lines += word;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{outcome, results};

    #[test]
    fn every_line_fits() {
        let times: Vec<u64> = (0..300_000).map(|n| 900 + n * n % 3_000_000_000).collect();
        let long = "large-heap (cells, stop-the-world, 16.25 GiB)";
        let rows = ["one", long].map(|name| {
            let mut outcome = outcome(name, &times);
            outcome.building = Some(outcome.run.clone());
            outcome
        });
        let text = page(&results(rows.into()));
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn marks_are_in_the_columns_of_their_times() {
        let mut times = vec![1_000; 95];
        times.extend([10_000, 10_000, 10_000, 10_000, 100_000]);
        let text = strips(&[outcome("row", &times)]);
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let at = |line: usize, mark| lines[line].iter().position(|&letter| letter == mark);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1][at(0, '1').unwrap()], '1', "{text}");
        assert_eq!(at(1, LONGEST), Some(WIDTH - 1), "{text}");
        let none = strips(&[outcome("row", &[])]);
        assert!(none.contains(LONGEST));
    }

    #[test]
    fn words_that_do_not_fit_begin_a_line() {
        let text = "word ".repeat(60);
        let lines = wrapped(&text, "  ");
        assert!(lines.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(lines.lines().count(), 4);
        assert!(lines.lines().skip(1).all(|line| line.starts_with("  word")));
    }
}
