# SPDX-License-Identifier: MIT
"""lldb's plug-in for operating systems, while weft_lldb.py shows goroutines: each is a further thread. A file of its
own, because lldb loads it anew each time."""
import sys


def weft_lldb():
    return sys.modules["weft_lldb"]


class OperatingSystemPlugIn:
    """What lldb asks for further threads; it finds the class by this name."""

    def __init__(self, process):
        self.process = process
        self.machine = process.GetTarget().GetTriple().split("-")[0]

    def get_thread_info(self):
        return [{"tid": number, "name": f"goroutine {g.label}", "queue": "weft", "state": "stopped",
                 "stop_reason": "none"} for number, g in weft_lldb().resting.items()]

    def create_thread(self, tid, context):
        return None

    def get_register_info(self):
        registers = [{"name": name, "bitsize": 64, "offset": 8 * i, "encoding": "uint", "format": "hex", "set": 0,
                      "gcc": number, "dwarf": number, "generic": {"bp": "fp"}.get(what, what)}
                     for i, (what, (name, number)) in enumerate(weft_lldb().REGISTERS[self.machine].items())]
        return {"sets": ["GPR"], "registers": registers}

    def get_register_data(self, tid):
        g = weft_lldb().resting[tid]
        return g.sp.to_bytes(8, "little") + g.pc.to_bytes(8, "little") + g.bp.to_bytes(8, "little")
