//! What the program hears of the collector: panics of finalizers, and those that are thrown when a safepoint is over.

use core::any::Any;

use super::dispose::Disposer;
use super::references::report::FinalizerReport;
use super::{Collector, FinalizerHook};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering};

/// What is to be reported, and to whom.
#[derive(Default)]
pub(super) struct Reports {
    /// Hears of finalizers.
    hook: Mutex<Option<Arc<FinalizerHook>>>,
    /// Panics of finalizers that are to be reported.
    panics: Mutex<Vec<Box<dyn Any + Send>>>,
    /// Panics of values that were to tell what they own, to be thrown when a safepoint is over.
    kept: Mutex<Disposer>,
    has_kept: AtomicBool,
}

impl Collector {
    /// Counts a finalizer that has run. Its panic is reported, of a heap with many mutators by
    /// [`Collector::report_panics`].
    pub(crate) fn note_finalizer(&self, result: std::thread::Result<()>) {
        let mut statistics = self.statistics.lock();
        statistics.finalizers_run += 1;
        statistics.finalizers_panicked += u64::from(result.is_err());
        drop(statistics);
        if let Err(payload) = result {
            self.reports.panics.lock().push(payload);
            if self.has_one_mutator() {
                self.report_panics();
            }
        }
    }

    /// Reports panics of finalizers. Whoever hears of them may wait for another thread, so no mutator waits for this one.
    pub(crate) fn report_panics(&self) {
        while let Some(payload) = { self.reports.panics.lock().pop() } {
            self.report(&FinalizerReport::Panicked { payload: &*payload });
            // Dropping it may panic as well.
            core::mem::forget(payload);
        }
    }

    /// Lets `hook` hear of finalizers, instead of who did before.
    pub(crate) fn set_finalizer_hook(&self, hook: Arc<FinalizerHook>) {
        let before = self.reports.hook.lock().replace(hook);
        // Without the lock: what it owns is the user's, and may come back here when it is dropped.
        drop(before);
    }

    /// How many finalizers have run ever.
    pub(crate) fn finalizers_run(&self) -> u64 {
        self.statistics.lock().finalizers_run
    }

    /// Reports something about finalizers to whoever wants to know. A panic of that is swallowed.
    pub(crate) fn report(&self, report: &FinalizerReport<'_>) {
        let hook = self.reports.hook.lock().clone();
        if let Some(hook) = hook {
            // It is dropped here as well: another may have taken its place meanwhile, and this be the last of it.
            let call = std::panic::AssertUnwindSafe(move || hook(report));
            core::mem::forget(std::panic::catch_unwind(call));
        }
    }

    /// Drops the finalizers that will never run, and reports how many they are. What they own may panic when it
    /// is dropped: that is reported as well, and goes no farther, for the arena is not taken apart yet.
    pub(crate) fn forget_finalizers(&self) {
        let count = self.finalizers.waiting() + self.finalizers.registered();
        if count == 0 {
            return;
        }
        self.report(&FinalizerReport::NotRun { count });
        for finalizer in self.finalizers.take_all() {
            let call = std::panic::AssertUnwindSafe(|| drop(finalizer));
            if let Err(payload) = std::panic::catch_unwind(call) {
                self.report(&FinalizerReport::Panicked { payload: &*payload });
                core::mem::forget(payload);
            }
        }
    }

    /// Keeps a panic for the end of a safepoint.
    pub(crate) fn keep_panic(&self, payload: Box<dyn Any + Send>) {
        self.reports.kept.lock().keep(payload);
        // Relaxed: what was kept is under the lock.
        self.reports.has_kept.store(true, Ordering::Relaxed);
    }

    /// Does what a safepoint has to do, and goes on with its panic, or else with the first that was kept. None is left for a
    /// later safepoint.
    pub(crate) fn throwing(&self, safepoint: impl FnOnce()) {
        let safepoint = std::panic::AssertUnwindSafe(safepoint);
        if let Err(payload) = std::panic::catch_unwind(safepoint) {
            drop(self.take_kept());
            std::panic::resume_unwind(payload);
        }
        self.throw_kept();
    }

    /// Goes on with the first panic that was kept, if there is one.
    pub(crate) fn throw_kept(&self) {
        self.take_kept().finish();
    }

    /// What was kept. To drop it leaks the payload.
    fn take_kept(&self) -> Disposer {
        // Relaxed: as above.
        if !self.reports.has_kept.load(Ordering::Relaxed) {
            return Disposer::default();
        }
        self.reports.has_kept.store(false, Ordering::Relaxed);
        core::mem::take(&mut *self.reports.kept.lock())
    }
}
