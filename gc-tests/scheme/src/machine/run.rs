//! The loop over instructions.
//!
//! While it runs, the next instruction, the frame's base and a window of its registers are local
//! variables; they go back to the [`Stack`] when something stops the loop. Fast cases are here, all
//! others in functions of their own, so that the loop stays small.

use gc_core::{Gc, Lock, barrier::unlock};

use super::arithmetic::{self, Division};
use super::stack::{Frame, Overflow, Stack, grow, window};
use super::{Context, Machine, Stop, raise};
use crate::alloc::{self, HeapError};
use crate::code::{Capture, Code, Kind, Op, Register, WINDOW};
use crate::error::{BoxedFault, Fault};
use crate::host::Host;
use crate::primitives::{Action, Primitive};
use crate::symbol::Symbol;
use crate::value::{Closure, Pair, Value, Vector};

/// What stops the loop.
pub(super) enum Event<'gc> {
    /// The fuel is used up.
    Suspended,
    /// The last frame returned.
    Finished(Value<'gc>),
    /// `Stack::pending` is set.
    Apply,
    /// The last instruction failed.
    Fault(BoxedFault<'gc>),
    /// The stack is full.
    Overflow,
}

impl From<Overflow> for Event<'_> {
    fn from(_: Overflow) -> Self {
        Event::Overflow
    }
}

type Window<'a, 'gc> = &'a mut [Value<'gc>; WINDOW];

impl<'gc> Machine<'gc> {
    /// Runs until the form is finished or something stops it; `fuel` is the number of calls and
    /// loop rounds to execute.
    pub fn run(
        &self,
        mc: &'gc gc_core::Mutation<'gc>,
        host: &mut Host,
        fuel: &mut usize,
    ) -> Stop<'gc> {
        let mut guard = self.stack.borrow_mut(mc);
        let stack = &mut *guard;
        let stop = self.run_slice(mc, stack, host, fuel);
        stack.trim();
        stop
    }

    fn run_slice(
        &self,
        mc: &'gc gc_core::Mutation<'gc>,
        stack: &mut Stack<'gc>,
        host: &mut Host,
        fuel: &mut usize,
    ) -> Stop<'gc> {
        let mut context = Context {
            mc,
            symbols: self.symbols,
            dynamic: self.dynamic,
            host,
        };
        if stack.reserve(stack.top(), usize::MAX).is_err() {
            return raise::overflow(stack);
        }
        loop {
            let result = match stack.pending {
                Some(count) => self.apply(&mut context, stack, count),
                None => match execute(&mut context, stack, fuel) {
                    Event::Suspended => return Stop::Suspended,
                    Event::Finished(value) => return Stop::Finished(value),
                    Event::Apply => Ok(()),
                    Event::Overflow => return raise::overflow(stack),
                    Event::Fault(fault) => {
                        if let Fault::Memory(error) = *fault {
                            stack.pc -= 1;
                            return Stop::Memory(error);
                        }
                        self.raise(mc, stack, *fault)
                    }
                },
            };
            if let Err(stop) = result {
                return stop;
            }
        }
    }
}

