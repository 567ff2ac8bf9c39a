//! Helpers of the tests in `tests/`, each folder or file of which says in its first line what belongs there.
//!
//! Most of it is an oracle for `gc-core`, and a generator of programs to compare the two. A program is a list of
//! [`operation::Operation`]s. The [`machine::Machine`] executes it on a real arena and on a [`model::Model`], which is a
//! heap made of maps that knows nothing of collectors but what they promise, and compares the two ([`mod@check`]).
//! Property tests, stress runs and fuzzing share all of this. The objects are of many [`kind::Kind`]s ([`objects`],
//! [`payload`], [`tracked`], written and read by [`access`]), so that each way in which a type can tell where its
//! pointers are occurs, alone and beside the others. Their finalizers write into a [`mod@ledger`].
//!
//! The rest is what several tests need:
//!
//! | module | what |
//! | --- | --- |
//! | [`mod@way`] | the ways of collecting, and [`way::in_each_way`], in which most tests run |
//! | [`mod@cycle`] | beginning a cycle, looking at it, and letting it come to its end |
//! | [`mod@seed`], [`mod@random`] | random numbers, and the command that repeats a test that failed with them |
//! | [`mod@child`] | a test in a process of its own, or within a time |
//! | [`mod@cargo`], [`mod@list`] | objects that can tell whether they are whole, and a list that takes long to mark |
//! | [`mod@drops`] | values that count their drops |
//! | [`mod@market`] | where threads exchange what keeps objects alive |

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
