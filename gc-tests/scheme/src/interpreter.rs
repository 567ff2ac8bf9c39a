//! The interface for programs that embed the language.

use std::io::{self, Write};
use std::time::Instant;

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Rootable, metrics::Metrics};

use crate::alloc::{HeapError, HeapOptions};
use crate::compiler::{self, CompileError};
use crate::error::SchemeError;
use crate::guardian::Registry;
use crate::host::Host;
use crate::machine::stack::Mark;
use crate::machine::{Machine, Stop};
use crate::printer;
use crate::reader::{self, syntax::Syntax};
use crate::syntax::Globals;
use crate::value::Value;

/// The heap of an interpreter.
pub type Heap = Arena<Rootable![Machine<'_>]>;

/// How an interpreter is set up.
pub struct Options {
    /// The options of its heap.
    pub heap: HeapOptions,
    /// How many calls and loop rounds run between two safepoints.
    pub steps_per_mutate: usize,
    /// How many bytes the stack may take. They are not part of the heap's limit.
    pub stack_limit: usize,
    /// Where output goes.
    pub output: Box<dyn Write>,
    /// What `(command-line)` returns: the program's name, then its arguments.
    pub command_line: Vec<String>,
}

impl Default for Options {
    /// A default heap, 10 000 steps, 256 MiB of stack, buffered standard output, no arguments.
    fn default() -> Self {
        Options {
            heap: HeapOptions::default(),
            steps_per_mutate: 10_000,
            stack_limit: 256 << 20,
            output: Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout())),
            command_line: vec!["scheme".to_owned()],
        }
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With the value of its last form, as `write` prints it; empty if that is unspecified. Long
    /// values are broken off.
    Value(String),
    /// By `(exit)`, with this code.
    Exit(i32),
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The program is not finished: let the collector work, then go on.
    More,
    /// The program is finished.
    Done(Outcome),
}

/// How a slice ended, without anything of the heap.
enum Slice {
    Suspended,
    Finished(String),
    Memory {
        cause: HeapError,
        place: String,
        mark: Option<Mark>,
    },
    Failed(SchemeError),
    Exit(i32),
}

/// An interpreter: a heap with a machine in it, and the program that it runs.
pub struct Interpreter {
    heap: Heap,
    host: Host,
    steps_per_mutate: usize,
    source: String,
    /// The forms of the program. They stay until its end, as a continuation may go back to them.
    forms: Vec<Syntax>,
    /// Whether the machine is in the middle of a form.
    running: bool,
    /// The value of the form that ended last.
    value: String,
    /// Memory was out, and no full collection has happened since.
    starved: bool,
    /// How many bytes had been allocated when the program's handler was to be called last.
    requested: u64,
    /// Where memory was out before the last full collection: being there again without having
    /// made a step means that collecting does not help.
    retrying: Option<Option<Mark>>,
}

/// A heap with a machine in it.
fn new_heap(options: HeapOptions) -> Result<Heap, HeapError> {
    let mut failure = None;
    let heap = Arena::<Rootable![Option<Machine<'_>>]>::with_options(options, |mc| {
        Machine::new(mc).map_err(|error| failure = Some(error)).ok()
    })?;
    heap.try_map_root(|_, machine| match (machine, failure) {
        (Some(machine), _) => Ok(machine),
        (None, Some(error)) => Err(error),
        (None, None) => unreachable!("without a machine there is a failure"),
    })
}

/// How many bytes the program allocates at least between two calls of its handler.
const TRIP: u64 = 256 << 10;

/// Values of forms are printed up to this length.
const EXCERPT: usize = 10_000;

impl Interpreter {
    /// Makes an interpreter and loads its library.
    pub fn new(options: Options) -> Result<Interpreter, SchemeError> {
        let heap = new_heap(options.heap)?;
        let mut interpreter = Interpreter {
            heap,
            host: Host {
                output: options.output,
                started: Instant::now(),
                command_line: options.command_line,
                globals: Globals::default(),
                random: 0,
                generated: 0,
                epoch: 0,
                collect: false,
                automatic: true,
                request: false,
                program: 0,
                next_form: 0,
                stack_limit: options.stack_limit / size_of::<Value<'_>>(),
            },
            steps_per_mutate: options.steps_per_mutate.max(1),
            source: String::new(),
            forms: Vec::new(),
            running: false,
            value: String::new(),
            starved: false,
            requested: 0,
            retrying: None,
        };
        interpreter.load_str("prelude.scm", include_str!("prelude.scm"))?;
        interpreter.host.globals.defined.clear();
        Ok(interpreter)
    }

    /// Reads a program and makes it the one that [`step`](Self::step) runs. `name` stands for it in
    /// errors. What earlier programs defined stays defined.
    pub fn start(&mut self, name: &str, source: &str) -> Result<(), SchemeError> {
        let forms = reader::read_all(name, source)?;
        self.host.globals.declare(&forms);
        self.source = name.to_owned();
        self.forms = forms;
        self.host.program += 1;
        self.host.next_form = 0;
        self.running = false;
        self.value.clear();
        Ok(())
    }

