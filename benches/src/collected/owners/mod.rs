//! Programs with the shape of a dynamic language's virtual machine, whose every object owns memory outside of the heap.
//!
//! The machine has what such machines have: values are an enum (`value`), strings are interned through weak entries
//! (`names`), tables have a `Vec` and a `HashMap` (`table`), closures share cells (`closure`), coroutines have a stack
//! and frames (`thread`). There is no bytecode: the `programs` do in Rust what an interpreter would do to the heap, so
//! the collector's share of the time is larger than it would be in a machine that also decodes instructions.
//!
//! A program runs in slices of a hundred or so operations. After each the collector works off its debt, in one of
//! the two ways that such machines have: by `collect_debt`, or, where there are `finalizers`, by marking up to the end
//! of marking, which is when they look for what is dead, and sweeping afterwards.

mod closure;
mod finalizers;
mod names;
mod programs;
mod table;
mod thread;
mod value;

use super::gc;
use super::{Options, Program};

use gc::arena::CollectionPhase;
use gc::{Arena, Collect, Gc, Mutation, RefLock, Rootable};

use closure::Prototypes;
use finalizers::Finalizers;
use names::{Constants, Key, Names, Str};
use table::Table;
use value::Value;

/// What a machine can reach.
#[derive(Collect)]
#[collect(no_drop)]
struct State<'gc> {
    names: Gc<'gc, Names<'gc>>,
    constants: Constants<'gc>,
    prototypes: Prototypes<'gc>,
    finalizers: Gc<'gc, RefLock<Finalizers<'gc>>>,
    globals: Table<'gc>,
}

impl<'gc> State<'gc> {
    fn new(mc: &Mutation<'gc>) -> State<'gc> {
        let names = Gc::new(mc, Names::default());
        State {
            names,
            constants: Constants::new(mc, names),
            prototypes: Prototypes::new(mc),
            finalizers: Gc::new(mc, RefLock::default()),
            globals: Table::new(mc),
        }
    }
}

/// What an operation of the machine needs: the heap and the machine's state.
#[derive(Clone, Copy)]
struct Context<'gc> {
    mc: &'gc Mutation<'gc>,
    state: &'gc State<'gc>,
}

impl<'gc> Context<'gc> {
    /// The one string with this text.
    fn intern(self, text: &str) -> Str<'gc> {
        Names::intern(self.mc, self.state.names, text)
    }

    /// The string that a program names.
    fn key(self, key: Key) -> Value<'gc> {
        self.state.constants.get(key).into()
    }

    fn global(self, name: Key) -> Value<'gc> {
        self.state.globals.get(self.key(name))
    }

    /// The table that a global variable has.
    ///
    /// # Panics
    ///
    /// If it has none.
    fn global_table(self, name: Key) -> Table<'gc> {
        self.global(name).table()
    }

    fn set_global(self, name: Key, value: impl Into<Value<'gc>>) {
        self.state
            .globals
            .set(self.mc, self.key(name), value.into());
    }
}

/// How a machine lets the collector work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Safepoint {
    /// By `collect_debt`.
    Debt,
    /// By `mark_debt`, with a look at what has a finalizer when marking is finished.
    Finalizers,
}

/// A machine: a heap with a state in it.
struct Machine {
    arena: Arena<Rootable![State<'_>]>,
    safepoint: Safepoint,
}

impl Machine {
    fn new(options: Options, safepoint: Safepoint) -> Machine {
        Machine {
            arena: super::arena(options, |mc| State::new(mc)),
            safepoint,
        }
    }

    /// Runs a slice of a program, and then the collector as far as it is in debt.
    fn run<T>(&mut self, slice: impl for<'gc> FnOnce(Context<'gc>) -> T) -> T {
        let result = self.arena.mutate(|mc, state| slice(Context { mc, state }));
        match self.safepoint {
            Safepoint::Debt => self.arena.collect_debt(),
            Safepoint::Finalizers => self.mark_and_finalize(),
        }
        result
    }

    fn mark_and_finalize(&mut self) {
        if self.arena.collection_phase() == CollectionPhase::Sweeping {
            // `collect_debt` could go on to the end of marking of the next cycle, and past it.
            return self.arena.cycle_debt();
        }
        let Some(marked) = self.arena.mark_debt() else {
            return;
        };
        marked.finalize(|fc, state| Finalizers::find(fc, state.finalizers));
        // What was found is alive again, with all that it leads to.
        if let Some(marked) = self.arena.finish_marking() {
            marked.finalize(|fc, state| Finalizers::reset_threads(fc, state.finalizers));
        }
        if let Some(marked) = self.arena.finish_marking() {
            marked.start_sweeping();
        }
    }
}

/// Runs a program of the size that `operations` say, in a heap with `options`; the result depends on both numbers alone.
///
/// # Panics
///
/// If an object was lost, or there is no memory for the heap.
pub fn run(program: Program, options: Options, operations: usize) -> u64 {
    let safepoint = match program {
        Program::Strings | Program::Tables | Program::Trees => Safepoint::Debt,
        _ => Safepoint::Finalizers,
    };
    let mut machine = Machine::new(options, safepoint);
    let run = match program {
        Program::Strings => programs::strings,
        Program::Coroutines => programs::coroutines,
        Program::Tables => programs::tables,
        Program::Closures => programs::closures,
        Program::Live => programs::live,
        Program::Trees => programs::trees,
        Program::Finalizers => programs::finalizers,
    };
    run(&mut machine, operations as i64) as u64
}
