//! What one mutator has of a heap: its allocator, and what it found for the markers.
//!
//! # The write barrier
//!
//! Before an object is written through a cell, its barrier is called, once or often
//! ([`Context::before_write`]). It looks at the state of the object's block and, nearly always, is
//! done. While no marker is at work there is one thing that the collector has to know of a write: that
//! the tags of an object whose pointers can move may be wrong from now on. Such objects are described,
//! which the state tells; the barrier sets their *dirty* bit. Whoever needs the tags of a dirty object
//! makes them anew by visiting its value: the marker does so when it reaches the object, so objects
//! that are written and die cost nothing. External objects are dirty from birth to death.
//!
//! While a marker is at work beside the program, the barrier also *claims* the object
//! ([`crate::collector::claim`]).
//!
//! And the barrier notes objects whose values have destructors, for they may own more when they were written
//! ([`crate::mutator::written`]).
//!
//! Which of these it is, is one byte of the context: the bits of a block's state that do not let the
//! barrier pass.
//!
//! # Invariants
//!
//! 1. Outside of `mutate` calls, the tags of every object tell the truth, and are all of its
//!    pointers, except for those with the dirty bit, and, if there were unknown writes, all whose
//!    pointers can move.
//! 2. External objects have the dirty bit.

use core::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};

use crate::collector::claim::SnapshotBuffer;
use crate::collector::driver::Safepoint;
use crate::collector::finalization::Kept;
use crate::collector::options::{FinalizerMode, HeapOptions};
use crate::collector::{Collector, Mutators, Phase, Program, Roots};
use crate::heap::Heap;
use crate::heap::allocator::Allocator;
use crate::heap::block::BlockState;
use crate::heap::bump::Shape;
use crate::heap::error::{HeapError, WaitingFinalizers};
use crate::heap::extent::Extent;
use crate::heap::planes::WORD;
use crate::heap::volume::Volume;
use crate::mutator::local_arenas::Links;
use crate::mutator::written::{Look, Written};
use crate::os::fork::Process;
use crate::sync::{Arc, Ordering, fence};
use crate::types::descriptor::Described;
use crate::types::owned_bytes::only_looking;
use crate::types::trace::{Edge, EdgeVisitor};

pub(crate) struct Context {
    allocator: Allocator,
    /// Bits of a block's state that do not let the write barrier pass.
    armed: Cell<u8>,
    found: RefCell<SnapshotBuffer>,
    /// Whether a finalization call runs, and what it has written.
    finalizing: Cell<bool>,
    kept: RefCell<Vec<usize>>,
    /// An empty one.
    spare_found: Cell<SnapshotBuffer>,
    written: Written,
    /// What the root is known to own outside of the heap.
    owned_by_root: Cell<usize>,
    collector: Arc<Collector>,
    /// Where the arena was made.
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

