//! When code of the user's panics, and when it lies.
//!
//! Whatever an item or a closure does for a collection begins with [`hit`]. While a stage is set up and checked the fuse is
//! [`Off`](Fuse::Off), and user code does its duty.

use std::cell::Cell;

use gc_tests::random::Random;

/// A kind of user code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after what is called")]
pub enum Call {
    Eq,
    Ord,
    Hash,
    BuildHasher,
    Borrow,
    Clone,
    Default,
    Debug,
    Drop,
    Trace,
    OwnedBytes,
    Closure,
    Iterator,
    Range,
}

/// What the next call of user code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuse {
    /// Its duty, uncounted.
    Off,
    /// Its duty, counted; the one with that number panics, after which the fuse is off. Calls are numbered from one.
    Until(u32),
    /// Something else, from that seed.
    Lies(u64),
}

thread_local! {
    static FUSE: Cell<Fuse> = const { Cell::new(Fuse::Off) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
    /// A bit for each kind of call that was counted.
    static KINDS: Cell<u32> = const { Cell::new(0) };
}

/// With what a call panics when its time has come.
pub const BLOWN: &str = "the fuse has blown";

/// Sets the fuse and its counter.
pub fn set(fuse: Fuse) {
    FUSE.set(fuse);
    CALLS.set(0);
}

/// Sets the fuse off. How many calls it counted.
pub fn off() -> u32 {
    FUSE.set(Fuse::Off);
    CALLS.get()
}

/// Whether a call of that kind was ever counted on this thread.
pub fn was_hit(call: Call) -> bool {
    KINDS.get() & 1 << call as u32 != 0
}

/// Notes a call, and panics if it is the one.
#[track_caller]
pub fn hit(call: Call) {
    let fuse = FUSE.get();
    if fuse == Fuse::Off {
        return;
    }
    KINDS.set(KINDS.get() | 1 << call as u32);
    CALLS.set(CALLS.get() + 1);
    if fuse == Fuse::Until(CALLS.get()) {
        FUSE.set(Fuse::Off);
        panic!("{BLOWN} in {call:?}");
    }
}

/// The truth, or anything below `bound` while user code lies.
pub fn or_lie(truth: u64, bound: u64) -> u64 {
    let Fuse::Lies(seed) = FUSE.get() else {
        return truth;
    };
    let mut random = Random::new(seed);
    let number = random.number();
    FUSE.set(Fuse::Lies(random.number()));
    number % bound
}

/// [`or_lie`] for answers of yes or no.
pub fn is(truth: bool) -> bool {
    or_lie(u64::from(truth), 2) == 1
}

/// Whether an operation is being run.
pub fn is_lit() -> bool {
    FUSE.get() != Fuse::Off
}
