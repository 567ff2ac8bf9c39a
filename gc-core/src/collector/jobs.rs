//! Jobs: what threads other than the program's do for a collector.
//!
//! All heaps of a process share one small pool of threads, which is started when it is first needed.
//! A job may have to wait for its turn; one that has not begun when it is not wanted any more never
//! begins. So nobody ever waits for a thread that works for another heap.

use std::thread::available_parallelism;

use rayon::ThreadPool;

use super::work::MARKERS;
use crate::os::fork::Process;
use crate::sync::{Arc, AtomicUsize, Condvar, Mutex, Ordering};

/// The jobs of one collector.
#[derive(Default)]
pub(super) struct Jobs {
    state: Mutex<State>,
    /// Signalled when the last job that runs has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Jobs with an older number than this do not begin any more.
    series: u64,
    /// Jobs that were started in this series and have not ended.
    started: usize,
    /// Those of them that have begun.
    running: usize,
}

impl Jobs {
    /// Starts a job, if there is a thread for it; whether there is. `jobs` finds these jobs in what the
    /// job works on.
    pub(super) fn start<C: Send + Sync + 'static>(
        owner: &Arc<C>,
        jobs: fn(&C) -> &Jobs,
        job: impl FnOnce(&C) + Send + 'static,
    ) -> bool {
        let Some(pool) = pool() else { return false };
        let series = {
            let mut state = jobs(owner).state.lock();
            state.started += 1;
            state.series
        };
        let owner = owner.clone();
        pool.spawn(move || {
            let these = jobs(&owner);
            {
                let mut state = these.state.lock();
                if state.series != series {
                    return;
                }
                state.running += 1;
            }
            // Counts the job as ended also if it panics.
            let _ended = Ended(these);
            job(&owner);
        });
        true
    }

    /// How many jobs were started and have not ended.
    pub(super) fn unfinished(&self) -> usize {
        self.state.lock().started
    }

    /// Waits until those jobs that have begun have ended; others will not begin any more.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.series += 1;
        while state.running > 0 {
            self.ended.wait(&mut state);
        }
        state.started = 0;
    }
}

struct Ended<'a>(&'a Jobs);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.running -= 1;
        state.started -= 1;
        if state.running == 0 {
            self.0.ended.notify_all();
        }
    }
}

/// How many threads this machine runs at the same time.
pub(super) fn processors() -> usize {
    static PROCESSORS: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: who finds nothing looks again.
    let known = PROCESSORS.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let processors = available_parallelism().map_or(1, usize::from);
    PROCESSORS.store(processors, Ordering::Relaxed);
    processors
}

/// The threads that work for all collectors of the process, if there are any to be had.
fn pool() -> Option<&'static ThreadPool> {
    /// The pool of each generation of processes: a forked child has none of its parent's threads.
    static POOL: Mutex<Option<(u32, Option<&'static ThreadPool>)>> = Mutex::new(None);
    let generation = Process::current().generation();
    let mut pool = POOL.lock();
    match *pool {
        Some((owner, threads)) if owner == generation => threads,
        _ => {
            // One processor is for the program.
            let threads = (processors() - 1).clamp(1, MARKERS - 1);
            let new = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|number| format!("gc-{number}"))
                .build()
                .ok()
                .map(|threads| &*Box::leak(Box::new(threads)));
            *pool = Some((generation, new));
            new
        }
    }
}
