//! What finalizers do: they note that they ran, and whether all was as it should be, and some
//! resurrect their objects.

use std::cell::RefCell;
use std::rc::Rc;

use gc_core::finalizer::{Finalizing, Registration};
use gc_core::{Gc, Mutation, Pinned, Rootable};

use crate::kind::Kind;
use crate::model::Id;
use crate::objects::{Drawer, Pointer, Value};

/// The name of a finalizer.
pub type Number = u64;

/// What a finalizer has noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which one.
    pub number: Number,
    /// How many collections were complete when it ran.
    pub collections: u64,
    /// What was not as promised.
    pub faults: Vec<&'static str>,
}

/// What all finalizers have noted, and where they put what they resurrect.
pub struct Ledger {
    entries: RefCell<Vec<Entry>>,
    drawer: Pinned<Rootable![Drawer<'_>]>,
}

impl Ledger {
    /// An empty one.
    pub fn new(drawer: Pinned<Rootable![Drawer<'_>]>) -> Ledger {
        let entries = RefCell::default();
        Ledger { entries, drawer }
    }

    /// What was noted since the last call by finalizers that ran when at most so many collections were complete.
    pub fn news(&self, collections: u64) -> Vec<Entry> {
        let mut entries = self.entries.borrow_mut();
        let end = entries.partition_point(|entry| entry.collections <= collections);
        entries.drain(..end).collect()
    }

    /// Where the drawer is, which is pinned.
    pub fn drawer_address(&self) -> usize {
        self.drawer.as_ptr().addr()
    }

    fn run<'gc>(&self, at: Pointer<'gc>, token: &Finalizing<'gc>, what: &Finalizer) {
        let mut faults = Vec::new();
        if !at.is(what.kind, what.id) {
            faults.push("the object was changed");
        }
        if at.downgrade().upgrade(token).is_some() {
            faults.push("a short weak pointer leads to it");
        }
        let long = at.downgrade_long().upgrade(token);
        if long.map(Pointer::address) != Some(at.address()) {
            faults.push("a long weak pointer does not lead to it");
        }
        if what.resurrects {
            let drawer = self.drawer.get(token);
            drawer.borrow_mut(token).push(Value::Strong(at));
        }
        let number = what.number;
        let collections = token.metrics().statistics().collections;
        self.entries.borrow_mut().push(Entry {
            number,
            collections,
            faults,
        });
    }
}

/// A finalizer that is to be registered.
#[derive(Clone, Copy, Debug)]
pub struct Finalizer {
    /// Its name.
    pub number: Number,
    /// Its object.
    pub id: Id,
    /// What sort of object that is.
    pub kind: Kind,
    /// Whether it makes the object reachable again.
    pub resurrects: bool,
}

impl<'gc> Pointer<'gc> {
    /// Registers a finalizer, if objects of this kind can have some here: slices and values behind `dyn`
    /// cannot.
    pub fn finalize(
        self,
        mc: &Mutation<'gc>,
        ledger: &Rc<Ledger>,
        what: Finalizer,
    ) -> Option<Registration> {
        let ledger = Rc::clone(ledger);
        macro_rules! registered {
            ($($variant:ident),*) => {
                match self {
                    $(Pointer::$variant(gc) => {
                        mc.finalize_with(gc, move |gc: Gc<'gc, _>, token: &Finalizing<'gc>| {
                            ledger.run(Pointer::$variant(gc), token, &what);
                        })
                    })*
                    _ => return None,
                }
            };
        }
        Some(registered!(
            Tracked,
            TrackedNode,
            Fixed,
            Switch,
            Record,
            Wide,
            Once,
            LineNode,
            GroupNode,
            PageNode,
            Vector,
            Bomb,
            Keyed
        ))
    }
}

impl Kind {
    /// Whether objects of this kind can have finalizers here.
    pub fn can_be_finalized(self) -> bool {
        matches!(
            self,
            Kind::Tracked
                | Kind::TrackedNode
                | Kind::Fixed
                | Kind::Switch
                | Kind::Record
                | Kind::Wide
                | Kind::Once
                | Kind::AlignedNode(_)
                | Kind::Vector
                | Kind::Bomb
                | Kind::Keyed
        )
    }
}
