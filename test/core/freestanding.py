#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""freestanding.py --cc CC --nm NM --size SIZE --include DIR --library LIB [--run EMULATOR] [--limit BYTES]
                   SOURCE...

Compiles each source, links it with the library and nothing else (-nostdlib -static), and looks at what came
out: no undefined symbol but weak ones (the sanitizers' hooks); at most so many bytes of text; it runs and says
that all is well. --self-test: both checks must fail where they have to.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def complaints(source, options, out):
    """What is wrong with the program, and how much text it has."""
    program = out / (pathlib.Path(source).stem + ".program")
    status, _, said = run(*options.cc.split(), "-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                          "-ffreestanding", "-fno-stack-protector", "-nostdlib", "-static",
                          "-I", options.include, source, options.library, "-o", program)
    if status != 0:
        return [f"does not link without libc and libstdc++:\n{said}"], 0
    _, symbols, _ = run(*options.nm.split(), "--undefined-only", program)
    found = [f"wants the symbol {line.split()[-1]}" for line in symbols.splitlines() if line.split()[-2] not in "wv"]
    _, sizes, _ = run(*options.size.split(), "-A", program)
    text = sum(int(line.split()[1]) for line in sizes.splitlines() if line.startswith((".text", ".rodata", ".eh_frame")))
    if text > options.limit:
        found.append(f"has {text} bytes of text, more than {options.limit}")
    status, _, said = run(*options.run.split(), program)
    if status != 0:
        found.append(f"ended with status {status}: {said}")
    return found, text


def self_test(options, out):
    libc = out / "libc.c"
    libc.write_text("#include <weft/coroutine.h>\nvoid _start(void); void _start(void) "
                    "{ weft_stack s; weft_stack_map(&s, 1); }\n")
    failures = []
    if not complaints(libc, options, out)[0]:
        failures.append("a program that needs mmap passes")
    options.limit = 100
    if not any("bytes of text" in said for said in complaints(options.sources[0], options, out)[0]):
        failures.append("100 bytes of text are enough")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    for name in ("cc", "nm", "size", "include", "library"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--run", default="")
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
            found, text = complaints(source, options, pathlib.Path(folder))
            print(f"{source}: {text} bytes of text, constants and unwind tables")
            for complaint in found:
                print(f"{source}: {complaint}", file=sys.stderr)
                failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
