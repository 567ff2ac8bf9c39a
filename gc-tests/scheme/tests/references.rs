//! Weak pairs, ephemerons, guardians, weak tables and the collect-request handler: what programs see
//! of them, in each way in which a heap is collected.

mod support;

use gc_core::arena::CollectionPhase;
use gc_core::{FinalizerMode, HeapOptions};
use gc_scheme::{Interpreter, Options, Outcome, Step};
use gc_tests::way::{Way, in_each_way};

fn run(heap: HeapOptions, steps: usize, source: &str) -> String {
    let (options, sink) = support::options(steps);
    let options = Options { heap, ..options };
    support::run_with(options, &sink, source).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// Checks what programs evaluate to, one after the other, with slices of several lengths.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    in_each_way(|way| {
        for steps in [1000, 3] {
            let (options, _) = support::options(steps);
            let heap = way.options();
            let mut scheme = Interpreter::new(Options { heap, ..options }).unwrap();
            for (source, expected) in cases {
                let outcome = scheme.load_str("test.scm", source).unwrap();
                assert_eq!(outcome, Outcome::Value((*expected).into()), "{source}");
            }
        }
    });
}

#[test]
fn weak_pairs_are_pairs() {
    check(&[
        ("(weak-pair? (weak-cons 'a 'b))", "#t"),
        ("(weak-pair? (cons 'a 'b))", "#f"),
        ("(weak-pair? (ephemeron-cons 'a 'b))", "#f"),
        ("(weak-pair? \"oops\")", "#f"),
        ("(pair? (make-weak-pair 1 2))", "#t"),
        ("(if (pair? (weak-cons 1 2)) 'yes 'no)", "yes"),
        ("(if (not (pair? (weak-cons 1 2))) 'yes 'no)", "no"),
        (
            "(define p (weak-cons 1 2)) (list (car p) (cdr p) p)",
            "(1 2 (1 . 2))",
        ),
        (
            "(define l (weak-cons 1 (weak-cons 2 '()))) (list l (length l) (list? l))",
            "((1 2) 2 #t)",
        ),
        (
            "(define l (weak-cons 1 (weak-cons 2 '()))) (list (cadr l) (cddr l) (list-ref l 1))",
            "(2 () 2)",
        ),
        (
            "(define l (weak-cons 'a (weak-cons 'b '()))) (list (memq 'b l) (last-pair l) (map list l))",
            "((b) (b) ((a) (b)))",
        ),
        (
            "(weak-pair? (memq 'b (weak-cons 'a (weak-cons 'b '()))))",
            "#t",
        ),
        (
            "(define e (weak-cons 'b 2)) (eq? e (assq 'b (list (weak-cons 'a 1) e)))",
            "#t",
        ),
        (
            "(cdr (assoc \"b\" (list (weak-cons \"a\" 1) (weak-cons \"b\" 2))))",
            "2",
        ),
        ("(equal? (weak-cons 1 '(2)) '(1 2))", "#t"),
        ("(eq? (weak-cons 1 2) (weak-cons 1 2))", "#f"),
        ("(apply + (weak-cons 1 (weak-cons 2 '())))", "3"),
        (
            "(define t (make-equal-hashtable)) (hashtable-set! t (weak-cons 1 2) 'x) (hashtable-ref t '(1 . 2) #f)",
            "x",
        ),
        ("(eval (weak-cons '+ '(1 2)))", "3"),
        (
            "(define l (weak-cons 1 '())) (set-cdr! l l) (list? l)",
            "#f",
        ),
    ]);
}

