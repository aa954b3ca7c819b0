#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# autoload.sh BUILD GDB PROGRAM: gdb loads the installed script by itself when it sees the installed library.
# PROGRAM is linked with libweft.so.
set -euo pipefail
build=$1 gdb=$2 program=$3
if [[ -z $gdb ]]; then
  echo 'SKIP: gdb is not installed'
  exit 77
fi
root=$(mktemp -d)
trap 'rm -rf -- "$root"' EXIT
prefix=$(meson introspect --buildoptions "$build" | python3 -c '
import json, sys
options = {option["name"]: option["value"] for option in json.load(sys.stdin)}
print(options["prefix"], options["libdir"], options["datadir"])')
read -r prefix libdir datadir <<<"$prefix"
DESTDIR=$root meson install -C "$build" --no-rebuild --quiet

# The place in the package is that of a system where it is unpacked at /: so is the link, which here leads nowhere.
library=$(realpath -- "$root$prefix/$libdir/libweft.so")
loader=$(find "$root$prefix/$datadir/gdb/auto-load" -name '*-gdb.py')
[[ $loader == "$root$prefix/$datadir/gdb/auto-load${library#"$root"}-gdb.py" ]] ||
  { echo "the script to load is in the wrong place: $loader"; exit 1; }
[[ -L $loader && $(readlink -- "$loader") == "$prefix/$datadir/weft/debug/weft-gdb.py" ]] ||
  { echo "the link leads to $(readlink -- "$loader")"; exit 1; }

# gdb looks for the library's full path below a folder of such scripts.
scripts=$root/scripts
mkdir -p -- "$scripts$root$prefix/$libdir"
ln -s -- "$root$(readlink -- "$loader")" "$scripts$library-gdb.py"
said=$("$gdb" -nx -batch -iex "set auto-load scripts-directory $scripts" \
  -iex "set auto-load safe-path $root" -iex 'set debuginfod enabled off' -ex 'set startup-with-shell off' \
  -ex "set environment LD_LIBRARY_PATH $root$prefix/$libdir" -ex 'break dbg_stop' -ex run \
  -ex 'info goroutines' "$program" 2>&1) || true
if [[ $said == *'Operation not permitted'* ]]; then
  echo 'SKIP: gdb may not trace here'
  exit 77
fi
if [[ $said != *'[sync.WaitGroup.Wait] "waiter": dbg_wait'* ]]; then
  echo "the script was not loaded for $library:"
  echo "$said"
  exit 1
fi
echo 'loaded by itself'
