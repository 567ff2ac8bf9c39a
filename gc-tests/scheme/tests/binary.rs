//! The `scheme` binary: exit codes, messages, options, and the read-eval-print loop on a pipe.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn scheme() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scheme"));
    command.env_remove("GC_ZEAL");
    command
}

/// Writes a program to a file and runs it there.
fn run_file(source: &str, options: &[&str], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.scm"), source).unwrap();
    scheme()
        .args(options)
        .arg("p.scm")
        .args(arguments)
        .current_dir(&folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn fails(source: &str, options: &[&str], expected: &str) {
    let output = run_file(source, options, &[]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(!error.contains("panicked"), "{error}");
}

#[test]
fn a_program_with_arguments() {
    let output = run_file(
        "(display (command-line)) (newline) (exit 3)",
        &[],
        &["a", "--b"],
    );
    assert_eq!(text(&output.stdout), "(p.scm a --b)\n");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn errors_have_a_place_and_exit_code_1() {
    fails(
        "(display 1)\n(display (foo",
        &[],
        "p.scm:2:10: unexpected end of input",
    );
    fails(
        "(define (f)\n  (g))\n(f)",
        &[],
        "p.scm:2:3: unbound variable: g",
    );
    fails("(car 1)", &[], "p.scm:1:1: car: expected a pair, found 1");
    fails(
        "(let loop ((l '())) (loop (cons 1 l)))",
        &["--heap-limit", "4M"],
        "p.scm:1:27: out of memory: ",
    );
    fails(
        "(define (f) (+ 1 (f))) (f)",
        &["--stack-limit", "1M"],
        "p.scm:1:18: stack overflow: ",
    );
    fails("1", &["--heap-limit", "64K"], "cannot start: ");
}

#[test]
fn output_before_an_error_is_not_lost() {
    let output = run_file("(display \"before\")\n(car '())", &[], &[]);
    assert_eq!(text(&output.stdout), "before");
}

#[test]
fn a_missing_file() {
    let output = scheme().arg("no-such-file.scm").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("no-such-file.scm: cannot read the program: "));
}

#[test]
fn statistics_at_the_end() {
    let source =
        "(define (f n) (if (> n 0) (begin (iota 1000) (f (- n 1))))) (f 3000) (gc-collect)";
    let output = run_file(source, &["--gc-stats"], &[]);
    let error = text(&output.stderr);
    for part in [
        "collections:",
        "pauses:",
        "p50",
        "max",
        "allocated:",
        "live:",
        "heap:",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn every_check_of_the_heap() {
    let folder = tempfile::tempdir().unwrap();
    let source = "(define (f n) (if (= n 0) '() (cons n (f (- n 1))))) (display (length (f 2000)))";
    std::fs::write(folder.path().join("p.scm"), source).unwrap();
    let output = scheme()
        .args(["--steps", "50", "p.scm"])
        .env("GC_ZEAL", "all")
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "2000");
}

#[test]
fn a_dialogue_on_a_pipe() {
    let mut child = scheme()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = "(define (square x)\n  (* x x))\n(square 5)\n(car '())\n\"a\nb\" 'last\n(display 1)\n(foo\n";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "25\nlast\n1");
    let error = text(&output.stderr);
    assert!(
        error.contains("input-3:1:1: car: expected a pair, found ()"),
        "{error}"
    );
    assert!(error.contains("this list is not closed"), "{error}");
    assert_eq!(output.status.code(), Some(0));
}
