//! The collector: mark-sweep, with the world stopped, incremental, or concurrent.
//!
//! One cycle, from beginning to end:
//!
//! 1. **The snapshot.** At a safepoint, where no `mutate` call runs, allocation buffers are retired. From now on,
//!    objects are allocated black: marked and claimed; or, in a cycle that remembers writes ([`rescan`]), only claimed. The
//!    roots are traced.
//! 2. **Marking.** From the roots, everything that was reachable at the snapshot is marked through the tagged words
//!    ([`mark`]). Before the program first writes to an object of the snapshot, the write barrier *claims* it and
//!    notes what it held ([`claim`]), so nothing that was reachable is missed. Objects whose pointers only their
//!    own `trace` knows are traced by the program's thread, at safepoints ([`marking`]).
//! 3. **The end of marking.** At a safepoint where the markers rest, no packet is left, and no object waits to be
//!    traced, everything is marked. If the program has read weak pointers to objects that are not, the collector
//!    looks for them in what was written since ([`rescan`]). A program that wants to look at what is dead pauses
//!    the cycle here ([`finalization`]).
//! 4. **References** to dead objects are processed ([`references`]): weak pointers are cleared, finalizers are
//!    enqueued, and what these see is marked. Objects that only weak pointers lead to become shells ([`weak`]).
//! 5. **Sweeping.** Everything that is not marked is freed, block by block ([`sweeping`]). Values that need `Drop`
//!    are dropped just before, by the program's thread ([`dispose`], [`dying`]).
//! 6. **The end.** The survivors tell when the next cycle is due ([`pacer`]), and how much empty memory to keep
//!    until then ([`end`]).
//!
//! [`driver`] leads a cycle from phase to phase, whatever the [`Mode`](options::Mode). With `StopTheWorld`, the
//! thread at the safepoint does everything before it returns, with helpers. With `Incremental`, it does all the
//! work in steps of some microseconds. With `Concurrent`, other threads mark and sweep ([`jobs`]), and safepoints
//! do only what these cannot, or what they are too slow for. [`cycle`] has the phases and the kinds of cycles.
//!
//! A panic of a `trace`, and a write whose target object is unknown, abort the cycle: markers stop, all marks are
//! cleared, and nothing is freed. In the second case the next cycle stops the world.
//!
//! With [`Zeal`](options::Zeal), a naive marker checks the result of marking, and the heap is verified after each
//! cycle.
//!
//! # Invariants
//!
//! 1. The phase changes only at safepoints, while no `mutate` call runs. There are two exceptions: the one mutator
//!    of a heap may change it to `Aborted` in a `mutate` call, and sweeping may end while mutators run.
//! 2. Between cycles no mark is set and nothing is claimed.
//! 3. One thread at a time is at a safepoint of a heap: it has the lock of [`Cycle`].

pub(crate) mod claim;
mod cycle;
pub(crate) mod dispose;
pub(crate) mod driver;
pub(crate) mod dying;
mod end;
pub(crate) mod finalization;
mod jobs;
pub(crate) mod mark;
mod marking;
mod naive;
pub(crate) mod options;
pub(crate) mod pacer;
pub(crate) mod pacing;
mod progress;
pub(crate) mod references;
mod release;
mod reports;
pub(crate) mod rescan;
pub(crate) mod snapshot_buffer;
pub(crate) mod statistics;
mod stop_the_world;
mod sweeping;
pub(crate) mod unmeasured;
pub(crate) mod untraced;
mod verify;
pub(crate) mod weak;
pub(crate) mod weak_reads;
pub(crate) mod work;

use self::claim::Claims;
pub(crate) use self::cycle::{Cycle, Phase};
use self::dispose::Disposer;
use self::dying::Dying;
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
use self::reports::Reports;
use self::statistics::Statistics;
use self::sweeping::Sweeping;
use self::unmeasured::Unmeasured;
use self::untraced::Untraced;
use self::weak_reads::WeakReads;
use self::work::Work;
use crate::collector::options::{FinalizerMode, HeapOptions};
use crate::heap::Heap;
use crate::heap::black::AllocationColor;
use crate::heap::error::HeapError;
use crate::heap::space::AddressSpace;
use crate::heap::volume::Volume;
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, Mutex, Ordering};
use crate::types::trace::{Edge, EdgeVisitor};

