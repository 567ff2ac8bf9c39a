//! Pointers outside of the heap: those of roots, and those in memory that objects own.
//!
//! There are more of them than objects, and most lead to the same few. So they do not go through the queue to be looked at:
//! what they lead to is marked as soon as they are read, and what was not marked before is [scanned later](super::marked).
//!
//! What an object owns lies in memory of which nothing is known before the object was read. So [rows](Row) of pointers are
//! prefetched when a value tells of them, and read when some have come together, or there is nothing else to do. A
//! concurrent marker does so before it finishes the batch in which it has published their objects.

use core::mem::MaybeUninit;

use super::Marker;
use super::words::{is_candidate, read_word};
use crate::heap::planes::{GROUP_WORDS, WORD, bit, words};
use crate::types::descriptor::Described;
use crate::types::found::Row;
use crate::types::trace::{EdgeVisitor, Edges};

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Traces the value of an object, which may leave something to [`Marker::read_found`].
    ///
    /// # Safety
    ///
    /// Its type is concurrent. No mutator is at work; or the object was published and found not claimed, and is finished
    /// after the next `read_found`.
    #[inline(always)]
    pub(super) unsafe fn trace_owner(&mut self, object: Described) {
        let mut found = self.found.take().unwrap_or_default();
        let mut edges = Edges::new(self, &mut found);
        // SAFETY: a marker is alone. The rest is passed on to the caller.
        unsafe {
            edges.leave_rows();
            object.trace_by(&mut edges);
        }
        edges.leave();
        // Nobody has put anything there meanwhile, so there is nothing to be dropped.
        core::mem::forget(self.found.replace(found));
    }

    /// Marks what was found.
    #[inline(never)]
    pub(super) fn read_found(&mut self) {
        let Some(mut found) = self.found.take() else {
            return;
        };
        self.visit_targets(found.targets.take());
        // SAFETY: the rows may still be read (`trace_owner`).
        unsafe { self.visit_rows(found.rows.take()) }
        self.found = Some(found);
    }

    /// Marks what some pointers lead to.
    pub(super) fn mark_targets(&mut self, targets: &[usize]) {
        let mut unmarked = Unmarked::new();
        for some in targets.chunks(SOME) {
            self.sort_out(some.iter().copied(), &mut unmarked);
            self.mark_all(&mut unmarked);
        }
    }

    /// Marks what the pointers in some rows lead to.
    ///
    /// # Safety
    ///
    /// They may be read by [`read_word`].
    #[inline(always)]
    pub(super) unsafe fn mark_rows(&mut self, rows: &[Row]) {
        let mut unmarked = Unmarked::new();
        for row in rows {
            if row.stride != 1 || row.count > SOME {
                // SAFETY: passed on to the caller.
                unsafe { self.mark_long_row(row, &mut unmarked) }
                continue;
            }
            if unmarked.count > SOME {
                self.mark_all(&mut unmarked);
            }
            // SAFETY: these are words that may be read so (the caller's promise).
            let read = |word| unsafe { read_word::<CONCURRENT>(word) };
            let (at, to) = (row.start, row.end());
            self.sort_out(Each { at, to }.map(read), &mut unmarked);
        }
        self.mark_all(&mut unmarked);
    }

    /// The same for one row of any kind.
    ///
    /// # Safety
    ///
    /// As for [`Marker::mark_rows`].
    #[inline(never)]
    unsafe fn mark_long_row(&mut self, row: &Row, unmarked: &mut Unmarked) {
        // SAFETY: these are words that may be read so (the caller's promise).
        let read = |word| unsafe { read_word::<CONCURRENT>(word) };
        let (step, end) = (row.stride * WORD, row.end());
        let mut at = row.start;
        while at < end {
            if unmarked.count > SOME {
                self.mark_all(unmarked);
            }
            if row.stride == 1 {
                let to = end.min(at + SOME * WORD);
                self.sort_out(Each { at, to }.map(read), unmarked);
                at = to;
            } else {
                self.sort_out(words(at, row.tags).map(read), unmarked);
                at += step;
            }
        }
    }

    /// Puts those aside that lead to objects which are not marked: [`SOME`] at most.
    #[inline(always)]
    fn sort_out(&mut self, targets: impl Iterator<Item = usize>, unmarked: &mut Unmarked) {
        let (lowest, granules, planes) = (self.base, self.granules, self.planes);
        let mut count = unmarked.count;
        // Without a branch for the mark, so that the waits for metadata overlap.
        for target in targets {
            if is_candidate(target, lowest, granules) {
                // SAFETY: candidates lie below the heap's top. There are places for so many targets.
                unsafe {
                    unmarked.targets.get_unchecked_mut(count).write(target);
                    count += usize::from(!planes.is_marked(target));
                }
            }
        }
        unmarked.count = count;
    }

    /// Marks the objects that were put aside, and puts them among those to be scanned.
    #[inline(never)]
    fn mark_all(&mut self, unmarked: &mut Unmarked) {
        let count = core::mem::take(&mut unmarked.count);
        let targets = &unmarked.targets[..count];
        // SAFETY: so many were written.
        let targets = targets.iter().map(|target| unsafe { target.assume_init() });
        if !self.backlog.marked.stack.make_room(count) {
            return targets.for_each(|target| self.defer(target));
        }
        let mut marked = 0;
        for target in targets {
            // SAFETY: candidates lie below the heap's top.
            let group = unsafe { self.planes.group(target) };
            // It was marked meanwhile if several pointers lead to it.
            if group.is_unmarked_start(target) {
                self.insert_mark(target, group, bit(target));
                // SAFETY: there is room for all.
                unsafe {
                    let spare = self.backlog.marked.stack.spare();
                    spare.get_unchecked_mut(marked).write(target);
                }
                marked += 1;
            }
        }
        // SAFETY: so many were written.
        unsafe { self.backlog.marked.stack.raise(marked) }
    }
}

/// So many pointers are looked at before there is another look at how many were put aside.
const SOME: usize = GROUP_WORDS;

/// Pointers to objects that were not marked.
struct Unmarked {
    /// Of which the first `count` are written.
    targets: [MaybeUninit<usize>; 2 * SOME],
    count: usize,
}

impl Unmarked {
    #[inline(always)]
    fn new() -> Unmarked {
        Unmarked {
            targets: [const { MaybeUninit::uninit() }; 2 * SOME],
            count: 0,
        }
    }
}

/// The addresses of the words between two addresses.
struct Each {
    at: usize,
    to: usize,
}

impl Iterator for Each {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let at = self.at;
        self.at += WORD;
        (at < self.to).then_some(at)
    }
}
