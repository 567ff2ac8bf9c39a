//! An arena, from its beginning to its end.
//!
//! Whatever a life does, it gets to the objects by random walks from the roots, and each step of a walk
//! is compared with the shadow. What it may do is in the modules: [`links`], [`roots`], [`references`] and [`panics`].

mod checks;
mod links;
mod panics;
mod references;
mod roots;

use std::cell::Cell;
use std::rc::Rc;

use gc_core::{Arena, DynamicRoot, DynamicRootSet, Mutation, Pinned, Rootable};
use gc_tests::random::Random;

use crate::graph::{Deaths, Kind, Link, Node, Object, Pairs, Root};
use crate::plan::Plan;
use crate::shadow::{self, Id, Shadow};

type Heap = Arena<Rootable![Root<'_>]>;
type Pin = Pinned<Rootable!['gc => Node<'gc>]>;
type Handle = DynamicRoot<Rootable!['gc => Node<'gc>]>;

/// The most links that a table grows to.
const TABLE: usize = 60;

pub struct Life {
    heap: Heap,
    shadow: Shadow,
    handles: Vec<Handle>,
    pins: Vec<Pin>,
    /// Finalizers that were registered, and have run.
    registered: u64,
    finalized: Rc<Cell<u64>>,
    random: Random,
    deaths: Rc<Deaths>,
    safepoints: usize,
    full: usize,
    /// Whether an allocation failed, so that there should be a collection.
    starved: bool,
}

/// Says that a link of the graph is that of the shadow.
fn compare(found: Link<'_>, expected: shadow::Link) {
    match (found, expected) {
        (Link::Nil, shadow::Link::Nil) | (Link::Weak(_), shadow::Link::Weak(_)) => {}
        (Link::Number(found), shadow::Link::Number(expected)) => assert_eq!(found, expected),
        (Link::Strong(object), shadow::Link::Strong(id)) => assert_eq!(object.id(), id),
        (_, expected) => panic!("a link should be {expected:?} and is something else"),
    }
}

/// The object at the end of a random walk.
fn walk<'gc>(root: &Root<'gc>, shadow: &Shadow, random: &mut Random) -> Option<(Object<'gc>, Id)> {
    let start = random.below(root.objects.len());
    let (mut object, mut id) = match (root.objects[start], shadow.roots[start]) {
        (None, None) => return None,
        (Some(object), Some(id)) => (object, id),
        _ => panic!("root {start} is not what it should be"),
    };
    assert_eq!(object.id(), id);
    for _ in 0..random.below(8) {
        let expected = &shadow.get(id).links;
        assert_eq!(object.links(), expected.len(), "the links of {id}");
        if expected.is_empty() {
            break;
        }
        let index = random.below(expected.len());
        compare(object.link(index), expected[index]);
        if let (Link::Strong(next), shadow::Link::Strong(name)) =
            (object.link(index), expected[index])
        {
            (object, id) = (next, name);
        }
    }
    shadow.get(id);
    Some((object, id))
}

/// The index of a link of an object that may be written.
fn place(object: Object<'_>, random: &mut Random) -> Option<usize> {
    let links = object.links();
    let grows = matches!(object, Object::Table(_)) && links < TABLE;
    let places = links + usize::from(grows);
    (places > 0).then(|| random.below(places))
}

fn kind(random: &mut Random) -> Kind {
    match random.below(20) {
        0..9 => Kind::Node,
        9..14 => Kind::Cell,
        14..18 => Kind::Table,
        _ if random.one_in(10) => Kind::Array(random.below(3000)),
        _ => Kind::Array(random.below(20)),
    }
}

impl Life {
    pub fn new(plan: &Plan) -> Life {
        let heap = Heap::with_options(plan.options, |mc| Root {
            objects: vec![None; plan.roots],
            pairs: Pairs::new(mc, 2 + plan.roots * 4),
            set: DynamicRootSet::new(mc),
        });
        Life {
            heap: heap.unwrap_or_else(|error| panic!("{error}")),
            shadow: Shadow::new(plan.roots, 3 * (2 + plan.roots * 4)),
            handles: Vec::new(),
            pins: Vec::new(),
            registered: 0,
            finalized: Rc::default(),
            random: Random::new(plan.seed),
            deaths: Rc::default(),
            safepoints: plan.safepoints,
            full: plan.full,
            starved: false,
        }
    }

    /// Does something.
    pub fn step(&mut self) {
        if self.random.one_in(self.safepoints) {
            self.heap.collect_debt();
        }
        if self.random.one_in(self.full) {
            self.finish_cycle();
        }
        if self.random.one_in(500) {
            self.heap.release_unused();
        }
        match self.random.below(48) {
            0..10 => self.allocate(),
            10..18 => self.write(),
            18..26 => self.relocate(),
            26 => self.take_apart(),
            27..29 => self.weaken(),
            29..32 => self.follow_weak(),
            32 => self.clear(),
            33 => self.stash(),
            34 => self.fetch(),
            35..37 => self.litter(),
            37 => self.turn_roots(),
            38 if self.random.one_in(10) => self.panic_in_drop(),
            38 => self.panic_in_mutate(),
            39..42 => self.pair(),
            42..44 => self.follow_pair(),
            44 => self.register(),
            45 => self.stand(),
            46 => self.pin(),
            _ => self.look(),
        }
        if core::mem::take(&mut self.starved) {
            self.finish_cycle();
        }
    }

    /// Ends the life, in whatever state it is, and returns how many collections there were.
    pub fn finish(mut self) -> u64 {
        if self.random.one_in(2) {
            self.finish_cycle();
        }
        let collections = self.heap.metrics().statistics().collections;
        if self.random.one_in(2) {
            self.handles.clear();
        }
        drop(self.heap);
        assert_eq!(self.deaths.alive.get(), 0, "values that were not dropped");
        collections
    }

    /// Calls `f` with everything that it takes to work on the heap and the shadow.
    fn mutate<T>(
        &mut self,
        f: impl for<'gc> FnOnce(&Mutation<'gc>, &mut Root<'gc>, &mut Shadow, &mut Random) -> T,
    ) -> T {
        let (shadow, random) = (&mut self.shadow, &mut self.random);
        self.heap
            .mutate_root(|mc, root| f(mc, root, shadow, random))
    }
}
