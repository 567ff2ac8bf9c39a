//! What markers share: work that one has and another lacks, and what they find that is not for them.
//!
//! A marker works on what it has for itself, and only looks here when that is used up, or when somebody
//! is *hungry*: then it puts half of what it has into a packet. So a marker that is alone, or whose
//! peers are busy, shares nothing and pays a look at one word for a batch.
//!
//! Mutators add packets too: what they find when they claim an object, and roots.
//!
//! # Invariants
//!
//! 1. Only active markers ([`Termination`]) and mutators at work add packets.
//! 2. A marker rests only after it has found the queue of packets empty, with nothing in its hands.

use crossbeam_deque::{Injector, Steal};

use super::references::pending::Pending;
use crate::protocol::claim::Batch;
use crate::protocol::termination::Termination;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering};
use crate::types::trace::LastOwner;

/// Some work: addresses, whose low bits say what is to be done; see [`entry`].
pub(crate) type Packet = Vec<usize>;

/// The entries of a packet: an address with a tag in its low bits, which are zero in addresses.
pub(super) mod entry {
    /// The object is to be scanned; it was marked by whoever made the entry.
    pub(crate) const SCAN: usize = 1;
    /// A part of a large object is to be scanned, which ends at the address in the next entry.
    pub(crate) const PART: usize = 2;
    /// An ephemeron, met at its key; the value is the next entry.
    pub(crate) const EPHEMERON: usize = 3;
    /// The bits of the tags; an address without a tag is that of an object to be marked.
    pub(crate) const TAGS: usize = 15;
}

/// A list that has had room for more is not kept when it is empty.
const MANY: usize = 1024;

/// Lets go of the memory of an empty list, if there is much of it.
pub(super) fn forget_large<T>(list: &mut Vec<T>) {
    debug_assert!(list.is_empty());
    if list.capacity() > MANY {
        *list = Vec::new();
    }
}

/// How many mark at the same time at most, a mutator's thread that helps included.
pub(crate) const MARKERS: usize = 8;

/// See the [module documentation](self).
pub(crate) struct Work {
    packets: Injector<Packet>,
    pub(super) termination: Termination,
    /// How many would like to have packets and have found none.
    hungry: AtomicUsize,
    /// Whether markers are to leave everything and return.
    stop: AtomicBool,
    /// What each marker is reading, for mutators that want to write.
    batches: [Batch; MARKERS],
    /// Objects that must be traced at a safepoint.
    untraced: Mutex<Vec<usize>>,
    /// Their number, to be looked at without the lock.
    to_trace_count: AtomicUsize,
    /// Objects to which weak pointers lead that were not marked when the pointer was met.
    weak: Mutex<Vec<usize>>,
    /// To be dropped when nobody waits and no lock is held.
    last_owners: Mutex<Vec<LastOwner>>,
    /// Bytes of dead objects that were marked for finalizers to see them.
    kept: AtomicUsize,
    /// How many objects were ever traced while a cycle marks because they were written and not retagged since.
    retagged_late: AtomicU64,
    /// Ephemerons that were met before their keys.
    pub(super) pending: Pending,
}

impl Work {
    pub(super) fn new() -> Work {
        Work {
            packets: Injector::new(),
            termination: Termination::new(0),
            hungry: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            batches: core::array::from_fn(|_| Batch::new()),
            untraced: Mutex::new(Vec::new()),
            to_trace_count: AtomicUsize::new(0),
            weak: Mutex::new(Vec::new()),
            last_owners: Mutex::new(Vec::new()),
            kept: AtomicUsize::new(0),
            retagged_late: AtomicU64::new(0),
            pending: Pending::default(),
        }
    }

    /// What markers are reading.
    pub(crate) fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Counts an object that is traced because it was written and not retagged since.
    pub(super) fn count_retagged_late(&self) {
        // Relaxed, as below: a figure by itself.
        self.retagged_late.fetch_add(1, Ordering::Relaxed);
    }

    /// How many objects were ever counted so.
    pub(crate) fn retagged_late(&self) -> u64 {
        self.retagged_late.load(Ordering::Relaxed)
    }

    /// Adds what may be the last owner of a value.
    pub(super) fn add_last_owner(&self, owner: LastOwner) {
        self.last_owners.lock().push(owner);
    }

    pub(super) fn take_last_owners(&self) -> Vec<LastOwner> {
        core::mem::take(&mut *self.last_owners.lock())
    }

    pub(super) fn has_last_owners(&self) -> bool {
        !self.last_owners.lock().is_empty()
    }

    /// Adds a packet.
    pub(crate) fn add(&self, packet: Packet) {
        if !packet.is_empty() {
            self.packets.push(packet);
        }
    }

