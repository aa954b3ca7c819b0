#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh HELLO: what the program of the README prints, and that it is that program.
set -euo pipefail
read -ra emulator <<<"${MESON_EXE_WRAPPER-}"

printed=$("${emulator[@]}" "$(realpath -- "$1")")
expected='hello from a goroutine
42 = 42'
if [[ $printed != "$expected" ]]; then
  printf 'expected:\n%s\nprinted:\n%s\n' "$expected" "$printed" >&2
  exit 1
fi

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
if ! diff <(sed -n '/^```cpp$/,/^```$/{//!p}' "$here/../../README.md") <(tail -n +2 "$here/hello.cpp") >&2; then
  echo 'README.md (<) and hello.cpp (>) differ' >&2
  exit 1
fi
