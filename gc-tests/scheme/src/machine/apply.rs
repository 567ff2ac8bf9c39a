//! Applications that the instruction loop leaves to others: continuations, record procedures,
//! primitives that change the flow of control, wrong numbers of arguments, and what is no
//! procedure.
//!
//! The callee is at `base`, its arguments behind it, the waiting frames below; `code` and `pc`
//! still tell the place of the call. A step either replaces callee and arguments by others, or
//! enters a closure, or returns a value to the frame below. It allocates before it changes
//! anything, so that it can be repeated.

use gc_core::{Gc, Lock};

use super::stack::Stack;
use super::support::adapt;
use super::{Context, Dynamic, Machine, Stop, raise};
use crate::alloc;
use crate::compiler::{self, CompileError};
use crate::error::{BoxedFault, Fault, Outcome, Position};
use crate::guardian::Guardian;
use crate::primitives::{Action, Control};
use crate::value::{Continuation, Record, RecordOperation, RecordProcedure, Value, Values};

/// What a step of an application leads to.
enum Next<'gc> {
    /// This value goes to the frame below.
    Return(Value<'gc>),
    /// Another callee and its arguments are in place.
    Again,
    /// A closure was entered.
    Entered,
    /// The program asked for a collection.
    Collect,
}

type Step<'gc> = Result<Next<'gc>, BoxedFault<'gc>>;

