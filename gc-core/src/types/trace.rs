//! Tracing: how a value tells which pointers it holds.
//!
//! A type describes itself once, in [`Collect::trace`], by handing each of its fields to a
//! [`Trace`]. Three kinds of visitor listen: the allocator, to tag the words of a new object whose
//! type map is not constant; the marker, for edges that leave from memory outside the heap; and
//! tests and tools.
//!
//! What makes one description serve all of them is that [`Gc`] and [`GcWeak`] report not only where
//! they point but also *where they are*. A visitor that tags words needs the place; one that marks
//! needs the target.

use core::ops::Range;

use crate::os::prefetch;
use crate::pointers::gc::Gc;
use crate::pointers::weak::GcWeak;
use crate::types::collect::Collect;
use crate::types::found::{Found, Row};

/// The visitor that is passed to [`Collect::trace`].
///
/// Implementations of [`Collect`] call [`Trace::trace`] with each of their fields, by reference and
/// in place. Implementing this trait is safe, and of use to whoever wants to walk the pointers of a
/// value. Such a visitor sees the keys of ephemerons as weak pointers, and not their values. So it must not be what an
/// implementation of [`Collect`] passes fields to in place of the visitor that it was given.
///
/// ```
/// use gc_core::collect::Trace;
/// use gc_core::{Collect, Gc, GcWeak, arena::rootless_mutate};
///
/// /// Counts the pointers of a value, strong and weak.
/// #[derive(Default)]
/// struct Count {
///     strong: usize,
///     weak: usize,
/// }
///
/// impl<'gc> Trace<'gc> for Count {
///     fn trace_gc(&mut self, _: Gc<'gc, ()>) {
///         self.strong += 1;
///     }
///
///     fn trace_gc_weak(&mut self, _: GcWeak<'gc, ()>) {
///         self.weak += 1;
///     }
/// }
///
/// rootless_mutate(|mc| {
///     let five = Gc::new(mc, 5);
///     let value = (vec![five, five], Some(Gc::downgrade(five)), 7);
///     let mut count = Count::default();
///     value.trace(&mut count);
///     assert_eq!((count.strong, count.weak), (2, 1));
/// });
/// ```
pub trait Trace<'gc> {
    /// Visits a [`Gc`] pointer of any type.
    ///
    /// ```
    /// use std::collections::HashSet;
    /// use gc_core::collect::Trace;
    /// use gc_core::{Collect, Gc, GcWeak, arena::rootless_mutate};
    ///
    /// /// The addresses to which a value leads.
    /// struct Targets(HashSet<usize>);
    ///
    /// impl<'gc> Trace<'gc> for Targets {
    ///     fn trace_gc(&mut self, gc: Gc<'gc, ()>) {
    ///         self.0.insert(Gc::as_ptr(gc).addr());
    ///     }
    ///
    ///     fn trace_gc_weak(&mut self, _: GcWeak<'gc, ()>) {}
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let (one, other) = (Gc::new(mc, 1), Gc::new(mc, 2));
    ///     let mut targets = Targets(HashSet::new());
    ///     [one, one, other].trace(&mut targets);
    ///     assert_eq!(targets.0, HashSet::from([one, other].map(|gc| Gc::as_ptr(gc).addr())));
    /// });
    /// ```
    fn trace_gc(&mut self, gc: Gc<'gc, ()>);

    /// Visits a [`GcWeak`] pointer of any type.
    ///
    /// ```
    /// use gc_core::collect::Trace;
    /// use gc_core::{Gc, GcWeak, arena::rootless_mutate};
    ///
    /// /// Whether a value observes anything that it does not keep alive.
    /// struct Observes(bool);
    ///
    /// impl<'gc> Trace<'gc> for Observes {
    ///     fn trace_gc(&mut self, _: Gc<'gc, ()>) {}
    ///
    ///     fn trace_gc_weak(&mut self, weak: GcWeak<'gc, ()>) {
    ///         self.0 |= !weak.is_dropped();
    ///     }
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let mut observes = Observes(false);
    ///     observes.trace(&Gc::new(mc, 5));
    ///     assert!(!observes.0);
    ///     observes.trace(&Gc::downgrade(Gc::new(mc, 5)));
    ///     assert!(observes.0);
    /// });
    /// ```
    fn trace_gc_weak(&mut self, gc: GcWeak<'gc, ()>);

    /// Visits a [`Gc`] pointer that lies at the address `slot`.
    #[doc(hidden)]
    #[inline]
    fn trace_gc_at(&mut self, slot: usize, gc: Gc<'gc, ()>) {
        let _ = slot;
        self.trace_gc(gc);
    }

    /// Visits a [`GcWeak`] pointer that lies at the address `slot`.
    #[doc(hidden)]
    #[inline]
    fn trace_gc_weak_at(&mut self, slot: usize, gc: GcWeak<'gc, ()>) {
        let _ = slot;
        self.trace_gc_weak(gc);
    }

    /// Visits a word at the address `slot` that is a pointer word, strong or weak, and holds null.
    #[doc(hidden)]
    #[inline]
    fn trace_null_at(&mut self, slot: usize, weak: bool) {
        let _ = (slot, weak);
    }

    /// Visits an ephemeron that lies at the address `slot`: the value, at the address `value`, is to be followed
    /// when the key is reached.
    ///
    /// Only the collector may follow it, so others get no [`Gc`] of it: the value may have been freed, as the key was,
    /// or be freed by the cycle in progress, which does not hear of who looks at it here.
    #[doc(hidden)]
    #[inline]
    fn trace_ephemeron_at(&mut self, slot: usize, key: GcWeak<'gc, ()>, value: usize) {
        let _ = (slot, value);
        self.trace_gc_weak(key);
    }

    /// Visits a word at the address `slot` that is a pointer into the object at which the [`Gc`] in the
    /// word before points, and was visited just now.
    #[doc(hidden)]
    #[inline]
    fn trace_derived_at(&mut self, slot: usize) {
        let _ = slot;
    }

    /// Drops what may be the last owner of a value, whose destructor then runs: the collector does that when nobody
    /// waits for it and it holds no lock.
    #[doc(hidden)]
    #[inline]
    fn drop_later(&mut self, owner: LastOwner) {
        drop(owner);
    }

    /// Whether a lock whose content somebody may be writing is to be passed by: the visitor comes again when nobody
    /// can be.
    #[doc(hidden)]
    #[inline]
    fn pass_lock(&mut self) -> bool {
        false
    }

    /// Whether only pointers count that lie in the visited object itself.
    #[doc(hidden)]
    #[inline]
    fn stays_inside(&self) -> bool {
        false
    }

    /// Whether nobody can hold a reference to what is at `address` that he could use: because that is in the heap of
    /// an arena that is being collected; or, wherever it is, because it is `branded`, so that references to it end
    /// with the `mutate` call, and none is running. Only the collector can say so.
    #[doc(hidden)]
    #[inline]
    fn holds(&self, address: usize, branded: bool) -> Option<Unreferenced> {
        let _ = (address, branded);
        None
    }

    /// Goes on to memory which a value owns that lies at the address `owner`: if nobody can hold a reference to the
    /// value, then nobody can to that memory, until [`Trace::leave_owned`] is called with the result.
    ///
    /// # Safety
    ///
    /// The value owns the memory alone, so that safe code gets there only by a reference to the value.
    #[doc(hidden)]
    #[inline]
    unsafe fn enter_owned(&mut self, owner: usize, memory: Range<usize>) -> Option<Range<usize>> {
        let _ = (owner, memory);
        None
    }

    /// # Safety
    ///
    /// `before` is what [`Trace::enter_owned`] of this visitor returned last.
    #[doc(hidden)]
    #[inline]
    unsafe fn leave_owned(&mut self, before: Range<usize>) {
        let _ = before;
    }

    /// Visits the strong pointers of values in which they are always in the words that `tags` names: bit *i* is word
    /// *i*. `false` if the visitor wants them one by one, and has visited none.
    ///
    /// # Safety
    ///
    /// That is what the type map of the values says, some word is named, and no other one is anything to a visitor. Values
    /// consist of whole words.
    #[doc(hidden)]
    #[inline]
    unsafe fn trace_alike<T>(&mut self, values: &[T], tags: u64) -> bool
    where
        Self: Sized,
    {
        let _ = (values, tags);
        false
    }

    /// Visits whatever pointers `value` holds: calls [`Collect::trace`] on it, unless its type
    /// never holds any.
    ///
    /// ```
    /// use gc_core::collect::Trace;
    /// use gc_core::{Arena, Collect, Gc, Rootable};
    ///
    /// /// A stack, with the numbers in another place than the pointers.
    /// struct Stack<'gc> {
    ///     raw: Vec<u64>,
    ///     values: Vec<Gc<'gc, u32>>,
    /// }
    ///
    /// // SAFETY: all fields are visited, in place.
    /// unsafe impl<'gc> Collect<'gc> for Stack<'gc> {
    ///     fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
    ///         cc.trace(&self.raw); // This costs nothing: numbers hold no pointers.
    ///         cc.trace(&self.values);
    ///     }
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Gc<'_, Stack<'_>>]>::new(|mc| {
    ///     Gc::new(mc, Stack { raw: vec![1], values: vec![Gc::new(mc, 5)] })
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|_, stack| *stack.values[0]), 5);
    /// ```
    #[inline]
    fn trace<C: Collect<'gc> + ?Sized>(&mut self, value: &C)
    where
        Self: Sized,
    {
        if C::NEEDS_TRACE {
            value.trace(self);
        }
    }
}

