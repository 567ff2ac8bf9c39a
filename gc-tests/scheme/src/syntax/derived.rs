//! Derived forms: `do`, `cond`, `case`, and those that become calls of library procedures.
//!
//! The latter are built as data and expanded again; they call the library by names that begin with
//! `%`, which a program does not redefine by accident.

use std::rc::Rc;

use super::body::Init;
use super::expand::{Binding, Expanded, Expander, fail};
use super::node::{Inline, Node};
use crate::error::{Position, SyntaxError};
use crate::reader::syntax::{Datum, RENAMED, Syntax};

fn symbol(position: Position, name: &str) -> Syntax {
    Syntax::symbol(position, name)
}

fn list(position: Position, items: Vec<Syntax>) -> Syntax {
    Syntax::list(position, items)
}

/// A list of `first` and then `rest`.
fn list_with(position: Position, first: Vec<Syntax>, rest: &[Syntax]) -> Syntax {
    let mut items = first;
    items.extend_from_slice(rest);
    list(position, items)
}

fn lambda(position: Position, parameters: Syntax, body: &[Syntax]) -> Syntax {
    list_with(position, vec![symbol(position, "lambda"), parameters], body)
}

fn thunk(position: Position, body: &[Syntax]) -> Syntax {
    lambda(position, list(position, Vec::new()), body)
}

impl Expander<'_> {
    /// A name that the program cannot write.
    fn fresh(&mut self, name: &str) -> Rc<str> {
        self.globals.renamings += 1;
        format!("{name}{RENAMED}{}", self.globals.renamings).into()
    }
}

/// `(do ((variable init step) …) (test result …) body …)`
pub(crate) fn do_loop(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let [specs, exit, body @ ..] = rest else {
        return fail(form, "`do` needs variables and a test");
    };
    let (Some(specs), Some(exit)) = (specs.as_list(), exit.as_list()) else {
        return fail(
            form,
            "`do` needs a list of variables and a list with a test",
        );
    };
    let Some((test, results)) = exit.split_first() else {
        return fail(form, "`do` needs a test");
    };
    let mut scope = Vec::new();
    let mut inits = Vec::new();
    let mut steps = Vec::new();
    for spec in specs.iter() {
        let (name, init, step) = match spec.as_list().map(|items| &**items) {
            Some([name, init]) => (name, init, name),
            Some([name, init, step]) => (name, init, step),
            _ => return fail(spec, "expected `(variable init step)`"),
        };
        let Some(symbol) = name.as_symbol() else {
            return fail(name, "expected a variable");
        };
        let init = x.expand(init, false)?;
        let var = x.variable(symbol);
        scope.push((symbol.clone(), Binding::Variable(var)));
        inits.push((var, init));
        steps.push(step);
    }
    let label = x.variable(&"do".into());
    x.variables[label].label = true;
    let body = x.with_scope(scope, |x| {
        let test = x.expand(test, false)?;
        let results = x.sequence(results, tail)?;
        let mut round = x.expand_all(body)?;
        let steps = steps.into_iter().map(|step| x.expand(step, false));
        let steps = steps.collect::<Result<_, _>>()?;
        let position = form.position;
        round.push(Node::Call(
            Box::new(Node::Local(label, position)),
            steps,
            position,
        ));
        Ok(Node::conditional(test, results, Node::sequence(round)))
    })?;
    Ok(Node::Loop(label, inits, Box::new(body)))
}

/// Builds a chain of conditions from its last to its first.
struct Chain {
    reversed: Vec<(Node, Node)>,
    otherwise: Node,
}

impl Chain {
    fn close(&mut self) -> Node {
        let otherwise = std::mem::replace(&mut self.otherwise, Node::Unspecified);
        if self.reversed.is_empty() {
            return otherwise;
        }
        let mut clauses = std::mem::take(&mut self.reversed);
        clauses.reverse();
        Node::Cond(clauses, Box::new(otherwise))
    }
}

