//! The counts of a heap: what it owns and may own, and what was allocated in it and freed.

use super::Heap;
use super::block::{BLOCK, BlockIndex};
use super::volume::Volume;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

/// The counts of a heap.
///
/// All accesses are relaxed: each count is a figure by itself. Limits are kept under the lock of the
/// store.
pub(super) struct Counts {
    /// Bytes of blocks that the heap may own.
    pub(super) limit: usize,
    /// Bytes of blocks that the heap can own: at most its limit, and at most what its own space has.
    bound: usize,
    /// Bytes of blocks that the heap owns, spare ones included: now, and at its peak.
    owned: AtomicUsize,
    peak: AtomicUsize,
    /// Bytes and objects allocated from holes that are done, and of large objects, ever.
    allocated_bytes: AtomicU64,
    allocated_objects: AtomicU64,
    /// By how many bytes what values own elsewhere has grown ever, as [`Volume::owned`] counts it.
    owned_elsewhere: AtomicU64,
    /// How many of these belonged to values that the collector has dropped since.
    dropped_elsewhere: AtomicU64,
    /// Values with destructors allocated ever, and dropped since.
    owners: AtomicU64,
    dropped_owners: AtomicU64,
    /// Objects that sweeps have freed, ever.
    freed_objects: AtomicU64,
}

impl Counts {
    /// Those of an empty heap which may own `limit` bytes of blocks and can own `bound`.
    pub(super) fn new(limit: usize, bound: usize) -> Counts {
        Counts {
            limit,
            bound,
            owned: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            allocated_bytes: AtomicU64::new(0),
            allocated_objects: AtomicU64::new(0),
            owned_elsewhere: AtomicU64::new(0),
            dropped_elsewhere: AtomicU64::new(0),
            owners: AtomicU64::new(0),
            dropped_owners: AtomicU64::new(0),
            freed_objects: AtomicU64::new(0),
        }
    }
}

impl Heap {
    pub(super) fn count_allocated(&self, volume: Volume, objects: u64) {
        // Relaxed, here and below: see `Counts`.
        self.counts
            .allocated_bytes
            .fetch_add(volume.bytes, Ordering::Relaxed);
        self.count_owned(volume.owned);
        if volume.owners != 0 {
            self.counts
                .owners
                .fetch_add(volume.owners, Ordering::Relaxed);
        }
        self.counts
            .allocated_objects
            .fetch_add(objects, Ordering::Relaxed);
    }

    /// Counts by how many bytes what values own elsewhere has grown.
    pub(crate) fn count_owned(&self, change: i64) {
        // Most holes have none, and this is done for each.
        if change != 0 {
            // Relaxed: see `Counts`. The sum wraps, as a sum of signed numbers does.
            self.counts
                .owned_elsewhere
                .fetch_add(change as u64, Ordering::Relaxed);
        }
    }

    /// Counts so many dropped values, and what they were known to own elsewhere.
    pub(crate) fn count_dropped(&self, values: u64, bytes: u64) {
        // Relaxed: see `Counts`.
        self.counts
            .dropped_owners
            .fetch_add(values, Ordering::Relaxed);
        if bytes != 0 {
            // Relaxed: see `Counts`.
            self.counts
                .dropped_elsewhere
                .fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// What the values of objects own elsewhere that are not dropped, and how many have destructors, when `allocated` is
    /// what was allocated ever. If values lie so much that a sum is negative, zero.
    pub(crate) fn elsewhere(&self, allocated: Volume) -> Volume {
        // Relaxed: see `Counts`.
        let bytes = self.counts.dropped_elsewhere.load(Ordering::Relaxed);
        let owners = self.counts.dropped_owners.load(Ordering::Relaxed);
        Volume {
            bytes: 0,
            owned: allocated.owned.wrapping_sub_unsigned(bytes).max(0),
            owners: allocated.owners.saturating_sub(owners),
        }
    }

    pub(super) fn count_freed(&self, objects: u64) {
        // Relaxed: see `Counts`.
        self.counts
            .freed_objects
            .fetch_add(objects, Ordering::Relaxed);
    }

    /// Counts blocks that were taken from the space.
    pub(super) fn note_taken(&self, first: BlockIndex, count: usize) {
        let bytes = count * BLOCK;
        // Relaxed: see `Counts`, and `top`.
        let owned = self.counts.owned.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.counts.peak.fetch_max(owned, Ordering::Relaxed);
        self.top
            .fetch_max(self.address_of(first) + bytes, Ordering::Relaxed);
    }

    /// Counts so many blocks as not owned any more.
    pub(super) fn disown(&self, count: usize) {
        // Relaxed: see `Counts`.
        self.counts
            .owned
            .fetch_sub(count * BLOCK, Ordering::Relaxed);
    }

    /// Objects allocated ever, those in holes that are not done excepted.
    #[inline]
    pub(crate) fn allocated(&self) -> Volume {
        // Relaxed: see `Counts`.
        Volume {
            bytes: self.counts.allocated_bytes.load(Ordering::Relaxed),
            owned: self.counts.owned_elsewhere.load(Ordering::Relaxed) as i64,
            owners: self.counts.owners.load(Ordering::Relaxed),
        }
    }

    /// Objects that are allocated and not freed, those in holes that are not done excepted.
    pub(crate) fn objects(&self) -> u64 {
        // Relaxed: see `Counts`. What is freed was counted as allocated before; where sweepers run
        // meanwhile, the one may still be seen before the other.
        let freed = self.counts.freed_objects.load(Ordering::Relaxed);
        let allocated = self.counts.allocated_objects.load(Ordering::Relaxed);
        allocated.saturating_sub(freed)
    }

    /// Bytes of blocks that the heap may still take.
    pub(super) fn left(&self) -> usize {
        self.counts.limit.saturating_sub(self.owned_bytes())
    }

    pub(super) fn owned_bytes(&self) -> usize {
        // Relaxed: see `Counts`.
        self.counts.owned.load(Ordering::Relaxed)
    }

    /// Bytes of blocks that the heap owns now, and has owned at most.
    pub(crate) fn owned_and_peak(&self) -> (usize, usize) {
        // Relaxed: see `Counts`.
        (self.owned_bytes(), self.counts.peak.load(Ordering::Relaxed))
    }

    /// Bytes of blocks that can be taken before the limit is reached, or the end of the heap's own space.
    pub(crate) fn room(&self) -> usize {
        let spare = self.store.lock().spare.len() * BLOCK;
        self.counts.bound.saturating_sub(self.owned_bytes()) + spare
    }

    /// Whether less than an eighth of what the limit allows is free, where there is one; `holes` bytes are
    /// free in partly filled blocks.
    pub(crate) fn is_nearly_full(&self, holes: usize) -> bool {
        self.is_limited() && self.room() + holes < self.counts.bound / 8
    }

    /// Whether less than a quarter of what the limit allows is free in whole blocks.
    pub(crate) fn is_short_of_room(&self) -> bool {
        self.room() < self.counts.bound / 4
    }

    /// Whether there is a limit at all.
    pub(crate) fn is_limited(&self) -> bool {
        self.counts.bound < usize::MAX
    }
}