/// An `Arc` or `Rc` that may be the last of its value.
#[doc(hidden)]
pub struct LastOwner {
    owner: *mut (),
    drop: unsafe fn(*mut ()),
}

// SAFETY: one of a heap with one mutator is dropped by that one. The values of others are `Send` and `Sync`, so what
// they share can be dropped by any thread.
unsafe impl Send for LastOwner {}

impl LastOwner {
    /// Wraps a pointer to a shared value. What the value borrows may be gone when this is dropped, as for any other
    /// value in an arena: its destructor does not use it (rule 3 of [`Collect`]).
    pub(crate) fn new<P>(owner: P) -> LastOwner {
        /// # Safety
        ///
        /// `owner` comes from `Box::into_raw` of a `P`, and this is called once.
        unsafe fn drop_boxed<P>(owner: *mut ()) {
            // SAFETY: it was boxed as a `P`, and nobody else has it (the caller's promise).
            drop(unsafe { Box::from_raw(owner.cast::<P>()) });
        }
        LastOwner {
            owner: Box::into_raw(Box::new(owner)).cast(),
            drop: drop_boxed::<P>,
        }
    }
}

impl Drop for LastOwner {
    fn drop(&mut self) {
        // SAFETY: the function is that for this pointer, and this is called once.
        unsafe { (self.drop)(self.owner) }
    }
}