/// Executes instructions from where the stack stands.
fn execute<'gc>(
    context: &mut Context<'_, 'gc>,
    stack: &mut Stack<'gc>,
    fuel: &mut usize,
) -> Event<'gc> {
    let mc = context.mc;
    let limit = context.host.stack_limit;
    let Some(mut code) = stack.code.map(|code| code.as_ref()) else {
        return Event::Finished(Value::Unspecified);
    };
    let mut code_gc = stack.code;
    let Stack { values, frames, .. } = stack;
    let mut pc = stack.pc;
    let mut base = stack.base;
    let mut ops = alloc::elements(code.ops);
    let mut constants = alloc::elements(code.constants);
    let mut regs: Window = window(values, base);
    let mut pending = None;

    macro_rules! r {
        ($register:expr) => {
            regs[usize::from($register)]
        };
    }
    // The value of a fallible expression; a fault stops the loop.
    macro_rules! check {
        ($result:expr) => {
            match $result {
                Ok(value) => value,
                Err(fault) => break Event::Fault(fault.into()),
            }
        };
    }
    macro_rules! jump {
        ($offset:expr) => {
            pc = pc.wrapping_add_signed($offset as isize)
        };
    }
    // Counts a safepoint.
    macro_rules! burn {
        () => {
            match fuel.checked_sub(1) {
                Some(rest) => *fuel = rest,
                None => break Event::Suspended,
            }
        };
    }
    macro_rules! enter {
        ($callee:expr) => {{
            let callee: Gc<'gc, Code<'gc>> = $callee;
            code_gc = Some(callee);
            code = callee.as_ref();
            ops = alloc::elements(code.ops);
            constants = alloc::elements(code.constants);
        }};
    }
    macro_rules! global {
        ($index:expr) => {
            match constants[$index as usize] {
                Value::Symbol(symbol) => match symbol.value.get() {
                    Value::Undefined => break Event::Fault(unbound(symbol)),
                    value => value,
                },
                _ => unreachable!("the constant names a global variable"),
            }
        };
    }
    // Calls what is in register `from`, from a frame that stays.
    macro_rules! call {
        ($from:expr, $count:expr) => {{
            let (from, count) = (usize::from($from), usize::from($count));
            match regs[from] {
                Value::Procedure(closure) => {
                    let callee = closure.code;
                    if callee.rest || usize::from(callee.required) != count {
                        check!(adapt(mc, &callee, &mut regs[from + 1..], count));
                    }
                    if let Some(code) = code_gc {
                        frames.push(Frame {
                            code,
                            pc: pc as u32,
                            base: base as u32,
                        });
                    }
                    base += from;
                    if let Err(overflow) = grow(values, frames.len(), base, limit) {
                        break overflow.into();
                    }
                    regs = window(values, base);
                    enter!(callee);
                    pc = 0;
                    burn!();
                }
                Value::Primitive(Primitive {
                    action: Action::Function(function),
                    arity,
                    ..
                }) if arity.accepts(count) => {
                    let (before, arguments) = regs.split_at_mut(from + 1);
                    before[from] = check!(function(context, &arguments[..count]));
                }
                _ => {
                    if let Some(code) = code_gc {
                        frames.push(Frame {
                            code,
                            pc: pc as u32,
                            base: base as u32,
                        });
                    }
                    base += from;
                    pending = Some(count);
                    break Event::Apply;
                }
            }
        }};
    }
    macro_rules! give_back {
        ($value:expr) => {{
            let value = $value;
            match frames.pop() {
                Some(frame) => {
                    regs[0] = value;
                    base = frame.base as usize;
                    regs = window(values, base);
                    enter!(frame.code);
                    pc = frame.pc as usize;
                }
                None => break Event::Finished(value),
            }
        }};
    }
    macro_rules! tail_call {
        ($from:expr, $count:expr) => {{
            let (from, count) = (usize::from($from), usize::from($count));
            match regs[from] {
                Value::Procedure(closure) => {
                    let callee = closure.code;
                    let mut passed = count;
                    if callee.rest || usize::from(callee.required) != count {
                        passed = check!(adapt(mc, &callee, &mut regs[from + 1..], count));
                    }
                    for i in 0..=passed {
                        regs[i] = regs[from + i];
                    }
                    enter!(callee);
                    pc = 0;
                    burn!();
                }
                Value::Primitive(Primitive {
                    action: Action::Function(function),
                    arity,
                    ..
                }) if arity.accepts(count) => {
                    let value = check!(function(context, &regs[from + 1..][..count]));
                    give_back!(value);
                }
                _ => {
                    regs.copy_within(from..from + count + 1, 0);
                    pending = Some(count);
                    break Event::Apply;
                }
            }
        }};
    }
    macro_rules! fixnum_operation {
        ($dst:expr, $a:expr, $b:expr, $checked:ident, $slow:path) => {{
            let (a, b) = (r!($a), r!($b));
            r!($dst) = match (a, b) {
                (Value::Fixnum(x), Value::Fixnum(y)) => match x.$checked(y) {
                    Some(result) => Value::Fixnum(result),
                    None => check!($slow(a, b)),
                },
                _ => check!($slow(a, b)),
            };
        }};
    }
    macro_rules! compare {
        ($a:expr, $b:expr, $operator:tt, $name:literal) => {{
            let (a, b) = ($a, $b);
            match (a, b) {
                (Value::Fixnum(x), Value::Fixnum(y)) => x $operator y,
                (Value::Flonum(x), Value::Flonum(y)) => x $operator y,
                _ => {
                    let (x, y) = check!(as_floats($name, a, b));
                    x $operator y
                }
            }
        }};
    }
    macro_rules! jump_unless {
        ($a:expr, $b:expr, $operator:tt, $name:literal, $offset:expr) => {
            if !compare!($a, $b, $operator, $name) {
                jump!($offset);
            }
        };
    }

    let event = loop {
        let op = ops[pc].0;
        pc += 1;
        match op {
            Op::Move { dst, src } => r!(dst) = r!(src),
            Op::Constant { dst, index } => r!(dst) = constants[index as usize],
            Op::Fixnum { dst, value } => r!(dst) = Value::Fixnum(value.into()),
            Op::Global { dst, index } => r!(dst) = global!(index),
            Op::SetGlobal { src, index } => {
                global!(index);
                if let Value::Symbol(symbol) = constants[index as usize] {
                    Symbol::define(symbol, mc, r!(src));
                }
            }
            Op::DefineGlobal { src, index } => {
                if let Value::Symbol(symbol) = constants[index as usize] {
                    Symbol::define(symbol, mc, r!(src));
                }
            }
            Op::Free { dst, index } => r!(dst) = free(regs, index),
            Op::FreeBox { dst, index } => r!(dst) = check!(unboxed(free(regs, index))),
            Op::SetFreeBox { src, index } => {
                if let Value::Box(cell) = free(regs, index) {
                    cell.set(mc, r!(src));
                }
            }
            Op::MakeBox { register } => {
                r!(register) = Value::Box(check!(alloc::new(mc, Lock::new(r!(register)))));
            }
            Op::BoxRef { dst, src } => r!(dst) = check!(unboxed(r!(src))),
            Op::BoxSet { target, src } => {
                if let Value::Box(cell) = r!(target) {
                    cell.set(mc, r!(src));
                }
            }
            Op::Closure { dst, index } => {
                r!(dst) = check!(make_closure(mc, regs, constants[index as usize]));
            }
            Op::Patch {
                closure,
                src,
                index,
            } => {
                if let Value::Procedure(closure) = r!(closure) {
                    alloc::write(mc, closure.free)[usize::from(index)]
                        .unlock()
                        .set(r!(src));
                }
            }

            Op::Jump { offset } => jump!(offset),
            Op::LoopBack { offset } => {
                jump!(offset);
                burn!();
            }
            Op::JumpIfFalse { src, offset } => {
                if !r!(src).is_true() {
                    jump!(offset);
                }
            }
            Op::JumpIfTrue { src, offset } => {
                if r!(src).is_true() {
                    jump!(offset);
                }
            }
            Op::JumpUnlessNull { src, offset } => {
                if !matches!(r!(src), Value::Nil) {
                    jump!(offset);
                }
            }
            Op::JumpIfNull { src, offset } => {
                if matches!(r!(src), Value::Nil) {
                    jump!(offset);
                }
            }
            Op::JumpUnlessPair { src, offset } => {
                if !matches!(r!(src), Value::Pair(_)) {
                    jump!(offset);
                }
            }
            Op::JumpIfPair { src, offset } => {
                if matches!(r!(src), Value::Pair(_)) {
                    jump!(offset);
                }
            }
            Op::JumpUnlessEq { a, b, offset } => {
                if !r!(a).is_eq(r!(b)) {
                    jump!(offset);
                }
            }
            Op::JumpIfEq { a, b, offset } => {
                if r!(a).is_eq(r!(b)) {
                    jump!(offset);
                }
            }
            Op::JumpUnlessLess { a, b, offset } => jump_unless!(r!(a), r!(b), <, "<", offset),
            Op::JumpUnlessLessEqual { a, b, offset } => {
                jump_unless!(r!(a), r!(b), <=, "<=", offset);
            }
            Op::JumpUnlessEqual { a, b, offset } => jump_unless!(r!(a), r!(b), ==, "=", offset),
            Op::JumpUnlessLessImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless!(r!(a), Value::Fixnum(immediate.into()), <, "<", offset);
            }
            Op::JumpUnlessLessEqualImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless!(r!(a), Value::Fixnum(immediate.into()), <=, "<=", offset);
            }
            Op::JumpUnlessGreaterImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless!(r!(a), Value::Fixnum(immediate.into()), >, ">", offset);
            }
            Op::JumpUnlessGreaterEqualImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless!(r!(a), Value::Fixnum(immediate.into()), >=, ">=", offset);
            }
            Op::JumpUnlessEqualImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless!(r!(a), Value::Fixnum(immediate.into()), ==, "=", offset);
            }

            Op::Call { base: from, count } => call!(from, count),
            Op::TailCall { base: from, count } => tail_call!(from, count),
            Op::CallGlobal {
                base: from,
                count,
                index,
            } => {
                r!(from) = global!(index);
                call!(from, count);
            }
            Op::TailCallGlobal {
                base: from,
                count,
                index,
            } => {
                r!(from) = global!(index);
                tail_call!(from, count);
            }
            Op::Return { src } => give_back!(r!(src)),

            Op::Cons { dst, a, b } => {
                let pair = Pair {
                    car: Lock::new(r!(a)),
                    cdr: Lock::new(r!(b)),
                };
                r!(dst) = Value::Pair(check!(alloc::new(mc, pair)));
            }
            Op::Car { dst, src } => match r!(src) {
                Value::Pair(pair) => r!(dst) = pair.car.get(),
                value => break Event::Fault(not_pair("car", value)),
            },
            Op::Cdr { dst, src } => match r!(src) {
                Value::Pair(pair) => r!(dst) = pair.cdr.get(),
                value => break Event::Fault(not_pair("cdr", value)),
            },
            Op::Cadr { dst, src } => match second(r!(src)) {
                Some(pair) => r!(dst) = pair.car.get(),
                None => break Event::Fault(not_pair("cadr", r!(src))),
            },
            Op::Cddr { dst, src } => match second(r!(src)) {
                Some(pair) => r!(dst) = pair.cdr.get(),
                None => break Event::Fault(not_pair("cddr", r!(src))),
            },
            Op::SetCar { target, src } => match r!(target) {
                Value::Pair(pair) => unlock!(Gc::write(mc, pair), Pair, car).set(r!(src)),
                value => break Event::Fault(not_pair("set-car!", value)),
            },
            Op::SetCdr { target, src } => match r!(target) {
                Value::Pair(pair) => unlock!(Gc::write(mc, pair), Pair, cdr).set(r!(src)),
                value => break Event::Fault(not_pair("set-cdr!", value)),
            },
            Op::VectorRef { dst, vector, index } => match (r!(vector), r!(index)) {
                (Value::Vector(vector), Value::Fixnum(i))
                    if (i as usize) < alloc::elements(vector.items).len() =>
                {
                    r!(dst) = alloc::elements(vector.items)[i as usize].get();
                }
                (vector, index) => break Event::Fault(bad_index("vector-ref", vector, index)),
            },
            Op::VectorSet { vector, index, src } => match (r!(vector), r!(index)) {
                (Value::Vector(vector), Value::Fixnum(i))
                    if (i as usize) < alloc::elements(vector.items).len() =>
                {
                    Vector::set(mc, vector, i as usize, r!(src));
                }
                (vector, index) => break Event::Fault(bad_index("vector-set!", vector, index)),
            },
            Op::Add { dst, a, b } => {
                fixnum_operation!(dst, a, b, checked_add, arithmetic::add);
            }
            Op::AddImmediate { dst, a, immediate } => {
                let value = r!(a);
                r!(dst) = match value {
                    Value::Fixnum(x) => match x.checked_add(immediate.into()) {
                        Some(sum) => Value::Fixnum(sum),
                        None => check!(add_immediate(value, immediate)),
                    },
                    _ => check!(add_immediate(value, immediate)),
                };
            }
            Op::Subtract { dst, a, b } => {
                fixnum_operation!(dst, a, b, checked_sub, arithmetic::subtract);
            }
            Op::Multiply { dst, a, b } => {
                fixnum_operation!(dst, a, b, checked_mul, arithmetic::multiply);
            }
            Op::Quotient { dst, a, b } => {
                r!(dst) = check!(arithmetic::integer_divide(Division::Quotient, r!(a), r!(b)));
            }
            Op::Remainder { dst, a, b } => {
                r!(dst) = check!(arithmetic::integer_divide(
                    Division::Remainder,
                    r!(a),
                    r!(b)
                ));
            }
            Op::Less { dst, a, b } => {
                r!(dst) = Value::Bool(compare!(r!(a), r!(b), <, "<"));
            }
            Op::LessEqual { dst, a, b } => {
                r!(dst) = Value::Bool(compare!(r!(a), r!(b), <=, "<="));
            }
            Op::Equal { dst, a, b } => {
                r!(dst) = Value::Bool(compare!(r!(a), r!(b), ==, "="));
            }
            Op::Eq { dst, a, b } => r!(dst) = Value::Bool(r!(a).is_eq(r!(b))),
            Op::Eqv { dst, a, b } => r!(dst) = Value::Bool(r!(a).is_eqv(r!(b))),
            Op::Not { dst, src } => r!(dst) = Value::Bool(!r!(src).is_true()),
            Op::Is { dst, src, kind } => r!(dst) = Value::Bool(r!(src).is(kind)),
        }
    };
    stack.code = code_gc;
    stack.pc = pc;
    stack.base = base;
    stack.pending = pending;
    event
}

