//! Reads of pointers that markers do not follow: by weak pointers, ephemerons and soft references, handles, and
//! atomic cells.
//!
//! The snapshot holds what strong pointers lead to. Two kinds of reads can lead out of it while a cycle marks:
//!
//! * A *weak read* ([`Context::upgrade`], [`Context::follow_ephemeron`]). By itself it keeps nothing alive. If its
//!   target is not marked, the collector remembers the read, and looks when all else is marked whether the program
//!   has stored the pointer ([`crate::collector::rescan`]).
//! * A *strong read* of what can go away without a barrier ([`Context::note_read`]). Its target is marked in this
//!   cycle.
//!
//! What a weak pointer may lead to depends on the phase. While weak pointers are cleared, the marks tell who is
//! dead. In `Finalizing`, what is not marked or was found dead is refused to short weak pointers, but long ones and
//! ephemerons may still lead there. At any other time a weak pointer leads to its target unless that is a zombie
//! shell, or was found dead.
//!
//! # What this does not do
//!
//! It does not read the pointer: who calls this has.

use super::Context;
use crate::collector::{Phase, weak};
use crate::sync::{Ordering, fence};

impl Context {
    /// Whether a strong pointer may be made of a short weak one to `target`. The target then survives this cycle if
    /// the pointer is stored.
    ///
    /// # Safety
    ///
    /// A weak pointer to `target` is in use, in the arena of this context.
    #[inline]
    pub(crate) unsafe fn upgrade(&self, target: usize) -> bool {
        // SAFETY: a weak pointer to the target is in use (the caller's promise), which is what these functions ask
        // for. Marks tell what is dead in both phases in which they are asked, as marking from the roots is
        // complete.
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

    /// [`Context::upgrade`] for long weak pointers, which are cleared when the target is freed.
    ///
    /// # Safety
    ///
    /// As for [`Context::upgrade`].
    #[inline]
    pub(crate) unsafe fn upgrade_long(&self, target: usize) -> bool {
        // SAFETY: a weak pointer in use serves as key and value of an ephemeron.
        unsafe { self.follow_ephemeron(target, target) }
    }

    /// Whether the target of a weak pointer was freed: it is a zombie shell.
    ///
    /// # Safety
    ///
    /// As for [`Context::upgrade`].
    pub(crate) unsafe fn is_gone(&self, target: usize) -> bool {
        // SAFETY: a weak pointer to the target is in use, in this arena (the caller's promise).
        unsafe { weak::is_shell_of(self.heap(), target) }
    }

    /// Whether a strong pointer may be made of the value of an ephemeron with this key. The value then survives
    /// this cycle if the pointer is stored.
    ///
    /// # Safety
    ///
    /// An ephemeron with this key and this value is in use, in the arena of this context.
    #[inline]
    pub(crate) unsafe fn follow_ephemeron(&self, key: usize, value: usize) -> bool {
        // SAFETY: an ephemeron in use holds its key like a weak pointer in use (the caller's promise). As long as
        // the key exists, the value does: markers keep it with the key.
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

    /// [`Context::follow_ephemeron`] for soft references: not if the key is known to be dead.
    ///
    /// # Safety
    ///
    /// As for [`Context::follow_ephemeron`].
    #[inline]
    pub(crate) unsafe fn follow_soft(&self, key: usize, value: usize) -> bool {
        // SAFETY: an ephemeron with this key and value is in use (the caller's promise). In `Finalizing` a key that
        // is not dead is marked, and then its value is, or will be.
        unsafe {
            match self.collector.phase() {
                Phase::Finalizing => !weak::is_dead_in(self.heap(), key),
                _ => self.follow_ephemeron(key, value),
            }
        }
    }

    /// Makes the target of a pointer survive this cycle. The pointer is read from, or stored in, memory where
    /// writes make no claims.
    ///
    /// # Safety
    ///
    /// An object of this heap starts at `target`, or the address is in no heap.
    #[inline]
    pub(crate) unsafe fn note_read(&self, target: usize) {
        if self.is_marking() {
            // SAFETY: the caller's promise is that of `Collector::note_read`.
            unsafe { self.with_buffer(|buffer| self.collector.note_read(target, buffer)) }
        }
    }

    /// [`Context::note_read`] of a pointer that is stored in an atomic cell, or overwritten there.
    ///
    /// # Safety
    ///
    /// As for [`Context::note_read`].
    #[inline]
    pub(crate) unsafe fn note_stored(&self, target: usize) {
        // SAFETY: an object of this heap starts at the target, if it is in this heap (the caller's promise).
        unsafe {
            if self.is_marking() && self.heap().spans(target) {
                self.collector.doubt_stored(target);
            }
            self.note_read(target);
        }
    }

    /// Remembers a weak read of a target that is not marked. By itself this keeps nothing alive.
    ///
    /// # Safety
    ///
    /// As for [`Context::note_read`].
    #[inline]
    unsafe fn note_weak_read(&self, target: usize) {
        // SAFETY: an object of this heap starts at the target, or it is in no heap (the caller's promise). What is
        // not marked is in this heap.
        unsafe {
            if self.is_marking() && !self.is_marked(target) {
                self.collector.note_weak_read(target);
            }
        }
    }

    /// Whether an object is marked, or in no heap.
    ///
    /// # Safety
    ///
    /// As for [`Context::note_read`].
    pub(crate) unsafe fn is_marked(&self, target: usize) -> bool {
        !self.heap().spans(target)
            // SAFETY: the target lies below the top of this heap, as it is in it; there planes are committed.
            || unsafe { self.heap().planes().is_marked(target) }
    }
}
