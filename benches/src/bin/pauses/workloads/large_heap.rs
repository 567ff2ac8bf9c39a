//! Ten million live nodes, garbage beside them, and stores into an old array.
//!
//! The heap is built first, in steps of its own: trees of 8191 nodes of 32 bytes each, hung on a
//! chain, and an array of a million slots with a node of its own in each. Then every step
//! allocates a list of 100 nodes and stores the first of them into a slot chosen at random. That
//! node ends its list, so the other 99 are garbage at once, as is the node that was in the slot:
//! the live heap keeps its size, while its array comes to point at nodes all over the heap. That
//! goes on for a given time.
//!
//! In a variant the slots are managed cells, and the array, which is never written after it was
//! made, points at them: then each store is into another small object, as in a program whose
//! objects are mutable, and none into a huge one.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gc_benches::collected::ours::{self, Array};
use gc_core::lock::Lock;
use gc_core::{Arena, Collect, Gc, Mutation, Rootable};

use super::{Entry, Heaps, Look, Totals, Workload, is_in_cycle};
use crate::options::Plan;

/// Depth of the trees: as many nodes as a step of a millisecond's tenth can make.
const DEPTH: u32 = 12;
const TREE: u64 = (1 << (DEPTH + 1)) - 1;

/// Nodes in the list that a step makes.
const LIST: u64 = 100;

/// There are at least so many nodes for each slot.
const NODES_A_SLOT: u64 = 10;

pub fn entry() -> Entry {
    Entry::new(
        "large-heap",
        "10 million live nodes, or --live; each step makes a list of 100 and stores one into an \
         old array",
        |plan| LargeHeap::new(plan, Kind::Array),
    )
    .on(Heaps::SizedInEachMode)
}

pub fn cells_entry() -> Entry {
    Entry::new(
        "large-heap-cells",
        "large-heap, but the slots of the old array are managed cells",
        |plan| LargeHeap::new(plan, Kind::Cells),
    )
    .variant_of("large-heap", "cells")
    .on(Heaps::Sized)
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

/// What the old array holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Cells,
}

impl Kind {
    /// Bytes of a slot, with what belongs to it alone.
    fn bytes(self) -> u64 {
        let slot = size_of::<Link<'_>>() as u64;
        match self {
            Kind::Array => slot,
            // An object takes 16 bytes at least.
            Kind::Cells => slot + slot.max(16),
        }
    }
}

/// The old array.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Slots<'gc> {
    Array(Array<'gc, Lock<Link<'gc>>>),
    Cells(Array<'gc, Gc<'gc, Lock<Link<'gc>>>>),
}