    /// Runs one slice of the program, without collecting anything: that is left to
    /// [`collect_debt`](Self::collect_debt), which is to be called between steps. Only if memory was
    /// out and the caller has not called that since, a full collection happens here.
    pub fn step(&mut self) -> Result<Step, SchemeError> {
        if self.starved {
            self.collect_debt();
        }
        self.host.epoch = self.heap.metrics().statistics().collections;
        let slice = if self.running {
            self.run_slice()
        } else {
            self.next_form()
        };
        match slice {
            Slice::Suspended => {
                self.retrying = None;
                Ok(Step::More)
            }
            Slice::Finished(value) => {
                self.running = false;
                self.retrying = None;
                self.value = value;
                if self.host.next_form >= self.forms.len() {
                    self.host.output.flush()?;
                    return Ok(Step::Done(Outcome::Value(std::mem::take(&mut self.value))));
                }
                Ok(Step::More)
            }
            Slice::Memory { mark, .. } if self.retrying.as_ref() != Some(&mark) => {
                self.retrying = Some(mark);
                self.starved = true;
                Ok(Step::More)
            }
            Slice::Memory { cause, place, .. } => {
                self.fail(SchemeError::OutOfMemory { place, cause })
            }
            Slice::Failed(error) => self.fail(error),
            Slice::Exit(code) => {
                self.abandon();
                self.host.output.flush()?;
                Ok(Step::Done(Outcome::Exit(code)))
            }
        }
    }

    /// Lets the collector work: a full collection if memory was out or the program asked for one,
    /// otherwise as much as is due. Where the program has a handler for that, nothing is begun, but
    /// the handler will be called.
    ///
    /// With [`FinalizerMode::Manual`](gc_core::FinalizerMode::Manual), guardians get what is
    /// inaccessible in full collections, and whenever the embedder runs finalizers.
    pub fn collect_debt(&mut self) {
        let starved = std::mem::take(&mut self.starved);
        if std::mem::take(&mut self.host.collect) || starved {
            self.collect_all();
        } else if self.host.automatic
            || self.heap.collection_phase() != CollectionPhase::Sleeping
            || self.heap.metrics().statistics().finalizers_waiting > 0
        {
            self.heap.collect_debt();
        } else {
            self.request();
        }
    }

    /// Collects all that the program cannot reach.
    fn collect_all(&mut self) {
        self.heap.finish_cycle();
        self.heap.run_finalizers(usize::MAX);
        let orphans = self
            .heap
            .mutate(|mc, machine| Registry::take_orphans(machine.registry, mc));
        if orphans {
            // They were kept alive by a guardian that is gone.
            self.heap.finish_cycle();
            self.heap.run_finalizers(usize::MAX);
        }
        self.requested = self.heap.metrics().statistics().allocated_bytes;
    }

    /// Has the program's handler called if a collection is due, and not again before the program
    /// has allocated some more.
    fn request(&mut self) {
        let allocated = self.heap.metrics().statistics().allocated_bytes;
        if self.heap.metrics().allocation_debt() > 0.0 && allocated - self.requested >= TRIP {
            self.requested = allocated;
            self.host.request = true;
        }
    }

    /// Runs a program to its end.
    pub fn load_str(&mut self, name: &str, source: &str) -> Result<Outcome, SchemeError> {
        self.start(name, source)?;
        loop {
            match self.step()? {
                Step::More => self.collect_debt(),
                Step::Done(outcome) => return Ok(outcome),
            }
        }
    }

    /// The heap, to collect or to inspect it between steps.
    pub fn arena_mut(&mut self) -> &mut Heap {
        &mut self.heap
    }

    /// The heap's metrics.
    pub fn metrics(&self) -> &Metrics {
        self.heap.metrics()
    }

    fn fail(&mut self, error: SchemeError) -> Result<Step, SchemeError> {
        self.abandon();
        self.host.output.flush()?;
        Err(error)
    }

    fn abandon(&mut self) {
        self.running = false;
        self.retrying = None;
        self.host.next_form = self.forms.len();
        self.heap.mutate(|mc, machine| machine.reset(mc));
    }

    /// Compiles the next form.
    fn next_form(&mut self) -> Slice {
        let Some(form) = self.forms.get(self.host.next_form) else {
            return if self.source.is_empty() {
                Slice::Failed(SchemeError::Idle)
            } else {
                Slice::Finished(std::mem::take(&mut self.value))
            };
        };
        let (source, globals) = (&self.source, &mut self.host.globals);
        let slice = self.heap.mutate(|mc, machine| {
            match compiler::compile(mc, machine.symbols, globals, source, form) {
                Ok(procedure) => {
                    machine.start(mc, procedure);
                    Slice::Suspended
                }
                Err(CompileError::Syntax(error)) => Slice::Failed(error.at(source)),
                Err(CompileError::Memory(cause)) => {
                    let place = crate::error::Place {
                        source: source.clone(),
                        position: form.position,
                    };
                    Slice::Memory {
                        cause,
                        place: place.to_string(),
                        mark: None,
                    }
                }
            }
        });
        if let Slice::Suspended = slice {
            self.host.next_form += 1;
            self.running = true;
            return self.run_slice();
        }
        slice
    }

    fn run_slice(&mut self) -> Slice {
        let (host, steps) = (&mut self.host, self.steps_per_mutate);
        let retrying = &mut self.retrying;
        self.heap.mutate(|mc, machine| {
            let mut fuel = steps;
            let stop = machine.run(mc, host, &mut fuel);
            if fuel != steps {
                *retrying = None;
            }
            match stop {
                Stop::Suspended => Slice::Suspended,
                Stop::Finished(Value::Unspecified) => Slice::Finished(String::new()),
                Stop::Finished(value) => Slice::Finished(printer::excerpt(mc, value, EXCERPT)),
                Stop::Exit(code) => Slice::Exit(code),
                Stop::Uncaught { place, message } => {
                    Slice::Failed(SchemeError::Uncaught { place, message })
                }
                Stop::Memory(cause) => {
                    let place = machine.place();
                    Slice::Memory {
                        cause,
                        place,
                        mark: Some(machine.stack.borrow().mark()),
                    }
                }
            }
        })
    }
}
