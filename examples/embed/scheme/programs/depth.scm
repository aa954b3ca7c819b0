; The end of a coroutine's stack is an error of the language, and the program goes on.
(define (down n) (+ 1 (down (+ n 1))))
(define (text result) (cdr result))

(display (text (try (lambda () (down 0))))) (newline)
(define deep (coroutine (lambda () (down 0))))
(display (text (try (lambda () (resume deep))))) (newline)
(display (status deep)) (newline)
(display (text (try (lambda () (resume deep))))) (newline)

; Again on the same stack, and caught inside: that one lives on.
(define careful (coroutine (lambda () (yield (text (try (lambda () (down 0))))) 'unharmed)))
(display (resume careful)) (newline)
(display (resume careful)) (newline)

; A coroutine in a coroutine in a coroutine ...
(define (nest n) (resume (coroutine (lambda () (+ 1 (nest (+ n 1)))))))
(display (text (try (lambda () (nest 0))))) (newline)

; Tail calls need no stack.
(define (count n) (if (= n 0) 'counted (count (- n 1))))
(display (count 20000)) (newline)

; A list that is deep to print.
(define (wrap n v) (if (= n 0) v (wrap (- n 1) (list v))))
(display (text (try (lambda () (display (wrap 20000 ())))))) (newline)
(display (text (try (lambda () (equal? (wrap 20000 ()) (wrap 20000 ())))))) (newline)
