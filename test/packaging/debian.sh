#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# debian.sh BUILD: packaging/debian is of this version and this soname; and, where there is time (WEFT_TEST_LONG), the
# packages are built, unpacked and used.
set -euo pipefail
# shellcheck source=test/packaging/prefix.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/prefix.sh"
packaging=$here/../../packaging
version=$(sed -nE "s/^project\(.* version: '([^']+)'.*/\1/p" "$here/../../meson.build")

grep -q "^weft ($version) " "$packaging/debian/changelog" || fail "packaging/debian/changelog is not of weft $version"
for name in weft weft-core weft-fcontext; do
  package=lib$name$soname
  grep -qx "Package: $package" "$packaging/debian/control" || fail "packaging/debian/control has no $package, as the soname is"
  grep -q "$package (= " "$packaging/debian/control" || fail "libweft-dev does not depend on $package"
  [[ -f $packaging/debian/$package.install ]] || fail "packaging/debian/$package.install does not exist"
done
((failures == 0)) || exit 1
[[ -n ${WEFT_TEST_LONG-} ]] || exit 0

mkdir packages unpacked
"$packaging/deb.sh" packages >log 2>&1 </dev/null || { tail -n 30 log >&2 && exit 1; }
for package in "libweft$soname" "libweft-core$soname" libweft-dev; do
  dpkg-deb -x packages/"$package"_*.deb unpacked || fail "$package"
done
libdir=$work/unpacked/usr/lib/$(gcc -print-multiarch)
export PKG_CONFIG_SYSROOT_DIR=$work/unpacked PKG_CONFIG_LIBDIR=$libdir/pkgconfig
export PKG_CONFIG_SYSTEM_INCLUDE_PATH=- PKG_CONFIG_SYSTEM_LIBRARY_PATH=- # nothing of it is where compilers look
read -ra core < <(pkg-config --cflags --libs weft-core)
read -ra weft < <(pkg-config --cflags --libs weft)
read -ra all_of_weft < <(pkg-config --cflags --libs --static weft)
gcc -std=c11 "$here/consumer/core.c" "${core[@]}" -o core
runs "$work/core" 'core: 42' shared
g++ -std=c++20 "$here/consumer/goroutines.cpp" "${weft[@]}" -o goroutines
runs "$work/goroutines" 'goroutines: 42' shared
g++ -std=c++20 "$here/consumer/goroutines.cpp" -static "${all_of_weft[@]}" -o goroutines-static
runs "$work/goroutines-static" 'goroutines: 42' static

((failures == 0)) || exit 1
