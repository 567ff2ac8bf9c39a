//! The machine: executes operations on a real arena and on the model side by side.
//!
//! Like a program that embeds the collector, it gets at objects only by way of roots, and leaves
//! `mutate` after each operation. What it knows of an object beside that is its address, and only
//! as a number. When a collection happened, everything is compared (see [`crate::check`]).

use std::collections::BTreeMap;
use std::rc::Rc;

use gc_core::{Arena, DynamicRootSet, HeapError, HeapOptions, Rootable};

use crate::access;
use crate::kind::Kind;
use crate::model::{Id, Model, Route, Slot};
use crate::objects::{Handle, Pointer, Root, Value};
use crate::operation::{Barrier, Operation, Path, Source};
use crate::tracked::{DropLog, TrackedUnit};

/// An arena and its model.
pub struct Machine {
    pub(crate) arena: Arena<Rootable![Root<'_>]>,
    pub(crate) model: Model,
    pub(crate) handles: Vec<Handle>,
    pub(crate) log: Rc<DropLog>,
    /// How many values of size zero had been dropped at the start.
    pub(crate) units_before: usize,
    /// Where each object was when it was last seen.
    pub(crate) addresses: BTreeMap<Id, usize>,
    next: Id,
    collections: u64,
    /// The number of allocations that failed.
    refused: usize,
}

/// Where a value comes from in the real heap.
enum Supply {
    Nil,
    Number(i64),
    Strong(Route),
    Weak(Route),
    Slot(Route, usize),
}

/// The object at the end of a route.
fn follow<'gc>(root: &Root<'gc>, route: &Route) -> Pointer<'gc> {
    let strong = |value| match value {
        Value::Strong(pointer) => pointer,
        _ => panic!("a strong pointer of the model is none in the heap: {route:?}"),
    };
    let start = strong(root.slots[route.root]);
    route
        .slots
        .iter()
        .fold(start, |pointer, slot| strong(pointer.slot(*slot)))
}

impl Supply {
    fn value<'gc>(&self, root: &Root<'gc>) -> Value<'gc> {
        match self {
            Supply::Nil => Value::Nil,
            Supply::Number(number) => Value::Number(*number),
            Supply::Strong(route) => Value::Strong(follow(root, route)),
            Supply::Weak(route) => Value::Weak(follow(root, route).downgrade()),
            Supply::Slot(route, slot) => follow(root, route).slot(*slot),
        }
    }
}

impl Machine {
    /// A machine with an empty heap.
    ///
    /// # Errors
    ///
    /// Those of [`Arena::with_options`].
    pub fn new(options: HeapOptions) -> Result<Machine, HeapError> {
        let arena = Arena::with_options(options, |mc| Root {
            slots: Vec::new(),
            set: DynamicRootSet::new(mc),
        })?;
        Ok(Machine {
            arena,
            model: Model::default(),
            handles: Vec::new(),
            log: Rc::default(),
            units_before: TrackedUnit::dropped(),
            addresses: BTreeMap::new(),
            next: 1,
            collections: 0,
            refused: 0,
        })
    }

    /// Executes one operation on both heaps.
    ///
    /// # Panics
    ///
    /// If the heaps differ.
    pub fn step(&mut self, operation: &Operation) {
        match operation {
            Operation::Allocate { kind, origin, slot } => {
                self.allocate(*kind, origin.as_ref(), slot.as_ref());
            }
            Operation::Garbage { kind, count } => self.litter(*kind, *count),
            Operation::Write {
                object,
                slot,
                source,
                barrier,
            } => {
                if let Some(route) = self.route(object)
                    && let Some((value, supply)) = self.supply(source)
                {
                    self.write(&route, *slot, value, &supply, *barrier);
                }
            }
            Operation::Root(source) => {
                if let Some((value, supply)) = self.supply(source) {
                    self.model.roots.push(value);
                    self.arena
                        .mutate_root(|_, root| root.slots.push(supply.value(root)));
                }
            }
            Operation::Unroot(index) => {
                if let Some(index) = self.root_index(*index) {
                    self.model.roots.swap_remove(index);
                    self.arena
                        .mutate_root(|_, root| _ = root.slots.swap_remove(index));
                }
            }
            Operation::Reroot(index, source) => {
                if let Some(index) = self.root_index(*index)
                    && let Some((value, supply)) = self.supply(source)
                {
                    self.model.roots[index] = value;
                    self.arena
                        .mutate_root(|_, root| root.slots[index] = supply.value(root));
                }
            }
            Operation::Stash(path) => {
                if let Some(route) = self.route(path) {
                    let handle = self
                        .arena
                        .mutate(|mc, root| follow(root, &route).stash(mc, root.set));
                    self.handles.push(handle);
                    self.model.handles.push(route.id);
                }
            }
            Operation::CloneHandle(index) => {
                if let Some(index) = self.handle_index(*index) {
                    self.handles.push(self.handles[index].clone());
                    self.model.handles.push(self.model.handles[index]);
                }
            }
            Operation::DropHandle(index) => {
                if let Some(index) = self.handle_index(*index) {
                    self.handles.swap_remove(index);
                    self.model.handles.swap_remove(index);
                }
            }
            Operation::Fetch(index) => {
                if let Some(index) = self.handle_index(*index) {
                    let handle = &self.handles[index];
                    self.model
                        .roots
                        .push(Slot::Strong(self.model.handles[index]));
                    self.arena.mutate_root(|_, root| {
                        root.slots.push(Value::Strong(handle.fetch(root.set)));
                    });
                }
            }
            Operation::Upgrade { object, slot } => self.upgrade(object, *slot),
            Operation::CollectDebt => self.arena.collect_debt(),
            Operation::FinishCycle => {
                let before = self.collections;
                self.arena.finish_cycle();
                assert_eq!(self.arena.metrics().statistics().collections, before + 1);
            }
            Operation::Check => self.check(false),
            Operation::DropAll => {
                self.handles.clear();
                self.model.handles.clear();
                self.model.roots.clear();
                self.arena.mutate_root(|_, root| root.slots.clear());
            }
        }
        self.settle();
    }

