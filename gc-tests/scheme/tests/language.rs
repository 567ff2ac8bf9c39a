//! Special forms, procedures, control.

mod support;

use support::check;

#[test]
fn literals_and_printing() {
    check(&[
        ("42", "42"),
        ("-1.5e3", "-1500.0"),
        ("#xff", "255"),
        ("'(1 . (2 . (3 . ())))", "(1 2 3)"),
        ("'(a . b)", "(a . b)"),
        ("'#(1 #t #\\a \"s\")", "#(1 #t #\\a \"s\")"),
        (
            "'(#\\space #\\newline #\\x41 #\\λ)",
            "(#\\space #\\newline #\\A #\\λ)",
        ),
        (r#""a\n\"\\\x41;""#, r#""a\n\"\\A""#),
        ("'|odd name|", "|odd name|"),
        ("#| block #| nested |# |# #;(ignored) 7 ; line", "7"),
        ("''a", "(quote a)"),
        ("(list (if #f #f) 1)", "(#!unspecific 1)"),
        ("(string #\\a \"bc\" 1)", "\"abc1\""),
    ]);
}

#[test]
fn binding_forms() {
    check(&[
        ("(let ((x 1) (y 2)) (+ x y))", "3"),
        ("(let* ((x 1) (y (+ x 1))) (* x y))", "2"),
        (
            "(letrec ((e? (lambda (n) (or (= n 0) (o? (- n 1))))) (o? (lambda (n) (and (> n 0) (e? (- n 1)))))) (list (e? 10) (e? 7)))",
            "(#t #f)",
        ),
        (
            "(define (f) (define a 1) (define (g) (* a 2)) (define b (g)) (+ a b)) (f)",
            "3",
        ),
        ("(define (f . rest) rest) (f 1 2 3)", "(1 2 3)"),
        ("((lambda (a b . c) (list a b c)) 1 2)", "(1 2 ())"),
        ("((lambda args args))", "()"),
        (
            "(let loop ((i 0) (acc '())) (if (= i 5) acc (loop (+ i 1) (cons i acc))))",
            "(4 3 2 1 0)",
        ),
        ("(do ((i 0 (+ i 1)) (s 0 (+ s i))) ((= i 5) s))", "10"),
        (
            "(let-values (((a b) (values 1 2)) ((c . d) (values 3 4 5))) (list a b c d))",
            "(1 2 3 (4 5))",
        ),
        (
            "(define x 1) (define y 2) (let-values (((x) y) ((y) x)) (list x y))",
            "(2 1)",
        ),
        ("(let*-values (((a b) (values 1 2)) ((c) (+ a b))) c)", "3"),
        (
            "(define-values (q r . s) (values 1 2 3 4)) (list q r s)",
            "(1 2 (3 4))",
        ),
        (
            "(receive (a . rest) (values 1 2 3) (list a rest))",
            "(1 (2 3))",
        ),
        (
            "(call-with-values (lambda () (values 1 2)) cons)",
            "(1 . 2)",
        ),
        ("(define x 10) (define (f) x) (set! x 20) (f)", "20"),
        ("(let () 5)", "5"),
        (
            "(define f (case-lambda ((a) (list 'one a)) ((a b) (list 'two a b)) ((a . r) (list 'more r)))) (list (f 1) (f 1 2) (f 1 2 3))",
            "((one 1) (two 1 2) (more (2 3)))",
        ),
        (
            "(define p (make-parameter 10 (lambda (x) (* x 2)))) (list (p) (parameterize ((p 3)) (p)) (p))",
            "(20 6 20)",
        ),
    ]);
}

#[test]
fn conditionals() {
    check(&[
        (
            "(cond ((assv 2 '((1 . a) (2 . b))) => cdr) (else 'no))",
            "b",
        ),
        ("(cond (#f 1) (2) (else 3))", "2"),
        ("(cond (#f 1) ((= 1 1) 'yes) (else 3))", "yes"),
        ("(case 3 ((1 2) 'low) ((3 4) 'mid) (else 'high))", "mid"),
        ("(case 'x ((x) => (lambda (v) (list v))) (else 0))", "(x)"),
        ("(case \"a\" ((\"a\") 1) (else 2))", "2"),
        (
            "(list (and) (or) (and 1 2) (or #f 3) (and 1 #f 2))",
            "(#t #f 2 3 #f)",
        ),
        ("(list (when (= 1 1) 'a 'b) (unless (= 1 2) 'c))", "(b c)"),
        (
            "(list (if (or (= 1 2) (< 1 2)) 1 2) (if (and (< 1 2) (not (= 1 1))) 1 2))",
            "(1 2)",
        ),
        (
            "(define (f x) (or (and (pair? x) (car x)) 'none)) (list (f '(1)) (f 2))",
            "(1 none)",
        ),
        (
            "(define (cmp a b) (list (< a b) (<= a b) (= a b) (> a b) (>= a b))) (list (cmp 1 2) (cmp 2 2) (cmp 2.5 1))",
            "((#t #t #f #f #f) (#f #t #t #f #t) (#f #f #f #t #t))",
        ),
        (
            "(define (t x) (list (if (< x 3) 1 0) (if (> x 3) 1 0) (if (<= 3 x) 1 0) (if (not (>= 3 x)) 1 0) (if (= 3 x) 1 0))) (list (t 2) (t 3) (t 4))",
            "((1 0 0 0 0) (0 0 1 0 1) (0 1 1 1 0))",
        ),
    ]);
}

#[test]
fn quasiquotation() {
    check(&[
        (
            "`(1 ,(+ 1 1) ,@(map (lambda (x) (* x x)) '(2 3)) end)",
            "(1 2 4 9 end)",
        ),
        ("`(1 . ,(+ 1 1))", "(1 . 2)"),
        ("`#(a ,@'(b c) d)", "#(a b c d)"),
        (
            "`(a `(b ,(c ,(+ 1 2))))",
            "(a (quasiquote (b (unquote (c 3)))))",
        ),
        (
            "`(1 `,(+ 1 ,(+ 2 3)))",
            "(1 (quasiquote (unquote (+ 1 5))))",
        ),
        ("`((,@'(1 2) . 3) ,@'() 4)", "((1 2 . 3) 4)"),
        ("`(x ,@'(1 2))", "(x 1 2)"),
        (
            "(let ((name 'a)) `(list ,name ',name))",
            "(list a (quote a))",
        ),
    ]);
}

#[test]
fn loops_and_closures() {
    check(&[
        // Each round of a loop has variables of its own.
        (
            "(map (lambda (f) (f)) (let loop ((i 0) (fs '())) (if (= i 3) fs (loop (+ i 1) (cons (lambda () i) fs)))))",
            "(2 1 0)",
        ),
        (
            "(map (lambda (f) (f)) (do ((i 0 (+ i 1)) (fs '() (cons (lambda () (set! i (+ i 10)) i) fs))) ((= i 3) fs)))",
            "(12 11 10)",
        ),
        // An inner loop that continues the outer one.
        (
            "(let outer ((i 0) (n 0)) (if (= i 3) n (let inner ((j 0) (n n)) (if (< j 4) (inner (+ j 1) (+ n 1)) (outer (+ i 1) n)))))",
            "12",
        ),
        // A loop in an operand.
        (
            "(+ 1 (let loop ((i 0)) (if (< i 5) (loop (+ i 1)) i)) 2)",
            "8",
        ),
        // New values are computed before any is assigned.
        (
            "(let loop ((a 1) (b 2) (n 0)) (if (= n 3) (list a b) (loop b a (+ n 1))))",
            "(2 1)",
        ),
        (
            "(let loop ((a 0) (b 1) (n 0)) (if (= n 10) a (loop b (+ a b) (+ n 1))))",
            "55",
        ),
        (
            "(let loop ((x #f) (n 0)) (if (= n 2) x (loop (or #f (list x n)) (+ n 1))))",
            "((#f 0) 1)",
        ),
        // A name that is also used as a value is no loop.
        (
            "(let loop ((i 0)) (if (procedure? i) 'done (loop loop)))",
            "done",
        ),
        (
            "(define (f n) (define (go i) (if (= i 0) 'end (go (- i 1)))) (go n)) (f 10)",
            "end",
        ),
        (
            "(define (f) (define (a n) (if (= n 0) 'a (b (- n 1)))) (define (b n) (if (= n 0) 'b (a (- n 1)))) (a 7)) (f)",
            "b",
        ),
        (
            "(define (counter) (let ((n 0)) (lambda () (set! n (+ n 1)) n))) (define c (counter)) (define d (counter)) (c) (c) (d) (list (c) (d))",
            "(3 2)",
        ),
        (
            "(define (compose . fs) (if (null? fs) (lambda (x) x) (lambda (x) ((car fs) ((apply compose (cdr fs)) x))))) ((compose 1+ (lambda (x) (* 2 x))) 5)",
            "11",
        ),
        (
            "(define (f a) (lambda (b) (lambda (c) (list a b c)))) (((f 1) 2) 3)",
            "(1 2 3)",
        ),
    ]);
}

#[test]
fn tail_calls_take_no_stack() {
    check(&[
        (
            "(define (loop n) (if (= n 0) 'done (loop (- n 1)))) (loop 1000000)",
            "done",
        ),
        (
            "(define (e? n) (if (= n 0) #t (o? (- n 1)))) (define (o? n) (if (= n 0) #f (e? (- n 1)))) (e? 1000001)",
            "#f",
        ),
        (
            "(define (f n) (cond ((= n 0) 'ok) (else (apply f (list (- n 1)))))) (f 100000)",
            "ok",
        ),
        (
            "(define (f n) (and #t (or #f (when #t (if (= n 0) 'ok (f (- n 1))))))) (f 1000000)",
            "ok",
        ),
        (
            "(define (f n k) (if (= n 0) (k 'ok) (f (- n 1) (lambda (x) (k x))))) (f 100000 (lambda (x) x))",
            "ok",
        ),
    ]);
}

#[test]
fn deep_recursion() {
    check(&[
        (
            "(define (count n) (if (= n 0) 0 (+ 1 (count (- n 1))))) (count 1000000)",
            "1000000",
        ),
        (
            "(define (build n) (if (= n 0) '() (cons n (build (- n 1))))) (length (build 300000))",
            "300000",
        ),
    ]);
}

#[test]
fn continuations() {
    check(&[
        ("(+ 1 (call/cc (lambda (k) (+ 10 (k 1)))))", "2"),
        ("(call-with-values (lambda () (call/cc (lambda (k) (k 1 2 3)))) list)", "(1 2 3)"),
        // Re-entry restores the stack but not assigned variables.
        ("(let ((n 0) (k #f)) (call/cc (lambda (c) (set! k c))) (set! n (+ n 1)) (if (< n 5) (k #f) n))", "5"),
        // Re-entry at top level repeats the forms that follow.
        ("(define k #f) (define n 0) (display (call/cc (lambda (c) (set! k c) 'start))) (set! n (+ n 1)) (if (< n 3) (k n)) 'end", "start12end"),
        // A generator.
        ("(define (make-generator list)
            (define return #f)
            (define (generate)
              (for-each (lambda (x) (call/cc (lambda (next) (set! generate (lambda () (next #f))) (return x)))) list)
              (return 'end))
            (lambda () (call/cc (lambda (r) (set! return r) (generate)))))
          (define g (make-generator '(1 2 3)))
          (let* ((a (g)) (b (g)) (c (g)) (d (g))) (list a b c d))", "(1 2 3 end)"),
        // Ambiguous choice by backtracking.
        ("(define fail #f)
          (define (amb . choices)
            (let ((outer fail))
              (call/cc (lambda (return)
                (for-each (lambda (choice)
                            (call/cc (lambda (next) (set! fail (lambda () (next #f))) (return choice))))
                          choices)
                (set! fail outer)
                (fail)))))
          (let* ((a (amb 1 2 3 4 5 6 7)) (b (amb 1 2 3 4 5 6 7)) (c (amb 1 2 3 4 5 6 7)))
            (if (and (= (* c c) (+ (* a a) (* b b))) (< a b)) (list a b c) (fail)))", "(3 4 5)"),
    ]);
}

#[test]
fn dynamic_wind_order() {
    check(&[
        ("(define log '())
          (define (note x) (set! log (cons x log)))
          (define k #f)
          (define n 0)
          (dynamic-wind (lambda () (note 'in)) (lambda () (call/cc (lambda (c) (set! k c))) (note 'body)) (lambda () (note 'out)))
          (set! n (+ n 1))
          (if (< n 2) (k #f))
          (reverse log)", "(in body out in body out)"),
        ("(define log '())
          (define (note x) (set! log (cons x log)))
          (call/cc (lambda (k)
            (dynamic-wind (lambda () (note 1))
              (lambda () (dynamic-wind (lambda () (note 2)) (lambda () (k 'x)) (lambda () (note 3))))
              (lambda () (note 4)))))
          (reverse log)", "(1 2 3 4)"),
        ("(call-with-values (lambda () (dynamic-wind list (lambda () (values 1 2)) list)) list)", "(1 2)"),
    ]);
}

#[test]
fn exceptions() {
    check(&[
        (
            "(guard (e (#t (condition/report-string e))) (error \"bad thing:\" 1 \"two\" 'three))",
            "\"bad thing: 1 \\\"two\\\" three\"",
        ),
        (
            "(guard (e ((symbol? e) (list 'symbol e)) ((string? e) 'string)) (raise 'oops))",
            "(symbol oops)",
        ),
        (
            "(guard (e ((string? e) 'outer)) (guard (e ((number? e) 'inner)) (raise \"s\")))",
            "outer",
        ),
        (
            "(guard (e ((assq 'a e) => cdr) ((assq 'b e))) (raise (list (cons 'a 42))))",
            "42",
        ),
        (
            "(with-exception-handler (lambda (e) 10) (lambda () (+ 1 (raise-continuable 'c))))",
            "11",
        ),
        (
            "(guard (e (#t (error-object-message e))) (with-exception-handler (lambda (e) 0) (lambda () (raise 'x))))",
            "\"the handler returned from an exception that cannot be continued:\"",
        ),
        (
            "(guard (e (#t (list 'caught (error-object-irritants e)))) (car 5))",
            "(caught (5))",
        ),
        (
            "(guard (e (#t (condition/report-string e))) (vector-ref (vector 1 2) 2))",
            "\"vector-ref: no such index in a vector of length 2: 2\"",
        ),
        (
            "(guard (e (#t (condition/report-string e))) (undefined-thing))",
            "\"unbound variable: undefined-thing\"",
        ),
        (
            "(define log '()) (guard (e (#t (set! log (cons 'handler log)))) (dynamic-wind (lambda () (set! log (cons 'in log))) (lambda () (raise 1)) (lambda () (set! log (cons 'out log))))) (reverse log)",
            "(in out handler)",
        ),
        (
            "(call-with-values (lambda () (guard (e (#t 0)) (values 1 2))) list)",
            "(1 2)",
        ),
        (
            "(guard (e (#t (condition/report-string e))) (assert (= 1 2)))",
            "\"assertion failed: (= 1 2)\"",
        ),
        (
            "(guard (e (#t (condition/report-string e))) ((lambda (x) x)))",
            "\"an anonymous procedure: expected 1 argument, found 0\"",
        ),
        (
            "(define (f x) x) (guard (e (#t (condition/report-string e))) (f 1 2))",
            "\"f: expected 1 argument, found 2\"",
        ),
        (
            "(guard (e (#t (condition/report-string e))) (letrec ((a (b)) (b (lambda () a))) a))",
            "\"a variable is used before its definition\"",
        ),
    ]);
}

#[test]
fn records() {
    check(&[
        (
            "(define-record-type point (make-point x y) point? (x px) (y py set-py!))
          (define p (make-point 1 2)) (set-py! p 5)
          (list (px p) (py p) (point? p) (point? 'p))",
            "(1 5 #t #f)",
        ),
        (
            "(define-record-type <node> (node b a) node? (a node-a) (b node-b) (c node-c set-c!))
          (define n (node 1 2)) (list (node-a n) (node-b n) (node-c n))",
            "(2 1 #f)",
        ),
        (
            "(define (f) (define-record-type thing (make-thing a) thing? (a thing-a)) (thing-a (make-thing 3))) (f)",
            "3",
        ),
        (
            "(define-record-type a (make-a x) a? (x a-x)) (define-record-type b (make-b x) b? (x b-x)) (guard (e (#t (condition/report-string e))) (a-x (make-b 1)))",
            "\"a-x: expected a record of type a, found #[record b]\"",
        ),
        (
            "(define-record-type r (make-r x) r? (x r-x)) (map r-x (map make-r '(1 2 3)))",
            "(1 2 3)",
        ),
    ]);
}

#[test]
fn promises_and_streams() {
    check(&[
        (
            "(define n 0) (define p (delay (begin (set! n (+ n 1)) n))) (list (force p) (force p) n)",
            "(1 1 1)",
        ),
        (
            "(define (ints n) (cons-stream n (ints (+ n 1)))) (stream-head (ints 1) 5)",
            "(1 2 3 4 5)",
        ),
        (
            "(define (loop n) (if (= n 0) (delay 'done) (delay-force (loop (- n 1))))) (force (loop 100000))",
            "done",
        ),
        (
            "(list (promise? (make-promise 1)) (force (make-promise 1)) (force 5))",
            "(#t 1 5)",
        ),
    ]);
}

#[test]
fn syntax_rules() {
    check(&[
        (
            "(define-syntax swap! (syntax-rules () ((_ a b) (let ((tmp a)) (set! a b) (set! b tmp))))) (let ((tmp 1) (other 2)) (swap! tmp other) (list tmp other))",
            "(2 1)",
        ),
        (
            "(define-syntax my-or (syntax-rules () ((_) #f) ((_ e) e) ((_ e r ...) (let ((t e)) (if t t (my-or r ...)))))) (let ((t 5)) (my-or #f t))",
            "5",
        ),
        (
            "(define-syntax while (syntax-rules () ((_ c body ...) (let loop () (when c body ... (loop)))))) (define i 0) (while (< i 3) (display i) (set! i (+ i 1))) 'x",
            "012x",
        ),
        (
            "(define-syntax my-let (syntax-rules () ((_ ((n v) ...) body ...) ((lambda (n ...) body ...) v ...)))) (my-let ((a 1) (b 2)) (+ a b))",
            "3",
        ),
        (
            "(define-syntax for (syntax-rules (in) ((_ x in list body ...) (for-each (lambda (x) body ...) list)))) (for y in '(1 2 3) (display y)) 'ok",
            "123ok",
        ),
        (
            "(define-syntax flat (syntax-rules () ((_ (a b ...) ...) '((a ...) (b ... ...))))) (flat (1 2 3) (4) (5 6))",
            "((1 4 5) (2 3 6))",
        ),
        (
            "(define (f) (define-syntax ten (syntax-rules () ((_) 10))) (define x (ten)) (+ x (ten))) (f)",
            "20",
        ),
        (
            "(let-syntax ((k (syntax-rules () ((_ x) (list x x))))) (k 3))",
            "(3 3)",
        ),
        (
            "(define-syntax def (syntax-rules () ((_ n v) (define n v)))) (def z 9) z",
            "9",
        ),
        (
            "(define-syntax be-like-begin (syntax-rules () ((_ name) (define-syntax name (syntax-rules () ((_ e (... ...)) (begin e (... ...)))))))) (be-like-begin seq) (seq 1 2 3)",
            "3",
        ),
    ]);
}

#[test]
fn redefinition_of_known_procedures() {
    check(&[
        ("(define (car x) 'mine) (car '(1 2))", "mine"),
        ("(define (f x) (+ x 1)) (define (+ a b) (* a b)) (f 5)", "5"),
        ("(let ((if list)) (if 1 2 3))", "(1 2 3)"),
        (
            "(define (assert x) (list 'assert x)) (assert #f)",
            "(assert #f)",
        ),
        ("(let ((+ -)) (+ 5 3))", "2"),
    ]);
}

#[test]
fn eval_and_exit() {
    check(&[
        ("(eval '(+ 1 2))", "3"),
        ("(eval (list 'define 'zz 5)) zz", "5"),
        ("(display 1) (exit 7) (display 2)", "1exit 7"),
        ("(exit)", "exit 0"),
        ("(exit #f)", "exit 1"),
        ("(gc-collect) 'after", "after"),
    ]);
}
