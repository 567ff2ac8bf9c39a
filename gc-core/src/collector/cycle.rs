//! The state of a cycle: its phase, which every thread may look at, and what the thread at the safepoint knows of it.

use core::time::Duration;
use std::time::Instant;

use super::dispose::Disposer;
use super::mark::Backlog;
use super::references::Stage;
use super::rescan::Rescan;
use crate::heap::volume::Volume;

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
    /// All is marked that will be. Weak pointers to dead objects are cleared.
    ClearingWeak,
    /// Freeing the rest.
    Sweeping,
    /// Marking was aborted. What it has done must be cleared away.
    Aborted,
}

impl Phase {
    pub(super) const ALL: [Phase; 6] = [
        Phase::Sleeping,
        Phase::Marking,
        Phase::Finalizing,
        Phase::ClearingWeak,
        Phase::Sweeping,
        Phase::Aborted,
    ];

    /// Whether the collector may go from this phase to `next`.
    pub(super) fn may_become(self, next: Phase) -> bool {
        use Phase::*;
        matches!(
            (self, next),
            (Sleeping, Marking)
                | (Marking, Finalizing | ClearingWeak)
                | (Finalizing, ClearingWeak)
                | (ClearingWeak, Sweeping)
                | (Sweeping, Sleeping)
                | (Marking | Finalizing, Aborted)
                | (Aborted, Sleeping)
        )
    }
}

/// What a cycle is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Mutators are stopped until it is known what is dead.
    StopTheWorld,
    /// Mutators go on: what was reachable when the cycle began is kept, and what is allocated in it.
    Snapshot,
}

/// What the thread at the safepoint knows of the cycle in progress.
pub(crate) struct Cycle {
    /// How many cycles have begun.
    pub(super) number: u64,
    pub(super) kind: Kind,
    /// Whether the cycle goes no farther than to where marking is finished, at this safepoint.
    pub(super) pauses: bool,
    /// Whether a safepoint that goes on with it does so until it has reached its end, or is where it pauses: it is not
    /// worth steps, and other threads.
    pub(super) whole: bool,
    /// When it began, and when marking was complete.
    pub(super) began: Instant,
    pub(super) marked: Instant,
    /// When the thread came to the present safepoint.
    pub(super) entered: Instant,
    /// Time spent at its safepoints.
    pub(super) spent: Duration,
    /// Objects allocated ever when it began, when allocating black began, and when marking was complete.
    pub(super) allocated_begun: Volume,
    pub(super) allocated_unblack: Volume,
    pub(super) allocated_marked: Volume,
    /// Bytes that were allocated black before a pause.
    pub(super) black_before: u64,
    /// The same at the last safepoint, and for how long safepoints should work for them.
    pub(super) allocated: Volume,
    pub(super) credit: Duration,
    /// What the safepoints' own marker has still to do.
    pub(super) backlog: Backlog,
    /// What is scanned again because weak pointers were read, and for how many cycles to come writes are remembered,
    /// as the program is taken to read such as lead to what is dead.
    pub(super) rescan: Rescan,
    pub(super) polled: u32,
    /// Targets of weak pointers, to be processed.
    pub(super) weak: Vec<usize>,
    /// What is next of processing references, and at how many of those objects was looked.
    pub(super) stage: Stage,
    pub(super) cleared: usize,
    /// Bytes of the heap that only weak pointers keep.
    pub(super) shells: u64,
    /// Bytes of the heap that survive it because finalizers wait: in the queue, or since it has enqueued them.
    pub(super) kept: usize,
    pub(super) disposer: Disposer,
    /// Spare blocks when it began: those which the program had no use for since the last.
    pub(super) idle: usize,
    /// The end of the cycle before.
    pub(super) ended: Instant,
    /// How many collections in a row left the program hardly any time and memory.
    pub(super) thrashing: u32,
}

impl Cycle {
    /// Before the first.
    pub(super) fn new() -> Cycle {
        let now = Instant::now();
        Cycle {
            number: 0,
            kind: Kind::StopTheWorld,
            pauses: false,
            whole: false,
            began: now,
            marked: now,
            entered: now,
            spent: Duration::ZERO,
            allocated_begun: Volume::default(),
            allocated_unblack: Volume::default(),
            allocated_marked: Volume::default(),
            black_before: 0,
            allocated: Volume::default(),
            credit: Duration::ZERO,
            backlog: Backlog::default(),
            rescan: Rescan::default(),
            polled: 0,
            weak: Vec::new(),
            stage: Stage::default(),
            cleared: 0,
            shells: 0,
            kept: 0,
            disposer: Disposer::default(),
            idle: 0,
            ended: now,
            thrashing: 0,
        }
    }

    /// Begins the next, when so much was allocated ever.
    pub(super) fn begin(&mut self, kind: Kind, allocated: Volume) {
        self.number += 1;
        self.kind = kind;
        self.whole = false;
        self.began = Instant::now();
        self.spent = Duration::ZERO;
        self.allocated_begun = allocated;
        self.allocated = allocated;
        self.credit = Duration::ZERO;
        self.shells = 0;
        self.black_before = 0;
        self.stage = Stage::Queue;
    }
}
