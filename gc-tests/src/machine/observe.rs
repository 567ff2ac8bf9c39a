//! What the collector has done: the machine looks, compares, and tells the model.

use gc_core::Mode;
use gc_core::arena::CollectionPhase;

use super::{Machine, OWN_OBJECTS};
use crate::model::Slot;

impl Machine {
    /// Brings the model up to date after a full collection, and compares.
    pub(super) fn finished(&mut self) {
        let collections = self.arena.metrics().statistics().collections;
        let completed = collections - self.collections;
        // Of the two that there may be, the first was in progress before.
        let most = if self.model.in_cycle() { 2 } else { 1 };
        assert!((1..=most).contains(&completed), "{completed} cycles");
        assert_eq!(self.arena.collection_phase(), CollectionPhase::Sleeping);
        self.collections = collections;
        self.model.collect();
        self.check(true);
    }

    /// Tells the model what the collector has done, and compares.
    pub(super) fn observe(&mut self, safepoint: bool) {
        let collections = self.arena.metrics().statistics().collections;
        let mut completed = collections - self.collections;
        self.collections = collections;
        let phase = self.arena.collection_phase();
        if completed > 0 && self.model.in_cycle() {
            self.model.end_cycle();
            completed -= 1;
            self.check(false);
        }
        if completed > 0 {
            assert!(safepoint, "a cycle outside of a safepoint");
            assert_eq!(completed, 1, "one safepoint, several collections");
            self.model.collect();
            if phase == CollectionPhase::Sleeping {
                self.check(true);
            }
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
        let news = self.ledger.news();
        if !news.is_empty() {
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
                let drawer = core::mem::take(&mut *root.drawer.borrow_mut(mc));
                assert_eq!(drawer.len(), resurrected.len());
                root.slots.extend(drawer);
            });
        }
        let (least, most) = self.model.waiting();
        let waiting = self.arena.metrics().statistics().finalizers_waiting;
        assert!(
            (least..=most).contains(&waiting),
            "{waiting} finalizers wait, not {least} to {most}"
        );
    }
}
