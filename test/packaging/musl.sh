#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# musl.sh BUILD: a C program on musl, linked statically with an installed libweft-core.a that was compiled for glibc: it
# asks for nothing that only one libc has.
set -euo pipefail
command -v musl-gcc >/dev/null || { echo 'musl-gcc is not installed (Debian: musl-tools)' && exit 77; }
# shellcheck source=test/packaging/prefix.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/prefix.sh"

musl-gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -I "$prefix/include" -c "$here/consumer/core.c" -o core.o
if musl-gcc -static core.o "$libdir/libweft-core.a" -o core >log 2>&1; then
  runs "$work/core" 'core: 42' static
  ! readelf -lW core | grep -q INTERP || fail 'the program asks for a loader'
else
  fail "weft-core asks for what musl has not: $(sed -n "s/.*undefined reference to //p" log | sort -u | tr '\n' ' ')$(tail -n 1 log)"
fi

((failures == 0)) || exit 1
