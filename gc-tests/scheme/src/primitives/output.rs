//! Output. There is one port, the embedder's sink; port arguments are accepted and ignored.

use super::Primitive;
use super::arguments::{character, string};
use crate::error::{Fault, Outcome};
use crate::machine::Context;
use crate::printer::{displayed, written};
use crate::value::Value;

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["display"], 1, 2, |cx, a| put(cx, &displayed(cx.mc, a[0]))),
    Primitive::new(&["write", "write-shared", "write-simple"], 1, 2, |cx, a| {
        put(cx, &written(cx.mc, a[0]))
    }),
    Primitive::new(&["write-string"], 1, 2, |cx, a| {
        put(cx, &string("write-string", a[0])?.to_rust())
    }),
    Primitive::new(&["write-char"], 1, 2, |cx, a| {
        put(cx, character("write-char", a[0])?.encode_utf8(&mut [0; 4]))
    }),
    Primitive::new(&["write-line"], 1, 2, |cx, a| {
        put(cx, &(written(cx.mc, a[0]) + "\n"))
    }),
    Primitive::new(&["newline"], 0, 1, |cx, _| put(cx, "\n")),
    Primitive::new(&["flush-output", "flush-output-port"], 0, 1, |cx, _| {
        cx.host.output.flush().map_err(|error| failed(&error))?;
        Ok(Value::Unspecified)
    }),
    Primitive::new(
        &["current-output-port", "current-error-port"],
        0,
        0,
        |_, _| Ok(Value::Unspecified),
    ),
];

fn failed<'gc>(error: &std::io::Error) -> crate::error::BoxedFault<'gc> {
    Fault::message(format!("cannot write output: {error}"))
}

fn put<'gc>(cx: &mut Cx<'_, 'gc>, text: &str) -> Outcome<'gc> {
    cx.host
        .output
        .write_all(text.as_bytes())
        .map_err(|error| failed(&error))?;
    Ok(Value::Unspecified)
}
