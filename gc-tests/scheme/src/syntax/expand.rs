//! The core of the expander: names, calls, and the choice of form.

use std::rc::Rc;

use super::macros::Macro;
use super::node::{LambdaId, Node, Var, Variable};
use super::{Globals, MAX_DEPTH, forms, inline};
use crate::error::{Position, SyntaxError};
use crate::reader::syntax::{Datum, RENAMED, Syntax, base_name};

/// The result of expanding a form.
pub type Expanded = Result<Node, SyntaxError>;

/// What a name in a scope stands for.
#[derive(Clone)]
pub(crate) enum Binding {
    Variable(Var),
    Macro(Rc<Macro>),
}

/// What a name stands for.
pub(crate) enum Meaning {
    Variable(Var),
    Macro(Rc<Macro>),
    /// A global variable, or a special form if the name is one.
    Global(Rc<str>),
}

/// The state of an expansion.
pub struct Expander<'a> {
    pub(crate) globals: &'a mut Globals,
    pub(crate) variables: Vec<Variable>,
    pub(crate) lambdas: usize,
    pub(crate) lambda: LambdaId,
    /// For a loop's body that became part of another in tail position: that other body.
    pub(crate) merged: Vec<(LambdaId, LambdaId)>,
    scope: Vec<(Rc<str>, Binding)>,
    depth: usize,
}

/// A syntax error at a form.
pub(crate) fn fail<T>(form: &Syntax, message: impl Into<String>) -> Result<T, SyntaxError> {
    Err(SyntaxError::new(form.position, message))
}

impl<'a> Expander<'a> {
    /// An expander at top level.
    pub fn new(globals: &'a mut Globals) -> Self {
        Expander {
            globals,
            variables: Vec::new(),
            lambdas: 1,
            lambda: 0,
            merged: Vec::new(),
            scope: Vec::new(),
            depth: 0,
        }
    }

    /// Makes a variable that no name refers to yet.
    pub(crate) fn variable(&mut self, name: &Rc<str>) -> Var {
        self.variables.push(Variable {
            name: name.clone(),
            ..Variable::default()
        });
        self.variables.len() - 1
    }

    /// Runs `f` with `bindings` in scope.
    pub(crate) fn with_scope<T>(
        &mut self,
        bindings: impl IntoIterator<Item = (Rc<str>, Binding)>,
        f: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.scope.len();
        self.scope.extend(bindings);
        let result = f(self);
        self.scope.truncate(before);
        result
    }

    /// Adds a binding to the innermost scope.
    pub(crate) fn bind(&mut self, name: Rc<str>, binding: Binding) {
        self.scope.push((name, binding));
    }

    /// Tells what a name stands for. A renamed name that no scope binds stands for what it was
    /// before the renaming.
    pub(crate) fn resolve(&self, name: &Rc<str>) -> Meaning {
        let mut name: Rc<str> = name.clone();
        loop {
            for (bound, binding) in self.scope.iter().rev() {
                if *bound == name {
                    return match binding {
                        Binding::Variable(var) => Meaning::Variable(*var),
                        Binding::Macro(rules) => Meaning::Macro(rules.clone()),
                    };
                }
            }
            match name.rfind(RENAMED) {
                Some(at) => name = name[..at].into(),
                None => break,
            }
        }
        if let Some(rules) = self.globals.macros.get(&name) {
            return Meaning::Macro(rules.clone());
        }
        Meaning::Global(name)
    }

