# SPDX-License-Identifier: MIT
"""On what the figures were made: they mean nothing without it."""

import os
import platform
import re
import shutil
import subprocess
import time


def first_line(*command, cwd=None):
    """The first line that a command prints, or the empty string."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    lines = done.stdout.splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else ""


def cpu():
    """Name of the CPU."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            found = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.*)$", f.read(), re.MULTILINE)
        return found.group(1) if found else platform.machine()
    except OSError:
        return platform.machine()


def packages(names):
    """Versions of the installed ones among Debian packages."""
    found = {}
    for name in names:
        version = first_line("dpkg-query", "-W", "-f", "${Version}", name)
        if version:
            found[name] = version
    return found


def describe(root, package_names):
    """The one object of --json that is not a figure."""
    commit = first_line("git", "rev-parse", "HEAD", cwd=root)
    if commit and first_line("git", "status", "--porcelain", "--untracked-files=no", cwd=root):
        commit += " (changed)"
    return {
        "cpu": cpu(),
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "compilers": {name: line for name, line in (("c++", first_line(os.environ.get("CXX", "c++"), "--version")),
                                                    ("go", first_line("go", "version"))) if line},
        "packages": packages(package_names),
        "commit": commit,
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "load": round(os.getloadavg()[0], 2),
    }