/// `(cond clause …)`
pub(crate) fn cond(x: &mut Expander, clauses: &[Syntax], tail: bool) -> Expanded {
    let mut chain = Chain {
        reversed: Vec::new(),
        otherwise: Node::Unspecified,
    };
    for (i, clause) in clauses.iter().enumerate().rev() {
        let Some([test, body @ ..]) = clause.as_list().map(|items| &**items) else {
            return fail(clause, "expected a clause with a test");
        };
        if test.is_symbol("else") {
            if i + 1 != clauses.len() {
                return fail(clause, "`else` must be the last clause");
            }
            chain.otherwise = x.sequence(body, tail)?;
            continue;
        }
        let node = x.expand(test, false)?;
        match body {
            [] => {
                let rest = chain.close();
                chain.otherwise = Node::Or(vec![node, rest]);
            }
            [arrow, receiver] if arrow.is_symbol("=>") => {
                let receiver = x.expand(receiver, false)?;
                let rest = chain.close();
                let var = x.variable(&"".into());
                let value = || Node::Local(var, test.position);
                let call = Node::Call(Box::new(receiver), vec![value()], clause.position);
                let choice = Node::conditional(value(), call, rest);
                chain.otherwise = Node::Let(vec![(var, node)], Box::new(choice));
            }
            _ => {
                let body = x.sequence(body, tail)?;
                chain.reversed.push((node, body));
            }
        }
    }
    Ok(chain.close())
}

/// `(case key clause …)`
pub(crate) fn case(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let Some((key, clauses)) = rest.split_first() else {
        return fail(form, "`case` needs a key");
    };
    let key_node = x.expand(key, false)?;
    let var = x.variable(&"".into());
    let value = || Node::Local(var, key.position);
    let mut conditions = Vec::new();
    let mut otherwise = Node::Unspecified;
    for (i, clause) in clauses.iter().enumerate() {
        let Some([data, body @ ..]) = clause.as_list().map(|items| &**items) else {
            return fail(clause, "expected a clause with a list of data");
        };
        let body = match body {
            [arrow, receiver] if arrow.is_symbol("=>") => {
                let receiver = x.expand(receiver, false)?;
                Node::Call(Box::new(receiver), vec![value()], clause.position)
            }
            _ => x.sequence(body, tail)?,
        };
        if data.is_symbol("else") {
            if i + 1 != clauses.len() {
                return fail(clause, "`else` must be the last clause");
            }
            otherwise = body;
            continue;
        }
        let Some(data) = data.as_list() else {
            return fail(data, "expected a list of data");
        };
        let tests = data.iter().map(|datum| {
            let operation = match datum.datum {
                Datum::Symbol(_) | Datum::Fixnum(_) | Datum::Char(_) => Inline::Eq,
                _ => Inline::Eqv,
            };
            let datum = Node::Constant(datum.clone());
            Node::Inline(operation, vec![value(), datum], clause.position)
        });
        conditions.push((Node::Or(tests.collect()), body));
    }
    let choice = Node::Cond(conditions, Box::new(otherwise));
    Ok(Node::Let(vec![(var, key_node)], Box::new(choice)))
}

/// `(let-values ((formals expression) …) body …)`, and `let*-values`.
pub(crate) fn let_values(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let position = form.position;
    let Some((bindings, body)) = rest.split_first() else {
        return fail(form, "expected bindings and a body");
    };
    let Some(bindings) = bindings.as_list() else {
        return fail(bindings, "expected a list of bindings");
    };
    let parallel = bindings.len() > 1 && form_name(form) == "let-values";
    let mut renamed = Vec::new();
    let mut receivers = Vec::new();
    for binding in bindings.iter() {
        let Some([formals, expression]) = binding.as_list().map(|items| &**items) else {
            return fail(binding, "expected `(formals expression)`");
        };
        let formals = match parallel {
            true => rename(x, formals, &mut renamed),
            false => formals.clone(),
        };
        receivers.push((formals, expression.clone()));
    }
    let mut result = match parallel {
        true => list_with(
            position,
            vec![symbol(position, "let"), list(position, renamed)],
            body,
        ),
        false => list_with(
            position,
            vec![symbol(position, "let"), list(position, Vec::new())],
            body,
        ),
    };
    for (formals, expression) in receivers.into_iter().rev() {
        let receiver = lambda(position, formals, &[result]);
        result = list(
            position,
            vec![symbol(position, "%apply-values"), receiver, expression],
        );
    }
    x.expand(&result, tail)
}

