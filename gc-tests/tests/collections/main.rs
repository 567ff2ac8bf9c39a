//! The collections of `gc_core::collections`, compared with their twins in `std`, in all phases of a cycle.
//!
//! Each operation with each panic in the user's code is in `faults`; weak maps, sets, caches and interners are in
//! `references`.

mod buffers;
mod elements;
mod limits;
mod panics;
mod random;
mod shapes;
mod shared;
mod shared_moves;

use gc_tests::cycle::begin;
