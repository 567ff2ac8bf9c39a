//! Programs in Scheme, on the interpreter whose every value is a managed object.
//!
//! What the native workloads lack, these have: objects of many sizes and shapes, a stack and
//! environments in the heap, stores through the barrier all the time. A step is one slice of the
//! interpreter. A program too short to show much is run several times over by one interpreter. Each
//! checks its own result and prints whether it is right.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use gc_scheme::programs::{self, Program};
use gc_scheme::{Interpreter, Options, Outcome, Step};

use super::{Entry, Look, Totals, Workload};
use crate::collected::ours;
use crate::pauses::plan::Plan;

/// How large a program is run, and how often.
struct Extent {
    program: Program,
    about: &'static str,
    /// Its argument, in a usual run and in a short one.
    argument: (&'static str, &'static str),
    /// How often it runs, in a usual run and in a short one.
    rounds: (u64, u64),
}

const EXTENTS: [Extent; 5] = [
    Extent {
        program: programs::GCBENCH,
        about: "GCBench in Scheme",
        argument: ("16", "10"),
        rounds: (2, 1),
    },
    Extent {
        program: programs::BINARY_TREES,
        about: "binary trees in Scheme",
        argument: ("18", "10"),
        rounds: (1, 1),
    },
    Extent {
        program: programs::NBOYER,
        about: "Boyer's theorem prover, which rewrites terms, in Scheme",
        argument: ("4", "0"),
        rounds: (1, 1),
    },
    Extent {
        program: programs::EARLEY,
        about: "Earley's parser, which builds all parse trees, in Scheme",
        argument: ("14", "8"),
        rounds: (1, 1),
    },
    Extent {
        program: programs::QUEENS,
        about: "all placements of queens on a board, in Scheme",
        argument: ("12", "7"),
        rounds: (3, 1),
    },
];

pub fn entries() -> impl Iterator<Item = Entry> {
    EXTENTS.into_iter().map(|extent| {
        let name = format!("scheme-{}", extent.program.name);
        Entry::new(name, extent.about, move |plan| Scheme::new(&extent, plan))
    })
}

/// What a program printed.
#[derive(Clone, Default)]
struct Output(Rc<RefCell<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Scheme {
    interpreter: Interpreter,
    program: Program,
    output: Output,
    round: u64,
    rounds: u64,
}

impl Scheme {
    fn new(extent: &Extent, plan: Plan) -> Result<Scheme> {
        let program = extent.program;
        let output = Output::default();
        let (argument, quick) = extent.argument;
        let (rounds, quick_rounds) = extent.rounds;
        let mut interpreter = Interpreter::new(Options {
            output: Box::new(output.clone()),
            command_line: vec![
                program.name.to_owned(),
                plan.pick(argument, quick).to_owned(),
            ],
            heap: plan.heap(),
            ..Options::default()
        })?;
        interpreter.start(program.name, program.source)?;
        let rounds = plan.times(rounds, quick_rounds);
        Ok(Scheme {
            interpreter,
            program,
            output,
            round: 0,
            rounds,
        })
    }
}

impl Workload for Scheme {
    fn work(&mut self) -> Result<bool> {
        match self.interpreter.step()? {
            Step::More => return Ok(true),
            Step::Done(Outcome::Exit(code)) if code != 0 => {
                bail!("the program ended with exit code {code}")
            }
            Step::Done(_) => self.round += 1,
        }
        if self.round == self.rounds {
            return Ok(false);
        }
        self.interpreter
            .start(self.program.name, self.program.source)?;
        Ok(true)
    }

    fn collect(&mut self) {
        self.interpreter.collect_debt();
    }

    fn look(&self) -> Look {
        // The interpreter does not say where its collector stands.
        ours::account(self.interpreter.metrics()).into()
    }

    fn totals(&self) -> Totals {
        ours::account(self.interpreter.metrics()).into()
    }

    fn check(&self) -> Result<()> {
        let printed = self.output.0.borrow();
        let printed = std::str::from_utf8(&printed).context("the program printed no text")?;
        let right = printed
            .lines()
            .filter(|line| line.ends_with(": right"))
            .count() as u64;
        ensure!(
            right == self.rounds && !printed.contains("WRONG"),
            "not all of {} rounds found their result right; the program printed:\n{printed}",
            self.rounds
        );
        Ok(())
    }

    fn progress(&self) -> f64 {
        self.round as f64 / self.rounds as f64
    }
}
