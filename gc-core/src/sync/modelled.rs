//! loom's primitives, with the faces of those which they stand for.

use core::ops::{Deref, DerefMut};
use std::time::Instant;

pub(crate) use loom::sync::Arc;
pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
};
pub(crate) use loom::thread::yield_now;
pub(crate) use loom::thread_local;
pub(crate) use std::sync::OnceLock;

/// In a model a thread that waits for another must let it run.
pub(crate) fn spin_loop() {
    loom::thread::yield_now();
}

/// A lock with the face of `parking_lot`'s.
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

/// What [`Mutex::lock`] gives.
pub(crate) struct MutexGuard<'a, T>(
    /// Empty only inside of [`Condvar::wait`], which takes it by value.
    Option<loom::sync::MutexGuard<'a, T>>,
);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex(loom::sync::Mutex::new(value))
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap()))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

/// A condition variable with the face of `parking_lot`'s.
pub(crate) struct Condvar(loom::sync::Condvar);

/// What [`Condvar::wait_until`] gives.
pub(crate) struct WaitTimeoutResult;

impl Condvar {
    pub(crate) fn new() -> Condvar {
        Condvar(loom::sync::Condvar::new())
    }

    #[track_caller]
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let inner = guard.0.take().unwrap();
        guard.0 = Some(self.0.wait(inner).unwrap());
    }

    /// Waits for a notification: time does not pass in a model, so that one which never comes is
    /// found as a deadlock.
    #[track_caller]
    pub(crate) fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        _deadline: Instant,
    ) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult
    }

    #[track_caller]
    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    #[track_caller]
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl WaitTimeoutResult {
    pub(crate) fn timed_out(&self) -> bool {
        false
    }
}
