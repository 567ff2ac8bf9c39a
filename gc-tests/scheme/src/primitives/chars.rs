//! Characters.

use super::arguments::{character, index};
use super::{MANY, Primitive};
use crate::code::Kind;
use crate::error::{Fault, Outcome};
use crate::value::Value;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["char?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Char)))
    }),
    Primitive::new(&["char->integer"], 1, 1, |_, a| {
        Ok(Value::Fixnum(character("char->integer", a[0])? as i64))
    }),
    Primitive::new(&["integer->char"], 1, 1, |_, a| {
        let code = index("integer->char", a[0], 0x10_ffff)?;
        match char::from_u32(code as u32) {
            Some(c) => Ok(Value::Char(c)),
            None => Err(Fault::about(
                "integer->char: no character has the code",
                a[0],
            )),
        }
    }),
    Primitive::new(&["char=?"], 1, MANY, |_, a| {
        compare("char=?", a, |x, y| x == y)
    }),
    Primitive::new(&["char<?"], 1, MANY, |_, a| {
        compare("char<?", a, |x, y| x < y)
    }),
    Primitive::new(&["char>?"], 1, MANY, |_, a| {
        compare("char>?", a, |x, y| x > y)
    }),
    Primitive::new(&["char<=?"], 1, MANY, |_, a| {
        compare("char<=?", a, |x, y| x <= y)
    }),
    Primitive::new(&["char>=?"], 1, MANY, |_, a| {
        compare("char>=?", a, |x, y| x >= y)
    }),
    Primitive::new(&["char-ci=?"], 1, MANY, |_, a| {
        compare("char-ci=?", a, |x, y| x.to_lowercase().eq(y.to_lowercase()))
    }),
    Primitive::new(&["char-upcase"], 1, 1, |_, a| {
        let c = character("char-upcase", a[0])?;
        Ok(Value::Char(single(c, c.to_uppercase())))
    }),
    Primitive::new(&["char-downcase", "char-foldcase"], 1, 1, |_, a| {
        let c = character("char-downcase", a[0])?;
        Ok(Value::Char(single(c, c.to_lowercase())))
    }),
    Primitive::new(&["char-alphabetic?"], 1, 1, |_, a| {
        Ok(Value::Bool(
            character("char-alphabetic?", a[0])?.is_alphabetic(),
        ))
    }),
    Primitive::new(&["char-numeric?"], 1, 1, |_, a| {
        Ok(Value::Bool(character("char-numeric?", a[0])?.is_numeric()))
    }),
    Primitive::new(&["char-whitespace?"], 1, 1, |_, a| {
        Ok(Value::Bool(
            character("char-whitespace?", a[0])?.is_whitespace(),
        ))
    }),
    Primitive::new(&["char-upper-case?"], 1, 1, |_, a| {
        Ok(Value::Bool(
            character("char-upper-case?", a[0])?.is_uppercase(),
        ))
    }),
    Primitive::new(&["char-lower-case?"], 1, 1, |_, a| {
        Ok(Value::Bool(
            character("char-lower-case?", a[0])?.is_lowercase(),
        ))
    }),
    Primitive::new(&["digit-value"], 1, 1, |_, a| {
        Ok(match character("digit-value", a[0])?.to_digit(10) {
            Some(digit) => Value::Fixnum(digit.into()),
            None => Value::Bool(false),
        })
    }),
];

/// The mapped character where the mapping is one character, otherwise the character itself.
fn single(c: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 {
        mapped.next().unwrap_or(c)
    } else {
        c
    }
}

fn compare<'gc>(who: &str, a: &[Value<'gc>], holds: fn(char, char) -> bool) -> Outcome<'gc> {
    let mut result = true;
    let mut previous = character(who, a[0])?;
    for &value in &a[1..] {
        let next = character(who, value)?;
        result &= holds(previous, next);
        previous = next;
    }
    Ok(Value::Bool(result))
}
