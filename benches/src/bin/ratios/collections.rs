//! Full collections of large live heaps, by collector.
//!
//! A heap is built without any collection, then collected several times over with nothing in
//! between: all objects are live in each. The median of those collections is the figure of the
//! process. Where the collector says how long it marked and swept, the sweep is related to the
//! bytes its heap owns.

use std::time::{Duration, Instant};

use anyhow::Result;
use gc_benches::collected::{Account, ours, peer};

use crate::Measure;
use crate::contest::{self, Contender, Figures, median};
use crate::options::Options;

/// Collections of each heap, after one that is not counted.
const COLLECTIONS: usize = 5;

const PER_OBJECT: &str = "ns an object";
const MARK: &str = "ns of marking an object";
const SWEEP: &str = "ms of sweeping a GiB";

/// Builds the contender's heap and collects it.
pub fn run(contender: Contender, objects: usize) -> Figures {
    use ours::graphs::Heap as Ours;
    use peer::graphs::Heap as Peer;
    match contender {
        Contender::TreePeer => collected(
            Peer::ordered_tree(objects),
            objects,
            Peer::collect,
            Peer::account,
        ),
        Contender::GraphPeer => collected(
            Peer::random_graph(objects),
            objects,
            Peer::collect,
            Peer::account,
        ),
        Contender::GraphOurs => collected(
            Ours::random_graph(objects),
            objects,
            Ours::collect,
            Ours::account,
        ),
        _ => collected(
            Ours::ordered_tree(objects),
            objects,
            Ours::collect,
            Ours::account,
        ),
    }
}

fn collected<H>(
    mut heap: H,
    objects: usize,
    collect: fn(&mut H),
    account: fn(&H) -> Account,
) -> Figures {
    collect(&mut heap);
    let (mut whole, mut mark, mut sweep) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..COLLECTIONS {
        let before = account(&heap);
        let start = Instant::now();
        collect(&mut heap);
        let time = start.elapsed();
        let after = account(&heap);

        let each = |time: Duration| time.as_nanos() as f64 / objects as f64;
        whole.push(each(time));
        mark.extend(difference(before.mark_time, after.mark_time).map(each));
        let gib = after.heap.map(|bytes| bytes as f64 / f64::from(1 << 30));
        let swept = difference(before.sweep_time, after.sweep_time);
        sweep.extend(
            swept
                .zip(gib)
                .map(|(time, gib)| time.as_secs_f64() * 1e3 / gib),
        );
    }
    Figures::of(PER_OBJECT, median(whole))
        .and(MARK, (!mark.is_empty()).then(|| median(mark)))
        .and(SWEEP, (!sweep.is_empty()).then(|| median(sweep)))
}

fn difference(before: Option<Duration>, after: Option<Duration>) -> Option<Duration> {
    Some(after?.saturating_sub(before?))
}

/// Both collectors on both shapes in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let medians = contest::hold(
        &[TreeOurs, TreePeer, GraphOurs, GraphPeer],
        options,
        "collections",
    )?;
    let millions = options.objects as f64 / 1e6;
    let tree = format!("full collection, tree of {millions} M in order");
    let graph = format!("full collection, random graph of {millions} M");

    let mut measures = Vec::new();
    // Not every collector gives every figure.
    let mut add = |what: &str, contender, figure, unit, bound| {
        if let Some(value) = medians.get(contender, figure) {
            measures.push(Measure::new(what, value, unit).at_most(bound));
        }
    };
    let per_object = "ns/object";
    let (in_order, at_random) = (options.bound_on_heaps(7.5), options.bound_on_heaps(50.0));
    add(
        &format!("{tree}: gc-core"),
        TreeOurs,
        PER_OBJECT,
        per_object,
        in_order,
    );
    add("  of which marking", TreeOurs, MARK, per_object, None);
    add(
        &format!("{tree}: gc-arena"),
        TreePeer,
        PER_OBJECT,
        per_object,
        None,
    );
    add(
        &format!("{graph}: gc-core"),
        GraphOurs,
        PER_OBJECT,
        per_object,
        at_random,
    );
    add("  of which marking", GraphOurs, MARK, per_object, None);
    add(
        &format!("{graph}: gc-arena"),
        GraphPeer,
        PER_OBJECT,
        per_object,
        None,
    );
    let sweep = options.bound_on_heaps(10.0);
    add(
        "sweeping, after the tree: gc-core",
        TreeOurs,
        SWEEP,
        "ms/GiB",
        sweep,
    );
    add(
        "sweeping, after the graph: gc-core",
        GraphOurs,
        SWEEP,
        "ms/GiB",
        sweep,
    );
    Ok(measures)
}
