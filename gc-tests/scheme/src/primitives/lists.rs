//! Pairs and lists.

use gc_core::{Gc, Lock, Mutation, barrier::unlock};

use super::arguments::{index, length, list};
use super::{MANY, Primitive};
use crate::alloc;
use crate::code::Kind;
use crate::error::{BoxedFault, Fault, Outcome};
use crate::machine::Context;
use crate::value::{Pair, Value};
use crate::weak::WeakPair;

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["cons", "%cons"], 2, 2, |cx, a| cons(cx, a[0], a[1])),
    Primitive::new(&["set-car!"], 2, 2, |cx, a| {
        set_car(cx.mc, a[0], a[1])?;
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["set-cdr!"], 2, 2, |cx, a| {
        set_cdr(cx.mc, a[0], a[1])?;
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["pair?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Pair)))
    }),
    Primitive::new(&["null?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Null)))
    }),
    Primitive::new(&["list?"], 1, 1, |cx, a| {
        Ok(Value::Bool(length(cx.mc, "list?", a[0]).is_ok()))
    }),
    Primitive::new(&["list", "%list"], 0, MANY, |cx, a| make(cx, a, Value::Nil)),
    Primitive::new(&["cons*", "list*"], 1, MANY, |cx, a| {
        make(cx, &a[..a.len() - 1], a[a.len() - 1])
    }),
    Primitive::new(&["make-list"], 1, 2, |cx, a| {
        let count = index("make-list", a[0], u32::MAX as usize)?;
        let fill = a.get(1).copied().unwrap_or(Value::Unspecified);
        (0..count).try_fold(Value::Nil, |rest, _| cons(cx, fill, rest))
    }),
    Primitive::new(&["length"], 1, 1, |cx, a| {
        Ok(Value::Fixnum(length(cx.mc, "length", a[0])? as i64))
    }),
    Primitive::new(&["append", "%append"], 0, MANY, append),
    Primitive::new(&["reverse"], 1, 1, |cx, a| {
        length(cx.mc, "reverse", a[0])?;
        a[0].list(cx.mc)
            .try_fold(Value::Nil, |rest, item| cons(cx, item, rest))
    }),
    Primitive::new(&["list-tail"], 2, 2, |cx, a| tail(cx, "list-tail", a)),
    Primitive::new(&["list-head"], 2, 2, |cx, a| {
        let items = list(cx.mc, "list-head", a[0])?;
        make(
            cx,
            &items[..index("list-head", a[1], items.len())?],
            Value::Nil,
        )
    }),
    Primitive::new(&["list-ref"], 2, 2, |cx, a| {
        match tail(cx, "list-ref", a)?.halves(cx.mc) {
            Some((item, _)) => Ok(item),
            None => Err(Fault::about(
                "list-ref: the list is too short for index",
                a[1],
            )),
        }
    }),
    Primitive::new(&["list-copy"], 1, 1, |cx, a| {
        let mut list = a[0].list(cx.mc);
        let items: Vec<_> = list.by_ref().collect();
        make(cx, &items, list.rest)
    }),
    Primitive::new(&["last-pair"], 1, 1, |cx, a| {
        let (mut last, mut rest) = (a[0], halves(cx.mc, "last-pair", a[0])?.1);
        while let Some((_, next)) = rest.halves(cx.mc) {
            (last, rest) = (rest, next);
        }
        Ok(last)
    }),
    Primitive::new(&["iota"], 1, 3, iota),
    Primitive::new(&["memq"], 2, 2, |cx, a| member(cx, a, |_, x, y| x.is_eq(y))),
    Primitive::new(&["memv"], 2, 2, |cx, a| {
        member(cx, a, |_, x, y| x.is_eqv(y))
    }),
    Primitive::new(&["%member"], 2, 2, |cx, a| {
        member(cx, a, |mc, x, y| x.is_equal(mc, y))
    }),
    Primitive::new(&["assq"], 2, 2, |cx, a| {
        associate(cx, "assq", a, |_, x, y| x.is_eq(y))
    }),
    Primitive::new(&["assv"], 2, 2, |cx, a| {
        associate(cx, "assv", a, |_, x, y| x.is_eqv(y))
    }),
    Primitive::new(&["%assoc"], 2, 2, |cx, a| {
        associate(cx, "assoc", a, |mc, x, y| x.is_equal(mc, y))
    }),
    Primitive::new(&["eq?"], 2, 2, |_, a| Ok(Value::Bool(a[0].is_eq(a[1])))),
    Primitive::new(&["eqv?"], 2, 2, |_, a| Ok(Value::Bool(a[0].is_eqv(a[1])))),
    Primitive::new(&["equal?"], 2, 2, |cx, a| {
        Ok(Value::Bool(a[0].is_equal(cx.mc, a[1])))
    }),
];

macro_rules! selectors {
    ($($name:literal $path:literal,)*) => {
        pub(super) static SELECTORS: &[Primitive] = &[
            $(Primitive::new(&[$name], 1, 1, |cx, a| select(cx.mc, $name, $path, a[0])),)*
        ];
    };
}

// The path names the halves in the order in which they are taken.
selectors! {
    "car" "a", "cdr" "d",
    "caar" "aa", "cadr" "da", "cdar" "ad", "cddr" "dd",
    "caaar" "aaa", "caadr" "daa", "cadar" "ada", "caddr" "dda",
    "cdaar" "aad", "cdadr" "dad", "cddar" "add", "cdddr" "ddd",
    "cadddr" "ddda", "cddddr" "dddd",
}

/// Takes halves of pairs of any kind, as `path` names them.
pub(crate) fn select<'gc>(
    mc: &Mutation<'gc>,
    who: &str,
    path: &str,
    value: Value<'gc>,
) -> Outcome<'gc> {
    let mut at = value;
    for step in path.bytes() {
        let Some((car, cdr)) = at.halves(mc) else {
            return Err(match path.len() {
                1 => Fault::wrong_type(who, "a pair", value),
                _ => Fault::wrong_type(who, "a longer list", value),
            });
        };
        at = if step == b'a' { car } else { cdr };
    }
    Ok(at)
}

