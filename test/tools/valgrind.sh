#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# valgrind.sh PROGRAM: Memcheck finds no error in it, and takes no switch between goroutines for a jump of the stack
# pointer: the stacks are registered. Status 77 (skipped) without valgrind.
set -euo pipefail

if ! command -v valgrind >/dev/null; then
  echo 'valgrind is not installed (Debian: valgrind)'
  exit 77
fi
said=$(mktemp)
trap 'rm -f -- "$said"' EXIT
status=0
# No -q: it would keep the warning back, too.
valgrind --error-exitcode=9 "$1" >/dev/null 2>"$said" </dev/null || status=$?
if ((status != 0)) || ! grep -q 'ERROR SUMMARY: 0 errors' "$said" || grep -qi 'switching stacks' "$said"; then
  printf 'status %s; valgrind said:\n' "$status" >&2
  cat -- "$said" >&2
  exit 1
fi
