//! Weak pointers and ephemerons among the words of an object.
//!
//! Where a weak pointer leads is noted, if that is not marked, to be processed when marking is complete. The value
//! of an ephemeron is followed when its key is marked: immediately, or, if the marker meets the ephemeron before the
//! key, when it scans the key ([`Pending`](crate::collector::references::pending::Pending)).

use super::Marker;
use super::words::read_word;
use crate::heap::planes::{WORD, words};
use crate::protocol::waiting;

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Meets the ephemerons among the words of an object: `keys` names their first words.
    pub(super) fn scan_ephemerons(&mut self, base: usize, keys: u64) {
        for address in words(base, keys) {
            // SAFETY: both words are parts of the object, and were written.
            let (key, value) = unsafe {
                (
                    read_word::<CONCURRENT>(address),
                    read_word::<CONCURRENT>(address + WORD),
                )
            };
            self.meet(key, value);
        }
    }

    /// Follows the value of an ephemeron, now if the key is marked, or else when it is.
    pub(super) fn meet(&mut self, key: usize, value: usize) {
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
        if group.is_marked(key) {
            return self.push(value);
        }
        self.backlog.weak.push(key);
        // SAFETY: keys are starts of objects.
        if !unsafe { self.work.pending.add(self.heap, key, value) } {
            return self.push(value);
        }
        if waiting::was_marked(|| group.is_marked(key)) {
            self.follow_values(key);
        }
    }

    /// Follows the values of the ephemerons that were met before their key at `start`, which is marked.
    #[inline(never)]
    pub(super) fn follow_values(&mut self, start: usize) {
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
    pub(in crate::collector) fn follow_missed(&mut self) -> bool {
        let mut missed = Vec::new();
        self.work.pending.each_key(self.heap, |key| {
            // SAFETY: keys are starts of objects.
            if unsafe { self.planes.is_marked(key) } {
                missed.push(key);
            }
        });
        for &key in &missed {
            self.follow_values(key);
        }
        !missed.is_empty()
    }

    /// Notes where the weak pointers among the words of an object lead.
    pub(super) fn note_weak_words(&mut self, base: usize, tags: u64) {
        for address in words(base, tags) {
            // SAFETY: the word is part of an object, and tagged, so it was written.
            self.note_weak(unsafe { read_word::<CONCURRENT>(address) });
        }
    }

    pub(super) fn note_weak(&mut self, target: usize) {
        if !self.is_candidate(target) {
            return;
        }
        // SAFETY: candidates lie below the heap's top.
        if !unsafe { self.planes.is_marked(target) } {
            self.backlog.weak.push(target);
        }
    }
}
