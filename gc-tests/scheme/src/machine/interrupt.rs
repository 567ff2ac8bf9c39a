//! The collect-request handler: what a program does when a collection is due.
//!
//! By default that is `collect` itself, and then the collector works at safepoints by its own pace, without
//! the machine. Another handler is called like an interrupt: between two instructions, at the first
//! place where no application is under way, as the frame of a procedure that was called there. What it returns
//! goes to a register that no instruction reads.

use super::stack::{Frame, Stack};
use super::{Context, Machine, Stop, raise};

impl<'gc> Machine<'gc> {
    /// Calls the handler. The next instruction is executed when it returns.
    #[cold]
    pub(super) fn interrupt(
        &self,
        context: &mut Context<'_, 'gc>,
        stack: &mut Stack<'gc>,
    ) -> Result<(), Stop<'gc>> {
        context.host.request = false;
        let Some(code) = stack.code else {
            return Ok(());
        };
        let top = stack.top();
        if stack.reserve(top, usize::MAX).is_err() {
            return Err(raise::overflow(stack));
        }
        let (pc, base) = (stack.pc as u32, stack.base as u32);
        stack.frames.push(Frame { code, pc, base });
        stack.base = top;
        stack.values[top] = self.handler.get();
        stack.pending = Some(0);
        Ok(())
    }
}
