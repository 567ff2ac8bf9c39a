//! The model heap: plain maps, and a naive search for what can be reached.
//!
//! It says what a heap must look like after any sequence of operations. It knows nothing of how a
//! collector works, only what one promises:
//!
//! - an object is *whole* until the first collection in which no path of strong pointers leads to it
//!   from a root;
//! - then its values are dropped, and it becomes a *shell* if a weak pointer leads to it from a root
//!   or from an object that can be reached, and is gone otherwise;
//! - a shell is gone with the first collection in which no such weak pointer leads to it;
//! - objects without memory are there for ever, and do not count.
//!
//! Weak pointers from objects that die themselves count for nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Kind, Place};

/// The name of an object.
pub type Id = u64;

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Nothing.
    Nil,
    /// An integer, maybe one that is the address of an object.
    Number(i64),
    /// A pointer that keeps the object alive.
    Strong(Id),
    /// A pointer that does not.
    Weak(Id),
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object {
    /// What sort of object.
    pub kind: Kind,
    /// What it holds; nothing if it is a shell.
    pub slots: Vec<Slot>,
    /// Whether its value is still there.
    pub whole: bool,
}

/// How to get to an object: a root, and the slots that lead on from there.
#[derive(Clone, Debug)]
pub struct Route {
    /// The index of the root.
    pub root: usize,
    /// The slot of each object on the way, but for the last.
    pub slots: Vec<usize>,
    /// The object at the end.
    pub id: Id,
}

/// A heap as it ought to be.
#[derive(Clone, Debug, Default)]
pub struct Model {
    objects: BTreeMap<Id, Object>,
    /// The slots of the root.
    pub roots: Vec<Slot>,
    /// What the handles of the dynamic root set hold.
    pub handles: Vec<Id>,
    /// How often a value was dropped, by object and index in it.
    pub dropped: BTreeMap<(Id, usize), u32>,
    /// How many values of size zero were dropped.
    pub dropped_units: usize,
}

impl Model {
    /// Adds an object that nothing leads to yet.
    pub fn allocate(&mut self, id: Id, kind: Kind, origin: Option<Id>) {
        let mut slots = vec![Slot::Nil; kind.slots()];
        if let (Kind::Fixed, Some(origin)) = (kind, origin) {
            slots[3] = Slot::Strong(origin);
        }
        let known = self.objects.insert(
            id,
            Object {
                kind,
                slots,
                whole: true,
            },
        );
        assert!(known.is_none(), "object {id} was allocated twice");
    }

    /// Notes that an object could not be allocated, and its values were dropped.
    pub fn refuse(&mut self, id: Id, kind: Kind) {
        self.drop_values(id, kind, kind.tracked_in_vain());
    }

    /// An object that is whole or a shell.
    pub fn get(&self, id: Id) -> Option<&Object> {
        self.objects.get(&id)
    }

    /// An object that must be there, as something can be reached from which a pointer leads to it.
    pub fn object(&self, id: Id) -> &Object {
        self.get(id)
            .unwrap_or_else(|| panic!("object {id} is gone from the model"))
    }

    /// Whether the slot of an object may hold a value now.
    pub fn accepts(&self, id: Id, slot: usize, value: Slot) -> bool {
        let object = self.object(id);
        let target = match value {
            Slot::Strong(target) | Slot::Weak(target) => Some(self.object(target).kind),
            Slot::Nil | Slot::Number(_) => None,
        };
        match (object.kind.place(slot), value) {
            (Place::Frozen, _) => false,
            (Place::Any, _) => true,
            (Place::Once, _) => object.slots[slot] == Slot::Nil && value != Slot::Nil,
            (_, Slot::Nil) | (Place::Switch, Slot::Number(_)) => true,
            (_, Slot::Number(_)) => false,
            (Place::Fixed, Slot::Strong(_)) | (Place::FixedWeak, Slot::Weak(_)) => {
                target == Some(Kind::Fixed)
            }
            (Place::Switch, _) | (Place::StrongSwitch, Slot::Strong(_)) => {
                target == Some(Kind::Switch)
            }
            _ => false,
        }
    }

    /// Writes a slot, or adds one if it is that behind the last.
    pub fn write(&mut self, id: Id, slot: usize, value: Slot) {
        let object = self
            .objects
            .get_mut(&id)
            .expect("only whole objects are written");
        if slot == object.slots.len() {
            object.slots.push(value);
        } else {
            object.slots[slot] = value;
        }
    }

    /// The way that begins at the first strong root from `root` on and takes the slot that each
    /// step names, where that is a strong pointer. `None` if there is no such root.
    pub fn route(&self, root: usize, steps: &[u8]) -> Option<Route> {
        let count = self.roots.len();
        let (root, mut id) = (0..count)
            .map(|i| (root + i) % count)
            .find_map(|root| match self.roots[root] {
                Slot::Strong(id) => Some((root, id)),
                _ => None,
            })?;
        let mut slots = Vec::new();
        for &step in steps {
            let object = self.object(id);
            if object.slots.is_empty() {
                break;
            }
            let slot = usize::from(step) % object.slots.len();
            if let Slot::Strong(next) = object.slots[slot] {
                slots.push(slot);
                id = next;
            }
        }
        Some(Route { root, slots, id })
    }

    /// The objects to which paths of strong pointers lead from the roots.
    pub fn reachable(&self) -> BTreeSet<Id> {
        let mut reachable = BTreeSet::new();
        let mut found = self.handles.clone();
        found.extend(strong(&self.roots));
        while let Some(id) = found.pop() {
            if reachable.insert(id) {
                found.extend(strong(&self.object(id).slots));
            }
        }
        reachable
    }

    /// What a full collection does.
    pub fn collect(&mut self) {
        let reachable = self.reachable();
        let mut weakly: BTreeSet<Id> = weak(&self.roots).collect();
        for id in &reachable {
            weakly.extend(weak(&self.object(*id).slots));
        }
        for (id, mut object) in core::mem::take(&mut self.objects) {
            if !reachable.contains(&id) && object.kind.extent().is_some() {
                if object.whole {
                    self.drop_values(id, object.kind, object.kind.tracked());
                }
                if !weakly.contains(&id) {
                    continue;
                }
                object = Object {
                    slots: Vec::new(),
                    whole: false,
                    ..object
                };
            }
            self.objects.insert(id, object);
        }
    }

    /// What the end of a heap does: every value is dropped.
    pub fn end(&mut self) {
        for (id, object) in core::mem::take(&mut self.objects) {
            if object.whole {
                self.drop_values(id, object.kind, object.kind.tracked());
            }
        }
    }

    fn drop_values(&mut self, id: Id, kind: Kind, count: usize) {
        for index in 0..count {
            *self.dropped.entry((id, index)).or_default() += 1;
        }
        if kind == Kind::TrackedUnit {
            self.dropped_units += 1;
        }
    }

    /// The number of objects with memory: whole ones, garbage included, and shells.
    pub fn count(&self) -> usize {
        self.objects
            .values()
            .filter(|object| object.kind.extent().is_some())
            .count()
    }
}

fn strong(slots: &[Slot]) -> impl Iterator<Item = Id> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Strong(id) => Some(*id),
        _ => None,
    })
}

fn weak(slots: &[Slot]) -> impl Iterator<Item = Id> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Weak(id) => Some(*id),
        _ => None,
    })
}