/// The collector's word that nobody uses a reference to change what is at an address.
#[doc(hidden)]
pub struct Unreferenced(usize);

impl Unreferenced {
    /// # Safety
    ///
    /// It is true while the value exists.
    pub(crate) unsafe fn new(address: usize) -> Unreferenced {
        Unreferenced(address)
    }

    /// Whether it is about this address.
    pub(crate) fn covers(&self, address: usize) -> bool {
        self.0 == address
    }
}

/// A pointer that a value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The address of the word that holds it, or zero if that is not known.
    pub(crate) slot: usize,
    /// The address to which it points; null if it is an option of a pointer.
    pub(crate) target: usize,
    /// Whether it is weak.
    pub(crate) weak: bool,
}

impl Edge {
    /// One that leads from a root to `target`.
    pub(crate) fn of_root(target: usize) -> Edge {
        Edge {
            slot: 0,
            target,
            weak: false,
        }
    }
}

/// A [`Trace`] without the types: it sees plain addresses. This is what lies below the safe
/// surface.
pub(crate) trait EdgeVisitor {
    fn visit(&mut self, edge: Edge);

    /// Whether this wants to know where pointers are, and those that are null. Otherwise most strong pointers come in
    /// lots ([`EdgeVisitor::visit_targets`]).
    ///
    /// Who does not has [`EdgeVisitor::visit_rows`].
    fn wants_places(&self) -> bool {
        true
    }

