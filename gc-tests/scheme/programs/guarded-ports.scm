; Ports are opened and dropped without being closed. Each has one of few descriptors, which are a
; resource outside of the heap. A guarded hash table knows the descriptor of each port and keeps no port
; alive; what its guardian returns is dropped, is removed from the table, and its descriptor is free again.
; (R. K. Dybvig, C. Bruggeman, D. Eby: Guardians in a generation-based garbage collector. PLDI 1993.)

(define opens
  (let ((arguments (cdr (command-line))))
    (if (pair? arguments) (string->number (car arguments)) 100000)))

(define descriptors 200)
(define kept 50)

; A guarded hash table: entries are weak pairs of a key and its value.
(define-record-type table
  (%make-table guardian hash buckets)
  table?
  (guardian table-guardian)
  (hash table-hash)
  (buckets table-buckets))

(define (make-table hash size)
  (%make-table (make-guardian) hash (make-vector size '())))

(define (table-index table key)
  (modulo ((table-hash table) key) (vector-length (table-buckets table))))

(define (table-add! table key value)
  (let ((index (table-index table key)) (buckets (table-buckets table)))
    ((table-guardian table) key)
    (vector-set! buckets index (cons (weak-cons key value) (vector-ref buckets index)))))

(define (table-ref table key)
  (let ((entry (assq key (vector-ref (table-buckets table) (table-index table key)))))
    (and entry (cdr entry))))

; Removes the entries of dropped keys, and calls the procedure with each key and its value.
(define (table-expunge! table procedure)
  (let loop ()
    (let ((key ((table-guardian table))))
      (when key
        (let* ((index (table-index table key))
               (bucket (vector-ref (table-buckets table) index))
               (entry (assq key bucket)))
          (vector-set! (table-buckets table) index (remove (lambda (other) (eq? other entry)) bucket))
          (procedure key (cdr entry))
          (loop))))))

(define (table-entries table)
  (apply append (vector->list (table-buckets table))))

; Ports and their descriptors.
(define-record-type port
  (make-port number buffer)
  port?
  (number port-number)
  (buffer port-buffer))

(define free (iota descriptors))
(define open-ports (make-table port-number 64))
(define opened 0)
(define closed 0)

(define (close-dropped-ports!)
  (table-expunge! open-ports
                  (lambda (port descriptor)
                    (set! closed (+ closed 1))
                    (set! free (cons descriptor free)))))

(define (open-port!)
  (when (null? free)
    (close-dropped-ports!)
    (when (null? free)
      (collect)
      (close-dropped-ports!)))
  (let ((port (make-port opened (make-vector 10 opened))))
    (table-add! open-ports port (car free))
    (set! free (cdr free))
    (set! opened (+ opened 1))
    port))

; The ports in use: each new one takes the place of an old one, which is dropped.
(define in-use (make-vector kept #f))

(do ((i 0 (+ i 1)))
    ((= i opens))
  (vector-set! in-use (modulo i kept) (open-port!)))

(define (distinct? numbers)
  (or (null? numbers)
      (and (not (memv (car numbers) (cdr numbers))) (distinct? (cdr numbers)))))

(define live (filter port? (vector->list in-use)))
(define all-right
  (and (distinct? (append free (map cdr (table-entries open-ports))))
       (every (lambda (port) (integer? (table-ref open-ports port))) live)
       (= (+ closed (length (table-entries open-ports))) opened)
       (= (+ (length free) (length (table-entries open-ports))) descriptors)))

; Nothing is in use any more.
(vector-fill! in-use #f)
(set! live '())
(collect)
(close-dropped-ports!)

(display "guarded-ports ")
(display opens)
(display ": ")
(display closed)
(display " closed: ")
(display (if (and all-right (= closed opened) (= (length free) descriptors)) "right" "WRONG"))
(newline)
