//! Attacks on pacing, objects that are asked when a cycle begins, and the ends of arenas.

mod ends;
mod guarded;
mod pacing;
mod tables;
