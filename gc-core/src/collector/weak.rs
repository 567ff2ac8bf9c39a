//! Zombie shells: what becomes of objects that only weak pointers lead to.
//!
//! Such an object turns into a *zombie shell*, or shell for short: its value is dropped, its tags are cleared, and a
//! small object is cut down to a granule. That much stays, so that its address is not used again while a weak pointer
//! may still be compared with it. A shell is swept by the first cycle that meets no weak pointer to it. This serves
//! weak pointers in memory outside of the heap, which cannot be cleared because the collector does not know where they
//! are, just as well as those inside.
//!
//! A shell is no survivor for the pacer: a program whose garbage is known to weak pointers, such as the strings of an
//! interner, would earn an allowance by it.
//!
//! # Invariants
//!
//! 1. The last words of a shell tell what they told of the object (invariant 3 of [`crate::types::descriptor`]).
//! 2. An object whose value is still to be dropped keeps its length.

use crate::heap::Heap;
use crate::heap::block::{BlockIndex, BlockTable, Flag};
use crate::heap::extent::Extent;
use crate::heap::planes::{GRANULE, Planes, bit};
use crate::heap::register;
use crate::heap::start::ObjectStart;
use crate::types::descriptor::{self, Described};

/// Whether the object at which a weak pointer points is a shell. The address tells all.
///
/// # Safety
///
/// `target` is an address at which a weak pointer in use points, and its arena is alive.
pub(crate) unsafe fn is_shell(target: usize) -> bool {
    // A value that needs no memory lives outside of all spaces, for ever.
    let Some((planes, blocks, block)) = register::find(target) else {
        return false;
    };
    // SAFETY: weak pointers in use point at objects, or at values that need no memory.
    unsafe { is_shell_in(planes, blocks, block, target) }
}

/// [`is_shell`] where the heap is known, without a lock.
///
/// # Safety
///
/// As for [`is_shell`], and the arena is that of `heap`.
#[inline]
pub(crate) unsafe fn is_shell_of(heap: &Heap, target: usize) -> bool {
    heap.spans(target)
        // SAFETY: a weak pointer in use, of this heap, leads to the start of an object in it (the caller's promise).
        && unsafe {
            is_shell_in(
                heap.planes(),
                heap.blocks(),
                heap.owned_block(target),
                target,
            )
        }
}

/// # Safety
///
/// `target` is the start of an object in the given block of the space with the given planes.
#[inline]
unsafe fn is_shell_in(
    planes: Planes,
    blocks: BlockTable,
    block: BlockIndex,
    target: usize,
) -> bool {
    // SAFETY: an object starts at the target (the caller's promise), so its block and its planes are committed.
    unsafe {
        blocks.state(block).has_weak()
            && planes.kinds(target).get() & bit(target) != 0
            && planes.group(target).tags.get() & bit(target) == 0
    }
}

/// Whether no short weak pointer leads to the object any more: it is a shell, or was found dead and lives on
/// for finalizers, or because one has resurrected it.
///
/// # Safety
///
/// As for [`is_shell_of`].
#[inline]
pub(crate) unsafe fn is_cleared_in(heap: &Heap, target: usize) -> bool {
    if !heap.spans(target) {
        return false;
    }
    // SAFETY: a weak pointer in use, of this heap, leads to the target (the caller's promise), where an object starts.
    unsafe { is_shell_of(heap, target) || heap.was_found_dead(ObjectStart::new_unchecked(target)) }
}

/// How shells are cut.
#[derive(Clone, Copy)]
pub(super) struct Cutting {
    /// Whether the memory of a value that is gone is free.
    pub(super) gone_is_free: bool,
    /// Whether what is cut off is overwritten.
    pub(super) scrub: bool,
}

/// Processes the object at `target`, where a weak pointer leads: if it is not marked, it is
/// made into a shell, and marked so that it stays. Its value goes to `bury`, which tells whether its memory is free
/// then. If it is a shell already, [`Cutting`] tells it. How many bytes the shell has; zero, if the object is marked.
///
/// # Safety
///
/// 1. Marking is complete, and no mutator is at work.
/// 2. `target` is an address at which a weak pointer in use points, or did when the cycle began.
/// 3. With `gone_is_free`, no value of a shell is still to be dropped.
pub(super) unsafe fn clear_weak(
    heap: &Heap,
    target: usize,
    cutting: Cutting,
    mut bury: impl FnMut(Described) -> bool,
) -> usize {
    // SAFETY: weak pointers in use point at starts of objects.
    let group = unsafe { heap.planes().group(target) };
    if !group.is_unmarked_start(target) {
        return 0;
    }
    // SAFETY: an object starts there. Since it is reachable only weakly, and `upgrade` does not return
    // objects that are not marked, nothing will refer to its value again.
    unsafe {
        let start = ObjectStart::new_unchecked(target);
        let mut extent = heap.extent_of(start);
        let is_free = match heap.state_of(start).is_described() {
            // If it has no value, it was a shell before.
            true => Described::at(extent).map_or(cutting.gone_is_free, &mut bury),
            false => true,
        };
        heap.clear_tags(extent);
        heap.insert_kind(target, Flag::Weak);
        group.marks[0].insert(start.bit());
        if is_free {
            extent = cut(heap, extent, cutting.scrub);
        }
        extent.bytes
    }
}

/// Cuts a small object down to a granule, with the last words of a described one; with `scrub`, overwrites the rest.
/// What is left of it.
///
/// # Safety
///
/// The object is one of this heap, nothing is in it but what its last words tell, and no mutator is at work.
unsafe fn cut(heap: &Heap, extent: Extent, scrub: bool) -> Extent {
    let rest = Extent {
        bytes: GRANULE,
        ..extent
    };
    // SAFETY: the object is one of this heap, of which nothing is needed but its last words (the caller's promise).
    unsafe {
        let state = heap.state_at(extent.base);
        if state.is_large_head() || extent == rest {
            return extent;
        }
        if state.is_described() {
            descriptor::move_last_words(extent, rest);
        }
        heap.cut(extent, rest);
        if scrub {
            heap.scrub(rest.end(), extent.end());
        }
    }
    rest
}

/// Whether the object at which a weak pointer points is dead, in the phase in which weak pointers are
/// being cleared.
///
/// # Safety
///
/// As for [`is_shell_of`], and marking is complete.
pub(crate) unsafe fn is_dead_in(heap: &Heap, target: usize) -> bool {
    if !heap.spans(target) {
        return false;
    }
    // SAFETY: weak pointers in use point at starts of objects.
    unsafe {
        let marked = heap.planes().is_marked(target);
        !marked || is_shell_of(heap, target)
    }
}
