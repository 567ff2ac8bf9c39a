//! Bad input: what a heap does when memory is out, when code of the user's panics, and when what it
//! is given is wrong.
//!
//! In each case there is an error or a panic that says what happened, and afterwards the heap is as
//! good as before.

mod expired;
mod memory;
mod misuse;
mod panics;
mod unwinding;

use gc_core::{HeapOptions, Zeal};
use gc_tests::drops::Counted;

/// All checks, and no collection that was not asked for.
fn checked() -> HeapOptions {
    HeapOptions::default().zeal(Zeal {
        collect: false,
        ..Zeal::ALL
    })
}

/// The text with which `f` panics.
fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    gc_tests::way::panic_of(f).expect("no panic")
}
