//! Compiled procedure bodies: instructions for a register machine.
//!
//! An instruction is eight bytes: an operation, up to three registers of the current frame, and
//! an immediate. A frame has at most 256 registers, so that a register number is a byte and the
//! machine needs no bounds check for it. Register 0 holds the procedure that runs, registers
//! `1..=n` its arguments, the others local variables and intermediate results. A call places the
//! callee in register `base` and its arguments behind it; the callee's frame begins at `base`, and
//! its result appears in `base`. Jump offsets count from the following instruction.

use gc_core::Collect;

use crate::alloc::{self, Slice, Text};
use crate::error::Position;
use crate::value::Value;

/// The number of a register in the current frame.
pub type Register = u8;

/// Registers of a frame.
pub const WINDOW: usize = 256;

/// The kinds that a type predicate tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its predicate")]
pub enum Kind {
    Null,
    Pair,
    Symbol,
    String,
    Vector,
    Procedure,
    Char,
    Boolean,
    Number,
    Integer,
}

/// An instruction.
#[derive(Clone, Copy, Debug)]
#[rustfmt::skip]
#[allow(missing_docs, reason = "operands are explained by the instruction's line")]
pub enum Op {
    /// dst = src
    Move { dst: Register, src: Register },
    /// dst = constant
    Constant { dst: Register, index: u32 },
    /// dst = number
    Fixnum { dst: Register, value: i32 },
    /// dst = global variable named by the constant
    Global { dst: Register, index: u32 },
    /// assigns a bound global variable
    SetGlobal { src: Register, index: u32 },
    /// binds a global variable
    DefineGlobal { src: Register, index: u32 },
    /// dst = free variable
    Free { dst: Register, index: u16 },
    /// dst = contents of the box in a free variable
    FreeBox { dst: Register, index: u16 },
    /// contents of the box in a free variable = src
    SetFreeBox { src: Register, index: u16 },
    /// wraps a register's value in a new box
    MakeBox { register: Register },
    /// dst = contents of a box
    BoxRef { dst: Register, src: Register },
    /// contents of a box = src
    BoxSet { target: Register, src: Register },
    /// dst = closure of the code among the constants
    Closure { dst: Register, index: u32 },
    /// free variable of a closure made before = src
    Patch { closure: Register, src: Register, index: u16 },

    /// continues elsewhere
    Jump { offset: i32 },
    /// continues at a loop's head; a safepoint
    LoopBack { offset: i32 },
    JumpIfFalse { src: Register, offset: i32 },
    JumpIfTrue { src: Register, offset: i32 },
    JumpUnlessNull { src: Register, offset: i32 },
    JumpIfNull { src: Register, offset: i32 },
    JumpUnlessPair { src: Register, offset: i32 },
    JumpIfPair { src: Register, offset: i32 },
    JumpUnlessEq { a: Register, b: Register, offset: i32 },
    JumpIfEq { a: Register, b: Register, offset: i32 },
    JumpUnlessLess { a: Register, b: Register, offset: i32 },
    JumpUnlessLessEqual { a: Register, b: Register, offset: i32 },
    JumpUnlessEqual { a: Register, b: Register, offset: i32 },
    JumpUnlessLessImmediate { a: Register, immediate: i16, offset: i32 },
    JumpUnlessLessEqualImmediate { a: Register, immediate: i16, offset: i32 },
    JumpUnlessGreaterImmediate { a: Register, immediate: i16, offset: i32 },
    JumpUnlessGreaterEqualImmediate { a: Register, immediate: i16, offset: i32 },
    JumpUnlessEqualImmediate { a: Register, immediate: i16, offset: i32 },

    /// calls the procedure in `base`
    Call { base: Register, count: u8 },
    /// calls it in place of the current frame
    TailCall { base: Register, count: u8 },
    /// fetches a global variable into `base` and calls it
    CallGlobal { base: Register, count: u8, index: u32 },
    /// the same in place of the current frame
    TailCallGlobal { base: Register, count: u8, index: u32 },
    /// ends the frame with a result
    Return { src: Register },

    Cons { dst: Register, a: Register, b: Register },
    Car { dst: Register, src: Register },
    Cdr { dst: Register, src: Register },
    Cadr { dst: Register, src: Register },
    Cddr { dst: Register, src: Register },
    SetCar { target: Register, src: Register },
    SetCdr { target: Register, src: Register },
    VectorRef { dst: Register, vector: Register, index: Register },
    VectorSet { vector: Register, index: Register, src: Register },
    Add { dst: Register, a: Register, b: Register },
    AddImmediate { dst: Register, a: Register, immediate: i32 },
    Subtract { dst: Register, a: Register, b: Register },
    Multiply { dst: Register, a: Register, b: Register },
    Quotient { dst: Register, a: Register, b: Register },
    Remainder { dst: Register, a: Register, b: Register },
    Less { dst: Register, a: Register, b: Register },
    LessEqual { dst: Register, a: Register, b: Register },
    Equal { dst: Register, a: Register, b: Register },
    Eq { dst: Register, a: Register, b: Register },
    Eqv { dst: Register, a: Register, b: Register },
    Not { dst: Register, src: Register },
    Is { dst: Register, src: Register, kind: Kind },
}

const _: () = assert!(size_of::<Op>() == 8);

/// Where a closure finds the value of a free variable when it is made.
#[derive(Clone, Copy, Debug, Collect)]
#[collect(require_static)]
pub enum Capture {
    /// A register of the frame that makes it.
    Register(Register),
    /// A free variable of the procedure that makes it.
    Free(u16),
}

/// The position of the instructions from `start` to the next entry.
#[derive(Clone, Copy, Debug, Collect)]
#[collect(require_static)]
pub struct Line {
    /// The first instruction.
    pub start: u32,
    /// Where it comes from.
    pub position: Position,
}

/// A managed instruction.
#[derive(Clone, Copy, Debug, Collect)]
#[collect(require_static)]
#[repr(transparent)]
pub struct Instruction(pub Op);

/// A compiled procedure body.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Code<'gc> {
    /// The instructions; the last one never falls through.
    pub ops: Slice<'gc, Instruction>,
    /// What instructions refer to by index.
    pub constants: Slice<'gc, Value<'gc>>,
    /// What a closure of this code captures.
    pub captures: Slice<'gc, Capture>,
    /// Positions, by ascending first instruction.
    pub lines: Slice<'gc, Line>,
    /// The name of the source text.
    pub source: Text<'gc>,
    /// The name of the procedure, empty if it has none.
    pub name: Text<'gc>,
    /// Arguments it needs.
    pub required: u8,
    /// Whether further arguments are passed as a list.
    pub rest: bool,
    /// Registers it uses, at most [`WINDOW`].
    pub registers: u16,
}

impl Code<'_> {
    /// The position of instruction `index`.
    pub fn position(&self, index: usize) -> Position {
        let lines = alloc::elements(self.lines);
        let after = lines.partition_point(|line| line.start as usize <= index);
        match after.checked_sub(1) {
            Some(last) => lines[last].position,
            None => Position::default(),
        }
    }
}
