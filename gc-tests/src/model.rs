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
//!
//! That is so at the end of a *full* collection, before which nothing was in progress. A *cycle*
//! between whose beginning and end the program goes on promises less, and both are told to the model
//! ([`Model::begin_cycle`], [`Model::end_cycle`]):
//!
//! - what can be reached is whole at any time;
//! - what could not be reached at the beginning is dropped at the end, unless a weak pointer to it, or
//!   to an object that leads to it, was upgraded meanwhile;
//! - what became unreachable meanwhile may be dropped in this cycle, or in a later one. The model goes
//!   on to call it whole until it is told otherwise ([`Model::lose`]): because its drop was noted, or
//!   a weak pointer to it could not be upgraded ([`Model::vanished`]). What it leads to is kept as well, as it can come
//!   back by a weak pointer.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Kind, Place, VECTOR_SLOTS};

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
    /// Whether it is known that it will never be reached again, though it may not be dropped yet.
    pub lost: bool,
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

/// What a cycle in progress owes.
#[derive(Clone, Debug, Default)]
struct Cycle {
    /// Objects that will be dropped at its end, if they are whole.
    doomed: BTreeSet<Id>,
    /// Those of them, and shells, to which no weak pointer leads that counts.
    forgotten: BTreeSet<Id>,
}

/// A heap as it ought to be.
#[derive(Clone, Debug, Default)]
pub struct Model {
    objects: BTreeMap<Id, Object>,
    /// The cycle in progress, if there is one.
    cycle: Option<Cycle>,
    /// Whether an object may be gone that is called whole here, or may be gone that is a shell here.
    vague: bool,
    /// The slots of the root.
    pub roots: Vec<Slot>,
    /// What the handles hold: those of the dynamic root set, and guards that pin.
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
                lost: false,
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

    /// The objects to which weak pointers lead from the roots and from objects that can be reached.
    fn weakly_reachable(&self, reachable: &BTreeSet<Id>) -> BTreeSet<Id> {
        let mut weakly: BTreeSet<Id> = weak(&self.roots).collect();
        for id in reachable {
            weakly.extend(weak(&self.object(*id).slots));
        }
        weakly
    }

    /// Whether it is not known of each object if it is there.
    pub fn is_vague(&self) -> bool {
        self.vague
    }

    /// Whether a cycle is in progress.
    pub fn in_cycle(&self) -> bool {
        self.cycle.is_some()
    }

    /// A cycle begins, and the program goes on.
    pub fn begin_cycle(&mut self) {
        let reachable = self.reachable();
        let weakly = self.weakly_reachable(&reachable);
        let mut cycle = Cycle::default();
        for (id, object) in &self.objects {
            if !reachable.contains(id) && object.kind.extent().is_some() {
                cycle.doomed.insert(*id);
                if !weakly.contains(id) {
                    cycle.forgotten.insert(*id);
                }
            }
        }
        self.cycle = Some(cycle);
        self.vague = true;
    }

    /// The cycle in progress ends.
    pub fn end_cycle(&mut self) {
        let cycle = self.cycle.take().expect("no cycle is in progress");
        for id in cycle.doomed {
            if self.get(id).is_some_and(|object| object.whole) {
                self.lose(id);
            }
        }
        self.objects.retain(|id, _| !cycle.forgotten.contains(id));
    }

    /// The cycle in progress is given up: it does nothing of what it owed.
    pub fn abandon_cycle(&mut self) {
        self.cycle = None;
    }

    /// A weak pointer to an object was upgraded.
    ///
    /// # Panics
    ///
    /// If something to which the object leads is gone.
    pub fn upgraded(&mut self, id: Id) {
        let mut revived = BTreeSet::new();
        let mut found = vec![id];
        while let Some(at) = found.pop() {
            if revived.insert(at) {
                let object = self.object(at);
                let here = object.whole && !object.lost;
                assert!(here, "object {id} came back without object {at}");
                found.extend(strong(&object.slots));
            }
        }
        if let Some(mut cycle) = self.cycle.take() {
            for id in revived {
                cycle.doomed.remove(&id);
                cycle.forgotten.remove(&id);
                for id in weak(&self.object(id).slots) {
                    cycle.forgotten.remove(&id);
                }
            }
            self.cycle = Some(cycle);
        }
    }

    /// A weak pointer to an object could not be upgraded.
    pub fn vanished(&mut self, id: Id) {
        let object = self.objects.get_mut(&id);
        let object = object.unwrap_or_else(|| panic!("object {id} is gone from the model"));
        if !object.whole || object.lost {
            return;
        }
        match &mut self.cycle {
            // Its value may be dropped a little later, but not after the end.
            Some(cycle) => {
                object.lost = true;
                cycle.doomed.insert(id);
            }
            None => self.lose(id),
        }
    }

