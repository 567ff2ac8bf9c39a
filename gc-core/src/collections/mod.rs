//! Collections whose memory is in the heap: no `Drop`, nothing outside.
//!
//! | collection | for |
//! | --- | --- |
//! | [`Vec`] | a growable array |
//! | [`VecDeque`] | a queue with two ends |
//! | [`String`] | growable text |
//! | [`HashMap`], [`HashSet`] | look-up by keys, in the order of insertion |
//!
//! They are used as those of `std`, with these differences:
//!
//! * What allocates or writes takes the `mc` of the `mutate` call, and so does what gives `&mut` to an element. A
//!   collection is a value, in a `RefLock` in the heap or in the root, or in a `Mutex` in a
//!   [shared](crate::shared) arena; the barrier of its object was called by whoever has it as `&mut`. The memory with
//!   the elements is another object, and has its barrier called by the collection.
//! * They are not `Clone`, for that would allocate: `clone_in` takes the `mc`.
//! * Dropping or forgetting one does nothing. Elements with `Drop` are dropped by the collection that finds the memory
//!   unreachable.
//! * Elements with locks in them are written through `write_at` and the like, not through [`Gc::write`](crate::Gc::write) of
//!   the object that the collection is in.
//! * No call collects. What fails for lack of memory panics, or, under a name with `try_`, returns a
//!   [`HeapError`](crate::HeapError); the collection is then as it was.
//!
//! What the collector sees of a collection of `std` is a value that owns memory elsewhere: it is traced by hand, in
//! each cycle and by the program's thread. One of these is a pointer to an object with tags, marked like any other, by
//! any thread, and gone without a `Drop` when it is unreachable. Where the pointers of elements are at other places in
//! each value, as in an enum, whatever writes an element makes its tags anew; what gives `&mut` to elements leaves that to
//! the next safepoint, so prefer `insert` and `push` to these where you can.

mod buffer;
mod hash_map;
mod hash_set;
mod identity;
mod index;
mod into_iter;
mod live;
mod sequence;
mod string;
mod vec;
mod vec_deque;

pub use crate::mutator::mutates::Mutates;

pub use self::{
    hash_map::{
        DefaultHashBuilder, Entry, HashMap, Iter, IterMut, Keys, OccupiedEntry, VacantEntry,
        ValuesMut,
    },
    hash_set::HashSet,
    identity::ByIdentity,
    into_iter::IntoIter,
    string::{String, Writer},
    vec::Vec,
    vec_deque::{VecDeque, VecDequeIter},
};
