//! A marker that is too simple to be wrong, for comparison with the real one.
//!
//! It keeps a set of addresses, follows the tags word by word, and traces the values of described
//! objects. It shares with the marker only the look-up of an object's end and what it is there
//! to check: the tags.
//!
//! It also remembers what values have visited by their `trace` where the marker cannot see it, from one cycle to
//! the next. If an object was missed that one of them visited before and does not any more, then that `trace` has
//! left something out, and the report names its type.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Roots;
use super::work::Work;
use crate::heap::Heap;
use crate::heap::extent::Extent;
use crate::heap::start::ObjectStart;
use crate::types::descriptor::Described;
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

/// The pointers in the roots at one moment.
///
/// Handles and guards that pin are dropped on any thread at any time, so a second look at the roots may find fewer. Two
/// markers whose results are to be the same begin with these.
pub(super) struct RecordedRoots<'h> {
    work: &'h Work,
    edges: Vec<Edge>,
    /// The same for ephemerons: where they are, key and value.
    ephemerons: Vec<(usize, usize, usize)>,
}

impl<'h> RecordedRoots<'h> {
    /// What `roots` visits now.
    pub(super) fn of(roots: &Roots<'_>, work: &'h Work) -> RecordedRoots<'h> {
        let mut recorded = RecordedRoots {
            work,
            edges: Vec::new(),
            ephemerons: Vec::new(),
        };
        roots(&mut recorded);
        recorded
    }

    /// Visits it again.
    pub(super) fn visit_all(&self, visitor: &mut dyn EdgeVisitor) {
        self.edges.iter().for_each(|edge| visitor.visit(*edge));
        for &(slot, key, value) in &self.ephemerons {
            visitor.visit_ephemeron(slot, key, value);
        }
    }
}

impl EdgeVisitor for RecordedRoots<'_> {
    fn visit(&mut self, edge: Edge) {
        self.edges.push(edge);
    }

    fn visit_ephemeron(&mut self, slot: usize, key: usize, value: usize) {
        self.ephemerons.push((slot, key, value));
    }

    fn drop_later(&mut self, owner: LastOwner) {
        self.work.add_last_owner(owner);
    }
}

/// The objects that values with pointers outside of the heap have visited, and one of those who did.
pub(super) type Told = BTreeMap<usize, Holder>;

/// An object with pointers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder(String);

/// Finds everything that can be reached, slowly.
pub(super) struct NaiveMarker<'h> {
    heap: &'h Heap,
    work: &'h Work,
    /// What was found, and by way of whom: nobody for roots.
    found: BTreeMap<usize, Option<Rc<Holder>>>,
    told: Told,
    /// Whose pointers are visited, and whether only its `trace` knows them.
    holder: Option<(Rc<Holder>, bool)>,
    pending: Vec<usize>,
    /// Values of ephemerons whose keys were not found yet.
    values: BTreeMap<usize, Vec<usize>>,
}

impl<'h> NaiveMarker<'h> {
    /// # Safety
    ///
    /// While it exists, nothing in the heap is allocated or written; and the tags of objects without
    /// a descriptor are right.
    pub(super) unsafe fn new(heap: &'h Heap, work: &'h Work) -> NaiveMarker<'h> {
        NaiveMarker {
            heap,
            work,
            found: BTreeMap::new(),
            told: Told::new(),
            holder: None,
            pending: Vec::new(),
            values: BTreeMap::new(),
        }
    }

    /// Follows pointers until no new object is found.
    pub(super) fn run(&mut self) {
        while let Some(start) = self.pending.pop() {
            let extent = self.heap.allocation_of(start).expect("found objects exist");
            let described =
                // SAFETY: the object exists, and its block with it.
                unsafe { self.heap.blocks().state(self.heap.owned_block(start)) }.is_described();
            if described {
                // SAFETY: the object is in a described block, and no mutator is at work (`new`).
                unsafe {
                    if let Some(object) = Described::at(extent) {
                        let holder = Rc::new(Holder(object.name()));
                        self.holder = Some((holder, object.descriptor().external));
                        object.trace(self);
                    }
                }
                continue;
            }
            let holder = Rc::new(Holder(format!("the object at {start:#x}")));
            self.holder = Some((holder, false));
            // SAFETY: an object starts there, and tagged words were written.
            unsafe {
                for (slot, weak) in self.heap.tagged_words(ObjectStart::new_unchecked(start)) {
                    let words = core::ptr::with_exposed_provenance::<usize>(slot);
                    let target = words.read();
                    if weak && self.heap.is_ephemeron(slot, extent.end()) {
                        self.visit_ephemeron(slot, target, words.add(1).read());
                    } else {
                        self.visit(Edge { slot, target, weak });
                    }
                }
            }
        }
    }

    /// Checks that everything which was found is marked. `before` is what values told in the cycle before.
    ///
    /// # Panics
    ///
    /// If something is not.
    pub(super) fn check(&self, before: &Told) {
        for (&start, holder) in &self.found {
            // SAFETY: an object starts there.
            let marked = unsafe { self.heap.planes().is_marked(start) };
            if !marked {
                let holder = holder.as_ref().map_or("a root", |holder| &holder.0);
                let mut report = format!(
                    "the marker has missed the object at {start:#x}, to which {holder} points"
                );
                if let Some(teller) = before.get(&start)
                    && self.told.get(&start) != Some(teller)
                {
                    report += &format!(
                        ". In the cycle before, the `trace` of {} visited it, which it does not any more: \
                        a `trace` has to visit every pointer that the value holds (`Collect`, 1)",
                        teller.0,
                    );
                }
                panic!("{report}");
            }
        }
    }

    /// What values have told.
    pub(super) fn into_told(self) -> Told {
        self.told
    }

    /// Compares with the marks in the planes.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub(super) fn compare(&self) {
        for block in self.heap.occupied_blocks() {
            self.heap.each_start(block, |start| {
                let marked = self.heap.is_marked(start);
                let found = self.found.contains_key(&start.address());
                assert!(
                    marked == found,
                    "the marker is wrong about the object at {:?}: marked: {marked}, reachable: {found}",
                    self.heap.extent_of(start),
                );
            });
        }
    }
}

impl NaiveMarker<'_> {
    fn is_object(&self, target: usize) -> bool {
        let starts_there = |extent: Extent| extent.base == target;
        self.heap.allocation_of(target).is_some_and(starts_there)
    }

    fn find(&mut self, target: usize) {
        let mut targets = vec![target];
        while let Some(target) = targets.pop() {
            if self.is_object(target) && !self.found.contains_key(&target) {
                let holder = self.holder.as_ref().map(|(holder, _)| Rc::clone(holder));
                self.found.insert(target, holder);
                self.pending.push(target);
                targets.append(&mut self.values.remove(&target).unwrap_or_default());
            }
        }
    }
}

impl EdgeVisitor for NaiveMarker<'_> {
    fn drop_later(&mut self, owner: LastOwner) {
        self.work.add_last_owner(owner);
    }

    fn visit(&mut self, edge: Edge) {
        if !edge.weak {
            if let Some((holder, true)) = &self.holder {
                self.told
                    .entry(edge.target)
                    .or_insert_with(|| (**holder).clone());
            }
            self.find(edge.target);
        }
    }

    fn visit_ephemeron(&mut self, _: usize, key: usize, value: usize) {
        if self.found.contains_key(&key) || key != 0 && !self.is_object(key) {
            self.find(value);
        } else {
            self.values.entry(key).or_default().push(value);
        }
    }
}
