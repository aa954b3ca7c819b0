# SPDX-License-Identifier: MIT
"""Builds the measured programs in release form, in a build folder of their own."""

import json
import os
import re
import shutil
import subprocess

from .rows import IMPLEMENTATIONS

PREFIX = "bench--"


class BuildError(Exception):
    """Nothing could be built at all."""


def program_name(row, impl):
    return f"{PREFIX}{row.folder}--{impl}"


def written(row, sources):
    """Implementations that are written for a row."""
    folder = os.path.join(sources, "rows", row.folder)
    return {os.path.splitext(f)[0] for f in os.listdir(folder)} if os.path.isdir(folder) else set()


class Programs:
    """Where the program of a row and an implementation is, or why there is none."""

    def __init__(self, folder, sources=None, failed=()):
        """Without sources, programs that somebody else has built: what is not there is not missed."""
        self._folder = folder
        self._sources = sources
        self._failed = set(failed)

    def implementations(self, row, chosen):
        """Of the chosen implementations those that the row has."""
        if self._sources is None:
            return [i for i in chosen if self.path(row, i)]
        return [i for i in chosen if i in written(row, self._sources)]

    def path(self, row, impl):
        path = os.path.join(self._folder, program_name(row, impl))
        return path if os.access(path, os.X_OK) and program_name(row, impl) not in self._failed else None

    def tool(self, name):
        return os.path.join(self._folder, PREFIX + name)

    def missing(self, row, impl):
        """Why path() is None: ("failed" or "skipped", a sentence)."""
        package = IMPLEMENTATIONS[impl].package
        if program_name(row, impl) in self._failed:
            return "failed", "does not build"
        if package:
            return "skipped", f"package {package} missing"
        return "failed", "was not built"


def _run(command, log, cwd=None):
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, cwd=cwd, check=False).returncode


def _setup(root, build, log):
    options = ["--buildtype=release", "-Db_ndebug=if-release", "-Dbench=true", "-Dtests=false", "-Dexamples=false"]
    again = os.path.exists(os.path.join(build, "build.ninja"))
    # Each time anew: the list of programs follows from the files there are and the packages installed.
    command = ["meson", "setup", *(["--reconfigure"] if again else []), *options, build, root]
    if _run(command, log) != 0:
        with open(log.name, encoding="utf-8", errors="replace") as f:
            why = [line.strip() for line in f if "ERROR" in line]
        raise BuildError(f"meson setup failed: {why[-1] if why else 'no reason given'} (all of it: {log.name})")


def _targets(build):
    """Names of the programs that this machine can build, with the ninja target of each."""
    done = subprocess.run(["meson", "introspect", "--targets", build], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"meson introspect failed: {done.stderr.strip()}")
    found = {}
    for target in json.loads(done.stdout):
        if target["name"].startswith(PREFIX):
            found[target["name"]] = os.path.relpath(target["filename"][0], build)
    return found


def build(root, build_dir, wanted):
    """Builds the programs of wanted, pairs of row and implementation, and the tools. What does not
    build is left to Programs.missing; its error is in the log."""
    for tool in ("meson", "ninja"):
        if not shutil.which(tool):
            raise BuildError(f"{tool} is not installed: bench/packages.txt lists what this needs")
    os.makedirs(build_dir, exist_ok=True)
    with open(os.path.join(build_dir, "bench.log"), "w", encoding="utf-8") as log:
        _setup(root, build_dir, log)
        targets = _targets(build_dir)
        names = [program_name(row, impl) for row, impl in wanted] + [PREFIX + "exec_timer"]
        todo = [targets[n] for n in dict.fromkeys(names) if n in targets]
        if _run(["ninja", "-C", build_dir, "-k", "0", *todo], log) == 0:
            failed = []
        else:
            # One by one: what does not build may be the program or a library below it.
            failed = [n for n in names if n in targets and _run(["ninja", "-C", build_dir, targets[n]], log) != 0]
    folder = os.path.join(build_dir, os.path.dirname(next(iter(targets.values()), "bench/x")))
    for name in names:  # left over from a time when its package was installed
        path = os.path.join(folder, name)
        if name not in targets and os.path.exists(path):
            os.remove(path)
    return Programs(folder, os.path.join(root, "bench"), failed)


def error_of(build_dir, name, lines=10):
    """The first lines of what the build last said about a program."""
    with open(os.path.join(build_dir, "bench.log"), encoding="utf-8", errors="replace") as f:
        text = f.read()
    blocks = [re.split(r"\n(?:\[|ninja: |\$ )", b, maxsplit=1)[0] for b in re.split(r"(?m)^FAILED: ", text)[1:]]
    mine = [b for b in blocks if re.search(re.escape(name) + r"(?!\w)", b.split("\n", 1)[0])] or blocks
    # Behind the failed file's name stands the command.
    return "\n".join(mine[-1].splitlines()[2:lines + 2]) if mine else ""
