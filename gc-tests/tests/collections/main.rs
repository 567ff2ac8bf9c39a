//! The collections of `gc_core::collections` beside their twins of `std`, whatever a heap is doing meanwhile.

mod buffers;
mod elements;
mod limits;
mod panics;
mod random;
mod shapes;
mod shared;
mod shared_moves;

use gc_tests::cycle::begin;
