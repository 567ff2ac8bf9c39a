//! Whether a type parameter stands for one certain type.

use core::any::TypeId;
use core::marker::PhantomData;

/// Whether `T` is `U`, but for lifetimes; so `U` is a type without any.
#[inline]
pub(crate) fn is_type<T, U: 'static>() -> bool {
    trait Identify {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T> Identify for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<PhantomData<T>>()
        }
    }
    let tag = PhantomData::<T>;
    let tag: &(dyn Identify + '_) = &tag;
    // SAFETY: only the lifetimes in `T` are extended, for a call which looks at no value. Types that differ in
    // lifetimes are taken for the same.
    let tag: &(dyn Identify + 'static) = unsafe { core::mem::transmute(tag) };
    tag.id() == TypeId::of::<PhantomData<U>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_apart_also_with_lifetimes() {
        struct Borrows<'a>(#[allow(dead_code, reason = "it is there for its lifetime")] &'a u8);

        fn of_a_lifetime<'a>(_: &'a u8) -> bool {
            is_type::<Borrows<'a>, ()>()
        }

        assert!(is_type::<(), ()>() && is_type::<u8, u8>());
        assert!(!is_type::<u8, ()>() && !is_type::<((),), ()>() && !of_a_lifetime(&1));
    }
}
