//! A marker that is too simple to be wrong, for comparison with the real one.
//!
//! It keeps a set of addresses, follows the tags word by word, and asks described objects
//! themselves. It shares with the marker only the look-up of an object's end and what it is there
//! to check: the tags.

use std::collections::{BTreeMap, BTreeSet};

use super::Roots;
use super::work::Work;
use crate::descriptor::Described;
use crate::heap::Heap;
use crate::heap::extent::Extent;
use crate::heap::planes::bit;
use crate::trace::{Edge, EdgeVisitor, LastOwner};

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

/// Finds everything that can be reached, slowly.
pub(super) struct NaiveMarker<'h> {
    heap: &'h Heap,
    work: &'h Work,
    found: BTreeSet<usize>,
    pending: Vec<usize>,
    /// Values of ephemerons whose keys were not found yet.
    values: BTreeMap<usize, Vec<usize>>,
}

impl<'h> NaiveMarker<'h> {
    /// # Safety
    ///
    /// While it exists, nothing in the heap is allocated or written; and the tags of objects without
    /// a descriptor tell the truth.
    pub(super) unsafe fn new(heap: &'h Heap, work: &'h Work) -> NaiveMarker<'h> {
        NaiveMarker {
            heap,
            work,
            found: BTreeSet::new(),
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
                        object.trace(self);
                    }
                }
                continue;
            }
            // SAFETY: an object starts there, and tagged words were written.
            unsafe {
                for (slot, weak) in self.heap.tagged_words(extent.base) {
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

    /// Checks that everything which was found is marked.
    ///
    /// # Panics
    ///
    /// If something is not.
    pub(super) fn check(&self) {
        for &start in &self.found {
            // SAFETY: an object starts there.
            let marked = unsafe { self.heap.planes().group(start) }.marks() & bit(start) != 0;
            assert!(
                marked,
                "the marker has missed the object at {:?}",
                self.heap.allocation_of(start),
            );
        }
    }

    /// Compares with the marks in the planes.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub(super) fn compare(&self) {
        for block in self.heap.occupied_blocks() {
            self.heap.each_start(block, |start| {
                // SAFETY: an object starts there.
                let marked = unsafe { self.heap.planes().group(start) }.marks() & bit(start) != 0;
                let found = self.found.contains(&start);
                assert!(
                    marked == found,
                    "the marker is wrong about the object at {:?}: marked: {marked}, reachable: {found}",
                    self.heap.allocation_of(start).unwrap_or(Extent { base: start, bytes: 0 }),
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
            if self.is_object(target) && self.found.insert(target) {
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
            self.find(edge.target);
        }
    }

    fn visit_ephemeron(&mut self, _: usize, key: usize, value: usize) {
        if self.found.contains(&key) || key != 0 && !self.is_object(key) {
            self.find(value);
        } else {
            self.values.entry(key).or_default().push(value);
        }
    }
}