#[test]
fn weak_pairs_lose_their_cars() {
    check(&[
        (
            "(define x (cons 'a 'b)) (define p (weak-cons x '())) (collect) (eq? (car p) x)",
            "#t",
        ),
        (
            "(define x (cons 'a 'b)) (define p (weak-cons x '(c))) (set! x #f) (collect) p",
            "(#!bwp c)",
        ),
        (
            "(define p (weak-cons (make-string 3 #\\a) 1)) (collect) (bwp-object? (car p))",
            "#t",
        ),
        (
            "(define p (weak-cons (vector) 1)) (collect) (bwp-object? (car p))",
            "#t",
        ),
        (
            "(define p (weak-cons (lambda () p) 1)) (collect) (bwp-object? (car p))",
            "#t",
        ),
        // The cdr is strong.
        (
            "(define x (list 1)) (define p (weak-cons x x)) (set! x #f) (collect) p",
            "((1) 1)",
        ),
        ("(define p (weak-cons 1 (list 2))) (collect) p", "(1 2)"),
        // What is no object is never lost, nor is a symbol.
        (
            "(define p (map (lambda (x) (weak-cons x 0)) (list 1 2.5 #\\a #f '() 'sym car))) (collect) (map car p)",
            "(1 2.5 #\\a #f () sym #[procedure car])",
        ),
        // Assignment.
        (
            "(define x (list 1)) (define p (weak-cons x 0)) (set-car! p (list 2)) (collect) p",
            "(#!bwp . 0)",
        ),
        (
            "(define x (list 1)) (define p (weak-cons (list 2) 0)) (set-car! p x) (set! x #f) (collect) (car p)",
            "#!bwp",
        ),
        (
            "(define x (list 1)) (define p (weak-cons (list 2) 0)) (collect) (set-car! p x) (set-cdr! p (list 3)) (collect) p",
            "((1) 3)",
        ),
        (
            "(list (bwp-object? #!bwp) (bwp-object? 'bwp) (eq? #!bwp #!bwp) (eqv? #!bwp #f))",
            "(#t #f #t #f)",
        ),
    ]);
}

#[test]
fn ephemeron_pairs_lose_both_halves() {
    check(&[
        ("(ephemeron-pair? (ephemeron-cons 'a 'b))", "#t"),
        ("(ephemeron-pair? (weak-cons 'a 'b))", "#f"),
        (
            "(define x (cons 'a 'b)) (define p (ephemeron-cons x (list 1))) (collect) p",
            "((a . b) 1)",
        ),
        (
            "(define x (cons 'a 'b)) (define p (ephemeron-cons x x)) (set! x #f) (collect) (list (car p) (cdr p))",
            "(#!bwp #!bwp)",
        ),
        // A chain, and what is only reachable through a value that is alive.
        (
            "(define k (list 1)) (define v (list 2)) (define p (ephemeron-cons k v)) (define q (ephemeron-cons v (list 3))) \
          (set! v #f) (collect) (define before (cdr q)) (set! k #f) (collect) (list before (cdr q))",
            "((3) #!bwp)",
        ),
        // Two that keep each other's keys, and nobody else does.
        (
            "(define a (list 1)) (define b (list 2)) (define p (ephemeron-cons a b)) (define q (ephemeron-cons b a)) \
          (set! a #f) (set! b #f) (collect) (list p q)",
            "((#!bwp . #!bwp) (#!bwp . #!bwp))",
        ),
        (
            "(define x (list 1)) (define p (ephemeron-cons x (list 2))) (set-cdr! p (list 3)) (collect) \
          (define before (cdr p)) (set! x #f) (collect) (list before p)",
            "((3) (#!bwp . #!bwp))",
        ),
        (
            "(define x (list 1)) (define p (ephemeron-cons (list 0) (list 2))) (set-car! p x) (collect) p",
            "((1) 2)",
        ),
        (
            "(define p (ephemeron-cons (list 0) 1)) (collect) (set-cdr! p (list 2)) (collect) p",
            "(#!bwp 2)",
        ),
        (
            "(define p (ephemeron-cons 1 (list 2))) (collect) p",
            "(1 2)",
        ),
    ]);
}

#[test]
fn ephemerons_of_srfi_124() {
    check(&[
        (
            "(define x (list 1)) (define e (make-ephemeron x 2)) (collect) \
          (list (ephemeron? e) (ephemeron-broken? e) (ephemeron-key e) (ephemeron-datum e) (ephemeron-value e))",
            "(#t #f (1) 2 2)",
        ),
        (
            "(define e (make-ephemeron (list 1) 2)) (collect) \
          (list (ephemeron? e) (ephemeron-broken? e) (ephemeron-key e) (ephemeron-datum e))",
            "(#t #t #f #f)",
        ),
        (
            "(define (f e x) (collect) (let ((broken (ephemeron-broken? e))) (reference-barrier x) broken)) \
          (let ((x (list 1))) (f (make-ephemeron x 2) x))",
            "#f",
        ),
        ("(ephemeron? 5)", "#f"),
    ]);
    let error = support::failure("(ephemeron-key (cons 1 2))");
    assert!(
        error.contains("ephemeron-key: expected an ephemeron"),
        "{error}"
    );
}

