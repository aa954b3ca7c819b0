#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cmake.sh BUILD CC CXX: programs that find an installed weft through its CMake package, and what the package refuses.
set -euo pipefail
cc=$2 cxx=$3
command -v -- "$cxx" >/dev/null || { echo "$cxx is not installed" && exit 77; }
# shellcheck source=test/packaging/prefix.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/prefix.sh"
version=$(sed -nE 's/^set\(PACKAGE_VERSION "([0-9.]+)"\)/\1/p' "$libdir/cmake/weft/weft-config-version.cmake")

export CC=$cc CXX=$cxx
if cmake -S "$here/consumer" -B all -G Ninja "-DCMAKE_PREFIX_PATH=$prefix" "-DWEFT_WANTED=$version" >out 2>&1 </dev/null &&
  cmake --build all >>out 2>&1; then
  for kind in _shared _static ''; do
    runs "$work/all/core$kind" 'core: 42' "${kind:+${kind#_}}"
    [[ -z $kind ]] || runs "$work/all/goroutines$kind" 'goroutines: 42' "${kind#_}"
  done
else
  fail "a project that finds weft $version: $(<out)"
fi

((failures == 0)) || exit 1
