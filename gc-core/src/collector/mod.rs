//! The collector: mark-sweep, at once, in steps, or beside the program.
//!
//! One cycle, from beginning to end:
//!
//! 1. **The snapshot.** At a safepoint, where no `mutate` call runs, allocators leave their holes. What is
//!    allocated from now on is born black: marked and claimed. The roots are asked for their pointers.
//! 2. **Marking.** From the roots, everything that was reachable then is marked through the tagged words
//!    ([`mark`]). Before the program writes for the first time to an object of the snapshot, the write
//!    barrier *claims* it and passes on what it held ([`claim`]); so all that was reachable at the snapshot
//!    is marked, whatever the program does meanwhile. Objects whose pointers only their own `trace` knows are
//!    asked by the program's thread, at safepoints.
//! 3. **The end of marking.** At a safepoint at which the markers rest, no packet is left and no object is to
//!    be asked, everything is marked. If the program has read weak pointers to what is not, it is looked
//!    for in what was written since ([`rescan`]). The cycle *stands* there if the program wants to look at
//!    that ([`stand`]).
//! 4. **References** to what is dead are processed ([`references`]): weak pointers are cleared, finalizers
//!    enqueued, and what these see is marked. Objects that only weak pointers lead to become shells
//!    ([`weak`]).
//! 5. **Sweeping.** All that is not marked is freed, block by block ([`crate::heap::sweep`]); values
//!    that need `Drop` are dropped just before, by the program's thread ([`dispose`]).
//! 6. **Pacing.** The survivors tell when the next cycle is due ([`pacer`]) and how much empty
//!    memory to keep until then; the rest goes back to the system. Beside the program, memory that will be
//!    wanted and is missing is fetched now.
//!
//! [`Mode`] says who does this, and when. *At once*: the thread that came to the safepoint,
//! with helpers, before it returns. In *steps*: that thread, for some microseconds at each safepoint. *Beside*
//! the program: other threads mark and sweep ([`jobs`]), and safepoints do only what these cannot or what
//! they are too slow for. All three are the same code: a [`Marker`](mark::Marker) and a [`Sweeper`] work until they are
//! done or their time is over, and [`Collector::step`] decides what is next.
//!
//! A panic of a `trace`, and a write to an object of which nobody says which it is, abandon the cycle: the
//! markers are stopped, all marks are cleared, and nothing is freed. In the second case the next cycle is at
//! once.
//!
//! With [`Zeal`], a naive marker checks the result of marking, and the heap is verified after each cycle.
//!
//! # Invariants
//!
//! 1. The phase changes only at safepoints, and, of a heap with one mutator, by that one to `Abandoned`; and
//!    while no `mutate` call runs, except to `Abandoned`, and from `Sweeping` to `Sleeping`.
//! 2. Between cycles no mark is set and nothing is claimed.
//! 3. One thread at a time is at a safepoint of a heap: it has the lock of [`Cycle`].

pub(crate) mod at_once;
pub(crate) mod claim;
pub(crate) mod dispose;
pub(crate) mod dying;
pub(crate) mod guarded;
mod jobs;
pub(crate) mod mark;
mod naive;
pub(crate) mod options;
pub(crate) mod pacer;
pub(crate) mod pacing;
mod progress;
pub(crate) mod references;
mod release;
pub(crate) mod rescan;
pub(crate) mod safepoint;
pub(crate) mod stand;
pub(crate) mod statistics;
mod steps;
pub(crate) mod unmeasured;
mod verify;
pub(crate) mod weak;
pub(crate) mod weak_reads;
pub(crate) mod work;

use core::any::Any;
use core::time::Duration;
use std::time::Instant;

