//! Storage management, as in Chez Scheme: weak pairs, ephemerons, guardians, and collections.

use super::{Action, Control, Primitive};
use crate::code::Kind;
use crate::error::{BoxedFault, Fault, Outcome};
use crate::guardian::Guardian;
use crate::machine::Context;
use crate::value::Value;
use crate::weak::WeakPair;

use gc_core::Gc;

type Cx<'a, 'gc> = Context<'a, 'gc>;

/// `collect`, which is the default handler of requests for a collection.
pub(super) static COLLECT: Primitive = Primitive::control(
    &["collect", "gc-collect", "gc", "collect-garbage"],
    0,
    3,
    Control::Collect,
);

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["weak-cons", "make-weak-pair"], 2, 2, |cx, a| {
        Ok(Value::WeakPair(WeakPair::weak(cx.mc, a[0], a[1])?))
    }),
    Primitive::new(&["weak-pair?"], 1, 1, |_, a| {
        Ok(Value::Bool(
            matches!(a[0], Value::WeakPair(pair) if !pair.is_ephemeron()),
        ))
    }),
    Primitive::new(&["ephemeron-cons", "make-ephemeron"], 2, 2, |cx, a| {
        Ok(Value::WeakPair(WeakPair::ephemeron(cx.mc, a[0], a[1])?))
    }),
    Primitive::new(&["ephemeron-pair?", "ephemeron?"], 1, 1, |_, a| {
        Ok(Value::Bool(
            matches!(a[0], Value::WeakPair(pair) if pair.is_ephemeron()),
        ))
    }),
    Primitive::new(&["ephemeron-broken?"], 1, 1, |cx, a| {
        let ephemeron = ephemeron("ephemeron-broken?", a[0])?;
        Ok(Value::Bool(ephemeron.is_broken(cx.mc)))
    }),
    Primitive::new(&["ephemeron-key"], 1, 1, |cx, a| {
        let ephemeron = ephemeron("ephemeron-key", a[0])?;
        Ok(unless_broken(ephemeron.halves(cx.mc).0))
    }),
    Primitive::new(&["ephemeron-datum", "ephemeron-value"], 1, 1, |cx, a| {
        let ephemeron = ephemeron("ephemeron-datum", a[0])?;
        Ok(unless_broken(ephemeron.halves(cx.mc).1))
    }),
    // The argument is in a register until here.
    Primitive::new(&["reference-barrier"], 1, 1, |_, _| Ok(Value::Unspecified)),
    Primitive::new(&["bwp-object?"], 1, 1, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Broken)))
    }),
    Primitive::new(&["make-guardian"], 0, 0, |cx, _| {
        Ok(Value::Guardian(Guardian::new(cx.mc)?))
    }),
    Primitive::new(&["guardian?"], 1, 1, |_, a| {
        Ok(Value::Bool(matches!(a[0], Value::Guardian(_))))
    }),
    Primitive::new(&["%collect-request-handler"], 0, 0, |cx, _| {
        Ok(cx.handler.get())
    }),
    Primitive::new(&["%set-collect-request-handler!"], 1, 1, set_handler),
];

fn ephemeron<'gc>(who: &str, value: Value<'gc>) -> Result<Gc<'gc, WeakPair<'gc>>, BoxedFault<'gc>> {
    match value {
        Value::WeakPair(pair) if pair.is_ephemeron() => Ok(pair),
        _ => Err(Fault::wrong_type(who, "an ephemeron", value)),
    }
}

/// What SRFI 124 has of a broken ephemeron.
fn unless_broken(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Broken => Value::Bool(false),
        value => value,
    }
}

fn set_handler<'gc>(cx: &mut Cx<'_, 'gc>, a: &[Value<'gc>]) -> Outcome<'gc> {
    if !a[0].is(Kind::Procedure) {
        return Err(Fault::wrong_type(
            "collect-request-handler",
            "a procedure",
            a[0],
        ));
    }
    cx.handler.set(cx.mc, a[0]);
    cx.host.automatic = matches!(
        a[0],
        Value::Primitive(Primitive {
            action: Action::Control(Control::Collect),
            ..
        })
    );
    cx.host.request &= !cx.host.automatic;
    Ok(Value::Unspecified)
}
