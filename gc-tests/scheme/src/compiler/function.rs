//! A body under construction: its instructions, constants and registers.

use std::collections::HashMap;
use std::rc::Rc;

use super::{CompileError, Compiled, Compiler};
use crate::code::{Line, Op, Register, WINDOW};
use crate::error::{Position, SyntaxError};
use crate::syntax::node::{LambdaId, Var};
use crate::value::Value;

/// Where a loop begins and what a jump to it must set.
#[derive(Clone)]
pub(super) struct Label {
    pub start: usize,
    pub registers: Vec<Register>,
}

/// Where a variable is, seen from the current body.
#[derive(Clone, Copy)]
pub(super) enum Location {
    Register(Register),
    Free(u16),
}

/// A body under construction.
pub(super) struct Function<'gc> {
    pub lambda: LambdaId,
    pub ops: Vec<Op>,
    pub constants: Vec<Value<'gc>>,
    pub globals: HashMap<Rc<str>, u32>,
    pub lines: Vec<Line>,
    pub registers: HashMap<Var, Register>,
    pub captures: Vec<Var>,
    pub labels: HashMap<Var, Label>,
    pub next: usize,
    pub highest: usize,
    pub position: Position,
}

impl<'gc> Function<'gc> {
    pub fn new(lambda: LambdaId, captures: &[Var], position: Position) -> Self {
        Function {
            lambda,
            ops: Vec::new(),
            constants: Vec::new(),
            globals: HashMap::new(),
            lines: Vec::new(),
            registers: HashMap::new(),
            captures: captures.to_vec(),
            labels: HashMap::new(),
            next: 1,
            highest: 1,
            position,
        }
    }

    /// Takes the next free register. Registers are given back by resetting `next`.
    pub fn take(&mut self) -> Compiled<Register> {
        let Some(register) = Register::try_from(self.next)
            .ok()
            .filter(|_| self.next < WINDOW - 1)
        else {
            let message = format!(
                "this procedure needs more than {} variables at once",
                WINDOW - 2
            );
            return Err(CompileError::Syntax(SyntaxError::new(
                self.position,
                message,
            )));
        };
        self.next += 1;
        self.highest = self.highest.max(self.next);
        Ok(register)
    }

    pub fn emit(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Notes that the following instructions come from `position`.
    pub fn at(&mut self, position: Position) {
        if self.position == position && !self.lines.is_empty() {
            return;
        }
        self.position = position;
        let start = self.ops.len() as u32;
        match self.lines.last_mut() {
            Some(last) if last.start == start => last.position = position,
            _ => self.lines.push(Line { start, position }),
        }
    }

    pub fn constant(&mut self, value: Value<'gc>) -> u32 {
        self.constants.push(value);
        self.constants.len() as u32 - 1
    }

    /// The offset of a jump that is emitted next, to an instruction emitted before.
    pub fn back_to(&self, start: usize) -> i32 {
        start as i32 - (self.ops.len() as i32 + 1)
    }

    /// Makes the jumps at `jumps` end at the next instruction.
    pub fn land(&mut self, jumps: &[usize]) {
        for &at in jumps {
            let distance = self.ops.len() as i32 - (at as i32 + 1);
            self.ops[at].set_offset(distance);
        }
    }
}

impl Op {
    fn set_offset(&mut self, distance: i32) {
        match self {
            Op::Jump { offset }
            | Op::LoopBack { offset }
            | Op::JumpIfFalse { offset, .. }
            | Op::JumpIfTrue { offset, .. }
            | Op::JumpUnlessNull { offset, .. }
            | Op::JumpIfNull { offset, .. }
            | Op::JumpUnlessPair { offset, .. }
            | Op::JumpIfPair { offset, .. }
            | Op::JumpUnlessEq { offset, .. }
            | Op::JumpIfEq { offset, .. }
            | Op::JumpUnlessLess { offset, .. }
            | Op::JumpUnlessLessEqual { offset, .. }
            | Op::JumpUnlessEqual { offset, .. }
            | Op::JumpUnlessLessImmediate { offset, .. }
            | Op::JumpUnlessLessEqualImmediate { offset, .. }
            | Op::JumpUnlessGreaterImmediate { offset, .. }
            | Op::JumpUnlessGreaterEqualImmediate { offset, .. }
            | Op::JumpUnlessEqualImmediate { offset, .. } => *offset = distance,
            other => unreachable!("{other:?} is no jump"),
        }
    }
}

impl<'gc> Compiler<'gc> {
    /// The body under construction.
    pub(super) fn function(&mut self) -> &mut Function<'gc> {
        self.functions
            .last_mut()
            .expect("a body is under construction")
    }

    pub(super) fn emit(&mut self, op: Op) {
        self.function().emit(op);
    }

    /// Where `var` is for the body under construction.
    pub(super) fn locate(&mut self, var: Var) -> Location {
        let lambda = self.function().lambda;
        let variable = &self.variables[var];
        if variable.home == lambda {
            return Location::Register(self.function().registers[&var]);
        }
        if variable.names(lambda) {
            return Location::Register(0);
        }
        let at = self
            .function()
            .captures
            .iter()
            .position(|&captured| captured == var);
        Location::Free(at.expect("the analysis found every capture") as u16)
    }
}
