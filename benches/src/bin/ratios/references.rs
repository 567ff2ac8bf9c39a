//! What references that are not strong cost a collection.
//!
//! A million *weak pointers* to objects that are alive, beside the same heap without them; a million
//! *ephemerons* in one chain, each of which leads to the key of the next, beside a list of as many objects; and a
//! million objects with *finalizers* that die at once: how long the longest safepoint is until all have run.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Result, ensure};
use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Ephemeron, Gc, GcWeak, HeapOptions, Mode, Mutation, Rootable};

use crate::Measure;
use crate::contest::{self, Contender, Figures, median};
use crate::options::Options;

/// References of each kind in a full run.
const REFERENCES: usize = 1_000_000;

/// Collections of each heap, after one that is not counted.
const COLLECTIONS: usize = 9;

const PER_REFERENCE: &str = "ns of a collection for each reference";
const LONGEST: &str = "ms of the longest safepoint";

type Leaf<'gc> = Gc<'gc, u64>;
type Pair<'gc> = Ephemeron<'gc, u64, u64>;

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    next: Option<Gc<'gc, Node<'gc>>>,
    number: u64,
}

/// What a heap is full of.
#[derive(Collect)]
#[collect(no_drop)]
enum Root<'gc> {
    Targets(Gc<'gc, [Leaf<'gc>]>, Gc<'gc, [Option<GcWeak<'gc, u64>>]>),
    List(Gc<'gc, Node<'gc>>),
    Chain(Leaf<'gc>, Gc<'gc, [Pair<'gc>]>),
    Nothing,
}

impl<'gc> Root<'gc> {
    fn targets(mc: &Mutation<'gc>, count: usize, weak: bool) -> Root<'gc> {
        let leaves: Vec<Leaf<'gc>> = (0..count).map(|id| Gc::new(mc, id as u64)).collect();
        let pointers = leaves.iter().map(|&leaf| weak.then(|| Gc::downgrade(leaf)));
        let pointers = Gc::slice_from_iter(mc, pointers);
        Root::Targets(Gc::slice_from_iter(mc, leaves), pointers)
    }

    fn list(mc: &Mutation<'gc>, count: usize) -> Root<'gc> {
        let first = Gc::new(
            mc,
            Node {
                next: None,
                number: 0,
            },
        );
        Root::List((1..count).fold(first, |next, number| {
            let (next, number) = (Some(next), number as u64);
            Gc::new(mc, Node { next, number })
        }))
    }

    fn chain(mc: &Mutation<'gc>, count: usize) -> Root<'gc> {
        let keys: Vec<Leaf<'gc>> = (0..=count).map(|id| Gc::new(mc, id as u64)).collect();
        let pairs = (0..count).map(|id| Ephemeron::new(keys[id], keys[id + 1]));
        Root::Chain(keys[0], Gc::slice_from_iter(mc, pairs))
    }

    /// How many of `count` objects are there and have their number.
    fn survivors(&self, mc: &Mutation<'gc>, count: usize) -> usize {
        match self {
            Root::Targets(leaves, _) => leaves
                .iter()
                .enumerate()
                .filter(|(id, leaf)| ***leaf == *id as u64)
                .count(),
            Root::List(first) => std::iter::successors(Some(*first), |node| node.next)
                .zip(1..)
                .filter(|(node, place)| node.number == (count - place) as u64)
                .count(),
            Root::Chain(_, pairs) => pairs
                .iter()
                .enumerate()
                .filter(|(id, pair)| pair.value(mc).is_some_and(|value| *value == *id as u64 + 1))
                .count(),
            Root::Nothing => 0,
        }
    }
}

/// Builds the contender's heap and collects it.
pub fn run(contender: Contender, objects: usize) -> Result<Figures> {
    let count = REFERENCES.min(objects);
    match contender {
        Contender::FinalizersInSteps => finalizers(Mode::Incremental, count),
        Contender::FinalizersBeside => finalizers(Mode::Concurrent, count),
        _ => full_collections(contender, count),
    }
}

fn full_collections(contender: Contender, count: usize) -> Result<Figures> {
    let options = HeapOptions::default().mode(Mode::StopTheWorld).markers(1);
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| match contender {
        Contender::TargetsOnly => Root::targets(mc, count, false),
        Contender::TargetsAndWeak => Root::targets(mc, count, true),
        Contender::ListOfObjects => Root::list(mc, count),
        _ => Root::chain(mc, count),
    })?;
    arena.finish_cycle();
    let times = (0..COLLECTIONS).map(|_| {
        let start = Instant::now();
        arena.finish_cycle();
        start.elapsed().as_nanos() as f64 / count as f64
    });
    let figures = Figures::of(PER_REFERENCE, median(times.collect()));
    let survivors = arena.mutate(|mc, root| root.survivors(mc, count));
    ensure!(
        survivors == count,
        "{survivors} of {count} objects are there"
    );
    Ok(figures)
}

fn finalizers(mode: Mode, count: usize) -> Result<Figures> {
    let options = HeapOptions::default().mode(mode).concurrent_from(0);
    let mut arena =
        Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Root::targets(mc, count, false))?;
    let run = Rc::new(Cell::new(0));
    arena.mutate_root(|mc, root| {
        if let Root::Targets(leaves, _) = root {
            for &leaf in leaves.iter() {
                let run = Rc::clone(&run);
                _ = mc.finalize_with(leaf, move |_, _| run.set(run.get() + 1));
            }
        }
    });
    arena.finish_cycle();
    arena.mutate_root(|_, root| *root = Root::Nothing);
    let mut longest = 0.0_f64;
    while run.get() < count {
        if arena.collection_phase() == CollectionPhase::Sleeping {
            arena.metrics().adjust_debt(1e15);
        }
        let start = Instant::now();
        arena.collect_debt();
        longest = longest.max(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Figures::of(LONGEST, longest))
}

/// All of it, in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let contenders = [
        TargetsOnly,
        TargetsAndWeak,
        ListOfObjects,
        ChainOfEphemerons,
        FinalizersInSteps,
        FinalizersBeside,
    ];
    let medians = contest::hold(&contenders, options, "references")?;
    let each = |contender| medians.expect(contender, PER_REFERENCE);
    let (list, chain) = (each(ListOfObjects)?, each(ChainOfEphemerons)?);
    let mut measures = vec![
        Measure::new(
            "a million weak pointers to live objects: what one adds",
            each(TargetsAndWeak)? - each(TargetsOnly)?,
            "ns",
        )
        .at_most(options.bound_on_heaps(10.0)),
        Measure::new(
            "a million ephemerons in a chain / a list",
            chain / list,
            "×",
        )
        .at_most(options.bound_on_heaps(3.0)),
        Measure::new("  the chain", chain, "ns/ephemeron"),
        Measure::new("  the list", list, "ns/object"),
    ];
    for (contender, mode) in [
        (FinalizersInSteps, "in steps"),
        (FinalizersBeside, "beside the program"),
    ] {
        measures.push(
            Measure::new(
                format!("a million finalizers at once, {mode}: longest safepoint"),
                medians.expect(contender, LONGEST)?,
                "ms",
            )
            .at_most(options.bound_on_heaps(1.0)),
        );
    }
    Ok(measures)
}
