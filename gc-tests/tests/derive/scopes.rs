//! Types that are defined where names or lints could stand in the way of the expansion.

use gc_core::{Collect, Gc};

use crate::tokens::{Ptr, assert_keeps};

#[test]
fn types_in_a_function() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Local<'gc, T> {
        _value: T,
        _inner: Inner<'gc>,
    }

    #[derive(Collect)]
    #[collect(no_drop)]
    enum Inner<'gc> {
        Value(Ptr<'gc>),
    }

    assert_keeps!(2, Local<'_, Ptr<'_>>, |mc, token| Local {
        _value: token(),
        _inner: Inner::Value(token())
    });

    let in_closure = || {
        #[derive(Collect)]
        #[collect(no_drop)]
        struct Local<'gc>(Ptr<'gc>);

        assert_keeps!(1, Local<'_>, |mc, token| Local(token()));
    };
    in_closure();
}

/// A module in which names that every program relies on mean something else.
#[allow(non_camel_case_types)]
mod shadowing {
    use gc_core::Collect;

    #[derive(Collect)]
    #[collect(no_drop)]
    pub struct Option<'gc>(pub crate::tokens::Ptr<'gc>);

    #[derive(Collect)]
    #[collect(no_drop)]
    pub struct bool;

    #[derive(Collect)]
    #[collect(no_drop)]
    pub struct Trace<'gc> {
        pub option: Option<'gc>,
        pub bool: bool,
        pub option_vec: Vec<'gc, Option<'gc>>,
    }

    #[derive(Collect)]
    #[collect(no_drop)]
    pub enum Vec<'gc, Self_> {
        Some(Self_, Option<'gc>),
        #[allow(dead_code, reason = "only its type matters")]
        NEEDS_TRACE,
        #[allow(dead_code, reason = "only its type matters")]
        TYPE_MAP(Sized),
    }

    #[derive(Collect)]
    #[collect(no_drop)]
    pub struct Sized;
}

#[test]
fn names_that_mean_something_else() {
    use shadowing::{Option as Other, Trace, Vec, bool};
    assert_keeps!(3, Trace<'_>, |mc, token| Trace {
        option: Other(token()),
        bool,
        option_vec: Vec::Some(Other(token()), Other(token())),
    });
}

/// A crate that offers types made by a macro, whose users need not know `gc-core`.
mod reexporting {
    pub mod private {
        pub use gc_core as gc;
    }

    macro_rules! pair {
        ($name:ident, $field:ty) => {
            #[derive(gc_core::Collect)]
            #[collect(no_drop, unsafe_crate = $crate::scopes::reexporting::private::gc)]
            struct $name<'gc>($field, gc_core::Gc<'gc, $field>);
        };
    }
    pub(crate) use pair;
}

reexporting::pair!(Pair, Ptr<'gc>);

#[test]
fn types_made_by_a_macro() {
    assert_keeps!(2, Pair<'_>, |mc, token| Pair(token(), Gc::new(mc, token())));
}

/// Types that would set off lints if the expansion did not take care.
pub mod lints {
    use gc_core::Collect;

    use crate::tokens::Ptr;

    struct Private;

    /// A public type with private ones inside.
    #[derive(Collect)]
    #[collect(no_drop)]
    pub struct Public<'gc, T> {
        #[collect(require_static)]
        _private: Private,
        #[collect(require_static)]
        _wrapped: (Private, T),
        value: Ptr<'gc>,
    }

    /// A type with deprecated parts.
    #[derive(Collect)]
    #[collect(no_drop)]
    pub enum Ageing<'gc> {
        /// Deprecated.
        #[deprecated]
        Old(Ptr<'gc>),
        /// Not deprecated.
        New {
            /// Deprecated.
            #[deprecated]
            old: u8,
            /// Not deprecated.
            new: Ptr<'gc>,
        },
    }

    impl<'gc> Public<'gc, u8> {
        /// A value.
        pub fn new(value: Ptr<'gc>) -> Self {
            Public {
                _private: Private,
                _wrapped: (Private, 0),
                value,
            }
        }

        /// A value of the other type.
        pub fn ageing(self) -> Ageing<'gc> {
            #[allow(deprecated)]
            Ageing::New {
                old: 0,
                new: self.value,
            }
        }
    }
}

#[test]
fn the_expansion_is_free_of_warnings() {
    assert_keeps!(1, lints::Public<'_, u8>, |mc, token| lints::Public::new(
        token()
    ));
    assert_keeps!(1, lints::Ageing<'_>, |mc, token| {
        lints::Public::new(token()).ageing()
    });
}
