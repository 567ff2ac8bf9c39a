//! Types that own values outside of themselves, in memory that is not the heap's.
//!
//! Their map is `External`: their values are traced in each collection; by markers while the program runs, unless the
//! memory may be shared. If a derived type owns itself by
//! one of them and its text does not show it, its map depends on itself, of which the compiler complains
//! (E0391) and shows the lines with the maps. So these say what helps.
//!
//! What they own is what they have asked the allocator for, as far as they tell: their capacity. Trees do not; of
//! each element, its size and a half is taken, for nodes of a tree are two thirds full. What reference counts
//! share is owned by who is the only one to have it.

use core::ptr;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::rc::{self, Rc};
use std::sync::{self, Arc};
use std::{array, vec};

use super::trace_slice;
use crate::types::collect::{Collect, Trace};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::trace::LastOwner;
use crate::types::type_map::TypeMap;

/// Types that own or share one value behind a pointer.
macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        // SAFETY: the value is visited in place.
        unsafe impl<'gc, T: Collect<'gc> + ?Sized> Collect<'gc> for $pointer<T> {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;
            const TYPE_MAP: TypeMap = T::TYPE_MAP.elsewhere(); // E0391? Use `#[collect(recursive)]`.

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                cc.trace(&**self);
            }

            #[inline]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                if $pointer::strong_count(self) == 1 {
                    owned.add(size_of_val(&**self));
                    owned.add_elements([&**self]);
                }
            }
        }
    )*};
}
pointers!(Rc, Arc);

/// Visits what lies in memory which `owner` owns, and which has the map `content`.
///
/// # Safety
///
/// Safe code gets to the memory only by a reference to the owner.
#[inline]
pub(super) unsafe fn trace_owned<'gc, O, M: ?Sized, C: Trace<'gc>>(
    owner: &O,
    memory: &M,
    content: TypeMap,
    cc: &mut C,
    visit: impl FnOnce(&mut C, &M),
) {
    // All locks in it have a content with the brand, which is all that is asked of them.
    if content.is_concurrent() {
        return visit(cc, memory);
    }
    let start = ptr::from_ref(memory).cast::<()>().addr();
    let range = start..start + size_of_val(memory);
    // SAFETY: safe code gets to the memory only by a reference to the owner (the caller's promise).
    let before = unsafe { cc.enter_owned(ptr::from_ref(owner).addr(), range) };
    visit(cc, memory);
    if let Some(before) = before {
        // SAFETY: it is what `enter_owned` returned, and whatever was entered since was left.
        unsafe { cc.leave_owned(before) }
    }
}

// SAFETY: the value is visited in place.
unsafe impl<'gc, T: Collect<'gc> + ?Sized> Collect<'gc> for Box<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.owned(); // E0391? Use `#[collect(recursive)]`.

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        // SAFETY: a box owns its memory.
        unsafe { trace_owned(self, &**self, T::TYPE_MAP, cc, |cc, value| cc.trace(value)) }
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add(size_of_val(&**self));
        owned.add_elements([&**self]);
    }
}

/// Types that own slices of values.
macro_rules! slices {
    ($($sequence:ident, $slices:expr;)*) => {$(
        // SAFETY: all elements are visited in place.
        unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for $sequence<T> {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;
            const TYPE_MAP: TypeMap = T::TYPE_MAP.owned(); // E0391? Use `#[collect(recursive)]`.

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                let slices: fn(&$sequence<T>) -> [&[T]; 2] = $slices;
                for slice in slices(self) {
                    // SAFETY: it owns its buffer.
                    unsafe { trace_owned(self, slice, T::TYPE_MAP, cc, |cc, slice| trace_slice(slice, cc)) }
                }
            }

            #[inline]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                owned.add(self.capacity() * size_of::<T>());
                owned.add_elements(self);
            }
        }
    )*};
}
slices! {
    Vec, |vec| [vec, &[]];
    BinaryHeap, |heap| [heap.as_slice(), &[]];
    VecDeque, |deque| deque.as_slices().into();
}

