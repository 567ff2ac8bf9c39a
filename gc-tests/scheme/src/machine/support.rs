//! What instructions do beside their fast paths: free variables, boxes and closures, arguments that
//! become a list, and the errors of instructions.

use gc_core::{Gc, Lock, Mutation};

use super::{arithmetic, raise};
use crate::alloc::{self, HeapError};
use crate::code::{Capture, Code, WINDOW};
use crate::error::{BoxedFault, Fault, Outcome};
use crate::primitives::lists;
use crate::symbol::Symbol;
use crate::value::{Closure, Pair, Value};

/// Free variable `index` of the procedure that runs.
#[inline]
pub(super) fn free<'gc>(regs: &[Value<'gc>; WINDOW], index: u16) -> Value<'gc> {
    match regs[0] {
        Value::Procedure(closure) => alloc::elements(closure.free)[usize::from(index)].get(),
        _ => unreachable!("register 0 holds the procedure that runs"),
    }
}

#[inline]
pub(super) fn unboxed<'gc>(value: Value<'gc>) -> Result<Value<'gc>, BoxedFault<'gc>> {
    match value {
        Value::Box(cell) => match cell.get() {
            Value::Undefined => Err(undefined()),
            value => Ok(value),
        },
        _ => unreachable!("the register holds a box"),
    }
}

#[cold]
pub(super) fn undefined<'gc>() -> BoxedFault<'gc> {
    Fault::message("a variable is used before its definition")
}

#[cold]
pub(super) fn unbound<'gc>(symbol: Gc<'gc, Symbol<'gc>>) -> BoxedFault<'gc> {
    Fault::message(format!("unbound variable: {}", symbol.name()))
}

#[cold]
#[inline(never)]
pub(super) fn select<'gc>(
    mc: &Mutation<'gc>,
    who: &str,
    path: &str,
    value: Value<'gc>,
) -> Outcome<'gc> {
    lists::select(mc, who, path, value)
}

#[cold]
#[inline(never)]
pub(super) fn set_car<'gc>(
    mc: &Mutation<'gc>,
    pair: Value<'gc>,
    car: Value<'gc>,
) -> Result<(), BoxedFault<'gc>> {
    lists::set_car(mc, pair, car)
}

#[cold]
#[inline(never)]
pub(super) fn set_cdr<'gc>(
    mc: &Mutation<'gc>,
    pair: Value<'gc>,
    cdr: Value<'gc>,
) -> Result<(), BoxedFault<'gc>> {
    lists::set_cdr(mc, pair, cdr)
}

#[cold]
pub(super) fn not_number<'gc>(who: &str, value: Value<'gc>) -> BoxedFault<'gc> {
    Fault::wrong_type(who, "a number", value)
}

#[cold]
pub(super) fn bad_index<'gc>(who: &str, vector: Value<'gc>, index: Value<'gc>) -> BoxedFault<'gc> {
    match vector {
        Value::Vector(vector) => {
            let length = alloc::elements(vector.items).len();
            Fault::about(
                format!("{who}: no such index in a vector of length {length}:"),
                index,
            )
        }
        _ => Fault::wrong_type(who, "a vector", vector),
    }
}

#[cold]
pub(super) fn add_immediate<'gc>(
    value: Value<'gc>,
    immediate: i32,
) -> Result<Value<'gc>, BoxedFault<'gc>> {
    match value {
        Value::Flonum(x) => Ok(Value::Flonum(x + f64::from(immediate))),
        _ if immediate < 0 => arithmetic::subtract(value, Value::Fixnum(-i64::from(immediate))),
        _ => arithmetic::add(value, Value::Fixnum(immediate.into())),
    }
}

#[cold]
pub(super) fn as_floats<'gc>(
    who: &str,
    a: Value<'gc>,
    b: Value<'gc>,
) -> Result<(f64, f64), BoxedFault<'gc>> {
    Ok((arithmetic::to_f64(who, a)?, arithmetic::to_f64(who, b)?))
}

#[inline]
pub(super) fn second<'gc>(value: &Value<'gc>) -> Option<Gc<'gc, Pair<'gc>>> {
    match value {
        Value::Pair(first) => match first.cdr.get() {
            Value::Pair(second) => Some(second),
            _ => None,
        },
        _ => None,
    }
}

/// Fits `count` arguments to a procedure: the surplus becomes a list if it takes one. Returns the
/// number of registers then passed.
pub(super) fn adapt<'gc>(
    mc: &Mutation<'gc>,
    callee: &Code<'gc>,
    arguments: &mut [Value<'gc>],
    count: usize,
) -> Result<usize, BoxedFault<'gc>> {
    let required = usize::from(callee.required);
    if count < required || (count > required && !callee.rest) {
        return Err(wrong_count(callee, count));
    }
    if callee.rest {
        arguments[required] = raise::list(mc, arguments[required..count].iter().copied())?;
        return Ok(required + 1);
    }
    Ok(required)
}

#[cold]
pub(super) fn wrong_count<'gc>(callee: &Code<'gc>, count: usize) -> BoxedFault<'gc> {
    let name = match alloc::text_of(callee.name) {
        "" => "an anonymous procedure",
        name => name,
    };
    let more = if callee.rest { "at least " } else { "" };
    let plural = if callee.required == 1 { "" } else { "s" };
    Fault::message(format!(
        "{name}: expected {more}{} argument{plural}, found {count}",
        callee.required
    ))
}

pub(super) fn make_closure<'gc>(
    mc: &Mutation<'gc>,
    regs: &[Value<'gc>; WINDOW],
    code: Value<'gc>,
) -> Result<Value<'gc>, HeapError> {
    let Value::Code(code) = code else {
        unreachable!("the constant is code")
    };
    let captures = alloc::elements(code.captures).iter();
    let free = alloc::slice(
        mc,
        captures.map(|capture| {
            Lock::new(match *capture {
                Capture::Register(register) => regs[usize::from(register)],
                Capture::Free(index) => free(regs, index),
            })
        }),
    )?;
    Ok(Value::Procedure(alloc::new(mc, Closure { code, free })?))
}
