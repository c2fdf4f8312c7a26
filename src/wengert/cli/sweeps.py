"""One mode of an explanation: its steps in the order in which that mode computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wengert.explaining.notation import barred, shown
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.table import Table

    from wengert.explaining.steps import Step, Steps

MOST_ROWS = 100
MOST_DIRECTIONS = 4


def sweep(steps: Steps, mode: Literal["forward", "reverse"]) -> Table:
    """The values and tangents, from the first step on; or the adjoints, from the last one back."""
    names = steps.forward if mode == "forward" else steps.reverse
    hidden = len(names) - MOST_ROWS
    table: Table = module("rich.table").Table(
        title=f"{steps.function}, {mode} mode",
        caption=f"{hidden} more steps are not shown." if hidden > 0 else None,
        box=module("rich.box").SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )
    directions = steps.inputs[:MOST_DIRECTIONS] if mode == "forward" else ()
    table.add_column("step", no_wrap=True, style="bold")
    if mode == "forward":
        table.add_column("operation")
        table.add_column("value", justify="right")
    for name in directions:
        table.add_column(f"∂/∂{name}", justify="right", style="cyan")
    if mode == "reverse":
        table.add_column("adjoint", justify="right", style="magenta")
        table.add_column("by the chain rule", style="magenta")
    for name in names[:MOST_ROWS]:
        step = steps[name]
        if mode == "forward":
            tangents = map(shown, step.tangents[: len(directions)])
            table.add_row(step.name, step.formula or "", shown(step.value), *tangents)
        else:
            table.add_row(step.name, shown(step.adjoint), _sum(step))
    return table


def _sum(step: Step) -> str:
    """v̄₃·∂v₃/∂v₂ + v̄₄·∂v₄/∂v₂, with 1 for a result of the function."""
    parts = [f"{barred(user)}·∂{user}/∂{step.name}" for user, _ in step.terms]
    return " + ".join([*([] if step.seed is None else ["1"]), *parts]) or "0"
