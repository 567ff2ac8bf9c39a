//! Running out of memory and of stack.

mod support;

use gc_core::HeapOptions;
use gc_scheme::{Interpreter, Options, Outcome, SchemeError, Step};
use support::{options, run_with};

fn limited(bytes: usize) -> (Options, support::Sink) {
    let (options, sink) = options(10_000);
    (
        Options {
            heap: HeapOptions::default().limit(bytes),
            ..options
        },
        sink,
    )
}

#[test]
fn garbage_beyond_the_limit_is_collected() {
    let (options, sink) = limited(8 << 20);
    // 64 MiB of pairs and 80 MB of vectors, little of it alive at a time.
    let source = "(define (f n) (if (> n 0) (begin (iota 1000) (make-vector 2500 0) (f (- n 1))))) \
                  (f 2000) 'done";
    assert_eq!(run_with(options, &sink, source).unwrap(), "done");
}

#[test]
fn memory_out_is_an_error_of_the_program() {
    let (options, sink) = limited(8 << 20);
    let source = "(define all '())\n(define (fill)\n  (set! all (cons all all))\n  (fill))\n(fill)";
    let error = run_with(options, &sink, source).unwrap_err();
    assert!(matches!(error, SchemeError::OutOfMemory { .. }));
    let text = error.to_string();
    assert!(text.starts_with("test.scm:3:13: out of memory: "), "{text}");
}

#[test]
fn the_interpreter_survives_memory_out() {
    let (options, sink) = limited(8 << 20);
    let mut scheme = Interpreter::new(options).unwrap();
    for _ in 0..3 {
        let source = "(define all (make-vector 1 0)) (let loop ((l '())) (loop (cons 1 l)))";
        assert!(scheme.load_str("fill.scm", source).is_err());
        let outcome = scheme
            .load_str("after.scm", "(length (iota 10000))")
            .unwrap();
        assert_eq!(outcome, Outcome::Value("10000".into()));
    }
    drop(sink);
}

#[test]
fn every_kind_of_call_is_a_safepoint() {
    for source in [
        "(define (f n) (if (< n 200000) (apply f (list (+ n 1))) 'end)) (f 0)",
        "(define n 0) (define k #f) (call/cc (lambda (c) (set! k c))) (set! n (+ n 1)) \
         (make-vector 1000 n) (if (< n 5000) (k #f) 'end)",
        "(define (g n) (make-vector 1000 n) (guard (e (#t (if (< n 5000) (g (+ n 1)) 'end))) (car n))) (g 0)",
    ] {
        let (options, sink) = limited(8 << 20);
        assert_eq!(run_with(options, &sink, source).unwrap(), "end", "{source}");
    }
}

#[test]
fn a_huge_request_is_an_error() {
    let (options, sink) = limited(64 << 20);
    let error = run_with(options, &sink, "(make-vector 4000000000 0)").unwrap_err();
    assert!(
        error.to_string().starts_with("test.scm:1:1: out of memory"),
        "{error}"
    );
}

#[test]
fn a_heap_too_small_for_the_library() {
    let (options, _) = limited(64 << 10);
    assert!(Interpreter::new(options).is_err());
}

#[test]
fn stack_overflow_is_an_error_of_the_program() {
    let (options, sink) = options(10_000);
    let options = Options {
        stack_limit: 4 << 20,
        ..options
    };
    let source = "(define (inf n)\n  (+ 1 (inf n)))\n(inf 1)";
    let error = run_with(options, &sink, source).unwrap_err().to_string();
    assert!(
        error.starts_with("test.scm:2:8: stack overflow: "),
        "{error}"
    );
    assert!(
        error.contains("3 MiB of stack") || error.contains("4 MiB of stack"),
        "{error}"
    );
}

#[test]
fn embedders_step_and_collect_themselves() {
    let (options, sink) = options(100);
    let mut scheme = Interpreter::new(options).unwrap();
    assert!(matches!(scheme.step(), Ok(Step::Done(Outcome::Value(_)))));
    scheme
        .start(
            "loop.scm",
            "(define (f n) (if (> n 0) (f (- n 1)) 'end)) (display (f 1000))",
        )
        .unwrap();
    let mut steps = 1;
    while scheme.step().unwrap() == Step::More {
        scheme.arena_mut().finish_cycle();
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
    assert!(scheme.metrics().statistics().collections >= steps - 1);
    assert_eq!(sink.text(), "end");
}
