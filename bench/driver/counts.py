# SPDX-License-Identifier: MIT
"""Instructions per operation, counted by callgrind: the same every time, so that one more shows.

A program runs N operations, then 2 N; the difference, divided by N, is free of start and end. Threads
are counted apart and the busiest one is taken: the others (sysmon) follow the clock.
"""

import glob
import json
import os
import platform
import re
import shutil
import tempfile

from . import run
from .machine import first_line

MARGIN_SHARE = 0.02
MARGIN = 1.0


def key():
    """Kept figures hold for one CPU architecture and one compiler."""
    compiler = first_line(os.environ.get("CXX", "c++"), "--version")
    version = re.search(r"(\d+\.\d+)\.\d+", compiler)
    name = "clang" if "clang" in compiler else "gcc"
    return f"{platform.machine()} {name} {version.group(1) if version else '?'}"


def available():
    return shutil.which("valgrind") is not None


def _instructions(path, row, operations, settings):
    with tempfile.TemporaryDirectory(prefix="weft-counts-") as folder:
        env = dict(settings.environment(1), WEFT_BENCH_OPS=str(operations))
        run.execute(["valgrind", "-q", "--tool=callgrind", "--separate-threads=yes",
                     f"--callgrind-out-file={folder}/out", path, *row.args], env, 300)
        totals = []
        for name in glob.glob(f"{folder}/out*"):
            with open(name, encoding="utf-8", errors="replace") as f:
                found = re.search(r"^(?:totals|summary):\s+(\d+)", f.read(), re.MULTILINE)
            totals.append(int(found.group(1)) if found else 0)
        if not any(totals):
            raise run.Failed("callgrind counted nothing")
        return max(totals)


def count(path, row, settings):
    """Instructions per operation of a row's program."""
    n = row.count_ops
    return (_instructions(path, row, 2 * n, settings) - _instructions(path, row, n, settings)) / n


def read(path):
    """The kept figures: by key(), then by row."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def write(path, kept):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(kept, f, indent=1, sort_keys=True)
        f.write("\n")


def changes(counted, kept):
    """One sentence for each row that left the margin."""
    found = []
    for row, was in kept.items():
        now = counted.get(row)
        if now is not None and abs(now - was) > MARGIN_SHARE * was + MARGIN:
            found.append(f"{row}: {now:.1f} instructions an operation, {was:.1f} were kept ({now - was:+.1f})")
    return found
