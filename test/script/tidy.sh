#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tidy.sh ROOT BUILD: what .clang-tidy asks of the runtime and the examples, with the flags of BUILD, a
# build by clang. Status 77 (skipped) without clang-tidy.
set -euo pipefail

if ! command -v clang-tidy >/dev/null; then
  echo 'clang-tidy is not installed (Debian: clang-tidy)'
  exit 77
fi

root=$(realpath -- "$1")
build=$(realpath -- "$2")
log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
cd -- "$root"
# A file that BUILD does not compile, as treesum without OpenSSL, cannot be checked either.
find runtime examples -name '*.cpp' -print0 | sort -z |
  while IFS= read -r -d '' file; do
    ! grep -qF -- "/$file\"" "$build/compile_commands.json" || printf '%s\0' "$file"
  done |
  xargs -0 -n 4 -P "$(nproc)" clang-tidy -p "$build" --quiet >"$log" 2>/dev/null || {
  cat -- "$log" >&2
  exit 1
}
