"""The table of `make bench`, where a checkout has one."""

from __future__ import annotations

import json
import math
from html import escape
from pathlib import Path
from typing import Any

from wengert.cli.report.markup import SPACE, Section, duration, number, paragraph, table

OURS = "wengert"
PEERS = {
    "c": "C",
    "numpy": "NumPy",
    "jax": "JAX",
    "torch": "PyTorch",
    "autograd": "autograd",
    "casadi": "CasADi",
}


def benchmarks(file: Path) -> Section | None:
    """file: benchmarks/results/results.json; None where it is not there."""
    if not file.is_file():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = [row for row in found["rows"] if OURS in row["g"]]
    peers = [name for name in PEERS if any(name in row["g"] for row in rows)]
    cells = [
        [
            row["name"],
            duration(row["f"][OURS]) if OURS in row["f"] else "–",
            duration(row["g"][OURS]),
            *(_ratio(row["g"].get(peer), row["g"][OURS]) for peer in peers),
        ]
        for row in rows
    ]
    cells.append(["geometric mean", "", "", *(_mean(rows, peer) for peer in peers)])
    goals = found.get("goals", [])
    reached = sum(goal.get("reached") is True for goal in goals)
    versions = ", ".join(f"{name} {one}" for name, one in found.get("versions", {}).items() if one)
    return Section(
        "benchmarks",
        "Against others",
        paragraph(
            "Functions written with NumPy, through <code>wengert.jit</code>: the function, and its "
            "value and gradient. The other columns are the gradients of others as multiples of "
            "ours, so that more than 1 is slower than wengert; C is written and derived by hand. "
            "These times were measured by <code>make bench</code>, not by this run."
        )
        + table(
            "Times, and the gradients of others as multiples",
            ["problem", "function", "gradient", *(PEERS[peer] for peer in peers)],
            cells,
        )
        + (paragraph(f"{reached} of {len(goals)} goals are reached.") if goals else "")
        + f'<p class="about">{escape(str(found.get("machine", "")))}; '
        f"{escape(str(found.get('conditions', '')))}. {escape(versions)}.</p>",
        (
            f"{_mean(rows, 'jax')}{SPACE}×",
            "as long for a gradient by JAX, in the benchmarks",
        )
        if "jax" in peers
        else None,
    )


def _ratio(theirs: float | None, ours: float) -> str:
    return "–" if theirs is None else number(theirs / ours, 3)


def _mean(rows: list[dict[str, Any]], peer: str) -> str:
    ratios = [row["g"][peer] / row["g"][OURS] for row in rows if peer in row["g"]]
    return number(math.exp(sum(map(math.log, ratios)) / len(ratios)), 3)
