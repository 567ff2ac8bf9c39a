//! [`DynamicRootSet`]: roots that come and go.
//!
//! A set is an external object with a table of slots (`slot_table`), whose cost in memory and time is proportional to
//! the slots in use. A handle, [`DynamicRoot`], shares the table and knows the number of its slot. The table counts the
//! handles of each slot, and clears the slot when the last is dropped. A handle is `'static`; only the set, in a
//! `mutate` call, gives its pointer the brand back.

use core::fmt;
use core::marker::PhantomData;
use std::cell::RefCell;
use std::rc::Rc;

use crate::arenas::arena::{Root, Rootable, WellFormed};
use crate::mutator::metrics::Metrics;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::Gc;
use crate::protocol::slot_table::SlotTable;
use crate::types::collect::{Collect, Trace};

/// A set of roots that can be added and dropped at any time, as a part of an arena's root.
///
/// ```
/// use gc_core::{Arena, DynamicRootSet, Gc, Rootable};
///
/// let mut arena = Arena::<Rootable![DynamicRootSet<'_>]>::new(|mc| DynamicRootSet::new(mc));
/// let handle = arena.mutate(|mc, roots| roots.stash::<Rootable![u32]>(mc, Gc::new(mc, 5)));
/// arena.finish_cycle();
/// assert_eq!(arena.mutate(|_, roots| *roots.fetch(&handle)), 5);
/// drop(handle);
/// arena.finish_cycle();
/// assert_eq!(arena.metrics().total_gc_count(), 1);
/// ```
#[derive(Clone, Copy)]
pub struct DynamicRootSet<'gc>(Gc<'gc, Inner<'gc>>);

// SAFETY: the one field is visited in place.
unsafe impl<'gc> Collect<'gc> for DynamicRootSet<'gc> {
    const TYPE_MAP: crate::types::type_map::TypeMap =
        <Gc<'gc, Inner<'gc>> as Collect<'gc>>::TYPE_MAP;

    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.0);
    }
}

