//! The basic special forms, and the table of all special forms.

use std::rc::Rc;

use super::expand::{Binding, Expanded, Expander, Meaning, fail};
use super::node::{Inline, Lambda, Node, Var};
use super::{derived, macros, quasiquote, records};
use crate::error::SyntaxError;
use crate::reader::syntax::{Datum, Syntax, base_name};

/// The names of all special forms.
const FORMS: [&str; 36] = [
    "quote",
    "quasiquote",
    "lambda",
    "define",
    "set!",
    "if",
    "let",
    "let*",
    "letrec",
    "letrec*",
    "do",
    "cond",
    "case",
    "and",
    "or",
    "when",
    "unless",
    "begin",
    "define-record-type",
    "let-values",
    "let*-values",
    "receive",
    "define-values",
    "case-lambda",
    "delay",
    "delay-force",
    "cons-stream",
    "guard",
    "parameterize",
    "assert",
    "define-syntax",
    "let-syntax",
    "letrec-syntax",
    "unquote",
    "unquote-splicing",
    "else",
];

/// Whether `name` is a special form or a keyword of one.
pub(crate) fn is_form(name: &str) -> bool {
    FORMS.contains(&name)
}

/// Expands `form` if `name` is a special form.
pub(crate) fn expand(
    x: &mut Expander,
    name: &str,
    form: &Syntax,
    items: &[Syntax],
    tail: bool,
) -> Option<Expanded> {
    let rest = &items[1..];
    Some(match name {
        "quote" => quote(form, rest),
        "quasiquote" => quasiquote::expand(x, form, rest),
        "lambda" => match rest {
            [parameters, body @ ..] => x.lambda(&"".into(), parameters, body, form),
            [] => fail(form, "`lambda` needs parameters and a body"),
        },
        "define" | "define-values" | "define-record-type" | "define-syntax" => fail(
            form,
            format!("`{name}` may stand only at top level or in a body, not as an expression"),
        ),
        "set!" => assign(x, form, rest),
        "if" => conditional(x, form, rest, tail),
        "let" => let_form(x, form, rest, tail),
        "let*" => let_star(x, form, rest, tail),
        "letrec" | "letrec*" => letrec(x, form, rest, tail),
        "do" => derived::do_loop(x, form, rest, tail),
        "cond" => derived::cond(x, rest, tail),
        "case" => derived::case(x, form, rest, tail),
        "and" => connective(x, rest, tail, true, Node::And),
        "or" => connective(x, rest, tail, false, Node::Or),
        "when" | "unless" => match rest {
            [test, body @ ..] if !body.is_empty() => one_armed(x, name, test, body, tail),
            _ => fail(form, format!("`{name}` needs a test and a body")),
        },
        "begin" => x.sequence(rest, tail),
        "let-values" | "let*-values" => derived::let_values(x, form, rest, tail),
        "receive" => derived::receive(x, form, rest, tail),
        "case-lambda" => derived::case_lambda(x, form, rest),
        "delay" | "delay-force" => derived::delay(x, name, form, rest),
        "cons-stream" => derived::cons_stream(x, form, rest),
        "guard" => derived::guard(x, form, rest, tail),
        "parameterize" => derived::parameterize(x, form, rest, tail),
        "assert" => derived::assert(x, form, rest),
        "let-syntax" | "letrec-syntax" => macros::let_syntax(x, form, rest, tail),
        "unquote" | "unquote-splicing" => fail(form, format!("`{name}` outside of `quasiquote`")),
        "else" => fail(form, "`else` outside of `cond`, `case` or `guard`"),
        _ => return records::expand(x, name, form, rest),
    })
}

fn quote(form: &Syntax, rest: &[Syntax]) -> Expanded {
    match rest {
        [datum] => Ok(Node::Constant(datum.clone())),
        _ => fail(form, "`quote` needs exactly one datum"),
    }
}

fn conditional(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let (test, yes, no) = match rest {
        [test, yes] => (test, yes, None),
        [test, yes, no] => (test, yes, Some(no)),
        _ => {
            return fail(
                form,
                "`if` needs a test, a consequence and at most one alternative",
            );
        }
    };
    let test = x.expand(test, false)?;
    let yes = x.expand(yes, tail)?;
    let no = no.map_or(Ok(Node::Unspecified), |no| x.expand(no, tail))?;
    Ok(Node::conditional(test, yes, no))
}

fn one_armed(x: &mut Expander, name: &str, test: &Syntax, body: &[Syntax], tail: bool) -> Expanded {
    let test_node = x.expand(test, false)?;
    let body = x.sequence(body, tail)?;
    let test_node = match name {
        "unless" => Node::Inline(Inline::Not, vec![test_node], test.position),
        _ => test_node,
    };
    Ok(Node::conditional(test_node, body, Node::Unspecified))
}