/// Free variable `index` of the procedure that runs.
#[inline]
fn free<'gc>(regs: &[Value<'gc>; WINDOW], index: u16) -> Value<'gc> {
    match regs[0] {
        Value::Procedure(closure) => alloc::elements(closure.free)[usize::from(index)].get(),
        _ => unreachable!("register 0 holds the procedure that runs"),
    }
}

#[inline]
fn unboxed<'gc>(value: Value<'gc>) -> Result<Value<'gc>, BoxedFault<'gc>> {
    match value {
        Value::Box(cell) => match cell.get() {
            Value::Undefined => Err(undefined()),
            value => Ok(value),
        },
        _ => unreachable!("the register holds a box"),
    }
}

#[cold]
fn undefined<'gc>() -> BoxedFault<'gc> {
    Fault::message("a variable is used before its definition")
}

#[cold]
fn unbound<'gc>(symbol: Gc<'gc, Symbol<'gc>>) -> BoxedFault<'gc> {
    Fault::message(format!("unbound variable: {}", symbol.name()))
}

#[cold]
fn not_pair<'gc>(who: &str, value: Value<'gc>) -> BoxedFault<'gc> {
    let expected = if who.len() == 4 && who.starts_with('c') {
        "a longer list"
    } else {
        "a pair"
    };
    Fault::wrong_type(who, expected, value)
}

