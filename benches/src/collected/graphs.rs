//! Large heaps for full collections.
//!
//! A node has two mutable pointers and two words of data, 32 bytes in all. The shapes differ in
//! what the marker's path through memory looks like:
//!
//! - an *ordered tree* lies in memory in the order of a walk: the best that a marker can meet;
//! - a *random graph* has two edges from each node to nodes anywhere, and one array of all nodes,
//!   so that each edge is a cache miss unless the marker hides it: the worst;
//! - a *list* gives the marker one object at a time, so nothing can be fetched ahead; *lists* are
//!   many such lists, which lie in memory interleaved;
//! - *pairs* are a tree of nodes of two pointers and no data, for what a small object costs;
//! - *scattered* leaves a random share of otherwise unconnected nodes alive, for the sweep.

use super::gc::barrier::unlock;
use super::gc::lock::Lock;
use super::gc::{Arena, Collect, Gc, Mutation, Rootable};

use super::{Account, Array};

/// A node of 32 bytes: two pointers and two words of data.
#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Lock<Option<Gc<'gc, Node<'gc>>>>,
    right: Lock<Option<Gc<'gc, Node<'gc>>>>,
    data: [u64; 2],
}

const _: () = assert!(size_of::<Node<'_>>() == 32);

type Link<'gc> = Option<Gc<'gc, Node<'gc>>>;

impl<'gc> Node<'gc> {
    fn new(mc: &Mutation<'gc>, left: Link<'gc>, right: Link<'gc>, data: u64) -> Gc<'gc, Self> {
        Gc::new(
            mc,
            Node {
                left: Lock::new(left),
                right: Lock::new(right),
                data: [data, !data],
            },
        )
    }

    /// A balanced tree, children before their parent.
    fn tree(mc: &Mutation<'gc>, nodes: usize) -> Link<'gc> {
        let below = nodes.checked_sub(1)?;
        let left = Node::tree(mc, below / 2);
        let right = Node::tree(mc, below - below / 2);
        Some(Node::new(mc, left, right, nodes as u64))
    }
}

/// A node of 16 bytes: two pointers.
#[derive(Collect)]
#[collect(no_drop)]
struct Pair<'gc> {
    left: Option<Gc<'gc, Pair<'gc>>>,
    right: Option<Gc<'gc, Pair<'gc>>>,
}

const _: () = assert!(size_of::<Pair<'_>>() == 16);

impl<'gc> Pair<'gc> {
    fn tree(mc: &Mutation<'gc>, pairs: usize) -> Option<Gc<'gc, Pair<'gc>>> {
        let below = pairs.checked_sub(1)?;
        let left = Pair::tree(mc, below / 2);
        let right = Pair::tree(mc, below - below / 2);
        Some(Gc::new(mc, Pair { left, right }))
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    node: Link<'gc>,
    nodes: Option<Array<'gc, Gc<'gc, Node<'gc>>>>,
    pair: Option<Gc<'gc, Pair<'gc>>>,
}

/// A heap of one of the shapes.
pub struct Heap {
    arena: Arena<Rootable![Root<'_>]>,
}

impl Default for Heap {
    fn default() -> Self {
        Heap::new(super::Options::default())
    }
}

impl Heap {
    /// An empty heap with `options`, to be given a shape.
    pub fn new(options: super::Options) -> Heap {
        Heap {
            arena: super::arena(options, |_| Root {
                node: None,
                nodes: None,
                pair: None,
            }),
        }
    }

    /// A balanced tree of `nodes` nodes.
    pub fn ordered_tree(nodes: usize) -> Heap {
        Heap::default().with_ordered_tree(nodes)
    }

    /// The heap with [an ordered tree](Heap::ordered_tree) in it.
    #[must_use]
    pub fn with_ordered_tree(mut self, nodes: usize) -> Heap {
        self.arena
            .mutate_root(|mc, root| root.node = Node::tree(mc, nodes));
        self
    }

    /// `nodes` nodes with two edges each to nodes chosen at random, and an array of all nodes.
    pub fn random_graph(nodes: usize) -> Heap {
        Heap::default().with_random_graph(nodes)
    }

    /// The heap with [a random graph](Heap::random_graph) in it.
    #[must_use]
    pub fn with_random_graph(mut self, nodes: usize) -> Heap {
        let mut random = fastrand::Rng::with_seed(0x6772_6170_6873);
        self.arena.mutate_root(|mc, root| {
            let all: Vec<_> = (0..nodes)
                .map(|n| Node::new(mc, None, None, n as u64))
                .collect();
            for &node in &all {
                let node = Gc::write(mc, node);
                unlock!(node, Node, left).set(Some(all[random.usize(..nodes)]));
                unlock!(node, Node, right).set(Some(all[random.usize(..nodes)]));
            }
            root.nodes = Some(super::array(mc, all));
        });
        self
    }

    /// A list of `nodes` nodes, the first of them allocated last.
    pub fn list(nodes: usize) -> Heap {
        Heap::default().with_list(nodes)
    }

    /// The heap with [a list](Heap::list) in it.
    #[must_use]
    pub fn with_list(mut self, nodes: usize) -> Heap {
        self.arena.mutate_root(|mc, root| {
            root.node = (0..nodes).fold(None, |next, n| Some(Node::new(mc, next, None, n as u64)));
        });
        self
    }

    /// The heap with `lists` lists of `nodes` nodes in all, and an array of their first nodes.
    #[must_use]
    pub fn with_lists(mut self, lists: usize, nodes: usize) -> Heap {
        self.arena.mutate_root(|mc, root| {
            let mut heads = vec![None; lists];
            for n in 0..nodes {
                let head = &mut heads[n % lists];
                *head = Some(Node::new(mc, *head, None, n as u64));
            }
            root.nodes = Some(super::array(mc, heads.into_iter().flatten().collect()));
        });
        self
    }

    /// A tree of `pairs` two-pointer nodes.
    pub fn pairs(pairs: usize) -> Heap {
        let mut heap = Heap::default();
        heap.arena
            .mutate_root(|mc, root| root.pair = Pair::tree(mc, pairs));
        heap
    }

    /// `nodes` nodes, of which about `percent` in a hundred, chosen at random, are alive.
    pub fn scattered(nodes: usize, percent: u32) -> Heap {
        let mut heap = Heap::default();
        let mut random = fastrand::Rng::with_seed(0x7377_6565_7073);
        heap.arena.mutate_root(|mc, root| {
            let mut alive = Vec::with_capacity(nodes / 100 * percent as usize);
            for n in 0..nodes {
                let node = Node::new(mc, None, None, n as u64);
                if random.u32(..100) < percent {
                    alive.push(node);
                }
            }
            root.nodes = Some(super::array(mc, alive));
        });
        heap
    }

    /// One full collection.
    pub fn collect(&mut self) {
        self.arena.finish_cycle();
    }

    /// What the collector says of this heap.
    pub fn account(&self) -> Account {
        super::account(self.arena.metrics())
    }

    /// The sum of the data of the nodes that the root's array or its first few links reach: a
    /// reader, so that no part of a heap can be proved unused.
    pub fn probe(&self) -> u64 {
        self.arena.mutate(|_, root| {
            let first = root.node.map_or(0, |node| node.data[0] ^ node.data[1]);
            let listed = root.nodes.map_or(0, |nodes| nodes.len() as u64);
            let paired = root.pair.map_or(0, |pair| u64::from(pair.left.is_some()));
            first ^ listed ^ paired
        })
    }
}
