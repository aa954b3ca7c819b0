# SPDX-License-Identifier: MIT
"""Goroutines for gdb: info goroutines, goroutine, weft stacks. docs/debugging.md has examples.

gdb loads it by itself for an installed libweft.so; for others: source /…/weft-gdb.py. It reads memory and registers
only, so it works on cores. A goroutine at rest is shown by an unwinder: while one is looked at, it says that the
newest frame of some thread was called by that goroutine, and a frame filter hides that newest frame, which is why a
goroutine's frames begin with 1.
"""
import contextlib
import functools
import os
import re
import sys

import gdb
import gdb.unwinder

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True     # not into a folder that is installed
try:
    import weft_debug
finally:
    sys.dont_write_bytecode = writes
    del sys.path[0]
from weft_debug import Unreadable, WeftError

REGISTERS = {"x86_64": ("rsp", "rip", "rbp"), "aarch64": ("sp", "pc", "x29")}
THREAD_POINTER = {"x86_64": ("fs_base",), "aarch64": ("tpidr", "tpidr_el0", "TPIDR_EL0")}


def machine():
    name = gdb.newest_frame().architecture().name()
    return {"i386:x86-64": "x86_64"}.get(name, "aarch64" if name.startswith("aarch64") else name)


class Thread:
    def __init__(self, inferior_thread, pointer):
        self.inferior_thread, self.pointer = inferior_thread, pointer
        self.name = str(inferior_thread.num)
        self.tid = inferior_thread.ptid[1]


class Debugger:
    """gdb, as weft_debug wants it. Moves from thread to thread: to be used inside kept_selection."""

    def __init__(self):
        self.inferior = gdb.selected_inferior()
        if not self.inferior.threads():
            raise WeftError("weft: no process and no core file: start the program, attach, or load a core with the "
                            "program that dumped it")
        self.machine = machine()
        self.host = self.find_host()

    def find_host(self):
        """The thread whose newest frame stands in for what a goroutine at rest has called: of one frame, not of
        several that were inlined into each other, where there is such a thread."""
        current = gdb.selected_thread()
        stopped = [thread for thread in self.inferior.threads() if not thread.is_running()]
        for thread in sorted(stopped, key=lambda thread: thread is not current):
            thread.switch()
            if gdb.newest_frame().type() != gdb.INLINE_FRAME:
                return thread
        return current

    def read(self, address, size):
        try:
            return bytes(self.inferior.read_memory(address, size))
        except (gdb.MemoryError, OverflowError, ValueError):
            raise Unreadable(f"weft: cannot read {size} bytes at {address:#x}") from None

    def notes(self):
        program = gdb.current_progspace().filename or "the program"
        text = gdb.execute("info files", to_string=True)
        found = re.findall(r"^\s*(0x[0-9a-f]+) - (0x[0-9a-f]+) is \.note\.weft(?: in (.*))?$", text, re.M)
        # The program may be listed twice, as what runs and as the file that was named.
        return list(dict.fromkeys(
            (file or program, int(low, 16), int(high, 16) - int(low, 16)) for low, high, file in found))

    def threads(self):
        return [self.look_at(thread) for thread in reversed(self.inferior.threads()) if not thread.is_running()]

    def look_at(self, thread):
        thread.switch()
        for register in THREAD_POINTER.get(self.machine, ()):
            value = gdb.parse_and_eval("$" + register)
            if value.type.code != gdb.TYPE_CODE_VOID:
                try:
                    return Thread(thread, int(value) & 0xffffffffffffffff)
                except gdb.error:       # <unavailable>
                    continue
        return Thread(thread, None)

    def regions(self):
        text = gdb.execute("maint info sections", to_string=True)
        return [(int(low, 16), int(high, 16)) for low, high in
                re.findall(r"(0x[0-9a-f]+)->(0x[0-9a-f]+) at 0x[0-9a-f]+: load\w* ALLOC", text)]


@contextlib.contextmanager
def kept_selection():
    """The user's thread and frame are selected again afterwards, whatever happens."""
    thread = gdb.selected_thread()
    level = None
    if thread is not None:
        try:
            level = gdb.selected_frame().level()
        except gdb.error:
            pass
    try:
        yield
    finally:
        if thread is not None and thread.is_valid():
            if gdb.selected_thread() is None or gdb.selected_thread().ptid != thread.ptid:
                thread.switch()
            if level is not None:
                select_level(level)


