//! Retagging: tags are made anew when an object is written, not when a marker meets it.
//!
//! Of an enum in a cell, the words that are pointers change with the value. Who writes it does one of two things:
//!
//! 1. If the place is known, and the value is there when the call returns, the caller makes the tags of these words
//!    anew, and the object is clean before and after ([`Context::retag_value`]). So do `Lock::set` and the collections.
//! 2. Otherwise somebody has a reference by which to write, a guard or a `&Write`, and nobody sees its end. The barrier
//!    makes the object *dirty*, and notes it here. At a safepoint no `mutate` call runs, so no such reference can be
//!    used. When [`SOME`] objects are noted, or a cycle begins, a safepoint traces them, at most [`MANY`] of them, and
//!    they are clean again.
//!
//! So markers meet few dirty objects. One that they meet is traced at a safepoint ([`crate::collector::claim`]), and
//! `Statistics::retagged_late` counts it. These are:
//!
//! * Objects that were left when a cycle began, since more than [`MANY`] were noted: a step has a bound.
//! * Objects of more than [`LARGE`] bytes. To trace all of one at each safepoint would cost more than once a cycle.
//! * Objects whose `trace` panics, and what a destructor at a safepoint writes to.
//! * Objects of shared arenas, where other threads may be allocating in the same groups of the planes.
//!
//! # Invariants
//!
//! 1. *Nobody else writes tags.* While `retags` is set, this is the heap's one mutator, it is in no safepoint, and no
//!    other thread sweeps. So this thread alone writes tags and kinds, and flags of blocks that say which kinds there
//!    are. Other threads sweep for a part of a cycle only; meanwhile all writes are of the second sort, and what is
//!    noted waits.
//! 2. *No marker reads them.* While a cycle marks, tags are made anew only of what is claimed: the barrier comes before
//!    the write, and at safepoints what is not claimed is left dirty. Finalization calls claim nothing, but no marker is
//!    at work meanwhile.
//! 3. No object is freed while it is noted. It could be reached in a `mutate` call, so the cycle of that time does not
//!    free it, unless it marks and remembers writes; and nothing is noted any more when a cycle begins, and when one
//!    ends marking.

use core::cell::{Cell, RefCell};
use core::mem::size_of;
use std::panic::{self, AssertUnwindSafe};

use super::Context;
use crate::collector::Phase;
use crate::heap::extent::Extent;
use crate::heap::planes::WORD;
use crate::heap::start::ObjectStart;
use crate::types::collect::Collect;
use crate::types::descriptor::Described;
use crate::types::tags::{MOST_WORDS, Tagger, WordTags};

/// Objects of more bytes are left for the marker, if it meets them.
const LARGE: usize = 4 << 10;

/// So many objects must be noted for a safepoint to have something to do for them alone.
const SOME: usize = 64;

/// So many objects are retagged at a safepoint. It takes less than a millisecond.
const MANY: usize = 4096;

/// See the [module documentation](self).
#[derive(Default)]
pub(super) struct Retagging {
    /// Whether tags may be made anew now.
    retags: Cell<bool>,
    /// Whether they may, and no cycle marks: then a write has nothing to do but that.
    quiet: Cell<bool>,
    /// Whether dirty objects are noted.
    notes: Cell<bool>,
    dirty: RefCell<Vec<usize>>,
}

impl Context {
    /// Whether who writes to a known place makes its tags anew. If not, the barrier has to make the object dirty.
    #[inline(always)]
    pub(crate) fn retags(&self) -> bool {
        self.retagging.retags.get()
    }

    /// Prepares a write to the bytes from `from` to `to` of the object at `address`, whose pointers can move. Whether the
    /// caller has to make the tags of these bytes anew after it; then it also measures the value, if that has a
    /// destructor. If not, the object is dirty.
    ///
    /// # Safety
    ///
    /// As for [`Context::before_partial_write`](super::Context::before_partial_write); and the caller does that.
    #[inline(always)]
    pub(crate) unsafe fn before_known_write(&self, address: usize, bytes: (usize, usize)) -> bool {
        // SAFETY: the caller's promises are the same.
        self.retagging.quiet.get() || unsafe { self.before_known_write_noted(address, bytes) }
    }

