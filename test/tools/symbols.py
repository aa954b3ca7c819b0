#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""symbols.py [options] FILE...            (object files, static and shared libraries)
symbols.py --self-test [--cc CC] [--cxx CXX] [--readelf READELF] [--ar AR]

Objects and static libraries:
  every defined global symbol is weft_* or of namespace weft; of others only std's inline
  entities and typeinfo, and those weak
  every symbol of an assembly object is FUNC, OBJECT or TLS, has a size, and is hidden unless --public
  names it
  every object has .note.GNU-stack without X
  no property note claims IBT, SHSTK, BTI, PAC or GCS, unless --allow says that it is kept: a claim is a promise
Shared libraries:
  PT_GNU_STACK without X, no text relocations, no property claims
  exports only weft_* and namespace weft
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import selftest

# Itanium C++ ABI, 5.1: nested names in weft; entities local to its functions; guards, thread-local
# wrappers, vtables, VTTs, typeinfo and thunks of those.
WEFT = re.compile(r"weft_\w+$|_Z(?:G[VR]|T[VTISWHC]|T[hv][\dn_]+|Tc[\dhnv_]+)?Z*N[VKRO]*4weft")
# What a compiler emits weakly on others' behalf: inline entities of std and the C++ ABI's
# library, placement new, typeinfo.
OTHERS = re.compile(r"_Z(?:G[VR]|T[VTWHC]|T[hv][\dn_]+|Tc[\dhnv_]+)?Z*(?:N[VKRO]*)?"
                    r"(?:S[tabsiod]|9__gnu_cxx|10__cxxabiv1)"
                    r"|_Z(?:n[wa]|d[la])|_ZT[IS]|DW\.ref\.|__clang_call_terminate$")
CLAIM = re.compile(r"\b(IBT|SHSTK|BTI|PAC|GCS)\b")


