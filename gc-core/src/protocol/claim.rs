//! The claim: a mutator takes an object from the markers before it writes to it.
//!
//! While marking goes on, an object which is part of the snapshot belongs to the markers: they read
//! its words, and nobody writes them. Before a mutator writes to it for the first time in the cycle,
//! it *claims* the object: from then on no marker reads it, and the mutator has passed on what its
//! words held. So each object of the snapshot is read as it was then, by a marker or by the mutator
//! which claimed it, and no word is ever read by one thread while another writes it.
//!
//! # The words
//!
//! An object has two bits in a word: *claimed*, and above it *done*. A byte that is shared by the
//! objects of a block has a flag saying that one of them is claimed, so that for most objects a
//! marker looks only at this byte. Each marker has a [`Batch`]: the addresses which it reads now,
//! and an epoch, which is odd from [`publish`](Batch::publish) to [`finish`](Batch::finish).
//!
//! ```text
//! marker, for a few objects at once          mutator, for one object; one at a time if there are several
//!   M1  store the addresses, epoch odd         C1  set claimed, set the flag
//!   M2  fence(SeqCst)                          C2  fence(SeqCst)
//!   M3  for each: flag and claimed set?        C3  for each batch: epoch odd and the address in it?
//!       skip it; otherwise read its words          wait until the epoch is another
//!   M4  epoch even                             C4  set done; now write
//! ```
//!
//! The markers' clearing of the bits and flags between two cycles, and the start of a cycle, are
//! ordered with everything here by other means: no marker runs, and no mutator claims.
//!
//! # No word is read and written at once
//!
//! Take a batch with the object in it, and the claim of the object. The fences M2 and C2 have an
//! order.
//!
//! * C2 before M2: at M3 the marker sees the flag and the bit, which were set before C2, and does
//!   not read the object. This is also so for a flag that C1 found set already: what a thread has
//!   read before its fence, nobody who comes after the fence misses.
//! * M2 before C2: at C3 the claimer sees the epoch of this batch or a later one, and in each place
//!   of the addresses that of this batch or of a later one.
//!   * The epoch is later: it was stored by this batch's M4 or something after it, with `Release`;
//!     reading it with `Acquire`, all that the marker has read in this batch happened before.
//!   * The epoch is this batch's, and all addresses are as well: the claimer finds its own and
//!     waits until the epoch is a later one.
//!   * The epoch is this batch's, and an address is one of a later batch: it was stored with
//!     `Release` after this batch's M4, and is loaded with `Acquire`.
//!
//!   In each case the reads at M3 happened before C4, so before every write.
//!
//! The list of addresses ends with a zero if it is shorter than the batch; the third case covers
//! that it is read at the place of one. A claimer that reads parts of an old list waits at worst for
//! a batch which does not concern it.
//!
//! # A claim that is taken back
//!
//! [`unclaim`] clears both bits while no mutator is at work, after all that they have written, with `Release`; and
//! [`lower`] the flag, after the bits. The next claim is one like the first, and its proof the same, but for one case:
//! C2 comes before M2, and at M3 the marker reads a later value than C1's, in which the claim is taken back. It reads
//! flag and bit with `Acquire`, so all that was written under the claim happened before. And a claim later than what it
//! has read has its C2 after M2 (else M3 would have read that one, or what came after it), and so waits for the batch.
//!
//! A second mutator that sees the bit *done* with `Acquire` may write too, at once: done was set with
//! `Release`, and every change of the word is a read-modify-write, so that later ones do not hide it.
//! One which does not see it waits for its turn to claim the object, under a lock or because one of them is on the list
//! of those that do, and looks again.

use crate::sync::{AtomicU8, AtomicU64, AtomicUsize, Ordering, fence, spin_loop, yield_now};

/// How many objects a marker reads between two fences, at most.
///
/// More would make the fence cheaper and a claimer's wait longer. In a model two do all that many do.
pub(crate) const BATCH: usize = if cfg!(loom) { 2 } else { 16 };

/// How often a claimer looks at an epoch before it lets other threads run: a marker needs less for a
/// batch, unless it has lost its processor.
const SPINS: usize = 200;

/// The objects which one marker reads now. Only this marker calls [`publish`](Batch::publish) and
/// [`finish`](Batch::finish); claimers read.
#[repr(align(128))]
pub(crate) struct Batch {
    /// Odd while the marker reads.
    epoch: AtomicUsize,
    /// The addresses of the objects, up to the first zero.
    addresses: [AtomicUsize; BATCH],
}

