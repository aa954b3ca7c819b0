#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh SQLITE: what the goroutines have written. The sum is that of id × (194 + … + 200) + 900 for 1 to 100.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf -- "$dir"' EXIT
expected="error: UNIQUE constraint failed: results.id
error: UNIQUE constraint failed: results.id
error: UNIQUE constraint failed: results.id
error: UNIQUE constraint failed: results.id
rows: 100
sum: $((5050 * (194 + 195 + 196 + 197 + 198 + 199 + 200) + 100 * 900))"
printed=$("$1" "$dir/results.db" 2>&1) || printed+=$'\n'"status $?"
[[ $printed == "$expected" ]] && exit
printf 'expected:\n%s\nprinted:\n%s\n' "$expected" "$printed" >&2
exit 1
