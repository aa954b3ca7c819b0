#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gdb's `bt`, in a live program, from each kind of stack, against the kept lists of function names.

usage: gdb_bt.py GDB PROGRAM FOLDER

FOLDER/NAME.txt has a function a line, innermost first, and the backtrace must end with the last. A line
"..." stands for any number of functions that are neither weft_* nor bt_*; A|B for either name.
"""
import pathlib
import re
import sys

import gdb_session

# Where the program stops, in this order, and which list the backtrace there is compared with.
STOPS = [("bt_leaf", "goroutine"), ("bt_on_systemstack", "systemstack"), ("bt_in_mcall", "mcall"),
         ("bt_in_spawned", "spawned")]
THREAD = "thread"


def names(text):
    """The functions of one backtrace, and what gdb says when it gives up."""
    found = []
    for line in text.splitlines():
        if frame := re.match(r"^#\d+\s+(?:0x[0-9a-f]+ in )?(<signal handler called>|\S+)(.*)$", line):
            plain = frame[1].startswith("<") or frame[2].startswith(" (")
            found.append(frame[1] if plain else "?")
        elif line.startswith("Backtrace stopped"):
            found.append(line)
    return found


def ours(name):
    return re.match(r"(weft_|bt_)\w+$", name) is not None


def matches(found, wanted):
    if not wanted:
        return not found
    if wanted[0] == "...":
        return matches(found, wanted[1:]) or bool(found) and not ours(found[0]) and matches(found[1:], wanted)
    return bool(found) and found[0] in wanted[0].split("|") and matches(found[1:], wanted[1:])


def sections(output):
    """{"goroutine": "#0 ..."}: what stands between the markers."""
    return dict(re.findall(r"^=== (\w+)\n(.*?)^===$", output, re.M | re.S))


def check(gdb, program, order, folder):
    """Failures with g0's stack above the goroutines' or below them."""
    commands = [f"break {function}" for function, _ in STOPS] + ["START"]
    for _, name in STOPS:
        commands += [f"echo \\n=== {name}\\n", "bt", "echo \\n===\\n"]
        if name == STOPS[0][1]:
            commands += [f"echo \\n=== {THREAD}\\n", "thread apply all bt", "echo \\n===\\n"]
        commands += ["continue"]
    output = gdb_session.Session(gdb, program, [order]).run(commands)
    texts = sections(output)
    failures = []
    for name in [name for _, name in STOPS] + [THREAD]:
        lines = (pathlib.Path(folder) / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        wanted = [line.strip() for line in lines if line.strip()]
        # Of the threads at least one must be as wanted: sysmon's.
        found = [names(part) for part in re.split(r"^Thread \d+.*$", texts.get(name, ""), flags=re.M)]
        if not any(matches(one, wanted) for one in found):
            failures.append(f"g0 {order}, {name}: wanted {wanted}, found {found}")
    return failures + [output] if failures else []


def main(gdb, program, folder):
    failures = [line for order in ("above", "below") for line in check(gdb, program, order, folder)]
    for failure in failures:
        print(failure)
    print(f"{2 * (len(STOPS) + 1)} backtraces, " + ("some are wrong" if failures else "all as kept"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