    /// An object was dropped.
    pub fn lose(&mut self, id: Id) {
        let object = self.objects.get_mut(&id);
        let object = object.unwrap_or_else(|| panic!("object {id} is gone from the model"));
        assert!(object.whole, "object {id} was dropped before");
        object.whole = false;
        object.slots.clear();
        let kind = object.kind;
        self.drop_values(id, kind, kind.tracked());
    }

    /// Takes the content of a growing object.
    pub fn take(&mut self, id: Id) -> Vec<Slot> {
        let object = self.objects.get_mut(&id);
        core::mem::take(&mut object.expect("only whole objects are written").slots)
    }

    /// Adds to the content of a growing object as much as it can hold.
    pub fn extend(&mut self, id: Id, more: Vec<Slot>) {
        let object = self.objects.get_mut(&id);
        let slots = &mut object.expect("only whole objects are written").slots;
        let room = VECTOR_SLOTS - slots.len();
        slots.extend(more.into_iter().take(room));
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

    /// What a full collection does.
    pub fn collect(&mut self) {
        self.cycle = None;
        self.vague = false;
        let reachable = self.reachable();
        let weakly = self.weakly_reachable(&reachable);
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

    /// How many of the values of size zero that were not dropped are in objects that cannot be
    /// reached.
    pub fn fading_units(&self, reachable: &BTreeSet<Id>) -> usize {
        let fading = |(id, object): &(&Id, &Object)| {
            object.whole && object.kind == Kind::TrackedUnit && !reachable.contains(id)
        };
        self.objects.iter().filter(fading).count()
    }

    /// The number of objects with memory that are there for certain.
    pub fn certain(&self, reachable: &BTreeSet<Id>) -> usize {
        let weakly = self.weakly_reachable(reachable);
        let certain = |id: &&Id| self.object(**id).kind.extent().is_some();
        reachable.union(&weakly).filter(certain).count()
    }

    /// The number of objects with memory: whole ones, garbage included, and shells. If the model is
    /// vague, there may be less.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A root, an object that it leads to, and a weak pointer from there to a third, which leads to a
    /// fourth.
    fn model() -> Model {
        let mut model = Model::default();
        for id in 1..=4 {
            model.allocate(id, Kind::Record, None);
        }
        model.roots.push(Slot::Strong(1));
        model.write(1, 0, Slot::Strong(2));
        model.write(2, 0, Slot::Weak(3));
        model.write(3, 0, Slot::Strong(4));
        model
    }

    fn is_whole(model: &Model, id: Id) -> Option<bool> {
        model.get(id).map(|object| object.whole)
    }

    #[test]
    fn a_full_collection_leaves_what_is_reachable_and_shells() {
        let mut model = model();
        model.collect();
        assert_eq!(is_whole(&model, 2), Some(true));
        assert_eq!(
            (is_whole(&model, 3), is_whole(&model, 4)),
            (Some(false), None)
        );
        assert_eq!((model.count(), model.is_vague()), (3, false));
    }

    #[test]
    fn a_cycle_frees_what_was_unreachable_when_it_began() {
        let mut model = model();
        model.begin_cycle();
        model.write(1, 0, Slot::Nil);
        model.end_cycle();
        // The second may still be there, and with it the shell.
        assert_eq!(
            (is_whole(&model, 2), is_whole(&model, 3)),
            (Some(true), Some(false))
        );
        assert_eq!(is_whole(&model, 4), None);
        assert_eq!((model.certain(&model.reachable()), model.count()), (1, 3));
        assert!(model.is_vague());
        model.begin_cycle();
        model.end_cycle();
        assert_eq!(model.count(), 1);
    }

    #[test]
    fn what_is_upgraded_stays_with_all_that_it_leads_to() {
        let mut model = model();
        model.begin_cycle();
        model.upgraded(3);
        model.end_cycle();
        assert_eq!(
            (is_whole(&model, 3), is_whole(&model, 4)),
            (Some(true), Some(true))
        );
        model.collect();
        assert_eq!(
            (is_whole(&model, 3), is_whole(&model, 4)),
            (Some(false), None)
        );
    }

    #[test]
    #[should_panic(expected = "object 3 came back without object 4")]
    fn nothing_comes_back_without_what_it_leads_to() {
        let mut model = model();
        model.begin_cycle();
        model.vanished(4);
        model.upgraded(3);
    }

    #[test]
    fn an_abandoned_cycle_owes_nothing() {
        let mut model = model();
        model.begin_cycle();
        model.abandon_cycle();
        assert_eq!((model.count(), model.in_cycle()), (4, false));
        model.upgraded(3);
        model.collect();
        assert_eq!(model.count(), 3);
    }

    #[test]
    fn a_way_can_be_cut() {
        let mut model = model();
        let route = model.route(0, &[0]).unwrap();
        assert_eq!(route.id, 2);
        assert!(model.leads(&route));
        model.write(1, 0, Slot::Weak(2));
        assert!(!model.leads(&route));
    }
}
