//! Vectors.

use gc_core::Lock;

use super::arguments::{index, list, range, vector};
use super::{MANY, Primitive};
use crate::alloc;
use crate::code::Kind;
use crate::error::{Fault, Outcome};
use crate::machine::Context;
use crate::value::{Value, Vector};

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["vector?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Vector)))
    }),
    Primitive::new(&["vector"], 0, MANY, |cx, a| make(cx, a.iter().copied())),
    Primitive::new(&["make-vector"], 1, 2, |cx, a| {
        let count = index("make-vector", a[0], u32::MAX as usize)?;
        let fill = a.get(1).copied().unwrap_or(Value::Bool(false));
        make(cx, (0..count).map(|_| fill))
    }),
    Primitive::new(&["vector-length"], 1, 1, |_, a| {
        let items = vector("vector-length", a[0])?.items;
        Ok(Value::Fixnum(alloc::elements(items).len() as i64))
    }),
    Primitive::new(&["vector-ref"], 2, 2, |_, a| {
        let items = alloc::elements(vector("vector-ref", a[0])?.items);
        Ok(items[element("vector-ref", a[1], items.len())?].get())
    }),
    Primitive::new(&["vector-set!"], 3, 3, |cx, a| {
        let vector = vector("vector-set!", a[0])?;
        let length = alloc::elements(vector.items).len();
        Vector::set(cx.mc, vector, element("vector-set!", a[1], length)?, a[2]);
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["vector-fill!"], 2, 4, |cx, a| {
        let vector = vector("vector-fill!", a[0])?;
        let range = range("vector-fill!", &a[2..], alloc::elements(vector.items).len())?;
        let items = alloc::write(cx.mc, vector.items);
        for i in range {
            items[i].unlock().set(a[1]);
        }
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["vector->list"], 1, 3, |cx, a| {
        let items = alloc::elements(vector("vector->list", a[0])?.items);
        let range = range("vector->list", &a[1..], items.len())?;
        let items: Vec<_> = items[range].iter().map(Lock::get).collect();
        super::lists::make(cx, &items, Value::Nil)
    }),
    Primitive::new(&["list->vector", "%list->vector"], 1, 1, |cx, a| {
        make(cx, list(cx.mc, "list->vector", a[0])?.into_iter())
    }),
    Primitive::new(&["vector-copy"], 1, 3, |cx, a| copy(cx, "vector-copy", a)),
    Primitive::new(&["subvector"], 3, 3, |cx, a| copy(cx, "subvector", a)),
    Primitive::new(&["vector-append"], 0, MANY, |cx, a| {
        let mut all = Vec::new();
        for &part in a {
            let items = alloc::elements(vector("vector-append", part)?.items);
            all.extend(items.iter().map(Lock::get));
        }
        make(cx, all.into_iter())
    }),
    Primitive::new(&["vector-grow"], 2, 2, |cx, a| {
        let items = alloc::elements(vector("vector-grow", a[0])?.items);
        let length = index("vector-grow", a[1], u32::MAX as usize)?;
        let item = |i: usize| items.get(i).map_or(Value::Bool(false), Lock::get);
        make(cx, (0..length).map(item))
    }),
    Primitive::new(&["vector-copy!"], 3, 5, copy_into),
];

fn element<'gc>(
    who: &str,
    at: Value<'gc>,
    length: usize,
) -> Result<usize, crate::error::BoxedFault<'gc>> {
    match at {
        Value::Fixnum(i) if (i as usize) < length => Ok(i as usize),
        _ => Err(Fault::about(
            format!("{who}: no such index in a vector of length {length}:"),
            at,
        )),
    }
}

fn make<'gc>(
    cx: &mut Cx<'_, 'gc>,
    items: impl ExactSizeIterator<Item = Value<'gc>>,
) -> Outcome<'gc> {
    let items = alloc::slice(cx.mc, items.map(Lock::new))?;
    Ok(Value::Vector(alloc::new(cx.mc, Vector { items })?))
}

fn copy<'gc>(cx: &mut Cx<'_, 'gc>, who: &str, a: &[Value<'gc>]) -> Outcome<'gc> {
    let items = alloc::elements(vector(who, a[0])?.items);
    let range = range(who, &a[1..], items.len())?;
    make(cx, items[range].iter().map(Lock::get))
}

/// `(vector-copy! to at from [start end])`; the parts may overlap.
fn copy_into<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let to = vector("vector-copy!", a[0])?;
    let from = alloc::elements(vector("vector-copy!", a[2])?.items);
    let range = range("vector-copy!", &a[3..], from.len())?;
    let room = alloc::elements(to.items).len();
    let at = index("vector-copy!", a[1], room)?;
    if range.len() > room - at {
        return Err(Fault::about(
            "vector-copy!: the elements do not fit at index",
            a[1],
        ));
    }
    let copied: Vec<_> = from[range].iter().map(Lock::get).collect();
    let items = alloc::write(cx.mc, to.items);
    for (i, value) in copied.into_iter().enumerate() {
        items[at + i].unlock().set(value);
    }
    Ok(Value::Unspecified)
}
