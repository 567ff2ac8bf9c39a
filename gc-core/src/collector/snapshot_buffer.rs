//! The snapshot buffer: pointers that a thread has found and the markers do not know yet.
//!
//! A thread fills a [`SnapshotBuffer`] with what roots, claimed objects and noted reads lead to. When the buffer is
//! large, and at each safepoint, it is flushed: the pointers become packets in [`Work`], and targets of weak
//! pointers go on the list of those. A [`SnapshotVisitor`] is the way in: roots and the `trace` of a value report
//! their edges to it.
//!
//! The buffer does not look whether a target is marked. Markers do, since they prefetch what tells. The exception is
//! [`SnapshotBuffer::drop_marked`], by which a paused cycle can tell that nothing new has come up.
//!
//! # Invariants
//!
//! 1. Every address in a buffer is a *candidate*: a multiple of the granule between the heap's base and its top.
//!    For these the planes are committed. Whether an object starts there is for the markers to check.
//! 2. A cycle does not end marking while a buffer holds pointers: mutators flush theirs before the safepoint looks
//!    for work.

use super::mark::words::{is_candidate, read_word};
use super::work::{Work, entry, forget_large};
use super::{Collector, Phase};
use crate::heap::Heap;
use crate::heap::planes::{GRANULE, bit};
use crate::heap::start::ObjectStart;
use crate::types::found::Row;
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

/// A buffer of this many pointers is flushed even in a `mutate` call.
const LARGE: usize = 1024;

/// Pointers of one thread, for the markers.
#[derive(Debug, Default)]
pub(crate) struct SnapshotBuffer {
    /// Entries of packets.
    pointers: Vec<usize>,
    /// Targets of weak pointers.
    weak: Vec<usize>,
    /// Keys and values.
    ephemerons: Vec<(usize, usize)>,
}

impl SnapshotBuffer {
    /// Gives all pointers to the markers.
    pub(crate) fn flush(&mut self, work: &Work) {
        work.add(core::mem::take(&mut self.pointers));
        if !self.ephemerons.is_empty() {
            let entries = |(key, value)| [key | entry::EPHEMERON, value];
            work.add(self.ephemerons.drain(..).flat_map(entries).collect());
            forget_large(&mut self.ephemerons);
        }
        work.add_weak(&mut self.weak);
    }

    /// Whether it is time to flush.
    pub(crate) fn is_large(&self) -> bool {
        self.pointers.len() + self.ephemerons.len() >= LARGE
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.has_no_pointers() && self.weak.is_empty()
    }

    /// Whether there is nothing to mark in it. Weak targets do not count.
    pub(crate) fn has_no_pointers(&self) -> bool {
        self.pointers.is_empty() && self.ephemerons.is_empty()
    }

    /// Removes pointers to objects that are marked.
    pub(super) fn drop_marked(&mut self, heap: &Heap) {
        let is_unmarked = |target: &usize| {
            // SAFETY: candidates lie below the heap's top (invariant 1), where planes are committed.
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

    /// Moves everything from `other` into this buffer.
    pub(crate) fn append(&mut self, other: &mut SnapshotBuffer) {
        self.pointers.append(&mut other.pointers);
        self.weak.append(&mut other.weak);
        self.ephemerons.append(&mut other.ephemerons);
    }

    /// A visitor that puts edges into this buffer.
    ///
    /// It says that it is [alone](EdgeVisitor::is_alone): it is for roots, and for values that no other thread can
    /// write to meanwhile.
    pub(crate) fn visitor<'a>(&'a mut self, collector: &'a Collector) -> SnapshotVisitor<'a> {
        SnapshotVisitor {
            collector,
            buffer: self,
            alone: true,
            met_lock: false,
        }
    }

    /// Like [`SnapshotBuffer::visitor`], for a value in which another thread may have a lock open.
    pub(super) fn visitor_among_others<'a>(
        &'a mut self,
        collector: &'a Collector,
    ) -> SnapshotVisitor<'a> {
        SnapshotVisitor {
            alone: false,
            ..self.visitor(collector)
        }
    }
}

/// Puts the edges that it visits into a buffer.
pub(crate) struct SnapshotVisitor<'a> {
    collector: &'a Collector,
    buffer: &'a mut SnapshotBuffer,
    /// See [`EdgeVisitor::is_alone`].
    alone: bool,
    /// Whether the value holds a lock that was taken.
    met_lock: bool,
}

impl SnapshotVisitor<'_> {
    /// Whether a lock that was taken has hidden a part of the value.
    pub(super) fn has_met_lock(&self) -> bool {
        self.met_lock
    }

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

    fn wants_places(&self) -> bool {
        false
    }

    fn visit_targets(&mut self, targets: &[usize]) {
        let heap = &self.collector.heap;
        let (base, granules) = (heap.base(), (heap.top() - heap.base()) / GRANULE);
        let candidates = targets.iter().copied();
        let candidates = candidates.filter(|target| is_candidate(*target, base, granules));
        self.buffer.pointers.extend(candidates);
    }

    unsafe fn visit_rows(&mut self, rows: &[Row]) {
        let heap = &self.collector.heap;
        let (base, granules) = (heap.base(), (heap.top() - heap.base()) / GRANULE);
        for word in rows.iter().flat_map(Row::words) {
            // SAFETY: these are words that may be read so (the caller's promise).
            let target = unsafe { read_word::<true>(word) };
            if is_candidate(target, base, granules) {
                self.buffer.pointers.push(target);
            }
        }
    }

    fn visit(&mut self, edge: Edge) {
        let target = edge.target;
        if !self.is_candidate(target) {
            return;
        }
        if edge.weak {
            self.buffer.weak.push(target);
        } else {
            self.buffer.pointers.push(target);
        }
    }

    fn visit_ephemeron(&mut self, _: usize, key: usize, value: usize) {
        match (self.is_candidate(key), self.is_candidate(value)) {
            (true, true) => self.buffer.ephemerons.push((key, value)),
            (true, false) => self.buffer.weak.push(key),
            // A key that needs no memory always exists; without a key, there is no ephemeron.
            (false, true) if key != 0 => self.buffer.pointers.push(value),
            (false, _) => {}
        }
    }
}

impl Collector {
    /// Puts a pointer into the buffer that a mutator has read from memory where writes make no claims. Its target
    /// must survive this cycle. The target is marked in the plane that mutators write, so that it is buffered once,
    /// however often it is read before a marker scans it.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `target`, or the address is in no heap.
    pub(crate) unsafe fn note_read(&self, target: usize, buffer: &mut SnapshotBuffer) {
        if !self.heap.spans(target) {
            return;
        }
        // SAFETY: the address is in this heap, so an object of it starts there (the caller's promise), and its
        // planes are committed.
        let group = unsafe { self.heap.planes().group(target) };
        if !group.is_marked(target) {
            if self.phase() == Phase::Finalizing && group.extents.get() & bit(target) != 0 {
                // SAFETY: the planes say that an object of this heap starts there.
                let start = unsafe { ObjectStart::new_unchecked(target) };
                self.heap.insert_found_dead(start);
            }
            group.marks[1].insert_shared(bit(target));
            buffer.pointers.push(target | entry::SCAN);
        }
    }
}
