#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""debug/weft_lldb.py on a live process and on a core.

usage: lldb_goroutines.py LLDB SCRIPT STATIC SHARED

The programs are those of goroutines.py, and so is what must be said of them.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import goroutines
import gdb_session      # goroutines knows where it is


# As goroutines.LISTING. Functions in C have no parameters, or "::" before them, as lldb reads what GCC writes of them;
# and where a function was inlined, it may give the line in the header.
PLACE = r"(at \w+\.[hc]pp:\d+)?"
LISTING = [
    r"runtime 1: 9 goroutines, 3 Ps, \d+ threads",
    r"  1\.1 \[sync\.WaitGroup\.Wait\]: .*first_main.*",
    rf'  1\.\d+ \[sync\.WaitGroup\.Wait\] "waiter": (::)?dbg_wait.* {PLACE}; created by .*first_main.* {PLACE}',
    rf"  1\.\d+ \[park\]: (::)?dbg_park.* {PLACE}; created by .*first_main.* {PLACE}",
    rf"  1\.\d+ \[sleep\]: (::)?dbg_sleep.* {PLACE}; created by .*first_main.* {PLACE}",
    rf"  1\.\d+ \[join\]: (::)?dbg_join.* {PLACE}; created by .*first_main.* {PLACE}",
    rf"  1\.\d+ \[park, locked to thread( \d+)?\]: (::)?dbg_locked.* {PLACE}; created by .*first_main.* {PLACE}",
    rf"\* 1\.\d+ \[running\]: thread \d+, (::)?dbg_compute.* {PLACE}; created by .*first_main.* {PLACE}",
    rf"\* 1\.\d+ \[syscall\]: thread \d+, .*; created by .*first_main.* {PLACE}",
    rf"  1\.\d+ \[sleep\]: (::)?dbg_sleep.* {PLACE}; created by .*dbg_join.*",
    r"runtime 2: 2 goroutines, 1 P, \d+ threads?",
    r"\* 2\.1 \[running\]: thread \d+, .*",
    r"[* ] 2\.2 \[.*",
]


def environment():
    """Debian's lldb 14 looks for its Python part where it is not, and takes the libraries of the first python3."""
    env = dict(os.environ, PATH="/usr/bin:" + os.environ.get("PATH", ""))
    found = glob.glob("/usr/lib/llvm-*/lib/python3*/*-packages/lldb/embedded_interpreter.py")
    if found:
        env["PYTHONPATH"] = os.path.dirname(os.path.dirname(found[0]))
    return env


def run(lldb, arguments, commands):
    """{command: what lldb prints after it}."""
    words = [word for command in commands for word in ("-o", command)]
    done = subprocess.run([lldb, "--no-lldbinit", "-b", *words, *arguments], capture_output=True, text=True,
                          timeout=300, env=environment(), check=False)
    output = done.stdout + done.stderr
    for text in ("embedded_interpreter", "personality set failed", "Operation not permitted"):
        if text in output:
            gdb_session.skip(f"lldb cannot do its work here: {text}")
    parts = re.split(r"^\(lldb\) (.*)\n", done.stdout, flags=re.M)
    # Errors go elsewhere, in the order of the commands.
    return dict(zip(parts[1::2], parts[2::2])), done.stderr, output


def frames(text):
    return re.findall(r"^ +\*? *frame #\d+: 0x[0-9a-f]+ [^`\n]*`(?:::)?(\w+)", text, re.M)


COMMANDS = ["weft goroutines", "weft stacks", "goroutine 1.2 bt", "goroutine 2.1 bt", "thread list", "goroutine all bt",
            "frame select 1", "goroutine 1.1 frame select 2", "frame info", "thread list"]
ERRORS = {"goroutine 1.999 bt": "there is no goroutine 1.999", "goroutine 1 bt": "give 1.1 or 2.1",
          "goroutine x bt": "'x' is no goroutine", "goroutine 1.1": "usage: goroutine N COMMAND",
          "goroutine 1.1 no_such_command": "no_such_command", "weft knit": "usage: weft goroutines"}


def check(failures, what, found):
    listing = found.get("weft goroutines", "")
    failures.check_listing(f"{what}: weft goroutines", listing, LISTING)
    stacks = found.get("weft stacks", "")
    failures.check(f"{what}: weft stacks", len(re.findall(goroutines.STACK, stacks, re.M)) == 9, stacks)
    one = frames(found.get("goroutine 1.2 bt", ""))
    failures.check(f"{what}: goroutine 1.2 bt", "dbg_wait" in one and
                   "weft_goroutine_main" in one[one.index("dbg_wait"):], one)
    one = frames(found.get("goroutine 2.1 bt", ""))
    failures.check(f"{what}: goroutine 2.1 bt", "dbg_stop" in one and "weft_goroutine_main" in one, one)
    every = frames(found.get("goroutine all bt", ""))
    for function in ("dbg_wait", "dbg_park", "dbg_join", "dbg_locked", "dbg_compute", "dbg_block"):
        failures.check(f"{what}: goroutine all bt has {function}", function in every, every)
    threads = found.get("thread list", "")
    failures.check(f"{what}: no goroutine stays among the threads", threads and "queue = 'weft'" not in threads, threads)
    # Frame 1 was selected before, of a thread of the program's.
    failures.check(f"{what}: the selection is kept", found.get("frame info", "").startswith("frame #1: "), found)


def main(lldb, script, static, shared):
    if not lldb or not shutil.which(lldb):
        gdb_session.skip("lldb is not installed (Debian: lldb)")
    failures = goroutines.Failures()
    load = f"command script import {script}"
    found, _, shown = run(lldb, [shared], [load, "b dbg_stop", "run", *COMMANDS])
    check(failures, "live", found)
    with tempfile.TemporaryDirectory() as folder:
        core = goroutines.make_core([], static, folder)
        if core:
            found, _, output = run(lldb, ["-c", core, static], [load, *COMMANDS])
            check(failures, "core", found)
            shown += output
            for command, text in ERRORS.items():    # one at a time, because the first one ends a batch
                errors = run(lldb, ["-c", core, static], [load, command])[1]
                failures.check(f"the error of {command}", errors.startswith("error: ") and text in errors, errors)
    errors = run(lldb, [static], [load, "weft goroutines"])[1]
    failures.check("no process", "no process and no core file" in errors, errors)
    for failure in failures:
        print(failure)
    print(shown if failures else "goroutines as they should be, live and in a core")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
