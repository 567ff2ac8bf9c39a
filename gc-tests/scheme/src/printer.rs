//! Values to text: `write` and `display`.
//!
//! What is still to be printed is on a stack of the printer's own. Cyclic data get labels
//! (`#0=(a . #0#)`); whether there is a cycle is looked for only in data that are large enough to be
//! one, because a cycle looks infinitely large.

use std::collections::HashMap;
use std::fmt::Write;

use gc_core::{Gc, Mutation};

use crate::alloc;
use crate::code::Kind;
use crate::reader::{lexer::CHARACTER_NAMES, number};
use crate::value::{Condition, Value};

/// Data of fewer nodes are known to have no cycle once they are printed.
const SMALL: usize = 10_000;

/// The external form, as `write` prints it.
pub fn written<'gc>(mc: &Mutation<'gc>, value: Value<'gc>) -> String {
    Printer::new(mc, value, true, usize::MAX).print(value)
}

/// The form for people, as `display` prints it.
pub fn displayed<'gc>(mc: &Mutation<'gc>, value: Value<'gc>) -> String {
    Printer::new(mc, value, false, usize::MAX).print(value)
}

/// [`written`], broken off after about `limit` bytes.
pub fn excerpt<'gc>(mc: &Mutation<'gc>, value: Value<'gc>, limit: usize) -> String {
    Printer::new(mc, value, true, limit).print(value)
}

/// Message and irritants of a condition.
pub fn condition_text<'gc>(mc: &Mutation<'gc>, condition: Gc<'gc, Condition<'gc>>) -> String {
    let mut text = condition.message.to_rust();
    for irritant in condition.irritants.list(mc) {
        text.push(' ');
        text.push_str(&excerpt(mc, irritant, 1000));
    }
    text
}

/// What is still to be printed.
enum Work<'gc> {
    Value(Value<'gc>),
    Rest(Value<'gc>),
    Items(&'gc [gc_core::Lock<Value<'gc>>]),
    Text(&'static str),
}

struct Printer<'a, 'gc> {
    mc: &'a Mutation<'gc>,
    text: String,
    slashify: bool,
    limit: usize,
    work: Vec<Work<'gc>>,
    /// The objects that are part of a cycle and the labels of those printed.
    labels: HashMap<usize, Option<usize>>,
    next_label: usize,
}

impl<'a, 'gc> Printer<'a, 'gc> {
    fn new(mc: &'a Mutation<'gc>, value: Value<'gc>, slashify: bool, limit: usize) -> Self {
        let labels = if is_small(mc, value) {
            HashMap::new()
        } else {
            cycles(mc, value)
        };
        Printer {
            mc,
            text: String::new(),
            slashify,
            limit,
            work: Vec::new(),
            labels,
            next_label: 0,
        }
    }

    fn print(mut self, value: Value<'gc>) -> String {
        self.work.push(Work::Value(value));
        while let Some(work) = self.work.pop() {
            match work {
                Work::Value(value) => self.value(value),
                Work::Rest(value) => self.rest(value),
                Work::Text(text) => self.text.push_str(text),
                Work::Items(items) => {
                    if let Some((first, others)) = items.split_first() {
                        if !others.is_empty() {
                            self.work.push(Work::Items(others));
                            self.work.push(Work::Text(" "));
                        }
                        self.work.push(Work::Value(first.get()));
                    }
                }
            }
            if self.text.len() > self.limit {
                self.text.push_str(" …");
                break;
            }
        }
        self.text
    }

    /// Prints a reference to a labelled object or the mark of one; returns whether it was a
    /// reference.
    fn label(&mut self, value: Value<'gc>) -> bool {
        let Some(slot) = value
            .address()
            .and_then(|address| self.labels.get_mut(&address))
        else {
            return false;
        };
        let known = slot.is_some();
        let number = *slot.get_or_insert_with(|| {
            self.next_label += 1;
            self.next_label - 1
        });
        let mark = if known { '#' } else { '=' };
        // Writing to a string cannot fail.
        let _ = write!(self.text, "#{number}{mark}");
        known
    }

    /// What follows an element of a list.
    fn rest(&mut self, value: Value<'gc>) {
        let labelled = value
            .address()
            .is_some_and(|address| self.labels.contains_key(&address));
        match value {
            Value::Nil => self.text.push(')'),
            Value::Pair(_) | Value::WeakPair(_) if !labelled => {
                self.text.push(' ');
                self.halves(value);
            }
            _ => {
                self.text.push_str(" . ");
                self.work.push(Work::Text(")"));
                self.work.push(Work::Value(value));
            }
        }
    }

    /// Has both halves of a pair printed next.
    fn halves(&mut self, pair: Value<'gc>) {
        if let Some((car, cdr)) = pair.halves(self.mc) {
            self.work.extend([Work::Rest(cdr), Work::Value(car)]);
        }
    }

    fn value(&mut self, value: Value<'gc>) {
        if self.label(value) {
            return;
        }
        let text = &mut self.text;
        let result = match value {
            Value::Fixnum(n) => write!(text, "{n}"),
            Value::Flonum(x) => flonum(text, x),
            Value::Bool(b) => text.write_str(if b { "#t" } else { "#f" }),
            Value::Char(c) if self.slashify => character(text, c),
            Value::Char(c) => text.write_char(c),
            Value::Nil => text.write_str("()"),
            Value::Unspecified => text.write_str("#!unspecific"),
            Value::Eof => text.write_str("#!eof"),
            Value::Broken => text.write_str("#!bwp"),
            Value::Undefined => text.write_str("#!undefined"),
            Value::Symbol(symbol) if self.slashify => symbol_text(text, symbol.name()),
            Value::Symbol(symbol) => text.write_str(symbol.name()),
            Value::String(string) if self.slashify => quoted(text, string.chars()),
            Value::String(string) => {
                text.extend(string.chars());
                Ok(())
            }
            Value::Pair(_) | Value::WeakPair(_) => {
                text.push('(');
                self.halves(value);
                Ok(())
            }
            Value::Vector(vector) => {
                self.work.push(Work::Text(")"));
                self.work.push(Work::Items(alloc::elements(vector.items)));
                text.write_str("#(")
            }
            Value::Values(values) => {
                for (i, item) in alloc::elements(values.items).iter().enumerate().rev() {
                    self.work.push(Work::Value(*item));
                    if i > 0 {
                        self.work.push(Work::Text(" "));
                    }
                }
                Ok(())
            }
            Value::Procedure(closure) => match alloc::text_of(closure.code.name) {
                "" => text.write_str("#[procedure]"),
                name => write!(text, "#[procedure {name}]"),
            },
            Value::Primitive(primitive) => write!(text, "#[procedure {}]", primitive.name()),
            Value::RecordProcedure(procedure) => {
                self.work.push(Work::Text("]"));
                self.work.push(Work::Value(procedure.name));
                text.write_str("#[procedure ")
            }
            Value::Continuation(_) => text.write_str("#[continuation]"),
            Value::Record(record) => {
                self.work.push(Work::Text("]"));
                self.work.push(Work::Value(record.kind.name));
                text.write_str("#[record ")
            }
            Value::RecordType(kind) => {
                self.work.push(Work::Text("]"));
                self.work.push(Work::Value(kind.name));
                text.write_str("#[record-type ")
            }
            Value::Guardian(_) => text.write_str("#[guardian]"),
            Value::Table(_) => text.write_str("#[hash-table]"),
            Value::Condition(condition) => {
                write!(text, "#[condition {}]", condition_text(self.mc, condition))
            }
            Value::Box(_) => text.write_str("#[box]"),
            Value::Code(_) => text.write_str("#[code]"),
        };
        debug_assert!(result.is_ok(), "writing to a string cannot fail");
    }
}

/// Whether a walk over the data ends within [`SMALL`] nodes.
fn is_small<'gc>(mc: &Mutation<'gc>, value: Value<'gc>) -> bool {
    let mut work = vec![value];
    let mut count = 0;
    while let Some(value) = work.pop() {
        count += 1;
        if let Some((car, cdr)) = value.halves(mc) {
            work.extend([cdr, car]);
        }
        if let Value::Vector(vector) = value {
            let items = alloc::elements(vector.items);
            count += items.len();
            if count <= SMALL {
                work.extend(items.iter().map(gc_core::Lock::get));
            }
        }
        if count > SMALL {
            return false;
        }
    }
    true
}

