# SPDX-License-Identifier: MIT
"""The figures as a table in a terminal."""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .figures import groups, text
from .rows import IMPLEMENTATIONS, ROWS

WIDTH = 130  # where the output is no terminal


def console(stream=None):
    stream = stream or sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDTH, highlight=False)


def span(figure):
    return f"{text(figure.median)} ({text(figure.min)}–{text(figure.max)})"


def verdict(group):
    if group.met is None:
        return Text(str(group.target or ""), style="dim")
    return Text(f"{group.target}: {'met' if group.met else 'NOT met'}", style="green" if group.met else "bold red")


def _mark(group, figure):
    if figure is group.best_peer:
        return "best peer"
    return {"floor": "limit", "other": "no peer"}.get(IMPLEMENTATIONS[figure.impl].kind, "")


def _table(*columns):
    """Columns with a > before their name hold numbers, which are never folded."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        if name.startswith(">"):
            table.add_column(name[1:], justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold")
    return table


def figures_table(figures):
    """Row by row, each implementation's median (min–max)."""
    counted = [">instructions"] if any(f.instructions is not None for f in figures) else []
    table = _table("row", ">Ps", "implementation", ">median (min–max)", "unit", ">× weft", *counted, "")
    for group in groups(figures):
        for i, f in enumerate(group.figures):
            style = "bold" if f.impl == "weft" else "dim" if IMPLEMENTATIONS[f.impl].kind in ("floor", "other") else ""
            times = f.median / group.weft.median if group.weft and f is not group.weft and group.weft.median else None
            table.add_row("" if i else group.row, "" if i else str(group.procs), IMPLEMENTATIONS[f.impl].label,
                          span(f), f.unit, text(times) if times is not None else "",
                          *(f"{f.instructions:.1f}" if f.instructions is not None else "" for _ in counted),
                          _mark(group, f), style=style)
        table.add_row()
    return table


def ratio_table(figures):
    """One line a row: weft, the best peer, the ratio, the target."""
    table = _table("row", ">Ps", ">weft", "unit", "best peer", ">its", ">peer ÷ weft", ">weft ÷ floor", "target")
    for g in groups(figures):
        best = g.best_peer
        table.add_row(g.row, str(g.procs), text(g.weft.median if g.weft else None), g.unit,
                      IMPLEMENTATIONS[best.impl].label if best else "–", text(best.median if best else None),
                      Text(text(g.ratio), style="bold"), text(g.of_floor), verdict(g))
    return table


def counts_table(counts, kept):
    """Instructions per operation, and those kept."""
    table = _table("row", "implementation", ">instructions", ">kept")
    for (row, impl), value in counts.items():
        table.add_row(row, IMPLEMENTATIONS[impl].label, f"{value:.1f}",
                      f"{kept[row]:.1f}" if impl == "weft" and row in kept else "–")
    return table
