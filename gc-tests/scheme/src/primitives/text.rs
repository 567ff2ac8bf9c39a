//! Making and cutting strings; conversions between strings, lists and symbols.

use gc_core::Lock;

use super::arguments::{character, index, list, range, string, symbol};
use super::{MANY, Primitive};
use crate::alloc;
use crate::error::Outcome;
use crate::machine::Context;
use crate::symbol::{Symbol, SymbolTable};
use crate::value::{Str, Value};

type Cx<'a, 'gc> = Context<'a, 'gc>;

pub(super) static TABLE: &[Primitive] = &[
    Primitive::new(&["make-string"], 1, 2, |cx, a| {
        let count = index("make-string", a[0], u32::MAX as usize)?;
        let fill = a
            .get(1)
            .map_or(Ok(' '), |&fill| character("make-string", fill))?;
        from_exact(cx, (0..count).map(|_| fill))
    }),
    Primitive::new(&["string"], 0, MANY, |cx, a| {
        let mut text = String::new();
        for &value in a {
            text.push_str(&crate::printer::displayed(cx.mc, value));
        }
        make(cx, text.chars())
    }),
    Primitive::new(&["substring"], 2, 3, |cx, a| copy(cx, "substring", a)),
    Primitive::new(&["string-copy"], 1, 3, |cx, a| copy(cx, "string-copy", a)),
    Primitive::new(&["string-head"], 2, 2, |cx, a| {
        copy(cx, "string-head", &[a[0], Value::Fixnum(0), a[1]])
    }),
    Primitive::new(&["string-tail"], 2, 2, |cx, a| copy(cx, "string-tail", a)),
    Primitive::new(&["string-append"], 0, MANY, |cx, a| {
        let mut chars = Vec::new();
        for &part in a {
            chars.extend(string("string-append", part)?.chars());
        }
        from_exact(cx, chars.into_iter())
    }),
    Primitive::new(&["string->list"], 1, 3, |cx, a| {
        let text = string("string->list", a[0])?;
        let range = range("string->list", &a[1..], text.chars().len())?;
        let items: Vec<_> = text.chars().map(Value::Char).collect();
        super::lists::make(cx, &items[range], Value::Nil)
    }),
    Primitive::new(&["list->string"], 1, 1, |cx, a| {
        let mut chars = Vec::new();
        for item in list(cx.mc, "list->string", a[0])? {
            chars.push(character("list->string", item)?);
        }
        from_exact(cx, chars.into_iter())
    }),
    Primitive::new(&["string-upcase"], 1, 1, |cx, a| {
        let text = string("string-upcase", a[0])?.to_rust().to_uppercase();
        make(cx, text.chars())
    }),
    Primitive::new(&["string-downcase", "string-foldcase"], 1, 1, |cx, a| {
        let text = string("string-downcase", a[0])?.to_rust().to_lowercase();
        make(cx, text.chars())
    }),
    Primitive::new(&["string-reverse"], 1, 1, |cx, a| {
        from_exact(cx, string("string-reverse", a[0])?.chars().rev())
    }),
    Primitive::new(&["string-pad-left"], 2, 3, |cx, a| {
        let text: Vec<char> = string("string-pad-left", a[0])?.chars().collect();
        let width = index("string-pad-left", a[1], u32::MAX as usize)?;
        let fill = a
            .get(2)
            .map_or(Ok(' '), |&fill| character("string-pad-left", fill))?;
        let padding = width.saturating_sub(text.len());
        let cut = text.len().saturating_sub(width);
        let chars: Vec<char> = std::iter::repeat_n(fill, padding)
            .chain(text[cut..].iter().copied())
            .collect();
        from_exact(cx, chars.into_iter())
    }),
    Primitive::new(&["symbol->string"], 1, 1, |cx, a| {
        let symbol = symbol("symbol->string", a[0])?;
        make(cx, symbol.name().chars())
    }),
    Primitive::new(&["string->symbol", "intern"], 1, 1, |cx, a| {
        let name = string("string->symbol", a[0])?.to_rust();
        Ok(Value::Symbol(SymbolTable::intern(
            cx.symbols, cx.mc, &name,
        )?))
    }),
    Primitive::new(&["symbol-append"], 0, MANY, |cx, a| {
        let mut name = String::new();
        for &part in a {
            name.push_str(symbol("symbol-append", part)?.name());
        }
        Ok(Value::Symbol(SymbolTable::intern(
            cx.symbols, cx.mc, &name,
        )?))
    }),
    Primitive::new(&["gensym", "generate-uninterned-symbol"], 0, 1, generate),
];

/// A new string.
pub(super) fn make<'gc>(cx: &mut Cx<'_, 'gc>, chars: impl Iterator<Item = char>) -> Outcome<'gc> {
    let chars: Vec<char> = chars.collect();
    from_exact(cx, chars.into_iter())
}

fn from_exact<'gc>(
    cx: &mut Cx<'_, 'gc>,
    chars: impl ExactSizeIterator<Item = char>,
) -> Outcome<'gc> {
    let chars = alloc::slice(cx.mc, chars.map(Lock::new))?;
    Ok(Value::String(alloc::new(cx.mc, Str { chars })?))
}

fn copy<'gc>(cx: &mut Cx<'_, 'gc>, who: &str, a: &[Value<'gc>]) -> Outcome<'gc> {
    let text = string(who, a[0])?;
    let chars = alloc::elements(text.chars);
    let range = range(who, &a[1..], chars.len())?;
    from_exact(cx, chars[range].iter().map(Lock::get))
}

/// A symbol that is not interned: no other is the same, whatever its name.
fn generate<'gc>(cx: &mut Cx<'_, 'gc>, _: &[Value<'gc>]) -> Outcome<'gc> {
    let number = cx.host.generated + 1;
    let name = alloc::text(cx.mc, &format!("g{number}"))?;
    let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let symbol = Symbol {
        name,
        hash,
        value: Lock::new(Value::Undefined),
    };
    let symbol = alloc::new(cx.mc, symbol)?;
    cx.host.generated = number;
    Ok(Value::Symbol(symbol))
}