impl<'gc> Slots<'gc> {
    fn new(mc: &Mutation<'gc>, kind: Kind, slots: usize) -> Slots<'gc> {
        let empty = (0..slots).map(|_| Lock::new(None));
        match kind {
            Kind::Array => Slots::Array(ours::array(mc, empty.collect())),
            Kind::Cells => {
                let cells = empty.map(|slot| Gc::new(mc, slot)).collect();
                Slots::Cells(ours::array(mc, cells))
            }
        }
    }

    /// Stores `node` into a slot and returns what was there.
    #[inline]
    fn replace(self, mc: &Mutation<'gc>, index: usize, node: Gc<'gc, Node<'gc>>) -> Link<'gc> {
        match self {
            Slots::Array(array) => Gc::write_at(mc, array, index).unlock().replace(Some(node)),
            Slots::Cells(cells) => {
                let before = cells[index].get();
                cells[index].set(mc, Some(node));
                before
            }
        }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    trees: Link<'gc>,
    slots: Slots<'gc>,
}

struct LargeHeap {
    arena: Arena<Rootable![Root<'_>]>,
    random: fastrand::Rng,
    kind: Kind,
    slots: usize,
    trees: u64,
    duration: Duration,
    /// Slots that have a node.
    filled: usize,
    planted: u64,
    churned: u64,
    made: u64,
}

impl LargeHeap {
    fn new(plan: Plan, kind: Kind) -> Result<LargeHeap> {
        let usual = plan.pick(1_000_000, 50_000);
        let node = size_of::<Node<'_>>() as u64;
        let (slots, nodes) = match plan.live {
            None => (usual, plan.pick(10_000_000, 500_000)),
            Some(gib) => {
                let bytes = (gib * f64::from(1 << 30)) as u64;
                let slots = usual.min(bytes / node / NODES_A_SLOT);
                (slots, (bytes - slots * kind.bytes()) / node)
            }
        };
        // The array, and what is in it before the first step.
        let made = 1 + if kind == Kind::Cells { slots } else { 0 };
        let slots = usize::try_from(slots)?;
        Ok(LargeHeap {
            arena: Arena::with_options(plan.heap(), |mc| Root {
                trees: None,
                slots: Slots::new(mc, kind, slots),
            })?,
            random: fastrand::Rng::with_seed(0x6f6c_6421),
            kind,
            slots,
            // A tree hangs on a node of the chain.
            trees: (nodes - slots as u64) / (TREE + 1),
            duration: plan.duration(),
            filled: 0,
            planted: 0,
            churned: 0,
            made,
        })
    }

    /// Bytes of objects that are alive once all is built.
    fn live(&self) -> u64 {
        let nodes = self.trees * (TREE + 1) + self.slots as u64;
        nodes * size_of::<Node<'_>>() as u64 + self.slots as u64 * self.kind.bytes()
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

    fn fill(&mut self) {
        let range = self.filled..self.slots.min(self.filled + TREE as usize);
        self.arena.mutate(|mc, root| {
            for index in range.clone() {
                let node = Node::new(mc, None, None, index as u64);
                root.slots.replace(mc, index, node);
            }
        });
        self.made += range.len() as u64;
        self.filled = range.end;
    }

    fn churn(&mut self) -> Result<()> {
        let index = self.random.usize(..self.slots);
        let stamp = self.churned;
        let was_whole = self
            .arena
            .mutate(|mc, root| {
                let first = Node::new(mc, None, None, stamp);
                let mut list = first;
                for _ in 1..LIST {
                    list = Node::new(mc, Some(list), None, stamp);
                }
                std::hint::black_box(list);
                let before = root.slots.replace(mc, index, first)?;
                Some(before.is_whole())
            })
            .context("a slot lost its node")?;
        ensure!(was_whole, "a node in the array was overwritten");
        self.churned += 1;
        self.made += LIST;
        Ok(())
    }
}

impl Workload for LargeHeap {
    fn is_building(&self) -> bool {
        self.filled < self.slots
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.duration)
    }

    fn work(&mut self) -> Result<bool> {
        if self.planted < self.trees {
            self.plant();
        } else if self.filled < self.slots {
            self.fill();
        } else {
            self.churn()?;
        }
        Ok(true)
    }

    fn collect(&mut self) {
        self.arena.collect_debt();
    }

    fn look(&self) -> Look {
        Look::of(
            ours::account(self.arena.metrics()),
            Some(is_in_cycle(&self.arena)),
        )
    }

    fn totals(&self) -> Totals {
        Totals {
            objects: Some(self.made),
            live: Some(self.live()),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alive_is_what_a_collection_leaves() {
        for (kind, live) in [
            (Kind::Array, None),
            (Kind::Cells, None),
            (Kind::Array, Some(0.02)),
            (Kind::Cells, Some(0.02)),
        ] {
            let plan = Plan {
                quick: true,
                scale: 1.0,
                mode: None,
                live,
            };
            let mut heap = LargeHeap::new(plan, kind).unwrap();
            while heap.is_building() {
                heap.work().unwrap();
            }
            for _ in 0..1000 {
                heap.work().unwrap();
            }
            heap.arena.finish_cycle();
            let survived = heap.arena.metrics().statistics().live_bytes as u64;
            let known = heap.live();
            // The collector counts a large array by the blocks it takes.
            assert!(
                (known..known + (32 << 10)).contains(&survived),
                "{survived} bytes survived, {known} are known to be alive"
            );
            if let Some(gib) = live {
                let asked = gib * f64::from(1 << 30);
                // Trees are planted whole.
                assert!((known as f64 - asked).abs() < (TREE + 2) as f64 * 32.0);
            }
            heap.check().unwrap();
        }
    }
}
