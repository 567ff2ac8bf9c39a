//! Ephemerons whose key is not marked (yet).
//!
//! An *ephemeron* is a pair of words, a key and a value (Hayes 1997): the value is followed when the key is
//! reached, and not before. A marker that meets one with a key that is not marked notes the value here, under
//! the key; the marker that marks and then scans the key takes what is noted and follows it. So each ephemeron is
//! looked at twice at most, chains and cycles of them are resolved in linear time, and there are no passes
//! over those that remain.
//!
//! Who takes what is the protocol of [`waiting`](crate::protocol::waiting), with its proof. Here is where its
//! places are. For each block in which such keys are there is a *page* with a place for each granule. No hashing,
//! and keys that were allocated side by side are found side by side. All of this lies outside of the heap and is
//! freed when the cycle needs it no more.
//!
//! The protocol's flag is [`Flag::Weak`] of the key's block, which leads a marker off its fast path. Its fence M2
//! is that of [`Batch::publish`](crate::protocol::claim::Batch::publish) in a concurrent marker, which comes
//! between marking and scanning; that an object was claimed meanwhile, and is not scanned, does not save the look.
//! Markers of a cycle that stops the world have none there. When they are done, the keys are looked through that
//! are left ([`Pending::each_key`]), once, and again for as long as one of them turns out to be marked.
//!
//! # Invariants
//!
//! 1. Keys are starts of objects that were not marked when they were noted. Objects that are younger than the
//!    directory were allocated marked, or in a cycle that remembers writes: there the directory is made to
//!    [cover](Pending::cover) them before a round that can lead a marker to them. Values of still younger keys are
//!    followed.
//! 2. Directory and pages are made under the lock of `values`, and known before a place in them is written. They
//!    are freed only when no marker is at work.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32};

use crate::heap::Heap;
use crate::heap::block::{BLOCK, Flag};
use crate::heap::planes::GRANULE;
use crate::protocol::waiting::Waiting;
use crate::sync::Ordering;

/// Granules in a block.
const PLACES: usize = BLOCK / GRANULE;

/// For each granule of a block, the number of its first value, from one; zero is none.
type Page = [AtomicU32; PLACES];

/// The pages of the blocks of a heap.
type Directory = Vec<AtomicPtr<Page>>;

/// See the [module documentation](self).
#[derive(Default)]
pub(crate) struct Pending {
    /// Null while nothing was noted in this cycle.
    directory: AtomicPtr<Directory>,
    values: Waiting,
}

impl Pending {
    /// Whether something was noted in this cycle.
    #[inline(always)]
    pub(crate) fn is_in_use(&self) -> bool {
        // Relaxed: `take` looks again.
        !self.directory.load(Ordering::Relaxed).is_null()
    }

    fn directory(&self) -> Option<&Directory> {
        // SAFETY: it is null or was boxed by `add`, and is not freed while a marker is at work (invariant 2).
        // `Acquire`, partner: `add`.
        unsafe { self.directory.load(Ordering::Acquire).as_ref() }
    }

    /// The place of a key, if its block has a page.
    fn place(&self, heap: &Heap, key: usize) -> Option<&AtomicU32> {
        let page = self.directory()?.get(heap.owned_block(key).number())?;
        // SAFETY: it is null or was boxed by `add`, and is not freed while a marker is at work (invariant 2).
        // `Acquire`, partner: `add`.
        let page = unsafe { page.load(Ordering::Acquire).as_ref()? };
        Some(&page[(key - heap.base()) % BLOCK / GRANULE])
    }