fn halves<'gc>(
    mc: &Mutation<'gc>,
    who: &str,
    value: Value<'gc>,
) -> Result<(Value<'gc>, Value<'gc>), BoxedFault<'gc>> {
    value
        .halves(mc)
        .ok_or_else(|| Fault::wrong_type(who, "a pair", value))
}

/// `set-car!` on a pair of any kind.
pub(crate) fn set_car<'gc>(
    mc: &Mutation<'gc>,
    pair: Value<'gc>,
    car: Value<'gc>,
) -> Result<(), BoxedFault<'gc>> {
    match pair {
        Value::Pair(pair) => unlock!(Gc::write(mc, pair), Pair, car).set(car),
        Value::WeakPair(pair) => WeakPair::set_car(pair, mc, car)?,
        _ => return Err(Fault::wrong_type("set-car!", "a pair", pair)),
    }
    Ok(())
}

/// `set-cdr!` on a pair of any kind.
pub(crate) fn set_cdr<'gc>(
    mc: &Mutation<'gc>,
    pair: Value<'gc>,
    cdr: Value<'gc>,
) -> Result<(), BoxedFault<'gc>> {
    match pair {
        Value::Pair(pair) => unlock!(Gc::write(mc, pair), Pair, cdr).set(cdr),
        Value::WeakPair(pair) => WeakPair::set_cdr(pair, mc, cdr)?,
        _ => return Err(Fault::wrong_type("set-cdr!", "a pair", pair)),
    }
    Ok(())
}

/// A new pair.
pub(super) fn cons<'gc>(cx: &mut Cx<'_, 'gc>, car: Value<'gc>, cdr: Value<'gc>) -> Outcome<'gc> {
    let pair = Pair {
        car: Lock::new(car),
        cdr: Lock::new(cdr),
    };
    Ok(Value::Pair(alloc::new(cx.mc, pair)?))
}

/// A new list that ends in `tail`.
pub(super) fn make<'gc>(
    cx: &mut Cx<'_, 'gc>,
    items: &[Value<'gc>],
    tail: Value<'gc>,
) -> Outcome<'gc> {
    items
        .iter()
        .rev()
        .try_fold(tail, |rest, &item| cons(cx, item, rest))
}

fn append<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let Some((&last, first)) = a.split_last() else {
        return Ok(Value::Nil);
    };
    first.iter().rev().try_fold(last, |rest, &part| {
        let items = list(cx.mc, "append", part)?;
        make(cx, &items, rest)
    })
}

fn tail<'gc>(cx: &mut Cx<'_, 'gc>, who: &str, a: &[Value<'gc>]) -> Outcome<'gc> {
    let count = index(who, a[1], usize::MAX >> 1)?;
    let mut list = a[0].list(cx.mc);
    for _ in 0..count {
        if list.next().is_none() {
            return Err(Fault::about(
                format!("{who}: the list is too short for index"),
                a[1],
            ));
        }
    }
    Ok(list.rest)
}

fn iota<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    use crate::machine::arithmetic::{add, multiply};
    let count = index("iota", a[0], u32::MAX as usize)?;
    let start = a.get(1).copied().unwrap_or(Value::Fixnum(0));
    let step = a.get(2).copied().unwrap_or(Value::Fixnum(1));
    (0..count).rev().try_fold(Value::Nil, |rest, i| {
        let item = add(start, multiply(Value::Fixnum(i as i64), step)?)?;
        cons(cx, item, rest)
    })
}

type Same<'gc> = fn(&Mutation<'gc>, Value<'gc>, Value<'gc>) -> bool;

fn member<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>], same: Same<'gc>) -> Outcome<'gc> {
    let mut at = a[1];
    while let Some((item, rest)) = at.halves(cx.mc) {
        if same(cx.mc, a[0], item) {
            return Ok(at);
        }
        at = rest;
    }
    Ok(Value::Bool(false))
}

fn associate<'gc>(
    cx: &mut Cx<'_, 'gc>,
    who: &str,
    a: &[Value<'gc>],
    same: Same<'gc>,
) -> Outcome<'gc> {
    for entry in a[1].list(cx.mc) {
        let Some((key, _)) = entry.halves(cx.mc) else {
            return Err(Fault::wrong_type(who, "a list of pairs", a[1]));
        };
        if same(cx.mc, a[0], key) {
            return Ok(entry);
        }
    }
    Ok(Value::Bool(false))
}
