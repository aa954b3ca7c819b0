# SPDX-License-Identifier: MIT
"""Runs inside gdb, for gdb_step.py: stops at every given instruction and looks at the backtrace there.

Prints "at FUNCTION+0xOFFSET: FUNCTIONS OF THE CALLERS" once for each different line, and what is wrong with
the registers or the end of a backtrace as "wrong FUNCTION+0xOFFSET: ...".
"""
import json
import os
import re

import gdb

SPEC = json.load(open(os.environ["WEFT_GDB_STEP"], encoding="utf-8"))
# The functions whose presence and order count: the rest are the compiler's inlined ones and libc's.
COUNTS = re.compile(r"(weft_\w+|\w+_fcontext|wrong_\w+|step_(call|cross|switch)\w*|host|boot|schedule|task_a|task_b|on_g0|"
                    r"on_system|end_of_goroutine|in_a_context|leave_at_once|crosser|switcher)$")
printed = set()


def say(line):
    if line not in printed:
        printed.add(line)
        print(line)


def value_of(frame, register):
    value = frame.read_register(register)
    if register.startswith("v"):  # AArch64: gdb before 14 has d registers of the innermost frame only
        value = value["d"]["u"][0]
    return int(value) & 0xFFFFFFFFFFFFFFFF


def check_constants(frame, where):
    """step_call loads a constant into each callee-saved register: 0x5eed, 16 bits, its record, its number."""
    record = (value_of(frame, SPEC["registers"][0][0]) >> 16) & 0xFFFF
    for register, number in SPEC["registers"]:
        if value_of(frame, register) != 0x5EED << 48 | record << 16 | number:
            say(f"wrong {where}: {register} of the caller is {value_of(frame, register):#x}")


def look(places):
    innermost = gdb.newest_frame()
    where = places.get(innermost.pc())
    if where is None:
        return
    while innermost.type() == gdb.INLINE_FRAME:
        innermost = innermost.older()
    names, seen_step_call = [], False
    frame = innermost.older()
    last = innermost
    while frame is not None and (not names or names[-1] != "host"):
        name = frame.name() or "?"
        if frame.type() != gdb.INLINE_FRAME and COUNTS.match(name):
            names.append(name)
        if name == "step_call" and not seen_step_call:
            seen_step_call = True
            check_constants(frame, where)
        last, frame = frame, frame.older()
    if frame is None and last.unwind_stop_reason() not in (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_OUTERMOST):
        say(f"wrong {where}: {gdb.frame_stop_reason_string(last.unwind_stop_reason())}")
    say(f"at {where}: {' '.join(names)}")


def main():
    places = {}
    for where in SPEC["instructions"]:
        function, offset = where.split("+")
        address = int(gdb.parse_and_eval(f"(unsigned long)(char*)&{function}")) + int(offset, 16)
        places[address] = where
        gdb.Breakpoint(f"*{address:#x}", internal=True).silent = True
    gdb.execute("set breakpoint always-inserted on")
    look(places)
    while True:
        try:
            gdb.execute("continue", to_string=True)
            if gdb.selected_inferior().pid == 0:
                break
            look(places)
        except gdb.error as e:
            if gdb.selected_inferior().pid == 0 or "not being run" in str(e):
                break
            say(f"wrong end: {e}")
            break
    print("done")


main()
