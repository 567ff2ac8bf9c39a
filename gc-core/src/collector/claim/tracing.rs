//! Claims by tracing: the tags of an object may be wrong, so its `trace` tells what it holds.
//!
//! `trace` is the user's code, so no lock is held while it runs. Instead the claimer puts the object on the list in
//! [`Claims`](super::Claims) for as long ([`Tracing`]). Another thread that wants to claim the object waits until
//! it is off the list, and looks again. Each entry names its thread: an object whose `trace` writes to the object
//! itself would wait for itself, and panics instead.
//!
//! # Locks that are taken
//!
//! A barrier is called in a `mutate` call, so the object may hold a lock that is open: by the caller, by a leaked
//! guard, or by `Write::from_static` on another thread. The visitor says that it is not
//! [alone](crate::types::trace::EdgeVisitor::is_alone), so `trace` passes such a lock without a look at its
//! content, and the object's contents are unknown.
//!
//! If the object has [failed](crate::collector::failed_traces) so before, it was traced when the cycle began, and
//! those contents are taken instead. Otherwise the cycle cannot be finished:
//!
//! * A heap with one mutator aborts it in the barrier.
//! * Many mutators cannot abort a cycle. The object is claimed, so that nobody traces it while it is written, and
//!   the cycle is aborted when mutators are stopped ([`Collector::abort_later`]).
//!
//! # What this does not do
//!
//! It does not make the object's tags anew, as other threads may be reading them: that is for
//! [safepoints](super::at_safepoint).

use core::cell::Cell;
use core::ptr;
use std::panic::{self, AssertUnwindSafe};

use crate::collector::Collector;
use crate::collector::rescan::Noting;
use crate::collector::snapshot_buffer::SnapshotBuffer;
use crate::heap::planes::bit;
use crate::protocol::claim;
use crate::sync::thread_local;
use crate::types::descriptor::Described;

thread_local! {
    /// Its address tells the threads apart that exist at the same time.
    static HERE: Cell<u8> = const { Cell::new(0) };
}

/// An object on the list of those that are traced by who claims them. Dropping this takes it off.
struct Tracing<'a>(&'a Collector, usize);

impl Tracing<'_> {
    /// Puts the object at `start` on the list, after any other thread has taken it off. `None` if `is_done` says
    /// then that it is claimed.
    ///
    /// # Panics
    ///
    /// If this thread has put it there: its `trace` has come to write to it.
    fn begin(
        collector: &Collector,
        start: usize,
        is_done: impl Fn() -> bool,
    ) -> Option<Tracing<'_>> {
        let thread = HERE.with(|here| ptr::from_ref(here).addr());
        let mut traced = collector.claims.tracing.lock();
        loop {
            if is_done() {
                return None;
            }
            match traced.iter().find(|(other, _)| *other == start) {
                None => break,
                Some((_, by)) => {
                    assert!(
                        *by != thread,
                        "the `trace` of an object writes to the object"
                    );
                    collector.claims.traced.wait(&mut traced);
                }
            }
        }
        traced.push((start, thread));
        Some(Tracing(collector, start))
    }
}

impl Drop for Tracing<'_> {
    fn drop(&mut self) {
        let Tracing(collector, start) = *self;
        collector
            .claims
            .tracing
            .lock()
            .retain(|(other, _)| *other != start);
        collector.claims.traced.notify_all();
    }
}

impl Collector {
    /// Claims an object that must be traced by value, in a cycle that remembers writes. It is not traced now: the cycle
    /// scans it again.
    ///
    /// # Safety
    ///
    /// 1. It is an object of this heap, and is not freed meanwhile.
    /// 2. A cycle marks that remembers writes, and this does not change meanwhile.
    pub(super) unsafe fn claim_for_rescan(&self, object: Described) {
        let start = object.extent().base;
        // SAFETY: an object of this heap starts there (1), so its planes are committed.
        let word = unsafe { self.heap.planes().claims(start) }.word();
        let is_done = || claim::is_done(word, bit(start));
        if let Some(_tracing) = Tracing::begin(self, start, is_done) {
            // SAFETY: an object of this heap (1). It is on the list, so there is one claimer, and its contents need
            // not be in a buffer (2).
            unsafe { self.set_all_claimed(object.extent()) }
        }
    }

    /// Traces an object and claims it; in a cycle that remembers writes it only traces it. `false` if a lock in it
    /// is taken: then it was not claimed, and what the buffer got may be incomplete.
    ///
    /// # Panics
    ///
    /// If the object's `trace` does: then it was not claimed.
    ///
    /// # Safety
    ///
    /// 1. It is an object of this heap, and is not freed meanwhile.
    /// 2. A cycle marks, and its phase does not change meanwhile.
    /// 3. This thread may call the value's `trace`: it is the heap's one mutator, or all values are `Send` and `Sync`.
    pub(super) unsafe fn claim_by_tracing(
        &self,
        object: Described,
        buffer: &mut SnapshotBuffer,
    ) -> bool {
        let start = object.extent().base;
        // SAFETY: an object of this heap starts there (1), so its planes are committed.
        let word = unsafe { self.heap.planes().claims(start) }.word();
        let is_done = || claim::is_done(word, bit(start));
        if is_done() {
            return true;
        }
        let Some(_tracing) = Tracing::begin(self, start, is_done) else {
            return true;
        };
        if self.noting() == Noting::Doubtful {
            // SAFETY: an object of this heap starts there (1).
            unsafe { self.doubt(start) };
        }
        // Contents of the snapshot are of no use to a cycle that scans what was written since.
        if !self.remembers_writes()
            && let Some(mut contents) = self.failed_traces.take(start)
        {
            buffer.append(&mut contents);
        } else {
            let mut visitor = buffer.visitor_among_others(self);
            // SAFETY: this thread may trace the value (3). The object is not claimed, and since it is on the list
            // nobody else can claim it (*One claimer*). So nobody writes to it (*Claim before write*), but to what
            // is in locks that hold no pointers, and the visitor says that it is not alone, so `trace` passes locks
            // that are taken.
            let tracing = AssertUnwindSafe(|| unsafe { object.trace(&mut visitor) });
            if let Err(payload) = panic::catch_unwind(tracing) {
                if self.has_one_mutator() {
                    self.failed_traces.add(start);
                }
                panic::resume_unwind(payload);
            }
            if visitor.has_met_lock() {
                return false;
            }
        }
        if !self.remembers_writes() {
            // SAFETY: an object of this heap (1), which is on the list (*One claimer*). Its contents are in the buffer.
            unsafe { self.set_all_claimed(object.extent()) }
        }
        true
    }

    /// Does what can be done before a write to an object whose contents could not be recorded, and has later cycles
    /// trace it when they begin ([`failed_traces`](crate::collector::failed_traces)). `false` if the caller has to
    /// abort the cycle.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim_by_tracing`].
    pub(super) unsafe fn claim_untraced(&self, object: Described) -> bool {
        let start = object.extent().base;
        self.failed_traces.add(start);
        if self.has_one_mutator() {
            return false;
        }
        // SAFETY: an object of this heap starts there (1), so its planes are committed.
        let word = unsafe { self.heap.planes().claims(start) }.word();
        let is_done = || claim::is_done(word, bit(start));
        if let Some(_tracing) = Tracing::begin(self, start, is_done) {
            self.abort_later();
            // SAFETY: an object of this heap (1), which is on the list (*One claimer*). Its contents need not be in
            // a buffer, as the cycle will be aborted.
            unsafe { self.set_all_claimed(object.extent()) }
        }
        true
    }
}