/// The objects at which a depth-first walk meets the path that it is on.
fn cycles<'gc>(mc: &Mutation<'gc>, value: Value<'gc>) -> HashMap<usize, Option<usize>> {
    enum Visit<'gc> {
        Enter(Value<'gc>),
        Leave(usize),
    }
    let mut labels = HashMap::new();
    let mut on_path: HashMap<usize, bool> = HashMap::new();
    let mut work = vec![Visit::Enter(value)];
    while let Some(visit) = work.pop() {
        let value = match visit {
            Visit::Enter(value) => value,
            Visit::Leave(address) => {
                on_path.insert(address, false);
                continue;
            }
        };
        let Some(address) = value.address() else {
            continue;
        };
        if !value.is(Kind::Pair) && !matches!(value, Value::Vector(_)) {
            continue;
        }
        match on_path.get(&address) {
            Some(true) => {
                labels.insert(address, None);
                continue;
            }
            Some(false) => continue,
            None => {}
        }
        on_path.insert(address, true);
        work.push(Visit::Leave(address));
        if let Some((car, cdr)) = value.halves(mc) {
            work.extend([Visit::Enter(cdr), Visit::Enter(car)]);
        }
        if let Value::Vector(vector) = value {
            let items = alloc::elements(vector.items).iter();
            work.extend(items.map(|item| Visit::Enter(item.get())));
        }
    }
    labels
}

fn flonum(text: &mut String, x: f64) -> std::fmt::Result {
    if x.is_nan() {
        text.write_str("+nan.0")
    } else if x.is_infinite() {
        text.write_str(if x > 0.0 { "+inf.0" } else { "-inf.0" })
    } else {
        write!(text, "{x:?}")
    }
}

fn character(text: &mut String, c: char) -> std::fmt::Result {
    if let Some((name, _)) = CHARACTER_NAMES.iter().find(|(_, named)| *named == c) {
        return write!(text, "#\\{name}");
    }
    if c.is_control() {
        write!(text, "#\\x{:x}", u32::from(c))
    } else {
        write!(text, "#\\{c}")
    }
}

fn quoted(text: &mut String, chars: impl Iterator<Item = char>) -> std::fmt::Result {
    text.push('"');
    for c in chars {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_control() => write!(text, "\\x{:x};", u32::from(c))?,
            c => text.push(c),
        }
    }
    text.push('"');
    Ok(())
}

fn symbol_text(text: &mut String, name: &str) -> std::fmt::Result {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "()[]{}\";'`,|\\".contains(c);
    let plain = !name.is_empty()
        && name != "."
        && !name.starts_with('#')
        && !name.contains(odd)
        && number::parse(name, 10).is_none();
    if plain {
        return text.write_str(name);
    }
    text.push('|');
    for c in name.chars() {
        match c {
            '|' => text.push_str("\\|"),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text.push('|');
    Ok(())
}
