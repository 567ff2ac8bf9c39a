//! GCBench, by Ellis, Kovac and Boehm, round after round.
//!
//! A round stretches the heap with a tree of depth 18, keeps a tree of depth 16 and an array of
//! half a million numbers, and then makes trees of depth 4 to 16, as many nodes of each depth,
//! half of them from the top down (each child is stored into a node that exists, through the write
//! barrier) and half from the bottom up.

use anyhow::{Context, Result, ensure};
use gc_core::arena::CollectionPhase;
use gc_core::barrier::unlock;
use gc_core::lock::Lock;
use gc_core::{Arena, Collect, Gc, Mutation, Rootable};

use super::{Entry, Look, Totals, Workload};
use crate::collected::ours::{self, Array};
use crate::pauses::plan::Plan;

const SHALLOWEST: u32 = 4;

/// Nodes that a step of shallow trees makes, about.
const NODES_A_STEP: u64 = 1024;

pub fn entry() -> Entry {
    Entry::new(
        "gcbench",
        "GCBench: trees from the top down and from the bottom up, beside a long-lived tree and array",
        GcBench::new,
    )
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Lock<Option<Gc<'gc, Node<'gc>>>>,
    right: Lock<Option<Gc<'gc, Node<'gc>>>>,
    i: i32,
    j: i32,
}

impl<'gc> Node<'gc> {
    fn new(
        mc: &Mutation<'gc>,
        left: Option<Gc<'gc, Node<'gc>>>,
        right: Option<Gc<'gc, Node<'gc>>>,
    ) -> Gc<'gc, Node<'gc>> {
        Gc::new(
            mc,
            Node {
                left: Lock::new(left),
                right: Lock::new(right),
                i: 0,
                j: 0,
            },
        )
    }

    fn bottom_up(mc: &Mutation<'gc>, depth: u32) -> Gc<'gc, Node<'gc>> {
        if depth == 0 {
            return Node::new(mc, None, None);
        }
        let left = Node::bottom_up(mc, depth - 1);
        let right = Node::bottom_up(mc, depth - 1);
        Node::new(mc, Some(left), Some(right))
    }

    fn top_down(mc: &Mutation<'gc>, depth: u32) -> Gc<'gc, Node<'gc>> {
        let node = Node::new(mc, None, None);
        Node::populate(mc, depth, node);
        node
    }

    fn populate(mc: &Mutation<'gc>, depth: u32, node: Gc<'gc, Node<'gc>>) {
        if depth == 0 {
            return;
        }
        let (left, right) = (Node::new(mc, None, None), Node::new(mc, None, None));
        let written = Gc::write(mc, node);
        unlock!(written, Node, left).set(Some(left));
        unlock!(written, Node, right).set(Some(right));
        Node::populate(mc, depth - 1, left);
        Node::populate(mc, depth - 1, right);
    }

    fn depth(&self) -> u32 {
        // Reads the data too, so that no compiler may leave it out.
        let data = (self.i != self.j) as u32;
        data + self.left.get().map_or(0, |left| 1 + left.depth())
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    tree: Option<Gc<'gc, Node<'gc>>>,
    array: Option<Array<'gc, f64>>,
}

/// What the next step does.
enum Next {
    Stretch,
    LongLived,
    Short {
        depth: u32,
        from_top: bool,
        left: u64,
    },
    Look,
}

struct GcBench {
    arena: Arena<Rootable![Root<'_>]>,
    stretch: u32,
    deepest: u32,
    numbers: usize,
    next: Next,
    round: u64,
    rounds: u64,
    made: u64,
    to_make: u64,
}

const fn nodes(depth: u32) -> u64 {
    (1 << (depth + 1)) - 1
}

impl GcBench {
    fn new(plan: Plan) -> Result<GcBench> {
        let stretch = plan.pick(18, 12);
        let rounds = plan.times(70, 4);
        let mut new = GcBench {
            arena: Arena::with_options(plan.heap(), |_| Root {
                tree: None,
                array: None,
            })?,
            stretch,
            deepest: stretch - 2,
            numbers: plan.pick(500_000, 20_000),
            next: Next::Stretch,
            round: 0,
            rounds,
            made: 0,
            to_make: 0,
        };
        let short: u64 = (SHALLOWEST..=new.deepest)
            .step_by(2)
            .map(|d| 2 * new.trees(d) * nodes(d))
            .sum();
        new.to_make = rounds * (nodes(stretch) + nodes(new.deepest) + 1 + short);
        Ok(new)
    }

