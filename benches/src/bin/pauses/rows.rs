//! The rows that the command line asks for.

use anyhow::{Result, bail};
use gc_benches::pauses::outcome::Kind;
use gc_benches::pauses::plan::{Mode, Plan};
use gc_benches::pauses::workloads::{self, Entry, Heaps, Row};

use crate::options::Options;

/// The rows that `options` ask for, in the order of all workloads.
pub fn of(options: &Options, plan: Plan) -> Result<Vec<Row>> {
    for name in &options.workload {
        workloads::named(name)?;
    }
    let is_chosen = |entry: &&Entry| {
        if options.workload.is_empty() {
            options.peers || entry.kind != Kind::Peer
        } else {
            options.workload.contains(&entry.name)
        }
    };
    let mut rows = Vec::new();
    for entry in workloads::all().iter().filter(is_chosen) {
        let all_modes = [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent];
        let modes = match entry.heaps {
            _ if entry.kind != Kind::Ours => vec![None],
            Heaps::OwnInEachMode | Heaps::SizedInEachMode if options.mode.is_empty() => {
                each_once(&all_modes)
            }
            _ => each_once(&options.mode),
        };
        let sizes = match entry.heaps {
            Heaps::Own | Heaps::OwnInEachMode => vec![None],
            Heaps::Sized | Heaps::SizedInEachMode => each_once(&options.live),
        };
        for &mode in &modes {
            for &live in &sizes {
                rows.push(Row {
                    entry,
                    plan: Plan { mode, live, ..plan },
                });
            }
        }
    }
    if rows.is_empty() {
        bail!("there is no workload to run");
    }
    Ok(rows)
}

/// Each of `asked` once, in order; or nothing in particular, if nothing was asked for.
fn each_once<T: Copy + PartialEq>(asked: &[T]) -> Vec<Option<T>> {
    let mut each = Vec::new();
    for &one in asked {
        if !each.contains(&Some(one)) {
            each.push(Some(one));
        }
    }
    if each.is_empty() {
        each.push(None);
    }
    each
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn titles(arguments: &[&str]) -> Vec<String> {
        let arguments = [&["pauses"], arguments].concat();
        let options = Options::try_parse_from(arguments).unwrap();
        let rows = of(&options, options.plan().unwrap()).unwrap();
        rows.iter().map(Row::title).collect()
    }

    #[test]
    fn modes_and_sizes_multiply_the_rows_that_have_them() {
        assert_eq!(
            titles(&["--workload=large-heap", "--workload=control"]),
            [
                "control",
                "large-heap (stop-the-world)",
                "large-heap (incremental)",
                "large-heap (concurrent)"
            ]
        );
        assert_eq!(
            titles(&[
                "--workload=control-busy",
                "--workload=large-heap-cells",
                "--workload=gcbench",
                "--live=1",
                "--live=2.5",
                "--live=1",
                "--mode=concurrent",
            ]),
            [
                "control (busy neighbour)",
                "large-heap (cells, concurrent, 1 GiB)",
                "large-heap (cells, concurrent, 2.5 GiB)",
                "gcbench (concurrent)"
            ]
        );
    }

    #[test]
    fn no_two_rows_are_called_the_same() {
        let mut titles = titles(&[]);
        titles.sort();
        let count = titles.len();
        titles.dedup();
        assert_eq!(titles.len(), count);
    }
}
