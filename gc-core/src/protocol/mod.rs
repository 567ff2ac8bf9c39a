//! The protocols between threads, each in isolation.
//!
//! A module of this directory knows words, bits and indices, but no heap and no objects. It uses nothing of this crate
//! but [`sync`](crate::sync). So each protocol is small enough to be proved, in the header of its module, and to be
//! checked with loom, by the models in `tests/models`.
//!
//! | protocol | between | decides |
//! | --- | --- | --- |
//! | [`claim`] | a marker which reads objects, a mutator which will write to one | who may touch it |
//! | [`termination`] | markers which steal from each other | that no work is left anywhere |
//! | [`handshake`] | a collecting thread, the mutators of a shared heap | that nobody works on the heap |
//! | [`waiting`] | a marker which meets an ephemeron, one which marks its key | who follows the value |
//! | [`root_table`] | handles that are dropped anywhere, the tracing of roots | what lives from outside |
//!
//! Two more protocols have models, but are elsewhere, since they are rules for the use of words of larger structures:
//! how a swept block gets from the sweeper to an allocator, and a pointer from an atomic cell to a marker.
//!
//! Happens-before always comes from a store with `Release` and a load with `Acquire` that reads it. Sequentially
//! consistent fences are used only where each of two threads writes first, and then reads what the other wrote: at
//! least one of them sees the other's write.

pub(crate) mod claim;
pub(crate) mod handshake;
pub(crate) mod root_table;
pub(crate) mod slot_table;
pub(crate) mod termination;
pub(crate) mod waiting;
