#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""debug/weft-gdb.py on live processes and on cores.

usage: goroutines.py GDB SCRIPT STRIP STATIC [SHARED]

STATIC and SHARED are goroutines.cpp, linked statically and with libweft.so. Under an emulator gdb talks to its stub,
and the core is the one that the emulator writes.
"""
import glob
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "unwind"))
import gdb_session

# What `info goroutines` must say of the first runtime, by what the goroutine is in.
AT = r"at \w+\.cpp:\d+"     # link-time optimisation without debug information may name a file of the library's
BY = r"created by .*first_main.* at goroutines\.cpp:\d+"
FIRST = [
    rf"  1\.1 \[sync\.WaitGroup\.Wait\]: .*first_main \(\) {AT}",
    rf'  1\.\d+ \[sync\.WaitGroup\.Wait\] "waiter": dbg_wait \(\) {AT}; {BY}',
    rf"  1\.\d+ \[park\]: dbg_park \(\) {AT}; {BY}",
    rf"  1\.\d+ \[sleep\]: dbg_sleep \(\) {AT}; {BY}",
    rf"  1\.\d+ \[join\]: dbg_join \(\) {AT}; {BY}",
    rf"  1\.\d+ \[park, locked to thread( \d+)?\]: dbg_locked \(\) {AT}; {BY}",
    rf"\* 1\.\d+ \[running\]: thread \d+, .*; {BY}",
    rf"\* 1\.\d+ \[syscall\]: thread \d+, .*; {BY}",
    rf"  1\.\d+ \[sleep\]: dbg_sleep \(\) {AT}; created by .*dbg_join.* at goroutines\.cpp:\d+",
]
# Nobody runs 2.2 while 2.1 does, unless sysmon sees 10 ms go by before the breakpoint: then it may be anywhere.
FRESH = r"  2\.2 \[runnable\]: has not run yet; created by .*operator\(\).* at goroutines\.cpp:\d+"
SECOND = [r"\* 2\.1 \[running\]: thread \d+, .*", FRESH + r"|[* ] 2\.2 \[.*"]
LISTING = [r"runtime 1: 9 goroutines, 3 Ps, \d+ threads", *FIRST,
           r"runtime 2: 2 goroutines, 1 P, \d+ threads?", *SECOND]
STACK = r'^  1\.\d+ \[.*\](?: "waiter")?: \d+ of \d+ bytes, stack 0x[0-9a-f]+-0x[0-9a-f]+$'

# Defined in gdb: commands between markers, whose errors are printed and end nothing.
PRELUDE = """python
def weft_try(name, *commands):
    print("=== " + name)
    for command in commands:
        try:
            gdb.execute(command)
        except gdb.error as e:
            print("ERROR " + str(e))
    print("===")
