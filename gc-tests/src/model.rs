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

use std::collections::{BTreeMap, BTreeSet};

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

/// How far it has come with a finalizer that has not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is registered. If the model is vague and the object cannot be reached, it may wait already.
    Registered,
    /// It is registered, or waits; its object cannot have been freed.
    Doubtful,
    /// It waits for certain, and keeps its object alive.
    Waiting,
}

/// What is known of a finalizer that has not run.
#[derive(Clone, Copy, Debug)]
struct Known {
    target: Id,
    resurrects: bool,
    progress: Progress,
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
    /// Objects that will have been found dead at its end.
    dying: BTreeSet<Id>,
    /// Finalizers that will wait at its end, if their objects are among those.
    due: BTreeSet<Number>,
    /// What could be reached when it began, and what was revived since.
    reached: BTreeSet<Id>,
    /// The ephemerons in that, also those that were overwritten.
    pairs: Vec<(Id, Id)>,
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

    /// The objects to which paths of strong pointers lead from the roots, from handles, and from objects
    /// whose finalizers wait; values of ephemerons whose keys are reached among them.
    pub fn reachable(&self) -> BTreeSet<Id> {
        self.closure(self.starts(), &[])
    }

    /// Where paths begin: roots, handles, and the objects whose finalizers wait for certain.
    fn starts(&self) -> Vec<Id> {
        let mut starts = self.handles.clone();
        starts.extend(strong(&self.roots));
        starts.extend(self.targets(|_, progress| progress == Progress::Waiting));
        starts
    }

    /// The objects of those finalizers.
    fn targets(&self, wanted: impl Fn(Number, Progress) -> bool) -> Vec<Id> {
        let wanted = |(number, known): &(&Number, &Known)| wanted(**number, known.progress);
        let finalizers = self.finalizers.iter().filter(wanted);
        finalizers.map(|(_, known)| known.target).collect()
    }

