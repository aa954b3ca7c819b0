#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# packaging/deb.sh FOLDER: Debian packages of the sources as they are, for this machine's CPU, into the folder. It needs
# dpkg-dev, debhelper, and what ./weft run needs.
set -euo pipefail
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
if (($# != 1)) || [[ ! -d $1 ]]; then
  echo 'usage: packaging/deb.sh FOLDER' >&2
  exit 2
fi
for program in dpkg-buildpackage dh; do
  command -v "$program" >/dev/null || { echo "packaging/deb.sh: $program is not installed (Debian: dpkg-dev, debhelper)" >&2 && exit 1; }
done
out=$(realpath -- "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
"$here/archive.sh" "$work/weft.tar.gz"
tar -C "$work" -xzf "$work/weft.tar.gz"
cd -- "$work"/weft-*/
cp -r packaging/debian debian
# --no-check-builddeps: it asks for build-essential, of which weft needs a part.
dpkg-buildpackage --build=binary --no-sign --no-check-builddeps
mv -- "$work"/*.deb "$out"
