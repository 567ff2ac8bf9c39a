//! Which objects a mutator has written since it was last looked at what they own.
//!
//! What a value owns outside of the heap changes when it is written: a `Vec` in a lock grows. The write barrier is called
//! before the write, so it cannot tell by how much. It notes the object here, if the value has a destructor; and
//! when no `mutate` call runs any more, before it is decided whether a collection is due, the value is
//! measured ([`Described::measure`](crate::types::descriptor::Described::measure)).
//!
//! To measure an object takes time in proportion to its size, for there may be owners everywhere in it. A program that
//! writes to one element of a large slice again and again must not pay for all of it each time. So objects of more
//! than [`LARGE`] bytes are measured when as many bytes of patience have come together: some at each safepoint, and what
//! was allocated of large objects with destructors. At the latest it is done when a cycle begins.
//!
//! The elements of a collection are in an object of their own, and the lock that guards them is in another. Where
//! there are several mutators, one of them may have that lock while another is between two calls. So such
//! objects wait until all mutators are stopped, which happens when enough of them wait
//! ([`crate::collector::unmeasured`]), or a cycle begins.
//!
//! # Invariants
//!
//! 1. Between `mutate` calls no object is noted but large ones and those that wait for a stop, once the context was
//!    looked at.
//! 2. No object is freed while it is noted: all are measured when mutators are stopped, as they are before a cycle
//!    begins and when it ends marking; and what a mutator can write to after that is not freed by this cycle.
//!    While destructors run, nothing is noted, as they may write to what is theirs and about to be freed.

use core::cell::{Cell, RefCell};

use std::collections::BTreeSet;

use crate::heap::planes::GRANULE;

/// Objects of more bytes than this are measured more rarely than they are written.
pub(crate) const LARGE: usize = 4 << 10;

/// How many places there are for objects that were noted just now.
const RECENT: usize = 64;

/// What came of an object that was noted.
pub(crate) enum Look {
    /// It was measured, and has so many bytes.
    Done(usize),
    /// It has more bytes than it may have.
    TooLarge,
    /// It is to be measured when all mutators are stopped.
    Later,
}

/// See the [module documentation](self).
pub(crate) struct Written {
    /// Objects noted since the last look, each in its place, or zero, or another one that came later.
    recent: [Cell<usize>; RECENT],
    /// All of these; some more than once.
    objects: RefCell<Vec<usize>>,
    /// Large ones of earlier looks.
    large: RefCell<Vec<usize>>,
    /// Those that wait for a stop.
    waiting: RefCell<BTreeSet<usize>>,
    /// How many there are in `objects` before it is looked for doubles.
    bound: Cell<usize>,
    /// Whether there are any.
    is_waiting: Cell<bool>,
    patience: Cell<usize>,
    /// By how many bytes what they own has grown for each note, of late.
    growth: Cell<usize>,
    /// Whether nothing is noted.
    closed: Cell<bool>,
}

/// By how many bytes what a written object owns is taken to have grown, as long as nothing was measured.
const FIRST_GROWTH: usize = 1024;

/// By how many bytes at least, so that a safepoint comes that finds out.
const LEAST_GROWTH: usize = 64;

/// From so many objects on it is looked for doubles.
const MANY: usize = 4096;

impl Written {
    pub(crate) fn new() -> Written {
        Written {
            recent: [const { Cell::new(0) }; RECENT],
            objects: RefCell::new(Vec::new()),
            large: RefCell::new(Vec::new()),
            waiting: RefCell::new(BTreeSet::new()),
            bound: Cell::new(MANY),
            is_waiting: Cell::new(false),
            patience: Cell::new(0),
            growth: Cell::new(FIRST_GROWTH),
            closed: Cell::new(false),
        }
    }

    fn place(&self, object: usize) -> &Cell<usize> {
        &self.recent[object / GRANULE % RECENT]
    }

    /// Whether it is known that the object was noted since the last look.
    #[inline]
    pub(crate) fn is_recent(&self, object: usize) -> bool {
        self.place(object).get() == object
    }

