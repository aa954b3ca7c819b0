#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures weft beside its peers; README.md in this folder tells how to read the result."""

import argparse
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)

from driver import build, campaign, counts, figures, machine, rows, run  # noqa: E402

try:
    from driver import table  # needs python3-rich, which --help, --list and a wrong command line do without
except ModuleNotFoundError:
    table = None


def missing_module(given):
    """A sentence, where this Python lacks what the command needs."""
    if table is None:
        return f"{sys.executable} has no module rich (Debian: python3-rich, for /usr/bin/python3)"
    if given.html and importlib.util.find_spec("matplotlib") is None:
        return f"{sys.executable} has no module matplotlib (Debian: python3-matplotlib, for /usr/bin/python3)"
    return ""


COUNTS = os.path.join(HERE, "counts.json")
SKIPPED = 77  # as Meson and Automake understand it


def arguments(argv):
    p = argparse.ArgumentParser(prog="./weft bench", description=__doc__)
    p.add_argument("rows", nargs="*", metavar="ROW", help="rows to measure, or a common first part of them; else all")
    p.add_argument("--quick", action="store_true", help="about a minute for everything; smaller large rows")
    p.add_argument("--json", metavar="FILE", help="write the figures, one object each, and the machine")
    p.add_argument("--html", metavar="FILE", help="write one page with tables and charts")
    p.add_argument("--peers", metavar="LIST", help="only these peers, separated by commas; none for weft alone")
    p.add_argument("--procs", type=int, metavar="N", help="only with N Ps, in the rows that can have N")
    p.add_argument("--rounds", type=int, metavar="N", help="rounds for each row (7; --quick 3; large rows fewer)")
    p.add_argument("--list", action="store_true", help="list rows and implementations, and stop")
    p.add_argument("--counts", action="store_true", help="count instructions instead, and keep weft's in counts.json")
    p.add_argument("--check", action="store_true", help="count instructions and compare weft's with the kept ones")
    p.add_argument("--from", dest="source", metavar="FILE", help="show an earlier --json FILE again; measure nothing")
    p.add_argument("--build", metavar="DIR", default=os.path.join(ROOT, "build", "bench"), help="build folder")
    p.add_argument("--parse-only", action="store_true", help=argparse.SUPPRESS)  # ./weft: before it installs anything
    p.add_argument("--programs", metavar="DIR", help="take built programs from DIR; build nothing")
    given = p.parse_args(argv)
    if given.procs is not None and given.procs < 1:
        p.error("--procs: at least 1")
    if given.rounds is not None and given.rounds < 1:
        p.error("--rounds: at least 1")
    return given


def obtain(given, chosen_rows, chosen):
    """The programs of these rows and implementations: built now, or found in --programs."""
    if given.programs:
        return build.Programs(os.path.abspath(given.programs))
    pairs = [(row, impl) for row in chosen_rows for impl in chosen if impl in build.written(row, HERE)]
    with table.console(sys.stderr).status("building the programs (log: bench.log in the build folder)"):
        return build.build(ROOT, os.path.abspath(given.build), pairs)


def report(title, troubles):
    if troubles:
        print(f"\n{title}:")
        for t in troubles:
            print("  " + str(t).replace("\n", "\n      "))


def package_names():
    with open(os.path.join(HERE, "packages.txt"), encoding="utf-8") as f:
        return [line.split()[0] for line in f if line.strip() and not line.startswith("#")]


def measure(given, chosen_rows, chosen):
    settings = run.Settings(given.quick)
    if given.quick and not given.rows:
        chosen_rows = [r for r in chosen_rows if r.quick]
    if given.procs is not None:
        chosen_rows = [r for r in chosen_rows if campaign.procs_of(r, given.procs)]
        if not chosen_rows:
            raise rows.Unknown(f"none of the rows can have {given.procs} Ps")
    describe = machine.describe(ROOT, package_names())
    programs = obtain(given, chosen_rows, chosen)
    outcome = campaign.Outcome()

    def build_error(row, impl):
        return "" if given.programs else build.error_of(os.path.abspath(given.build), build.program_name(row, impl))

    heats = campaign.plan(chosen_rows, given.procs, chosen, programs, settings, given.rounds, outcome, build_error)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"),
                  console=table.console(sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=campaign.steps(heats))

        def progress(what, done):
            if what:
                bar.update(task, description=what)
            bar.advance(task, done)

        try:
            campaign.execute(heats, settings, programs.tool("exec_timer"), outcome, progress)
        except KeyboardInterrupt:
            outcome.interrupted = True
    describe["quick"] = given.quick
    describe["failed"] = [str(t) for t in outcome.failed]
    describe["skipped"] = [str(t) for t in outcome.skipped]
    kept = counts.read(COUNTS).get(counts.key(), {})
    for f in outcome.figures:
        if f.impl == "weft" and f.procs == 1:  # counted with one P
            f.instructions = kept.get(f.row)
    show(given, outcome.figures, describe)
    report("Skipped", outcome.skipped)
    report(f"{len(outcome.failed)} FAILED", outcome.failed)
    if outcome.interrupted:
        print("\nInterrupted: the rows above are complete, the others are missing.")
        return 130
    return 1 if outcome.failed else 0


