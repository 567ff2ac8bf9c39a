//! Programs that get at objects by weak pointers in the middle of a cycle, and store them anywhere, or not: beside a model,
//! which knows what can be reached.

use std::collections::{BTreeMap, BTreeSet};

use gc_core::barrier::unlock;
use gc_core::weak_collections::WeakMap;
use gc_core::{Arena, Collect, Gc, GcWeak, GcWeakLong, Lock, Mutation, RefLock, Rootable};
use gc_tests::random::Random;
use gc_tests::seed::seeds;
use gc_tests::way::{Way, in_each_way};

use crate::{begin, steps};

type Pointer<'gc> = Gc<'gc, Node<'gc>>;

/// Slots for pointers to nodes, in an object of its own.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Slots<'gc> {
    Plain(Gc<'gc, Plain<'gc>>),
    Outside(Gc<'gc, RefLock<Vec<Option<Pointer<'gc>>>>>),
    Moving(Gc<'gc, [Lock<Moving<'gc>>; SLOTS]>),
    Large(Gc<'gc, [Lock<Option<Pointer<'gc>>>]>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Plain<'gc> {
    first: Lock<Option<Pointer<'gc>>>,
    second: Lock<Option<Pointer<'gc>>>,
}

/// A pointer in one word or in the other.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Moving<'gc> {
    Empty(usize, usize),
    First(Pointer<'gc>, usize),
    Second(usize, Pointer<'gc>),
}

const SLOTS: usize = 2;

/// The slots of a large object lie far from each other.
const FAR: usize = 900;

impl<'gc> Slots<'gc> {
    fn new(mc: &Mutation<'gc>, random: &mut Random) -> Slots<'gc> {
        match random.below(16) {
            0 => Slots::Large(Gc::slice_from_iter(
                mc,
                (0..FAR * SLOTS).map(|_| Lock::new(None)),
            )),
            1..6 => Slots::Outside(Gc::new(mc, RefLock::new(vec![None; SLOTS]))),
            6..11 => Slots::Moving(Gc::new(
                mc,
                [0; SLOTS].map(|_| Lock::new(Moving::Empty(1, 2))),
            )),
            _ => {
                let (first, second) = Default::default();
                Slots::Plain(Gc::new(mc, Plain { first, second }))
            }
        }
    }

    fn get(self, index: usize) -> Option<Pointer<'gc>> {
        match self {
            Slots::Plain(slots) if index == 0 => slots.first.get(),
            Slots::Plain(slots) => slots.second.get(),
            Slots::Outside(slots) => slots.borrow()[index],
            Slots::Moving(slots) => match slots[index].get() {
                Moving::Empty(..) => None,
                Moving::First(node, _) | Moving::Second(_, node) => Some(node),
            },
            Slots::Large(slots) => slots[index * FAR].get(),
        }
    }

    fn set(self, mc: &Mutation<'gc>, index: usize, node: Option<Pointer<'gc>>, way: usize) {
        match self {
            Slots::Plain(slots) if index == 0 => {
                unlock!(Gc::write(mc, slots), Plain, first).set(node)
            }
            Slots::Plain(slots) => unlock!(Gc::write(mc, slots), Plain, second).set(node),
            Slots::Outside(slots) => slots.borrow_mut(mc)[index] = node,
            Slots::Moving(slots) => Gc::write(mc, slots)[index].unlock().set(match node {
                None => Moving::Empty(way, way),
                Some(node) if way.is_multiple_of(2) => Moving::First(node, way),
                Some(node) => Moving::Second(way, node),
            }),
            Slots::Large(slots) if way.is_multiple_of(2) => {
                Gc::write_at(mc, slots, index * FAR).unlock().set(node);
            }
            Slots::Large(slots) => Gc::write(mc, slots)[index * FAR].unlock().set(node),
        }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: usize,
    slots: Slots<'gc>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    weak: Vec<GcWeak<'gc, Node<'gc>>>,
    long: Vec<GcWeakLong<'gc, Node<'gc>>>,
    bare: [Option<Pointer<'gc>>; SLOTS],
    /// What keeps nodes alive, with the model's name for it.
    anchors: [Slots<'gc>; ANCHORS],
    notes: WeakMap<'gc, Node<'gc>, Node<'gc>>,
}

const ANCHORS: usize = 6;

/// What can hold a pointer: a node, an anchor, or the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Node(usize),
    Anchor(usize),
    Root,
}

#[derive(Default)]
struct Model {
    nodes: usize,
    slots: BTreeMap<(Place, usize), usize>,
    notes: BTreeMap<usize, usize>,
}

impl Model {
    fn reachable(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for ((place, _), node) in &self.slots {
                if !matches!(place, Place::Node(id) if !found.contains(id)) {
                    found.insert(*node);
                }
            }
            for (key, value) in &self.notes {
                if found.contains(key) {
                    found.insert(*value);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    fn check(&self, node: Pointer<'_>) {
        for index in 0..SLOTS {
            let found = node.slots.get(index).map(|node| node.id);
            assert_eq!(
                found,
                self.slots.get(&(Place::Node(node.id), index)).copied()
            );
        }
    }
}

type Heap = Arena<Rootable![Roots<'_>]>;

struct Program {
    heap: Heap,
    model: Model,
    random: Random,
}

impl Program {
    fn new(way: Way, mut random: Random) -> Program {
        let heap = Heap::with_options(way.options(), |mc| Roots {
            weak: Vec::new(),
            long: Vec::new(),
            bare: [None; SLOTS],
            anchors: [0; ANCHORS].map(|_| Slots::new(mc, &mut random)),
            notes: WeakMap::new(mc),
        })
        .unwrap();
        let model = Model::default();
        Program {
            heap,
            model,
            random,
        }
    }

    /// One call, in which some things are done, often with what is not reachable.
    fn call(&mut self) {
        let (model, random) = (&mut self.model, &mut self.random);
        self.heap.mutate_root(|mc, roots| {
            let reachable = model.reachable();
            let mut hands: Vec<Pointer<'_>> = Vec::new();
            for _ in 0..random.below(12) {
                let (index, way) = (random.below(SLOTS), random.below(4));
                match random.below(12) {
                    0..2 => {
                        let (id, slots) = (model.nodes, Slots::new(mc, random));
                        let node = Gc::new(mc, Node { id, slots });
                        model.nodes += 1;
                        roots.weak.push(Gc::downgrade(node));
                        roots.long.push(Gc::downgrade_long(node));
                        hands.push(node);
                    }
                    2..6 if model.nodes > 0 => {
                        // Young ones more often, as they may still be there.
                        let back = random.below(model.nodes.min(if way == 0 { 1000 } else { 20 }));
                        let id = model.nodes - 1 - back;
                        let node = match way {
                            1 => roots.long[id].upgrade(mc),
                            _ => roots.weak[id].upgrade(mc),
                        };
                        if let Some(node) = node {
                            assert_eq!(node.id, id);
                            hands.push(node);
                        } else {
                            assert!(!reachable.contains(&id), "{id} is lost");
                        }
                    }
                    6 if !hands.is_empty() => {
                        if let Some(node) = random.pick(&hands).slots.get(index) {
                            hands.push(node);
                        }
                    }
                    7..9 if !hands.is_empty() => {
                        let (holder, node) = (*random.pick(&hands), *random.pick(&hands));
                        let node = (way > 0).then_some(node);
                        holder.slots.set(mc, index, node, way);
                        let place = (Place::Node(holder.id), index);
                        match node {
                            Some(node) => _ = model.slots.insert(place, node.id),
                            None => _ = model.slots.remove(&place),
                        }
                    }
                    9 if !hands.is_empty() => {
                        let (key, value) = (*random.pick(&hands), *random.pick(&hands));
                        roots.notes.insert(mc, key, value);
                        model.notes.insert(key.id, value.id);
                        if let Some(value) = roots.notes.get(mc, *random.pick(&hands)) {
                            hands.push(value);
                        }
                    }
                    10.. => {
                        // More is let go than kept.
                        let node = hands.last().copied().filter(|_| way == 0);
                        let anchor = random.below(ANCHORS + 1);
                        let place = match roots.anchors.get(anchor) {
                            Some(slots) => {
                                slots.set(mc, index, node, way);
                                (Place::Anchor(anchor), index)
                            }
                            None => {
                                roots.bare[index] = node;
                                (Place::Root, index)
                            }
                        };
                        match node {
                            Some(node) => _ = model.slots.insert(place, node.id),
                            None => _ = model.slots.remove(&place),
                        }
                    }
                    _ => {}
                }
            }
            hands.iter().for_each(|node| model.check(*node));
        });
    }

    /// After full collections what can be reached is there, and nothing else.
    fn check(&mut self) {
        self.heap.finish_cycle();
        let reachable = self.model.reachable();
        let model = &self.model;
        self.heap.mutate(|mc, roots| {
            for (id, weak) in roots.weak.iter().enumerate() {
                let node = weak.upgrade(mc);
                assert_eq!(node.is_some(), reachable.contains(&id), "node {id}");
                node.iter().for_each(|node| model.check(*node));
            }
        });
        self.heap.verify().unwrap();
    }
}

#[test]
fn what_is_stored_stays_and_nothing_else() {
    in_each_way(|way| {
        for seed in seeds(0..way.size(1, 8) as u64) {
            let mut program = Program::new(way, seed.random());
            for _ in 0..way.size(20, 60) {
                begin(&mut program.heap);
                for _ in 0..program.random.below(40) {
                    program.call();
                    let safepoints = program.random.below(4);
                    steps(&mut program.heap, safepoints);
                }
                if program.random.one_in(8) {
                    program.check();
                }
            }
            program.check();
        }
    });
}
