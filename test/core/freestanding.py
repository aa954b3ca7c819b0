#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""freestanding.py --cc CC --readelf READELF --include DIR --library LIB [--limit BYTES] [--self-test] SOURCE...

Compiles each source, links it with the library and nothing else (-nostdlib -static), and looks at what came
out: no undefined symbol but weak ones (the sanitizers' hooks); at most so many bytes of code and constants; it runs and says
that all is well. --self-test: both checks must fail where they have to.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def complaints(source, options, out):
    """What is wrong with the program."""
    program = out / (pathlib.Path(source).stem + ".program")
    status, _, said = run(*options.cc.split(), "-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                          "-ffreestanding", "-fno-stack-protector", "-nostdlib", "-static",
                          "-I", options.include, source, options.library, "-o", program)
    if status != 0:
        return [f"does not link without libc and libstdc++:\n{said}"]
    # Number, value, size, type, binding, visibility, section, name.
    symbols = (line.split() for line in run(*options.readelf.split(), "-sW", program)[1].splitlines())
    found = [f"wants the symbol {words[7]}" for words in symbols
             if len(words) > 7 and words[6] == "UND" and words[4] != "WEAK"]
    rows = re.findall(r"\] (\.\S+) +\S+ +\S+ \S+ (\S+) ", run(*options.readelf.split(), "-SW", program)[1])
    sections = {name: int(size, 16) for name, size in rows}
    text = sections[".text"] + sections.get(".rodata", 0)
    print(f"{source}: {text} bytes of code and constants, {sections.get('.eh_frame', 0)} of unwind tables")
    if text > options.limit:
        found.append(f"has {text} bytes of code and constants, more than {options.limit}")
    status, _, said = run(*os.environ.get("MESON_EXE_WRAPPER", "").split(), program)
    if status != 0:
        found.append(f"ended with status {status}: {said}")
    return found


def self_test(options, out):
    libc = out / "libc.c"
    libc.write_text("#include <weft/coroutine.h>\nvoid _start(void); void _start(void) "
                    "{ weft_stack s; weft_stack_map(&s, 1); }\n")
    failures = []
    if not complaints(libc, options, out):
        failures.append("a program that needs mmap passes")
    options.limit = 100
    if not any("more than" in said for said in complaints(options.sources[0], options, out)):
        failures.append("100 bytes are enough")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    for name in ("cc", "readelf", "include", "library"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--limit", type=int, default=8192)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        if options.self_test:
            for failure in self_test(options, pathlib.Path(folder)):
                print("self-test:", failure, file=sys.stderr)
                failed = True
            return failed
        for source in options.sources:
            for complaint in complaints(source, options, pathlib.Path(folder)):
                print(f"{source}: {complaint}", file=sys.stderr)
                failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
