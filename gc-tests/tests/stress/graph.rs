//! The objects of a life. Each has a number, and a second one that follows from it.

use std::cell::Cell;
use std::rc::Rc;

use gc_core::barrier::unlock;
use gc_core::{Collect, DynamicRootSet, Ephemeron, Gc, GcWeak, HeapError, Lock, Mutation, RefLock};
use gc_tests::access::write_at;
use gc_tests::payload::word;

/// Where an object leads.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Link<'gc> {
    Nil,
    Number(u64),
    Strong(Object<'gc>),
    Weak(WeakObject<'gc>),
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Object<'gc> {
    Node(Gc<'gc, Node<'gc>>),
    Cell(Gc<'gc, Switch<'gc>>),
    Table(Gc<'gc, Table<'gc>>),
    Array(Gc<'gc, Array<'gc>>),
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum WeakObject<'gc> {
    Node(GcWeak<'gc, Node<'gc>>),
    Cell(GcWeak<'gc, Switch<'gc>>),
    Table(GcWeak<'gc, Table<'gc>>),
    Array(GcWeak<'gc, Array<'gc>>),
}

/// Pointers to nodes, always at the same place.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Node<'gc> {
    id: u64,
    near: Lock<Option<Gc<'gc, Node<'gc>>>>,
    check: u64,
    far: Lock<Option<Gc<'gc, Node<'gc>>>>,
    weak: Lock<Option<GcWeak<'gc, Node<'gc>>>>,
}

/// Pointers to anything, whose words change what they are.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Switch<'gc> {
    first: Lock<Link<'gc>>,
    id: u64,
    check: u64,
    second: Lock<Link<'gc>>,
}

/// Memory outside of the heap, and `Drop`.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Table<'gc> {
    id: u64,
    counted: Counted,
    links: RefLock<Vec<Link<'gc>>>,
}

/// An array, maybe a large one.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Array<'gc> {
    id: u64,
    check: u64,
    links: Gc<'gc, [Lock<Link<'gc>>]>,
}

/// What dies and how often that is to be a panic.
#[derive(Default)]
pub struct Deaths {
    /// Values that were made and not dropped.
    pub alive: Cell<usize>,
    /// Whether the next drop panics.
    pub panics: Cell<bool>,
}

pub const DROP_PANIC: &str = "a drop panics as it was told to";

/// A value that is counted while it lives.
#[derive(Collect)]
#[collect(require_static)]
struct Counted {
    deaths: Rc<Deaths>,
    check: Cell<u64>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.check.set(0);
        self.deaths.alive.set(self.deaths.alive.get() - 1);
        assert!(!self.deaths.panics.take(), "{DROP_PANIC}");
    }
}

/// What sort of object, and how many links it has; a table has as many as it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Node,
    Cell,
    Table,
    Array(usize),
}

impl Kind {
    /// The number of links in a new object.
    pub fn links(self) -> usize {
        match self {
            Kind::Node => 3,
            Kind::Cell => 2,
            Kind::Table => 0,
            Kind::Array(length) => length,
        }
    }

    /// The number of objects in the heap that make up one.
    pub fn objects(self) -> usize {
        match self {
            Kind::Array(1..) => 2,
            _ => 1,
        }
    }
}

/// The number that goes with the number of an object.
fn check(id: u64) -> u64 {
    word(id, 77)
}