    /// Takes a packet.
    pub(super) fn take(&self) -> Option<Packet> {
        loop {
            match self.packets.steal() {
                Steal::Success(packet) => return Some(packet),
                Steal::Empty => return None,
                Steal::Retry => core::hint::spin_loop(),
            }
        }
    }

    /// Whether there is no packet.
    pub(super) fn has_no_packets(&self) -> bool {
        self.packets.is_empty()
    }

    /// Whether somebody waits for packets and there is none.
    #[inline]
    pub(super) fn wants_packets(&self) -> bool {
        // Relaxed: a hint. Who looks a moment too early will look again.
        self.hungry.load(Ordering::Relaxed) != 0 && self.packets.is_empty()
    }

    /// Somebody waits for packets, until the result is dropped.
    pub(super) fn hungry(&self) -> Hungry<'_> {
        // Relaxed: a hint.
        self.hungry.fetch_add(1, Ordering::Relaxed);
        Hungry(self)
    }

    /// Tells the markers to leave everything and return, or that they need not.
    pub(super) fn set_stop(&self, stop: bool) {
        // Relaxed: that they have returned is known from something else.
        self.stop.store(stop, Ordering::Relaxed);
    }

    /// Whether markers are to return.
    #[inline]
    pub(super) fn must_stop(&self) -> bool {
        // Relaxed: as above.
        self.stop.load(Ordering::Relaxed)
    }

    /// Adds objects that must be traced at a safepoint.
    pub(super) fn add_to_trace(&self, objects: &mut Vec<usize>) {
        let mut list = self.untraced.lock();
        list.append(objects);
        forget_large(objects);
        // Relaxed: a hint, but when all markers rest, which comes after this for who sees it.
        self.to_trace_count.store(list.len(), Ordering::Relaxed);
    }

    /// Takes an object that must be traced at a safepoint.
    pub(super) fn take_to_trace(&self) -> Option<usize> {
        self.take_some_to_trace(1).pop()
    }

    /// Takes up to `count` objects that must be traced at a safepoint: none only if there are none.
    pub(super) fn take_some_to_trace(&self, count: usize) -> Vec<usize> {
        // Relaxed: as above.
        if self.to_trace_count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut list = self.untraced.lock();
        let first = list.len() - count.min(list.len());
        let objects = list.split_off(first);
        if list.is_empty() {
            forget_large(&mut list);
        }
        self.to_trace_count.store(list.len(), Ordering::Relaxed);
        objects
    }

    /// Whether there is no object that must be traced at a safepoint. Exact when all markers rest.
    pub(super) fn has_none_to_trace(&self) -> bool {
        // Relaxed: as above.
        self.to_trace_count.load(Ordering::Relaxed) == 0
    }

    /// Adds objects to which weak pointers lead.
    pub(crate) fn add_weak(&self, targets: &mut Vec<usize>) {
        if !targets.is_empty() {
            self.weak.lock().append(targets);
            forget_large(targets);
        }
    }

    /// Gives back the memory of lists that are empty while no cycle is in progress.
    pub(super) fn release_unused(&self) {
        self.weak.lock().shrink_to_fit();
        self.untraced.lock().shrink_to_fit();
    }

    /// The objects to which weak pointers lead and which may be unmarked; some more than once.
    pub(super) fn take_weak(&self) -> Vec<usize> {
        core::mem::take(&mut self.weak.lock())
    }

    /// Notes that so many bytes of dead objects were marked.
    pub(super) fn add_kept(&self, bytes: usize) {
        // Relaxed: a figure by itself.
        self.kept.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes how many were since the last time.
    pub(super) fn take_kept(&self) -> usize {
        // Relaxed: as above.
        self.kept.swap(0, Ordering::Relaxed)
    }

    /// Forgets all work.
    ///
    /// # Safety
    ///
    /// No marker is at work.
    pub(super) unsafe fn clear(&self) {
        while self.take().is_some() {}
        *self.untraced.lock() = Vec::new();
        // Relaxed: no marker is at work.
        self.to_trace_count.store(0, Ordering::Relaxed);
        *self.weak.lock() = Vec::new();
        self.take_kept();
        // SAFETY: no marker is at work (the caller's promise).
        unsafe { self.pending.clear() }
        self.set_stop(false);
    }
}

/// Somebody who waits for packets.
pub(super) struct Hungry<'a>(&'a Work);

impl Drop for Hungry<'_> {
    fn drop(&mut self) {
        // Relaxed: a hint.
        self.0.hungry.fetch_sub(1, Ordering::Relaxed);
    }
}