impl<'gc> DynamicRootSet<'gc> {
    /// An empty set. It must be reachable from the arena's root to keep anything alive.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, DynamicRootSet, Gc, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Machine<'gc> {
    ///     globals: Vec<Gc<'gc, u32>>,
    ///     roots: DynamicRootSet<'gc>,
    /// }
    ///
    /// let mut arena = Arena::<Rootable![Machine<'_>]>::new(|mc| Machine {
    ///     globals: Vec::new(),
    ///     roots: DynamicRootSet::new(mc),
    /// });
    /// let five = arena.mutate(|mc, machine| {
    ///     assert!(machine.globals.is_empty());
    ///     machine.roots.stash::<Rootable![u32]>(mc, Gc::new(mc, 5))
    /// });
    /// arena.finish_cycle();
    /// assert_eq!(arena.mutate(|_, machine| *machine.roots.fetch(&five)), 5);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    pub fn new(mc: &Mutation<'gc>) -> DynamicRootSet<'gc> {
        DynamicRootSet(Gc::new(
            mc,
            Inner {
                slots: Rc::default(),
                metrics: mc.metrics().clone(),
                _brand: PhantomData,
            },
        ))
    }

    /// Adds a root, which lives as long as the handle, its clones, and this set do.
    ///
    /// `R` is the family of the root's type, and is to be named. Takes constant time, memory for the set's table in
    /// proportion to the handles that there are, and never collects.
    ///
    /// ```
    /// use gc_core::{Arena, Collect, DynamicRootSet, Gc, Rootable};
    ///
    /// #[derive(Collect)]
    /// #[collect(no_drop)]
    /// struct Closure<'gc> {
    ///     captured: Gc<'gc, str>,
    /// }
    ///
    /// let mut arena = Arena::<Rootable![DynamicRootSet<'_>]>::new(|mc| DynamicRootSet::new(mc));
    /// let callback = arena.mutate(|mc, roots| {
    ///     let captured = Gc::str_from(mc, "hello");
    ///     roots.stash::<Rootable![Closure<'_>]>(mc, Gc::new(mc, Closure { captured }))
    /// });
    /// let again = callback.clone();
    /// drop(callback);
    /// arena.finish_cycle();
    /// arena.mutate(|_, roots| assert_eq!(&*roots.fetch(&again).captured, "hello"));
    /// ```
    pub fn stash<R: for<'a> Rootable<'a>>(
        &self,
        mc: &Mutation<'gc>,
        root: Gc<'gc, Root<'gc, R>>,
    ) -> DynamicRoot<R> {
        // Slots change without a barrier, so what is put into one is noted, and what is read from one is, too.
        // SAFETY: the pointer is one into this heap.
        unsafe { mc.context().note_read(Gc::as_ptr(Gc::erase(root)).addr()) };
        // SAFETY: the brand is forgotten here and given back only by this set, to which the
        // pointer belongs (`fetch`). What is traced with it is an address.
        let pointer = unsafe { Gc::from_ptr(Gc::as_ptr(Gc::erase(root))) };
        let slots = self.0.slots.clone();
        let index = slots.borrow_mut().add(pointer);
        // SAFETY: as above; the type is written down in the handle's own, for any lifetime.
        let pointer = unsafe { Gc::from_ptr(Gc::as_ptr(root) as *const Root<'static, R>) };
        DynamicRoot {
            pointer,
            slots,
            index,
        }
    }

    /// The pointer behind a handle.
    ///
    /// It is branded by the current call, as all pointers are. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Arena, DynamicRoot, DynamicRootSet, Gc, Lock, Rootable};
    /// # let arena = Arena::<Rootable![DynamicRootSet<'_>]>::new(|mc| DynamicRootSet::new(mc));
    /// type Counter = Rootable![Lock<u32>];
    /// let counter: DynamicRoot<Counter> =
    ///     arena.mutate(|mc, roots| roots.stash(mc, Gc::new(mc, Lock::new(0))));
    /// for _ in 0..3 {
    ///     arena.mutate(|mc, roots| {
    ///         let counter = roots.fetch(&counter);
    ///         counter.set(mc, counter.get() + 1);
    ///     });
    /// }
    /// assert_eq!(arena.mutate(|_, roots| roots.fetch(&counter).get()), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If the handle is one of another set; see [`DynamicRootSet::try_fetch`].
    #[track_caller]
    pub fn fetch<R: for<'a> Rootable<'a>>(&self, root: &DynamicRoot<R>) -> Gc<'gc, Root<'gc, R>> {
        self.try_fetch(root)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The pointer behind a handle.
    ///
    /// ```
    /// use gc_core::{Arena, DynamicRootSet, Gc, Rootable};
    ///
    /// let new = || Arena::<Rootable![DynamicRootSet<'_>]>::new(|mc| DynamicRootSet::new(mc));
    /// let (here, there) = (new(), new());
    /// let root = here.mutate(|mc, roots| roots.stash::<Rootable![u32]>(mc, Gc::new(mc, 5)));
    /// assert_eq!(here.mutate(|_, roots| roots.try_fetch(&root).map(|five| *five)).unwrap(), 5);
    /// assert!(there.mutate(|_, roots| roots.try_fetch(&root).is_err()));
    /// ```
    ///
    /// # Errors
    ///
    /// If the handle is one of another set.
    pub fn try_fetch<R: for<'a> Rootable<'a>>(
        &self,
        root: &DynamicRoot<R>,
    ) -> Result<Gc<'gc, Root<'gc, R>>, MismatchedRootSet> {
        if !self.contains(root) {
            return Err(MismatchedRootSet(()));
        }
        // The slot can be emptied without a barrier, so what was read from it is noted.
        // SAFETY: the handle came from this set, so the pointer was put there in this arena, as a
        // pointer to this type; and since the handle exists, it was kept alive.
        unsafe { self.0.metrics.0.0.note_read(root.pointer_address()) };
        // SAFETY: as above.
        Ok(unsafe { Gc::from_ptr(Gc::as_ptr(root.pointer) as *const Root<'gc, R>) })
    }

    /// Whether a handle is one of this set.
    ///
    /// ```
    /// use gc_core::{DynamicRootSet, Gc, Rootable, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let (one, other) = (DynamicRootSet::new(mc), DynamicRootSet::new(mc));
    ///     let root = one.stash::<Rootable![u32]>(mc, Gc::new(mc, 5));
    ///     assert!(one.contains(&root) && !other.contains(&root));
    /// });
    /// ```
    pub fn contains<R: for<'a> Rootable<'a>>(&self, root: &DynamicRoot<R>) -> bool {
        Rc::ptr_eq(&self.0.slots, &root.slots)
    }
}

/// A handle to a root in a [`DynamicRootSet`]. It is `'static` and can be kept anywhere.
///
/// Its clones are handles to the same root, which is forgotten with the last of them. It stays on the thread of its
/// arena.
///
/// ```
/// use gc_core::{Arena, DynamicRoot, DynamicRootSet, Gc, Rootable};
///
/// /// A value of the script, as the host has it: it has no lifetime.
/// struct Value(DynamicRoot<Rootable![str]>);
///
/// let mut arena = Arena::<Rootable![DynamicRootSet<'_>]>::new(|mc| DynamicRootSet::new(mc));
/// let mut values: Vec<Value> = Vec::new();
/// for text in ["a", "b", "c"] {
///     let root = arena.mutate(|mc, roots| roots.stash(mc, Gc::str_from(mc, text)));
///     values.push(Value(root));
/// }
/// values.truncate(1); // The others are roots no more.
/// arena.finish_cycle();
/// assert_eq!(arena.metrics().total_gc_count(), 2);
/// arena.mutate(|_, roots| assert_eq!(&*roots.fetch(&values[0].0), "a"));
/// ```
pub struct DynamicRoot<R: for<'a> Rootable<'a>>
where
    for<'a> Root<'a, R>: WellFormed,
{
    /// Not to be dereferenced but through the set: the object may be gone if the set is.
    pointer: Gc<'static, Root<'static, R>>,
    slots: Rc<RefCell<Slots>>,
    index: usize,
}

impl<R: for<'a> Rootable<'a>> DynamicRoot<R> {
    fn pointer_address(&self) -> usize {
        Gc::as_ptr(Gc::erase(self.pointer)).addr()
    }

    /// The address of the object, as [`Gc::as_ptr`] told it when it was stashed.
    ///
    /// It can be dereferenced only while the set is alive, and means something only in its arena.
    ///
    /// ```
    /// # use gc_core::{DynamicRootSet, Gc, Rootable, arena::rootless_mutate};
    /// # rootless_mutate(|mc| {
    /// let roots = DynamicRootSet::new(mc);
    /// let (one, other) = (Gc::new(mc, 5), Gc::new(mc, 5));
    /// let root = roots.stash::<Rootable![i32]>(mc, one);
    /// // Is it this one? No set is needed to say so.
    /// assert_eq!(root.as_ptr(), Gc::as_ptr(one));
    /// assert_ne!(root.as_ptr(), Gc::as_ptr(other));
    /// # });
    /// ```
    pub fn as_ptr<'gc>(&self) -> *const Root<'gc, R> {
        Gc::as_ptr(self.pointer) as *const Root<'gc, R>
    }
}

impl<R: for<'a> Rootable<'a>> Clone for DynamicRoot<R> {
    fn clone(&self) -> DynamicRoot<R> {
        self.slots.borrow_mut().retain(self.index);
        DynamicRoot {
            pointer: self.pointer,
            slots: self.slots.clone(),
            index: self.index,
        }
    }
}

impl<R: for<'a> Rootable<'a>> Drop for DynamicRoot<R> {
    fn drop(&mut self) {
        self.slots.borrow_mut().release(self.index);
    }
}

impl<R: for<'a> Rootable<'a>> fmt::Debug for DynamicRoot<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicRoot")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// A handle was used with a set that it is not from.
///
/// ```
/// use gc_core::dynamic_roots::MismatchedRootSet;
/// use gc_core::{DynamicRoot, DynamicRootSet, Gc, Rootable, arena::rootless_mutate};
///
/// fn sum<'gc>(
///     roots: DynamicRootSet<'gc>,
///     terms: &[DynamicRoot<Rootable![u32]>],
/// ) -> Result<u32, MismatchedRootSet> {
///     terms.iter().map(|term| Ok(*roots.try_fetch(term)?)).sum()
/// }
///
/// rootless_mutate(|mc| {
///     let (roots, others) = (DynamicRootSet::new(mc), DynamicRootSet::new(mc));
///     let terms = [roots.stash(mc, Gc::new(mc, 2)), roots.stash(mc, Gc::new(mc, 3))];
///     assert_eq!(sum(roots, &terms).unwrap(), 5);
///     assert!(sum(others, &terms).unwrap_err().to_string().contains("another set"));
/// });
/// ```
#[derive(Debug, thiserror::Error)]
#[error(
    "the dynamic root is of another set: fetch it from the `DynamicRootSet` that it was stashed in"
)]
pub struct MismatchedRootSet(());

/// The object behind a set.
struct Inner<'gc> {
    slots: Rc<RefCell<Slots>>,
    /// Leads to the collector of the arena.
    metrics: Metrics,
    _brand: crate::mutator::mutation::Invariant<'gc>,
}

// SAFETY: all pointers are those in the slots.
unsafe impl<'gc> Collect<'gc> for Inner<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // A visitor could drop or clone a handle, so nothing may be borrowed while it works.
        let mut some = Vec::new();
        let mut from = Some(0);
        while let Some(index) = from {
            from = self.some(index, &mut some);
            some.drain(..).for_each(|pointer| cc.trace_gc(pointer));
        }
    }
}