    /// The number of allocations that failed so far.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// The number of collections so far.
    pub fn collections(&self) -> u64 {
        self.collections
    }

    /// The arena.
    pub fn arena(&self) -> &Arena<Rootable![Root<'_>]> {
        &self.arena
    }

    /// Brings the model up to date if a collection happened, and compares.
    fn settle(&mut self) {
        let collections = self.arena.metrics().statistics().collections;
        if collections != self.collections {
            assert_eq!(
                collections,
                self.collections + 1,
                "one operation, several collections"
            );
            self.collections = collections;
            self.model.collect();
            self.check(true);
        }
        // Beside the objects of the model there is the dynamic root set.
        let found = self.arena.metrics().total_gc_count();
        assert_eq!(found, self.model.count() + 1, "the number of objects");
    }

    fn root_index(&self, wanted: usize) -> Option<usize> {
        let count = self.model.roots.len();
        (count > 0).then(|| wanted % count)
    }

    fn handle_index(&self, wanted: usize) -> Option<usize> {
        let count = self.handles.len();
        (count > 0).then(|| wanted % count)
    }

    fn route(&self, path: &Path) -> Option<Route> {
        self.model.route(path.root, &path.steps)
    }

    /// What a source means in the model, and how to get it in the real heap.
    fn supply(&self, source: &Source) -> Option<(Slot, Supply)> {
        let number = |number| (Slot::Number(number), Supply::Number(number));
        Some(match source {
            Source::Nil => (Slot::Nil, Supply::Nil),
            Source::Number(value) => number(*value),
            Source::AddressOf(path, offset) => {
                let route = self.route(path)?;
                number(self.addresses[&route.id] as i64 + i64::from(*offset))
            }
            Source::OldAddress(index) => {
                let count = self.addresses.len();
                let address = (count > 0).then(|| self.addresses.values().nth(index % count))??;
                number(*address as i64)
            }
            Source::Strong(path) => {
                let route = self.route(path)?;
                (Slot::Strong(route.id), Supply::Strong(route))
            }
            Source::Weak(path) => {
                let route = self.route(path)?;
                (Slot::Weak(route.id), Supply::Weak(route))
            }
            Source::Copy(path, slot) => {
                let route = self.route(path)?;
                let slots = &self.model.object(route.id).slots;
                let slot = (!slots.is_empty()).then(|| slot % slots.len())?;
                (slots[slot], Supply::Slot(route, slot))
            }
        })
    }

    /// Writes, or clears the slot if it cannot hold the value.
    fn write(&mut self, at: &Route, wanted: usize, value: Slot, supply: &Supply, barrier: Barrier) {
        let object = self.model.object(at.id);
        let Some(slot) = object.kind.slot(object.slots.len(), wanted) else {
            return;
        };
        let (value, supply) = match self.model.accepts(at.id, slot, value) {
            true => (value, supply),
            false => (Slot::Nil, &Supply::Nil),
        };
        if !self.model.accepts(at.id, slot, value) {
            return;
        }
        self.arena.mutate(|mc, root| {
            let value = supply.value(root);
            follow(root, at).set(mc, slot, value, barrier);
        });
        self.model.write(at.id, slot, value);
    }

