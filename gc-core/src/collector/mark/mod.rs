//! The marker: finds everything that can be reached.
//!
//! Marking is iterative. A pointer that was found goes onto the [mark stack](stack); one that is taken off
//! it goes through a short [queue], and only when it leaves the queue is its mark tested. Both its
//! metadata and the object are prefetched when it enters, so that the wait for memory overlaps with
//! the work on the pointers before it (Cher, Hosking and Vijaykumar, ASPLOS 2004). An object that was
//! not marked is marked and [scanned](scan): its tags, cut off at its end, tell which words to follow; or, if they
//! cannot tell, its value is [traced](trace_value).
//!
//! What pointers [outside](outside) of the heap lead to, those of roots and in memory that objects own, is marked when they
//! are read, and waits on a stack of its own to be [scanned](marked).
//!
//! Both stacks are bounded. What does not fit on them is [deferred]: marked immediately, and scanned when they are
//! empty, until there is neither stack nor list. The objects that [large] arrays point to are deferred as well.
//!
//! **Several markers** have stacks, a queue and a list each, and a mark plane each, or share one with
//! atomic operations if they are more than two. They [share] their work in packets. Two that meet an object at the
//! same time may both mark it; it is then scanned twice, which does no harm.
//!
//! **Concurrently** (`CONCURRENT`) with the program, a marker must not read what a mutator may write. So objects
//! that are marked are first gathered in a [batch], which is published, and then scanned, except those that were
//! claimed. Objects that were allocated since the cycle began were allocated claimed, and nearly always marked, so it
//! never reads them. And it runs none of the user's code: objects that only such code knows how to trace go on a list
//! for safepoints.
//!
//! **[Weak pointers and ephemerons](weak)**: where the ones lead is noted, and the value of the other is followed when
//! its key is marked.
//!
//! **With `DEAD`** it marks what the program cannot reach, for finalizers to see it
//! ([`references`](super::references)), and notes of each object that it was found to be dead.
//!
//! It does not free, clear or move anything, and knows weak pointers only in so far as it notes
//! where they lead.
//!
//! # Invariants
//!
//! 1. An object is marked before it is scanned, and each marker scans it once at most: when it marks
//!    it, when it takes it off the stack of those that are marked, when it takes the grey flag away, or when a packet
//!    says so.
//! 2. A block in which an object is grey in this marker's plane is on its list, which `listed` says, or
//!    is the one it is at.
//! 3. With stacks, queue, batch, lists and packets empty, and what values have told of read, everything that marked objects reach is
//!    marked, except through objects that are on the list for safepoints, or claimed.

mod batch;
mod deferred;
pub(super) mod large;
mod marked;
mod outside;
mod queue;
mod scan;
mod share;
mod stack;
pub(super) mod trace_value;
mod weak;
pub(super) mod words;

use std::time::Instant;

use self::deferred::TOGETHER;
use self::marked::Marked;
use self::queue::{NOTHING, QUEUE};
pub(super) use self::share::Role;
use self::stack::MarkStack;
use self::words::is_candidate;
use super::work::Work;
use crate::heap::Heap;
use crate::heap::block::{BlockIndex, BlockTable};
use crate::heap::planes::{GRANULE, Group, Plane, Planes};
use crate::heap::start::ObjectStart;
use crate::protocol::claim::{BATCH, Batch};
use crate::types::found::{Found, Row};
use crate::types::trace::{Edge, EdgeVisitor, LastOwner};

/// After so many pointers a marker looks whether somebody is hungry, or its time is over.
const QUANTUM: usize = 1024;

/// Finds everything that can be reached from the pointers that it is given.
pub(super) struct Marker<'h, const CONCURRENT: bool, const DEAD: bool> {
    heap: &'h Heap,
    work: &'h Work,
    planes: Planes,
    blocks: BlockTable,
    /// Where objects can be: granules from `base` on.
    base: usize,
    granules: usize,
    batch: &'h Batch,
    /// Which mark plane is this marker's, and whether it has it for itself.
    plane: usize,
    shared: bool,
    /// All ones if every object whose pointers can move is to be taken for dirty, or else zero.
    all_dirty: u64,
    /// Whether this marker may trace values, and whether it leaves those to safepoints that any marker may.
    traces_values: bool,
    leaves_values: bool,
    /// Pointers that are on their way from memory, and the place of the one that is longest.
    queue: [usize; QUEUE],
    oldest: usize,
    /// Which places are taken: a bit each.
    occupied: u32,
    /// Objects that are marked, and to be published and scanned.
    pending: [usize; BATCH],
    pendings: usize,
    /// Objects of a batch that are published alone, as it may take long to trace them.
    long: Vec<usize>,
    /// What values have told of, and is to be marked. Nothing if no value was traced yet.
    found: Option<Box<Found>>,
    backlog: Backlog,
}

/// What a marker has still to do, and what it found that is not for it.
#[derive(Default)]
pub(super) struct Backlog {
    stack: MarkStack,
    /// Objects that were marked before they were taken off a stack.
    marked: Marked,
    /// Parts of large objects that are to be scanned: from an address to another.
    parts: Vec<(usize, usize)>,
    /// Blocks in which objects are grey, a bit for each that is on the list, and from where to where one
    /// of them is still to be scanned.
    grey: Vec<BlockIndex>,
    listed: Vec<u64>,
    grey_from: usize,
    grey_to: usize,
    /// Objects to which weak pointers lead that were not marked when the pointer was met.
    weak: Vec<usize>,
    /// Objects that must be traced at a safepoint.
    untraced: Vec<usize>,
    /// Empty, for values of ephemerons.
    values: Vec<usize>,
    /// Bytes of objects that were marked though they are dead.
    kept: usize,
}

