//! What wrong programs are told.

mod support;

use support::failure;

#[test]
fn syntax_errors() {
    for (source, expected) in [
        (
            "(display 1",
            "test.scm:1:1: unexpected end of input: this list is not closed",
        ),
        ("\n  )", "test.scm:2:3: unexpected `)`"),
        (
            "(1 2]",
            "test.scm:1:5: found `]` where `)` closes the list of line 1, column 1",
        ),
        (
            "\"abc",
            "test.scm:1:1: unexpected end of input: this string is not closed",
        ),
        (
            "#| x",
            "test.scm:1:1: unexpected end of input: this comment is not closed",
        ),
        ("(a . )", "test.scm:1:6: nothing between `.` and the end"),
        ("(. a)", "test.scm:1:2: unexpected `.`"),
        ("#\\bogus", "test.scm:1:1: unknown character `#\\bogus`"),
        ("#foo", "test.scm:1:1: bad syntax `#foo`"),
        ("\"\\q\"", "test.scm:1:2: unknown escape `\\q`"),
        (
            "(if)",
            "test.scm:1:1: `if` needs a test, a consequence and at most one alternative",
        ),
        (
            "(let ((x)) x)",
            "test.scm:1:7: expected a binding of the form `(variable value)`",
        ),
        ("(lambda (x x) x)", "test.scm:1:12: parameter `x` twice"),
        (
            "(lambda (x))",
            "test.scm:1:1: a body needs at least one expression",
        ),
        (
            "()",
            "test.scm:1:1: an empty combination: `()` needs a quote to be a datum",
        ),
        (
            "(+ 1 . 2)",
            "test.scm:1:1: a combination must be a proper list",
        ),
        ("(list if)", "test.scm:1:7: `if` is syntax, not a variable"),
        (
            "(+ 1 (define x 2))",
            "test.scm:1:6: `define` may stand only at top level or in a body, not as an expression",
        ),
        (
            "(set! 5 1)",
            "test.scm:1:7: `set!` of something that is no variable",
        ),
        (
            "(cond (else 1) (#t 2))",
            "test.scm:1:7: `else` must be the last clause",
        ),
        (
            "(define-syntax m (syntax-rules () ((_ a) a))) (m)",
            "test.scm:1:47: no rule of the macro matches this use",
        ),
    ] {
        assert_eq!(failure(source), expected, "{source}");
    }
}

#[test]
fn errors_of_running_programs() {
    for (source, expected) in [
        (
            "(define (f)\n  (+ 1 x))\n(f)",
            "test.scm:2:8: unbound variable: x",
        ),
        (
            "(undefined 1 2)",
            "test.scm:1:1: unbound variable: undefined",
        ),
        (
            "(set! nowhere 1)",
            "test.scm:1:1: unbound variable: nowhere",
        ),
        (
            "(+ 1\n   (car 'x))",
            "test.scm:2:4: car: expected a pair, found x",
        ),
        ("(+ 'a 1)", "test.scm:1:1: +: expected a number, found a"),
        (
            "(- \"s\" 1)",
            "test.scm:1:1: -: expected a number, found \"s\"",
        ),
        (
            "(if (< 'a 1) 1 2)",
            "test.scm:1:5: <: expected a number, found a",
        ),
        (
            "(vector-ref '(1) 0)",
            "test.scm:1:1: vector-ref: expected a vector, found (1)",
        ),
        (
            "(vector-ref (vector 1 2) 5)",
            "test.scm:1:1: vector-ref: no such index in a vector of length 2: 5",
        ),
        ("(5 5)", "test.scm:1:1: not a procedure: 5"),
        (
            "((lambda (x y) x) 1)",
            "test.scm:1:1: an anonymous procedure: expected 2 arguments, found 1",
        ),
        (
            "(define (f a . r) a)\n(f)",
            "test.scm:2:1: f: expected at least 1 argument, found 0",
        ),
        (
            "(cons 1)",
            "test.scm:1:1: cons: expected 2 arguments, found 1",
        ),
        (
            "(string-ref \"abc\" 3)",
            "test.scm:1:1: string-ref: no such index in a string of length 3: 3",
        ),
        (
            "(error 'who \"went wrong:\" 1 '(2))",
            "test.scm:1:1: who: went wrong: 1 (2)",
        ),
        (
            "(define (g)\n (raise 'odd))\n(list (g))",
            "test.scm:2:2: uncaught exception: odd",
        ),
        (
            "(quotient 1 0)",
            "test.scm:1:1: quotient: division by zero of 1",
        ),
        (
            "(exact 1.5)",
            "test.scm:1:1: exact: no integer of 64 bits equals 1.5",
        ),
        (
            "(length '(1 . 2))",
            "test.scm:1:1: length: expected a proper list, found (1 . 2)",
        ),
        (
            "(define l (list 1)) (set-cdr! l l) (length l)",
            "test.scm:1:36: length: the list is cyclic",
        ),
        (
            "(define l (list 1)) (set-cdr! l l) (apply + l)",
            "test.scm:1:36: apply: too many arguments",
        ),
        (
            "(hashtable-ref 5 1 2)",
            "test.scm:1:1: hashtable-ref: expected a hash table, found 5",
        ),
        (
            "(guard (e ((string? e) 1)) (car 7))",
            "test.scm:1:28: car: expected a pair, found 7",
        ),
        (
            "(symbol->string 5)",
            "test.scm:1:1: symbol->string: expected a symbol, found 5",
        ),
        (
            "(integer->char -1)",
            "test.scm:1:1: integer->char: not in the range 0 to 1114111: -1",
        ),
        (
            "(eval '(if))",
            "test.scm:1:1: eval: `if` needs a test, a consequence and at most one alternative",
        ),
    ] {
        assert_eq!(failure(source), expected, "{source}");
    }
}