def select_level(level):
    try:
        frame = gdb.newest_frame()
        while frame.level() < level and frame.older() is not None:
            frame = frame.older()
        frame.select()
    except gdb.error:       # a thread that runs, or whose stack cannot be read
        pass


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Resting(gdb.unwinder.Unwinder):
    """While it looks at a goroutine, that goroutine's frames are the callers of the thread's newest one."""

    def __init__(self):
        super().__init__("weft goroutines")
        self.enabled = True
        self.goroutine = None
        self.level = 0              # of the frame that it calls the goroutine's callee
        self.own = None             # sp and pc of the thread itself

    def __call__(self, pending_frame):
        g = self.goroutine
        if g is None:
            return None
        sp, pc, bp = REGISTERS[g.runtime.reader.debugger.machine]
        if tuple(int(pending_frame.read_register(register)) for register in (sp, pc)) != self.own:
            return None
        self.level = pending_frame.level()
        # gdb takes callers below what they call for a corrupt stack, and this frame stands on another one.
        info = pending_frame.create_unwind_info(FrameId(gdb.Value(g.sp - 16), gdb.Value(g.pc)))
        for register, value in ((sp, g.sp), (pc, g.pc), (bp, g.bp)):
            info.add_saved_register(register, gdb.Value(value).cast(pending_frame.read_register(register).type))
        return info

    @contextlib.contextmanager
    def at(self, g):
        debugger = g.runtime.reader.debugger
        debugger.host.switch()
        newest = gdb.newest_frame()
        self.own = tuple(int(newest.read_register(register)) for register in REGISTERS[debugger.machine][:2])
        self.look_at(g)
        try:
            frame = gdb.newest_frame()
            while frame is not None and frame.level() <= self.level:
                frame = frame.older()
            yield frame
        finally:
            self.look_at(None)

    def look_at(self, g):
        self.goroutine = g
        hide_newest.enabled = g is not None
        gdb.invalidate_cached_frames()


class HideNewest:
    """A frame filter: while a goroutine at rest is looked at, the thread's own frame is not shown."""

    def __init__(self):
        self.name, self.priority, self.enabled = "weft goroutines", 1000, False
        gdb.frame_filters[self.name] = self

    @staticmethod
    def filter(frames):
        for frame in frames:
            if frame.inferior_frame().level() > resting.level:
                yield frame


def place_of(frame):
    """f () at file:line, as gdb writes it."""
    function = frame.name()
    if function is None:
        library = gdb.solib_name(frame.pc())
        return f"{frame.pc():#x}" + (f" in {library}" if library else "")
    sal = frame.find_sal()
    where = f" at {os.path.basename(sal.symtab.filename)}:{sal.line}" if sal.symtab else ""
    return f"{function} (){where}"


def program_place(frame):
    """The first place of the program's from that frame outwards."""
    frames = []
    while frame is not None and len(frames) < 64:
        frames.append(frame)
        symtab = frame.find_sal().symtab
        if weft_debug.of_the_program(frame.name(), symtab and symtab.fullname()):
            return place_of(frame)
        frame = frame.older()
    return place_of(frames[0]) if frames else "no frames"


@functools.lru_cache(maxsize=1024)
def place_of_spawn(pc, objfiles):
    """The program's function with go or spawn, which are inlined, and the line. objfiles: what is loaded now."""
    try:
        block = gdb.block_for_pc(pc - 1)
    except RuntimeError:
        block = None
    sal = gdb.find_pc_line(pc - 1)
    symtab, line = sal.symtab, sal.line
    while block is not None and symtab is not None:
        function = block.function
        if function is not None:
            if weft_debug.of_the_program(function.print_name, symtab.fullname()):
                return f"{function.print_name} at {os.path.basename(symtab.filename)}:{line}"
            symtab, line = function.symtab, function.line   # of an inlined function: where it was called
        block = block.superblock
    symbol = re.match(r"(.*?)(?: \+ \d+)? in section", gdb.execute(f"info symbol {pc - 1}", to_string=True))
    return symbol[1] if symbol else f"{pc - 1:#x}"