    /// # Safety
    ///
    /// As for [`Context::before_known_write`].
    #[cold]
    #[inline(never)]
    unsafe fn before_known_write_noted(&self, address: usize, bytes: (usize, usize)) -> bool {
        let retags = self.retags();
        // SAFETY: the caller's promises are the same. It makes the tags anew, if the context retags.
        unsafe {
            if retags {
                self.before_clean_write(address, bytes);
            } else {
                self.before_partial_write(address, bytes);
            }
        }
        retags
    }

    /// Lets tags be made anew, if that is possible in the phase of now, and dirty objects be noted.
    pub(super) fn begin_retagging(&self) {
        let one = self.collector.has_one_mutator();
        let retags = one && !self.collector.others_sweep();
        self.retagging.notes.set(one);
        self.retagging.retags.set(retags);
        self.retagging.quiet.set(retags && !self.is_marking());
    }

    /// Makes all writes leave their objects dirty, and notes none.
    pub(super) fn end_retagging(&self) {
        self.retagging.notes.set(false);
        self.retagging.retags.set(false);
        self.retagging.quiet.set(false);
    }

    /// Makes an object dirty: its tags may not tell the truth from now on.
    #[inline]
    pub(crate) fn make_dirty(&self, start: ObjectStart) {
        if !self.heap().is_dirty(start) {
            self.make_dirty_anew(start);
        }
    }

    #[cold]
    #[inline(never)]
    fn make_dirty_anew(&self, start: ObjectStart) {
        if self.heap().set_dirty(start) && self.retagging.notes.get() {
            self.retagging.dirty.borrow_mut().push(start.address());
        }
    }

    /// Whether so many dirty objects are noted that a safepoint should retag them.
    #[inline]
    pub(super) fn has_many_dirty(&self) -> bool {
        self.retagging.dirty.borrow().len() >= SOME
    }

    /// Makes the tags anew of a value that was just written, in the object at `start`.
    ///
    /// # Panics
    ///
    /// If its `trace` does. Then the object is dirty.
    ///
    /// # Safety
    ///
    /// 1. [`Context::before_known_write`] was called for these words in this `mutate` call before they were written, and
    ///    has returned `true`; or the object is new, and nobody else has its address.
    /// 2. An object of this heap starts at `start`, in a described block unless it is new, and the value is in it, a
    ///    multiple of its size from the start.
    /// 3. The value has a `Dynamic` map, and nobody has a reference to it that he could use meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn retag_value<'gc, T: Collect<'gc>>(&self, start: usize, value: *const T) {
        if size_of::<T>() == 0 {
            return;
        }
        // SAFETY: an object of this heap starts there (2).
        let unfinished = Unfinished(self, unsafe { ObjectStart::new_unchecked(start) });
        let (slot, words) = (value.addr(), size_of::<T>() / WORD);
        // SAFETY: the words are those of a value that is there and not in use (2, 3). One of two words is a granule, as
        // objects are aligned to granules (2). If a cycle marks, no marker reads their tags (*No marker reads them*): the
        // barrier was called, or the object is new. Nobody else writes
        // tags (*Nobody else writes tags*), or the allocator's blocks belong to this thread (1).
        unsafe {
            if words <= MOST_WORDS {
                let tags = WordTags::of(value);
                let kinds = T::TYPE_MAP.may_have_kinds();
                self.heap().put_tags(start, (slot, words), kinds, &tags);
            } else {
                let (base, bytes) = (slot, size_of::<T>());
                self.heap().remove_tags(start, base, base + bytes);
                (*value).trace(&mut Tagger::new(self.heap(), Extent { base, bytes }));
            }
        }
        core::mem::forget(unfinished);
    }

    /// Removes the tags of words from which a value was moved out.
    ///
    /// # Safety
    ///
    /// As for [`Context::retag_value`], of the value that was there.
    #[inline(always)]
    pub(crate) unsafe fn untag<'gc, T: Collect<'gc>>(&self, start: usize, place: *const T) {
        let (slot, words) = (place.addr(), size_of::<T>() / WORD);
        // SAFETY: as in `retag_value`.
        unsafe {
            if words == 0 {
            } else if words <= MOST_WORDS {
                let kinds = T::TYPE_MAP.may_have_kinds();
                self.heap()
                    .put_tags(start, (slot, words), kinds, &WordTags::NONE);
            } else {
                self.heap().remove_tags(start, slot, slot + size_of::<T>());
            }
        }
    }

    /// Makes tags anew of the objects that were written last, of [`MANY`] at most. If other threads sweep, they wait.
    ///
    /// # Safety
    ///
    /// 1. No `mutate` call is running, and the thread is the heap's one mutator if it has one.
    /// 2. No object that was noted was freed.
    pub(crate) unsafe fn retag_some(&self) {
        if self.retagging.dirty.borrow().is_empty() || self.collector.others_sweep() {
            return;
        }
        let mut objects = self.retagging.dirty.take();
        let rest = objects.len().saturating_sub(MANY);
        for start in objects.drain(rest..) {
            // SAFETY: an object of this heap starts there (2); no mutator is at work (1), and nobody else sweeps.
            unsafe { self.retag_one(ObjectStart::new_unchecked(start)) }
        }
        objects.shrink_to(MANY.max(objects.len()));
        self.retagging.dirty.replace(objects);
    }

    /// Forgets which objects are dirty. They stay so until a marker meets them.
    pub(super) fn forget_dirty(&self) {
        self.retagging.dirty.borrow_mut().clear();
    }

    /// # Safety
    ///
    /// No mutator is at work, and no other thread sweeps.
    unsafe fn retag_one(&self, start: ObjectStart) {
        let (heap, collector) = (self.heap(), self.collector());
        let marks = matches!(collector.phase(), Phase::Marking | Phase::Finalizing);
        // SAFETY: an object of this heap starts there.
        if !heap.is_dirty(start) || marks && !unsafe { collector.is_claimed(start.address()) } {
            return;
        }
        let extent = heap.extent_of(start);
        // SAFETY: dirty objects are in described blocks. No mutator is at work, nobody else writes tags, and if a
        // cycle marks, no marker reads those of this object, as it is claimed.
        unsafe {
            if extent.bytes <= LARGE
                && let Some(object) = Described::at(extent)
                && object.descriptor().moves
                && !object.descriptor().external
            {
                // If it panics, the object stays dirty. Who calls it next has the panic.
                let retag = AssertUnwindSafe(|| heap.retag(object));
                core::mem::forget(panic::catch_unwind(retag));
            }
        }
    }
}

