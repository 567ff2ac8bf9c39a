//! Bodies and the top level: sequences that may contain definitions.

use std::rc::Rc;

use super::expand::{Binding, Expanded, Expander, Meaning, fail};
use super::node::{Node, Var};
use super::{derived, macros, records};
use crate::error::SyntaxError;
use crate::reader::syntax::{Datum, Syntax, base_name};

/// What a definition gives its variable.
pub(crate) enum Init {
    Expression(Syntax),
    Procedure {
        parameters: Syntax,
        body: Rc<[Syntax]>,
    },
    Node(Node),
}

/// A part of a body.
enum Item {
    Definition(Rc<str>, Init, Syntax),
    Expression(Syntax),
}

/// `(define target …)` as the name and what it gets.
fn definition(form: &Syntax, rest: &[Syntax]) -> Result<(Rc<str>, Init), SyntaxError> {
    let Some((target, values)) = rest.split_first() else {
        return fail(form, "`define` needs a variable");
    };
    let (head, parameters) = match &target.datum {
        Datum::Symbol(name) => {
            return match values {
                [] => Ok((name.clone(), Init::Node(Node::Unspecified))),
                [value] => Ok((name.clone(), Init::Expression(value.clone()))),
                _ => fail(form, "`define` of a variable needs exactly one value"),
            };
        }
        Datum::List(items) if !items.is_empty() => (&items[0], Datum::List(items[1..].into())),
        Datum::Dotted(items, tail) => (
            &items[0],
            Datum::dotted(items[1..].to_vec(), (**tail).clone()),
        ),
        _ => return fail(target, "`define` of something that is no variable"),
    };
    match head.as_symbol() {
        Some(name) => Ok((
            name.clone(),
            Init::Procedure {
                parameters: Syntax::new(target.position, parameters),
                body: values.into(),
            },
        )),
        None => fail(head, "expected the name of a procedure"),
    }
}

