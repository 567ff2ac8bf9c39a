//! Setting tags by visiting values: for objects whose type map is not constant.
//!
//! | when | what | with |
//! | --- | --- | --- |
//! | an object is made | all of its words | [`Tagger`] |
//! | a known part of it is written | the words of that part | [`WordTags`], [`Heap::put_tags`] |
//! | it was written, where is not known | all of its words | [`Heap::retag`] |
//!
//! Words of a plane are changed by plain loads and stores, since one thread at a time writes those of a group
//! ([`planes`](crate::heap::planes), invariant 3). Whoever changes tags proves that.

use crate::heap::Heap;
use crate::heap::block::Flag;
use crate::heap::extent::Extent;
use crate::heap::planes::{Plane, WORD, bit, bit_index, low_bits, stretches};
use crate::heap::start::ObjectStart;
use crate::pointers::gc::Gc;
use crate::pointers::weak::GcWeak;
use crate::sync::{Ordering, fence};
use crate::types::collect::Collect;
use crate::types::descriptor::Described;
use crate::types::trace::{Edge, EdgeVisitor, Trace, Unreferenced};

impl Heap {
    /// Tags the word at `slot` as a strong or a weak pointer.
    ///
    /// # Safety
    ///
    /// The word is a pointer word of an object of this heap.
    #[inline]
    pub(crate) unsafe fn tag_word(&self, slot: usize, weak: bool) {
        // SAFETY: the word lies in a block of this heap.
        unsafe {
            self.planes().group(slot).tags.insert(bit(slot));
            if weak {
                self.insert_kind(slot, Flag::Weak);
            }
        }
    }

    /// Tags the pair of words at `slot` as an ephemeron: the first as a weak pointer, the second, which is
    /// none by its tag, as the value that belongs to it.
    ///
    /// # Safety
    ///
    /// They are two words of an object of this heap, aligned to their size, and the tag of the second is
    /// clear.
    #[inline]
    pub(crate) unsafe fn tag_ephemeron(&self, slot: usize) {
        // SAFETY: both are words of an object of this heap (the caller's promise): the first is a weak pointer, the
        // second the word of its value.
        unsafe {
            self.tag_word(slot, true);
            self.insert_kind(slot + WORD, Flag::Weak);
        }
    }

    /// Sets the bit of `address` in the `kinds` plane, and notes in the block table what it stands for.
    ///
    /// # Safety
    ///
    /// The address lies in an object of this heap.
    pub(crate) unsafe fn insert_kind(&self, address: usize, flag: Flag) {
        // SAFETY: the address lies in an object of this heap (the caller's promise).
        unsafe {
            self.note_kinds(address, flag);
            self.planes().kinds(address).insert(bit(address));
        }
    }

    /// Notes that an object was found to be dead. Who then marks it has done so in this order for all who look for the
    /// mark first.
    pub(crate) fn insert_found_dead(&self, start: ObjectStart) {
        let address = start.address();
        // SAFETY: the object is one of this heap, and so is its block.
        unsafe {
            self.planes().fates(address).insert_shared(start.bit());
            // So that whoever asks looks at all, and the sweeper clears the bit.
            self.blocks().raise(self.owned_block(address), Flag::Weak);
        }
        self.note_found_dead();
        // Partner: the fence in `Context::upgrade`. The mark that is set after it is seen only with what is noted
        // here.
        fence(Ordering::Release);
    }

    /// Whether an object was ever found to be dead.
    #[inline]
    pub(crate) fn was_found_dead(&self, start: ObjectStart) -> bool {
        self.has_found_dead()
            && self.state_of(start).has_weak()
            // SAFETY: the object lies in a block of this heap.
            && unsafe { self.planes().fates(start.address()) }.get() & start.bit() != 0
    }

    /// Notes in the block table that an object has such bits in the `kinds` plane.
    ///
    /// # Safety
    ///
    /// The address lies in an object of this heap.
    #[inline]
    pub(crate) unsafe fn note_kinds(&self, address: usize, flag: Flag) {
        // The flags of an object are those of the block in which it starts.
        // SAFETY: the address lies in an object of this heap (the caller's promise), and so the blocks are this heap's.
        unsafe { self.blocks().raise(self.start_block(address), flag) }
    }

