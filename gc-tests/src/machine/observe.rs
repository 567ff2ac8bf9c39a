//! What the collector has done: the machine looks, compares, and tells the model.

use gc_core::Mode;
use gc_core::arena::CollectionPhase;

use super::{Machine, OWN_OBJECTS};
use crate::model::Slot;

impl Machine {
    /// Brings the model up to date after a full collection, and compares.
    pub(super) fn finished(&mut self) {
        assert_eq!(self.arena.collection_phase(), CollectionPhase::Sleeping);
        let completed = self.catch_up(true);
        assert!(completed > 0, "nothing was collected");
        self.check(true);
    }

    /// Tells the model which collections were completed since the last time, and how many they were. `full` says that after a
    /// cycle that was in progress, or was given up, there was a full collection.
    ///
    /// Finalizers run between them: those that wait run before a full collection begins, so what only they kept alive is
    /// freed by it. Where memory is short, there is another collection when they have run.
    pub(super) fn catch_up(&mut self, full: bool) -> u64 {
        let in_cycle = self.model.in_cycle();
        let completed = self.arena.metrics().statistics().collections - self.collections;
        let mut most = if in_cycle { 2 } else { 1 };
        for number in 0..completed {
            if self.model.in_cycle() && !full {
                self.model.end_cycle();
            } else {
                let ran = self.absorb_run(self.collections);
                most += u64::from(ran && number > 0);
                self.model.collect();
            }
            self.collections += 1;
        }
        assert!(completed <= most, "{completed} collections, at most {most}");
        completed
    }

    /// Tells the model what the collector has done, and compares.
    pub(super) fn observe(&mut self, safepoint: bool) {
        let in_cycle = u64::from(self.model.in_cycle());
        let completed = self.catch_up(false);
        let phase = self.arena.collection_phase();
        if completed > 0 {
            let full = completed > in_cycle;
            assert!(safepoint || !full, "a cycle outside of a safepoint");
            self.check(full && phase == CollectionPhase::Sleeping);
        }
        if phase == CollectionPhase::Sleeping {
            assert!(!self.model.in_cycle(), "a cycle ended and was not counted");
        } else if !self.model.in_cycle() {
            assert!(safepoint, "a cycle began outside of a safepoint");
            assert_ne!(
                self.mode,
                Mode::StopTheWorld,
                "a cycle was left in progress"
            );
            self.model.begin_cycle();
        }
        self.absorb_finalizers();
        self.absorb_drops();
        let found = self.arena.metrics().total_gc_count();
        let expected = self.model.count() + OWN_OBJECTS;
        let most = expected + self.soft_objects;
        assert!(found <= most, "{found} objects, at most {most}");
        if !self.model.is_vague() {
            assert!(found >= expected, "{found} objects, at least {expected}");
        }
    }

    /// Tells the model which values were dropped.
    pub(crate) fn absorb_drops(&mut self) {
        let mut news = self.log.news();
        news.sort_unstable();
        news.dedup();
        news.retain(|id| self.model.get(*id).is_some_and(|object| object.whole));
        if !news.is_empty() {
            let reachable = self.model.reachable();
            for id in news {
                assert!(
                    !reachable.contains(&id),
                    "object {id} was dropped and can be reached"
                );
                assert!(
                    self.model.is_vague(),
                    "object {id} was dropped outside of a cycle"
                );
                self.model.lose(id);
            }
        }
    }

    /// Tells the model which finalizers have run, and makes roots of what they have resurrected.
    pub(crate) fn absorb_finalizers(&mut self) {
        self.absorb_run(u64::MAX);
        let (least, most) = self.model.waiting();
        let waiting = self.arena.metrics().statistics().finalizers_waiting;
        assert!(
            (least..=most).contains(&waiting),
            "{waiting} finalizers wait, not {least} to {most}"
        );
    }

    /// The same for those that ran when at most so many collections were complete; whether there are any.
    fn absorb_run(&mut self, collections: u64) -> bool {
        let news = self.ledger.news(collections);
        let some = !news.is_empty();
        if some {
            let mut resurrected = Vec::new();
            for entry in news {
                let (id, resurrects) = self.model.ran(entry.number);
                assert!(entry.faults.is_empty(), "object {id}: {entry:?}");
                // It was at hand in any case.
                self.model.revived(id);
                resurrected.extend(resurrects.then_some(id));
            }
            let roots = resurrected.iter().copied().map(Slot::Strong);
            self.model.roots.extend(roots);
            self.arena.mutate_root(|mc, root| {
                let mut drawer = root.drawer.borrow_mut(mc);
                root.slots.extend(drawer.drain(..resurrected.len()));
                let all = collections == u64::MAX;
                assert!(!all || drawer.is_empty(), "nobody has resurrected these");
            });
        }
        some
    }
}