#[test]
fn guardians_return_what_is_inaccessible() {
    check(&[
        (
            "(list (procedure? (make-guardian)) (guardian? (make-guardian)) (guardian? car) (make-guardian))",
            "(#t #t #f #[guardian])",
        ),
        (
            "(define g (make-guardian)) (define x (cons 'aaa 'bbb)) (g x) (define first (g)) (collect) (list first (g))",
            "(#f #f)",
        ),
        (
            "(define g (make-guardian)) (define x (cons 'aaa 'bbb)) (g x) (set! x #f) (collect) \
          (define one (g)) (define two (g)) (list one two)",
            "((aaa . bbb) #f)",
        ),
        // Each registration counts, with each guardian.
        (
            "(define g (make-guardian)) (define h (make-guardian)) (define x (list 1)) (g x) (g x) (h x) (set! x #f) (collect) \
          (define a (g)) (define b (g)) (define c (h)) (list (eq? a b) (eq? a c) (g) (h))",
            "(#t #t #f #f)",
        ),
        // What was returned has no special status: it is not returned again, but it can be registered again.
        (
            "(define g (make-guardian)) (g (list 1)) (collect) (define x (g)) (set! x #f) (collect) (g)",
            "#f",
        ),
        (
            "(define g (make-guardian)) (g (list 1)) (collect) (define x (g)) (set-car! x 2) (g x) (set! x #f) (collect) \
             (define x (g)) (set-car! x 3) (g x) (g x) (set! x #f) (collect) (list (g) (g) (g))",
            "((3) (3) #f)",
        ),
        // Returned later, it stays until then.
        (
            "(define g (make-guardian)) (g (list 1)) (collect) (collect) (collect) (g)",
            "(1)",
        ),
        // What is no object, and what is always reachable, is never inaccessible.
        (
            "(define g (make-guardian)) (for-each g (list 1 #\\a 'sym '() #f 2.5 car)) (collect) (g)",
            "#f",
        ),
        // Circles and parts are all returned, whole.
        (
            "(define g (make-guardian)) (define a (list 1 2)) (define b (list 3 a)) (set-car! a b) (for-each g (list a b (cdr b))) \
          (set! a #f) (set! b #f) (collect) (define l (list (g) (g) (g))) \
          (list (every pair? l) (g))",
            "(#t #f)",
        ),
        (
            "(for-each (make-guardian) (list (list 1) (vector 2) \"three\")) (collect) 'done",
            "done",
        ),
        // First in, first out, among different collections.
        (
            "(define g (make-guardian)) (g (list 1)) (collect) (g (list 2)) (collect) (define a (g)) (list a (g))",
            "((1) (2))",
        ),
    ]);
}

#[test]
fn guardians_return_representatives() {
    check(&[
        (
            "(define g (make-guardian)) (define y (list 1)) (g y 'rep) (set! y #f) (collect) (g)",
            "rep",
        ),
        // The object itself is gone then, and the representative was kept.
        (
            "(define g (make-guardian)) (define x (list 1)) (define p (weak-cons x '())) (g x (list 'rep)) \
          (collect) (define before (car p)) (set! x #f) (set! before #f) (collect) (list (g) p)",
            "((rep) (#!bwp))",
        ),
        // One that leads to the object keeps it no more than the object itself would.
        (
            "(define g (make-guardian)) (define x (list 1)) (g x (vector x)) (set! x #f) (collect) (g)",
            "#((1))",
        ),
    ]);
    let error = support::failure("((make-guardian) 1 2 3)");
    assert!(
        error.contains("a guardian: expected 0 to 2 arguments, found 3"),
        "{error}"
    );
}

#[test]
fn weak_pairs_keep_what_a_guardian_has() {
    check(&[(
        "(define g (make-guardian)) (define x (cons 'aaa 'bbb)) (define p (weak-cons x '())) (define e (ephemeron-cons x 5)) \
          (g x) (set! x #f) (collect) (collect) (define before (list (car p) (cdr e))) (define y (g)) (define same (eq? y (car p))) \
          (set! y #f) (set-car! before 'same) (collect) (list before same p e)",
        "((same 5) #t (#!bwp) (#!bwp . #!bwp))",
    )]);
}

