//! What the threads of a shared arena have in common.

use core::time::Duration;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};

use super::finalizer_thread::FinalizerThread;
use super::mutator::Mutator;
use crate::collector::driver::Safepoint;
use crate::collector::options::HeapOptions;
use crate::collector::{Collector, Mutators, Roots};
use crate::heap::error::HeapError;
use crate::heap::verify::VerifyError;
use crate::heap::volume::Volume;
use crate::mutator::context::{Context, refuse_forked};
use crate::os::complain;
use crate::os::fork::Process;
use crate::protocol::handshake::Handshake;
use crate::protocol::root_table::RootTable;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering, thread_local};
use crate::types::ledger;
use crate::types::owned_bytes::only_looking;
use crate::types::trace::{Edge, EdgeVisitor};

/// See the [module documentation](self).
pub(super) struct World {
    pub(super) collector: Arc<Collector>,
    pub(super) handshake: Handshake,
    /// All attached threads. A thread that stops them holds this lock as long as they are stopped.
    mutators: Mutex<Vec<Arc<Mutator>>>,
    pub(super) roots: Arc<RootTable>,
    pub(super) finalizer_thread: FinalizerThread,
    pub(super) patience: Duration,
    /// What the root is known to own outside of the heap.
    owned_by_root: AtomicUsize,
    /// What threads have written that have detached since the last stop, to be measured.
    left_written: Mutex<BTreeSet<usize>>,
    /// Where the arena was made.
    process: Process,
}

thread_local! {
    /// The worlds for whose collectors this thread is at work. A `trace` that they call must not come
    /// back to them.
    static COLLECTING: RefCell<Vec<*const World>> = const { RefCell::new(Vec::new()) };
}

/// This thread is at work for the collector of a world, until this is dropped.
struct Collecting;

impl Drop for Collecting {
    fn drop(&mut self) {
        COLLECTING.with_borrow_mut(|worlds| _ = worlds.pop());
    }
}

/// This thread runs destructors, which may come back to the world: it is at work for no collector meanwhile, until
/// this is dropped.
struct Released<'a>(&'a World);

impl Released<'_> {
    fn new(world: &World) -> Released<'_> {
        COLLECTING.with_borrow_mut(|worlds| _ = worlds.pop());
        Released(world)
    }
}

impl Drop for Released<'_> {
    fn drop(&mut self) {
        COLLECTING.with_borrow_mut(|worlds| worlds.push(self.0));
    }
}

impl World {
    pub(super) fn new(options: &HeapOptions) -> Result<Arc<World>, HeapError> {
        Ok(Arc::new(World {
            collector: Arc::new(Collector::new(options, Mutators::Many)?),
            handshake: Handshake::new(),
            mutators: Mutex::new(Vec::new()),
            roots: Arc::new(RootTable::new()),
            finalizer_thread: FinalizerThread::default(),
            patience: options.patience,
            owned_by_root: AtomicUsize::new(0),
            left_written: Mutex::default(),
            process: Process::current(),
        }))
    }

    /// The calling thread as a mutator, with one more guard.
    pub(super) fn attach(self: &Arc<Self>) -> Arc<Mutator> {
        self.forbid_in_collection();
        self.check_process();
        let mut mutators = self.mutators.lock();
        let mine = mutators.iter().find(|mutator| mutator.is_mine()).cloned();
        let mutator = mine.unwrap_or_else(|| {
            let new = Arc::new(Mutator::new(self, self.join()));
            mutators.push(Arc::clone(&new));
            new
        });
        mutator.retain();
        mutator
    }

    /// A guard of the calling thread is dropped.
    pub(super) fn detach(&self, mutator: &Arc<Mutator>) {
        if !mutator.release() || self.process.is_parent() {
            return;
        }
        let mut mutators = self.mutators.lock();
        // What it has written is not measured here: that is code of the user's, and others are at work.
        // SAFETY: the thread is outside, and this one has the list.
        unsafe {
            mutator.leave();
            let written = mutator.context().take_written();
            self.left_written.lock().extend(written);
        }
        mutators.retain(|other| !Arc::ptr_eq(other, mutator));
        drop(mutators);
        self.handshake.unregister(mutator.participant());
    }

    /// # Panics
    ///
    /// If this thread is at work for this world's collector.
    #[inline]
    pub(super) fn forbid_in_collection(&self) {
        let here = |worlds: &RefCell<Vec<*const World>>| worlds.borrow().contains(&(self as _));
        // Where the list is gone already, the thread is ending, and not at work.
        let collecting = COLLECTING.try_with(here).unwrap_or(false);
        assert!(
            !collecting,
            "a `trace` works on the shared arena whose collector has called it"
        );
    }

    /// Refuses to go on in a forked child.
    fn check_process(&self) {
        if self.process.is_parent() {
            refuse_forked();
        }
    }

    /// What a mutator has of the heap.
    fn join(&self) -> Context {
        Context::join(Arc::clone(&self.collector), self.process)
    }

    /// Objects allocated ever, but for those in the holes that mutators are in.
    pub(super) fn allocated(&self) -> Volume {
        self.collector.heap.allocated()
    }

