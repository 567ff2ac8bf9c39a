//! Operations that allocate, and what follows if there is no memory.

use gc_core::HeapError;

use super::Machine;
use super::supply::{Supply, follow};
use crate::access;
use crate::kind::Kind;
use crate::model::{Id, Route, Slot};
use crate::objects::{Pointer, Value};
use crate::operation::{Barrier, Path};

impl Machine {
    pub(super) fn allocate(
        &mut self,
        kind: Kind,
        origin: Option<&Path>,
        slot: Option<&(Path, usize)>,
    ) {
        let id = self.next;
        self.next += 1;
        let origin = origin
            .and_then(|path| self.route(path))
            .filter(|route| self.model.object(route.id).kind == Kind::Fixed);
        let log = &self.log;
        let made = self.arena.mutate_root(|mc, root| {
            let origin = origin.as_ref().map(|route| follow(root, route));
            let pointer = access::allocate(mc, kind, id, origin, log)?;
            root.slots.push(Value::Strong(pointer));
            Ok(pointer.address())
        });
        match made {
            Ok(address) => {
                self.model.allocate(id, kind, origin.map(|route| route.id));
                self.model.roots.push(Slot::Strong(id));
                self.addresses.insert(id, address);
            }
            Err(error) => return self.refuse(id, kind, error),
        }
        // With a slot to go to it is a root no longer than it has to be.
        if let Some((path, slot)) = slot
            && let Some(route) = self.route(path)
        {
            let index = self.model.roots.len() - 1;
            let itself = Route {
                root: index,
                slots: Vec::new(),
                id,
            };
            self.write(
                &route,
                *slot,
                Slot::Strong(id),
                &Supply::Strong(itself),
                Barrier::Object,
            );
            self.model.roots.pop();
            self.arena.mutate_root(|_, root| _ = root.slots.pop());
        }
    }

    /// Allocates objects that are garbage from the beginning.
    pub(super) fn litter(&mut self, kind: Kind, count: usize) {
        for _ in 0..count {
            let id = self.next;
            self.next += 1;
            let log = &self.log;
            let made = self
                .arena
                .mutate(|mc, _| access::allocate(mc, kind, id, None, log).map(Pointer::address));
            match made {
                Ok(address) => {
                    self.model.allocate(id, kind, None);
                    self.addresses.insert(id, address);
                }
                Err(error) => return self.refuse(id, kind, error),
            }
        }
    }

    /// An allocation failed: its value was dropped, nothing else happened, the error tells why, and
    /// a collection is due.
    fn refuse(&mut self, id: Id, kind: Kind, error: HeapError) {
        self.refused += 1;
        self.model.refuse(id, kind);
        let bytes = kind.extent().expect("an object without memory was refused");
        match error {
            HeapError::LimitReached {
                requested,
                limit,
                in_use,
                ..
            } => {
                assert!(requested >= bytes && in_use <= limit && requested > limit - in_use);
                assert!(
                    error.to_string().contains("raise `HeapOptions::limit`"),
                    "{error}"
                );
            }
            HeapError::AddressSpaceExhausted {
                requested,
                reserved,
                ..
            } => {
                assert!(requested >= bytes && reserved > 0);
                assert!(
                    error.to_string().contains("raise `HeapOptions::reserve`"),
                    "{error}"
                );
            }
            other => panic!("{other}"),
        }
        self.observe(false);
        if self.model.in_cycle() {
            return self.finish_cycle();
        }
        assert!(self.arena.metrics().allocation_debt() > 0.0);
        let before = self.collections;
        self.collect_debt();
        assert!(self.collections > before || self.model.in_cycle());
        if self.model.is_vague() {
            self.finish_cycle();
        }
    }
}
