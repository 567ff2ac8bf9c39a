; A chart parser for any context-free grammar (Jay Earley, 1970), on a grammar that is as ambiguous
; as can be: `s -> s s | a`, for which the parses of n words are as many as the binary trees with n
; leaves (the Catalan number of n - 1). All parse trees are made, and counted in two ways.

(define size
  (let ((arguments (cdr (command-line))))
    (if (pair? arguments) (string->number (car arguments)) 13)))

; A grammar is a list of rules, a rule a list of a nonterminal and what it becomes.
(define grammar '((s s s) (s a)))
(define start 's)

(define (nonterminal? symbol) (and (assq symbol grammar) #t))

; An item is a rule, of which some part has been recognised, and the place where that began. The
; chart has a set of items for each place between words: the list of its items and a table of what
; is in it.
(define-record-type item
  (make-item rule rest origin)
  item?
  (rule item-rule)
  (rest item-rest)
  (origin item-origin))

(define-record-type column
  (make-column items members)
  column?
  (items column-items set-column-items!)
  (members column-members))

(define (new-column) (make-column '() (make-equal-hashtable)))

; The number of a rule stands for it in keys.
(define (rule-number rule)
  (list-index (lambda (other) (eq? other rule)) grammar))

(define (item-key rule rest origin) (list (rule-number rule) (length rest) origin))

; Adds an item unless the column has it; returns the item if it is new.
(define (add-item! column rule rest origin)
  (let ((key (item-key rule rest origin)))
    (if (hashtable-contains? (column-members column) key)
        #f
        (let ((item (make-item rule rest origin)))
          (hashtable-set! (column-members column) key item)
          (set-column-items! column (cons item (column-items column)))
          item))))

; Completes the chart for a vector of words.
(define (make-chart words)
  (let* ((n (vector-length words))
         (chart (make-vector (+ n 1) #f)))
    (do ((i 0 (+ i 1))) ((> i n))
      (vector-set! chart i (new-column)))

    (define (add! i agenda rule rest origin)
      (let ((item (add-item! (vector-ref chart i) rule rest origin)))
        (if item (cons item agenda) agenda)))

    (define (predict i agenda symbol)
      (fold-left (lambda (agenda rule)
                   (if (eq? (car rule) symbol)
                       (add! i agenda rule (cdr rule) i)
                       agenda))
                 agenda
                 grammar))

    (define (complete i agenda symbol origin)
      (fold-left (lambda (agenda item)
                   (if (and (pair? (item-rest item)) (eq? (car (item-rest item)) symbol))
                       (add! i agenda (item-rule item) (cdr (item-rest item))
                             (item-origin item))
                       agenda))
                 agenda
                 (column-items (vector-ref chart origin))))

    (define (scan! i item)
      (when (and (< i n) (eq? (car (item-rest item)) (vector-ref words i)))
        (add-item! (vector-ref chart (+ i 1))
                   (item-rule item) (cdr (item-rest item)) (item-origin item))))

    (define (process i agenda)
      (when (pair? agenda)
        (let* ((item (car agenda)) (agenda (cdr agenda)) (rest (item-rest item)))
          (process i
                   (cond ((null? rest)
                          (complete i agenda (car (item-rule item)) (item-origin item)))
                         ((nonterminal? (car rest)) (predict i agenda (car rest)))
                         (else (scan! i item) agenda))))))

    (predict 0 '() start)
    (do ((i 0 (+ i 1))) ((> i n) chart)
      (process i (column-items (vector-ref chart i))))))

; Whether the chart has the symbol recognised between two places.
(define (recognised? chart symbol from to)
  (any (lambda (rule)
         (and (eq? (car rule) symbol)
              (hashtable-contains? (column-members (vector-ref chart to))
                                   (item-key rule '() from))))
       grammar))

; All trees of a symbol between two places. What is computed once is shared.
(define (parses words chart)
  (define known (make-equal-hashtable))

  (define (trees symbol from to)
    (let ((key (list symbol from to)))
      (or (hashtable-ref known key #f)
          (let ((result (make-trees symbol from to)))
            (hashtable-set! known key result)
            result))))

  (define (make-trees symbol from to)
    (append-map (lambda (rule)
                  (if (eq? (car rule) symbol)
                      (map (lambda (branches) (cons symbol branches))
                           (sequences (cdr rule) from to))
                      '()))
                grammar))

  ; All ways to divide what lies between two places among symbols.
  (define (sequences symbols from to)
    (cond ((null? symbols) (if (= from to) '(()) '()))
          ((not (nonterminal? (car symbols)))
           (if (and (< from to) (eq? (vector-ref words from) (car symbols)))
               (map (lambda (branches) (cons (car symbols) branches))
                    (sequences (cdr symbols) (+ from 1) to))
               '()))
          (else
           (let loop ((middle to) (result '()))
             (cond ((= middle from) result)
                   ((recognised? chart (car symbols) from middle)
                    ; Without a rest there is nothing to combine, and the trees of a symbol could
                    ; be asked for while they are being made.
                    (let ((rests (sequences (cdr symbols) middle to)))
                      (loop (- middle 1)
                            (if (null? rests)
                                result
                                (products (trees (car symbols) from middle) rests result)))))
                   (else (loop (- middle 1) result)))))))

  ; Each first with each rest, in front of the result.
  (define (products firsts rests result)
    (fold-left (lambda (result first)
                 (fold-left (lambda (result rest) (cons (cons first rest) result))
                            result
                            rests))
               result
               firsts))

  (trees start 0 (vector-length words)))

(define (leaves tree)
  (if (pair? tree) (fold-left (lambda (n branch) (+ n (leaves branch))) 0 (cdr tree)) 1))

(define (catalan n)
  (if (= n 0) 1 (quotient (* 2 (- (* 2 n) 1) (catalan (- n 1))) (+ n 1))))

(define words (make-vector size 'a))
(define all (parses words (make-chart words)))
(define found (length all))

(display "earley ")
(display size)
(display ": ")
(display found)
(display " parses: ")
(display (if (and (= found (catalan (- size 1)))
                  (every (lambda (tree) (= (leaves tree) size)) all))
             "right"
             "WRONG"))
(newline)
