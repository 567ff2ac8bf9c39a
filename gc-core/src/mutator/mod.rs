//! The mutator's side of a heap: a thread that runs the program allocates, passes write barriers, and comes to
//! safepoints.
//!
//! | module | what it has |
//! | --- | --- |
//! | [`context`] | a heap with its collector, as one mutator has it; in `write_barrier`, the entrance of the write barrier |
//! | [`mutation`], [`mutates`] | what callbacks get: in an arena of one thread, and in either kind of arena |
//! | [`plan`], [`allocation`] | how a value becomes an object: its descriptor, and where its tags come from |
//! | [`barrier`] | references to something whose write barrier was called |
//!
//! This layer knows those below, and the types of pointers, which it returns. Both kinds of arenas are built on it.

pub(crate) mod allocation;
pub mod barrier;
pub(crate) mod context;
pub(crate) mod figures;
pub(crate) mod local_arenas;
pub mod metrics;
pub(crate) mod mismatch;
pub(crate) mod mutates;
pub(crate) mod mutation;
pub(crate) mod plan;
pub(crate) mod written;
