//! Conditionals, loops and calls.

use super::function::Label;
use super::generate::Target;
use super::{Compiled, Compiler};
use crate::code::{Op, Register};
use crate::error::Position;
use crate::syntax::node::{Node, Var};
use crate::value::Value;

/// Calls with more arguments pass them as a list.
const MAX_ARGUMENTS: usize = 100;

impl Compiler<'_> {
    pub(super) fn conditional(
        &mut self,
        clauses: &[(Node, Node)],
        otherwise: &Node,
        target: Target,
    ) -> Compiled {
        let mut ends = Vec::new();
        for (test, body) in clauses {
            let skips = self.scoped(|c| c.branch(test, false))?;
            self.compile(body, target)?;
            if target != Target::Return {
                ends.push(self.jump());
            }
            self.function().land(&skips);
        }
        self.compile(otherwise, target)?;
        self.function().land(&ends);
        Ok(())
    }

    /// Emits a jump to be landed later.
    pub(super) fn jump(&mut self) -> usize {
        self.emit(Op::Jump { offset: 0 });
        self.function().ops.len() - 1
    }

    /// `or` if `stop` is true, `and` otherwise: the first value that is `stop`, or the last one.
    pub(super) fn connective(&mut self, nodes: &[Node], stop: bool, target: Target) -> Compiled {
        let Some((last, first)) = nodes.split_last() else {
            return self.compile(&Node::Unspecified, target);
        };
        let mut ends = Vec::new();
        for node in first {
            match target {
                Target::Register(dst) => {
                    self.compile(node, target)?;
                    ends.push(self.jump_if(stop, dst));
                }
                Target::Ignore => ends.extend(self.scoped(|c| c.branch(node, stop))?),
                Target::Return => self.scoped(|c| {
                    let src = c.operand(node)?;
                    let skip = c.jump_if(!stop, src);
                    c.emit(Op::Return { src });
                    c.function().land(&[skip]);
                    Ok(())
                })?,
            }
        }
        self.compile(last, target)?;
        self.function().land(&ends);
        Ok(())
    }

    /// Emits a jump, to be landed later, that is taken if a register is as true as `sense`.
    pub(super) fn jump_if(&mut self, sense: bool, src: Register) -> usize {
        self.emit(match sense {
            true => Op::JumpIfTrue { src, offset: 0 },
            false => Op::JumpIfFalse { src, offset: 0 },
        });
        self.function().ops.len() - 1
    }

    pub(super) fn run_loop(
        &mut self,
        label: Var,
        bindings: &[(Var, Node)],
        body: &Node,
        target: Target,
    ) -> Compiled {
        self.scoped(|c| {
            let mut registers = Vec::with_capacity(bindings.len());
            for (_, value) in bindings {
                let register = c.function().take()?;
                c.compile(value, Target::Register(register))?;
                registers.push(register);
            }
            for ((var, _), &register) in bindings.iter().zip(&registers) {
                c.function().registers.insert(*var, register);
            }
            let start = c.function().ops.len();
            c.function()
                .labels
                .insert(label, Label { start, registers });
            // Each round has boxes of its own, as each call of a procedure would.
            for (var, _) in bindings {
                c.make_box(*var);
            }
            c.compile(body, target)
        })
    }

    pub(super) fn call(
        &mut self,
        operator: &Node,
        arguments: &[Node],
        position: Position,
        target: Target,
    ) -> Compiled {
        if let Node::Local(var, _) = operator
            && let Some(label) = self.function().labels.get(var).cloned()
        {
            return self.scoped(|c| c.next_round(&label, arguments));
        }
        self.scoped(|c| {
            // The callee's frame may begin at the register that the result is for, if that was
            // taken last.
            let base = match target {
                Target::Register(dst) if usize::from(dst) + 1 == c.function().next => dst,
                _ => c.function().take()?,
            };
            let (index, count) = c.prepare(operator, arguments, base)?;
            c.function().at(position);
            let tail = target == Target::Return;
            c.emit(match (index, tail) {
                (Some(index), true) => Op::TailCallGlobal { base, count, index },
                (Some(index), false) => Op::CallGlobal { base, count, index },
                (None, true) => Op::TailCall { base, count },
                (None, false) => Op::Call { base, count },
            });
            match target {
                Target::Register(dst) if dst != base => c.emit(Op::Move { dst, src: base }),
                _ => {}
            }
            Ok(())
        })
    }

    /// Places callee and arguments from register `base` on. Returns the constant that names the
    /// callee if it is a global variable, and the number of arguments.
    fn prepare(
        &mut self,
        operator: &Node,
        arguments: &[Node],
        base: Register,
    ) -> Compiled<(Option<u32>, u8)> {
        if arguments.len() > MAX_ARGUMENTS {
            return self.prepare_list(operator, arguments);
        }
        let index = match operator {
            Node::Global(name, _) => Some(self.global(name)?),
            _ => {
                self.compile(operator, Target::Register(base))?;
                None
            }
        };
        for argument in arguments {
            let register = self.function().take()?;
            self.compile(argument, Target::Register(register))?;
        }
        Ok((index, arguments.len() as u8))
    }

    /// Prepares a call of `apply` with a list of the arguments.
    fn prepare_list(&mut self, operator: &Node, arguments: &[Node]) -> Compiled<(Option<u32>, u8)> {
        let callee = self.function().take()?;
        self.compile(operator, Target::Register(callee))?;
        let list = self.function().take()?;
        let index = self.function().constant(Value::Nil);
        self.emit(Op::Constant { dst: list, index });
        for argument in arguments.iter().rev() {
            self.scoped(|c| {
                let a = c.operand(argument)?;
                c.emit(Op::Cons {
                    dst: list,
                    a,
                    b: list,
                });
                Ok(())
            })?;
        }
        Ok((Some(self.global(&"%apply".into())?), 2))
    }

    /// Gives the variables of a loop new values and jumps to its head.
    fn next_round(&mut self, label: &Label, arguments: &[Node]) -> Compiled {
        let mut moves = Vec::new();
        for (i, (argument, &dst)) in arguments.iter().zip(&label.registers).enumerate() {
            if let Node::Local(var, _) = argument
                && !self.variables[*var].boxed
                && self.function().registers.get(var) == Some(&dst)
            {
                continue;
            }
            let used_later = arguments[i + 1..]
                .iter()
                .any(|later| self.may_read(later, dst));
            let atomic = matches!(
                argument,
                Node::Inline(..) | Node::Constant(_) | Node::Global(..) | Node::Local(..)
            );
            let pending = moves.iter().any(|&(_, src)| src == dst);
            if atomic && !used_later && !pending {
                self.compile(argument, Target::Register(dst))?;
            } else {
                // A fresh register even for a variable, whose own may be overwritten below.
                let src = self.function().take()?;
                self.compile(argument, Target::Register(src))?;
                moves.push((dst, src));
            }
        }
        for (dst, src) in moves {
            self.emit(Op::Move { dst, src });
        }
        let offset = self.function().back_to(label.start);
        self.emit(Op::LoopBack { offset });
        Ok(())
    }

    /// Whether evaluating `node` may read `register`; quick, so yes when in doubt.
    fn may_read(&mut self, node: &Node, register: Register) -> bool {
        match node {
            Node::Constant(_) | Node::Unspecified | Node::Global(..) => false,
            Node::Local(var, _) => self.function().registers.get(var) == Some(&register),
            Node::Inline(_, nodes, _) => nodes.iter().any(|node| self.may_read(node, register)),
            Node::Call(operator, nodes, _) => {
                self.may_read(operator, register)
                    || nodes.iter().any(|node| self.may_read(node, register))
            }
            _ => true,
        }
    }
}
