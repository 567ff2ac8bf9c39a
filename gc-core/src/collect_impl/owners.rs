//! Types that own values outside of themselves, in memory that is not the heap's.
//!
//! They keep the default map, `External`: their values are asked for pointers in each collection.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::rc::{self, Rc};
use std::sync::{self, Arc};
use std::{array, vec};

use crate::collect::{Collect, Trace};
use crate::trace::LastOwner;

/// Types that own or share one value behind a pointer.
macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        // SAFETY: the value is visited in place.
        unsafe impl<'gc, T: Collect<'gc> + ?Sized> Collect<'gc> for $pointer<T> {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                cc.trace(&**self);
            }
        }
    )*};
}
pointers!(Box, Rc, Arc);

/// Types that share a value, and do not keep it. As long as anybody keeps it, this may be what leads the
/// program to it, so its pointers are visited as if it were kept: those who keep it may be objects that
/// are dead already and only not dropped yet.
macro_rules! weak_pointers {
    ($($pointer:ty),*) => {$(
        // SAFETY: if there is a value, it is visited in place. If there is none, there will never be.
        unsafe impl<'gc, T: Collect<'gc> + ?Sized> Collect<'gc> for $pointer {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                // The value lies in memory of its own.
                if cc.stays_inside() {
                    return;
                }
                if let Some(value) = self.upgrade() {
                    cc.trace(&*value);
                    // Another thread may have let go of the value meanwhile.
                    cc.drop_later(LastOwner::new(value));
                }
            }
        }
    )*};
}
weak_pointers!(rc::Weak<T>, sync::Weak<T>);

/// Types that own some values of one type.
macro_rules! sequences {
    ($($sequence:ident<T $(, $extra:ident)?>),* $(,)?) => {$(
        // SAFETY: all elements are visited in place.
        unsafe impl<'gc, T: Collect<'gc> $(, $extra: 'static)?> Collect<'gc> for $sequence<T $(, $extra)?> {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                self.iter().for_each(|value| cc.trace(value));
            }
        }
    )*};
}
sequences!(Vec<T>, VecDeque<T>, LinkedList<T>, BTreeSet<T>, BinaryHeap<T>, HashSet<T, S>);

/// Types that own some pairs of key and value.
macro_rules! maps {
    ($($map:ident<K, V $(, $extra:ident)?>),* $(,)?) => {$(
        // SAFETY: all keys and values are visited in place.
        unsafe impl<'gc, K: Collect<'gc>, V: Collect<'gc> $(, $extra: 'static)?> Collect<'gc>
            for $map<K, V $(, $extra)?>
        {
            const NEEDS_TRACE: bool = K::NEEDS_TRACE || V::NEEDS_TRACE;

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                for (key, value) in self {
                    cc.trace(key);
                    cc.trace(value);
                }
            }
        }
    )*};
}
maps!(BTreeMap<K, V>, HashMap<K, V, S>);

// SAFETY: all elements that are left are visited in place.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for vec::IntoIter<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        self.as_slice().iter().for_each(|value| cc.trace(value));
    }
}

// SAFETY: all elements that are left are visited in place. The others may be anything, so the map is that of
// a type of which nothing is known.
unsafe impl<'gc, T: Collect<'gc>, const N: usize> Collect<'gc> for array::IntoIter<T, N> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        self.as_slice().iter().for_each(|value| cc.trace(value));
    }
}
