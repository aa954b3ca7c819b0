#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pkgconfig.sh BUILD CC CXX: programs that find an installed weft through pkg-config, shared and static, in C and C++.
set -euo pipefail
cc=$2 cxx=$3
command -v -- "$cxx" >/dev/null || { echo "$cxx is not installed" && exit 77; }
# shellcheck source=test/packaging/prefix.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/prefix.sh"

# The copy is not where its .pc files say; every other path in them follows from prefix.
query() { PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config --define-variable=prefix="$prefix" "$@"; }
words() { read -ra "$1" < <(query "${@:2}"); }

version=$(query --modversion weft)
[[ -e $libdir/libweft.so.$version && $(query --modversion weft-core) == "$version" ]] || fail "the version: $version"

# try NAME PACKAGE SOURCE COMPILER…: both ways to link.
try() {
  local name=$1 package=$2 source=$3 cflags libs
  local compile=("${@:4}")
  words cflags --cflags "$package"
  "${compile[@]}" -Wall -Wextra -Wpedantic -Werror "${cflags[@]}" -c "$here/consumer/$source" -o "$name.o"
  words libs --libs "$package"
  "${compile[@]}" "$name.o" "${libs[@]}" -o "$name-shared"
  runs "$work/$name-shared" "$name: 42" shared
  words libs --libs --static "$package"
  "${compile[@]}" "$name.o" -Wl,-Bstatic "${libs[@]}" -Wl,-Bdynamic -o "$name-static"
  runs "$work/$name-static" "$name: 42" static
  # Nothing dynamic at all.
  "${compile[@]}" -static "$name.o" "${libs[@]}" -o "$name-all-static"
  runs "$work/$name-all-static" "$name: 42" static
}
try core weft-core core.c "$cc" -std=c11
try goroutines weft goroutines.cpp "$cxx" -std=c++20

# --- from the build folder, nothing installed ---
read -ra libs < <(PKG_CONFIG_PATH=$build/meson-uninstalled pkg-config --cflags --libs weft-core)
[[ ${libs[*]} == *"-L$build/"* ]] || fail "not of the build folder: ${libs[*]}"
"$cc" -std=c11 "$here/consumer/core.c" "${libs[@]}" -o uninstalled
runs "$work/uninstalled" 'core: 42' shared

((failures == 0)) || exit 1
