//! The marker: finds everything that can be reached.
//!
//! Marking is iterative. A pointer that was found goes onto the mark stack; one that is taken off
//! it goes through a short queue, and only when it leaves the queue is its mark tested. Both its
//! metadata and the object are prefetched when it enters, so that the wait for memory overlaps with
//! the work on the pointers before it (Cher, Hosking and Vitek, ASPLOS 2004). An object that was
//! not marked is marked and scanned: its tags, cut off at its end, tell which words to follow.
//!
//! The mark stack is bounded. What does not fit on it is *deferred*: marked at once, flagged grey in
//! the states plane, and its block put on a list. When the stack is empty, the grey objects of listed
//! blocks are scanned, a batch of pointers at a time, until there is neither stack nor list. The
//! objects of large arrays are deferred as well: in the order of the array, marking touches only their
//! metadata, and scanning them block by block afterwards goes through memory in order.
//!
//! # Invariants
//!
//! 1. An object is marked before it is scanned, and scanned once: when it is marked, or when its
//!    grey flag is taken away.
//! 2. A block in which an object is grey is on the list, and its flag in the block table is set.
//! 3. With stack, queue and list empty, everything that marked objects reach is marked.
//!
//! It does not free, clear or move anything, and knows weak pointers only in so far as it notes
//! where they lead.

use core::ptr;

use super::stack::MarkStack;
use crate::descriptor::Described;
use crate::heap::Heap;
use crate::heap::block::{BLOCK, BlockIndex, BlockTable, Use};
use crate::heap::extent::Extent;
use crate::heap::planes::{
    ENDS, GRANULE, GROUP_BYTES, GROUP_WORDS, Group, Planes, STARTS, WORD, bit, bit_index, low_bits,
};
use crate::os::prefetch;
use crate::tags::dirty_bit;
use crate::trace::{Edge, EdgeVisitor};

/// How many pointers are on their way from memory at a time, when marking follows the graph: what is
/// found together mostly lies together then, and a short queue keeps to it.
const SHORT: usize = 8;

/// How many, when marking begins in many places at once, with little in common.
const LONG: usize = 32;

/// An empty place in the queue.
const NOTHING: usize = 0;

/// How many bytes ahead of those that are scanned the grey objects of a block are prefetched.
const AHEAD: usize = 8 * GROUP_BYTES;

/// How many pointers of deferred objects are looked at together.
const BATCH: usize = 128;

/// Finds everything that can be reached from the pointers that it visits.
pub(super) struct Marker<'h> {
    heap: &'h Heap,
    planes: Planes,
    blocks: BlockTable,
    /// Where objects can be: granules from `base` on.
    base: usize,
    granules: usize,
    stack: MarkStack,
    /// All ones if every object whose pointers can move is to be taken for dirty, or else zero.
    all_dirty: u64,
    /// Blocks in which objects are grey.
    grey: Vec<BlockIndex>,
    /// Objects to which weak pointers lead that were not marked when the pointer was met.
    weak: Vec<usize>,
}

impl<'h> Marker<'h> {
    /// A marker that has found nothing yet.
    ///
    /// # Safety
    ///
    /// Until the marker is dropped, nothing in the heap is allocated or written. All tags tell the
    /// truth, except those of external and of dirty objects, and, with `all_dirty`, of all whose
    /// pointers can move.
    pub(super) unsafe fn new(heap: &'h Heap, all_dirty: bool) -> Marker<'h> {
        Marker {
            planes: heap.planes(),
            blocks: heap.blocks(),
            base: heap.base(),
            granules: (heap.top() - heap.base()) / GRANULE,
            heap,
            stack: MarkStack::new(),
            all_dirty: if all_dirty { u64::MAX } else { 0 },
            grey: Vec::new(),
            weak: Vec::new(),
        }
    }

    /// Marks everything that can be reached from what was visited so far.
    pub(super) fn run(&mut self) {
        self.drain::<SHORT>();
        loop {
            // Some pointers of several blocks at once: chains that begin at them are then followed
            // side by side, and wait for memory together.
            while self.stack.len() < BATCH
                && let Some(block) = self.grey.pop()
            {
                self.scan_grey(block);
            }
            self.drop_marked();
            self.drain::<LONG>();
            if self.grey.is_empty() {
                return;
            }
        }
    }

    /// The objects to which weak pointers lead and which may be unmarked; some more than once.
    pub(super) fn into_weak_targets(self) -> Vec<usize> {
        debug_assert!(self.stack.is_empty() && self.grey.is_empty());
        self.weak
    }

    /// See [`is_candidate`].
    #[inline(always)]
    fn is_candidate(&self, value: usize) -> bool {
        is_candidate(value, self.base, self.granules)
    }

    /// Notes a strong pointer.
    fn push(&mut self, target: usize) {
        if self.is_candidate(target) && !self.stack.push(target) {
            self.defer(target);
        }
    }

    /// Empties the mark stack, by way of a queue of the given length.
    #[inline(never)]
    fn drain<const LENGTH: usize>(&mut self) {
        let mut queue = [NOTHING; LENGTH];
        let mut at = 0;
        // Puts a pointer into the queue and marks what leaves it.
        let mut advance = |marker: &mut Self, next| {
            let target = core::mem::replace(&mut queue[at % LENGTH], next);
            at = (at + 1) % LENGTH;
            if target != NOTHING {
                marker.mark(target);
            }
        };
        loop {
            while let Some(next) = self.stack.pop() {
                prefetch(self.planes.group_address(next));
                prefetch(next);
                advance(self, next);
            }
            // Nothing new: let what is in the queue leave it, as long as nothing comes of that.
            let mut left = LENGTH;
            while left > 0 && self.stack.is_empty() {
                advance(self, NOTHING);
                left -= 1;
            }
            if self.stack.is_empty() {
                return;
            }
        }
    }

    /// Marks and scans an object, unless it is marked.
    #[inline(always)]
    fn mark(&mut self, target: usize) {
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(target) };
        let marks = group.marks.get();
        if marks & bit(target) != 0 || group.extents.get() & bit(target) == 0 {
            return;
        }
        group.marks.set(marks | bit(target));
        self.scan(target, group);
    }

