//! Access to strings, comparison and search.

use std::cmp::Ordering;

use super::arguments::{character, index, range, string};
use super::{MANY, Primitive};
use crate::alloc;
use crate::code::Kind;
use crate::error::Outcome;
use crate::machine::Context;
use crate::value::Value;

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["string?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::String)))
    }),
    Primitive::new(&["symbol?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Symbol)))
    }),
    Primitive::new(&["string-length"], 1, 1, |_, a| {
        Ok(Value::Fixnum(
            string("string-length", a[0])?.chars().len() as i64
        ))
    }),
    Primitive::new(&["string-ref"], 2, 2, |_, a| {
        let chars = alloc::elements(string("string-ref", a[0])?.chars);
        match a[1] {
            Value::Fixnum(i) if (i as usize) < chars.len() => {
                Ok(Value::Char(chars[i as usize].get()))
            }
            at => Err(out_of_range("string-ref", at, chars.len())),
        }
    }),
    Primitive::new(&["string-set!"], 3, 3, |cx, a| {
        let text = string("string-set!", a[0])?;
        let c = character("string-set!", a[2])?;
        let length = text.chars().len();
        match a[1] {
            Value::Fixnum(i) if (i as usize) < length => {
                alloc::write(cx.mc, text.chars)[i as usize].unlock().set(c);
                Ok(Value::Unspecified)
            }
            at => Err(out_of_range("string-set!", at, length)),
        }
    }),
    Primitive::new(&["string-fill!"], 2, 4, fill),
    Primitive::new(&["string=?"], 1, MANY, |_, a| {
        compare("string=?", a, Ordering::is_eq)
    }),
    Primitive::new(&["string<?"], 1, MANY, |_, a| {
        compare("string<?", a, Ordering::is_lt)
    }),
    Primitive::new(&["string>?"], 1, MANY, |_, a| {
        compare("string>?", a, Ordering::is_gt)
    }),
    Primitive::new(&["string<=?"], 1, MANY, |_, a| {
        compare("string<=?", a, Ordering::is_le)
    }),
    Primitive::new(&["string>=?"], 1, MANY, |_, a| {
        compare("string>=?", a, Ordering::is_ge)
    }),
    Primitive::new(&["string-ci=?"], 2, 2, |_, a| {
        let x = string("string-ci=?", a[0])?.to_rust().to_lowercase();
        let y = string("string-ci=?", a[1])?.to_rust().to_lowercase();
        Ok(Value::Bool(x == y))
    }),
    Primitive::new(&["string-null?"], 1, 1, |_, a| {
        Ok(Value::Bool(
            string("string-null?", a[0])?.chars().len() == 0,
        ))
    }),
    Primitive::new(&["string-index"], 2, 2, |_, a| {
        let wanted = character("string-index", a[1])?;
        let at = string("string-index", a[0])?
            .chars()
            .position(|c| c == wanted);
        Ok(found(at))
    }),
    Primitive::new(&["string-search-forward"], 2, 3, |_, a| {
        let start = a.get(2).copied().unwrap_or(Value::Fixnum(0));
        search("string-search-forward", a[1], a[0], start)
    }),
    Primitive::new(&["string-contains"], 2, 2, |_, a| {
        search("string-contains", a[0], a[1], Value::Fixnum(0))
    }),
    Primitive::new(&["string-prefix?"], 2, 2, |_, a| {
        let prefix = string("string-prefix?", a[0])?.chars();
        let text = string("string-prefix?", a[1])?.chars();
        Ok(Value::Bool(
            prefix.len() <= text.len() && prefix.zip(text).all(|(x, y)| x == y),
        ))
    }),
];

fn out_of_range<'gc>(who: &str, at: Value<'gc>, length: usize) -> crate::error::BoxedFault<'gc> {
    crate::error::Fault::about(
        format!("{who}: no such index in a string of length {length}:"),
        at,
    )
}

fn found<'gc>(at: Option<usize>) -> Value<'gc> {
    at.map_or(Value::Bool(false), |at| Value::Fixnum(at as i64))
}

fn fill<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let text = string("string-fill!", a[0])?;
    let c = character("string-fill!", a[1])?;
    let range = range("string-fill!", &a[2..], text.chars().len())?;
    let chars = alloc::write(cx.mc, text.chars);
    for i in range {
        chars[i].unlock().set(c);
    }
    Ok(Value::Unspecified)
}

fn compare<'gc>(who: &str, a: &[Value<'gc>], holds: fn(Ordering) -> bool) -> Outcome<'gc> {
    let mut result = true;
    let mut previous = string(who, a[0])?;
    for &value in &a[1..] {
        let next = string(who, value)?;
        result &= holds(previous.chars().cmp(next.chars()));
        previous = next;
    }
    Ok(Value::Bool(result))
}

/// The first place of `pattern` in `text`, from `start` on.
fn search<'gc>(
    who: &str,
    text: Value<'gc>,
    pattern: Value<'gc>,
    start: Value<'gc>,
) -> Outcome<'gc> {
    let text: Vec<char> = string(who, text)?.chars().collect();
    let pattern: Vec<char> = string(who, pattern)?.chars().collect();
    let start = index(who, start, text.len())?;
    if pattern.is_empty() {
        return Ok(found(Some(start)));
    }
    let at = text[start..]
        .windows(pattern.len())
        .position(|part| part == pattern);
    Ok(found(at.map(|at| at + start)))
}
