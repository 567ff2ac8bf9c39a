//! Arithmetic and predicates of numbers.

use std::cmp::Ordering;

use super::arguments::fixnum;
use super::{MANY, Primitive};
use crate::code::Kind;
use crate::error::{Fault, Outcome};
use crate::machine::Context;
use crate::machine::arithmetic::{self, Division};
use crate::printer;
use crate::reader::number::{self, Number};
use crate::value::Value;

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["+"], 0, MANY, add),
    Primitive::new(&["-"], 1, MANY, subtract),
    Primitive::new(&["*"], 0, MANY, multiply),
    Primitive::new(&["/"], 1, MANY, divide),
    Primitive::new(&["="], 1, MANY, |_, a| ordered("=", a, Ordering::is_eq)),
    Primitive::new(&["<"], 1, MANY, |_, a| ordered("<", a, Ordering::is_lt)),
    Primitive::new(&[">"], 1, MANY, |_, a| ordered(">", a, Ordering::is_gt)),
    Primitive::new(&["<="], 1, MANY, |_, a| ordered("<=", a, Ordering::is_le)),
    Primitive::new(&[">="], 1, MANY, |_, a| ordered(">=", a, Ordering::is_ge)),
    Primitive::new(&["quotient", "truncate-quotient"], 2, 2, |_, a| {
        arithmetic::integer_divide(Division::Quotient, a[0], a[1])
    }),
    Primitive::new(&["remainder", "truncate-remainder"], 2, 2, |_, a| {
        arithmetic::integer_divide(Division::Remainder, a[0], a[1])
    }),
    Primitive::new(&["modulo", "floor-remainder"], 2, 2, |_, a| {
        arithmetic::integer_divide(Division::Modulo, a[0], a[1])
    }),
    Primitive::new(&["1+"], 1, 1, |_, a| {
        arithmetic::add(a[0], Value::Fixnum(1))
    }),
    Primitive::new(&["-1+", "1-"], 1, 1, |_, a| {
        arithmetic::subtract(a[0], Value::Fixnum(1))
    }),
    Primitive::new(&["abs", "magnitude"], 1, 1, absolute),
    Primitive::new(&["min"], 1, MANY, |_, a| extreme("min", a, Ordering::Less)),
    Primitive::new(&["max"], 1, MANY, |_, a| {
        extreme("max", a, Ordering::Greater)
    }),
    Primitive::new(&["gcd"], 0, MANY, |_, a| fold_integers("gcd", a, 0, gcd)),
    Primitive::new(&["lcm"], 0, MANY, |_, a| fold_integers("lcm", a, 1, lcm)),
    Primitive::new(&["number?", "complex?", "real?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Number)))
    }),
    Primitive::new(&["integer?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Integer)))
    }),
    Primitive::new(&["rational?"], 1, 1, |_, a| {
        Ok(Value::Bool(match a[0] {
            Value::Fixnum(_) => true,
            Value::Flonum(x) => x.is_finite(),
            _ => false,
        }))
    }),
    Primitive::new(&["exact?"], 1, 1, |_, a| {
        arithmetic::to_f64("exact?", a[0])?;
        Ok(Value::Bool(matches!(a[0], Value::Fixnum(_))))
    }),
    Primitive::new(&["inexact?"], 1, 1, |_, a| {
        arithmetic::to_f64("inexact?", a[0])?;
        Ok(Value::Bool(matches!(a[0], Value::Flonum(_))))
    }),
    Primitive::new(&["exact-integer?", "fixnum?"], 1, 1, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Fixnum(_))))
    }),
    Primitive::new(&["flonum?"], 1, 1, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Flonum(_))))
    }),
    Primitive::new(&["nan?"], 1, 1, |_, a| {
        Ok(Value::Bool(arithmetic::to_f64("nan?", a[0])?.is_nan()))
    }),
    Primitive::new(&["zero?"], 1, 1, |_, a| {
        sign("zero?", a[0], Ordering::is_eq)
    }),
    Primitive::new(&["positive?"], 1, 1, |_, a| {
        sign("positive?", a[0], Ordering::is_gt)
    }),
    Primitive::new(&["negative?"], 1, 1, |_, a| {
        sign("negative?", a[0], Ordering::is_lt)
    }),
    Primitive::new(&["odd?"], 1, 1, |_, a| {
        Ok(Value::Bool(fixnum("odd?", a[0])? % 2 != 0))
    }),
    Primitive::new(&["even?"], 1, 1, |_, a| {
        Ok(Value::Bool(fixnum("even?", a[0])? % 2 == 0))
    }),
    Primitive::new(&["number->string"], 1, 2, number_to_string),
    Primitive::new(&["string->number"], 1, 2, string_to_number),
    Primitive::new(&["bitwise-and", "logand"], 0, MANY, |_, a| {
        fold_integers("bitwise-and", a, -1, |x, y| Some(x & y))
    }),
    Primitive::new(&["bitwise-or", "logior"], 0, MANY, |_, a| {
        fold_integers("bitwise-or", a, 0, |x, y| Some(x | y))
    }),
    Primitive::new(&["bitwise-xor", "logxor"], 0, MANY, |_, a| {
        fold_integers("bitwise-xor", a, 0, |x, y| Some(x ^ y))
    }),
    Primitive::new(&["bitwise-not", "lognot"], 1, 1, |_, a| {
        Ok(Value::Fixnum(!fixnum("bitwise-not", a[0])?))
    }),
    Primitive::new(&["arithmetic-shift", "ash"], 2, 2, shift),
];

