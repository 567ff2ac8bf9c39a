//! A crate that calls itself `gc_core` and hands on our `Collect`, with parts of its own beside it.

extern crate gc_core as real;
extern crate self as gc_core;

use real::{__private, Gc};

pub use real::{__MustNotImplDrop, Collect};

/// Derived with another visitor's trait: what it does with fields is not what happens to them.
pub mod collect {
    pub trait Trace<'gc> {
        fn trace<T>(&mut self, _: &T) {}
    }
    impl<'gc, T> Trace<'gc> for T {}
}

pub mod another_trace {
    pub use real::{__MustNotImplDrop, __private, Collect};

    pub use crate::collect;
}

#[derive(real::Collect)]
#[collect(no_drop, unsafe_crate = crate::another_trace)]
struct IsVisitedByAnother<'gc>(Gc<'gc, u64>);

pub mod another_map {
    pub use real::{__MustNotImplDrop, Collect, collect};

    pub mod __private {
        pub use real::__private::{NoDestructor, bool, shadow};

        pub struct TypeMap;

        impl TypeMap {
            pub const LEAF: Self = TypeMap;

            pub const fn is_leaf(self) -> bool {
                true
            }
        }
    }
}

#[derive(real::Collect)]
#[collect(unsafe_drop, unsafe_crate = crate::another_map)]
enum HasAnotherMap {
    Variant,
}

pub mod another_marker {
    pub use real::{__private, Collect, collect};

    pub trait __MustNotImplDrop {
        type Checked;
    }
}

#[derive(real::Collect)]
#[collect(no_drop, unsafe_crate = crate::another_marker)]
struct Drops<'gc>(Gc<'gc, u64>);

impl Drop for Drops<'_> {
    fn drop(&mut self) {}
}

pub mod another_shadow {
    pub use real::{__MustNotImplDrop, Collect, collect};

    pub mod __private {
        pub use real::__private::{NoDestructor, TypeMap, bool};

        pub const shadow: usize = 0;
    }
}

#[derive(real::Collect)]
#[collect(no_drop, unsafe_crate = crate::another_shadow)]
struct IsShadowed<'gc>(Gc<'gc, u64>);

#[derive(real::Collect)]
#[collect(no_drop)]
struct FoundByName<'gc>(Gc<'gc, u64>);

fn main() {}
