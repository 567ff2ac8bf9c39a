//! Programs cut into steps, and how long these take.
//!
//! - [`workloads`] are the programs, [`plan`] how much of one is done and on which kind of heap;
//! - [`measure`] runs one, step by step;
//! - [`distribution`], [`utilisation`] and [`series`] keep the times of a run of any length in bounded memory;
//! - [`outcome`] is what a run yields.

pub mod distribution;
pub mod measure;
pub mod outcome;
pub mod plan;
pub mod series;
pub mod utilisation;
pub mod workloads;
