#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh SCHEME PROGRAMS: each program prints what stands beside it, and what is wrong is named with its line.
set -euo pipefail
read -ra emulator <<<"${MESON_EXE_WRAPPER-}"
scheme=("${emulator[@]}" "$(realpath -- "$1")")
programs=$2
failed=0

same() { # NAME EXPECTED PRINTED
  [[ $2 != "$3" ]] || return 0
  printf '%s\nexpected:\n%s\nprinted:\n%s\n' "${1:0:200}" "$2" "${3:0:1000}" >&2
  failed=1
}

for program in "$programs"/*.scm; do
  printed=$("${scheme[@]}" "$program" 2>&1) || printed+=$'\n'"status $?"
  same "$program" "$(<"${program%.scm}.out")" "$printed"
done

wrong() { # EXPECTED PROGRAM: from the standard input, with status 1
  local printed status=0
  printed=$("${scheme[@]}" <<<"$2" 2>&1) || status=$?
  same "$2" "$1, status 1" "$printed, status $status"
}

wrong "stdin:2: 'nothing' is not defined" $'(display "")\n(car nothing)'
wrong 'stdin:3: 5 is no pair' $'(define (f x)\n  ; here\n  (car x))\n(f 5)'
wrong 'stdin:1: "abc" is no function' '("abc" 1)'
wrong 'stdin:1: a function of 1 arguments is called with 2' '((lambda (x) x) 1 2)'
wrong 'stdin:1: car does not take 0 arguments' '(car)'
wrong 'stdin:1: division by zero' '(/ 1 0)'
wrong 'stdin:1: if is incomplete' '(if #t)'
wrong 'stdin:1: yield outside of a coroutine' '(yield 1)'
wrong 'stdin:1: resume of a coroutine that runs' '(define c (coroutine (lambda () (resume c)))) (resume c)'
wrong 'stdin:1: close of a coroutine that runs' '(define c (coroutine (lambda () (close c)))) (resume c)'
wrong 'stdin:2: from within' $'(define c (coroutine (lambda ()\n (yield 1) (error "from within"))))\n(resume c)\n(resume c)'
wrong 'stdin:2: the program ends inside of what begins here' $'\n(display (+ 1 2)\n'
wrong 'stdin:1: the program ends inside of a string' '(display "abc'
wrong "stdin:1: ')' without '('" ')'
wrong "stdin:1: '12x' is no number" '(+ 12x 1)'
wrong 'stdin:1: stack depth' "$(printf '(%.0s' {1..100000})"
exit "$failed"
