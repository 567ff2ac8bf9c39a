//! Zombie shells: what becomes of objects that only weak pointers lead to.
//!
//! Such an object turns into a *zombie shell*, or shell for short: its value is dropped and its tags are cleared,
//! but its extent stays, so that its address is not used again while a weak pointer may still be compared with it.
//! A shell is swept by the first cycle that meets no weak pointer to it. This serves weak pointers in memory
//! outside of the heap, which cannot be cleared because the collector does not know where they are, just as well as
//! those inside.

use crate::heap::Heap;
use crate::heap::block::{BlockIndex, BlockTable, Flag};
use crate::heap::planes::{Planes, bit};
use crate::heap::register;
use crate::heap::start::ObjectStart;
use crate::types::descriptor::Described;

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

/// Processes the object at `target`, where a weak pointer leads: if it is not marked, it is
/// made into a shell, and marked so that it stays. Its value goes to `bury`.
///
/// # Safety
///
/// Marking is complete, and `target` is an address at which a weak pointer in use points, or did when the
/// cycle began.
pub(super) unsafe fn clear_weak(heap: &Heap, target: usize, mut bury: impl FnMut(Described)) {
    // SAFETY: weak pointers in use point at starts of objects.
    let group = unsafe { heap.planes().group(target) };
    if !group.is_unmarked_start(target) {
        return;
    }
    // SAFETY: an object starts there. Since it is reachable only weakly, and `upgrade` does not return
    // objects that are not marked, nothing will refer to its value again.
    unsafe {
        let start = ObjectStart::new_unchecked(target);
        let extent = heap.extent_of(start);
        if heap.state_of(start).is_described()
            && let Some(object) = Described::at(extent)
        {
            bury(object);
        }
        heap.clear_tags(extent);
        heap.insert_kind(target, Flag::Weak);
        group.marks[0].insert(start.bit());
    }
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
