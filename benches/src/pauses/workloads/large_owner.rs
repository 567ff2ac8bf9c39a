//! One object that owns a long vector outside of the heap, and is written all the time.
//!
//! The vector has a million entries, with a node of its own in each, and it is all that is alive. Each step makes a
//! hundred nodes and stores each of them at a random place, as a table of a dynamic language is stored to. A barrier
//! that must know what an object held before it is written has a million entries to look at, once in each cycle.

use std::time::Duration;

use anyhow::{Result, ensure};
use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Gc, RefLock, Rootable};

use super::{Entry, Heaps, Look, Totals, Workload};
use crate::collected::ours;
use crate::pauses::plan::Plan;

/// Nodes that a step makes.
const NODES: u64 = 100;

/// Entries that a step of building makes.
const BUILT: usize = 1000;

pub fn entry() -> Entry {
    Entry::new(
        "large-owner",
        "a vector of std with a million entries in one object; each step stores 100 new nodes into it",
        LargeOwner::new,
    )
    .on(Heaps::OwnInEachMode)
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node {
    data: [u64; 2],
}

type Entries<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, Node>>>>;

struct LargeOwner {
    arena: Arena<Rootable![Entries<'_>]>,
    random: fastrand::Rng,
    entries: usize,
    filled: usize,
    made: u64,
    duration: Duration,
}

impl LargeOwner {
    fn new(plan: Plan) -> Result<LargeOwner> {
        let entries = plan.pick(1_000_000, 50_000);
        Ok(LargeOwner {
            arena: Arena::with_options(plan.heap(), |mc| {
                Gc::new(mc, RefLock::new(Vec::with_capacity(entries)))
            })?,
            random: fastrand::Rng::with_seed(0x6f77_6e65),
            entries,
            filled: 0,
            made: 1,
            duration: plan.duration(),
        })
    }

    fn fill(&mut self) {
        let range = self.filled..self.entries.min(self.filled + BUILT);
        self.made += range.len() as u64;
        self.filled = range.end;
        self.arena.mutate(|mc, entries| {
            let nodes = range.map(|number| number as u64).map(|number| {
                let data = [number, !number];
                Gc::new(mc, Node { data })
            });
            entries.borrow_mut(mc).extend(nodes);
        });
    }

    fn store(&mut self) -> Result<()> {
        let (random, made) = (&mut self.random, self.made);
        let were_whole = self.arena.mutate(|mc, entries| {
            (made..made + NODES).all(|number| {
                let data = [number, !number];
                let node = Gc::new(mc, Node { data });
                let mut entries = entries.borrow_mut(mc);
                let place = random.usize(..entries.len());
                let [before, not_before] = std::mem::replace(&mut entries[place], node).data;
                before == !not_before
            })
        });
        ensure!(were_whole, "an entry was overwritten");
        self.made += NODES;
        Ok(())
    }
}

impl Workload for LargeOwner {
    fn is_building(&self) -> bool {
        self.filled < self.entries
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.duration)
    }

    fn work(&mut self) -> Result<bool> {
        if self.is_building() {
            self.fill();
        } else {
            self.store()?;
        }
        Ok(true)
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

    fn check(&self) -> Result<()> {
        let whole = self.arena.mutate(|_, entries| {
            let entries = entries.borrow();
            entries
                .iter()
                .filter(|node| node.data[0] == !node.data[1])
                .count()
        });
        ensure!(whole == self.entries, "an entry was overwritten");
        Ok(())
    }
}
