; All ways to place n queens on an n by n board so that none attacks another. The solutions are
; made as lists, one column for each row, and checked against the known number.

(define size
  (let ((arguments (cdr (command-line))))
    (if (pair? arguments) (string->number (car arguments)) 11)))

(define known-solutions '(1 1 0 0 2 10 4 40 92 352 724 2680 14200 73712))

; Whether a queen in this column is safe from those in the rows before, nearest first.
(define (safe? column placed)
  (let loop ((rest placed) (distance 1))
    (or (null? rest)
        (let ((other (car rest)))
          (and (not (= other column))
               (not (= (- other column) distance))
               (not (= (- column other) distance))
               (loop (cdr rest) (+ distance 1)))))))

; Puts the solutions that begin with the queens placed in front of others.
(define (solve rows placed others)
  (if (= rows 0)
      (cons placed others)
      (let loop ((column size) (others others))
        (cond ((= column 0) others)
              ((safe? column placed)
               (loop (- column 1) (solve (- rows 1) (cons column placed) others)))
              (else (loop (- column 1) others))))))

(define (solution? queens)
  (or (null? queens)
      (and (safe? (car queens) (cdr queens)) (solution? (cdr queens)))))

(define solutions (solve size '() '()))
(define found (length solutions))

(display "queens ")
(display size)
(display ": ")
(display found)
(display " solutions: ")
(display (cond ((not (every solution? solutions)) "WRONG")
               ((>= size (length known-solutions)) "unknown")
               ((= found (list-ref known-solutions size)) "right")
               (else "WRONG")))
(newline)
