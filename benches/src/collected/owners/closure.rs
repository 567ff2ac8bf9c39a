//! Closures: a prototype, and the cells of the variables around the function, which it shares with other closures.

use super::gc::{Collect, Gc, Lock, Mutation};
use super::value::Value;

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Collect)]
#[collect(require_static)]
pub enum Code {
    /// Adds its argument to its variable.
    Count,
    /// Calls the second of its variables and then the first.
    Compose,
    /// Adds its variable to its argument.
    Add,
    /// Counts that its argument was finalized, in its variable.
    Close,
    /// A coroutine that yields the numbers from its first variable to the second.
    Range,
    /// A coroutine that yields the squares of what the coroutine in its variable yields.
    Squares,
}

const CODES: [Code; 6] = [
    Code::Count,
    Code::Compose,
    Code::Add,
    Code::Close,
    Code::Range,
    Code::Squares,
];

/// A function without the variables around it.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Prototype {
    pub code: Code,
    /// How many values the function has on the stack.
    pub registers: usize,
    /// The instructions, had the machine any.
    _instructions: Box<[u32]>,
}

/// One prototype for each code.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Prototypes<'gc>(Vec<Gc<'gc, Prototype>>);

impl<'gc> Prototypes<'gc> {
    pub fn new(mc: &Mutation<'gc>) -> Prototypes<'gc> {
        let prototype = |code| Prototype {
            code,
            registers: 6,
            _instructions: vec![0; 24].into(),
        };
        Prototypes(CODES.map(|code| Gc::new(mc, prototype(code))).into())
    }
}

/// A variable that closures share.
pub type Shared<'gc> = Gc<'gc, Lock<Value<'gc>>>;

#[derive(Collect)]
#[collect(no_drop)]
pub struct Function<'gc> {
    prototype: Gc<'gc, Prototype>,
    variables: Vec<Shared<'gc>>,
}

/// A function with the variables around it.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Closure<'gc>(Gc<'gc, Function<'gc>>);

impl<'gc> Closure<'gc> {
    pub fn new(
        mc: &Mutation<'gc>,
        prototypes: &Prototypes<'gc>,
        code: Code,
        variables: Vec<Shared<'gc>>,
    ) -> Closure<'gc> {
        let prototype = prototypes.0[code as usize];
        let function = Function {
            prototype,
            variables,
        };
        Closure(Gc::new(mc, function))
    }

    pub fn prototype(self) -> &'gc Prototype {
        self.0.as_ref().prototype.as_ref()
    }

    pub fn variable(self, index: usize) -> Shared<'gc> {
        self.0.variables[index]
    }

    pub fn address(self) -> *const () {
        Gc::as_ptr(self.0).cast()
    }

    /// Calls the function, which is not one of a coroutine.
    pub fn call(self, mc: &Mutation<'gc>, argument: Value<'gc>) -> Value<'gc> {
        let of_closure = |index: usize| self.variable(index).get().closure();
        match self.prototype().code {
            Code::Count => {
                let variable = self.variable(0);
                let value = Value::Int(variable.get().int() + argument.int());
                variable.set(mc, value);
                value
            }
            Code::Compose => of_closure(0).call(mc, of_closure(1).call(mc, argument)),
            Code::Add => Value::Int(self.variable(0).get().int() + argument.int()),
            Code::Close => {
                let variable = self.variable(0);
                variable.set(mc, Value::Int(variable.get().int() + 1));
                Value::Nil
            }
            Code::Range | Code::Squares => panic!("a coroutine is not called"),
        }
    }
}

/// A new variable.
pub fn variable<'gc>(mc: &Mutation<'gc>, value: impl Into<Value<'gc>>) -> Shared<'gc> {
    Gc::new(mc, Lock::new(value.into()))
}
