#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that a check can fail: fixtures/<check>/good must pass, and every section of
fixtures/<check>/broken.ini, applied to a copy of it, must fail with the message that it names.

A section's keys: says (part of the message), and either replace and with in file, or add (a file's
content, \\n for a line's end) as file, or remove = file.
"""
import configparser
import pathlib
import shutil
import sys
import tempfile

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"


def run(name, check):
    """check(root) returns a list of messages. Returns the exit status."""
    folder = FIXTURES / name
    failures = [f"good: must pass, but says: {said}" for said in check(folder / "good")]
    cases = configparser.ConfigParser(interpolation=None)
    cases.optionxform = str
    cases.read(folder / "broken.ini", encoding="utf-8")
    for title in cases.sections():
        case = cases[title]
        with tempfile.TemporaryDirectory() as scratch:
            root = pathlib.Path(scratch) / "root"
            shutil.copytree(folder / "good", root)
            if "remove" in case:
                (root / case["remove"]).unlink()
            elif "add" in case:
                (root / case["file"]).write_text(case["add"].replace("\\n", "\n"), encoding="utf-8")
            else:
                path = root / case["file"]
                text = path.read_text(encoding="utf-8")
                if case["replace"] not in text:
                    failures.append(f"{title}: {case['file']} does not contain `{case['replace']}`")
                    continue
                path.write_text(text.replace(case["replace"], case["with"], 1), encoding="utf-8")
            said = check(root)
        if not any(case["says"] in message for message in said):
            failures.append(f"{title}: must fail saying `{case['says']}`, but says: {said or 'nothing'}")
    return finish(name, len(cases.sections()) + 1, failures)


def finish(name, count, failures):
    for failure in failures:
        print(f"{name} self-test: {failure}", file=sys.stderr)
    if not failures:
        print(f"{name} self-test: {count} fixtures, good ones pass and broken ones fail")
    return 1 if failures else 0
