#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# setup.sh ROOT: what "meson setup" makes of a CPU that weft does not know, and of weft in another project. Nothing
# is compiled but Meson's own probes.
set -euo pipefail
root=$(realpath -- "$1")
# shellcheck source=test/script/checks.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/checks.sh"

# --- a CPU without a port ---
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

# --- a subproject ---
mkdir -p other/subprojects
ln -s "$root" other/subprojects/weft
cat >other/subprojects/weft.wrap <<'WRAP'
[wrap-file]
directory = weft
[provide]
dependency_names = weft, weft-core
WRAP
cat >other/meson.build <<'MESON'
project('other', 'cpp', default_options: ['cpp_std=c++20'])
executable('hello', 'hello.cpp', dependencies: dependency('weft'))
executable('core', 'hello.cpp', dependencies: dependency('weft-core'))
MESON
: >other/hello.cpp
if meson setup -- other/build other >out 2>&1 </dev/null; then
  [[ $(meson introspect --tests other/build) == '[]' ]] || fail 'weft brings its tests into another project'
  meson introspect --targets other/build >targets
  ! grep -q 'treesum' targets || fail 'weft brings its examples into another project'
  ! grep -q -- '-Werror' other/build/build.ninja || fail 'warnings are errors in another project'
else
  fail "weft as a subproject: $(tail -n 5 out)"
fi

((failures == 0)) || exit 1
