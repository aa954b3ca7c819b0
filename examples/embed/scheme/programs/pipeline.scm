; A producer, a filter and a consumer. Values go up by yield, and orders down by resume.
(define (producer) (coroutine (lambda ()
  (let loop ((n 1) (step 1))
    (loop (+ n step) (yield n))))))              ; the consumer says how far to go

(define (squares from) (coroutine (lambda ()
  (let loop ((step 1))
    (let ((n (resume from step)))
      (loop (yield (* n n))))))))

(define (consumer from)
  (let loop ((i 1) (sum 0))
    (if (> i 6)
        sum
        (let ((n (resume from i)))
          (display n " ")
          (loop (+ i 1) (+ sum n))))))

(define source (producer))
(display "= " (consumer (squares source))) (newline)

; Who waits for whom.
(define outer ())
(define (look) (display (status outer) " " (status source) " ") (yield 'seen))
(set! outer (coroutine (lambda () (define inner (coroutine look)) (resume inner) (status inner))))
(display (resume outer) " " (status outer)) (newline)

; A thousand at the same time, in turn.
(define (counter limit) (coroutine (lambda ()
  (let loop ((i 0)) (if (< i limit) (begin (yield i) (loop (+ i 1))) 'end)))))
(define (make n) (if (= n 0) () (cons (counter 3) (make (- n 1)))))
(define (each f list) (if (null? list) 0 (+ (f (car list)) (each f (cdr list)))))
(define (in-parts n parts) (if (= parts 0) () (cons (make n) (in-parts n (- parts 1)))))
(define all (in-parts 50 20))                    ; short lists: each is a recursion
(define (round) (each (lambda (part) (each resume part)) all))
(display (round) " " (round) " " (round)) (newline)
