//! What can be reached, by a naive search, and the routes that a program takes.

use std::collections::BTreeSet;

use super::{Id, Known, Model, Progress, Slot};
use crate::kind::Kind;
use crate::ledger::Number;

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

impl Model {
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

    /// Whether a way still leads where it did.
    pub fn leads(&self, route: &Route) -> bool {
        let start = self.roots.get(route.root).copied();
        let end = route.slots.iter().fold(start, |at, slot| match at {
            Some(Slot::Strong(id)) => self.object(id).slots.get(*slot).copied(),
            _ => None,
        });
        end == Some(Slot::Strong(route.id))
    }

    /// An object with a place for an ephemeron: that, or else the first root from there on.
    pub fn keyed(&self, route: Route) -> Option<Route> {
        let is_keyed = |route: &Route| self.object(route.id).kind == Kind::Keyed;
        if is_keyed(&route) {
            return Some(route);
        }
        let count = self.roots.len();
        let routes = (0..count).filter_map(|i| self.route((route.root + i) % count, &[]));
        routes.into_iter().find(is_keyed)
    }

    /// The objects to which paths of strong pointers lead from the roots, from handles, and from objects
    /// whose finalizers wait; values of ephemerons whose keys are reached among them.
    pub fn reachable(&self) -> BTreeSet<Id> {
        self.closure(self.starts(), &[])
    }

    /// Where paths begin: roots, handles, and the objects whose finalizers wait for certain.
    pub(super) fn starts(&self) -> Vec<Id> {
        let mut starts = self.handles.clone();
        starts.extend(strong(&self.roots));
        starts.extend(self.targets(|_, progress| progress == Progress::Waiting));
        starts
    }

    /// The objects of those finalizers.
    pub(super) fn targets(&self, wanted: impl Fn(Number, Progress) -> bool) -> Vec<Id> {
        let wanted = |(number, known): &(&Number, &Known)| wanted(**number, known.progress);
        let finalizers = self.finalizers.iter().filter(wanted);
        finalizers.map(|(_, known)| known.target).collect()
    }

    /// What is reached from `found`, with more pairs of keys and values beside those in what is reached. Passes
    /// are repeated until there is nothing new.
    pub(super) fn closure(&self, mut found: Vec<Id>, more: &[(Id, Id)]) -> BTreeSet<Id> {
        let mut reached = BTreeSet::new();
        while !found.is_empty() {
            while let Some(id) = found.pop() {
                if let Some(object) = self.get(id)
                    && reached.insert(id)
                {
                    found.extend(strong(&object.slots));
                }
            }
            let pairs = reached.iter().filter_map(|id| self.object(*id).pair);
            for (key, value) in pairs.chain(more.iter().copied()) {
                if reached.contains(&key) && !reached.contains(&value) {
                    found.push(value);
                }
            }
        }
        reached
    }

    /// The objects to which weak pointers lead from the roots and from objects that can be reached.
    pub(super) fn weakly_reachable(&self, reachable: &BTreeSet<Id>) -> BTreeSet<Id> {
        let mut weakly: BTreeSet<Id> = weak(&self.roots).collect();
        for id in reachable {
            weakly.extend(self.object(*id).weak());
        }
        weakly
    }
}

fn strong(slots: &[Slot]) -> impl Iterator<Item = Id> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Strong(id) | Slot::Soft(id) => Some(*id),
        _ => None,
    })
}

pub(super) fn weak(slots: &[Slot]) -> impl Iterator<Item = Id> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Weak(id) | Slot::Long(id) => Some(*id),
        _ => None,
    })
}
