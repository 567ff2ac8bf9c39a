//! [`Finalization`]: the right to look at what is dead, and to keep it alive.

use core::fmt;
use core::ops::Deref;
use core::ptr;

use crate::mutator::mutates::{Access, Mutates, Sealed};
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::pointers::weak::GcWeak;

/// The right to look which objects are dead, besides those that a [`Mutation`] gives: in calls of
/// [`MarkedArena::finalize`](crate::arenas::arena::MarkedArena::finalize).
///
/// ```
/// use gc_core::{Arena, Finalization, Gc, GcWeak, Rootable};
///
/// /// Keeps those that are still worth it.
/// fn revive<'gc>(fc: &Finalization<'gc>, cache: &[GcWeak<'gc, u32>]) {
///     for entry in cache.iter().filter(|entry| entry.is_dead(fc)) {
///         if entry.upgrade(fc).is_some_and(|value| *value > 5) {
///             entry.resurrect(fc);
///         }
///     }
/// }
///
/// let mut arena = Arena::<Rootable![Vec<GcWeak<'_, u32>>]>::new(|mc| {
///     [1, 10].map(|value| Gc::downgrade(Gc::new(mc, value))).to_vec()
/// });
/// arena.finish_marking().unwrap().finalize(|fc, cache| revive(fc, cache));
/// arena.finish_cycle();
/// arena.mutate(|mc, cache| {
///     assert!(cache[0].upgrade(mc).is_none());
///     assert_eq!(cache[1].upgrade(mc).as_deref(), Some(&10));
/// });
/// ```
#[repr(transparent)]
pub struct Finalization<'gc>(Mutation<'gc>);

impl<'gc> Finalization<'gc> {
    /// # Safety
    ///
    /// It is used in nothing but a finalization call, in the arena of `mc`.
    pub(crate) unsafe fn new<'a>(mc: &'a Mutation<'gc>) -> &'a Finalization<'gc> {
        // SAFETY: the layouts are the same, for the type is transparent.
        unsafe { &*ptr::from_ref(mc).cast::<Finalization<'gc>>() }
    }
}

impl<'gc> Deref for Finalization<'gc> {
    type Target = Mutation<'gc>;

    #[inline]
    fn deref(&self) -> &Mutation<'gc> {
        &self.0
    }
}

impl Sealed for Finalization<'_> {}

impl<'gc, T> Mutates<'gc, T> for Finalization<'gc> {
    #[inline(always)]
    fn access(&self) -> Access<'_> {
        Mutates::<T>::access(&self.0)
    }
}

impl fmt::Debug for Finalization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finalization")
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> Gc<'gc, T, K> {
    /// Whether the object was not found by marking: nothing that can be reached leads to it, weak pointers
    /// aside. A pointer to such an object is had only by way of a weak one.
    ///
    /// This is the state when the finalization call began, but for what was resurrected since. So it is also said of an
    /// object that the call has made, as in `gc-arena`: whether the call has stored it is found out later, and so is what an
    /// object that was resurrected leads to. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, u32>, GcWeak<'gc, u32>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     (Gc::new(mc, 1), Gc::downgrade(Gc::new(mc, 2)))
    /// });
    /// arena.finish_marking().unwrap().finalize(|fc, (one, two)| {
    ///     assert!(!Gc::is_dead(fc, *one));
    ///     let two = two.upgrade(fc).unwrap();
    ///     assert!(Gc::is_dead(fc, two));
    ///     Gc::resurrect(fc, two);
    ///     assert!(!Gc::is_dead(fc, two));
    /// });
    /// ```
    #[inline]
    pub fn is_dead(fc: &Finalization<'gc>, gc: Gc<'gc, T, K>) -> bool {
        // SAFETY: the object is one of this heap, or needs no memory.
        unsafe { !fc.context().is_marked(Gc::as_ptr(Gc::erase(gc)).addr()) }
    }

    /// Keeps the object alive in this cycle, and all that it leads to, whether or not anything leads to it.
    /// Does nothing if it is alive anyway. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// type Parent<'gc> = Gc<'gc, Gc<'gc, u32>>;
    /// let mut arena = Arena::<Rootable![GcWeak<'_, Gc<'_, u32>>]>::new(|mc| {
    ///     let parent: Parent<'_> = Gc::new(mc, Gc::new(mc, 7));
    ///     Gc::downgrade(parent)
    /// });
    /// arena.finish_marking().unwrap().finalize(|fc, weak| {
    ///     Gc::resurrect(fc, weak.upgrade(fc).unwrap());
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|mc, weak| **weak.upgrade(mc).unwrap()), 7);
    /// // Nobody does so a second time.
    /// arena.finish_cycle();
    /// assert!(arena.mutate(|mc, weak| weak.upgrade(mc).is_none()));
    /// ```
    #[inline]
    pub fn resurrect(fc: &Finalization<'gc>, gc: Gc<'gc, T, K>) {
        // SAFETY: as in `is_dead`.
        unsafe { fc.context().note_read(Gc::as_ptr(Gc::erase(gc)).addr()) }
    }
}

impl<'gc, T: ?Sized + 'gc, K: IsGcKind<'gc, T>> GcWeak<'gc, T, K> {
    /// Whether the target is dead: was dropped, or was not found by marking, see [`Gc::is_dead`]. Unless it is resurrected,
    /// or was made by this call and stored, it is dropped when the cycle goes on. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// type Root<'gc> = (Gc<'gc, u32>, [GcWeak<'gc, u32>; 2]);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let kept = Gc::new(mc, 1);
    ///     (kept, [kept, Gc::new(mc, 2)].map(Gc::downgrade))
    /// });
    /// let marked = arena.finish_marking().unwrap();
    /// let dead = marked.finalize(|fc, (_, all)| all.map(|weak| weak.is_dead(fc)));
    /// assert_eq!(dead, [false, true]);
    /// ```
    #[inline]
    pub fn is_dead(self, fc: &Finalization<'gc>) -> bool {
        // SAFETY: as in `Gc::is_dead`; of a dropped object the address is kept. What is left of it is not
        // marked before weak pointers are settled.
        unsafe { !fc.context().is_marked(self.address()) }
    }

    /// Keeps the target alive in this cycle, and all that it leads to; `None` if it was dropped. Takes
    /// constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![GcWeak<'_, u32>]>::new(|mc| Gc::downgrade(Gc::new(mc, 7)));
    /// arena.finish_cycle();
    /// arena.finish_marking().unwrap().finalize(|fc, weak| {
    ///     assert!(weak.is_dead(fc) && weak.resurrect(fc).is_none());
    /// });
    /// ```
    #[inline]
    pub fn resurrect(self, fc: &Finalization<'gc>) -> Option<Gc<'gc, T, K>> {
        let gc = self.upgrade(fc)?;
        Gc::resurrect(fc, gc);
        Some(gc)
    }
}
