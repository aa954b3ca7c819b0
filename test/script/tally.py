#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts the results in a Meson testlog.json: prints "passed failed skipped".

A Catch2 program counts its test cases, as its summary gives them; any other test counts one.
A program that fails counts at least one failure, whatever its summary says: it may have died after it.
"""
import json
import re
import sys

ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.MULTILINE)
SOME = re.compile(r"^test cases: +\d+ \|(.*)$", re.MULTILINE)


def catch_summary(text):
    """(passed, failed, skipped) of the last summary in text, or None."""
    found = None
    for match in ALL_PASSED.finditer(text):
        found = (match.start(), (int(match[1]), 0, 0))
    for match in SOME.finditer(text):
        if found is None or match.start() > found[0]:
            counts = {what: int(n) for n, what in re.findall(r"(\d+) (passed|failed as expected|failed|skipped)", match[1])}
            passed = counts.get("passed", 0) + counts.get("failed as expected", 0)
            found = (match.start(), (passed, counts.get("failed", 0), counts.get("skipped", 0)))
    return found[1] if found else None


def count(test):
    result = test["result"]
    if result == "SKIP":
        return 0, 0, 1
    good = result in ("OK", "EXPECTEDFAIL")
    summary = catch_summary(test.get("stdout") or "")
    if summary is None:
        return (1, 0, 0) if good else (0, 1, 0)
    passed, failed, skipped = summary
    return passed, failed if good else max(failed, 1), skipped


def main():
    totals = [0, 0, 0]
    try:
        with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
            for line in log:
                for i, n in enumerate(count(json.loads(line))):
                    totals[i] += n
    except FileNotFoundError:
        pass  # no test was run; the caller says so
    print(*totals)


if __name__ == "__main__":
    main()
