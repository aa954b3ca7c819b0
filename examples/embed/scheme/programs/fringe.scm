; Same fringe: do two trees of different shape have the same leaves in the same order?
(define (leaves tree)
  (cond ((pair? tree) (leaves (car tree)) (leaves (cdr tree)))
        ((null? tree) ())
        (else (yield tree))))

(define (same-fringe? a b)
  (define left (coroutine (lambda () (leaves a) 'end)))
  (define right (coroutine (lambda () (leaves b) 'end)))
  (let loop ()
    (let ((x (resume left)) (y (resume right)))
      (cond ((not (eq? x y)) (list x y))
            ((eq? x 'end) #t)
            (else (loop))))))

(display (same-fringe? '(1 (2 3) 4) '((1 2) (3 (4))))) (newline)
(display (same-fringe? '(1 (2 3) 4) '((1 2) (5 (4))))) (newline)
(display (same-fringe? '(a b) '((((a)) b) c))) (newline)