def created_by(g):
    if not g.gopc:
        return ""
    return f"; created by {place_of_spawn(g.gopc, tuple(file.filename for file in gdb.objfiles()))}"


def top_of(g):
    try:
        if g.rests:
            with resting.at(g) as frame:
                return program_place(frame)
        if g.thread is not None:
            g.thread.inferior_thread.switch()
            return f"thread {g.thread.name}, " + program_place(gdb.newest_frame())
    except gdb.error as e:
        return f"no frames: {e}"
    return "has not run yet" if g.fresh else "is being switched"


def newest_sp(thread):
    thread.inferior_thread.switch()
    return int(gdb.newest_frame().read_register(REGISTERS[machine()][0])) & 0xffffffffffffffff


def run_at(g, command):
    """Executes one of gdb's commands as if the goroutine's newest frame were selected."""
    if g.rests:
        with resting.at(g) as frame:
            if frame is None:
                raise WeftError(f"weft: gdb cannot unwind goroutine {g.label} from its saved place, pc {g.pc:#x}")
            frame.select()
            gdb.execute(command)
    elif g.thread is not None:
        g.thread.inferior_thread.switch()
        gdb.newest_frame().select()
        gdb.execute(command)
    elif g.fresh:
        raise WeftError(f"weft: goroutine {g.label} has not run yet and has no frames{created_by(g)}")
    else:
        raise WeftError(f"weft: goroutine {g.label} is {g.state}, and no thread is known to be on it: it is between "
                        "two, or the debugger does not see its thread")


def shown(function):
    """An error of ours without Python's stack; the user's selection afterwards as it was."""
    def wrapped(self, argument, from_tty):
        try:
            with kept_selection():
                function(self, argument, from_tty)
        except (WeftError, gdb.error) as e:
            raise gdb.GdbError(str(e)) from None
    return wrapped


class InfoGoroutines(gdb.Command):
    """List all goroutines: number, state, name, where it is in the program, where it was created.
A * marks those that are on a thread. Where there are several runtimes, a goroutine's number is RUNTIME.NUMBER."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    @shown
    def invoke(self, argument, from_tty):
        for runtime in weft_debug.find_runtimes(Debugger()):
            print(weft_debug.runtime_header(runtime))
            for g in runtime.goroutines:
                print(f"{'*' if g.thread is not None else ' '} {g.header()}: {top_of(g)}{created_by(g)}")


class GoroutineCommand(gdb.Command):
    """Execute a command of gdb's in a goroutine: goroutine N COMMAND, or goroutine all COMMAND.
N is a number that info goroutines lists. "goroutine 7 bt" prints its stack; "goroutine 7 frame 2" and the like go to
its frames, of which the newest is number 1 where it does not run. Afterwards thread and frame are what they were."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    @shown
    def invoke(self, argument, from_tty):
        which, _, command = argument.strip().partition(" ")
        if not which or not command.strip():
            raise WeftError("usage: goroutine N COMMAND, or goroutine all COMMAND; for instance goroutine 1 bt")
        runtimes = weft_debug.find_runtimes(Debugger())
        if which != "all":
            run_at(weft_debug.find_goroutine(runtimes, which), command)
            return
        for runtime in runtimes:
            for g in runtime.goroutines:
                print(f"\ngoroutine {g.header()}:")
                try:
                    run_at(g, command)
                except (WeftError, gdb.error) as e:     # the others' turn comes all the same
                    print(e)


class WeftStacks(gdb.Command):
    """Print the mappings that stacks are cut from, and how much of its stack each goroutine uses."""

    def __init__(self):
        super().__init__("weft stacks", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    @shown
    def invoke(self, argument, from_tty):
        print(weft_debug.stacks_text(weft_debug.find_runtimes(Debugger()), newest_sp))


class WeftPrefix(gdb.Command):
    """Commands for weft's runtimes."""

    def __init__(self):
        super().__init__("weft", gdb.COMMAND_STACK, gdb.COMPLETE_NONE, True)


resting = Resting()
gdb.unwinder.register_unwinder(None, resting, replace=True)
hide_newest = HideNewest()
# A command may let the process go on: its frames are then its own again.
gdb.events.cont.connect(lambda event: setattr(resting, "goroutine", None))
WeftPrefix()
InfoGoroutines()
GoroutineCommand()
WeftStacks()
