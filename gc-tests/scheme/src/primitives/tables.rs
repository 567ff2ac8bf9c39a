//! Hash tables, under their R6RS names and the most usual others; weak ones as in Chez Scheme.

use gc_core::Gc;

use super::{MANY, Primitive};
use crate::error::{BoxedFault, Fault, Outcome};
use crate::machine::Context;
use crate::table::Table;
use crate::value::Value;

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(
        &[
            "make-eq-hashtable",
            "make-eqv-hashtable",
            "make-eq-hash-table",
            "make-eqv-hash-table",
            "make-strong-eqv-hash-table",
        ],
        0,
        1,
        |cx, _| Ok(Value::Table(Table::new(cx.mc, false)?)),
    ),
    Primitive::new(
        &[
            "make-weak-eq-hashtable",
            "make-weak-eqv-hashtable",
            "make-ephemeron-eq-hashtable",
            "make-ephemeron-eqv-hashtable",
        ],
        0,
        1,
        |cx, _| Ok(Value::Table(Table::weak(cx.mc)?)),
    ),
    Primitive::new(
        &[
            "make-equal-hashtable",
            "make-equal-hash-table",
            "make-string-hash-table",
            "make-hash-table",
        ],
        0,
        MANY,
        |cx, _| Ok(Value::Table(Table::new(cx.mc, true)?)),
    ),
    Primitive::new(&["hashtable?", "hash-table?"], 1, 1, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Table(_))))
    }),
    Primitive::new(
        &["hashtable-set!", "hash-table-set!", "hash-table/put!"],
        3,
        3,
        |cx, a| {
            let table = table("hashtable-set!", a[0])?;
            Table::insert(table, cx.mc, cx.host.epoch, a[1], a[2])?;
            Ok(Value::Unspecified)
        },
    ),
    Primitive::new(
        &["hashtable-ref", "hash-table-ref/default", "hash-table/get"],
        3,
        3,
        |cx, a| {
            let table = table("hashtable-ref", a[0])?;
            Ok(Table::get(table, cx.mc, cx.host.epoch, a[1]).unwrap_or(a[2]))
        },
    ),
    Primitive::new(
        &[
            "hashtable-contains?",
            "hash-table-contains?",
            "hash-table-exists?",
        ],
        2,
        2,
        |cx, a| {
            let table = table("hashtable-contains?", a[0])?;
            Ok(Value::Bool(
                Table::get(table, cx.mc, cx.host.epoch, a[1]).is_some(),
            ))
        },
    ),
    Primitive::new(
        &[
            "hashtable-delete!",
            "hash-table-delete!",
            "hash-table/remove!",
        ],
        2,
        2,
        |cx, a| {
            let table = table("hashtable-delete!", a[0])?;
            Table::remove(table, cx.mc, cx.host.epoch, a[1]);
            Ok(Value::Unspecified)
        },
    ),
    Primitive::new(
        &["hashtable-size", "hash-table-size", "hash-table-count"],
        1,
        1,
        |cx, a| {
            let table = table("hashtable-size", a[0])?;
            let count = Table::count(table, cx.mc, cx.host.epoch);
            Ok(Value::Fixnum(count as i64))
        },
    ),
    Primitive::new(&["hashtable-clear!", "hash-table-clear!"], 1, 2, |cx, a| {
        Table::clear(table("hashtable-clear!", a[0])?, cx.mc)?;
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["hash-table-keys"], 1, 1, |cx, a| {
        collect(cx, "hash-table-keys", a[0], |_, (key, _)| Ok(key))
    }),
    Primitive::new(&["hash-table-values"], 1, 1, |cx, a| {
        collect(cx, "hash-table-values", a[0], |_, (_, value)| Ok(value))
    }),
    Primitive::new(&["hash-table->alist"], 1, 1, |cx, a| {
        collect(cx, "hash-table->alist", a[0], |cx, (key, value)| {
            super::lists::cons(cx, key, value)
        })
    }),
];

fn table<'gc>(who: &str, value: Value<'gc>) -> Result<Gc<'gc, Table<'gc>>, BoxedFault<'gc>> {
    match value {
        Value::Table(table) => Ok(table),
        _ => Err(Fault::wrong_type(who, "a hash table", value)),
    }
}

/// A list with something of each entry.
fn collect<'gc>(
    cx: &mut Cx<'_, 'gc>,
    who: &str,
    value: Value<'gc>,
    part: fn(&mut Cx<'_, 'gc>, (Value<'gc>, Value<'gc>)) -> Outcome<'gc>,
) -> Outcome<'gc> {
    Table::items(table(who, value)?, cx.mc).try_fold(Value::Nil, |rest, item| {
        let item = part(cx, item)?;
        super::lists::cons(cx, item, rest)
    })
}
