//! Arithmetic on fixnums and flonums.
//!
//! An exact result that does not fit 64 bits becomes inexact. Comparisons of an exact and an
//! inexact number compare in floating point.

use std::cmp::Ordering;

use crate::error::{BoxedFault, Fault, Outcome};
use crate::value::Value;

/// The number as floating point.
pub fn to_f64<'gc>(who: &str, value: Value<'gc>) -> Result<f64, BoxedFault<'gc>> {
    match value {
        Value::Fixnum(n) => Ok(n as f64),
        Value::Flonum(x) => Ok(x),
        _ => Err(Fault::wrong_type(who, "a number", value)),
    }
}

macro_rules! operation {
    ($(#[$doc:meta])* $name:ident, $sign:literal, $checked:ident, $operator:tt) => {
        $(#[$doc])*
        #[inline(never)]
        pub fn $name<'gc>(a: Value<'gc>, b: Value<'gc>) -> Outcome<'gc> {
            if let (Value::Flonum(x), Value::Flonum(y)) = (a, b) {
                return Ok(Value::Flonum(x $operator y));
            }
            if let (Value::Fixnum(x), Value::Fixnum(y)) = (a, b)
                && let Some(result) = x.$checked(y)
            {
                return Ok(Value::Fixnum(result));
            }
            Ok(Value::Flonum(to_f64($sign, a)? $operator to_f64($sign, b)?))
        }
    };
}

operation! {
    /// `a + b`
    add, "+", checked_add, +
}
operation! {
    /// `a - b`
    subtract, "-", checked_sub, -
}
operation! {
    /// `a * b`
    multiply, "*", checked_mul, *
}

/// `a / b`: exact if both are and the division has no remainder.
pub fn divide<'gc>(a: Value<'gc>, b: Value<'gc>) -> Outcome<'gc> {
    match (a, b) {
        (Value::Fixnum(_), Value::Fixnum(0)) => Err(Fault::about("/: division by zero of", a)),
        (Value::Fixnum(x), Value::Fixnum(y)) if x.checked_rem(y) == Some(0) => {
            Ok(Value::Fixnum(x / y))
        }
        _ => Ok(Value::Flonum(to_f64("/", a)? / to_f64("/", b)?)),
    }
}

/// The order of two numbers, `None` if one is not a number of the real line (NaN).
#[inline(never)]
pub fn compare<'gc>(
    who: &str,
    a: Value<'gc>,
    b: Value<'gc>,
) -> Result<Option<Ordering>, BoxedFault<'gc>> {
    match (a, b) {
        (Value::Fixnum(x), Value::Fixnum(y)) => Ok(Some(x.cmp(&y))),
        _ => Ok(to_f64(who, a)?.partial_cmp(&to_f64(who, b)?)),
    }
}

/// How a quotient is rounded, and which part of the division is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// The quotient rounded towards zero.
    Quotient,
    /// The remainder with the sign of the dividend.
    Remainder,
    /// The remainder with the sign of the divisor.
    Modulo,
}

/// Integer division, exact if both numbers are.
pub fn integer_divide<'gc>(division: Division, a: Value<'gc>, b: Value<'gc>) -> Outcome<'gc> {
    let who = match division {
        Division::Quotient => "quotient",
        Division::Remainder => "remainder",
        Division::Modulo => "modulo",
    };
    if let (Value::Fixnum(x), Value::Fixnum(y)) = (a, b) {
        if y == 0 {
            return Err(Fault::about(format!("{who}: division by zero of"), a));
        }
        return Ok(match division {
            Division::Quotient => match x.checked_div(y) {
                Some(q) => Value::Fixnum(q),
                None => Value::Flonum(-(x as f64)),
            },
            Division::Remainder => Value::Fixnum(x.wrapping_rem(y)),
            Division::Modulo => {
                let r = x.wrapping_rem(y);
                Value::Fixnum(if r != 0 && (r < 0) != (y < 0) {
                    r + y
                } else {
                    r
                })
            }
        });
    }
    for value in [a, b] {
        if to_f64(who, value)?.fract() != 0.0 {
            return Err(Fault::wrong_type(who, "an integer", value));
        }
    }
    let (x, y) = (to_f64(who, a)?, to_f64(who, b)?);
    if y == 0.0 {
        return Err(Fault::about(format!("{who}: division by zero of"), a));
    }
    Ok(Value::Flonum(match division {
        Division::Quotient => (x / y).trunc(),
        Division::Remainder => x % y,
        Division::Modulo => x - y * (x / y).floor(),
    }))
}
