//! [`DynamicRootSet`]: roots that come and go.
//!
//! A set is an external object with a table of slots. A handle, [`DynamicRoot`], shares the table
//! and knows the number of its slot; the table counts the handles of each slot and forgets the
//! pointer when the last is gone. The handle is `'static`: it names the pointer, but only the set,
//! inside of a `mutate` call, gives it back its brand.

use core::fmt;
use core::marker::PhantomData;
use std::cell::RefCell;
use std::rc::Rc;

use crate::arena::{Root, Rootable};
use crate::collect::{Collect, Trace};
use crate::gc::Gc;
use crate::metrics::Metrics;
use crate::mutation::Mutation;

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
    const TYPE_MAP: crate::typemap::TypeMap = <Gc<'gc, Inner<'gc>> as Collect<'gc>>::TYPE_MAP;

    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.0);
    }
}

impl<'gc> DynamicRootSet<'gc> {
    /// An empty set. It must be reachable from the arena's root to keep anything alive.
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
    pub fn stash<R: for<'a> Rootable<'a>>(
        &self,
        mc: &Mutation<'gc>,
        root: Gc<'gc, Root<'gc, R>>,
    ) -> DynamicRoot<R> {
        // No barrier: what is put into a slot is in the mutator's hands, so it is known to the collector,
        // but in a finalization call; and what is read from one is noted.
        // SAFETY: the pointer is one into this heap.
        unsafe { mc.context().note_stored(Gc::as_ptr(Gc::erase(root)).addr()) };
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
        unsafe { self.0.metrics.0.note_read(root.pointer_address()) };
        // SAFETY: as above.
        Ok(unsafe { Gc::from_ptr(Gc::as_ptr(root.pointer) as *const Root<'gc, R>) })
    }

    /// Whether a handle is one of this set.
    pub fn contains<R: for<'a> Rootable<'a>>(&self, root: &DynamicRoot<R>) -> bool {
        Rc::ptr_eq(&self.0.slots, &root.slots)
    }
}

/// A handle to a root in a [`DynamicRootSet`]. It is `'static` and can be kept anywhere.
pub struct DynamicRoot<R: for<'a> Rootable<'a>> {
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
    _brand: crate::mutation::Invariant<'gc>,
}

// SAFETY: all pointers are those in the slots.
unsafe impl<'gc> Collect<'gc> for Inner<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // A visitor could drop or clone a handle, so nothing may be borrowed while it works.
        let mut index = 0;
        while let Some(pointer) = self.slot(index) {
            if let Some(pointer) = pointer {
                cc.trace_gc(pointer);
            }
            index += 1;
        }
    }
}

impl<'gc> Inner<'gc> {
    /// What is in a slot, if there is such a slot, if there is something in it.
    fn slot(&self, index: usize) -> Option<Option<Gc<'gc, ()>>> {
        match self.slots.borrow().all.get(index)? {
            Slot::Free { .. } => Some(None),
            // SAFETY: the pointer was put there in this arena, and is alive as its handle is.
            Slot::Used { pointer, .. } => unsafe { Some(Some(Gc::from_ptr(Gc::as_ptr(*pointer)))) },
        }
    }
}

/// A table of counted pointers.
#[derive(Default)]
struct Slots {
    all: Vec<Slot>,
    /// The first of a chain of free slots.
    free: Option<usize>,
}

enum Slot {
    Free {
        next: Option<usize>,
    },
    Used {
        pointer: Gc<'static, ()>,
        handles: usize,
    },
}

impl Slots {
    fn add(&mut self, pointer: Gc<'static, ()>) -> usize {
        let used = Slot::Used {
            pointer,
            handles: 1,
        };
        match self.free {
            Some(index) => {
                let Slot::Free { next } = self.all[index] else {
                    unreachable!("slot {index} is in the chain of free slots and used")
                };
                self.free = next;
                self.all[index] = used;
                index
            }
            None => {
                self.all.push(used);
                self.all.len() - 1
            }
        }
    }

    fn handles(&mut self, index: usize) -> &mut usize {
        match &mut self.all[index] {
            Slot::Used { handles, .. } => handles,
            Slot::Free { .. } => unreachable!("slot {index} has a handle and is free"),
        }
    }

    fn retain(&mut self, index: usize) {
        *self.handles(index) += 1;
    }

    fn release(&mut self, index: usize) {
        let handles = self.handles(index);
        *handles -= 1;
        if *handles == 0 {
            self.all[index] = Slot::Free { next: self.free };
            self.free = Some(index);
        }
    }
}
