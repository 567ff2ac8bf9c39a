//! A slice of execution: the loop around instructions, applications and faults.

use gc_core::Mutation;

use super::execute::{Event, execute};
use super::stack::Stack;
use super::{Context, Machine, Stop, raise};
use crate::error::Fault;
use crate::host::Host;

impl<'gc> Machine<'gc> {
    /// Runs until the form is finished or something stops it; `fuel` is the number of calls and
    /// loop rounds to execute.
    pub fn run(&self, mc: &'gc Mutation<'gc>, host: &mut Host, fuel: &mut usize) -> Stop<'gc> {
        let mut guard = self.stack.borrow_mut(mc);
        let stack = &mut *guard;
        let stop = self.run_slice(mc, stack, host, fuel);
        stack.trim();
        stop
    }

    fn run_slice(
        &self,
        mc: &'gc Mutation<'gc>,
        stack: &mut Stack<'gc>,
        host: &mut Host,
        fuel: &mut usize,
    ) -> Stop<'gc> {
        let mut context = Context {
            mc,
            symbols: self.symbols,
            dynamic: self.dynamic,
            registry: self.registry,
            handler: self.handler,
            host,
        };
        if stack.reserve(stack.top(), usize::MAX).is_err() {
            return raise::overflow(stack);
        }
        loop {
            let result = match stack.pending {
                // Applications are safepoints too; one that fails for want of memory did not
                // happen.
                Some(_) if *fuel == 0 => return Stop::Suspended,
                Some(count) => {
                    let result = self.apply(&mut context, stack, count);
                    if !matches!(result, Err(Stop::Memory(_))) {
                        *fuel -= 1;
                    }
                    result
                }
                None if context.host.request => self.interrupt(&mut context, stack),
                None => match execute(&mut context, stack, fuel) {
                    Event::Suspended => return Stop::Suspended,
                    Event::Finished(value) => return Stop::Finished(value),
                    Event::Apply => Ok(()),
                    Event::Overflow => return raise::overflow(stack),
                    Event::Fault(fault) => {
                        if let Fault::Memory(error) = *fault {
                            stack.pc -= 1;
                            return Stop::Memory(error);
                        }
                        self.raise(mc, stack, *fault)
                    }
                },
            };
            if let Err(stop) = result {
                return stop;
            }
        }
    }
}
