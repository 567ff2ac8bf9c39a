//! The binary-trees program, round after round.
//!
//! A round is a stretch tree, a long-lived tree and many short-lived ones. Deep trees are built in
//! one step each, which makes for long steps without any collection; of shallow ones a step builds
//! so many that it has about a thousand nodes to make.

use anyhow::{Result, ensure};

use super::{Entry, Kind, Look, Totals, Workload};
use crate::collected::{Account, Collected, Trees, ours, peer};
use crate::forest::{Boxed, Explicit, Forest, Mi, depths, iterations, nodes};
use crate::pauses::plan::Plan;

/// Nodes that a step of shallow trees makes, about.
const NODES_A_STEP: u64 = 1024;

/// Rounds in a usual run.
const ROUNDS: u64 = 13;

pub fn entry() -> Entry {
    Entry::new(
        "binary-trees",
        "short-lived trees of depth 4 to 18 beside a long-lived one of depth 18, in rounds",
        |plan| {
            let forest = ours::trees::Managed::new(plan.heap());
            Ok(BinaryTrees::new(plan, forest, ROUNDS))
        },
    )
}

/// The same on gc-arena, and with no collector.
pub fn peer_entries() -> [Entry; 3] {
    [
        // A round takes it a minute.
        peer(
            "gc-arena",
            "binary-trees, on gc-arena, one round",
            peer::trees::Managed::default,
            1,
        ),
        peer(
            "malloc",
            "binary-trees of Box, in the system's malloc",
            || Freed::new(Boxed::default),
            ROUNDS,
        ),
        peer(
            "mimalloc",
            "binary-trees of Box, in mimalloc",
            || Freed::new(|| Explicit::new(Mi)),
            ROUNDS,
        ),
    ]
}

fn peer<T>(manager: &'static str, about: &str, make: fn() -> T, rounds: u64) -> Entry
where
    T: Trees + 'static,
{
    let name = format!("binary-trees-{manager}");
    Entry::new(name, about, move |plan| {
        Ok(BinaryTrees::new(plan, make(), rounds))
    })
    .variant_of("binary-trees", manager)
    .of(Kind::Peer)
}

/// Trees that are freed when the program lets go of them.
struct Freed<F> {
    make: fn() -> F,
    forest: F,
}

impl<F> Freed<F> {
    fn new(make: fn() -> F) -> Freed<F> {
        Freed {
            make,
            forest: make(),
        }
    }
}

impl<F> Collected for Freed<F> {
    fn collect_debt(&mut self) {}

    fn finish_cycle(&mut self) {}

    fn account(&self) -> Account {
        Account::default()
    }
}

impl<F: Forest> Trees for Freed<F> {
    fn grow(&mut self, depth: u32, trees: u64) -> u64 {
        (0..trees).map(|_| self.forest.pass(depth)).sum()
    }

    fn plant(&mut self, depth: u32) {
        self.forest.keep(depth);
    }

    fn fell(&mut self) {
        self.forest = (self.make)();
    }

    fn kept(&self) -> u64 {
        self.forest.kept()
    }
}

/// What the next step does.
enum Next {
    Stretch,
    Plant,
    /// So many trees of a depth are still to be built.
    Pass {
        depth: u32,
        left: u64,
    },
    Count,
}

struct BinaryTrees<T> {
    forest: T,
    deepest: u32,
    next: Next,
    round: u64,
    rounds: u64,
    made: u64,
    to_make: u64,
}

impl<T: Trees> BinaryTrees<T> {
    fn new(plan: Plan, forest: T, rounds: u64) -> BinaryTrees<T> {
        let deepest = plan.pick(18, 12);
        let rounds = plan.times(rounds, rounds.min(2));
        let short: u64 = depths(deepest)
            .map(|d| iterations(d, deepest) * nodes(d))
            .sum();
        BinaryTrees {
            forest,
            deepest,
            next: Next::Stretch,
            round: 0,
            rounds,
            made: 0,
            to_make: rounds * (nodes(deepest + 1) + nodes(deepest) + short),
        }
    }

    fn pass(&self, depth: u32) -> Next {
        Next::Pass {
            depth,
            left: iterations(depth, self.deepest),
        }
    }

    fn grow(&mut self, depth: u32, trees: u64) -> Result<()> {
        let count = self.forest.grow(depth, trees);
        ensure!(
            count == trees * nodes(depth),
            "a tree of depth {depth} lost a node"
        );
        self.made += count;
        Ok(())
    }
}

impl<T: Trees> Workload for BinaryTrees<T> {
    fn work(&mut self) -> Result<bool> {
        match self.next {
            Next::Stretch => {
                self.forest.fell();
                self.grow(self.deepest + 1, 1)?;
                self.next = Next::Plant;
            }
            Next::Plant => {
                self.forest.plant(self.deepest);
                self.made += nodes(self.deepest);
                self.next = self.pass(crate::forest::SHALLOWEST);
            }
            Next::Pass { depth, left } => {
                let trees = (NODES_A_STEP / nodes(depth)).clamp(1, left);
                self.grow(depth, trees)?;
                self.next = match left - trees {
                    0 if depth + 2 > self.deepest => Next::Count,
                    0 => self.pass(depth + 2),
                    left => Next::Pass { depth, left },
                };
            }
            Next::Count => {
                let count = self.forest.kept();
                ensure!(
                    count == nodes(self.deepest),
                    "the long-lived tree lost a node"
                );
                self.round += 1;
                self.next = Next::Stretch;
            }
        }
        Ok(self.round < self.rounds)
    }

    fn collect(&mut self) {
        self.forest.collect_debt();
    }

    fn look(&self) -> Look {
        self.forest.account().into()
    }

    fn totals(&self) -> Totals {
        Totals {
            objects: Some(self.made),
            ..self.forest.account().into()
        }
    }

    fn progress(&self) -> f64 {
        self.made as f64 / self.to_make as f64
    }
}
