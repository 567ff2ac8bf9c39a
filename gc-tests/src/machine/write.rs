//! Operations that write to objects.

use super::Machine;
use super::supply::{Supply, follow};
use crate::kind::Kind;
use crate::model::{Route, Slot};
use crate::objects::Value;
use crate::operation::{Barrier, Destination, Path, Pause};

impl Machine {
    /// Writes, or clears the slot if it cannot hold the value.
    pub(super) fn write(
        &mut self,
        at: &Route,
        wanted: usize,
        value: Slot,
        supply: &Supply,
        barrier: Barrier,
    ) {
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
            let value = supply.value(mc, root);
            follow(root, at).set(mc, slot, value, barrier);
        });
        self.model.write(at.id, slot, value);
    }

    /// Moves a pointer.
    pub(super) fn relocate(
        &mut self,
        from: &Path,
        wanted: usize,
        to: &Destination,
        pause: Pause,
        barrier: Barrier,
    ) {
        let Some(route) = self.route(from) else {
            return;
        };
        if let Destination::New(kind) = to {
            // Made first, so that both writes can be in one call.
            let before = self.model.roots.len();
            self.allocate(*kind, None, None);
            if self.model.roots.len() == before {
                return;
            }
        }
        let slots = &self.model.object(route.id).slots;
        let Some(slot) = (!slots.is_empty()).then(|| wanted % slots.len()) else {
            return;
        };
        let value = slots[slot];
        let to = match to {
            Destination::Root => None,
            Destination::New(_) => {
                let last = self.model.roots.len() - 1;
                Some((self.model.route(last, &[]), 0))
            }
            Destination::Slot(path, wanted) => Some((self.route(path), *wanted)),
        };
        let to = to.map(|(route, wanted)| (route.expect("there is a root"), wanted));
        if pause != Pause::None {
            let supply = Supply::Slot(route.clone(), slot);
            match &to {
                None => {
                    self.model.roots.push(value);
                    self.arena
                        .mutate_root(|mc, root| root.slots.push(supply.value(mc, root)));
                }
                Some((at, wanted)) => self.write(at, *wanted, value, &supply, barrier),
            }
            if pause == Pause::Safepoint {
                self.collect_debt();
            }
            // The write may have cut the way.
            if self.model.leads(&route) {
                self.write(&route, slot, Slot::Nil, &Supply::Nil, barrier);
            }
            return;
        }
        let place = match &to {
            None => None,
            Some((at, wanted)) => {
                let object = self.model.object(at.id);
                match object.kind.slot(object.slots.len(), *wanted) {
                    Some(place) if self.model.accepts(at.id, place, value) => Some((at, place)),
                    _ => return,
                }
            }
        };
        if !self.model.accepts(route.id, slot, Slot::Nil) {
            return;
        }
        self.arena.mutate_root(|mc, root| {
            let object = follow(root, &route);
            let value = object.slot(slot);
            match place {
                None => root.slots.push(value),
                Some((at, place)) => follow(root, at).set(mc, place, value, barrier),
            }
            object.set(mc, slot, Value::Nil, barrier);
        });
        match place {
            None => self.model.roots.push(value),
            Some((at, place)) => self.model.write(at.id, place, value),
        }
        self.model.write(route.id, slot, Slot::Nil);
    }

    /// Takes the content of a growing object away at once.
    pub(super) fn take_apart(&mut self, from: &Path, to: Option<&Path>) {
        let grows = |route: &Route| self.model.object(route.id).kind == Kind::Vector;
        let Some(from) = self.route(from).filter(grows) else {
            return;
        };
        let to = to.and_then(|to| self.route(to)).filter(grows);
        self.arena.mutate_root(|mc, root| {
            let target = to.as_ref().map(|to| follow(root, to));
            let taken = follow(root, &from).take(mc);
            match target {
                Some(target) => target.extend(mc, taken),
                None => root.slots.extend(taken),
            }
        });
        let taken = self.model.take(from.id);
        match to {
            Some(to) => self.model.extend(to.id, taken),
            None => self.model.roots.extend(taken),
        }
    }
}
