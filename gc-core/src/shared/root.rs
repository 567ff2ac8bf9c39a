//! [`Root`]: a handle that keeps an object of a shared arena alive.

use core::fmt;

use crate::arenas::arena::{Root as RootOf, Rootable, WellFormed};
use crate::pointers::gc::Gc;
use crate::protocol::root_table::RootTable;
use crate::sync::Arc;

/// A handle to an object of a [shared arena](super::Arena), which it keeps alive. It can be kept, sent to,
/// cloned and dropped on any thread, attached or not, at any time; each takes a lock for a moment.
///
/// It is followed with [`Mutation::get`](super::Mutation::get). When the arena is gone, handles lead
/// nowhere. One that is kept in the heap that it leads into keeps its object alive for ever if that
/// leads to it.
///
/// ```
/// use gc_core::Rootable;
/// use gc_core::shared::Arena;
///
/// let arena = Arena::<Rootable![()]>::new(|_| ());
/// let here = arena.attach();
/// let root = here.mutate(|mc, _| mc.root::<Rootable![u64]>(mc.allocate(5)));
/// here.finish_cycle();
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let five = arena.attach().mutate(|mc, _| *mc.get(&root));
///         assert_eq!(five, 5);
///     });
/// });
/// ```
pub struct Root<R: for<'a> Rootable<'a>>
where
    for<'a> RootOf<'a, R>: WellFormed,
{
    /// Not to be followed but in a `mutate` call of its arena, while that exists.
    pointer: Gc<'static, RootOf<'static, R>>,
    table: Arc<RootTable>,
    index: usize,
}

// SAFETY: a handle is an address and a share in a thread-safe table. A thread that follows
// it shares the object.
unsafe impl<R: for<'a> Rootable<'a>> Send for Root<R> where for<'a> RootOf<'a, R>: Send + Sync {}
// SAFETY: as above.
unsafe impl<R: for<'a> Rootable<'a>> Sync for Root<R> where for<'a> RootOf<'a, R>: Send + Sync {}

impl<R: for<'a> Rootable<'a>> Root<R> {
    /// # Safety
    ///
    /// The table is that of the arena that `'gc` brands.
    pub(super) unsafe fn new<'gc>(table: &Arc<RootTable>, gc: Gc<'gc, RootOf<'gc, R>>) -> Root<R> {
        let index = table.add(Gc::as_ptr(gc).cast::<()>().addr());
        Root {
            // SAFETY: the brand is forgotten here and given back only in calls of the arena with this
            // table (`pointer`).
            pointer: unsafe { Gc::from_ptr(Gc::as_ptr(gc) as *const RootOf<'static, R>) },
            table: Arc::clone(table),
            index,
        }
    }

    pub(super) fn table(&self) -> &Arc<RootTable> {
        &self.table
    }

    /// # Safety
    ///
    /// The caller is in a call of the arena with this handle's table, which `'gc` brands.
    pub(super) unsafe fn pointer<'gc>(&self) -> Gc<'gc, RootOf<'gc, R>> {
        // SAFETY: this is a call of the handle's arena, which `'gc` brands (the caller's promise). The pointer was put
        // here as one to this type, and the handle has kept its object alive.
        unsafe { Gc::from_ptr(Gc::as_ptr(self.pointer) as *const RootOf<'gc, R>) }
    }
}

impl<R: for<'a> Rootable<'a>> Clone for Root<R> {
    fn clone(&self) -> Root<R> {
        self.table.retain(self.index);
        Root {
            pointer: self.pointer,
            table: Arc::clone(&self.table),
            index: self.index,
        }
    }
}

impl<R: for<'a> Rootable<'a>> Drop for Root<R> {
    fn drop(&mut self) {
        self.table.release(self.index);
    }
}

impl<R: for<'a> Rootable<'a>> fmt::Debug for Root<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
