//! Claims by tracing: the tags of an object may be wrong, so its `trace` tells what it holds.
//!
//! `trace` is the user's code, so no lock is held while it runs. Instead the claimer puts the object on the list in
//! [`Claims`](super::Claims) for as long ([`Tracing`]). Another thread that wants to claim the object waits until
//! it is off the list, and looks again. Each entry names its thread: an object whose `trace` writes to the object
//! itself would wait for itself, and panics instead.
//!
//! # Objects that cannot be traced
//!
//! A barrier is called in a `mutate` call, so the object may hold a lock that is open: by the caller, by a leaked
//! guard, or by `Write::from_static` on another thread. What such a lock holds does not matter if the object is of a
//! type that markers may trace: then nothing is written that `trace` reads before the claim, whoever has a guard.
//! Otherwise `trace` is the user's code, and might panic where it finds a lock taken.
//!
//! * If the object was written so before, it was traced when the cycle began
//!   ([`failed_traces`](crate::collector::failed_traces)), and those contents are taken instead.
//! * A barrier that was called by the vocabulary's methods, which take an erased pointer, may come after the guard by
//!   which it writes: interners are written so. It traces no code of the user's ([`Barrier::Erased`]).
//! * For others the visitor says that it is not [alone](crate::types::trace::EdgeVisitor::is_alone), so `trace` passes
//!   a lock of ours without a look at its content, and the object's contents are unknown. In a heap with one mutator
//!   that is so too if `trace` panics. With many, the panic goes on, and nothing is written.
//!
//! An object of which the contents are not known is claimed without them, and the cycle scans again what was written
//! since it began, before it ends ([`rescan`](crate::collector::rescan)).
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

/// Which barrier wants a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barrier {
    /// One that comes before there can be a guard by which the object is written.
    First,
    /// One that was called with an erased pointer, by code that may hold such a guard.
    Erased,
}

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
    /// Claims an object that must be traced by value, in a cycle that will scan it again. It is not traced now.
    ///
    /// # Safety
    ///
    /// 1. It is an object of this heap, and is not freed meanwhile.
    /// 2. A cycle marks that remembers writes, and this does not change meanwhile; or it was
    ///    [noted](Collector::note_unrecorded) that contents are missing.
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
        } else if object.descriptor().concurrent {
            // SAFETY: this thread may trace the value (3). The object is not claimed, and since it is on the list
            // nobody else can claim it (*One claimer*). So nobody writes to what `trace` reads (*Claim before write*,
            // and invariant 5 of type maps), whatever locks say.
            unsafe { object.trace(&mut buffer.visitor(self)) }
        } else {
            let mut visitor = buffer.visitor_among_others(self);
            // SAFETY: as above, but for what is in locks that hold no pointers; and the visitor says that it is not
            // alone, so `trace` passes locks that are taken.
            unsafe { object.trace(&mut visitor) };
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

    /// Claims an object that must be traced by value, before it is written.
    ///
    /// # Panics
    ///
    /// In a heap with many mutators, if the object's `trace` does: then it was not claimed.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim_by_tracing`]; and `barrier` is [`Barrier::Erased`] if a guard may be in use.
    pub(super) unsafe fn claim_traced(
        &self,
        object: Described,
        barrier: Barrier,
        buffer: &mut SnapshotBuffer,
    ) {
        // SAFETY: passed on to the caller.
        unsafe {
            if self.remembers_writes() {
                return self.claim_for_rescan(object);
            }
            let start = object.extent().base;
            let opaque = !object.descriptor().concurrent;
            if !(opaque && barrier == Barrier::Erased) || self.failed_traces.has_contents(start) {
                let claiming = AssertUnwindSafe(|| self.claim_by_tracing(object, buffer));
                match panic::catch_unwind(claiming) {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(payload) if self.has_one_mutator() => {
                        // To drop it might panic as well.
                        core::mem::forget(payload);
                    }
                    Err(payload) => panic::resume_unwind(payload),
                }
            }
            self.failed_traces.add(start);
            // Before the claim: whoever finds the object claimed is at a safepoint later.
            self.note_unrecorded();
            self.claim_for_rescan(object);
        }
    }
}