#[cold]
fn bad_index<'gc>(who: &str, vector: Value<'gc>, index: Value<'gc>) -> BoxedFault<'gc> {
    match vector {
        Value::Vector(vector) => {
            let length = alloc::elements(vector.items).len();
            Fault::about(
                format!("{who}: no such index in a vector of length {length}:"),
                index,
            )
        }
        _ => Fault::wrong_type(who, "a vector", vector),
    }
}

#[cold]
fn add_immediate<'gc>(value: Value<'gc>, immediate: i32) -> Result<Value<'gc>, BoxedFault<'gc>> {
    match value {
        Value::Flonum(x) => Ok(Value::Flonum(x + f64::from(immediate))),
        _ if immediate < 0 => arithmetic::subtract(value, Value::Fixnum(-i64::from(immediate))),
        _ => arithmetic::add(value, Value::Fixnum(immediate.into())),
    }
}

#[cold]
fn as_floats<'gc>(who: &str, a: Value<'gc>, b: Value<'gc>) -> Result<(f64, f64), BoxedFault<'gc>> {
    Ok((arithmetic::to_f64(who, a)?, arithmetic::to_f64(who, b)?))
}

#[inline]
fn second<'gc>(value: Value<'gc>) -> Option<Gc<'gc, Pair<'gc>>> {
    match value {
        Value::Pair(first) => match first.cdr.get() {
            Value::Pair(second) => Some(second),
            _ => None,
        },
        _ => None,
    }
}

