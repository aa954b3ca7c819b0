# SPDX-License-Identifier: MIT
"""Runs one program once, pinned, and reads its figures. harness.h tells how a program answers."""

import os
import re
import shutil
import subprocess
import tempfile
import time

SKIP_STATUS = 77
SETTLE = 1.0  # seconds that a program has before idle is measured


class Failed(Exception):
    """The program did not do what it should; the text says how, with its output."""


class Skipped(Exception):
    """The program cannot run in this form; the text says why."""


class Settings:
    """What --quick and the machine make of a run."""

    def __init__(self, quick=False):
        self.quick = quick
        self.batch_ms = 20 if quick else 100
        self.execs = 50 if quick else 300
        self.idle_seconds = 2 if quick else 10
        self.cpus = sorted(os.sched_getaffinity(0))

    def rounds(self, row, asked):
        return min(row.rounds, asked or (3 if self.quick else 7), 2 if self.quick and row.rounds < 99 else 99)

    def pin(self, procs):
        """Command that runs another on that many CPUs, the last ones: the first often serve interrupts."""
        if procs > len(self.cpus):
            raise Skipped(f"{procs} CPUs wanted, {len(self.cpus)} there")
        if not shutil.which("taskset"):
            return []
        return ["taskset", "-c", ",".join(map(str, self.cpus[-procs:]))]

    def environment(self, procs):
        env = dict(os.environ, WEFT_BENCH_PROCS=str(procs), WEFT_BENCH_MS=str(self.batch_ms))
        env.pop("WEFT_BENCH_OPS", None)
        env.pop("WEFT_BENCH_QUICK", None)
        if self.quick:
            env["WEFT_BENCH_QUICK"] = "1"
        return env


def _tail(text, lines=8):
    return "\n".join(text.strip().splitlines()[-lines:])


def parse(output):
    """The RESULT lines: (quantity, value, unit) each."""
    found = []
    for line in output.splitlines():
        if line.startswith("RESULT "):
            words = line.split()
            try:
                found.append((words[3] if len(words) > 3 else "", float(words[1]), words[2]))
            except (IndexError, ValueError):
                raise Failed(f"bad result line: {line}") from None
    if not found:
        raise Failed(f"printed no RESULT line\n{_tail(output)}".strip())
    return found


def execute(command, env, timeout):
    """Output of a command. Raises Failed, Skipped."""
    try:
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, errors="replace", env=env, start_new_session=True)
    except OSError as e:
        raise Failed(f"cannot be started: {e}") from None
    try:
        out, err = p.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        raise Failed(f"still running after {timeout} s, ended\n{_tail(out + err)}".strip()) from None
    except BaseException:
        p.kill()
        p.wait()
        raise
    if p.returncode == SKIP_STATUS:
        raise Skipped(next((line[5:] for line in out.splitlines() if line.startswith("SKIP ")), "skipped itself"))
    if p.returncode != 0:
        how = f"exit status {p.returncode}" if p.returncode > 0 else f"ended by signal {-p.returncode}"
        raise Failed(f"{how}\n{_tail(out + err)}".strip())
    return out


def program(path, row, procs, settings):
    """A program that measures itself."""
    return parse(execute([*settings.pin(procs), path, *row.args], settings.environment(procs), row.timeout))


def start(path, row, procs, settings, exec_timer):
    """A program that is measured by starting it many times, and its system calls."""
    env = settings.environment(procs)
    timed = [*settings.pin(procs), exec_timer, str(settings.execs), path, *row.args]
    found = parse(execute(timed, env, row.timeout))
    if shutil.which("strace"):
        with tempfile.NamedTemporaryFile("r", prefix="weft-bench-") as report:
            execute([*settings.pin(procs), "strace", "-f", "-c", "-o", report.name, path, *row.args], env, row.timeout)
            total = re.search(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+total$", report.read(), re.MULTILINE)
        if total:
            found.append(("syscalls", float(total.group(1)), "calls"))
    return found


def _threads(pid):
    """Of each thread: (wake-ups, that is times it gave up its CPU by itself; ns of CPU)."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/status", encoding="utf-8") as f:
                switches = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.MULTILINE).group(1))
            with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="utf-8") as f:
                cpu = int(f.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        found[tid] = (switches, cpu)
    return found


def idle(paths, row, procs, settings):
    """Programs that shall do nothing, all at the same time. Results by implementation: the figures, or
    the exception that one of them ended in."""
    env = settings.environment(procs)
    running, results = {}, {}
    try:
        for impl, path in paths.items():
            try:
                running[impl] = subprocess.Popen([*settings.pin(procs), path, *row.args], stdin=subprocess.DEVNULL,
                                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                                 errors="replace", env=env)
            except (OSError, Skipped) as e:
                results[impl] = e if isinstance(e, Skipped) else Failed(f"cannot be started: {e}")
        time.sleep(SETTLE)
        before = {impl: _threads(p.pid) for impl, p in running.items() if p.poll() is None}
        time.sleep(settings.idle_seconds)
        for impl, p in running.items():
            if p.poll() is not None or impl not in before:
                results[impl] = Failed(f"ended by itself, status {p.poll()}\n{_tail(p.stdout.read())}".strip())
                continue
            after = _threads(p.pid)
            switches, cpu = (sum(after[t][k] - before[impl].get(t, (0, 0))[k] for t in after) for k in (0, 1))
            per = f"/{settings.idle_seconds} s"
            results[impl] = [("wakeups", float(switches), "wake-ups" + per), ("cpu", cpu / 1e6, "ms" + per)]
    finally:
        for p in running.values():
            p.kill()
            p.communicate()
    return results
