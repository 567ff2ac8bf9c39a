//! Bad input: memory that is out, panics in the user's code, and misuse that compiles.
//!
//! In each case there is an error or a panic that says what happened, and afterwards the heap is as good as before.
//! What would break the heap if the surface had a hole is in `soundness`; panics in operations of collections are in
//! `faults`.

mod expired;
mod memory;
mod misuse;
mod panics;
mod unwinding;

use gc_tests::drops::Counted;
use gc_tests::way::checked;

/// The text with which `f` panics.
fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    gc_tests::way::panic_of(f).expect("no panic")
}
