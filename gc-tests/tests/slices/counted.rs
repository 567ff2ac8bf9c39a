//! Values that count how many of them there are.

use std::cell::Cell;
use std::rc::Rc;

/// How many values there are, and how many were ever dropped.
#[derive(Clone, Default)]
pub struct Count(Rc<(Cell<usize>, Cell<usize>)>);

impl Count {
    pub fn make(&self) -> Counted {
        self.0.0.set(self.0.0.get() + 1);
        Counted(self.clone())
    }

    pub fn alive(&self) -> usize {
        self.0.0.get()
    }

    pub fn dropped(&self) -> usize {
        self.0.1.get()
    }
}

pub struct Counted(Count);
gc_core::static_collect!(Counted);

impl Drop for Counted {
    fn drop(&mut self) {
        let (alive, dropped) = &*self.0.0;
        alive.set(alive.get().checked_sub(1).expect("dropped twice"));
        dropped.set(dropped.get() + 1);
    }
}

impl Counted {
    /// Whether this is a value at all: it was not dropped, and is one of those that are counted.
    pub fn is_counted(&self) -> bool {
        self.0.alive() > 0
    }
}