impl<'gc> Inner<'gc> {
    /// Adds to `some` what is in some slots from `index` on. Where to go on, if there were any.
    fn some(&self, index: usize, some: &mut Vec<Gc<'gc, ()>>) -> Option<usize> {
        self.slots.borrow().table.visit_some(index, |_, slot| {
            if let Some(gc) = slot.pointer {
                // SAFETY: the pointer was put there in this arena, and was kept alive until now, as it has a handle.
                // Nothing is freed while values are traced.
                some.push(unsafe { Gc::from_ptr(Gc::as_ptr(gc)) });
            }
        })
    }
}

/// A table of counted pointers.
#[derive(Default)]
struct Slots {
    table: SlotTable<Slot>,
}

#[derive(Default)]
struct Slot {
    /// There is one in each slot that is in use.
    pointer: Option<Gc<'static, ()>>,
    handles: usize,
}

impl Slots {
    fn add(&mut self, pointer: Gc<'static, ()>) -> usize {
        self.table.add(Slot {
            pointer: Some(pointer),
            handles: 1,
        })
    }

    fn retain(&mut self, index: usize) {
        let slot = self.table.get_mut(index);
        slot.expect("a slot with a handle is in use").handles += 1;
    }

    fn release(&mut self, index: usize) {
        self.table.remove_if(index, |slot| {
            slot.handles -= 1;
            slot.handles == 0
        });
    }
}
