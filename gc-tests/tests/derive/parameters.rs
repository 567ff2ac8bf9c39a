//! Generic types: parameters of every kind, bounds, several lifetimes.

use std::marker::PhantomData;

use gc_core::{Collect, Gc, Mutation};

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

/// Nothing is `Collect` here, and nothing of it is in a value.
struct Unknown;

trait Step {
    type Output;
    type Borrowing<'a>;
}

impl<'gc> Step for Ptr<'gc> {
    type Output = Ptr<'gc>;
    type Borrowing<'a> = Unknown;
}

#[derive(Collect)]
#[collect(no_drop)]
struct Tagged<'gc, T, U> {
    value: Ptr<'gc>,
    _tag: PhantomData<T>,
    _both: std::marker::PhantomData<(T, Vec<U>)>,
    _convert: fn(T) -> U,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Steps<I: Step>
where
    I::Output: Clone,
{
    last: I::Output,
    all: Vec<<I as Step>::Output>,
    _function: for<'a> fn(I::Borrowing<'a>) -> I,
}

#[test]
fn what_is_in_no_value_needs_no_collect() {
    assert_keeps!(1, Tagged<'_, Unknown, Unknown>, |mc, token| Tagged {
        value: token(),
        _tag: PhantomData,
        _both: PhantomData,
        _convert: |unknown| unknown,
    });
    assert_keeps!(3, Steps<Ptr<'_>>, |mc, token| Steps {
        last: token(),
        all: vec![token(), token()],
        _function: |_| unreachable!(),
    });
}

/// What a virtual machine has for its native functions.
#[derive(Collect)]
#[collect(no_drop)]
struct Native<'gc> {
    call: fn(&Mutation<'gc>, &[Ptr<'gc>]) -> Option<Ptr<'gc>>,
    trap: Option<for<'a> fn(&'a mut u8, &Ptr<'gc>)>,
    bound: Ptr<'gc>,
}

#[test]
fn functions_with_elided_lifetimes_are_fields() {
    assert_keeps!(1, Native<'_>, |mc, token| Native {
        call: |_, values| values.first().copied(),
        trap: Some(|count, _| *count += 1),
        bound: token(),
    });
    gc_core::arena::rootless_mutate(|mc| {
        let bound = crate::tokens::Token::new(mc, &crate::tokens::Counter::default());
        let native = Gc::new(
            mc,
            Native {
                call: |_, values| values.first().copied(),
                trap: None,
                bound,
            },
        );
        let result = (native.call)(mc, &[native.bound]).unwrap();
        assert!(Gc::ptr_eq(result, bound) && native.trap.is_none());
    });
}

#[derive(Collect)]
#[collect(no_drop)]
enum Owning<'gc, T> {
    Leaf(Ptr<'gc>),
    Boxed(Option<Box<Self>>, T),
    Several { all: Vec<(u8, Owning<'gc, T>)> },
}

#[test]
fn types_that_show_that_they_own_themselves() {
    assert_keeps!(4, Owning<'_, Ptr<'_>>, |mc, token| {
        let inner = Owning::Several {
            all: vec![(1, Owning::Leaf(token())), (2, Owning::Leaf(token()))],
        };
        let outer = Owning::Boxed(Some(Box::new(inner)), token());
        Owning::Several {
            all: vec![(3, outer), (4, Owning::Boxed(None, token()))],
        }
    });
}