fn connective(
    x: &mut Expander,
    rest: &[Syntax],
    tail: bool,
    empty: bool,
    make: fn(Vec<Node>) -> Node,
) -> Expanded {
    match rest {
        [] => {
            let position = Default::default();
            Ok(Node::Constant(Syntax::new(position, Datum::Bool(empty))))
        }
        [only] => x.expand(only, tail),
        [first @ .., last] => {
            let mut nodes = x.expand_all(first)?;
            nodes.push(x.expand(last, tail)?);
            Ok(make(nodes))
        }
    }
}

fn assign(x: &mut Expander, form: &Syntax, rest: &[Syntax]) -> Expanded {
    let [target, value] = rest else {
        return fail(form, "`set!` needs a variable and a value");
    };
    let Some(name) = target.as_symbol() else {
        return fail(target, "`set!` of something that is no variable");
    };
    let meaning = x.resolve(name);
    let value = Box::new(x.expand(value, false)?);
    match meaning {
        Meaning::Variable(var) => {
            x.variables[var].assigned = true;
            x.variables[var].references += 1;
            Ok(Node::SetLocal(var, value))
        }
        Meaning::Global(name) => {
            x.globals.defined.insert(name.clone());
            Ok(Node::SetGlobal(name, value, form.position))
        }
        Meaning::Macro(_) => fail(target, format!("`set!` of the macro `{}`", base_name(name))),
    }
}

/// `((name init) …)` as names and inits.
pub(crate) fn bindings<'s>(
    form: &Syntax,
    list: &'s Syntax,
) -> Result<Vec<(Rc<str>, &'s Syntax)>, SyntaxError> {
    let Some(items) = list.as_list() else {
        return fail(form, "expected a list of bindings");
    };
    items
        .iter()
        .map(|item| match item.as_list().map(|pair| &**pair) {
            Some([name, init]) => match name.as_symbol() {
                Some(symbol) => Ok((symbol.clone(), init)),
                None => fail(name, "expected a variable"),
            },
            _ => fail(item, "expected a binding of the form `(variable value)`"),
        })
        .collect()
}

fn let_form(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    match rest {
        [list, body @ ..] if list.as_symbol().is_none() => {
            let bindings = bindings(form, list)?;
            let mut values = Vec::with_capacity(bindings.len());
            let mut scope = Vec::with_capacity(bindings.len());
            for (name, init) in bindings {
                let value = x.expand_named(&name, init)?;
                let var = x.variable(&name);
                values.push((var, value));
                scope.push((name, Binding::Variable(var)));
            }
            let body = x.with_scope(scope, |x| x.body(form, body, tail))?;
            Ok(if values.is_empty() {
                body
            } else {
                Node::Let(values, Box::new(body))
            })
        }
        [name, list, body @ ..] => named_let(x, form, name, list, body, tail),
        _ => fail(form, "`let` needs bindings and a body"),
    }
}

fn named_let(
    x: &mut Expander,
    form: &Syntax,
    name: &Syntax,
    list: &Syntax,
    body: &[Syntax],
    tail: bool,
) -> Expanded {
    let Some(name) = name.as_symbol() else {
        return fail(name, "expected a name or bindings");
    };
    let bindings = bindings(form, list)?;
    let mut inits = Vec::with_capacity(bindings.len());
    let mut parameters = Vec::with_capacity(bindings.len());
    for (parameter, init) in bindings {
        inits.push(x.expand(init, false)?);
        parameters.push(parameter);
    }
    let var = x.variable(name);
    let scope = [(name.clone(), Binding::Variable(var))];
    let lambda = x.with_scope(scope, |x| {
        x.procedure(name, &parameters, false, body, form, Some(var))
    })?;
    Ok(x.join_loop(var, lambda, inits, tail, 0))
}

fn let_star(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let [list, body @ ..] = rest else {
        return fail(form, "`let*` needs bindings and a body");
    };
    let bindings = bindings(form, list)?;
    x.with_scope([], |x| {
        let mut values = Vec::with_capacity(bindings.len());
        for (name, init) in bindings {
            let value = x.expand_named(&name, init)?;
            let var = x.variable(&name);
            x.bind(name, Binding::Variable(var));
            values.push((var, value));
        }
        let body = x.body(form, body, tail)?;
        Ok(if values.is_empty() {
            body
        } else {
            Node::Let(values, Box::new(body))
        })
    })
}

fn letrec(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let [list, body @ ..] = rest else {
        return fail(form, "`letrec` needs bindings and a body");
    };
    let bindings = bindings(form, list)?;
    let scope: Vec<_> = bindings
        .iter()
        .map(|(name, _)| (name.clone(), Binding::Variable(x.variable(name))))
        .collect();
    let variables: Vec<_> = scope
        .iter()
        .filter_map(|(_, binding)| match binding {
            Binding::Variable(var) => Some(*var),
            Binding::Macro(_) => None,
        })
        .collect();
    x.with_scope(scope, |x| {
        let mut values = Vec::with_capacity(bindings.len());
        for ((name, init), var) in bindings.iter().zip(variables) {
            values.push((var, x.expand_procedure(name, init, var)?));
        }
        let body = x.body(form, body, tail)?;
        Ok(x.letrec_node(values, body, tail))
    })
}

