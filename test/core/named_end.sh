#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# named_end.sh PROGRAM: with "misuse" it ends with status 2 and the name of the misuse.
set -euo pipefail
read -ra emulator <<<"${MESON_EXE_WRAPPER-}"

status=0
said=$("${emulator[@]}" "$(realpath -- "$1")" misuse 2>&1) || status=$?
if [[ $status != 2 || $said != 'fatal error: weft: the coroutine has finished' ]]; then
  printf 'status %s: %s\n' "$status" "$said" >&2
  exit 1
fi