    /// A mutator of a heap, which was made in `process`, in the phase that it is in now.
    pub(crate) fn join(collector: Arc<Collector>, process: Process) -> Context {
        let context = Context {
            allocator: Allocator::new(&collector.heap),
            armed: Cell::new(BlockState::NOTED),
            found: RefCell::default(),
            finalizing: Cell::new(false),
            kept: RefCell::default(),
            spare_found: Cell::default(),
            written: Written::new(),
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

    /// Hands over what this mutator has found.
    pub(crate) fn flush(&self) {
        let mut found = self.found.borrow_mut();
        if !found.is_empty() {
            found.flush(&self.collector.work);
        }
    }

    /// Leaves all holes; see [`Allocator::retire_all`].
    pub(crate) fn retire(&self) {
        self.allocator.retire_all(self.heap());
    }

    /// Whether this is a forked child of the process in which the arena was made.
    #[inline(always)]
    pub(crate) fn is_forked(&self) -> bool {
        self.process.is_parent()
    }

    /// Refuses to go on in a forked child.
    #[inline(always)]
    pub(crate) fn check_process(&self) {
        if self.is_forked() {
            refuse_forked();
        }
    }

    #[inline(always)]
    pub(crate) fn collector(&self) -> &Arc<Collector> {
        &self.collector
    }

    #[inline(always)]
    pub(crate) fn heap(&self) -> &Heap {
        &self.collector.heap
    }

    /// See [`Allocator::allocate`].
    #[inline(always)]
    pub(crate) fn allocate(&self, shape: &Shape) -> Option<usize> {
        self.allocator.allocate(self.heap(), shape)
    }

    /// See [`Heap::extend_large`]. Nothing is extended while a cycle is in progress.
    ///
    /// # Safety
    ///
    /// As there, but for the cycle.
    pub(crate) unsafe fn extend_large(&self, start: usize, bytes: usize) -> bool {
        // The phase does not become another one here: that happens where no `mutate` runs.
        self.collector.phase() == Phase::Sleeping
            // SAFETY: passed on to the caller; and no cycle is in progress.
            && unsafe { self.heap().extend_large(start, bytes) }
    }

    /// The reason why an allocation failed, of which the pacer is told.
    #[cold]
    #[inline(never)]
    pub(crate) fn no_memory(&self) -> HeapError {
        self.collector.pace(|pacer| pacer.starve());
        let error = self.allocator.take_error();
        error.with_finalizers(WaitingFinalizers {
            count: self.collector.finalizers.waiting(),
            mode: self.collector.options.finalizer_mode,
        })
    }

    /// Notes by how many bytes what the values of objects own outside of the heap has grown.
    #[inline(always)]
    pub(crate) fn note_owned(&self, change: i64) {
        self.allocator.note_owned(change);
    }

    /// Lets the heap count what was noted so, if that has come to much.
    pub(crate) fn report_owned(&self) {
        self.allocator.report_owned(self.heap());
    }

    /// Notes that an object of so many bytes was allocated whose value has a destructor.
    #[inline(always)]
    pub(crate) fn note_owner(&self, bytes: usize) {
        self.written.note_allocated(bytes);
    }

    /// Looks what a value in the heap owns outside of it.
    ///
    /// # Panics
    ///
    /// If the value does.
    ///
    /// # Safety
    ///
    /// As for [`Described::measure`].
    pub(crate) unsafe fn measure(&self, object: Described) {
        // SAFETY: passed on to the caller.
        let change = unsafe { object.measure() };
        if change != 0 {
            self.note_owned(change);
        }
    }

    /// Looks what the values of objects own that were written; with `all`, also large ones that are written often, and
    /// elements of collections. If some panic, the first panic is kept for the end of a safepoint.
    ///
    /// # Safety
    ///
    /// No code of a `mutate` call of this mutator is running, and none of any with `all`. No object was freed that it has
    /// written since the last time, nor is one freed meanwhile.
    pub(crate) unsafe fn measure_written(&self, all: bool) {
        let heap = self.heap();
        let mut later = 0;
        self.written.each(all, |start, most| {
            // SAFETY: it is an object in a described block. References into it belong to a `mutate` call: this
            // mutator is in none, and if there are others, values are `Sync`, and so are their cells. What another
            // object's lock guards is left for later then.
            unsafe {
                let extent = Extent {
                    base: start,
                    bytes: heap.end_of(start) - start,
                };
                let Some(object) = Described::at(extent) else {
                    return Look::Done(0);
                };
                if object.descriptor().lent && !all && !self.collector.has_one_mutator() {
                    later += 1;
                    return Look::Later;
                }
                if extent.bytes > most {
                    return Look::TooLarge;
                }
                let measure = AssertUnwindSafe(|| only_looking(|| self.measure(object)));
                if let Err(payload) = panic::catch_unwind(measure) {
                    self.collector.keep_panic(payload);
                }
                Look::Done(extent.bytes)
            }
        });
        self.collector.unmeasured.add(later);
    }

    /// Which objects were written and are still to be looked at, which somebody else does at the next stop.
    pub(crate) fn take_written(&self) -> Vec<usize> {
        self.written.take()
    }

    /// Adds objects to those that are looked at at the next stop.
    pub(crate) fn add_written(&self, objects: impl IntoIterator<Item = usize>) {
        self.written.add(objects);
    }

    /// Looks what the root owns, as `measure` tells it. A panic is kept, as above.
    pub(crate) fn measure_root(&self, measure: impl FnOnce() -> usize) {
        match panic::catch_unwind(AssertUnwindSafe(measure)) {
            Ok(bytes) => {
                let bytes = bytes.min(crate::types::ledger::MOST);
                let before = self.owned_by_root.replace(bytes);
                self.note_owned(bytes as i64 - before as i64);
            }
            Err(payload) => self.collector.keep_panic(payload),
        }
    }

    /// Objects allocated ever.
    #[inline]
    pub(crate) fn allocated(&self) -> Volume {
        let (counted, more) = (self.heap().allocated(), self.allocator.uncounted());
        Volume {
            bytes: counted.bytes + more.bytes,
            owned: counted.owned.wrapping_add(more.owned),
        }
    }

    /// Objects that are allocated and not freed. Takes constant time.
    pub(crate) fn objects(&self) -> u64 {
        self.heap().objects() + self.allocator.uncounted_objects(self.heap())
    }

    /// By how many bytes a collection is overdue.
    pub(crate) fn debt(&self) -> f64 {
        self.collector.pacer.lock().debt(self.allocated())
    }

    /// Notes that the object at `address` is about to be written.
    ///
    /// The address is that of a `Gc` of this heap: the start of an object, or, for a value that
    /// needs no memory, one that is in no heap.
    #[inline]
    pub(crate) fn before_write(&self, address: usize) {
        if self.heap().spans(address) {
            // SAFETY: an object starts there.
            unsafe { self.before_object_write(address) }
        }
    }

    /// [`Context::before_write`] of a value that needs memory.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there.
    #[inline]
    pub(crate) unsafe fn before_object_write(&self, address: usize) {
        if self.is_armed_for(address) {
            self.note_write(address);
        }
    }

    /// Notes that the bytes from `from` to `to` of the object at `address` are about to be written.
    ///
    /// # Safety
    ///
    /// An object of this heap starts there, and these are some of its bytes.
    #[inline]
    pub(crate) unsafe fn before_partial_write(&self, address: usize, bytes: (usize, usize)) {
        if self.is_armed_for(address) {
            self.note_partial_write(address, bytes);
        }
    }

    /// [`Context::before_partial_write`] of an object that is not described.
    ///
    /// # Safety
    ///
    /// As there, and its block is not one of described objects.
    #[inline(always)]
    pub(crate) unsafe fn before_plain_write(&self, address: usize, bytes: (usize, usize)) {
        if self.is_marking() {
            self.note_partial_write(address, bytes);
        }
    }

    #[inline(always)]
    fn is_armed_for(&self, address: usize) -> bool {
        let heap = self.heap();
        // SAFETY: callers pass addresses of objects of this heap, whose blocks are below the frontier.
        unsafe {
            heap.blocks()
                .has_any(heap.owned_block(address), self.armed.get())
        }
    }

    /// Most objects that are asked for their pointers come here for nothing: between cycles, and dirty already.
    #[inline(never)]
    fn note_write(&self, address: usize) {
        if self.finalizing.get() || self.is_marking() {
            return self.note_write_in_cycle(address);
        }
        // SAFETY: an object of this heap starts there (`before_object_write`).
        unsafe { self.note_dirty(address) }
    }

    #[cold]
    #[inline(never)]
    fn note_write_in_cycle(&self, address: usize) {
        if self.finalizing.get() {
            return self.keep(address);
        }
        // SAFETY: as in `note_write`; this is its mutator.
        unsafe {
            if !self.collector.is_claimed(address) {
                self.claim(|found| self.collector.claim(address, found));
            }
            self.note_dirty(address);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_partial_write(&self, address: usize, bytes: (usize, usize)) {
        if self.finalizing.get() {
            return self.keep(address);
        }
        // SAFETY: as in `note_write`.
        unsafe {
            if self.is_marking() {
                self.claim(|found| self.collector.claim_part(address, bytes, found));
            }
            self.note_dirty(address);
        }
    }

    /// Notes that an object of this heap is about to be written, in a finalization call.
    #[cold]
    #[inline(never)]
    fn keep(&self, address: usize) {
        self.kept.borrow_mut().push(address);
        // SAFETY: an object of this heap starts there.
        unsafe { self.note_dirty(address) }
    }

    /// Calls `f` as a finalization call: what it keeps alive will be marked, and nothing else.
    ///
    /// # Panics
    ///
    /// If `f` does. If a `trace` does, which gives the cycle up. If both do, with the panic of `f`.
    ///
    /// # Safety
    ///
    /// The cycle is paused. No `mutate` call is running but this one, and `roots` visits every pointer from
    /// outside of the heap into it.
    pub(crate) unsafe fn finalize<T>(&self, roots: &Roots<'_>, f: impl FnOnce() -> T) -> T {
        self.allocator.start_noting(self.heap());
        self.finalizing.set(true);
        let result = panic::catch_unwind(AssertUnwindSafe(f));
        self.finalizing.set(false);
        let written = self.kept.take();
        self.collector.failed_traces.forget_contents();
        let made = self.allocator.stop_noting(self.heap());
        if self.is_marking() {
            let kept = Kept { written, made };
            let pins = self.heap().pins();
            let roots = &|visitor: &mut dyn EdgeVisitor| {
                roots(visitor);
                pins.each(|target| visitor.visit(Edge::of_root(target)));
            };
            // SAFETY: passed on to the caller.
            let note = || unsafe {
                self.find(|found| self.collector.note_kept(kept, roots, found));
            };
            let noting = panic::catch_unwind(AssertUnwindSafe(note));
            if let Err(payload) = noting {
                self.collector.abort_marking();
                self.arm();
                // The first panic goes on. To drop the payload of another might panic as well.
                if result.is_ok() {
                    panic::resume_unwind(payload);
                }
                core::mem::forget(payload);
            }
        }
        result.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }

    /// Whether an object is marked.
    ///
    /// # Safety
    ///
    /// `target` is the address of an object of this heap, or none in it.
    pub(crate) unsafe fn is_marked(&self, target: usize) -> bool {
        !self.heap().spans(target)
            // SAFETY: passed on to the caller; and planes are committed for what the heap spans.
            || unsafe { self.heap().planes().is_marked(target) }
    }

    /// Whether everything is marked, and the cycle is paused there.
    pub(crate) fn is_all_marked(&self) -> bool {
        self.collector.is_marked() && self.found.borrow().has_no_pointers()
    }

    /// Lets `claim` claim an object.
    ///
    /// If the object cannot be asked for its pointers, because somebody has a guard of it or has leaked one, or panics then, the
    /// cycle is given up. The next cycles ask when there are no guards ([`crate::collector::guarded`]). Mutators of
    /// which there are many cannot give a cycle up: with a guard, the collector does it when they are stopped; a
    /// panic goes on.
    fn claim(&self, claim: impl FnOnce(&mut SnapshotBuffer) -> bool) {
        let mut claimed = false;
        let claiming = AssertUnwindSafe(|| self.find(|found| claimed = claim(found)));
        if let Err(payload) = panic::catch_unwind(claiming) {
            if !self.collector.has_one_mutator() {
                panic::resume_unwind(payload);
            }
            // To drop it might panic as well.
            core::mem::forget(payload);
        }
        if !claimed {
            self.before_unknown_write();
        }
    }

    /// # Safety
    ///
    /// An object of this heap starts there.
    unsafe fn note_dirty(&self, address: usize) {
        // SAFETY: passed on to the caller. Addresses of objects in described blocks are starts.
        unsafe {
            let state = self.heap().state_at(address);
            if state.is_described() {
                self.heap().set_dirty(address);
                if state.has_drops() {
                    self.written.note(address);
                }
            }
        }
    }

    /// Notes that what the value of an object owns may change, which needs no barrier.
    pub(crate) fn note_written(&self, object: usize) {
        self.written.note(object);
    }

    /// Lets `f` note what it finds. It may ask a value for its pointers, which is code of the user's: if
    /// that panics, what this call has found is of no use; if it comes here again, it finds its own.
    fn find(&self, f: impl FnOnce(&mut SnapshotBuffer)) {
        let mut found = self.spare_found.take();
        f(&mut found);
        let mut all = self.found.borrow_mut();
        all.append(&mut found);
        if all.is_large() {
            all.flush(&self.collector.work);
        }
        drop(all);
        self.spare_found.set(found);
    }

    /// Whether markers are at work beside the program.
    #[inline(always)]
    pub(crate) fn is_marking(&self) -> bool {
        self.armed.get() == BlockState::ANY
    }

    /// Notes that some object is about to be written.
    pub(crate) fn before_unknown_write(&self) {
        self.collector.note_unknown_write();
        if self.is_marking() {
            self.collector.abort_marking();
            self.arm();
        }
    }

    /// Whether a strong pointer may be made of a weak one to `target`; then it is kept alive.
    ///
    /// # Safety
    ///
    /// A weak pointer to it is in use, in the arena of this context.
    #[inline]
    pub(crate) unsafe fn upgrade(&self, target: usize) -> bool {
        use crate::collector::weak;
        // SAFETY: passed on to the caller.
        unsafe {
            match self.collector.phase() {
                Phase::Finalizing | Phase::ClearingWeak => {
                    if weak::is_dead_in(self.heap(), target) {
                        return false;
                    }
                    // Partner: the fence in `Heap::insert_found_dead`. Finalizers may be why it is marked.
                    fence(Ordering::Acquire);
                    !weak::is_cleared_in(self.heap(), target)
                }
                phase => {
                    let alive = !weak::is_cleared_in(self.heap(), target);
                    // In a finalization call a pointer counts only if it is stored.
                    if alive && phase == Phase::Marking && !self.finalizing.get() {
                        self.note_weak_read(target);
                    }
                    alive
                }
            }
        }
    }

    /// [`Context::upgrade`] for weak pointers that only reclaiming clears.
    ///
    /// # Safety
    ///
    /// As for [`Context::upgrade`].
    #[inline]
    pub(crate) unsafe fn upgrade_long(&self, target: usize) -> bool {
        // SAFETY: passed on to the caller.
        unsafe { self.follow_ephemeron(target, target) }
    }

    /// Whether the object where a weak pointer leads was freed, but for its address.
    ///
    /// # Safety
    ///
    /// As for [`Context::upgrade`].
    pub(crate) unsafe fn is_gone(&self, target: usize) -> bool {
        // SAFETY: passed on to the caller.
        unsafe { crate::collector::weak::is_shell_of(self.heap(), target) }
    }

    /// Whether a strong pointer may be made of the value of an ephemeron with this key; then the value is
    /// kept alive.
    ///
    /// # Safety
    ///
    /// An ephemeron with this key and this value is in use, in the arena of this context.
    #[inline]
    pub(crate) unsafe fn follow_ephemeron(&self, key: usize, value: usize) -> bool {
        use crate::collector::weak;
        // SAFETY: passed on to the caller. As long as the key is there, the value is.
        unsafe {
            if self.collector.phase() == Phase::ClearingWeak {
                return !weak::is_dead_in(self.heap(), key);
            }
            let there = !weak::is_shell_of(self.heap(), key);
            if there && !self.finalizing.get() {
                self.note_weak_read(value);
            }
            there
        }
    }

    /// [`Context::follow_ephemeron`] for soft references: not once it is known that the key is dead.
    ///
    /// # Safety
    ///
    /// As for [`Context::follow_ephemeron`].
    #[inline]
    pub(crate) unsafe fn follow_soft(&self, key: usize, value: usize) -> bool {
        // SAFETY: passed on to the caller. In `Finalizing`, with the key the value is marked, or will be.
        unsafe {
            match self.collector.phase() {
                Phase::Finalizing => !crate::collector::weak::is_dead_in(self.heap(), key),
                _ => self.follow_ephemeron(key, value),
            }
        }
    }

    /// Notes a pointer that is read or stored where writes need no barrier: its target survives this cycle.
    ///
    /// # Safety
    ///
    /// The target is an object of this heap, or in none.
    #[inline]
    pub(crate) unsafe fn note_read(&self, target: usize) {
        if self.is_marking() {
            // SAFETY: passed on to the caller.
            unsafe { self.find(|found| self.collector.note_read(target, found)) }
        }
    }

    /// [`Context::note_read`] of a pointer that is stored, or overwritten.
    ///
    /// # Safety
    ///
    /// As for [`Context::note_read`].
    #[inline]
    pub(crate) unsafe fn note_stored(&self, target: usize) {
        if self.is_marking() && self.heap().spans(target) {
            self.collector.doubt_stored(target);
        }
        // SAFETY: passed on to the caller.
        unsafe { self.note_read(target) }
    }

    /// Notes that the atomic cell at `cell` is about to be written. Whether the pointers that come and go are to be
    /// noted: if not, it is looked at again, for it is in the root, which `is_in_root` tells, or in an object that
    /// was claimed.
    #[inline]
    pub(crate) fn before_atomic_write(
        &self,
        cell: usize,
        is_in_root: impl FnOnce() -> bool,
    ) -> bool {
        self.is_marking() && self.before_atomic_write_in_cycle(cell, is_in_root)
    }

    #[cold]
    #[inline(never)]
    fn before_atomic_write_in_cycle(&self, cell: usize, is_in_root: impl FnOnce() -> bool) -> bool {
        if !self.collector.remembers_writes() {
            return true;
        }
        let Some(Extent { base, .. }) = self.heap().allocation_of(cell) else {
            // Each round visits the root. Other cells are in something that some object owns, nobody knows which.
            return !is_in_root();
        };
        // SAFETY: the cell is in use, so the object that it is in is there. If it is still being built, it was born in this
        // call, and so claimed.
        unsafe {
            if !self.collector.is_part_claimed(base, cell) {
                let part = (cell, cell + WORD);
                self.claim(|found| self.collector.claim_part(base, part, found));
            }
        }
        false
    }

    /// Notes a pointer that was read where the collector does not look for what is kept alive: by a weak pointer, or
    /// as the value of an ephemeron. By itself this keeps nothing alive; see [`crate::collector::rescan`].
    ///
    /// # Safety
    ///
    /// As for [`Context::note_read`].
    #[inline]
    unsafe fn note_weak_read(&self, target: usize) {
        // SAFETY: passed on to the caller.
        if self.is_marking() && !unsafe { self.is_marked(target) } {
            // What is not marked is in this heap.
            self.collector.note_weak_read(target);
        }
    }

    /// Looks which bits of a block's state do not let the write barrier pass now.
    pub(crate) fn arm(&self) {
        self.armed.set(match self.collector.phase() {
            Phase::Marking | Phase::Finalizing => BlockState::ANY,
            _ => BlockState::NOTED,
        });
    }

    /// Whether a safepoint has anything to do.
    #[inline]
    pub(crate) fn wants_safepoint(&self) -> bool {
        self.written.is_waiting() || self.is_due()
    }

    /// The same, but for what was written.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.collector.wants_safepoint(self.allocated())
    }

    /// Lets the collector do its part at a safepoint of an arena whose one mutator this is.
    ///
    /// # Panics
    ///
    /// As [`Collector::safepoint`].
    ///
    /// # Safety
    ///
    /// No `mutate` call is running, and `roots` visits every pointer from outside of the heap into it.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn safepoint(&self, roots: &Roots<'_>, what: Safepoint) {
        self.check_process();
        // SAFETY: no `mutate` call is running, and cycles do not free what was written during them.
        unsafe { self.measure_written(false) };
        // After that, for values that are measured may fetch dynamic roots, which is noted while the barrier is armed.
        self.flush();
        let allocated = self.allocated();
        self.written.close();
        let stopped = |action: &mut dyn FnMut()| {
            // SAFETY: as above: nothing is noted in a safepoint, and it frees nothing before this.
            unsafe { self.measure_written(true) };
            self.retire();
            action();
        };
        let pins = self.heap().pins();
        let roots = |visitor: &mut dyn EdgeVisitor| {
            roots(visitor);
            pins.each(|target| visitor.visit(Edge::of_root(target)));
        };
        let program = Program {
            roots: &roots,
            stopped: &stopped,
            released: &|action| action(),
            allocated,
        };
        // Destructors that run here may write to what is theirs, and it may be anywhere. The phases change
        // meanwhile, and no marker reads what a destructor can reach: so no cycle is given up for that.
        self.armed.set(BlockState::NOTED);
        // Also if it panics.
        let _armed = Armed(self);
        // SAFETY: passed on to the caller; this is the heap's one mutator.
        let run = || unsafe { self.collector.safepoint(&program, what) };
        self.collector.throwing(run);
    }

    /// Drops the values of all objects that need it and frees everything.
    ///
    /// # Panics
    ///
    /// With the first panic of a value's `Drop`, after all others were dropped.
    ///
    /// # Safety
    ///
    /// Nothing refers to an object of this heap, nor ever will.
    pub(crate) unsafe fn dispose_all(&self) {
        // SAFETY: passed on to the caller.
        unsafe { self.collector.shut_down() };
        self.armed.set(BlockState::NOTED);
        self.written.close();
        let mut disposer = self.collector.take_disposer();
        self.collector.run_destructors(&mut disposer, None);
        self.collector.each_described(|object, _| {
            // SAFETY: by what the caller says all objects are dead.
            unsafe { disposer.dispose(object) }
        });
        self.retire();
        // SAFETY: passed on to the caller.
        unsafe { self.heap().release() };
        disposer.finish();
    }
}

/// Arms the barrier for the phase that a safepoint has led to.
struct Armed<'a>(&'a Context);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.0.arm();
        self.0.written.open();
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
