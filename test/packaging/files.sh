#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# files.sh BUILD PYTHON: what an installed copy consists of, and that its headers stand alone and its libraries export
# and ask for what they should.
set -euo pipefail
python=$2
# shellcheck source=test/packaging/prefix.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/prefix.sh"
source_root=$here/../..

# --- all of it, by name: the public headers and what is listed here ---
version=$(sed -nE "s/^project\(.* version: '([^']+)'.*/\1/p" "$source_root/meson.build")
lib=${libdir#"$prefix"/}
{
  (cd -- "$source_root" && find include -type f)
  for name in weft weft-core weft-fcontext; do
    printf "$lib/%s\n" "lib$name.a" "lib$name.so" "lib$name.so.$soname" "lib$name.so.$version" "pkgconfig/$name.pc"
  done
  printf '%s\n' "$lib/libweft-mutex-trap.so"
  printf "$lib/cmake/weft/%s\n" weft-config.cmake weft-config-version.cmake
  printf 'share/weft/debug/%s\n' weft-gdb.py weft_debug.py weft_lldb.py weft_lldb_threads.py
  printf 'share/gdb/auto-load/usr/local/%s\n' "$lib/libweft.so.$version-gdb.py"
} | LC_ALL=C sort >expected
find "$prefix" \( -type f -o -type l \) -printf '%P\n' | LC_ALL=C sort >installed
diff expected installed >&2 || fail 'what is installed (>) is not what should be (<)'
diff -r "$source_root/include" "$prefix/include" >&2 || fail 'the installed headers are not those of include/'
! grep -F -e "$build" -e /usr/local -- "$libdir"/cmake/weft/* || fail 'the CMake package names a place where it may not be'

# --- the headers, from there, alone ---
# They are those of include/, each of which test/headers compiles; here only with time to spare.
while read -r header; do
  [[ -n ${WEFT_TEST_LONG-} || $header == *.h ]] || continue
  printf '#include <%s>\n' "$header" >alone.cpp
  g++ -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I "$prefix/include" alone.cpp || fail "$header does not stand alone"
  [[ $header != *.h ]] || gcc -x c -std=c11 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I "$prefix/include" alone.cpp ||
    fail "$header does not stand alone in C"
done < <(cd -- "$prefix/include" && find weft -type f)

# --- the shared libraries ---
"$python" "$here/../tools/symbols.py" --readelf readelf "$libdir/libweft.so" "$libdir/libweft-core.so" ||
  fail 'a shared library exports what is not weft'
for name in weft weft-core weft-fcontext; do
  [[ $(readlink -- "$libdir/lib$name.so") == "lib$name.so.$soname" ]] || fail "lib$name.so is no link to lib$name.so.$soname"
  readelf -d "$libdir/lib$name.so" >dynamic
  grep -qF "soname: [lib$name.so.$soname]" dynamic || fail "the soname of lib$name.so: $(grep SONAME dynamic)"
  ! grep -E 'R(UN)?PATH' dynamic || fail "lib$name.so has a path to look for libraries"
done
# Programs must be built anew after a change of the minor version before 1.0.0, of the major one from then on.
case $version in
  0.*) [[ ${version%.*} == "$soname" ]] ;;
  *) [[ ${version%%.*} == "$soname" ]] ;;
esac || fail "version $version with the soname $soname"

((failures == 0)) || exit 1
