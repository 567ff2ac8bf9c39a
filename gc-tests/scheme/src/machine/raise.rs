//! What happens to faults.

use gc_core::{Gc, Lock, Mutation, barrier::unlock};

use super::stack::{Frame, Stack};
use super::{Machine, Stop};
use crate::alloc::{self, HeapError};
use crate::error::{Fault, Place};
use crate::printer;
use crate::value::{Condition, Pair, Str, Value};

/// A string of the language.
pub(crate) fn string<'gc>(mc: &Mutation<'gc>, text: &str) -> Result<Gc<'gc, Str<'gc>>, HeapError> {
    let chars: Vec<char> = text.chars().collect();
    let chars = alloc::slice(mc, chars.into_iter().map(Lock::new))?;
    alloc::new(mc, Str { chars })
}

/// A list of the language.
pub(crate) fn list<'gc>(
    mc: &Mutation<'gc>,
    items: impl DoubleEndedIterator<Item = Value<'gc>>,
) -> Result<Value<'gc>, HeapError> {
    items.rev().try_fold(Value::Nil, |cdr, car| {
        let pair = Pair {
            car: Lock::new(car),
            cdr: Lock::new(cdr),
        };
        Ok(Value::Pair(alloc::new(mc, pair)?))
    })
}

impl Stack<'_> {
    /// `file:line:column` of the instruction that was executed last.
    pub fn place(&self) -> String {
        self.place_of(self.pc.saturating_sub(1))
    }

    /// `file:line:column` of an instruction of the current code.
    pub(super) fn place_of(&self, pc: usize) -> String {
        let Some(code) = self.code else {
            return "(nowhere)".to_owned();
        };
        let position = code.position(pc);
        Place {
            source: alloc::text_of(code.source).to_owned(),
            position,
        }
        .to_string()
    }
}

impl<'gc> Machine<'gc> {
    /// Hands a fault of the current instruction to the program's innermost handler, or ends the
    /// slice with it.
    #[cold]
    pub(super) fn raise(
        &self,
        mc: &Mutation<'gc>,
        stack: &mut Stack<'gc>,
        fault: Fault<'gc>,
    ) -> Result<(), Stop<'gc>> {
        let raised = match fault {
            Fault::Exit(code) => return Err(Stop::Exit(code)),
            Fault::Memory(error) => Err(error),
            Fault::Error { message, irritants } => make_condition(mc, stack, &message, &irritants),
            Fault::Raise(value) => Ok(value),
        };
        let object = match raised.and_then(|object| self.mark_place(mc, stack, object)) {
            Ok(object) => object,
            Err(error) => {
                if stack.pending.is_none() {
                    stack.pc -= 1;
                }
                return Err(Stop::Memory(error));
            }
        };
        if matches!(self.dynamic.handlers.get(), Value::Nil) {
            return Err(uncaught(mc, stack, object));
        }
        if let Some(code) = stack.code {
            let (pc, base) = (stack.pc as u32, stack.base as u32);
            stack.frames.push(Frame { code, pc, base });
        }
        stack.base = stack.top();
        if stack.reserve(stack.base + 2, usize::MAX).is_err() {
            return Err(overflow(stack));
        }
        stack.values[stack.base] = self.signal.value.get();
        stack.values[stack.base + 1] = object;
        stack.pending = Some(1);
        Ok(())
    }

    /// Notes in a condition where it was raised first.
    fn mark_place(
        &self,
        mc: &Mutation<'gc>,
        stack: &Stack<'gc>,
        object: Value<'gc>,
    ) -> Result<Value<'gc>, HeapError> {
        if let Value::Condition(condition) = object
            && condition.place.get().is_none()
        {
            let place = string(mc, &stack.place())?;
            unlock!(Gc::write(mc, condition), Condition, place).set(Some(place));
        }
        Ok(object)
    }
}

fn make_condition<'gc>(
    mc: &Mutation<'gc>,
    stack: &Stack<'gc>,
    message: &str,
    irritants: &[Value<'gc>],
) -> Result<Value<'gc>, HeapError> {
    let place = string(mc, &stack.place())?;
    let condition = Condition {
        message: string(mc, message)?,
        irritants: list(mc, irritants.iter().copied())?,
        place: Lock::new(Some(place)),
    };
    Ok(Value::Condition(alloc::new(mc, condition)?))
}

/// The end of a program that did not handle `object`.
pub(super) fn uncaught<'gc>(
    mc: &Mutation<'gc>,
    stack: &Stack<'gc>,
    object: Value<'gc>,
) -> Stop<'gc> {
    match object {
        Value::Condition(condition) => {
            let place = condition
                .place
                .get()
                .map_or_else(|| stack.place(), |text| text.to_rust());
            Stop::Uncaught {
                place,
                message: printer::condition_text(mc, condition),
            }
        }
        _ => Stop::Uncaught {
            place: stack.place(),
            message: format!("uncaught exception: {}", printer::written(mc, object)),
        },
    }
}

/// The end of a program whose recursion is too deep.
pub(super) fn overflow<'gc>(stack: &Stack<'gc>) -> Stop<'gc> {
    let bytes = size_of_val(&*stack.values) + size_of_val(&*stack.frames);
    Stop::Uncaught {
        place: stack.place(),
        message: format!(
            "stack overflow: {} calls wait for a result and use {} MiB of stack \
             (the limit is `Options::stack_limit`)",
            stack.frames.len(),
            bytes >> 20
        ),
    }
}
