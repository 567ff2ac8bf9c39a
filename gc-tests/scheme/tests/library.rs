//! The library's procedures.

mod support;

use support::check;

#[test]
fn arithmetic() {
    check(&[
        (
            "(list (+) (+ 1) (+ 1 2 3) (- 5) (- 5 1 1) (*) (* 2 3 4))",
            "(0 1 6 -5 3 1 24)",
        ),
        ("(list (/ 6 3) (/ 1 4) (/ 2) (/ 7.0 2))", "(2 0.25 0.5 3.5)"),
        (
            "(list (quotient 17 -5) (remainder 17 -5) (modulo 17 -5) (modulo -17 5))",
            "(-3 2 -3 3)",
        ),
        (
            "(list (quotient 7. 2) (remainder -7 2.) (modulo -7 2.))",
            "(3.0 -1.0 1.0)",
        ),
        (
            "(list (+ 9223372036854775807 1) (* 4611686018427387904 4) (- -9223372036854775808 1))",
            "(9.223372036854776e18 1.8446744073709552e19 -9.223372036854776e18)",
        ),
        (
            "(list (abs -5) (abs -5.5) (min 1 2.0) (max 1 2 3) (gcd 12 18) (lcm 4 6) (gcd))",
            "(5 5.5 1.0 3 6 12 0)",
        ),
        (
            "(list (floor 1.5) (ceiling 1.2) (round 2.5) (round 3.5) (truncate -1.7) (round 7))",
            "(1.0 2.0 2.0 4.0 -1.0 7)",
        ),
        (
            "(list (exact 3.0) (inexact 3) (exact->inexact 1) (exact (floor 2.7)))",
            "(3 3.0 1.0 2)",
        ),
        (
            "(list (sqrt 16) (sqrt 2) (expt 2 10) (expt 2.0 0.5) (expt 2 -1) (square 5))",
            "(4 1.4142135623730951 1024 1.4142135623730951 0.5 25)",
        ),
        (
            "(list (number->string 255 16) (number->string 1.5) (string->number \"1e3\") (string->number \"ff\" 16) (string->number \"x\"))",
            "(\"ff\" \"1.5\" 1000.0 255 #f)",
        ),
        (
            "(list (zero? 0) (zero? 0.0) (positive? 1) (negative? -1) (odd? 3) (even? 3))",
            "(#t #t #t #t #t #f)",
        ),
        (
            "(list (number? 1) (integer? 1.0) (integer? 1.5) (exact? 1) (inexact? 1.) (nan? (/ 0. 0.)))",
            "(#t #t #f #t #t #t)",
        ),
        (
            "(list (= 1 1.0) (eqv? 1 1.0) (equal? 1 1.0) (eqv? 1.5 1.5) (< 1 2 3) (< 1 3 2))",
            "(#t #f #f #t #t #f)",
        ),
        (
            "(list (exp 0) (sin 0) (atan 1 1) (log 1))",
            "(1.0 0.0 0.7853981633974483 0.0)",
        ),
        (
            "(list (bitwise-and 12 10) (bitwise-or 12 10) (bitwise-xor 12 10) (arithmetic-shift 1 10) (arithmetic-shift 1024 -3))",
            "(8 14 6 1024 128)",
        ),
        (
            "(let ((a (random 10)) (b (random 1.0))) (and (<= 0 a 9) (< -1 b 1)))",
            "#t",
        ),
        (
            "(list (1+ 5) (-1+ 5) (- 0.0) (exact->inexact 1/3))",
            "(6 4 -0.0 0.3333333333333333)",
        ),
        (
            "(list +inf.0 -inf.0 1e21 1e-7 123456.789)",
            "(+inf.0 -inf.0 1e21 1e-7 123456.789)",
        ),
    ]);
}