impl Batch {
    pub(crate) fn new() -> Batch {
        Batch {
            epoch: AtomicUsize::new(0),
            addresses: core::array::from_fn(|_| AtomicUsize::new(0)),
        }
    }

    /// Announces that the marker is going to read the objects at `addresses`. After this it asks for
    /// each whether it [is claimed](is_claimed), and reads those that are not.
    #[inline]
    pub(crate) fn publish(&self, addresses: &[usize]) {
        debug_assert!(addresses.len() <= BATCH && !addresses.contains(&0));
        // `Release`, partner `wait_past`: a thread that sees this address where it looked for one of an earlier
        // batch knows that the marker has read all of that one.
        for (place, &address) in self.addresses.iter().zip(addresses) {
            place.store(address, Ordering::Release);
        }
        if let Some(end) = self.addresses.get(addresses.len()) {
            end.store(0, Ordering::Release);
        }
        // Relaxed: only this thread stores it.
        let epoch = self.epoch.load(Ordering::Relaxed);
        debug_assert!(epoch.is_multiple_of(2), "the batch before is not finished");
        // `Release`, partner `wait_past`: a later epoch tells, like a later address, that the batch
        // before has been read.
        self.epoch.store(epoch.wrapping_add(1), Ordering::Release);
        // Partner: the fence in `claim`. M2 of the module's proof.
        fence(Ordering::SeqCst);
    }

    /// The marker has read what it published.
    #[inline]
    pub(crate) fn finish(&self) {
        // Relaxed: only this thread stores it.
        let epoch = self.epoch.load(Ordering::Relaxed);
        debug_assert!(!epoch.is_multiple_of(2), "nothing is published");
        // `Release`, partner `wait_past`: the marker's reads happened before the claimer's writes.
        self.epoch.store(epoch.wrapping_add(1), Ordering::Release);
    }

    /// Returns when the marker does not read the object at `address`, and has not begun to after the
    /// caller's fence; what it read before, happened before the return.
    fn wait_past(&self, address: usize) {
        // `Acquire`, partners: the stores of the epoch in `finish` and `publish`.
        let epoch = self.epoch.load(Ordering::Acquire);
        if epoch.is_multiple_of(2) || !self.holds(address) {
            return;
        }
        let mut spins = 0;
        // `Acquire`, partners as above.
        while self.epoch.load(Ordering::Acquire) == epoch {
            if spins < SPINS {
                spins += 1;
                spin_loop();
            } else {
                yield_now();
            }
        }
    }

    /// Whether `address` is in the list.
    fn holds(&self, address: usize) -> bool {
        for place in &self.addresses {
            // `Acquire`, partner: the stores of the addresses in `publish`.
            match place.load(Ordering::Acquire) {
                0 => return false,
                other if other == address => return true,
                _ => {}
            }
        }
        false
    }
}

/// Claims an object for the mutators: when this returns, no marker reads its words, nor will any
/// until the end of the cycle.
///
/// `bit` of `word` is the object's claimed bit, the next higher one its done bit, `flag` of `flags`
/// that of its block, `address` the one under which markers publish it, and `batches` are those of
/// all markers. The caller has read what the object's words hold, or reads it before it writes to
/// them. Claimers of the same object are serialised, and find it not yet [done](is_done).
#[inline]
pub(crate) fn claim(
    word: &AtomicU64,
    bit: u64,
    flags: &AtomicU8,
    flag: u8,
    address: usize,
    batches: &[Batch],
) {
    // Relaxed: the fence orders these before the loads of the epochs. C1 of the module's proof.
    word.fetch_or(bit, Ordering::Relaxed);
    if flags.load(Ordering::Relaxed) & flag == 0 {
        flags.fetch_or(flag, Ordering::Relaxed);
    }
    // Partner: the fence in `Batch::publish`. C2 of the module's proof.
    fence(Ordering::SeqCst);
    for batch in batches {
        batch.wait_past(address);
    }
    // `Release`, partner `is_done`: another mutator's writes come after the markers' reads, too.
    word.fetch_or(bit << 1, Ordering::Release);
}

/// Claims an object that markers do not read, but only threads at safepoints, so that there is nobody to wait for. Otherwise
/// as [`claim`].
#[inline]
pub(crate) fn claim_unread(word: &AtomicU64, bit: u64, flags: &AtomicU8, flag: u8) {
    // `Release`, partner `is_done`: as in `claim`, though nobody but the claimer has read the object.
    word.fetch_or(bit | bit << 1, Ordering::Release);
    // Relaxed: it tells who takes claims back to look, and none is taken back while this goes on.
    if flags.load(Ordering::Relaxed) & flag == 0 {
        flags.fetch_or(flag, Ordering::Relaxed);
    }
}

