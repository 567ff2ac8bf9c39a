//! A Scheme on a garbage-collected heap.
//!
//! Its values, environments, closures, stack and code are objects of a [`gc_core::Arena`], made
//! with `#[derive(Collect)]` and nothing but safe code. It exists to exercise the collector with a
//! real program and as a model for language runtimes on it:
//!
//! - an [`Interpreter`] runs a program in slices, each inside one `mutate`, and lets the collector
//!   work between them ([`machine`]);
//! - source text is read ([`reader`]), expanded ([`syntax`]), and compiled once to instructions of a
//!   register machine ([`compiler`], [`code`]);
//! - when memory is out, the machine leaves `mutate` before the instruction that failed, collects,
//!   and repeats it.
//!
//! # The language
//!
//! R7RS-small in spirit: proper tail calls, first-class re-entrant continuations, `dynamic-wind`,
//! multiple values, exceptions, records, promises, parameters, `syntax-rules`, quasiquotation.
//! Exact integers have 64 bits; a result that does not fit becomes inexact. There are no fractions,
//! no ports besides one output, and no libraries. `syntax-rules` is hygienic for the variables that
//! a template binds ([`syntax::macros`] tells the gap). A procedure has at most 254 variables and
//! intermediate values at a time. Recursion is limited by the stack's limit ([`Options`]), and
//! exceeding it is an error of the program, as is running out of memory.
//!
//! # Storage management
//!
//! As in Chez Scheme: weak pairs (`weak-cons`), ephemeron pairs (`ephemeron-cons`, and SRFI 124), both pairs to
//! all procedures, with `#!bwp` in place of what is gone ([`weak`]); guardians (`make-guardian`), which return
//! what has become inaccessible ([`guardian`]); hash tables with weak keys (`make-weak-eq-hashtable`); `collect`,
//! and `collect-request-handler`, by which a program decides itself when to collect. `(collect)` is a full
//! collection, after which guardians have all that is inaccessible. What differs from Chez Scheme: there are no
//! generations; interned symbols are never inaccessible; and a procedure that is still running may keep alive
//! what it does not use any more, as its registers are not cleared.
//!
//! ```
//! use gc_scheme::{Interpreter, Options, Outcome};
//!
//! let mut scheme = Interpreter::new(Options::default())?;
//! let program = "(define ports (make-guardian)) (ports (list 'port 7)) (collect) (ports)";
//! assert_eq!(scheme.load_str("example", program)?, Outcome::Value("(port 7)".into()));
//! # Ok::<(), gc_scheme::SchemeError>(())
//! ```
//!
//! ```
//! use gc_scheme::{Interpreter, Options, Outcome};
//!
//! let mut scheme = Interpreter::new(Options::default())?;
//! let outcome = scheme.load_str("example", "(define (square x) (* x x)) (map square '(1 2 3))")?;
//! assert_eq!(outcome, Outcome::Value("(1 4 9)".into()));
//! # Ok::<(), gc_scheme::SchemeError>(())
//! ```

#![forbid(unsafe_code)]

pub mod alloc;
pub mod code;
pub mod compiler;
pub mod equality;
pub mod error;
pub mod guardian;
pub mod host;
mod interpreter;
pub mod machine;
pub mod primitives;
pub mod printer;
pub mod programs;
pub mod reader;
pub mod symbol;
pub mod syntax;
pub mod table;
pub mod value;
pub mod weak;

pub use error::SchemeError;
pub use interpreter::{Interpreter, Options, Outcome, Step};