/// Fits `count` arguments to a procedure: the surplus becomes a list if it takes one. Returns the
/// number of registers then passed.
pub(super) fn adapt<'gc>(
    mc: &gc_core::Mutation<'gc>,
    callee: &Code<'gc>,
    arguments: &mut [Value<'gc>],
    count: usize,
) -> Result<usize, BoxedFault<'gc>> {
    let required = usize::from(callee.required);
    if count < required || (count > required && !callee.rest) {
        return Err(wrong_count(callee, count));
    }
    if callee.rest {
        arguments[required] = raise::list(mc, arguments[required..count].iter().copied())?;
        return Ok(required + 1);
    }
    Ok(required)
}

#[cold]
fn wrong_count<'gc>(callee: &Code<'gc>, count: usize) -> BoxedFault<'gc> {
    let name = match alloc::text_of(callee.name) {
        "" => "an anonymous procedure",
        name => name,
    };
    let more = if callee.rest { "at least " } else { "" };
    let plural = if callee.required == 1 { "" } else { "s" };
    Fault::message(format!(
        "{name}: expected {more}{} argument{plural}, found {count}",
        callee.required
    ))
}

fn make_closure<'gc>(
    mc: &gc_core::Mutation<'gc>,
    regs: &[Value<'gc>; WINDOW],
    code: Value<'gc>,
) -> Result<Value<'gc>, HeapError> {
    let Value::Code(code) = code else {
        unreachable!("the constant is code")
    };
    let captures = alloc::elements(code.captures).iter();
    let free = alloc::slice(
        mc,
        captures.map(|capture| {
            Lock::new(match *capture {
                Capture::Register(register) => regs[usize::from(register as Register)],
                Capture::Free(index) => free(regs, index),
            })
        }),
    )?;
    Ok(Value::Procedure(alloc::new(mc, Closure { code, free })?))
}