#[test]
fn an_error_ends_the_program_but_not_the_interpreter() {
    let (options, sink) = support::options(10_000);
    let mut scheme = gc_scheme::Interpreter::new(options).unwrap();
    assert!(
        scheme
            .load_str("a", "(define x 1) (car x) (define x 2)")
            .is_err()
    );
    let outcome = scheme
        .load_str("b", "(dynamic-wind list (lambda () x) list)")
        .unwrap();
    assert_eq!(outcome, gc_scheme::Outcome::Value("1".into()));
    assert_eq!(sink.text(), "");
}

#[test]
fn nesting_is_limited_not_crashing() {
    let deep = |n: usize| format!("{}1{}", "(+ 1 ".repeat(n), ")".repeat(n));
    assert_eq!(support::run(&deep(150)).unwrap(), "151");
    let error = failure(&deep(250));
    assert!(
        error.ends_with("expressions nested deeper than 200 levels"),
        "{error}"
    );
    let error = failure(&deep(1_000_000));
    assert!(
        error.ends_with("data nested deeper than 300 levels"),
        "{error}"
    );
    let quoted = format!("(length '{}{})", "(".repeat(290), ")".repeat(290));
    assert_eq!(support::run(&quoted).unwrap(), "1");
    let lets = format!(
        "{}x{}",
        "(let ((x 1)) (let loop ((i 0)) (if (= i 1) ".repeat(60),
        " (loop (+ i 1)))))".repeat(60)
    );
    assert!(support::run(&lets).is_ok() || failure(&lets).contains("nested deeper"));
    let quasi = format!("{}1{}", "`(".repeat(90), ")".repeat(90));
    assert!(support::run(&quasi).is_ok());
    let lambdas = format!("{}1{}", "(lambda (x) ".repeat(95), ")".repeat(95));
    assert!(support::run(&lambdas).is_ok());
    let conds = format!("(cond {})", "((= 1 2) 3) ".repeat(5000));
    assert!(support::run(&conds).is_ok());
}

#[test]
fn macros_that_never_end() {
    let error = failure("(define-syntax forever (syntax-rules () ((_) (forever)))) (forever)");
    assert!(error.contains("nested deeper"), "{error}");
    let error = failure(
        "(define-syntax forever (syntax-rules () ((_) (list (forever))))) (let () (forever))",
    );
    assert!(error.contains("nested deeper"), "{error}");
}

#[test]
fn too_many_variables() {
    let variables: String = (0..300).map(|i| format!("(x{i} {i})")).collect();
    let error = failure(&format!("(let ({variables}) x299)"));
    assert!(error.contains("needs more than 254 variables"), "{error}");
    let many = format!("(length (list {}))", "1 ".repeat(3000));
    assert_eq!(support::run(&many).unwrap(), "3000");
}
