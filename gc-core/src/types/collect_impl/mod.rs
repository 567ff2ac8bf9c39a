//! [`Collect`] for the types of `core`, `alloc` and `std`.
//!
//! Here are those whose maps follow from those of their parts: options, results, tuples, arrays and
//! slices. The others are in modules by what they are.

mod leaves;
#[macro_use]
mod owners;
mod libraries;
mod wrappers;

use core::mem::offset_of;

use crate::heap::planes::WORD;
use crate::types::collect::{Collect, Trace};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::type_map::TypeMap;

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

/// Visits all values of a slice.
#[inline]
pub(crate) fn trace_slice<'gc, T: Collect<'gc>, C: Trace<'gc>>(values: &[T], cc: &mut C) {
    if values.is_empty() || !T::NEEDS_TRACE {
        return;
    }
    if let Some((tags, 0)) = const { T::TYPE_MAP.fixed() }
        && tags != 0
        && size_of::<T>().is_multiple_of(WORD)
        // SAFETY: so says the map: values have pointers, and so a size, of whole words. There are neither weak pointers nor
        // derived words, which have bits in `kinds`.
        && unsafe { cc.trace_alike(values, tags) }
    {
        return;
    }
    trace_each(values, cc);
}

/// The same, one by one. Not in line, so that what the marker does needs no registers for it.
#[inline(never)]
fn trace_each<'gc, T: Collect<'gc>, C: Trace<'gc>>(values: &[T], cc: &mut C) {
    values.iter().for_each(|value| cc.trace(value));
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

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        if let Some(value) = self {
            owned.add_field(value);
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

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        match self {
            Ok(value) => owned.add_field(value),
            Err(error) => owned.add_field(error),
        }
    }
}

// SAFETY: all elements are visited in place.
unsafe impl<'gc, T: Collect<'gc>, const N: usize> Collect<'gc> for [T; N] {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE && N > 0;
    const TYPE_MAP: TypeMap = T::TYPE_MAP.repeated(N, size_of::<T>());

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        trace_slice(self, cc);
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add_slice(self);
    }
}

// SAFETY: all elements are visited in place. How many there are depends on the value.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for [T] {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_variant_field(T::TYPE_MAP);

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        trace_slice(self, cc);
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add_slice(self);
    }
}

macro_rules! tuples {
    ($($name:ident . $index:tt,)*) => {
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

            #[inline]
            #[allow(unused_variables, reason = "the empty tuple has no fields")]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                $(owned.add_field(&self.$index);)*
            }
        }
    };
}
/// Tuples of up to as many fields as there are names.
macro_rules! all_tuples {
    ([$($done:tt)*] $name:ident . $index:tt $($rest:tt)*) => {
        tuples!($($done)*);
        all_tuples!([$($done)* $name . $index,] $($rest)*);
    };
    ([$($done:tt)*]) => {
        tuples!($($done)*);
    };
}
all_tuples!([] A.0 B.1 C.2 D.3 E.4 F.5 G.6 H.7 I.8 J.9 K.10 L.11 M.12 N.13 O.14 P.15 Q.16 R.17 S.18 T.19 U.20 V.21
    W.22 X.23 Y.24 Z.25 A1.26 B1.27 C1.28 D1.29 E1.30 F1.31);
