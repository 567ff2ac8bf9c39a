//! Atomics and locks, from one place.
//!
//! Everything in this crate that synchronises takes its primitives from here. Built with `--cfg loom`,
//! the names stand for those of the model checker [`loom`](https://docs.rs/loom), which runs a test
//! once for every order in which the threads' steps can happen and for every value which a load may
//! return. Then `tests/models` includes this module and [`protocol`](crate::protocol), and no more.
//!
//! What loom does not have, and what makes no difference to a protocol, is the standard library's in
//! both.

#[cfg(loom)]
mod modelled;

pub(crate) use core::sync::atomic::Ordering;

#[cfg(not(loom))]
pub(crate) use self::real::*;

#[cfg(loom)]
pub(crate) use self::modelled::*;

#[cfg(not(loom))]
mod real {
    pub(crate) use core::hint::spin_loop;
    pub(crate) use core::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
    };
    pub(crate) use parking_lot::{
        Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    };
    pub(crate) use std::sync::{Arc, OnceLock};
    pub(crate) use std::thread::yield_now;
    pub(crate) use std::thread_local;
}