def show(given, all_figures, describe):
    out = table.console()
    if all_figures:
        out.print(table.figures_table(all_figures))
        out.print(table.ratio_table(all_figures))
    out.print(f"\n{describe.get('cpu', '?')}, {describe.get('kernel', '?')}, load {describe.get('load', '?')} at the "
              f"start; less is better; under 20 % is a tie", style="dim", markup=False)
    if given.json:
        figures.write_json(given.json, all_figures, describe)
    if given.html:
        from driver import page

        with open(given.html, "w", encoding="utf-8") as f:
            f.write(page.render(all_figures, describe, describe.get("failed", []) + describe.get("skipped", [])))


def count(given, chosen_rows, chosen):
    if not counts.available():
        print("skipped: package valgrind missing")
        return SKIPPED
    key = counts.key()
    all_kept = counts.read(COUNTS)
    kept = all_kept.get(key, {})
    if given.check and not kept:
        print(f"skipped: no instruction counts are kept for {key}; ./weft bench --counts makes them")
        return SKIPPED
    names = ["weft"] if given.peers is None or given.check else [i for i in chosen if i != "go"]
    counted_rows = [r for r in chosen_rows if r.count_ops and (not given.check or r.name in kept)]
    if not counted_rows:
        print("skipped: none of the rows has instruction counts")
        return SKIPPED
    programs = obtain(given, counted_rows, names)
    pairs = [(r, i) for r in counted_rows for i in programs.implementations(r, names)]
    settings = run.Settings()
    counted, failed = {}, []
    with table.console(sys.stderr).status("counting") as status:
        for row, impl in pairs:
            status.update(f"counting {row.name}: {impl}")
            try:
                path = programs.path(row, impl)
                if path is None:
                    how, why = programs.missing(row, impl)
                    raise run.Failed(why) if how == "failed" else run.Skipped(why)
                counted[row.name, impl] = counts.count(path, row, settings)
            except run.Failed as e:
                failed.append(campaign.Trouble(row.name, impl, 1, str(e)))
            except run.Skipped:
                pass
    table.console().print(table.counts_table(counted, kept))
    weft = {row: round(value, 1) for (row, impl), value in counted.items() if impl == "weft"}
    changed = counts.changes(weft, kept) if given.check else []
    if not given.check and weft:
        all_kept[key] = {**kept, **weft}
        counts.write(COUNTS, all_kept)
        print(f"\nkept in {os.path.relpath(COUNTS)} for {key}")
    report("Changed (if that is meant, keep them: ./weft bench --counts)", changed)
    report(f"{len(failed)} FAILED", failed)
    return 1 if changed or failed else 0


def main(argv):
    given = arguments(argv)
    try:
        chosen_rows = rows.choose_rows(given.rows)
        chosen = rows.choose_implementations(given.peers)
        if given.list:
            for row in chosen_rows:
                print(f"{row.name:24} {row.what}")
            print("\nimplementations: " + ", ".join(rows.IMPLEMENTATIONS))
            return 0
        if given.parse_only:
            return 0
        if missing := missing_module(given):
            print(f"bench: {missing}", file=sys.stderr)
            return 2
        for path in (given.json, given.html):
            if path:
                with open(path, "a", encoding="utf-8"):  # before minutes of measuring, not after
                    pass
        if given.source:
            all_figures, describe = figures.read_json(given.source)
            names = {r.name for r in chosen_rows}
            show(given, [f for f in all_figures if f.impl in chosen and (not given.rows or rows.below(f.row, names))], describe)
            return 0
        if given.counts or given.check:
            return count(given, chosen_rows, chosen)
        return measure(given, chosen_rows, chosen)
    except (rows.Unknown, figures.NotFigures, build.BuildError, OSError) as e:
        print(f"bench: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