    /// Whether the tags of an object may not tell the truth.
    #[inline]
    pub(crate) fn is_dirty(&self, start: ObjectStart) -> bool {
        // SAFETY: the object lies in a block of this heap.
        unsafe { self.planes().states(start.address()) }.get() & dirty_bit(start) != 0
    }

    /// Notes that the tags of an object may not tell the truth: it may have been written since they were made, or is
    /// external. Whether that was not known yet.
    #[inline]
    pub(crate) fn set_dirty(&self, start: ObjectStart) -> bool {
        // SAFETY: the object lies in a block of this heap.
        let states = unsafe { self.planes().states(start.address()) };
        let clean = states.get() & dirty_bit(start) == 0;
        if clean {
            // A sweeper may be clearing the bits of dead objects beside it.
            states.insert_shared(dirty_bit(start));
        }
        clean
    }

    /// Notes that the tags of the object tell the truth; which those of an external one do only as
    /// long as nobody writes to what it owns, of which the collector does not hear.
    ///
    /// # Safety
    ///
    /// It is an object of this heap, and they do.
    #[inline]
    pub(crate) unsafe fn clear_dirty(&self, object: Described) {
        if !object.descriptor().external {
            let start = object.start();
            // SAFETY: the object is one of this heap (the caller's promise).
            unsafe { self.planes().states(start.address()) }.remove_shared(dirty_bit(start));
        }
    }

    /// Removes all tags and kinds of the object.
    ///
    /// # Safety
    ///
    /// It is an allocation of this heap. As for [`Heap::put_tags`], 3.
    pub(crate) unsafe fn clear_tags(&self, extent: Extent) {
        // SAFETY: the words are all of an allocation of this heap (the caller's promise).
        unsafe { self.remove_tags(extent.base, extent.base, extent.end()) }
    }

    /// Makes the tags of `count` words from `slot` on anew, which are some of the object at `start`. If they never have
    /// `kinds`, these are left alone.
    ///
    /// # Safety
    ///
    /// 1. An object of this heap starts at `start`, these are words of it, and there are at most [`MOST_WORDS`].
    /// 2. `new` tells the truth of them. If there are two, they are a granule.
    /// 3. No other thread reads the tags of the object, or writes those of any object in its blocks.
    #[inline(always)]
    pub(crate) unsafe fn put_tags(
        &self,
        start: usize,
        (slot, count): (usize, usize),
        kinds: bool,
        new: &WordTags,
    ) {
        let count = count as u32;
        let first = bit_index(slot);
        // SAFETY: the words are those of an object of this heap (1), whose planes are committed.
        unsafe {
            put(
                &self.planes().group(slot).tags,
                low_bits(count) << first,
                new.tags << first,
            );
            // One granule is in one group.
            if count > 2 && first + count > u64::BITS {
                let shift = u64::BITS - first;
                let next = &self
                    .planes()
                    .group(slot + count as usize * WORD - WORD)
                    .tags;
                put(next, low_bits(count) >> shift, new.tags >> shift);
            }
            if kinds && (new.kinds != 0 || self.state_at(start).has_kinds()) {
                self.put_kinds(start, slot, count, new);
            }
        }
    }

    /// The part of [`Heap::put_tags`] that is for weak and derived pointers.
    ///
    /// # Safety
    ///
    /// As there.
    #[cold]
    #[inline(never)]
    unsafe fn put_kinds(&self, start: usize, slot: usize, count: u32, new: &WordTags) {
        let (block, first) = (self.owned_block(start), bit_index(slot));
        // SAFETY: an object of this heap starts in the block, and the words are some of it (1).
        unsafe {
            // The flags of an object are those of the block in which it starts.
            if new.weak {
                self.blocks().raise(block, Flag::Weak);
            }
            if new.derived {
                self.blocks().raise(block, Flag::Derived);
            }
            put(
                self.planes().kinds(slot),
                low_bits(count) << first,
                new.kinds << first,
            );
            if first + count > u64::BITS {
                let shift = u64::BITS - first;
                let next = self.planes().kinds(slot + count as usize * WORD - WORD);
                put(next, low_bits(count) >> shift, new.kinds >> shift);
            }
        }
    }