    /// Visits strong pointers to these targets, of which some may be null. Only for who does not want places.
    fn visit_targets(&mut self, targets: &[usize]) {
        for &target in targets {
            self.visit(Edge::of_root(target));
        }
    }

    /// Visits the strong pointers of some rows. Only for who does not want places.
    ///
    /// # Safety
    ///
    /// They are pointer words, may be read, and are written meanwhile by nobody but atomically.
    unsafe fn visit_rows(&mut self, rows: &[Row]) {
        let _ = rows;
        unreachable!("places are wanted");
    }

    /// Visits an ephemeron: a pair of words at an address (zero if that is not known), a key and a value.
    /// Either may be null.
    fn visit_ephemeron(&mut self, slot: usize, key: usize, value: usize);

    /// Visits a word that is derived from the pointer in the word before. Only for who wants places.
    fn visit_derived(&mut self, slot: usize) {
        let _ = slot;
    }

    /// See [`Trace::drop_later`].
    fn drop_later(&mut self, owner: LastOwner) {
        drop(owner);
    }

    /// See [`Trace::pass_lock`].
    fn pass_lock(&mut self) -> bool {
        false
    }

    /// Whether nobody else uses a reference by which what is visited could change, locks that are taken included: no
    /// `mutate` call of the arena is running, or the type is concurrent and the object not claimed.
    ///
    /// In a write barrier others may: `Write::from_static` needs no barrier, so a lock whose content is
    /// `'static` may be open, in this thread or another one, though nobody has claimed the object.
    fn is_alone(&self) -> bool {
        true
    }
}

/// Lets an [`EdgeVisitor`] be passed to [`Collect::trace`] of a value which lies at some address
/// of the heap, or of a root.
///
/// A visitor is called once for a lot of strong pointers, if it does not want to know where they are. It has all of
/// them when this is dropped.
pub(crate) struct Edges<'a> {
    visitor: &'a mut dyn EdgeVisitor,
    /// What the visitor does not have yet.
    found: &'a mut Found,
    /// The addresses of the value's object, or of memory that belongs to it alone and is being visited. Empty if
    /// somebody may have a reference there.
    object: Range<usize>,
    /// Whether the visitor is [alone](EdgeVisitor::is_alone).
    alone: bool,
    /// Whether it wants places.
    placed: bool,
    /// Whether rows may be read when the `trace` that told of them is over.
    stays: bool,
}

impl<'a> Edges<'a> {
    /// Visits values in the object at the addresses `object`.
    ///
    /// # Safety
    ///
    /// As for [`Edges::set_object`].
    #[inline(always)]
    pub(crate) unsafe fn of_object(
        visitor: &'a mut dyn EdgeVisitor,
        found: &'a mut Found,
        object: Range<usize>,
    ) -> Edges<'a> {
        let mut edges = Edges::new(visitor, found);
        // SAFETY: passed on to the caller.
        unsafe { edges.set_object(object) }
        edges
    }

    /// Visits values of which is not known yet where they lie. If something is `found` before, the visitor gets it too.
    #[inline(always)]
    pub(crate) fn new(visitor: &'a mut dyn EdgeVisitor, found: &'a mut Found) -> Edges<'a> {
        Edges {
            alone: visitor.is_alone(),
            placed: visitor.wants_places(),
            visitor,
            found,
            object: 0..0,
            stays: false,
        }
    }

    /// Goes on to a value in the object at the addresses `object`.
    ///
    /// # Safety
    ///
    /// As long as the value is visited, nobody uses a reference by which it could change, nor what it owns, if the visitor
    /// [says so](EdgeVisitor::is_alone).
    #[inline(always)]
    pub(crate) unsafe fn set_object(&mut self, object: Range<usize>) {
        if self.alone {
            self.object = object;
        }
    }

    /// Leaves rows among what was found until there is no room for them, or somebody takes them.
    ///
    /// # Safety
    ///
    /// The visitor is alone, and the visited values are of concurrent types. As long as rows are there, no mutator is at
    /// work, or the values' objects are published and were found not claimed.
    #[inline(always)]
    pub(crate) unsafe fn leave_rows(&mut self) {
        self.stays = true;
    }

    /// Ends the visit, and leaves what was found where it is.
    #[inline(always)]
    pub(crate) fn leave(self) {
        core::mem::forget(self);
    }

    /// Hands over the pointers.
    #[cold]
    #[inline(never)]
    fn hand_over_targets(&mut self) {
        self.visitor.visit_targets(self.found.targets.take());
    }

    /// Hands over the rows.
    #[cold]
    #[inline(never)]
    fn hand_over_rows(&mut self) {
        // SAFETY: the words were said to be pointers and readable (`trace_alike`), and stay so (`leave_rows`).
        unsafe { self.visitor.visit_rows(self.found.rows.take()) }
    }
}

