# SPDX-License-Identifier: MIT
"""Goroutines for lldb: weft goroutines, goroutine, weft stacks. docs/debugging.md has examples.

command script import /…/weft_lldb.py. It reads memory and registers only, so it works on cores. A goroutine at rest
is shown by lldb's seam for operating systems: for the length of a command this file is also the plug-in that tells
lldb of further threads, one for each goroutine at rest, with the registers of its saved place.
"""
import contextlib
import os
import sys

import lldb

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True     # not into a folder that is installed
try:
    import weft_debug
finally:
    sys.dont_write_bytecode = writes
    del sys.path[0]
from weft_debug import Unreadable, WeftError

# Of each CPU: thread pointer; and the registers of a context at rest with their numbers in DWARF and for unwinders
# (psABI x86-64, figure 3.36; DWARF for AArch64, "register numbers"), by what they hold.
THREAD_POINTER = {"x86_64": ("fs_base",), "aarch64": ("tpidr", "tpidr_el0")}
REGISTERS = {"x86_64": {"sp": ("rsp", 7), "pc": ("rip", 16), "bp": ("rbp", 6)},
             "aarch64": {"sp": ("sp", 31), "pc": ("pc", 32), "bp": ("x29", 29)}}


class Thread:
    def __init__(self, thread, pointer):
        self.thread, self.pointer = thread, pointer
        self.name = str(thread.GetIndexID())
        self.tid = thread.GetThreadID()


class Debugger:
    """lldb, as weft_debug wants it."""

    def __init__(self, debugger):
        self.debugger = debugger
        self.target = debugger.GetSelectedTarget()
        self.process = self.target.GetProcess()
        if not self.process.IsValid() or self.process.GetNumThreads() == 0:
            raise WeftError("weft: no process and no core file: start the program, attach, or load a core with the "
                            "program that dumped it")
        self.machine = self.target.GetTriple().split("-")[0]

    def read(self, address, size):
        error = lldb.SBError()
        data = self.process.ReadMemory(address, size, error)
        if error.Success() and data is not None and len(data) == size:
            return bytes(data)
        # What a core leaves out stands in the file.
        place = self.target.ResolveLoadAddress(address)
        section = place.GetSection()
        if section.IsValid():
            data = section.GetSectionData(place.GetOffset(), size)
            if data.GetByteSize() == size:
                return bytes(data.ReadRawData(error, 0, size))
        raise Unreadable(f"weft: cannot read {size} bytes at {address:#x}")

    def notes(self):
        found = []
        for module in self.target.modules:
            section = module.FindSection(".note.weft")
            address = section.GetLoadAddress(self.target) if section.IsValid() else lldb.LLDB_INVALID_ADDRESS
            if address != lldb.LLDB_INVALID_ADDRESS:
                found.append((module.GetFileSpec().fullpath, address, section.GetByteSize()))
        return found

    def threads(self):
        return [Thread(thread, self.pointer_of(thread)) for thread in self.process]

    def pointer_of(self, thread):
        frame = thread.GetFrameAtIndex(0)
        for register in THREAD_POINTER.get(self.machine, ()):
            value = frame.FindRegister(register)
            if value.IsValid() and value.GetError().Success():
                return value.GetValueAsUnsigned()
        return None

    def regions(self):
        regions, found = self.process.GetMemoryRegions(), []
        region = lldb.SBMemoryRegionInfo()
        for i in range(regions.GetSize()):
            if regions.GetMemoryRegionAtIndex(i, region) and region.IsWritable():
                found.append((region.GetRegionBase(), region.GetRegionEnd()))
        return found


# --- goroutines at rest as threads ---------------------------------------------------------------------

PLUGIN = os.path.join(os.path.dirname(os.path.realpath(__file__)), "weft_lldb_threads.py")
PLUGIN_SETTING = "target.process.python-os-plugin-path"
FIRST = 1 << 40     # above all numbers that the kernel gives to threads
resting = {}        # number that the thread gets: goroutine; while a command looks at them


