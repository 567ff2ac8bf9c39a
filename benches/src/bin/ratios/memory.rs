//! What objects cost in memory, by collector.
//!
//! *Pairs* are a tree of two-pointer nodes, built with nothing else in the process: what became
//! resident while it was built, over the number of nodes, is what a node costs with the
//! collector's metadata and whatever slack there is. *Nodes* are a tree of nodes of 32 bytes,
//! collected once, so that the peak holds what marking needs.

use anyhow::{Context, Result};
use gc_benches::collected::{Account, ours, peer};
use gc_benches::resident;

use crate::Measure;
use crate::contest::{self, Contender, Figures};
use crate::options::Options;

const RESIDENT: &str = "resident bytes an object";
const HEAP: &str = "heap bytes an object";
const PEAK: &str = "peak resident MiB";

/// Builds the contender's heap and looks at this process.
pub fn run(contender: Contender, objects: usize) -> Result<Figures> {
    use ours::graphs::Heap as Ours;
    use peer::graphs::Heap as Peer;
    match contender {
        Contender::PairsPeer => weighed(objects, Peer::pairs, |_| (), Peer::account),
        Contender::NodesPeer => weighed(objects, Peer::ordered_tree, Peer::collect, Peer::account),
        Contender::PairsOurs => weighed(objects, Ours::pairs, |_| (), Ours::account),
        _ => weighed(objects, Ours::ordered_tree, Ours::collect, Ours::account),
    }
}

fn weighed<H>(
    objects: usize,
    build: fn(usize) -> H,
    then: fn(&mut H),
    account: fn(&H) -> Account,
) -> Result<Figures> {
    // A small heap first, so that the program's own pages are not counted as the objects'.
    then(&mut build(1));
    let unknown = "the system does not say how much memory is resident";
    let before = resident::now().context(unknown)?;
    let mut heap = build(objects);
    let after = resident::now().context(unknown)?;
    then(&mut heap);
    let peak = resident::peak().context(unknown)?;
    let heap = account(&heap).heap;

    let each = |bytes: u64| bytes as f64 / objects as f64;
    Ok(Figures::of(RESIDENT, each(after.saturating_sub(before)))
        .and(HEAP, heap.map(each))
        .and(PEAK, Some(peak as f64 / f64::from(1 << 20))))
}

/// Both collectors and both kinds of object in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let medians = contest::hold(
        &[PairsOurs, PairsPeer, NodesOurs, NodesPeer],
        options,
        "memory",
    )?;
    let millions = options.objects as f64 / 1e6;
    let pairs = format!("two-pointer node, of {millions} M");
    let nodes = format!("peak resident, {millions} M nodes of 32 bytes, collected once");

    let mut measures = vec![
        Measure::new(
            format!("{pairs}, resident: gc-core"),
            medians.expect(PairsOurs, RESIDENT)?,
            "bytes",
        )
        .at_most(options.bound_on_heaps(17.1)),
    ];
    if let Some(heap) = medians.get(PairsOurs, HEAP) {
        measures.push(Measure::new(
            "  in the heap, without metadata",
            heap,
            "bytes",
        ));
    }
    measures.extend([
        Measure::new(
            format!("{pairs}, resident: gc-arena"),
            medians.expect(PairsPeer, RESIDENT)?,
            "bytes",
        ),
        Measure::new(
            format!("{nodes}: gc-core"),
            medians.expect(NodesOurs, PEAK)?,
            "MiB",
        )
        .at_most(options.bound_on_heaps(720.0)),
        Measure::new(
            format!("{nodes}: gc-arena"),
            medians.expect(NodesPeer, PEAK)?,
            "MiB",
        ),
    ]);
    Ok(measures)
}
