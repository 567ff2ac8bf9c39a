//! The marker: finds everything that can be reached.
//!
//! Marking is iterative. A pointer that was found goes onto the mark stack; one that is taken off
//! it goes through a short queue, and only when it leaves the queue is its mark tested. Both its
//! metadata and the object are prefetched when it enters, so that the wait for memory overlaps with
//! the work on the pointers before it (Cher, Hosking and Vijaykumar, ASPLOS 2004). An object that was
//! not marked is marked and scanned: its tags, cut off at its end, tell which words to follow.
//!
//! The mark stack is bounded. What does not fit on it is *deferred*: marked at once, flagged grey in
//! the mark plane, and its block put on a list. When the stack is empty, the grey objects of listed
//! blocks are scanned, a batch of pointers at a time, until there is neither stack nor list. The
//! objects that large arrays point to are deferred as well: in the order of the array, marking touches
//! only their metadata, and scanning them block by block afterwards goes through memory in order.
//!
//! **Several markers** have a stack, a queue and a list each, and a mark plane each, or share one with
//! atomic operations if they are more than two. One that has nothing left takes a packet, which the
//! others make when somebody is hungry ([`Work`]). Two that meet an object at the same time may both
//! mark it; it is then scanned twice, which does no harm.
//!
//! **Beside the program** (`CONCURRENT`) a marker must not read what a mutator may write. So objects
//! that are marked are first gathered in a batch, which is published ([`crate::protocol::claim`]), and
//! then scanned, except those that were claimed. Objects that were allocated since the cycle began were born
//! marked, so it never looks at them. And it calls no code of the user's: objects which have to be asked for
//! their pointers are handed over.
//!
//! # Invariants
//!
//! 1. An object is marked before it is scanned, and each marker scans it once at most: when it marks
//!    it, when it takes the grey flag away, or when a packet says so.
//! 2. A block in which an object is grey in this marker's plane is on its list, which `listed` says, or
//!    is the one it is at.
//! 3. With stack, queue, batch, lists and packets empty, everything that marked objects reach is
//!    marked, except through objects that were handed over or claimed.
//!
//! **Ephemerons.** The value of one is followed when its key is marked: at once, or, if the marker meets the
//! ephemeron before the key, when it scans the key ([`Pending`](super::references::pending::Pending)).
//!
//! **With `DEAD`** it marks what the program cannot reach, for finalizers to see it
//! ([`references`](super::references)), and notes of each object that it was found to be dead.
//!
//! It does not free, clear or move anything, and knows weak pointers only in so far as it notes
//! where they lead.

use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicUsize, fence};
use std::time::Instant;

use super::stack::MarkStack;
use super::work::{Packet, Work, entry};
use crate::descriptor::Described;
use crate::heap::Heap;
use crate::heap::block::{BLOCK, BlockIndex, BlockState, BlockTable, Flag, Use};
use crate::heap::extent::Extent;
use crate::heap::planes::{
    ENDS, GRANULE, GROUP_BYTES, GROUP_WORDS, Group, Plane, Planes, STARTS, WORD, bit, bit_index,
    low_bits,
};
use crate::os::prefetch;
use crate::protocol::claim::{self, BATCH, Batch};
use crate::sync::Ordering;
use crate::tags::dirty_bit;
use crate::trace::{Edge, EdgeVisitor};

/// How many pointers are on their way from memory at a time.
const QUEUE: usize = 32;

/// An empty place in the queue.
const NOTHING: usize = 0;

/// How many bytes ahead of those that are scanned the grey objects of a block are prefetched.
const AHEAD: usize = 8 * GROUP_BYTES;

/// How many pointers of deferred objects are looked at together.
const TOGETHER: usize = 128;

/// Large objects are scanned, and claimed, in chunks of so many bytes: a group, so that a claim takes no
/// longer than one of a small object.
pub(crate) const CHUNK: usize = GROUP_BYTES;

/// So much of a large object is scanned before anything else is looked at: as many pointers as [`QUANTUM`].
const PIECE: usize = QUANTUM * WORD;

const _: () = assert!(PIECE.is_multiple_of(CHUNK));

/// After so many pointers a marker looks whether somebody is hungry, or its time is over.
const QUANTUM: usize = 1024;

/// The most entries of a packet.
const PACKET: usize = 512;