use self::dispose::Disposer;
use self::dying::{Dying, Turn};
use self::guarded::GuardedObjects;
use self::jobs::Jobs;
use self::mark::Backlog;
use self::naive::{NaiveMarker, Told};
use self::pacer::{Due, Pacer};
use self::pacing::Pacing;
use self::progress::Progress;
use self::references::Stage;
use self::references::finalizers::Finalizers;
use self::references::report::FinalizerReport;
use self::references::soft::Cohorts;
use self::rescan::Rescan;
use self::statistics::Statistics;
use self::unmeasured::Unmeasured;
use self::weak_reads::WeakReads;
use self::work::Work;
use crate::collector::options::{FinalizerMode, HeapOptions, Mode, Zeal};
use crate::heap::Heap;
use crate::heap::black::Births;
use crate::heap::block::BlockIndex;
use crate::heap::error::HeapError;
use crate::heap::space::AddressSpace;
use crate::heap::store::Occupied;
use crate::heap::sweep::{Survivors, Sweeper};
use crate::heap::volume::Volume;
use crate::sync::{Arc, AtomicBool, AtomicU8, AtomicU64, Condvar, Mutex, MutexGuard, Ordering};
use crate::types::trace::{Edge, EdgeVisitor};

/// Where in its cycle the collector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Waiting for the next cycle.
    Sleeping,
    /// Finding what is reachable.
    Marking,
    /// What is dead is known. Finalizers of that are enqueued, and what they see is marked.
    Finalizing,
    /// All is marked that will be. What remains of objects that only weak pointers lead to is being
    /// settled.
    Settling,
    /// Freeing the rest.
    Sweeping,
    /// Marking was given up, and is to be cleared away.
    Abandoned,
}

impl Phase {
    const ALL: [Phase; 6] = [
        Phase::Sleeping,
        Phase::Marking,
        Phase::Finalizing,
        Phase::Settling,
        Phase::Sweeping,
        Phase::Abandoned,
    ];

    /// Whether the collector may go from this phase to `next`.
    fn may_become(self, next: Phase) -> bool {
        use Phase::*;
        matches!(
            (self, next),
            (Sleeping, Marking)
                | (Marking, Finalizing | Settling)
                | (Finalizing, Settling)
                | (Settling, Sweeping)
                | (Sweeping, Sleeping)
                | (Marking | Finalizing, Abandoned)
                | (Abandoned, Sleeping)
        )
    }
}

/// With less room than this below its limit, a heap is not collected while the program goes on.
const LITTLE_ROOM: usize = 1 << 20;

/// Hears of finalizers.
pub(crate) type FinalizerHook = dyn Fn(&FinalizerReport<'_>) + Send + Sync;

/// Visits the roots of a heap.
pub(crate) type Roots<'a> = dyn Fn(&mut dyn EdgeVisitor) + 'a;

/// A program at a safepoint, as the collector sees it.
pub(crate) struct World<'a> {
    /// Visits the roots, while no `mutate` call runs.
    pub(crate) roots: &'a Roots<'a>,
    /// Calls a function while no `mutate` call runs, what mutators found is handed over, and no allocator
    /// will go on in a hole that it had before.
    pub(crate) stopped: &'a dyn Fn(&mut dyn FnMut()),
    /// Calls a function that calls destructors, while this thread is not at work for the collector.
    pub(crate) released: &'a dyn Fn(&mut dyn FnMut()),
    /// Objects allocated ever.
    pub(crate) allocated: Volume,
}

/// How many mutators a heap has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutators {
    /// One, which is at the safepoint itself whenever somebody is.
    One,
    /// Any number. While one is at a safepoint, others work, unless they are stopped. All values are
    /// `Send` and `Sync`.
    Many,
}

