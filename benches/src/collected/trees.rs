//! Trees in a managed heap.
//!
//! Each tree is built in one `mutate`, after which the collector may work: what a program that
//! does the least about its memory would do. A tree's nodes are never written after they are made.

use super::gc::arena::CollectionPhase;
use super::gc::{Arena, Collect, Gc, Mutation, Rootable};

use super::Account;
use crate::collected::{Collected, Trees};
use crate::forest::Forest;

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Option<Gc<'gc, Node<'gc>>>,
    right: Option<Gc<'gc, Node<'gc>>>,
}

const _: () = assert!(size_of::<Node<'_>>() == 16);

impl<'gc> Node<'gc> {
    fn build(depth: u32, mc: &Mutation<'gc>) -> Gc<'gc, Node<'gc>> {
        let node = if depth == 0 {
            Node {
                left: None,
                right: None,
            }
        } else {
            Node {
                left: Some(Node::build(depth - 1, mc)),
                right: Some(Node::build(depth - 1, mc)),
            }
        };
        Gc::new(mc, node)
    }

    fn count(&self) -> u64 {
        1 + self.left.map_or(0, |node| node.count()) + self.right.map_or(0, |node| node.count())
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Kept<'gc> {
    tree: Option<Gc<'gc, Node<'gc>>>,
}

/// Trees in a managed heap.
pub struct Managed {
    arena: Arena<Rootable![Kept<'_>]>,
}

impl Default for Managed {
    fn default() -> Self {
        Managed::new(super::Options::default())
    }
}

impl Managed {
    /// No trees yet, in a heap with `options`.
    pub fn new(options: super::Options) -> Managed {
        Managed {
            arena: super::arena(options, |_| Kept { tree: None }),
        }
    }

    /// The collector's figures.
    pub fn metrics(&self) -> &super::gc::metrics::Metrics {
        self.arena.metrics()
    }
}

impl Collected for Managed {
    fn collect_debt(&mut self) {
        self.arena.collect_debt();
    }

    fn finish_cycle(&mut self) {
        self.arena.finish_cycle();
    }

    fn account(&self) -> Account {
        let is_in_cycle = self.arena.collection_phase() != CollectionPhase::Sleeping;
        Account {
            is_in_cycle: Some(is_in_cycle),
            ..super::account(self.metrics())
        }
    }
}

impl Trees for Managed {
    fn grow(&mut self, depth: u32, trees: u64) -> u64 {
        self.arena
            .mutate(|mc, _| (0..trees).map(|_| Node::build(depth, mc).count()).sum())
    }

    fn plant(&mut self, depth: u32) {
        self.arena
            .mutate_root(|mc, kept| kept.tree = Some(Node::build(depth, mc)));
    }

    fn fell(&mut self) {
        self.arena.mutate_root(|_, kept| kept.tree = None);
    }

    fn kept(&self) -> u64 {
        self.arena
            .mutate(|_, kept| kept.tree.map_or(0, |tree| tree.count()))
    }
}

impl Forest for Managed {
    fn pass(&mut self, depth: u32) -> u64 {
        let count = self.grow(depth, 1);
        self.collect_debt();
        count
    }

    fn keep(&mut self, depth: u32) {
        self.plant(depth);
        self.collect_debt();
    }

    fn kept(&self) -> u64 {
        Trees::kept(self)
    }
}