/// Whether the object with this claimed bit is claimed: for markers, between
/// [`publish`](Batch::publish) and [`finish`](Batch::finish) of a batch with it.
#[inline]
pub(crate) fn is_claimed(word: &AtomicU64, bit: u64) -> bool {
    // The fence in `publish` orders it after a claim. `Acquire`, partner `unclaim`: what was written under a claim
    // that is over happened before.
    word.load(Ordering::Acquire) & bit != 0
}

/// Whether a mutator may write to the object with this claimed bit, because it or another one has
/// claimed it.
#[inline]
pub(crate) fn is_done(word: &AtomicU64, bit: u64) -> bool {
    // `Acquire`, partner: the last line of `claim`.
    word.load(Ordering::Acquire) & bit << 1 != 0
}

/// Takes claims back: those of all objects of which a bit is in `bits`. No mutator is at work, and what any has written
/// happened before.
#[inline]
pub(crate) fn unclaim(word: &AtomicU64, bits: u64) {
    // `Release`, partner `is_claimed`: a marker that reads the object again sees what was written to it.
    word.fetch_and(!bits, Ordering::Release);
}

/// Takes flags away when none of the claims that they tell of is left; otherwise as [`unclaim`], and after it.
#[inline]
pub(crate) fn lower(flags: &AtomicU8, lowered: u8) {
    // `Release`, partner: the marker's load of the flag with `Acquire`.
    flags.fetch_and(!lowered, Ordering::Release);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::Mutex;
    use std::cell::UnsafeCell;

    const OBJECTS: usize = 32 * 200;
    const FLAG: u8 = 1;

    /// An object of two words. A mutator changes one after the other.
    struct Object(UnsafeCell<[usize; 2]>);

    // SAFETY: this is what is tested.
    unsafe impl Sync for Object {}

    #[test]
    fn markers_and_mutators() {
        let objects: Vec<Object> = (0..OBJECTS)
            .map(|number| Object(UnsafeCell::new([number, !number])))
            .collect();
        let bits: Vec<AtomicU64> = (0..OBJECTS / 32).map(|_| AtomicU64::new(0)).collect();
        let flags: Vec<AtomicU8> = (0..OBJECTS / 32).map(|_| AtomicU8::new(0)).collect();
        let batches = [Batch::new(), Batch::new()];
        let claimers = Mutex::new(());
        // How often each object has been read as it was in the snapshot.
        let seen: Vec<AtomicUsize> = (0..OBJECTS).map(|_| AtomicUsize::new(0)).collect();

        let see = |number: usize| {
            // SAFETY: this thread holds the object for reading, by the protocol.
            let words = unsafe { *objects[number].0.get() };
            assert_eq!(words, [number, !number]);
            seen[number].fetch_add(1, Ordering::Relaxed);
        };
        let mark = |marker: usize| {
            let batch: &Batch = &batches[marker];
            // Two markers take turns, in groups of different lengths.
            let mine: Vec<usize> = (0..OBJECTS).filter(|n| n / 5 % 2 == marker).collect();
            for chunk in mine.chunks(BATCH - marker) {
                let addresses: Vec<usize> = chunk.iter().map(|number| number + 1).collect();
                batch.publish(&addresses);
                for &number in chunk {
                    let (group, bit) = (number / 32, 1 << (2 * (number % 32)));
                    if flags[group].load(Ordering::Relaxed) & FLAG == 0
                        || !is_claimed(&bits[group], bit)
                    {
                        see(number);
                    }
                }
                batch.finish();
            }
        };
        let mutate = |mutator: usize| {
            for step in 0..OBJECTS {
                // Backwards, so that it meets the markers.
                let number = OBJECTS - 1 - step;
                if number.is_multiple_of(3) {
                    continue;
                }
                let (group, bit) = (number / 32, 1 << (2 * (number % 32)));
                if !is_done(&bits[group], bit) {
                    let _lock = claimers.lock();
                    if !is_done(&bits[group], bit) {
                        see(number);
                        claim(&bits[group], bit, &flags[group], FLAG, number + 1, &batches);
                    }
                }
                let object = objects[number].0.get().cast::<usize>();
                // SAFETY: it is claimed, and each mutator has its own word.
                unsafe { object.add(mutator).write(0) };
            }
        };
        std::thread::scope(|scope| {
            for part in 0..2 {
                let (mark, mutate) = (&mark, &mutate);
                scope.spawn(move || mark(part));
                scope.spawn(move || mutate(part));
            }
        });
        assert!(seen.iter().all(|seen| seen.load(Ordering::Relaxed) != 0));
    }
}
