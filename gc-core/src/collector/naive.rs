//! A marker that is too simple to be wrong, for comparison with the real one.
//!
//! It keeps a set of addresses, follows the tags word by word, and asks described objects
//! themselves. It shares with the marker only the look-up of an object's end and what it is there
//! to check: the tags.

use std::collections::BTreeSet;

use crate::descriptor::Described;
use crate::heap::Heap;
use crate::heap::extent::Extent;
use crate::heap::planes::bit;
use crate::trace::{Edge, EdgeVisitor};

/// Finds everything that can be reached, slowly.
pub(super) struct NaiveMarker<'h> {
    heap: &'h Heap,
    found: BTreeSet<usize>,
    pending: Vec<usize>,
}

impl<'h> NaiveMarker<'h> {
    /// # Safety
    ///
    /// While it exists, nothing in the heap is allocated or written; and the tags of objects without
    /// a descriptor tell the truth.
    pub(super) unsafe fn new(heap: &'h Heap) -> NaiveMarker<'h> {
        NaiveMarker {
            heap,
            found: BTreeSet::new(),
            pending: Vec::new(),
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
                    let target = core::ptr::with_exposed_provenance::<usize>(slot).read();
                    self.visit(Edge { slot, target, weak });
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

impl EdgeVisitor for NaiveMarker<'_> {
    fn visit(&mut self, edge: Edge) {
        let starts_there = |extent: Extent| extent.base == edge.target;
        if !edge.weak
            && self
                .heap
                .allocation_of(edge.target)
                .is_some_and(starts_there)
            && self.found.insert(edge.target)
        {
            self.pending.push(edge.target);
        }
    }
}
