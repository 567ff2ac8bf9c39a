//! Tests of `gc-core` as a program finds it that was written for `gc-arena`: the dependency is called `gc_arena`
//! (see `Cargo.toml`), and nothing is called `gc_core`.
//!
//! `tests/vocabulary` has a module for each part of that crate's vocabulary; `tests/spans.rs`, what `tracing` hears.
