#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Unwinds at every instruction of every trampoline and inline crossing: runs all scenarios of `step`, with g0's stack above
the goroutines' and below them, and compares what they visited with what the disassembler shows.

usage: step.py STEP OBJDUMP
"""
import os
import re
import shlex
import subprocess
import sys

# What no path reaches: traps behind calls that do not return, and the nops that stand before a pc which
# is continued without a call, for unwinders that look up "return address minus one", or align it.
NEVER_RUN = re.compile(r"^((data16 +|cs +)*nop[wl]?|xchg +%ax,%ax|ud2|brk|udf)\b")
# An assertion of debug builds that only a misaligned caller can meet (test/conformance does it).
NEVER_CALLED = re.compile(r"<weft_badalign>")
SKIPPED = 77
# The fixtures with a wrong row, and where it must be noticed.
WRONG = {
    "wrong_cfa": {"x86_64": "wrong_cfa+0x5", "aarch64": "wrong_cfa+0x8"},
    "wrong_register": {"x86_64": "wrong_register+0x8", "aarch64": "wrong_register+0x14"},
    "wrong_end": {"x86_64": "wrong_end+0x0", "aarch64": "wrong_end+0x0"},
}


def run(step, *args):
    wrapper = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))
    return subprocess.run([*wrapper, step, *args], capture_output=True, text=True, timeout=100)


def lists(step):
    lines = [line.split() for line in run(step, "list").stdout.splitlines()]
    return [name for kind, name in lines if kind == "scenario"], [name for kind, name in lines if kind == "function"]


def instructions(step, objdump, functions):
    """{"weft_mcall+0x4": "mov ..."} for every instruction that a path can reach."""

    def dump(option):
        return subprocess.run([objdump, option, "--no-show-raw-insn", step], capture_output=True, text=True, check=True).stdout

    name_at = {}
    for line in dump("-t").splitlines():
        symbol = re.match(r"^([0-9a-f]+) .*F \.text\s+([0-9a-f]+)\s+(?:\.hidden )?(\w+)$", line)
        if symbol and symbol[3] in functions:
            start = int(symbol[1], 16)
            name_at.update({start + i: f"{symbol[3]}+{i:#x}" for i in range(int(symbol[2], 16))})
    found = {}
    for line in dump("-Dj.text").splitlines():
        row = re.match(r"^ *([0-9a-f]+):\s+(.*)$", line)
        if row and int(row[1], 16) in name_at and not NEVER_RUN.search(row[2]) and not NEVER_CALLED.search(row[2]):
            found[name_at[int(row[1], 16)]] = row[2]
    return found


def main(step, objdump):
    scenarios, functions = lists(step)
    failures, visited = [], set()
    for scenario in scenarios:
        for order in ("above", "below"):
            done = run(step, scenario, order)
            title = f"{scenario}, g0 {order}"
            if done.returncode == SKIPPED:
                print(done.stderr, end="")
                return SKIPPED
            if scenario in WRONG:
                if done.returncode != 1 or not any(f"{at}: " in done.stderr for at in WRONG[scenario].values()):
                    failures.append(f"{title}: the wrong row was not noticed ({done.returncode})\n{done.stderr}")
                continue
            visited.update(done.stdout.split())
            if done.returncode != 0:
                failures.append(f"{title}: status {done.returncode}\n{done.stderr}")
    wanted = instructions(step, objdump, functions)
    for function in functions:
        if f"{function}+0x0" not in wanted and f"{function}+0x1" not in wanted and f"{function}+0x4" not in wanted:
            failures.append(f"{function}: {objdump} does not show its instructions")
    for at in wanted:
        if at not in visited:
            failures.append(f"{at} was not visited: {wanted[at]}")
    for failure in failures:
        print("\n".join(failure.splitlines()[:20]))
    print(f"{len(wanted)} instructions of {len(functions)} functions, {len(set(wanted) & visited)} visited,"
          f" {len(scenarios)} scenarios, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
