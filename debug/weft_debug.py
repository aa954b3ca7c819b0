# SPDX-License-Identifier: MIT
"""What gdb's and lldb's script share: the layout note, and the way from a thread's g to all goroutines.

Nothing here executes code in the process or writes to it, so cores are as good as live processes. A debugger is
an object with

  read(address, size)   bytes; raises Unreadable
  notes()               [(file, address, size)]: every section .note.weft that is loaded, with its address
  threads()             [object with name, tid (the kernel's number), pointer (thread pointer, None if unknown)]
  machine               "x86_64" or "aarch64"
  regions()             [(low, high)]: memory that may hold slabs, if a thread's pointer is not known
"""
import functools
import re
import struct

VERSION = 1     # of the layout note; runtime/sched/layout_note.hpp says when it grows
NOTE_TYPE = 1


class WeftError(Exception):
    """What the user is told."""


class Unreadable(WeftError):
    pass


class Layout:
    """The entries of one note: offsets by name, and addresses for what begins with "at."."""

    def __init__(self, file, entries):
        self.file, self.entries = file, entries

    def __getitem__(self, name):
        try:
            return self.entries[name]
        except KeyError:
            raise WeftError(f"weft: the layout note of {self.file} has no entry {name}: it is not weft's") from None


def parse_entries(data, address):
    """{name: number}; data stands at address, behind the version."""
    entries, at = {}, 0
    while at < len(data) and data[at] != 0:
        end = data.find(b"\0", at)
        if end < 0 or end + 5 > len(data):
            raise WeftError("weft: the layout note ends in the middle of an entry")
        name = data[at:end].decode("ascii", "replace")
        number, = struct.unpack_from("<i", data, end + 1)
        entries[name] = address + end + 1 + number if name.startswith("at.") else number
        at = end + 5
    return entries


def parse_notes(file, address, data):
    """The layouts in one section .note.weft. Raises WeftError for a version that this script does not know."""
    layouts, at = [], 0
    while at + 12 <= len(data):
        namesz, descsz, kind = struct.unpack_from("<III", data, at)
        name = at + 12
        desc = name + (namesz + 3 & ~3)
        at = desc + (descsz + 3 & ~3)
        if at > len(data):
            raise WeftError(f"weft: the layout note of {file} is cut off")
        if data[name:name + namesz] != b"weft\0" or kind != NOTE_TYPE:
            continue
        version, = struct.unpack_from("<I", data, desc)
        if version != VERSION:
            raise WeftError(f"weft: {file} has layout version {version}, and this script knows version {VERSION}: "
                            "use the script that was installed with that library")
        layouts.append(Layout(file, parse_entries(data[desc + 4:desc + descsz], address + desc + 4)))
    return layouts


class Reader:
    """Numbers and texts from the process."""

    def __init__(self, debugger):
        self.debugger = debugger

    def number(self, address, form):
        return struct.unpack("<" + form, self.debugger.read(address, struct.calcsize(form)))[0]

    def pointer(self, address):
        return self.number(address, "Q")

    def text(self, address, most=256):
        """What stands there up to a null byte; None if it cannot be read."""
        found = b""
        while len(found) < most:
            size = 16 - (address + len(found)) % 16     # never across a page
            try:
                found += self.debugger.read(address + len(found), size)
            except Unreadable:
                return None
            if b"\0" in found:
                break
        return found.split(b"\0")[0].decode("utf-8", "replace")


# --- where a thread keeps its g -----------------------------------------------------------------------


def tls_offset_x86_64(reader, code):
    """weft_getg begins with mov rax, [rip + n] (the offset stands there), which linkers turn into mov rax, n."""
    if reader.debugger.read(code, 4) == b"\xf3\x0f\x1e\xfa":    # endbr64
        code += 4
    opcode, number = reader.debugger.read(code, 3), reader.number(code + 3, "i")
    if opcode == b"\x48\x8b\x05":
        return reader.number(code + 7 + number, "q")
    if opcode == b"\x48\xc7\xc0":
        return number
    return None


def tls_offset_aarch64(reader, code):
    """adrp x0 with ldr x0, which linkers turn into movz x0 with movk x0."""
    first, second = reader.number(code, "I"), reader.number(code + 4, "I")
    if first & 0xffffff1f == 0xd503241f:                        # bti
        code += 4
        first, second = second, reader.number(code + 4, "I")
    if first & 0x9f00001f == 0x90000000 and second & 0xffc003ff == 0xf9400000:
        pages = (first >> 5 & 0x7ffff) << 2 | first >> 29 & 3
        pages -= (pages & 1 << 20) << 1
        return reader.number((code & ~0xfff) + (pages << 12) + (second >> 10 & 0xfff) * 8, "q")
    if first & 0xffe0001f == 0xd2a00000 and second & 0xffe0001f == 0xf2800000:
        return (first >> 5 & 0xffff) << 16 | second >> 5 & 0xffff
    return None


