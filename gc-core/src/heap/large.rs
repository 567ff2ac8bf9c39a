//! Large objects: each has a span of blocks of its own, a head and tails. ([`medium`](super::medium) objects share
//! theirs.)

use super::Heap;
use super::block::{BLOCK, BlockIndex, BlockState, Use};
use super::bump::Shape;
use super::error::HeapError;
use super::medium::is_medium;
use super::planes::{WORD, bit};
use super::start::ObjectStart;
use super::volume::Volume;

/// So many blocks. If the object is an owner, that is counted when its value is there.
fn blocks_of(count: usize) -> Volume {
    Volume::of_bytes((count * BLOCK) as u64)
}

impl Heap {
    /// Blocks for an object above [`LARGE`](super::LARGE) bytes, and its address.
    pub(super) fn take_large(&self, shape: &Shape) -> Result<usize, HeapError> {
        if is_medium(shape.bytes) {
            return self.take_medium(shape);
        }
        let count = shape.bytes.div_ceil(BLOCK);
        let Ok(span) = i32::try_from(count).map(i32::cast_unsigned) else {
            return Err(HeapError::AddressSpaceExhausted {
                requested: shape.bytes,
                reserved: self.space.bytes(),
                finalizers: Default::default(),
            });
        };
        self.check_share()?;
        let mut store = self.store.lock();
        let head = match store.spare.pop() {
            Some(block) if count == 1 => block,
            other => {
                store.spare.extend(other);
                self.take_blocks(&mut store, count)?
            }
        };
        let usage = if shape.leaf && !shape.described {
            Use::LargeLeaf
        } else {
            Use::Large
        };
        // SAFETY: the blocks are ours: they were spare, or were just taken.
        unsafe {
            self.blocks.set_owner_and_span(head, self.number, span);
            self.blocks
                .set_state(head, BlockState::new(usage, shape.described));
            for distance in 1..count {
                let tail = head.up(distance);
                self.blocks
                    .set_owner_and_span(tail, self.number, distance as u32);
                self.blocks
                    .set_state(tail, BlockState::new(Use::LargeTail, false));
            }
        }
        let leaf = usage == Use::LargeLeaf;
        // SAFETY: the blocks are ours.
        unsafe { self.prepare_large(self.address_of(head), shape.bytes, leaf) }
        store.occupied.large.push(head);
        self.count_allocated(blocks_of(count), 1);
        Ok(self.address_of(head))
    }

    /// Makes a large object longer where it is, up to `bytes` bytes, if the blocks behind it are free. Whether that was
    /// so; if not, nothing has changed. The memory behind its old end is uninitialised.
    ///
    /// # Safety
    ///
    /// 1. The object is large, has no descriptor, and is not so long.
    /// 2. No cycle is in progress.
    /// 3. No one but the caller has its address.
    pub(crate) unsafe fn extend_large(&self, start: ObjectStart, bytes: usize) -> bool {
        let head = self.owned_block(start.address());
        if is_medium(bytes) || self.place_of(head).is_some() {
            return false;
        }
        let (old, new) = (self.span_of(head), bytes.div_ceil(BLOCK));
        let more = new - old;
        let behind = head.up(old);
        if i32::try_from(new).is_err()
            || self.check_share().is_err()
            || more * BLOCK > self.left()
            || !self.space.take_at(behind, more)
        {
            return false;
        }
        self.note_taken(behind, more);
        self.count_allocated(blocks_of(more), 0);
        // SAFETY: the blocks are ours: they were just taken, or are those of the object.
        unsafe {
            for distance in old..new {
                let tail = head.up(distance);
                self.blocks
                    .set_owner_and_span(tail, self.number, distance as u32);
                self.blocks
                    .set_state(tail, BlockState::new(Use::LargeTail, false));
            }
            let last = self.end_of(start) - WORD;
            self.planes.group(last).extents.remove(bit(last));
            let last = start.address() + bytes - WORD;
            self.planes.group(last).extents.insert(bit(last));
            self.blocks
                .set_owner_and_span(head, self.number, new as u32);
        }
        true
    }

    /// Clears the planes of a dead large object. Its blocks, which are in no list any more, become
    /// spare or go back to the space.
    ///
    /// # Safety
    ///
    /// 1. The block is the head of a large object of this heap, and in no list.
    /// 2. Nothing refers to the object any more.
    pub(super) unsafe fn free_large(&self, head: BlockIndex) {
        let count = self.span_of(head);
        // SAFETY: the blocks are ours, and the object in them is dead (the caller's promise).
        unsafe {
            let base = self.address_of(head);
            let state = self.blocks.state(head);
            let last = self.end_of(ObjectStart::new_unchecked(base)) - WORD;
            self.clear_object(base, last, base + count * BLOCK, state);
            if count == 1 {
                self.blocks.set_state(head, BlockState::FREE);
                self.store.lock().spare.push(head);
            } else {
                self.space.give_back(head, count);
                self.disown(count);
            }
        }
    }
}