/// Which of several markers one is, and what it may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Role {
    /// Its number, from zero.
    pub(super) number: usize,
    /// How many there are, or may be.
    pub(super) count: usize,
    /// Whether every object whose pointers can move is to be taken for dirty.
    pub(super) all_dirty: bool,
    /// Whether it may ask objects for their pointers.
    pub(super) asks: bool,
}

impl Role {
    /// The number of its mark plane. One of two or three has the first for itself.
    fn plane(self) -> usize {
        if self.count > 3 {
            self.number % 2
        } else {
            self.number.min(1)
        }
    }

    /// Whether others write the same plane: other markers, or, beside the program, mutators, which have
    /// the second.
    fn shares_plane(self, beside: bool) -> bool {
        self.count > 3 || self.plane() == 1 && (beside || self.count > 2)
    }
}

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
    /// Whether this marker may ask objects for their pointers.
    asks: bool,
    /// Pointers that are on their way from memory, and the place of the one that is longest.
    queue: [usize; QUEUE],
    oldest: usize,
    /// Whether there may be some.
    queued: bool,
    /// Objects that are marked, and to be published and scanned.
    pending: [usize; BATCH],
    pendings: usize,
    backlog: Backlog,
}

/// What a marker has still to do, and what it found that is not for it.
#[derive(Default)]
pub(super) struct Backlog {
    stack: MarkStack,
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
    /// Objects that a mutator must ask.
    by_value: Vec<usize>,
    /// Empty, for values of ephemerons.
    values: Vec<usize>,
}

impl<'h, const CONCURRENT: bool, const DEAD: bool> Marker<'h, CONCURRENT, DEAD> {
    /// A marker with something to do, or nothing yet.
    ///
    /// # Safety
    ///
    /// Each number is given to one marker at a time. Until the marker is dropped:
    ///
    /// 1. Nothing in the heap is swept. Without `CONCURRENT`, nothing is allocated or written; with it,
    ///    what is allocated is born black, and only objects that are claimed are written.
    /// 2. All tags tell the truth, except those of claimed, external and dirty objects, and, with
    ///    `all_dirty`, of all whose pointers can move.
    /// 3. With `asks`, this is the thread of the heap's one mutator, or all values are `Sync`; and it is
    ///    not `CONCURRENT`.
    /// 4. The backlog is empty, or that of a marker of the same number in the same cycle.
    pub(super) unsafe fn new(
        heap: &'h Heap,
        work: &'h Work,
        role: Role,
        backlog: Backlog,
    ) -> Marker<'h, CONCURRENT, DEAD> {
        debug_assert!(!(CONCURRENT && role.asks) && role.number < role.count);
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
            asks: role.asks,
            queue: [NOTHING; QUEUE],
            oldest: 0,
            queued: false,
            pending: [0; BATCH],
            pendings: 0,
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
                self.hand_over();
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

    /// Marks together with others until none has anything left, or all are told to stop.
    ///
    /// This marker is counted as active, and rests at the end.
    pub(super) fn run_with_others(&mut self) {
        let termination = &self.work.termination;
        loop {
            if !self.run(true, None) {
                return termination.rest();
            }
            termination.rest();
            let hungry = self.work.hungry();
            let mut patience = 0;
            let packet = loop {
                // First that all rest: from then on nobody adds anything, but mutators; whose packets keep this
                // marker here, or are found at the safepoint at which marking ends, or does not. What has to
                // be asked beside the program is asked at a safepoint, which may be far away.
                let all_rest = termination.all_rest();
                let nothing =
                    self.work.has_no_packets() && (CONCURRENT || self.work.has_no_by_value());
                if all_rest && nothing || self.work.must_stop() {
                    break None;
                }
                if !nothing {
                    termination.wake();
                    if let Some(packet) = self.work.take() {
                        break Some(packet);
                    }
                    if self.asks
                        && let Some(object) = self.work.take_by_value()
                    {
                        break Some(vec![object | entry::SCAN]);
                    }
                    termination.rest();
                }
                patience += 1;
                if patience < 100 {
                    core::hint::spin_loop();
                } else {
                    std::thread::yield_now();
                }
            };
            drop(hungry);
            match packet {
                Some(packet) => self.receive(packet),
                None => return,
            }
        }
    }

