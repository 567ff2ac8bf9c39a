//! `quasiquote`: templates of data, with levels.
//!
//! A part of a template without anything to evaluate stays a literal.

use super::expand::{Expanded, Expander, fail};
use super::node::{Inline, Node};
use crate::error::SyntaxError;
use crate::reader::syntax::{Datum, Syntax};

/// Expands `(quasiquote template)`.
pub(crate) fn expand(x: &mut Expander, form: &Syntax, rest: &[Syntax]) -> Expanded {
    match rest {
        [template] => Ok(match part(x, template, 1)? {
            Some(node) => node,
            None => Node::Constant(template.clone()),
        }),
        _ => fail(form, "`quasiquote` needs exactly one template"),
    }
}

/// The node for a template, or `None` for a literal.
type Part = Result<Option<Node>, SyntaxError>;

fn constant(form: &Syntax) -> Node {
    Node::Constant(form.clone())
}

/// `(keyword datum)`, where a dotted pair `(a . ,b)` reads as a list that ends so.
fn prefixed<'s>(items: &'s [Syntax], keyword: &str) -> Option<&'s Syntax> {
    match items {
        [head, datum] if head.is_symbol(keyword) => Some(datum),
        _ => None,
    }
}

fn part(x: &mut Expander, template: &Syntax, level: usize) -> Part {
    x.nested(template, |x| match &template.datum {
        Datum::List(items) => {
            if let Some(expression) = prefixed(items, "unquote") {
                if level == 1 {
                    return x.expand(expression, false).map(Some);
                }
                return wrapped(x, template, items, level - 1);
            }
            if prefixed(items, "quasiquote").is_some() {
                return wrapped(x, template, items, level + 1);
            }
            sequence(x, template, items, None, level)
        }
        Datum::Dotted(items, tail) => sequence(x, template, items, Some(tail), level),
        Datum::Vector(items) => {
            let Some(list) = sequence(x, template, items, None, level)? else {
                return Ok(None);
            };
            Ok(Some(x.library_call(
                template.position,
                "%list->vector",
                vec![list],
            )))
        }
        _ => Ok(None),
    })
}

/// `(keyword datum)` where only the level of the datum changes.
fn wrapped(x: &mut Expander, template: &Syntax, items: &[Syntax], level: usize) -> Part {
    let Some(inner) = part(x, &items[1], level)? else {
        return Ok(None);
    };
    let position = template.position;
    let nil = Node::Constant(Syntax::list(position, Vec::new()));
    let tail = Node::Inline(Inline::Cons, vec![inner, nil], position);
    Ok(Some(Node::Inline(
        Inline::Cons,
        vec![constant(&items[0]), tail],
        position,
    )))
}

/// Where a list ends in `, expression`, the parts before, and the expression.
fn split_unquoted_tail(items: &[Syntax]) -> Option<(&[Syntax], &[Syntax])> {
    let at = items.len().checked_sub(2)?;
    (at > 0 && items[at].is_symbol("unquote")).then(|| items.split_at(at))
}

fn sequence(
    x: &mut Expander,
    template: &Syntax,
    items: &[Syntax],
    tail: Option<&Syntax>,
    level: usize,
) -> Part {
    let (items, mut result, mut literal_from) = match (tail, split_unquoted_tail(items)) {
        (None, Some((front, unquote))) => {
            let tail = Syntax::list(template.position, unquote.to_vec());
            let node = part(x, &tail, level)?;
            let literal = constant(&tail);
            (front, node.or(Some(literal)), None)
        }
        (None, None) => (items, None, Some(items.len())),
        (Some(tail), _) => (items, part(x, tail, level)?, Some(items.len())),
    };
    let mut fixed = result.is_none();
    for (i, item) in items.iter().enumerate().rev() {
        let spliced = item
            .as_list()
            .and_then(|inner| prefixed(inner, "unquote-splicing"))
            .filter(|_| level == 1);
        let node = match (spliced, item.as_list()) {
            (Some(expression), _) => Some(x.expand(expression, false)?),
            (None, Some(inner)) if prefixed(inner, "unquote-splicing").is_some() => {
                wrapped(x, item, inner, level - 1)?
            }
            _ => part(x, item, level)?,
        };
        if fixed && node.is_none() {
            literal_from = Some(i);
            continue;
        }
        let rest = match result.take() {
            Some(rest) => rest,
            None => {
                let from = literal_from.unwrap_or(items.len());
                let datum = match tail {
                    Some(tail) => Datum::dotted(items[from..].to_vec(), tail.clone()),
                    None => Datum::List(items[from..].into()),
                };
                Node::Constant(Syntax::new(template.position, datum))
            }
        };
        fixed = false;
        let position = item.position;
        result = Some(match (spliced, node) {
            (Some(_), Some(node)) => x.library_call(position, "%append", vec![node, rest]),
            (_, node) => {
                let node = node.unwrap_or_else(|| constant(item));
                Node::Inline(Inline::Cons, vec![node, rest], position)
            }
        });
    }
    Ok(result)
}
