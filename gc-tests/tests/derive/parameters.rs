//! Generic types: parameters of every kind, bounds, several lifetimes.

use std::marker::PhantomData;

use gc_core::{Collect, Gc};

use crate::tokens::{Ptr, assert_keeps};

#[derive(Collect)]
#[collect(no_drop)]
struct Generic<A, B, const N: usize> {
    _a: A,
    _b: [B; N],
    _phantom: PhantomData<Box<A>>,
}

/// The names that the expansion uses, as parameters.
#[allow(non_camel_case_types)]
#[derive(Collect)]
#[collect(no_drop)]
struct Clashing<'__gc, T, Trace, __Tracer: '__gc, const CC: usize> {
    cc: Gc<'__gc, __Tracer>,
    __cc: T,
    __field_0: [Trace; CC],
    r#trace: (),
}

#[test]
fn generic_types() {
    assert_keeps!(4, Generic<Ptr<'_>, Option<Ptr<'_>>, 3>, |mc, token| {
        Generic {
            _a: token(),
            _b: [Some(token()), Some(token()), Some(token())],
            _phantom: PhantomData,
        }
    });
    assert_keeps!(1, Generic<u8, Generic<Ptr<'_>, u8, 2>, 1>, |mc, token| Generic {
        _a: 0,
        _b: [Generic { _a: token(), _b: [1, 2], _phantom: PhantomData }],
        _phantom: PhantomData,
    });
    assert_keeps!(
        4,
        Clashing<'_, Ptr<'_>, Ptr<'_>, Ptr<'_>, 2>,
        |mc, token| Clashing {
            cc: Gc::new(mc, token()),
            __cc: token(),
            __field_0: [token(), token()],
            r#trace: (),
        }
    );
}

trait Family {
    type Member;
}

impl<'gc> Family for Ptr<'gc> {
    type Member = [Ptr<'gc>; 2];
}

#[derive(Collect)]
#[collect(no_drop, bound = "where F::Member: Collect<'gc>")]
struct Associated<F: Family> {
    _member: F::Member,
}

#[derive(Collect)]
#[collect(no_drop, bound = "")]
struct Unbounded<'gc, T: 'gc> {
    _content: Gc<'gc, T>,
    _tag: PhantomData<T>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct HigherRanked<F: for<'gc> Fn(&'gc u8) -> &'gc u8, T> {
    #[collect(require_static)]
    _function: F,
    #[collect(require_static)]
    _pointer: for<'gc> fn(&'gc u8) -> &'gc u8,
    _value: T,
}

#[derive(Collect)]
#[collect(no_drop, gc_lifetime = 'arena)]
struct Lifetimes<'a, 'arena, 'b> {
    #[collect(require_static)]
    _text: (&'a str, &'b [u8]),
    _value: Ptr<'arena>,
}

#[test]
fn bounds_and_lifetimes() {
    assert_keeps!(2, Associated<Ptr<'_>>, |mc, token| Associated {
        _member: [token(), token()]
    });
    assert_keeps!(1, Unbounded<'_, Ptr<'_>>, |mc, token| Unbounded {
        _content: Gc::new(mc, token()),
        _tag: PhantomData,
    });
    assert_keeps!(1, HigherRanked<fn(&u8) -> &u8, Ptr<'_>>, |mc, token| {
        HigherRanked {
            _function: |byte| byte,
            _pointer: |byte| byte,
            _value: token(),
        }
    });
    assert_keeps!(1, Lifetimes<'static, '_, 'static>, |mc, token| Lifetimes {
        _text: ("text", b"bytes"),
        _value: token(),
    });
}