fn add<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    a.iter()
        .try_fold(Value::Fixnum(0), |sum, &n| arithmetic::add(sum, n))
}

fn subtract<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    match a {
        [n] => arithmetic::multiply(*n, Value::Fixnum(-1)),
        _ => a[1..]
            .iter()
            .try_fold(a[0], |rest, &n| arithmetic::subtract(rest, n)),
    }
}

fn multiply<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    a.iter().try_fold(Value::Fixnum(1), |product, &n| {
        arithmetic::multiply(product, n)
    })
}

fn divide<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    match a {
        [n] => arithmetic::divide(Value::Fixnum(1), *n),
        _ => a[1..]
            .iter()
            .try_fold(a[0], |rest, &n| arithmetic::divide(rest, n)),
    }
}

fn ordered<'gc>(who: &str, a: &[Value<'gc>], holds: fn(Ordering) -> bool) -> Outcome<'gc> {
    arithmetic::to_f64(who, a[0])?;
    let mut result = true;
    for pair in a.windows(2) {
        result &= arithmetic::compare(who, pair[0], pair[1])?.is_some_and(holds);
    }
    Ok(Value::Bool(result))
}

fn sign<'gc>(who: &str, value: Value<'gc>, holds: fn(Ordering) -> bool) -> Outcome<'gc> {
    let order = arithmetic::compare(who, value, Value::Fixnum(0))?;
    Ok(Value::Bool(order.is_some_and(holds)))
}

fn absolute<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    match a[0] {
        Value::Fixnum(n) => match n.checked_abs() {
            Some(n) => Ok(Value::Fixnum(n)),
            None => Ok(Value::Flonum((n as f64).abs())),
        },
        value => Ok(Value::Flonum(arithmetic::to_f64("abs", value)?.abs())),
    }
}

fn extreme<'gc>(who: &str, a: &[Value<'gc>], wanted: Ordering) -> Outcome<'gc> {
    let mut best = a[0];
    arithmetic::to_f64(who, best)?;
    let mut inexact = matches!(best, Value::Flonum(_));
    for &n in &a[1..] {
        inexact |= matches!(n, Value::Flonum(_));
        if arithmetic::compare(who, n, best)? == Some(wanted) {
            best = n;
        }
    }
    if inexact {
        Ok(Value::Flonum(arithmetic::to_f64(who, best)?))
    } else {
        Ok(best)
    }
}

fn gcd(mut a: i64, mut b: i64) -> Option<i64> {
    while b != 0 {
        (a, b) = (b, a.wrapping_rem(b));
    }
    a.checked_abs()
}

fn lcm(a: i64, b: i64) -> Option<i64> {
    if a == 0 || b == 0 {
        Some(0)
    } else {
        (a / gcd(a, b)?).checked_mul(b)?.checked_abs()
    }
}

fn fold_integers<'gc>(
    who: &str,
    a: &[Value<'gc>],
    start: i64,
    step: fn(i64, i64) -> Option<i64>,
) -> Outcome<'gc> {
    let mut result = start;
    for &value in a {
        let n = fixnum(who, value)?;
        result = step(result, n)
            .ok_or_else(|| Fault::message(format!("{who}: the result exceeds 64 bits")))?;
    }
    Ok(Value::Fixnum(result))
}

fn shift<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let (n, by) = (
        fixnum("arithmetic-shift", a[0])?,
        fixnum("arithmetic-shift", a[1])?,
    );
    if by < 0 {
        return Ok(Value::Fixnum(n >> by.unsigned_abs().min(63)));
    }
    let shifted = n.checked_mul(1_i64.checked_shl(by.min(64) as u32).unwrap_or(0));
    match shifted {
        Some(result) if by < 63 || n == 0 => Ok(Value::Fixnum(result)),
        _ => Ok(Value::Flonum(n as f64 * (by as f64).exp2())),
    }
}

fn radix<'gc>(who: &str, a: &[Value<'gc>]) -> Result<u32, crate::error::BoxedFault<'gc>> {
    match a.get(1) {
        None => Ok(10),
        Some(Value::Fixnum(n @ (2 | 8 | 10 | 16))) => Ok(*n as u32),
        Some(&value) => Err(Fault::wrong_type(who, "a radix of 2, 8, 10 or 16", value)),
    }
}

fn number_to_string<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let radix = radix("number->string", a)?;
    let text = match a[0] {
        Value::Fixnum(n) => {
            let sign = if n < 0 { "-" } else { "" };
            let n = n.unsigned_abs();
            match radix {
                2 => format!("{sign}{n:b}"),
                8 => format!("{sign}{n:o}"),
                16 => format!("{sign}{n:x}"),
                _ => format!("{sign}{n}"),
            }
        }
        value => {
            arithmetic::to_f64("number->string", value)?;
            printer::written(cx.mc, value)
        }
    };
    super::text::make(cx, text.chars())
}

fn string_to_number<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let text = super::arguments::string("string->number", a[0])?.to_rust();
    Ok(match number::parse(&text, radix("string->number", a)?) {
        Some(Number::Exact(n)) => Value::Fixnum(n),
        Some(Number::Inexact(x)) => Value::Flonum(x),
        None => Value::Bool(false),
    })
}
