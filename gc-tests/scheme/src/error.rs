//! Errors, as the embedder sees them and as the machine passes them on.
//!
//! A [`Fault`] is what stops an instruction or a primitive: either memory is out, and the
//! instruction will be repeated after a collection, or the program raised an exception, which a
//! handler of the program may take. A [`SchemeError`] is what is left when nobody took it.

use std::fmt;

use crate::alloc::HeapError;
use crate::value::Value;

/// A place in a source text; both counted from one, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A position with the name of its source: displayed as `file:line:column`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the source.
    pub source: String,
    /// Where in it.
    pub position: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.source, self.position.line, self.position.column
        )
    }
}

/// Why a program did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemeError {
    /// The text is not a program.
    #[error("{place}: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What was found.
        message: String,
        /// Whether more text could make it one.
        incomplete: bool,
    },
    /// The program raised an exception that it did not handle.
    #[error("{place}: {message}")]
    Uncaught {
        /// `file:line:column` of what raised it.
        place: String,
        /// What happened.
        message: String,
    },
    /// Memory is out, also after a full collection.
    #[error("{place}: {cause}")]
    OutOfMemory {
        /// Where.
        place: String,
        /// The figures.
        cause: HeapError,
    },
    /// The heap cannot be made, or is too small for the library.
    #[error("cannot start: {0}")]
    Heap(#[from] HeapError),
    /// Output failed.
    #[error("cannot write output: {0}")]
    Output(#[from] std::io::Error),
    /// Nothing is running.
    #[error("no program is loaded: call `start` first")]
    Idle,
}

/// A syntax error without the name of its source.
#[derive(Debug)]
pub struct SyntaxError {
    /// Where.
    pub position: Position,
    /// What was found.
    pub message: String,
    /// Whether more text could mend it.
    pub incomplete: bool,
}

impl SyntaxError {
    /// An error that more text cannot mend.
    pub fn new(position: Position, message: impl Into<String>) -> Self {
        SyntaxError {
            position,
            message: message.into(),
            incomplete: false,
        }
    }

    /// The error with the name of its source.
    pub fn at(self, source: &str) -> SchemeError {
        SchemeError::Syntax {
            place: Place {
                source: source.to_owned(),
                position: self.position,
            },
            message: self.message,
            incomplete: self.incomplete,
        }
    }
}

/// What stops an instruction or a primitive.
pub enum Fault<'gc> {
    /// Memory is out; repeat after a collection.
    Memory(HeapError),
    /// An error that the machine makes a condition of.
    Error {
        /// What happened.
        message: String,
        /// What it is about.
        irritants: Vec<Value<'gc>>,
    },
    /// An object that the program raises.
    Raise(Value<'gc>),
    /// The program has ended with this exit code.
    Exit(i32),
}

/// A fault, boxed so that results stay two words.
pub type BoxedFault<'gc> = Box<Fault<'gc>>;

/// What a primitive returns.
pub type Outcome<'gc> = Result<Value<'gc>, BoxedFault<'gc>>;

impl From<HeapError> for BoxedFault<'_> {
    #[cold]
    fn from(error: HeapError) -> Self {
        Box::new(Fault::Memory(error))
    }
}

impl<'gc> Fault<'gc> {
    /// An error with a message and nothing to show.
    #[cold]
    pub fn message(message: impl Into<String>) -> BoxedFault<'gc> {
        Box::new(Fault::Error {
            message: message.into(),
            irritants: Vec::new(),
        })
    }

    /// An error about one value.
    #[cold]
    pub fn about(message: impl Into<String>, value: Value<'gc>) -> BoxedFault<'gc> {
        Box::new(Fault::Error {
            message: message.into(),
            irritants: vec![value],
        })
    }

    /// `who` was given `value` where it needs `expected`.
    #[cold]
    pub fn wrong_type(who: &str, expected: &str, value: Value<'gc>) -> BoxedFault<'gc> {
        Self::about(format!("{who}: expected {expected}, found"), value)
    }
}
