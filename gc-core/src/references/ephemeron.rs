//! [`Ephemeron`]: a key and a value that lives as long as the key does.

use core::fmt;
use core::ptr;

use crate::mutator::context::Context;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::Gc;
use crate::pointers::weak::GcWeak;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A pair of pointers, a key and a value, of which neither keeps the key alive, and the value is kept alive
/// only as long as the key is.
///
/// That is more than a weak pointer beside a strong one: a value may lead to its own key, and neither is
/// kept alive by that. Chains, where the value of one ephemeron leads to the key of another, and cycles of
/// them, are no different. (Hayes, "Ephemerons: A New Finalization Mechanism", OOPSLA 1997.) It is what a
/// table needs that adds something to objects.
///
/// An ephemeron is `Copy`, takes 16 bytes, and can be a part of any value in the heap or of the root. It
/// counts for as long as the collector can find it there, like all pointers.
///
/// When nothing else keeps the key alive, a collection clears the ephemeron: key and value are gone. If
/// a finalizer of the key can still see it, that comes after the finalizer, and not at all if the key is
/// reachable again then.
///
/// ```
/// use gc_core::{Arena, Ephemeron, Gc, Rootable};
///
/// type Root<'gc> = (Option<Gc<'gc, u32>>, Ephemeron<'gc, u32, String>);
/// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
///     let key = Gc::new(mc, 7);
///     (Some(key), Ephemeron::new(key, Gc::new(mc, "seven".to_string())))
/// });
/// arena.finish_cycle();
/// arena.mutate_root(|mc, (key, ephemeron)| {
///     assert_eq!(*ephemeron.value(mc).unwrap(), "seven");
///     *key = None;
/// });
/// arena.finish_cycle();
/// arena.mutate(|mc, (_, ephemeron)| assert!(ephemeron.value(mc).is_none()));
/// ```
// Aligned, so that both words are in one group of the planes, and in one chunk of a large object.
#[repr(C, align(16))]
pub struct Ephemeron<'gc, K: 'gc, V: 'gc> {
    key: GcWeak<'gc, K>,
    /// Not to be followed when the key is gone.
    value: Gc<'gc, V>,
}

