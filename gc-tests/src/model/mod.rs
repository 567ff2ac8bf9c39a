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
//! Weak pointers from objects that die themselves count for nothing. The value of an ephemeron is
//! reached where its key is, and the ephemeron.
//!
//! Finalizers change this. A full collection that meets registered finalizers of objects that cannot be
//! reached lets these wait: all such at once. All that can be reached from their objects is kept until
//! they have run. What was not reached before it is *found dead*: no short weak pointer leads to it
//! any more, whatever becomes of it. Each finalizer runs once.
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

mod cycles;
mod finalizers;
mod paths;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::cycles::Cycle;
use self::finalizers::Known;
pub use self::finalizers::Progress;
pub use self::paths::Route;
use self::paths::weak;
use crate::kind::{Kind, Place, VECTOR_SLOTS};
use crate::ledger::Number;

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
    /// One that does not, and that finalization does not clear.
    Long(Id),
    /// A pointer that keeps the object alive, because the policy for such pointers says so.
    Soft(Id),
}

/// Whether an object was found dead, after which no short weak pointer leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// No. But in a vague model an object that cannot be reached may have been.
    None,
    /// That is not known.
    Doubtful,
    /// Yes, for good.
    Found,
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
    /// Whether it was found dead.
    pub death: Death,
    /// Key and value of its ephemeron.
    pub pair: Option<(Id, Id)>,
}

impl Object {
    /// Where its weak pointers lead. The key of an ephemeron is one.
    fn weak(&self) -> impl Iterator<Item = Id> {
        weak(&self.slots).chain(self.pair.map(|(key, _)| key))
    }
}

/// A heap as it ought to be.
#[derive(Clone, Debug, Default)]
pub struct Model {
    objects: BTreeMap<Id, Object>,
    /// The cycle in progress, if there is one.
    cycle: Option<Cycle>,
    /// Whether an object may be gone that is called whole here, or may be gone that is a shell here.
    vague: bool,
    /// The finalizers that have not run.
    finalizers: BTreeMap<Number, Known>,
    /// Whether there ever was one.
    had_finalizers: bool,
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
                death: Death::None,
                pair: None,
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
            Slot::Strong(target) | Slot::Weak(target) | Slot::Long(target) | Slot::Soft(target) => {
                Some(self.object(target).kind)
            }
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

    /// Writes the ephemeron of an object.
    pub fn pair(&mut self, id: Id, pair: Option<(Id, Id)>) {
        let object = self.objects.get_mut(&id);
        object.expect("only whole objects are written").pair = pair;
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
