//! Sweeping a run of medium objects: one by one, for there are few, and each has its own groups.
//!
//! What is free in a run that lives becomes holes. A run in which nothing lives goes; and one in which little lives is
//! cut up: blocks without any object become spare, and what is between them are runs from now on. (If much
//! lives, the holes will be used again, and serve long objects only as long as they are whole.)

use super::Heap;
use super::block::{BLOCK, BlockIndex, BlockState, Use};
use super::medium::{Hole, Sort};
use super::planes::{GROUP_BYTES, WORD, groups};
use super::run::{LONGEST, Place, slot_end};
use super::start::ObjectStart;
use super::sweep::Sweeper;

/// What a sweep found in a block of a run.
#[derive(Clone, Copy)]
struct Found {
    /// Whether some object that lives starts here.
    starts: bool,
    /// Which object that lives reaches into it.
    place: Place,
}

impl Sweeper<'_> {
    /// Frees all objects of a run that are not marked, and clears the marks of the others.
    ///
    /// # Safety
    ///
    /// As for [`Sweeper::large`], of the run that begins with `head`.
    pub(super) unsafe fn run(&mut self, head: BlockIndex) {
        let heap = self.heap;
        let count = heap.run_length(head);
        let base = heap.address_of(head);
        let sort = Sort::of_state(heap.state(head));
        let mut found = [Found {
            starts: false,
            place: Place::default(),
        }; LONGEST];
        let mut slots = Vec::new();
        for (index, found) in found[..count].iter_mut().enumerate() {
            let block = head.up(index);
            let state = heap.state(block);
            heap.each_start(block, |start| {
                // SAFETY: the run was taken to be swept, and nothing refers to its unmarked objects (the caller's
                // promise).
                let lives = unsafe { self.medium(start, state) };
                if let Some(end) = lives {
                    found.starts = true;
                    slots.push((start.address(), end));
                }
            });
            let state = if found.starts {
                state.unclaimed()
            } else {
                sort.state()
            };
            // SAFETY: the block is ours.
            unsafe { heap.blocks().set_state(block, state) };
        }
        for &(start, end) in &slots {
            let first = heap.owned_block(start).above(head);
            let beyond = (end - base).div_ceil(BLOCK);
            for (index, found) in found[..beyond].iter_mut().enumerate().skip(first + 1) {
                let block = base + index * BLOCK;
                found.place.back = (block - start) / GROUP_BYTES;
                found.place.reach = (end - block).min(BLOCK) / GROUP_BYTES;
            }
        }
        let live: usize = slots.iter().map(|(start, end)| end - start).sum();
        let is_used = |index: usize| found[index].starts || found[index].place.reach != 0;
        let cut_up = live * 4 < count * BLOCK;
        let mut index = count;
        // From the end, as spare blocks are listed.
        while index > 0 {
            let beyond = index;
            if cut_up && !is_used(index - 1) {
                index -= 1;
                let block = head.up(index);
                // SAFETY: the block is ours, and nothing in it lives.
                unsafe { heap.forget_place(block) };
                self.spare.push(block);
                self.run_blocks_freed += 1;
                continue;
            }
            while index > 0 && (!cut_up || is_used(index - 1)) {
                index -= 1;
            }
            for (place, found) in found[index..beyond].iter().enumerate() {
                let block = head.up(index + place);
                let place = Place {
                    index: place,
                    last: index + place + 1 == beyond,
                    ..found.place
                };
                // SAFETY: the block is ours, and nobody allocates in a run that is being swept.
                unsafe { heap.set_place(block, place) };
            }
            self.kept.large.push(head.up(index));
            let (piece, piece_end) = (base + index * BLOCK, base + beyond * BLOCK);
            let mut free = piece;
            let inside = |slot: &&(usize, usize)| (piece..piece_end).contains(&slot.0);
            for &(start, end) in slots.iter().filter(inside).chain([&(piece_end, piece_end)]) {
                if free < start {
                    self.survivors.holes += start - free;
                    self.holes.push(Hole {
                        sort,
                        start: free,
                        end: start,
                    });
                }
                free = end;
            }
        }
        self.deliver_if_many();
    }

    /// Frees a medium object that starts in a block in that state, if it is not marked: `None`. Or clears its marks:
    /// the end of its slot.
    ///
    /// # Safety
    ///
    /// As for [`Sweeper::run`].
    unsafe fn medium(&mut self, start: ObjectStart, state: BlockState) -> Option<usize> {
        let heap = self.heap;
        let last = heap.end_of(start) - WORD;
        let (base, end) = (start.address(), slot_end(last));
        // SAFETY: the slot belongs to nothing else, and if the object is not marked, nothing refers to it, says the
        // caller.
        unsafe {
            if heap.is_marked(start) {
                heap.group_of(start).clear_marks();
                if state.is_claimed() {
                    for at in groups(base, end) {
                        heap.planes().claims(at).set(0);
                    }
                }
                self.survivors.bytes += (end - base) as u64;
                return Some(end);
            }
            if self.scrub {
                heap.scrub_dead(base, end);
            }
            heap.clear_object(base, last, end, state);
            self.freed += 1;
            None
        }
    }
}

impl Heap {
    /// Clears the planes of the object that starts at `start`, whose last word is at `last`, up to `end`, in blocks
    /// that are in that state.
    ///
    /// # Safety
    ///
    /// The object is dead, and the words up to `end` belong to nothing else.
    pub(super) unsafe fn clear_object(
        &self,
        start: usize,
        last: usize,
        end: usize,
        state: BlockState,
    ) {
        // SAFETY: the object is dead, and the words up to `end` belong to nothing else (the caller's promise). Of a
        // leaf that has no bit but its extent, nothing else is to be cleared.
        unsafe {
            if state.usage() == Use::LargeLeaf && !state.has_kinds() {
                self.clear_planes(last, last + WORD, BlockState::FREE);
                self.clear_planes(start, start + WORD, BlockState::FREE);
            } else {
                self.clear_planes(start, end, state);
            }
        }
    }

    /// Says in the table that a block is in no run any more.
    ///
    /// # Safety
    ///
    /// 1. The block belongs to this heap, and is in no list.
    /// 2. There is no object in it.
    unsafe fn forget_place(&self, block: BlockIndex) {
        // SAFETY: the block is ours, and as it is in no list, nobody else changes its entry.
        unsafe {
            self.blocks.set_state(block, BlockState::FREE);
            self.blocks.set_owner_and_span(block, self.number, 0);
        }
    }

    /// Frees all that is in the run that begins with `head`, which is in no list any more: its blocks, the highest
    /// first.
    ///
    /// # Safety
    ///
    /// Nothing refers to its objects any more.
    pub(super) unsafe fn free_run(&self, head: BlockIndex) -> impl Iterator<Item = BlockIndex> {
        let blocks = head.row(self.run_length(head));
        for block in blocks.clone() {
            let state = self.state(block);
            self.each_start(block, |start| {
                self.count_freed(1);
                let last = self.end_of(start) - WORD;
                // SAFETY: nothing refers to the object any more (the caller's promise), and its slot is its own.
                unsafe { self.clear_object(start.address(), last, slot_end(last), state) };
            });
        }
        blocks.rev().inspect(|block| {
            // SAFETY: the block is ours, and was emptied above.
            unsafe { self.forget_place(*block) }
        })
    }
}