const _: () = assert!(size_of::<Ephemeron<'_, u8, u8>>() == 16);

impl<'gc, K: 'gc, V: 'gc> Ephemeron<'gc, K, V> {
    /// An ephemeron of these two. A key of size zero without `Drop` is always alive.
    ///
    /// ```
    /// use gc_core::{Arena, Ephemeron, Gc, Rootable};
    ///
    /// // The value leads to its own key, and yet does not keep it alive.
    /// type Pair<'gc> = Ephemeron<'gc, u32, (Gc<'gc, u32>, &'static str)>;
    /// let mut arena = Arena::<Rootable![Pair<'_>]>::new(|mc| {
    ///     let key = Gc::new(mc, 7);
    ///     Ephemeron::new(key, Gc::new(mc, (key, "seven")))
    /// });
    /// arena.finish_cycle();
    /// arena.mutate(|mc, pair| assert!(pair.get(mc).is_none()));
    /// assert_eq!(arena.metrics().total_gc_count(), 1); // The key's address, until the ephemeron is gone.
    /// ```
    #[inline]
    pub fn new(key: Gc<'gc, K>, value: Gc<'gc, V>) -> Ephemeron<'gc, K, V> {
        let key = Gc::downgrade(key);
        Ephemeron { key, value }
    }

    /// The key, if it is there. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Ephemeron, Gc, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let keys = [Gc::new(mc, 1), Gc::new(mc, 2)];
    ///     let table = keys.map(|key| Ephemeron::new(key, Gc::new(mc, *key * 10)));
    ///     let found = table
    ///         .iter()
    ///         .find(|pair| pair.key(mc).is_some_and(|key| Gc::ptr_eq(key, keys[1])));
    ///     assert_eq!(*found.unwrap().value(mc).unwrap(), 20);
    /// });
    /// ```
    #[inline]
    pub fn key(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, K>> {
        // SAFETY: this ephemeron is in use, in the arena that `'gc` brands.
        unsafe {
            let there = mc.context().upgrade_long(self.key_address());
            there.then(|| self.key.assume_there())
        }
    }

    /// The value, if the key is there. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Arena, Ephemeron, Gc, Rootable};
    ///
    /// type Root<'gc> = (Option<Gc<'gc, &'static str>>, Ephemeron<'gc, &'static str, u32>);
    /// let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
    ///     let file = Gc::new(mc, "main.rs");
    ///     (Some(file), Ephemeron::new(file, Gc::new(mc, 42)))
    /// });
    /// arena.finish_cycle();
    /// let lines = |arena: &Arena<Rootable![Root<'_>]>| {
    ///     arena.mutate(|mc, (_, lines)| lines.value(mc).map(|lines| *lines))
    /// };
    /// assert_eq!(lines(&arena), Some(42));
    /// arena.mutate_root(|_, (file, _)| *file = None);
    /// arena.finish_cycle();
    /// assert_eq!(lines(&arena), None);
    /// ```
    #[inline]
    pub fn value(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, V>> {
        let value = Gc::as_ptr(self.value).addr();
        // SAFETY: as above; and the value is one that was put beside the key.
        let there = unsafe { mc.context().follow_ephemeron(self.key_address(), value) };
        there.then_some(self.value)
    }

    /// Key and value, if the key is there. Takes constant time.
    ///
    /// ```
    /// use gc_core::{Ephemeron, Gc, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let ephemeron = Ephemeron::new(Gc::new(mc, "key"), Gc::new(mc, 5));
    ///     let (key, value) = ephemeron.get(mc).unwrap();
    ///     assert_eq!((*key, *value), ("key", 5));
    /// });
    /// ```
    #[inline]
    pub fn get(self, mc: &Mutation<'gc>) -> Option<(Gc<'gc, K>, Gc<'gc, V>)> {
        // SAFETY: it is the arena that `'gc` brands.
        unsafe { self.get_in(mc.context()) }
    }

    /// [`Ephemeron::get`] in the arena of a context.
    ///
    /// # Safety
    ///
    /// It is the one that `'gc` brands.
    pub(crate) unsafe fn get_in(self, context: &Context) -> Option<(Gc<'gc, K>, Gc<'gc, V>)> {
        let value = Gc::as_ptr(self.value).addr();
        // SAFETY: this ephemeron is in use, in this arena.
        unsafe {
            let there = context.upgrade_long(self.key_address())
                && context.follow_ephemeron(self.key_address(), value);
            there.then(|| (self.key.assume_there(), self.value))
        }
    }

    /// The address of the key, which tells keys apart as long as the ephemeron exists.
    #[inline]
    pub(crate) fn key_address(self) -> usize {
        self.key.as_ptr().addr()
    }

    /// A weak pointer to the key.
    ///
    /// ```
    /// use gc_core::{Arena, Ephemeron, Gc, Rootable};
    ///
    /// type Notes<'gc> = Vec<Ephemeron<'gc, u32, String>>;
    /// let mut arena = Arena::<Rootable![Notes<'_>]>::new(|mc| {
    ///     vec![Ephemeron::new(Gc::new(mc, 7), Gc::new(mc, "seven".to_string()))]
    /// });
    /// arena.finish_cycle();
    /// // Whether a key is gone can be asked without a `Mutation`.
    /// arena.mutate_root(|_, notes| {
    ///     notes.retain(|note| !note.weak_key().is_dropped());
    ///     assert!(notes.is_empty());
    /// });
    /// ```
    #[inline]
    pub fn weak_key(self) -> GcWeak<'gc, K> {
        self.key
    }
}

// SAFETY: an ephemeron is two pointers, its words, and visited as what it is.
unsafe impl<'gc, K: 'gc, V: 'gc> Collect<'gc> for Ephemeron<'gc, K, V> {
    const TYPE_MAP: TypeMap = TypeMap::EPHEMERON;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        let slot = ptr::from_ref(self).addr();
        let value = Gc::as_ptr(self.value).addr();
        cc.trace_ephemeron_at(slot, GcWeak::erase(self.key), value);
    }
}

impl<'gc, K: 'gc, V: 'gc> Copy for Ephemeron<'gc, K, V> {}

impl<'gc, K: 'gc, V: 'gc> Clone for Ephemeron<'gc, K, V> {
    #[inline]
    fn clone(&self) -> Ephemeron<'gc, K, V> {
        *self
    }
}

impl<'gc, K: 'gc, V: 'gc> fmt::Debug for Ephemeron<'gc, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Ephemeron)")
    }
}
