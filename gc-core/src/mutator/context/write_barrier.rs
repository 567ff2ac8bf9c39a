//! The entrance of the write barrier: called before an object is written through a cell, once or often.
//!
//! The barrier looks at the state of the object's block and, nearly always, is done: none of the bits is set that
//! `Context::armed` names. Otherwise there are up to four things to do.
//!
//! 1. *The dirty bit.* After the write, the tags of an object whose pointers can move may be wrong. Such objects
//!    are described, which their block's state tells. A safepoint soon makes the tags of a dirty object anew; or who
//!    writes does so itself, and the object does not get dirty ([`super::retagging`]).
//! 2. *Destructors.* A value that has one may own more after the write. The object is noted, to be measured
//!    ([`super::measuring`]).
//! 3. *The claim.* While a cycle marks, the object is claimed ([`crate::collector`], *Claiming*). Then `armed` has
//!    all bits.
//! 4. *Finalization calls* make no claims. They keep a list of what they write ([`super::finalization`]).
//!
//! It runs no code of the user's, whatever the object is. So it may be called by code that has a guard of the object
//! already, to write by: by the vocabulary's barriers, which take an erased pointer, or any other. What an object holds
//! that only the user's `trace` knows is found at safepoints ([`crate::collector::untraced`]).
//!
//! # What this does not do
//!
//! It does not know the field that is written, nor what is written there. One call serves all writes to the object
//! until the end of the `mutate` call.

use super::Context;
use crate::heap::extent::Extent;
use crate::heap::planes::WORD;
use crate::heap::start::ObjectStart;

impl Context {
    /// Prepares a write to the object at `address`.
    ///
    /// # Safety
    ///
    /// 1. It is the address of a `Gc` of this heap: the start of an object of this heap, or in no heap, for a value
    ///    that needs no memory.
    /// 2. Meanwhile the object is not freed, and marking does not end: this thread is in a `mutate` call of this
    ///    mutator, or is the heap's one mutator.
    #[inline]
    pub(crate) unsafe fn before_write(&self, address: usize) {
        if self.heap().spans(address) {
            // SAFETY: the address is in this heap, so an object starts there (1). The second promise is the same.
            unsafe { self.before_object_write(address) }
        }
    }

    /// [`Context::before_write`] for a value that needs memory.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `address`.
    /// 2. As for [`Context::before_write`].
    #[inline]
    pub(crate) unsafe fn before_object_write(&self, address: usize) {
        // SAFETY: an object of this heap starts there (1). The second promise is the same.
        unsafe {
            if self.is_armed_for(address) {
                self.note_write(address);
            }
        }
    }

    /// Prepares a write to the bytes from `from` to `to` of the object at `address`.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `address`, and these are some of its bytes.
    /// 2. As for [`Context::before_write`].
    #[inline]
    pub(crate) unsafe fn before_partial_write(&self, address: usize, bytes: (usize, usize)) {
        // SAFETY: an object of this heap starts there, and has these bytes (1). The second promise is the same.
        unsafe {
            if self.is_armed_for(address) {
                self.note_partial_write(address, bytes, true);
            }
        }
    }

    /// [`Context::before_partial_write`] for an object that stays clean: it is not described, or the caller makes the
    /// tags of these bytes anew after the write, and measures the value if it has a destructor. So its block's state
    /// need not be looked at.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `address`, and these are some of its bytes.
    /// 2. As for [`Context::before_write`].
    /// 3. If the object is described: as for [`Context::before_known_write`], while the context retags.
    #[inline(always)]
    pub(crate) unsafe fn before_clean_write(&self, address: usize, bytes: (usize, usize)) {
        if self.is_marking() {
            // SAFETY: an object of this heap starts there, and has these bytes (1). The second promise is the same.
            unsafe { self.note_partial_write(address, bytes, false) }
        }
    }

    /// Whether the barrier has anything to do for the object at `address`.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there.
    #[inline(always)]
    unsafe fn is_armed_for(&self, address: usize) -> bool {
        let heap = self.heap();
        // SAFETY: an object of this heap is in a block of it, which is below the commit frontier.
        unsafe {
            heap.blocks()
                .has_any(heap.owned_block(address), self.armed.get())
        }
    }

    /// Objects that own memory come here for each write. Most have been written since the last safepoint that measured
    /// them, so there is nothing more to note.
    ///
    /// # Safety
    ///
    /// As for [`Context::before_object_write`].
    #[inline(never)]
    unsafe fn note_write(&self, address: usize) {
        // SAFETY: an object of this heap starts there (1), and marking does not end meanwhile (2).
        unsafe {
            if self.finalizing.get() || self.is_marking() {
                return self.note_write_in_cycle(address);
            }
            let start = ObjectStart::new_unchecked(address);
            if !(self.written.is_recent(address) && self.heap().is_dirty(start)) {
                self.note_write_between_cycles(address);
            }
        }
    }

    /// Apart from [`Context::note_write`], so that that saves no registers.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(never)]
    unsafe fn note_write_between_cycles(&self, address: usize) {
        // SAFETY: an object of this heap starts there (1).
        unsafe { self.note_dirty(address) }
    }

    /// # Safety
    ///
    /// As for [`Context::before_object_write`]; and a cycle marks, or a finalization call runs.
    #[cold]
    #[inline(never)]
    unsafe fn note_write_in_cycle(&self, address: usize) {
        // SAFETY: an object of this heap starts there (1). It is not freed, and marking does not end meanwhile (2).
        // A cycle marks (*Armed while marking*). This thread may trace values (*One user*).
        unsafe {
            if self.finalizing.get() {
                return self.keep(address);
            }
            if !self.collector.is_claimed(address) {
                self.claim(address);
            }
            self.note_dirty(address);
        }
    }

