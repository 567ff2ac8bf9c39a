//! `define-record-type` as definitions that call the library.

use std::rc::Rc;

use super::body::Init;
use super::expand::{Expanded, Expander, fail};
use super::node::Node;
use crate::error::SyntaxError;
use crate::reader::syntax::{Datum, Syntax, base_name};

/// Expands the calls that [`definitions`] builds; other names are no forms of this module.
pub(crate) fn expand(
    x: &mut Expander,
    name: &str,
    form: &Syntax,
    rest: &[Syntax],
) -> Option<Expanded> {
    if name != "%record-procedure" {
        return None;
    }
    let (kind, operation) = rest.split_first()?;
    let mut arguments = match x.expand(kind, false) {
        Ok(kind) => vec![kind],
        Err(error) => return Some(Err(error)),
    };
    arguments.extend(operation.iter().map(|datum| Node::Constant(datum.clone())));
    Some(Ok(x.library_call(
        form.position,
        "%record-procedure",
        arguments,
    )))
}

/// `(define-record-type type constructor predicate field …)` as definitions.
pub(crate) fn definitions(
    form: &Syntax,
    rest: &[Syntax],
) -> Result<Vec<(Rc<str>, Init)>, SyntaxError> {
    let position = form.position;
    let [kind, constructor, predicate, fields @ ..] = rest else {
        return fail(
            form,
            "`define-record-type` needs a type, a constructor and a predicate",
        );
    };
    let kind = match &kind.datum {
        Datum::List(items) if !items.is_empty() => &items[0],
        _ => kind,
    };
    let Some(kind_name) = kind.as_symbol() else {
        return fail(kind, "expected the name of the type");
    };
    let mut names = Vec::with_capacity(fields.len());
    for field in fields {
        let name = match &field.datum {
            Datum::List(items) if !items.is_empty() => &items[0],
            _ => field,
        };
        if name.as_symbol().is_none() {
            return fail(field, "expected `(field accessor modifier)`");
        }
        names.push(name.clone());
    }
    let quoted =
        |datum: Syntax| Syntax::list(position, vec![Syntax::symbol(position, "quote"), datum]);
    let make = Syntax::list(
        position,
        vec![
            Syntax::symbol(position, "%make-record-type"),
            quoted(kind.clone()),
            quoted(Syntax::list(position, names.clone())),
        ],
    );
    let mut definitions = vec![(kind_name.clone(), Init::Expression(make))];
    let mut define = |name: &Syntax, operation: &str, argument: Syntax| {
        let Some(symbol) = name.as_symbol() else {
            return fail(name, "expected the name of a procedure");
        };
        let call = vec![
            Syntax::symbol(position, "%record-procedure"),
            kind.clone(),
            Syntax::symbol(position, base_name(symbol)),
            Syntax::symbol(position, operation),
            argument,
        ];
        definitions.push((
            symbol.clone(),
            Init::Expression(Syntax::list(position, call)),
        ));
        Ok(())
    };
    let index = |field: &Syntax| {
        let at = names
            .iter()
            .position(|name| name.as_symbol() == field.as_symbol());
        match at {
            Some(at) => Ok(Syntax::new(field.position, Datum::Fixnum(at as i64))),
            None => fail(field, "this is no field of the record"),
        }
    };
    match &constructor.datum {
        Datum::Bool(false) => {}
        Datum::List(items) if !items.is_empty() => {
            let indices = items[1..].iter().map(index).collect::<Result<_, _>>()?;
            define(&items[0], "construct", Syntax::list(position, indices))?;
        }
        _ => {
            let all = names.iter().map(index).collect::<Result<_, _>>()?;
            define(constructor, "construct", Syntax::list(position, all))?;
        }
    }
    if !matches!(predicate.datum, Datum::Bool(false)) {
        define(predicate, "test", Syntax::new(position, Datum::Fixnum(0)))?;
    }
    for (field, name) in fields.iter().zip(&names) {
        let procedures = field.as_list().map_or(&[][..], |items| &items[1..]);
        for (procedure, operation) in procedures.iter().zip(["get", "set"]) {
            define(procedure, operation, index(name)?)?;
        }
    }
    Ok(definitions)
}
