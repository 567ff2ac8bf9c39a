//! Claiming: what a write barrier does while marking goes on.
//!
//! Before an object of the snapshot is written for the first time in a cycle, what its words hold is
//! noted, and it is claimed, so that no marker reads it any more ([`crate::protocol::claim`]). Large
//! objects are claimed by chunks. Objects that must be asked for their pointers are claimed by asking
//! them, by the barrier or, if none comes, at a safepoint.
//!
//! # No object is lost
//!
//! Take a pointer that was in an object of the snapshot when the cycle began. As long as nobody writes to
//! the object, it is there. Either a marker reads it there, and it was not claimed before; or the first one
//! who writes claims it, and notes the pointer before; or, at the end, neither has happened, and then the
//! object was not reached. So by induction over the length of the path, all that could be reached from the
//! roots at the snapshot is marked at the end. What the program gets hold of later, it got from there, or it
//! is new, and was born marked; or from a root set, whose contents are noted when they are read; or by a weak
//! pointer, and for these there is [`rescan`](super::rescan), which does not ask how objects are born.
//! `docs/concurrency.md` has the whole proof.
//!
//! A cycle that will scan again what was written, and remembers it by the claims, need not note what it held.

use core::cell::Cell;
use core::ptr;
use std::panic::{self, AssertUnwindSafe};

use super::mark::large::CHUNK;
use super::mark::words::{is_candidate, read_word};
use super::rescan::Noting;
use super::work::{Work, entry, forget_large};
use super::{Collector, Mutators, Phase};
use crate::heap::Heap;
use crate::heap::block::{BlockState, Use};
use crate::heap::extent::Extent;
use crate::heap::planes::{GRANULE, WORD, bit, stretches};
use crate::protocol::claim;
use crate::sync::{Condvar, Mutex, thread_local};
use crate::types::descriptor::Described;
use crate::types::owned_bytes::only_looking;
use crate::types::tags::dirty_bit;
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

/// Pointers that a mutator has found, for the markers.
#[derive(Debug, Default)]
pub(crate) struct SnapshotBuffer {
    /// Entries of packets.
    pointers: Vec<usize>,
    weak: Vec<usize>,
    /// The same for ephemerons: keys and values.
    ephemerons: Vec<(usize, usize)>,
}

/// From so many pointers on they are handed over even in a `mutate` call.
const MANY: usize = 1024;

impl SnapshotBuffer {
    /// Hands over what was found.
    pub(crate) fn flush(&mut self, work: &Work) {
        work.add(core::mem::take(&mut self.pointers));
        if !self.ephemerons.is_empty() {
            let entries = |(key, value)| [key | entry::EPHEMERON, value];
            work.add(self.ephemerons.drain(..).flat_map(entries).collect());
            forget_large(&mut self.ephemerons);
        }
        work.add_weak(&mut self.weak);
    }

    /// Whether it is time to hand over what was found.
    pub(crate) fn is_large(&self) -> bool {
        self.pointers.len() + self.ephemerons.len() >= MANY
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.has_no_pointers() && self.weak.is_empty()
    }

    /// Whether there is nothing for the markers.
    pub(crate) fn has_no_pointers(&self) -> bool {
        self.pointers.is_empty() && self.ephemerons.is_empty()
    }

    /// Forgets pointers to objects that are marked.
    pub(super) fn drop_marked(&mut self, heap: &Heap) {
        let is_unmarked = |target: &usize| {
            // SAFETY: they passed for candidates, which lie below the heap's top.
            !unsafe { heap.planes().is_marked(*target) }
        };
        self.pointers.retain(is_unmarked);
        self.ephemerons.retain(|(key, value)| {
            let keep = is_unmarked(value);
            if !keep {
                self.weak.push(*key);
            }
            keep
        });
        self.weak.retain(is_unmarked);
    }