fn form_name(form: &Syntax) -> &str {
    let head = form.as_list().and_then(|items| items.first());
    head.and_then(Syntax::as_symbol)
        .map_or("", |name| crate::reader::syntax::base_name(name))
}

/// Replaces the names of a parameter list by fresh ones and collects `(name fresh)` bindings.
fn rename(x: &mut Expander, formals: &Syntax, bindings: &mut Vec<Syntax>) -> Syntax {
    let position = formals.position;
    let datum = match &formals.datum {
        Datum::Symbol(name) => {
            let fresh = Syntax::new(position, Datum::Symbol(x.fresh(name)));
            bindings.push(list(position, vec![formals.clone(), fresh.clone()]));
            return fresh;
        }
        Datum::List(items) => {
            Datum::List(items.iter().map(|item| rename(x, item, bindings)).collect())
        }
        Datum::Dotted(items, tail) => {
            let items: Vec<_> = items.iter().map(|item| rename(x, item, bindings)).collect();
            Datum::dotted(items, rename(x, tail, bindings))
        }
        other => other.clone(),
    };
    Syntax::new(position, datum)
}

/// `(receive formals expression body …)`
pub(crate) fn receive(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let [formals, expression, body @ ..] = rest else {
        return fail(form, "`receive` needs formals, an expression and a body");
    };
    let position = form.position;
    let receiver = lambda(position, formals.clone(), body);
    let call = vec![
        symbol(position, "%apply-values"),
        receiver,
        expression.clone(),
    ];
    x.expand(&list(position, call), tail)
}

/// `(define-values formals expression)` as definitions.
pub(crate) fn define_values(
    form: &Syntax,
    rest: &[Syntax],
    counter: &mut u64,
) -> Result<Vec<(Rc<str>, Init)>, SyntaxError> {
    let [formals, expression] = rest else {
        return fail(form, "`define-values` needs formals and an expression");
    };
    let position = form.position;
    *counter += 1;
    let all: Rc<str> = format!("%values-{counter}").into();
    let call = vec![symbol(position, "%values->list"), expression.clone()];
    let mut definitions = vec![(all.clone(), Init::Expression(list(position, call)))];
    let (items, tail): (&[Syntax], Option<&Syntax>) = match &formals.datum {
        Datum::List(items) => (items, None),
        Datum::Dotted(items, tail) => (items, Some(tail)),
        _ => (&[], Some(formals)),
    };
    for (i, name) in items.iter().chain(tail).enumerate() {
        let Some(name) = name.as_symbol() else {
            return fail(name, "expected a variable");
        };
        let select = if i < items.len() {
            "list-ref"
        } else {
            "list-tail"
        };
        let index = Syntax::new(position, Datum::Fixnum(i as i64));
        let call = vec![symbol(position, select), symbol(position, &all), index];
        definitions.push((name.clone(), Init::Expression(list(position, call))));
    }
    Ok(definitions)
}

/// `(case-lambda (formals body …) …)`
pub(crate) fn case_lambda(x: &mut Expander, form: &Syntax, rest: &[Syntax]) -> Expanded {
    let mut arguments = Vec::with_capacity(rest.len());
    for clause in rest {
        let Some([formals, body @ ..]) = clause.as_list().map(|items| &**items) else {
            return fail(clause, "expected formals and a body");
        };
        arguments.push(x.lambda(&"".into(), formals, body, clause)?);
    }
    Ok(x.library_call(form.position, "%case-lambda", arguments))
}

