//! Calls of well-known procedures as operations of the machine.
//!
//! Names count as well known until the program defines or assigns them at top level. A call with an
//! unusual number of arguments stays a call of the library's procedure.

use super::expand::{Expanded, Expander};
use super::node::{Inline, Node};
use crate::code::Kind;
use crate::error::Position;
use crate::reader::syntax::{Datum, Syntax};

/// Expands `(name argument …)` if the machine has an operation for it.
pub(crate) fn expand(
    expander: &mut Expander,
    name: &str,
    form: &Syntax,
    arguments: &[Syntax],
) -> Option<Expanded> {
    let count = arguments.len();
    let plan = match count {
        1 => Plan::unary(name)?,
        2 => Plan::binary(name)?,
        3 if name == "vector-set!" => Plan::Simple(Inline::VectorSet),
        3.. if matches!(name, "+" | "*") => Plan::binary(name)?,
        _ => return None,
    };
    let nodes = match expander.expand_all(arguments) {
        Ok(nodes) => nodes,
        Err(error) => return Some(Err(error)),
    };
    Some(Ok(plan.build(nodes, form.position)))
}

/// How the arguments become operations.
enum Plan {
    Simple(Inline),
    /// With the two arguments exchanged.
    Swapped(Inline),
    /// One operation applied to the result of another.
    Both(Inline, Inline),
    /// With a number as second argument.
    With(Inline, i64),
    /// From left to right over any number of arguments.
    Fold(Inline),
}

impl Plan {
    fn unary(name: &str) -> Option<Plan> {
        use Plan::{Both, Simple, With};
        Some(match name {
            "car" => Simple(Inline::Car),
            "cdr" => Simple(Inline::Cdr),
            "cadr" => Simple(Inline::Cadr),
            "cddr" => Simple(Inline::Cddr),
            "caar" => Both(Inline::Car, Inline::Car),
            "cdar" => Both(Inline::Cdr, Inline::Car),
            "caddr" => Both(Inline::Car, Inline::Cddr),
            "cdddr" => Both(Inline::Cdr, Inline::Cddr),
            "cadddr" => Both(Inline::Cadr, Inline::Cddr),
            "cddddr" => Both(Inline::Cddr, Inline::Cddr),
            "caadr" => Both(Inline::Car, Inline::Cadr),
            "cdadr" => Both(Inline::Cdr, Inline::Cadr),
            "cadar" => Both(Inline::Cadr, Inline::Car),
            "cddar" => Both(Inline::Cddr, Inline::Car),
            "not" => Simple(Inline::Not),
            "null?" => Simple(Inline::Is(Kind::Null)),
            "pair?" => Simple(Inline::Is(Kind::Pair)),
            "symbol?" => Simple(Inline::Is(Kind::Symbol)),
            "string?" => Simple(Inline::Is(Kind::String)),
            "vector?" => Simple(Inline::Is(Kind::Vector)),
            "procedure?" => Simple(Inline::Is(Kind::Procedure)),
            "char?" => Simple(Inline::Is(Kind::Char)),
            "boolean?" => Simple(Inline::Is(Kind::Boolean)),
            "number?" => Simple(Inline::Is(Kind::Number)),
            "integer?" => Simple(Inline::Is(Kind::Integer)),
            "zero?" => With(Inline::Equal, 0),
            "1+" => With(Inline::Add, 1),
            "-1+" | "1-" => With(Inline::Subtract, 1),
            "-" => With(Inline::Multiply, -1),
            _ => return None,
        })
    }

    fn binary(name: &str) -> Option<Plan> {
        use Plan::{Fold, Simple, Swapped};
        Some(match name {
            "cons" => Simple(Inline::Cons),
            "set-car!" => Simple(Inline::SetCar),
            "set-cdr!" => Simple(Inline::SetCdr),
            "vector-ref" => Simple(Inline::VectorRef),
            "+" => Fold(Inline::Add),
            "*" => Fold(Inline::Multiply),
            "-" => Simple(Inline::Subtract),
            "quotient" => Simple(Inline::Quotient),
            "remainder" => Simple(Inline::Remainder),
            "<" => Simple(Inline::Less),
            ">" => Swapped(Inline::Less),
            "<=" => Simple(Inline::LessEqual),
            ">=" => Swapped(Inline::LessEqual),
            "=" => Simple(Inline::Equal),
            "eq?" => Simple(Inline::Eq),
            "eqv?" => Simple(Inline::Eqv),
            _ => return None,
        })
    }

    fn build(self, mut nodes: Vec<Node>, position: Position) -> Node {
        match self {
            Plan::Simple(op) => Node::Inline(op, nodes, position),
            Plan::Swapped(op) => {
                nodes.swap(0, 1);
                Node::Inline(op, nodes, position)
            }
            Plan::Both(outer, inner) => {
                let inner = Node::Inline(inner, nodes, position);
                Node::Inline(outer, vec![inner], position)
            }
            Plan::With(op, number) => {
                nodes.push(Node::Constant(Syntax::new(position, Datum::Fixnum(number))));
                Node::Inline(op, nodes, position)
            }
            Plan::Fold(op) => {
                let mut nodes = nodes.into_iter();
                let first = nodes.next().unwrap_or(Node::Unspecified);
                nodes.fold(first, |sum, node| {
                    Node::Inline(op, vec![sum, node], position)
                })
            }
        }
    }
}
