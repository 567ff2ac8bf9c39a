//! Ten million live nodes, garbage beside them, and stores into an old array.
//!
//! The heap is built first, in steps of its own: trees of 8191 nodes of 32 bytes each, hung on a
//! chain, and an array of a million slots with a node of its own in each. Then every step
//! allocates a list of 100 nodes and stores the first of them into a slot chosen at random. That
//! node ends its list, so the other 99 are garbage at once, as is the node that was in the slot:
//! the live heap keeps its size, while its array comes to point at nodes all over the heap.

use anyhow::{Context, Result, ensure};
use gc_benches::collected::ours::{self, Array};
use gc_core::lock::Lock;
use gc_core::{Arena, Collect, Gc, Mutation, Rootable};

use super::{Entry, Look, Totals, Workload};
use crate::options::Size;

/// Depth of the trees: as many nodes as a step of a millisecond's tenth can make.
const DEPTH: u32 = 12;
const TREE: u64 = (1 << (DEPTH + 1)) - 1;

/// Nodes in the list that a step makes.
const LIST: u64 = 100;

pub fn entry() -> Entry {
    Entry::new(
        "large-heap",
        "10 million live nodes; each step makes a list of 100 and stores one into an old array",
        |size| Ok(LargeHeap::new(size)),
    )
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Link<'gc>,
    right: Link<'gc>,
    data: [u64; 2],
}

const _: () = assert!(size_of::<Node<'_>>() == 32);

type Link<'gc> = Option<Gc<'gc, Node<'gc>>>;

impl<'gc> Node<'gc> {
    fn new(mc: &Mutation<'gc>, left: Link<'gc>, right: Link<'gc>, data: u64) -> Gc<'gc, Self> {
        Gc::new(
            mc,
            Node {
                left,
                right,
                data: [data, !data],
            },
        )
    }

    fn tree(mc: &Mutation<'gc>, depth: u32, data: u64) -> Gc<'gc, Node<'gc>> {
        let child = || (depth > 0).then(|| Node::tree(mc, depth - 1, data));
        let (left, right) = (child(), child());
        Node::new(mc, left, right, data)
    }

    fn is_whole(&self) -> bool {
        self.data[0] == !self.data[1]
            && [self.left, self.right]
                .into_iter()
                .flatten()
                .all(|node| node.is_whole())
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    trees: Link<'gc>,
    slots: Option<Array<'gc, Lock<Link<'gc>>>>,
}

struct LargeHeap {
    arena: Arena<Rootable![Root<'_>]>,
    random: fastrand::Rng,
    slots: usize,
    trees: u64,
    /// Slots that have a node.
    filled: usize,
    planted: u64,
    done: u64,
    steps: u64,
    made: u64,
}

impl LargeHeap {
    fn new(size: Size) -> LargeHeap {
        let slots = size.pick(1_000_000, 50_000);
        let nodes = size.pick(10_000_000u64, 500_000);
        LargeHeap {
            arena: Arena::new(|mc| Root {
                trees: None,
                slots: Some(ours::array(
                    mc,
                    (0..slots).map(|_| Lock::new(None)).collect(),
                )),
            }),
            random: fastrand::Rng::with_seed(0x6f6c_6421),
            slots,
            // A tree hangs on a node of the chain.
            trees: (nodes - slots as u64) / (TREE + 1),
            filled: 0,
            planted: 0,
            done: 0,
            steps: size.times(4_000_000, 20_000),
            made: 1,
        }
    }

    fn plant(&mut self) {
        let number = self.planted;
        self.arena.mutate_root(|mc, root| {
            let tree = Node::tree(mc, DEPTH, number);
            root.trees = Some(Node::new(mc, root.trees, Some(tree), number));
        });
        self.planted += 1;
        self.made += TREE + 1;
    }

    fn fill(&mut self) -> Result<()> {
        let range = self.filled..self.slots.min(self.filled + TREE as usize);
        self.arena
            .mutate(|mc, root| {
                let slots = Gc::write(mc, root.slots?);
                for index in range.clone() {
                    slots[index]
                        .unlock()
                        .set(Some(Node::new(mc, None, None, index as u64)));
                }
                Some(())
            })
            .context("the array is gone")?;
        self.made += range.len() as u64;
        self.filled = range.end;
        Ok(())
    }

    fn churn(&mut self) -> Result<()> {
        let index = self.random.usize(..self.slots);
        let stamp = self.done;
        let was_whole = self
            .arena
            .mutate(|mc, root| {
                let first = Node::new(mc, None, None, stamp);
                let mut list = first;
                for _ in 1..LIST {
                    list = Node::new(mc, Some(list), None, stamp);
                }
                std::hint::black_box(list);
                let slot = &Gc::write(mc, root.slots?)[index];
                let before = slot.unlock().replace(Some(first))?;
                Some(before.is_whole())
            })
            .context("a slot lost its node")?;
        ensure!(was_whole, "a node in the array was overwritten");
        self.done += 1;
        self.made += LIST;
        Ok(())
    }
}

impl Workload for LargeHeap {
    fn work(&mut self) -> Result<bool> {
        if self.planted < self.trees {
            self.plant();
        } else if self.filled < self.slots {
            self.fill()?;
        } else {
            self.churn()?;
        }
        Ok(self.done < self.steps)
    }

    fn collect(&mut self) {
        self.arena.collect_debt();
    }

    fn look(&self) -> Look {
        ours::account(self.arena.metrics()).into()
    }

    fn totals(&self) -> Totals {
        Totals {
            objects: Some(self.made),
            ..ours::account(self.arena.metrics()).into()
        }
    }

    fn check(&self) -> Result<()> {
        let whole = self.arena.mutate(|_, root| {
            std::iter::successors(root.trees, |chain| chain.left)
                .filter(|chain| chain.right.is_some_and(|tree| tree.is_whole()))
                .count()
        });
        ensure!(
            whole as u64 == self.trees,
            "a tree of the old heap was overwritten"
        );
        Ok(())
    }

    fn progress(&self) -> f64 {
        self.done as f64 / self.steps as f64
    }
}
