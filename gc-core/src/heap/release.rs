//! Giving back to the system what a heap does not use now.
//!
//! Spare blocks go back to the space. Blocks with objects stay, but their pages without objects are purged: in holes of
//! blocks of small objects and of runs, and behind large objects. Objects can be allocated there as before, which makes
//! the pages resident again.
//!
//! Cursors are retired first. The rest of their holes would be lost until the next sweep, and a program that calls this
//! often would take new blocks each time. So all blocks with holes are listed anew.

use super::Heap;
use super::block::BLOCK;
use super::holes::Holes;
use super::planes::GRANULE;
use super::start::ObjectStart;
use super::sweep::WORTHWHILE;

impl Heap {
    /// Gives back what is not in use. Takes time linear in the number of blocks, and the time of the system for
    /// each run of pages.
    ///
    /// # Safety
    ///
    /// No mutator is in a `mutate` call, and all allocators were retired.
    pub(crate) unsafe fn release_unused(&self) {
        // Sweepers may be at work beside this, in blocks that are not in the store.
        let mut store = self.store.lock();
        self.give_back(core::mem::take(&mut store.spare));
        store.partial.iter_mut().for_each(Vec::clear);
        let store = &mut *store;
        for &block in &store.occupied.small {
            let mut free = 0;
            // SAFETY: nobody allocates in the block, which is not being swept, and nothing refers to what is in no
            // allocation.
            unsafe {
                let mut holes = Holes::of(self.planes, self.address_of(block));
                while let Some((start, end)) = holes.next(self.planes, GRANULE) {
                    free += end - start;
                    self.space.purge(start, end);
                }
                if free >= WORTHWHILE {
                    let described = self.blocks.state(block).is_described();
                    store.partial[described as usize].push(block);
                }
            }
        }
        for partial in &mut store.partial {
            // The lowest are taken first.
            partial.sort_unstable_by(|a, b| b.cmp(a));
        }
        for &head in &store.occupied.large {
            let base = self.address_of(head);
            if self.place_of(head).is_none() {
                // SAFETY: the object starts with its first block, and has its blocks for itself.
                unsafe {
                    let end = self.end_of(ObjectStart::new_unchecked(base));
                    self.space.purge(end, base + self.span_of(head) * BLOCK);
                }
            }
        }
        for hole in store.runs.holes() {
            // SAFETY: holes are free, and nobody takes them without the lock.
            unsafe { self.space.purge(hole.start, hole.end) }
        }
        store.occupied.small.shrink_to_fit();
        store.occupied.large.shrink_to_fit();
        store.spare.shrink_to_fit();
        store.partial.iter_mut().for_each(Vec::shrink_to_fit);
        self.space.purge_free_planes();
    }
}