    /// Notes an ephemeron. `false` if there is no room for so many: then it is to be followed like two strong
    /// pointers.
    ///
    /// # Safety
    ///
    /// An object of `heap` starts at `key`, which was not marked when the caller looked.
    pub(crate) unsafe fn add(&self, heap: &Heap, key: usize, value: usize) -> bool {
        let mut values = self.values.lock();
        if !values.has_room() {
            return false;
        }
        let block = heap.owned_block(key);
        if !self.is_in_use() {
            let blocks = (heap.top() - heap.base()) / BLOCK;
            let directory: Directory = (0..blocks).map(|_| AtomicPtr::default()).collect();
            let directory = Box::into_raw(Box::new(directory));
            // `Release`, partner: `directory`.
            self.directory.store(directory, Ordering::Release);
        }
        let directory = self.directory().expect("it was just made");
        // What is younger than the directory was nearly always allocated marked.
        let Some(page) = directory.get(block.number()) else {
            return false;
        };
        // Relaxed: pages are made under the lock.
        if page.load(Ordering::Relaxed).is_null() {
            let new: Box<Page> = Box::new([const { AtomicU32::new(0) }; PLACES]);
            // `Release`, partner: `place`.
            page.store(Box::into_raw(new), Ordering::Release);
        }
        let place = self.place(heap, key).expect("the page was just made");
        values.note(place, value);
        // SAFETY: the block is that of an object of the heap (the caller's promise).
        unsafe { heap.blocks().raise(block, Flag::Weak) }
        true
    }

    /// Takes the values that are noted under a key: moves them to `taken`.
    ///
    /// # Safety
    ///
    /// An object of `heap` starts at `key`.
    #[inline]
    pub(crate) unsafe fn take(&self, heap: &Heap, key: usize, taken: &mut Vec<usize>) {
        let Some(place) = self.place(heap, key) else {
            return;
        };
        self.values.take(place, taken);
    }

    /// Calls `f` with each key under which something is noted.
    pub(crate) fn each_key(&self, heap: &Heap, mut f: impl FnMut(usize)) {
        // The directory is of no more blocks than the heap ever had.
        let pages = self.directory().into_iter().flatten();
        for (block, page) in heap.each_block().zip(pages) {
            // SAFETY: it is null or was boxed by `add`, and is not freed before the cycle has ended marking
            // (invariant 2). `Acquire`, partner: `add`.
            let Some(page) = (unsafe { page.load(Ordering::Acquire).as_ref() }) else {
                continue;
            };
            let base = heap.address_of(block);
            for (granule, place) in page.iter().enumerate() {
                // Relaxed: all markers rest, which orders what they have noted before.
                if place.load(Ordering::Relaxed) != 0 {
                    f(base + granule * GRANULE);
                }
            }
        }
    }

    /// Makes places for keys in blocks that were taken since the directory was made.
    ///
    /// # Safety
    ///
    /// No marker is at work.
    pub(crate) unsafe fn cover(&self, heap: &Heap) {
        let _locked = self.values.lock();
        // `Acquire`, partner: `add`.
        let directory = self.directory.load(Ordering::Acquire);
        // SAFETY: it is null or was boxed by `add`, and nobody else looks.
        if let Some(directory) = unsafe { directory.as_mut() } {
            let blocks = (heap.top() - heap.base()) / BLOCK;
            let most = blocks.max(directory.len());
            directory.resize_with(most, AtomicPtr::default);
        }
    }

    /// Forgets everything.
    ///
    /// # Safety
    ///
    /// No marker is at work.
    pub(crate) unsafe fn clear(&self) {
        let mut values = self.values.lock();
        // `AcqRel`: as where the pointers are written and read; nobody does either meanwhile.
        let directory = self.directory.swap(ptr::null_mut(), Ordering::AcqRel);
        values.clear();
        drop(values);
        if directory.is_null() {
            return;
        }
        // SAFETY: both were boxed in `add`, are known here only, and nobody looks any more.
        unsafe {
            for page in *Box::from_raw(directory) {
                let page = page.into_inner();
                if !page.is_null() {
                    drop(Box::from_raw(page));
                }
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // SAFETY: nobody else has it any more.
        unsafe { self.clear() }
    }
}
