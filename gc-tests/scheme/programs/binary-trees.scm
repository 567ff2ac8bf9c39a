; Binary trees: many short-lived trees of each depth beside one that lives on. The nodes that are
; counted must be as many as were made.

(define greatest-depth
  (let ((arguments (cdr (command-line))))
    (if (pair? arguments) (string->number (car arguments)) 15)))

(define least-depth 4)

; A tree is a pair of trees, or of two empty lists at the bottom.
(define (make-tree depth)
  (if (= depth 0)
      (cons '() '())
      (cons (make-tree (- depth 1)) (make-tree (- depth 1)))))

(define (count-nodes tree)
  (if (null? (car tree))
      1
      (+ 1 (count-nodes (car tree)) (count-nodes (cdr tree)))))

(define (nodes depth) (- (expt 2 (+ depth 1)) 1))

(define right? #t)

(define (report what depth count expected)
  (display what)
  (display " of depth ")
  (display depth)
  (display ": ")
  (display count)
  (display " nodes")
  (newline)
  (unless (= count expected) (set! right? #f)))

(let ((depth (+ greatest-depth 1)))
  (report "stretch tree" depth (count-nodes (make-tree depth)) (nodes depth)))

(define long-lived-tree (make-tree greatest-depth))

(do ((depth least-depth (+ depth 2))) ((> depth greatest-depth))
  (let ((n (expt 2 (+ (- greatest-depth depth) least-depth))))
    (let loop ((i 0) (total 0))
      (if (< i n)
          (loop (+ i 1) (+ total (count-nodes (make-tree depth))))
          (report "trees" depth total (* n (nodes depth)))))))

(report "long-lived tree" greatest-depth (count-nodes long-lived-tree) (nodes greatest-depth))

(display "binary-trees ")
(display greatest-depth)
(display ": ")
(display (if right? "right" "WRONG"))
(newline)
