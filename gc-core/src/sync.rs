//! Atomics and locks, from one place.
//!
//! Everything in this crate that synchronises takes its primitives from here, so that a model
//! checker can stand in for all of them at once.

pub(crate) use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
pub(crate) use parking_lot::Mutex;
pub(crate) use std::sync::{Arc, OnceLock};
