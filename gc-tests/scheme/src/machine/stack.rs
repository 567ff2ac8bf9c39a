//! The machine's stack: registers of all frames, and the frames that wait for a result.
//!
//! Registers are one growing array; a frame sees the [`WINDOW`] registers from its base on, so the
//! array is always that much longer than the current base. It grows in steps up to a limit, and
//! what lies above the current frame is cut off whenever the machine stops, so that the collector
//! sees no dead values of returned frames.

use gc_core::{Collect, Gc};

use crate::code::{Code, WINDOW};
use crate::value::Value;

/// A frame that waits for the result of a call.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Frame<'gc> {
    /// What it executes.
    pub code: Gc<'gc, Code<'gc>>,
    /// The instruction after the call.
    pub pc: u32,
    /// Its first register.
    pub base: u32,
}

/// The stack, and where execution stands while the machine is stopped.
#[derive(Collect, Default)]
#[collect(no_drop)]
pub struct Stack<'gc> {
    /// The registers.
    pub values: Vec<Value<'gc>>,
    /// The waiting frames, oldest first.
    pub frames: Vec<Frame<'gc>>,
    /// What is executed; `None` before the first program.
    pub code: Option<Gc<'gc, Code<'gc>>>,
    /// The next instruction.
    pub pc: usize,
    /// The first register of the current frame.
    pub base: usize,
    /// If a procedure is to be applied first: how many arguments lie behind it at `base`. `code`
    /// and `pc` then still belong to the caller.
    pub pending: Option<usize>,
}

/// The stack has reached its limit.
pub struct Overflow;

/// How many registers the stack grows by at least.
const STEP: usize = 1024;

impl<'gc> Stack<'gc> {
    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Stack::default();
    }

    /// Makes room for the registers below `top` and a window.
    pub fn reserve(&mut self, top: usize, limit: usize) -> Result<(), Overflow> {
        grow(&mut self.values, self.frames.len(), top, limit)
    }

    /// The first register that the current frame does not use.
    pub fn top(&self) -> usize {
        let used = match (self.pending, self.code) {
            (Some(count), _) => count + 1,
            (None, Some(code)) => usize::from(code.registers),
            (None, None) => 0,
        };
        self.base + used
    }

    /// Cuts off what no frame uses, and gives back memory that is much too large.
    pub fn trim(&mut self) {
        let top = self.top();
        self.values.truncate(top);
        if self.values.capacity() > 64 * STEP && self.values.capacity() / 8 > top {
            self.values.shrink_to(top * 2);
        }
        if self.frames.capacity() > 64 * STEP && self.frames.capacity() / 8 > self.frames.len() {
            self.frames.shrink_to(self.frames.len() * 2);
        }
    }
}

const _: () = assert!(size_of::<Frame<'static>>() == size_of::<Value<'static>>());

/// [`Stack::reserve`] on the registers alone. The limit counts registers and frames, which have the
/// same size.
#[inline]
pub(super) fn grow(
    values: &mut Vec<Value<'_>>,
    frames: usize,
    top: usize,
    limit: usize,
) -> Result<(), Overflow> {
    if top + WINDOW > values.len() {
        extend(values, frames, top, limit)
    } else {
        Ok(())
    }
}

#[cold]
fn extend(
    values: &mut Vec<Value<'_>>,
    frames: usize,
    top: usize,
    limit: usize,
) -> Result<(), Overflow> {
    let length = top + WINDOW + STEP;
    if length.saturating_add(frames) > limit || values.try_reserve(length - values.len()).is_err() {
        return Err(Overflow);
    }
    values.resize(length, Value::Unspecified);
    Ok(())
}

/// The registers of the frame at `base`.
#[inline]
pub(super) fn window<'a, 'gc>(
    values: &'a mut [Value<'gc>],
    base: usize,
) -> &'a mut [Value<'gc>; WINDOW] {
    let slice = &mut values[base..base + WINDOW];
    slice.try_into().expect("the slice is a window long")
}

/// Where execution stands, to tell whether it is there again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pc: usize,
    base: usize,
    frames: usize,
    pending: Option<usize>,
}

impl Stack<'_> {
    /// Where execution stands.
    pub fn mark(&self) -> Mark {
        let frames = self.frames.len();
        Mark {
            pc: self.pc,
            base: self.base,
            frames,
            pending: self.pending,
        }
    }
}
