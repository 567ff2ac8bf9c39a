//! Verification of what only values know: where the pointers lead that their `trace` visits.
//!
//! [`Heap::verify`](crate::heap::Heap) checks the tagged words. Pointers in memory outside of the heap have none;
//! so each value that may have such pointers is traced, and what it visits is to be an object. A value of which
//! that is not so holds a pointer to what was freed, and the error names its type.

use std::panic::{self, AssertUnwindSafe};

use super::Collector;
use super::work::Work;
use crate::heap::Heap;
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
                    result = unsafe { self.verify_outside(start) };
                }
            });
            result?;
        }
        Ok(())
    }

    /// Checks what the value of a described object visits, if some of it may be outside.
    ///
    /// # Safety
    ///
    /// As for [`Collector::verify`], and the object is described.
    unsafe fn verify_outside(&self, start: ObjectStart) -> Result<(), VerifyError> {
        // SAFETY: the object is in a described block (the caller's promise).
        let Some(object) = (unsafe { Described::at(self.heap.extent_of(start)) }) else {
            return Ok(());
        };
        if !object.descriptor().external {
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
