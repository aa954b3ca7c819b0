#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""asmfiles.py [--self-test] ASM_FOLDER

Every CPU's folder has the same basenames, and each file the same functions in the same order, so that two
ports can be read side by side. What only some CPUs have is listed, with the reason, in README.md
between `<!-- asmfiles: begin -->` and `<!-- asmfiles: end -->` as `cpu/file`.
"""
import argparse
import pathlib
import re
import sys

import selftest

SOURCE = {".asm", ".S"}
FUNC = re.compile(r"^\s*(?:public_|bare_)?func\s+(weft_\w+|\w+_fcontext)", re.M)
BLOCK = re.compile(r"<!-- asmfiles: begin -->(.*?)<!-- asmfiles: end -->", re.S)


def basename(path):
    """gogo.asm and gogo.S are the same file; abi.inc is abi.inc everywhere."""
    return path.stem if path.suffix in SOURCE else path.name


def check(asm):
    asm = pathlib.Path(asm)
    wrong = []
    readme = asm / "README.md"
    block = BLOCK.search(readme.read_text(encoding="utf-8")) if readme.is_file() else None
    if block is None:
        return [f"{readme}: no block `<!-- asmfiles: begin -->` … `<!-- asmfiles: end -->`: "
                "add one, empty if need be"]
    allowed = set(re.findall(r"`(\w+/[\w.]+)`", block.group(1)))

    folders = sorted(p for p in asm.iterdir() if p.is_dir() and any(p.iterdir()))
    files = {f.name: {basename(p): p for p in sorted(f.iterdir()) if p.is_file()} for f in folders}
    for listed in sorted(allowed):
        if not (asm / listed).is_file():
            wrong.append(f"{readme}: lists `{listed}`, which does not exist: remove the line")
    for folder in folders:
        others = {name: path for f, names in files.items() if f != folder.name for name, path in names.items()}
        for name in sorted(others.keys() - files[folder.name].keys()):
            shown = others[name].relative_to(asm)
            if str(shown) not in allowed:
                wrong.append(f"{folder}: has no {name}, which exists as {shown}: write it, "
                             f"or list `{shown}` with the reason in {readme}")
    for listed in sorted(allowed):
        name = basename(pathlib.PurePath(listed))
        holders = [f for f, names in files.items() if name in names]
        if len(folders) > 1 and len(holders) == len(folders):
            wrong.append(f"{readme}: lists `{listed}` as a difference, but every CPU has it: remove the line")

    order = {}
    for folder, names in files.items():
        for name, path in names.items():
            functions = FUNC.findall(path.read_text(encoding="utf-8"))
            first, expected = order.setdefault(name, (path, functions))
            if functions != expected:
                wrong.append(f"{path}: defines {functions or 'nothing'}, {first} defines {expected or 'nothing'}: "
                             "same functions, same order")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("asm", nargs="?", help="the folder with one folder per CPU and README.md")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return selftest.run("asmfiles", check)
    if options.asm is None:
        parser.error("name the asm folder")
    wrong = check(options.asm)
    for message in wrong:
        print(message, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