impl<'h, const CONCURRENT: bool, const DEAD: bool> Marker<'h, CONCURRENT, DEAD> {
    /// A marker with something to do, or nothing yet.
    ///
    /// # Safety
    ///
    /// Each number is given to one marker at a time. Until the marker is dropped:
    ///
    /// 1. Nothing in the heap is swept. Without `CONCURRENT`, nothing is allocated or written; with it,
    ///    what is allocated is claimed, and only objects that are claimed are written.
    /// 2. All tags are right, except those of claimed, external and dirty objects, and, with
    ///    `all_dirty`, of all whose pointers can move.
    /// 3. With `traces_values`, this is the thread of the heap's one mutator, or all values are `Sync`; and it is
    ///    not `CONCURRENT`. Values of concurrent types are traced without it: what they own changes only when their objects
    ///    are claimed (invariant 5 of [`crate::types::type_map`]).
    /// 4. The backlog is empty, or that of a marker of the same number in the same cycle.
    pub(super) unsafe fn new(
        heap: &'h Heap,
        work: &'h Work,
        role: Role,
        backlog: Backlog,
    ) -> Marker<'h, CONCURRENT, DEAD> {
        debug_assert!(!(CONCURRENT && role.traces_values) && role.number < role.count);
        Marker {
            planes: heap.planes(),
            blocks: heap.blocks(),
            base: heap.base(),
            granules: (heap.top() - heap.base()) / GRANULE,
            batch: &work.batches()[role.number],
            plane: role.plane(),
            shared: role.shares_plane(CONCURRENT),
            heap,
            work,
            all_dirty: if role.all_dirty { u64::MAX } else { 0 },
            traces_values: role.traces_values,
            leaves_values: role.leaves_values,
            queue: [NOTHING; QUEUE],
            oldest: 0,
            occupied: 0,
            pending: [0; BATCH],
            pendings: 0,
            long: Vec::new(),
            found: None,
            backlog,
        }
    }

    /// Marks what can be reached from what it was given, until nothing is left, it is told to stop, or
    /// the time is over; packets it only looks at when `packets` is set. Whether nothing is left.
    pub(super) fn run(&mut self, packets: bool, deadline: Option<Instant>) -> bool {
        loop {
            if self.work.wants_packets() {
                self.share();
            }
            let more = self.advance();
            if !more {
                self.flush();
                match packets.then(|| self.work.take()).flatten() {
                    Some(packet) => self.receive(packet),
                    None => return true,
                }
            }
            if self.work.must_stop() || deadline.is_some_and(|end| Instant::now() >= end) {
                return false;
            }
        }
    }

    /// Whether this marker has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.occupied == 0 && self.pendings == 0 && self.backlog.is_empty()
    }

    /// Does some of what this marker has to do. Whether there is more.
    fn advance(&mut self) -> bool {
        if self.backlog.stack.is_empty()
            && self.backlog.marked.is_empty()
            && self.occupied == 0
            && self.pendings == 0
            && let Some(part) = self.backlog.parts.pop()
        {
            self.scan_part(part);
            return true;
        }
        // Some pointers of several blocks at once: chains that begin at them are then followed side by
        // side, and wait for memory together.
        let ready = self.backlog.stack.len() + self.backlog.marked.len();
        if ready < TOGETHER / 2 && self.scan_some_grey() {
            return true;
        }
        self.drain(QUANTUM);
        self.scan_marked();
        !self.is_idle()
    }

    /// See [`is_candidate`].
    #[inline(always)]
    fn is_candidate(&self, value: usize) -> bool {
        is_candidate(value, self.base, self.granules)
    }

    /// This marker's mark plane.
    #[inline(always)]
    fn own<'g>(&self, group: &'g Group) -> &'g Plane {
        &group.marks[self.plane % 2]
    }

    /// Sets bits in this marker's mark plane.
    #[inline(always)]
    fn insert(&self, group: &Group, bits: u64) {
        if self.shared {
            self.own(group).insert_shared(bits);
        } else {
            self.own(group).insert(bits);
        }
    }

    /// Marks the object at `target`, in whose group are `bits` of it to be set; with `DEAD`, it is noted that it
    /// was found to be dead.
    #[inline(always)]
    fn insert_mark(&mut self, target: usize, group: &Group, bits: u64) {
        if DEAD {
            // Before it is marked: who sees the mark sees this.
            // SAFETY: an object starts there.
            unsafe {
                let start = ObjectStart::new_unchecked(target);
                self.heap.insert_found_dead(start);
                self.backlog.kept += self.heap.extent_of(start).bytes;
            }
        }
        self.insert(group, bits);
    }
}

impl<const CONCURRENT: bool, const DEAD: bool> EdgeVisitor for Marker<'_, CONCURRENT, DEAD> {
    fn wants_places(&self) -> bool {
        false
    }

    /// Takes pointers from outside of the heap: of a root, or of memory that an object owns.
    fn visit_targets(&mut self, targets: &[usize]) {
        self.mark_targets(targets);
    }

    /// Takes such pointers where they are.
    unsafe fn visit_rows(&mut self, rows: &[Row]) {
        // SAFETY: passed on to the caller.
        unsafe { self.mark_rows(rows) }
    }

    /// Takes one such pointer.
    fn visit(&mut self, edge: Edge) {
        if edge.weak {
            self.note_weak(edge.target);
        } else {
            self.push(edge.target);
        }
    }

    fn visit_ephemeron(&mut self, _: usize, key: usize, value: usize) {
        self.meet(key, value);
    }

    fn drop_later(&mut self, owner: LastOwner) {
        self.work.add_last_owner(owner);
    }
}

impl Backlog {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.stack.is_empty()
            && self.marked.is_empty()
            && self.parts.is_empty()
            && self.grey.is_empty()
            && self.grey_from >= self.grey_to
    }
}
