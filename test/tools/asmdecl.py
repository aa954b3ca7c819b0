#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""asmdecl.py [--self-test] ROOT

Compares every entry written in assembly, weft_* and *_fcontext, in the three places that describe it:
  runtime/core/trampolines.hpp  the declaration
  asm/<cpu>/*                   `func NAME`, `public_func NAME` or `bare_func NAME`, and a comment line with the signature
  asm/README.md                 `### NAME` and a block: signature, `in` line with the registers of each CPU
and every handler, that is C++ which the assembly calls: `handler NAME`, the table in asm/README.md, and its C++
declaration (badstate.hpp, trampolines.hpp, or a file under runtime/ that defines it).
Types, noreturn and, where both give them in the README, parameter names must agree; the registers of an
`in` line must be those in which the CPU's ABI passes that argument.
"""
import argparse
import pathlib
import re
import sys

import selftest

# Integer argument registers in the ABI's order: 64-bit name, 32-bit name.
ABI = {
    "x86_64": [("rdi", "edi"), ("rsi", "esi"), ("rdx", "edx"), ("rcx", "ecx"), ("r8", "r8d"), ("r9", "r9d")],
    "aarch64": [(f"x{i}", f"w{i}") for i in range(8)],
    "riscv64": [(f"a{i}", f"a{i}") for i in range(8)],
}
# What an entry may be called: weft_*, or by a name of Boost's.
ENTRY = r"(?:weft_\w+|\w+_fcontext)"
WORDS_32 = {"uint32_t", "int32_t", "int", "unsigned", "unsigned int"}
BUILTIN = {"void", "bool", "char", "short", "int", "long", "unsigned", "signed", "float", "double", "const"}
FIELDS = "in out clobbers stack does also order ends outermost".split()


class Signature:
    def __init__(self, name, result, parameters, noreturn):
        self.name, self.result, self.parameters, self.noreturn = name, result, parameters, noreturn

    def types(self):
        return self.noreturn, self.result, [t for t, _ in self.parameters]

    def names(self):
        return [n for _, n in self.parameters]

    def __str__(self):
        parts = []
        for kind, name in self.parameters:
            if "(*)" in kind:
                parts.append(kind.replace("(*)", f" (*{name or ''})", 1))
            else:
                parts.append(f"{kind} {name}" if name else kind)
        return ("[[noreturn]] " if self.noreturn else "") + f"{self.result} {self.name}({', '.join(parts)})"


def plain(kind):
    """A type without namespaces and needless spaces."""
    kind = re.sub(r"\b(?:weft|rt|std)::", "", kind).replace("::", "")
    kind = re.sub(r"\bextern\s*\"C\"\s*|\bstruct\s+", "", kind)
    return re.sub(r"\s*([*&(),])\s*", r"\1", re.sub(r"\s+", " ", kind)).strip()


def closing(text, at):
    """Index behind the parenthesis that closes the one at text[at], or -1."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    return -1


def parameter(text):
    pointer = re.fullmatch(r"\s*(.+?)\s*\(\s*\*\s*(\w*)\s*\)\s*(\(.*\))\s*", text, re.S)
    if pointer:
        arguments = [parameter(p)[0] for p in split(pointer.group(3)[1:-1])]
        return f"{plain(pointer.group(1))}(*)({','.join(arguments)})", pointer.group(2)
    words = re.findall(r"[\w:]+|[*&]", text)
    name = ""
    if len(words) > 1 and re.fullmatch(r"\w+", words[-1]) and words[-1] not in BUILTIN:
        if [w for w in words[:-1] if w != "const"]:
            name = words.pop()
    return plain(" ".join(words)), name


def split(text):
    parts, depth, last = [], 0, 0
    for i, c in enumerate(text):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    parts.append(text[last:])
    return [p for p in parts if p.strip() and p.strip() != "void"]


def signature(text, name):
    """The signature of name that text starts with, or None."""
    found = re.match(r"(\[\[noreturn\]\]\s*)?"
                     r"((?:extern\s+\"C\"\s+)?[A-Za-z_][\w:]*(?:\s+[\w:]+)*[\s*&]+)" + name + r"\s*\(", text)
    if not found:
        return None
    end = closing(text, found.end() - 1)
    if end < 0:
        return None
    return Signature(name, plain(found.group(2)), [parameter(p) for p in split(text[found.end():end - 1])],
                     bool(found.group(1)))


def declarations(path):
    """name -> Signature of every entry or handler declared or defined in a C++ file."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/|^\s*#[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    found = {}
    for use in re.finditer(rf"\b({ENTRY})\s*\(", text):
        start = max(text.rfind(c, 0, use.start()) for c in ";{}") + 1
        said = signature(text[start:].lstrip(), use.group(1))
        end = closing(text, use.end() - 1)
        after = re.match(r"\s*(?:noexcept)?\s*[;{]", text[end:]) if end > 0 else None
        if said and after and not re.match(r"return\b", said.result):
            found.setdefault(use.group(1), said)
    return found


class AsmFile:
    def __init__(self, path):
        self.path = path
        mark = ";" if path.suffix == ".asm" or path.parent.name == "x86_64" else "//"
        lines = path.read_text(encoding="utf-8").splitlines()
        code = [line.split(mark)[0] for line in lines]
        self.comments = [line.strip()[len(mark):].strip() for line in lines if line.strip().startswith(mark)]
        text = "\n".join(code)
        self.functions = re.findall(rf"^\s*(?:public_|bare_)?func\s+({ENTRY})", text, re.M)
        self.handlers = set(re.findall(r"^\s*handler\s+(weft_\w+)", text, re.M))
        self.mark = mark

    def signature(self, name):
        said = [s for s in (signature(c, name) for c in self.comments) if s]
        return said[0] if said else None

    def field(self, name):
        return field(self.comments, name)


def field(lines, name):
    """The text of `name   text`, with the lines that continue it; None where there is none."""
    text = None
    for line in lines:
        head = re.match(r"\s*(\w+)\s", line + " ")
        if head and head.group(1) == name and text is None:
            text = line.strip()[len(name):]
        elif text is not None:
            if head and head.group(1) in FIELDS and not line.startswith("   "):
                break
            text += " " + line.strip()
    if text is not None:                    # several fields on one line stand two spaces apart
        text = re.split(r"\s{2,}(?=(?:" + "|".join(FIELDS) + r")\s)", text.strip())[0]
    return text


def width(kind, names):
    return names[1] if kind in WORDS_32 else names[0]


def check_asm_in_line(wrong, source, signatures):
    """The registers that the head of an asm file names, against the CPU's ABI."""
    text = source.field("in")
    cpu = source.path.parent.name
    if text is None or cpu not in ABI or not signatures:
        return
    longest = max(signatures, key=lambda s: len(s.parameters))
    position = {r: i for i, names in enumerate(ABI[cpu]) for r in names}
    last = -1
    for register, said in re.findall(r"\b([a-z]+\d*[a-z]?)\s*=\s*(\w+)", text):
        if register not in position:
            continue
        at = position[register]
        if at >= len(longest.parameters):
            wrong.append(f"{source.path}: the in line names {register} (argument {at + 1}), "
                         f"but `{longest}` has {len(longest.parameters)}")
            continue
        kind, name = longest.parameters[at]
        right = width(kind, ABI[cpu][at])
        if register != right:
            wrong.append(f"{source.path}: the in line names {register} for `{kind} {name}`: {right} holds it")
        if said in longest.names() and longest.names().index(said) != at:
            right = width(longest.parameters[longest.names().index(said)][0], ABI[cpu][longest.names().index(said)])
            wrong.append(f"{source.path}: the in line says {register} = {said}, but the ABI passes {said} in {right}")
        if at <= last:
            wrong.append(f"{source.path}: the in line names {register} out of the ABI's order")
        last = max(last, at)


def check_readme_in_line(wrong, readme, declared, lines, cpus):
    text = field(lines, "in")
    if text is None:
        wrong.append(f"{readme}: {declared.name} has no in line")
        return
    named = re.findall(r"\b(\w+(?:/\w+)+)\s*=\s*(\w+)", text)
    for at, (kind, name) in enumerate(declared.parameters):
        right = "/".join(width(kind, ABI[cpu][at]) for cpu in cpus)
        if at >= len(named):
            wrong.append(f"{readme}: the in line of {declared.name} lacks `{right} = {name}`")
        elif named[at] != (right, name):
            wrong.append(f"{readme}: the in line of {declared.name} says `{named[at][0]} = {named[at][1]}`, "
                         f"argument {at + 1} is `{right} = {name}`")
    for register, name in named[len(declared.parameters):]:
        wrong.append(f"{readme}: the in line of {declared.name} names {register} = {name}, an argument too many")


def compare(wrong, where, said, declared, source):
    if said.types() != declared.types():
        wrong.append(f"{where}: says `{said}`, {source} says `{declared}`")


def check(root):
    root = pathlib.Path(root)
    core = root / "runtime" / "core"
    header, bad, readme = core / "trampolines.hpp", core / "badstate.hpp", root / "asm" / "README.md"
    wrong = [f"{p}: missing" for p in (header, bad, readme) if not p.is_file()]
    if wrong:
        return wrong
    declared = declarations(header)
    bad_declared = declarations(bad)

    # Assembly against the header.
    folders = {p.name: p for p in sorted((root / "asm").iterdir()) if p.is_dir() and any(p.iterdir())}
    for name in folders.keys() - ABI.keys():
        wrong.append(f"{folders[name]}: this script does not know the CPU's argument registers: add them to ABI")
    cpus = [c for c in ABI if c in folders]
    handlers = {}
    for cpu in cpus:
        sources = [AsmFile(p) for p in sorted(folders[cpu].iterdir()) if p.suffix in (".asm", ".S", ".inc")]
        handlers[cpu] = set().union(*(s.handlers for s in sources)) - declared.keys()
        defined = {}
        for source in sources:
            signatures = []
            for name in source.functions:
                defined[name] = source
                said = source.signature(name)
                if name not in declared:
                    wrong.append(f"{source.path}: defines {name}, which {header} does not declare")
                elif said is None:
                    wrong.append(f"{source.path}: no signature of {name}: write `{source.mark} {declared[name]}`")
                else:
                    compare(wrong, source.path, said, declared[name], header.name)
                if name in declared:
                    signatures.append(declared[name])
            check_asm_in_line(wrong, source, signatures)
        for name in sorted(declared.keys() - defined.keys()):
            wrong.append(f"{folders[cpu]}: no file defines {name}, which {header} declares")

    # The README against the header.
    text = readme.read_text(encoding="utf-8")
    sections = {}
    for name, block in re.findall(rf"^### ({ENTRY})\n+```\n(.*?)^```", text, re.M | re.S):
        sections[name] = block.splitlines()
    for name in sorted(declared.keys() | sections.keys()):
        if name not in sections:
            wrong.append(f"{readme}: no entry `### {name}` with a block, which {header} declares")
        elif name not in declared:
            wrong.append(f"{readme}: describes {name}, which {header} does not declare")
        else:
            said = signature(sections[name][0], name)
            if said is None:
                wrong.append(f"{readme}: the block of {name} must begin with `{declared[name]}`")
                continue
            compare(wrong, readme, said, declared[name], header.name)
            if said.names() != declared[name].names():
                wrong.append(f"{readme}: {name} has the parameters {said.names()}, "
                             f"{header.name} {declared[name].names()}")
            check_readme_in_line(wrong, readme, declared[name], sections[name], cpus)

    # Handlers: table, assembly, C++.
    table = {}
    for row in re.findall(r"^\|(.*?)\|", text, re.M):
        for quoted in re.findall(r"`([^`]*\bweft_\w+[^`]*)`", row):
            name = re.search(r"weft_\w+", quoted).group(0)
            table[name] = quoted
    called = set().union(*handlers.values()) if handlers else set()
    for name in sorted(called - table.keys()):
        wrong.append(f"{readme}: the table of handlers lacks {name}, which the assembly calls")
    for cpu in cpus:
        for name in sorted(table.keys() - handlers[cpu]):
            wrong.append(f"{folders[cpu]}: no `handler {name}`, which {readme} lists")
    for name in sorted(bad_declared.keys() - called):
        wrong.append(f"{bad}: declares {name}, which no assembly calls")
    elsewhere = None
    for name in sorted(called):
        found = bad_declared.get(name) or declared.get(name)
        if found is None:
            if elsewhere is None:
                elsewhere = {}
                for path in sorted((root / "runtime").rglob("*.[hc]pp")):
                    for other, said in declarations(path).items():
                        elsewhere.setdefault(other, said)
            found = elsewhere.get(name)
        if found is None:
            wrong.append(f"{root / 'runtime'}: nothing declares or defines {name}, which the assembly calls")
        elif name in table and "(" in table[name]:
            said = signature(table[name], name)
            if said is None or said.types()[1:] != found.types()[1:]:
                wrong.append(f"{readme}: the table of handlers says `{table[name]}`, C++ says `{found}`")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", help="the source root: has asm/ and runtime/core/")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return selftest.run("asmdecl", check)
    if options.root is None:
        parser.error("name the source root")
    wrong = check(options.root)
    for message in wrong:
        print(message, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
