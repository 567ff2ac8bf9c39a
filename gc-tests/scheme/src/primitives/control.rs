//! Procedures, values, errors, dynamic state, records, time and exit.

use gc_core::{Gc, Lock, barrier::unlock};

use super::arguments::{index, list, symbol};
use super::{Control, MANY, Primitive};
use crate::alloc;
use crate::code::Kind;
use crate::error::{Fault, Outcome};
use crate::machine::{Context, Dynamic};
use crate::printer::{condition_text, displayed, written};
use crate::value::{Condition, RecordOperation, RecordProcedure, RecordType, Value};

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::control(&["apply", "%apply"], 2, MANY, Control::Apply),
    Primitive::control(&["%apply-values"], 2, 2, Control::ApplyValues),
    Primitive::control(
        &["call-with-current-continuation", "call/cc", "%call/cc"],
        1,
        1,
        Control::CallWithCurrentContinuation,
    ),
    Primitive::control(&["%reinstate"], 2, 2, Control::Reinstate),
    Primitive::control(&["eval"], 1, 2, Control::Eval),
    Primitive::new(&["procedure?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Procedure)))
    }),
    Primitive::new(&["boolean?"], 1, 1, |_, a| {
        Ok(Value::Bool(a[0].is(Kind::Boolean)))
    }),
    Primitive::new(&["not"], 1, 1, |_, a| Ok(Value::Bool(!a[0].is_true()))),
    Primitive::new(&["boolean=?", "symbol=?"], 2, 2, |_, a| {
        Ok(Value::Bool(a[0].is_eq(a[1])))
    }),
    Primitive::new(&["symbol<?"], 2, 2, |_, a| {
        Ok(Value::Bool(
            symbol("symbol<?", a[0])?.name() < symbol("symbol<?", a[1])?.name(),
        ))
    }),
    Primitive::new(&["void"], 0, MANY, |_, _| Ok(Value::Unspecified)),
    Primitive::new(&["eof-object"], 0, 0, |_, _| Ok(Value::Eof)),
    Primitive::new(&["eof-object?"], 1, 1, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Eof)))
    }),
    Primitive::new(&["values"], 0, MANY, |cx, a| match a {
        [one] => Ok(*one),
        _ => crate::machine::many(cx, a),
    }),
    Primitive::new(&["%values->list"], 1, 1, |cx, a| match a[0] {
        Value::Values(values) => super::lists::make(cx, alloc::elements(values.items), Value::Nil),
        value => super::lists::cons(cx, value, Value::Nil),
    }),
    Primitive::new(&["%accepts?"], 2, 2, accepts),
    Primitive::new(&["%winders"], 0, 0, |cx, _| Ok(cx.dynamic.winders.get())),
    Primitive::new(&["%handlers"], 0, 0, |cx, _| Ok(cx.dynamic.handlers.get())),
    Primitive::new(&["%set-winders!"], 1, 1, |cx, a| {
        unlock!(Gc::write(cx.mc, cx.dynamic), Dynamic, winders).set(a[0]);
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["%set-handlers!"], 1, 1, |cx, a| {
        unlock!(Gc::write(cx.mc, cx.dynamic), Dynamic, handlers).set(a[0]);
        Ok(Value::Unspecified)
    }),
    Primitive::new(&["%continuation-winders"], 1, 1, |_, a| match a[0] {
        Value::Continuation(continuation) => Ok(continuation.winders),
        value => Err(Fault::wrong_type(
            "%continuation-winders",
            "a continuation",
            value,
        )),
    }),
    Primitive::new(&["error"], 1, MANY, error),
    Primitive::new(&["raise"], 1, 1, |_, a| Err(Box::new(Fault::Raise(a[0])))),
    Primitive::new(&["%assertion-failed"], 1, 1, |_, a| {
        Err(Fault::about("assertion failed:", a[0]))
    }),
    Primitive::new(&["error-object?", "error?", "condition?"], 1, 1, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Condition(_))))
    }),
    Primitive::new(
        &["error-object-message", "condition-message"],
        1,
        1,
        |_, a| {
            Ok(Value::String(
                condition("error-object-message", a[0])?.message,
            ))
        },
    ),
    Primitive::new(&["error-object-irritants"], 1, 1, |_, a| {
        Ok(condition("error-object-irritants", a[0])?.irritants)
    }),
    Primitive::new(&["condition/report-string"], 1, 1, |cx, a| {
        let text = condition_text(cx.mc, condition("condition/report-string", a[0])?);
        super::text::make(cx, text.chars())
    }),
    Primitive::new(&["exit", "emergency-exit", "%exit"], 0, 1, |_, a| {
        Err(Box::new(Fault::Exit(match a.first() {
            None | Some(Value::Bool(true)) => 0,
            Some(Value::Fixnum(code)) => (code & 0xff) as i32,
            Some(_) => 1,
        })))
    }),
    Primitive::new(&["runtime"], 0, 0, |cx, _| {
        Ok(Value::Flonum(cx.host.started.elapsed().as_secs_f64()))
    }),
    Primitive::new(&["real-time"], 0, 0, |cx, _| {
        Ok(Value::Flonum(cx.host.started.elapsed().as_secs_f64() * 1e3))
    }),
    Primitive::new(&["current-jiffy"], 0, 0, |cx, _| {
        Ok(Value::Fixnum(cx.host.started.elapsed().as_nanos() as i64))
    }),
    Primitive::new(&["jiffies-per-second"], 0, 0, |_, _| {
        Ok(Value::Fixnum(1_000_000_000))
    }),
    Primitive::new(&["command-line"], 0, 0, |cx, _| {
        let arguments = cx.host.command_line.clone();
        arguments
            .iter()
            .rev()
            .try_fold(Value::Nil, |rest, argument| {
                let text = super::text::make(cx, argument.chars())?;
                super::lists::cons(cx, text, rest)
            })
    }),
    Primitive::new(&["%make-record-type"], 2, 2, make_record_type),
    Primitive::new(&["%record-procedure"], 4, 4, record_procedure),
];