    /// The special meaning that a global name has, unless the program defines it.
    pub(crate) fn special<'n>(&self, name: &'n str) -> Option<&'n str> {
        (!self.globals.defined.contains(name)).then_some(name)
    }

    /// The special form or macro keyword that heads a form, for scanning definitions.
    pub(crate) fn head(&self, form: &Syntax) -> Option<Meaning> {
        let name = form.as_list()?.first()?.as_symbol()?;
        Some(self.resolve(name))
    }

    /// Expands an expression; `tail` tells whether its value is the value of the current body.
    pub(crate) fn expand(&mut self, form: &Syntax, tail: bool) -> Expanded {
        self.nested(form, |x| match &form.datum {
            Datum::Symbol(name) => x.reference(form, name),
            Datum::List(items) => x.combination(form, items, tail),
            Datum::Dotted(..) => fail(form, "a combination must be a proper list"),
            _ => Ok(Node::Constant(form.clone())),
        })
    }

    /// Runs `f` one level deeper, unless that is too deep.
    pub(crate) fn nested<T>(
        &mut self,
        form: &Syntax,
        f: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= MAX_DEPTH {
            return fail(
                form,
                format!("expressions nested deeper than {MAX_DEPTH} levels"),
            );
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Expands several expressions none of which is in tail position.
    pub(crate) fn expand_all(&mut self, forms: &[Syntax]) -> Result<Vec<Node>, SyntaxError> {
        forms.iter().map(|form| self.expand(form, false)).collect()
    }

    /// Expands forms to be evaluated in order.
    pub(crate) fn sequence(&mut self, forms: &[Syntax], tail: bool) -> Expanded {
        let last = forms.len().saturating_sub(1);
        let nodes = forms
            .iter()
            .enumerate()
            .map(|(i, form)| self.expand(form, tail && i == last));
        Ok(Node::sequence(nodes.collect::<Result<_, _>>()?))
    }

    fn reference(&mut self, form: &Syntax, name: &Rc<str>) -> Expanded {
        match self.resolve(name) {
            Meaning::Variable(var) => {
                self.variables[var].references += 1;
                Ok(Node::Local(var, form.position))
            }
            Meaning::Macro(_) => fail(
                form,
                format!("`{}` is a macro, not a variable", base_name(name)),
            ),
            Meaning::Global(name) => {
                if self.special(&name).is_some_and(forms::is_form) {
                    return fail(form, format!("`{name}` is syntax, not a variable"));
                }
                Ok(Node::Global(name, form.position))
            }
        }
    }

    fn combination(&mut self, form: &Syntax, items: &Rc<[Syntax]>, tail: bool) -> Expanded {
        let Some((head, arguments)) = items.split_first() else {
            return fail(
                form,
                "an empty combination: `()` needs a quote to be a datum",
            );
        };
        let Some(name) = head.as_symbol() else {
            return self.call(form, head, arguments);
        };
        match self.resolve(name) {
            Meaning::Variable(var) => self.local_call(form, var, arguments, tail),
            Meaning::Macro(rules) => {
                let expansion = rules.expand(form, &mut self.globals.renamings)?;
                self.expand(&expansion, tail)
            }
            Meaning::Global(name) => {
                if self.special(&name).is_some() {
                    if let Some(node) = forms::expand(self, &name, form, items, tail) {
                        return node;
                    }
                    if let Some(node) = inline::expand(self, &name, form, arguments) {
                        return node;
                    }
                }
                self.call(form, head, arguments)
            }
        }
    }

    fn local_call(
        &mut self,
        form: &Syntax,
        var: Var,
        arguments: &[Syntax],
        tail: bool,
    ) -> Expanded {
        let lambda = self.lambda;
        let arguments = self.expand_all(arguments)?;
        let variable = &mut self.variables[var];
        variable.references += 1;
        let fits = variable
            .candidate
            .is_some_and(|(_, count)| count == arguments.len());
        if tail && fits {
            variable.tail_calls.push(lambda);
        }
        Ok(Node::Call(
            Box::new(Node::Local(var, form.position)),
            arguments,
            form.position,
        ))
    }

    fn call(&mut self, form: &Syntax, head: &Syntax, arguments: &[Syntax]) -> Expanded {
        let operator = self.expand(head, false)?;
        let arguments = self.expand_all(arguments)?;
        Ok(Node::Call(Box::new(operator), arguments, form.position))
    }

    /// A call of a global procedure of the library, whatever the program calls by its name.
    pub(crate) fn library_call(
        &self,
        position: Position,
        name: &str,
        arguments: Vec<Node>,
    ) -> Node {
        Node::Call(
            Box::new(Node::Global(name.into(), position)),
            arguments,
            position,
        )
    }
}