    fn allocate(&mut self, kind: Kind, origin: Option<&Path>, slot: Option<&(Path, usize)>) {
        let id = self.next;
        self.next += 1;
        let origin = origin
            .and_then(|path| self.route(path))
            .filter(|route| self.model.object(route.id).kind == Kind::Fixed);
        let log = &self.log;
        let made = self.arena.mutate_root(|mc, root| {
            let origin = origin.as_ref().map(|route| follow(root, route));
            let pointer = access::allocate(mc, kind, id, origin, log)?;
            root.slots.push(Value::Strong(pointer));
            Ok(pointer.address())
        });
        match made {
            Ok(address) => {
                self.model.allocate(id, kind, origin.map(|route| route.id));
                self.model.roots.push(Slot::Strong(id));
                self.addresses.insert(id, address);
            }
            Err(error) => return self.refuse(id, kind, error),
        }
        // With a slot to go to it is a root no longer than it has to be.
        if let Some((path, slot)) = slot
            && let Some(route) = self.route(path)
        {
            let index = self.model.roots.len() - 1;
            let itself = Route {
                root: index,
                slots: Vec::new(),
                id,
            };
            self.write(
                &route,
                *slot,
                Slot::Strong(id),
                &Supply::Strong(itself),
                Barrier::Object,
            );
            self.model.roots.pop();
            self.arena.mutate_root(|_, root| _ = root.slots.pop());
        }
    }

    /// Allocates objects that are garbage from the beginning.
    fn litter(&mut self, kind: Kind, count: usize) {
        for _ in 0..count {
            let id = self.next;
            self.next += 1;
            let log = &self.log;
            let made = self
                .arena
                .mutate(|mc, _| access::allocate(mc, kind, id, None, log).map(Pointer::address));
            match made {
                Ok(address) => {
                    self.model.allocate(id, kind, None);
                    self.addresses.insert(id, address);
                }
                Err(error) => return self.refuse(id, kind, error),
            }
        }
    }

    /// An allocation failed: its value was dropped, nothing else happened, the error tells why, and
    /// a collection is due.
    fn refuse(&mut self, id: Id, kind: Kind, error: HeapError) {
        self.refused += 1;
        self.model.refuse(id, kind);
        let bytes = kind.extent().expect("an object without memory was refused");
        match error {
            HeapError::LimitReached {
                requested,
                limit,
                in_use,
            } => {
                assert!(requested >= bytes && in_use <= limit && requested > limit - in_use);
                assert!(
                    error.to_string().contains("raise `HeapOptions::limit`"),
                    "{error}"
                );
            }
            HeapError::AddressSpaceExhausted {
                requested,
                reserved,
            } => {
                assert!(requested >= bytes && reserved > 0);
                assert!(
                    error.to_string().contains("raise `HeapOptions::reserve`"),
                    "{error}"
                );
            }
            other => panic!("{other}"),
        }
        self.settle();
        assert!(self.arena.metrics().allocation_debt() > 0.0);
        self.arena.collect_debt();
        assert_eq!(
            self.arena.metrics().statistics().collections,
            self.collections + 1
        );
        self.settle();
    }

    fn upgrade(&mut self, object: &Path, wanted: usize) {
        let Some(route) = self.route(object) else {
            return;
        };
        let slots = &self.model.object(route.id).slots;
        let slot = (!slots.is_empty()).then(|| wanted % slots.len());
        if let Some(slot) = slot
            && let Slot::Weak(id) = slots[slot]
        {
            self.root_if_whole(id, |root| follow(root, &route).slot(slot));
        } else if let Some(index) = self.root_index(wanted)
            && let Slot::Weak(id) = self.model.roots[index]
        {
            self.root_if_whole(id, |root| root.slots[index]);
        }
    }

    /// Makes a root of the object `id`, to which the weak pointer that `get` gets leads.
    fn root_if_whole(&mut self, id: Id, get: impl for<'gc> Fn(&Root<'gc>) -> Value<'gc>) {
        let whole = self.model.object(id).whole;
        self.arena.mutate_root(|mc, root| {
            let Value::Weak(weak) = get(root) else {
                panic!("a weak pointer of the model is none in the heap")
            };
            let upgraded = weak.upgrade(mc);
            assert_eq!(
                upgraded.is_some(),
                whole,
                "whether object {id} can be upgraded"
            );
            root.slots.extend(upgraded.map(Value::Strong));
        });
        if whole {
            self.model.roots.push(Slot::Strong(id));
        }
    }
}
