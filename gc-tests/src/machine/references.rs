//! Operations on weak pointers, ephemerons and finalizers.

use gc_core::Gc;
use gc_core::barrier::unlock;

use super::Machine;
use super::supply::follow;
use crate::ledger::Finalizer;
use crate::model::{Id, Slot};
use crate::objects::{Keyed, Pair, Pointer, Root, Value};
use crate::operation::Path;

impl Machine {
    pub(super) fn upgrade(&mut self, object: &Path, wanted: usize, keep: bool) {
        let Some(route) = self.route(object) else {
            return;
        };
        let slots = &self.model.object(route.id).slots;
        let slot = (!slots.is_empty()).then(|| wanted % slots.len());
        if let Some(slot) = slot
            && let Slot::Weak(id) | Slot::Long(id) = slots[slot]
        {
            self.follow_weak(id, keep, |root| follow(root, &route).slot(slot));
        } else if let Some(index) = self.root_index(wanted)
            && let Slot::Weak(id) | Slot::Long(id) = self.model.roots[index]
        {
            self.follow_weak(id, keep, |root| root.slots[index]);
        }
    }

    /// Upgrades the weak pointer to the object `id` that `get` gets, and maybe makes a root of it.
    fn follow_weak(&mut self, id: Id, keep: bool, get: impl for<'gc> Fn(&Root<'gc>) -> Value<'gc>) {
        let object = self.model.object(id);
        let kind = object.kind;
        let (there, long) = self.arena.mutate_root(|mc, root| {
            let (upgraded, long) = match get(root) {
                Value::Weak(weak) => (weak.upgrade(mc), false),
                Value::Long(weak) => (weak.upgrade(mc), true),
                _ => panic!("a weak pointer of the model is none in the heap"),
            };
            assert!(
                upgraded.is_none_or(|pointer| pointer.is(kind, id)),
                "object {id}, {kind:?}, was changed"
            );
            if keep {
                root.slots.extend(upgraded.map(Value::Strong));
            }
            (upgraded.is_some(), long)
        });
        if long {
            self.note_long(id, there);
        } else {
            let expected = self.model.is_open(id, &self.model.reachable());
            assert!(
                expected.is_none_or(|expected| expected == there),
                "whether object {id} can be upgraded: {there}"
            );
            match there {
                true => self.model.upgraded(id),
                false => self.model.cleared(id),
            }
        }
        if there && keep {
            self.model.roots.push(Slot::Strong(id));
        }
    }

    /// Writes an ephemeron.
    pub(super) fn pair(&mut self, object: &Path, pair: Option<&(Path, Path)>) {
        let Some(at) = self.keyed(object) else { return };
        let pair = match pair {
            None => None,
            Some((key, value)) => match (self.keyed(key), self.keyed(value)) {
                (Some(key), Some(value)) => Some((key, value)),
                _ => return,
            },
        };
        self.arena.mutate(|mc, root| {
            let find = |route| follow(root, route).keyed();
            let new = pair
                .as_ref()
                .map(|(key, value)| Pair::new(find(key), find(value)));
            unlock!(Gc::write(mc, find(&at)), Keyed, pair).set(new);
        });
        let pair = pair.map(|(key, value)| (key.id, value.id));
        self.model.pair(at.id, pair);
    }

    /// Follows an ephemeron.
    pub(super) fn follow_pair(&mut self, object: &Path, keep: bool) {
        let Some(at) = self.keyed(object) else { return };
        let Some((key, value)) = self.model.object(at.id).pair else {
            return;
        };
        let there = self.arena.mutate_root(|mc, root| {
            let pair = follow(root, &at).keyed().pair.get();
            let found = pair.expect("there is an ephemeron").get(mc);
            if let Some((real_key, real_value)) = found {
                assert_eq!((real_key.id, real_value.id), (key, value));
                if keep {
                    let both = [real_key, real_value];
                    root.slots
                        .extend(both.map(|gc| Value::Strong(Pointer::Keyed(gc))));
                }
            }
            found.is_some()
        });
        self.note_long(key, there);
        if there {
            self.model.revived(value);
            if keep {
                self.model.roots.extend([key, value].map(Slot::Strong));
            }
        }
    }

    /// Tells the model whether an object was there when a long weak pointer or an ephemeron was followed to it.
    fn note_long(&mut self, id: Id, there: bool) {
        let object = self.model.object(id);
        let here = object.whole && !object.lost;
        if there {
            assert!(here, "object {id} was upgraded, and is gone");
            self.model.revived(id);
        } else if here {
            assert!(
                self.model.is_vague() && !self.model.reachable().contains(&id),
                "object {id} cannot be upgraded"
            );
            self.model.vanished(id);
        }
    }

    pub(super) fn finalize(&mut self, path: &Path, resurrects: bool) {
        let Some(route) = self.route(path) else {
            return;
        };
        let (id, kind) = (route.id, self.model.object(route.id).kind);
        if !kind.can_be_finalized() {
            return;
        }
        let number = self.next;
        self.next += 1;
        let finalizer = Finalizer {
            number,
            id,
            kind,
            resurrects,
        };
        let registration = self
            .arena
            .mutate(|mc, root| follow(root, &route).finalize(mc, &self.ledger, finalizer));
        let registration = registration.expect("objects of this kind can be finalized");
        self.registrations.push((number, registration));
        self.model.register(number, id, resurrects);
    }

    pub(super) fn unregister(&mut self, wanted: usize) {
        let count = self.registrations.len();
        if count > 0 {
            let (number, registration) = self.registrations[wanted % count];
            let taken = self.arena.mutate(|mc, _| registration.unregister(mc));
            self.model
                .unregistered(number, taken.expect("it is of this arena"));
        }
    }

    pub(super) fn run_finalizers(&mut self, count: usize) {
        let waiting = self.arena.metrics().statistics().finalizers_waiting;
        let run = self.arena.run_finalizers(count);
        assert_eq!(run, count.min(waiting), "the number of finalizers that ran");
    }
}