    /// Adds what `other` found.
    pub(crate) fn append(&mut self, other: &mut SnapshotBuffer) {
        self.pointers.append(&mut other.pointers);
        self.weak.append(&mut other.weak);
        self.ephemerons.append(&mut other.ephemerons);
    }

    /// A visitor who notes pointers here.
    pub(crate) fn visitor<'a>(&'a mut self, collector: &'a Collector) -> SnapshotVisitor<'a> {
        SnapshotVisitor {
            collector,
            found: self,
            alone: true,
            met_lock: false,
        }
    }
}

/// Notes pointers into the heap.
pub(crate) struct SnapshotVisitor<'a> {
    collector: &'a Collector,
    found: &'a mut SnapshotBuffer,
    /// See [`EdgeVisitor::is_alone`].
    alone: bool,
    /// Whether a lock was taken that is visited.
    met_lock: bool,
}

impl SnapshotVisitor<'_> {
    fn is_candidate(&self, target: usize) -> bool {
        let heap = &self.collector.heap;
        let granules = (heap.top() - heap.base()) / GRANULE;
        is_candidate(target, heap.base(), granules)
    }
}

impl EdgeVisitor for SnapshotVisitor<'_> {
    fn is_alone(&self) -> bool {
        self.alone
    }

    fn drop_later(&mut self, owner: LastOwner) {
        self.collector.work.add_last_owner(owner);
    }

    fn pass_lock(&mut self) -> bool {
        self.met_lock = !self.alone;
        self.met_lock
    }

    fn visit(&mut self, edge: Edge) {
        let target = edge.target;
        if !self.is_candidate(target) {
            return;
        }
        // Whether it is marked already is for the markers to see: they have prefetched what tells.
        if edge.weak {
            self.found.weak.push(target);
        } else {
            self.found.pointers.push(target);
        }
    }

    fn visit_ephemeron(&mut self, _: usize, key: usize, value: usize) {
        match (self.is_candidate(key), self.is_candidate(value)) {
            (true, true) => self.found.ephemerons.push((key, value)),
            (true, false) => self.found.weak.push(key),
            // A key that needs no memory is always there; without one, there is no ephemeron.
            (false, true) if key != 0 => self.found.pointers.push(value),
            (false, _) => {}
        }
    }
}

thread_local! {
    /// Its address tells threads apart, as long as they work.
    static HERE: Cell<u8> = const { Cell::new(0) };
}

/// What threads that claim objects owe each other.
#[derive(Default)]
pub(super) struct Claims {
    /// Taken while an object is claimed by its words. In it, the objects that are being asked for their pointers, each with
    /// what tells the thread that does so.
    tracing: Mutex<Vec<(usize, usize)>>,
    /// An object was asked.
    traced: Condvar,
}

/// This thread asks an object for its pointers, until this is dropped.
struct Tracing<'a>(&'a Collector, usize);

