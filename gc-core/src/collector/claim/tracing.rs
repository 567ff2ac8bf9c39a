//! Claims of objects whose tags may be wrong, so that only their `trace` tells what they hold.
//!
//! No lock is held while a `trace` runs. Instead the claimer puts the object on the list in [`Claims`](super::Claims)
//! for as long ([`Tracing`]). Another thread that wants to claim the object waits until it is off the list, and looks
//! again. Each entry names its thread: an object whose `trace` writes to the object itself would wait for itself, and
//! panics instead.
//!
//! # In a barrier
//!
//! A barrier is called in a `mutate` call, so the object may hold a lock that is open: by the caller, which may have
//! taken the guard by which it is going to write, as interners do; by a leaked guard; or by `Write::from_static`, also
//! on another thread. So it depends on the type what a barrier does.
//!
//! * If markers may trace values of the type, so may the barrier: nothing that `trace` reads is written before the
//!   claim, whoever has a guard, but what holds no pointers. The same holds for the elements of a collection.
//! * Otherwise the object is *opaque*: its `trace` may be code of the user's, which might panic where it finds a lock
//!   taken, or wait for it. It is not called. If the object was written so before, it was traced when the cycle began
//!   ([`untraced`](crate::collector::untraced)), and those contents are taken. If not, the object is claimed without
//!   its contents, and before the cycle ends it scans again what was written since it began
//!   ([`rescan`](crate::collector::rescan)).
//!
//! Why nothing is lost then: take a pointer that such an object held at the snapshot, and that was taken out under
//! the claim. Whether its target survives is found out when marking ends, and not from the snapshot. It does if it can
//! be reached then: from a root, which is visited again; or from an object, which has been scanned as it is then. For
//! if the object was written or allocated in the cycle, it was claimed, and is scanned again; and if not, it has not
//! changed since it was scanned. What can not be reached then is not held by anybody, for no `mutate` call runs.
//!
//! # What this does not do
//!
//! It does not make the object's tags anew, as other threads may be reading them: that is for
//! [safepoints](super::at_safepoint).

use core::cell::Cell;
use core::ptr;

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
    /// Claims an object that must be traced by value, in a cycle that will scan it again. It is not traced now.
    ///
    /// # Safety
    ///
    /// 1. It is an object of this heap, and is not freed meanwhile.
    /// 2. A cycle marks that remembers writes, and this does not change meanwhile.
    unsafe fn claim_for_rescan(&self, object: Described) {
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
        if !object.descriptor().opaque {
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

    /// Claims an opaque object, before it is written. It is not traced now.
    ///
    /// # Safety
    ///
    /// 1. It is an object of this heap, and is not freed meanwhile.
    /// 2. A cycle marks that does not remember writes, and its phase does not change meanwhile.
    unsafe fn claim_untraced(&self, object: Described, buffer: &mut SnapshotBuffer) {
        let start = object.extent().base;
        // SAFETY: an object of this heap starts there (1), so its planes are committed.
        let word = unsafe { self.heap.planes().claims(start) }.word();
        let is_done = || claim::is_done(word, bit(start));
        let Some(_tracing) = Tracing::begin(self, start, is_done) else {
            return;
        };
        if self.noting() == Noting::Doubtful {
            // SAFETY: an object of this heap starts there (1).
            unsafe { self.doubt(start) };
        }
        match self.untraced.take(start) {
            Some(mut contents) => buffer.append(&mut contents),
            // Before the claim: whoever finds the object claimed is at a safepoint later.
            None => self.note_unrecorded(),
        }
        // SAFETY: an object of this heap (1), which is on the list (*One claimer*). Its contents are in the buffer, or
        // it was noted that they are missing.
        unsafe { self.set_all_claimed(object.extent()) }
    }

    /// Claims an object whose tags may be wrong, before it is written.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim_by_tracing`].
    pub(super) unsafe fn claim_traced(&self, object: Described, buffer: &mut SnapshotBuffer) {
        // SAFETY: passed on to the caller.
        unsafe {
            if self.remembers_writes() {
                self.claim_for_rescan(object);
            } else if !object.descriptor().opaque {
                let traced = self.claim_by_tracing(object, buffer);
                debug_assert!(traced, "only code of the user's is stopped by a lock");
            } else {
                self.claim_untraced(object, buffer);
            }
        }
    }
}
