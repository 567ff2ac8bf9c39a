//! An arena, from its beginning to its end.
//!
//! Whatever a life does, it gets to the objects by random walks from the roots, and each step of a walk
//! is compared with the shadow.

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, DynamicRoot, DynamicRootSet, Ephemeron, Gc, Mutation, Pinned, Rootable};
use gc_tests::random::Random;

use crate::graph::{DROP_PANIC, Deaths, Kind, Link, Node, Object, Pairs, Root};
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

/// A node that was found dead is whole, and so is what it leads to.
fn look_at_litter<'gc>(mc: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>) {
    let mut next = Link::Strong(Object::Node(node));
    for _ in 0..4 {
        let Link::Strong(object) = next else { break };
        object.id();
        if object.links() == 0 {
            break;
        }
        next = object.link(0);
    }
    _ = Gc::try_new(mc, [7_u64; 3]);
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

    /// A new object goes to a root or to an object, and leads to others.
    fn allocate(&mut self) {
        let deaths = self.deaths.clone();
        let done = self.mutate(|mc, root, shadow, random| {
            let kind = kind(random);
            let id = shadow.name();
            let Ok(object) = Object::new(mc, kind, id, &deaths) else {
                return false;
            };
            shadow.add(id, kind);
            for _ in 0..random.below(4) {
                if let Some((target, name)) = walk(root, shadow, random)
                    && let Some(index) = place(object, random)
                    && object.accepts(index, Link::Strong(target))
                {
                    object.set(mc, index, Link::Strong(target));
                    shadow.set(id, index, shadow::Link::Strong(name));
                }
            }
            if !random.one_in(3)
                && let Some((parent, name)) = walk(root, shadow, random)
                && let Some(index) = place(parent, random)
                && parent.accepts(index, Link::Strong(object))
            {
                parent.set(mc, index, Link::Strong(object));
                shadow.set(name, index, shadow::Link::Strong(id));
            } else {
                let index = random.below(root.objects.len());
                root.objects[index] = Some(object);
                shadow.roots[index] = Some(id);
            }
            true
        });
        self.starved |= !done;
    }

    /// A link is written.
    fn write(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let (Some((object, id)), Some((target, name))) =
                (walk(root, shadow, random), walk(root, shadow, random))
            else {
                return;
            };
            let number = random.number();
            let (link, expected) = match random.below(8) {
                0 => (Link::Nil, shadow::Link::Nil),
                // A number, maybe one that looks like an address.
                1 => {
                    let number = match target {
                        Object::Node(gc) => Gc::as_ptr(gc).addr() as u64,
                        _ => number,
                    };
                    (Link::Number(number), shadow::Link::Number(number))
                }
                2 | 3 => (Link::Weak(target.downgrade()), shadow::Link::Weak(name)),
                _ => (Link::Strong(target), shadow::Link::Strong(name)),
            };
            if let Some(index) = place(object, random)
                && object.accepts(index, link)
            {
                object.set(mc, index, link);
                shadow.set(id, index, expected);
            }
        });
    }

    /// A link goes from one place to another, which may be a root or a new object.
    fn relocate(&mut self) {
        let deaths = self.deaths.clone();
        let done = self.mutate(|mc, root, shadow, random| {
            let Some((object, id)) = walk(root, shadow, random) else {
                return true;
            };
            let links = object.links();
            if links == 0 {
                return true;
            }
            let index = random.below(links);
            let (link, expected) = (object.link(index), shadow.get(id).links[index]);
            compare(link, expected);
            match random.below(3) {
                0 => {
                    let (Link::Strong(target), shadow::Link::Strong(name)) = (link, expected)
                    else {
                        return true;
                    };
                    let to = random.below(root.objects.len());
                    root.objects[to] = Some(target);
                    shadow.roots[to] = Some(name);
                }
                1 => {
                    let kind = kind(random);
                    let name = shadow.name();
                    let Ok(new) = Object::new(mc, kind, name, &deaths) else {
                        return false;
                    };
                    shadow.add(name, kind);
                    let to = random.below(root.objects.len());
                    root.objects[to] = Some(new);
                    shadow.roots[to] = Some(name);
                    let Some(place) = place(new, random).filter(|at| new.accepts(*at, link)) else {
                        return true;
                    };
                    new.set(mc, place, link);
                    shadow.set(name, place, expected);
                }
                _ => {
                    let Some((other, name)) = walk(root, shadow, random) else {
                        return true;
                    };
                    let Some(to) = place(other, random).filter(|to| other.accepts(*to, link))
                    else {
                        return true;
                    };
                    other.set(mc, to, link);
                    shadow.set(name, to, expected);
                }
            }
            object.set(mc, index, Link::Nil);
            shadow.set(id, index, shadow::Link::Nil);
            true
        });
        self.starved |= !done;
    }

    /// What is in a table goes to another one, or is forgotten.
    fn take_apart(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let (Some((from, id)), Some((to, name))) =
                (walk(root, shadow, random), walk(root, shadow, random))
            else {
                return;
            };
            let Some(taken) = from.take(mc) else { return };
            let expected = core::mem::take(shadow.links(id));
            assert_eq!(taken.len(), expected.len(), "the links of {id}");
            for (link, expected) in taken.into_iter().zip(expected) {
                compare(link, expected);
                let end = to.links();
                if matches!(to, Object::Table(_)) && end < TABLE {
                    to.set(mc, end, link);
                    shadow.set(name, end, expected);
                }
            }
        });
    }

    /// Links become weak, so that maybe nothing but they leads to their targets.
    fn weaken(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let Some((object, id)) = walk(root, shadow, random) else {
                return;
            };
            for index in 0..object.links().min(TABLE) {
                let expected = shadow.get(id).links[index];
                if let (Link::Strong(target), shadow::Link::Strong(name)) =
                    (object.link(index), expected)
                {
                    let weak = Link::Weak(target.downgrade());
                    if object.accepts(index, weak) {
                        object.set(mc, index, weak);
                        shadow.set(id, index, shadow::Link::Weak(name));
                    }
                }
            }
        });
    }

    /// What a weak link leads to is looked at, and maybe made a root.
    fn follow_weak(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let Some((object, id)) = walk(root, shadow, random) else {
                return;
            };
            for index in 0..object.links().min(TABLE) {
                let expected = shadow.get(id).links[index];
                let (Link::Weak(weak), shadow::Link::Weak(name)) = (object.link(index), expected)
                else {
                    continue;
                };
                match weak.upgrade(mc) {
                    None => {
                        // If it can be reached all the same, whoever gets there will say so.
                        shadow.lost.insert(name);
                    }
                    Some(target) => {
                        assert_eq!(target.id(), name);
                        let known = shadow.get(name);
                        assert_eq!(target.links(), known.links.len(), "the links of {name}");
                        for (index, expected) in known.links.iter().enumerate() {
                            compare(target.link(index), *expected);
                        }
                        if random.one_in(2) {
                            let to = random.below(root.objects.len());
                            root.objects[to] = Some(target);
                            shadow.roots[to] = Some(name);
                        }
                    }
                }
            }
        });
    }

    /// Roots are forgotten, or handles.
    fn clear(&mut self) {
        let index = self.mutate(|_, root, shadow, random| {
            let index = random.below(root.objects.len());
            root.objects[index] = None;
            shadow.roots[index] = None;
            index
        });
        if !self.handles.is_empty() && self.random.one_in(2) {
            let index = index % self.handles.len();
            self.handles.swap_remove(index);
            self.shadow.handles.swap_remove(index);
        }
    }

    /// A node becomes a dynamic root.
    fn stash(&mut self) {
        if self.handles.len() > 50 {
            return;
        }
        let stashed = self.mutate(|mc, root, shadow, random| {
            let (object, id) = walk(root, shadow, random)?;
            let Object::Node(node) = object else {
                return None;
            };
            shadow.handles.push(id);
            Some(root.set.stash(mc, node))
        });
        self.handles.extend(stashed);
    }

    /// A dynamic root becomes a root, and maybe its handle is dropped.
    fn fetch(&mut self) {
        if self.handles.is_empty() {
            return;
        }
        let index = self.random.below(self.handles.len());
        let handle = self.handles.swap_remove(index);
        let id = self.shadow.handles.swap_remove(index);
        self.mutate(|_, root, shadow, random| {
            let node = Object::Node(root.set.fetch(&handle));
            assert_eq!(node.id(), id);
            let to = random.below(root.objects.len());
            root.objects[to] = Some(node);
            shadow.roots[to] = Some(id);
        });
        if self.random.one_in(2) {
            self.handles.push(handle.clone());
            self.shadow.handles.push(id);
        }
    }

    /// Memory that is free is used, so that whoever still reads it sees something else.
    fn litter(&mut self) {
        let deaths = self.deaths.clone();
        let done = self.mutate(|mc, _, shadow, random| {
            for _ in 0..random.below(100) {
                // Numbers of such objects are in no graph.
                let id = shadow.name();
                if Object::new(mc, kind(random), id, &deaths).is_err() {
                    return false;
                }
            }
            true
        });
        self.starved |= !done;
    }

    /// Two nodes become an ephemeron.
    fn pair(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let index = random.below(root.pairs.places());
            let (Some((Object::Node(key), id)), Some((Object::Node(value), name))) =
                (walk(root, shadow, random), walk(root, shadow, random))
            else {
                root.pairs.set(mc, index, None);
                shadow.pairs[index] = None;
                return;
            };
            root.pairs.set(mc, index, Some(Ephemeron::new(key, value)));
            shadow.pairs[index] = Some((id, name));
        });
    }

    /// What an ephemeron leads to is looked at, and maybe made a root.
    fn follow_pair(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            for _ in 0..5 {
                let index = random.below(root.pairs.places());
                let (found, expected) = (root.pairs.get(index), shadow.pairs[index]);
                assert_eq!(found.is_some(), expected.is_some(), "an ephemeron");
                let (Some(pair), Some((id, name))) = (found, expected) else {
                    continue;
                };
                let Some((key, value)) = pair.get(mc) else {
                    shadow.lost.insert(id);
                    continue;
                };
                let both = [(key, id), (value, name)].map(|(node, id)| {
                    assert_eq!(Object::Node(node).id(), id);
                    // It may be there for a finalizer only.
                    if Gc::downgrade(node).upgrade(mc).is_none() {
                        shadow.lost.insert(id);
                        return None;
                    }
                    shadow.get(id);
                    Some((node, id))
                });
                if let Some((node, id)) = both[random.below(2)]
                    && random.one_in(2)
                {
                    let to = random.below(root.objects.len());
                    root.objects[to] = Some(Object::Node(node));
                    shadow.roots[to] = Some(id);
                }
            }
        });
    }

    /// Litter with finalizers, that leads to other litter and into the graph.
    fn register(&mut self) {
        let (deaths, finalized) = (self.deaths.clone(), self.finalized.clone());
        let mut registered = 0;
        self.mutate(|mc, root, shadow, random| {
            let mut last = walk(root, shadow, random).map(|(object, _)| object);
            for _ in 0..random.below(20) {
                let Ok(object) = Object::new(mc, Kind::Node, shadow.name(), &deaths) else {
                    return;
                };
                let Object::Node(node) = object else { return };
                if let Some(last) = last
                    && object.accepts(0, Link::Strong(last))
                {
                    object.set(mc, 0, Link::Strong(last));
                }
                last = Some(object);
                let again = random.one_in(4);
                registered += 1 + u64::from(again);
                let finalized = finalized.clone();
                _ = mc.finalize_with(node, move |node, token| {
                    look_at_litter(token, node);
                    finalized.set(finalized.get() + 1);
                    if again {
                        _ = token.finalize_with(node, move |node, token| {
                            look_at_litter(token, node);
                            finalized.set(finalized.get() + 1);
                        });
                    }
                });
            }
        });
        self.registered += registered;
    }

    /// A look at what is dead, some of which is kept.
    fn stand(&mut self) {
        let (shadow, random) = (&mut self.shadow, &mut self.random);
        let Some(marked) = (match random.below(2) {
            0 => self.heap.mark_debt(),
            _ => self.heap.finish_marking(),
        }) else {
            return;
        };
        let deaths = self.deaths.clone();
        marked.finalize(|fc, root| {
            for _ in 0..random.below(8) {
                let (Some((object, id)), Some((parent, name))) =
                    (walk(root, shadow, random), walk(root, shadow, random))
                else {
                    return;
                };
                for index in 0..object.links().min(TABLE) {
                    let expected = shadow.get(id).links[index];
                    let (Link::Weak(weak), shadow::Link::Weak(target)) =
                        (object.link(index), expected)
                    else {
                        continue;
                    };
                    let Some(found) = weak.upgrade(fc) else {
                        shadow.lost.insert(target);
                        continue;
                    };
                    assert_eq!(found.id(), target);
                    let links = shadow.get(target).links.len();
                    assert_eq!(found.links(), links, "the links of {target}");
                    if let Some(to) = place(parent, random)
                        && parent.accepts(to, Link::Strong(found))
                    {
                        parent.set(fc, to, Link::Strong(found));
                        shadow.set(name, to, shadow::Link::Strong(target));
                    }
                    if let Some(to) = place(found, random)
                        && found.accepts(to, Link::Strong(parent))
                    {
                        found.set(fc, to, Link::Strong(parent));
                        shadow.set(target, to, shadow::Link::Strong(name));
                    }
                }
                let (kind, new) = (kind(random), shadow.name());
                if let Ok(made) = Object::new(fc, kind, new, &deaths)
                    && let Some(to) = place(parent, random)
                    && parent.accepts(to, Link::Strong(made))
                {
                    shadow.add(new, kind);
                    parent.set(fc, to, Link::Strong(made));
                    shadow.set(name, to, shadow::Link::Strong(new));
                }
            }
        });
    }

    /// A node is pinned, or unpinned, or copied to a root.
    fn pin(&mut self) {
        if self.pins.len() > 10 || !self.pins.is_empty() && self.random.one_in(2) {
            let index = self.random.below(self.pins.len());
            let pin = self.pins.swap_remove(index);
            let id = self.shadow.pins.swap_remove(index);
            self.mutate(|mc, root, shadow, random| {
                let node = Object::Node(pin.get(mc));
                assert_eq!(node.id(), id);
                let to = random.below(root.objects.len());
                root.objects[to] = Some(node);
                shadow.roots[to] = Some(id);
            });
            return;
        }
        let pinned = self.mutate(
            |mc, root, shadow, random| match walk(root, shadow, random)? {
                (Object::Node(node), id) => {
                    shadow.pins.push(id);
                    Some(Gc::pin::<Rootable!['gc => Node<'gc>]>(mc, node))
                }
                _ => None,
            },
        );
        self.pins.extend(pinned);
    }

    /// The memory of the root is replaced.
    fn turn_roots(&mut self) {
        self.mutate(|_, root, shadow, _| {
            let objects = core::mem::take(&mut root.objects);
            root.objects = objects.into_iter().rev().collect();
            shadow.roots.reverse();
        });
    }

    /// A value panics when it is dropped in one of the next safepoints.
    fn panic_in_drop(&mut self) {
        self.deaths.panics.set(true);
        let heap = &mut self.heap;
        let result = catch_unwind(AssertUnwindSafe(|| heap.collect_debt()));
        self.deaths.panics.set(false);
        if let Err(payload) = result {
            let text = payload.downcast::<String>().expect("a panic with a text");
            assert_eq!(*text, DROP_PANIC);
        }
    }

    /// The program panics between two writes.
    fn panic_in_mutate(&mut self) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.mutate(|mc, root, shadow, random| {
                let Some((object, id)) = walk(root, shadow, random) else {
                    return;
                };
                if let Some(index) = place(object, random) {
                    object.set(mc, index, Link::Nil);
                    shadow.set(id, index, shadow::Link::Nil);
                    panic!("the program panics");
                }
            });
        }));
        if let Err(payload) = result {
            match payload.downcast::<&str>() {
                Ok(text) if *text == "the program panics" => {}
                Ok(text) => panic!("{text}"),
                Err(payload) => std::panic::resume_unwind(payload),
            }
        }
    }

    /// Objects are looked at, and the heap is asked about itself.
    fn look(&mut self) {
        let address = self.mutate(|_, root, shadow, random| {
            let (object, _) = (0..10)
                .map(|_| walk(root, shadow, random))
                .fold(None, |last, walked| walked.or(last))?;
            Some(match object {
                Object::Node(gc) => Gc::as_ptr(gc).addr(),
                Object::Cell(gc) => Gc::as_ptr(gc).addr(),
                Object::Table(gc) => Gc::as_ptr(gc).addr(),
                Object::Array(gc) => Gc::as_ptr(gc).addr(),
            })
        });
        if let Some(address) = address {
            let extent = self.heap.allocation_of(address + 1);
            assert_eq!(extent.map(|extent| extent.base), Some(address));
        }
        if self.random.one_in(50) && self.heap.collection_phase() == CollectionPhase::Sleeping {
            self.verify();
        }
    }

    fn verify(&mut self) {
        let result = self.heap.verify();
        result.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Collects everything, and compares everything.
    fn finish_cycle(&mut self) {
        self.heap.finish_cycle();
        // A cycle that stood was only completed; and finalizers keep what they see for two more, one of
        // which runs those that were registered again.
        for _ in 0..3 {
            self.heap.finish_cycle();
        }
        let statistics = self.heap.metrics().statistics();
        assert_eq!(
            statistics.finalizers_panicked, 0,
            "finalizers that panicked"
        );
        assert_eq!(self.finalized.get(), self.registered, "finalizers");
        let rest = self.shadow.collect();
        // The set of dynamic roots is one more.
        let found = self.heap.metrics().total_gc_count();
        let expected = rest.objects + 1 + Pairs::OBJECTS;
        assert_eq!(found, expected, "objects after a full collection");
        assert_eq!(self.deaths.alive.get(), rest.tables, "tables");
        let (shadow, handles) = (&self.shadow, &self.handles);
        self.heap.mutate(|mc, root| {
            let mut seen = HashSet::new();
            let mut found: Vec<(Object<'_>, Id)> = Vec::new();
            for (object, expected) in root.objects.iter().zip(&shadow.roots) {
                assert_eq!(object.map(Object::id), *expected, "a root");
                found.extend(object.zip(*expected));
            }
            for (handle, id) in handles.iter().zip(&shadow.handles) {
                found.push((Object::Node(root.set.fetch(handle)), *id));
            }
            for (index, expected) in shadow.pairs.iter().enumerate() {
                let pair = root.pairs.get(index).and_then(|pair| pair.get(mc));
                let told =
                    pair.map(|(key, value)| [key, value].map(|node| Object::Node(node).id()));
                let there = expected.filter(|(key, _)| shadow.objects.contains_key(key));
                assert_eq!(told, there.map(|(key, value)| [key, value]), "an ephemeron");
                if let (Some((_, value)), Some((_, name))) = (pair, there) {
                    found.push((Object::Node(value), name));
                }
            }
            for (pin, id) in self.pins.iter().zip(&shadow.pins) {
                found.push((Object::Node(pin.get(mc)), *id));
            }
            while let Some((object, id)) = found.pop() {
                assert_eq!(object.id(), id);
                if !seen.insert(id) {
                    continue;
                }
                let links = &shadow.get(id).links;
                assert_eq!(object.links(), links.len(), "the links of {id}");
                for (index, expected) in links.iter().enumerate() {
                    let link = object.link(index);
                    compare(link, *expected);
                    match (link, *expected) {
                        (Link::Strong(next), shadow::Link::Strong(id)) => found.push((next, id)),
                        (Link::Weak(weak), shadow::Link::Weak(id)) => {
                            let upgraded = weak.upgrade(mc).map(Object::id);
                            let expected = shadow.objects.contains_key(&id).then_some(id);
                            assert_eq!(upgraded, expected, "what a weak pointer to {id} leads to");
                        }
                        _ => {}
                    }
                }
            }
            assert_eq!(seen.len(), shadow.objects.len());
        });
        if self.random.one_in(10) {
            self.verify();
        }
    }
}
