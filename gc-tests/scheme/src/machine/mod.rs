//! The machine: runs compiled code in slices between which the collector may work.
//!
//! [`Machine`] is the root of the heap. One call of [`Machine::run`] happens inside one `mutate`: it
//! executes instructions until its fuel, counted in calls and loop rounds, is used up, or something
//! else stops it ([`Stop`]), and leaves the stack such that the next call goes on. Inside a slice
//! nothing is collected. An allocation that fails stops the slice *before* the instruction that
//! made it: every instruction and primitive allocates before it changes anything, so it can be
//! repeated after a collection.
//!
//! `slice.rs` runs a slice, `execute.rs` is the loop over instructions. Whatever is not the application of a closure or of a
//! simple primitive goes through [`Stack::pending`](stack::Stack::pending) to `apply.rs`, and
//! errors through `raise.rs`. `interrupt.rs` calls the program's handler of collections.

mod apply;
pub(crate) use apply::many;
pub mod arithmetic;
mod execute;
mod interrupt;
mod raise;
mod slice;
pub mod stack;
mod support;

use gc_core::{Collect, Gc, GcLock, GcRefLock, Lock, Mutation, RefLock};

use crate::alloc::{self, HeapError};
use crate::guardian::Registry;
use crate::host::Host;
use crate::symbol::{Symbol, SymbolTable};
use crate::value::{Closure, Value};
use stack::Stack;

/// The dynamic state that a continuation remembers besides the stack.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Dynamic<'gc> {
    /// The list of `dynamic-wind` extents entered, innermost first.
    pub winders: Lock<Value<'gc>>,
    /// The list of exception handlers, innermost first.
    pub handlers: Lock<Value<'gc>>,
}

/// The root of the heap.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Machine<'gc> {
    /// The stack.
    pub stack: GcRefLock<'gc, Stack<'gc>>,
    /// All symbols, and with them all global variables.
    pub symbols: Gc<'gc, SymbolTable<'gc>>,
    /// The dynamic state.
    pub dynamic: Gc<'gc, Dynamic<'gc>>,
    /// The registrations of guardians.
    pub registry: Gc<'gc, Registry<'gc>>,
    /// What is called when a collection is due; see `interrupt.rs`.
    handler: GcLock<'gc, Value<'gc>>,
    /// Names the library's procedure that hands an exception to the innermost handler.
    signal: Gc<'gc, Symbol<'gc>>,
    /// Names the library's procedure that enters a continuation through `dynamic-wind` extents.
    rewind: Gc<'gc, Symbol<'gc>>,
}

/// Why a slice ended.
pub enum Stop<'gc> {
    /// The fuel is used up, or the program asked for a collection.
    Suspended,
    /// The form has this value.
    Finished(Value<'gc>),
    /// Memory is out.
    Memory(HeapError),
    /// Nobody handled an exception.
    Uncaught {
        /// Where it was raised.
        place: String,
        /// What happened.
        message: String,
    },
    /// The program asked to exit.
    Exit(i32),
}

/// What a primitive may use besides its arguments.
pub struct Context<'a, 'gc> {
    /// Permission to allocate.
    pub mc: &'gc Mutation<'gc>,
    /// All symbols.
    pub symbols: Gc<'gc, SymbolTable<'gc>>,
    /// The dynamic state.
    pub dynamic: Gc<'gc, Dynamic<'gc>>,
    /// The registrations of guardians.
    pub registry: Gc<'gc, Registry<'gc>>,
    /// What is called when a collection is due.
    pub handler: GcLock<'gc, Value<'gc>>,
    /// The world outside the heap.
    pub host: &'a mut Host,
}

impl<'gc> Machine<'gc> {
    /// A machine with an empty stack and the primitives as its only globals.
    pub fn new(mc: &Mutation<'gc>) -> Result<Self, HeapError> {
        let symbols = SymbolTable::new(mc)?;
        let dynamic = Dynamic {
            winders: Lock::new(Value::Nil),
            handlers: Lock::new(Value::Nil),
        };
        let machine = Machine {
            stack: alloc::new(mc, RefLock::new(Stack::default()))?,
            symbols,
            dynamic: alloc::new(mc, dynamic)?,
            registry: Registry::new(mc)?,
            handler: alloc::new(
                mc,
                Lock::new(Value::Primitive(crate::primitives::collect())),
            )?,
            signal: SymbolTable::intern(symbols, mc, "%signal")?,
            rewind: SymbolTable::intern(symbols, mc, "%rewind")?,
        };
        for primitive in crate::primitives::all() {
            for name in primitive.names {
                let symbol = SymbolTable::intern(symbols, mc, name)?;
                Symbol::define(symbol, mc, Value::Primitive(primitive));
            }
        }
        Ok(machine)
    }

    /// Prepares the execution of a procedure without arguments.
    pub fn start(&self, mc: &Mutation<'gc>, procedure: Gc<'gc, Closure<'gc>>) {
        let mut stack = self.stack.borrow_mut(mc);
        stack.clear();
        stack.values.push(Value::Procedure(procedure));
        stack.code = Some(procedure.code);
        stack.pending = Some(0);
    }

    /// Forgets what is being executed.
    pub fn reset(&self, mc: &Mutation<'gc>) {
        self.stack.borrow_mut(mc).clear();
        Dynamic::set(self.dynamic, mc, Value::Nil, Value::Nil);
    }

    /// `file:line:column` of the instruction that is to be repeated after [`Stop::Memory`].
    pub fn place(&self) -> String {
        let stack = self.stack.borrow();
        let behind = usize::from(stack.pending.is_some());
        stack.place_of(stack.pc.saturating_sub(behind))
    }
}

impl<'gc> Dynamic<'gc> {
    /// Replaces both lists.
    pub fn set(this: Gc<'gc, Self>, mc: &Mutation<'gc>, winders: Value<'gc>, handlers: Value<'gc>) {
        let this = Gc::write(mc, this);
        gc_core::barrier::unlock!(this, Dynamic, winders).set(winders);
        gc_core::barrier::unlock!(this, Dynamic, handlers).set(handlers);
    }
}
