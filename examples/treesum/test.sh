#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh TREESUM: treesum against find, sort and sha256sum on trees with every oddity, and its bad input.
set -euo pipefail
export LC_ALL=C
read -ra emulator <<<"${MESON_EXE_WRAPPER-}"
treesum=("${emulator[@]}" "$(realpath -- "$1")")

work=$(mktemp -d)
trap 'chmod -R u+rwx -- "$work"; rm -rf -- "$work"' EXIT
cd -- "$work"

failures=0
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}

# run STATUS ARG…: runs treesum, keeps what it prints in out and err, and checks its exit status.
run() {
  local expected=$1 status=0
  shift
  "${prefix[@]}" "${treesum[@]}" "$@" >out 2>err </dev/null || status=$?
  ((status == expected)) || fail "treesum $*: exit status $status, not $expected; stderr: $(<err)"
}
prefix=()

reference() { { find -H "$1" -type f -print0 | sort -z | xargs -0 -r "${prefix[@]}" sha256sum --; } 2>/dev/null || true; }

# same DIR: what the last run printed is what sha256sum prints.
same() {
  reference "$1" >expected
  cmp out expected || fail "$1: differs from sha256sum: $(diff out expected | head -n 5)"
}
silent() { [[ ! -s err ]] || fail "stderr is not empty: $(<err)"; }
says() { grep -qF -- "$1" err || fail "stderr lacks '$1': $(<err)"; }

# --- a tree of oddities ---
mkdir -p odd/empty-dir odd/deep
(
  cd odd
  : >empty
  printf x >'a b'
  printf x >-n
  printf x >--help
  printf x >$'new\nline'
  printf x >$'carriage\rreturn'
  printf x >'back\slash'
  printf x >$'all\\three\r\n'
  printf x >$'tab\there'
  printf x >$'\xff\xfe not UTF-8'
  printf x >'Grüße, 世界'
  printf x >' '
  printf x >.hidden
  mkdir a
  printf x >a/b
  printf x >a.b # sorts before a/b, as a path, though not by directory
  printf x >a-b
  head -c 65536 /dev/zero >chunk
  head -c 65537 /dev/zero >chunk+1
  seq 1 300000 >long
  mkfifo fifo
  ln -s a.b link
  ln -s . loop
  ln -s nowhere dangling
  ln a.b hardlink
  for ((i = 0; i < 60; i++)); do mkdir "level-$i-of-many-many-more" && cd "level-$i-of-many-many-more" && printf '%s' "$i" >file; done
)
for dir in odd odd/ ./odd odd/deep odd/empty-dir odd/a "$work/odd"; do
  run 0 "$dir" && silent && same "$dir"
done
run 0 -- odd && same odd
(cd odd && "${treesum[@]}" >../out && reference . >../expected)
cmp out expected || fail 'the default directory'
ln -s odd linked
run 0 linked && silent && same linked

# --- many files, every bound ---
mkdir many
(cd many && seq 1 1500 | split -l 1 -a 4 -)
for options in '' '--jobs 1' '--procs 1' '--procs 1 --jobs 1' '--procs 8' '--procs 3 --jobs 2' '--jobs 5000'; do
  # shellcheck disable=SC2086 # several options
  run 0 $options many && silent && same many
done

# --- what cannot be read is reported and counted, the rest summed ---
mkdir -p locked/closed
printf x >locked/good
printf x >locked/bad
printf x >locked/closed/inside
chmod 000 locked/bad locked/closed
if [[ $(id -u) == 0 ]]; then
  # root reads everything until it gives up its capabilities.
  prefix=(setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all)
  "${prefix[@]}" true 2>/dev/null || prefix=()
fi
if "${prefix[@]}" cat locked/bad >out 2>err; then
  echo 'unreadable files: not tested, this user reads everything' >&2
else
  run 1 locked && same locked
  [[ $(wc -l <out) == 1 ]] || fail "the readable file alone is summed: $(<out)"
  says 'locked/bad: Permission denied'
  says 'locked/closed: Permission denied'
  says '2 of 3 could not be read'
  run 2 locked/closed
  says 'cannot read the directory locked/closed: Permission denied'
fi
prefix=()

# --- bad input ---
run 2 nowhere
says 'cannot read the directory nowhere: No such file or directory'
run 2 odd/empty
says 'cannot read the directory odd/empty: Not a directory'
run 2 ''
says 'cannot read the directory'
for n in 0 -1 1025 x 99999999999; do
  run 2 --procs "$n" odd
  says --procs
  run 2 --jobs "${n/1025/1000001}" odd
  says --jobs
done
run 2 odd many
run 2 --nonsense odd
says --nonsense
run 0 --help
grep -q -- --procs out || fail '--help names the options'
status=0
"${treesum[@]}" odd >/dev/full 2>err || status=$?
((status == 1)) || fail "a full disk: exit status $status"
says 'cannot write the sums: No space left on device'

# --- the boot record ---
run 0 --boot odd && same odd
for step in rt0 schedinit newproc mstart sysmon; do says "$step"; done
for stack in 'OS stack of m0' 'g0 of m1' 'stack of g1'; do says "$stack"; done

# --- progress: on a terminal only ---
if ((${#emulator[@]} == 0)) && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
  script -qec "'${treesum[0]}' many >out" /dev/null </dev/null >terminal
  same many
  grep -q 'of 1500 files' terminal || fail 'no progress on a terminal'
  # Started at once, and all that happens afterwards is that it finishes.
  mkdir large
  truncate -s 512M large/file
  script -qec "'${treesum[0]}' large >out" /dev/null </dev/null >terminal
  grep -q '1 of 1 files' terminal || fail "no progress while files finish: $(<terminal)"
fi

((failures == 0)) || exit 1
