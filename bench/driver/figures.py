# SPDX-License-Identifier: MIT
"""Figures and what follows from them: medians, the best peer, ratios, targets. Less is better in all."""

import json
import math
import statistics
from dataclasses import dataclass

from .rows import IMPLEMENTATIONS, ROWS


@dataclass
class Figure:
    row: str  # the row's name, and its quantity if it has several: skynet.rss
    impl: str
    procs: int
    unit: str
    runs: list
    instructions: float | None = None  # an operation's, where one is kept: counts.py

    @property
    def median(self):
        return statistics.median(self.runs)

    @property
    def min(self):
        return min(self.runs)

    @property
    def max(self):
        return max(self.runs)

    def as_json(self):
        counted = {} if self.instructions is None else {"instructions": self.instructions}
        return {"row": self.row, "impl": self.impl, "procs": self.procs, "unit": self.unit, "median": self.median,
                "min": self.min, "max": self.max, "runs": self.runs, **counted}


def ratio(peer, weft):
    """How many times as much the peer takes: above 1 weft is ahead. None without both; two zeros tie."""
    if peer is None or weft is None:
        return None
    if weft.median == 0:
        return 1.0 if peer.median == 0 else math.inf
    return peer.median / weft.median


@dataclass
class Group:
    """All figures of one row with one number of Ps."""

    row: str
    procs: int
    unit: str
    figures: list

    def of(self, impl):
        return next((f for f in self.figures if f.impl == impl), None)

    @property
    def weft(self):
        return self.of("weft")

    @property
    def floor(self):
        return self.of("floor")

    @property
    def best_peer(self):
        peers = [f for f in self.figures if IMPLEMENTATIONS[f.impl].kind == "peer"]
        return min(peers, key=lambda f: f.median, default=None)

    @property
    def ratio(self):
        return ratio(self.best_peer, self.weft)

    @property
    def of_floor(self):
        """weft ÷ floor."""
        return ratio(self.weft, self.floor)

    @property
    def definition(self):
        """The row it belongs to, and its quantity."""
        name = self.row
        while name not in ROWS and "." in name:
            name = name.rpartition(".")[0]
        return ROWS.get(name), self.row[len(name) + 1:]

    @property
    def target(self):
        row, quantity = self.definition
        return row.target(quantity, self.procs) if row else None

    @property
    def met(self):
        """Whether weft reaches its target; None where there is no target or nothing to compare."""
        t = self.target
        if t is None or self.weft is None:
            return None
        verdicts = []
        rival = ratio(self.of(t.against), self.weft) if t.against else self.ratio
        if t.ratio is not None and rival is not None:
            verdicts.append(rival >= t.ratio)
        if t.floors is not None and self.of_floor is not None:
            verdicts.append(self.of_floor <= t.floors)
        if t.at_most is not None:
            verdicts.append(self.weft.median <= t.at_most)
        return all(verdicts) if verdicts else None


def groups(figures):
    """Figures by row and Ps, in the order of the row table; in a group weft first, then by median."""
    found = {}
    for f in figures:
        found.setdefault((f.row, f.procs), Group(f.row, f.procs, f.unit, [])).figures.append(f)
    order = list(ROWS)

    def place(group):
        row, _ = group.definition
        return order.index(row.name) if row else len(order)

    for g in found.values():
        g.figures.sort(key=lambda f: (f.impl != "weft", f.median))
    return sorted(found.values(), key=place)  # stable: Ps and quantities stay as they were measured


def write_json(path, figures, machine):
    with open(path, "w", encoding="utf-8") as f:
        json.dump([machine, *(x.as_json() for x in figures)], f, indent=1, ensure_ascii=False)
        f.write("\n")


class NotFigures(Exception):
    """A file that write_json did not write."""


def read_json(path):
    try:
        with open(path, encoding="utf-8") as f:
            objects = json.load(f)
        if not isinstance(objects, list):
            raise ValueError("no list")
        figures = [Figure(o["row"], o["impl"], int(o["procs"]), o["unit"], [float(r) for r in o["runs"]],
                          o.get("instructions")) for o in objects if "row" in o]
        if not all(f.runs for f in figures):
            raise ValueError("a figure without runs")
        machine = next((dict(o) for o in objects if "row" not in o), {})
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise NotFigures(f"{path} does not hold what --json writes ({type(e).__name__}: {e})") from e
    unknown = sorted({f.impl for f in figures} - set(IMPLEMENTATIONS))
    if unknown:
        raise NotFigures(f"{path} has figures of implementations that are not known here: {', '.join(unknown)}")
    return figures, machine


def text(value):
    """A figure for people: three significant digits or so, k and M for thousands and millions."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞"
    if value == 0:
        return "0"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f}M"
    if abs(value) >= 1e5:
        return f"{value / 1e3:.0f}k"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.2g}"
