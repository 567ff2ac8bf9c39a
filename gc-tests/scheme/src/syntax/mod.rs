//! From data to a resolved program: the expander.
//!
//! [`expand_toplevel`] turns one datum into a tree of [`Node`](node::Node)s in which every name is
//! a variable or a global, derived forms are reduced to a few basic ones, calls of well-known
//! procedures are [`Inline`](node::Inline) operations, and loops written as named `let`, `do` or a
//! local procedure are recognised (`loops.rs`).
//!
//! Names resolve through one list of scopes, innermost last. Special forms are ordinary names: a
//! local variable or a global definition of the same name takes precedence. Nesting is limited
//! ([`MAX_DEPTH`]), because this pass and the following ones are recursive.

pub mod body;
pub mod derived;
pub mod expand;
pub mod forms;
pub mod inline;
pub mod loops;
pub mod macros;
pub mod node;
pub mod quasiquote;
pub mod records;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::error::SyntaxError;
use crate::reader::syntax::{Syntax, base_name};
use expand::Expander;
use macros::Macro;
use node::Program;

/// How deep expressions may nest.
pub const MAX_DEPTH: usize = 200;

/// What the expander remembers from one top-level form to the next.
#[derive(Default)]
pub struct Globals {
    /// Macros defined at top level.
    pub macros: HashMap<Rc<str>, Rc<Macro>>,
    /// Names that the program defines, and which thus lose their special meaning.
    pub defined: HashSet<Rc<str>>,
    /// Counts the renamings of macro expansion.
    pub renamings: u64,
}

impl Globals {
    /// Notes which names the top-level definitions among `forms` define, so that uses before the
    /// definition see it too.
    pub fn declare(&mut self, forms: &[Syntax]) {
        for form in forms {
            let Some([head, rest @ ..]) = form.as_list().map(|items| &**items) else {
                continue;
            };
            if head.is_symbol("begin") {
                // One level suffices: deeper definitions are noted when they are expanded.
                for inner in rest {
                    self.declare_one(inner);
                }
            } else {
                self.declare_one(form);
            }
        }
    }

    fn declare_one(&mut self, form: &Syntax) {
        let Some([head, target, ..]) = form.as_list().map(|items| &**items) else {
            return;
        };
        if !head.is_symbol("define") {
            return;
        }
        if let Some(name) = definition_name(target) {
            self.defined.insert(base_name(name).into());
        }
    }
}

/// The name that `(define target …)` defines.
pub(crate) fn definition_name(target: &Syntax) -> Option<&Rc<str>> {
    use crate::reader::syntax::Datum;
    match &target.datum {
        Datum::Symbol(name) => Some(name),
        Datum::List(items) | Datum::Dotted(items, _) => items.first()?.as_symbol(),
        _ => None,
    }
}

/// Expands one top-level form.
pub fn expand_toplevel(globals: &mut Globals, form: &Syntax) -> Result<Program, SyntaxError> {
    let mut expander = Expander::new(globals);
    let node = expander.toplevel(form)?;
    Ok(Program {
        node,
        variables: expander.variables,
        lambdas: expander.lambdas,
    })
}