TLS_OFFSET = {"x86_64": tls_offset_x86_64, "aarch64": tls_offset_aarch64}


# --- goroutines ---------------------------------------------------------------------------------------


class Goroutine:
    """One descriptor, as it was when it was read."""

    def __init__(self, runtime, address, data):
        self.runtime, self.address = runtime, address
        layout = runtime.layout

        def field(name, form="Q"):
            return struct.unpack_from("<" + form, data, layout[name])[0]

        self.id = field("g.goid")
        self.status = field("g.status", "I")
        self.special = field("g.special", "I")
        self.sp, self.pc, self.bp = field("g.sched.sp"), field("g.sched.pc"), field("g.sched.bp")
        self.lo, self.hi = field("g.stack.lo"), field("g.stack.hi")
        self.m, self.lockedm = field("g.m"), field("g.lockedm")
        self.gopc = field("g.gopc")
        self.reason = field("g.reason", "B")
        self.named = field("g.mark", "B") == layout["mark.named"]
        self.name_at = field("g.name")
        self.thread = None          # the thread that it is on
        self.on_g0 = False          # that thread stands on g0

    @property
    def lives(self):
        layout = self.runtime.layout
        return self.status not in (layout["status.idle"], layout["status.dead"]) and \
            not self.special & layout["special.system"]

    @property
    def fresh(self):
        """Not run yet: no stack, no frames."""
        return bool(self.special & self.runtime.layout["special.fresh"]) or self.hi == 0

    @property
    def rests(self):
        """Whether sp, pc and bp say where it goes on."""
        layout = self.runtime.layout
        return self.thread is None and not self.fresh and \
            self.status in (layout["status.waiting"], layout["status.runnable"])

    @property
    def state(self):
        """Go's word, as in the dump of a program: the reason, where it waits."""
        layout = self.runtime.layout
        waits = self.status == layout["status.waiting"]
        table, at = ("reason_texts", self.reason) if waits else ("status_texts", self.status)
        if at >= layout[table + ".count"]:
            return f"status {self.status}, not known"
        word = self.runtime.word(table, at)
        return word if word is not None else f"status {self.status}, whose word cannot be read"

    @property
    def name(self):
        return self.runtime.reader.text(self.name_at) if self.named else None

    @property
    def label(self):
        """1, or 2.1 for goroutine 1 of the second of several runtimes."""
        return f"{self.runtime.number}.{self.id}" if self.runtime.among_others else str(self.id)

    def header(self):
        locked = ""
        if self.lockedm:
            thread = self.runtime.thread_of_m(self.lockedm)
            locked = f", locked to thread {thread.name}" if thread else ", locked to thread"
        name = self.name
        return f"{self.label} [{self.state}{locked}]" + (f' "{name}"' if name is not None else "")

    def used(self, thread_sp=None):
        """Bytes of its stack in use, None if nobody can say. thread_sp: the stack pointer of its thread."""
        if self.fresh:
            return 0
        for sp in (thread_sp, self.sp):
            if sp is not None and self.lo <= sp <= self.hi:
                return self.hi - sp
        return None


