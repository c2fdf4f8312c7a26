"""`explain`: what a function does, step by step, with the derivatives of every step."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wengert.errors import WengertValueError
from wengert.execution.jit import Jitted
from wengert.explaining.binding import bindings
from wengert.explaining.stepping import steps_of
from wengert.explaining.steps import Steps
from wengert.explaining.table import render
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What `explain` found. It prints as a table, in colour where `rich` prints it.

    function: the function that is explained, of what it is differentiated by: other arguments have
    their values already. args: its arguments; None where the report is of what a `jit` function is
    for its newest signature, without values.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] | None
    traced: Steps | None = field(default=None)

    @property
    def steps(self) -> Steps:
        """The elementary operations with their values, tangents and adjoints.

        Raises WengertValueError where there are no values.
        """
        if self.traced is None:
            raise WengertValueError(
                f"a jit function keeps its programs and not the values that it was called with: "
                f"write explain({_name(self.function)}, *args) to see its steps"
            )
        return self.traced

    @cached_property
    def cost(self) -> Any:
        """What the function and its gradient cost: operations, bytes, peak memory."""
        return module("wengert.explaining.cost").cost_of(self)

    @cached_property
    def why_slow(self) -> Any:
        """What costs most, ranked, with what to do about it."""
        return module("wengert.explaining.slow").why_slow_of(self)

    def latex(self) -> str:
        r"""The steps and both sweeps in LaTeX: `align*` environments, by amsmath and amssymb."""
        text: str = module("wengert.explaining.typesetting").latex(self.steps)
        return text

    def svg(self, mode: str | None = None, step: int | str | None = None, **options: Any) -> str:
        """The computation graph as a picture, a text in SVG.

        mode: "forward" for the tangents beside the values, "reverse" for the adjoints. step: the
        name of a step, or a number of moments, for the picture in the midst of that sweep. options:
        see `wengert.explaining.picture.svg`. Needs the packages of `wengert[pictures]`.
        """
        text: str = module("wengert.explaining.picture").svg(self, mode, step, **options)
        return text

    def png(
        self,
        path: str | PathLike[str],
        mode: str | None = None,
        step: int | str | None = None,
        **options: Any,
    ) -> None:
        """Write the picture that `svg` draws to a file, as pixels."""
        module("wengert.explaining.picture").png(self, path, mode, step, **options)

    def html(self, path: str | PathLike[str], title: str | None = None) -> None:
        """Write a page that steps through both modes to a file. It needs no network."""
        name = _name(self.function)
        page = module("wengert.explaining.picture").page(self, name if title is None else title)
        Path(path).write_text(page, encoding="utf-8")

    def _repr_html_(self) -> str:
        if self.traced is None:
            return f"<pre>{escape(repr(self))}</pre>"
        text: str = module("wengert.explaining.folding").html(self.steps)
        return text

    def __rich__(self) -> RenderableType:
        if self.traced is None:
            cost: RenderableType = self.cost
            return cost
        return render(self.traced)

    def __repr__(self) -> str:
        page = io.StringIO()
        console = module("rich.console").Console(
            file=page, width=WIDTH, color_system=None, force_jupyter=False
        )
        console.print(self)
        return "\n".join(line.rstrip() for line in page.getvalue().rstrip().splitlines())


def _name(f: Callable[..., Any]) -> str:
    return str(getattr(f, "__name__", "f"))


def explain(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Report:
    """Trace a function once and show every elementary operation of it.

    Parameters
    ----------
    f
        A function written with NumPy that returns real numbers or arrays, or structures of them,
        or what `grad` and the like make of one.
    args
        Its arguments: numbers, arrays, or structures of them. Without any, of a `jit` function
        that has been called: what it is for its newest signature, `.cost` and `.why_slow` alone.
    kwargs
        Its keyword arguments, alike. Texts, truth values and None are passed as they are, and whole
        numbers too, where the function declares them as `int` or cannot take floats in their place,
        since they are counts, indices or axes.

    Returns
    -------
    A report that prints as a table, with a row for each operation: its value, its tangent in the
    direction of each input (forward mode), and its adjoint, the derivative of the output by it
    (reverse mode), with the chain rule written out. The adjoints of a function of several results
    are the derivatives of the sum of all their entries.

    `.steps` holds the same as records; `.latex()` is the table for a text; `.svg()`, `.png(path)`
    and `.html(path)` are pictures of the graph; `.cost` and `.why_slow` tell what it takes.

    Raises
    ------
    WengertTypeError
        Where a result is complex, or an argument cannot be traced.
    WengertValueError
        Where there are no arguments, and a `jit` function has not been called yet.

    Examples
    --------
    >>> import numpy as np
    >>> report = explain(lambda w1, w2: w2 * np.log(w1) + np.sqrt(w2 * np.log(w1)), 2.0, 3.0)
    >>> [(step.name, step.formula) for step in report.steps if step.formula]
    [('v₁', 'log w₁'), ('v₂', 'w₂ · v₁'), ('v₃', '√v₂'), ('v₄', 'v₂ + v₃')]
    >>> report.steps["w1"].adjoint
    np.float64(2.0201012595319114)
    >>> [(partial.arg, partial.formula) for partial in report.steps["v3"].partials]
    [('v₂', '1/(2v₃)')]
    >>> [step.name for step in explain(lambda x, n: np.sum(x[:n]), np.ones(5), n=2).steps]
    ['x', 'v₁', 'v₂']
    """
    if not args and not kwargs and isinstance(f, Jitted):
        module("wengert.explaining.recorded").recorded(f)  # says so where it was never called
        return Report(f, None)
    return explained(f, args, kwargs)


def explained(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    wrt: Collection[int | str] | None = None,
) -> Report:
    """What `explain` does; by the arguments `wrt` alone, where these are named."""
    ways = list(bindings(f, args, kwargs, wrt))
    for way in ways[:-1]:
        try:
            return Report(way.function, way.args, steps_of(way))
        except Exception:  # whatever a function says of a float that should be whole
            continue
    way = ways[-1]
    return Report(way.function, way.args, steps_of(way))
