"""A step table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wengert.explaining.notation import barred, shown
from wengert.explaining.steps import Step, Steps
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.table import Table

MOST_ROWS = 100
MOST_DIRECTIONS = 4


def render(steps: Steps, rows: int = MOST_ROWS) -> Table:
    """The steps as a table, one row each, at most `rows` of them.

    The columns of tangents are those of the first four inputs; the last column writes out the
    chain rule for the adjoint.
    """
    directions = steps.inputs[:MOST_DIRECTIONS]
    table: Table = module("rich.table").Table(
        title=f"{steps.function}, step by step",
        caption=_caption(steps, rows),
        box=module("rich.box").SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("step", no_wrap=True, style="bold")
    table.add_column("operation")
    table.add_column("value", justify="right")
    for name in directions:
        ones = "·1" if np.ndim(steps[name].value) else ""
        table.add_column(f"∂/∂{name}{ones}", justify="right", style="cyan")
    table.add_column("adjoint", justify="right", style="magenta")
    table.add_column("by the chain rule", style="magenta")
    for step in steps.steps[:rows]:
        table.add_row(
            step.name,
            step.formula or "",
            shown(step.value),
            *map(shown, step.tangents[: len(directions)]),
            shown(step.adjoint),
            _chain_rule(step, steps.output),
        )
    return table


def _chain_rule(step: Step, output: str) -> str:
    """v̄₂ = v̄₃·∂v₃/∂v₂ + v̄₄·∂v₄/∂v₂, and below it the numbers that are added."""
    if step.adjoint is None:
        return ""
    if step.name == output:
        return f"{barred(step.name)} = 1"
    if not step.terms:
        return f"{barred(step.name)} = 0"
    parts = [f"{barred(user)}·∂{user}/∂{step.name}" for user, _ in step.terms]
    written = f"{barred(step.name)} = {' + '.join(parts)}"
    one_number = not isinstance(step.adjoint, tuple) and not np.ndim(step.adjoint)
    if len(parts) > 1 and one_number:
        written += f"\n   = {' + '.join(shown(value) for _, value in step.terms)}"
    return written


def _caption(steps: Steps, rows: int) -> str:
    lines = []
    if any(np.ndim(steps[name].value) for name in steps.inputs):
        lines.append("∂/∂x·1 is the derivative in the direction of 1 in every element of x.")
    if len(steps) > rows:
        lines.append(f"{len(steps) - rows} more steps are not shown.")
    if len(steps.inputs) > MOST_DIRECTIONS:
        lines.append(f"{len(steps.inputs) - MOST_DIRECTIONS} more inputs have no column here.")
    return "\n".join(lines)
