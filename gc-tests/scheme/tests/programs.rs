//! The benchmark programs, at small sizes: with all checks of the heap on and a collection at each
//! safepoint, and with the heap as it is by default.

mod support;

use gc_core::{HeapOptions, Zeal};
use gc_scheme::programs::{self, Program};
use gc_scheme::{Interpreter, Options, Outcome};

fn run(program: Program, size: u32, heap: HeapOptions, steps: usize) -> String {
    let (options, sink) = support::options(steps);
    let command_line = vec![program.name.to_owned(), size.to_string()];
    let mut scheme = Interpreter::new(Options {
        heap,
        command_line,
        ..options
    })
    .unwrap();
    let outcome = scheme.load_str(program.name, program.source).unwrap();
    assert_eq!(outcome, Outcome::Value(String::new()));
    sink.text()
}

fn check(program: Program, size: u32, expected: &str) {
    let text = run(program, size, HeapOptions::default(), 10_000);
    assert_eq!(text.lines().last(), Some(expected));
    let zeal = HeapOptions::default().zeal(Zeal::ALL);
    assert_eq!(run(program, size, zeal, 100_000), text);
}

#[test]
fn gcbench() {
    check(programs::GCBENCH, 8, "gcbench 8: right");
}

#[test]
fn binary_trees() {
    check(programs::BINARY_TREES, 8, "binary-trees 8: right");
}

#[test]
fn nboyer() {
    check(
        programs::NBOYER,
        0,
        "nboyer 0: proved with 95024 rewrites: right",
    );
}

#[test]
fn earley() {
    check(programs::EARLEY, 8, "earley 8: 429 parses: right");
}

#[test]
fn queens() {
    check(programs::QUEENS, 6, "queens 6: 4 solutions: right");
}

#[test]
fn guarded_ports() {
    check(
        programs::GUARDED_PORTS,
        2000,
        "guarded-ports 2000: 2000 closed: right",
    );
}

#[test]
fn a_collection_every_few_steps() {
    for (program, size, last) in [
        (programs::BINARY_TREES, 4, "binary-trees 4: right"),
        (programs::EARLEY, 5, "earley 5: 14 parses: right"),
        (programs::QUEENS, 5, "queens 5: 10 solutions: right"),
        (
            programs::GUARDED_PORTS,
            300,
            "guarded-ports 300: 300 closed: right",
        ),
    ] {
        let zeal = HeapOptions::default().zeal(Zeal::ALL);
        assert_eq!(run(program, size, zeal, 100).lines().last(), Some(last));
    }
}

#[test]
fn all_programs_say_what_they_found() {
    for program in programs::ALL {
        assert!(program.source.contains("right"), "{}", program.name);
    }
}