    /// Pushes what the words of the object hold.
    #[inline(always)]
    fn scan(&mut self, start: usize, group: &Group) {
        let block = BlockIndex(((start - self.base) / BLOCK) as u32);
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(block) };
        let first = bit_index(start);
        let ends = (group.extents.get() >> first) & ENDS;
        let dirty = (group.states.get() | self.all_dirty) & dirty_bit(start);
        if !state.is_simple_small() || ends == 0 || dirty != 0 {
            return self.scan_special(start);
        }
        // All bits up to the lowest end.
        let own = ends ^ (ends - 1);
        self.push_words(start, (group.tags.get() >> first) & own);
    }

    /// Pushes the words of an object that `words` names: bit *i* is the word at `base + 8 i`.
    #[inline(always)]
    fn push_words(&mut self, base: usize, mut words: u64) {
        if !self.stack.make_room(GROUP_WORDS) {
            return self.defer_words(base, words);
        }
        let (lowest, granules) = (self.base, self.granules);
        let spare = self.stack.spare();
        let mut count = 0;
        while words != 0 {
            let address = base + words.trailing_zeros() as usize * WORD;
            // SAFETY: the word is part of an object, and tagged, so it was written. There is room
            // for as many pointers as there are bits.
            unsafe {
                let target = ptr::with_exposed_provenance::<usize>(address).read();
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
        unsafe { self.stack.raise(count) };
    }

    /// `scan` for objects that are large or dirty, in a block with weak pointers, or cross the end of
    /// their group.
    #[inline(never)]
    fn scan_special(&mut self, start: usize) {
        // SAFETY: an object starts there.
        let (state, end) = unsafe {
            (
                self.blocks.state(self.heap.owned_block(start)),
                self.heap.end_of(start),
            )
        };
        let extent = Extent {
            base: start,
            bytes: end - start,
        };
        match state.usage() {
            Use::LargeLeaf => return,
            Use::SmallDescribed | Use::LargeDescribed => {
                // SAFETY: the object is in a described block.
                let Some(object) = (unsafe { Described::at(extent) }) else {
                    return;
                };
                // SAFETY: an object starts there. Tags of an object in which nothing moves tell the
                // truth whoever wrote to it.
                unsafe {
                    if !object.descriptor().moves {
                        self.heap.clear_dirty(object);
                    } else if self.all_dirty != 0 || self.heap.is_dirty(start) {
                        return self.scan_by_value(object);
                    }
                }
            }
            _ => {}
        }
        let large = state.is_large_head();
        let mut address = start;
        while address < end {
            let next = ((address & !(GROUP_BYTES - 1)) + GROUP_BYTES).min(end);
            let first = bit_index(address);
            let own = low_bits(((next - address) / WORD) as u32);
            // SAFETY: the address lies in an object of the heap.
            let tags = unsafe { self.planes.group(address) }.tags.get() >> first & own;
            let weak = if state.has_kinds() {
                // SAFETY: as above.
                tags & unsafe { self.planes.kinds(address) }.get() >> first
            } else {
                0
            };
            if large {
                self.defer_words(address, tags & !weak);
            } else {
                self.push_words(address, tags & !weak);
            }
            self.note_weak_words(address, weak);
            address = next;
        }
    }

    /// Defers the words of a large object that `words` names.
    fn defer_words(&mut self, base: usize, words: u64) {
        // First all their metadata is sent for, then it is used.
        for pass in [Marker::send_for, Marker::defer] {
            let mut words = words;
            while words != 0 {
                let address = base + words.trailing_zeros() as usize * WORD;
                // SAFETY: the word is part of an object, and tagged, so it was written.
                let target = unsafe { ptr::with_exposed_provenance::<usize>(address).read() };
                if self.is_candidate(target) {
                    pass(self, target);
                }
                words &= words - 1;
            }
        }
    }

    /// Prefetches the metadata of an object.
    fn send_for(&mut self, target: usize) {
        prefetch(self.planes.group_address(target));
    }

    /// Notes where the weak pointers among the words of an object lead.
    fn note_weak_words(&mut self, base: usize, mut words: u64) {
        while words != 0 {
            let address = base + words.trailing_zeros() as usize * WORD;
            // SAFETY: the word is part of an object, and tagged, so it was written.
            self.note_weak(unsafe { ptr::with_exposed_provenance::<usize>(address).read() });
            words &= words - 1;
        }
    }

    fn note_weak(&mut self, target: usize) {
        if !self.is_candidate(target) {
            return;
        }
        // SAFETY: candidates lie below the heap's top.
        if unsafe { self.planes.group(target) }.marks.get() & bit(target) == 0 {
            self.weak.push(target);
        }
    }

    /// Marks an object now and leaves scanning it for later.
    #[inline(never)]
    fn defer(&mut self, target: usize) {
        // SAFETY: candidates lie below the heap's top.
        let group = unsafe { self.planes.group(target) };
        if group.marks.get() & bit(target) != 0 || group.extents.get() & bit(target) == 0 {
            return;
        }
        group.marks.insert(bit(target));
        let block = self.heap.owned_block(target);
        // SAFETY: an object starts there, so its block is one of the heap's.
        let state = unsafe { self.blocks.state(block) };
        if state.usage() == Use::LargeLeaf {
            return;
        }
        group.states.insert(bit(target));
        if !state.is_grey() {
            // SAFETY: as above.
            unsafe { self.blocks.set_state(block, state.with_grey(true)) };
            self.grey.push(block);
        }
    }

    /// Scans the grey objects of a block, and what they lead to as far as it does not fit into a
    /// batch.
    fn scan_grey(&mut self, block: BlockIndex) {
        let base = self.heap.address_of(block);
        // SAFETY: the block is one of the heap's.
        let state = unsafe { self.blocks.state(block) };
        // SAFETY: as above. From now on an object that becomes grey lists the block again.
        unsafe { self.blocks.set_state(block, state.with_grey(false)) };
        let end = base + BLOCK;
        let planes = self.planes;
        let grey_in = |at| {
            // SAFETY: as above.
            let group = unsafe { planes.group(at) };
            (group, group.states.get() & STARTS)
        };
        let send_for_grey_in = |at| {
            let (_, mut grey) = grey_in(at);
            while grey != 0 {
                prefetch(at + grey.trailing_zeros() as usize * WORD);
                grey &= grey - 1;
            }
        };
        (base..base + AHEAD)
            .step_by(GROUP_BYTES)
            .for_each(send_for_grey_in);
        for at in (base..end).step_by(GROUP_BYTES) {
            if at + AHEAD < end {
                send_for_grey_in(at + AHEAD);
            }
            let (group, mut grey) = grey_in(at);
            if grey == 0 {
                continue;
            }
            group.states.remove(grey);
            while grey != 0 {
                self.scan(at + grey.trailing_zeros() as usize * WORD, group);
                grey &= grey - 1;
            }
            if self.stack.len() >= BATCH {
                self.drop_marked();
                if self.stack.len() >= BATCH / 2 {
                    self.drain::<LONG>();
                }
            }
        }
    }

    /// Takes pointers to marked objects off the stack.
    ///
    /// Where objects were deferred, most pointers lead to others that were deferred too. This looks
    /// at nothing but their metadata, while `drain` would send for the objects as well.
    fn drop_marked(&mut self) {
        let planes = self.planes;
        for &target in self.stack.entries() {
            prefetch(planes.group_address(target));
        }
        self.stack
            // SAFETY: candidates lie below the heap's top.
            .retain(|target| unsafe { planes.group(target) }.marks.get() & bit(target) == 0);
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
                marker: self,
                extent,
            });
            heap.clear_dirty(object);
        }
    }
}

/// Whether a word's value is an address where an object could start: within so many granules from
/// `base` on, and a multiple of the granule. Null, immediates with low bits and foreign pointers are
/// not.
#[inline(always)]
fn is_candidate(value: usize, base: usize, granules: usize) -> bool {
    // Low bits that are not zero become high bits, so one comparison tells both.
    value
        .wrapping_sub(base)
        .rotate_right(GRANULE.trailing_zeros())
        < granules
}

impl EdgeVisitor for Marker<'_> {
    /// Takes a pointer from outside of the heap: a root.
    fn visit(&mut self, edge: Edge) {
        if edge.weak {
            self.note_weak(edge.target);
        } else {
            self.push(edge.target);
        }
    }
}

/// Listens to the `trace` of an object.
struct Asked<'m, 'h> {
    marker: &'m mut Marker<'h>,
    extent: Extent,
}

impl EdgeVisitor for Asked<'_, '_> {
    fn visit(&mut self, edge: Edge) {
        if edge.slot.wrapping_sub(self.extent.base) < self.extent.bytes {
            // SAFETY: the slot is a pointer word of the object.
            unsafe { self.marker.heap.tag_word(edge.slot, edge.weak) };
        }
        self.marker.visit(edge);
    }
}