    /// What is reached from `found`, with more pairs of keys and values beside those in what is reached. Passes
    /// are repeated until there is nothing new.
    fn closure(&self, mut found: Vec<Id>, more: &[(Id, Id)]) -> BTreeSet<Id> {
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
    fn weakly_reachable(&self, reachable: &BTreeSet<Id>) -> BTreeSet<Id> {
        let mut weakly: BTreeSet<Id> = weak(&self.roots).collect();
        for id in reachable {
            weakly.extend(self.object(*id).weak());
        }
        weakly
    }

    /// The number of finalizers that have not run.
    pub fn finalizers(&self) -> usize {
        self.finalizers.len()
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
        self.doubt();
        let reachable = self.reachable();
        let mut seen = self.starts();
        seen.extend(self.targets(|_, progress| progress == Progress::Doubtful));
        let seen = self.closure(seen, &[]);
        let mut cycle = Cycle::default();
        for (number, known) in &self.finalizers {
            if known.progress == Progress::Registered && !seen.contains(&known.target) {
                cycle.due.insert(*number);
            }
        }
        let mut kept: Vec<Id> = seen.iter().copied().collect();
        kept.extend(self.targets(|number, _| cycle.due.contains(&number)));
        let kept = self.closure(kept, &[]);
        let weakly = self.weakly_reachable(&kept);
        for (id, object) in &self.objects {
            if object.kind.extent().is_none() {
                continue;
            }
            if !seen.contains(id) {
                cycle.dying.insert(*id);
            }
            if !kept.contains(id) {
                cycle.doomed.insert(*id);
                if !weakly.contains(id) {
                    cycle.forgotten.insert(*id);
                }
            }
        }
        cycle.pairs = reachable
            .iter()
            .filter_map(|id| self.object(*id).pair)
            .collect();
        cycle.reached = reachable;
        self.cycle = Some(cycle);
        self.vague = true;
    }

    /// Where it is not known what has happened to objects that cannot be reached, it is not known of their
    /// finalizers whether they wait.
    fn doubt(&mut self) {
        if self.vague {
            let reachable = self.reachable();
            for known in self.finalizers.values_mut() {
                if known.progress == Progress::Registered && !reachable.contains(&known.target) {
                    known.progress = Progress::Doubtful;
                }
            }
        }
    }

    /// The cycle in progress ends.
    pub fn end_cycle(&mut self) {
        let cycle = self.cycle.take().expect("no cycle is in progress");
        for number in &cycle.due {
            if let Some(known) = self.finalizers.get_mut(number)
                && cycle.dying.contains(&known.target)
            {
                known.progress = Progress::Waiting;
            }
        }
        for id in cycle.dying {
            if let Some(object) = self.objects.get_mut(&id) {
                object.death = Death::Found;
            }
        }
        for id in cycle.doomed {
            if self.get(id).is_some_and(|object| object.whole) {
                self.lose(id);
            }
        }
        self.objects.retain(|id, _| !cycle.forgotten.contains(id));
    }

    /// The cycle in progress is given up: it does nothing of what it owed. But if there are finalizers, it may
    /// have enqueued some.
    pub fn abandon_cycle(&mut self) {
        self.cycle = None;
        self.vague |= self.had_finalizers;
    }

    /// A short weak pointer to an object was upgraded, so it was not found dead.
    ///
    /// # Panics
    ///
    /// As [`Model::revived`]; or if it was found dead.
    pub fn upgraded(&mut self, id: Id) {
        let object = self.objects.get_mut(&id).expect("it is there");
        assert_ne!(
            object.death,
            Death::Found,
            "object {id} was found dead before"
        );
        object.death = Death::None;
        self.revive(id, Some(id));
    }

    /// The program got hold of an object, in a way that is open to it also after the object was found dead: by a
    /// long weak pointer, an ephemeron or a finalizer.
    ///
    /// # Panics
    ///
    /// If something to which the object leads is gone.
    pub fn revived(&mut self, id: Id) {
        self.revive(id, None);
    }

    fn revive(&mut self, id: Id, alive: Option<Id>) {
        // What was found dead meanwhile, and its finalizers with it, may be at hand again now.
        self.doubt();
        let before = self.reachable();
        let mut starts = self.starts();
        starts.push(id);
        let mut revived = self.closure(starts, &[]);
        for at in revived.difference(&before) {
            let object = self.object(*at);
            let here = object.whole && !object.lost;
            assert!(here, "object {id} came back without object {at}");
        }
        if let Some(mut cycle) = self.cycle.take() {
            // The cycle follows also what led somewhere when it began.
            let starts = revived.iter().chain(&cycle.reached).copied().collect();
            let reached = self.closure(starts, &cycle.pairs);
            for at in &reached {
                cycle.doomed.remove(at);
                cycle.dying.remove(at);
                cycle.forgotten.remove(at);
                for weak in self.object(*at).weak() {
                    cycle.forgotten.remove(&weak);
                }
                cycle.pairs.extend(self.object(*at).pair);
            }
            revived.extend(&reached);
            cycle.reached = reached;
            self.cycle = Some(cycle);
        }
        if self.vague && self.had_finalizers {
            for at in revived.difference(&before) {
                let object = self.objects.get_mut(at).expect("it was met");
                if object.death == Death::None && alive != Some(*at) {
                    object.death = Death::Doubtful;
                }
            }
        }
    }

    /// A short weak pointer to an object could not be upgraded.
    pub fn cleared(&mut self, id: Id) {
        if !self.had_finalizers {
            return self.vanished(id);
        }
        let object = self.objects.get_mut(&id);
        object.expect("it is in the model").death = Death::Found;
    }

    /// Whether a short weak pointer to an object leads there; `None` if that is not known.
    pub fn is_open(&self, id: Id, reachable: &BTreeSet<Id>) -> Option<bool> {
        let object = self.object(id);
        if !object.whole || object.lost || object.death == Death::Found {
            return Some(false);
        }
        let known = object.death == Death::None && (!self.vague || reachable.contains(&id));
        known.then_some(true)
    }

    /// What a long weak pointer to an object was followed for is not there any more.
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

    /// A finalizer is registered.
    pub fn register(&mut self, number: Number, target: Id, resurrects: bool) {
        self.had_finalizers = true;
        let known = Known {
            target,
            resurrects,
            progress: Progress::Registered,
        };
        self.finalizers.insert(number, known);
    }

    /// The least and the greatest number of finalizers that may wait now.
    pub fn waiting(&self) -> (usize, usize) {
        let reachable = self.reachable();
        let states = self.finalizers.values();
        let certain = |known: &&Known| known.progress == Progress::Waiting;
        let possible = |known: &&Known| match known.progress {
            Progress::Waiting | Progress::Doubtful => true,
            Progress::Registered => self.vague && !reachable.contains(&known.target),
        };
        let most = states.clone().filter(possible).count();
        (states.filter(certain).count(), most)
    }

    /// A finalizer has run: its object, and whether that was resurrected.
    ///
    /// # Panics
    ///
    /// If it should not have.
    pub fn ran(&mut self, number: Number) -> (Id, bool) {
        let known = self.finalizers.remove(&number);
        let known = known.unwrap_or_else(|| panic!("finalizer {number} ran twice, or in vain"));
        let target = known.target;
        if known.progress == Progress::Registered {
            let dead = self.vague && !self.reachable().contains(&target);
            assert!(dead, "finalizer {number} ran, and object {target} is alive");
        }
        let object = self.objects.get_mut(&target).expect("it was kept");
        object.death = Death::Found;
        (target, known.resurrects)
    }

    /// A finalizer was to be unregistered, with that result.
    ///
    /// # Panics
    ///
    /// If it should have been another.
    pub fn unregistered(&mut self, number: Number, taken: bool) {
        let reachable = self.reachable();
        let vague = self.vague;
        let Some(known) = self.finalizers.get_mut(&number) else {
            return assert!(!taken, "finalizer {number} has run, and was taken back");
        };
        let dead = vague && !reachable.contains(&known.target);
        let possible = match known.progress {
            Progress::Waiting => !taken,
            Progress::Doubtful => true,
            Progress::Registered => taken || dead,
        };
        assert!(possible, "finalizer {number} was taken back: {taken}");
        if taken {
            self.finalizers.remove(&number);
        } else {
            known.progress = Progress::Waiting;
        }
    }

    /// Writes the ephemeron of an object.
    pub fn pair(&mut self, id: Id, pair: Option<(Id, Id)>) {
        let object = self.objects.get_mut(&id);
        object.expect("only whole objects are written").pair = pair;
    }

    /// An object was dropped.
    pub fn lose(&mut self, id: Id) {
        let object = self.objects.get_mut(&id);
        let object = object.unwrap_or_else(|| panic!("object {id} is gone from the model"));
        assert!(object.whole, "object {id} was dropped before");
        object.whole = false;
        object.slots.clear();
        object.pair = None;
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
        self.doubt();
        self.vague = false;
        let reachable = self.reachable();
        let doubtful = |without: Option<Number>| {
            let mut starts = self.starts();
            starts.extend(self.targets(|number, progress| {
                progress == Progress::Doubtful && Some(number) != without
            }));
            self.closure(starts, &[])
        };
        let seen = doubtful(None);
        let mut progress = BTreeMap::new();
        for (number, known) in &self.finalizers {
            let target = &known.target;
            let now = match known.progress {
                Progress::Registered if !seen.contains(target) => Progress::Waiting,
                Progress::Registered if !reachable.contains(target) => Progress::Doubtful,
                // Either it was enqueued before, or it is now: nothing else can keep its object.
                Progress::Doubtful if !doubtful(Some(*number)).contains(target) => {
                    Progress::Waiting
                }
                same => same,
            };
            progress.insert(*number, now);
        }
        let mut found_dead = BTreeSet::new();
        for (number, known) in &mut self.finalizers {
            let before = core::mem::replace(&mut known.progress, progress[number]);
            if before != Progress::Waiting && known.progress == Progress::Waiting {
                found_dead.insert(known.target);
            }
        }
        let mut kept = self.starts();
        kept.extend(self.targets(|_, progress| progress == Progress::Doubtful));
        let kept = self.closure(kept, &[]);
        for id in kept.difference(&reachable) {
            let object = self.objects.get_mut(id).expect("it was met");
            if object.kind.extent().is_none() {
                continue;
            }
            if !seen.contains(id) || found_dead.contains(id) {
                object.death = Death::Found;
            } else if object.death == Death::None {
                object.death = Death::Doubtful;
            }
        }
        let weakly = self.weakly_reachable(&kept);
        for (id, mut object) in core::mem::take(&mut self.objects) {
            if !kept.contains(&id) && object.kind.extent().is_some() {
                if object.whole {
                    self.drop_values(id, object.kind, object.kind.tracked());
                }
                if !weakly.contains(&id) {
                    continue;
                }
                object = Object {
                    slots: Vec::new(),
                    pair: None,
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
        Slot::Strong(id) | Slot::Soft(id) => Some(*id),
        _ => None,
    })
}

fn weak(slots: &[Slot]) -> impl Iterator<Item = Id> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Weak(id) | Slot::Long(id) => Some(*id),
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
    fn finalizers_keep_what_they_see_until_they_have_run() {
        let mut model = model();
        model.register(10, 3, false);
        model.write(2, 1, Slot::Long(4));
        model.collect();
        assert_eq!(model.waiting(), (1, 1));
        for id in [3, 4] {
            assert_eq!(is_whole(&model, id), Some(true));
            assert_eq!(model.is_open(id, &model.reachable()), Some(false));
        }
        assert_eq!(model.ran(10), (3, false));
        model.collect();
        assert_eq!(
            (is_whole(&model, 3), is_whole(&model, 4)),
            (Some(false), Some(false))
        );
    }

    #[test]
    fn values_live_as_long_as_keys() {
        let mut model = Model::default();
        for id in 1..=4 {
            model.allocate(id, Kind::Keyed, None);
        }
        model.roots.push(Slot::Strong(1));
        model.roots.push(Slot::Strong(2));
        // The first holds a pair of which the value holds the next.
        model.pair(1, Some((2, 3)));
        model.pair(3, Some((2, 4)));
        model.collect();
        assert_eq!(model.count(), 4);
        model.roots.pop();
        model.collect();
        // Of the key there is the shell.
        assert_eq!((model.count(), is_whole(&model, 2)), (2, Some(false)));
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
