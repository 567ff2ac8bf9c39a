//! Termination: knowing that none of several markers has work left.
//!
//! Each marker has a queue. Only it adds to the queue; it and the others, *thieves*, take from it.
//! What is taken is work in the taker's hands, from which more work for its own queue may come. The
//! one word counts the markers that are *active*. The rules:
//!
//! * **R1.** A marker adds work, and has work in its hands, only while it is active.
//! * **R2.** Before it [rests](Termination::rest), it has found its own queue empty.
//! * **R3.** Before it tries to steal, it is active: it has called [`wake`](Termination::wake).
//!
//! # `all_rest()` means: no work anywhere
//!
//! All changes of the word are read-modify-writes, so they have one order, and a load that returns
//! zero names a point P in it, at which each marker has rested as often as it has started or woken.
//!
//! Take any item of work that some marker m added before P, which is: before its last rest R before P
//! (R1). Before R it has found its queue empty (R2), so somebody had taken the item: m itself, while it
//! was active, or a thief, whose waking comes before R, as shown next, and so before P. At P all
//! rest; so the taker has rested between this waking and P, without the item in its hands, and with
//! what came from it in its own queue or nowhere. Hence every item that was added before P has been
//! taken and dealt with before P, by somebody who rested before P.
//!
//! A marker that wakes after P can get an item only from a queue, and add one only when it has got one
//! (R1). The first to get one after P would get one that was added before P; but those are dealt with.
//! So nobody ever gets one.
//!
//! *A thief's waking comes before the rest of the marker that it robbed.* The thief wakes, then takes,
//! which changes the queue with `Release`. The robbed one finds its queue empty by reading that
//! change, or one that follows it in a chain of read-modify-writes, perhaps with a relaxed load; the
//! fence in [`rest`](Termination::rest) makes of this load an `Acquire`. So the waking happened before
//! the rest, and two changes of a word of which one happened before the other are in this order.
//!
//! What all markers did then happened before the return of `all_rest()`: each rest is a `Release`,
//! and the changes after it do not hide it.
//!
//! # A queue which others fill
//!
//! Work that does not come from markers (a mutator's) is in a queue of its own, from which they take as thieves. While
//! nobody adds to it, a thread *first* finds the queue empty, and *then* calls `all_rest()`. In the other order, a
//! marker could wake and take in between. The fence in `all_rest` is for this: a thread that has found the queue empty,
//! even with a relaxed load, sees that the taker is active.

use crate::sync::{AtomicUsize, Ordering, fence};

/// The number of markers that may have work.
pub(crate) struct Termination {
    active: AtomicUsize,
}

impl Termination {
    /// With `active` markers at work.
    pub(crate) fn new(active: usize) -> Termination {
        Termination {
            active: AtomicUsize::new(active),
        }
    }

    /// One more marker is at work. It has called this itself, or the caller is active, or no marker
    /// can be calling [`all_rest`](Termination::all_rest) yet.
    #[inline]
    pub(crate) fn start(&self) {
        self.wake();
    }

    /// The calling marker has found its queue empty, and has nothing in its hands.
    #[inline]
    pub(crate) fn rest(&self) {
        // Partner: the thieves' change of this marker's queue, which it has read.
        fence(Ordering::Acquire);
        // `Release`, partner: the load in `all_rest`.
        let before = self.active.fetch_sub(1, Ordering::Release);
        debug_assert!(before != 0, "a marker rests twice");
    }

    /// The calling marker is going to look for work in the queues of others.
    #[inline]
    pub(crate) fn wake(&self) {
        // Relaxed: the taking that follows is a `Release`, which orders this before any load that reads it.
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether no marker has work, and so none can ever get any from another.
    #[inline]
    pub(crate) fn all_rest(&self) -> bool {
        // Partner: the change of a queue that others fill, by which the caller has found it empty.
        fence(Ordering::Acquire);
        // `Acquire`, partner: `rest`.
        self.active.load(Ordering::Acquire) == 0
    }
}