    /// How many trees of `depth` are made each way.
    fn trees(&self, depth: u32) -> u64 {
        2 * nodes(self.stretch) / nodes(depth)
    }

    fn make(&mut self, depth: u32, from_top: bool, trees: u64) {
        self.arena.mutate(|mc, _| {
            for _ in 0..trees {
                std::hint::black_box(if from_top {
                    Node::top_down(mc, depth)
                } else {
                    Node::bottom_up(mc, depth)
                });
            }
        });
        self.made += trees * nodes(depth);
    }
}

impl Workload for GcBench {
    fn work(&mut self) -> Result<bool> {
        match self.next {
            Next::Stretch => {
                self.arena
                    .mutate_root(|_, root| (root.tree, root.array) = (None, None));
                self.make(self.stretch, false, 1);
                self.next = Next::LongLived;
            }
            Next::LongLived => {
                let (deepest, numbers) = (self.deepest, self.numbers);
                self.arena.mutate_root(|mc, root| {
                    root.tree = Some(Node::top_down(mc, deepest));
                    let number = |n| {
                        if n < numbers / 2 {
                            1.0 / (n + 1) as f64
                        } else {
                            0.0
                        }
                    };
                    root.array = Some(ours::array(mc, (0..numbers).map(number).collect()));
                });
                self.made += nodes(deepest) + 1;
                let left = self.trees(SHALLOWEST);
                self.next = Next::Short {
                    depth: SHALLOWEST,
                    from_top: true,
                    left,
                };
            }
            Next::Short {
                depth,
                from_top,
                left,
            } => {
                let trees = (NODES_A_STEP / nodes(depth)).clamp(1, left);
                self.make(depth, from_top, trees);
                self.next = match left - trees {
                    0 if from_top => Next::Short {
                        depth,
                        from_top: false,
                        left: self.trees(depth),
                    },
                    0 if depth + 2 > self.deepest => Next::Look,
                    0 => {
                        let left = self.trees(depth + 2);
                        Next::Short {
                            depth: depth + 2,
                            from_top: true,
                            left,
                        }
                    }
                    left => Next::Short {
                        depth,
                        from_top,
                        left,
                    },
                };
            }
            Next::Look => {
                let (depth, number) = self
                    .arena
                    .mutate(|_, root| Some((root.tree?.depth(), root.array?[1000])))
                    .context("the long-lived objects are gone")?;
                ensure!(depth == self.deepest, "the long-lived tree lost a level");
                ensure!(number == 1.0 / 1001.0, "the long-lived array changed");
                self.round += 1;
                self.next = Next::Stretch;
            }
        }
        Ok(self.round < self.rounds)
    }

    fn collect(&mut self) {
        self.arena.collect_debt();
    }

    fn look(&self) -> Look {
        let is_in_cycle = self.arena.collection_phase() != CollectionPhase::Sleeping;
        Look {
            is_in_cycle: Some(is_in_cycle),
            ..ours::account(self.arena.metrics()).into()
        }
    }

    fn totals(&self) -> Totals {
        Totals {
            objects: Some(self.made),
            ..ours::account(self.arena.metrics()).into()
        }
    }

    fn progress(&self) -> f64 {
        self.made as f64 / self.to_make as f64
    }
}
