//! The collections of other libraries, each behind the feature of its name.
//!
//! Those of values of one type, and of pairs, are implemented by the macros of [`owners`](super::owners).

#[cfg(any(
    feature = "enum-map",
    feature = "hashbrown",
    feature = "hashbrown-0_16",
    feature = "indexmap",
    feature = "slotmap",
    feature = "smallvec"
))]
use crate::{
    mutator::barrier::IndexWrite,
    types::collect::{Collect, Trace},
    types::owned_bytes::OwnedBytes,
    types::type_map::TypeMap,
};

#[cfg(any(
    feature = "hashbrown",
    feature = "hashbrown-0_16",
    feature = "indexmap",
    feature = "slotmap",
    feature = "smallvec"
))]
use super::owners::trace_owned;

/// One version of `hashbrown`. Its minor versions are incompatible, and programs pin different ones.
#[cfg(any(feature = "hashbrown", feature = "hashbrown-0_16"))]
macro_rules! hashbrown {
    ($module:ident: $library:ident) => {
        mod $module {
            use core::hash::{BuildHasher, Hash};

            use ::$library::{Equivalent, HashMap, HashSet, HashTable};

            use super::super::owners::table_bytes;
            use super::*;

            maps!(HashMap<K, V, S>: |this| table_bytes::<(K, V)>(this.capacity()););
            sequences! {
                HashSet<T, S>: |this| table_bytes::<T>(this.capacity());
                HashTable<T>: |this| table_bytes::<T>(this.capacity());
            }

            // SAFETY: a map owns its values. Comparing keys may run code of the user's, which has no access to
            // the value.
            unsafe impl<K, V, S, Q> IndexWrite<&Q> for HashMap<K, V, S>
            where
                K: Eq + Hash,
                Q: Hash + Equivalent<K> + ?Sized,
                S: BuildHasher,
            {
            }
        }
    };
}

#[cfg(feature = "hashbrown")]
hashbrown!(hashbrown_newest: hashbrown);

#[cfg(feature = "hashbrown-0_16")]
hashbrown!(hashbrown_0_16: hashbrown_0_16);

#[cfg(feature = "indexmap")]
mod indexmap {
    use core::hash::{BuildHasher, Hash};

    use ::indexmap::{Equivalent, IndexMap, IndexSet};

    use super::super::owners::table_bytes;
    use super::*;

    maps!(IndexMap<K, V, S>: |this| index_bytes::<(K, V)>(this.capacity()););
    sequences!(IndexSet<T, S>: |this| index_bytes::<T>(this.capacity()););

    /// About what a map for so many entries has allocated: a vector of entries with their hashes, and a hash table of
    /// indices.
    fn index_bytes<T>(capacity: usize) -> usize {
        capacity
            .saturating_mul(size_of::<(usize, T)>())
            .saturating_add(table_bytes::<usize>(capacity))
    }

    // SAFETY: a map owns its values. Comparing keys may run code of the user's, which has no access to
    // the value.
    unsafe impl<K, V, S, Q> IndexWrite<&Q> for IndexMap<K, V, S>
    where
        K: Eq + Hash,
        Q: Hash + Equivalent<K> + ?Sized,
        S: BuildHasher,
    {
    }

    // SAFETY: a map owns its values.
    unsafe impl<K, V, S> IndexWrite<usize> for IndexMap<K, V, S> {}
}

#[cfg(feature = "slotmap")]
mod slotmap {
    use ::slotmap::{DefaultKey, Key, KeyData, SlotMap};

    use super::*;

    static_collect!(DefaultKey);
    static_collect!(KeyData);

    // SAFETY: all values are visited in place. Keys are numbers, and none is stored.
    unsafe impl<'gc, K: Key, V: Collect<'gc>> Collect<'gc> for SlotMap<K, V> {
        const NEEDS_TRACE: bool = V::NEEDS_TRACE;
        const TYPE_MAP: TypeMap = V::TYPE_MAP.elsewhere();

        #[inline]
        fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
            for value in self.values() {
                // SAFETY: it owns the memory in which its elements are.
                unsafe { trace_owned(self, value, V::TYPE_MAP, cc, |cc, value| cc.trace(value)) }
            }
        }

        #[inline]
        fn owned_bytes(&self, owned: &mut OwnedBytes) {
            // A slot has a version beside its value.
            owned.add(self.capacity().saturating_mul(size_of::<(V, u32)>()));
            owned.add_elements(self.values());
        }
    }

    // SAFETY: a map owns its values.
    unsafe impl<K: Key, V> IndexWrite<K> for SlotMap<K, V> {}
}

#[cfg(feature = "smallvec")]
mod smallvec {
    use core::ops::Index;
    use core::slice::SliceIndex;

    use ::smallvec::{Array, SmallVec};

    use super::super::trace_slice;
    use super::*;

    // SAFETY: all elements are visited in place. Whether they are in the vector itself depends on how many
    // there are.
    unsafe impl<'gc, A: Array> Collect<'gc> for SmallVec<A>
    where
        A::Item: Collect<'gc>,
    {
        const NEEDS_TRACE: bool = <A::Item as Collect<'gc>>::NEEDS_TRACE;
        const TYPE_MAP: TypeMap = <A::Item as Collect<'gc>>::TYPE_MAP.elsewhere();

        #[inline]
        fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
            let all = |cc: &mut C, slice: &[A::Item]| trace_slice(slice, cc);
            // SAFETY: it owns its buffer, or the slice lies in itself.
            unsafe { trace_owned(self, self.as_slice(), A::Item::TYPE_MAP, cc, all) }
        }

        #[inline]
        fn owned_bytes(&self, owned: &mut OwnedBytes) {
            if self.spilled() {
                owned.add(self.capacity() * size_of::<A::Item>());
                owned.add_elements(&**self);
            } else {
                owned.add_slice(self);
            }
        }
    }

    // SAFETY: the elements are owned.
    unsafe impl<A: Array> crate::mutator::barrier::DerefWrite for SmallVec<A> {}

    // SAFETY: a vector indexes as the slice of its elements, which it owns.
    unsafe impl<A: Array, I> IndexWrite<I> for SmallVec<A>
    where
        I: SliceIndex<[A::Item]>,
        [A::Item]: IndexWrite<I>,
        SmallVec<A>: Index<I>,
    {
    }
}

#[cfg(feature = "enum-map")]
mod enum_map {
    use ::enum_map::{EnumArray, EnumMap};

    use super::*;

    // SAFETY: all values are visited in place, and they are in the map itself.
    unsafe impl<'gc, K: EnumArray<V>, V: Collect<'gc>> Collect<'gc> for EnumMap<K, V> {
        const NEEDS_TRACE: bool = V::NEEDS_TRACE && K::LENGTH > 0;
        const TYPE_MAP: TypeMap = if size_of::<Self>() == K::LENGTH * size_of::<V>() {
            V::TYPE_MAP.repeated(K::LENGTH, size_of::<V>())
        } else {
            TypeMap::opaque(V::NEEDS_TRACE)
        };

        #[inline]
        fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
            self.values().for_each(|value| cc.trace(value));
        }

        #[inline]
        fn owned_bytes(&self, owned: &mut OwnedBytes) {
            owned.add_slice(self.as_slice());
        }
    }

    // SAFETY: a map owns its values. The key says which one is meant, and has no access to it.
    unsafe impl<K: EnumArray<V>, V> IndexWrite<K> for EnumMap<K, V> {}
}
