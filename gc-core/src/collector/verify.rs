//! Verification of what only values know: which of their words are pointers, and where the others lead that their
//! `trace` visits.
//!
//! [`Heap::verify`](crate::heap::Heap) checks where the tagged words lead. Here
//!
//! * each value whose pointers can move is traced, unless it is dirty, and its tags are to be those that were
//!   told: whoever has written to it has made them anew;
//! * each value that may have pointers in memory outside of the heap is traced, and what it visits is to be an object.
//!   One of which that is not so holds a pointer to what was freed.
//!
//! The error names the type.

use std::panic::{self, AssertUnwindSafe};

use super::Collector;
use super::work::Work;
use crate::heap::Heap;
use crate::heap::extent::Extent;
use crate::heap::planes::{WORD, bit};
use crate::heap::start::ObjectStart;
use crate::heap::verify::VerifyError;
use crate::types::descriptor::Described;
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

impl Collector {
    /// Checks the heap, and the pointers that values of it have outside. A value whose `trace` panics is passed by.
    ///
    /// # Safety
    ///
    /// As for [`Heap::verify`], and the thread may trace all values.
    pub(crate) unsafe fn verify(&self, all_dirty: bool) -> Result<(), VerifyError> {
        let heap = &self.heap;
        // SAFETY: the caller's promises are those of `Heap::verify`, and more.
        unsafe { heap.verify(all_dirty)? };
        for block in heap.occupied_blocks() {
            let mut result = Ok(());
            heap.each_start(block, |start| {
                if result.is_ok() && heap.state_of(start).is_described() {
                    // SAFETY: an object starts there, in a described block. The thread may trace all values, and no
                    // mutator is at work (the caller's promises).
                    result = unsafe { self.verify_value(start, all_dirty) };
                }
            });
            result?;
        }
        Ok(())
    }

    /// Checks what the value of a described object visits.
    ///
    /// # Safety
    ///
    /// As for [`Collector::verify`], and the object is described.
    unsafe fn verify_value(&self, start: ObjectStart, all_dirty: bool) -> Result<(), VerifyError> {
        // SAFETY: the object is in a described block (the caller's promise).
        let Some(object) = (unsafe { Described::at(self.heap.extent_of(start)) }) else {
            return Ok(());
        };
        let descriptor = object.descriptor();
        if !descriptor.external {
            if descriptor.moves && !all_dirty && !self.heap.is_dirty(start) {
                // SAFETY: no mutator is at work, and the thread may trace the value (the caller's promises).
                unsafe { self.verify_tags(object)? }
            }
            return Ok(());
        }
        let mut checker = Checker {
            heap: &self.heap,
            work: &self.work,
            finding: None,
        };
        // SAFETY: no mutator is at work.
        let trace = AssertUnwindSafe(|| unsafe { object.trace(&mut checker) });
        // To drop what was thrown might panic as well.
        core::mem::forget(panic::catch_unwind(trace));
        match checker.finding {
            None => Ok(()),
            Some(finding) => Err(VerifyError {
                address: start.address(),
                finding: format!("the `trace` of {} visits {finding}", object.name()),
            }),
        }
    }
}

impl Collector {
    /// Checks that the tags of an object are those that its value tells.
    ///
    /// # Safety
    ///
    /// As for [`Collector::verify`], of an object whose pointers are all in itself.
    unsafe fn verify_tags(&self, object: Described) -> Result<(), VerifyError> {
        let extent = object.extent();
        let mut told = Told {
            extent,
            words: vec![(false, false); extent.bytes / WORD],
        };
        // SAFETY: no mutator is at work.
        let trace = AssertUnwindSafe(|| unsafe { object.trace(&mut told) });
        if let Err(payload) = panic::catch_unwind(trace) {
            core::mem::forget(payload);
            return Ok(());
        }
        for (word, told) in told.words.into_iter().enumerate() {
            let address = extent.base + word * WORD;
            let planes = self.heap.planes();
            // SAFETY: the word is one of an object of this heap, whose planes are committed.
            let (tags, kinds) = unsafe {
                (
                    planes.group(address).tags.get(),
                    planes.kinds(address).get(),
                )
            };
            let found = (tags & bit(address) != 0, kinds & bit(address) != 0);
            if found != told {
                let finding = format!(
                    "tag and kind are {found:?} and should be {told:?} in {}, which is clean",
                    object.name()
                );
                return Err(VerifyError { address, finding });
            }
        }
        Ok(())
    }
}

/// Notes the tags and kinds of the words of an object.
struct Told {
    extent: Extent,
    words: Vec<(bool, bool)>,
}

impl Told {
    fn word(&mut self, slot: usize) -> &mut (bool, bool) {
        let offset = slot.wrapping_sub(self.extent.base);
        assert!(
            offset < self.extent.bytes,
            "a pointer outside of its object"
        );
        &mut self.words[offset / WORD]
    }
}

impl EdgeVisitor for Told {
    fn visit(&mut self, edge: Edge) {
        *self.word(edge.slot) = (true, edge.weak);
    }

    fn visit_ephemeron(&mut self, slot: usize, _: usize, _: usize) {
        *self.word(slot) = (true, true);
        self.word(slot + WORD).1 = true;
    }

    fn visit_derived(&mut self, slot: usize) {
        self.word(slot).1 = true;
    }
}

/// Looks at where pointers lead.
struct Checker<'h> {
    heap: &'h Heap,
    work: &'h Work,
    /// What is wrong with the first one of which something is.
    finding: Option<String>,
}

impl EdgeVisitor for Checker<'_> {
    fn visit(&mut self, edge: Edge) {
        if self.finding.is_none() {
            self.finding = self.heap.fault_of(edge.target, edge.weak);
        }
    }

    fn visit_ephemeron(&mut self, slot: usize, key: usize, _: usize) {
        // The value of a dead key is of no interest.
        let (target, weak) = (key, true);
        self.visit(Edge { slot, target, weak });
    }

    fn drop_later(&mut self, owner: LastOwner) {
        self.work.add_last_owner(owner);
    }
}
