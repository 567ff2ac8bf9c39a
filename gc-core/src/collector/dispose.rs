//! Dropping the values of dead objects.
//!
//! `Drop` is code of the user's and may panic. A panic must neither leave the heap half swept nor
//! keep the other values from being dropped, so it is caught, and the first one goes on when the
//! collection is over.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use super::Collector;
use crate::types::descriptor::{DeadValue, Described};

/// What dropped values have given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Released {
    /// How many they were.
    values: u64,
    /// Bytes that they were known to own elsewhere.
    bytes: u64,
}

impl Released {
    fn add(&mut self, values: u64, bytes: u64) {
        self.values += values;
        self.bytes = self.bytes.wrapping_add(bytes);
    }
}

/// Drops values, and keeps the first panic.
#[derive(Default)]
pub(crate) struct Disposer {
    released: Released,
    panic: Option<Box<dyn Any + Send>>,
}

impl Disposer {
    /// Drops the value of an object. Does not unwind.
    ///
    /// # Safety
    ///
    /// Nothing will refer to the value again.
    pub(crate) unsafe fn dispose(&mut self, object: Described) {
        if object.descriptor().drop.is_some() {
            // SAFETY: the object has its value, and nothing will refer to it (the caller's promise).
            let entry = unsafe { object.entry() };
            self.released.add(1, entry.bytes() as u64);
        }
        // SAFETY: nothing will refer to the value again (the caller's promise).
        self.call(|| unsafe { object.dispose() });
    }

    /// Drops a value that was taken out of its object. Does not unwind.
    ///
    /// # Safety
    ///
    /// As for [`DeadValue::drop`].
    pub(crate) unsafe fn drop_taken(&mut self, value: DeadValue) {
        self.released.add(1, value.owned() as u64);
        // SAFETY: the caller's promise is that of `DeadValue::drop`.
        self.call(|| unsafe { value.drop() });
    }

    /// Calls `drop`, which drops a value. Does not unwind.
    pub(crate) fn call(&mut self, drop: impl FnOnce()) {
        // Whatever invariants a value's `Drop` broke by unwinding are broken in values that nobody
        // can reach, or were shared by reference counts and the like, whose own code copes with it.
        if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(drop)) {
            self.keep(payload);
        }
    }

    /// Takes over what `other` has caught, after what this one has.
    pub(crate) fn append(&mut self, other: &mut Disposer) {
        let released = other.take_released();
        self.released.add(released.values, released.bytes);
        if let Some(payload) = other.panic.take() {
            self.keep(payload);
        }
    }

    /// What values have given back that were dropped since the last time.
    pub(crate) fn take_released(&mut self) -> Released {
        core::mem::take(&mut self.released)
    }

    /// Keeps the payload of the first panic. Others are leaked: dropping one may panic as well.
    pub(crate) fn keep(&mut self, payload: Box<dyn Any + Send>) {
        match self.panic {
            None => self.panic = Some(payload),
            Some(_) => std::mem::forget(payload),
        }
    }

    /// Goes on with the first panic that was caught, unless this thread is unwinding already.
    pub(crate) fn finish(mut self) {
        if let Some(payload) = self.panic.take() {
            if std::thread::panicking() {
                std::mem::forget(payload);
            } else {
                panic::resume_unwind(payload);
            }
        }
    }
}

impl Collector {
    /// Counts what dropped values have given back.
    pub(super) fn count_released(&self, released: Released) {
        self.heap.count_dropped(released.values, released.bytes);
    }
}

impl Drop for Disposer {
    /// Another panic goes on instead, of a `trace`. To drop this one's payload might panic as well.
    fn drop(&mut self) {
        std::mem::forget(self.panic.take());
    }
}