/// Makes an object dirty, if its tags are not made to the end.
struct Unfinished<'a>(&'a Context, ObjectStart);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.make_dirty(self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::options::{HeapOptions, Zeal};
    use crate::{Arena, Gc, RefLock, Rootable};

    type Slot<'gc> = RefLock<Option<(Gc<'gc, u64>, u64)>>;

    /// A program that writes to very many objects in one call pays for it at several safepoints.
    #[test]
    fn a_safepoint_at_which_nothing_is_due_retags_no_more_than_many() {
        let options = HeapOptions::default().zeal(Zeal::NONE);
        let mut arena = Arena::<Rootable![Vec<Gc<'_, Slot<'_>>>]>::with_options(options, |mc| {
            let slot = |_| Gc::new(mc, RefLock::new(None));
            (0..2 * MANY + 1000).map(slot).collect()
        })
        .unwrap();
        arena.finish_cycle();
        arena.mutate(|mc, slots| {
            let number = Gc::new(mc, 5);
            for slot in slots {
                *slot.borrow_mut(mc) = Some((number, 6));
            }
        });
        let dirty = |arena: &Arena<_>| {
            arena.mutate(|mc, slots: &Vec<Gc<'_, Slot<'_>>>| {
                let context = mc.context();
                let is_dirty = |slot: &&Gc<'_, Slot<'_>>| {
                    // SAFETY: an object of this heap starts there.
                    let start = unsafe { ObjectStart::new_unchecked(Gc::as_ptr(**slot).addr()) };
                    context.heap().is_dirty(start)
                };
                let dirty = slots.iter().filter(is_dirty).count();
                assert_eq!(context.retagging.dirty.borrow().len(), dirty);
                dirty
            })
        };
        assert_eq!(dirty(&arena), 2 * MANY + 1000);
        for left in [MANY + 1000, 1000, 0, 0] {
            arena.collect_debt();
            assert_eq!(dirty(&arena), left);
        }
    }
}
