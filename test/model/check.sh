#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check.sh MODEL good|broken [-DNAME=VALUE…]: lets spin visit every state of the model.
# good: there must be no error. broken: the error that was built in must be found.
set -euo pipefail

model=$(readlink -f -- "$1") expected=$2
shift 2
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-model.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
name=$(basename -- "$model")
cp -- "$model" "$work/$name"
cd -- "$work"

spin -a "$@" "$name" >generate.log 2>&1 || { cat generate.log >&2; exit 1; }
# What is found soon is searched for less long than it takes to optimise the search.
optimise=-O2
[[ $expected != broken ]] || optimise=-O1
gcc "$optimise" -w -DSAFETY -DMEMLIM=2048 -DVECTORSZ=2048 -o pan pan.c
./pan -m1000000 -w24 >pan.log 2>&1 || { cat pan.log >&2; exit 1; }

if grep -q 'Search not completed\|max search depth too small\|out of memory' pan.log; then
  expected_completeness=no
else
  expected_completeness=yes
fi
errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
states=$(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
printf '%s %s: %s errors, %s states\n' "$name" "$*" "$errors" "$states"

case $expected in
  good)
    [[ $errors == 0 && $expected_completeness == yes ]] && exit 0
    cat pan.log >&2
    [[ ! -e $name.trail ]] || spin -t -p -l -g "$@" "$name" >&2
    exit 1
    ;;
  broken)
    [[ $errors != 0 ]] && exit 0
    printf 'the error that %s builds in was not found: the model shows nothing\n' "$*" >&2
    exit 1
    ;;
esac
