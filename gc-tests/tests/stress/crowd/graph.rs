//! The objects of a crowd. Each has a number, and a second one that follows from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::barrier::field;
use gc_core::shared::{AtomicGc, Mutation, Mutex, RwLock};
use gc_core::{Collect, Ephemeron, Gc, GcWeak, GcWeakLong, HeapError};
use gc_tests::payload::word;
use gc_tests::random::Random;

/// Where an object leads.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Link<'gc> {
    Nil,
    Number(u64),
    Strong(Object<'gc>),
    Weak(GcWeak<'gc, Node<'gc>>),
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Object<'gc> {
    Node(Gc<'gc, Node<'gc>>),
    Switch(Gc<'gc, Switch<'gc>>),
    Bag(Gc<'gc, Bag<'gc>>),
    Array(Gc<'gc, Array<'gc>>),
}

/// A pointer that is there for ever, and some that are stored without a claim, or under a lock.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Node<'gc> {
    id: u64,
    pub under: Option<Gc<'gc, Node<'gc>>>,
    near: AtomicGc<'gc, Node<'gc>>,
    check: u64,
    far: Mutex<Option<Gc<'gc, Node<'gc>>>>,
    weak: Mutex<Option<GcWeak<'gc, Node<'gc>>>>,
    long: Mutex<Option<GcWeakLong<'gc, Node<'gc>>>>,
    pair: Mutex<Option<Pair<'gc>>>,
}

type Pair<'gc> = Ephemeron<'gc, Node<'gc>, Node<'gc>>;

/// Words that change what they are.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Switch<'gc> {
    link: RwLock<Link<'gc>>,
    id: u64,
    check: u64,
    node: AtomicGc<'gc, Node<'gc>>,
}

/// Memory outside of the heap, and `Drop`.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Bag<'gc> {
    id: u64,
    counted: Counted,
    links: Mutex<Vec<Link<'gc>>>,
    nodes: Vec<AtomicGc<'gc, Node<'gc>>>,
}

/// An array, maybe a large one.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Array<'gc> {
    id: u64,
    check: u64,
    nodes: Gc<'gc, [AtomicGc<'gc, Node<'gc>>]>,
    links: Gc<'gc, [Mutex<Link<'gc>>]>,
}

/// A value that is counted while it lives.
#[derive(Collect)]
#[collect(require_static)]
struct Counted {
    alive: Arc<AtomicUsize>,
    check: AtomicUsize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Relaxed: figures by themselves.
        self.check.store(0, Ordering::Relaxed);
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number that goes with the number of an object.
fn check(id: u64) -> u64 {
    word(id, 78)
}

impl<'gc> Node<'gc> {
    pub fn new(id: u64, under: Option<Gc<'gc, Node<'gc>>>) -> Node<'gc> {
        Node {
            id,
            under,
            near: AtomicGc::null(),
            check: check(id),
            far: Mutex::default(),
            weak: Mutex::default(),
            long: Mutex::default(),
            pair: Mutex::default(),
        }
    }

    /// The number of the node, which is right in both places.
    pub fn id(&self) -> u64 {
        assert_eq!(
            self.check,
            check(self.id),
            "a node that says that it is {}",
            self.id
        );
        self.id
    }
}

