//! The procedures of the library that are written in Rust.
//!
//! Each module has a table of its procedures; all of them become global variables of a new
//! machine. What calls back into the program (`map`, `sort`, `dynamic-wind` …) is written in Scheme,
//! in `prelude.scm`, so that it can be suspended and captured like any other code.
//!
//! A primitive allocates everything before it changes or prints anything, because it is repeated
//! from its start when memory runs out. Names with `%` are for the library and the expander.

pub mod arguments;
mod chars;
mod control;
pub(crate) mod lists;
mod math;
mod numbers;
mod output;
mod storage;
mod strings;
mod tables;
mod text;
mod vectors;

use std::fmt;

use crate::error::Outcome;
use crate::machine::Context;
use crate::value::Value;

/// A primitive's implementation.
pub type Function = for<'a, 'gc> fn(&mut Context<'a, 'gc>, &[Value<'gc>]) -> Outcome<'gc>;

/// What a primitive that changes the flow of control does.
#[derive(Clone, Copy, Debug)]
pub enum Control {
    /// `(apply procedure argument … list)`
    Apply,
    /// `(%apply-values procedure values)`
    ApplyValues,
    /// `(call/cc procedure)`
    CallWithCurrentContinuation,
    /// `(%reinstate continuation value)`, without regard to `dynamic-wind`
    Reinstate,
    /// `(eval datum)`
    Eval,
    /// `(collect)`
    Collect,
}

/// What a primitive does.
pub enum Action {
    /// Computes a value.
    Function(Function),
    /// Changes the flow of control.
    Control(Control),
}

/// How many arguments a primitive takes.
#[derive(Clone, Copy)]
pub struct Arity {
    minimum: usize,
    maximum: usize,
}

impl Arity {
    /// Whether `count` arguments are right.
    #[inline]
    pub fn accepts(self, count: usize) -> bool {
        (self.minimum..=self.maximum).contains(&count)
    }
}

impl fmt::Display for Arity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.minimum, self.maximum) {
            (1, 1) => write!(f, "1 argument"),
            (n, m) if n == m => write!(f, "{n} arguments"),
            (n, usize::MAX) => write!(f, "at least {n} argument{}", if n == 1 { "" } else { "s" }),
            (n, m) => write!(f, "{n} to {m} arguments"),
        }
    }
}

/// A procedure of the library.
pub struct Primitive {
    /// The global variables that hold it, its own name first.
    pub names: &'static [&'static str],
    /// How many arguments it takes.
    pub arity: Arity,
    /// What it does.
    pub action: Action,
}

impl Primitive {
    /// Its own name.
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    const fn new(
        names: &'static [&'static str],
        minimum: usize,
        maximum: usize,
        function: Function,
    ) -> Self {
        Primitive {
            names,
            arity: Arity { minimum, maximum },
            action: Action::Function(function),
        }
    }

    const fn control(
        names: &'static [&'static str],
        minimum: usize,
        maximum: usize,
        control: Control,
    ) -> Self {
        Primitive {
            names,
            arity: Arity { minimum, maximum },
            action: Action::Control(control),
        }
    }
}

/// The maximum of a procedure that takes any number of arguments.
const MANY: usize = usize::MAX;

/// `collect`.
pub(crate) fn collect() -> &'static Primitive {
    &storage::COLLECT
}

/// All primitives.
pub fn all() -> impl Iterator<Item = &'static Primitive> {
    [
        numbers::TABLE,
        math::TABLE,
        lists::TABLE,
        lists::SELECTORS,
        chars::TABLE,
        strings::TABLE,
        text::TABLE,
        vectors::TABLE,
        tables::TABLE,
        control::TABLE,
        storage::TABLE,
        output::TABLE,
        std::slice::from_ref(collect()),
    ]
    .into_iter()
    .flatten()
}
