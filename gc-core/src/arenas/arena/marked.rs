//! [`MarkedArena`]: an arena in which everything that can be reached is marked.

use core::fmt;

use super::{Arena, CollectionPhase, Root, Rootable, WellFormed};
use crate::collector::driver::Safepoint;
use crate::references::finalization::Finalization;
use crate::types::collect::Collect;
use crate::types::trace::EdgeVisitor;

impl<R> Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    /// Does what is due of marking, like [`Arena::collect_debt`], and goes no farther: when everything that
    /// can be reached is marked, the cycle pauses there until something else is called, and the result is
    /// a [`MarkedArena`]. Does nothing while the arena sweeps.
    ///
    /// The next [`Arena::collect_debt`] goes on with the cycle.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// type Cache<'gc> = Vec<GcWeak<'gc, String>>;
    /// let mut arena = Arena::<Rootable![Cache<'_>]>::new(|mc| {
    ///     vec![Gc::downgrade(Gc::new(mc, "unused".to_string()))]
    /// });
    /// arena.metrics().adjust_debt(1e9); // Otherwise nothing would be due yet.
    /// let mut dead = 0;
    /// // One of the safepoints of a program. Of a large heap most of them mark a part only.
    /// if let Some(marked) = arena.mark_debt() {
    ///     dead = marked.finalize(|fc, cache| cache.iter().filter(|weak| weak.is_dead(fc)).count());
    ///     arena.mark_debt().unwrap().start_sweeping();
    /// }
    /// assert_eq!(dead, 1);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Arena::collect_debt`].
    pub fn mark_debt(&mut self) -> Option<MarkedArena<'_, R>> {
        if self.owner.context().wants_safepoint() {
            self.safepoint(Safepoint::Mark);
        }
        self.marked()
    }

    /// Marks everything that can be reached, however long it takes; begins a cycle for that if none is
    /// in progress. `None`, and nothing is done, if the arena sweeps: the cycle in progress has to end first.
    ///
    /// The cycle pauses there until something else is called. In between, the program may go on with it; what
    /// it does then may lead to more that is to be marked.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![GcWeak<'_, u32>]>::new(|mc| Gc::downgrade(Gc::new(mc, 7)));
    /// let marked = arena.finish_marking().unwrap();
    /// marked.finalize(|fc, weak| {
    ///     assert!(weak.is_dead(fc));
    ///     assert_eq!(*weak.resurrect(fc).unwrap(), 7);
    /// });
    /// arena.finish_marking().unwrap().start_sweeping();
    /// assert!(arena.mutate(|mc, weak| weak.upgrade(mc).is_some()));
    /// ```
    ///
    /// # Panics
    ///
    /// If the `trace` of a value does; then nothing was freed, and the arena is usable.
    pub fn finish_marking(&mut self) -> Option<MarkedArena<'_, R>> {
        self.safepoint(Safepoint::FinishMarking);
        self.marked()
    }

    fn marked(&mut self) -> Option<MarkedArena<'_, R>> {
        (self.collection_phase() == CollectionPhase::Marked).then_some(MarkedArena(self))
    }
}

/// An arena in which everything that can be reached is marked, and nothing else was done yet about what
/// cannot: [`Arena::finish_marking`] and [`Arena::mark_debt`] return it.
///
/// Dropped, it leaves the cycle where it is; the next safepoint goes on.
///
/// ```
/// use gc_core::arena::CollectionPhase;
/// use gc_core::{Arena, Gc, GcWeak, Rootable};
///
/// type Root<'gc> = (Gc<'gc, u32>, Vec<GcWeak<'gc, u32>>);
/// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
///     let kept = Gc::new(mc, 1);
///     (kept, vec![Gc::downgrade(kept), Gc::downgrade(Gc::new(mc, 2))])
/// });
/// let marked = arena.finish_marking().unwrap();
/// // Whether it is worth while to clean the table up.
/// let dead = marked.finalize(|fc, (_, all)| all.iter().filter(|weak| weak.is_dead(fc)).count());
/// assert_eq!(dead, 1);
/// assert_eq!(arena.collection_phase(), CollectionPhase::Marked);
/// ```
pub struct MarkedArena<'a, R>(&'a mut Arena<R>)
where
    R: for<'b> Rootable<'b>,
    for<'b> Root<'b, R>: WellFormed;