    /// Notes that the object at this address is written.
    #[inline]
    pub(crate) fn note(&self, object: usize) {
        if !self.is_recent(object) {
            self.note_anew(object);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_anew(&self, object: usize) {
        if self.closed.get() {
            return;
        }
        self.place(object).set(object);
        let mut objects = self.objects.borrow_mut();
        if objects.len() >= self.bound.get() {
            objects.sort_unstable();
            objects.dedup();
            self.bound.set(MANY.max(2 * objects.len()));
        }
        objects.push(object);
        self.is_waiting.set(true);
    }

    /// Whether something was noted since the last look.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_waiting.get()
    }

    /// How many notes there are of objects that are measured at the next look.
    pub(crate) fn len(&self) -> usize {
        self.objects.borrow().len()
    }

    /// By how many bytes what they own has probably grown.
    pub(crate) fn expected_growth(&self) -> usize {
        self.len().saturating_mul(self.growth.get())
    }

    /// Learns from so many notes, of objects that have turned out to own so many bytes more.
    pub(crate) fn learn(&self, notes: usize, grown: i64) {
        let (Some(each), before) = (grown.max(0).checked_div(notes as i64), self.growth.get())
        else {
            return;
        };
        let growth = before - before / 4 + each as usize / 4;
        self.growth.set(growth.max(LEAST_GROWTH));
    }

    /// Notes that so many bytes of objects with destructors were allocated.
    #[inline]
    pub(crate) fn note_allocated(&self, bytes: usize) {
        if bytes > LARGE {
            self.grant(bytes);
        }
    }

    fn grant(&self, bytes: usize) {
        self.patience.set(self.patience.get().saturating_add(bytes));
    }

    /// Lets `measure` measure what was noted, with `all`, when all mutators are stopped, also large objects for which there
    /// is no patience left, and those that waited for that. It is told the most bytes that an object may have.
    pub(crate) fn each(&self, all: bool, mut measure: impl FnMut(usize, usize) -> Look) {
        // It may call code of the user's, which may write to objects of this heap if that is not this thread's.
        self.is_waiting.set(false);
        let mut objects = self.objects.take();
        let mut large = self.large.take();
        let rest = large.is_empty() && self.waiting.borrow().is_empty();
        if objects.is_empty() && (rest || !all) {
            (*self.objects.borrow_mut(), *self.large.borrow_mut()) = (objects, large);
            return;
        }
        self.grant(LARGE);
        for object in objects.drain(..) {
            if self.is_recent(object) {
                self.place(object).set(0);
            }
            match measure(object, LARGE) {
                Look::Done(_) => {}
                Look::TooLarge => large.push(object),
                Look::Later => _ = self.waiting.borrow_mut().insert(object),
            }
        }
        if all {
            large.extend(self.waiting.take());
        }
        if !large.is_empty() {
            large.sort_unstable();
            large.dedup();
            large.retain(|object| {
                let patience = self.patience.get();
                let look = measure(*object, if all { usize::MAX } else { patience });
                if let Look::Done(bytes) = look {
                    self.patience.set(patience.saturating_sub(bytes));
                }
                matches!(look, Look::TooLarge)
            });
        }
        // So that the memory is used again, unless something was noted meanwhile.
        if self.objects.borrow().is_empty() {
            objects.shrink_to(MANY);
            self.objects.replace(objects);
        }
        self.large.borrow_mut().append(&mut large);
    }

    /// Takes all notes, of objects that are to be measured at the next stop.
    pub(crate) fn take(&self) -> Vec<usize> {
        let mut objects = self.objects.take();
        objects.append(&mut self.large.borrow_mut());
        objects.extend(self.waiting.take());
        objects
    }

    /// Adds notes, of objects that are to be measured at the next stop.
    pub(crate) fn add(&self, objects: impl IntoIterator<Item = usize>) {
        self.waiting.borrow_mut().extend(objects);
    }

    /// Notes nothing until it is opened.
    pub(crate) fn close(&self) {
        self.closed.set(true);
    }

    /// Notes what is written from now on.
    pub(crate) fn open(&self) {
        self.closed.set(false);
    }
}
