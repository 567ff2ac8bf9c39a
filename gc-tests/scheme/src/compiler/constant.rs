//! Between source trees and values: literals, and the data that `eval` compiles.

use gc_core::{Gc, Lock, Mutation};

use crate::alloc::{self, HeapError};
use crate::error::{Position, SyntaxError};
use crate::reader::MAX_NESTING;
use crate::reader::syntax::{Datum, Syntax, base_name};
use crate::symbol::SymbolTable;
use crate::value::{Pair, Str, Value, Vector};

/// The value that a datum denotes. Recursive; the reader bounds the depth.
pub fn to_value<'gc>(
    mc: &Mutation<'gc>,
    symbols: Gc<'gc, SymbolTable<'gc>>,
    datum: &Syntax,
) -> Result<Value<'gc>, HeapError> {
    let list = |items: &[Syntax], tail: Value<'gc>| {
        items.iter().rev().try_fold(tail, |cdr, item| {
            let car = to_value(mc, symbols, item)?;
            let pair = Pair {
                car: Lock::new(car),
                cdr: Lock::new(cdr),
            };
            Ok(Value::Pair(alloc::new(mc, pair)?))
        })
    };
    Ok(match &datum.datum {
        Datum::Fixnum(n) => Value::Fixnum(*n),
        Datum::Flonum(x) => Value::Flonum(*x),
        Datum::Bool(b) => Value::Bool(*b),
        Datum::Char(c) => Value::Char(*c),
        Datum::Eof => Value::Eof,
        Datum::Broken => Value::Broken,
        Datum::Unspecified => Value::Unspecified,
        Datum::String(text) => {
            let chars: Vec<char> = text.chars().collect();
            let chars = alloc::slice(mc, chars.into_iter().map(Lock::new))?;
            Value::String(alloc::new(mc, Str { chars })?)
        }
        Datum::Symbol(name) => Value::Symbol(SymbolTable::intern(symbols, mc, base_name(name))?),
        Datum::List(items) => list(items, Value::Nil)?,
        Datum::Dotted(items, tail) => list(items, to_value(mc, symbols, tail)?)?,
        Datum::Vector(items) => {
            let mut values = Vec::with_capacity(items.len());
            for item in items.iter() {
                values.push(Lock::new(to_value(mc, symbols, item)?));
            }
            Value::Vector(alloc::new(
                mc,
                Vector {
                    items: alloc::slice(mc, values)?,
                },
            )?)
        }
    })
}

/// How many elements a datum for `eval` may have; more, and it is probably cyclic.
const MAX_ELEMENTS: usize = 10_000_000;

/// The source tree of a value, all of it at one position.
pub fn from_value<'gc>(
    mc: &Mutation<'gc>,
    value: Value<'gc>,
    position: Position,
) -> Result<Syntax, SyntaxError> {
    let mut budget = MAX_ELEMENTS;
    convert(mc, value, position, 0, &mut budget)
}

fn convert<'gc>(
    mc: &Mutation<'gc>,
    value: Value<'gc>,
    position: Position,
    depth: usize,
    budget: &mut usize,
) -> Result<Syntax, SyntaxError> {
    if depth > MAX_NESTING || *budget == 0 {
        return Err(SyntaxError::new(
            position,
            "the datum is too deep, too long or cyclic",
        ));
    }
    let datum = match value {
        Value::Fixnum(n) => Datum::Fixnum(n),
        Value::Flonum(x) => Datum::Flonum(x),
        Value::Bool(b) => Datum::Bool(b),
        Value::Char(c) => Datum::Char(c),
        Value::Eof => Datum::Eof,
        Value::Broken => Datum::Broken,
        Value::Unspecified => Datum::Unspecified,
        Value::Nil => Datum::List([].into()),
        Value::String(text) => Datum::String(text.to_rust().into()),
        Value::Symbol(symbol) => Datum::Symbol(symbol.name().into()),
        Value::Pair(_) | Value::WeakPair(_) => {
            let mut list = value.list(mc);
            let mut items = Vec::new();
            for item in list.by_ref() {
                *budget = budget.saturating_sub(1);
                items.push(convert(mc, item, position, depth + 1, budget)?);
            }
            Datum::dotted(items, convert(mc, list.rest, position, depth + 1, budget)?)
        }
        Value::Vector(vector) => {
            let items = alloc::elements(vector.items).iter();
            let items = items.map(|item| convert(mc, item.get(), position, depth + 1, budget));
            Datum::Vector(items.collect::<Result<_, _>>()?)
        }
        _ => {
            return Err(SyntaxError::new(
                position,
                "the datum contains an object without syntax",
            ));
        }
    };
    Ok(Syntax::new(position, datum))
}
