//! Types of every shape that `#[derive(Collect)]` takes, and whether the collector finds what they
//! hold.
//!
//! Each shape holds some tokens through pointers. While the shape is reachable all of them must
//! stay, and once it is not, none.

#![forbid(unsafe_code)]
#![deny(
    unused,
    deprecated,
    non_local_definitions,
    private_bounds,
    private_interfaces
)]

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::rc::Rc;

use gc_core::lock::RefLock;
use gc_core::{Arena, Collect, Gc, GcWeak, Mutation, Rootable, unsize};

/// Counts the tokens that are alive: one more than there are clones.
type Counter = Rc<()>;

/// What is counted.
#[derive(Collect)]
#[collect(require_static)]
pub struct Token(Counter);

impl Token {
    fn new<'gc>(mc: &Mutation<'gc>, counter: &Counter) -> Ptr<'gc> {
        Gc::new(mc, Token(Rc::clone(counter)))
    }

    fn alive(counter: &Counter) -> usize {
        Rc::strong_count(counter) - 1
    }
}

type Ptr<'gc> = Gc<'gc, Token>;

/// Makes a shape, and asserts that it keeps as many tokens alive as it should, and no longer than
/// it should.
macro_rules! assert_keeps {
    ($count:expr, $shape:ty, |$mc:ident, $token:ident| $make:expr) => {{
        let counter = Counter::default();
        let mut arena = Arena::<Rootable![Option<Gc<'_, $shape>>]>::new(|$mc| {
            let $token = || Token::new($mc, &counter);
            let garbage = $token();
            assert!(Rc::ptr_eq(&garbage.0, &counter));
            Some(Gc::new($mc, $make))
        });
        // The first may finish a cycle that has begun before.
        arena.finish_cycle();
        arena.finish_cycle();
        assert_eq!(
            Token::alive(&counter),
            $count,
            "tokens of a reachable shape"
        );
        arena.mutate_root(|_, root| *root = None);
        arena.finish_cycle();
        arena.finish_cycle();
        assert_eq!(Token::alive(&counter), 0, "tokens of an unreachable shape");
    }};
}

#[derive(Collect)]
#[collect(no_drop)]
struct Named<'gc> {
    _before: u8,
    _first: Ptr<'gc>,
    _between: u16,
    _second: Option<Ptr<'gc>>,
    _absent: Option<Ptr<'gc>>,
    _outside: Vec<Ptr<'gc>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Tuple<'gc>(Ptr<'gc>, (u8, Ptr<'gc>), [Ptr<'gc>; 3]);

#[derive(Collect)]
#[collect(no_drop)]
struct Unit;

#[test]
fn structs() {
    assert_keeps!(4, Named<'_>, |mc, token| Named {
        _before: 1,
        _first: token(),
        _between: 2,
        _second: Some(token()),
        _absent: None,
        _outside: vec![token(), token()],
    });
    assert_keeps!(5, Tuple<'_>, |mc, token| Tuple(
        token(),
        (1, token()),
        [token(), token(), token()]
    ));
    assert_keeps!(0, Unit, |mc, token| Unit);
}

#[derive(Collect)]
#[collect(no_drop)]
#[repr(u8)]
enum Choice<'gc> {
    Empty = 7,
    One(Ptr<'gc>) = 9,
    Two {
        r#type: Ptr<'gc>,
        _padding: u32,
        r#struct: Ptr<'gc>,
    } = 200,
    Number(usize),
}

#[derive(Collect, Clone, Copy)]
#[collect(no_drop)]
enum Never {}