    /// Claims an object that is not claimed. (Those that are come by here much more often.)
    ///
    /// # Safety
    ///
    /// As for [`Context::before_object_write`]; and a cycle marks.
    #[cold]
    #[inline(never)]
    unsafe fn claim(&self, address: usize) {
        // SAFETY: an object of this heap starts there (1). It is not freed, and marking does not end meanwhile (2).
        // A cycle marks. This thread may trace values (*One user*).
        self.with_buffer(|buffer| unsafe { self.collector.claim(address, buffer) });
    }

    /// Prepares a write after which the object is dirty, or not.
    ///
    /// # Safety
    ///
    /// As for [`Context::before_partial_write`]; and if it is not dirty then, as for [`Context::before_clean_write`].
    #[cold]
    #[inline(never)]
    unsafe fn note_partial_write(&self, address: usize, bytes: (usize, usize), dirty: bool) {
        // SAFETY: an object of this heap starts there, and has these bytes (1). If a cycle marks (*Armed while
        // marking*), the object is not freed and marking does not end meanwhile (2), and this thread may trace
        // values (*One user*).
        unsafe {
            if self.finalizing.get() {
                self.kept.borrow_mut().push(address);
            } else if self.is_marking() && !self.collector.has_claimed_part(address, bytes, dirty) {
                self.claim_part(address, bytes, dirty);
            }
            if dirty {
                self.note_dirty(address);
            }
        }
    }

    /// Claims a part of an object that is not claimed.
    ///
    /// # Safety
    ///
    /// As for [`Context::note_partial_write`]; and a cycle marks.
    #[cold]
    #[inline(never)]
    unsafe fn claim_part(&self, address: usize, bytes: (usize, usize), dirty: bool) {
        // SAFETY: an object of this heap starts there, and has these bytes (1). It is not freed, and marking does not end
        // meanwhile (2). A cycle marks. This thread may trace values (*One user*).
        self.with_buffer(|buffer| unsafe {
            self.collector.claim_part(address, bytes, dirty, buffer);
        });
    }

    /// Prepares a write in a finalization call.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `address`.
    #[cold]
    #[inline(never)]
    unsafe fn keep(&self, address: usize) {
        self.kept.borrow_mut().push(address);
        // SAFETY: an object of this heap starts there (the caller's promise).
        unsafe { self.note_dirty(address) }
    }

    /// Sets the dirty bit of a described object, and notes it if it has a destructor.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `address`.
    #[inline]
    unsafe fn note_dirty(&self, address: usize) {
        // SAFETY: an object of this heap starts there (the caller's promise), so its block and planes are committed.
        unsafe {
            let state = self.heap().state_at(address);
            if state.is_described() {
                self.make_dirty(ObjectStart::new_unchecked(address));
                if state.has_drops() {
                    self.written.note(address);
                }
            }
        }
    }

    /// Prepares a write to an object that is not known. Aborts a cycle that marks.
    ///
    /// # Panics
    ///
    /// If the heap has many mutators: none of them can abort a cycle.
    pub(crate) fn before_unknown_write(&self) {
        assert!(self.collector.has_one_mutator());
        self.collector.note_unknown_write();
        if self.is_marking() {
            // SAFETY: this thread is the heap's one mutator, and not at a safepoint, so only jobs mark.
            unsafe { self.collector.abort_marking() };
            self.arm();
        }
    }

    /// Prepares a write to the atomic cell at `cell`. `true` if the pointers that come and go are to be
    /// [noted](Context::note_stored): if not, the cell is scanned again, as it is in the root, which `is_in_root`
    /// tells, in an object that was claimed, or in memory that is rescanned as a whole.
    ///
    /// # Safety
    ///
    /// The cell is in use, in an object of this heap or outside of all heaps, and this thread is in a `mutate` call
    /// of this mutator.
    #[inline]
    pub(crate) unsafe fn before_atomic_write(
        &self,
        cell: usize,
        is_in_root: impl FnOnce() -> bool,
    ) -> bool {
        // SAFETY: the caller's promises are the same; and a cycle marks (*Armed while marking*).
        self.is_marking() && unsafe { self.before_atomic_write_in_cycle(cell, is_in_root) }
    }

    /// # Safety
    ///
    /// As for [`Context::before_atomic_write`]; and a cycle marks.
    #[cold]
    #[inline(never)]
    unsafe fn before_atomic_write_in_cycle(
        &self,
        cell: usize,
        is_in_root: impl FnOnce() -> bool,
    ) -> bool {
        if !self.collector.remembers_writes() {
            return true;
        }
        let Some(Extent { base, .. }) = self.heap().allocation_of(cell) else {
            // Each round visits the root. Other cells are in memory of an object that is not known, or that nothing
            // reaches.
            if !is_in_root() {
                self.collector.note_owned_cell();
            }
            return false;
        };
        // SAFETY: the cell is in use, so the object that it is in exists, and is not freed in this `mutate` call. If it
        // is still being built, it was allocated in this call, and so is claimed. The cell is a word of it. A cycle
        // marks, in a phase that does not change in this call, and this thread may trace values (*One user*).
        unsafe {
            if !self.collector.is_part_claimed(base, cell) {
                self.claim_part(base, (cell, cell + WORD), false);
            }
        }
        false
    }
}