/// `(delay expression)` and `(delay-force expression)`
pub(crate) fn delay(x: &mut Expander, name: &str, form: &Syntax, rest: &[Syntax]) -> Expanded {
    let [expression] = rest else {
        return fail(form, format!("`{name}` needs exactly one expression"));
    };
    let position = form.position;
    let body = match name {
        "delay" => list(
            position,
            vec![symbol(position, "make-promise"), expression.clone()],
        ),
        _ => expression.clone(),
    };
    let call = vec![symbol(position, "%make-lazy"), thunk(position, &[body])];
    x.expand(&list(position, call), false)
}

/// `(cons-stream first rest)`
pub(crate) fn cons_stream(x: &mut Expander, form: &Syntax, rest: &[Syntax]) -> Expanded {
    let [first, rest] = rest else {
        return fail(form, "`cons-stream` needs two expressions");
    };
    let first = x.expand(first, false)?;
    let rest = delay(x, "delay", form, std::slice::from_ref(rest))?;
    Ok(Node::Inline(Inline::Cons, vec![first, rest], form.position))
}

/// `(guard (variable clause …) body …)`
pub(crate) fn guard(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let position = form.position;
    let Some((spec, body)) = rest.split_first() else {
        return fail(form, "`guard` needs `(variable clause …)` and a body");
    };
    let Some([variable, clauses @ ..]) = spec.as_list().map(|items| &**items) else {
        return fail(spec, "expected `(variable clause …)`");
    };
    let again = Syntax::new(position, Datum::Symbol(x.fresh("again")));
    let mut cond = vec![symbol(position, "cond")];
    cond.extend_from_slice(clauses);
    let last = clauses
        .last()
        .and_then(Syntax::as_list)
        .and_then(|items| items.first());
    if !last.is_some_and(|head| head.is_symbol("else")) {
        let call = list(position, vec![again.clone()]);
        cond.push(list(position, vec![symbol(position, "else"), call]));
    }
    let parameters = list(position, vec![variable.clone(), again]);
    let handler = lambda(position, parameters, &[list(position, cond)]);
    let call = vec![symbol(position, "%guard"), thunk(position, body), handler];
    x.expand(&list(position, call), tail)
}

/// `(parameterize ((parameter value) …) body …)`
pub(crate) fn parameterize(
    x: &mut Expander,
    form: &Syntax,
    rest: &[Syntax],
    tail: bool,
) -> Expanded {
    let position = form.position;
    let Some((bindings, body)) = rest.split_first() else {
        return fail(form, "`parameterize` needs bindings and a body");
    };
    let mut pairs = vec![symbol(position, "%list")];
    for binding in bindings.as_list().map_or(&[][..], |items| items) {
        let Some([parameter, value]) = binding.as_list().map(|items| &**items) else {
            return fail(binding, "expected `(parameter value)`");
        };
        let cons = vec![symbol(position, "%cons"), parameter.clone(), value.clone()];
        pairs.push(list(position, cons));
    }
    let call = vec![
        symbol(position, "%parameterize"),
        list(position, pairs),
        thunk(position, body),
    ];
    x.expand(&list(position, call), tail)
}

/// `(assert expression)`
pub(crate) fn assert(x: &mut Expander, form: &Syntax, rest: &[Syntax]) -> Expanded {
    let Some(expression) = rest.first() else {
        return fail(form, "`assert` needs an expression");
    };
    let test = x.expand(expression, false)?;
    let datum = Node::Constant(expression.clone());
    let failure = x.library_call(form.position, "%assertion-failed", vec![datum]);
    Ok(Node::conditional(test, Node::Unspecified, failure))
}
