//! Rescanning: finds pointers that the program has read from weak pointers and stored since the snapshot, or that were
//! in what the barrier could not record.
//!
//! A concurrent cycle keeps what was reachable at the snapshot. A weak pointer may lead out of the snapshot, and the
//! program may store what it gets from one. The collector could mark each target when it is read. But then the target
//! of a weak pointer that every `mutate` call reads would never die, as there is such a call in each cycle. So a read
//! keeps nothing alive. It is only remembered ([`weak_reads`](super::weak_reads)). If its target is still unmarked when
//! everything else is marked, marking does not end before the collector has scanned all places where the program can
//! have stored a pointer since the snapshot. The claims plane tells where: objects that were written are claimed, and
//! so are those that were allocated.
//!
//! # A round
//!
//! At a safepoint the roots are visited again. Then, block by block, claims are taken back
//! ([`Heap::unclaim_small`]), and the marked ones of these objects are scanned once more, as they are now. The unmarked
//! ones are only unclaimed: the marker that marks one later also scans it. The program may run between the steps of a
//! round. What it writes then is claimed again, and what it allocates is claimed. When a whole round, and all marking
//! that it causes, is done at one safepoint, marking is complete. Otherwise, when the markers are done, another round
//! begins, for what the program has done during the one before. After [`ROUNDS`] of them, a safepoint takes as long as
//! it needs. So a cycle ends, however much the program writes.
//!
//! From the first round on, claims note nothing, since what is written will be scanned anyway. This matters for objects
//! that are not marked. If the program reads a dead object from a weak pointer and writes to it, the notes would keep
//! alive what it holds, and so perhaps the object itself. An object that is allocated black and leads to the dead one
//! would do the same, and so would an atomic cell of the dead object into which the program stores it. So a cycle
//! *remembers writes* from its beginning if one of the last [`QUIET`] cycles had a sign that the program polls weak
//! pointers to dead objects. Then, until marking is complete,
//!
//! * claims note nothing;
//! * objects are allocated claimed, but not marked ([`AllocationColor::Claimed`]). A marker that finds one marks it and
//!   does not scan it;
//! * a store to an atomic cell claims the object that the cell is in, like any barrier. The root need not be claimed, as
//!   each round visits it.
//!
//! A cycle that the program pauses where everything is marked does so from the pause on. Then whatever the program makes
//! meanwhile is told apart, before the cycle goes on, by whether something leads to it.
//!
//! The signs are: a round that began in a cycle that did not remember writes, or that ended with an unmarked target of
//! a weak read; and a note of an object that was unmarked when it was written or stored, after a weak read of an
//! unmarked object ([`Noting::Doubtful`]). Cycles without such a sign rescan nothing if all targets that were read turn
//! out to be marked, and cost nothing if none was read.
//!
//! # Nothing is lost
//!
//! Take the moment at which marking ends, after a round that was not interrupted. By induction over the length of
//! the path, everything reachable then is marked. What a root leads to is, since roots were visited in the round.
//! Take a marked object of the path, and a pointer that is in it now.
//!
//! * It was claimed or allocated before the last round, and not written later. (A later write would have claimed it
//!   again, since that round took the claim back; and nothing claimed it again, as the program no longer ran.) If it was
//!   marked then, the round has scanned it. If it was marked later, its marker has scanned it, as it was not claimed.
//! * It was neither claimed nor allocated in this cycle, so nobody has written to it. It was scanned when it was marked.
//!
//! Either way it was scanned in its present state, so the target of the pointer is marked. The argument does not use
//! that objects are allocated marked. They must be when marking is complete: from then on an object without a mark is
//! taken for dead. Objects that were allocated before and have no mark are dead. A marker misses nothing that was
//! allocated after the marker was made, in blocks that it does not know: what it scans was not claimed, so it leads to
//! objects that existed when the claims were taken back, before the marker was made.
//!
//! Some words change without a claim. A pointer that is put into an [`AtomicGc`](crate::shared::AtomicGc) before the
//! cycle remembers writes, or into a `DynamicRootSet`, is marked by the thread that does so; handles and pins are
//! roots. An `AtomicGc` in memory that an object owns is in no object that could be claimed. If one was written, the
//! next round rescans all marked objects that own memory, written or not ([`Collector::note_owned_cell`]). No mutator
//! runs in the last round, so it sees all such cells as they are. If the program writes such cells in each call, every
//! round does that. So the last one, which has no bound, takes as long as tracing these objects takes. What a
//! finalization call writes is noted when the call is over ([`finalization`](super::finalization)).
//!
//! By the same argument, a reachable weak pointer leads to an object that is marked, or was noted: a marker that scans
//! an object notes the unmarked targets of its weak pointers.
//!
//! This does not need the snapshot. A cycle in which claims note nothing is one with incremental update (Dijkstra et
//! al. 1978), whose remembered set are the claims. Without weak reads of unmarked objects, or if all of them were
//! marked by others, the argument of `docs/concurrency.md` holds: the program never left the snapshot.
//!
//! # Objects that were not recorded
//!
//! The write barrier claims an object without noting what it held if only code of the user's could tell
//! ([`claim`](super::claim)). Then the snapshot has a hole, and marking ends with a round as well: the argument above
//! says nothing of how the cycle began, nor of what claims have noted before the first round. A program that makes many
//! such holes gets cycles that remember writes ([`untraced`](super::untraced)).

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use super::BETWEEN_LOOKS;
use super::snapshot_buffer::SnapshotBuffer;
use super::work::{Packet, entry};
use super::{Collector, Cycle, Phase, Program};
use crate::heap::black::AllocationColor;
use crate::heap::block::BlockIndex;
use crate::sync::Ordering;

