#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# layouts.sh ROOT: what pkg-config and CMake are told in other layouts than Debian's, and of libraries of one kind.
# Nothing is compiled but Meson's own probes.
# shellcheck disable=SC2016 # the texts of the files, as they are
set -euo pipefail
root=$(realpath -- "$1")
# shellcheck source=test/script/checks.sh
source "$root/test/script/checks.sh"

# layout NAME OPTION…: configures it.
layout() {
  CC=gcc CXX=g++ meson setup -Dtests=false -Dexamples=false "${@:2}" -- "$1" "$root" >log 2>&1 </dev/null || fail "$1: $(tail -n 5 log)"
}
says() { grep -qxF -- "$2" "$1" || fail "$1 lacks '$2': $(<"$1")"; }

layout plain --prefix=/opt/weft --libdir=lib -Ddefault_library=static
says plain/packaging/weft-config.cmake 'get_filename_component(weft_headers "${weft_libdir}/../include" ABSOLUTE)'
says plain/meson-private/weft.pc 'libdir=${prefix}/lib'
# There is nothing to choose: a program that asks for the libraries gets all that it needs.
libs=$(PKG_CONFIG_PATH=plain/meson-private pkg-config --libs weft)
[[ $libs == *'-lweft '*-pthread* ]] || fail "the libraries of a static build: $libs"

layout elsewhere --prefix=/opt/weft --libdir=/srv/weft/lib --includedir=include/deep -Ddefault_library=shared
says elsewhere/packaging/weft-config.cmake 'get_filename_component(weft_headers "/opt/weft/include/deep" ABSOLUTE)'
says elsewhere/meson-private/weft.pc 'includedir=${prefix}/include/deep'
libs=$(PKG_CONFIG_PATH=elsewhere/meson-private pkg-config --libs weft)
[[ ${libs% } == '-L/srv/weft/lib -lweft' ]] || fail "the libraries of a shared build: $libs"

((failures == 0)) || exit 1
