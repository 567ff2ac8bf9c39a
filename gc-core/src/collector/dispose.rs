//! Dropping the values of dead objects.
//!
//! `Drop` is code of the user's and may panic. A panic must neither leave the heap half swept nor
//! keep the other values from being dropped, so it is caught, and the first one goes on when the
//! collection is over.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::descriptor::Described;
use crate::heap::extent::Extent;

/// Drops values, and keeps the first panic.
#[derive(Default)]
pub(crate) struct Disposer {
    panic: Option<Box<dyn Any + Send>>,
}

impl Disposer {
    /// Drops the value of a described object, if there is one in it; whether there was. Does not unwind.
    ///
    /// # Safety
    ///
    /// `extent` is an allocation in a described block, and nothing will refer to its value again.
    pub(crate) unsafe fn dispose(&mut self, extent: Extent) -> bool {
        // SAFETY: passed on to the caller.
        let Some(object) = (unsafe { Described::at(extent) }) else {
            return false;
        };
        // Whatever invariants a value's `Drop` broke by unwinding are broken in values that nobody
        // can reach, or were shared by reference counts and the like, whose own code copes with it.
        // SAFETY: passed on to the caller.
        let result = panic::catch_unwind(AssertUnwindSafe(|| unsafe { object.dispose() }));
        if let Err(payload) = result {
            self.keep(payload);
        }
        true
    }

    /// Keeps the payload of the first panic. Others are leaked: dropping one may panic as well.
    fn keep(&mut self, payload: Box<dyn Any + Send>) {
        match self.panic {
            None => self.panic = Some(payload),
            Some(_) => std::mem::forget(payload),
        }
    }

    /// Goes on with the first panic that was caught, unless this thread is unwinding already.
    pub(crate) fn finish(self) {
        match self.panic {
            None => {}
            Some(payload) if std::thread::panicking() => std::mem::forget(payload),
            Some(payload) => panic::resume_unwind(payload),
        }
    }
}
