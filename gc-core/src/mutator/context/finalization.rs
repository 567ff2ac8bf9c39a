//! Finalization calls: the program looks at what is dead, in a cycle that is paused where marking is finished.
//!
//! During the call the barrier makes no claims, and weak reads are not remembered. Instead the context keeps a list
//! of the objects that are written. When the call is over, what the marked ones of these hold, and what the roots hold,
//! goes into the snapshot buffer.
//! [`crate::collector::finalization`] shows why nothing is lost.
//!
//! This is for heaps with one mutator.

use std::panic::{self, AssertUnwindSafe};

use super::Context;
use crate::collector::Roots;
use crate::types::trace::{Edge, EdgeVisitor};

impl Context {
    /// Calls `f` as a finalization call: what it stores is marked, and nothing else.
    ///
    /// # Panics
    ///
    /// If `f` does. If a `trace` does, which aborts the cycle. If both do, with the panic of `f`.
    ///
    /// # Safety
    ///
    /// 1. The cycle is paused, in a heap with one mutator.
    /// 2. No `mutate` call is running but this one.
    /// 3. `roots` visits every pointer from outside of the heap into it, but for pins.
    pub(crate) unsafe fn finalize<T>(&self, roots: &Roots<'_>, f: impl FnOnce() -> T) -> T {
        self.finalizing.set(true);
        let result = panic::catch_unwind(AssertUnwindSafe(f));
        self.finalizing.set(false);
        let written = self.kept.take();
        self.collector.untraced.forget_contents();
        if self.is_marking() {
            let pins = self.heap().pins();
            let roots = &|visitor: &mut dyn EdgeVisitor| {
                roots(visitor);
                pins.each(|target| visitor.visit(Edge::of_root(target)));
            };
            // SAFETY: the call is over, and no other `mutate` call is running (2); this is the heap's one mutator
            // (1). The lists hold objects of this heap. The cycle still marks (*Armed while marking*). The roots
            // are all there are (3).
            let note = || unsafe {
                self.with_buffer(|buffer| self.collector.note_kept(written, roots, buffer));
            };
            let noting = panic::catch_unwind(AssertUnwindSafe(note));
            if let Err(payload) = noting {
                // SAFETY: this is the heap's one mutator (1), and not at a safepoint, so only jobs mark.
                unsafe { self.collector.abort_marking() };
                self.arm();
                // The first panic goes on. To drop the payload of another might panic as well.
                if result.is_ok() {
                    panic::resume_unwind(payload);
                }
                core::mem::forget(payload);
            }
        }
        result.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }

    /// Whether the cycle is paused, and everything reachable is marked.
    pub(crate) fn is_all_marked(&self) -> bool {
        self.collector.is_marked(self.allocated()) && self.buffer.borrow().has_no_pointers()
    }
}