#[test]
fn guardians_that_are_dropped() {
    check(&[
        // Objects of a dropped guardian are freed by the same collection.
        (
            "(define g (make-guardian)) (define x (cons 'aaa 'bbb)) (define p (weak-cons x '())) \
          (g x) (set! x #f) (set! g #f) (collect) (car p)",
            "#!bwp",
        ),
        (
            "(define g (make-guardian)) (define x (cons 'aaa 'bbb)) (define p (weak-cons x '())) \
          (g x) (set! g #f) (collect) (define before (car p)) (set! x #f) (set! before #f) (collect) (car p)",
            "#!bwp",
        ),
        // So are those that it had not handed out.
        (
            "(define g (make-guardian)) (define p (weak-cons (list 1) '())) (g (car p)) (collect) (define before (pair? (car p))) \
          (set! g #f) (collect) (list before (car p))",
            "(#t #!bwp)",
        ),
        // A guardian does not keep itself.
        (
            "(define g (make-guardian)) (define p (weak-cons g '())) (g g) (g (list g)) (set! g #f) (collect) (collect) (car p)",
            "#!bwp",
        ),
        // One that is guarded by another comes back with what it guards.
        (
            "(define g (make-guardian)) (define h (make-guardian)) (h g) (g (list 1)) (set! g #f) (collect) \
          (define back (h)) (list (guardian? back) (back) (back))",
            "(#t (1) #f)",
        ),
        (
            "(define g (make-guardian)) (define h (make-guardian)) (define x (list 1)) (h (vector g)) (g x) (set! g #f) (collect) \
          (define back (vector-ref (h) 0)) (define before (back)) (set! x #f) (collect) (list before (back))",
            "(#f (1))",
        ),
        // Dropped guardians leave nothing behind, though the object lives.
        (
            "(define x (list 1)) (do ((i 0 (+ i 1))) ((= i 500)) ((make-guardian) x)) (collect) x",
            "(1)",
        ),
    ]);
}

#[test]
fn many_objects_and_automatic_collections() {
    let source = "(define g (make-guardian)) (define seen (make-vector 2000 0)) \
        (define (drain) (let ((x (g))) (if x (begin (vector-set! seen (car x) (+ 1 (vector-ref seen (car x)))) (drain))))) \
        (do ((i 0 (+ i 1))) ((= i 2000)) (g (list i)) (make-vector 20 i) (if (= 0 (modulo i 7)) (drain))) \
        (collect) (drain) (every (lambda (n) (= n 1)) (vector->list seen))";
    in_each_way(|way| {
        for steps in [5, 1000] {
            assert_eq!(run(way.often(), steps, source), "#t");
        }
    });
}

/// Guardians need no collections of the interpreter's own, and no finalizers at safepoints.
#[test]
fn embedders_collect_themselves() {
    in_each_way(|way: Way| {
        for mode in [FinalizerMode::AfterCollection, FinalizerMode::Manual] {
            let (options, sink) = support::options(1000);
            let heap = way.options().finalizers(mode);
            let mut scheme = Interpreter::new(Options { heap, ..options }).unwrap();
            let program = "(define g (make-guardian)) (define h (make-guardian)) (g (list 1)) (h (list 2)) (h (list 3)) (set! h #f)";
            scheme.load_str("first", program).unwrap();
            scheme.arena_mut().finish_cycle();
            scheme.arena_mut().finish_cycle();
            if mode == FinalizerMode::Manual {
                assert_eq!(scheme.arena_mut().run_finalizers(10), 3);
            }
            let taken = scheme
                .load_str("second", "(define x (g)) (list x (g))")
                .unwrap();
            assert_eq!(taken, Outcome::Value("((1) #f)".into()));
            let taken = scheme
                .load_str("third", "(g (list 4)) (collect) (g)")
                .unwrap();
            assert_eq!(taken, Outcome::Value("(4)".into()));
            drop(sink);
        }
    });
}

#[test]
fn registrations_that_fit_and_those_that_do_not() {
    in_each_way(|way| {
        let heap = way.options().limit(8 << 20);
        // Registered, dropped and taken from the guardian, they need no more room than is there.
        let source = "(define g (make-guardian)) (define n 0) \
            (define (drain) (if (g) (begin (set! n (+ n 1)) (drain)))) \
            (do ((i 0 (+ i 1))) ((= i 100)) (if (= 0 (modulo i 10)) (collect)) (drain) (g (make-vector 10000 i))) (collect) (drain) n";
        assert_eq!(run(heap, 100, source), "100");
        let (options, sink) = support::options(10);
        let source = "(define g (make-guardian)) (do () (#f) (g (make-vector 10000 0)))";
        let error = support::run_with(Options { heap, ..options }, &sink, source).unwrap_err();
        assert!(error.to_string().contains("out of memory"), "{error}");
    });
}

