#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# packaging/archive.sh FILE: the sources as they are, in a .tar.gz whose one folder is weft-VERSION; as "meson dist"
# makes it of what is committed. Without git it takes everything but build/.
set -euo pipefail
root=$(realpath -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/..")
if (($# != 1)); then
  echo 'usage: packaging/archive.sh FILE' >&2
  exit 2
fi
version=$(sed -nE "s/^project\(.* version: '([^']+)'.*/\1/p" "$root/meson.build")
files=(.)
if known=$(git -C "$root" ls-files --cached --others --exclude-standard 2>/dev/null); then mapfile -t files <<<"$known"; fi
tar -C "$root" --exclude=./build --exclude=./.git --ignore-failed-read --transform "s,^\(\./\)\?,weft-$version/,S" \
  -czf "$1" -- "${files[@]}"
