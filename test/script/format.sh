#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# format.sh ROOT [--fix]: every C++ source is as .clang-format has it; --fix makes it so.
# clang-format 14 only: another version formats otherwise. Status 77 (skipped) without it.
set -euo pipefail

tool=''
for candidate in clang-format-14 clang-format; do
  if [[ "$("$candidate" --version 2>/dev/null)" == *' version 14.'* ]]; then
    tool=$candidate
    break
  fi
done
if [[ -z $tool ]]; then
  echo 'clang-format 14 is not installed (Debian: clang-format-14)'
  exit 77
fi

cd -- "$1"
folders=()
for folder in include runtime examples test bench; do
  [[ ! -d $folder ]] || folders+=("$folder")
done
mapfile -d '' -t sources < <(find "${folders[@]}" -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.c' \) -print0)

if [[ ${2-} == --fix ]]; then
  "$tool" -i -- "${sources[@]}"
elif ! "$tool" --dry-run -Werror -- "${sources[@]}"; then
  echo "To have this done: test/script/format.sh . --fix" >&2
  exit 1
fi
