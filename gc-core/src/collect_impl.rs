//! [`Collect`] for the types of `core`, `alloc` and `std`.
//!
//! Types that own memory outside of the heap keep the default map, `External`. Options, results,
//! tuples and arrays have maps that follow from those of their parts.

use core::cell::{Cell, RefCell};
use core::marker::PhantomData;
use core::mem::offset_of;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use crate::collect::{Collect, Trace};
use crate::heap::planes::WORD;
use crate::typemap::TypeMap;

macro_rules! static_types {
    ($($type:ty),* $(,)?) => { $(static_collect!($type);)* };
}
static_types!(
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    str,
    String,
    core::any::TypeId,
    core::time::Duration,
    core::ffi::CStr,
    std::ffi::CString,
    std::ffi::OsStr,
    std::ffi::OsString,
    std::path::Path,
    std::path::PathBuf,
);

// SAFETY: a reference that lives for ever cannot lead to something branded by a lifetime.
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for &'static T {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: there is no value.
unsafe impl<'gc, T: ?Sized> Collect<'gc> for PhantomData<T> {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: a `'static` value cannot hold pointers that are branded by a lifetime.
unsafe impl<'gc, T: 'static> Collect<'gc> for Cell<T> {
    const NEEDS_TRACE: bool = false;
}

// SAFETY: as above.
unsafe impl<'gc, T: ?Sized + 'static> Collect<'gc> for RefCell<T> {
    const NEEDS_TRACE: bool = false;
}

/// Tells a visitor of an option that is none, at `address`, that one of its words is a pointer word all
/// the same, if that is what the option's map says, and the next perhaps derived from it: when something is
/// put there later, nobody may ask again.
#[inline]
pub(crate) fn trace_none<'gc, C: Trace<'gc>>(map: TypeMap, address: usize, cc: &mut C) {
    // An option with a constant map has one pointer, or it would be none.
    if let Some((tag, kinds)) = map.fixed()
        && tag != 0
    {
        let slot = address + tag.trailing_zeros() as usize * WORD;
        cc.trace_null_at(slot, kinds & tag != 0);
        if kinds & !tag != 0 {
            cc.trace_derived_at(slot + WORD);
        }
    }
}

// SAFETY: the content is visited in place; so is what an option of the same size as its content has in
// place of a pointer.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for Option<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.in_option(size_of::<Option<T>>());

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        match self {
            Some(value) => cc.trace(value),
            None => trace_none(Self::TYPE_MAP, core::ptr::from_ref(self).addr(), cc),
        }
    }
}

// SAFETY: the content is visited in place.
unsafe impl<'gc, T: Collect<'gc>, E: Collect<'gc>> Collect<'gc> for Result<T, E> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE || E::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = TypeMap::LEAF
        .with_variant_field(T::TYPE_MAP)
        .with_variant_field(E::TYPE_MAP);

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        match self {
            Ok(value) => cc.trace(value),
            Err(error) => cc.trace(error),
        }
    }
}

// SAFETY: all elements are visited in place.
unsafe impl<'gc, T: Collect<'gc>, const N: usize> Collect<'gc> for [T; N] {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE && N > 0;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.repeated(N, size_of::<T>());

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        self.iter().for_each(|value| cc.trace(value));
    }
}

// SAFETY: all elements are visited in place. How many there are depends on the value.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for [T] {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_variant_field(T::TYPE_MAP);

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        self.iter().for_each(|value| cc.trace(value));
    }
}

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

macro_rules! tuples {
    ($($name:ident . $index:tt),*) => {
        // SAFETY: all fields are visited in place, and their offsets are the compiler's.
        unsafe impl<'gc, $($name: Collect<'gc>),*> Collect<'gc> for ($($name,)*) {
            const NEEDS_TRACE: bool = false $(|| $name::NEEDS_TRACE)*;
            const TYPE_MAP: TypeMap =
                TypeMap::LEAF $(.with_field($name::TYPE_MAP, offset_of!(Self, $index)))*;

            #[inline]
            #[allow(unused_variables, reason = "the empty tuple has no fields")]
            fn trace<CC: Trace<'gc>>(&self, cc: &mut CC) {
                $(cc.trace(&self.$index);)*
            }
        }
    };
}
tuples!();
tuples!(A.0);
tuples!(A.0, B.1);
tuples!(A.0, B.1, C.2);
tuples!(A.0, B.1, C.2, D.3);
tuples!(A.0, B.1, C.2, D.3, E.4);
tuples!(A.0, B.1, C.2, D.3, E.4, F.5);
tuples!(A.0, B.1, C.2, D.3, E.4, F.5, G.6);
tuples!(A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7);
tuples!(A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8);
tuples!(A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8, J.9);
tuples!(A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8, J.9, K.10);
tuples!(A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8, J.9, K.10, L.11);
tuples!(
    A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8, J.9, K.10, L.11, M.12
);
tuples!(
    A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8, J.9, K.10, L.11, M.12, N.13
);
tuples!(
    A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8, J.9, K.10, L.11, M.12, N.13, O.14
);
tuples!(
    A.0, B.1, C.2, D.3, E.4, F.5, G.6, H.7, I.8, J.9, K.10, L.11, M.12, N.13, O.14, P.15
);
