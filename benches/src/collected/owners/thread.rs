//! Coroutines: a stack of values and a stack of frames each.

use super::closure::{Closure, Code};
use super::gc::{Collect, Gc, GcWeak, Mutation, RefLock};
use super::value::Value;

/// What is being run.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Frame<'gc> {
    /// A function of the language.
    Call {
        function: Closure<'gc>,
        /// Where its values begin on the stack.
        base: usize,
        /// Where it goes on.
        at: usize,
        /// How many results its caller wants.
        results: Option<usize>,
    },
    /// The machine's own function that resumes another coroutine.
    Resume { other: Thread<'gc>, base: usize },
}

#[derive(Collect, Default)]
#[collect(no_drop)]
pub struct Stack<'gc> {
    values: Vec<Value<'gc>>,
    frames: Vec<Frame<'gc>>,
}

impl Stack<'_> {
    /// Ends the coroutine and gives back its memory.
    pub fn reset(&mut self) {
        *self = Stack::default();
    }
}

/// A coroutine.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Thread<'gc>(Gc<'gc, RefLock<Stack<'gc>>>);

/// A weak pointer to a coroutine.
pub type WeakThread<'gc> = GcWeak<'gc, RefLock<Stack<'gc>>>;

impl<'gc> Thread<'gc> {
    /// A coroutine that has yet to call `function`.
    pub fn new(mc: &Mutation<'gc>, function: Closure<'gc>) -> Thread<'gc> {
        let thread = Thread(Gc::new(mc, RefLock::default()));
        let mut stack = thread.0.borrow_mut(mc);
        stack.values.push(function.into());
        stack.frames.push(Frame::Call {
            function,
            base: 1,
            at: 0,
            results: None,
        });
        thread
    }

    pub fn downgrade(self) -> WeakThread<'gc> {
        Gc::downgrade(self.0)
    }

    pub fn address(self) -> *const () {
        Gc::as_ptr(self.0).cast()
    }

    /// Runs the coroutine until it yields a value or returns, which is `Nil`.
    pub fn resume(self, mc: &Mutation<'gc>) -> Value<'gc> {
        let frame = self.0.borrow().frames.last().copied();
        let Some(Frame::Call {
            function, base, at, ..
        }) = frame
        else {
            return Value::Nil;
        };
        if at == 0 {
            let end = base + function.prototype().registers;
            self.0.borrow_mut(mc).values.resize(end, Value::Nil);
        }
        let value = match function.prototype().code {
            Code::Range => self.range(mc, function, base, at),
            Code::Squares => self.squares(mc, function, base),
            _ => panic!("a function that cannot yield"),
        };
        let mut stack = self.0.borrow_mut(mc);
        if value == Value::Nil {
            stack.values.truncate(base - 1);
            stack.frames.pop();
        } else if let Some(Frame::Call { at, .. }) = stack.frames.last_mut() {
            *at += 1;
        }
        value
    }

    fn range(
        self,
        mc: &Mutation<'gc>,
        function: Closure<'gc>,
        base: usize,
        at: usize,
    ) -> Value<'gc> {
        let mut stack = self.0.borrow_mut(mc);
        let registers = &mut stack.values[base..];
        if at == 0 {
            registers[0] = function.variable(0).get();
            registers[1] = function.variable(1).get();
        }
        let next = registers[0].int();
        if next > registers[1].int() {
            return Value::Nil;
        }
        registers[0] = Value::Int(next + 1);
        registers[2] = Value::Int(next);
        registers[2]
    }

    fn squares(self, mc: &Mutation<'gc>, function: Closure<'gc>, base: usize) -> Value<'gc> {
        let other = function.variable(0).get().thread();
        {
            let mut stack = self.0.borrow_mut(mc);
            let base = stack.values.len();
            stack.values.push(other.into());
            stack.frames.push(Frame::Resume { other, base });
        }
        let value = other.resume(mc);
        let mut stack = self.0.borrow_mut(mc);
        let Some(Frame::Resume { other, base: top }) = stack.frames.pop() else {
            panic!("the frame was lost");
        };
        assert!(
            stack.values[top] == Value::Thread(other),
            "a value was lost"
        );
        stack.values.truncate(top);
        if value == Value::Nil {
            return Value::Nil;
        }
        let value = Value::Int(value.int() * value.int());
        stack.values[base] = value;
        value
    }
}
