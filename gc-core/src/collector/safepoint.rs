//! What a program asks for when it comes to a safepoint.

use super::{Collector, World};
use crate::sync::Arc;

/// What is to happen at a safepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safepoint {
    /// What is due.
    Step,
    /// The cycle in progress is completed.
    Complete,
    /// The cycle in progress is completed, and everything that cannot be reached is freed.
    Collect,
    /// What is due of marking, and the cycle stands where everything is marked.
    Mark,
    /// Everything is marked, and the cycle stands there.
    FinishMarking,
    /// The cycle goes on from there to sweeping.
    StartSweeping,
    /// What is not in use is given back. Nothing is collected.
    Release,
}

impl Safepoint {
    /// Does it.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn run(self, collector: &Arc<Collector>, world: &World<'_>) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self {
                Safepoint::Step => collector.safepoint(world),
                Safepoint::Complete => collector.complete(world),
                Safepoint::Collect => collector.collect(world),
                Safepoint::Mark => collector.mark_debt(world),
                Safepoint::FinishMarking => collector.finish_marking(world),
                Safepoint::StartSweeping => collector.start_sweeping(world),
                Safepoint::Release => collector.release_unused(world),
            }
        }
    }
}
