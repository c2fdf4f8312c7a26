"""Running sums, products and extrema along one axis."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.registry import FUNCTIONS, find
from wengert.numpy.dispatch import implements, into, nodes, one_axis
from wengert.numpy.reductions import widened
from wengert.ops.movement import concatenate, index, put, reshape
from wengert.ops.reductions import along
from wengert.ops.rounding import isnan
from wengert.ops.selection import maximum, minimum, select
from wengert.tracing.tracer import Tracer


def _line(x: Node, axis: Any) -> tuple[Node, int]:
    """The operand and the axis to run along: flattened for None, of at least one axis."""
    if axis is None or not x.ndim:
        if axis is not None:
            one_axis(axis, 1)
        return reshape(x, (x.size,)), 0
    return x, one_axis(axis, x.ndim)


def _running(op: str, neutral: int, nan: bool = False) -> Callable[..., Any]:
    """np.cumsum or np.cumprod, or the same with what is NaN passed over."""

    def run(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        session, (x,) = nodes(a)
        if nan and x.dtype.kind in "fc":
            x = select(isnan(x), constant(neutral, x), x)
        x, along_axis = _line(widened(x, dtype, op), axis)
        return into(Tracer(find(op)(x, along_axis), session), out)

    return run


implements(np.cumsum, method=True)(_running("cumsum", 0))
implements(np.cumprod, method=True)(_running("cumprod", 1))
implements(np.nancumsum)(_running("cumsum", 0, nan=True))
implements(np.nancumprod)(_running("cumprod", 1, nan=True))


def _running_from_start(op: str, neutral: int) -> Callable[..., Any]:
    """np.cumulative_sum or np.cumulative_prod (NumPy 2.1)."""

    def run(
        x: Any,
        /,
        *,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        include_initial: bool = False,
    ) -> Any:
        session, (node,) = nodes(x)
        if axis is None and node.ndim > 1:
            raise WengertValueError(
                "For arrays which have more than one dimension ``axis`` argument is required."
            )
        line, along_axis = _line(widened(node, dtype, op), axis)
        result = find(op)(line, along_axis)
        if include_initial:
            shape = list(result.shape)
            shape[along_axis] = 1
            start = full(neutral, result.dtype, tuple(shape))
            result = concatenate(start, result, axis=along_axis)
        return into(Tracer(result, session), out)

    return run


if hasattr(np, "cumulative_sum"):
    implements(np.cumulative_sum)(_running_from_start("cumsum", 0))
    implements(np.cumulative_prod)(_running_from_start("cumprod", 1))


def _running_extremum(combine: Callable[[Node, Node], Node], name: str) -> Callable[..., Any]:
    """np.maximum.accumulate: a scan in log₂ n steps, after which of width w each element is the
    extremum of the last 2w up to it."""

    def run(a: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        session, (x,) = nodes(a)
        if not x.ndim:
            raise WengertValueError(f"cannot accumulate on a scalar (np.{name}.accumulate)")
        axis = one_axis(operator.index(axis), x.ndim)
        x = x if dtype is None else find("convert")(x, np.dtype(dtype))
        extent, width = x.shape[axis], 1
        while width < extent:
            rest = extent - width
            last = along(x.shape, axis, width, rest)
            joined = combine(index(x, last), index(x, along(x.shape, axis, 0, rest)))
            x = put(x, joined, last)
            width *= 2
        return into(Tracer(x, session), out)

    return run


FUNCTIONS["cummax"] = _running_extremum(maximum, "maximum")
FUNCTIONS["cummin"] = _running_extremum(minimum, "minimum")
