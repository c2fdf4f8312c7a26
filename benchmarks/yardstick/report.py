"""The rows as a table in the terminal, Markdown, JSON and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from yardstick.goals import Goal
from yardstick.measure import Row

OURS = "wengert"
TITLES = {
    "c": "C",
    "numpy": "NumPy",
    "jax": "JAX",
    "torch": "PyTorch",
    "autograd": "autograd",
    "casadi": "CasADi",
}
# What rows of one table have in common.
SAME = ("machine", "time", "conditions", "c")
VERDICTS = {True: "reached", False: "missed", None: "not measured"}


def duration(seconds: float | None) -> str:
    """Three significant digits with a unit; "-" where there is none."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{number(seconds / size)} {unit}"
    return f"{number(seconds * 1e9)} ns"


def number(value: float) -> str:
    """Three significant digits, never with an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def ratio(a: float | None, b: float | None) -> str:
    return "-" if a is None or not b else number(a / b)


def columns(row: Row, peers: Sequence[str]) -> dict[str, str]:
    """What the table shows of a row."""
    f, g = row.f.get(OURS), row.g.get(OURS)
    fresh = row.fresh.get(OURS, {})
    shown = {"row": row.name, "f": duration(f), "g": duration(g), "g/f": ratio(g, f)}
    if "c" in peers:
        shown["C's g/f"] = ratio(row.g.get("c"), row.f.get("c"))
        shown["f : C"] = ratio(f, row.f.get("c"))
        shown["g : C"] = ratio(g, row.g.get("c"))
    if "jax" in peers:
        shown["JAX f : f"] = ratio(row.f.get("jax"), f)
    for peer in peers:
        if peer not in (OURS, "c"):
            shown[f"{TITLES[peer]} g : g"] = ratio(row.g.get(peer), g)
    shown["first"] = duration(fresh.get("first"))
    shown["compile"] = duration(fresh.get("compile"))
    shown["memory"] = f"{fresh['memory'] / 2**20:.0f} MB" if "memory" in fresh else "-"
    if OURS not in row.g:
        shown["agree"] = "no result"
    else:
        shown["agree"] = "yes" if row.agree else "NO"
    return shown


def table(rows: Sequence[Row], peers: Sequence[str]) -> Table:
    shown = [columns(row, peers) for row in rows]
    made = Table()
    for name in shown[0]:
        made.add_column(name, justify="left" if name == "row" else "right", no_wrap=name == "row")
    for cells in shown:
        made.add_row(*cells.values())
    return made


def goals_table(goals: Sequence[Goal]) -> Table:
    made = Table("goal", "found", "")
    for goal in goals:
        style = {True: "green", False: "red", None: "dim"}[goal.reached]
        made.add_row(goal.text, goal.found, VERDICTS[goal.reached], style=style)
    return made


def remarks(rows: Sequence[Row]) -> list[str]:
    """Who is left out of a row and why, and whose result is another one."""
    said = [f"{row.name}, {name}: {note}" for row in rows for name, note in row.notes.items()]
    return said + [
        f"{row.name}, {name}: off {row.reference}'s result by {error:.2g}"
        for row in rows
        for name, error in row.error.items()
        if not error <= row.tolerance
    ]


def markdown(
    rows: Sequence[Row], peers: Sequence[str], goals: Sequence[Goal], about: Mapping[str, Any]
) -> str:
    """The table, the goals and the conditions."""
    shown = [columns(row, peers) for row in rows]
    lines = [_line(shown[0]), "|---|" + "---:|" * (len(shown[0]) - 1)]
    lines += [_line(cells.values()) for cells in shown]
    reached = sum(goal.reached is True for goal in goals)
    lines += ["", f"Goals reached: {reached} of {len(goals)}.", ""]
    lines += [_line(("goal", "found", "")), "|---|---|---|"]
    lines += [_line((goal.text, goal.found, VERDICTS[goal.reached])) for goal in goals]
    if said := remarks(rows):
        lines += ["", *(f"- {remark}" for remark in said)]
    versions = ", ".join(f"{name} {found}" for name, found in about["versions"].items() if found)
    lines += [
        "",
        f"{about['machine']}; time {about['time']}; {about['conditions']}.",
        f"{versions}. C: {about['c']}.",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def between_markers(path: Path, text: str, marker: str = "bench") -> bool:
    """Put text between the markers of a file; False where it has none."""
    begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    old = path.read_text() if path.exists() else ""
    if begin not in old or end not in old:
        return False
    before, rest = old.split(begin, 1)
    _, after = rest.split(end, 1)
    path.write_text(f"{before}{begin}\n{text}{end}{after}")
    return True


def picture(path: Path, rows: Sequence[Row], peers: Sequence[str]) -> None:
    """Of each row, each peer's time of value and gradient as a multiple of wengert's."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    shown = [row for row in rows if OURS in row.g]
    figure, axes = pyplot.subplots(figsize=(9, 0.3 * len(shown) + 1.5), layout="constrained")
    markers = dict(zip(TITLES, "|osD^v", strict=True))
    for peer in (peer for peer in peers if peer in TITLES):
        points = [
            (row.g[peer] / row.g[OURS], place) for place, row in enumerate(shown) if peer in row.g
        ]
        if points:
            x, y = zip(*points, strict=True)
            size = 160 if peer == "c" else 28
            axes.scatter(x, y, size, marker=markers[peer], label=TITLES[peer], zorder=3)
    axes.axvline(1, color="black", linewidth=1, label=OURS)
    axes.set_xscale("log")
    axes.set_yticks(range(len(shown)), [row.name for row in shown])
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("time of value and gradient, as a multiple of wengert's")
    axes.legend(ncols=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def save(path: Path, rows: Sequence[Row], goals: Sequence[Goal], about: Mapping[str, Any]) -> None:
    everything = {
        **about,
        "rows": [asdict(row) for row in rows],
        "goals": [asdict(goal) for goal in goals],
    }
    path.write_text(json.dumps(everything, indent=1) + "\n")


def load(path: Path, about: Mapping[str, Any]) -> dict[str, Row]:
    """The rows of an earlier run under the same conditions, by name."""
    earlier = json.loads(path.read_text()) if path.exists() else {}
    if any(earlier.get(name) != about[name] for name in SAME):
        return {}
    return {row["name"]: Row(**row) for row in earlier["rows"]}
