# SPDX-License-Identifier: MIT
# Sourced by the tests here: a folder to work in, which goes away again, and counting what failed.
# shellcheck shell=bash
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"

failures=0
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}
