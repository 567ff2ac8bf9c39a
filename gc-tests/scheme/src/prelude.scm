; The part of the library that is written in Scheme: whatever calls procedures of the program, so
; that these can be suspended, captured and left like any other.

; Lists

(define (%map1 f list)
  (let loop ((rest list) (result '()))
    (if (pair? rest)
        (loop (cdr rest) (cons (f (car rest)) result))
        (reverse result))))

(define (%any-null? lists)
  (and (pair? lists)
       (or (not (pair? (car lists))) (%any-null? (cdr lists)))))

(define (map f list . more)
  (if (null? more)
      (%map1 f list)
      (let loop ((lists (cons list more)) (result '()))
        (if (%any-null? lists)
            (reverse result)
            (loop (%map1 cdr lists) (cons (apply f (%map1 car lists)) result))))))

(define (for-each f list . more)
  (if (null? more)
      (let loop ((rest list))
        (when (pair? rest)
          (f (car rest))
          (loop (cdr rest))))
      (let loop ((lists (cons list more)))
        (unless (%any-null? lists)
          (apply f (%map1 car lists))
          (loop (%map1 cdr lists))))))

(define (append-map f . lists) (apply append (apply map f lists)))

(define (filter-map f list)
  (let loop ((rest list) (result '()))
    (if (pair? rest)
        (let ((value (f (car rest))))
          (loop (cdr rest) (if value (cons value result) result)))
        (reverse result))))

(define (filter keep? list)
  (let loop ((rest list) (result '()))
    (if (pair? rest)
        (loop (cdr rest) (if (keep? (car rest)) (cons (car rest) result) result))
        (reverse result))))

(define (remove drop? list) (filter (lambda (item) (not (drop? item))) list))

(define (partition in? list)
  (let loop ((rest list) (in '()) (out '()))
    (cond ((null? rest) (values (reverse in) (reverse out)))
          ((in? (car rest)) (loop (cdr rest) (cons (car rest) in) out))
          (else (loop (cdr rest) in (cons (car rest) out))))))

(define (delete item list) (remove (lambda (other) (equal? item other)) list))

(define (delete-duplicates list)
  (let loop ((rest list) (result '()))
    (cond ((null? rest) (reverse result))
          ((%member (car rest) result) (loop (cdr rest) result))
          (else (loop (cdr rest) (cons (car rest) result))))))

(define (fold-left f initial . lists)
  (if (null? (cdr lists))
      (let loop ((result initial) (rest (car lists)))
        (if (pair? rest)
            (loop (f result (car rest)) (cdr rest))
            result))
      (let loop ((result initial) (lists lists))
        (if (%any-null? lists)
            result
            (loop (apply f result (%map1 car lists)) (%map1 cdr lists))))))

(define (fold-right f initial . lists)
  (if (null? (cdr lists))
      (let loop ((result initial) (rest (reverse (car lists))))
        (if (pair? rest)
            (loop (f (car rest) result) (cdr rest))
            result))
      (let loop ((lists lists))
        (if (%any-null? lists)
            initial
            (apply f (append (%map1 car lists) (list (loop (%map1 cdr lists)))))))))

(define (fold f initial list)
  (let loop ((result initial) (rest list))
    (if (pair? rest)
        (loop (f (car rest) result) (cdr rest))
        result)))

(define (reduce f initial list)
  (if (pair? list) (fold f (car list) (cdr list)) initial))

(define reduce-left reduce)

(define (find wanted? list)
  (let loop ((rest list))
    (and (pair? rest)
         (if (wanted? (car rest)) (car rest) (loop (cdr rest))))))

(define (find-tail wanted? list)
  (let loop ((rest list))
    (and (pair? rest)
         (if (wanted? (car rest)) rest (loop (cdr rest))))))

(define (list-index wanted? list)
  (let loop ((rest list) (i 0))
    (and (pair? rest)
         (if (wanted? (car rest)) i (loop (cdr rest) (+ i 1))))))

(define (count wanted? list)
  (fold-left (lambda (n item) (if (wanted? item) (+ n 1) n)) 0 list))

(define (any f list . more)
  (if (null? more)
      (let loop ((rest list))
        (and (pair? rest)
             (or (f (car rest)) (loop (cdr rest)))))
      (let loop ((lists (cons list more)))
        (and (not (%any-null? lists))
             (or (apply f (%map1 car lists)) (loop (%map1 cdr lists)))))))

(define (every f list . more)
  (if (null? more)
      (let loop ((rest list) (value #t))
        (if (pair? rest)
            (let ((value (f (car rest)))) (and value (loop (cdr rest) value)))
            value))
      (let loop ((lists (cons list more)) (value #t))
        (if (%any-null? lists)
            value
            (let ((value (apply f (%map1 car lists))))
              (and value (loop (%map1 cdr lists) value)))))))

(define (member item list . same)
  (if (null? same)
      (%member item list)
      (find-tail (lambda (other) ((car same) item other)) list)))

(define (assoc key entries . same)
  (if (null? same)
      (%assoc key entries)
      (find (lambda (entry) ((car same) key (car entry))) entries)))

(define (del-assq key entries)
  (remove (lambda (entry) (eq? (car entry) key)) entries))

(define (list-tabulate n f)
  (let loop ((i (- n 1)) (result '()))
    (if (< i 0) result (loop (- i 1) (cons (f i) result)))))

(define (append-reverse front back)
  (if (pair? front) (append-reverse (cdr front) (cons (car front) back)) back))

(define (append! . lists) (apply append lists))
(define (reverse! list) (reverse list))
(define (first list) (car list))
(define (second list) (cadr list))
(define (third list) (caddr list))
(define (last list) (car (last-pair list)))

(define (list-set! list k value) (set-car! (list-tail list k) value))

; Sorting: a stable merge sort

(define (%merge a b less?)
  (let loop ((a a) (b b) (result '()))
    (cond ((null? a) (append-reverse result b))
          ((null? b) (append-reverse result a))
          ((less? (car b) (car a)) (loop a (cdr b) (cons (car b) result)))
          (else (loop (cdr a) b (cons (car a) result))))))

(define (%sort-list items less?)
  (let sort ((items items) (n (length items)))
    (if (< n 2)
        (list-head items n)
        (let ((half (quotient n 2)))
          (%merge (sort items half) (sort (list-tail items half) (- n half)) less?)))))

(define (sort sequence less?)
  (cond ((procedure? sequence) (sort less? sequence))
        ((vector? sequence) (list->vector (%sort-list (vector->list sequence) less?)))
        (else (%sort-list sequence less?))))

(define list-sort sort)

; Vectors and strings

(define (make-initialized-vector n f) (list->vector (list-tabulate n f)))
(define vector-tabulate (lambda (f n) (make-initialized-vector n f)))

(define (vector-map f . vectors)
  (list->vector (apply map f (%map1 vector->list vectors))))

(define (vector-for-each f vector . more)
  (if (null? more)
      (let ((n (vector-length vector)))
        (do ((i 0 (+ i 1))) ((= i n)) (f (vector-ref vector i))))
      (apply for-each f (%map1 vector->list (cons vector more)))))

(define (vector-binary-search vector key compare)
  (let loop ((low 0) (high (- (vector-length vector) 1)))
    (and (<= low high)
         (let* ((middle (quotient (+ low high) 2))
                (order (compare key (vector-ref vector middle))))
           (cond ((= order 0) (vector-ref vector middle))
                 ((< order 0) (loop low (- middle 1)))
                 (else (loop (+ middle 1) high)))))))

(define (string-for-each f . strings) (apply for-each f (%map1 string->list strings)))
(define (string-map f . strings) (list->string (apply map f (%map1 string->list strings))))
(define (string-count text wanted?) (count wanted? (string->list text)))
(define (string->vector text) (list->vector (string->list text)))
(define (vector->string items) (list->string (vector->list items)))

(define (string-join strings . delimiter)
  (let ((delimiter (if (pair? delimiter) (car delimiter) " ")))
    (if (null? strings)
        ""
        (apply string-append
               (car strings)
               (append-map (lambda (part) (list delimiter part)) (cdr strings))))))

; Hash tables

(define (hashtable-keys table) (list->vector (hash-table-keys table)))

(define (hashtable-update! table key f default)
  (hashtable-set! table key (f (hashtable-ref table key default))))

(define hash-table-update!/default hashtable-update!)

(define (hash-table-ref table key . fail)
  (if (hashtable-contains? table key)
      (hashtable-ref table key #f)
      (if (pair? fail)
          ((car fail))
          (error "hash-table-ref: no such key:" key))))

(define (hash-table-update! table key f . fail)
  (hashtable-set! table key (f (apply hash-table-ref table key fail))))

(define (hash-table-walk table f)
  (for-each (lambda (entry) (f (car entry) (cdr entry))) (hash-table->alist table)))

; Multiple values and continuations

(define (call-with-values producer consumer) (%apply-values consumer (producer)))

(define (call-with-escape-continuation f) (call/cc f))
(define within-continuation (lambda (k thunk) (k (thunk))))

(define (dynamic-wind before thunk after)
  (before)
  (%set-winders! (cons (cons before after) (%winders)))
  (%apply-values
   (lambda results
     (%set-winders! (cdr (%winders)))
     (after)
     (apply values results))
   (thunk)))

; Leaves the extents that the continuation is not in, innermost first, enters those that only it is
; in, outermost first, and goes there.
(define (%rewind continuation value)
  (let* ((from (%winders))
         (to (%continuation-winders continuation))
         (common (%common-tail from to)))
    (let leave ((at from))
      (unless (eq? at common)
        (%set-winders! (cdr at))
        ((cdar at))
        (leave (cdr at))))
    (let enter ((at to))
      (unless (eq? at common)
        (enter (cdr at))
        ((caar at))
        (%set-winders! at)))
    (%reinstate continuation value)))

(define (%common-tail a b)
  (let ((m (length a)) (n (length b)))
    (let loop ((a (if (> m n) (list-tail a (- m n)) a))
               (b (if (> n m) (list-tail b (- n m)) b)))
      (if (eq? a b) a (loop (cdr a) (cdr b))))))

; Exceptions

(define (with-exception-handler handler thunk)
  (let ((outer (%handlers)))
    (%set-handlers! (cons handler outer))
    (%apply-values
     (lambda results
       (%set-handlers! outer)
       (apply values results))
     (thunk))))

; Called by the machine when something is raised while there are handlers.
(define (%signal object)
  (let ((handlers (%handlers)))
    (%set-handlers! (cdr handlers))
    ((car handlers) object)
    (%set-handlers! (cdr handlers))
    (error "the handler returned from an exception that cannot be continued:" object)))

(define (raise-continuable object)
  (let ((handlers (%handlers)))
    (if (null? handlers)
        (raise object)
        (begin
          (%set-handlers! (cdr handlers))
          (%apply-values
           (lambda results
             (%set-handlers! handlers)
             (apply values results))
           ((car handlers) object))))))

(define (%guard thunk handler)
  ((call/cc
    (lambda (leave)
      (with-exception-handler
       (lambda (object)
         (leave (lambda () (handler object (lambda () (raise-continuable object))))))
       (lambda ()
         (%apply-values
          (lambda results (leave (lambda () (apply values results))))
          (thunk))))))))

(define (error-message condition) (condition/report-string condition))

(define (warn message . irritants) (display message) (newline))

; Procedures with several argument lists

(define (%case-lambda . procedures)
  (lambda arguments
    (let ((n (length arguments)))
      (let loop ((rest procedures))
        (cond ((null? rest) (error "no clause of the case-lambda takes so many arguments:" n))
              ((%accepts? (car rest) n) (apply (car rest) arguments))
              (else (loop (cdr rest))))))))

; Promises

(define-record-type promise
  (%make-promise content)
  promise?
  (content %promise-content %set-promise-content!))

(define (make-promise value)
  (if (promise? value) value (%make-promise (cons #t value))))

(define (%make-lazy thunk) (%make-promise (cons #f thunk)))

(define (force promise)
  (if (promise? promise)
      (let loop ()
        (let ((content (%promise-content promise)))
          (if (car content)
              (cdr content)
              (let* ((next ((cdr content)))
                     (content (%promise-content promise)))
                (unless (car content)
                  (let ((next-content (%promise-content next)))
                    (set-car! content (car next-content))
                    (set-cdr! content (cdr next-content))
                    (%set-promise-content! next content)))
                (loop)))))
      promise))

(define (stream-pair? object) (and (pair? object) (promise? (cdr object))))
(define (stream-car stream) (car stream))
(define (stream-cdr stream) (force (cdr stream)))
(define stream-rest stream-cdr)
(define the-empty-stream '())
(define stream-nil '())
(define (stream-null? object) (null? object))
(define empty-stream? stream-null?)
(define (stream-head stream n)
  (if (= n 0) '() (cons (stream-car stream) (stream-head (stream-cdr stream) (- n 1)))))
(define (stream-tail stream n)
  (if (= n 0) stream (stream-tail (stream-cdr stream) (- n 1))))

; Parameters: called with the key below, a parameter exchanges its value for the one given.

(define %parameter-key (list 'parameter))

(define (make-parameter value . converter)
  (let ((convert (if (pair? converter) (car converter) (lambda (value) value))))
    (let ((value (convert value)))
      (lambda arguments
        (cond ((null? arguments) value)
              ((eq? (car arguments) %parameter-key)
               (let ((old value))
                 (set! value (if (caddr arguments) (convert (cadr arguments)) (cadr arguments)))
                 old))
              (else (error "a parameter takes no arguments")))))))

(define (%parameterize bindings thunk)
  (if (null? bindings)
      (thunk)
      (let ((parameter (caar bindings)) (value (cdar bindings)) (convert? #t))
        (define (exchange)
          (set! value (parameter %parameter-key value convert?))
          (set! convert? #f))
        (dynamic-wind exchange
                      (lambda () (%parameterize (cdr bindings) thunk))
                      exchange))))

; Collections

(define (collect-request-handler . arguments)
  (cond ((null? arguments) (%collect-request-handler))
        ((eq? (car arguments) %parameter-key)
         (let ((old (%collect-request-handler)))
           (%set-collect-request-handler! (cadr arguments))
           old))
        (else (%set-collect-request-handler! (car arguments)))))