/// After so many rounds one is made without a bound.
const ROUNDS: u32 = 8;

/// For so many cycles after one with weak reads of dead objects, or with many holes in its snapshot, writes are
/// remembered from the beginning.
const QUIET: u32 = 8;

/// So many objects are looked at before the markers have them.
const SOME: usize = 4096;

/// What is noted of an object when it is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Noting {
    /// What it holds, which is what it held at the snapshot.
    Contents,
    /// The same; but weak pointers have led to what is not marked, so it may be out of the snapshot.
    Doubtful,
    /// Nothing: what is written will be scanned again.
    Nothing,
}

/// How far a cycle is with this.
#[derive(Default)]
pub(super) struct Rescan {
    /// Blocks that the present round has still to look at.
    blocks: Vec<BlockIndex>,
    /// Whether there is a round in progress, and whether it rescans what objects own outside of the heap, too.
    going: bool,
    owned_memory: bool,
    /// How many rounds there were.
    rounds: u32,
}

impl Collector {
    /// What claims note.
    #[inline]
    pub(crate) fn noting(&self) -> Noting {
        // Relaxed: it becomes `Nothing`, and ceases to be so, while no mutator is at work. A thread that sees
        // `Contents` too long in place of `Doubtful` has not read a weak pointer itself, for then it has stored
        // `Doubtful`, or found the target in the table, which orders this load after that store (`WeakReads::has`). Nor
        // has it got hold of what others have read so: that comes by way of something that orders this load after their
        // store.
        match self.noting.load(Ordering::Relaxed) {
            0 => Noting::Contents,
            1 => Noting::Doubtful,
            _ => Noting::Nothing,
        }
    }

    fn set_noting(&self, noting: Noting) {
        // Relaxed: as above.
        self.noting.store(noting as u8, Ordering::Relaxed);
    }

    /// Whether claims note nothing, because what is written will be scanned again.
    #[inline]
    pub(crate) fn remembers_writes(&self) -> bool {
        self.noting() == Noting::Nothing
    }