    /// Removes the tags and kinds of the words from `from` to `to` of the object at `start`.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `start`, and these are words of it. As for [`Heap::put_tags`], 3.
    pub(crate) unsafe fn remove_tags(&self, start: usize, from: usize, to: usize) {
        // SAFETY: the object's first block is one of this heap.
        let kinds = unsafe { self.state_at(start) }.has_kinds();
        for stretch in stretches(from, to) {
            let (address, own) = (stretch.start(), stretch.mask());
            // SAFETY: the address lies in an object of this heap.
            unsafe {
                put(&self.planes().group(address).tags, own, 0);
                if kinds {
                    put(self.planes().kinds(address), own, 0);
                }
            }
        }
    }

    /// Makes the tags of a described object anew from its value. If the value's `trace` panics, the
    /// object stays dirty.
    ///
    /// # Safety
    ///
    /// It is an object of this heap, and no mutator is at work on it.
    pub(crate) unsafe fn retag(&self, object: Described) {
        let extent = object.extent();
        // SAFETY: the object is one of this heap (the caller's promise), and nobody looks at its tags or writes to it
        // while they are made anew.
        unsafe {
            self.clear_tags(extent);
            object.trace(&mut Tagger { sink: self, extent });
            self.clear_dirty(object);
        }
    }
}

/// Gives some bits of a word of a plane new values.
#[inline(always)]
fn put(plane: &Plane, own: u64, bits: u64) {
    // Also if nothing changes: in a stack of values that is hard to predict.
    plane.set(plane.get() & !own | bits);
}

/// The bit that says that an object is dirty: that of its second word. (That of the first says that it is pinned.)
#[inline(always)]
pub(crate) fn dirty_bit(start: ObjectStart) -> u64 {
    start.second_bit()
}

/// What a [`Tagger`] makes of the words that are visited.
pub(crate) trait TagSink {
    /// The word at `slot` is a strong or a weak pointer.
    ///
    /// # Safety
    ///
    /// It is one of the words that the tagger is for, and a pointer word.
    unsafe fn tag(&mut self, slot: usize, weak: bool);

    /// The words at `slot` are an ephemeron.
    ///
    /// # Safety
    ///
    /// They are among the words that the tagger is for, and their tags were clear.
    unsafe fn tag_ephemeron(&mut self, slot: usize);

    /// The word at `slot` is derived from the one before.
    ///
    /// # Safety
    ///
    /// It is one of the words that the tagger is for.
    unsafe fn derive(&mut self, slot: usize);
}

/// Sets the bits of the planes.
impl TagSink for &Heap {
    #[inline]
    unsafe fn tag(&mut self, slot: usize, weak: bool) {
        // SAFETY: it is a pointer word of an object of this heap (the caller's promise).
        unsafe { self.tag_word(slot, weak) }
    }

    unsafe fn tag_ephemeron(&mut self, slot: usize) {
        // SAFETY: both are words of an object of this heap, without tags (the caller's promise); ephemerons are
        // aligned.
        unsafe { Heap::tag_ephemeron(self, slot) }
    }

    #[inline]
    unsafe fn derive(&mut self, slot: usize) {
        // SAFETY: it is a word of an object of this heap (the caller's promise).
        unsafe { self.insert_kind(slot, Flag::Derived) }
    }
}

/// The most words of which [`WordTags`] can tell.
pub(crate) const MOST_WORDS: usize = u64::BITS as usize;

/// The tags of at most 64 words in a row, not yet in the planes: bit *i* is that of the word *i*.
pub(crate) struct WordTags {
    base: usize,
    tags: u64,
    kinds: u64,
    weak: bool,
    derived: bool,
}

impl WordTags {
    /// Those of words that are no pointers.
    pub(crate) const NONE: WordTags = WordTags {
        base: 0,
        tags: 0,
        kinds: 0,
        weak: false,
        derived: false,
    };

    /// Those of a value, as its `trace` tells them.
    ///
    /// # Panics
    ///
    /// If its `trace` does.
    ///
    /// # Safety
    ///
    /// The value is there, and nobody has a reference to it that he could use meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn of<'gc, T: Collect<'gc>>(value: *const T) -> WordTags {
        debug_assert!(size_of::<T>() <= MOST_WORDS * WORD);
        let base = value.addr();
        let sink = WordTags {
            base,
            ..WordTags::NONE
        };
        let bytes = size_of::<T>();
        let mut tagger = Tagger {
            sink,
            extent: Extent { base, bytes },
        };
        // SAFETY: the value is there, and nobody changes it (the caller's promise).
        unsafe { (*value).trace(&mut tagger) };
        tagger.sink
    }

    #[inline(always)]
    fn bit(&self, slot: usize) -> u64 {
        1 << ((slot - self.base) / WORD)
    }
}

