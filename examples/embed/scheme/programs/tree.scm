; A generator that yields from inside a recursion: the numbers of a sorted tree, in order, as far as they are wanted.
(define (insert tree n)
  (cond ((null? tree) (list () n ()))
        ((< n (car (cdr tree))) (list (insert (car tree) n) (car (cdr tree)) (car (cdr (cdr tree)))))
        (else (list (car tree) (car (cdr tree)) (insert (car (cdr (cdr tree))) n)))))

(define (tree-of numbers)
  (let loop ((tree ()) (left numbers))
    (if (null? left) tree (loop (insert tree (car left)) (cdr left)))))

(define (walk tree)
  (if (null? tree)
      ()
      (begin (walk (car tree))
             (yield (car (cdr tree)))
             (walk (car (cdr (cdr tree)))))))

(define (generator tree) (coroutine (lambda () (walk tree) 'end)))

(define numbers (generator (tree-of '(50 20 80 10 30 70 90 60))))
(display (status numbers)) (newline)
(let loop ((n (resume numbers)))
  (if (eq? n 'end)
      (begin (display (status numbers)) (newline))
      (begin (display n " ") (loop (resume numbers)))))

; One that is not needed to its end is closed, and its stack serves the next.
(define (first-of tree)
  (define g (generator tree))
  (define n (resume g))
  (close g)
  (display (status g) " ")
  n)
(let loop ((i 0) (sum 0))
  (if (< i 3)
      (loop (+ i 1) (+ sum (first-of (tree-of (list 5 i 9)))))
      (begin (display sum) (newline))))
(display "stacks made: " (stacks)) (newline) ; the program's own and one more
