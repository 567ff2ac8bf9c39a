//! [`Ephemeron`]: a key and a value that lives as long as the key does.

use core::fmt;
use core::ptr;

use crate::collect::{Collect, Trace};
use crate::context::Context;
use crate::gc::Gc;
use crate::gc_weak::GcWeak;
use crate::mutation::Mutation;
use crate::typemap::TypeMap;

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
    #[inline]
    pub fn new(key: Gc<'gc, K>, value: Gc<'gc, V>) -> Ephemeron<'gc, K, V> {
        let key = Gc::downgrade(key);
        Ephemeron { key, value }
    }

    /// The key, if it is there. Takes constant time.
    #[inline]
    pub fn key(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, K>> {
        // SAFETY: this ephemeron is in use, in the arena that `'gc` brands.
        unsafe {
            let there = mc.context().upgrade_long(self.key_address());
            there.then(|| self.key.assume_there())
        }
    }

    /// The value, if the key is there. Takes constant time.
    #[inline]
    pub fn value(self, mc: &Mutation<'gc>) -> Option<Gc<'gc, V>> {
        let value = Gc::as_ptr(self.value).addr();
        // SAFETY: as above; and the value is one that was put beside the key.
        let there = unsafe { mc.context().follow_ephemeron(self.key_address(), value) };
        there.then_some(self.value)
    }

    /// Key and value, if the key is there. Takes constant time.
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
        cc.trace_ephemeron_at(slot, GcWeak::erase(self.key), Gc::erase(self.value));
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
