#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# reference.sh DOXYFILE INCLUDE: the API reference is built without a warning, has what is public, and what is public
# and has no comment is an error.
set -euo pipefail
doxyfile=$(realpath -- "$1") include=$(realpath -- "$2")
command -v doxygen >/dev/null || { echo 'doxygen is not installed' && exit 77; }
# shellcheck source=test/script/checks.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/../script/checks.sh"

# reference OUT [SETTING…]: builds it in the folder OUT; what Doxygen says is in OUT/said.
reference() {
  mkdir "$1"
  { cat -- "$doxyfile" && printf '%s\n' "OUTPUT_DIRECTORY=$1" "GENERATE_TAGFILE=$1/tag" "${@:2}"; } |
    doxygen - >"$1/said" 2>&1
}

reference whole || fail 'the reference is not built'
[[ ! -s whole/said ]] || fail "Doxygen says: $(<whole/said)"

# --- nothing public is left out, nothing else is in it ---
named() { grep -qE "<name>([a-z_]+::)*$1</name>" whole/tag; }
mapfile -t names < <(cat -- "$include"/weft/*.h | sed -nE 's/^WEFT_API .*\b(weft_[a-z_]+)\(.*/\1/p' | sort -u)
((${#names[@]} > 0)) || fail 'no function of C was found'
for name in "${names[@]}" weft_context_switch_inline go spawn handle join yield wait_group parker sleep_for timer blocking id runtime run; do
  named "$name" || fail "$name is not in the reference"
done
for header in "$include"/weft/*.h*; do
  named "$(basename -- "$header")" || fail "${header#"$include"/} is not in the reference"
done
! grep -E '<name>weft::([A-Z_]+::)?(detail|coroutine_detail|rt)' whole/tag >&2 || fail 'names of the inside are in the reference'

# --- what has no comment is found, in C and in C++ ---
for file in context.h go.hpp; do
  mkdir "with-$file"
  sed -E 's,^#pragma once|^#include <stdint.h>,&\nint weft_undocumented(int);,' "$include/weft/$file" >"with-$file/$file"
  ! reference "$file" "INPUT=with-$file" || fail "an undocumented function in $file is taken"
  grep -q 'Member weft_undocumented(int).* is not documented' "$file/said" || fail "what is said of it: $(<"$file/said")"
done

((failures == 0)) || exit 1
