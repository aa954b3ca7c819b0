#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""library.py READELF LIBRARY SOVERSION

What stands in the place of another library may not bring more along than that: the three names, unversioned, and no
need of any library but libc; and its soname ends in SOVERSION.
"""
import re
import subprocess
import sys

NAMES = {"make_fcontext", "jump_fcontext", "ontop_fcontext"}


def main(readelf, library, soversion):
    def read(option):
        return subprocess.run([readelf, option, "-W", library], capture_output=True, text=True, check=True).stdout

    dynamic = read("-d")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    soname = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    rows = [line.split() for line in read("--dyn-syms").splitlines()]
    exported = {row[7] for row in rows if len(row) == 8 and row[6] not in ("UND", "Ndx") and row[4] != "LOCAL"}
    wrong = []
    if exported != NAMES:
        wrong.append(f"exports {sorted(exported)}, not {sorted(NAMES)}")
    if needed - {"libc.so.6"}:
        wrong.append(f"needs {sorted(needed)}: libc is all that it may need")
    if soname != ["libweft-fcontext.so." + soversion]:
        wrong.append(f"has the soname {soname}")
    for message in wrong:
        print(f"{library}: {message}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