impl TagSink for WordTags {
    #[inline(always)]
    unsafe fn tag(&mut self, slot: usize, weak: bool) {
        self.tags |= self.bit(slot);
        if weak {
            self.kinds |= self.bit(slot);
            self.weak = true;
        }
    }

    #[inline(always)]
    unsafe fn tag_ephemeron(&mut self, slot: usize) {
        self.tags |= self.bit(slot);
        self.kinds |= 0b11 * self.bit(slot);
        self.weak = true;
    }

    #[inline(always)]
    unsafe fn derive(&mut self, slot: usize) {
        self.kinds |= self.bit(slot);
        self.derived = true;
    }
}

/// Tags each word of one object that is visited as a pointer; pointers elsewhere are passed over.
pub(crate) struct Tagger<S> {
    sink: S,
    extent: Extent,
}

impl<'h> Tagger<&'h Heap> {
    /// A visitor for the value in the object `extent`.
    ///
    /// # Safety
    ///
    /// The object is an allocation of `heap`, is visited by no other value's `trace`, and nobody has
    /// a reference to the value in it.
    #[inline]
    pub(crate) unsafe fn new(heap: &'h Heap, extent: Extent) -> Tagger<&'h Heap> {
        Tagger { sink: heap, extent }
    }
}

impl<S: TagSink> Tagger<S> {
    #[inline(always)]
    fn is_inside(&self, slot: usize) -> bool {
        slot.wrapping_sub(self.extent.base) < self.extent.bytes
    }

    #[inline(always)]
    fn tag(&mut self, slot: usize, weak: bool) {
        if self.is_inside(slot) {
            // SAFETY: the slot is a word of the object, and a pointer: it was visited as one.
            unsafe { self.sink.tag(slot, weak) }
        }
    }

    #[inline]
    fn tag_ephemeron(&mut self, slot: usize) {
        if self.is_inside(slot) {
            // SAFETY: the slots are words of the object; tags are made from none.
            unsafe { self.sink.tag_ephemeron(slot) }
        }
    }

    #[inline]
    fn derive(&mut self, slot: usize) {
        if self.is_inside(slot) {
            // SAFETY: the slot is a word of the object, and was visited as derived.
            unsafe { self.sink.derive(slot) }
        }
    }
}

impl<S: TagSink> EdgeVisitor for Tagger<S> {
    fn visit(&mut self, edge: Edge) {
        self.tag(edge.slot, edge.weak);
    }

    fn visit_ephemeron(&mut self, slot: usize, _: usize, _: usize) {
        self.tag_ephemeron(slot);
    }

    fn visit_derived(&mut self, slot: usize) {
        self.derive(slot);
    }
}

impl<'gc, S: TagSink> Trace<'gc> for Tagger<S> {
    // A pointer whose place is not told is a copy, or lies outside of the object.
    fn trace_gc(&mut self, _: Gc<'gc, ()>) {}

    fn trace_gc_weak(&mut self, _: GcWeak<'gc, ()>) {}

    #[inline]
    fn trace_gc_at(&mut self, slot: usize, _: Gc<'gc, ()>) {
        self.tag(slot, false);
    }

    #[inline]
    fn trace_gc_weak_at(&mut self, slot: usize, _: GcWeak<'gc, ()>) {
        self.tag(slot, true);
    }

    #[inline]
    fn trace_null_at(&mut self, slot: usize, weak: bool) {
        self.tag(slot, weak);
    }

    fn trace_ephemeron_at(&mut self, slot: usize, _: GcWeak<'gc, ()>, _: usize) {
        self.tag_ephemeron(slot);
    }

    #[inline]
    fn trace_derived_at(&mut self, slot: usize) {
        self.derive(slot);
    }

    fn stays_inside(&self) -> bool {
        true
    }

    fn holds(&self, address: usize, _: bool) -> Option<Unreferenced> {
        if !self.is_inside(address) {
            return None;
        }
        // SAFETY: nobody has a reference to what is in the object (`new`, `WordTags::of`).
        Some(unsafe { Unreferenced::new(address) })
    }
}
