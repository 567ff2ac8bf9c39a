//! Pairs and lists.

use gc_core::{Gc, Lock, barrier::unlock};

use super::arguments::{index, length, list};
use super::{MANY, Primitive};
use crate::alloc;
use crate::code::Kind;
use crate::error::{BoxedFault, Fault, Outcome};
use crate::machine::Context;
use crate::value::{Pair, Value};

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["cons", "%cons"], 2, 2, |cx, a| cons(cx, a[0], a[1])),
    Primitive::new(&["set-car!"], 2, 2, |cx, a| {
        let pair = pair("set-car!", a[0])?;
        unlock!(Gc::write(cx.mc, pair), Pair, car).set(a[1]);
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["set-cdr!"], 2, 2, |cx, a| {
        let pair = pair("set-cdr!", a[0])?;
        unlock!(Gc::write(cx.mc, pair), Pair, cdr).set(a[1]);
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["pair?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Pair)))
    }),
    Primitive::new(&["null?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Null)))
    }),
    Primitive::new(&["list?"], 1, 1, |_, a| {
        Ok(Value::Bool(length("list?", a[0]).is_ok()))
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
    Primitive::new(&["length"], 1, 1, |_, a| {
        Ok(Value::Fixnum(length("length", a[0])? as i64))
    }),
    Primitive::new(&["append", "%append"], 0, MANY, append),
    Primitive::new(&["reverse"], 1, 1, |cx, a| {
        length("reverse", a[0])?;
        a[0].list()
            .try_fold(Value::Nil, |rest, item| cons(cx, item, rest))
    }),
    Primitive::new(&["list-tail"], 2, 2, |_, a| tail("list-tail", a)),
    Primitive::new(&["list-head"], 2, 2, |cx, a| {
        let items = list("list-head", a[0])?;
        make(
            cx,
            &items[..index("list-head", a[1], items.len())?],
            Value::Nil,
        )
    }),
    Primitive::new(&["list-ref"], 2, 2, |_, a| match tail("list-ref", a)? {
        Value::Pair(pair) => Ok(pair.car.get()),
        _ => Err(Fault::about(
            "list-ref: the list is too short for index",
            a[1],
        )),
    }),
    Primitive::new(&["list-copy"], 1, 1, |cx, a| {
        let mut list = a[0].list();
        let items: Vec<_> = list.by_ref().collect();
        make(cx, &items, list.rest)
    }),
    Primitive::new(&["last-pair"], 1, 1, |_, a| {
        let mut last = pair("last-pair", a[0])?;
        while let Value::Pair(next) = last.cdr.get() {
            last = next;
        }
        Ok(Value::Pair(last))
    }),
    Primitive::new(&["iota"], 1, 3, iota),
    Primitive::new(&["memq"], 2, 2, |_, a| member(a, Value::is_eq)),
    Primitive::new(&["memv"], 2, 2, |_, a| member(a, Value::is_eqv)),
    Primitive::new(&["%member"], 2, 2, |_, a| member(a, Value::is_equal)),
    Primitive::new(&["assq"], 2, 2, |_, a| associate("assq", a, Value::is_eq)),
    Primitive::new(&["assv"], 2, 2, |_, a| associate("assv", a, Value::is_eqv)),
    Primitive::new(&["%assoc"], 2, 2, |_, a| {
        associate("assoc", a, Value::is_equal)
    }),
    Primitive::new(&["eq?"], 2, 2, |_, a| Ok(Value::Bool(a[0].is_eq(a[1])))),
    Primitive::new(&["eqv?"], 2, 2, |_, a| Ok(Value::Bool(a[0].is_eqv(a[1])))),
    Primitive::new(&["equal?"], 2, 2, |_, a| {
        Ok(Value::Bool(a[0].is_equal(a[1])))
    }),
];

macro_rules! selectors {
    ($($name:literal $path:literal,)*) => {
        pub(super) static SELECTORS: &[Primitive] = &[
            $(Primitive::new(&[$name], 1, 1, |_, a| select($name, $path, a[0])),)*
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

fn select<'gc>(who: &str, path: &str, value: Value<'gc>) -> Outcome<'gc> {
    let mut at = value;
    for step in path.bytes() {
        let Value::Pair(pair) = at else {
            return Err(match path.len() {
                1 => Fault::wrong_type(who, "a pair", value),
                _ => Fault::wrong_type(who, "a longer list", value),
            });
        };
        at = if step == b'a' {
            pair.car.get()
        } else {
            pair.cdr.get()
        };
    }
    Ok(at)
}

fn pair<'gc>(who: &str, value: Value<'gc>) -> Result<Gc<'gc, Pair<'gc>>, BoxedFault<'gc>> {
    match value {
        Value::Pair(pair) => Ok(pair),
        _ => Err(Fault::wrong_type(who, "a pair", value)),
    }
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
        let items = list("append", part)?;
        make(cx, &items, rest)
    })
}

fn tail<'gc>(who: &str, a: &[Value<'gc>]) -> Outcome<'gc> {
    let count = index(who, a[1], usize::MAX >> 1)?;
    let mut list = a[0].list();
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

fn member<'gc>(a: &[Value<'gc>], same: fn(Value<'gc>, Value<'gc>) -> bool) -> Outcome<'gc> {
    let mut at = a[1];
    while let Value::Pair(pair) = at {
        if same(a[0], pair.car.get()) {
            return Ok(at);
        }
        at = pair.cdr.get();
    }
    Ok(Value::Bool(false))
}

fn associate<'gc>(
    who: &str,
    a: &[Value<'gc>],
    same: fn(Value<'gc>, Value<'gc>) -> bool,
) -> Outcome<'gc> {
    for entry in a[1].list() {
        let Value::Pair(pair) = entry else {
            return Err(Fault::wrong_type(who, "a list of pairs", a[1]));
        };
        if same(a[0], pair.car.get()) {
            return Ok(entry);
        }
    }
    Ok(Value::Bool(false))
}
