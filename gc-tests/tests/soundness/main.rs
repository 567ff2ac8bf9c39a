//! Soundness: programs without `unsafe` that would break the heap if the surface had a hole.
//!
//! Each is an attack that looks plausible. What must not even compile is in `tests/ui/surface`.
#![deny(unsafe_code)]

mod abandoned;
mod cells;
mod overflow;
mod panics;
mod reuse;
mod shapes;
mod visitors;

use gc_core::{HeapOptions, Zeal};

/// All checks, and no collection that was not asked for.
fn checked() -> HeapOptions {
    HeapOptions::default().zeal(Zeal {
        collect: false,
        ..Zeal::ALL
    })
}
