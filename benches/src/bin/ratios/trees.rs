//! The binary-trees program on one thread, by memory manager.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use bumpalo::Bump;
use gc_arena::metrics::Pacing;
use gc_benches::collected::{ours, peer};
use gc_benches::forest::{Boxed, Bumped, Explicit, Forest, Mi, Rewound, binary_trees};

use crate::Measure;
use crate::contest::{self, Contender, Figures};
use crate::options::Options;

const SECONDS: &str = "seconds";

/// Runs the program under the memory manager of this contender.
pub fn run(contender: Contender, depth: u32) -> Figures {
    let bump = Bump::new();
    let seconds = match contender {
        Contender::TreesMimalloc => timed(|| Explicit::new(Mi), depth),
        Contender::TreesBumpalo => timed(|| Bumped::new(&bump), depth),
        Contender::TreesBumpaloRewound => timed(|| Rewound::new(&bump), depth),
        Contender::TreesOurs => timed(ours::trees::Managed::default, depth),
        Contender::TreesPeer => timed(at_once, depth),
        Contender::TreesPeerInSteps => timed(peer::trees::Managed::default, depth),
        _ => timed(Boxed::default, depth),
    };
    Figures::of(SECONDS, seconds)
}

/// gc-arena without increments: each collection runs from start to end, as gc-core's do.
fn at_once() -> peer::trees::Managed {
    let forest = peer::trees::Managed::default();
    forest.metrics().set_pacing(Pacing::STOP_THE_WORLD);
    forest
}

/// The time to make a forest, run the program in it, and free it.
fn timed<F: Forest>(make: impl FnOnce() -> F, depth: u32) -> f64 {
    let start = Instant::now();
    let mut forest = make();
    black_box(binary_trees(&mut forest, black_box(depth)));
    drop(forest);
    start.elapsed().as_secs_f64()
}

/// All managers in turns, and the ratios between them.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let bound = |bound| options.bound_on_trees(bound);
    let peers = [
        (TreesBox, "Box + system malloc", bound(0.45)),
        (TreesMimalloc, "Box + mimalloc", bound(0.90)),
        (TreesBumpalo, "bumpalo, one for each tree", bound(1.35)),
        (TreesBumpaloRewound, "bumpalo, one rewound", None),
        (TreesPeer, "gc-arena, whole collections", None),
        (TreesPeerInSteps, "gc-arena, its default", None),
    ];
    let mut contenders = peers.map(|(contender, _, _)| contender).to_vec();
    contenders.push(TreesOurs);
    let medians = contest::hold(&contenders, options, "trees")?;
    let seconds = |contender| medians.expect(contender, SECONDS);

    let ours = seconds(TreesOurs)?;
    let what = format!("binary trees {}", options.depth);
    let mut measures = Vec::new();
    for (peer, name, bound) in peers {
        let ratio = ours / seconds(peer)?;
        measures.push(Measure::new(format!("{what}: gc-core / {name}"), ratio, "×").at_most(bound));
    }
    measures.push(Measure::new(format!("{what}: gc-core"), ours * 1e3, "ms"));
    for (peer, name, _) in peers {
        measures.push(Measure::new(
            format!("{what}: {name}"),
            seconds(peer)? * 1e3,
            "ms",
        ));
    }
    Ok(measures)
}
