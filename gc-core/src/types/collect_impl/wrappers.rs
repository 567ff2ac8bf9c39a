//! Types that hold one, two or no values of others in themselves: wrappers, ranges, and enums.
//!
//! Of a wrapper whose field is public the compiler tells the offset, so its map is as constant as that of
//! its content. What is in an enum, or in a field that nobody sees, is found by visiting the value.

use core::cmp::Reverse;
use core::mem::{ManuallyDrop, offset_of};
use core::num::{Saturating, Wrapping};
use core::ops::{Bound, ControlFlow, Range, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive};
use core::pin::Pin;
use core::ptr;
use core::task::Poll;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use crate::types::collect::{Collect, Trace};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::type_map::TypeMap;

/// Structs with public fields.
macro_rules! structs {
    ($($name:ident { $($field:tt),* })*) => {$(
        // SAFETY: all fields are visited in place, and their offsets are the compiler's.
        unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for $name<T> {
            const NEEDS_TRACE: bool = T::NEEDS_TRACE;
            const TYPE_MAP: TypeMap =
                TypeMap::LEAF $(.with_field(T::TYPE_MAP, offset_of!(Self, $field)))*;

            #[inline]
            fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
                $(cc.trace(&self.$field);)*
            }

            #[inline]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                $(owned.add_field(&self.$field);)*
            }
        }
    )*};
}
structs! {
    Reverse { 0 }
    Wrapping { 0 }
    Saturating { 0 }
    AssertUnwindSafe { 0 }
    Range { start, end }
    RangeFrom { start }
    RangeTo { end }
    RangeToInclusive { end }
}

/// Enums, and structs that show their content but not where it is.
macro_rules! opaque {
    ($($name:ident<$($param:ident),*> |$value:ident, $visit:ident| $body:expr;)*) => {$(
        // SAFETY: all that the value holds is visited in place.
        unsafe impl<'gc, $($param: Collect<'gc>),*> Collect<'gc> for $name<$($param),*> {
            const NEEDS_TRACE: bool = false $(|| $param::NEEDS_TRACE)*;
            const TYPE_MAP: TypeMap = TypeMap::LEAF $(.with_variant_field($param::TYPE_MAP))*;

            #[inline]
            fn trace<CC: Trace<'gc>>(&self, cc: &mut CC) {
                macro_rules! $visit {
                    ($part:expr) => {
                        cc.trace($part)
                    };
                }
                let $value = self;
                $body
            }

            #[inline]
            fn owned_bytes(&self, owned: &mut OwnedBytes) {
                macro_rules! $visit {
                    ($part:expr) => {
                        owned.add_field($part)
                    };
                }
                let $value = self;
                $body
            }
        }
    )*};
}
opaque! {
    Poll<T> |value, visit| if let Poll::Ready(value) = value { visit!(value) };
    ControlFlow<B, C> |value, visit| match value {
        ControlFlow::Break(value) => visit!(value),
        ControlFlow::Continue(value) => visit!(value),
    };
    Bound<T> |value, visit| match value {
        Bound::Included(value) | Bound::Excluded(value) => visit!(value),
        Bound::Unbounded => {}
    };
    RangeInclusive<T> |value, visit| {
        visit!(value.start());
        visit!(value.end());
    };
}

// SAFETY: it holds an owned value, or refers to one that cannot lead to something branded by a lifetime.
unsafe impl<'gc, B: ToOwned + ?Sized + 'static> Collect<'gc> for Cow<'static, B>
where
    B::Owned: Collect<'gc>,
{
    const NEEDS_TRACE: bool = <B::Owned as Collect<'gc>>::NEEDS_TRACE;
    const TYPE_MAP: TypeMap =
        TypeMap::LEAF.with_variant_field(<B::Owned as Collect<'gc>>::TYPE_MAP);

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        if let Cow::Owned(value) = self {
            cc.trace(value);
        }
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        if let Cow::Owned(value) = self {
            owned.add_field(value);
        }
    }
}

// SAFETY: the one field is visited in place. The layout is that of the content.
unsafe impl<'gc, T: Collect<'gc> + ?Sized> Collect<'gc> for ManuallyDrop<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = T::TYPE_MAP;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&**self);
    }
}

// SAFETY: the one field is visited in place. The layout is that of the pointer.
unsafe impl<'gc, P: Collect<'gc>> Collect<'gc> for Pin<P> {
    const NEEDS_TRACE: bool = P::NEEDS_TRACE;
    const TYPE_MAP: TypeMap = P::TYPE_MAP;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        // SAFETY: a `Pin<P>` has the layout of a `P`; and visiting the pointer moves nothing.
        cc.trace(unsafe { &*ptr::from_ref(self).cast::<P>() });
    }

    #[inline]
    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        // SAFETY: a `Pin<P>` has the layout of a `P`; and looking at the pointer moves nothing.
        owned.add_field(unsafe { &*ptr::from_ref(self).cast::<P>() });
    }
}
