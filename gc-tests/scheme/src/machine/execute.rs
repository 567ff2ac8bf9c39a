//! The loop over instructions.
//!
//! While it runs, the next instruction, the frame's base and a window of its registers are local
//! variables; they go back to the [`Stack`] when something stops the loop. Fast cases are here, all
//! others in functions of their own, so that the loop stays small.

use gc_core::{Gc, Lock, barrier::unlock};

use super::Context;
use super::arithmetic::{self, Division};
use super::stack::{Frame, Stack, grow, window};
use super::support::{
    adapt, add_immediate, as_floats, bad_index, free, make_closure, not_number, second, select,
    set_car, set_cdr, unbound, unboxed,
};
use crate::alloc;
use crate::code::{Op, WINDOW};
use crate::error::BoxedFault;
use crate::primitives::{Action, Primitive};
use crate::symbol::Symbol;
use crate::value::{Pair, Value, Vector};

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

type Window<'a, 'gc> = &'a mut [Value<'gc>; WINDOW];

/// Executes instructions from where the stack stands.
pub(super) fn execute<'gc>(
    context: &mut Context<'_, 'gc>,
    stack: &mut Stack<'gc>,
    fuel: &mut usize,
) -> Event<'gc> {
    let mc = context.mc;
    let limit = context.host.stack_limit;
    let Some(mut code) = stack.code else {
        return Event::Finished(Value::Unspecified);
    };
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
    macro_rules! jump_if {
        ($condition:expr, $offset:expr) => {
            if $condition {
                jump!($offset);
            }
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
    macro_rules! push_frame {
        () => {{
            let (pc, base) = (pc as u32, base as u32);
            frames.push(Frame { code, pc, base });
        }};
    }
    macro_rules! enter {
        ($callee:expr) => {{
            code = $callee;
            ops = alloc::elements(code.ops);
            constants = alloc::elements(code.constants);
        }};
    }
    macro_rules! symbol {
        ($index:expr) => {
            match constants[$index as usize] {
                Value::Symbol(symbol) => symbol,
                _ => unreachable!("the constant names a global variable"),
            }
        };
    }
    macro_rules! global {
        ($index:expr) => {
            match symbol!($index).value.get() {
                Value::Undefined => break Event::Fault(unbound(symbol!($index))),
                value => value,
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
                    push_frame!();
                    base += from;
                    if grow(values, frames.len(), base, limit).is_err() {
                        break Event::Overflow;
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
                    push_frame!();
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
    // Registers are matched in place: a register that was just written would be slow to load as a
    // whole.
    macro_rules! arithmetic {
        ($dst:expr, $a:expr, $b:expr, $checked:ident, $operator:tt, $slow:path) => {
            match (&r!($a), &r!($b)) {
                (Value::Fixnum(x), Value::Fixnum(y)) => match x.$checked(*y) {
                    Some(result) => r!($dst) = Value::Fixnum(result),
                    None => r!($dst) = check!($slow(r!($a), r!($b))),
                },
                (Value::Flonum(x), Value::Flonum(y)) => r!($dst) = Value::Flonum(x $operator y),
                _ => r!($dst) = check!($slow(r!($a), r!($b))),
            }
        };
    }
    macro_rules! division {
        ($dst:expr, $a:expr, $b:expr, $operator:tt, $division:expr) => {
            match (&r!($a), &r!($b)) {
                (Value::Fixnum(x), Value::Fixnum(y)) if *y > 0 => {
                    r!($dst) = Value::Fixnum(x $operator y);
                }
                _ => r!($dst) = check!(arithmetic::integer_divide($division, r!($a), r!($b))),
            }
        };
    }
    macro_rules! compare {
        ($a:expr, $b:expr, $operator:tt, $name:literal) => {{
            let (a, b): (&Value, &Value) = (&$a, &$b);
            match (a, b) {
                (Value::Fixnum(x), Value::Fixnum(y)) => x $operator y,
                (Value::Flonum(x), Value::Flonum(y)) => x $operator y,
                _ => {
                    let (x, y) = check!(as_floats($name, *a, *b));
                    x $operator y
                }
            }
        }};
    }
    macro_rules! jump_unless_immediate {
        ($a:expr, $immediate:expr, $operator:tt, $name:literal, $offset:expr) => {
            let holds = match &r!($a) {
                Value::Fixnum(x) => *x $operator i64::from($immediate),
                Value::Flonum(x) => *x $operator f64::from($immediate),
                _ => break Event::Fault(not_number($name, r!($a))),
            };
            if !holds {
                jump!($offset);
            }
        };
    }
    macro_rules! is_eq {
        ($a:expr, $b:expr) => {
            match (&r!($a), &r!($b)) {
                (Value::Symbol(a), Value::Symbol(b)) => Gc::ptr_eq(*a, *b),
                (Value::Fixnum(a), Value::Fixnum(b)) => a == b,
                (Value::Pair(a), Value::Pair(b)) => Gc::ptr_eq(*a, *b),
                (a, b) => a.is_eq(*b),
            }
        };
    }
    // A half of a pair. What is no ordinary pair is left to others.
    macro_rules! half {
        ($dst:expr, $src:expr, $half:ident, $name:literal, $path:literal) => {
            match &r!($src) {
                Value::Pair(pair) => r!($dst) = pair.$half.get(),
                value => r!($dst) = check!(select(mc, $name, $path, *value)),
            }
        };
    }
    macro_rules! second {
        ($dst:expr, $src:expr, $half:ident, $name:literal, $path:literal) => {
            match second(&r!($src)) {
                Some(pair) => r!($dst) = pair.$half.get(),
                None => r!($dst) = check!(select(mc, $name, $path, r!($src))),
            }
        };
    }
    macro_rules! set_half {
        ($target:expr, $src:expr, $half:ident, $slow:path) => {
            match &r!($target) {
                Value::Pair(pair) => unlock!(Gc::write(mc, *pair), Pair, $half).set(r!($src)),
                value => check!($slow(mc, *value, r!($src))),
            }
        };
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
                Symbol::define(symbol!(index), mc, r!(src));
            }
            Op::DefineGlobal { src, index } => Symbol::define(symbol!(index), mc, r!(src)),
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
                jump_if!(matches!(r!(src), Value::Bool(false)), offset)
            }
            Op::JumpIfTrue { src, offset } => {
                jump_if!(!matches!(r!(src), Value::Bool(false)), offset)
            }
            Op::JumpUnlessNull { src, offset } => jump_if!(!matches!(r!(src), Value::Nil), offset),
            Op::JumpIfNull { src, offset } => jump_if!(matches!(r!(src), Value::Nil), offset),
            Op::JumpUnlessPair { src, offset } => {
                jump_if!(
                    !matches!(r!(src), Value::Pair(_) | Value::WeakPair(_)),
                    offset
                )
            }
            Op::JumpIfPair { src, offset } => jump_if!(
                matches!(r!(src), Value::Pair(_) | Value::WeakPair(_)),
                offset
            ),
            Op::JumpUnlessEq { a, b, offset } => jump_if!(!is_eq!(a, b), offset),
            Op::JumpIfEq { a, b, offset } => jump_if!(is_eq!(a, b), offset),
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
                jump_unless_immediate!(a, immediate, <, "<", offset);
            }
            Op::JumpUnlessLessEqualImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless_immediate!(a, immediate, <=, "<=", offset);
            }
            Op::JumpUnlessGreaterImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless_immediate!(a, immediate, >, ">", offset);
            }
            Op::JumpUnlessGreaterEqualImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless_immediate!(a, immediate, >=, ">=", offset);
            }
            Op::JumpUnlessEqualImmediate {
                a,
                immediate,
                offset,
            } => {
                jump_unless_immediate!(a, immediate, ==, "=", offset);
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
            Op::Car { dst, src } => half!(dst, src, car, "car", "a"),
            Op::Cdr { dst, src } => half!(dst, src, cdr, "cdr", "d"),
            Op::Cadr { dst, src } => second!(dst, src, car, "cadr", "da"),
            Op::Cddr { dst, src } => second!(dst, src, cdr, "cddr", "dd"),
            Op::SetCar { target, src } => set_half!(target, src, car, set_car),
            Op::SetCdr { target, src } => set_half!(target, src, cdr, set_cdr),
            Op::VectorRef { dst, vector, index } => match (&r!(vector), &r!(index)) {
                (Value::Vector(vector), Value::Fixnum(i))
                    if (*i as usize) < alloc::elements(vector.items).len() =>
                {
                    r!(dst) = alloc::elements(vector.items)[*i as usize].get();
                }
                (vector, index) => break Event::Fault(bad_index("vector-ref", *vector, *index)),
            },
            Op::VectorSet { vector, index, src } => match (&r!(vector), &r!(index)) {
                (Value::Vector(vector), Value::Fixnum(i))
                    if (*i as usize) < alloc::elements(vector.items).len() =>
                {
                    Vector::set(mc, *vector, *i as usize, r!(src));
                }
                (vector, index) => break Event::Fault(bad_index("vector-set!", *vector, *index)),
            },
            Op::Add { dst, a, b } => arithmetic!(dst, a, b, checked_add, +, arithmetic::add),
            Op::AddImmediate { dst, a, immediate } => {
                let sum = match &r!(a) {
                    Value::Fixnum(x) => x.checked_add(immediate.into()),
                    _ => None,
                };
                match sum {
                    Some(sum) => r!(dst) = Value::Fixnum(sum),
                    None => r!(dst) = check!(add_immediate(r!(a), immediate)),
                }
            }
            Op::Subtract { dst, a, b } => {
                arithmetic!(dst, a, b, checked_sub, -, arithmetic::subtract);
            }
            Op::Multiply { dst, a, b } => {
                arithmetic!(dst, a, b, checked_mul, *, arithmetic::multiply);
            }
            Op::Quotient { dst, a, b } => division!(dst, a, b, /, Division::Quotient),
            Op::Remainder { dst, a, b } => division!(dst, a, b, %, Division::Remainder),
            Op::Less { dst, a, b } => {
                r!(dst) = Value::Bool(compare!(r!(a), r!(b), <, "<"));
            }
            Op::LessEqual { dst, a, b } => {
                r!(dst) = Value::Bool(compare!(r!(a), r!(b), <=, "<="));
            }
            Op::Equal { dst, a, b } => {
                r!(dst) = Value::Bool(compare!(r!(a), r!(b), ==, "="));
            }
            Op::Eq { dst, a, b } => r!(dst) = Value::Bool(is_eq!(a, b)),
            Op::Eqv { dst, a, b } => r!(dst) = Value::Bool(r!(a).is_eqv(r!(b))),
            Op::Not { dst, src } => r!(dst) = Value::Bool(matches!(r!(src), Value::Bool(false))),
            Op::Is { dst, src, kind } => r!(dst) = Value::Bool(r!(src).is(kind)),
        }
    };
    stack.code = Some(code);
    stack.pc = pc;
    stack.base = base;
    stack.pending = pending;
    event
}