#[test]
fn enums() {
    assert_keeps!(0, Choice<'_>, |mc, token| Choice::Empty);
    assert_keeps!(1, Choice<'_>, |mc, token| Choice::One(token()));
    assert_keeps!(2, Choice<'_>, |mc, token| Choice::Two {
        r#type: token(),
        _padding: 0,
        r#struct: token()
    });
    assert_keeps!(0, Choice<'_>, |mc, token| Choice::Number(usize::MAX));
    assert_keeps!(1, (Option<Never>, Choice<'_>), |mc, token| (
        None,
        Choice::One(token())
    ));
    assert_keeps!(3, [Choice<'_>; 3], |mc, token| [
        Choice::Two {
            r#type: token(),
            _padding: 0,
            r#struct: token()
        },
        Choice::Number(8),
        Choice::One(token()),
    ]);
}

#[test]
fn an_enum_in_a_cell_is_followed_after_it_changed() {
    let counter = Counter::default();
    type Root<'gc> = Gc<'gc, RefLock<Choice<'gc>>>;
    let mut arena =
        Arena::<Rootable![Root<'_>]>::new(|mc| Gc::new(mc, RefLock::new(Choice::Number(1))));
    arena.finish_cycle();
    for round in 0..4 {
        arena.mutate(|mc, root| {
            *root.borrow_mut(mc) = match round {
                0 => Choice::One(Token::new(mc, &counter)),
                1 => Choice::Two {
                    r#type: Token::new(mc, &counter),
                    _padding: 0,
                    r#struct: Token::new(mc, &counter),
                },
                2 => Choice::Number(3),
                _ => Choice::Empty,
            };
        });
        arena.finish_cycle();
        arena.finish_cycle();
        assert_eq!(
            Token::alive(&counter),
            [1, 2, 0, 0][round],
            "in round {round}"
        );
    }
}

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

#[derive(Collect)]
#[collect(no_drop)]
struct List<'gc> {
    _token: Ptr<'gc>,
    _next: Option<Gc<'gc, List<'gc>>>,
    _back: Option<GcWeak<'gc, Self>>,
}

#[derive(Collect)]
#[collect(no_drop)]
enum Expression<'gc> {
    Constant(Ptr<'gc>),
    Sum(#[collect(recursive)] Box<[Expression<'gc>; 2]>),
    Block(Vec<Statement<'gc>>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Statement<'gc> {
    #[collect(recursive)]
    _value: Expression<'gc>,
    _label: Ptr<'gc>,
}

#[test]
fn recursive_types() {
    assert_keeps!(2, List<'_>, |mc, token| {
        let tail = Gc::new(
            mc,
            List {
                _token: token(),
                _next: None,
                _back: None,
            },
        );
        List {
            _token: token(),
            _next: Some(tail),
            _back: Some(Gc::downgrade(tail)),
        }
    });
    assert_keeps!(5, Expression<'_>, |mc, token| {
        let constant = || Expression::Constant(token());
        let sum = Expression::Sum(Box::new([constant(), constant()]));
        let statement = |_value| Statement {
            _value,
            _label: token(),
        };
        Expression::Block(
            vec![statement(sum), statement(constant())]
                .into_iter()
                .collect(),
        )
    });
}

#[derive(Collect)]
#[collect(no_drop)]
struct Tailed<'gc, T: ?Sized> {
    _head: Ptr<'gc>,
    _tail: T,
}

#[test]
fn an_unsized_tail_is_followed() {
    assert_keeps!(4, Gc<'_, Tailed<'_, [Ptr<'_>]>>, |mc, token| {
        let sized = Tailed {
            _head: token(),
            _tail: [token(), token(), token()],
        };
        unsize!(Gc::new(mc, sized) => Tailed<'_, [Ptr<'_>]>)
    });
}

#[derive(Collect)]
#[collect(unsafe_drop)]
struct Dropping<'gc> {
    _token: Ptr<'gc>,
    #[collect(require_static)]
    dropped: Rc<Cell<bool>>,
}

impl Drop for Dropping<'_> {
    fn drop(&mut self) {
        self.dropped.set(true);
    }
}

#[derive(Collect)]
#[collect(require_static)]
#[repr(C, packed(2))]
struct Packed(u8, u32);

#[derive(Collect)]
#[collect(require_static)]
union Bits {
    _integer: u64,
    _float: f64,
}

/// Collectable in every arena if `'a` is `'static`; `'a` is no arena's lifetime.
#[derive(Collect)]
#[collect(require_static)]
struct Borrowed<'a, T: Debug>(#[allow(dead_code)] &'a T);

#[test]
fn modes() {
    let dropped = Rc::new(Cell::new(false));
    assert_keeps!(1, Dropping<'_>, |mc, token| Dropping {
        _token: token(),
        dropped: Rc::clone(&dropped),
    });
    assert!(dropped.get());
    assert_keeps!(0, Packed, |mc, token| Packed(1, 2));
    assert_keeps!(0, Bits, |mc, token| Bits { _integer: 1 });
    assert_keeps!(1, (Borrowed<'static, u8>, Ptr<'_>), |mc, token| (
        Borrowed(&1),
        token()
    ));
}

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
    pub struct Option<'gc>(pub super::Ptr<'gc>);

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
        #[allow(dead_code)]
        NEEDS_TRACE,
        #[allow(dead_code)]
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
            #[collect(no_drop, crate = $crate::reexporting::private::gc)]
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

    use super::Ptr;

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