#[test]
fn lists() {
    check(&[
        (
            "(list (list) (list 1 2) (cons* 1 2 '(3)) (make-list 2 'x) (iota 3) (iota 3 1))",
            "(() (1 2) (1 2 3) (x x) (0 1 2) (1 2 3))",
        ),
        (
            "(list (length '(1 2)) (append '(1) '(2) '(3 4) '()) (append) (append '() 5) (reverse '(1 2 3)))",
            "(2 (1 2 3 4) () 5 (3 2 1))",
        ),
        (
            "(list (list-ref '(a b c) 1) (list-tail '(a b c) 2) (list-head '(a b c) 2) (list-copy '(1 2 . 3)) (last-pair '(1 2)))",
            "(b (c) (a b) (1 2 . 3) (2))",
        ),
        (
            "(list (memq 'b '(a b c)) (memv 1.5 '(1 1.5)) (member '(1) '((0) (1))) (memq 'x '()) (member 2 '(1 2 3) <))",
            "((b c) (1.5) ((1)) #f (3))",
        ),
        (
            "(list (assq 'b '((a 1) (b 2))) (assv 2 '((1 . a) (2 . b))) (assoc \"b\" '((\"a\" . 1) (\"b\" . 2))) (assq 'z '()))",
            "((b 2) (2 . b) (\"b\" . 2) #f)",
        ),
        (
            "(list (map + '(1 2) '(10 20 30)) (map car '((1) (2))) (append-map list '(1 2)) (filter odd? '(1 2 3)) (remove odd? '(1 2 3)))",
            "((11 22) (1 2) (1 2) (1 3) (2))",
        ),
        (
            "(list (fold-left cons '() '(1 2)) (fold-right cons '() '(1 2)) (fold cons '() '(1 2)) (reduce + 0 '(1 2 3)) (fold-left + 0 '(1 2) '(3 4)) (fold-right list 'z '(1 2) '(3 4)))",
            "(((() . 1) . 2) (1 2) (2 1) 6 10 (1 3 (2 4 z)))",
        ),
        (
            "(list (any odd? '(2 3)) (every odd? '(1 3)) (every odd? '()) (find even? '(1 2)) (list-index even? '(1 2)) (count odd? '(1 2 3)) (delete 2 '(1 2 3)))",
            "(#t #t #t 2 1 2 (1 3))",
        ),
        (
            "(define l '()) (for-each (lambda (a b) (set! l (cons (+ a b) l))) '(1 2) '(3 4)) l",
            "(6 4)",
        ),
        (
            "(list (sort '(3 1 2) <) (sort (vector 3 1 2) >) (sort '((1 . a) (0 . b) (1 . c) (0 . d)) (lambda (x y) (< (car x) (car y)))))",
            "((1 2 3) #(3 2 1) ((0 . b) (0 . d) (1 . a) (1 . c)))",
        ),
        (
            "(list (caar '((1) 2)) (cadr '(1 2)) (cdar '((1 . 2))) (cddr '(1 2 . 3)) (caddr '(1 2 3)) (cdddr '(1 2 3 4)) (cadddr '(1 2 3 4)))",
            "(1 2 2 3 3 (4) 4)",
        ),
        (
            "(define p (list 1 2)) (set-car! p 'a) (set-cdr! (cdr p) '(z)) p",
            "(a 2 z)",
        ),
        (
            "(list (list? '(1 2)) (list? '(1 . 2)) (let ((l (list 1 2))) (set-cdr! (cdr l) l) (list? l)))",
            "(#t #f #f)",
        ),
        (
            "(list (apply + 1 2 '(3 4)) (apply max '(3 1)) (apply list '()))",
            "(10 3 ())",
        ),
        ("(apply + (iota 1000))", "499500"),
        ("(length (apply list (iota 5000)))", "5000"),
        ("(delete-duplicates '(1 2 1 3 2))", "(1 2 3)"),
    ]);
}

#[test]
fn strings_symbols_and_characters() {
    check(&[
        (
            "(list (string-length \"abc\") (string-ref \"abc\" 1) (substring \"hello\" 1 3) (string-append \"a\" \"b\" \"\"))",
            "(3 #\\b \"el\" \"ab\")",
        ),
        (
            "(define s (make-string 3 #\\x)) (string-set! s 1 #\\λ) (string-fill! s #\\- 2 3) s",
            "\"xλ-\"",
        ),
        (
            "(list (string=? \"a\" \"a\") (string<? \"a\" \"b\" \"c\") (string>? \"a\" \"b\") (string-ci=? \"Ab\" \"aB\"))",
            "(#t #t #f #t)",
        ),
        (
            "(list (string->list \"abc\") (list->string '(#\\a #\\b)) (string-copy \"abc\" 1) (string->symbol \"x y\") (symbol->string 'abc))",
            "((#\\a #\\b #\\c) \"ab\" \"bc\" |x y| \"abc\")",
        ),
        (
            "(list (string-upcase \"abc\") (string-index \"abc\" #\\c) (string-search-forward \"c\" \"abc\" 0) (string-pad-left \"7\" 3) (string-join '(\"a\" \"b\") \", \"))",
            "(\"ABC\" 2 2 \"  7\" \"a, b\")",
        ),
        (
            "(list (char->integer #\\A) (integer->char 97) (char-upcase #\\a) (char-numeric? #\\5) (char<? #\\a #\\b) (char-whitespace? #\\space))",
            "(65 #\\a #\\A #t #t #t)",
        ),
        (
            "(list (eq? 'abc (string->symbol \"abc\")) (eq? (gensym) (gensym)) (symbol? (gensym)) (symbol<? 'a 'b))",
            "(#t #f #t #t)",
        ),
        (
            "(list (string? \"\") (string-null? \"\") (string-map char-upcase \"abc\") (string-count \"banana\" (lambda (c) (char=? c #\\a))))",
            "(#t #t \"ABC\" 3)",
        ),
    ]);
}

