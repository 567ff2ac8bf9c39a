//! What a thread that runs the program has of a heap: it allocates, passes write barriers, and comes to safepoints.
//!
//! [`context`] is a heap with its collector, as a local arena's one mutator holds it; [`mutation`] is what callbacks get, and [`mutates`]
//! what stands for it in either kind of arena.
//! [`allocation`] turns values into objects, as [`plan`] says; [`barrier`] is what stands before a write.
//!
//! Knows the layers below, and the types of pointers, which it hands out. Arenas, local and shared, are made of this.

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
