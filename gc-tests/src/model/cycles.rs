//! Collections: full ones, and cycles between whose beginning and end the program goes on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Death, Id, Model, Object, Progress};
use crate::ledger::Number;

/// What a cycle in progress owes.
#[derive(Clone, Debug, Default)]
pub(super) struct Cycle {
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

impl Model {
    /// Whether it is not known of each object if it is there.
    pub fn is_vague(&self) -> bool {
        self.vague
    }

    /// Whether a cycle is in progress.
    pub fn in_cycle(&self) -> bool {
        self.cycle.is_some()
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

    /// Where it is not known what has happened to objects that cannot be reached, it is not known of their
    /// finalizers whether they wait.
    pub(super) fn doubt(&mut self) {
        if self.vague {
            let reachable = self.reachable();
            for known in self.finalizers.values_mut() {
                if known.progress == Progress::Registered && !reachable.contains(&known.target) {
                    known.progress = Progress::Doubtful;
                }
            }
        }
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

    /// The program got hold of an object, in a way that is open to it also after the object was found dead: by a
    /// long weak pointer, an ephemeron or a finalizer.
    ///
    /// # Panics
    ///
    /// If something to which the object leads is gone.
    pub fn revived(&mut self, id: Id) {
        self.revive(id, None);
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
}
