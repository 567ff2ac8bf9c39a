//! Giving back what is not in use now, of the heap and of the collector itself.

use super::mark::Backlog;
use super::{Collector, Phase, Program};
use crate::sync::Arc;

impl Collector {
    /// Gives back to the system what the heap does not use now, and what the collector does not. Nothing is
    /// collected; a cycle in progress stays where it is, and what it uses is left alone.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn release_unused(self: &Arc<Self>, program: &Program<'_>) {
        let mut cycle = self.cycle.lock();
        // It might be fetching what is given back here.
        self.housekeeping.close();
        (program.stopped)(&mut || {
            // SAFETY: no `mutate` call is running, and allocation buffers are retired.
            unsafe { self.heap.release_unused() }
        });
        if self.phase() == Phase::Sleeping {
            cycle.backlog = Backlog::default();
            cycle.weak = Vec::new();
            let mut unswept = self.sweeping.unswept.lock();
            unswept.small.shrink_to_fit();
            unswept.large.shrink_to_fit();
            self.sweeping.with_drops.lock().shrink_to_fit();
            self.work.release_unused();
        }
    }
}
