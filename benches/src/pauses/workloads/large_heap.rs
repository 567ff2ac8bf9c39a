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

use super::{Entry, Heaps, Kind, Look, Totals, Workload};
use crate::collected::{LargeHeap, NODE, Slots, ours, peer};
use crate::pauses::plan::Plan;

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
        |plan| ours(plan, Slots::Array),
    )
    .on(Heaps::SizedInEachMode)
}

pub fn cells_entry() -> Entry {
    Entry::new(
        "large-heap-cells",
        "large-heap, but the slots of the old array are managed cells",
        |plan| ours(plan, Slots::Cells),
    )
    .variant_of("large-heap", "cells")
    .on(Heaps::Sized)
}

/// The same on gc-arena.
pub fn peer_entries() -> [Entry; 2] {
    let entry = |name, about, variant, slots| {
        Entry::new(name, about, move |plan| {
            Churn::new(plan, slots, |slots, size| {
                peer::large::Large::new(peer::Options::default(), slots, size)
            })
        })
        .variant_of("large-heap", variant)
        .on(Heaps::Sized)
        .of(Kind::Peer)
    };
    [
        entry(
            "large-heap-gc-arena",
            "large-heap, on gc-arena",
            "gc-arena",
            Slots::Array,
        ),
        entry(
            "large-heap-cells-gc-arena",
            "large-heap-cells, on gc-arena",
            "cells, gc-arena",
            Slots::Cells,
        ),
    ]
}

fn ours(plan: Plan, slots: Slots) -> Result<Churn<ours::large::Large>> {
    Churn::new(plan, slots, |slots, size| {
        ours::large::Large::new(plan.heap(), slots, size)
    })
}

/// Bytes of a slot, with what belongs to it alone, where an object takes 16 bytes at least.
fn bytes_a_slot(slots: Slots) -> u64 {
    let slot = size_of::<usize>() as u64;
    match slots {
        Slots::Array => slot,
        Slots::Cells => slot + slot.max(16),
    }
}

struct Churn<H> {
    heap: H,
    random: fastrand::Rng,
    kind: Slots,
    slots: usize,
    trees: u64,
    duration: Duration,
    /// Slots that have a node.
    filled: usize,
    planted: u64,
    churned: u64,
    made: u64,
}

impl<H: LargeHeap> Churn<H> {
    fn new(plan: Plan, kind: Slots, heap: impl FnOnce(Slots, usize) -> H) -> Result<Churn<H>> {
        let usual = plan.pick(1_000_000, 50_000);
        let (slots, nodes) = match plan.live {
            None => (usual, plan.pick(10_000_000, 500_000)),
            Some(gib) => {
                let bytes = (gib * f64::from(1 << 30)) as u64;
                let slots = usual.min(bytes / NODE as u64 / NODES_A_SLOT);
                (slots, (bytes - slots * bytes_a_slot(kind)) / NODE as u64)
            }
        };
        // The array, and what is in it before the first step.
        let made = 1 + if kind == Slots::Cells { slots } else { 0 };
        // A tree hangs on a node of the chain.
        let trees = (nodes - slots) / (TREE + 1);
        let slots = usize::try_from(slots)?;
        Ok(Churn {
            heap: heap(kind, slots),
            random: fastrand::Rng::with_seed(0x6f6c_6421),
            kind,
            slots,
            trees,
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
        nodes * NODE as u64 + self.slots as u64 * bytes_a_slot(self.kind)
    }

    fn plant(&mut self) {
        self.heap.plant(DEPTH, self.planted);
        self.planted += 1;
        self.made += TREE + 1;
    }

    fn fill(&mut self) {
        let range = self.filled..self.slots.min(self.filled + TREE as usize);
        self.heap.fill(range.clone());
        self.made += range.len() as u64;
        self.filled = range.end;
    }

    fn churn(&mut self) -> Result<()> {
        let slot = self.random.usize(..self.slots);
        let was_whole = self
            .heap
            .churn(slot, LIST, self.churned)
            .context("a slot lost its node")?;
        ensure!(was_whole, "a node in the array was overwritten");
        self.churned += 1;
        self.made += LIST;
        Ok(())
    }
}

impl<H: LargeHeap> Workload for Churn<H> {
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
        self.heap.collect_debt();
    }

    fn look(&self) -> Look {
        self.heap.account().into()
    }

    fn totals(&self) -> Totals {
        Totals {
            objects: Some(self.made),
            live: Some(self.live()),
            ..self.heap.account().into()
        }
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.heap.whole_trees() == self.trees,
            "a tree of the old heap was overwritten"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collected::Collected;

    #[test]
    fn what_is_alive_is_what_a_collection_leaves() {
        for (kind, live) in [
            (Slots::Array, None),
            (Slots::Cells, None),
            (Slots::Array, Some(0.02)),
            (Slots::Cells, Some(0.02)),
        ] {
            let plan = Plan {
                quick: true,
                scale: 1.0,
                mode: None,
                live,
            };
            let mut heap = ours(plan, kind).unwrap();
            while heap.is_building() {
                heap.work().unwrap();
            }
            for _ in 0..1000 {
                heap.work().unwrap();
            }
            heap.heap.finish_cycle();
            let survived = heap.heap.account().live.unwrap();
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
