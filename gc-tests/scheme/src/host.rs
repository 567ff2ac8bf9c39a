//! What a program reaches outside its heap: output, time, its arguments, the compiler's memory.

use std::io::Write;
use std::time::Instant;

use crate::syntax::Globals;

/// The world outside the heap.
pub struct Host {
    /// Where output goes.
    pub output: Box<dyn Write>,
    /// When the interpreter was made.
    pub started: Instant,
    /// The program's name and arguments.
    pub command_line: Vec<String>,
    /// What the compiler remembers between forms.
    pub globals: Globals,
    /// The state of the random number generator.
    pub random: u64,
    /// Counts generated symbols.
    pub generated: u64,
    /// Changes whenever objects may have moved, so that tables know when addresses are stale.
    pub epoch: u64,
    /// The program asked for a full collection.
    pub collect: bool,
    /// The program leaves it to the collector when to collect, and has no handler of its own.
    pub automatic: bool,
    /// A collection is due, and the program's handler is to be called.
    pub request: bool,
    /// Counts the programs that were started.
    pub program: u64,
    /// The form of the program that is to be compiled next. Continuations go back in it.
    pub next_form: usize,
    /// How many registers and frames the stack may have.
    pub stack_limit: usize,
}
