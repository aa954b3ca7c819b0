#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cmake_answers.sh BUILD: which versions, kinds and components the CMake package gives out, and what it says where it
# does not.
set -euo pipefail
# shellcheck source=test/packaging/prefix.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/prefix.sh"

# A copy without the static libraries.
cp -r -- "$prefix" lacking
rm -- "lacking/${libdir#"$prefix"/}"/libweft*.a
version=$(basename -- "$(readlink -f -- "$libdir/libweft.so")")
version=${version#libweft.so.}

# Packages of nothing but a version: 0.1.0 has the soname 0.1, 1.4.2 has 1.
for have in 0.1.0 0.1.4 0.2.0 1.4.2 2.0.0; do
  soversion=${have%%.*}
  ((soversion > 0)) || soversion=${have%.*}
  mkdir -p "versions/$have/lib/cmake/weft"
  : >"versions/$have/lib/cmake/weft/weft-config.cmake"
  sed "s/@VERSION@/$have/; s/@SOVERSION@/$soversion/" "$here/../../packaging/cmake/weft-config-version.cmake.in" \
    >"versions/$have/lib/cmake/weft/weft-config-version.cmake"
done

cmake -S "$here/questions" -B questions "-DWHOLE=$prefix" "-DLACKING=$work/lacking" "-DVERSIONS=$work/versions" \
  >/dev/null 2>answers </dev/null || fail 'the questions could not be asked'
offers='(components: core fcontext weft shared static)'
diff - answers >&2 <<ANSWERS || fail 'the answers (>) are not as they should be (<)'
plain: 1 weft::core_shared weft::weft_shared
component: 1 weft::core_static weft::weft_static
both: 1 weft::core_shared weft::weft_shared
variable: 1 weft::core_static weft::weft_static
variable-lacking: 0 weft $version lacks weft::weft $offers
lacking: 0 weft $version lacks weft::core_static, weft::fcontext_static, weft::weft_static $offers
optional: 1 weft::core_shared weft::weft_shared
unknown: 0 weft $version lacks weft::channels $offers
0.1.0:0.1: 1
0.1.4:0.1.4: 1
0.1.4:0.1.5: 0
0.2.0:0.1: 0
0.1.0:0.2: 0
0.1.0:0: 0
1.4.2:1: 1
1.4.2:1.3: 1
1.4.2:1.5: 0
1.4.2:0.9: 0
1.4.2:2: 0
2.0.0:1.4: 0
0.2.0:0.1...0.3: 1
0.2.0:0.1...<0.2.0: 0
0.2.0:0.1...0.2.0: 1
0.2.0:0.3...0.4: 0
ANSWERS

((failures == 0)) || exit 1
