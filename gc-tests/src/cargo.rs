//! Objects that tests move about in a heap, and others that are written over those that die.

use gc_core::{Collect, Gc, Mutation};

/// An object that can tell whether it is still itself, with another behind it.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Cargo<'gc> {
    id: u64,
    behind: Gc<'gc, [u64; 2]>,
}

/// Where cargo is.
pub type Crate<'gc> = Gc<'gc, Cargo<'gc>>;

/// The number of objects that one cargo is.
pub const OBJECTS: usize = 2;

impl<'gc> Cargo<'gc> {
    /// New cargo with that number.
    pub fn new(mc: &Mutation<'gc>, id: u64) -> Crate<'gc> {
        let behind = Gc::new(mc, [id, !id]);
        Gc::new(mc, Cargo { id, behind })
    }

    /// The number.
    ///
    /// # Panics
    ///
    /// If anything has changed.
    #[track_caller]
    pub fn id(&self) -> u64 {
        assert_eq!(*self.behind, [self.id, !self.id], "cargo {}", self.id);
        self.id
    }
}

/// Fills memory that became free, so that whoever still uses it reads something else.
pub fn litter(mc: &Mutation<'_>, count: usize) {
    for _ in 0..count {
        Gc::new(mc, [0xdead_u64; 2]);
        Gc::new(mc, [0xdead_u64; 4]);
    }
}
