//! The snapshot buffer: pointers that a thread has found and the markers do not know yet.
//!
//! A thread fills a [`SnapshotBuffer`] with what roots, claimed objects and noted reads lead to. When the buffer is
//! large, and at each safepoint, it is flushed: the pointers become packets in [`Work`], and targets of weak
//! pointers go on the list of those. A [`SnapshotVisitor`] is the way in: roots and the `trace` of a value report
//! their edges to it.
//!
//! What is buffered is in packets of bounded length from the beginning. To trace a vector of a million pointers moves none
//! of them twice, and a marker that takes a packet has a short piece of work.
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

use core::mem::MaybeUninit;

use super::mark::words::{is_candidate, read_word};
use super::work::{Packet, Work, entry, forget_large};
use super::{Collector, Phase};
use crate::heap::Heap;
use crate::heap::planes::{GRANULE, bit};
use crate::heap::start::ObjectStart;
use crate::types::found::Row;
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

/// A buffer of this many pointers is flushed even in a `mutate` call, and is about a packet.
const LARGE: usize = 1024;

/// So many pointers are added together.
const SOME: usize = 32;

/// Pointers of one thread, for the markers.
#[derive(Debug, Default)]
pub(crate) struct SnapshotBuffer {
    /// Packets that are full.
    full: Vec<Packet>,
    /// The packet in the making.
    pointers: Packet,
    /// Targets of weak pointers.
    weak: Vec<usize>,
    /// Keys and values.
    ephemerons: Vec<(usize, usize)>,
}

impl SnapshotBuffer {
    /// Gives all pointers to the markers.
    pub(crate) fn flush(&mut self, work: &Work) {
        self.full.drain(..).for_each(|packet| work.add(packet));
        forget_large(&mut self.full);
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
        !self.full.is_empty() || self.pointers.len() + self.ephemerons.len() >= LARGE
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.has_no_pointers() && self.weak.is_empty()
    }

    /// Whether there is nothing to mark in it. Weak targets do not count.
    pub(crate) fn has_no_pointers(&self) -> bool {
        self.full.is_empty() && self.pointers.is_empty() && self.ephemerons.is_empty()
    }

    /// Removes pointers to objects that are marked.
    pub(super) fn drop_marked(&mut self, heap: &Heap) {
        let is_unmarked = |target: &usize| {
            // SAFETY: candidates lie below the heap's top (invariant 1), where planes are committed.
            !unsafe { heap.planes().is_marked(*target) }
        };
        self.full.retain_mut(|packet| {
            packet.retain(is_unmarked);
            !packet.is_empty()
        });
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
        self.full.append(&mut other.full);
        self.pointers.append(&mut other.pointers);
        self.weak.append(&mut other.weak);
        self.ephemerons.append(&mut other.ephemerons);
    }

    /// Takes [`SOME`] pointers at most, and adds those that are candidates: within so many granules from a base on. Whether
    /// there may be more.
    #[inline(always)]
    fn extend(
        &mut self,
        (base, granules): (usize, usize),
        targets: impl Iterator<Item = usize>,
    ) -> bool {
        if self.pointers.capacity() - self.pointers.len() < SOME {
            self.make_room();
        }
        let spare = self.pointers.spare_capacity_mut();
        let (mut taken, mut count) = (0, 0);
        for target in targets.take(SOME) {
            taken += 1;
            // SAFETY: there is room for so many.
            let place: &mut MaybeUninit<usize> = unsafe { spare.get_unchecked_mut(count) };
            place.write(target);
            count += usize::from(is_candidate(target, base, granules));
        }
        // SAFETY: so many were written.
        unsafe { self.pointers.set_len(self.pointers.len() + count) }
        taken == SOME
    }

    /// Makes room for [`SOME`] pointers in the packet, or begins another.
    #[cold]
    fn make_room(&mut self) {
        if self.pointers.len() + SOME <= LARGE {
            self.pointers.reserve(SOME);
        } else {
            let next = Packet::with_capacity(LARGE);
            self.full.push(core::mem::replace(&mut self.pointers, next));
        }
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

    /// Where candidates are: the base of the heap, and how many granules there are.
    fn range(&self) -> (usize, usize) {
        let heap = &self.collector.heap;
        (heap.base(), (heap.top() - heap.base()) / GRANULE)
    }

    fn is_candidate(&self, target: usize) -> bool {
        let (base, granules) = self.range();
        is_candidate(target, base, granules)
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
        let (range, mut targets) = (self.range(), targets.iter().copied());
        while self.buffer.extend(range, &mut targets) {}
    }

    unsafe fn visit_rows(&mut self, rows: &[Row]) {
        let range = self.range();
        for row in rows {
            // SAFETY: these are words that may be read so (the caller's promise).
            let mut targets = row.words().map(|word| unsafe { read_word::<true>(word) });
            while self.buffer.extend(range, &mut targets) {}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_short_and_have_each_pointer_once() {
        let mut buffer = SnapshotBuffer::default();
        let range = (1 << 20, 100_000);
        let candidate = |index| (1 << 20) + index * GRANULE;
        // Every other one is no candidate.
        let mut targets = (0..100_000).flat_map(|index| [candidate(index), index]);
        while buffer.extend(range, &mut targets) {}
        assert!(buffer.is_large());
        buffer.full.push(buffer.pointers);
        assert!(buffer.full.iter().all(|packet| packet.len() <= LARGE));
        let pointers = buffer.full.iter().flatten().copied();
        assert!(pointers.eq((0..100_000).map(candidate)));
    }
}