impl<'gc> Machine<'gc> {
    /// Applies what lies at `base` to the `count` arguments behind it.
    pub(super) fn apply(
        &self,
        context: &mut Context<'_, 'gc>,
        stack: &mut Stack<'gc>,
        count: usize,
    ) -> Result<(), Stop<'gc>> {
        match self.step(context, stack, count) {
            Ok(Next::Return(value)) => self.give_back(stack, value),
            Ok(Next::Again) => Ok(()),
            Ok(Next::Entered) => {
                stack.pending = None;
                if stack.reserve(stack.base, context.host.stack_limit).is_err() {
                    return Err(raise::overflow(stack));
                }
                Ok(())
            }
            Ok(Next::Collect) => {
                context.host.collect = true;
                self.give_back(stack, Value::Unspecified)?;
                Err(Stop::Suspended)
            }
            Err(fault) => match *fault {
                Fault::Memory(error) => Err(Stop::Memory(error)),
                fault => self.raise(context.mc, stack, fault),
            },
        }
    }

    fn give_back(&self, stack: &mut Stack<'gc>, value: Value<'gc>) -> Result<(), Stop<'gc>> {
        stack.pending = None;
        let Some(frame) = stack.frames.pop() else {
            return Err(Stop::Finished(value));
        };
        stack.values[stack.base] = value;
        stack.code = Some(frame.code);
        stack.pc = frame.pc as usize;
        stack.base = frame.base as usize;
        Ok(())
    }

    fn step(
        &self,
        context: &mut Context<'_, 'gc>,
        stack: &mut Stack<'gc>,
        count: usize,
    ) -> Step<'gc> {
        let base = stack.base;
        let arguments = base + 1..base + 1 + count;
        match stack.values[base] {
            Value::Procedure(closure) => {
                if arguments.end == stack.values.len() {
                    stack.values.push(Value::Unspecified);
                }
                let callee = closure.code;
                adapt(context.mc, &callee, &mut stack.values[base + 1..], count)?;
                stack.code = Some(callee);
                stack.pc = 0;
                Ok(Next::Entered)
            }
            Value::Primitive(primitive) => {
                if !primitive.arity.accepts(count) {
                    return Err(Fault::message(format!(
                        "{}: expected {}, found {count}",
                        primitive.name(),
                        primitive.arity
                    )));
                }
                match primitive.action {
                    Action::Function(function) => {
                        function(context, &stack.values[arguments]).map(Next::Return)
                    }
                    Action::Control(control) => self.control(context, stack, control, count),
                }
            }
            Value::Continuation(continuation) => {
                let value = match count {
                    1 => stack.values[base + 1],
                    _ => many(context, &stack.values[arguments])?,
                };
                let current = context.dynamic.winders.get();
                if current.is_eq(continuation.winders) {
                    return self.reinstate(context, stack, continuation, value);
                }
                let rewind = self.rewind.value.get();
                self.place_call(stack, rewind, &[Value::Continuation(continuation), value])
            }
            Value::RecordProcedure(procedure) => {
                record(context, &procedure, &stack.values[arguments]).map(Next::Return)
            }
            Value::Guardian(guardian) => {
                guard(context, guardian, &stack.values[arguments]).map(Next::Return)
            }
            value => Err(Fault::about("not a procedure:", value)),
        }
    }

    /// Puts another callee and its arguments in place.
    fn place_call(
        &self,
        stack: &mut Stack<'gc>,
        callee: Value<'gc>,
        arguments: &[Value<'gc>],
    ) -> Step<'gc> {
        let first = stack.base + 1;
        let end = first + arguments.len();
        if stack.reserve(end, usize::MAX).is_err() {
            return Err(Fault::message("too many arguments"));
        }
        stack.values[stack.base] = callee;
        stack.values[first..end].copy_from_slice(arguments);
        stack.pending = Some(arguments.len());
        Ok(Next::Again)
    }

    fn control(
        &self,
        context: &mut Context<'_, 'gc>,
        stack: &mut Stack<'gc>,
        control: Control,
        count: usize,
    ) -> Step<'gc> {
        let base = stack.base;
        let first = stack.values[base + 1];
        match control {
            Control::Apply => {
                let mut arguments = stack.values[base + 2..base + count].to_vec();
                let mut last = stack.values[base + count].list(context.mc);
                // A cycle has no end: stop where no stack could hold the arguments.
                let limit = context.host.stack_limit.saturating_sub(base);
                arguments.extend(last.by_ref().take(limit));
                if arguments.len() >= limit {
                    return Err(Fault::message("apply: too many arguments"));
                }
                if !matches!(last.rest, Value::Nil) {
                    let last = stack.values[base + count];
                    return Err(Fault::wrong_type("apply", "a proper list", last));
                }
                self.place_call(stack, first, &arguments)
            }
            Control::ApplyValues => match stack.values[base + 2] {
                Value::Values(values) => {
                    self.place_call(stack, first, alloc::elements(values.items))
                }
                value => self.place_call(stack, first, &[value]),
            },
            Control::CallWithCurrentContinuation => {
                let continuation = Continuation {
                    values: alloc::slice(context.mc, stack.values[..base].iter().copied())?,
                    frames: alloc::slice(context.mc, stack.frames.iter().copied())?,
                    winders: context.dynamic.winders.get(),
                    handlers: context.dynamic.handlers.get(),
                    program: context.host.program,
                    next_form: context.host.next_form,
                };
                let continuation = alloc::new(context.mc, continuation)?;
                self.place_call(stack, first, &[Value::Continuation(continuation)])
            }
            Control::Reinstate => match first {
                Value::Continuation(continuation) => {
                    let value = stack.values[base + 2];
                    self.reinstate(context, stack, continuation, value)
                }
                _ => Err(Fault::wrong_type("%reinstate", "a continuation", first)),
            },
            Control::Eval => {
                let code = stack.code;
                let position = code.map_or(Position::default(), |code| {
                    code.position(stack.pc.max(1) - 1)
                });
                let source = code.map_or("", |code| alloc::text_of(code.source));
                let syntax = compiler::from_value(context.mc, first, position)
                    .map_err(|error| Fault::message(error.message))?;
                let (mc, globals) = (context.mc, &mut context.host.globals);
                match compiler::compile(mc, context.symbols, globals, source, &syntax) {
                    Ok(closure) => self.place_call(stack, Value::Procedure(closure), &[]),
                    Err(CompileError::Memory(error)) => Err(error.into()),
                    Err(CompileError::Syntax(error)) => {
                        Err(Fault::message(format!("eval: {}", error.message)))
                    }
                }
            }
            Control::Collect => Ok(Next::Collect),
        }
    }

    fn reinstate(
        &self,
        context: &mut Context<'_, 'gc>,
        stack: &mut Stack<'gc>,
        continuation: Gc<'gc, Continuation<'gc>>,
        value: Value<'gc>,
    ) -> Step<'gc> {
        let values = alloc::elements(continuation.values);
        if stack.reserve(values.len(), usize::MAX).is_err() {
            return Err(Fault::message(
                "the stack of a continuation does not fit memory",
            ));
        }
        stack.values[..values.len()].copy_from_slice(values);
        stack.frames.clear();
        stack
            .frames
            .extend_from_slice(alloc::elements(continuation.frames));
        stack.base = values.len();
        let (winders, handlers) = (continuation.winders, continuation.handlers);
        Dynamic::set(context.dynamic, context.mc, winders, handlers);
        if continuation.program == context.host.program {
            context.host.next_form = continuation.next_form;
        }
        Ok(Next::Return(value))
    }
}