impl Expander<'_> {
    /// Expands an expression whose value gets a name.
    pub(crate) fn expand_named(&mut self, name: &Rc<str>, init: &Syntax) -> Expanded {
        let mut node = self.expand(init, false)?;
        if let Node::Lambda(lambda) = &mut node
            && lambda.name.is_empty()
        {
            lambda.name = base_name(name).into();
        }
        Ok(node)
    }

    /// Expands the definition of a variable that may name a loop.
    pub(crate) fn expand_procedure(&mut self, name: &Rc<str>, init: &Syntax, var: Var) -> Expanded {
        if let Some([head, parameters, body @ ..]) = init.as_list().map(|items| &**items)
            && let Some(keyword) = head.as_symbol()
            && let Meaning::Global(keyword) = self.resolve(keyword)
            && self.special(&keyword) == Some("lambda")
        {
            let (names, rest) = self.parameter_names(parameters)?;
            let lambda = self.procedure(name, &names, rest, body, init, Some(var))?;
            return Ok(Node::Lambda(lambda));
        }
        self.expand_named(name, init)
    }

    /// A `letrec*`, as a loop where it is one.
    pub(crate) fn letrec_node(
        &mut self,
        mut values: Vec<(Var, Node)>,
        body: Node,
        tail: bool,
    ) -> Node {
        if values.is_empty() {
            return body;
        }
        if let ([(var, Node::Lambda(_))], Node::Call(operator, ..)) = (&values[..], &body)
            && matches!(**operator, Node::Local(called, _) if called == *var)
            && let Some((var, Node::Lambda(lambda))) = values.pop()
        {
            return match body {
                Node::Call(_, inits, _) => self.join_loop(var, lambda, inits, tail, 1),
                body => body,
            };
        }
        Node::Letrec(values, Box::new(body))
    }

    /// `(lambda parameters body …)`
    pub(crate) fn lambda(
        &mut self,
        name: &Rc<str>,
        parameters: &Syntax,
        body: &[Syntax],
        form: &Syntax,
    ) -> Expanded {
        let (names, rest) = self.parameter_names(parameters)?;
        Ok(Node::Lambda(
            self.procedure(name, &names, rest, body, form, None)?,
        ))
    }

    /// The names of a parameter list, and whether the last one takes the rest.
    pub(crate) fn parameter_names(
        &self,
        parameters: &Syntax,
    ) -> Result<(Vec<Rc<str>>, bool), SyntaxError> {
        let (items, tail): (&[Syntax], Option<&Syntax>) = match &parameters.datum {
            Datum::List(items) => (items, None),
            Datum::Dotted(items, tail) => (items, Some(tail)),
            Datum::Symbol(_) => (&[], Some(parameters)),
            _ => return fail(parameters, "expected a parameter list"),
        };
        let mut names: Vec<Rc<str>> = Vec::with_capacity(items.len() + 1);
        for item in items.iter().chain(tail) {
            match item.as_symbol() {
                Some(name) if names.contains(name) => {
                    return fail(item, format!("parameter `{}` twice", base_name(name)));
                }
                Some(name) => names.push(name.clone()),
                None => return fail(item, "expected the name of a parameter"),
            }
        }
        Ok((names, tail.is_some()))
    }

    /// A procedure; `var` is the variable that names it, if its calls may be jumps.
    pub(crate) fn procedure(
        &mut self,
        name: &Rc<str>,
        names: &[Rc<str>],
        rest: bool,
        body: &[Syntax],
        form: &Syntax,
        var: Option<Var>,
    ) -> Result<Box<Lambda>, SyntaxError> {
        let id = self.lambdas;
        self.lambdas += 1;
        if let Some(var) = var
            && !rest
        {
            self.variables[var].candidate = Some((id, names.len()));
        }
        let parameters: Vec<_> = names.iter().map(|name| self.variable(name)).collect();
        let scope: Vec<_> = names
            .iter()
            .zip(&parameters)
            .map(|(name, &var)| (name.clone(), Binding::Variable(var)))
            .collect();
        let outer = std::mem::replace(&mut self.lambda, id);
        let body = self.nested(form, |x| x.with_scope(scope, |x| x.body(form, body, true)));
        self.lambda = outer;
        Ok(Box::new(Lambda {
            id,
            name: base_name(name).into(),
            parameters,
            rest,
            body: body?,
            captures: Vec::new(),
            position: form.position,
        }))
    }
}
