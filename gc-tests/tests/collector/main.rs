//! The collector as a whole: marking graphs of all shapes on a small stack, and pacing, that is when cycles begin and
//! end and how much garbage there is meanwhile.
//!
//! What a program may do during a cycle is in `concurrent`; what the heap's memory amounts to, in `memory`.

mod destructors;
mod empty_cells;
mod marking;
mod modes;
mod pacing;
mod packed;
mod unions;