#[test]
fn weak_tables_lose_entries() {
    check(&[
        (
            "(define t (make-weak-eq-hashtable)) (define k (list 1)) (hashtable-set! t k (list k 'v)) (collect) \
          (define before (hashtable-ref t k #f)) (define n (hashtable-size t)) (set! before (cadr before)) \
          (set! k #f) (collect) (list before n (hashtable-size t) (hashtable-keys t))",
            "(v 1 0 #())",
        ),
        (
            "(define t (make-weak-eq-hashtable)) (define keys (map list (iota 100))) \
          (for-each (lambda (k) (hashtable-set! t k (car k)) (hashtable-set! t (list 0) k)) keys) (collect) \
          (list (hashtable-size t) (every (lambda (k) (= (car k) (hashtable-ref t k #f))) keys) \
                (length (hash-table->alist t)) (apply + (hash-table-values t)))",
            "(100 #t 100 4950)",
        ),
        (
            "(define t (make-ephemeron-eq-hashtable)) (hashtable-set! t 'a 1) (hashtable-set! t 5 2) (hashtable-set! t 'a (list 3)) (collect) \
          (define both (list (hashtable-ref t 'a #f) (hashtable-ref t 5 #f))) (hashtable-delete! t 'a) \
          (list both (hashtable-contains? t 'a) (hashtable-size t))",
            "(((3) 2) #f 1)",
        ),
    ]);
}

#[test]
fn the_handler_of_collections() {
    for (source, expected) in [
        ("(eq? (collect-request-handler) collect)", "#t"),
        (
            "(collect-request-handler void) (eq? (collect-request-handler) void)",
            "#t",
        ),
        (
            "(parameterize ((collect-request-handler void)) (eq? (collect-request-handler) void))",
            "#t",
        ),
        (
            "(parameterize ((collect-request-handler void)) 1) (eq? (collect-request-handler) collect)",
            "#t",
        ),
    ] {
        support::check(&[(source, expected)]);
    }
    let error = support::failure("(collect-request-handler 5)");
    assert!(
        error.contains("collect-request-handler: expected a procedure"),
        "{error}"
    );
}

/// `(work 2000)` allocates 3 MB: with a loop, and where nearly each safepoint is at an application.
const WORK: [&str; 2] = [
    "(define (work n) (if (> n 0) (begin (make-vector 100 n) (work (- n 1))) 'end))",
    "(define (work n) (if (> n 0) (begin (make-vector 100 n) (apply work (list (- n 1)))) 'end))",
];

#[test]
fn a_handler_is_called_instead_of_collections() {
    in_each_way(|way| {
        for (work, steps) in WORK.iter().flat_map(|work| [(work, 1), (work, 50)]) {
            // What was computed is not disturbed, and the handler's collections work.
            let source = format!(
                "(define calls 0) (define g (make-guardian)) (define x (list 1)) (g x) (set! x #f) (define got #f) \
                 (collect-request-handler (lambda () (set! calls (+ calls 1)) (collect) (set! got (or got (g))))) \
                 {work} (define result (work 2000)) (list result (> calls 2) (< calls 100) got)"
            );
            assert_eq!(
                run(way.often(), steps, &source),
                "(end #t #t (1))",
                "{source}"
            );
            // An error in the handler is one of the program, which can go on.
            let source = format!(
                "{work} (collect-request-handler (lambda () (collect-request-handler collect) (error \"full\" 5))) \
                 (define caught #f) (guard (e (#t (set! caught (condition/report-string e)))) (work 2000)) caught"
            );
            assert_eq!(run(way.often(), steps, &source), "\"full 5\"", "{source}");
        }
    });
}

#[test]
fn void_disables_automatic_collections() {
    in_each_way(|way| {
        for work in WORK {
            let (options, sink) = support::options(50);
            let options = Options {
                heap: way.often(),
                ..options
            };
            let mut scheme = Interpreter::new(options).unwrap();
            let program =
                "(collect-request-handler void) (collect) (define p (weak-cons (list 1) 0))";
            scheme.load_str("first", program).unwrap();
            let before = scheme.metrics().statistics().collections;
            scheme
                .start("work", &format!("{work} (work 2000)"))
                .unwrap();
            while scheme.step().unwrap() == Step::More {
                scheme.collect_debt();
                assert_eq!(
                    scheme.arena_mut().collection_phase(),
                    CollectionPhase::Sleeping
                );
            }
            assert_eq!(scheme.metrics().statistics().collections, before);
            let outcome =
                scheme.load_str("second", "(define q (car p)) (set! q #f) (collect) (car p)");
            assert_eq!(outcome.unwrap(), Outcome::Value("#!bwp".into()));
            drop(sink);
        }
        // Out of memory, it collects all the same.
        let source = "(collect-request-handler void) (define (f n) (if (> n 0) (begin (make-vector 10000 0) (f (- n 1))) 'end)) (f 300)";
        assert_eq!(run(way.options().limit(8 << 20), 1000, source), "end");
    });
}
