//! Structs, enums, types that contain themselves, types with an unsized tail.

use gc_core::{Arena, Collect, Gc, GcWeak, RefLock, Rootable, unsize};

use crate::tokens::{Counter, Ptr, Token, assert_keeps};

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