/// A heap with its collector.
pub(crate) struct Collector {
    pub(crate) heap: Heap,
    pub(crate) work: Work,
    pub(crate) finalizers: Finalizers,
    pub(crate) cohorts: Cohorts,
    pub(crate) zeal: Zeal,
    mutators: Mutators,
    mode: Mode,
    concurrent_from: usize,
    markers: usize,
    step: Duration,
    minimum_share: u32,
    /// Bytes of spare blocks that are kept after a cycle at most.
    most_spare: usize,
    soft_idle: u32,
    pub(crate) finalizer_mode: FinalizerMode,
    pub(crate) finalizer_step: Duration,
    pub(crate) finalize_at_drop: bool,
    pub(crate) null_dead_fields: bool,
    pub(crate) pacer: Mutex<Pacer>,
    pub(crate) statistics: Mutex<Statistics>,
    finalizer_hook: Mutex<Option<Arc<FinalizerHook>>>,
    /// Panics of finalizers that are to be reported.
    panics: Mutex<Vec<Box<dyn Any + Send>>>,
    /// The [`Phase`].
    phase: AtomicU8,
    /// Bytes allocated ever, and their weight, from each of which on a safepoint has something to do.
    due_at_bytes: AtomicU64,
    due_at_weight: AtomicU64,
    /// Whether some object was written of which nobody said which.
    unknown_writes: AtomicBool,
    /// Whether the cycle was made to stand where everything was marked, and still marks: for more may
    /// have come up since.
    stands: AtomicBool,
    /// Taken while an object is claimed by its words. In it, the objects that are being asked for their pointers, each with
    /// what tells the thread that does so.
    claims: Mutex<Vec<(usize, usize)>>,
    /// For zeal: what values told in the cycle before.
    told: Mutex<Told>,
    /// An object was asked.
    asked: Condvar,
    /// Whether an object of this cycle was written whose contents nobody knows.
    spoiled: AtomicBool,
    /// What claims note: see [`rescan::Noting`].
    noting: AtomicU8,
    weak_reads: WeakReads,
    pub(crate) guarded: GuardedObjects,
    /// Values whose destructors are to run.
    pub(crate) dying: Dying,
    /// What other threads do in the cycle, and what they do that may outlast it.
    jobs: Jobs,
    housekeeping: Jobs,
    /// Blocks that nobody has begun to sweep.
    unswept: Mutex<Occupied>,
    /// Those that have values which need `Drop`.
    with_drops: Mutex<Vec<BlockIndex>>,
    /// What sweepers that have finished found.
    survivors: Mutex<Survivors>,
    /// What elements of collections own that nobody knows yet.
    pub(crate) unmeasured: Unmeasured,
    /// Panics of values that were to tell what they own, to be thrown when a safepoint is over.
    kept_panics: Mutex<Disposer>,
    has_kept_panics: AtomicBool,
    progress: Progress,
    cycle: Mutex<Cycle>,
}

/// What the thread at the safepoint knows of the cycle in progress.
pub(crate) struct Cycle {
    /// How many cycles have begun.
    number: u64,
    /// Whether mutators were stopped until it was known what is dead.
    at_once: bool,
    /// When it began, and when marking was complete.
    began: Instant,
    marked: Instant,
    /// Spare blocks when it began: those which the program had no use for since the last.
    idle: usize,
    /// Time spent at its safepoints.
    spent: Duration,
    /// Objects allocated ever when marking was complete, and when objects began to be born black.
    allocated_marked: Volume,
    allocated_unblack: Volume,
    /// The same at the last safepoint, and for how long safepoints should work for them.
    allocated: Volume,
    credit: Duration,
    /// What the safepoints' own marker has still to do.
    backlog: Backlog,
    /// Objects to which weak pointers lead, to be settled.
    weak: Vec<usize>,
    /// What is next of processing references, and at how many of those objects was looked.
    stage: Stage,
    cleared: usize,
    /// What is scanned again because weak pointers were read, and for how many cycles to come the program is taken to
    /// read such as lead to what is dead.
    rescan: Rescan,
    polled: u32,
    /// Bytes of the heap that survive it because finalizers wait: in the queue, or since it has enqueued them.
    kept: usize,
    /// Whether the cycle is to go no farther than to the end of marking at this safepoint.
    hold: bool,
    disposer: Disposer,
    /// When the thread came to the present safepoint, if it takes part in the cycle there.
    entered: Instant,
    /// The end of the cycle before.
    ended: Instant,
    /// How many collections in a row left the program hardly any time and memory.
    thrashing: u32,
}