impl<'gc> Vector<'gc> {
    /// Replaces an element.
    #[inline]
    pub fn set(
        mc: &gc_core::Mutation<'gc>,
        vector: Gc<'gc, Vector<'gc>>,
        index: usize,
        value: Value<'gc>,
    ) {
        alloc::write(mc, vector.items)[index].unlock().set(value);
    }
}

impl<'gc> Value<'gc> {
    /// Whether the value is of a kind.
    #[inline]
    pub fn is(self, kind: Kind) -> bool {
        match kind {
            Kind::Null => matches!(self, Value::Nil),
            Kind::Pair => matches!(self, Value::Pair(_)),
            Kind::Symbol => matches!(self, Value::Symbol(_)),
            Kind::String => matches!(self, Value::String(_)),
            Kind::Vector => matches!(self, Value::Vector(_)),
            Kind::Char => matches!(self, Value::Char(_)),
            Kind::Boolean => matches!(self, Value::Bool(_)),
            Kind::Number => matches!(self, Value::Fixnum(_) | Value::Flonum(_)),
            Kind::Integer => match self {
                Value::Fixnum(_) => true,
                Value::Flonum(x) => x.fract() == 0.0,
                _ => false,
            },
            Kind::Procedure => matches!(
                self,
                Value::Procedure(_)
                    | Value::Primitive(_)
                    | Value::Continuation(_)
                    | Value::RecordProcedure(_)
            ),
        }
    }
}