impl<'gc> Object<'gc> {
    /// A new object without links.
    pub fn new(
        mc: &Mutation<'gc>,
        kind: Kind,
        id: u64,
        deaths: &Rc<Deaths>,
    ) -> Result<Object<'gc>, HeapError> {
        let check = check(id);
        let nil = || Lock::new(Link::Nil);
        Ok(match kind {
            Kind::Node => {
                let [near, far] = [None; 2].map(Lock::new);
                let weak = Lock::new(None);
                let node = Node {
                    id,
                    near,
                    check,
                    far,
                    weak,
                };
                Object::Node(Gc::try_new(mc, node)?)
            }
            Kind::Cell => {
                let [first, second] = [nil(), nil()];
                let cell = Switch {
                    first,
                    id,
                    check,
                    second,
                };
                Object::Cell(Gc::try_new(mc, cell)?)
            }
            Kind::Table => {
                deaths.alive.set(deaths.alive.get() + 1);
                let counted = Counted {
                    deaths: deaths.clone(),
                    check: Cell::new(check),
                };
                let links = RefLock::default();
                Object::Table(Gc::try_new(mc, Table { id, counted, links })?)
            }
            Kind::Array(length) => {
                let links = Gc::try_slice_from_iter(mc, (0..length).map(|_| nil()))?;
                Object::Array(Gc::try_new(mc, Array { id, check, links })?)
            }
        })
    }

    /// The number of the object, which is right in both places.
    pub fn id(self) -> u64 {
        let (id, found) = match self {
            Object::Node(gc) => (gc.id, gc.check),
            Object::Cell(gc) => (gc.id, gc.check),
            Object::Table(gc) => (gc.id, gc.counted.check.get()),
            Object::Array(gc) => (gc.id, gc.check),
        };
        assert_eq!(found, check(id), "an object that says that it is {id}");
        id
    }

    pub fn links(self) -> usize {
        match self {
            Object::Node(_) => 3,
            Object::Cell(_) => 2,
            Object::Table(gc) => gc.links.borrow().len(),
            Object::Array(gc) => gc.links.len(),
        }
    }

    pub fn link(self, index: usize) -> Link<'gc> {
        let strong = |node: Option<Gc<'gc, Node<'gc>>>| {
            node.map_or(Link::Nil, |node| Link::Strong(Object::Node(node)))
        };
        match self {
            Object::Node(gc) => match index {
                0 => strong(gc.near.get()),
                1 => strong(gc.far.get()),
                _ => gc
                    .weak
                    .get()
                    .map_or(Link::Nil, |weak| Link::Weak(WeakObject::Node(weak))),
            },
            Object::Cell(gc) if index == 0 => gc.first.get(),
            Object::Cell(gc) => gc.second.get(),
            Object::Table(gc) => gc.links.borrow()[index],
            Object::Array(gc) => gc.links[index].get(),
        }
    }

    /// Whether a link can be there.
    pub fn accepts(self, index: usize, link: Link<'gc>) -> bool {
        match (self, link) {
            (Object::Node(_), Link::Strong(Object::Node(_))) => index < 2,
            (Object::Node(_), Link::Weak(WeakObject::Node(_))) => index == 2,
            (Object::Node(_), link) => matches!(link, Link::Nil),
            _ => true,
        }
    }

    /// Writes a link; one behind the last makes a table grow.
    pub fn set(self, mc: &Mutation<'gc>, index: usize, link: Link<'gc>) {
        match self {
            Object::Node(gc) => {
                let node = Gc::write(mc, gc);
                let strong = match link {
                    Link::Strong(Object::Node(node)) => Some(node),
                    _ => None,
                };
                match (index, link) {
                    (0, _) => unlock!(node, Node, near).set(strong),
                    (1, _) => unlock!(node, Node, far).set(strong),
                    (_, Link::Weak(WeakObject::Node(weak))) => {
                        unlock!(node, Node, weak).set(Some(weak));
                    }
                    _ => unlock!(node, Node, weak).set(None),
                }
            }
            Object::Cell(gc) if index == 0 => unlock!(Gc::write(mc, gc), Switch, first).set(link),
            Object::Cell(gc) => unlock!(Gc::write(mc, gc), Switch, second).set(link),
            Object::Table(gc) => {
                let mut links = unlock!(Gc::write(mc, gc), Table, links).borrow_mut();
                match links.get_mut(index) {
                    Some(place) => *place = link,
                    None => links.push(link),
                }
            }
            Object::Array(gc) => write_at(mc, gc.links, index).unlock().set(link),
        }
    }

    /// All links of a table, which has none then.
    pub fn take(self, mc: &Mutation<'gc>) -> Option<Vec<Link<'gc>>> {
        match self {
            Object::Table(gc) => Some(unlock!(Gc::write(mc, gc), Table, links).take()),
            _ => None,
        }
    }

    pub fn downgrade(self) -> WeakObject<'gc> {
        match self {
            Object::Node(gc) => WeakObject::Node(Gc::downgrade(gc)),
            Object::Cell(gc) => WeakObject::Cell(Gc::downgrade(gc)),
            Object::Table(gc) => WeakObject::Table(Gc::downgrade(gc)),
            Object::Array(gc) => WeakObject::Array(Gc::downgrade(gc)),
        }
    }
}

