#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mutex_trap.sh TRAP USER [EMULATOR…]: with the trap preloaded each wrong way ends the process by name and the right ones
# go on; without it nobody looks.
set -uo pipefail
trap_library=$1 user=("${@:3}" "$2")
failed=0

check() { # WAY EXPECTED-STATUS EXPECTED-TEXT PRELOAD
  local output status
  output=$(LD_PRELOAD=$4 "${user[@]}" "$1" 2>&1)
  status=$?
  [[ $status == "$2" && $output == *"$3"* ]] && return
  printf '%s: exit status %s, expected %s and "%s"; it said:\n%s\n' "$1" "$status" "$2" "$3" "$output"
  failed=1
}

for way in yield wait sleep park join; do
  check "$way" 2 'fatal error: weft: a goroutine parks or yields while it holds a pthread mutex' "$trap_library"
  check "$way" 2 'goroutine 1 [running]:' "$trap_library"
done
for way in pinned released; do check "$way" 0 'went on' "$trap_library"; done
check yield 0 'went on' ''
exit $failed
