#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# script.sh ROOT: what ./weft says to bad input, and what it does where packages are missing. Fakes on
# PATH stand for id, dpkg-query and apt-get, so nothing is installed and nothing is built.
# shellcheck disable=SC2016 # the fakes are scripts in quotes
set -euo pipefail
weft=$(realpath -- "$1")/weft
# shellcheck source=test/script/checks.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/checks.sh"

# run STATUS ARG…: runs ./weft, keeps what it prints in out and err, and checks its exit status.
run() {
  local expected=$1 status=0
  shift
  PATH=$path "$weft" "$@" >out 2>err </dev/null || status=$?
  ((status == expected)) || fail "weft $*: exit status $status, not $expected; it said: $(cat out err)"
}
says() { grep -qF -- "$2" "$1" || fail "$1 lacks '$2': $(<"$1")"; }
path=$PATH

# --- bad input: status 2 and a line that names it and what would be right ---
run 2
says err 'usage: ./weft COMMAND'
run 0 help
says out 'usage: ./weft COMMAND'
run 2 rnu
says err "weft: there is no command 'rnu'; the commands are run, test, bench and help"
for command in 'help' '--help' 'run --help' 'run . -h' 'test --help' 'test gcc -h'; do
  # shellcheck disable=SC2086 # several arguments
  run 0 $command
  says out 'usage: ./weft COMMAND'
done
run 0 --version
grep -qxE 'weft [0-9]+\.[0-9]+\.[0-9]+' out || fail "the version: $(<out)"
run 2 run nowhere
says err "weft: there is no directory 'nowhere' to sum: ./weft run [DIR]"
run 2 run ''
says err "weft: there is no directory '' to sum"
: >file
run 2 run file
says err "weft: 'file' is not a directory: ./weft run [DIR]"
run 2 run --fast
says err "weft: run has no option '--fast'"
run 2 run . /
says err "weft: run takes one directory, and '/' is a second"
run 2 test --lnog
says err "weft: test has no option '--lnog'; it has --long and --quick"
run 2 test gcc gc
says err "weft: there is no configuration 'gc'; the configurations are gcc clang"
run 2 test --quick asan
says err "weft: --quick is the configuration gcc alone; leave out 'asan' or --quick"

# --- missing packages ---
mkdir fake
fake() {
  printf '#!/bin/sh\n%s\n' "$2" >"fake/$1"
  chmod +x "fake/$1"
}
# dpkg-query as a system has it that lacks the packages in the file "lacking".
cat >fake/dpkg-query <<'FAKE'
#!/bin/sh
status=0
for name; do
  case $name in --*) continue ;; esac
  if grep -qx -- "$name" lacking; then
    echo "dpkg-query: no packages found matching $name" >&2
    status=1
  else
    echo "installed $name"
  fi
done
exit $status
FAKE
chmod +x fake/dpkg-query
fake apt-get 'echo "$@" >>calls; exit 100'
fake uname 'echo x86_64'
path=$work/fake:$PATH
printf 'nasm\nlibcli11-dev\n' >lacking

# Not root: the exact list and the command, nothing installed.
fake id 'echo 1000'
cat >expected <<'TEXT'
weft: "./weft run" needs packages that are missing (only root can install them):
  nasm                   assembles asm/x86_64
  libcli11-dev           treesum's options
weft: on Debian, as root:
  apt-get update && apt-get install --yes --no-install-recommends nasm libcli11-dev
TEXT
run 1 run .
diff expected err >&2 || fail 'the list of missing packages'
[[ ! -s out && ! -e calls ]] || fail "not root, and yet: $(cat out calls)"
# test needs what run needs, too, and says nothing of what is there.
# And asks for what the chosen configurations need alone.
printf 'nasm\nspin\nclang\nlld\nqemu-user\nchromium\n' >lacking
while read -r packages options; do
  # shellcheck disable=SC2086 # several arguments
  run 1 test $options
  grep -qx -- "  apt-get update .* --no-install-recommends ${packages//,/ }" err || fail "what test $options needs: $(<err)"