impl<'gc> Object<'gc> {
    /// A new object that leads to a node.
    pub fn new(
        mc: &Mutation<'gc>,
        random: &mut Random,
        node: Option<Gc<'gc, Node<'gc>>>,
        alive: &Arc<AtomicUsize>,
    ) -> Result<Object<'gc>, HeapError> {
        let id = random.number();
        let check = check(id);
        Ok(match random.below(20) {
            0..10 => Object::Node(mc.try_allocate(Node::new(id, node))?),
            10..14 => {
                let link = RwLock::new(Link::Number(id));
                let node = AtomicGc::new(node);
                Object::Switch(mc.try_allocate(Switch {
                    link,
                    id,
                    check,
                    node,
                })?)
            }
            14..18 => {
                alive.fetch_add(1, Ordering::Relaxed);
                let counted = Counted {
                    alive: alive.clone(),
                    check: AtomicUsize::new(check as usize),
                };
                let links = Mutex::new(vec![Link::Nil; random.below(5)]);
                let nodes = (0..random.below(4)).map(|_| AtomicGc::new(node)).collect();
                Object::Bag(mc.try_allocate(Bag {
                    id,
                    counted,
                    links,
                    nodes,
                })?)
            }
            _ => {
                let length = if random.one_in(10) {
                    random.below(3000)
                } else {
                    random.below(20)
                };
                let nodes = mc.try_allocate_slice((0..length).map(|_| AtomicGc::new(node)))?;
                let links = mc.try_allocate_slice((0..length).map(|_| Mutex::new(Link::Nil)))?;
                Object::Array(mc.try_allocate(Array {
                    id,
                    check,
                    nodes,
                    links,
                })?)
            }
        })
    }

    /// Looks whether the object is what it should be.
    pub fn check(self) {
        let (id, found) = match self {
            Object::Node(gc) => (gc.id, gc.check),
            Object::Switch(gc) => (gc.id, gc.check),
            Object::Bag(gc) => (gc.id, gc.counted.check.load(Ordering::Relaxed) as u64),
            Object::Array(gc) => (gc.id, gc.check),
        };
        assert_eq!(found, check(id), "an object that says that it is {id}");
    }

    pub fn node(self) -> Option<Gc<'gc, Node<'gc>>> {
        match self {
            Object::Node(gc) => Some(gc),
            _ => None,
        }
    }

    /// One of the links.
    pub fn follow(self, mc: &Mutation<'gc>, random: &mut Random) -> Link<'gc> {
        let strong = |node: Option<_>| node.map_or(Link::Nil, |gc| Link::Strong(Object::Node(gc)));
        match self {
            Object::Node(gc) => match random.below(6) {
                0 => strong(gc.under),
                1 => strong(gc.near.load()),
                2 => strong(*field!(mc.write(gc), Node, far).lock()),
                3 => {
                    let long = *field!(mc.write(gc), Node, long).lock();
                    strong(long.and_then(|long| mc.upgrade_long(long)))
                }
                4 => {
                    let pair = *field!(mc.write(gc), Node, pair).lock();
                    let both = pair.and_then(|pair| mc.get_ephemeron(pair));
                    if let Some((key, value)) = both {
                        key.id();
                        value.id();
                    }
                    strong(both.map(|(key, value)| if random.one_in(2) { key } else { value }))
                }
                _ => field!(mc.write(gc), Node, weak)
                    .lock()
                    .map_or(Link::Nil, Link::Weak),
            },
            Object::Switch(gc) if random.one_in(2) => *gc.link.read(),
            Object::Switch(gc) => strong(gc.node.load()),
            Object::Bag(gc) if random.one_in(2) || gc.nodes.is_empty() => {
                let links = field!(mc.write(gc), Bag, links).lock();
                if links.is_empty() {
                    Link::Nil
                } else {
                    *random.pick(&links)
                }
            }
            Object::Bag(gc) => strong(random.pick(&gc.nodes).load()),
            Object::Array(gc) if gc.nodes.is_empty() => Link::Nil,
            Object::Array(gc) if random.one_in(2) => strong(random.pick(&gc.nodes).load()),
            Object::Array(gc) => *mc.write_at(gc.links, random.below(gc.links.len())).lock(),
        }
    }

    /// Writes one of the links: to `object` if it can be there, or to nothing.
    pub fn set(self, mc: &Mutation<'gc>, random: &mut Random, object: Option<Object<'gc>>) {
        let node = object.and_then(Object::node);
        let link = match object {
            None => *random.pick(&[Link::Nil, Link::Number(random.clone().number())]),
            Some(Object::Node(node)) if random.one_in(3) => Link::Weak(Gc::downgrade(node)),
            Some(object) => Link::Strong(object),
        };
        match self {
            Object::Node(gc) => match random.below(7) {
                0 => gc.near.store(mc, node),
                1 => *field!(mc.write(gc), Node, far).lock() = node,
                2 => _ = gc.near.swap(mc, node),
                3 => *field!(mc.write(gc), Node, long).lock() = node.map(Gc::downgrade_long),
                4 | 5 => {
                    let pair = match (node, gc.near.load()) {
                        (Some(key), Some(value)) => Some(Ephemeron::new(key, value)),
                        (Some(key), None) => Some(Ephemeron::new(key, gc)),
                        _ => None,
                    };
                    *field!(mc.write(gc), Node, pair).lock() = pair;
                }
                _ => *field!(mc.write(gc), Node, weak).lock() = node.map(Gc::downgrade),
            },
            Object::Switch(gc) if random.one_in(2) => {
                *field!(mc.write(gc), Switch, link).write() = link;
            }
            Object::Switch(gc) => _ = gc.node.compare_exchange(mc, gc.node.load(), node),
            Object::Bag(gc) if random.one_in(2) || gc.nodes.is_empty() => {
                let mut links = field!(mc.write(gc), Bag, links).lock();
                if links.len() > 20 || object.is_none() && random.one_in(2) {
                    links.clear();
                } else if links.is_empty() || random.one_in(3) {
                    links.push(link);
                } else {
                    let index = random.below(links.len());
                    links[index] = link;
                }
            }
            Object::Bag(gc) => random.pick(&gc.nodes).store(mc, node),
            Object::Array(gc) if gc.nodes.is_empty() => {}
            Object::Array(gc) if random.one_in(2) => random.pick(&gc.nodes).store(mc, node),
            Object::Array(gc) => {
                *mc.write_at(gc.links, random.below(gc.links.len())).lock() = link;
            }
        }
    }
}

/// The root of an arena.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Root<'gc> {
    /// What everybody reads and writes.
    pub common: Gc<'gc, [Mutex<Link<'gc>>]>,
    /// A stack, without locks.
    pub stack: AtomicGc<'gc, Node<'gc>>,
    /// For each mutator, what nobody else writes.
    pub own: Vec<AtomicGc<'gc, Node<'gc>>>,
}
