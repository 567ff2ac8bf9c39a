//! Arenas and their roots as a program meets them first: making an arena, allocating, collecting, and the root types
//! that `Rootable!` names. Roots that change during a cycle are in `concurrent/roots.rs`, those of threads in
//! `shared/roots.rs`.

#![forbid(unsafe_code)]

mod first_steps;
mod rootable;
