#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gdb's backtrace at every instruction of every trampoline, against the kept list of chains.

usage: gdb_step.py GDB STEP OBJDUMP CPU FOLDER [--print]

FOLDER/step.txt has a line for each chain of callers that gdb may find inside a function, the functions that
count, innermost first: "weft_mcall: step_call task_a weft_goroutine_main weft_goexit"; nothing after the
colon: the function's own frame is the outermost. --print makes the list.
"""
import json
import pathlib
import re
import sys
import tempfile

import gdb_session
import step

REGISTERS = {
    "x86_64": [("rbx", 3), ("rbp", 6), ("r12", 12), ("r13", 13), ("r14", 14), ("r15", 15)],
    "aarch64": [(f"x{n}", n) for n in range(19, 30)] + [(f"v{n}", 64 + n) for n in range(8, 16)],
}
WRONG = "wrong_register"  # the fixture that must be found out


def walk(gdb, program, scenario, order, instructions, registers):
    """What gdb_step_inside.py prints about one scenario."""
    inside = pathlib.Path(__file__).with_name("gdb_step_inside.py")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as spec:
        json.dump({"instructions": instructions, "registers": registers}, spec)
        spec.flush()
        session = gdb_session.Session(gdb, program, [scenario, order, "quiet"])
        commands = ["break host", "START", "delete", f"source {inside}"]
        output = session.run(commands, {"WEFT_GDB_STEP": spec.name})
    if "\ndone\n" not in output:
        raise RuntimeError(f"{scenario}, g0 {order}: gdb did not get to the end:\n{output}")
    return [line for line in output.splitlines() if line.startswith(("at ", "wrong "))]


def main(gdb, program, objdump, cpu, folder, option=None):
    scenarios, functions = step.lists(program)
    # The asserts of a debug build are step.py's affair: the kept list is that of all builds.
    found = step.instructions(program, objdump, functions)
    reachable = sorted(where for where, text in found.items() if "<weft_badg>" not in text)
    walks = [("switches", "above"), ("switches", "below")]
    walks += [(name, "above") for name in scenarios
              if name != "switches" and name not in step.WRONG and not name.startswith("badg")]
    failures, chains, visited = [], set(), set()
    for scenario, order in walks:
        for line in walk(gdb, program, scenario, order, reachable, REGISTERS[cpu]):
            if line.startswith("wrong "):
                failures.append(f"{scenario}, g0 {order}: {line}")
                continue
            where, _, chain = line[3:].partition(": ")
            visited.add(where)
            chains.add(f"{where.split('+')[0]}: {chain}".rstrip())
    if option == "--print":
        print("\n".join(sorted(chains)))
        return 0
    lines = (pathlib.Path(folder) / "step.txt").read_text(encoding="utf-8").splitlines()
    kept = {line for line in lines if not line.startswith("#")}
    if not any(name.startswith("step_cross_") for name in functions):
        # With Clang, crossings are calls: there is no scenario inline_crossings, whose chains these are.
        kept = {line for line in kept if not re.search("step_cross_|crosser|^weft_switchto: .*step_call host$", line)}
    failures += [f"not in the kept list: {chain}" for chain in sorted(chains - kept)]
    failures += [f"in the kept list, but not found: {chain}" for chain in sorted(kept - chains)]
    failures += [f"{where} was not visited" for where in reachable if where not in visited]
    fixture = list(step.instructions(program, objdump, [WRONG]))
    if not any(line.startswith("wrong ") for line in walk(gdb, program, WRONG, "above", fixture, REGISTERS[cpu])):
        failures.append(f"{WRONG}: the wrong row was not noticed")
    for failure in failures[:40]:
        print(failure)
    print(f"{len(visited)} of {len(reachable)} instructions, {len(chains)} chains, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