    /// Whether this marker has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        !self.queued && self.pendings == 0 && self.backlog.is_empty()
    }

    /// Does some of what this marker has to do. Whether there is more.
    fn advance(&mut self) -> bool {
        if self.backlog.stack.is_empty()
            && !self.queued
            && self.pendings == 0
            && let Some(part) = self.backlog.parts.pop()
        {
            self.scan_part(part);
            return true;
        }
        // Some pointers of several blocks at once: chains that begin at them are then followed side by
        // side, and wait for memory together.
        if self.backlog.stack.len() < TOGETHER / 2 && self.scan_some_grey() {
            return true;
        }
        self.drain(QUANTUM);
        !self.is_idle()
    }

    /// Makes a packet of half of what this marker has, if it has more than one thing.
    #[cold]
    #[inline(never)]
    fn share(&mut self) {
        if let Some((start, end)) = self.backlog.parts.pop() {
            let chunks = (end - start).div_ceil(CHUNK);
            let middle = (start + chunks / 2 * CHUNK).min(end);
            if middle > start {
                self.backlog.parts.push((start, middle));
                self.work.add(vec![middle | entry::PART, end]);
                return;
            }
            self.backlog.parts.push((start, end));
        }
        if self.backlog.stack.len() >= 2 {
            let packet = self
                .backlog
                .stack
                .take_lowest((self.backlog.stack.len() / 2).min(PACKET));
            self.work.add(packet);
        } else if self.backlog.grey.len() >= 2 {
            let blocks = self.backlog.grey.len().div_ceil(2).min(8);
            for _ in 0..blocks {
                let Some(block) = self.backlog.grey.pop() else {
                    break;
                };
                let mut packet = Packet::new();
                self.take_grey(block, |object| packet.push(object | entry::SCAN));
                self.work.add(packet);
            }
        }
    }

    /// Takes on what is in a packet.
    fn receive(&mut self, packet: Packet) {
        let mut entries = packet.into_iter();
        while let Some(value) = entries.next() {
            let address = value & !entry::TAGS;
            match value & entry::TAGS {
                entry::SCAN => self.scan_later(address),
                entry::EPHEMERON => {
                    let value = entries.next().expect("the value follows its key");
                    self.meet(address, value);
                }
                entry::PART => {
                    let end = entries.next().expect("the end of a part follows its start");
                    self.backlog.parts.push((address, end));
                }
                _ => self.push(address),
            }
        }
        self.scan_pending();
    }

    /// Hands over what this marker found that is not for it.
    fn hand_over(&mut self) {
        if !self.backlog.by_value.is_empty() {
            self.work.add_by_value(&mut self.backlog.by_value);
        }
        self.work.add_weak(&mut self.backlog.weak);
    }

    /// What this marker has still to do.
    pub(super) fn into_backlog(mut self) -> Backlog {
        self.empty_queue();
        self.scan_pending();
        self.hand_over();
        self.backlog
    }

    /// Makes everything that this marker has still to do into a packet.
    pub(super) fn give_up_work(&mut self) {
        self.empty_queue();
        self.scan_pending();
        self.hand_over();
        let mut packet = Packet::new();
        for (start, end) in core::mem::take(&mut self.backlog.parts) {
            packet.extend([start | entry::PART, end]);
        }
        packet.extend(self.backlog.stack.take_all());
        if self.backlog.grey_from < self.backlog.grey_to {
            let block = self.heap.owned_block(self.backlog.grey_from);
            self.backlog.grey_from = self.backlog.grey_to;
            self.take_grey(block, |object| packet.push(object | entry::SCAN));
        }
        while let Some(block) = self.backlog.grey.pop() {
            self.take_grey(block, |object| packet.push(object | entry::SCAN));
        }
        self.work.add(packet);
    }

    /// See [`is_candidate`].
    #[inline(always)]
    fn is_candidate(&self, value: usize) -> bool {
        is_candidate(value, self.base, self.granules)
    }

    /// This marker's mark plane.
    #[inline(always)]
    fn own<'g>(&self, group: &'g Group) -> &'g Plane {
        &group.marks[self.plane]
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
    fn insert_mark(&self, target: usize, group: &Group, bits: u64) {
        if DEAD {
            // Before it is marked: who sees the mark sees this.
            // SAFETY: an object starts there.
            unsafe { self.heap.insert_found_dead(target) }
        }
        self.insert(group, bits);
    }

    /// Notes a strong pointer.
    pub(super) fn push(&mut self, target: usize) {
        if self.is_candidate(target) && !self.backlog.stack.push(target) {
            self.defer(target);
        }
    }

    /// Takes pointers off the mark stack, by way of the queue, until both are empty or so many were taken; the
    /// queue then stays as it is, for an interruption would cost all the waits for memory in it.
    #[inline(never)]
    fn drain(&mut self, limit: usize) {
        let mut left = limit;
        // For how long nothing has entered the queue.
        let mut idle = 0;
        self.queued = true;
        // One loop, so that the compiler puts marking and scanning in line.
        loop {
            let mut next = NOTHING;
            if let Some(address) = self.backlog.stack.pop() {
                prefetch(self.planes.group_address(address));
                prefetch(address);
                next = address;
                idle = 0;
            } else {
                // Nothing new: let what is in the queue leave it, as long as nothing comes of that.
                idle += 1;
                if idle > QUEUE {
                    if CONCURRENT {
                        self.scan_pending();
                    }
                    if self.backlog.stack.is_empty() {
                        self.queued = false;
                        return;
                    }
                }
            }
            let target = core::mem::replace(&mut self.queue[self.oldest % QUEUE], next);
            self.oldest = (self.oldest + 1) % QUEUE;
            if target != NOTHING {
                self.mark(target);
            }
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }

    /// Puts what is in the queue back onto the mark stack.
    fn empty_queue(&mut self) {
        for target in core::mem::replace(&mut self.queue, [NOTHING; QUEUE]) {
            if target != NOTHING {
                self.push(target);
            }
        }
        self.queued = false;
    }

    /// Marks and scans an object, unless it is marked.
    #[inline(always)]
    fn mark(&mut self, target: usize) {
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(target) };
        if group.marks() & bit(target) != 0 || group.extents.get() & bit(target) == 0 {
            return;
        }
        self.insert_mark(target, group, bit(target));
        if CONCURRENT {
            self.scan_later(target);
        } else {
            self.scan(target, group);
        }
    }

    /// Puts a marked object among those that are scanned together; without `CONCURRENT`, scans it.
    #[inline(always)]
    fn scan_later(&mut self, target: usize) {
        if !CONCURRENT {
            // SAFETY: an object starts there.
            return self.scan(target, unsafe { self.planes.group(target) });
        }
        self.pending[self.pendings % BATCH] = target;
        self.pendings += 1;
        if self.pendings == BATCH {
            self.scan_pending();
        }
    }

    /// Publishes the batch, and scans what is in it and was not claimed.
    fn scan_pending(&mut self) {
        let count = core::mem::take(&mut self.pendings);
        if count == 0 {
            return;
        }
        let pending = self.pending;
        let pending = &pending[..count.min(BATCH)];
        self.batch.publish(pending);
        for &target in pending {
            if self.is_claimed(target) {
                self.pass_claimed(target);
            } else {
                // SAFETY: an object starts there.
                self.scan(target, unsafe { self.planes.group(target) });
            }
        }
        self.batch.finish();
    }

    /// Does what there is to be done for a marked object of which somebody else noted what it holds: it may
    /// be the key of ephemerons that were met before.
    #[inline(never)]
    fn pass_claimed(&mut self, target: usize) {
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(self.heap.owned_block(target)) };
        if state.has_weak() && self.work.pending.is_in_use() {
            self.follow_values(target);
        }
    }

    /// Whether the object that starts at `target` was claimed. It is published. Large ones are claimed, and
    /// looked at, by chunks.
    #[inline(always)]
    fn is_claimed(&self, target: usize) -> bool {
        // SAFETY: it lies in an object of this heap, below the frontier.
        unsafe {
            let block = BlockIndex(((target - self.base) / BLOCK) as u32);
            let state = self.blocks.state(block);
            state.is_claimed()
                && !state.is_large_head()
                && claim::is_claimed(self.planes.claims(target).word(), bit(target))
        }
    }

    /// Pushes what the words of the object hold.
    #[inline(always)]
    fn scan(&mut self, start: usize, group: &Group) {
        let block = BlockIndex(((start - self.base) / BLOCK) as u32);
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(block) };
        let first = bit_index(start);
        let ends = (group.extents.get() >> first) & ENDS;
        if !state.is_simple_small() || ends == 0 {
            return self.scan_special(start, state);
        }
        // All bits up to the lowest end.
        let own = ends ^ (ends - 1);
        self.push_words(start, (group.tags.get() >> first) & own);
    }

    /// Pushes the words of an object that `words` names: bit *i* is the word at `base + 8 i`.
    #[inline(always)]
    fn push_words(&mut self, base: usize, mut words: u64) {
        if !self.backlog.stack.make_room(GROUP_WORDS) {
            return self.defer_words(base, words);
        }
        let (lowest, granules) = (self.base, self.granules);
        let spare = self.backlog.stack.spare();
        let mut count = 0;
        while words != 0 {
            let address = base + words.trailing_zeros() as usize * WORD;
            // SAFETY: the word is part of an object, and tagged, so it was written. There is room
            // for as many pointers as there are bits.
            unsafe {
                let target = read_word::<CONCURRENT>(address);
                // A branch, for all that it is hard to predict: it lets the next object be popped
                // before this word has come from memory.
                if is_candidate(target, lowest, granules) {
                    spare.get_unchecked_mut(count).write(target);
                    count += 1;
                }
            }
            words &= words - 1;
        }
        // SAFETY: so many were written.
        unsafe { self.backlog.stack.raise(count) };
    }

    /// `scan` for objects that are large or described, in a block with weak pointers or claims, or
    /// cross the end of their group.
    #[inline(never)]
    fn scan_special(&mut self, start: usize, state: BlockState) {
        if state.has_weak() && self.work.pending.is_in_use() {
            self.follow_values(start);
        }
        if state.usage() == Use::LargeLeaf {
            return;
        }
        // SAFETY: an object starts there.
        let end = unsafe { self.heap.end_of(start) };
        if state.is_described() {
            let extent = Extent {
                base: start,
                bytes: end - start,
            };
            // SAFETY: the object is in a described block. Its last word was written before it was
            // published, and is not written while anybody marks.
            let Some(object) = (unsafe { Described::at(extent) }) else {
                return;
            };
            // SAFETY: an object starts there.
            let dirty = unsafe { self.planes.states(start) }.get() | self.all_dirty;
            // Tags of an object in which nothing moves tell the truth whoever wrote to it.
            if object.descriptor().moves && dirty & dirty_bit(start) != 0 {
                if self.asks {
                    self.scan_by_value(object);
                } else {
                    self.backlog.by_value.push(start);
                }
                return;
            }
        }
        if state.is_large_head() {
            self.backlog.parts.push((start, end));
        } else {
            self.scan_words(start, end, state);
        }
    }

    /// Pushes what the words from `start` to `end` of an object hold, or, of a large one, marks it in
    /// place.
    fn scan_words(&mut self, start: usize, end: usize, state: BlockState) {
        let large = state.is_large_head();
        let mut address = start;
        while address < end {
            let next = ((address & !(GROUP_BYTES - 1)) + GROUP_BYTES).min(end);
            let first = bit_index(address);
            let own = low_bits(((next - address) / WORD) as u32);
            // SAFETY: the address lies in an object of the heap.
            let tags = unsafe { self.planes.group(address) }.tags.get() >> first & own;
            let mut weak = 0;
            if state.has_weak() {
                // SAFETY: as above.
                let kinds = unsafe { self.planes.kinds(address) }.get() >> first & own;
                weak = tags & kinds;
                let values = kinds & !tags;
                if values != 0 {
                    // Keys and values are in the same group, as ephemerons are aligned.
                    let keys = weak & values >> 1;
                    self.scan_ephemerons(address, keys);
                    self.note_weak_words(address, weak & !keys);
                } else {
                    self.note_weak_words(address, weak);
                }
            }
            if large {
                self.defer_words(address, tags & !weak);
            } else {
                self.push_words(address, tags & !weak);
            }
            address = next;
        }
    }

    /// Meets the ephemerons among the words of an object: `keys` names their first words.
    fn scan_ephemerons(&mut self, base: usize, mut keys: u64) {
        while keys != 0 {
            let address = base + keys.trailing_zeros() as usize * WORD;
            // SAFETY: both words are parts of the object, and were written.
            let (key, value) = unsafe {
                (
                    read_word::<CONCURRENT>(address),
                    read_word::<CONCURRENT>(address + WORD),
                )
            };
            self.meet(key, value);
            keys &= keys - 1;
        }
    }

    /// Follows the value of an ephemeron, now if the key is marked, or else when it is.
    fn meet(&mut self, key: usize, value: usize) {
        if !self.is_candidate(value) {
            return self.note_weak(key);
        }
        if !self.is_candidate(key) {
            // A key that needs no memory is always there; without one, there is no ephemeron.
            if key != 0 {
                self.push(value);
            }
            return;
        }
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(key) };
        if group.marks() & bit(key) != 0 {
            return self.push(value);
        }
        self.backlog.weak.push(key);
        // SAFETY: keys are starts of objects.
        if !unsafe { self.work.pending.add(self.heap, key, value) } {
            return self.push(value);
        }
        // Between what is noted and the look at the mark, as `pending` asks for.
        fence(Ordering::SeqCst);
        if group.marks() & bit(key) != 0 {
            self.follow_values(key);
        }
    }

    /// Follows the values of the ephemerons that were met before their key at `start`, which is marked.
    #[inline(never)]
    fn follow_values(&mut self, start: usize) {
        let mut values = core::mem::take(&mut self.backlog.values);
        // SAFETY: an object starts there.
        unsafe { self.work.pending.take(self.heap, start, &mut values) }
        for value in values.drain(..) {
            self.push(value);
        }
        self.backlog.values = values;
    }

    /// Follows the values of those ephemerons whose key is marked, and was missed. Whether there were any. No
    /// other marker is at work.
    pub(super) fn follow_missed(&mut self) -> bool {
        let mut missed = Vec::new();
        self.work.pending.each_key(self.heap, |key| {
            // SAFETY: keys are starts of objects.
            if unsafe { self.planes.group(key) }.marks() & bit(key) != 0 {
                missed.push(key);
            }
        });
        for &key in &missed {
            self.follow_values(key);
        }
        !missed.is_empty()
    }

    /// Scans the first chunks of a part of a large object, and keeps the rest.
    fn scan_part(&mut self, (start, end): (usize, usize)) {
        let next = (start + PIECE).min(end);
        if next < end {
            self.backlog.parts.push((next, end));
        }
        let head = self.heap.head_of(self.heap.owned_block(start));
        if !CONCURRENT {
            // SAFETY: the block is one of this heap.
            return self.scan_words(start, next, unsafe { self.blocks.state(head) });
        }
        for chunk in (start..next).step_by(CHUNK) {
            self.batch.publish(&[chunk]);
            // SAFETY: the block is one of this heap.
            let state = unsafe { self.blocks.state(head) };
            let claimed = state.is_claimed()
                // SAFETY: as above.
                && claim::is_claimed(unsafe { self.planes.claims(chunk) }.word(), bit(chunk));
            if !claimed {
                self.scan_words(chunk, (chunk + CHUNK).min(next), state);
            }
            self.batch.finish();
        }
    }

    /// Defers the words of a large object that `words` names.
    fn defer_words(&mut self, base: usize, mut words: u64) {
        // Those that are marked are sorted out without a branch, so that the waits for their metadata overlap.
        let mut unmarked = [const { MaybeUninit::<usize>::uninit() }; GROUP_WORDS];
        let mut count = 0;
        while words != 0 {
            let address = base + words.trailing_zeros() as usize * WORD;
            // SAFETY: the word is part of an object, and tagged, so it was written. Candidates lie below the
            // heap's top. There is a place for each bit.
            unsafe {
                let target = read_word::<CONCURRENT>(address);
                if self.is_candidate(target) {
                    let marked = self.planes.group(target).marks() & bit(target) != 0;
                    unmarked.get_unchecked_mut(count).write(target);
                    count += usize::from(!marked);
                }
            }
            words &= words - 1;
        }
        for target in &unmarked[..count] {
            // SAFETY: so many were written.
            self.defer(unsafe { target.assume_init() });
        }
    }

    /// Notes where the weak pointers among the words of an object lead.
    fn note_weak_words(&mut self, base: usize, mut words: u64) {
        while words != 0 {
            let address = base + words.trailing_zeros() as usize * WORD;
            // SAFETY: the word is part of an object, and tagged, so it was written.
            self.note_weak(unsafe { read_word::<CONCURRENT>(address) });
            words &= words - 1;
        }
    }

    fn note_weak(&mut self, target: usize) {
        if !self.is_candidate(target) {
            return;
        }
        // SAFETY: candidates lie below the heap's top.
        if unsafe { self.planes.group(target) }.marks() & bit(target) == 0 {
            self.backlog.weak.push(target);
        }
    }

    /// Marks an object now and leaves scanning it for later.
    #[inline(never)]
    fn defer(&mut self, target: usize) {
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(target) };
        if group.marks() & bit(target) != 0 || group.extents.get() & bit(target) == 0 {
            return;
        }
        let block = self.heap.owned_block(target);
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(block) };
        if state.usage() == Use::LargeLeaf {
            self.insert_mark(target, group, bit(target));
            if self.work.pending.is_in_use() {
                // Between the mark and the look at what is noted, as `pending` asks for.
                fence(Ordering::SeqCst);
                self.follow_values(target);
            }
            return;
        }
        self.insert_mark(target, group, bit(target) | grey_bit(target));
        let (word, flag) = (block.0 as usize / 64, 1 << (block.0 % 64));
        if word >= self.backlog.listed.len() {
            let blocks = self.granules / (BLOCK / GRANULE) + 1;
            self.backlog
                .listed
                .resize(blocks.div_ceil(64).max(word + 1), 0);
        }
        if self.backlog.listed[word] & flag == 0 {
            self.backlog.listed[word] |= flag;
            self.backlog.grey.push(block);
        }
    }

    /// Takes the grey flags of this marker off the objects of a group, and calls `f` with each object.
    fn take_grey_in(&mut self, at: usize, mut f: impl FnMut(&mut Self, usize)) {
        // SAFETY: the address lies in a block of the heap.
        let group = unsafe { self.planes.group(at) };
        let mut grey = self.own(group).get() & ENDS;
        if grey == 0 {
            return;
        }
        if self.shared {
            grey = self.own(group).remove_shared(grey);
        } else {
            self.own(group).remove(grey);
        }
        // From the word after the start to the start.
        let mut starts = grey >> 1;
        while starts != 0 {
            f(self, at + starts.trailing_zeros() as usize * WORD);
            starts &= starts - 1;
        }
    }

    /// Takes the grey flags of this marker off the objects of a block, and calls `f` with each object.
    fn take_grey(&mut self, block: BlockIndex, mut f: impl FnMut(usize)) {
        self.backlog.listed[block.0 as usize / 64] &= !(1 << (block.0 % 64));
        let base = self.heap.address_of(block);
        for at in (base..base + BLOCK).step_by(GROUP_BYTES) {
            self.take_grey_in(at, |_, object| f(object));
        }
    }

    /// Prefetches the grey objects of a group.
    fn send_for_grey_in(&self, at: usize) {
        // SAFETY: the address lies in a block of the heap.
        let group = unsafe { self.planes.group(at) };
        let mut grey = (self.own(group).get() & ENDS) >> 1;
        while grey != 0 {
            prefetch(at + grey.trailing_zeros() as usize * WORD);
            grey &= grey - 1;
        }
    }

    /// Scans grey objects, until a batch of pointers has come together or a block is done. `false` if
    /// there are none.
    fn scan_some_grey(&mut self) -> bool {
        if self.backlog.grey_from >= self.backlog.grey_to {
            let Some(block) = self.backlog.grey.pop() else {
                return false;
            };
            // From now on an object that becomes grey lists the block again.
            self.backlog.listed[block.0 as usize / 64] &= !(1 << (block.0 % 64));
            self.backlog.grey_from = self.heap.address_of(block);
            self.backlog.grey_to = self.backlog.grey_from + BLOCK;
            for at in (self.backlog.grey_from..self.backlog.grey_from + AHEAD).step_by(GROUP_BYTES)
            {
                self.send_for_grey_in(at);
            }
        }
        while self.backlog.grey_from < self.backlog.grey_to && self.backlog.stack.len() < TOGETHER {
            let at = self.backlog.grey_from;
            self.backlog.grey_from += GROUP_BYTES;
            if at + AHEAD < self.backlog.grey_to {
                self.send_for_grey_in(at + AHEAD);
            }
            self.take_grey_in(at, Self::scan_later);
        }
        if CONCURRENT {
            self.scan_pending();
        }
        self.drop_marked();
        true
    }

    /// Takes pointers to marked objects off the stack.
    ///
    /// Where objects were deferred, most pointers lead to others that were deferred too. This looks
    /// at nothing but their metadata, while `drain` would send for the objects as well.
    fn drop_marked(&mut self) {
        let planes = self.planes;
        for &target in self.backlog.stack.entries() {
            prefetch(planes.group_address(target));
        }
        self.backlog
            .stack
            // SAFETY: candidates lie below the heap's top.
            .retain(|target| unsafe { planes.group(target) }.marks() & bit(target) == 0);
    }

    /// Asks the object itself for its pointers, those outside of it included, and tags those
    /// inside. If its `trace` panics, it stays dirty.
    fn scan_by_value(&mut self, object: Described) {
        let (heap, extent) = (self.heap, object.extent());
        // SAFETY: no mutator is at work (`new`), so no exclusive reference is in use. All tags are
        // made anew in between.
        unsafe {
            heap.clear_tags(extent);
            object.trace(&mut Asked {
                heap,
                extent,
                listener: self,
            });
            heap.clear_dirty(object);
        }
    }
}