impl Expander<'_> {
    /// Expands a top-level form.
    pub(crate) fn toplevel(&mut self, form: &Syntax) -> Expanded {
        let Some(Meaning::Global(head)) = self.head(form) else {
            return self.toplevel_expression(form);
        };
        let items = form.as_list().map_or(&[][..], |items| &items[1..]);
        match self.special(&head) {
            Some("begin") => {
                let nodes = items.iter().map(|item| self.toplevel(item));
                Ok(Node::sequence(nodes.collect::<Result<_, _>>()?))
            }
            Some("define") => {
                let (name, init) = definition(form, items)?;
                self.define_global(&name, init, form)
            }
            Some("define-syntax") => {
                let (name, rules) = macros::definition(form, items)?;
                self.globals.defined.remove(base_name(&name));
                self.globals.macros.insert(base_name(&name).into(), rules);
                Ok(Node::Unspecified)
            }
            Some("define-values" | "define-record-type") => {
                let mut nodes = Vec::new();
                for (name, init) in self.several(&head, form, items)? {
                    nodes.push(self.define_global(&name, init, form)?);
                }
                Ok(Node::sequence(nodes))
            }
            _ => self.expand(form, true),
        }
    }

    fn toplevel_expression(&mut self, form: &Syntax) -> Expanded {
        if let Some(Meaning::Macro(rules)) = self.head(form) {
            let expansion = rules.expand(form, &mut self.globals.renamings)?;
            return self.nested(form, |x| x.toplevel(&expansion));
        }
        self.expand(form, true)
    }

    fn define_global(&mut self, name: &Rc<str>, init: Init, form: &Syntax) -> Expanded {
        let name: Rc<str> = base_name(name).into();
        self.globals.defined.insert(name.clone());
        self.globals.macros.remove(&name);
        let value = self.init(&name, init, form, None)?;
        Ok(Node::Define(name, Box::new(value)))
    }

    fn init(&mut self, name: &Rc<str>, init: Init, form: &Syntax, var: Option<Var>) -> Expanded {
        match (init, var) {
            (Init::Node(node), _) => Ok(node),
            (Init::Expression(value), None) => self.expand_named(name, &value),
            (Init::Expression(value), Some(var)) => self.expand_procedure(name, &value, var),
            (Init::Procedure { parameters, body }, var) => {
                let (names, rest) = self.parameter_names(&parameters)?;
                self.procedure(name, &names, rest, &body, form, var)
                    .map(Node::Lambda)
            }
        }
    }

    /// The definitions that `define-values` or `define-record-type` stands for.
    fn several(
        &mut self,
        head: &str,
        form: &Syntax,
        items: &[Syntax],
    ) -> Result<Vec<(Rc<str>, Init)>, SyntaxError> {
        match head {
            "define-values" => derived::define_values(form, items, &mut self.globals.renamings),
            _ => records::definitions(form, items),
        }
    }

    /// Expands a body: definitions, then expressions.
    pub(crate) fn body(&mut self, form: &Syntax, forms: &[Syntax], tail: bool) -> Expanded {
        if forms.is_empty() {
            return fail(form, "a body needs at least one expression");
        }
        self.with_scope([], |x| {
            let mut items = Vec::new();
            for form in forms {
                x.scan(form, &mut items)?;
            }
            x.body_items(form, items, tail)
        })
    }

    /// Sorts a form of a body into definitions and expressions, expanding macros to see which.
    fn scan(&mut self, form: &Syntax, items: &mut Vec<Item>) -> Result<(), SyntaxError> {
        let rest = form
            .as_list()
            .map_or(&[][..], |list| list.get(1..).unwrap_or(&[]));
        match self.head(form) {
            Some(Meaning::Macro(rules)) => {
                let expansion = rules.expand(form, &mut self.globals.renamings)?;
                return self.nested(form, |x| x.scan(&expansion, items));
            }
            Some(Meaning::Global(head)) => match self.special(&head) {
                Some("begin") => {
                    return self.nested(form, |x| {
                        rest.iter().try_for_each(|inner| x.scan(inner, items))
                    });
                }
                Some("define") => {
                    let (name, init) = definition(form, rest)?;
                    items.push(Item::Definition(name, init, form.clone()));
                    return Ok(());
                }
                Some("define-syntax") => {
                    let (name, rules) = macros::definition(form, rest)?;
                    self.bind(name, Binding::Macro(rules));
                    return Ok(());
                }
                Some("define-values" | "define-record-type") => {
                    for (name, init) in self.several(&head, form, rest)? {
                        items.push(Item::Definition(name, init, form.clone()));
                    }
                    return Ok(());
                }
                _ => {}
            },
            Some(Meaning::Variable(_)) | None => {}
        }
        items.push(Item::Expression(form.clone()));
        Ok(())
    }

    fn body_items(&mut self, form: &Syntax, items: Vec<Item>, tail: bool) -> Expanded {
        let definitions = items
            .iter()
            .rposition(|item| matches!(item, Item::Definition(..)))
            .map_or(0, |i| i + 1);
        let mut variables = Vec::with_capacity(definitions);
        for item in &items[..definitions] {
            let name = match item {
                Item::Definition(name, ..) => name.clone(),
                Item::Expression(_) => "".into(),
            };
            let var = self.variable(&name);
            if !name.is_empty() {
                self.bind(name, Binding::Variable(var));
            }
            variables.push(var);
        }
        let mut values = Vec::with_capacity(definitions);
        let mut body = Vec::new();
        let last = items.len() - 1;
        for (i, item) in items.into_iter().enumerate() {
            match item {
                Item::Definition(name, init, form) => {
                    let var = variables[i];
                    values.push((var, self.init(&name, init, &form, Some(var))?));
                }
                Item::Expression(form) if i < definitions => {
                    values.push((variables[i], self.expand(&form, false)?));
                }
                Item::Expression(form) => body.push(self.expand(&form, tail && i == last)?),
            }
        }
        if body.is_empty() {
            return fail(form, "a body needs an expression after its definitions");
        }
        let body = Node::sequence(body);
        Ok(self.letrec_node(values, body, tail))
    }
}
