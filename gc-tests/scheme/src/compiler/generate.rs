//! Expressions to instructions.

use std::rc::Rc;

use gc_core::Gc;

use super::capture::unit_end;
use super::constant::to_value;
use super::function::{Function, Location};
use super::{CompileError, Compiled, Compiler};
use crate::alloc;
use crate::code::{Capture, Code, Instruction, Op, Register};
use crate::error::{Position, SyntaxError};
use crate::reader::syntax::{Datum, Syntax};
use crate::syntax::node::{Inline, Lambda, LambdaId, Node, Var};
use crate::value::Value;

/// What becomes of an expression's value.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// It goes to a register.
    Register(Register),
    /// It is dropped.
    Ignore,
    /// It is the value of the body.
    Return,
}

impl<'gc> Compiler<'gc> {
    /// Compiles a body to code.
    #[allow(
        clippy::too_many_arguments,
        reason = "these are the parts of a procedure"
    )]
    pub(super) fn body(
        &mut self,
        id: LambdaId,
        name: &Rc<str>,
        parameters: &[Var],
        rest: bool,
        captures: &[Var],
        node: &Node,
        position: Position,
    ) -> Compiled<Gc<'gc, Code<'gc>>> {
        let required = parameters.len() - usize::from(rest);
        if required > 200 {
            let message = "a procedure has at most 200 parameters";
            return Err(CompileError::Syntax(SyntaxError::new(position, message)));
        }
        self.functions.push(Function::new(id, captures, position));
        self.function().at(position);
        for &var in parameters {
            let register = self.function().take()?;
            self.function().registers.insert(var, register);
        }
        for &var in parameters {
            self.make_box(var);
        }
        self.compile(node, Target::Return)?;
        let function = self.functions.pop().expect("it was pushed above");
        let mut sources = Vec::with_capacity(function.captures.len());
        for &var in &function.captures {
            sources.push(match self.locate(var) {
                Location::Register(register) => Capture::Register(register),
                Location::Free(index) => Capture::Free(index),
            });
        }
        let mc = self.mc;
        let code = Code {
            ops: alloc::slice(mc, function.ops.into_iter().map(Instruction))?,
            constants: alloc::slice(mc, function.constants)?,
            captures: alloc::slice(mc, sources)?,
            lines: alloc::slice(mc, function.lines)?,
            source: self.source,
            name: alloc::text(mc, name)?,
            required: required as u8,
            rest,
            registers: function.highest as u16 + 1,
        };
        Ok(alloc::new(mc, code)?)
    }

    /// Puts the value of a variable in a box where it needs one.
    pub(super) fn make_box(&mut self, var: Var) {
        if self.variables[var].boxed {
            let register = self.function().registers[&var];
            self.emit(Op::MakeBox { register });
        }
    }

    /// Runs `f` and gives back the registers that it took.
    pub(super) fn scoped<T>(&mut self, f: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        let next = self.function().next;
        let result = f(self);
        self.function().next = next;
        result
    }

    /// Compiles an expression for a target.
    pub(super) fn compile(&mut self, node: &Node, target: Target) -> Compiled {
        match node {
            Node::Constant(_) | Node::Unspecified | Node::Local(..) | Node::Lambda(_)
                if target == Target::Ignore =>
            {
                Ok(())
            }
            Node::SetLocal(var, value) => {
                self.scoped(|c| {
                    let src = c.operand(value)?;
                    match c.locate(*var) {
                        Location::Register(target) => c.emit(Op::BoxSet { target, src }),
                        Location::Free(index) => c.emit(Op::SetFreeBox { src, index }),
                    }
                    Ok(())
                })?;
                self.compile(&Node::Unspecified, target)
            }
            Node::SetGlobal(name, value, position) => {
                self.scoped(|c| {
                    let src = c.operand(value)?;
                    let index = c.global(name)?;
                    c.function().at(*position);
                    c.emit(Op::SetGlobal { src, index });
                    Ok(())
                })?;
                self.compile(&Node::Unspecified, target)
            }
            Node::Define(name, value) => {
                self.scoped(|c| {
                    let src = c.operand(value)?;
                    let index = c.global(name)?;
                    c.emit(Op::DefineGlobal { src, index });
                    Ok(())
                })?;
                self.compile(&Node::Unspecified, target)
            }
            Node::Cond(clauses, otherwise) => self.conditional(clauses, otherwise, target),
            Node::Or(nodes) => self.connective(nodes, true, target),
            Node::And(nodes) => self.connective(nodes, false, target),
            Node::Sequence(nodes) => {
                let Some((last, first)) = nodes.split_last() else {
                    return self.compile(&Node::Unspecified, target);
                };
                for node in first {
                    self.compile(node, Target::Ignore)?;
                }
                self.compile(last, target)
            }
            Node::Let(bindings, body) => self.scoped(|c| {
                for (var, value) in bindings {
                    let register = c.function().take()?;
                    c.compile(value, Target::Register(register))?;
                    c.function().registers.insert(*var, register);
                    c.make_box(*var);
                }
                c.compile(body, target)
            }),
            Node::Letrec(bindings, body) => self.scoped(|c| {
                c.letrec(bindings)?;
                c.compile(body, target)
            }),
            Node::Loop(label, bindings, body) => self.run_loop(*label, bindings, body, target),
            Node::Call(operator, arguments, position) => {
                self.call(operator, arguments, *position, target)
            }
            _ => self.simple(node, target),
        }
    }

    /// Compiles an expression without control flow.
    fn simple(&mut self, node: &Node, target: Target) -> Compiled {
        match target {
            Target::Register(dst) => self.simple_into(node, dst),
            Target::Ignore => self.scoped(|c| {
                let dst = c.function().take()?;
                match node {
                    Node::Inline(operation, arguments, position) => {
                        c.inline(*operation, arguments, *position, dst)
                    }
                    _ => c.simple_into(node, dst),
                }
            }),
            Target::Return => self.scoped(|c| {
                let src = c.operand(node)?;
                c.emit(Op::Return { src });
                Ok(())
            }),
        }
    }

    fn simple_into(&mut self, node: &Node, dst: Register) -> Compiled {
        match node {
            Node::Constant(datum) => self.constant(datum, dst)?,
            Node::Unspecified => {
                let index = self.function().constant(Value::Unspecified);
                self.emit(Op::Constant { dst, index });
            }
            Node::Local(var, position) => {
                self.function().at(*position);
                let op = match (self.locate(*var), self.variables[*var].boxed) {
                    (Location::Register(src), false) if src == dst => return Ok(()),
                    (Location::Register(src), false) => Op::Move { dst, src },
                    (Location::Register(src), true) => Op::BoxRef { dst, src },
                    (Location::Free(index), false) => Op::Free { dst, index },
                    (Location::Free(index), true) => Op::FreeBox { dst, index },
                };
                self.emit(op);
            }
            Node::Global(name, position) => {
                let index = self.global(name)?;
                self.function().at(*position);
                self.emit(Op::Global { dst, index });
            }
            Node::Lambda(lambda) => self.lambda(lambda, dst)?,
            Node::Inline(operation, arguments, position) => {
                self.scoped(|c| c.inline(*operation, arguments, *position, dst))?;
                if matches!(
                    operation,
                    Inline::SetCar | Inline::SetCdr | Inline::VectorSet
                ) {
                    self.simple_into(&Node::Unspecified, dst)?;
                }
            }
            _ => return self.compile(node, Target::Register(dst)),
        }
        Ok(())
    }

    fn constant(&mut self, datum: &Syntax, dst: Register) -> Compiled {
        if let Datum::Fixnum(n) = datum.datum
            && let Ok(value) = i32::try_from(n)
        {
            self.emit(Op::Fixnum { dst, value });
            return Ok(());
        }
        let value = to_value(self.mc, self.symbols, datum)?;
        let index = self.function().constant(value);
        self.emit(Op::Constant { dst, index });
        Ok(())
    }

    fn lambda(&mut self, lambda: &Lambda, dst: Register) -> Compiled {
        let Lambda {
            id,
            name,
            parameters,
            rest,
            body,
            captures,
            position,
        } = lambda;
        let code = self.body(*id, name, parameters, *rest, captures, body, *position)?;
        if captures.is_empty() {
            let closure = self.closure_of(code)?;
            let index = self.function().constant(Value::Procedure(closure));
            self.emit(Op::Constant { dst, index });
        } else {
            let index = self.function().constant(Value::Code(code));
            self.emit(Op::Closure { dst, index });
        }
        Ok(())
    }

    fn letrec(&mut self, bindings: &[(Var, Node)]) -> Compiled {
        for (var, _) in bindings {
            let register = self.function().take()?;
            self.function().registers.insert(*var, register);
            if self.variables[*var].boxed {
                let index = self.function().constant(Value::Undefined);
                self.emit(Op::Constant {
                    dst: register,
                    index,
                });
                self.emit(Op::MakeBox { register });
            }
        }
        let mut start = 0;
        while start < bindings.len() {
            let end = unit_end(bindings, start);
            self.scoped(|c| c.unit(&bindings[start..end]))?;
            start = end;
        }
        Ok(())
    }

    /// Defines neighbouring procedures, or one other variable.
    fn unit(&mut self, bindings: &[(Var, Node)]) -> Compiled {
        let mut values = Vec::with_capacity(bindings.len());
        for (var, node) in bindings {
            let register = self.function().registers[var];
            if self.variables[*var].boxed {
                let src = self.function().take()?;
                self.compile(node, Target::Register(src))?;
                self.emit(Op::BoxSet {
                    target: register,
                    src,
                });
                values.push(src);
            } else {
                self.compile(node, Target::Register(register))?;
                values.push(register);
            }
        }
        // A closure that captured a procedure made after it is completed now.
        for (i, (_, node)) in bindings.iter().enumerate() {
            let Node::Lambda(lambda) = node else { continue };
            for (index, captured) in lambda.captures.iter().enumerate() {
                let later = bindings[i + 1..]
                    .iter()
                    .position(|(var, _)| var == captured);
                if let Some(later) = later
                    && !self.variables[*captured].boxed
                {
                    let src = values[i + 1 + later];
                    self.emit(Op::Patch {
                        closure: values[i],
                        src,
                        index: index as u16,
                    });
                }
            }
        }
        Ok(())
    }

    /// A register that holds the value of an expression: the variable's own, or a new one.
    pub(super) fn operand(&mut self, node: &Node) -> Compiled<Register> {
        if let Node::Local(var, _) = node
            && !self.variables[*var].boxed
            && let Location::Register(register) = self.locate(*var)
        {
            return Ok(register);
        }
        let register = self.function().take()?;
        self.compile(node, Target::Register(register))?;
        Ok(register)
    }

    fn inline(
        &mut self,
        operation: Inline,
        arguments: &[Node],
        position: Position,
        dst: Register,
    ) -> Compiled {
        if let Some(()) = self.add_immediate(operation, arguments, position, dst)? {
            return Ok(());
        }
        let mut registers = [0; 3];
        for (register, argument) in registers.iter_mut().zip(arguments) {
            *register = self.operand(argument)?;
        }
        let [a, b, c] = registers;
        self.function().at(position);
        let op = match operation {
            Inline::Cons => Op::Cons { dst, a, b },
            Inline::Car => Op::Car { dst, src: a },
            Inline::Cdr => Op::Cdr { dst, src: a },
            Inline::Cadr => Op::Cadr { dst, src: a },
            Inline::Cddr => Op::Cddr { dst, src: a },
            Inline::SetCar => Op::SetCar { target: a, src: b },
            Inline::SetCdr => Op::SetCdr { target: a, src: b },
            Inline::VectorRef => Op::VectorRef {
                dst,
                vector: a,
                index: b,
            },
            Inline::VectorSet => Op::VectorSet {
                vector: a,
                index: b,
                src: c,
            },
            Inline::Add => Op::Add { dst, a, b },
            Inline::Subtract => Op::Subtract { dst, a, b },
            Inline::Multiply => Op::Multiply { dst, a, b },
            Inline::Quotient => Op::Quotient { dst, a, b },
            Inline::Remainder => Op::Remainder { dst, a, b },
            Inline::Less => Op::Less { dst, a, b },
            Inline::LessEqual => Op::LessEqual { dst, a, b },
            Inline::Equal => Op::Equal { dst, a, b },
            Inline::Eq => Op::Eq { dst, a, b },
            Inline::Eqv => Op::Eqv { dst, a, b },
            Inline::Not => Op::Not { dst, src: a },
            Inline::Is(kind) => Op::Is { dst, src: a, kind },
        };
        self.emit(op);
        Ok(())
    }

    /// Addition and subtraction of a small literal.
    fn add_immediate(
        &mut self,
        operation: Inline,
        arguments: &[Node],
        position: Position,
        dst: Register,
    ) -> Compiled<Option<()>> {
        let (node, immediate) = match (operation, arguments) {
            (Inline::Add, [node, Node::Constant(n)] | [Node::Constant(n), node]) => {
                (node, small(n))
            }
            (Inline::Subtract, [node, Node::Constant(n)]) => (node, small(n).map(|n| -n)),
            _ => return Ok(None),
        };
        let Some(immediate) = immediate else {
            return Ok(None);
        };
        let a = self.operand(node)?;
        self.function().at(position);
        self.emit(Op::AddImmediate { dst, a, immediate });
        Ok(Some(()))
    }
}

/// The number, if a datum is one that fits an instruction.
pub(super) fn small(datum: &Syntax) -> Option<i32> {
    match datum.datum {
        Datum::Fixnum(n) => i16::try_from(n).ok().map(i32::from),
        _ => None,
    }
}