impl Collector {
    /// An empty heap with a sleeping collector.
    pub(crate) fn new(options: &HeapOptions, mutators: Mutators) -> Result<Collector, HeapError> {
        options.check()?;
        let space = match options.reserve {
            None => AddressSpace::shared()?,
            Some(bytes) => AddressSpace::new(bytes)?.into(),
        };
        let pacing = Pacing {
            sleep_factor: f64::from(options.growth) / 100.0,
            min_sleep: options.floor,
            ..Pacing::DEFAULT
        };
        let limit = options.limit.min(space.bytes());
        let pacer = Pacer::new(pacing, limit, options.soft_limit, options.square_root);
        let now = Instant::now();
        Ok(Collector {
            heap: Heap::new(space, options.limit, options.reserve.is_some()),
            work: Work::new(),
            finalizers: Finalizers::new(),
            cohorts: Cohorts::default(),
            zeal: options.zeal,
            mutators,
            mode: options.mode,
            concurrent_from: options.concurrent_from,
            markers: options.markers,
            step: options.step,
            minimum_share: options.minimum_share,
            most_spare: options.keep_spare,
            soft_idle: options.soft_idle,
            finalizer_mode: options.finalizer_mode,
            finalizer_step: options.finalizer_step,
            finalize_at_drop: options.finalize_at_drop,
            null_dead_fields: options.null_dead_fields,
            due_at_bytes: AtomicU64::new(pacer.due_at().bytes),
            due_at_weight: AtomicU64::new(pacer.due_at().weight),
            pacer: Mutex::new(pacer),
            statistics: Mutex::default(),
            finalizer_hook: Mutex::default(),
            panics: Mutex::default(),
            phase: AtomicU8::new(Phase::Sleeping as u8),
            unknown_writes: AtomicBool::new(false),
            stands: AtomicBool::new(false),
            claims: Mutex::default(),
            told: Mutex::default(),
            asked: Condvar::new(),
            spoiled: AtomicBool::new(false),
            noting: AtomicU8::new(0),
            weak_reads: WeakReads::new(),
            guarded: GuardedObjects::default(),
            dying: Dying::default(),
            jobs: Jobs::default(),
            housekeeping: Jobs::default(),
            unswept: Mutex::default(),
            with_drops: Mutex::default(),
            survivors: Mutex::default(),
            unmeasured: Unmeasured::default(),
            kept_panics: Mutex::default(),
            has_kept_panics: AtomicBool::new(false),
            progress: Progress::default(),
            cycle: Mutex::new(Cycle {
                number: 0,
                at_once: false,
                began: now,
                marked: now,
                idle: 0,
                spent: Duration::ZERO,
                allocated_marked: Volume::default(),
                allocated_unblack: Volume::default(),
                allocated: Volume::default(),
                credit: Duration::ZERO,
                backlog: Backlog::default(),
                weak: Vec::new(),
                stage: Stage::default(),
                cleared: 0,
                rescan: Rescan::default(),
                polled: 0,
                kept: 0,
                hold: false,
                disposer: Disposer::default(),
                entered: now,
                ended: now,
                thrashing: 0,
            }),
        })
    }

    /// Where in its cycle the collector is.
    #[inline]
    pub(crate) fn phase(&self) -> Phase {
        // `Acquire`, partner: `enter`. Who sees that sweeping has begun also sees all shells.
        Phase::ALL[usize::from(self.phase.load(Ordering::Acquire))]
    }

    fn enter(&self, next: Phase) {
        let phase = self.phase();
        assert!(
            phase.may_become(next),
            "the collector cannot go from {phase:?} to {next:?}"
        );
        // Relaxed: looked at by whoever made the cycle stand, or at a safepoint.
        self.stands.store(false, Ordering::Relaxed);
        if !matches!(next, Phase::Marking | Phase::Finalizing) {
            self.guarded.forget_contents();
        }
        // `Release`, partner: `phase`.
        self.phase.store(next as u8, Ordering::Release);
        self.tell_phase(next);
    }

