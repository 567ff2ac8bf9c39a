//! `scheme FILE` runs a program; `scheme` alone reads and evaluates what is typed.

#![forbid(unsafe_code)]

mod repl;
mod stats;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use gc_scheme::alloc::HeapOptions;
use gc_scheme::{Interpreter, Options, Outcome, SchemeError, Step};
use stats::Pauses;

/// Runs Scheme programs on a garbage-collected heap.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Print collections, pauses and bytes to standard error at the end.
    #[arg(long)]
    gc_stats: bool,

    /// Limit the heap to this many bytes; K, M and G stand for powers of 1024.
    #[arg(long, value_name = "BYTES", value_parser = parse_size)]
    heap_limit: Option<usize>,

    /// Limit the stack to this many bytes.
    #[arg(long, value_name = "BYTES", value_parser = parse_size)]
    stack_limit: Option<usize>,

    /// Calls and loop rounds between two safepoints.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    steps: usize,

    /// The program; without one, read from the terminal.
    file: Option<PathBuf>,

    /// What the program sees behind its name in `(command-line)`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

fn parse_size(text: &str) -> Result<usize, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits
        .parse::<usize>()
        .ok()
        .and_then(|n| n.checked_mul(1 << shift))
        .ok_or_else(|| "expected a number of bytes such as 65536, 512K, 64M or 2G".to_owned())
}

/// Runs a program and notes the pauses.
fn run(
    scheme: &mut Interpreter,
    pauses: &mut Pauses,
    name: &str,
    source: &str,
) -> Result<Outcome, SchemeError> {
    scheme.start(name, source)?;
    loop {
        match scheme.step()? {
            Step::More => pauses.collect(scheme),
            Step::Done(outcome) => return Ok(outcome),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut heap = HeapOptions::default();
    if let Some(limit) = arguments.heap_limit {
        heap = heap.limit(limit);
    }
    let program = arguments
        .file
        .as_ref()
        .map_or("scheme".into(), |file| file.to_string_lossy());
    let mut options = Options {
        heap,
        steps_per_mutate: arguments.steps,
        command_line: std::iter::once(program.clone().into_owned())
            .chain(arguments.arguments)
            .collect(),
        ..Options::default()
    };
    if let Some(limit) = arguments.stack_limit {
        options.stack_limit = limit;
    }
    let mut scheme = match Interpreter::new(options) {
        Ok(scheme) => scheme,
        Err(error) => return failed(&error),
    };
    let mut pauses = Pauses::default();
    let result = match &arguments.file {
        None => repl::run(&mut scheme, &mut pauses),
        Some(file) => match std::fs::read_to_string(file) {
            Ok(source) => run(&mut scheme, &mut pauses, &program, &source),
            Err(error) => {
                eprintln!("{program}: cannot read the program: {error}");
                return ExitCode::FAILURE;
            }
        },
    };
    if arguments.gc_stats {
        pauses.print(&scheme);
    }
    match result {
        Ok(Outcome::Value(_)) => ExitCode::SUCCESS,
        Ok(Outcome::Exit(code)) => ExitCode::from(code as u8),
        Err(error) => failed(&error),
    }
}

fn failed(error: &SchemeError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