end"""


def sections(output):
    """{name: what the commands printed}, without what gdb says of threads that it hears of meanwhile."""
    output = re.sub(r"^\[(New Thread|Thread .* exited).*\n", "", output, flags=re.M)
    return dict(re.findall(r"^=== ([\w ]+)\n(.*?)^===$", output, re.M | re.S))


def attempt(name, *commands):
    return f"python weft_try({', '.join(map(repr, (name, *commands)))})"


def number_of(listing, pattern):
    """The goroutine in the line that the pattern matches, as 1.7."""
    found = re.search(pattern, listing, re.M)
    return found[1] if found else "1.0"


class Failures(list):
    def check(self, what, good, shown):
        if not good:
            self.append(f"{what}:\n{shown}")

    def check_listing(self, what, text, patterns):
        lines = text.splitlines()
        self.check(f"{what}: {len(patterns)} lines", len(lines) == len(patterns), text)
        for pattern, line in zip(patterns, lines):
            self.check(f"{what}: {pattern}", re.fullmatch(pattern, line), line)

    def check_frames(self, what, text, wanted):
        """Functions that stand in a backtrace in this order, not all of them, and the last one last."""
        names = [frame[1] for line in text.splitlines()
                 if (frame := re.match(r"#\d+\s+(?:0x[0-9a-f]+ in )?(\S+?)\(?\)? ?\(", line))]
        rest = iter(names)
        found = all(any(name.startswith(one) for name in rest) for one in wanted)
        self.check(f"{what}: {wanted} in {names}", found and names and names[-1].startswith(wanted[-1]), text)


def commands_at_stop():
    """All that is asked of a process or a core."""
    return [
        attempt("listing", "info goroutines"),
        attempt("stacks", "weft stacks"),
        attempt("all", "goroutine all bt"),
        attempt("errors", "goroutine 1.999 bt", "goroutine 1 bt", "goroutine 3.1 bt", "goroutine x bt", "goroutine 1.1",
                "goroutine 1.1 no_such_command"),
        attempt("before", "frame 1", "python print(gdb.selected_thread().num)"),
        attempt("selection", "goroutine 1.1 frame 2", "python raise gdb.GdbError('x')", "goroutine 1.2 nonsense",
                "info goroutines"),
        attempt("after", "frame", "python print(gdb.selected_thread().num)"),
        attempt("up", "goroutine 1.1 bt 2", "goroutine 1.1 python print(gdb.selected_frame().level())"),
    ]


def check_stop(failures, what, found):
    listing = found.get("listing", "")
    failures.check_listing(f"{what}: info goroutines", listing, LISTING)
    stacks = found.get("stacks", "")
    failures.check(f"{what}: weft stacks", len(re.findall(STACK, stacks, re.M)) == 9, stacks)
    failures.check(f"{what}: slabs", len(re.findall(r"^  slab at 0x[0-9a-f]+: \d+ slots", stacks, re.M)) >= 2, stacks)
    each = dict(re.findall(r"^goroutine ([\d.]+) .*\n((?:.+\n)*)", found.get("all", ""), re.M))
    base = ["weft_goroutine_main", "weft_goexit"]
    for function in ("dbg_wait", "dbg_park", "dbg_join", "dbg_locked"):
        g = number_of(listing, rf"^. (1\.\d+) .*: {function} ")
        failures.check_frames(f"{what}: goroutine {g} bt", each.get(g, ""), [function, *base])
    g = number_of(listing, r"^\* (1\.\d+) \[running\]")
    failures.check_frames(f"{what}: goroutine {g} bt", each.get(g, ""), ["dbg_compute", *base])
    g = number_of(listing, r"^\* (1\.\d+) \[syscall\]")
    failures.check_frames(f"{what}: goroutine {g} bt", each.get(g, ""), ["dbg_block", *base])
    failures.check_frames(f"{what}: goroutine 2.1 bt", each.get("2.1", ""), ["dbg_stop", *base])
    errors = found.get("errors", "").splitlines()
    for line, pattern in zip(errors + 6 * [""], [
            "there is no goroutine 1.999", r"2 runtimes have a goroutine 1: give 1\.1 or 2\.1",
            "there is no runtime 3: there are 2", "'x' is no goroutine", "usage: goroutine N COMMAND",
            "Undefined command"]):
        failures.check(f"{what}: the error {pattern}", line.startswith("ERROR") and re.search(pattern, line), errors)
    failures.check(f"{what}: the selection is kept", found.get("before", "1") == found.get("after", "2"),
                   found.get("before", "") + found.get("after", ""))
    failures.check(f"{what}: a goroutine's newest frame is selected, and is the first in bt",
                   re.match(r"#1 .*\n#2 .*\n(\(More stack frames follow\.\.\.\)\n)?1$", found.get("up", "").strip()),
                   found.get("up", ""))


def check_live(failures, gdb, script, program):
    """Everything at the breakpoint; what is asked before, and stepping afterwards, too. Behind an emulator only what is
    asked before there are threads: qemu's stub (7.2) stops one thread, the others run on, and what they say to gdb
    meanwhile may keep it waiting for minutes. That weft_getg is understood shows at main all the same."""
    session = gdb_session.Session(gdb, program)
    at_stop = [] if session.wrapper else ["break dbg_stop", "continue", *commands_at_stop(),
                                          attempt("afterwards", "frame 0", "finish", "bt -3")]
    output = session.run([
        # A library of the build is not below the emulator's sysroot.
        f"set solib-search-path {os.path.dirname(os.path.abspath(program))}/../../runtime",
        PRELUDE, f"source {script}", attempt("too early", "info goroutines", "goroutine 1 bt", "weft stacks"),
        "break main", "START", attempt("at main", "info goroutines"), *at_stop])
    found = sections(output)
    early = found.get("too early", "")
    # Behind an emulator the process is there, but its libraries may not be.
    wanted = r"(ERROR weft: no (process and no core|runtime is running|weft here).*\n?){3}"
    failures.check("before the start", re.fullmatch(wanted, early), early)
    text = found.get("at main", "")
    failures.check("at main", re.match("ERROR weft: no runtime is running: no thread of the process", text), text)
    if session.wrapper:
        return output
    check_stop(failures, f"live, {os.path.basename(program)}", found)
    after = found.get("afterwards", "")
    failures.check("afterwards the process can be stepped", "ERROR" not in after and "exited" not in after, after)
    return output


def make_core(wrapper, program, folder):
    """The core of a run that aborts, or None where the kernel puts it elsewhere."""
    def unlimited():
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    subprocess.run([*wrapper, os.path.abspath(program), "abort"], cwd=folder, preexec_fn=unlimited, check=False,
                   timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cores = glob.glob(os.path.join(folder, "qemu_*.core" if wrapper else "core*"))
    return cores[0] if cores else None


def on_core(gdb, program, core, commands, folder):
    script = os.path.join(folder, "commands")
    pathlib.Path(script).write_text("\n".join(
        ["set debuginfod enabled off", "set width 0", "set pagination off", PRELUDE, *commands]) + "\n",
                                    encoding="utf-8")
    done = subprocess.run([gdb, "-nx", "-batch", "-x", script, program, core], capture_output=True, text=True,
                          timeout=300, check=False)
    return done.stdout + done.stderr


def check_core(failures, gdb, script, strip, program):
    """The same on a core, and on that core with a program without symbols and debug information, and with one that is
    not weft's."""
    wrapper = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))
    with tempfile.TemporaryDirectory() as folder:
        core = make_core(wrapper, program, folder)
        if core is None:
            print("no core file: the kernel's core_pattern sends it elsewhere, or the limit forbids it")
            return ""
        output = on_core(gdb, program, core, [f"source {script}", *commands_at_stop()], folder)
        check_stop(failures, "core", sections(output))

        stripped = os.path.join(folder, "stripped")
        subprocess.run([strip, "-o", stripped, program], check=True)
        text = sections(on_core(gdb, stripped, core, [f"source {script}", attempt("listing", "info goroutines")],
                                folder)).get("listing", "")
        failures.check("stripped: states, names and threads",
                       re.search(r'^  1\.2 \[sync\.WaitGroup\.Wait\] "waiter": 0x[0-9a-f]+; created by 0x', text, re.M)
                       and len(text.splitlines()) == len(LISTING), text)

        without = os.path.join(folder, "without")
        pathlib.Path(without).write_bytes(pathlib.Path(program).read_bytes().replace(b".note.weft\0", b".note.tfew\0"))
        text = sections(on_core(gdb, without, core, [f"source {script}", attempt("listing", "info goroutines")],
                                folder)).get("listing", "")
        failures.check("no weft", text.startswith("ERROR weft: no weft here"), text)
        return output


