# SPDX-License-Identifier: MIT
"""Runs gdb in batch mode on a live program: directly, or through qemu's gdb stub in a cross build."""
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
# What gdb says where a container or a kernel setting forbids tracing.
FORBIDDEN = ("Operation not permitted", "Could not trace the inferior", "Cannot PTRACE")


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(SKIPPED)


class Session:
    def __init__(self, gdb, program, arguments=()):
        if not gdb or not shutil.which(gdb):
            skip("gdb is not installed (Debian: gdb, for a cross build gdb-multiarch)")
        self.gdb, self.program, self.arguments = gdb, program, list(arguments)
        self.wrapper = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))
        if self.wrapper and not os.path.basename(self.wrapper[0]).startswith("qemu-"):
            skip(f"no gdb stub is known for {self.wrapper[0]}")

    def run(self, commands, environment=()):
        """gdb's output. The program has not run yet when the commands begin; START makes it run."""
        env = dict(os.environ, **dict(environment))
        # A leak check needs ptrace itself, and the program may end before it has cleaned up.
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        with tempfile.TemporaryDirectory() as folder:
            before = ["set debuginfod enabled off", "set confirm off", "set pagination off", "set width 0",
                      "set print frame-arguments none"]
            if self.wrapper:
                before += self.attach(folder)
                start = "continue"
                emulator = self.emulate(folder, env)
            else:
                before += ["set disable-randomization off", "set startup-with-shell off"]
                start = "run"
                emulator = None
            lines = [start if line == "START" else line for line in [*before, *commands]]
            script = os.path.join(folder, "commands")
            with open(script, "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n")
            try:
                done = subprocess.run([self.gdb, "-nx", "-batch", "-x", script, "--args", self.program, *self.arguments],
                                      capture_output=True, text=True, env=env, timeout=540)
            finally:
                if emulator is not None:
                    emulator.kill()
                    emulator.wait()
        for text in FORBIDDEN:
            if text in done.stderr:
                skip(f"gdb may not trace here: {text}")
        return done.stdout + done.stderr

    def socket(self, folder):
        return os.path.join(folder, "stub")

    def emulate(self, folder, env):
        # gdb 13 does not unwind d8 to d15 where the CPU has SVE, which qemu's default has.
        cpu = ["-cpu", "cortex-a72"] if "aarch64" in self.wrapper[0] and "-cpu" not in self.wrapper else []
        command = [self.wrapper[0], "-g", self.socket(folder), *cpu, *self.wrapper[1:], self.program, *self.arguments]
        return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def attach(self, folder):
        root = [self.wrapper[i + 1] for i, word in enumerate(self.wrapper[:-1]) if word == "-L"]
        wait = f"python\nimport os, time\nwhile not os.path.exists('{self.socket(folder)}'): time.sleep(0.02)\nend"
        return ["set sysroot " + (root[0] if root else "/"), wait, "target remote " + self.socket(folder)]