impl Backlog {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.stack.is_empty()
            && self.parts.is_empty()
            && self.grey.is_empty()
            && self.grey_from >= self.grey_to
    }
}

/// The bit that says that the object at `start` is grey: that of its second word.
#[inline(always)]
fn grey_bit(start: usize) -> u64 {
    bit(start) << 1
}

const _: () = assert!(STARTS << 1 == ENDS);

/// Reads a pointer word of an object.
///
/// # Safety
///
/// It is one, was written, and while it is read nobody writes it but atomically.
#[inline(always)]
pub(crate) unsafe fn read_word<const CONCURRENT: bool>(address: usize) -> usize {
    let word = ptr::with_exposed_provenance_mut::<usize>(address);
    if !CONCURRENT {
        // SAFETY: passed on to the caller.
        return unsafe { word.read() };
    }
    // `Acquire`, partner: the store of a pointer into an atomic field of an object, by which the mark of
    // a new object becomes known. Other words are written by nobody meanwhile.
    // SAFETY: passed on to the caller.
    unsafe { AtomicUsize::from_ptr(word) }.load(Ordering::Acquire)
}

/// Whether a word's value is an address where an object could start: within so many granules from
/// `base` on, and a multiple of the granule. Null, immediates with low bits and foreign pointers are
/// not.
#[inline(always)]
pub(crate) fn is_candidate(value: usize, base: usize, granules: usize) -> bool {
    // Low bits that are not zero become high bits, so one comparison tells both.
    value
        .wrapping_sub(base)
        .rotate_right(GRANULE.trailing_zeros())
        < granules
}

impl<const CONCURRENT: bool, const DEAD: bool> EdgeVisitor for Marker<'_, CONCURRENT, DEAD> {
    /// Takes a pointer from outside of the heap: a root.
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
}

/// Listens to the `trace` of an object, tags its words, and passes everything on.
pub(super) struct Asked<'a, V> {
    pub(super) heap: &'a Heap,
    pub(super) extent: Extent,
    pub(super) listener: &'a mut V,
}

impl<V: EdgeVisitor> EdgeVisitor for Asked<'_, V> {
    fn visit(&mut self, edge: Edge) {
        if edge.slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slot is a pointer word of the object.
            unsafe { self.heap.tag_word(edge.slot, edge.weak) };
        }
        self.listener.visit(edge);
    }

    fn visit_ephemeron(&mut self, slot: usize, key: usize, value: usize) {
        if slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slots are those of an ephemeron in the object, whose tags are made anew.
            unsafe { self.heap.tag_ephemeron(slot) }
        }
        self.listener.visit_ephemeron(slot, key, value);
    }

    fn visit_derived(&mut self, slot: usize) {
        if slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slot is a word of the object, and derived from the one before.
            unsafe { self.heap.insert_kind(slot, Flag::Derived) };
        }
    }
}