/// Types that share a value, and do not keep it. As long as anybody keeps it, this may be what leads the
/// program to it, so its pointers are visited as if it were kept: those who keep it may be objects that
/// are dead already and only not dropped yet.
macro_rules! weak_pointers {
    ($($pointer:ty),*) => {$(
        // SAFETY: if there is a value, it is visited in place. If there is none, there will never be.
        unsafe impl<'gc, T: Collect<'gc> + ?Sized> Collect<'gc> for $pointer {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;
            const TYPE_MAP: TypeMap = T::TYPE_MAP.elsewhere(); // E0391? Use `#[collect(recursive)]`.

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
    ($($sequence:ident<T $(, $extra:ident)?>: |$this:ident| $bytes:expr;)*) => {$(
        // SAFETY: all elements are visited in place.
        unsafe impl<'gc, T: Collect<'gc> $(, $extra: 'static)?> Collect<'gc> for $sequence<T $(, $extra)?> {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;
            const TYPE_MAP: TypeMap = T::TYPE_MAP.owned(); // E0391? Use `#[collect(recursive)]`.

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                for value in self.iter() {
                    // SAFETY: it owns the memory in which its elements are.
                    unsafe { trace_owned(self, value, T::TYPE_MAP, cc, |cc, value| cc.trace(value)) }
                }
            }

            #[inline]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                let $this = self;
                owned.add($bytes);
                owned.add_elements(self.iter());
            }
        }
    )*};
}
sequences! {
    // An element, and two pointers.
    LinkedList<T>: |this| this.len() * size_of::<(T, [usize; 2])>();
    BTreeSet<T>: |this| tree_bytes::<T>(this.len());
    HashSet<T, S>: |this| table_bytes::<T>(this.capacity());
}

/// About what a tree with so many elements has allocated.
#[inline]
fn tree_bytes<T>(len: usize) -> usize {
    len.saturating_mul(size_of::<T>()).saturating_mul(3) / 2
}

/// What a hash table for so many elements has allocated: a power of two of places, of which seven in eight are
/// used at most, and a byte more for each.
#[inline]
pub(super) fn table_bytes<T>(capacity: usize) -> usize {
    if capacity == 0 {
        return 0;
    }
    let places = capacity.saturating_add(capacity / 7);
    let places = places.checked_next_power_of_two().unwrap_or(usize::MAX);
    places.saturating_mul(size_of::<T>() + 1)
}

/// Types that own some pairs of key and value.
macro_rules! maps {
    ($($map:ident<K, V $(, $extra:ident)?>: |$this:ident| $bytes:expr;)*) => {$(
        // SAFETY: all keys and values are visited in place.
        unsafe impl<'gc, K: Collect<'gc>, V: Collect<'gc> $(, $extra: 'static)?> Collect<'gc>
            for $map<K, V $(, $extra)?>
        {
            const NEEDS_TRACE: bool = K::NEEDS_TRACE || V::NEEDS_TRACE;
            const TYPE_MAP: TypeMap = K::TYPE_MAP.owned() // E0391? Use `#[collect(recursive)]`.
                .with_variant_field(V::TYPE_MAP.owned()); // E0391? Use `#[collect(recursive)]`.

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                for (key, value) in self {
                    // SAFETY: it owns the memory in which its elements are.
                    unsafe {
                        trace_owned(self, key, K::TYPE_MAP, cc, |cc, key| cc.trace(key));
                        trace_owned(self, value, V::TYPE_MAP, cc, |cc, value| cc.trace(value));
                    }
                }
            }

            #[inline]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                let $this = self;
                owned.add($bytes);
                owned.add_elements(self.keys());
                owned.add_elements(self.values());
            }
        }
    )*};
}
maps! {
    BTreeMap<K, V>: |this| tree_bytes::<(K, V)>(this.len());
    HashMap<K, V, S>: |this| table_bytes::<(K, V)>(this.capacity());
}

// SAFETY: all elements that are left are visited in place.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for vec::IntoIter<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.owned(); // E0391? Use `#[collect(recursive)]`.

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        trace_slice(self.as_slice(), cc);
    }

    /// Of the memory, what holds elements that are left.
    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add(size_of_val(self.as_slice()));
        owned.add_elements(self.as_slice());
    }
}

// SAFETY: all elements that are left are visited in place. The others may be anything, so the map is that of
// a type of which nothing is known.
unsafe impl<'gc, T: Collect<'gc>, const N: usize> Collect<'gc> for array::IntoIter<T, N> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.owned(); // E0391? Use `#[collect(recursive)]`.

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        trace_slice(self.as_slice(), cc);
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add_slice(self.as_slice());
    }
}