    /// Whether a safepoint has anything to do, when so much was allocated ever.
    #[inline]
    pub(crate) fn wants_safepoint(&self, allocated: Volume) -> bool {
        // Relaxed: figures by themselves. The weight wraps.
        (allocated.total() as i64).wrapping_sub(self.due_at_weight.load(Ordering::Relaxed) as i64)
            >= 0
            || allocated.bytes >= self.due_at_bytes.load(Ordering::Relaxed)
            || self.phase() != Phase::Sleeping
            || self.zeal.collect
            || self.unmeasured.are_enough()
    }

    /// Lets the pacer change, and looks anew when a safepoint has something to do.
    pub(crate) fn pace<T>(&self, change: impl FnOnce(&mut Pacer) -> T) -> T {
        let mut pacer = self.pacer.lock();
        let result = change(&mut pacer);
        let due_at = if self.finalizers_are_due() {
            Due::NOW
        } else {
            pacer.due_at()
        };
        // Relaxed: figures by themselves.
        self.due_at_bytes.store(due_at.bytes, Ordering::Relaxed);
        self.due_at_weight.store(due_at.weight, Ordering::Relaxed);
        result
    }

    /// Looks anew when a safepoint has something to do.
    pub(crate) fn look_when_due(&self) {
        self.pace(|_| ());
    }

    /// Counts a finalizer that has run. Its panic is reported, of a heap with many mutators by
    /// [`Collector::report_panics`].
    pub(crate) fn note_finalizer(&self, result: std::thread::Result<()>) {
        let mut statistics = self.statistics.lock();
        statistics.finalizers_run += 1;
        statistics.finalizers_panicked += u64::from(result.is_err());
        drop(statistics);
        if let Err(payload) = result {
            self.panics.lock().push(payload);
            if self.has_one_mutator() {
                self.report_panics();
            }
        }
    }

    /// Reports panics of finalizers. Whoever hears of them may wait for another thread, so no mutator waits for this one.
    pub(crate) fn report_panics(&self) {
        while let Some(payload) = { self.panics.lock().pop() } {
            self.report(&FinalizerReport::Panicked { payload: &*payload });
            // Dropping it may panic as well.
            core::mem::forget(payload);
        }
    }

    /// Lets `hook` hear of finalizers, instead of who did before.
    pub(crate) fn set_finalizer_hook(&self, hook: Arc<FinalizerHook>) {
        let before = self.finalizer_hook.lock().replace(hook);
        // Without the lock: what it owns is the user's, and may come back here when it is dropped.
        drop(before);
    }

    /// How many finalizers have run ever.
    pub(crate) fn finalizers_run(&self) -> u64 {
        self.statistics.lock().finalizers_run
    }

