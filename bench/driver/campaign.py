# SPDX-License-Identifier: MIT
"""Runs the programs of the rows in turn, round after round, and collects what they measured."""

from dataclasses import dataclass, field

from . import run
from .figures import Figure


@dataclass
class Trouble:
    row: str
    impl: str
    procs: int | None  # None: with any number
    text: str

    def __str__(self):
        ps = f", {self.procs} P" if self.procs else ""
        return f"{self.row}, {self.impl}{ps}: {self.text}"


@dataclass
class Outcome:
    figures: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    interrupted: bool = False


@dataclass
class Heat:
    """One row with one number of Ps: its programs take turns, A B C A B C."""

    row: object
    procs: int
    rounds: int
    paths: dict  # implementation: program


def plan(rows, procs, chosen, programs, settings, asked_rounds, outcome, build_error=lambda row, impl: ""):
    """The heats, and in outcome what cannot run at all, once for each program."""
    heats, told = [], set()
    for row in rows:
        paths = {}
        for impl in programs.implementations(row, chosen):
            path = programs.path(row, impl)
            if path:
                paths[impl] = path
            elif (row.folder, impl) not in told:
                told.add((row.folder, impl))
                how, why = programs.missing(row, impl)
                if how == "failed":
                    outcome.failed.append(Trouble(row.folder, impl, None, f"{why}\n{build_error(row, impl)}".strip()))
                else:
                    outcome.skipped.append(Trouble(row.folder, impl, None, why))
        if paths:
            heats += [Heat(row, p, settings.rounds(row, asked_rounds), paths) for p in procs_of(row, procs)]
    return heats


def procs_of(row, asked):
    """Numbers of Ps to run a row with: its own, or the one asked for where the row can have it."""
    if asked is None:
        return row.procs
    return (asked,) if asked in row.procs or max(row.procs) > 1 else ()


def steps(heats):
    """How many runs of a program the heats are."""
    return sum(h.rounds * len(h.paths) for h in heats)


def execute(heats, settings, exec_timer, outcome, progress=lambda what, done: None):
    """Runs the heats; progress(what, runs done with) is told about each."""
    for heat in heats:
        found = {}  # (quantity, implementation): Figure
        active = dict(heat.paths)

        def collect(impl, result):
            if isinstance(result, run.Skipped):
                outcome.skipped.append(Trouble(heat.row.name, impl, heat.procs, str(result)))
            elif isinstance(result, run.Failed):
                outcome.failed.append(Trouble(heat.row.name, impl, heat.procs, str(result)))
            else:
                for quantity, value, unit in result:
                    name = f"{heat.row.name}.{quantity}" if quantity else heat.row.name
                    figure = found.setdefault((quantity, impl), Figure(name, impl, heat.procs, unit, []))
                    figure.runs.append(value)
                return
            active.pop(impl, None)  # once is enough

        for number in range(heat.rounds):
            if heat.row.method == "idle":
                progress(f"{heat.row.name}: all at once", 0)
                for impl, result in run.idle(active, heat.row, heat.procs, settings).items():
                    collect(impl, result)
                progress("", len(heat.paths))
                continue
            for impl in heat.paths:
                if impl not in active:
                    progress("", 1)
                    continue
                progress(f"{heat.row.name}, {heat.procs} P: {impl} ({number + 1}/{heat.rounds})", 0)
                try:
                    if heat.row.method == "start":
                        result = run.start(active[impl], heat.row, heat.procs, settings, exec_timer)
                    else:
                        result = run.program(active[impl], heat.row, heat.procs, settings)
                except (run.Failed, run.Skipped) as e:
                    result = e
                collect(impl, result)
                progress("", 1)
        # Quantities in the order of their first mention, so that a row's own figure comes first.
        quantities = list(dict.fromkeys(q for q, _ in found))
        outcome.figures += [f for q in quantities for (fq, _), f in found.items() if fq == q]
