#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# subproject.sh ROOT: weft from an archive in somebody else's Meson project, by packaging/weft.wrap; what it brings in
# there and what not.
set -euo pipefail
root=$(realpath -- "$1")
here=$root/test/packaging
# shellcheck source=test/script/checks.sh
source "$here/../script/checks.sh"

# --- a project with the archive ---
version=$(sed -nE "s/^project\(.* version: '([^']+)'.*/\1/p" "$root/meson.build")
mkdir -p consumer/subprojects/packagefiles
cp -- "$here"/consumer/{meson.build,core.c,goroutines.cpp} consumer/
cp -- "$root/packaging/weft.wrap" consumer/subprojects/
"$root/packaging/archive.sh" "consumer/subprojects/packagefiles/weft-$version.tar.gz"

# --- weft-core is built there, and what uses weft is compiled; weft as well where there is time for it ---
targets=(core goroutines.p/goroutines.cpp.o)
[[ -z ${WEFT_TEST_LONG-} ]] || targets=(all)
while read -r cc cxx kind; do
  command -v -- "$cxx" >/dev/null || continue
  if ! CC=$cc CXX=$cxx meson setup -Dweft:default_library="$kind" -Dweft:optimization=0 -Dweft:debug=false \
    --force-fallback-for=weft,weft-core consumer "$kind" >out 2>&1 </dev/null ||
    ! ninja -C "$kind" "${targets[@]}" >>out 2>&1 </dev/null; then
    fail "weft as a subproject ($cxx, $kind): $(tail -n 20 out)"
    continue
  fi
  for program in "$kind/core" "$kind/goroutines"; do
    [[ -x $program || ${targets[0]} == all ]] || continue
    text=$(timeout 60 "$program") || fail "$program ends with status $?"
    [[ $text == "${program#*/}: 42" ]] || fail "$program says '$text'"
  done
  meson introspect --targets "$kind" >introspected
  ! grep -q treesum introspected || fail 'weft brings its examples into another project'
  [[ $(meson introspect --tests "$kind") == '[]' ]] || fail 'weft brings its tests into another project'
  ! grep -q -- '-Werror' "$kind/build.ninja" || fail 'warnings are errors in another project'
done <<'TABLE'
gcc g++ static
clang clang++ shared
TABLE

((failures == 0)) || exit 1
