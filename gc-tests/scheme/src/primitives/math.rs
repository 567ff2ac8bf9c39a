//! Rounding, roots, powers and transcendental functions.

use super::arguments::{fixnum, index};
use super::{MANY, Primitive};
use crate::error::{Fault, Outcome};
use crate::machine::Context;
use crate::machine::arithmetic::{self, to_f64};
use crate::reader::number::to_exact;
use crate::value::Value;

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["exact", "inexact->exact"], 1, 1, exact),
    Primitive::new(&["inexact", "exact->inexact"], 1, 1, |_, a| {
        Ok(Value::Flonum(to_f64("inexact", a[0])?))
    }),
    Primitive::new(&["floor"], 1, 1, |_, a| round("floor", a[0], f64::floor)),
    Primitive::new(&["ceiling"], 1, 1, |_, a| round("ceiling", a[0], f64::ceil)),
    Primitive::new(&["truncate"], 1, 1, |_, a| {
        round("truncate", a[0], f64::trunc)
    }),
    Primitive::new(&["round"], 1, 1, |_, a| {
        round("round", a[0], f64::round_ties_even)
    }),
    Primitive::new(&["sqrt"], 1, 1, square_root),
    Primitive::new(&["exact-integer-sqrt-floor", "isqrt"], 1, 1, |_, a| {
        let n = index("isqrt", a[0], i64::MAX as usize)?;
        Ok(Value::Fixnum(n.isqrt() as i64))
    }),
    Primitive::new(&["square"], 1, 1, |_, a| arithmetic::multiply(a[0], a[0])),
    Primitive::new(&["exp"], 1, 1, |_, a| real("exp", a[0], f64::exp)),
    Primitive::new(&["log"], 1, 2, |_, a| match a {
        [x] => real("log", *x, f64::ln),
        _ => Ok(Value::Flonum(
            to_f64("log", a[0])?.ln() / to_f64("log", a[1])?.ln(),
        )),
    }),
    Primitive::new(&["sin"], 1, 1, |_, a| real("sin", a[0], f64::sin)),
    Primitive::new(&["cos"], 1, 1, |_, a| real("cos", a[0], f64::cos)),
    Primitive::new(&["tan"], 1, 1, |_, a| real("tan", a[0], f64::tan)),
    Primitive::new(&["asin"], 1, 1, |_, a| real("asin", a[0], f64::asin)),
    Primitive::new(&["acos"], 1, 1, |_, a| real("acos", a[0], f64::acos)),
    Primitive::new(&["atan"], 1, 2, |_, a| match a {
        [x] => real("atan", *x, f64::atan),
        _ => Ok(Value::Flonum(
            to_f64("atan", a[0])?.atan2(to_f64("atan", a[1])?),
        )),
    }),
    Primitive::new(&["expt"], 2, 2, power),
    Primitive::new(&["random"], 1, 1, random),
    Primitive::new(&["exact-rational?"], 1, MANY, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Fixnum(_))))
    }),
];

fn exact<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    match a[0] {
        Value::Fixnum(_) => Ok(a[0]),
        value => match to_exact(to_f64("exact", value)?) {
            Some(n) => Ok(Value::Fixnum(n)),
            None => Err(Fault::about("exact: no integer of 64 bits equals", value)),
        },
    }
}

fn round<'gc>(who: &str, value: Value<'gc>, rounding: fn(f64) -> f64) -> Outcome<'gc> {
    match value {
        Value::Fixnum(_) => Ok(value),
        _ => real(who, value, rounding),
    }
}

fn real<'gc>(who: &str, value: Value<'gc>, function: fn(f64) -> f64) -> Outcome<'gc> {
    Ok(Value::Flonum(function(to_f64(who, value)?)))
}

fn square_root<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    if let Value::Fixnum(n @ 0..) = a[0] {
        let root = n.isqrt();
        if root * root == n {
            return Ok(Value::Fixnum(root));
        }
    }
    real("sqrt", a[0], f64::sqrt)
}

fn power<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    if let (Value::Fixnum(base), Value::Fixnum(exponent)) = (a[0], a[1])
        && let Ok(exponent) = u32::try_from(exponent)
        && let Some(result) = base.checked_pow(exponent)
    {
        return Ok(Value::Fixnum(result));
    }
    Ok(Value::Flonum(
        to_f64("expt", a[0])?.powf(to_f64("expt", a[1])?),
    ))
}

/// SplitMix64 (Steele, Lea, Flood): the same sequence in every run, so that programs are
/// reproducible.
fn random<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let state = cx.host.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    cx.host.random = state;
    let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    match a[0] {
        Value::Flonum(limit) => Ok(Value::Flonum(
            (z >> 11) as f64 / (1_u64 << 53) as f64 * limit,
        )),
        value => match fixnum("random", value)? {
            limit @ 1.. => Ok(Value::Fixnum((z % limit as u64) as i64)),
            _ => Err(Fault::wrong_type("random", "a positive number", value)),
        },
    }
}
