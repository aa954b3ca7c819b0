#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""landing.py [options] FILE...            (object files and static libraries)
landing.py --self-test [--cc CC] [--objdump OBJDUMP] [--readelf READELF]

Landing pads for indirect branches: IBT on x86-64, BTI on AArch64. In each object that claims them in a property note,
and in each that comes from assembly, which must claim them:
  every global function begins with the pad of a call
  every place in code whose address the code itself takes has a pad
  the place at which a fresh goroutine begins, weft_goexit + pc_quantum, has one
No object that comes from assembly claims a shadow stack (SHSTK, GCS), because no switch moves one.
Without a pad are the places that only a return leads to, and those that mark and are never run: all that is inside
the functions that --bare names, which nobody calls either.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

import selftest

FRESH = "weft_goexit"


class Cpu:
    """What the disassembler shows: the pads, and the address that an instruction takes."""

    def __init__(self, claim, call, jump, taken, quantum):
        self.claim, self.quantum = claim, quantum
        self.call, self.jump, self.taken = re.compile(call), re.compile(jump), re.compile(taken)


CPUS = {
    "x86-64": Cpu("IBT", r"endbr64", r"endbr64", r"lea\s.*# ([0-9a-f]+) <", 1),
    # A signing of the return address is a pad, too.
    "aarch64": Cpu("BTI", r"bti\s+j?c\b|paci[ab]sp\b", r"bti\s+j?c\b|bti\s+j\b", r"adr\s+\w+, ([0-9a-f]+) <", 4),
}


class Code:
    """One object: its name, its global functions and its instructions, by (section, address)."""

    def __init__(self, name, cpu, text, notes):
        self.name, self.cpu = name, CPUS[cpu]
        self.claims = set(re.findall(r"\b[A-Z]+\b", " ".join(re.findall(r"feature: (.*)", notes))))
        self.claimed = self.cpu.claim in self.claims
        self.functions = {m[4]: (m[2], int(m[1], 16), int(m[3], 16)) for m in re.finditer(
            r"^([0-9a-f]{16}) [gwu].{5}F (\S+)\s+([0-9a-f]+) (?:\.hidden )?(\S+)$", text, re.M)}
        self.instructions, self.taken, section = {}, [], None
        lines = text.splitlines()
        for line, after in zip(lines, [*lines[1:], ""]):
            heading = re.match(r"Disassembly of section (.*):", line)
            row = re.match(r"\s*([0-9a-f]+):\t(.*)", line)
            if heading:
                section = heading[1]
            elif row and section:
                self.instructions[section, int(row[1], 16)] = row[2]
                taken = self.cpu.taken.match(row[2])
                # With a relocation it is something elsewhere: a function or data.
                if taken and not re.match(r"\s+[0-9a-f]+: R_", after):
                    self.taken.append((int(row[1], 16), section, int(taken[1], 16)))

    def where(self, section, address):
        """The function that an address is in, and how far."""
        for name, (its, start, size) in self.functions.items():
            if its == section and start <= address < start + size:
                return name, f"{name}+{address - start:#x}"
        return "", f"{section}+{address:#x}"

    def at(self, section, address):
        return self.instructions.get((section, address), "no instruction")


def objects(path, options):
    """Every object of a library, or the object itself."""

    def say(command, *arguments):
        done = subprocess.run([*command.split(), *arguments, path], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C"})
        if done.returncode != 0:
            raise SystemExit(f"{command} {' '.join(arguments)} {path}: {done.stderr.strip()}")
        return done.stdout

    parts = re.split(r"^(\S+):\s+file format elf64-(?:little)?(\S+)$",
                     say(options.objdump, "-t", "-d", "-r", "--no-show-raw-insn"), flags=re.M)
    notes = re.split(r"^File: .*$", say(options.readelf, "-n", "-W"), flags=re.M)
    notes = notes[1:] if len(notes) > 1 else notes
    if len(notes) * 3 != len(parts) - 1:
        raise SystemExit(f"{path}: objdump shows {len(parts) // 3} objects, and readelf {len(notes)}")
    return [Code(*of, note) for of, note in zip(zip(parts[1::3], parts[2::3], parts[3::3]), notes)]


def check(code, options):
    assembly, cpu, wrong = re.search(options.asm, code.name), code.cpu, []
    if (assembly or options.all_claim) and not code.claimed and code.instructions:
        wrong.append(f"{code.name}: no property note claims {cpu.claim}")
    if assembly and code.claims & {"SHSTK", "GCS"}:
        wrong.append(f"{code.name}: a property note claims a shadow stack, which no switch moves")
    if not assembly and not code.claimed:
        return wrong
    for name, (section, start, _) in code.functions.items():
        if name == FRESH:
            start += cpu.quantum
        elif re.fullmatch(options.bare, name):
            continue
        pad = cpu.jump if name == FRESH else cpu.call
        if not pad.match(code.at(section, start)):
            wrong.append(f"{code.name}: {code.where(section, start)[1]} is no landing pad: {code.at(section, start)}")
    for at, section, target in code.taken:
        function, place = code.where(section, target)
        if not re.fullmatch(options.bare, function) and not cpu.jump.match(code.at(section, target)):
            wrong.append(f"{code.name}: {code.where(section, at)[1]} takes the address of {place}, which is no landing "
                         f"pad: {code.at(section, target)}")
    if not code.functions and assembly:
        wrong.append(f"{code.name}: no global function is in it")
    return wrong


def self_test(options):
    """Assembles fixtures/landing/*: good must pass, the others must fail with what their line `says: …` names."""
    failures, count = [], 0
    for source in sorted((selftest.FIXTURES / "landing").iterdir()):
        says = re.search(r"says: (.*)", source.read_text(encoding="utf-8"))
        count += 1
        with tempfile.TemporaryDirectory() as scratch:
            made = os.path.join(scratch, f"{source.name}.o")
            subprocess.run([*options.cc.split(), "-c", source, "-o", made], check=True)
            said = [message for code in objects(made, options) for message in check(code, options)]
        if says is None and said:
            failures.append(f"{source.name}: must pass, but says: {said}")
        if says is not None and not any(says[1] in message for message in said):
            failures.append(f"{source.name}: must fail saying `{says[1]}`, but says: {said or 'nothing'}")
    return selftest.finish("landing", count, failures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--objdump", default="objdump", help="the target's")
    parser.add_argument("--readelf", default="readelf", help="the target's")
    parser.add_argument("--asm", default=r"\.S\.o$|^(.*/)?weft(_core|_context|_fcontext)?\.o$", metavar="REGEX",
                        help="which objects come from assembly (default: %(default)s)")
    parser.add_argument("--bare", default="weft_(context_entry|fcontext_entry|systemstack_switch)", metavar="REGEX",
                        help="functions that are returned to, or never run (default: %(default)s)")
    parser.add_argument("--all-claim", action="store_true", help="every object must claim landing pads")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--cc", default="cc", help="for the self-test, on x86-64")
    options = parser.parse_args()
    if options.self_test:
        return self_test(options)
    if not options.files:
        parser.error("name the objects and libraries")
    codes = [code for path in options.files for code in objects(path, options)]
    wrong = [message for code in codes for message in check(code, options)]
    for message in wrong:
        print(message, file=sys.stderr)
    print(f"{len(codes)} objects, {sum(code.claimed for code in codes)} claim landing pads: "
          f"{sum(len(code.functions) for code in codes if code.claimed)} functions and "
          f"{sum(len(code.taken) for code in codes if code.claimed)} places whose address is taken")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
