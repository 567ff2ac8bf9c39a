//! Finalizers: which there are, and how far each has come.

use super::{Death, Id, Model};
use crate::ledger::Number;

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
pub(super) struct Known {
    pub(super) target: Id,
    pub(super) resurrects: bool,
    pub(super) progress: Progress,
}

impl Model {
    /// The number of finalizers that have not run.
    pub fn finalizers(&self) -> usize {
        self.finalizers.len()
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
}
