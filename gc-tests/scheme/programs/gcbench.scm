; GCBench, after John Ellis, Pete Kovac and Hans Boehm: complete binary trees are made from the
; root down and from the leaves up and dropped again, for depths that grow by two, while one tree
; and one array live through all of it. A tree that is made downwards stores new nodes in old ones.

(define long-lived-depth
  (let ((arguments (cdr (command-line))))
    (if (pair? arguments) (string->number (car arguments)) 14)))

(define array-length (* 8 (expt 2 long-lived-depth)))
(define least-depth 4)

(define-record-type node
  (make-node left right)
  node?
  (left node-left set-node-left!)
  (right node-right set-node-right!))

(define (make-empty-node) (make-node #f #f))

(define (tree-size depth) (- (expt 2 (+ depth 1)) 1))

; How often trees of a depth are made, so that every depth allocates as much.
(define (rounds depth)
  (quotient (* 2 (tree-size (+ long-lived-depth 2))) (tree-size depth)))

(define (fill! node depth)
  (when (> depth 0)
    (set-node-left! node (make-empty-node))
    (set-node-right! node (make-empty-node))
    (fill! (node-left node) (- depth 1))
    (fill! (node-right node) (- depth 1))))

(define (make-tree-down depth)
  (let ((root (make-empty-node)))
    (fill! root depth)
    root))

(define (make-tree-up depth)
  (if (= depth 0)
      (make-empty-node)
      (make-node (make-tree-up (- depth 1)) (make-tree-up (- depth 1)))))

(define (count-nodes tree)
  (if tree
      (+ 1 (count-nodes (node-left tree)) (count-nodes (node-right tree)))
      0))

(define (repeat n make)
  (do ((i 0 (+ i 1))
       (total 0 (+ total (count-nodes (make)))))
      ((= i n) total)))

(define right? #t)

(define (check! holds?) (set! right? (and right? holds?)))

(define (run depth)
  (let ((n (rounds depth)))
    (check! (= (repeat n (lambda () (make-tree-down depth))) (* n (tree-size depth))))
    (check! (= (repeat n (lambda () (make-tree-up depth))) (* n (tree-size depth))))
    (display n)
    (display " trees of depth ")
    (display depth)
    (display " each way")
    (newline)))

(define long-lived-tree (make-tree-down long-lived-depth))
(define long-lived-array (make-vector array-length 0.0))

(do ((i 1 (+ i 1))) ((= i (quotient array-length 2)))
  (vector-set! long-lived-array i (/ 1.0 i)))

(do ((depth least-depth (+ depth 2))) ((> depth long-lived-depth))
  (run depth))

(check! (= (count-nodes long-lived-tree) (tree-size long-lived-depth)))
(check! (= (vector-ref long-lived-array 1000) (/ 1.0 1000)))

(display "gcbench ")
(display long-lived-depth)
(display ": ")
(display (if right? "right" "WRONG"))
(newline)
