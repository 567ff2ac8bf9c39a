//! The arenas of this thread: write barriers for places whose arena is not known.
//!
//! A few methods change a value without being given a [`Mutation`](crate::Mutation): taking a value out of a
//! lock, and a right to write that passes through an `Rc`. A value with pointers is in an arena of the thread
//! that has it, or in none. So each thread has a list of its arenas, and the barrier looks for the place in
//! each of them.
//!
//! Memory outside of all heaps may be owned by objects of any of them. While a cycle marks in one of
//! them, it is not known whether the marker has seen what is there, so that cycle is aborted.
//!
//! # Invariants
//!
//! 1. The list has the context of each arena with one mutator that this thread made and has not dropped.
//!    Such an arena does not leave its thread.

use core::cell::Cell;
use core::ptr;

use crate::mutator::context::Context;
use crate::sync::thread_local;
use crate::types::owned_bytes;

/// The neighbours of a context in its thread's list; null where there is none.
pub(crate) struct Links {
    previous: Cell<*const Context>,
    next: Cell<*const Context>,
}

impl Default for Links {
    fn default() -> Links {
        Links {
            previous: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
        }
    }
}

thread_local! {
    // Without a destructor, so that it is there as long as there are arenas in other variables of the thread.
    static FIRST: Cell<*const Context> = const { Cell::new(ptr::null()) };
}

/// Adds an arena to this thread's list.
///
/// # Safety
///
/// The context stays where it is, and this thread [removes](remove) it while it exists. It is in no list.
pub(crate) unsafe fn add(context: &Context) {
    let next = FIRST.replace(context);
    context.links().next.set(next);
    // SAFETY: what is in the list exists.
    if let Some(next) = unsafe { next.as_ref() } {
        next.links().previous.set(context);
    }
}

/// Removes an arena from this thread's list.
///
/// # Safety
///
/// It is in the list.
pub(crate) unsafe fn remove(context: &Context) {
    let next = context.links().next.get();
    let previous = context.links().previous.get();
    // SAFETY: what is in the list exists.
    unsafe {
        match previous.as_ref() {
            Some(previous) => previous.links().next.set(next),
            None => FIRST.set(next),
        }
        if let Some(next) = next.as_ref() {
            next.links().previous.set(previous);
        }
    }
}

/// Calls `f` with each of this thread's arenas, until it returns true. Those of the process from which this one
/// was forked are left out: they are never collected here, and to stop their markers, which are not in this
/// process, would take for ever.
fn any(mut f: impl FnMut(&Context) -> bool) -> bool {
    let mut at = FIRST.get();
    // SAFETY: what is in the list exists. `f` is one of those below, which call code of the user's only
    // where the walk ends.
    while let Some(context) = unsafe { at.as_ref() } {
        if !context.is_forked() && f(context) {
            return true;
        }
        at = context.links().next.get();
    }
    false
}

/// Notes that the value at `place` is about to be written.
pub(crate) fn before_write<T: ?Sized>(place: &T) {
    owned_bytes::check_writes();
    let address = ptr::from_ref(place).cast::<()>().addr();
    let found = any(|context| match context.heap().allocation_of(address) {
        Some(extent) => {
            // SAFETY: an object of this heap starts there, whose one mutator is this thread's.
            unsafe { context.before_write(extent.base) }
            true
        }
        None => false,
    });
    if !found {
        before_unknown_write();
    }
}

/// Notes that some value outside of all heaps is about to be written.
///
/// Its owner is traced in every collection, so this concerns only cycles that mark while the program runs.
pub(crate) fn before_unknown_write() {
    owned_bytes::check_writes();
    any(|context| {
        if context.is_marking() {
            context.before_unknown_write();
        }
        false
    });
}
