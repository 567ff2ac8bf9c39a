//! Values that count how often they are dropped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::rc::Rc;

use gc_core::Collect;

use crate::model::Id;

/// How often each value was dropped, by object and index in it; and what will panic.
#[derive(Debug, Default)]
pub struct DropLog {
    counts: RefCell<BTreeMap<(Id, usize), u32>>,
    news: RefCell<Vec<Id>>,
    trace_panics: Cell<bool>,
    drop_panics: Cell<bool>,
}

/// The text of the panic in a `trace`.
pub const TRACE_PANIC: &str = "a trace panics as it was told to";
/// The text of the panic in a `Drop`.
pub const DROP_PANIC: &str = "a drop panics as it was told to";

impl DropLog {
    /// A copy of the counts.
    pub fn counts(&self) -> BTreeMap<(Id, usize), u32> {
        self.counts.borrow().clone()
    }

    /// The objects of which values were dropped since the last call.
    pub fn news(&self) -> Vec<Id> {
        self.news.take()
    }

    /// Says whether each `trace` of a [`Kind::Bomb`](crate::kind::Kind::Bomb) panics.
    pub fn set_trace_panics(&self, panics: bool) {
        self.trace_panics.set(panics);
    }

    /// Says whether the next `Drop` of a [`Tracked`] panics, after it was noted.
    pub fn set_drop_panics(&self, panics: bool) {
        self.drop_panics.set(panics);
    }

    /// Panics if a `trace` is to.
    pub(crate) fn maybe_panic_in_trace(&self) {
        if self.trace_panics.get() {
            unwind(TRACE_PANIC);
        }
    }
}

/// Panics without a message: what a failing test prints is then about its failure.
fn unwind(text: &str) -> ! {
    resume_unwind(Box::new(text.to_owned()))
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
        (self.name.0, self.name.1 as usize) == name && !self.log.counts.borrow().contains_key(&name)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let name = (self.name.0, self.name.1 as usize);
        *self.log.counts.borrow_mut().entry(name).or_default() += 1;
        self.log.news.borrow_mut().push(name.0);
        if self.log.drop_panics.take() {
            unwind(DROP_PANIC);
        }
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
