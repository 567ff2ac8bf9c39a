//! The protocols between threads, each alone.
//!
//! What must be right when several threads do it at once is here, taken out of what it is for: a
//! module of this directory knows words, bits and indices, but no heap and no objects, and uses
//! nothing of this crate but [`sync`](crate::sync). That makes it small
//! enough to be proved, which each header does, and to be checked, which the models in `tests/models` do with
//! loom.
//!
//! | protocol | between | says |
//! | --- | --- | --- |
//! | [`claim`] | a marker which reads objects, a mutator which will write to one | who may touch it |
//! | [`termination`] | markers which steal from each other | that no work is left anywhere |
//! | [`handshake`] | a collecting thread, the mutators of a shared heap | that nobody works on the heap |
//! | [`waiting`] | a marker which meets an ephemeron, one which marks its key | who follows the value |
//! | [`root_table`] | handles that are dropped anywhere, the tracing of roots | what lives from outside |
//!
//! Two more have models, but are rules for the use of words which are elsewhere: how a swept block
//! gets from the sweeper to an allocator, and a pointer from an atomic cell to a marker.
//!
//! Happens-before is always by a store with `Release` and a load with `Acquire` that reads it. The
//! sequentially consistent fences decide only who sees whom, where each of two threads first writes
//! and then looks at what the other wrote.

pub(crate) mod claim;
pub(crate) mod handshake;
pub(crate) mod root_table;
pub(crate) mod slot_table;
pub(crate) mod termination;
pub(crate) mod waiting;