impl Tracing<'_> {
    /// Waits until no other thread asks the object at `start`. `None` if it was claimed then.
    ///
    /// # Panics
    ///
    /// If this thread asks it already: its `trace` has come to write to it.
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
    /// Whether the object at `start` was claimed as a whole, as far as one look tells: not of a large one.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there.
    #[inline]
    pub(crate) unsafe fn is_claimed(&self, start: usize) -> bool {
        // SAFETY: passed on to the caller.
        unsafe {
            !self.heap.state_at(start).is_large_head()
                && claim::is_done(self.heap.planes().claims(start).word(), bit(start))
        }
    }

    /// Whether the part of the object at `start` in which `address` lies was claimed, as far as one look tells.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there, and the address is in it.
    pub(crate) unsafe fn is_part_claimed(&self, start: usize, address: usize) -> bool {
        // SAFETY: passed on to the caller.
        unsafe {
            let at = match self.heap.state_at(start).is_large_head() {
                true => start + (address - start) / CHUNK * CHUNK,
                false => start,
            };
            claim::is_done(self.heap.planes().claims(at).word(), bit(at))
        }
    }

    /// Claims the object at `start`, if it was not claimed; those that were allocated since the cycle began were born so.
    ///
    /// If its `trace` panics, it was not claimed. `false` if a guard hides what is in it, so that its contents could not be
    /// noted: a heap with one mutator has to give the cycle up.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there, marking goes on, and this is a thread that may ask it for its
    /// pointers.
    #[must_use]
    pub(crate) unsafe fn claim(&self, start: usize, found: &mut SnapshotBuffer) -> bool {
        // SAFETY: passed on to the caller.
        unsafe {
            let state = self.heap.state_at(start);
            if state.usage() == Use::LargeLeaf {
                return true;
            }
            let end = self.heap.end_of(start);
            if state.is_described() {
                let bytes = end - start;
                match Described::at(Extent { base: start, bytes }) {
                    None => return true,
                    Some(object) if self.needs_trace(object) => {
                        if self.remembers_writes() {
                            self.claim_for_rescan(object);
                            return true;
                        }
                        return self.claim_by_tracing(object, found) || self.claim_untraced(object);
                    }
                    Some(_) => {}
                }
            }
            let step = if state.is_large_head() {
                CHUNK
            } else {
                end - start
            };
            for chunk in (start..end).step_by(step) {
                self.claim_words(start, chunk, (chunk + step).min(end), found);
            }
        }
        true
    }

    /// Claims those chunks of the object at `start` in which the bytes from `from` to `to` lie. Returns what
    /// [`Collector::claim`] does.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim`], and the bytes are in the object.
    #[must_use]
    pub(crate) unsafe fn claim_part(
        &self,
        start: usize,
        (from, to): (usize, usize),
        found: &mut SnapshotBuffer,
    ) -> bool {
        // SAFETY: passed on to the caller.
        unsafe {
            let state = self.heap.state_at(start);
            if !state.is_large_head() {
                return self.claim(start, found);
            }
            if state.usage() == Use::LargeLeaf {
                return true;
            }
            let end = self.heap.end_of(start);
            if state.is_described() {
                let bytes = end - start;
                match Described::at(Extent { base: start, bytes }) {
                    None => return true,
                    // Of an object that was written, the pointers are known only if all of it is asked.
                    Some(object) if object.descriptor().moves => return self.claim(start, found),
                    Some(_) => {}
                }
            }
            let first = start + (from - start) / CHUNK * CHUNK;
            for chunk in (first..to).step_by(CHUNK) {
                self.claim_words(start, chunk, (chunk + CHUNK).min(end), found);
            }
        }
        true
    }

    /// Whether the pointers of an object are known only if it is asked.
    ///
    /// # Safety
    ///
    /// It is an object of this heap.
    unsafe fn needs_trace(&self, object: Described) -> bool {
        let start = object.extent().base;
        // SAFETY: passed on to the caller.
        let states = unsafe { self.heap.planes().states(start) };
        object.descriptor().moves && states.get() & dirty_bit(start) != 0
    }

    /// Whether the pointers of the object at `start` are known only if it is asked.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there.
    pub(super) unsafe fn is_traced_by_value(&self, start: usize) -> bool {
        // SAFETY: passed on to the caller.
        unsafe {
            let bytes = self.heap.end_of(start) - start;
            self.heap.state_at(start).is_described()
                && Described::at(Extent { base: start, bytes })
                    .is_some_and(|object| self.needs_trace(object))
        }
    }

    /// Claims the words from `from` to `to` of the object at `start`: all of it, or a chunk.
    unsafe fn claim_words(&self, start: usize, from: usize, to: usize, found: &mut SnapshotBuffer) {
        let planes = self.heap.planes();
        // SAFETY: passed on to the caller.
        let word = unsafe { planes.claims(from) }.word();
        if claim::is_done(word, bit(from)) {
            return;
        }
        let _claiming = self.claims.tracing.lock();
        if claim::is_done(word, bit(from)) {
            return;
        }
        // SAFETY: passed on to the caller. Since the object is not claimed, nobody writes to it.
        unsafe {
            let noting = self.noting();
            if noting != Noting::Nothing {
                if noting == Noting::Doubtful {
                    self.doubt(start);
                }
                self.note_words(start, from, to, found);
            }
            self.set_claimed(start, from);
        }
    }

    /// Notes what the words from `from` to `to` of the object at `start` hold.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there, these are some of its bytes, its tags tell the truth, and nobody
    /// writes to it.
    unsafe fn note_words(&self, start: usize, from: usize, to: usize, found: &mut SnapshotBuffer) {
        let planes = self.heap.planes();
        // SAFETY: passed on to the caller. Tagged words were written.
        unsafe {
            let state = self.heap.state_at(start);
            for stretch in stretches(from, to) {
                let address = stretch.start();
                let mut tags = stretch.select(planes.group(address).tags.get());
                let kinds = if state.has_weak() {
                    stretch.select(planes.kinds(address).get())
                } else {
                    0
                };
                let keys = tags & kinds & (kinds & !tags) >> 1;
                while tags != 0 {
                    let index = tags.trailing_zeros();
                    let slot = address + index as usize * WORD;
                    let target = read_word::<true>(slot);
                    let mut visitor = found.visitor(self);
                    if keys >> index & 1 != 0 {
                        visitor.visit_ephemeron(slot, target, read_word::<true>(slot + WORD));
                    } else {
                        let weak = kinds >> index & 1 != 0;
                        visitor.visit(Edge { slot, target, weak });
                    }
                    tags &= tags - 1;
                }
            }
        }
    }

    /// Notes what the object at `start` holds, which it tells itself if its tags may not tell the truth.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim`], and nobody has a reference by which to write to the object.
    pub(super) unsafe fn note_contents(&self, start: usize, found: &mut SnapshotBuffer) {
        // SAFETY: passed on to the caller.
        unsafe {
            let state = self.heap.state_at(start);
            if state.usage() == Use::LargeLeaf {
                return;
            }
            let extent = Extent {
                base: start,
                bytes: self.heap.end_of(start) - start,
            };
            if state.is_described() {
                match Described::at(extent) {
                    None => return,
                    Some(object) if self.needs_trace(object) => {
                        return object.trace(&mut found.visitor(self));
                    }
                    Some(_) => {}
                }
            }
            self.note_words(start, start, extent.end(), found);
        }
    }

    /// Claims an object that would be asked for its pointers, and will be when it is scanned again.
    unsafe fn claim_for_rescan(&self, object: Described) {
        let start = object.extent().base;
        // SAFETY: passed on to the caller.
        let word = unsafe { self.heap.planes().claims(start) }.word();
        let is_done = || claim::is_done(word, bit(start));
        if let Some(_tracing) = Tracing::begin(self, start, is_done) {
            // SAFETY: passed on to the caller.
            unsafe { self.set_all_claimed(object.extent()) }
        }
    }

    /// Claims an object by asking it for its pointers. Where writes are remembered it only asks it. `false` if a lock in
    /// it is taken: then it was not claimed.
    ///
    /// No lock is held while its `trace` runs, which is code of the user's. Another thread that wants to claim the object waits.
    unsafe fn claim_by_tracing(&self, object: Described, found: &mut SnapshotBuffer) -> bool {
        let start = object.extent().base;
        // SAFETY: passed on to the caller.
        let word = unsafe { self.heap.planes().claims(start) }.word();
        let is_done = || claim::is_done(word, bit(start));
        if is_done() {
            return true;
        }
        let Some(_tracing) = Tracing::begin(self, start, is_done) else {
            return true;
        };
        if self.noting() == Noting::Doubtful {
            self.doubt(start);
        }
        // Who writes pointers to the object in a `mutate` call has come here before, and has the claim done.
        // Others may have a lock in it open whose content has no pointers: the lock says so, and the value's
        // `trace` panics.
        let mut visitor = SnapshotVisitor {
            alone: false,
            ..found.visitor(self)
        };
        // What it held when the cycle began is of no use if what was written since counts.
        if !self.remembers_writes()
            && let Some(mut contents) = self.failed_traces.take(start)
        {
            visitor.found.append(&mut contents);
        } else {
            // SAFETY: passed on to the caller. What is in locks is looked at only as far as these allow it.
            let tracing = AssertUnwindSafe(|| unsafe { object.trace(&mut visitor) });
            if let Err(payload) = panic::catch_unwind(tracing) {
                if self.has_one_mutator() {
                    self.failed_traces.add(start);
                }
                panic::resume_unwind(payload);
            }
            if visitor.met_lock {
                return false;
            }
        }
        if !self.remembers_writes() {
            // SAFETY: passed on to the caller.
            unsafe { self.set_all_claimed(object.extent()) }
        }
        true
    }

    /// Does what is left to be done before an object is written that could not be asked for its pointers. Later cycles
    /// ask it when they begin ([`super::failed_traces`]).
    ///
    /// Mutators of which there are many cannot give the cycle up. So the object is claimed, by which nobody asks it while it
    /// is written, and the cycle is [spoiled](Collector::spoil).
    unsafe fn claim_untraced(&self, object: Described) -> bool {
        let start = object.extent().base;
        self.failed_traces.add(start);
        if self.has_one_mutator() {
            return false;
        }
        // SAFETY: passed on to the caller.
        let word = unsafe { self.heap.planes().claims(start) }.word();
        let is_done = || claim::is_done(word, bit(start));
        if let Some(_tracing) = Tracing::begin(self, start, is_done) {
            self.abort_later();
            // SAFETY: passed on to the caller.
            unsafe { self.set_all_claimed(object.extent()) }
        }
        true
    }

    /// Claims an object by asking it for its pointers, while mutators are stopped: nobody has a guard of a lock in it that
    /// he can still use, whatever the lock says.
    ///
    /// If its `trace` panics, the cycle must be given up.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim`], and no `mutate` call is running.
    pub(super) unsafe fn trace_value_stopped(&self, start: usize, found: &mut SnapshotBuffer) {
        // SAFETY: passed on to the caller.
        unsafe {
            let bytes = self.heap.end_of(start) - start;
            let word = self.heap.planes().claims(start).word();
            if let Some(object) = Described::at(Extent { base: start, bytes })
                && !claim::is_done(word, bit(start))
            {
                object.trace(&mut found.visitor(self));
                if !self.remembers_writes() {
                    self.set_all_claimed(object.extent());
                }
            }
        }
    }

    /// What the object at `start` holds, which a barrier could not ask once; `None` if there is no such object
    /// any more.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running.
    pub(super) unsafe fn contents_of_failed(&self, start: usize) -> Option<SnapshotBuffer> {
        let extent = self.heap.allocation_of(start)?;
        // SAFETY: it is an allocation of this heap, in a described block, and nobody has a reference to it.
        unsafe {
            if extent.base != start || !self.heap.state_at(start).is_described() {
                return None;
            }
            let object = Described::at(extent).filter(|object| self.needs_trace(*object))?;
            let mut contents = SnapshotBuffer::default();
            object.trace(&mut contents.visitor(self));
            Some(contents)
        }
    }

    /// Asks an object that a marker has found for its pointers, at a safepoint, and, if the heap has one
    /// mutator, makes its tags anew. `false` if a lock in it is taken: then it is to be asked while mutators are stopped.
    ///
    /// If its `trace` panics, the cycle must be given up.
    ///
    /// # Safety
    ///
    /// As for [`Collector::claim`]; and if the heap has one mutator, no `mutate` call is running.
    pub(super) unsafe fn trace_value(&self, start: usize, found: &mut SnapshotBuffer) -> bool {
        // SAFETY: passed on to the caller.
        unsafe {
            let extent = Extent {
                base: start,
                bytes: self.heap.end_of(start) - start,
            };
            if self.mutators == Mutators::Many {
                // Others are looking at tags: an upgrade of a weak pointer looks at those of the target.
                let Some(object) = Described::at(extent) else {
                    return true;
                };
                if !self.claim_by_tracing(object, found) {
                    return false;
                }
                // Elements of a collection may be written now by who has the collection's lock.
                if !object.descriptor().lent {
                    self.heap.count_owned(only_looking(|| object.measure()));
                }
                return true;
            }
            let word = self.heap.planes().claims(start).word();
            let Some(object) = Described::at(extent) else {
                return true;
            };
            if claim::is_done(word, bit(start)) {
                return true;
            }
            // Claimed first: another marker that meets it must not look at tags in the making.
            self.set_all_claimed(extent);
            self.heap.clear_tags(extent);
            object.trace(&mut super::mark::trace_value::Retagger {
                heap: &self.heap,
                extent,
                listener: &mut found.visitor(self),
            });
            self.heap.clear_dirty(object);
            if self.remembers_writes() {
                // The next write is to be seen.
                self.set_all_unclaimed(extent);
            }
            self.heap.count_owned(only_looking(|| object.measure()));
        }
        true
    }

    /// [`Collector::set_claimed`] for a whole object, with all of its chunks if it is large.
    unsafe fn set_all_claimed(&self, extent: Extent) {
        // SAFETY: passed on to the caller.
        unsafe {
            let large = self.heap.state_at(extent.base).is_large_head();
            let step = if large { CHUNK } else { extent.bytes };
            for from in (extent.base..extent.end()).step_by(step) {
                self.set_claimed(extent.base, from);
            }
        }
    }

    /// Takes back what [`Collector::set_all_claimed`] did.
    unsafe fn set_all_unclaimed(&self, extent: Extent) {
        // SAFETY: passed on to the caller.
        unsafe {
            let large = self.heap.state_at(extent.base).is_large_head();
            let step = if large { CHUNK } else { extent.bytes };
            for from in (extent.base..extent.end()).step_by(step) {
                let bits = bit(from) | bit(from) << 1;
                claim::unclaim(self.heap.planes().claims(from).word(), bits);
            }
        }
    }

    /// Sets the claim of the object at `start`, or of its chunk at `from`, and waits for markers that read
    /// it.
    unsafe fn set_claimed(&self, start: usize, from: usize) {
        // SAFETY: passed on to the caller.
        unsafe {
            let word = self.heap.planes().claims(from).word();
            let flags = self.heap.blocks().byte(self.heap.owned_block(start));
            let batches = self.work.batches();
            claim::claim(word, bit(from), flags, BlockState::CLAIMED, from, batches);
        }
    }

    /// Notes a pointer that a mutator has read where nobody keeps to claims: it leads to an object that
    /// must survive this cycle. It is marked, in the plane that mutators write, so that it is noted once,
    /// however often it is read before a marker comes by.
    ///
    /// # Safety
    ///
    /// `target` is the address of an object of this heap, or none in any heap.
    pub(crate) unsafe fn note_read(&self, target: usize, found: &mut SnapshotBuffer) {
        if !self.heap.spans(target) {
            return;
        }
        // SAFETY: the target is an object of this heap, says the caller.
        let group = unsafe { self.heap.planes().group(target) };
        if !group.is_marked(target) {
            if self.phase() == Phase::Finalizing && group.extents.get() & bit(target) != 0 {
                // SAFETY: an object starts there.
                unsafe { self.heap.insert_found_dead(target) }
            }
            group.marks[1].insert_shared(bit(target));
            found.pointers.push(target | entry::SCAN);
        }
    }
}
