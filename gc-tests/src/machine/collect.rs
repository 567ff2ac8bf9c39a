//! Operations at a safepoint: steps of the collector, whole collections, and panics in either.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gc_core::arena::CollectionPhase;

use super::Machine;
use crate::tracked::{DROP_PANIC, TRACE_PANIC};

impl Machine {
    pub(super) fn collect_debt(&mut self) {
        self.arena.collect_debt();
        self.observe(true);
    }

    pub(super) fn finish_cycle(&mut self) {
        self.arena.finish_cycle();
        self.finished();
    }

    fn safepoint(&mut self, finish: bool) -> Option<String> {
        let result = catch_unwind(AssertUnwindSafe(|| match finish {
            true => self.arena.finish_cycle(),
            false => self.arena.collect_debt(),
        }));
        let payload = result.err()?;
        Some(*payload.downcast::<String>().expect("a panic with a text"))
    }

    pub(super) fn panic_in_trace(&mut self, finish: bool) {
        self.log.set_trace_panics(true);
        let panic = self.safepoint(finish);
        self.log.set_trace_panics(false);
        if let Some(text) = panic {
            assert_eq!(text, TRACE_PANIC);
            assert_eq!(self.arena.collection_phase(), CollectionPhase::Sleeping);
            // Of the cycles that there may have been, the last was given up.
            self.catch_up(false);
            self.model.abandon_cycle();
            self.observe(true);
            self.check(false);
        } else if finish {
            self.finished();
        } else {
            self.observe(true);
        }
    }

    pub(super) fn panic_in_drop(&mut self, finish: bool) {
        self.log.set_drop_panics(true);
        let panic = self.safepoint(finish);
        self.log.set_drop_panics(false);
        if let Some(text) = panic {
            assert_eq!(text, DROP_PANIC);
            self.observe(true);
            self.check(false);
            if finish {
                self.finish_cycle();
            }
        } else if finish {
            self.finished();
        } else {
            self.observe(true);
        }
    }
}