/// With less room than this below its limit, a heap is collected with the world stopped.
const LITTLE_ROOM: usize = 1 << 20;

/// Hears of finalizers.
pub(crate) type FinalizerHook = dyn Fn(&FinalizerReport<'_>) + Send + Sync;

/// Visits the roots of a heap.
pub(crate) type Roots<'a> = dyn Fn(&mut dyn EdgeVisitor) + 'a;

/// A program at a safepoint, as the collector sees it.
pub(crate) struct Program<'a> {
    /// Visits the roots, while no `mutate` call runs.
    pub(crate) roots: &'a Roots<'a>,
    /// Calls a function while no `mutate` call runs. Before, the mutators' snapshot buffers are flushed, and their
    /// allocation buffers are retired.
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

/// How many units of some work are done between two looks at the clock.
const BETWEEN_LOOKS: usize = 16;

/// A heap with its collector.
pub(crate) struct Collector {
    pub(crate) heap: Heap,
    pub(crate) options: HeapOptions,
    mutators: Mutators,
    /// What markers share.
    pub(crate) work: Work,
    pub(crate) finalizers: Finalizers,
    pub(crate) cohorts: Cohorts,
    /// Values whose destructors are to run.
    pub(crate) dying: Dying,
    pub(crate) pacer: Mutex<Pacer>,
    /// Bytes allocated ever, and the weight of what values own, from each of which on a safepoint has something to do.
    due_at_bytes: AtomicU64,
    due_at_weight: AtomicU64,
    pub(crate) statistics: Mutex<Statistics>,
    reports: Reports,
    /// The [`Phase`].
    phase: AtomicU8,
    /// Whether the cycle was made to pause where everything was marked, and still marks: for more may have come up
    /// since.
    paused: AtomicBool,
    /// Bytes that were allocated ever when it paused.
    paused_at: AtomicU64,
    /// Whether there was a write to an object that is not known.
    unknown_writes: AtomicBool,
    /// Whether an object was claimed in this cycle whose contents were not recorded.
    unrecorded: AtomicBool,
    /// Whether an atomic cell in memory of an unknown object was written, so that all such memory is rescanned.
    owned_cells_written: AtomicBool,
    /// What claims note: see [`rescan::Noting`].
    noting: AtomicU8,
    weak_reads: WeakReads,
    claims: Claims,
    pub(crate) untraced: Untraced,
    sweeping: Sweeping,
    /// What elements of collections own that nobody knows yet.
    pub(crate) unmeasured: Unmeasured,
    /// What other threads do in the cycle, and what they do that may outlast it.
    jobs: Jobs,
    housekeeping: Jobs,
    /// For zeal: what values told in the cycle before.
    told: Mutex<Told>,
    progress: Progress,
    cycle: Mutex<Cycle>,
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
        Ok(Collector {
            heap: Heap::new(space, options.limit, options.reserve.is_some()),
            options: *options,
            mutators,
            work: Work::new(),
            finalizers: Finalizers::new(),
            cohorts: Cohorts::default(),
            dying: Dying::default(),
            due_at_bytes: AtomicU64::new(pacer.due_at().bytes),
            due_at_weight: AtomicU64::new(pacer.due_at().weight),
            pacer: Mutex::new(pacer),
            statistics: Mutex::default(),
            reports: Reports::default(),
            phase: AtomicU8::new(Phase::Sleeping as u8),
            paused: AtomicBool::new(false),
            paused_at: AtomicU64::new(0),
            unknown_writes: AtomicBool::new(false),
            unrecorded: AtomicBool::new(false),
            owned_cells_written: AtomicBool::new(false),
            noting: AtomicU8::new(0),
            weak_reads: WeakReads::new(),
            claims: Claims::default(),
            untraced: Untraced::default(),
            sweeping: Sweeping::default(),
            unmeasured: Unmeasured::default(),
            jobs: Jobs::default(),
            housekeeping: Jobs::default(),
            told: Mutex::default(),
            progress: Progress::default(),
            cycle: Mutex::new(Cycle::new()),
        })
    }

    /// Where in its cycle the collector is.
    #[inline]
    pub(crate) fn phase(&self) -> Phase {
        // `Acquire`, partner: `enter`. Who sees that sweeping has begun also sees all shells.
        Phase::ALL[usize::from(self.phase.load(Ordering::Acquire))]
    }

    /// Enters the next phase.
    ///
    /// # Panics
    ///
    /// If that does not follow the present one.
    ///
    /// # Safety
    ///
    /// 1. No `mutate` call runs. The exceptions are those of invariant 1: the thread is the heap's one mutator and
    ///    `next` is [`Phase::Aborted`], or sweeping is over.
    /// 2. The present phase has done what it is for. From [`Phase::Marking`] on to [`Phase::ClearingWeak`] everything
    ///    that will survive is marked, but for what finalizers see. Before [`Phase::Sweeping`], weak pointers to dead
    ///    objects are cleared.
    /// 3. Before [`Phase::Sleeping`], every block is swept, or nothing is marked or claimed.
    /// 4. No marker is at work, unless `next` is [`Phase::Marking`] or [`Phase::Finalizing`].
    unsafe fn enter(&self, next: Phase) {
        let phase = self.phase();
        assert!(
            phase.may_become(next),
            "the collector cannot go from {phase:?} to {next:?}"
        );
        // Relaxed: looked at by whoever has paused the cycle, or at a safepoint.
        self.paused.store(false, Ordering::Relaxed);
        if !matches!(next, Phase::Marking | Phase::Finalizing) {
            self.untraced.forget_contents();
        }
        // `Release`, partner: `phase`.
        self.phase.store(next as u8, Ordering::Release);
        self.report_phase(next);
    }

    /// Whether the program has paused the cycle where everything was marked, and it has not gone farther since.
    ///
    /// A paused cycle still marks: its phase is [`Phase::Marking`], the barrier is armed, and writes are remembered
    /// ([`rescan`]). So the program may do whatever it may do while a cycle marks. If that brings up more to be marked,
    /// it is marked before the cycle goes on. The next safepoint leads the cycle to its end, unless it asks for
    /// something else.
    pub(crate) fn is_paused(&self) -> bool {
        // Relaxed: as in `enter`.
        self.paused.load(Ordering::Relaxed)
    }

    /// Whether the cycle is paused, and nothing has come up since that must be marked, but for what is in snapshot
    /// buffers. So much was allocated ever. (Whether something leads to what is new is not known, and it has no mark.
    /// If nothing is new, a write leads to what is marked, or to what was read by a weak pointer.)
    pub(crate) fn is_marked(&self, allocated: Volume) -> bool {
        // Relaxed: as in `enter`.
        self.is_paused()
            && self.paused_at.load(Ordering::Relaxed) == allocated.bytes
            && self.work.has_no_packets()
            && self.work.has_none_to_trace()
            && !self.weak_reads.has_unmarked(&self.heap)
    }

    /// Whether a safepoint has anything to do, when so much was allocated ever.
    #[inline]
    pub(crate) fn wants_safepoint(&self, allocated: Volume) -> bool {
        // Relaxed: figures by themselves. The weight wraps.
        let heavier = (allocated.total_weight() as i64)
            .wrapping_sub(self.due_at_weight.load(Ordering::Relaxed) as i64);
        heavier >= 0
            || allocated.bytes >= self.due_at_bytes.load(Ordering::Relaxed)
            || self.phase() != Phase::Sleeping
            || self.options.zeal.collect
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

    /// Whether safepoints have finalizers to run.
    fn finalizers_are_due(&self) -> bool {
        self.options.finalizer_mode == FinalizerMode::AfterCollection
            && self.finalizers.waiting() > 0
    }

    /// Whether other threads than the caller's may be sweeping. They begin at safepoints only.
    pub(crate) fn others_sweep(&self) -> bool {
        self.phase() == Phase::Sweeping && self.jobs.unfinished() > 0
    }

    /// Whether the heap has one mutator, which may abort a cycle.
    pub(crate) fn has_one_mutator(&self) -> bool {
        self.mutators == Mutators::One
    }

    /// Aborts a cycle that marks: when this returns, no marker reads anything. What the cycle has done is cleared
    /// away at the next safepoint.
    ///
    /// # Safety
    ///
    /// 1. Mutators are stopped, or the thread is the heap's one mutator.
    /// 2. No marker is at work but those of the collector's jobs.
    pub(crate) unsafe fn abort_marking(&self) {
        self.work.set_stop(true);
        self.jobs.close();
        // SAFETY: no `mutate` call runs, or it is that of the heap's one mutator (1). Only jobs were marking (2), and
        // they are closed. An aborted cycle may have done anything before.
        unsafe { self.enter(Phase::Aborted) };
    }

    /// Clears away what an aborted cycle has done.
    ///
    /// # Safety
    ///
    /// No mutator and no marker is at work.
    unsafe fn clear_aborted(&self, cycle: &mut Cycle) {
        // SAFETY: no marker is at work (the caller's promise).
        unsafe { self.work.clear() };
        // SAFETY: no mutator is in a `mutate` call (the caller's promise).
        unsafe { self.heap.set_allocation_color(AllocationColor::White) };
        cycle.backlog = Backlog::default();
        cycle.weak = Vec::new();
        cycle.stage = Stage::default();
        self.forget_weak_reads(cycle);
        self.finalizers.finish_enqueuing();
        self.heap.clear_marks();
        // SAFETY: no mutator and no marker is at work (the caller's promise), and no mark and no claim is left.
        unsafe { self.enter(Phase::Sleeping) };
    }

    /// Notes that an object is about to be written that is not known.
    pub(crate) fn note_unknown_write(&self) {
        // Relaxed: it is read when this mutator has left its `mutate` call.
        self.unknown_writes.store(true, Ordering::Relaxed);
    }

    /// Notes that an object of the snapshot is claimed whose contents are not recorded. The cycle in progress scans
    /// again what was written, before marking is complete.
    fn note_unrecorded(&self) {
        // Relaxed: looked at when mutators have left their `mutate` calls.
        self.unrecorded.store(true, Ordering::Relaxed);
    }

    /// Whether there is such an object.
    fn has_unrecorded(&self) -> bool {
        // Relaxed: as above.
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// Whether there was an unknown write since the last cycle that stopped the world.
    pub(crate) fn has_unknown_writes(&self) -> bool {
        // Relaxed: read by the mutator itself, or when mutators have left their `mutate` calls since.
        self.unknown_writes.load(Ordering::Relaxed)
    }

    /// The panics that the cycle in progress has caught.
    pub(crate) fn take_disposer(&self) -> Disposer {
        core::mem::take(&mut self.cycle.lock().disposer)
    }

    /// Checks that everything which can be reached now will survive.
    ///
    /// # Safety
    ///
    /// As for [`Collector::safepoint`], no `mutate` call is running, and marking is complete.
    unsafe fn check_marks(&self, roots: &Roots<'_>) {
        // SAFETY: the caller makes the safepoint promises, and no `mutate` call is running.
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
        // SAFETY: no `mutate` call is running, and this thread may trace values (safepoint promise 3).
        let mut naive = unsafe { NaiveMarker::new(&self.heap, &self.work) };
        roots(&mut naive);
        self.visit_cohorts(&mut naive);
        self.finalizers
            .each_waiting(|target| naive.visit(Edge::of_root(target)));
        naive.run();
        naive
    }

    /// Ends all jobs for good, and gives all blocks back to the store.
    ///
    /// # Safety
    ///
    /// No `mutate` call is running, nor will be.
    pub(crate) unsafe fn shut_down(&self) {
        self.work.set_stop(true);
        self.jobs.close();
        self.housekeeping.close();
        let mut rest = core::mem::take(&mut *self.sweeping.unswept.lock());
        let mut with_drops = core::mem::take(&mut *self.sweeping.with_drops.lock());
        with_drops.append(&mut self.dying.take_blocks());
        for block in with_drops {
            if self.heap.state(block).is_large_head() {
                rest.large.push(block);
            } else {
                rest.small.push(block);
            }
        }
        self.heap.put_back(rest);
    }
}
