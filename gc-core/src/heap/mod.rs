//! The heap: memory of which everything can be known by arithmetic.
//!
//! A heap owns 32 KiB blocks of an [address space](space). For every address in them the
//! [metadata planes](planes) tell which allocation it lies in, how long that is, and which of its
//! words are pointers; the allocations themselves carry no headers. Six things happen here:
//!
//! * **Small objects** (up to [`LARGE`] bytes) are allocated by bumping a cursor through a *hole*, a
//!   run of free granules in a block, and recording start, end and tags in the planes ([`bump`]).
//!   When a hole is full the mutator's [`allocator`] finds the next one, and when a block is, the
//!   [`store`] gives another: first one that a sweep left partly filled, then one that it left empty,
//!   then a new one from the space.
//! * **Large objects** have a span of blocks each.
//! * **Look-ups** turn an address into an allocation ([`extent`]).
//! * **Sweeping** computes, 64 words at a time, which words belong to marked objects, and clears
//!   the planes of all others ([`sweep`]).
//! * **Pinned objects** are counted in a table, and have a bit each ([`pins`]).
//! * **Verification** walks the planes of all blocks and compares them with each other
//!   ([`verify`]).
//!
//! The heap knows no types, roots, phases or policies. What it has of *described* objects is this:
//! they live in blocks of their own, and their last word belongs to whoever described them.
//!
//! # Invariants
//!
//! 1. Those of [`planes`], [`block`] and [`space`].
//! 2. Between two calls, the planes describe every allocation completely: nothing is buffered.
//! 3. Every owned block is in exactly one of the store's lists: occupied (as one of small objects, or as a
//!    large one's head, with its tails implied), or spare; or it is being swept. A spare block is `Free` in
//!    the table and has zero planes.
//! 4. A cursor lies in a hole: from the cursor to its limit, all planes are zero.

pub(crate) mod allocator;
pub(crate) mod block;
pub(crate) mod bump;
pub(crate) mod error;
pub(crate) mod extent;
mod holes;
pub(crate) mod options;
pub(crate) mod pins;
pub(crate) mod planes;
pub(crate) mod space;
pub(crate) mod store;
pub(crate) mod sweep;
pub(crate) mod verify;

pub(crate) use self::store::Heap;

/// The size in bytes above which an object has blocks of its own.
pub(crate) const LARGE: usize = 8 << 10;

/// The largest alignment in bytes of an object.
pub(crate) const MAX_ALIGN: usize = 4096;

const _: () = assert!(LARGE.is_multiple_of(planes::GRANULE) && LARGE + MAX_ALIGN <= block::BLOCK);