    /// Reports something about finalizers to whoever wants to know. A panic of that is swallowed.
    pub(crate) fn report(&self, report: &FinalizerReport<'_>) {
        let hook = self.finalizer_hook.lock().clone();
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

    /// Whether safepoints have finalizers to run.
    fn finalizers_are_due(&self) -> bool {
        self.finalizer_mode == FinalizerMode::AfterCollection && self.finalizers.waiting() > 0
    }

    /// A safepoint: starts a collection if it is time, and does its part of one in progress.
    ///
    /// # Panics
    ///
    /// If the `trace` of a value panics (then nothing is freed), or the `Drop` of one (then everything else
    /// that was to be done was done). With zeal, if a check fails.
    ///
    /// # Safety
    ///
    /// The thread is in no `mutate` call, `world` keeps its promises, and its roots are all pointers from
    /// outside of the heap into it. If values are not all `Send` and `Sync`, the thread is the heap's
    /// one mutator.
    pub(crate) unsafe fn safepoint(self: &Arc<Self>, world: &World<'_>) {
        // Somebody else is at work: his safepoint will do.
        let Some(mut cycle) = self.cycle.try_lock() else {
            return;
        };
        let mut disposer = Disposer::default();
        // SAFETY: passed on to the caller.
        unsafe {
            let turn = self.take_turn(&mut cycle, world);
            self.leave(cycle, world, turn, &mut disposer);
        }
        disposer.finish();
    }

    /// Does the part of a safepoint that is the collector's; what its destructors may do.
    unsafe fn take_turn(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) -> Turn {
        let allocated = self.measure_waiting(world);
        let world = &World {
            allocated,
            ..*world
        };
        if self.phase() == Phase::Sleeping {
            if !self.zeal.collect && self.pacer.lock().debt(world.allocated) <= 0.0 {
                return Turn::Rest;
            }
            let _inside = self.tell_work();
            // SAFETY: passed on to the caller.
            unsafe { self.start(cycle, world) };
            return if cycle.at_once {
                Turn::Complete
            } else {
                Turn::Rest
            };
        }
        let _inside = self.tell_work();
        let share = self.take_share(cycle, world);
        // SAFETY: passed on to the caller.
        unsafe {
            if share.hurry || self.mode == Mode::StopTheWorld {
                self.complete_locked(cycle, world);
                return Turn::Complete;
            }
            let began = Instant::now();
            self.step(cycle, world, share);
            if self.mode == Mode::Concurrent || share.due {
                // A step of no bound has none that the clock could reach.
                Turn::Until(began.checked_add(share.limit))
            } else {
                Turn::Rest
            }
        }
    }

    /// Starts a cycle, and completes it if it is to be at once.
    unsafe fn start(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        cycle.entered = Instant::now();
        if self.is_to_be_at_once() || self.has_unknown_writes() {
            // SAFETY: passed on to the caller.
            unsafe { self.collect_at_once(cycle, world) }
        } else {
            // SAFETY: passed on to the caller.
            unsafe { self.begin(cycle, world) }
        }
    }

    /// Whether a cycle that begins now should not last while the program goes on.
    fn is_to_be_at_once(&self) -> bool {
        let pacer = self.pacer.lock();
        let beside = match self.mode {
            Mode::StopTheWorld => false,
            Mode::Incremental => true,
            Mode::Concurrent => pacer.live() >= self.concurrent_from,
        };
        // While a cycle is in progress, the program needs room for what it allocates.
        let needed = (2.0 * pacer.headroom()).max(LITTLE_ROOM as f64);
        let cramped = self.heap.is_limited() && (self.heap.room() as f64) < needed;
        !beside || pacer.is_at_once() || pacer.is_pressed() || cramped
    }

    /// Completes the cycle in progress, if there is one.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn complete(self: &Arc<Self>, world: &World<'_>) {
        let mut disposer = Disposer::default();
        // SAFETY: passed on to the caller.
        drop(unsafe { self.lock_sleeping(world, &mut disposer) });
        disposer.finish();
    }

