//! Memory that values own outside of the heap: that the ledger knows it, and that it bounds the peak.
//!
//! An allocator counts what each thread has, which is what the ledger should say. Nothing is timed.

mod counting;
mod known;
mod misbehaving;
mod peak;
mod shared;

use gc_core::{HeapOptions, Mode, Zeal};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Options for each way of collecting.
fn ways() -> [HeapOptions; 3] {
    let options = HeapOptions::default().floor(4 * MIB).zeal(Zeal::NONE);
    [
        options.mode(Mode::StopTheWorld).markers(1),
        options.mode(Mode::Incremental).markers(1),
        options.mode(Mode::Concurrent).concurrent_from(0),
    ]
}