impl Drop for Edges<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.found.targets.is_empty() {
            self.hand_over_targets();
        }
        if !self.found.rows.is_empty() {
            self.hand_over_rows();
        }
    }
}

impl<'gc> Trace<'gc> for Edges<'_> {
    fn trace_gc(&mut self, gc: Gc<'gc, ()>) {
        self.trace_gc_at(0, gc);
    }

    fn trace_gc_weak(&mut self, gc: GcWeak<'gc, ()>) {
        self.trace_gc_weak_at(0, gc);
    }

    #[inline]
    fn trace_gc_at(&mut self, slot: usize, gc: Gc<'gc, ()>) {
        let target = Gc::as_ptr(gc).addr();
        if self.placed {
            return self.visitor.visit(Edge {
                slot,
                target,
                weak: false,
            });
        }
        if self.found.targets.add(target) {
            self.hand_over_targets();
        }
    }

    fn trace_gc_weak_at(&mut self, slot: usize, gc: GcWeak<'gc, ()>) {
        self.visitor.visit(Edge {
            slot,
            target: gc.as_ptr().addr(),
            weak: true,
        });
    }

    fn trace_ephemeron_at(&mut self, slot: usize, key: GcWeak<'gc, ()>, value: usize) {
        self.visitor
            .visit_ephemeron(slot, key.as_ptr().addr(), value);
    }

    #[inline]
    fn trace_null_at(&mut self, slot: usize, weak: bool) {
        if self.placed {
            self.visitor.visit(Edge {
                slot,
                target: 0,
                weak,
            });
        }
    }

    #[inline]
    fn trace_derived_at(&mut self, slot: usize) {
        if self.placed {
            self.visitor.visit_derived(slot);
        }
    }

    #[inline]
    unsafe fn trace_alike<T>(&mut self, values: &[T], tags: u64) -> bool {
        if self.placed {
            return false;
        }
        let row = Row {
            start: core::ptr::from_ref(values).cast::<T>().expose_provenance(),
            count: values.len(),
            stride: size_of::<T>() / size_of::<usize>(),
            tags,
        };
        if !self.stays {
            // SAFETY: the values may be read, as there is a reference. The words are pointers (the caller's promise).
            // They are in no cell that is written meanwhile, but those of atomic ones (`of_object`).
            unsafe { self.visitor.visit_rows(&[row]) }
            return true;
        }
        prefetch(row.start);
        if self.found.rows.add(row) {
            self.hand_over_rows();
        }
        true
    }

    fn drop_later(&mut self, owner: LastOwner) {
        self.visitor.drop_later(owner);
    }

    fn pass_lock(&mut self) -> bool {
        self.visitor.pass_lock()
    }

    #[inline]
    fn holds(&self, address: usize, branded: bool) -> Option<Unreferenced> {
        let holds = branded && self.alone || self.object.contains(&address);
        // SAFETY: nobody uses a reference to change what is in the object (`of_object`), or in memory that is its own
        // (`enter_owned`). Of what is branded and shared, references have the brand in their type too, and so do guards,
        // whoever shares the memory. They do not leave the `mutate` call, and none is running, as concurrent types share
        // nothing; what was leaked nobody uses.
        holds.then(|| unsafe { Unreferenced::new(address) })
    }

    #[inline]
    unsafe fn enter_owned(&mut self, owner: usize, memory: Range<usize>) -> Option<Range<usize>> {
        let owned = self.object.contains(&owner);
        owned.then(|| core::mem::replace(&mut self.object, memory))
    }

    #[inline]
    unsafe fn leave_owned(&mut self, before: Range<usize>) {
        self.object = before;
    }
}
