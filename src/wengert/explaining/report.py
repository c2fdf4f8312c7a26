"""`explain`: what a function does, step by step, with the derivatives of every step."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wengert.explaining.steps import Steps
from wengert.explaining.steps import steps as steps_of
from wengert.explaining.table import render
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH = 140


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What `explain` found. It prints as a table, in colour where `rich` prints it.

    steps: the elementary operations with their values, tangents and adjoints.
    """

    steps: Steps

    def __rich__(self) -> RenderableType:
        return render(self.steps)

    def __repr__(self) -> str:
        page = io.StringIO()
        console = module("rich.console").Console(
            file=page, width=_WIDTH, color_system=None, force_jupyter=False
        )
        console.print(self)
        return "\n".join(line.rstrip() for line in page.getvalue().rstrip().splitlines())


def explain(f: Callable[..., Any], *args: Any) -> Report:
    """Trace a scalar function once and show every elementary operation of it.

    Parameters
    ----------
    f
        A function written with NumPy that returns one real scalar.
    args
        Its arguments: numbers, arrays, or structures of them.

    Returns
    -------
    A report that prints as a table, with a row for each operation: its value, its tangent in the
    direction of each input (forward mode), and its adjoint, the derivative of the output by it
    (reverse mode), with the chain rule written out. `.steps` holds the same as records.

    Raises
    ------
    WengertTypeError
        Where the output is no real scalar, or an argument cannot be traced.

    Examples
    --------
    >>> import numpy as np
    >>> report = explain(lambda w1, w2: w2 * np.log(w1) + np.sqrt(w2 * np.log(w1)), 2.0, 3.0)
    >>> [(step.name, step.formula) for step in report.steps if step.formula]
    [('v₁', 'log w₁'), ('v₂', 'w₂ · v₁'), ('v₃', '√v₂'), ('v₄', 'v₂ + v₃')]
    >>> report.steps["w1"].adjoint
    np.float64(2.0201012595319114)
    """
    return Report(steps_of(f, *args))
