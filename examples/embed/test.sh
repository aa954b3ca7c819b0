#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh TWO WALK: what the two programs print.
set -euo pipefail
read -ra emulator <<<"${MESON_EXE_WRAPPER-}"

prints() { # PROGRAM EXPECTED
  local printed
  printed=$("${emulator[@]}" "$(realpath -- "$1")")
  [[ $printed != "$2" ]] || return 0
  printf '%s\nexpected:\n%s\nprinted:\n%s\n' "$1" "$2" "$printed" >&2
  exit 1
}

prints "$1" 'the warp is held under
tension and the weft is
drawn through it'
prints "$2" '10
20
30
50
60
the walk is over'