done <<'TABLE'
nasm,spin                         --quick
nasm,spin,chromium                gcc --long
nasm,clang                        tsan
nasm,qemu-user                    aarch64
nasm,clang,lld,qemu-user          aarch64 lto-clang
nasm,clang,spin,qemu-user
TABLE
# A package that dpkg knows but that is not installed.
fake dpkg-query 'for name; do case $name in --*) ;; nasm) echo "config-files nasm" ;; *) echo "installed $name" ;; esac; done'
run 1 run .
says err '--no-install-recommends nasm'
[[ ! -e calls ]] || fail "not root, and yet: apt-get $(<calls)"
# nasm is for x86-64.
fake uname 'echo aarch64'
fake dpkg-query 'for name; do case $name in --* | nasm) ;; g++) ;; *) echo "installed $name" ;; esac; done'
run 1 run .
says err '--no-install-recommends g++'
fake uname 'echo x86_64'

# Root: every package with its reason, one apt-get update, one install; its failure is told.
fake id 'echo 0'
run 1 run .
says out 'weft: installing from Debian what "./weft run" needs:'
says out '  nasm                   assembles asm/x86_64'
says err 'weft: apt-get could not install everything; still missing:'
[[ $(wc -l <calls) == 2 ]] || fail "two calls of apt-get: $(<calls)"
says calls ' update'
says calls 'install --yes --no-install-recommends nasm g++'

# Not Debian: neither apt-get nor dpkg-query; programs and headers are looked for instead.
mkdir bare
for program in bash dirname readlink uname id cat sed; do ln -s "$(command -v "$program")" bare/; done
path=$work/bare
run 1 run .
says err 'needs packages that are missing (this system has no apt-get; the names are those of Debian 12):'
says err '  meson                  configures the build'
grep -q '^  apt-get update && apt-get install .* meson ninja-build g++' err || fail "the command: $(<err)"

# --- building, in a copy of the tree whose Meson and Ninja are fakes ---
mkdir -p tree/bench
cp -- "$weft" tree/weft
cp -- "${weft%/*}/bench/packages.txt" tree/bench/
weft=$work/tree/weft
for program in mkdir mktemp rm env tail find sort xargs sha256sum wc head cmp cp grep touch; do ln -s "$(command -v "$program")" bare/; done
# meson setup … -- BUILD SOURCE: what of it the script looks at, and a treesum.
cat >bare/meson <<'FAKE'
#!/usr/bin/env bash
echo "$@" >>calls
build=${*: -2:1}
mkdir -p -- "$build/examples"
touch -- "$build/build.ninja"
printf '#!/usr/bin/env bash\nfind "${@: -1}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --\n' >"$build/examples/treesum"
chmod +x "$build/examples/treesum"
FAKE
ln -s "$(command -v chmod)" bare/
for program in nasm g++ pkg-config ninja; do printf '#!/usr/bin/env bash\n' >"bare/$program"; done
chmod +x bare/{meson,nasm,g++,pkg-config,ninja}
mkdir sum
printf x >sum/file
if [[ -e /usr/include/openssl/evp.h && -e /usr/include/CLI/CLI.hpp ]]; then
  # A second time the same configuration is not set up again; after a change of its settings it is.
  for times in 1 1; do
    : >>calls
    run 0 run sum
    says out 'treesum and sha256sum agree on 1 files'
    [[ $(grep -c '^setup' calls) == "$times" ]] || fail "meson setup, $times times: $(<calls)"
  done
  printf other >>tree/build/run/weft-setup
  run 0 run sum
  [[ $(grep -c '^setup' calls) == 2 ]] || fail "meson setup after other settings: $(<calls)"

  # A build folder that is somebody else's.
  rm -rf tree/build
  mkdir -m 555 tree/build
  shed=()
  if [[ $(id -u) == 0 ]]; then
    # root writes everywhere until it gives up its capabilities.
    shed=(setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all)
    "${shed[@]}" true 2>/dev/null || shed=()
  fi
  if ! "${shed[@]}" touch tree/build/probe 2>/dev/null; then
    status=0
    PATH=$path "$(command -v "${shed[0]-env}")" "${shed[@]:1}" "$weft" run sum >out 2>err </dev/null || status=$?
    ((status == 1)) || fail "a build folder that cannot be written: exit status $status"
    grep -qxE 'weft: .*/tree/build is not writable by .*; remove it, or make it yours' err || fail "the build folder: $(<err)"
  fi
fi

((failures == 0)) || exit 1
