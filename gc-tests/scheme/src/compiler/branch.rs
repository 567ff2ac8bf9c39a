//! Tests to jumps.

use super::generate::small;
use super::{Compiled, Compiler};
use crate::code::{Kind, Op};
use crate::error::Position;
use crate::reader::syntax::Datum;
use crate::syntax::node::{Inline, Node};

impl Compiler<'_> {
    /// Emits jumps, to be landed later, that are taken if `node` is as true as `sense`; otherwise
    /// execution continues behind them.
    pub(super) fn branch(&mut self, node: &Node, sense: bool) -> Compiled<Vec<usize>> {
        match node {
            Node::Constant(datum) => {
                let truth = !matches!(datum.datum, Datum::Bool(false));
                Ok(if truth == sense {
                    vec![self.jump()]
                } else {
                    Vec::new()
                })
            }
            Node::Or(nodes) => self.branch_connective(nodes, sense, true),
            Node::And(nodes) => self.branch_connective(nodes, sense, false),
            Node::Inline(Inline::Not, arguments, _) => self.branch(&arguments[0], !sense),
            Node::Inline(operation, arguments, position) => {
                self.branch_inline(node, *operation, arguments, *position, sense)
            }
            _ => self.branch_value(node, sense),
        }
    }

    fn branch_value(&mut self, node: &Node, sense: bool) -> Compiled<Vec<usize>> {
        self.scoped(|c| {
            let src = c.operand(node)?;
            Ok(vec![c.jump_if(sense, src)])
        })
    }

    /// `or` if `stop` is true, `and` otherwise.
    fn branch_connective(
        &mut self,
        nodes: &[Node],
        sense: bool,
        stop: bool,
    ) -> Compiled<Vec<usize>> {
        let Some((last, first)) = nodes.split_last() else {
            // `(or)` is false, `(and)` true.
            return Ok(if stop != sense {
                vec![self.jump()]
            } else {
                Vec::new()
            });
        };
        let mut jumps = Vec::new();
        for node in first {
            jumps.extend(self.branch(node, stop)?);
        }
        if sense == stop {
            jumps.extend(self.branch(last, sense)?);
            return Ok(jumps);
        }
        let result = self.branch(last, sense)?;
        self.function().land(&jumps);
        Ok(result)
    }

    fn branch_inline(
        &mut self,
        node: &Node,
        operation: Inline,
        arguments: &[Node],
        position: Position,
        sense: bool,
    ) -> Compiled<Vec<usize>> {
        self.scoped(|c| {
            if let Some(op) = c.compare_immediate(operation, arguments)? {
                return Ok(c.jump_unless(op, sense, position));
            }
            let op = match (operation, arguments) {
                (Inline::Is(kind @ (Kind::Null | Kind::Pair)), [argument]) => {
                    let src = c.operand(argument)?;
                    c.emit(match (kind, sense) {
                        (Kind::Null, true) => Op::JumpIfNull { src, offset: 0 },
                        (Kind::Null, false) => Op::JumpUnlessNull { src, offset: 0 },
                        (_, true) => Op::JumpIfPair { src, offset: 0 },
                        (_, false) => Op::JumpUnlessPair { src, offset: 0 },
                    });
                    return Ok(vec![c.function().ops.len() - 1]);
                }
                (Inline::Eq, [left, right]) => {
                    let (a, b) = (c.operand(left)?, c.operand(right)?);
                    c.emit(match sense {
                        true => Op::JumpIfEq { a, b, offset: 0 },
                        false => Op::JumpUnlessEq { a, b, offset: 0 },
                    });
                    return Ok(vec![c.function().ops.len() - 1]);
                }
                (Inline::Less | Inline::LessEqual | Inline::Equal, [left, right]) => {
                    let (a, b) = (c.operand(left)?, c.operand(right)?);
                    match operation {
                        Inline::Less => Op::JumpUnlessLess { a, b, offset: 0 },
                        Inline::LessEqual => Op::JumpUnlessLessEqual { a, b, offset: 0 },
                        _ => Op::JumpUnlessEqual { a, b, offset: 0 },
                    }
                }
                _ => return c.branch_value(node, sense),
            };
            Ok(c.jump_unless(op, sense, position))
        })
    }

    /// Emits a jump that is taken unless its condition holds, or one that is taken if it does.
    fn jump_unless(&mut self, op: Op, sense: bool, position: Position) -> Vec<usize> {
        self.function().at(position);
        self.emit(op);
        let at = self.function().ops.len() - 1;
        if !sense {
            return vec![at];
        }
        let jump = self.jump();
        self.function().land(&[at]);
        vec![jump]
    }

    /// A comparison with a small literal.
    fn compare_immediate(&mut self, operation: Inline, arguments: &[Node]) -> Compiled<Option<Op>> {
        let (node, literal, swapped) = match arguments {
            [node, Node::Constant(literal)] => (node, literal, false),
            [Node::Constant(literal), node] => (node, literal, true),
            _ => return Ok(None),
        };
        if !matches!(operation, Inline::Less | Inline::LessEqual | Inline::Equal) {
            return Ok(None);
        }
        let Some(immediate) = small(literal).and_then(|n| i16::try_from(n).ok()) else {
            return Ok(None);
        };
        let a = self.operand(node)?;
        let offset = 0;
        Ok(Some(match (operation, swapped) {
            (Inline::Less, false) => Op::JumpUnlessLessImmediate {
                a,
                immediate,
                offset,
            },
            (Inline::Less, true) => Op::JumpUnlessGreaterImmediate {
                a,
                immediate,
                offset,
            },
            (Inline::LessEqual, false) => Op::JumpUnlessLessEqualImmediate {
                a,
                immediate,
                offset,
            },
            (Inline::LessEqual, true) => Op::JumpUnlessGreaterEqualImmediate {
                a,
                immediate,
                offset,
            },
            _ => Op::JumpUnlessEqualImmediate {
                a,
                immediate,
                offset,
            },
        }))
    }
}