    /// Remembers a weak read in a cycle that marks, of a target that is not marked.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `target`.
    #[inline(never)]
    pub(crate) unsafe fn note_weak_read(&self, target: usize) {
        // A program that polls a pointer reads it often. `noting` changed with the first time.
        if self.weak_reads.has(target) {
            return;
        }
        if self.noting() == Noting::Contents {
            self.set_noting(Noting::Doubtful);
        }
        // SAFETY: an object of this heap starts there (the caller's promise).
        let is_born_or_written = || unsafe { self.is_claimed(target) };
        // Then it was read before it was written; and if it was allocated in this cycle, nobody polls it.
        if self.remembers_writes() && is_born_or_written() {
            return;
        }
        // SAFETY: the target is an object of this heap (the caller's promise), which is not freed before marking ends.
        unsafe { self.weak_reads.add(target, &self.heap) };
    }

    /// Notes that something is about to be kept alive for this cycle because the object at `target` is written or
    /// stored. If a weak pointer has led there, this may be all that keeps it alive.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `target`.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn doubt(&self, target: usize) {
        // SAFETY: an object of this heap starts there (the caller's promise), so its planes are committed.
        if !unsafe { self.heap.planes().is_marked(target) } {
            self.weak_reads.doubt();
        }
    }

    /// [`Collector::doubt`] for what is noted when it is stored.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `target`.
    #[inline]
    pub(crate) unsafe fn doubt_stored(&self, target: usize) {
        if self.noting() == Noting::Doubtful {
            // SAFETY: the caller's promise is the same.
            unsafe { self.doubt(target) }
        }
    }

    /// Notes that an atomic cell was written in memory outside of the heap, in a cycle that remembers writes. Which
    /// object owns the memory is not known, so the next round rescans what all of them own.
    pub(crate) fn note_owned_cell(&self) {
        // Relaxed: read when mutators are stopped.
        self.owned_cells_written.store(true, Ordering::Relaxed);
    }

    /// A cycle begins, or is over. `polled` says for how many cycles the program is taken to poll weak pointers.
    pub(super) fn forget_weak_reads(&self, cycle: &mut Cycle) {
        if self.weak_reads.clear() | self.untraced.have_overflowed() {
            cycle.polled = QUIET;
        }
        cycle.rescan = Rescan::default();
        // Relaxed: mutators are stopped.
        self.owned_cells_written.store(false, Ordering::Relaxed);
        self.unrecorded.store(false, Ordering::Relaxed);
        self.set_noting(match cycle.polled {
            0 => Noting::Contents,
            _ => Noting::Nothing,
        });
        cycle.polled = cycle.polled.saturating_sub(1);
    }

    /// Sets how objects are allocated in a cycle that begins.
    ///
    /// # Safety
    ///
    /// Mutators are stopped.
    pub(super) unsafe fn choose_allocation_color(&self, cycle: &mut Cycle, program: &Program<'_>) {
        cycle.allocated_unblack = program.allocated;
        let color = if self.remembers_writes() {
            AllocationColor::Claimed
        } else {
            AllocationColor::Black
        };
        // SAFETY: mutators are stopped (the caller's promise).
        unsafe { self.heap.set_allocation_color(color) };
    }

    /// Allocates black from now on: marking is complete, so what has no mark is taken for dead.
    ///
    /// # Safety
    ///
    /// Mutators are stopped.
    unsafe fn allocate_black(&self, cycle: &mut Cycle, program: &Program<'_>) {
        if self.heap.allocation_color() == AllocationColor::Claimed {
            cycle.allocated_unblack = program.allocated;
            // SAFETY: mutators are stopped (the caller's promise).
            unsafe { self.heap.set_allocation_color(AllocationColor::Black) };
        }
    }

    /// Remembers from now on what is written, and what is allocated, which is not marked: the cycle pauses where
    /// everything is marked.
    ///
    /// # Safety
    ///
    /// Mutators are stopped, and marking does not end before a round.
    pub(super) unsafe fn remember_writes(&self, cycle: &mut Cycle, program: &Program<'_>) {
        if self.heap.allocation_color() == AllocationColor::Black {
            cycle.black_before += program.allocated.since(cycle.allocated_unblack).bytes;
        }
        cycle.rescan = Rescan::default();
        self.set_noting(Noting::Nothing);
        // SAFETY: mutators are stopped, and there is a round before what has no mark is taken for dead (the caller's
        // promises).
        unsafe { self.heap.set_allocation_color(AllocationColor::Claimed) }
    }

    /// Whether what was written and allocated must be scanned again before marking is complete. No mutator is at work,
    /// and everything else is marked.
    pub(super) fn must_rescan(&self) -> bool {
        self.remembers_writes() || self.has_unrecorded() || self.weak_reads.has_unmarked(&self.heap)
    }

    /// Scans what was written and allocated since the snapshot, or since the last round. Whether marking is complete.
    /// The error is the panic of a `trace`: then the cycle must be aborted.
    ///
    /// # Safety
    ///
    /// 1. The safepoint promises of [`Collector::safepoint`].
    /// 2. No mutator and no marker is at work.
    pub(super) unsafe fn rescan(
        &self,
        cycle: &mut Cycle,
        program: &Program<'_>,
        deadline: Option<Instant>,
    ) -> std::thread::Result<bool> {
        if !self.remembers_writes() && self.weak_reads.has_unmarked(&self.heap) {
            // Whether it is dead, nobody will know: what the program has made since the snapshot may lead there.
            cycle.polled = QUIET;
        }
        self.work.termination.start();
        // SAFETY: the caller makes the safepoint promises (1), and no mutator and no marker is at work (2).
        let rounds = AssertUnwindSafe(|| unsafe { self.rescan_rounds(cycle, program, deadline) });
        let result = panic::catch_unwind(rounds);
        self.work.termination.rest();
        if let Ok(true) = result {
            if self.weak_reads.has_unmarked(&self.heap) {
                cycle.polled = QUIET;
            }
            // SAFETY: no mutator is at work (2), and a whole round has found nothing more to mark.
            unsafe { self.end_rounds(cycle, program) };
        }
        result
    }

    /// Marking is complete: after a whole round, or where a pause has brought up nothing
    /// ([`Collector::is_marked`]).
    ///
    /// # Safety
    ///
    /// Mutators are stopped, and everything reachable is marked.
    pub(super) unsafe fn end_rounds(&self, cycle: &mut Cycle, program: &Program<'_>) {
        self.weak_reads.clear();
        // Relaxed: mutators are stopped.
        self.unrecorded.store(false, Ordering::Relaxed);
        // SAFETY: mutators are stopped (the caller's promise).
        unsafe { self.allocate_black(cycle, program) };
    }

    /// Makes rounds until one is whole, or the deadline is over. Whether marking is complete.
    ///
    /// # Safety
    ///
    /// As for [`Collector::rescan`].
    unsafe fn rescan_rounds(
        &self,
        cycle: &mut Cycle,
        program: &Program<'_>,
        deadline: Option<Instant>,
    ) -> bool {
        self.set_noting(Noting::Nothing);
        let deadline = deadline.filter(|_| cycle.rescan.rounds < ROUNDS);
        let mut whole = false;
        loop {
            if !cycle.rescan.going {
                whole = true;
                cycle.rescan.going = true;
                cycle.rescan.rounds += 1;
                cycle.rescan.blocks = self.heap.occupied_blocks();
                // Relaxed: mutators are stopped, which orders this after their stores.
                cycle.rescan.owned_memory = self.owned_cells_written.swap(false, Ordering::Relaxed);
                // SAFETY: no marker is at work (2).
                unsafe { self.work.pending.cover(&self.heap) }
                let mut buffer = SnapshotBuffer::default();
                (program.roots)(&mut buffer.visitor(self));
                self.visit_cohorts(&mut buffer.visitor(self));
                buffer.flush(&self.work);
            }
            // SAFETY: the caller makes the safepoint promises (1), and no mutator and no marker is at work (2). The
            // blocks are those of this heap, and nothing is swept while a cycle marks.
            let marked = unsafe {
                self.send_some(&mut cycle.rescan);
                self.mark_until(cycle, deadline)
            };
            cycle.rescan.going = !cycle.rescan.blocks.is_empty();
            if marked && whole && !cycle.rescan.going {
                return true;
            }
            if deadline.is_some_and(|end| Instant::now() >= end) {
                return false;
            }
        }
    }

    /// Takes the claims of some blocks back, and lets markers have the objects that are to be scanned.
    ///
    /// # Safety
    ///
    /// As for [`Collector::rescan`]; and the blocks are of this heap.
    unsafe fn send_some(&self, rescan: &mut Rescan) {
        let heap = &self.heap;
        let mut packet = Packet::new();
        while packet.len() < SOME
            && let Some(block) = rescan.blocks.pop()
        {
            if rescan.owned_memory {
                // SAFETY: the block is one of this heap (the caller's promise).
                unsafe { self.send_owners(block, &mut packet) }
            }
            // SAFETY: the block is one of this heap, in which no allocation buffer is, as they are retired. No
            // mutator is at work (2), and nothing is swept while a cycle marks. Objects start where `unclaim_large`
            // says.
            unsafe {
                if !heap.blocks().state(block).is_large_head() {
                    heap.unclaim_small(block, |start| packet.push(start.address() | entry::SCAN));
                    continue;
                }
                heap.unclaim_large(block, |start, (from, to)| {
                    let start = start.address();
                    if !self.is_traced_by_value(start) {
                        packet.extend([from | entry::PART, to]);
                    } else if packet.last() != Some(&(start | entry::SCAN)) {
                        packet.push(start | entry::SCAN);
                    }
                });
            }
        }
        self.work.add(packet);
    }

    /// Lets markers have all marked objects of a block that may own memory outside of the heap, claimed or not.
    ///
    /// # Safety
    ///
    /// As for [`Collector::rescan`]; and the block is of this heap.
    unsafe fn send_owners(&self, block: BlockIndex, packet: &mut Packet) {
        let heap = &self.heap;
        // SAFETY: the block is one of this heap (the caller's promise), so its state is there. Objects start where
        // `each_start` says, and no mutator is at work (2).
        unsafe {
            if heap.blocks().state(block).is_described() {
                heap.each_start(block, |start| {
                    let start = start.address();
                    if heap.planes().is_marked(start) && self.is_traced_by_value(start) {
                        packet.push(start | entry::SCAN);
                    }
                });
            }
        }
    }

    /// Marks, and traces objects, until there is nothing to do or the deadline is over. Whether there is nothing to do.
    ///
    /// # Safety
    ///
    /// As for [`Collector::rescan`].
    unsafe fn mark_until(&self, cycle: &mut Cycle, deadline: Option<Instant>) -> bool {
        let is_over = || deadline.is_some_and(|end| Instant::now() >= end);
        let role = self.role(self.background());
        loop {
            // SAFETY: this is the thread at the safepoint (1).
            let done = unsafe {
                if self.phase() == Phase::Finalizing {
                    self.mark_as::<true>(cycle, role, deadline)
                } else {
                    self.mark_as::<false>(cycle, role, deadline)
                }
            };
            let mut buffer = SnapshotBuffer::default();
            let mut traced = 0;
            while let Some(object) = self.work.take_to_trace() {
                // SAFETY: a marker has found the object, in a described block; the cycle marks. This thread may
                // trace it (1), and no mutator is at work (2).
                unsafe {
                    if self.has_one_mutator() {
                        let done = self.trace_value(object, &mut buffer);
                        debug_assert!(done, "nobody else can have taken a lock");
                    } else {
                        self.trace_value_stopped(object, &mut buffer);
                    }
                }
                traced += 1;
                if traced % BETWEEN_LOOKS == 0 && is_over() {
                    break;
                }
            }
            buffer.flush(&self.work);
            if done && self.work.has_no_packets() && self.work.has_none_to_trace() {
                return true;
            }
            if is_over() {
                return false;
            }
        }
    }
}
