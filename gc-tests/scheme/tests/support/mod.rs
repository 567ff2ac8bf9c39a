//! What the tests share: running a program in an interpreter with its output captured.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use gc_scheme::{Interpreter, Options, Outcome, SchemeError};

/// A sink that can be read.
#[derive(Clone, Default)]
pub struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// What was written.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).expect("output is UTF-8")
    }
}

/// Options for tests: with `steps` between safepoints, output to the sink.
pub fn options(steps: usize) -> (Options, Sink) {
    let sink = Sink::default();
    let options = Options {
        steps_per_mutate: steps,
        output: Box::new(sink.clone()),
        ..Options::default()
    };
    (options, sink)
}

/// Runs a program; its output, then the value of its last form.
pub fn run_with(options: Options, sink: &Sink, source: &str) -> Result<String, SchemeError> {
    let mut scheme = Interpreter::new(options)?;
    let outcome = scheme.load_str("test.scm", source)?;
    Ok(match outcome {
        Outcome::Value(value) => sink.text() + &value,
        Outcome::Exit(code) => format!("{}exit {code}", sink.text()),
    })
}

/// Runs a program in a default heap.
pub fn run(source: &str) -> Result<String, SchemeError> {
    let (options, sink) = options(10_000);
    run_with(options, &sink, source)
}

/// Checks what each program evaluates to.
#[track_caller]
pub fn check(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        match run(source) {
            Ok(found) => assert_eq!(found, *expected, "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

/// The message of the error that a program ends with.
#[track_caller]
pub fn failure(source: &str) -> String {
    match run(source) {
        Ok(value) => panic!("{source} returned {value}"),
        Err(error) => error.to_string(),
    }
}
