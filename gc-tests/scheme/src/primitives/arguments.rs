//! Checks of arguments, with errors that name procedure, expectation and finding.

use gc_core::{Gc, Mutation};

use crate::code::Kind;
use crate::error::{BoxedFault, Fault};
use crate::symbol::Symbol;
use crate::value::{Str, Value, Vector};

type Checked<'gc, T> = Result<T, BoxedFault<'gc>>;

/// An exact integer.
pub fn fixnum<'gc>(who: &str, value: Value<'gc>) -> Checked<'gc, i64> {
    match value {
        Value::Fixnum(n) => Ok(n),
        Value::Flonum(x) => crate::reader::number::to_exact(x)
            .ok_or_else(|| Fault::wrong_type(who, "an integer", value)),
        _ => Err(Fault::wrong_type(who, "an integer", value)),
    }
}

/// An index or a length that is at most `limit`.
pub fn index<'gc>(who: &str, value: Value<'gc>, limit: usize) -> Checked<'gc, usize> {
    match value {
        Value::Fixnum(n) => match usize::try_from(n) {
            Ok(n) if n <= limit => Ok(n),
            _ => Err(Fault::about(
                format!("{who}: not in the range 0 to {limit}:"),
                value,
            )),
        },
        _ => Err(Fault::wrong_type(who, "an exact integer", value)),
    }
}

/// The range that optional `start` and `end` arguments select out of `length` elements.
pub fn range<'gc>(
    who: &str,
    arguments: &[Value<'gc>],
    length: usize,
) -> Checked<'gc, std::ops::Range<usize>> {
    let end = arguments
        .get(1)
        .map_or(Ok(length), |&end| index(who, end, length))?;
    let start = arguments
        .first()
        .map_or(Ok(0), |&start| index(who, start, end))?;
    Ok(start..end)
}

/// A character.
pub fn character<'gc>(who: &str, value: Value<'gc>) -> Checked<'gc, char> {
    match value {
        Value::Char(c) => Ok(c),
        _ => Err(Fault::wrong_type(who, "a character", value)),
    }
}

/// A string.
pub fn string<'gc>(who: &str, value: Value<'gc>) -> Checked<'gc, Gc<'gc, Str<'gc>>> {
    match value {
        Value::String(string) => Ok(string),
        _ => Err(Fault::wrong_type(who, "a string", value)),
    }
}

/// A symbol.
pub fn symbol<'gc>(who: &str, value: Value<'gc>) -> Checked<'gc, Gc<'gc, Symbol<'gc>>> {
    match value {
        Value::Symbol(symbol) => Ok(symbol),
        _ => Err(Fault::wrong_type(who, "a symbol", value)),
    }
}

/// A vector.
pub fn vector<'gc>(who: &str, value: Value<'gc>) -> Checked<'gc, Gc<'gc, Vector<'gc>>> {
    match value {
        Value::Vector(vector) => Ok(vector),
        _ => Err(Fault::wrong_type(who, "a vector", value)),
    }
}

/// The elements of a proper list.
pub fn list<'gc>(
    mc: &Mutation<'gc>,
    who: &str,
    value: Value<'gc>,
) -> Checked<'gc, Vec<Value<'gc>>> {
    length(mc, who, value)?;
    Ok(value.list(mc).collect())
}

/// The length of a proper list; cycles are found by two walkers of different speed (Floyd).
pub fn length<'gc>(mc: &Mutation<'gc>, who: &str, value: Value<'gc>) -> Checked<'gc, usize> {
    let (mut slow, mut fast) = (value.list(mc), value.list(mc));
    let mut count = 0;
    while fast.next().is_some() {
        count += 1;
        if count % 2 == 0 {
            slow.next();
        }
        if fast.rest.is(Kind::Pair) && slow.rest.is_eq(fast.rest) {
            return Err(Fault::message(format!("{who}: the list is cyclic")));
        }
    }
    match fast.rest {
        Value::Nil => Ok(count),
        _ => Err(Fault::wrong_type(who, "a proper list", value)),
    }
}
