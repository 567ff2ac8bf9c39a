//! The protocols between threads, checked with loom.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p gc-core --release --test models
//! ```
//!
//! A model is a test with two to four threads which use a protocol as the collector does, with
//! `UnsafeCell`s of loom for what the protocol protects: loom fails the test if there is an order of
//! steps in which two threads are at such a cell at once, or in which one does not see what another
//! wrote before. It tries all orders of steps, and all values that loads may return, up to bounds.
//!
//! # Bounds
//!
//! * Each model says how many threads it has and how often they repeat what they do. The first
//!   argument of `check` is how often a thread can be stopped against its will in one run
//!   (*preemptions*); `None` is without this bound.
//! * loom remembers the last seven values of an atomic.
//! * loom executes what a thread does in the order of the program: a load may return an old value,
//!   but no store comes before a load that precedes it in its thread.
//! * It takes `SeqCst` loads and stores for `AcqRel`, which is why the protocols use sequentially
//!   consistent fences. It takes two of these for synchronised with each other, which is more than
//!   the memory model says: so the headers prove without this what the models cannot show.
//! * To know where another order of steps could matter, it remembers only the latest access to an
//!   atomic. A load just before a change by the same thread hides the accesses of others; where it
//!   could be avoided in a protocol or a model, it was.
//! * A notification which never comes is a deadlock, which loom reports: no wait times out.
#![cfg(loom)]
#![allow(
    dead_code,
    missing_docs,
    unused_imports,
    reason = "of the sources that are included here, only what the models use is used"
)]

#[path = "../../src/protocol/mod.rs"]
mod protocol;
#[path = "../../src/sync/mod.rs"]
mod sync;

mod atomic_cell;
mod blocks;
mod claim;
mod handshake;
mod root_table;
mod termination;
mod waiting;

/// Runs a model, with at most so many preemptions in a run.
fn check(preemptions: impl Into<Option<usize>>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions.into();
    builder.check(model);
}