def check_newer(failures, gdb, script, program):
    """A program whose layout is of a later version is refused, by name. (A core has the note, too, in the first page
    of the file.)"""
    with tempfile.TemporaryDirectory() as folder:
        newer = os.path.join(folder, "newer")
        note = b"\1\0\0\0weft\0\0\0\0"
        pathlib.Path(newer).write_bytes(pathlib.Path(program).read_bytes().replace(
            note + b"\1\0\0\0", note + b"\7\0\0\0"))
        os.chmod(newer, 0o755)
        output = gdb_session.Session(gdb, newer).run(
            [PRELUDE, f"source {script}", "break main", "START", attempt("listing", "info goroutines")])
    text = sections(output).get("listing", "")
    wanted = "ERROR weft: .*/newer has layout version 7, and this script knows version 1: use the script that was"
    failures.check("a newer layout", re.match(wanted, text), text)


def main(gdb, script, strip, static, shared=None):
    failures = Failures()
    output = check_live(failures, gdb, script, static)
    if shared:
        output += check_live(failures, gdb, script, shared)
    check_newer(failures, gdb, script, static)
    output += check_core(failures, gdb, script, strip, static)
    # Behind an emulator 10 ms are soon gone.
    failures.check("one that has not run yet, somewhere", re.search(f"^{FRESH}$", output, re.M) or
                   os.environ.get("MESON_EXE_WRAPPER"), "")
    print(output if failures else "goroutines as they should be, live and in a core")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
