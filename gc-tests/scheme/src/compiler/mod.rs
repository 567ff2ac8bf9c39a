//! From the expander's tree to [`Code`]: the compiler.
//!
//! Two passes. The first (`capture.rs`) decides where each variable lives: in a register of the body
//! that binds it, captured by value in the closures of inner bodies, or in a box, if it is assigned
//! or used before its definition. Boxes make assigned variables survive the copying of the stack by
//! `call/cc`, and closures cheap, because everything else is captured by value. The second pass
//! (`generate.rs`, `control.rs`, `branch.rs`) emits instructions: expressions are evaluated into a
//! register chosen by their context, tests into jumps.
//!
//! Compilation allocates in the managed heap and stops with an error when memory is out; the caller
//! repeats it from the source tree.

mod branch;
mod capture;
mod constant;
mod control;
mod function;
mod generate;

use std::rc::Rc;

use gc_core::{Gc, Mutation};

use crate::alloc::{self, HeapError, Text};
use crate::code::Code;
use crate::error::SyntaxError;
use crate::reader::syntax::Syntax;
use crate::symbol::SymbolTable;
use crate::syntax::{self, Globals};
use crate::value::{Closure, Value};
use function::Function;

pub use constant::{from_value, to_value};

/// Why a form was not compiled.
pub enum CompileError {
    /// It is wrong.
    Syntax(SyntaxError),
    /// Memory is out.
    Memory(HeapError),
}

impl From<SyntaxError> for CompileError {
    fn from(error: SyntaxError) -> Self {
        CompileError::Syntax(error)
    }
}

impl From<HeapError> for CompileError {
    fn from(error: HeapError) -> Self {
        CompileError::Memory(error)
    }
}

type Compiled<T = ()> = Result<T, CompileError>;

/// The state of a compilation.
struct Compiler<'gc> {
    mc: &'gc Mutation<'gc>,
    symbols: Gc<'gc, SymbolTable<'gc>>,
    source: Text<'gc>,
    variables: Vec<syntax::node::Variable>,
    /// The bodies being compiled, innermost last.
    functions: Vec<Function<'gc>>,
}

/// Compiles a top-level form to a procedure without arguments.
pub fn compile<'gc>(
    mc: &'gc Mutation<'gc>,
    symbols: Gc<'gc, SymbolTable<'gc>>,
    globals: &mut Globals,
    source: &str,
    form: &Syntax,
) -> Result<Gc<'gc, Closure<'gc>>, CompileError> {
    let mut program = syntax::expand_toplevel(globals, form)?;
    capture::analyze(&mut program);
    let mut compiler = Compiler {
        mc,
        symbols,
        source: alloc::text(mc, source)?,
        variables: program.variables,
        functions: Vec::new(),
    };
    let empty: Rc<str> = "".into();
    let code = compiler.body(0, &empty, &[], false, &[], &program.node, form.position)?;
    compiler.closure_of(code)
}

impl<'gc> Compiler<'gc> {
    /// A closure of code that captures nothing.
    fn closure_of(&self, code: Gc<'gc, Code<'gc>>) -> Compiled<Gc<'gc, Closure<'gc>>> {
        let free = alloc::slice(self.mc, [])?;
        Ok(alloc::new(self.mc, Closure { code, free })?)
    }

    /// The constant that names a global variable.
    fn global(&mut self, name: &Rc<str>) -> Compiled<u32> {
        if let Some(&index) = self.function().globals.get(name) {
            return Ok(index);
        }
        let symbol = SymbolTable::intern(self.symbols, self.mc, name)?;
        let index = self.function().constant(Value::Symbol(symbol));
        self.function().globals.insert(name.clone(), index);
        Ok(index)
    }
}
