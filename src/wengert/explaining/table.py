"""Step tables for the terminal: both sweeps in their orders; long programs by line of source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.explaining import chain_rule
from wengert.explaining.notation import barred, dotted, norm, number, shown
from wengert.explaining.steps import Group, Step, Steps
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

MOST_ROWS = 100
"""Programs of more steps are shown by line of source."""
MOST_DIRECTIONS = 4
MOST_RESULTS = 12
_ON_ONE_LINE = 26


def render(steps: Steps, rows: int = MOST_ROWS) -> RenderableType:
    """The sweeps as two tables, a row a step; of more than `rows` steps, a row a line of source."""
    if len(steps) > rows:
        parts = [by_line(steps), results(steps)]
    else:
        parts = [forward(steps), reverse(steps)]
    text = module("rich.text").Text
    heading = text(f"{steps.function}, step by step\n", style="bold")
    notes = [text("\n".join(caption(steps)), style="italic")] if caption(steps) else []
    group: RenderableType = module("rich.console").Group(heading, *parts, *notes)
    return group


def results(steps: Steps) -> Table:
    """What the function gives, and its derivatives by the inputs, without what is between."""
    table = _table("value and gradient")
    table.show_header = False
    table.add_column("", style="bold")
    table.add_column("", justify="right")
    for name in steps.outputs[:MOST_RESULTS]:
        _add(table, name if len(steps.outputs) > 1 else "value", shown(steps[name].value))
    for name in steps.inputs[:MOST_RESULTS]:
        _add(table, barred(name), shown(steps[name].adjoint))
    left = len(steps.inputs) - MOST_RESULTS
    if left > 0:
        table.caption = f"{left} more inputs are not shown."
    return table


def forward(steps: Steps, rows: int = MOST_ROWS) -> Table:
    """Values and tangents, from the first step to the last."""
    directions = steps.inputs[:MOST_DIRECTIONS]
    table = _table("forward mode: values and tangents")
    table.add_column("step", no_wrap=True, style="bold")
    table.add_column("operation")
    table.add_column("value", justify="right")
    table.add_column("tangent by the chain rule", style="cyan")
    for name in directions:
        ones = "·1" if np.ndim(steps[name].value) else ""
        table.add_column(_plain(f"∂/∂{name}{ones}"), justify="right", style="cyan")
    for name in steps.forward[:rows]:
        step = steps[name]
        _add(
            table,
            step.name,
            step.formula or "",
            shown(step.value),
            tangent_rule(steps, step),
            *tangents(step, len(directions)),
        )
    _tell_rest(table, len(steps), rows)
    return table


def reverse(steps: Steps, rows: int = MOST_ROWS) -> Table:
    """Adjoints, in the order in which they are complete."""
    table = _table("reverse mode: adjoints")
    table.add_column("step", no_wrap=True, style="bold")
    table.add_column("adjoint by the chain rule", style="magenta")
    shown_steps = [steps[name] for name in steps.reverse[:rows]]
    several = any(map(terms, shown_steps))
    if several:
        table.add_column("the terms", justify="right")
    table.add_column("adjoint", justify="right", style="magenta")
    for step in shown_steps:
        numbers = [terms(step)] * several
        _add(table, step.name, adjoint_rule(steps, step), *numbers, shown(step.adjoint))
    _tell_rest(table, len(steps.reverse), rows)
    return table


def _tell_rest(table: Table, count: int, rows: int) -> None:
    if count > rows:
        table.caption = f"{count - rows} more steps are not shown."


def _table(title: str) -> Table:
    table: Table = module("rich.table").Table(
        title=title,
        box=module("rich.box").SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*map(_plain, cells))


def _plain(text: str) -> Any:
    """Text in which a bracket is a bracket, and no markup."""
    return module("rich.text").Text(text)


def tangent_rule(steps: Steps, step: Step) -> str:
    """v̇₂ = ∂v₂/∂w₂·ẇ₂ + ∂v₂/∂v₁·v̇₁, and what these derivatives are."""
    if step.name in steps.inputs:
        return f"{dotted(step.name)}, the direction"
    if not step.partials:
        return ""
    signs, places = chain_rule.of_tangent(steps, step)
    return _equation(chain_rule.tangent(step).text, signs.text, places.text)


def tangents(step: Step, directions: int) -> list[str]:
    """The tangents in the first directions; nothing for what does not move."""
    if step.kind == "constant":
        return [""] * directions
    return [shown(tangent) for tangent in step.tangents[:directions]]


def adjoint_rule(steps: Steps, step: Step) -> str:
    """v̄₂ = v̄₃·∂v₃/∂v₂ + v̄₄·∂v₄/∂v₂, and what these derivatives are."""
    signs, places = chain_rule.of_adjoint(steps, step)
    return _equation(chain_rule.adjoint(step).text, signs.text, places.text)


def _equation(name: str, signs: str, places: str) -> str:
    if signs == places:
        return f"{name} = {signs}"
    between = " = " if len(signs) + len(places) <= _ON_ONE_LINE else "\n   = "
    return f"{name} = {signs}{between}{places}"


def terms(step: Step) -> str:
    """The numbers that an adjoint is the sum of, where there are several."""
    values = [*([] if step.seed is None else [step.seed]), *(value for _, value in step.terms)]
    if len(values) < 2 or not all(_is_number(value) for value in values):
        return ""
    more = " + …" if len(values) > chain_rule.MOST_TERMS else ""
    return " + ".join(map(shown, values[: chain_rule.MOST_TERMS])) + more


def _is_number(value: Any) -> bool:
    return value is not None and not isinstance(value, tuple) and not np.ndim(value)


def caption(steps: Steps) -> list[str]:
    """What a reader must know."""
    lines = list(steps.notes)
    if len(steps.inputs) > MOST_DIRECTIONS and len(steps) <= MOST_ROWS:
        lines.append(f"{len(steps.inputs) - MOST_DIRECTIONS} more inputs have no column here.")
    return lines


# -------------------------------------------------------------------------------- by line of source


def by_line(steps: Steps) -> Table:
    """A row for each line of source that made steps."""
    table = _table(f"{len(steps)} steps by line of source")
    table.add_column("line", justify="right", style="bold")
    table.add_column("source", overflow="fold")
    table.add_column("steps", justify="right")
    table.add_column("operations")
    table.add_column("greatest |adjoint|", justify="right", style="magenta")
    for group in steps.groups:
        name, most = greatest(steps, group)
        _add(
            table,
            line(group),
            group.place.text if group.place else "",
            f"{len(group.steps)}",
            counts(group),
            "" if name is None else f"{number(most, digits=4)} of {name}",
        )
    return table


def line(group: Group) -> str:
    """program.py:7, or nothing for what no line made."""
    return f"{Path(group.place.file).name}:{group.place.line}" if group.place else "inputs"


def counts(group: Group) -> str:
    """How many operations of which kind: the most frequent ones first."""
    found = sorted(group.counts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{count} {op}" if count > 1 else op for op, count in found)


def greatest(steps: Steps, group: Group) -> tuple[str | None, float]:
    """(the step of a group with the greatest adjoint, its norm)."""
    found = ((size(steps[name].adjoint), name) for name in group.steps)
    most, name = max(((s, n) for s, n in found if s is not None), default=(0.0, None))
    return name, most


def size(value: Any) -> float | None:
    """The Euclidean norm of a derivative; None where there is none."""
    return None if value is None else norm([norm(part) for part in _leaves(value)])


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _leaves(part)
    elif value is not None:
        yield value
