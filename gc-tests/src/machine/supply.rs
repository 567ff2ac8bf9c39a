//! What an operation names, in the model and in the real heap: objects by their routes, and values by where they
//! come from.

use gc_core::{Mutation, Soft};

use super::Machine;
use crate::model::{Route, Slot};
use crate::objects::{Pointer, Root, Value};
use crate::operation::{Path, Source};

/// Where a value comes from in the real heap.
pub(super) enum Supply {
    Nil,
    Number(i64),
    Strong(Route),
    Weak(Route),
    Long(Route),
    Soft(Route),
    Slot(Route, usize),
}

/// The object at the end of a route.
pub(super) fn follow<'gc>(root: &Root<'gc>, route: &Route) -> Pointer<'gc> {
    let strong = |value| match value {
        Value::Strong(pointer) => pointer,
        _ => panic!("a strong pointer of the model is none in the heap: {route:?}"),
    };
    let start = strong(root.slots[route.root]);
    route
        .slots
        .iter()
        .fold(start, |pointer, slot| strong(pointer.slot(*slot)))
}

impl Supply {
    pub(super) fn value<'gc>(&self, mc: &Mutation<'gc>, root: &Root<'gc>) -> Value<'gc> {
        match self {
            Supply::Nil => Value::Nil,
            Supply::Number(number) => Value::Number(*number),
            Supply::Strong(route) => Value::Strong(follow(root, route)),
            Supply::Weak(route) => Value::Weak(follow(root, route).downgrade()),
            Supply::Long(route) => Value::Long(follow(root, route).downgrade_long()),
            Supply::Soft(route) => Value::Soft(Soft::new(mc, follow(root, route).keyed())),
            Supply::Slot(route, slot) => follow(root, route).slot(*slot),
        }
    }
}

impl Machine {
    pub(super) fn root_index(&self, wanted: usize) -> Option<usize> {
        let count = self.model.roots.len();
        (count > 0).then(|| wanted % count)
    }

    pub(super) fn handle_index(&self, wanted: usize) -> Option<usize> {
        let count = self.handles.len();
        (count > 0).then(|| wanted % count)
    }

    pub(super) fn route(&self, path: &Path) -> Option<Route> {
        self.model.route(path.root, &path.steps)
    }

    pub(super) fn keyed(&self, path: &Path) -> Option<Route> {
        self.model.keyed(self.route(path)?)
    }

    /// What a source means in the model, and how to get it in the real heap.
    pub(super) fn supply(&mut self, source: &Source) -> Option<(Slot, Supply)> {
        let number = |number| (Slot::Number(number), Supply::Number(number));
        Some(match source {
            Source::Nil => (Slot::Nil, Supply::Nil),
            Source::Number(value) => number(*value),
            Source::AddressOf(path, offset) => {
                let route = self.route(path)?;
                number(self.addresses[&route.id] as i64 + i64::from(*offset))
            }
            Source::OldAddress(index) => {
                let count = self.addresses.len();
                let address = (count > 0).then(|| self.addresses.values().nth(index % count))??;
                number(*address as i64)
            }
            Source::Strong(path) => {
                let route = self.route(path)?;
                (Slot::Strong(route.id), Supply::Strong(route))
            }
            Source::Weak(path) => {
                let route = self.route(path)?;
                (Slot::Weak(route.id), Supply::Weak(route))
            }
            Source::Long(path) => {
                let route = self.route(path)?;
                (Slot::Long(route.id), Supply::Long(route))
            }
            Source::Soft(path) => {
                let route = self.keyed(path).filter(|_| self.keeps_soft)?;
                self.soft_objects += 2;
                (Slot::Soft(route.id), Supply::Soft(route))
            }
            Source::Copy(path, slot) => {
                let route = self.route(path)?;
                let slots = &self.model.object(route.id).slots;
                let slot = (!slots.is_empty()).then(|| slot % slots.len())?;
                (slots[slot], Supply::Slot(route, slot))
            }
        })
    }
}
