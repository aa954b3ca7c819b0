# SPDX-License-Identifier: MIT
# Sourced by the tests here, with BUILD as the first argument: an installed copy of that build, in a folder that goes
# away again.
#   prefix, libdir   where it is
#   runs PROGRAM TEXT [KIND]   fails unless the program prints the text and, for a KIND, has it that way:
#                    shared (it needs libweft*.so with the soname), static (it does not)
# shellcheck shell=bash
build=$(realpath -- "$1")
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source=test/script/checks.sh
source "$here/../script/checks.sh"

if ! meson install -C "$build" --no-rebuild --destdir "$work/root" >install.log 2>&1 </dev/null; then
  cat install.log >&2
  exit 1
fi
# Not where it was configured for: whatever names that place is wrong.
header=$(find root -name context.h)
mv -- "${header%/include/weft/context.h}" prefix
prefix=$work/prefix
libdir=$(dirname -- "$(find "$prefix" -name libweft.a)")
soname=$(readelf -d "$libdir/libweft.so" | sed -n 's/.*SONAME.*\[libweft\.so\.\(.*\)\]/\1/p')

runs() {
  local program=$1 text=$2 kind=${3-} said needed
  if ! said=$(LD_LIBRARY_PATH=$libdir timeout 60 "$program" 2>&1) || [[ $said != "$text" ]]; then
    fail "${program#"$work"/} says '$said', not '$text'"
  fi
  needed=$(readelf -d "$program" | grep -o '\[libweft[^]]*\]' || true)
  case $kind in
    shared) [[ $needed == "[libweft.so.$soname]" || $needed == "[libweft-core.so.$soname]" ]] ;;
    static) [[ -z $needed ]] ;;
  esac || fail "$program ($kind) needs '$needed'"
}