/// Other than one value as one object.
pub(crate) fn many<'gc>(context: &mut Context<'_, 'gc>, values: &[Value<'gc>]) -> Outcome<'gc> {
    let items = alloc::slice(context.mc, values.iter().copied())?;
    Ok(Value::Values(alloc::new(context.mc, Values { items })?))
}

/// `(guardian)`, `(guardian object)`, `(guardian object representative)`
fn guard<'gc>(
    context: &mut Context<'_, 'gc>,
    guardian: Gc<'gc, Guardian<'gc>>,
    arguments: &[Value<'gc>],
) -> Outcome<'gc> {
    let (object, returned) = match *arguments {
        [] => {
            let taken = Guardian::take(guardian, context.mc);
            return Ok(taken.unwrap_or(Value::Bool(false)));
        }
        [object] => (object, object),
        [object, representative] => (object, representative),
        _ => {
            let found = arguments.len();
            return Err(Fault::message(format!(
                "a guardian: expected 0 to 2 arguments, found {found}"
            )));
        }
    };
    Guardian::register(guardian, context.mc, context.registry, object, returned)?;
    Ok(Value::Unspecified)
}

fn record<'gc>(
    context: &mut Context<'_, 'gc>,
    procedure: &RecordProcedure<'gc>,
    arguments: &[Value<'gc>],
) -> Outcome<'gc> {
    let name = || match procedure.name {
        Value::Symbol(symbol) => symbol.name(),
        _ => "a record procedure",
    };
    let expected = match procedure.operation {
        RecordOperation::Construct(fields) => alloc::elements(fields).len(),
        RecordOperation::Test | RecordOperation::Get(_) => 1,
        RecordOperation::Set(_) => 2,
    };
    if arguments.len() != expected {
        let found = arguments.len();
        return Err(Fault::message(format!(
            "{}: expected {expected} arguments, found {found}",
            name()
        )));
    }
    let instance = || match arguments[0] {
        Value::Record(record) if Gc::ptr_eq(record.kind, procedure.kind) => Ok(record),
        other => {
            let kind = match procedure.kind.name {
                Value::Symbol(symbol) => symbol.name(),
                _ => "?",
            };
            Err(Fault::wrong_type(
                name(),
                &format!("a record of type {kind}"),
                other,
            ))
        }
    };
    match procedure.operation {
        RecordOperation::Construct(order) => {
            let order = alloc::elements(order);
            let count = alloc::elements(procedure.kind.fields).len();
            let field = |i: usize| {
                let at = order.iter().position(|&field| field as usize == i);
                Lock::new(at.map_or(Value::Bool(false), |at| arguments[at]))
            };
            let fields = alloc::slice(context.mc, (0..count).map(field))?;
            let record = Record {
                kind: procedure.kind,
                fields,
            };
            Ok(Value::Record(alloc::new(context.mc, record)?))
        }
        RecordOperation::Test => Ok(Value::Bool(instance().is_ok())),
        RecordOperation::Get(field) => {
            Ok(alloc::elements(instance()?.fields)[field as usize].get())
        }
        RecordOperation::Set(field) => {
            let record = instance()?;
            alloc::write(context.mc, record.fields)[field as usize]
                .unlock()
                .set(arguments[1]);
            Ok(Value::Unspecified)
        }
    }
}