impl<R> MarkedArena<'_, R>
where
    R: for<'b> Rootable<'b>,
    for<'b> Root<'b, R>: Collect<'b>,
{
    /// Lets `f` look which objects are dead and resurrect some of them, besides all that
    /// [`Arena::mutate`] allows.
    ///
    /// An object is *dead* if it is not marked: nothing that can be reached leads to it, weak pointers
    /// aside. It stays alive if it is resurrected ([`Gc::resurrect`](crate::Gc::resurrect)), or is reachable
    /// when `f` returns because `f` has stored a pointer to it; to upgrade a weak pointer to it is not
    /// enough. What such an object leads to is marked later: by the next [`Arena::finish_marking`], which
    /// gives another chance to look, or whatever else goes on with the cycle.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, Gc, GcWeak, Lock, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct File<'gc> {
    ///     open: Lock<bool>,
    ///     name: Gc<'gc, str>,
    /// }
    ///
    /// let mut arena = Arena::<Rootable![GcWeak<'_, File<'_>>]>::new(|mc| {
    ///     let name = Gc::str_from(mc, "notes");
    ///     Gc::downgrade(Gc::new(mc, File { open: Lock::new(true), name }))
    /// });
    /// let closed = arena.finish_marking().unwrap().finalize(|fc, files| {
    ///     let file = files.upgrade(fc).unwrap();
    ///     if Gc::is_dead(fc, file) {
    ///         gc_core::barrier::unlock!(Gc::write(fc, file), File, open).set(false);
    ///     }
    ///     file.name.to_string()
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(closed, "notes");
    /// assert!(arena.mutate(|mc, file| file.upgrade(mc).is_none()));
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` does; then what it did counts. If the `trace` of a value does; then the cycle is aborted.
    pub fn finalize<F, T>(self, f: F) -> T
    where
        F: for<'gc> FnOnce(&'gc Finalization<'gc>, &'gc Root<'gc, R>) -> T,
    {
        let arena = &*self.0;
        let roots = |visitor: &mut dyn EdgeVisitor| arena.visit_roots(visitor);
        // SAFETY: `f` is a callback for any lifetime. The arena is borrowed exclusively, so it cannot
        // collect meanwhile, and the root stays where it is. The cycle is paused, or else there was no
        // `MarkedArena`.
        unsafe {
            let call = || {
                let fc = Finalization::new(arena.owner.mutation());
                f(fc, &*core::ptr::from_ref(&arena.root))
            };
            arena.owner.context().finalize(&roots, call)
        }
    }

    /// Goes on to [`CollectionPhase::Sweeping`]: from now on it is settled what is dead, and weak pointers to
    /// that are cleared.
    ///
    /// However long that takes. Finalizers of what is dead are enqueued, and run at later safepoints.
    ///
    /// ```
    /// use gc_core::arena::CollectionPhase;
    /// use gc_core::{Arena, Gc, GcWeak, Rootable};
    ///
    /// let mut arena = Arena::<Rootable![GcWeak<'_, u32>]>::new(|mc| Gc::downgrade(Gc::new(mc, 7)));
    /// let marked = arena.finish_marking().unwrap();
    /// marked.start_sweeping();
    /// assert_eq!(arena.collection_phase(), CollectionPhase::Sweeping);
    /// assert!(arena.mutate(|mc, weak| weak.upgrade(mc).is_none()));
    /// ```
    ///
    /// # Panics
    ///
    /// If the `Drop` of a value does that only weak pointers lead to; the cycle goes on.
    pub fn start_sweeping(self) {
        self.0.safepoint(Safepoint::StartSweeping);
        debug_assert_eq!(self.0.collection_phase(), CollectionPhase::Sweeping);
    }
}

impl<R> fmt::Debug for MarkedArena<'_, R>
where
    R: for<'b> Rootable<'b>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MarkedArena").field(&self.0).finish()
    }
}
