#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh LUA SCRIPT: what the goroutines' scripts come to. 45150 is the sum of 1 to 300; the last number that of
# 3 fib(8 + id % 5) + 14 for each id that does not fail.
set -euo pipefail
expected='the token has been everywhere: 45150
error: script 50 fails
error: script 100 fails
error: script 150 fails
error: script 200 fails
error: script 250 fails
error: script 300 fails
the sum of the others: 65478'
printed=$("$1" "$2" 2>&1) || printed+=$'\n'"status $?"
[[ $printed == "$expected" ]] && exit
printf 'expected:\n%s\nprinted:\n%s\n' "$expected" "$printed" >&2
exit 1
