//! The binary-trees program on two threads of one shared arena, beside one thread that does the same work.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use gc_benches::shared::binary_trees;
use gc_core::{HeapOptions, Mode};

use crate::Measure;
use crate::contest::{self, Contender, Figures};
use crate::options::Options;

const SECONDS: &str = "seconds";

/// Runs the program on the threads of this contender. The heap is made, used and freed in that time.
pub fn run(contender: Contender, depth: u32) -> Figures {
    let (threads, mode) = match contender {
        Contender::SharedTwoThreads => (2, Mode::default()),
        Contender::SharedTwoThreadsAtOnce => (2, Mode::StopTheWorld),
        Contender::SharedOneThreadAtOnce => (1, Mode::StopTheWorld),
        _ => (1, Mode::default()),
    };
    let options = HeapOptions::default().mode(mode);
    let start = Instant::now();
    black_box(binary_trees(threads, options, black_box(depth)));
    Figures::of(SECONDS, start.elapsed().as_secs_f64())
}

/// Both in turns, with the default options and with whole collections.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let modes = [
        ("", SharedOneThread, SharedTwoThreads, 0.62),
        (
            ", whole collections",
            SharedOneThreadAtOnce,
            SharedTwoThreadsAtOnce,
            0.62,
        ),
    ];
    let contenders: Vec<Contender> = modes
        .iter()
        .flat_map(|&(_, one, two, _)| [one, two])
        .collect();
    let medians = contest::hold(&contenders, options, "shared")?;

    let (mut ratios, mut times) = (Vec::new(), Vec::new());
    for (mode, one, two, bound) in modes {
        let of_one = medians.expect(one, SECONDS)?;
        let of_two = medians.expect(two, SECONDS)?;
        let what = format!("shared binary trees {}{mode}", options.depth);
        ratios.push(
            Measure::new(format!("{what}: 2 threads / 1"), of_two / of_one, "×")
                .at_most(options.bound_on_trees(bound)),
        );
        for (threads, time) in [("1 thread", of_one), ("2 threads", of_two)] {
            times.push(Measure::new(format!("{what}: {threads}"), time * 1e3, "ms"));
        }
    }
    ratios.append(&mut times);
    Ok(ratios)
}
