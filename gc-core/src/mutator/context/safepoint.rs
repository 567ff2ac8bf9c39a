//! Safepoints of a heap with one mutator, and the end of its arena.
//!
//! A safepoint measures what was written, makes its tags anew, flushes the snapshot buffer, and calls the collector
//! ([`Collector::safepoint`](crate::collector::Collector::safepoint)), which may run the user's code: `trace`,
//! destructors and finalizers. Meanwhile the barrier is not armed. When the safepoint is over, also by a panic, the
//! barrier is armed for the phase that it has led to.
//!
//! A shared arena has a safepoint of its own, which stops other mutators. It uses the same collector.

use super::Context;
use crate::collector::driver::Safepoint;
use crate::collector::{Program, Roots};
use crate::heap::block::BlockState;
use crate::types::owned_bytes::only_looking;
use crate::types::trace::{Edge, EdgeVisitor};

impl Context {
    /// Whether a safepoint has anything to do.
    #[inline]
    pub(crate) fn wants_safepoint(&self) -> bool {
        self.written.is_waiting() || self.has_many_dirty() || self.is_due()
    }

    /// Whether the collector has anything to do at a safepoint.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.collector.wants_safepoint(self.allocated())
    }

    /// Does `what`, at a safepoint of an arena whose one mutator this is.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`](crate::collector::Collector::safepoint).
    ///
    /// # Safety
    ///
    /// 1. This is the heap's one mutator, and no `mutate` call is running.
    /// 2. `roots` visits every pointer from outside of the heap into it, but for pins.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn safepoint(&self, roots: &Roots<'_>, what: Safepoint) {
        self.check_process();
        // SAFETY: no `mutate` call is running (1). Nothing that was noted has been freed: a cycle does not free
        // what was written during it, and all that was noted is measured before one begins and when it ends
        // marking.
        unsafe { self.measure_written(false) };
        // After that, as values that are measured may fetch dynamic roots, which is buffered while the barrier is
        // armed.
        self.flush();
        let allocated = self.allocated();
        self.written.close();
        self.end_retagging();
        // SAFETY: no `mutate` call is running, and this is the heap's one mutator (1). Nothing that was noted has been
        // freed, as above.
        unsafe { self.retag_some() };
        let stopped = |action: &mut dyn FnMut()| {
            // SAFETY: no `mutate` call is running (1), and this is the heap's one mutator. Nothing is noted in a
            // safepoint, and it frees nothing before this.
            unsafe {
                self.measure_written(true);
                self.retag_some();
                self.forget_dirty();
            }
            self.retire();
            action();
        };
        let pins = self.heap().pins();
        let roots = |visitor: &mut dyn EdgeVisitor| {
            only_looking(|| roots(visitor));
            pins.each(|target| visitor.visit(Edge::of_root(target)));
        };
        let program = Program {
            roots: &roots,
            stopped: &stopped,
            released: &|action| action(),
            allocated,
        };
        // Destructors that run here may write to values that they own, wherever these are. The phase changes
        // meanwhile, and no marker reads what a destructor can reach. So such a write makes no claim, and aborts no
        // cycle. A `trace` may not write (`only_looking`).
        self.armed.set(BlockState::NOTED);
        // Also if it panics.
        let _armed = Armed(self);
        // SAFETY: the thread is in no `mutate` call, and is the heap's one mutator (1). `program` visits all roots
        // (2), and stops this mutator: it measures what was written and retires its allocation buffers.
        let run = || unsafe { self.collector.safepoint(&program, what) };
        self.collector.throwing(run);
    }

    /// Drops the values of all objects that need it, and frees everything.
    ///
    /// # Panics
    ///
    /// With the first panic of a value's `Drop`, after all others were dropped.
    ///
    /// # Safety
    ///
    /// Nothing refers to an object of this heap, nor ever will; so no `mutate` call is running, nor will be.
    pub(crate) unsafe fn dispose_all(&self) {
        // SAFETY: no `mutate` call is running, nor will be (the caller's promise).
        unsafe { self.collector.shut_down() };
        self.armed.set(BlockState::NOTED);
        self.written.close();
        self.end_retagging();
        let mut disposer = self.collector.take_disposer();
        self.collector.run_destructors(&mut disposer, None);
        // SAFETY: no mutator is at work, and nothing is swept, as the collector is shut down. Nothing refers to an
        // object of this heap (the caller's promise), and each still has its value.
        unsafe {
            self.collector
                .each_described(|object, _| disposer.dispose(object));
        }
        self.retire();
        // SAFETY: nothing refers to an object of this heap (the caller's promise). This allocator has left its
        // buffers, and the other mutators', if there were any, are gone. The collector's jobs are shut down.
        unsafe { self.heap().release() };
        disposer.finish();
    }
}

/// Arms the barrier for the phase that a safepoint has led to.
struct Armed<'a>(&'a Context);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.0.arm();
        self.0.written.open();
    }
}
