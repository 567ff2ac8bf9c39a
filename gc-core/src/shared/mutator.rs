//! One thread as a mutator of a shared arena.
//!
//! # Invariants
//!
//! 1. Only these threads access the contents of a [`Mutator`]: its own thread while it is inside; a thread that has the
//!    list of mutators, while all mutators or this one are outside. The counts and the place of the root are for its own
//!    thread only.

use core::cell::Cell;
use core::ptr;
use std::thread::{self, ThreadId};
use std::time::Instant;

use super::mutation::Mutation;
use super::world::World;
use crate::mutator::context::Context;
use crate::protocol::handshake::Participant;
use crate::sync::Arc;

/// See the [module documentation](self).
pub(super) struct Mutator {
    pub(super) world: Arc<World>,
    thread: ThreadId,
    participant: Arc<Participant>,
    context: Context,
    /// How many guards the thread has.
    guards: Cell<usize>,
    /// In how many calls, one in another, it is.
    depth: Cell<usize>,
    /// From where to where the root is, which stays there while the thread has a guard. Nowhere, if it has none.
    root: Cell<(usize, usize)>,
}

// SAFETY: by invariant 1 no two threads use the cells at the same time; and one sees what another did
// before, by the handshake or the lock of the list.
unsafe impl Send for Mutator {}
// SAFETY: as above.
unsafe impl Sync for Mutator {}

impl Mutator {
    /// The calling thread, outside, without a guard. The caller has the list of mutators, has made `context`
    /// since, and puts the result there.
    pub(super) fn new(world: &Arc<World>, context: Context) -> Mutator {
        Mutator {
            thread: thread::current().id(),
            participant: world.handshake.register(),
            context,
            world: Arc::clone(world),
            guards: Cell::new(0),
            depth: Cell::new(0),
            root: Cell::new((0, 0)),
        }
    }

    /// Whether it is the calling thread's.
    pub(super) fn is_mine(&self) -> bool {
        self.thread == thread::current().id()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.participant.has_ended()
    }

    /// One more guard of the thread.
    pub(super) fn retain(&self) {
        self.guards.set(self.guards.get() + 1);
    }

    /// Says where the root is.
    pub(super) fn set_root<T: ?Sized>(&self, root: &T) {
        let start = ptr::from_ref(root).addr();
        self.root.set((start, start + size_of_val(root)));
    }

    /// Whether an address lies in the root itself.
    pub(super) fn is_in_root(&self, address: usize) -> bool {
        let (start, end) = self.root.get();
        (start..end).contains(&address)
    }

    /// A guard less; whether it was the last.
    pub(super) fn release(&self) -> bool {
        self.guards.set(self.guards.get() - 1);
        self.guards.get() == 0
    }

    /// The participant that this is in the handshake.
    pub(super) fn participant(&self) -> &Arc<Participant> {
        &self.participant
    }

    /// What the thread has of the heap.
    ///
    /// # Safety
    ///
    /// This thread may touch it now (invariant 1).
    #[inline(always)]
    pub(super) unsafe fn context(&self) -> &Context {
        &self.context
    }

    /// Measures what the thread has written, flushes its snapshot buffer, and retires its allocation buffers.
    ///
    /// # Safety
    ///
    /// As for [`Mutator::context`], and no thread is in a call.
    pub(super) unsafe fn halt(&self) {
        // SAFETY: no thread is in a call (the caller's promise). Every stop calls this before anything is freed, so
        // what the thread has noted in its calls still exists.
        unsafe {
            self.context.measure_written(true);
            self.leave();
        }
    }

    /// Flushes the thread's snapshot buffer and retires its allocation buffers. What it noted as written stays noted.
    ///
    /// # Safety
    ///
    /// As for [`Mutator::context`].
    pub(super) unsafe fn leave(&self) {
        self.context.flush();
        self.context.retire();
    }

    /// Whether the thread is in a `mutate` call. It is the calling thread.
    pub(super) fn is_inside(&self) -> bool {
        self.depth.get() > 0
    }

    /// Runs finalizers that wait, each in a call: at most `count`, and no more when the deadline is over. How
    /// many. It is the calling thread.
    pub(super) fn run_finalizers(&self, count: usize, deadline: Option<Instant>) -> usize {
        let in_time = || deadline.is_none_or(|end| Instant::now() < end);
        self.run_finalizers_while(count, in_time)
    }

    /// The same, as long as `go_on` says so, which is called after each.
    pub(super) fn run_finalizers_while(&self, count: usize, go_on: impl Fn() -> bool) -> usize {
        let mut run = 0;
        while run < count {
            let inside = self.enter();
            // SAFETY: the thread is inside. Finalizers are callbacks for any lifetime.
            let some = unsafe {
                let mc = ptr::from_ref(Mutation::new(self)).cast();
                self.context.run_finalizers(mc, 1, None)
            };
            drop(inside);
            self.context.collector().report_panics();
            run += some;
            if some == 0 || !go_on() {
                break;
            }
        }
        run
    }

    /// The thread begins a call. It is the calling thread.
    #[inline]
    pub(super) fn enter(&self) -> Inside<'_> {
        let depth = self.depth.get();
        if depth == 0 {
            self.world.forbid_in_collection();
            self.context.check_process();
            self.world.handshake.enter(&self.participant);
        }
        self.depth.set(depth + 1);
        Inside(self)
    }
}

/// A call in progress. Dropped, it is over.
pub(super) struct Inside<'a>(&'a Mutator);

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        let Inside(mutator) = *self;
        let depth = mutator.depth.get();
        if depth == 1 {
            // Still inside: `owned_bytes` is code of the user's. It may make calls of its own, and
            // must not collect what is not measured yet.
            // SAFETY: the call is over but for this, and nothing that it has written can have been freed.
            unsafe { mutator.context.measure_written(false) };
            mutator.context.report_owned();
            mutator.context.flush();
        }
        mutator.depth.set(depth - 1);
        if depth == 1 {
            mutator.world.handshake.leave(&mutator.participant);
        }
    }
}