    /// Calls `f` with the world as the collector sees it.
    fn with_view(&self, roots: &Roots<'_>, f: impl FnOnce(&crate::collector::Program<'_>)) {
        self.forbid_in_collection();
        self.check_process();
        COLLECTING.with_borrow_mut(|worlds| worlds.push(self));
        let _collecting = Collecting;
        let roots = |visitor: &mut dyn EdgeVisitor| {
            only_looking(|| roots(visitor));
            self.roots
                .each(|target| visitor.visit(Edge::of_root(target)));
            let pins = self.collector.heap.pins();
            pins.each(|target| visitor.visit(Edge::of_root(target)));
        };
        let stopped = |action: &mut dyn FnMut()| self.stop(action);
        let released = |action: &mut dyn FnMut()| {
            let _released = Released::new(self);
            action();
        };
        f(&crate::collector::Program {
            roots: &roots,
            stopped: &stopped,
            released: &released,
            allocated: self.allocated(),
        });
    }

    /// Calls `action` while all threads are outside.
    fn stop(&self, action: &mut dyn FnMut()) {
        let _stopped = self.handshake.stop(self.patience, |late| {
            let names = late.join(", ");
            complain(&format!(
                "gc: a collection waits for `mutate` calls of these threads to return: {names}"
            ));
        });
        let mut mutators = self.mutators.lock();
        let left = core::mem::take(&mut *self.left_written.lock());
        if let Some(mutator) = mutators.first() {
            // SAFETY: all are outside, or have ended, and this thread has the list. The objects were taken from
            // mutators of this heap that have ended, and nothing that is noted is freed.
            unsafe { mutator.context().add_written(left) };
        }
        for mutator in &*mutators {
            // SAFETY: as above.
            unsafe { mutator.halt() };
        }
        self.collector.unmeasured.clear();
        mutators.retain(|mutator| !mutator.has_ended());
        // Also if `action` panics.
        let _armed = Armed(&mutators);
        action();
    }

    /// A safepoint.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// The thread is in no `mutate` call of this world, and `roots` visits every pointer into the heap which
    /// is neither in it nor behind a handle.
    pub(super) unsafe fn safepoint(&self, roots: &Roots<'_>, what: Safepoint) {
        self.collector.throwing(|| {
            self.with_view(roots, |view| {
                // SAFETY: the thread is in no `mutate` call, and `view` visits `roots` and the table of handles, which
                // are all pointers from outside (the caller's promises). All values are `Send` and `Sync`.
                unsafe { self.collector.safepoint(view, what) }
            });
        });
    }

    /// Looks what the root owns, as `measure` tells it. A panic is kept for the end of a safepoint.
    pub(super) fn measure_root(&self, measure: impl FnOnce() -> usize) {
        match panic::catch_unwind(AssertUnwindSafe(measure)) {
            Ok(bytes) => {
                let bytes = bytes.min(ledger::MOST);
                // Relaxed: a figure by itself.
                let before = self.owned_by_root.swap(bytes, Ordering::Relaxed);
                let heap = &self.collector.heap;
                heap.count_owned(bytes as i64 - before as i64);
            }
            Err(payload) => self.collector.keep_panic(payload),
        }
    }

    /// Verifies the heap, when the cycle in progress is complete.
    ///
    /// # Safety
    ///
    /// As for [`World::safepoint`].
    pub(super) unsafe fn verify(&self, roots: &Roots<'_>) -> Result<(), VerifyError> {
        let mut result = Ok(());
        self.with_view(roots, |view| {
            let mut check = || {
                // SAFETY: no `mutate` call is running, and no cycle.
                unsafe {
                    self.collector.retag_stale();
                    result = self.collector.verify(false);
                }
            };
            // SAFETY: as for `World::safepoint`: the thread is in no `mutate` call, and `view` visits all pointers from
            // outside (the caller's promises).
            unsafe { self.collector.with_no_cycle(view, &mut check) }
        });
        result
    }

    /// Runs the finalizers that have not run, or reports them, when the arena is dropped.
    fn finish_finalizers(self: &Arc<Self>) {
        let finalizers = &self.collector.finalizers;
        if finalizers.waiting() + finalizers.registered() == 0 {
            return;
        }
        if self.collector.options.finalize_at_drop {
            finalizers.enqueue_all();
            let mutator = self.attach();
            mutator.run_finalizers(finalizers.waiting(), None);
            self.detach(&mutator);
        }
        self.collector.forget_finalizers();
    }

    /// Drops all values and frees everything.
    ///
    /// # Panics
    ///
    /// With the first panic of a value's `Drop`, after all others were dropped.
    ///
    /// # Safety
    ///
    /// Nothing refers to an object of the heap, nor ever will, and nobody will attach or work on it.
    pub(super) unsafe fn dispose(self: &Arc<Self>) {
        if self.process.is_parent() {
            // Threads of the parent may have been at work on it, which nobody can wait for.
            core::mem::forget(Arc::clone(self));
            return;
        }
        if self.finalizer_thread.stop() {
            // SAFETY: nothing refers to an object of the heap, and nobody will work on it (the caller's promise). The
            // thread of the finalizers has stopped.
            unsafe { self.dispose_now() }
        }
    }

    /// [`World::dispose`], when no finalizer runs any more.
    ///
    /// # Safety
    ///
    /// As there.
    pub(super) unsafe fn dispose_now(self: &Arc<Self>) {
        self.finish_finalizers();
        for mutator in core::mem::take(&mut *self.mutators.lock()) {
            // SAFETY: its guard was leaked, for the arena was not borrowed any more when it was dropped; so
            // the thread is outside for ever.
            unsafe { mutator.leave() };
        }
        // SAFETY: nothing refers to an object of the heap, nor ever will (the caller's promise).
        unsafe { self.join().dispose_all() }
    }
}

/// Arms the barriers of all mutators for the phase that a stop has led to.
struct Armed<'a>(&'a [Arc<Mutator>]);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        for mutator in self.0 {
            // SAFETY: as in `World::stop`, which makes this.
            unsafe { mutator.context() }.arm();
        }
    }
}