class Runtime:
    def __init__(self, reader, layout, address):
        self.reader, self.layout, self.address = reader, layout, address
        self.number, self.among_others = 1, False
        self.run = reader.pointer(address + layout["rt.run"])
        self.procs = reader.number(address + layout["rt.procs"], "i")
        self.current = {}           # g: the thread that has it
        self.on = {}                # m: (thread, g that the thread has); of each thread that is known
        self.goroutines = []

    @functools.lru_cache(maxsize=None)
    def word(self, table, at):
        return self.reader.text(self.layout["at." + table] + at * self.layout[table + ".length"])

    def thread_of_m(self, m):
        return self.on[m][0] if m in self.on else None

    def items(self, vector):
        """Begin and end of a std::vector."""
        return self.reader.pointer(vector), self.reader.pointer(vector + 8)

    def ms(self):
        m, seen = self.reader.pointer(self.address + self.layout["rt.allm"]), set()
        while m and m not in seen:      # a loop would be a broken list
            seen.add(m)
            yield m
            m = self.reader.pointer(m + self.layout["m.alllink"])

    def match_threads(self, threads):
        """By the kernel's number, for those whose g could not be read."""
        known = {thread.tid: thread for thread in threads if thread.tid}
        for m in self.ms():
            tid = self.reader.number(m + self.layout["m.thread_id"], "i")
            if m not in self.on and tid in known and not self.reader.number(m + self.layout["m.exited"], "B"):
                self.on[m] = known[tid], None

    def read_goroutines(self):
        self.goroutines = []
        layout = self.layout
        self.current = {current: thread for thread, current in self.on.values()}
        at, end = self.items(self.address + layout["rt.slabs"])
        for at in range(at, end, 8):
            slab = self.reader.pointer(at)
            used = self.reader.pointer(slab + layout["slab.used"])
            if used > layout["slab.capacity"]:
                raise WeftError(f"weft: the slab of goroutines at {slab:#x} has {used} of "
                                f"{layout['slab.capacity']}: its memory is overwritten")
            size = layout["g.size"]
            data = self.reader.debugger.read(slab + layout["slab.gs"], used * size)
            for i in range(used):
                g = Goroutine(self, slab + layout["slab.gs"] + i * size, data[i * size:(i + 1) * size])
                if g.lives:
                    self.place(g)
                    self.goroutines.append(g)
        self.goroutines.sort(key=lambda g: g.id)

    def place(self, g):
        """Finds the thread that g is on. The thread's word counts: a status may be ahead of the switch."""
        if g.address in self.current:
            g.thread = self.current[g.address]
            return
        stands_still = g.status in (self.layout["status.waiting"], self.layout["status.runnable"])
        if stands_still or g.m not in self.on:
            return
        if self.reader.pointer(g.m + self.layout["m.curg"]) == g.address:
            g.thread, current = self.on[g.m]
            g.on_g0 = current is not None

    def stacks(self):
        """The pool: {name: number}, and its slabs as (base, end, slots); None when there is none."""
        layout, reader = self.layout, self.reader
        pool = reader.pointer(self.address + layout["rt.stacks"])
        if not pool:
            return None
        figures = {name: reader.pointer(pool + layout["stacks." + name])
                   for name in ("slot_size", "reserved", "mapped", "opened")}
        mprotect = reader.number(pool + layout["stacks.guard"], "i") == layout["guard.mprotect"]
        figures["guard"] = "mprotect" if mprotect else "MADV_GUARD_INSTALL"
        slabs = []
        at, end = self.items(pool + layout["stacks.slabs"])
        for at in range(at, end, layout["stack_slab.size"]):
            slabs.append((reader.pointer(at + layout["stack_slab.base"]),
                          reader.pointer(at + layout["stack_slab.slots"])))
        return figures, slabs


def layouts_of(debugger):
    layouts = []
    for file, address, size in debugger.notes():
        layouts += parse_notes(file, address, debugger.read(address, size))
    if not layouts:
        raise WeftError("weft: no weft here: neither the program nor a library whose file the debugger has found has a "
                        "section .note.weft")
    return layouts


def runtime_at(reader, layout, g):
    """(m, runtime's address) of a thread's g. Raises WeftError where there is none."""
    m = reader.pointer(g + layout["g.m"])
    if reader.pointer(reader.pointer(m + layout["m.g0"]) + layout["g.m"]) != m:
        raise WeftError(f"weft: the thread's g at {g:#x} has no m")
    return m, reader.pointer(m + layout["m.rt"])


def runtimes_by_threads(reader, layout, threads):
    """{address: Runtime} by the g of each thread."""
    tls_offset = TLS_OFFSET.get(reader.debugger.machine)
    if tls_offset is None:
        raise WeftError(f"weft: there is no weft for this CPU, {reader.debugger.machine}")
    offset = tls_offset(reader, layout["at.getg"])
    if offset is None:
        raise WeftError(f"weft: the code of weft_getg in {layout.file} is none that this script knows, so no "
                        "thread's g can be found")
    found = {}
    for thread in threads:
        if not thread.pointer:
            continue
        try:
            g = reader.pointer(thread.pointer + offset & 0xffffffffffffffff)
            if not g:
                continue
            m, address = runtime_at(reader, layout, g)
            if address not in found:
                found[address] = Runtime(reader, layout, address)
        except WeftError:
            continue        # a thread that is being made or ends; or that of a broken process
        found[address].on[m] = thread, g
    return found


def runtimes_by_slabs(reader, layout):
    """The same by looking for slabs of goroutines, where the debugger does not know the threads' pointers: each lies
    at a multiple of its size and names its runtime, which lists it."""
    found = {}
    size = layout["slab.size"]
    for low, high in reader.debugger.regions():
        for slab in range(low + size - 1 & -size, high - size + 1, size):
            try:
                used = reader.pointer(slab + layout["slab.used"])
                address = reader.pointer(slab + layout["slab.rt"])
                if not 0 < used <= layout["slab.capacity"] or not address or address % 8:
                    continue
                begin, end = (reader.pointer(address + layout["rt.slabs"] + at) for at in (0, 8))
                if 0 < end - begin < 1 << 20 and \
                        slab in (reader.pointer(at) for at in range(begin, end, 8)):
                    found.setdefault(address, Runtime(reader, layout, address))
            except WeftError:
                continue
    return found


