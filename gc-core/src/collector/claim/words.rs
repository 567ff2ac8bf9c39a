//! Claims by words: the tags of an object say which of its words are pointers.
//!
//! The claimer takes the lock of [`Claims`](super::Claims), reads the tagged words into the snapshot buffer, and
//! sets the claim. A second claimer waits for the lock, and then finds the claim done. The lock is held for one
//! object of at most 8 KiB, or one chunk of a large one.
//!
//! # What is read
//!
//! Each tagged word is a strong pointer, or a weak one if its `kinds` bit is set. A word with both bits whose
//! successor has only the `kinds` bit is the key of an ephemeron; the successor is its value. Key and value are in
//! the same group, as ephemerons are aligned.
//!
//! # What this does not do
//!
//! It must not be used where tags may be wrong: such objects are claimed [by tracing](super::tracing).

use crate::collector::Collector;
use crate::collector::mark::words::read_word;
use crate::collector::rescan::Noting;
use crate::collector::snapshot_buffer::SnapshotBuffer;
use crate::heap::block::Use;
use crate::heap::planes::{WORD, bit, stretches};
use crate::heap::start::ObjectStart;
use crate::protocol::claim;
use crate::types::descriptor::Described;
use crate::types::trace::{Edge, EdgeVisitor};

impl Collector {
    /// Claims the words from `from` to `to` of the object at `start`: all of it, or a chunk of a large one.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`, and is not freed meanwhile.
    /// 2. A cycle marks, and its phase does not change meanwhile.
    /// 3. The tags of the object are right as long as it is not claimed.
    /// 4. The words are all of the object, or a chunk if it is large.
    pub(super) unsafe fn claim_words(
        &self,
        start: usize,
        from: usize,
        to: usize,
        buffer: &mut SnapshotBuffer,
    ) {
        let planes = self.heap.planes();
        // SAFETY: the word is one of an object of this heap (1, 4), whose planes are committed.
        let word = unsafe { planes.claims(from) }.word();
        if claim::is_done(word, bit(from)) {
            return;
        }
        let _claiming = self.claims.tracing.lock();
        if claim::is_done(word, bit(from)) {
            return;
        }
        // SAFETY: the words are those of an object with tags that are right (1, 3, 4). It is not claimed, and
        // nobody else can claim it while this thread has the lock (*One claimer*), so nobody writes to it (*Claim
        // before write*). Its contents are in the buffer before the claim is set, or need not be.
        unsafe {
            let noting = self.noting();
            if noting != Noting::Nothing {
                if noting == Noting::Doubtful {
                    self.doubt(start);
                }
                self.note_words(start, from, to, buffer);
            }
            self.set_claimed(start, from);
        }
    }

    /// Puts what the words from `from` to `to` of the object at `start` hold into the buffer.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`, and the words are some of its words.
    /// 2. Its tags are right.
    /// 3. Nobody writes to these words meanwhile, but atomically.
    unsafe fn note_words(&self, start: usize, from: usize, to: usize, buffer: &mut SnapshotBuffer) {
        let planes = self.heap.planes();
        // SAFETY: the addresses lie in an object of this heap, whose planes are committed (1). A tagged word of it
        // is a pointer and was written (2), as was the word behind a key, its value. Nobody writes to them but
        // atomically (3).
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
                    let mut visitor = buffer.visitor(self);
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

    /// Puts what the object at `start` holds into the buffer, without a claim. If its tags may be wrong, it is traced.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`.
    /// 2. This thread may call the value's `trace`, as for [`Collector::claim`].
    /// 3. No mutator is at work, so nobody writes to the object meanwhile.
    pub(in crate::collector) unsafe fn note_contents(
        &self,
        start: usize,
        buffer: &mut SnapshotBuffer,
    ) {
        // SAFETY: an object starts there (1), an allocation in a described block if the state says so. No mutator
        // is at work (3), and this thread may trace it (2). If it need not be traced, its tags are right.
        unsafe {
            let state = self.heap.state_at(start);
            if state.usage() == Use::LargeLeaf {
                return;
            }
            let extent = self.heap.extent_of(ObjectStart::new_unchecked(start));
            if state.is_described() {
                match Described::at(extent) {
                    None => return,
                    Some(object) if self.needs_trace(object) => {
                        return object.trace(&mut buffer.visitor(self));
                    }
                    Some(_) => {}
                }
            }
            self.note_words(start, start, extent.end(), buffer);
        }
    }
}
