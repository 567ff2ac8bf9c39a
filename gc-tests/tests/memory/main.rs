//! Memory of the heap: how much objects take, what is given back, and which object an address lies in.
//!
//! What values own outside of the heap is in `owned_bytes`, what the collector's tables take in `tables.rs`, and what
//! the process has resident in `resident.rs`.

mod look_ups;
mod release;
mod waste;
