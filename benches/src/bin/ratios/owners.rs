//! Programs whose every object owns memory outside of the heap, by collector.
//!
//! Each is one source over both collectors, and runs in a process of its own from the empty heap to the freed one.
//! Two ratios say how many times as fast it is on gc-core: of the time that passed, and of the time that all
//! processors spent, the system's included, since collecting on other threads is not free. The peak of resident
//! memory is the whole process's.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use gc_benches::collected::{Program, ours, peer};
use gc_benches::{processor, resident};

use crate::Measure;
use crate::contest::{self, Contender, Figures};
use crate::options::Options;

const SECONDS: &str = "seconds";
const PROCESSOR: &str = "seconds of processors";
const PEAK: &str = "peak resident MiB";

/// What a row is called, the contenders, and the program.
const PROGRAMS: [(&str, Contender, Contender, Program); 7] = {
    use Contender::*;
    [
        (
            "strings",
            OwnersStringsOurs,
            OwnersStringsPeer,
            Program::Strings,
        ),
        (
            "coroutines",
            OwnersCoroutinesOurs,
            OwnersCoroutinesPeer,
            Program::Coroutines,
        ),
        (
            "tables",
            OwnersTablesOurs,
            OwnersTablesPeer,
            Program::Tables,
        ),
        (
            "closures",
            OwnersClosuresOurs,
            OwnersClosuresPeer,
            Program::Closures,
        ),
        ("live map", OwnersLiveOurs, OwnersLivePeer, Program::Live),
        ("trees", OwnersTreesOurs, OwnersTreesPeer, Program::Trees),
        (
            "finalizers",
            OwnersFinalizersOurs,
            OwnersFinalizersPeer,
            Program::Finalizers,
        ),
    ]
};

/// Runs the contender's program.
pub fn run(contender: Contender, options: &Options) -> Result<Figures> {
    let (.., ours, _, program) = PROGRAMS
        .into_iter()
        .find(|(_, ours, peer, _)| [ours, peer].contains(&&contender))
        .context("a contender has no program")?;
    let operations = options.objects / 40;
    let start = Instant::now();
    black_box(if contender == ours {
        let heap = ours::Options::default();
        let heap = match options.mode {
            Some(mode) => heap.mode(mode.of_heap()),
            None => heap,
        };
        ours::owners::run(program, heap, operations)
    } else {
        peer::owners::run(program, peer::Options::default(), operations)
    });
    let seconds = start.elapsed().as_secs_f64();
    let processor = processor::time().context("the system does not say what processors spend")?;
    let peak = resident::peak().context("the system does not say how much memory is resident")?;
    Ok(Figures::of(SECONDS, seconds)
        .and(PROCESSOR, Some(processor.as_secs_f64()))
        .and(PEAK, Some(peak as f64 / f64::from(1 << 20))))
}

/// Both collectors on all programs in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    let contenders: Vec<Contender> = PROGRAMS
        .into_iter()
        .flat_map(|(_, ours, peer, _)| [ours, peer])
        .collect();
    let medians = contest::hold(&contenders, options, "owners")?;
    let mut measures = Vec::new();
    for (name, ours, peer, _) in PROGRAMS {
        let pair =
            |figure| anyhow::Ok((medians.expect(ours, figure)?, medians.expect(peer, figure)?));
        let ratio = |(ours, peer): (f64, f64)| peer / ours;
        let faster = options.bound_on_heaps(2.0);
        let seconds = pair(SECONDS)?;
        measures.push(
            Measure::new(
                format!("{name}: speed, gc-core / gc-arena"),
                ratio(seconds),
                "×",
            )
            .at_least(faster),
        );
        // Less than a tick is nothing to divide by.
        let processor = pair(PROCESSOR)?;
        if processor.0 > 0.0 {
            measures.push(
                Measure::new("  for the time of all processors", ratio(processor), "×")
                    .at_least(faster),
            );
        }
        measures.push(Measure::new("  gc-arena takes", seconds.1 * 1e3, "ms"));
        let (memory, of_peer) = pair(PEAK)?;
        let most = (of_peer * 1.1).max(of_peer + 4.0);
        measures.push(
            Measure::new("  peak resident: gc-core", memory, "MiB")
                .at_most(options.bound_on_heaps(most)),
        );
        measures.push(Measure::new("  peak resident: gc-arena", of_peer, "MiB"));
    }
    Ok(measures)
}
