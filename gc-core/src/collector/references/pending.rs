//! Ephemerons whose key is not marked (yet).
//!
//! An *ephemeron* is a pair of words, a key and a value (Hayes 1997): the value is followed when the key is
//! reached, and not before. A marker that meets one with a key that is not marked notes the value here, under
//! the key; whoever marks and then scans the key takes what is noted and follows it. So each ephemeron is
//! looked at twice at most, chains and cycles of them are resolved in linear time, and there are no passes
//! over those that remain.
//!
//! For each block in which such keys are there is a *page* with a place for each granule: the number of the
//! first of a chain of values. No hashing, and keys that were allocated side by side are found side by side.
//! All of this lies outside of the heap and is freed when the cycle needs it no more.
//!
//! That a block has a page is not looked at for every object: whoever notes a key raises the flag
//! [`Flag::Weak`] of its block, which leads a marker off its fast path.
//!
//! # No key is missed
//!
//! One marker notes a key while another marks it. The first writes (the place, the flag of the block), then
//! fences, then looks at the mark; if it is set, it takes what is noted and follows it itself. The second
//! writes the mark, then fences, then looks at flag and place. So at least one sees what the other wrote.
//! Beside the program the second fence is that of [`Batch::publish`](crate::protocol::claim::Batch::publish),
//! which comes between marking and scanning; that an object was claimed meanwhile, and is not scanned, does not
//! save the look. Markers of a cycle at once have none there: when they are
//! done, those keys are looked through that are left ([`Pending::each_key`]), once, and again for as
//! long as one of them turns out to be marked, which only such a race can bring about.
//!
//! # Invariants
//!
//! 1. Keys are starts of objects that were not marked when they were noted. Objects that are younger than the
//!    directory were born marked, or in a cycle that remembers writes: there the directory is made to
//!    [cover](Pending::cover) them before a round that can lead a marker to them. What is younger even so is followed.
//! 2. Places change under the lock of `values`.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32};

use crate::heap::Heap;
use crate::heap::block::{BLOCK, Flag};
use crate::heap::planes::GRANULE;
use crate::sync::{Mutex, Ordering};

/// Granules in a block.
const PLACES: usize = BLOCK / GRANULE;

/// For each granule of a block, the number of its first value, from one; zero is none.
type Page = [AtomicU32; PLACES];

/// The pages of the blocks of a heap.
type Directory = Vec<AtomicPtr<Page>>;

/// A value, and the number of the next with the same key.
struct Value {
    value: usize,
    next: u32,
}

/// See the [module documentation](self).
#[derive(Default)]
pub(crate) struct Pending {
    /// Null while nothing was noted in this cycle.
    directory: AtomicPtr<Directory>,
    values: Mutex<Vec<Value>>,
}

impl Pending {
    /// Whether something was noted in this cycle.
    #[inline(always)]
    pub(crate) fn is_in_use(&self) -> bool {
        // Relaxed: `take` looks again.
        !self.directory.load(Ordering::Relaxed).is_null()
    }

    fn directory(&self) -> Option<&Directory> {
        // SAFETY: it is null or was boxed by `add`, and freed by nobody while others look (`clear`).
        // `Acquire`, partner: `add`.
        unsafe { self.directory.load(Ordering::Acquire).as_ref() }
    }

    /// The place of a key, if its block has a page.
    fn place(&self, heap: &Heap, key: usize) -> Option<&AtomicU32> {
        let page = self.directory()?.get(heap.owned_block(key).number())?;
        // SAFETY: as in `directory`. `Acquire`, partner: `add`.
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
        let Ok(number) = u32::try_from(values.len() + 1) else {
            return false;
        };
        let block = heap.owned_block(key);
        if !self.is_in_use() {
            let blocks = (heap.top() - heap.base()) / BLOCK;
            let directory: Directory = (0..blocks).map(|_| AtomicPtr::default()).collect();
            let directory = Box::into_raw(Box::new(directory));
            // `Release`, partner: `directory`.
            self.directory.store(directory, Ordering::Release);
        }
        let directory = self.directory().expect("it was just made");
        // What is younger than the directory was nearly always born marked.
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
        // Relaxed: places change under the lock. Who looks without it is ordered by fences, as the module
        // tells.
        let next = place.load(Ordering::Relaxed);
        values.push(Value { value, next });
        place.store(number, Ordering::Relaxed);
        // SAFETY: the block is that of an object of the heap.
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
        // Relaxed: as in `add`.
        if place.load(Ordering::Relaxed) == 0 {
            return;
        }
        let values = self.values.lock();
        let mut number = place.load(Ordering::Relaxed);
        place.store(0, Ordering::Relaxed);
        while number != 0 {
            let Value { value, next } = values[number as usize - 1];
            taken.push(value);
            number = next;
        }
    }

    /// Calls `f` with each key under which something is noted.
    pub(crate) fn each_key(&self, heap: &Heap, mut f: impl FnMut(usize)) {
        // The directory is of no more blocks than the heap ever had.
        let pages = self.directory().into_iter().flatten();
        for (block, page) in heap.each_block().zip(pages) {
            // SAFETY: as in `place`. `Acquire`, partner: `add`.
            let Some(page) = (unsafe { page.load(Ordering::Acquire).as_ref() }) else {
                continue;
            };
            let base = heap.address_of(block);
            for (granule, place) in page.iter().enumerate() {
                // Relaxed: as in `add`.
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
        let _values = self.values.lock();
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
        *values = Vec::new();
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
