"""The rows as a table in the terminal, Markdown, JSON and a picture."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from yardstick.measure import Row


def duration(seconds: float | None) -> str:
    """Three significant digits with a unit; "-" where there is none."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def ratio(a: float | None, b: float | None) -> str:
    return "-" if a is None or not b else f"{a / b:.3g}"


def columns(row: Row, peers: Sequence[str]) -> dict[str, str]:
    """What the table shows of a row."""
    ours_f, ours_g = row.f.get("wengert"), row.g.get("wengert")
    fresh = row.fresh.get("wengert", {})
    shown = {
        "row": row.name,
        "f": duration(ours_f),
        "g": duration(ours_g),
        "g / f": ratio(ours_g, ours_f),
        "first": duration(fresh.get("first")),
        "compile": duration(fresh.get("compile")),
        "memory": f"{fresh['memory'] / 2**20:.0f} MB" if fresh else "-",
    }
    for peer in peers:
        if peer != "wengert":
            shown[f"f / {peer}"] = ratio(ours_f, row.f.get(peer))
            shown[f"g / {peer}"] = ratio(ours_g, row.g.get(peer))
    shown["agree"] = "yes" if row.agree else "NO"
    return shown


def table(rows: Sequence[Row], peers: Sequence[str]) -> Table:
    shown = [columns(row, peers) for row in rows]
    made = Table()
    for name in shown[0]:
        made.add_column(name, justify="left" if name == "row" else "right")
    for cells in shown:
        made.add_row(*cells.values())
    return made
