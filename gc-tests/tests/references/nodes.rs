//! A heap of nodes, for tests of finalizers: which of them are alive, and whose finalizers have run.

use std::cell::RefCell;
use std::rc::Rc;

use gc_core::finalizer::Registration;
use gc_core::{Arena, Collect, Gc, GcWeak, GcWeakLong, HeapOptions, Lock, Mutation, Rootable};

#[derive(Collect)]
#[collect(no_drop)]
pub struct Node<'gc> {
    pub id: usize,
    pub next: Lock<Option<Gc<'gc, Node<'gc>>>>,
    pub weak: Lock<Option<GcWeak<'gc, Node<'gc>>>>,
}

pub type Pointer<'gc> = Gc<'gc, Node<'gc>>;

#[derive(Collect)]
#[collect(no_drop)]
pub struct Roots<'gc> {
    pub strong: Gc<'gc, [Lock<Option<Pointer<'gc>>>]>,
    pub weak: Vec<GcWeak<'gc, Node<'gc>>>,
    pub long: Vec<GcWeakLong<'gc, Node<'gc>>>,
}

pub type Heap = Arena<Rootable![Roots<'_>]>;

pub fn node<'gc>(mc: &Mutation<'gc>, id: usize, next: Option<Pointer<'gc>>) -> Pointer<'gc> {
    let (next, weak) = (Lock::new(next), Lock::new(None));
    Gc::new(mc, Node { id, next, weak })
}

/// A heap with so many nodes, all of which the roots lead to.
pub fn heap(options: HeapOptions, count: usize) -> Heap {
    Arena::with_options(options, |mc| {
        let nodes: Vec<_> = (0..count).map(|id| node(mc, id, None)).collect();
        Roots {
            strong: Gc::slice_from_iter(mc, nodes.iter().map(|node| Lock::new(Some(*node)))),
            weak: nodes.iter().copied().map(Gc::downgrade).collect(),
            long: nodes.into_iter().map(Gc::downgrade_long).collect(),
        }
    })
    .unwrap()
}

pub fn strong<'gc>(roots: &Roots<'gc>, id: usize) -> Pointer<'gc> {
    roots.strong[id].get().unwrap()
}

pub fn forget(heap: &Heap, id: usize) {
    heap.mutate(|mc, roots| Gc::write_at(mc, roots.strong, id).unlock().set(None));
}

/// To which nodes short and long weak pointers lead.
pub fn weak(heap: &Heap) -> (Vec<usize>, Vec<usize>) {
    heap.mutate(|mc, roots| {
        let short = roots.weak.iter().filter_map(|weak| weak.upgrade(mc));
        let long = roots.long.iter().filter_map(|weak| weak.upgrade(mc));
        (
            short.map(|node| node.id).collect(),
            long.map(|node| node.id).collect(),
        )
    })
}

/// What finalizers have told.
pub type Log = Rc<RefCell<Vec<usize>>>;

pub fn register(heap: &Heap, log: &Log, id: usize) -> Registration {
    let log = Rc::clone(log);
    heap.mutate(|mc, roots| {
        mc.finalize_with(strong(roots, id), move |node, _| {
            log.borrow_mut().push(node.id)
        })
    })
}

pub fn sorted(log: &Log) -> Vec<usize> {
    let mut ids = log.take();
    ids.sort_unstable();
    ids
}
