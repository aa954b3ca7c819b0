#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# setup.sh ROOT: what "meson setup" makes of a CPU that weft does not know. Nothing is compiled but Meson's own probes.
set -euo pipefail
root=$(realpath -- "$1")
# shellcheck source=test/script/checks.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/checks.sh"

cat >riscv64.ini <<'INI'
[binaries]
cpp = 'g++'
ar = 'ar'
strip = 'strip'
[properties]
needs_exe_wrapper = true
[host_machine]
system = 'linux'
cpu_family = 'riscv64'
cpu = 'riscv64'
endian = 'little'
INI
status=0
meson setup --cross-file riscv64.ini -- riscv64 "$root" >out 2>&1 </dev/null || status=$?
((status != 0)) || fail 'riscv64 is configured'
grep -q 'weft has no port to the CPU "riscv64": docs/porting.md' out || fail "what is said of riscv64: $(tail -n 5 out)"
[[ -f $root/docs/porting.md ]] || fail 'docs/porting.md does not exist'

((failures == 0)) || exit 1
