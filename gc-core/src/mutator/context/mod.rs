//! A mutator: what one thread that runs the program has of a heap.
//!
//! A [`Context`] is an allocator, a write barrier, and a buffer of pointers for the markers. A local arena has one;
//! a shared arena has one for each thread that is attached. Each file here is one entrance:
//!
//! | file | entrance |
//! | --- | --- |
//! | [`allocation`] | memory for objects, and figures of what was allocated |
//! | [`write_barrier`] | before a write |
//! | [`reads`] | when a pointer is read that markers do not follow: by a weak pointer, a handle or an atomic cell |
//! | [`measuring`] | what written values own outside of the heap |
//! | [`retagging`] | tags of what is written, where its pointers can move |
//! | [`finalization`] | finalization calls, in a paused cycle |
//! | [`safepoint`] | safepoints, and the end of the arena |
//!
//! # Invariants
//!
//! 1. *Tags are right.* Outside of `mutate` calls, the tags of every object are right, and tell all of its
//!    pointers, except for objects with the dirty bit, and, after unknown writes, all objects whose pointers can
//!    move. Which of these are still dirty when a cycle begins, [`retagging`] says.
//! 2. *External is dirty.* External objects have the dirty bit.
//! 3. *One user.* A context is used by the thread of its mutator, or, while no `mutate` call of this mutator runs,
//!    by who has stopped it. Whoever it is may call `trace` of values: the thread is the heap's one mutator, or
//!    values are `Send` and `Sync`.
//! 4. *Armed while marking.* Outside of safepoints, `armed` is [`BlockState::ANY`] if and only if the phase is
//!    `Marking` or `Finalizing`: what changes the phase at a safepoint [arms](Context::arm) all contexts anew, and
//!    a mutator that aborts the cycle arms its own. At a safepoint, a heap's one mutator has it at
//!    [`BlockState::NOTED`].
//!
//! # What this does not do
//!
//! It knows no types of the program and no pointers with brands: those are in [`allocation`](super::allocation) and
//! the rooms above. It does not stop other mutators, which only a shared arena can.

mod allocation;
mod finalization;
mod measuring;
mod reads;
mod retagging;
mod safepoint;
mod write_barrier;

use core::cell::{Cell, RefCell};

use self::retagging::Retagging;
use crate::collector::options::{FinalizerMode, HeapOptions};
use crate::collector::snapshot_buffer::SnapshotBuffer;
use crate::collector::{Collector, Mutators, Phase};
use crate::heap::Heap;
use crate::heap::allocator::Allocator;
use crate::heap::block::BlockState;
use crate::heap::error::HeapError;
use crate::mutator::local_arenas::Links;
use crate::mutator::written::Written;
use crate::os::fork::Process;
use crate::sync::Arc;

/// See the [module documentation](self).
pub(crate) struct Context {
    allocator: Allocator,
    /// Bits of a block's state that do not let the write barrier pass.
    armed: Cell<u8>,
    /// Pointers for the markers.
    buffer: RefCell<SnapshotBuffer>,
    /// An empty one.
    spare_buffer: Cell<SnapshotBuffer>,
    /// Whether a finalization call runs, and what it has written.
    finalizing: Cell<bool>,
    kept: RefCell<Vec<usize>>,
    written: Written,
    retagging: Retagging,
    /// What the root is known to own outside of the heap.
    owned_by_root: Cell<usize>,
    collector: Arc<Collector>,
    /// The process in which the arena was made.
    process: Process,
    links: Links,
}

impl Context {
    /// The one mutator of a new heap.
    pub(crate) fn new(options: &HeapOptions) -> Result<Context, HeapError> {
        if options.finalizer_mode == FinalizerMode::Thread {
            return Err(HeapError::InvalidOption {
                option: "finalizers",
                value: FinalizerMode::Thread as usize,
                expected: "a mode without a thread, unless the arena is a shared one",
            });
        }
        let collector = Collector::new(options, Mutators::One)?;
        Ok(Context::join(Arc::new(collector), Process::current()))
    }

    /// A mutator of a heap that was made in `process`. Its barrier is armed for the phase of now.
    pub(crate) fn join(collector: Arc<Collector>, process: Process) -> Context {
        let context = Context {
            allocator: Allocator::new(&collector.heap),
            armed: Cell::new(BlockState::NOTED),
            buffer: RefCell::default(),
            spare_buffer: Cell::default(),
            finalizing: Cell::new(false),
            kept: RefCell::default(),
            written: Written::new(),
            retagging: Retagging::default(),
            owned_by_root: Cell::new(0),
            collector,
            process,
            links: Links::default(),
        };
        context.arm();
        context
    }

    /// The neighbours in the list of a thread's arenas.
    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    #[inline(always)]
    pub(crate) fn collector(&self) -> &Arc<Collector> {
        &self.collector
    }

    #[inline(always)]
    pub(crate) fn heap(&self) -> &Heap {
        &self.collector.heap
    }

    /// Gives the markers all pointers that this mutator has buffered.
    pub(crate) fn flush(&self) {
        let mut buffer = self.buffer.borrow_mut();
        if !buffer.is_empty() {
            buffer.flush(&self.collector.work);
        }
    }

    /// Lets `f` fill a buffer, and appends that to this mutator's.
    ///
    /// `f` may call the `trace` of a value, which is the user's code. If that panics, what this call has buffered
    /// is dropped. If it comes here again, the inner call has a buffer of its own.
    fn with_buffer(&self, f: impl FnOnce(&mut SnapshotBuffer)) {
        let mut buffer = self.spare_buffer.take();
        f(&mut buffer);
        let mut all = self.buffer.borrow_mut();
        all.append(&mut buffer);
        if all.is_large() {
            all.flush(&self.collector.work);
        }
        drop(all);
        self.spare_buffer.set(buffer);
    }

    /// Sets which bits of a block's state do not let the write barrier pass in the phase of now, and whether who
    /// writes makes tags anew.
    pub(crate) fn arm(&self) {
        self.armed.set(match self.collector.phase() {
            Phase::Marking | Phase::Finalizing => BlockState::ANY,
            _ => BlockState::NOTED,
        });
        self.begin_retagging();
    }

    /// Whether a cycle marks while the program runs.
    #[inline(always)]
    pub(crate) fn is_marking(&self) -> bool {
        self.armed.get() == BlockState::ANY
    }

    /// Whether this is a forked child of the process in which the arena was made.
    #[inline(always)]
    pub(crate) fn is_forked(&self) -> bool {
        self.process.is_parent()
    }

    /// Panics in a forked child.
    #[inline(always)]
    pub(crate) fn check_process(&self) {
        if self.is_forked() {
            refuse_forked();
        }
    }
}

#[cold]
#[inline(never)]
pub(crate) fn refuse_forked() -> ! {
    panic!(
        "this process was forked from the one in which the arena was made, and has none of its threads: \
         make arenas after forking, or use them in the parent only"
    )
}
