//! Values that count how often they are dropped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use gc_core::Collect;

use crate::model::Id;

/// How often each value was dropped, by object and index in it.
#[derive(Debug, Default)]
pub struct DropLog(RefCell<BTreeMap<(Id, usize), u32>>);

impl DropLog {
    /// A copy of the counts.
    pub fn counts(&self) -> BTreeMap<(Id, usize), u32> {
        self.0.borrow().clone()
    }
}

/// A value that notes its drop.
#[derive(Debug, Collect)]
#[collect(require_static)]
pub struct Tracked {
    name: (Id, u32),
    log: Rc<DropLog>,
}

impl Tracked {
    /// The value with this index in an object.
    pub fn new(id: Id, index: usize, log: &Rc<DropLog>) -> Tracked {
        let index = u32::try_from(index).expect("objects have less than 2^32 values");
        Tracked {
            name: (id, index),
            log: log.clone(),
        }
    }

    /// Whether this is that value, and still there.
    pub fn is(&self, id: Id, index: usize) -> bool {
        let name = (id, index);
        (self.name.0, self.name.1 as usize) == name && !self.log.0.borrow().contains_key(&name)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let name = (self.name.0, self.name.1 as usize);
        *self.log.0.borrow_mut().entry(name).or_default() += 1;
    }
}

thread_local! {
    static UNITS: Cell<usize> = const { Cell::new(0) };
}

/// A value of size zero that notes its drop.
#[derive(Debug, Collect)]
#[collect(require_static)]
pub struct TrackedUnit;

impl TrackedUnit {
    /// How many were dropped on this thread, ever.
    pub fn dropped() -> usize {
        UNITS.get()
    }
}

impl Drop for TrackedUnit {
    fn drop(&mut self) {
        UNITS.set(UNITS.get() + 1);
    }
}