    /// Completes the cycle in progress, if there is one, with its destructors, and returns before another begins.
    unsafe fn lock_sleeping(
        self: &Arc<Self>,
        world: &World<'_>,
        disposer: &mut Disposer,
    ) -> MutexGuard<'_, Cycle> {
        loop {
            let mut cycle = self.cycle.lock();
            if self.phase() == Phase::Sleeping && !self.has_destructors() {
                return cycle;
            }
            // SAFETY: passed on to the caller.
            unsafe {
                if self.phase() != Phase::Sleeping {
                    let _inside = self.tell_work();
                    self.complete_locked(&mut cycle, world);
                }
                self.leave(cycle, world, Turn::Complete, disposer);
            }
        }
    }

    /// Completes the cycle in progress, if there is one; and collects everything that cannot be reached,
    /// unless the program has made that cycle stand, to settle with it what is to be collected.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn collect(self: &Arc<Self>, world: &World<'_>) {
        let mut disposer = Disposer::default();
        let stood = self.stands();
        // SAFETY: passed on to the caller.
        unsafe {
            let mut cycle = self.lock_sleeping(world, &mut disposer);
            if !stood {
                {
                    let _inside = self.tell_work();
                    self.collect_at_once(&mut cycle, world);
                }
                self.leave(cycle, world, Turn::Complete, &mut disposer);
            }
        }
        disposer.finish();
    }

    /// Completes the cycle in progress, if there is one, and calls `f` before another begins and while
    /// no `mutate` call runs.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`].
    pub(crate) unsafe fn with_no_cycle(self: &Arc<Self>, world: &World<'_>, f: &mut dyn FnMut()) {
        let mut disposer = Disposer::default();
        // SAFETY: passed on to the caller.
        unsafe {
            let cycle = self.lock_sleeping(world, &mut disposer);
            (world.stopped)(f);
            self.leave(cycle, world, Turn::Until(None), &mut disposer);
        }
        disposer.finish();
    }

    /// Leads the cycle in progress to its end, or to where this thread has destructors to run before.
    unsafe fn complete_locked(self: &Arc<Self>, cycle: &mut Cycle, world: &World<'_>) {
        cycle.entered = Instant::now();
        while self.phase() != Phase::Sleeping {
            // SAFETY: passed on to the caller.
            unsafe { self.hurry(cycle, world) }
            if self.phase() == Phase::Sweeping && self.has_destructors() {
                let entered = cycle.entered;
                self.note_step(cycle, entered);
                return;
            }
        }
        self.jobs.close();
    }

    /// Whether the heap has one mutator, which may give a cycle up.
    pub(crate) fn has_one_mutator(&self) -> bool {
        self.mutators == Mutators::One
    }

    /// Gives a cycle up while it marks: from now on no marker reads anything. What it has done is cleared
    /// away at the next safepoint. May be called in a `mutate` call.
    pub(crate) fn abandon(&self) {
        self.work.set_stop(true);
        self.jobs.close();
        self.enter(Phase::Abandoned);
    }

    /// Clears away what an abandoned cycle has done.
    fn clear_away(&self, cycle: &mut Cycle) {
        // Relaxed: no mutator is at work.
        self.spoiled.store(false, Ordering::Relaxed);
        self.work.clear();
        cycle.backlog = Backlog::default();
        cycle.weak = Vec::new();
        cycle.stage = Stage::default();
        self.forget_weak_reads(cycle);
        self.finalizers.finish_enqueuing();
        self.heap.set_births(Births::White);
        self.heap.clear_marks();
        self.enter(Phase::Sleeping);
    }

    /// Notes that some object is about to be written, of which nobody says which.
    pub(crate) fn note_unknown_write(&self) {
        // Relaxed: it is read when this mutator has left its `mutate` call.
        self.unknown_writes.store(true, Ordering::Relaxed);
    }

    /// Notes that an object of the snapshot is about to be written whose contents could not be noted. The cycle in progress
    /// frees nothing: it is given up when mutators are stopped. The next one is at once.
    fn spoil(&self) {
        // Relaxed: looked at when mutators have left their `mutate` calls, or as a hint.
        self.spoiled.store(true, Ordering::Relaxed);
        self.note_unknown_write();
    }

    /// Whether the cycle in progress must not free anything.
    fn is_spoiled(&self) -> bool {
        // Relaxed: as above.
        self.spoiled.load(Ordering::Relaxed)
    }

    /// Whether some object was written of which nobody said which, since the last cycle at once.
    pub(crate) fn has_unknown_writes(&self) -> bool {
        // Relaxed: asked by the mutator itself, or when mutators have left their `mutate` calls since.
        self.unknown_writes.load(Ordering::Relaxed)
    }

    /// Waits until no other thread is sweeping. What is left will be swept at safepoints.
    pub(crate) fn hold_sweeping(&self) {
        self.housekeeping.close();
        if self.phase() == Phase::Sweeping {
            self.work.set_stop(true);
            self.jobs.close();
            self.work.set_stop(false);
        }
    }

    /// What has to be thrown when the cycle in progress ends.
    pub(crate) fn take_disposer(&self) -> Disposer {
        core::mem::take(&mut self.cycle.lock().disposer)
    }

    /// Keeps a panic for the end of a safepoint.
    pub(crate) fn keep_panic(&self, payload: Box<dyn Any + Send>) {
        self.kept_panics.lock().keep(payload);
        // Relaxed: what was kept is under the lock.
        self.has_kept_panics.store(true, Ordering::Relaxed);
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
        if !self.has_kept_panics.load(Ordering::Relaxed) {
            return Disposer::default();
        }
        self.has_kept_panics.store(false, Ordering::Relaxed);
        core::mem::take(&mut *self.kept_panics.lock())
    }

    /// Checks that everything which can be reached now will survive.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`], no `mutate` call is running, and marking is complete.
    unsafe fn check_marks(&self, roots: &Roots<'_>) {
        // SAFETY: passed on to the caller.
        let naive = unsafe { self.naive_marks(roots) };
        let mut told = self.told.lock();
        naive.check(&told);
        *told = naive.into_told();
    }

    /// What can be reached now, as the naive marker finds it.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`], and no `mutate` call is running.
    unsafe fn naive_marks(&self, roots: &Roots<'_>) -> NaiveMarker<'_> {
        // SAFETY: passed on to the caller.
        let mut naive = unsafe { NaiveMarker::new(&self.heap, &self.work) };
        roots(&mut naive);
        self.visit_cohorts(&mut naive);
        self.finalizers
            .each_waiting(|target| naive.visit(Edge::of_root(target)));
        naive.run();
        naive
    }

    /// Sweeps blocks until none is left, or the time is over. Whether none is left.
    ///
    /// # Safety
    ///
    /// Marking is complete, and weak pointers are settled.
    unsafe fn sweep(&self, sweeper: &mut Sweeper<'_>, deadline: Option<Instant>) -> bool {
        /// How many blocks are taken at a time.
        const SOME: usize = 16;
        loop {
            let some = {
                let mut unswept = self.unswept.lock();
                let small = unswept.small.len().saturating_sub(SOME);
                let large = unswept.large.len().saturating_sub(1);
                Occupied {
                    small: unswept.small.split_off(small),
                    large: unswept.large.split_off(large),
                }
            };
            if some.small.is_empty() && some.large.is_empty() {
                return true;
            }
            let mut with_drops = Vec::new();
            // The lowest last, which is where cursors take from.
            for block in some.small.into_iter().rev() {
                if self.heap.has_drops(block) {
                    with_drops.push(block);
                } else {
                    // SAFETY: passed on to the caller; nothing in the block needs to be dropped.
                    unsafe { sweeper.small(block) }
                }
            }
            for head in some.large {
                if self.heap.has_drops(head) {
                    with_drops.push(head);
                } else {
                    // SAFETY: as above.
                    unsafe { sweeper.large(head) }
                }
            }
            if !with_drops.is_empty() {
                self.with_drops.lock().append(&mut with_drops);
            }
            if self.work.must_stop() || deadline.is_some_and(|end| Instant::now() >= end) {
                return false;
            }
        }
    }

    /// Puts the blocks that are to be swept in order: the highest are swept first, for cursors take what was brought back
    /// last, and should find the lowest there.
    fn sort_unswept(&self) {
        self.unswept.lock().small.sort_unstable();
    }

    /// Stops all that is going on, for good, and gives all blocks back to the store.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running, nor will be.
    pub(crate) unsafe fn shut_down(&self) {
        self.work.set_stop(true);
        self.jobs.close();
        self.housekeeping.close();
        let mut rest = core::mem::take(&mut *self.unswept.lock());
        let mut with_drops = core::mem::take(&mut *self.with_drops.lock());
        with_drops.append(&mut self.dying.take_blocks());
        for block in with_drops {
            // SAFETY: the block is ours.
            if unsafe { self.heap.blocks().state(block) }.is_large_head() {
                rest.large.push(block);
            } else {
                rest.small.push(block);
            }
        }
        self.heap.put_back(rest);
    }
}