@contextlib.contextmanager
def resting_as_threads(debugger, goroutines):
    """For its length every goroutine of these that is at rest is a thread, of the number that resting has."""
    before = [text.strip('"') for text in lldb.debugger.GetInternalVariableValue(
        PLUGIN_SETTING, debugger.GetInstanceName())]
    resting.clear()
    resting.update((FIRST + i, g) for i, g in enumerate(g for g in goroutines if g.rests))
    try:
        execute(debugger, f"settings set {PLUGIN_SETTING} '{PLUGIN}'")
        yield {g: number for number, g in resting.items()}
    finally:
        resting.clear()
        if before and before[0]:
            execute(debugger, f"settings set {PLUGIN_SETTING} '{before[0]}'")
        else:
            execute(debugger, f"settings clear {PLUGIN_SETTING}")


@contextlib.contextmanager
def kept_selection(process):
    """The user's thread and frame are selected again afterwards, whatever happens."""
    thread = process.GetSelectedThread()
    tid, frame = thread.GetThreadID(), thread.GetSelectedFrame().GetFrameID()
    try:
        yield
    finally:
        process.SetSelectedThreadByID(tid)
        process.GetSelectedThread().SetSelectedFrame(frame)


def execute(debugger, command, thread=None):
    """What one of lldb's commands prints, as if that thread were selected. Raises WeftError with what it says if it
    fails."""
    result, interpreter = lldb.SBCommandReturnObject(), debugger.GetCommandInterpreter()
    if thread is not None:
        interpreter.HandleCommand(command, lldb.SBExecutionContext(thread.GetFrameAtIndex(0)), result)
    else:
        interpreter.HandleCommand(command, result)
    if not result.Succeeded():
        raise WeftError((result.GetError() or f"'{command}' failed").strip())
    return result.GetOutput() or ""


# --- what is shown ------------------------------------------------------------------------------------


def thread_of(process, numbers, g):
    """The SBThread with g's frames, or None."""
    number = numbers.get(g) or (g.thread.tid if g.thread is not None else None)
    thread = process.GetThreadByID(number) if number else None
    return thread if thread is not None and thread.IsValid() and thread.GetNumFrames() > 0 else None


def place_of(frame):
    function = frame.GetDisplayFunctionName() or frame.GetFunctionName()
    if not function:
        return f"{frame.GetPC():#x} in {frame.GetModule().GetFileSpec().GetFilename()}"
    entry = frame.GetLineEntry()
    where = f" at {entry.GetFileSpec().GetFilename()}:{entry.GetLine()}" if entry.IsValid() else ""
    return function + where


def program_place(thread):
    for i in range(min(thread.GetNumFrames(), 64)):
        frame = thread.GetFrameAtIndex(i)
        name = (frame.GetFunctionName() or "").removeprefix("::")
        # Where a function was inlined without a trace, the line is in its file, and the name is another's.
        file = frame.GetLineEntry().GetFileSpec().fullpath if frame.IsInlined() else None
        if weft_debug.of_the_program(name, file):
            return place_of(frame)
    return place_of(thread.GetFrameAtIndex(0))


def created_by(debugger, g):
    if not g.gopc:
        return ""
    target = debugger.target
    context = target.ResolveSymbolContextForAddress(lldb.SBAddress(g.gopc - 1, target), lldb.eSymbolContextEverything)
    entry = context.GetLineEntry()
    file, line = entry.GetFileSpec(), entry.GetLine()
    block = context.GetBlock().GetContainingInlinedBlock()
    while block.IsValid() and line:
        if weft_debug.of_the_program(block.GetInlinedName(), file.fullpath):
            return f"; created by {block.GetInlinedName()} at {file.GetFilename()}:{line}"
        file, line = block.GetInlinedCallSiteFile(), block.GetInlinedCallSiteLine()
        block = block.GetParent().GetContainingInlinedBlock()
    name = context.GetFunction().GetName() or context.GetSymbol().GetName() or f"{g.gopc - 1:#x}"
    known = line and weft_debug.of_the_program(name, file.fullpath)
    return f"; created by {name}" + (f" at {file.GetFilename()}:{line}" if known else "")


