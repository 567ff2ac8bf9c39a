//! Hash tables, under their R6RS names and the most usual others.

use gc_core::Gc;

use super::{MANY, Primitive};
use crate::error::{BoxedFault, Fault, Outcome};
use crate::machine::Context;
use crate::table::{Entry, Table};
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
            Ok(Table::find(table, cx.mc, cx.host.epoch, a[1])
                .map_or(a[2], |entry| entry.value.get()))
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
                Table::find(table, cx.mc, cx.host.epoch, a[1]).is_some(),
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
        |_, a| Ok(Value::Fixnum(table("hashtable-size", a[0])?.count() as i64)),
    ),
    Primitive::new(&["hashtable-clear!", "hash-table-clear!"], 1, 2, |cx, a| {
        Table::clear(table("hashtable-clear!", a[0])?, cx.mc)?;
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["hash-table-keys"], 1, 1, |cx, a| {
        collect(cx, "hash-table-keys", a[0], |_, entry| Ok(entry.key))
    }),
    Primitive::new(&["hash-table-values"], 1, 1, |cx, a| {
        collect(cx, "hash-table-values", a[0], |_, entry| {
            Ok(entry.value.get())
        })
    }),
    Primitive::new(&["hash-table->alist"], 1, 1, |cx, a| {
        collect(cx, "hash-table->alist", a[0], |cx, entry| {
            super::lists::cons(cx, entry.key, entry.value.get())
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
    part: fn(&mut Cx<'_, 'gc>, &Entry<'gc>) -> Outcome<'gc>,
) -> Outcome<'gc> {
    table(who, value)?
        .entries()
        .iter()
        .try_fold(Value::Nil, |rest, entry| {
            let item = part(cx, entry)?;
            super::lists::cons(cx, item, rest)
        })
}
