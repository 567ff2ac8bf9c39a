//! An oracle for `gc-core`, and a generator of programs to ask it about.
//!
//! A program is a list of [`operation::Operation`]s. The [`machine::Machine`] executes it on a real
//! arena and on a [`model::Model`], which is a heap made of maps that knows nothing of collectors
//! beside what they promise, and compares the two ([`mod@check`]). Property tests, stress runs and
//! fuzzing share all of this.
//!
//! The objects are of many [`kind::Kind`]s ([`objects`], [`payload`], [`tracked`]), so that each way
//! in which a type can tell where its pointers are occurs, alone and beside the others.
//!
//! The other tests have from here what several of them need: the ways of collecting ([`mod@way`]), [`mod@cycle`]s,
//! [`mod@cargo`], values that tell of their [`mod@drops`], a [`mod@market`], [`mod@random`] numbers.

pub mod access;
pub mod cargo;
pub mod check;
pub mod child;
pub mod cycle;
pub mod drops;
pub mod kind;
pub mod ledger;
pub mod list;
pub mod machine;
pub mod market;
pub mod model;
pub mod objects;
pub mod operation;
pub mod payload;
pub mod random;
pub mod seed;
pub mod tracked;
pub mod way;