#[test]
fn vectors() {
    check(&[
        (
            "(define v (make-vector 3 0)) (vector-set! v 0 'a) (vector-fill! v 'z 2) (list v (vector-length v) (vector-ref v 0))",
            "(#(a 0 z) 3 a)",
        ),
        (
            "(list (vector->list #(1 2 3) 1) (list->vector '(1 2)) (subvector #(1 2 3 4) 1 3) (vector-append #(1) #(2 3)) (vector-grow #(1) 2))",
            "((2 3) #(1 2) #(2 3) #(1 2 3) #(1 #f))",
        ),
        (
            "(list (vector-map + #(1 2) #(10 20)) (vector-map 1+ #(1 2)))",
            "(#(11 22) #(2 3))",
        ),
        (
            "(define s 0) (vector-for-each (lambda (x) (set! s (+ s x))) #(1 2 3)) s",
            "6",
        ),
        (
            "(define v (vector 1 2 3 4 5)) (vector-copy! v 1 v 0 3) v",
            "#(1 1 2 3 5)",
        ),
        ("(vector-binary-search #(1 3 5 7) 5 -)", "5"),
    ]);
}

#[test]
fn equality() {
    check(&[
        (
            "(list (equal? '(1 #(2 \"x\")) (list 1 (vector 2 \"x\"))) (equal? \"a\" \"b\") (eqv? \"\" \"\") (eq? '() '()))",
            "(#t #f #f #t)",
        ),
        // Cyclic data, of equal and of different periods.
        (
            "(define (cycle . items) (set-cdr! (last-pair items) items) items) (list (equal? (cycle 1 2) (cycle 1 2)) (equal? (cycle 1 2) (cycle 1 2 1 2)) (equal? (cycle 1 2) (cycle 1 3)))",
            "(#t #t #f)",
        ),
        (
            "(define (deep n) (let loop ((i 0) (x '())) (if (= i n) x (loop (+ i 1) (list x))))) (equal? (deep 500000) (deep 500000))",
            "#t",
        ),
    ]);
}

#[test]
fn printing_deep_and_cyclic_data() {
    check(&[
        (
            "(define l (list 1 2)) (set-cdr! (cdr l) l) l",
            "#0=(1 2 . #0#)",
        ),
        (
            "(define v (vector 1 2)) (vector-set! v 0 v) v",
            "#0=#(#0# 2)",
        ),
        (
            "(define l (list 1 2 3)) (set-car! (cdr l) l) (write l) (display (cdr l)) 'x",
            "#0=(1 #0# 3)#0=((1 . #0#) 3)x",
        ),
        (
            "(define (deep n) (let loop ((i 0) (x '())) (if (= i n) x (loop (+ i 1) (list x))))) (define d (deep 200000)) (begin (write d) 'ok)",
            &("(".repeat(200_001) + &")".repeat(200_001) + "ok"),
        ),
    ]);
}

#[test]
fn hash_tables() {
    check(&[
        (
            "(define h (make-equal-hashtable)) (hashtable-set! h '(1 2) 'a) (hashtable-set! h \"k\" 'b) (list (hashtable-ref h (list 1 2) #f) (hashtable-ref h \"k\" #f) (hashtable-ref h 'z 'none) (hashtable-size h))",
            "(a b none 2)",
        ),
        (
            "(define h (make-eq-hashtable)) (define k (list 1)) (hashtable-set! h k 1) (gc-collect) (hashtable-set! h (list 1) 2) (list (hashtable-ref h k #f) (hashtable-ref h (list 1) #f) (hashtable-size h))",
            "(1 #f 2)",
        ),
        (
            "(define h (make-eqv-hashtable)) (do ((i 0 (+ i 1))) ((= i 1000)) (hashtable-set! h i (* i i))) (do ((i 0 (+ i 2))) ((>= i 1000)) (hashtable-delete! h i)) (list (hashtable-size h) (hashtable-ref h 999 #f) (hashtable-contains? h 500))",
            "(500 998001 #f)",
        ),
        (
            "(define h (make-equal-hashtable)) (for-each (lambda (w) (hashtable-update! h w 1+ 0)) '(a b a c a)) (sort (hash-table->alist h) (lambda (x y) (symbol<? (car x) (car y))))",
            "((a . 3) (b . 1) (c . 1))",
        ),
        (
            "(define h (make-equal-hash-table)) (hash-table-set! h 1 2) (hash-table-update! h 1 (lambda (x) (* x 10))) (hash-table-walk h (lambda (k v) (display (list k v)))) (hash-table-clear! h) (hash-table-count h)",
            "(1 20)0",
        ),
    ]);
}