impl<'gc> WeakObject<'gc> {
    pub fn upgrade(self, mc: &Mutation<'gc>) -> Option<Object<'gc>> {
        match self {
            WeakObject::Node(gc) => gc.upgrade(mc).map(Object::Node),
            WeakObject::Cell(gc) => gc.upgrade(mc).map(Object::Cell),
            WeakObject::Table(gc) => gc.upgrade(mc).map(Object::Table),
            WeakObject::Array(gc) => gc.upgrade(mc).map(Object::Array),
        }
    }
}

pub type Pair<'gc> = Ephemeron<'gc, Node<'gc>, Node<'gc>>;

/// Ephemerons, where tags tell of them, where these move, and outside of the heap. The numbers of all places
/// follow each other.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Pairs<'gc> {
    /// Key and value of those that are none.
    none: Gc<'gc, Node<'gc>>,
    fixed: Gc<'gc, [Lock<Pair<'gc>>]>,
    moving: Gc<'gc, [Lock<Option<Pair<'gc>>>]>,
    outside: Gc<'gc, RefLock<Vec<Pair<'gc>>>>,
}

impl<'gc> Pairs<'gc> {
    /// How many objects in the heap they are.
    pub const OBJECTS: usize = 4;

    /// So many places of each sort.
    pub fn new(mc: &Mutation<'gc>, places: usize) -> Pairs<'gc> {
        let deaths = Rc::default();
        let Ok(Object::Node(none)) = Object::new(mc, Kind::Node, 0, &deaths) else {
            panic!("there is memory for a node");
        };
        let nothing = Ephemeron::new(none, none);
        Pairs {
            none,
            fixed: Gc::slice_from_iter(mc, (0..places).map(|_| Lock::new(nothing))),
            moving: Gc::slice_from_iter(mc, (0..places).map(|_| Lock::new(None))),
            outside: Gc::new(mc, RefLock::new(vec![nothing; places])),
        }
    }

    pub fn places(&self) -> usize {
        3 * self.fixed.len()
    }

    pub fn get(&self, index: usize) -> Option<Pair<'gc>> {
        let (sort, at) = (index / self.fixed.len(), index % self.fixed.len());
        let pair = match sort {
            0 => self.fixed[at].get(),
            1 => return self.moving[at].get(),
            _ => self.outside.borrow()[at],
        };
        (!GcWeak::ptr_eq(pair.weak_key(), Gc::downgrade(self.none))).then_some(pair)
    }

    pub fn set(&self, mc: &Mutation<'gc>, index: usize, pair: Option<Pair<'gc>>) {
        let (sort, at) = (index / self.fixed.len(), index % self.fixed.len());
        let some = pair.unwrap_or(Ephemeron::new(self.none, self.none));
        match sort {
            0 => write_at(mc, self.fixed, at).unlock().set(some),
            1 => write_at(mc, self.moving, at).unlock().set(pair),
            _ => self.outside.borrow_mut(mc)[at] = some,
        }
    }
}

/// The root of an arena.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Root<'gc> {
    pub objects: Vec<Option<Object<'gc>>>,
    pub pairs: Pairs<'gc>,
    pub set: DynamicRootSet<'gc>,
}
