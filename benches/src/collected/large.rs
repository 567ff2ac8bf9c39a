//! A heap of old trees, and an old array into which young lists are stored.
//!
//! A node is never written after it was made. The slots of the array are written; they are in the
//! array itself, or managed cells to which the array points.

use std::ops::Range;

use super::gc::arena::CollectionPhase;
use super::gc::lock::Lock;
use super::gc::{Arena, Collect, Gc, Mutation, Rootable};

use super::{Account, Array};
use crate::collected::{Collected, LargeHeap, NODE, Slots as Kind};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Link<'gc>,
    right: Link<'gc>,
    data: [u64; 2],
}

const _: () = assert!(size_of::<Node<'_>>() == NODE);

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
            Kind::Array => Slots::Array(super::array(mc, empty.collect())),
            Kind::Cells => {
                let cells = empty.map(|slot| Gc::new(mc, slot)).collect();
                Slots::Cells(super::array(mc, cells))
            }
        }
    }

    /// Stores `node` into a slot and returns what was there.
    #[inline]
    fn replace(self, mc: &Mutation<'gc>, index: usize, node: Gc<'gc, Node<'gc>>) -> Link<'gc> {
        match self {
            Slots::Array(array) => super::write_at(mc, array, index)
                .unlock()
                .replace(Some(node)),
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

/// The heap.
pub struct Large {
    arena: Arena<Rootable![Root<'_>]>,
}

impl Large {
    /// A heap with `options` that has only the array, of so many slots.
    pub fn new(options: super::Options, kind: Kind, slots: usize) -> Large {
        Large {
            arena: super::arena(options, |mc| Root {
                trees: None,
                slots: Slots::new(mc, kind, slots),
            }),
        }
    }
}

impl Collected for Large {
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
            ..super::account(self.arena.metrics())
        }
    }
}

impl LargeHeap for Large {
    fn plant(&mut self, depth: u32, number: u64) {
        self.arena.mutate_root(|mc, root| {
            let tree = Node::tree(mc, depth, number);
            root.trees = Some(Node::new(mc, root.trees, Some(tree), number));
        });
    }

    fn fill(&mut self, slots: Range<usize>) {
        self.arena.mutate(|mc, root| {
            for index in slots {
                let node = Node::new(mc, None, None, index as u64);
                root.slots.replace(mc, index, node);
            }
        });
    }

    fn churn(&mut self, slot: usize, length: u64, stamp: u64) -> Option<bool> {
        self.arena.mutate(|mc, root| {
            let first = Node::new(mc, None, None, stamp);
            let mut list = first;
            for _ in 1..length {
                list = Node::new(mc, Some(list), None, stamp);
            }
            std::hint::black_box(list);
            let before = root.slots.replace(mc, slot, first)?;
            Some(before.is_whole())
        })
    }

    fn whole_trees(&self) -> u64 {
        self.arena.mutate(|_, root| {
            std::iter::successors(root.trees, |chain| chain.left)
                .filter(|chain| chain.right.is_some_and(|tree| tree.is_whole()))
                .count() as u64
        })
    }
}