def top_of(debugger, numbers, g):
    thread = thread_of(debugger.process, numbers, g)
    if thread is not None:
        return (f"thread {g.thread.name}, " if g.thread is not None else "") + program_place(thread)
    return "has not run yet" if g.fresh else "no frames" if g.rests else "is being switched"


def list_goroutines(debugger, runtimes):
    lines = []
    every = [g for runtime in runtimes for g in runtime.goroutines]
    with kept_selection(debugger.process), resting_as_threads(debugger.debugger, every) as numbers:
        for runtime in runtimes:
            lines.append(weft_debug.runtime_header(runtime))
            for g in runtime.goroutines:
                lines.append(f"{'*' if g.thread is not None else ' '} {g.header()}: "
                             f"{top_of(debugger, numbers, g)}{created_by(debugger, g)}")
    return "\n".join(lines)


def run_at(debugger, numbers, g, command):
    """What one of lldb's commands prints with the goroutine's thread selected."""
    thread = thread_of(debugger.process, numbers, g)
    if thread is None and g.fresh:
        raise WeftError(f"weft: goroutine {g.label} has not run yet and has no frames{created_by(debugger, g)}")
    if thread is None:
        raise WeftError(f"weft: goroutine {g.label} is {g.state}, and no thread is known to be on it: it is between "
                        "two, or the debugger does not see its thread")
    debugger.process.SetSelectedThreadByID(thread.GetThreadID())
    debugger.process.GetSelectedThread().SetSelectedFrame(0)
    return execute(debugger.debugger, command, thread)


def run_goroutine_command(debugger, argument):
    which, _, command = argument.strip().partition(" ")
    if not which or not command.strip():
        raise WeftError("usage: goroutine N COMMAND, or goroutine all COMMAND; for instance goroutine 1 bt")
    runtimes = weft_debug.find_runtimes(debugger)
    chosen = [g for runtime in runtimes for g in runtime.goroutines]
    if which != "all":
        chosen = [weft_debug.find_goroutine(runtimes, which)]
    text = ""
    with kept_selection(debugger.process), resting_as_threads(debugger.debugger, chosen) as numbers:
        if which != "all":
            return run_at(debugger, numbers, chosen[0], command)
        for g in chosen:
            text += f"\ngoroutine {g.header()}:\n"
            try:
                text += run_at(debugger, numbers, g, command)
            except WeftError as e:      # the others' turn comes all the same
                text += f"{e}\n"
    return text


def run_weft_command(debugger, argument):
    if argument.strip() == "goroutines":
        return list_goroutines(debugger, weft_debug.find_runtimes(debugger))
    if argument.strip() == "stacks":
        threads = {thread.GetThreadID(): thread for thread in debugger.process}
        return weft_debug.stacks_text(weft_debug.find_runtimes(debugger),
                                      lambda thread: threads[thread.tid].GetFrameAtIndex(0).GetSP())
    raise WeftError("usage: weft goroutines, or weft stacks")


def answer(function, debugger, argument, result):
    try:
        result.PutCString(function(Debugger(debugger), argument).rstrip("\n"))
        result.SetStatus(lldb.eReturnStatusSuccessFinishResult)
    except WeftError as e:
        result.SetError(str(e))


def goroutine(debugger, argument, result, internal_dict):
    """goroutine N COMMAND, goroutine all COMMAND: executes a command of lldb's in a goroutine, for instance bt."""
    answer(run_goroutine_command, debugger, argument, result)


def weft(debugger, argument, result, internal_dict):
    """weft goroutines: lists all goroutines, a * for those that are on a thread. weft stacks: what stacks use."""
    answer(run_weft_command, debugger, argument, result)


def __lldb_init_module(debugger, internal_dict):
    for command in ("goroutine", "weft"):
        debugger.HandleCommand(f"command script add -f weft_lldb.{command} {command}")