fn accepts<'gc>(_: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let count = index("%accepts?", a[1], usize::MAX >> 1)?;
    Ok(Value::Bool(match a[0] {
        Value::Procedure(closure) => {
            let required = usize::from(closure.code.required);
            count == required || (closure.code.rest && count > required)
        }
        Value::Primitive(primitive) => primitive.arity.accepts(count),
        _ => true,
    }))
}

fn condition<'gc>(
    who: &str,
    value: Value<'gc>,
) -> Result<Gc<'gc, Condition<'gc>>, crate::error::BoxedFault<'gc>> {
    match value {
        Value::Condition(condition) => Ok(condition),
        _ => Err(Fault::wrong_type(who, "an error object", value)),
    }
}

/// `(error message irritant …)`; a symbol as message names the procedure that complains.
fn error<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let (message, irritants) = match a {
        [Value::Symbol(who), Value::String(what), rest @ ..] => {
            (format!("{}: {}", who.name(), what.to_rust()), rest)
        }
        [Value::String(what), rest @ ..] => (what.to_rust(), rest),
        [what, rest @ ..] => (written(cx.mc, *what), rest),
        [] => (displayed(cx.mc, Value::Unspecified), a),
    };
    let chars: Vec<char> = message.chars().collect();
    let chars = alloc::slice(cx.mc, chars.into_iter().map(Lock::new))?;
    let message = alloc::new(cx.mc, crate::value::Str { chars })?;
    let irritants = super::lists::make(cx, irritants, Value::Nil)?;
    let condition = Condition {
        message,
        irritants,
        place: Lock::new(None),
    };
    Err(Box::new(Fault::Raise(Value::Condition(alloc::new(
        cx.mc, condition,
    )?))))
}

fn make_record_type<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let fields = alloc::slice(cx.mc, list(cx.mc, "define-record-type", a[1])?)?;
    Ok(Value::RecordType(alloc::new(
        cx.mc,
        RecordType { name: a[0], fields },
    )?))
}

/// `(%record-procedure type name operation argument)`
fn record_procedure<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    let Value::RecordType(kind) = a[0] else {
        return Err(Fault::wrong_type(
            "define-record-type",
            "a record type",
            a[0],
        ));
    };
    let fields = alloc::elements(kind.fields).len();
    let field = |value| index("define-record-type", value, fields).map(|i| i as u32);
    let operation = match symbol("define-record-type", a[2])?.name() {
        "construct" => {
            let indices: Result<Vec<u32>, _> = a[3].list(cx.mc).map(field).collect();
            RecordOperation::Construct(alloc::slice(cx.mc, indices?)?)
        }
        "get" => RecordOperation::Get(field(a[3])?),
        "set" => RecordOperation::Set(field(a[3])?),
        _ => RecordOperation::Test,
    };
    let procedure = RecordProcedure {
        kind,
        name: a[1],
        operation,
    };
    Ok(Value::RecordProcedure(alloc::new(cx.mc, procedure)?))
}