def find_runtimes(debugger):
    """All runtimes of the process with their goroutines, in order of their start. Raises WeftError if there is none."""
    reader, runtimes = Reader(debugger), []
    layouts, threads = layouts_of(debugger), debugger.threads()
    for layout in layouts:
        found = {}
        if any(thread.pointer for thread in threads):
            found = runtimes_by_threads(reader, layout, threads)
        else:
            found = runtimes_by_slabs(reader, layout)
        of_layout = sorted(found.values(), key=lambda runtime: runtime.run)
        runtimes += of_layout
        for runtime in of_layout:
            runtime.match_threads(threads)
    if not runtimes:
        raise WeftError(f"weft: no runtime is running: no thread of the process belongs to one "
                        f"(weft is in {', '.join(layout.file for layout in layouts)})")
    for i, runtime in enumerate(runtimes):
        runtime.number, runtime.among_others = i + 1, len(runtimes) > 1
        runtime.read_goroutines()
    return runtimes


def find_goroutine(runtimes, text):
    """The goroutine that text names: 7, or 2.7. Raises WeftError."""
    words = re.fullmatch(r"(?:(\d+)\.)?(\d+)", text)
    if not words:
        raise WeftError(f"weft: '{text}' is no goroutine: give a number, RUNTIME.NUMBER where there are several "
                        "runtimes, or all")
    among = runtimes
    if words[1]:
        among = [runtime for runtime in runtimes if runtime.number == int(words[1])]
        if not among:
            raise WeftError(f"weft: there is no runtime {words[1]}: there {'are' if len(runtimes) > 1 else 'is'} "
                            f"{len(runtimes)}")
    found = [g for runtime in among for g in runtime.goroutines if g.id == int(words[2])]
    if not found:
        raise WeftError(f"weft: there is no goroutine {text}; 'info goroutines' or 'weft goroutines' lists those that "
                        "live")
    if len(found) > 1:
        raise WeftError(f"weft: {len(found)} runtimes have a goroutine {text}: give "
                        + " or ".join(g.label for g in found))
    return found[0]


# --- what is shown ------------------------------------------------------------------------------------

# The runtime's functions and the library's, between the program's and the place where it is parked.
OURS = re.compile(r"weft::|weft_(getg|setg|rt0|mstart|mstart1|mstart_stub|rt0_go|gogo|mcall|systemstack|"
                  r"systemstack_switch|goexit|goexit1|goroutine_main|procyield|switchto|switchto_call|"
                  r"context_switch|context_switch_inline|context_entry|unwind_from|bad\w+)\b|"
                  r"std::|__gnu_cxx::")


def of_the_program(name, file=None):
    """Whether a function is neither the runtime's nor what stands between it and the program. By file, too, for
    inlined functions, whose names debug information gives without their namespaces."""
    if not name or file and re.search("/include/weft/|/include/c\\+\\+/", file):
        return False
    return not OURS.match(re.sub(r"^(void|decltype ?\(\w+\)) ", "", name))


def runtime_header(runtime):
    def count(n, what):
        return f"{n} {what}" + ("" if n == 1 else "s")
    return (f"runtime {runtime.number}: {count(len(runtime.goroutines), 'goroutine')}, "
            f"{count(runtime.procs, 'P')}, {count(len(runtime.on), 'thread')}")


def stacks_text(runtimes, sp_of_thread):
    """What `weft stacks` prints. sp_of_thread(thread): its stack pointer."""
    lines = []
    for runtime in runtimes:
        lines.append(runtime_header(runtime))
        pool = runtime.stacks()
        if pool is None:
            lines.append("  no stacks any more: the runtime ends")
            continue
        figures, slabs = pool
        lines.append(f"  slots of {figures['slot_size']} bytes with a guard page ({figures['guard']}): "
                     f"{figures['mapped']} mapped, {figures['reserved']} promised")
        for i, (base, slots) in enumerate(slabs):
            used = f", {figures['opened']} opened" if i == len(slabs) - 1 else ""
            lines.append(f"  slab at {base:#x}: {slots} slots{used}")
        for g in runtime.goroutines:
            used = g.used(sp_of_thread(g.thread) if g.thread is not None else None)
            if g.fresh:
                text = "has not run yet: no stack"
            elif used is None and g.rests:
                text = f"its sp {g.sp:#x} is outside its stack {g.lo:#x}-{g.hi:#x}"
            elif used is None:
                text = f"use not known, stack {g.lo:#x}-{g.hi:#x}"
            else:
                text = f"{used} of {g.hi - g.lo} bytes, stack {g.lo:#x}-{g.hi:#x}"
            lines.append(f"  {g.header()}: {text}")
    return "\n".join(lines)
