//! A thread that runs the finalizers of a shared arena.
//!
//! The thread starts when the first finalizer is to run. It attaches like any other, and sleeps while there is nothing
//! to run. When the arena is dropped, the thread is stopped and joined, so no finalizer runs without an arena.
//!
//! Where memory is short, a collecting thread waits for this one ([`schedule`](crate::collector::references::schedule))
//! as long as it runs finalizers: for one of them at most `HeapOptions::patience`.
//!
//! A finalizer may own the last handle to the arena, and drop it. Then this thread drops the arena while it is in a
//! call of it, and cannot wait for itself. So the arena is *orphaned*, and is torn down when the call has returned.

use std::thread::{self, JoinHandle, ThreadId};

use super::world::World;
use crate::sync::{Arc, Condvar, Mutex};

/// See the [module documentation](self).
#[derive(Default)]
pub(super) struct FinalizerThread {
    state: Mutex<State>,
    changed: Condvar,
    /// Signalled when the thread has run what there was.
    done: Condvar,
}

#[derive(Default)]
struct State {
    running: Option<(ThreadId, JoinHandle<()>)>,
    /// Whether the thread runs finalizers, or is about to.
    busy: bool,
    stop: bool,
    orphaned: bool,
}

/// How many finalizers run between two looks whether to stop.
const SOME: usize = 64;

impl FinalizerThread {
    /// Sees to it that finalizers which wait are run. `false` if no thread is to be had for that.
    pub(super) fn wake(world: &Arc<World>) -> bool {
        let this = &world.finalizer_thread;
        let mut state = this.state.lock();
        if state.running.is_none() {
            let world = Arc::clone(world);
            let builder = thread::Builder::new().name("gc-finalizers".into());
            let Ok(handle) = builder.spawn(move || FinalizerThread::run(&world)) else {
                return false;
            };
            state.running = Some((handle.thread().id(), handle));
        }
        drop(state);
        this.changed.notify_one();
        true
    }

    /// Waits until nothing waits for the thread any more, or it makes no progress. `false` if no thread is to be had.
    pub(super) fn wait(world: &Arc<World>) -> bool {
        let finalizers = &world.collector.finalizers;
        if !FinalizerThread::wake(world) {
            return false;
        }
        let this = &world.finalizer_thread;
        let mut state = this.state.lock();
        let mut run = world.collector.finalizers_run();
        while (state.busy || finalizers.waiting() > 0) && !state.stop {
            let timed_out = this.done.wait_for(&mut state, world.patience).timed_out();
            let now = world.collector.finalizers_run();
            if timed_out && now == run {
                break;
            }
            run = now;
        }
        true
    }

    fn run(world: &Arc<World>) {
        let this = &world.finalizer_thread;
        let mutator = world.attach();
        loop {
            {
                let mut state = this.state.lock();
                state.busy = false;
                while !state.stop && world.collector.finalizers.waiting() == 0 {
                    this.done.notify_all();
                    this.changed.wait(&mut state);
                }
                state.busy = true;
                if state.stop {
                    break;
                }
            }
            mutator.run_finalizers_while(SOME, || !this.state.lock().stop);
        }
        world.detach(&mutator);
        if this.state.lock().orphaned {
            // SAFETY: the arena was dropped in the last call, which has returned; see `World::dispose`, whose
            // caller left this to us.
            unsafe { world.dispose_now() }
        }
    }

    /// Stops the thread, if there is one, and waits for it. `false` if it is the calling thread, which takes
    /// the arena apart later.
    pub(super) fn stop(&self) -> bool {
        let mut state = self.state.lock();
        state.stop = true;
        let Some((id, handle)) = state.running.take() else {
            return true;
        };
        if id == thread::current().id() {
            state.orphaned = true;
            return false;
        }
        drop(state);
        self.changed.notify_one();
        // A finalizer's panic was caught; that of a hook as well.
        _ = handle.join();
        true
    }
}