class Tools:
    def __init__(self, options):
        self.readelf = options.readelf.split()

    def run(self, *arguments):
        done = subprocess.run([*self.readelf, *arguments], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C"})
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(self.readelf)} {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def per_object(self, flag, path):
        """(name, output) of every object in a library, or of the file itself."""
        parts = re.split(r"^File: (.*)$", self.run(flag, "-W", str(path)), flags=re.M)
        if len(parts) == 1:
            return [(str(path), parts[0])]
        return list(zip(parts[1::2], parts[2::2]))


class Symbol:
    def __init__(self, line):
        words = line.split()
        self.size = int(words[2], 0)
        self.kind, self.binding, self.visibility = words[3:6]
        self.name = words[-1].split("@")[0]
        # AArch64 puts [VARIANT_PCS] and the like between the visibility and the section.
        self.defined = "UND" not in words[6:-1] and self.kind not in ("SECTION", "FILE")

    def weak(self):
        return self.binding in ("WEAK", "UNIQUE")


def symbols(output):
    rows = (line for line in output.splitlines() if re.match(r"\s*\d+: [0-9a-f]+\s", line) and len(line.split()) > 7)
    return [s for s in map(Symbol, rows) if s.defined and s.binding != "LOCAL"]


def ours(name, options):
    return bool(WEFT.match(name)) or any(re.fullmatch(p, name) for p in options.allow_symbol)


def claims(output, options):
    notes = [line for line in output.splitlines() if "feature" in line]
    return sorted(set(CLAIM.findall(" ".join(notes))) - set(options.allow))


def claim_message(name, found):
    flags = ",".join(found)
    return (f"{name}: a property note claims {flags}: build with -fcf-protection=none or -mbranch-protection=none, "
            f"or say --allow {flags} once the trampolines keep the promise")


def check_objects(path, tools, options):
    wrong = []
    sections = dict(tools.per_object("-S", path))
    properties = dict(tools.per_object("-n", path))
    for name, output in tools.per_object("-s", path):
        assembly = re.search(options.asm, name) is not None
        for symbol in symbols(output):
            if assembly:
                if not ours(symbol.name, options):
                    wrong.append(f"{name}: {symbol.name} is global: make it local, or prefix it with weft_")
                if symbol.kind not in ("FUNC", "OBJECT", "TLS"):
                    wrong.append(f"{name}: {symbol.name} is {symbol.kind}: give it a type (function, object)")
                public = symbol.kind == "FUNC" and re.fullmatch(options.public, symbol.name)
                if symbol.visibility != ("DEFAULT" if public else "HIDDEN"):
                    cure = "export it (public_func)" if public else "make it hidden (func), or add it to --public"
                    wrong.append(f"{name}: {symbol.name} has visibility {symbol.visibility}: {cure}")
                if symbol.size == 0:
                    wrong.append(f"{name}: {symbol.name} has no size: close it (endfunc, .size)")
            elif not ours(symbol.name, options):
                if not (symbol.weak() and OTHERS.match(symbol.name)):
                    wrong.append(f"{name}: {symbol.name} ({symbol.binding}) is neither weft_* nor in namespace weft: "
                                 "rename it, or make it static")
        header = sections.get(name, "")
        note = re.search(r"\]\s+\.note\.GNU-stack\s+\w+\s+[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+\s+([A-Zo]*)\s+\d",
                         header)
        if note is None:
            wrong.append(f"{name}: no .note.GNU-stack, so ld would make the program's stack executable: "
                         "add the section")
        elif "X" in note.group(1):
            wrong.append(f"{name}: .note.GNU-stack asks for an executable stack: declare it without exec")
        found = claims(properties.get(name, ""), options)
        if found:
            wrong.append(claim_message(name, found))
    return wrong


def check_shared(path, tools, options):
    wrong = []
    stack = re.search(r"GNU_STACK\s+(?:0x[0-9a-f]+\s+){5}([RWE ]{3})", tools.run("-l", "-W", str(path)))
    if stack is None:
        wrong.append(f"{path}: no PT_GNU_STACK: link with -z noexecstack")
    elif "E" in stack.group(1):
        wrong.append(f"{path}: the stack is {stack.group(1).strip()}: an object lacks .note.GNU-stack")
    if "TEXTREL" in tools.run("-d", "-W", str(path)):
        wrong.append(f"{path}: text relocations: an object is not position-independent; link with -z text to see which")
    found = claims(tools.run("-n", "-W", str(path)), options)
    if found:
        wrong.append(claim_message(path, found))
    for symbol in symbols(tools.run("--dyn-syms", "-W", str(path))):
        if symbol.visibility in ("HIDDEN", "INTERNAL") or ours(symbol.name, options):
            continue
        if options.allow_weak and symbol.weak() and OTHERS.match(symbol.name):
            continue
        cure = "list exports in a version script"
        if not symbol.weak():
            cure = "hide it; if it comes from another static library, link with -Wl,--exclude-libs,ALL"
        wrong.append(f"{path}: exports {symbol.name} ({symbol.binding}), neither weft_* nor in namespace weft: {cure}")
    return wrong


def check(path, tools, options):
    kind = re.search(r"^\s*Type:\s+(\w+)", tools.run("-h", str(path)), re.M)
    if kind is None:
        return [f"{path}: not an ELF file or library"]
    return (check_shared if kind.group(1) == "DYN" else check_objects)(path, tools, options)


def self_test(tools, options):
    """Builds fixtures/symbols/*: good_* must pass; the others must fail with what their line `says: …` names.
    A line `flags: …` adds compiler options; shared_* are linked to a shared library, the others archived."""
    failures, count = [], 0
    for source in sorted((selftest.FIXTURES / "symbols").iterdir()):
        text = source.read_text(encoding="utf-8")
        needs = re.search(r"needs: (\w+)", text)
        says = re.search(r"says: (.*)", text)
        flags = re.search(r"flags: (.*)", text)
        compiler = options.cc.split() if source.suffix == ".S" else options.cxx.split()
        with tempfile.TemporaryDirectory() as scratch:
            out = pathlib.Path(scratch)
            target = subprocess.run([*compiler, "-dumpmachine"], capture_output=True, text=True).stdout
            if needs and not target.startswith(needs.group(1)):
                continue
            count += 1
            made = out / f"{source.name}.o"
            plain = ["-fcf-protection=none"] if target.startswith(("x86_64", "i686")) else []
            extra = flags.group(1).split() if flags else []
            subprocess.run([*compiler, "-fPIC", "-fvisibility=hidden", *plain, *extra, "-c", source, "-o", made],
                           check=True)
            if source.name.startswith("shared_"):
                link = re.search(r"link: (.*)", text)
                library = out / "lib.so"
                subprocess.run([*compiler, "-shared", made, "-o", library, *(link.group(1).split() if link else [])],
                               check=True, capture_output=True)
            else:
                library = out / "lib.a"
                subprocess.run([*options.ar.split(), "rc", library, made], check=True)
            said = check(library, tools, options)
        if says is None and said:
            failures.append(f"{source.name}: must pass, but says: {said}")
        if says is not None and not any(says.group(1) in message for message in said):
            failures.append(f"{source.name}: must fail saying `{says.group(1)}`, but says: {said or 'nothing'}")
    return selftest.finish("symbols", count, failures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--readelf", default="readelf", help="the target's readelf")
    parser.add_argument("--asm", default=r"\.(?:asm|S)\.o(?:bj)?\b", metavar="REGEX",
                        help="which object names come from assembly (default: %(default)s)")
    parser.add_argument("--public", default="weft_context_switch(_ontop)?", metavar="REGEX",
                        help="the assembly functions that users call (default: %(default)s)")
    parser.add_argument("--allow", default="", metavar="FLAGS", type=lambda s: s.split(","),
                        help="property claims that are true, comma-separated: IBT, SHSTK, BTI, PAC, GCS")
    parser.add_argument("--allow-symbol", action="append", default=[], metavar="REGEX",
                        help="one more name that may be global")
    parser.add_argument("--allow-weak", action="store_true",
                        help="a shared library may export weak entities of std, and typeinfo")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--cc", default="cc", help="for the self-test")
    parser.add_argument("--cxx", default="c++", help="for the self-test")
    parser.add_argument("--ar", default="ar", help="for the self-test")
    options = parser.parse_args()
    tools = Tools(options)
    if options.self_test:
        return self_test(tools, options)
    if not options.files:
        parser.error("name the objects and libraries")
    wrong = [message for path in options.files for message in check(path, tools, options)]
    for message in wrong:
        print(message, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
