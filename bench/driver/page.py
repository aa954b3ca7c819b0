# SPDX-License-Identifier: MIT
"""The figures as one self-contained HTML page: tables in plain HTML, charts as SVG by matplotlib."""

import io
import math
from html import escape

from .figures import groups, text
from .rows import IMPLEMENTATIONS

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1c1e21; --dim: #667; --line: #d8dce2; --paper: #fff; --good: #17723a; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e9ec; --dim: #9aa3ad; --line: #3a4048; --paper: #16181b; --good: #6fcf8f; --bad: #ff8a80; }
}
body {
  font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
}
h1 { margin-bottom: 0; }
h2 { margin: 2.5rem 0 .2rem; font-size: 1.15rem; }
p { margin: .3rem 0 .8rem; }
.dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid var(--line); } th { font-weight: 600; }
td.n, th.n { text-align: right; } tr.weft td { font-weight: 700; } tr.limit td { color: var(--dim); }
.met { color: var(--good); } .missed { color: var(--bad); }
figure { margin: .8rem 0; background: #fff; border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; }
figure svg { display: block; width: 100%; height: auto; }
"""

COLOURS = {"weft": "#c2410c", "peer": "#3b6ea8", "floor": "#8a8f98", "other": "#8a8f98"}


def _pyplot():
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "weft", "font.size": 10,
                                "font.family": "sans-serif", "font.sans-serif": ["system-ui", "DejaVu Sans"],
                                "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot

    return pyplot


def _svg(plt, fig, title):
    out = io.StringIO()
    fig.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None, "Title": title})
    plt.close(fig)
    return out.getvalue()[out.getvalue().index("<svg"):]


def ratio_chart(plt, all_groups):
    """Best peer ÷ weft, a bar a row, with a mark where the target is."""
    rows = [g for g in all_groups if g.ratio is not None and math.isfinite(g.ratio) and g.ratio > 0]
    if not rows:
        return ""
    fig, ax = plt.subplots(figsize=(9, 0.9 + 0.28 * len(rows)))
    names = [f"{g.row}, {g.procs} P" for g in rows]
    ax.barh(names, [g.ratio - 1 for g in rows], left=1, height=0.6,
            color=[COLOURS["weft"] if g.ratio >= 1 else COLOURS["floor"] for g in rows])
    for y, g in enumerate(rows):
        ax.annotate(text(g.ratio), (g.ratio, y), xytext=(4 if g.ratio >= 1 else -4, 0), textcoords="offset points",
                    va="center", ha="left" if g.ratio >= 1 else "right")
        if g.target and g.target.ratio:
            ax.plot([g.target.ratio], [y], marker="|", markersize=13, markeredgewidth=2, color="#111")
    ax.axvline(1, color="#111", linewidth=1)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    ax.margins(x=0.12)
    ax.invert_yaxis()
    ax.set_xlabel("best peer ÷ weft, each doubling the same width; right of 1 weft is ahead; the mark is the target")
    return _svg(plt, fig, "Best peer divided by weft")


def distribution_chart(plt, group):
    """Every run as a dot, the median as a line, an implementation a line."""
    values = [v for f in group.figures for v in f.runs]
    if len(values) < 2 or max(values) <= 0:
        return ""
    fig, ax = plt.subplots(figsize=(9, 0.7 + 0.3 * len(group.figures)))
    for y, f in enumerate(group.figures):
        colour = COLOURS[IMPLEMENTATIONS[f.impl].kind]
        ax.plot(f.runs, [y] * len(f.runs), "o", color=colour, alpha=0.5, markersize=6, markeredgewidth=0)
        ax.plot([f.median], [y], "|", color=colour, markersize=15, markeredgewidth=2)
    ax.set_yticks(range(len(group.figures)), [IMPLEMENTATIONS[f.impl].label for f in group.figures])
    if min(values) > 0:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda v, _: text(v))
        ax.xaxis.set_minor_formatter(lambda v, _: text(v) if max(values) / min(values) < 20 else "")
    else:
        ax.set_xlim(left=-0.02 * max(values))
    ax.margins(y=0.25)
    ax.invert_yaxis()
    ax.grid(axis="x", color="#ddd", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel(group.unit)
    return _svg(plt, fig, f"Runs of {group.row}, {group.procs} P")


def _table(head, lines):
    def cell(tag, value):
        number = value.startswith("#")
        return f'<{tag}{" class=n" if number else ""}>{value[1:] if number else value}</{tag}>'

    out = ["<table><thead><tr>", *(cell("th", h) for h in head), "</tr></thead><tbody>"]
    for kind, line in lines:
        out += [f"<tr class={kind}>" if kind else "<tr>", *(cell("td", v) for v in line), "</tr>"]
    return "".join(out) + "</tbody></table>"


def _verdict(group):
    target = escape(str(group.target or ""))
    if group.met is None:
        return f"<span class=dim>{target}</span>"
    return f"<span class={'met' if group.met else 'missed'}>{target}: {'met' if group.met else 'not met'}</span>"


def _summary(all_groups):
    lines = []
    for i, g in enumerate(all_groups):
        best = g.best_peer
        lines.append(("", [f'<a href="#r{i}">{escape(g.row)}</a>', f"#{g.procs}",
                           "#" + text(g.weft.median if g.weft else None), escape(g.unit),
                           escape(IMPLEMENTATIONS[best.impl].label) if best else "–",
                           "#" + text(best.median if best else None), f"#<b>{text(g.ratio)}</b>",
                           "#" + text(g.of_floor), _verdict(g)]))
    return _table(["row", "#Ps", "#weft", "unit", "best peer", "#its median", "#peer ÷ weft", "#weft ÷ floor",
                   "target"], lines)


def _details(group):
    lines = []
    for f in group.figures:
        kind = IMPLEMENTATIONS[f.impl].kind
        note = "best peer" if f is group.best_peer else {"floor": "limit", "other": "no peer"}.get(kind, "")
        share = text(f.median / group.weft.median) if group.weft and group.weft.median and f is not group.weft else ""
        lines.append(({"weft": "weft", "floor": "limit", "other": "limit"}.get(kind, ""),
                      [escape(IMPLEMENTATIONS[f.impl].label), "#" + text(f.median), "#" + text(f.min),
                       "#" + text(f.max), f"#{len(f.runs)}", "#" + share, note]))
    return _table(["implementation", f"#median, {escape(group.unit)}", "#min", "#max", "#runs", "#× weft", ""], lines)


def render(figures, machine, troubles=()):
    """The page as text."""
    plt = _pyplot()
    all_groups = groups(figures)
    about = [machine.get("cpu", ""), f"{machine.get('cpus', '?')} CPUs", machine.get("kernel", ""),
             *machine.get("compilers", {}).values(), f"commit {machine.get('commit') or 'unknown'}",
             machine.get("date", "")]
    out = ["<!DOCTYPE html><html lang=en><head><meta charset=utf-8>",
           '<meta name=viewport content="width=device-width, initial-scale=1">',
           f"<title>weft bench</title><style>{STYLE}</style></head><body>",
           "<h1>weft beside its peers</h1>", f"<p class=dim>{escape(' · '.join(a for a in about if a))}</p>",
           "<p>Less is better in every figure. A row's programs ran in turn, round after round, on the same CPUs. "
           "“peer ÷ weft” is the best peer's median divided by weft's: above 1 weft is ahead, and a difference "
           "under 20 % is a tie. What is not fair about each comparison stands in bench/README.md.</p>"]
    chart = ratio_chart(plt, all_groups)
    out += [f"<figure>{chart}</figure>" if chart else "", _summary(all_groups)]
    for i, g in enumerate(all_groups):
        row, quantity = g.definition
        out.append(f'<h2 id="r{i}">{escape(g.row)}, {g.procs} P</h2>')
        if row:
            out.append(f"<p>{escape(row.what)}{escape(': ' + quantity) if quantity else ''}</p>")
        chart = distribution_chart(plt, g)
        out += [_details(g), f"<figure>{chart}</figure>" if chart else ""]
    if troubles:
        out.append("<h2>Failed or skipped</h2><ul>")
        out += [f"<li>{escape(str(t))}</li>" for t in troubles]
        out.append("</ul>")
    return "\n".join(x for x in out if x) + "\n</body></html>\n"
